//! Names that publishers own (SPEC.md, "Names"): `acme/net-monitor`, with or without a version.

use alloc::borrow::ToOwned;
use alloc::string::String;
use core::fmt;
use core::str::FromStr;

/// At most this many components in a name.
pub const MAX_COMPONENTS: usize = 8;
/// At most this many bytes in a name, version excluded.
pub const MAX_LENGTH: usize = 255;
/// At most this many bytes in a version.
pub const MAX_VERSION_LENGTH: usize = 128;

/// `NAME` or `NAME:VERSION`, as a publisher signs it. It is no registry path.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name {
    path: String,
    version: Option<String>,
}

impl Name {
    /// The part before the version: two to eight components.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The version, if one is part of the name.
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }
}

impl FromStr for Name {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let (path, version) = match text.split_once(':') {
            Some((path, version)) => (path, Some(version)),
            None => (text, None),
        };
        check_path(path)?;
        if let Some(version) = version
            && !is_version(version)
        {
            return Err(NameError::Version);
        }
        Ok(Self { path: path.to_owned(), version: version.map(ToOwned::to_owned) })
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)?;
        match &self.version {
            Some(version) => write!(f, ":{version}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The name that a verifier wants. It comes from the caller or a policy, never from an envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Exactly this name, with its version if it has one and without one if it has none.
    Exact(Name),
    /// `NAME:*`: this name with any version, never the versionless name.
    AnyVersion(Name),
}

impl Wanted {
    /// Whether the signed name `signed` is the wanted one. Compared byte for byte.
    pub fn accepts(&self, signed: &Name) -> bool {
        match self {
            Wanted::Exact(name) => name == signed,
            Wanted::AnyVersion(name) => signed.version.is_some() && name.path == signed.path,
        }
    }

    /// The same name in any version; the version that this one has, if any, is dropped.
    #[must_use]
    pub fn any_version(self) -> Self {
        let (Wanted::Exact(mut name) | Wanted::AnyVersion(mut name)) = self;
        name.version = None;
        Wanted::AnyVersion(name)
    }

    /// The path of the wanted name.
    pub fn path(&self) -> &str {
        let (Wanted::Exact(name) | Wanted::AnyVersion(name)) = self;
        name.path()
    }
}

impl FromStr for Wanted {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        match text.strip_suffix(":*") {
            Some(path) if !path.contains(':') => path.parse().map(Wanted::AnyVersion),
            _ => text.parse().map(Wanted::Exact),
        }
    }
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Wanted::Exact(name) => fmt::Display::fmt(name, f),
            Wanted::AnyVersion(name) => write!(f, "{}:*", name.path()),
        }
    }
}

/// Why a text is no name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// One component only, or more than eight.
    #[error("a name has 2 to {MAX_COMPONENTS} components, such as acme/net-monitor; this has {found}")]
    Components {
        /// How many there were.
        found: usize,
    },
    /// A component outside the grammar.
    #[error("`{component}` is no component of a name: lower-case letters and digits, between them `.`, `_`, `__` or dashes")]
    Component {
        /// The component, at most 64 characters of it.
        component: String,
    },
    /// Longer than 255 bytes.
    #[error("a name has at most {MAX_LENGTH} bytes, this has {found}")]
    Length {
        /// How many there were.
        found: usize,
    },
    /// The version is outside the grammar of an OCI tag.
    #[error("a version has 1 to {MAX_VERSION_LENGTH} of A-Z a-z 0-9 _ . - and does not begin with . or -")]
    Version,
}

fn check_path(path: &str) -> Result<(), NameError> {
    if path.len() > MAX_LENGTH {
        return Err(NameError::Length { found: path.len() });
    }
    if let Some(component) = path.split('/').find(|c| !is_component(c)) {
        return Err(NameError::Component { component: component.chars().take(64).collect() });
    }
    let found = path.split('/').count();
    if !(2..=MAX_COMPONENTS).contains(&found) {
        return Err(NameError::Components { found });
    }
    Ok(())
}

/// Whether `text` is one component of an OCI repository name (distribution spec, "Pulling manifests").
pub fn is_component(text: &str) -> bool {
    let alphanumeric = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = text.as_bytes();
    if !bytes.first().copied().is_some_and(alphanumeric) || !bytes.last().copied().is_some_and(alphanumeric) {
        return false;
    }
    // What stands between two alphanumeric runs is one `.`, one or two `_`, or any number of dashes.
    bytes.split(|byte| alphanumeric(*byte)).all(|run| match run {
        [] | [b'.'] | [b'_'] | [b'_', b'_'] => true,
        dashes => dashes.iter().all(|byte| *byte == b'-'),
    })
}

/// Whether `text` is a tag (distribution spec, "Pulling manifests"), which is also the grammar of versions.
pub fn is_version(text: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let mut bytes = text.bytes();
    text.len() <= MAX_VERSION_LENGTH && bytes.next().is_some_and(word) && bytes.all(|byte| word(byte) || byte == b'.' || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn good_names() {
        for text in ["acme/x", "acme/net-monitor:1.2.0", "a/b/c/d/e/f/g/h", "a--b/c__d:_x", "0/1:A.b-C", "a/b:latest"] {
            assert_eq!(text.parse::<Name>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn bad_names() {
        let long = alloc::format!("a/{}", "b".repeat(MAX_LENGTH));
        let long_version = alloc::format!("a/b:{}", "1".repeat(MAX_VERSION_LENGTH + 1));
        for text in [
            "",
            "acme",
            "/",
            "a/",
            "/a",
            "a//b",
            "Acme/x",
            "a/b-",
            "a/-b",
            "a/b..c",
            "a/b___c",
            "a/b.-c",
            "a/b_-c",
            "a/b c",
            "a/../b",
            "a/b:",
            "a/b:.1",
            "a/b:-1",
            "a/b:1:2",
            "a/b:*",
            "a/b@1",
            "a/é",
            "a/b/c/d/e/f/g/h/i",
            "a/b\n",
            &long,
            &long_version,
        ] {
            assert!(text.parse::<Name>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn wanted_names_compare_byte_for_byte() {
        let bare: Wanted = "acme/x".parse().unwrap();
        let any: Wanted = "acme/x:*".parse().unwrap();
        let one: Wanted = "acme/x:1.2.0".parse().unwrap();
        let signed = |text: &str| text.parse::<Name>().unwrap();
        assert!(bare.accepts(&signed("acme/x")) && !bare.accepts(&signed("acme/x:1.2.0")));
        assert!(one.accepts(&signed("acme/x:1.2.0")) && !one.accepts(&signed("acme/x")) && !one.accepts(&signed("acme/x:1.2.1")));
        assert!(any.accepts(&signed("acme/x:9")) && !any.accepts(&signed("acme/x")) && !any.accepts(&signed("acme/y:9")));
        assert_eq!(one.clone().any_version(), any);
        assert!("acme/x:1:*".parse::<Wanted>().is_err() && "acme/*:*".parse::<Wanted>().is_err());
    }
}
