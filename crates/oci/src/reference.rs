//! References to artifacts (SPEC.md, section 13): `oci:PATH[:TAG][@DIGEST]`, `oci-archive:FILE[:TAG][@DIGEST]` and
//! `HOST[:PORT]/REPOSITORY[:TAG][@DIGEST]`.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use touchmark_envelope::digest::{Digest, DigestError};
use touchmark_envelope::name::is_version;

use crate::host;

/// What kind of place a reference names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Scheme {
    /// `oci:`, an OCI layout in a folder; `ocidir:` is read as the same.
    Layout,
    /// `oci-archive:`, an OCI layout in a tar.
    Archive,
    /// No scheme but a host: a repository in a registry.
    Registry,
}

impl Scheme {
    /// The scheme as it is written before the colon; of a registry none is written.
    pub const fn name(self) -> &'static str {
        match self {
            Scheme::Layout => "oci",
            Scheme::Archive => "oci-archive",
            Scheme::Registry => "registry",
        }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Where an artifact is, and which one: a place, and a tag, a digest or both.
///
/// With both, the digest decides and the tag is not looked at. What is written by [`Display`](fmt::Display) reads back as
/// the same reference.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    scheme: Scheme,
    path: PathBuf,
    tag: Option<String>,
    digest: Option<Digest>,
}

impl Reference {
    /// The kind of place.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The folder of the OCI layout, or the tar file. Of a registry it is `HOST/REPOSITORY`, which is no path of this machine.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The repository, if the reference names one in a registry.
    pub fn repository(&self) -> Option<Repository> {
        let text = self.path.to_str().filter(|_| self.scheme == Scheme::Registry)?;
        text.split_once('/').map(|(host, name)| Repository { host: host.to_owned(), name: name.to_owned() })
    }

    /// The tag, if one was given.
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The digest, if one was given.
    pub fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }

    /// The place alone, without tag and digest.
    #[must_use]
    pub fn place(&self) -> Self {
        Self { scheme: self.scheme, path: self.path.clone(), tag: None, digest: None }
    }

    /// The reference to `digest` at the same place, without the tag: `oci:PATH@DIGEST`, which stays true whatever is tagged.
    #[must_use]
    pub fn pin(&self, digest: Digest) -> Self {
        Self { digest: Some(digest), ..self.place() }
    }
}

/// A repository in a registry.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Repository {
    host: String,
    name: String,
}

impl Repository {
    /// The host in normal form: in lower case, with its port if that is not the default one, and `docker.io` of Docker Hub: `HOST[:PORT]`.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The name of the repository (OCI distribution spec, "Pulling manifests").
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.host, self.name)
    }
}

impl FromStr for Repository {
    type Err = ReferenceError;

    /// Reads `HOST[:PORT]/REPOSITORY`.
    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        let not = || unknown(text);
        let (host, name) = text.split_once('/').ok_or_else(not)?;
        let host = host::normal(host).ok_or_else(not)?;
        if !is_repository(name) || host.len() + 1 + name.len() > MAX_REPOSITORY {
            return Err(ReferenceError::Repository { host, name: name.chars().take(200).collect() });
        }
        // Other tools read `docker.io/alpine` as `docker.io/library/alpine`; a reference here says the whole name.
        if host::is_docker_hub(&host) && !name.contains('/') {
            return Err(ReferenceError::ShortName { text: text.to_owned(), full: format!("{host}/library/{name}") });
        }
        Ok(Self { host, name: name.to_owned() })
    }
}

/// Bytes of host and repository together: registries and other tools refuse more.
const MAX_REPOSITORY: usize = 255;

/// OCI distribution spec, "Pulling manifests": `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*`.
fn is_repository(text: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    text.split('/').all(|part| {
        let mut separators = part.split(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit()).filter(|between| !between.is_empty());
        let joined = separators.all(|between| matches!(between, "." | "_" | "__") || between.bytes().all(|byte| byte == b'-'));
        joined && part.bytes().next().is_some_and(word) && part.bytes().last().is_some_and(word)
    })
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.scheme != Scheme::Registry {
            write!(f, "{}:", self.scheme)?;
        }
        write!(f, "{}", self.path.display())?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        match &self.digest {
            Some(digest) => write!(f, "@{digest}"),
            None => Ok(()),
        }
    }
}

impl FromStr for Reference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        let reference = Self::read(text)?;
        // What is shown, whole or the place alone, must be read as the same again, whatever odd path it has.
        let again = |shown: &Self| Self::read(&shown.to_string()).is_ok_and(|read| read == *shown);
        if again(&reference) && again(&reference.place()) { Ok(reference) } else { Err(ReferenceError::Ambiguous) }
    }
}

impl Reference {
    fn read(text: &str) -> Result<Self, ReferenceError> {
        if text.chars().any(char::is_control) {
            return Err(ReferenceError::ControlCharacter);
        }
        let (scheme, rest) = split_scheme(text)?;
        if scheme == Scheme::Registry {
            return Self::read_registry(text);
        }
        let (rest, digest) = split_digest(rest)?;
        if split_digest(rest)?.1.is_some() {
            return Err(ReferenceError::Ambiguous);
        }
        let (path, tag) = match rest.rsplit_once(':') {
            Some((_, "")) => return Err(ReferenceError::EmptyTag),
            Some((path, tag)) if is_version(tag) => (path, Some(tag)),
            _ => (rest, None),
        };
        if path.is_empty() {
            return Err(ReferenceError::EmptyPath);
        }
        // Otherwise the pin `oci:a:b@DIGEST` of `oci:a:b:c` would be read as tag b in folder a, and likewise what looks like a digest.
        let like_a_tag = path.rsplit_once(':').is_some_and(|(_, end)| is_version(end) || end.is_empty());
        if like_a_tag || !matches!(split_digest(path), Ok((_, None))) {
            return Err(ReferenceError::Ambiguous);
        }
        Ok(Self { scheme, path: PathBuf::from(path), tag: tag.map(str::to_owned), digest })
    }
}

impl Reference {
    /// Reads `HOST[:PORT]/REPOSITORY[:TAG][@DIGEST]`.
    fn read_registry(text: &str) -> Result<Self, ReferenceError> {
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest.parse().map_err(ReferenceError::Digest)?)),
            None => (text, None),
        };
        let slash = rest.find('/').unwrap_or(rest.len());
        let (place, tag) = match rest.rsplit_once(':').filter(|(place, _)| place.len() > slash) {
            Some((_, "")) => return Err(ReferenceError::EmptyTag),
            Some((place, tag)) if is_version(tag) => (place, Some(tag.to_owned())),
            Some((_, tag)) => return Err(ReferenceError::Tag { tag: tag.chars().take(200).collect() }),
            None => (rest, None),
        };
        let repository: Repository = place.parse().map_err(|error| match error {
            // What is suggested keeps what followed the name.
            ReferenceError::ShortName { full, .. } => {
                let rest = text.strip_prefix(place).unwrap_or_default();
                ReferenceError::ShortName { text: text.chars().take(200).collect(), full: format!("{full}{rest}") }
            }
            other => other,
        })?;
        Ok(Self { scheme: Scheme::Registry, path: PathBuf::from(repository.to_string()), tag, digest })
    }
}

/// A path with one of the slashes that it begins with, as which it is shown: `oci://` would not be read again.
fn one_slash(mut path: &str) -> &str {
    while let Some(shorter) = path.strip_prefix('/').filter(|rest| rest.starts_with('/')) {
        path = shorter;
    }
    path
}

/// The scheme, and what follows its colon.
fn split_scheme(text: &str) -> Result<(Scheme, &str), ReferenceError> {
    if text.is_empty() {
        return Err(ReferenceError::Empty);
    }
    match text.split_once(':') {
        // Helm and others name registries so.
        Some(("oci", rest)) if rest.starts_with("//") => Err(unknown(text)),
        Some(("oci", rest)) => Ok((Scheme::Layout, rest)),
        // regctl writes `ocidir://PATH`.
        Some(("ocidir", rest)) => Ok((Scheme::Layout, one_slash(rest.strip_prefix("//").unwrap_or(rest)))),
        Some(("oci-archive", rest)) => Ok((Scheme::Archive, rest)),
        _ if text.split_once('/').is_some_and(|(host, _)| host::normal(host).is_some()) => Ok((Scheme::Registry, text)),
        _ => Err(unknown(text)),
    }
}

/// What stands before the last `@`, and the digest after it. What follows an `@` and is nothing like a digest is part of the path.
fn split_digest(text: &str) -> Result<(&str, Option<Digest>), ReferenceError> {
    let Some((path, end)) = text.rsplit_once('@') else { return Ok((text, None)) };
    let Some((algorithm, encoded)) = end.split_once(':') else { return Ok((text, None)) };
    let known = ["sha256", "sha512"].iter().any(|name| algorithm.eq_ignore_ascii_case(name));
    let looks_encoded = encoded.len() >= 32 && encoded.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !known && !looks_encoded {
        return Ok((text, None));
    }
    Ok((path, Some(end.parse().map_err(ReferenceError::Digest)?)))
}

fn unknown(text: &str) -> ReferenceError {
    let windows = text.get(1..3).is_some_and(|drive| matches!(drive, ":\\" | ":/"));
    let guess = match text.split_once(':') {
        Some((scheme, rest)) if rest.starts_with("//") && matches!(scheme, "oci" | "docker" | "http" | "https") => Guess::Registry,
        Some(("docker-archive" | "docker-daemon" | "containers-storage" | "dir" | "ostree" | "sif", _)) => Guess::Transport,
        _ if text.contains(".tar") => Guess::Archive,
        _ if text.starts_with(['.', '/', '~', '\\']) || windows => Guess::Layout,
        _ if host::normal(text).is_some() && text.contains('.') => Guess::Host,
        _ => Guess::Either,
    };
    ReferenceError::Scheme { text: text.chars().take(200).collect(), guess }
}

/// What a reference without a known scheme was probably meant to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Guess {
    /// An artifact in a registry, written as a URL.
    Registry,
    /// A registry, without a repository.
    Host,
    /// Another tool's transport, such as `docker-archive:`.
    Transport,
    /// A tar.
    Archive,
    /// A folder.
    Layout,
    /// A folder or a repository at Docker Hub.
    Either,
}

/// The whole name of what others take for a name at Docker Hub, if it is one.
fn docker_hub(text: &str) -> Option<String> {
    let whole = if text.contains('/') { format!("docker.io/{text}") } else { format!("docker.io/library/{text}") };
    Reference::read_registry(&whole).ok().map(|_| whole)
}

/// What to write for `docker://REST`, `https://REST` and the like.
fn without_scheme(text: &str) -> String {
    let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
    let rest = rest.trim_end_matches('/');
    match rest.parse::<Reference>() {
        Ok(reference) if reference.scheme == Scheme::Registry && scheme == "http" => format!("{rest} with --plain-http"),
        Ok(reference) if reference.scheme == Scheme::Registry => rest.to_owned(),
        Err(ReferenceError::ShortName { full, .. }) => full,
        _ => match docker_hub(rest).filter(|_| scheme == "docker") {
            Some(whole) => whole,
            None if scheme == "oci" => format!("{REGISTRY_FORM} for a registry, oci:PATH for a folder"),
            None => format!("{REGISTRY_FORM}, without `{scheme}://`"),
        },
    }
}

/// How a registry's references are written.
const REGISTRY_FORM: &str = "HOST[:PORT]/REPOSITORY[:TAG][@DIGEST]";

/// Why a text is no reference.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReferenceError {
    /// Nothing at all.
    #[error("the reference is empty")]
    Empty,
    /// A line break or another control character.
    #[error("the reference contains a control character")]
    ControlCharacter,
    /// It begins with no scheme that is known.
    #[error("`{text}` is no reference: it begins with neither `oci:` nor `oci-archive:` nor the host of a registry")]
    Scheme {
        /// The text, at most 200 characters of it.
        text: String,
        /// What it was probably meant to be.
        guess: Guess,
    },
    /// Nothing between the scheme and the tag or digest.
    #[error("the reference names no path")]
    EmptyPath,
    /// A colon with nothing after it.
    #[error("the reference ends in a colon without a tag")]
    EmptyTag,
    /// What remains of the path would itself be read as having a tag or a digest.
    #[error("the path before the tag or digest ends like a tag or digest itself")]
    Ambiguous,
    /// After a host, something that is no name of a repository.
    #[error(
        "`{name}` is no name of a repository: lower-case letters, digits, and between them `.`, `_`, `__` or `-`, in parts divided by `/`"
    )]
    Repository {
        /// The registry.
        host: String,
        /// What should be the name, at most 200 characters of it.
        name: String,
    },
    /// A name that other tools complete.
    #[error("`{text}` is a short name of Docker Hub, and names are written whole here")]
    ShortName {
        /// The text, at most 200 characters of it.
        text: String,
        /// The whole name.
        full: String,
    },
    /// After a repository, something that is no tag.
    #[error("`{tag}` is no tag: at most 128 letters, digits, `.`, `_` and `-`, and neither `.` nor `-` first")]
    Tag {
        /// At most 200 characters of it.
        tag: String,
    },
    /// What follows the `@` is meant as a digest and is none.
    #[error("what follows the `@` is no digest: {0}")]
    Digest(DigestError),
}

impl ReferenceError {
    /// The stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            ReferenceError::Empty | ReferenceError::EmptyPath => "reference-empty",
            ReferenceError::ControlCharacter => "reference-control-character",
            ReferenceError::Scheme { .. } => "reference-scheme",
            ReferenceError::EmptyTag => "reference-empty-tag",
            ReferenceError::Ambiguous => "reference-ambiguous",
            ReferenceError::Repository { .. } => "reference-repository",
            ReferenceError::ShortName { .. } => "reference-short-name",
            ReferenceError::Tag { .. } => "reference-tag",
            ReferenceError::Digest(_) => "reference-digest",
        }
    }

    /// What to try.
    pub fn hint(&self) -> String {
        match self {
            ReferenceError::Scheme { text, guess } => match guess {
                Guess::Registry => without_scheme(text),
                Guess::Host => format!("{text}/REPOSITORY:TAG for a registry, oci:{text} for a folder"),
                Guess::Transport => "convert it first: skopeo copy SOURCE oci:PATH:TAG".to_owned(),
                Guess::Archive => format!("oci-archive:{text}"),
                Guess::Layout => format!("oci:{text}"),
                Guess::Either => match docker_hub(text) {
                    Some(whole) => format!("did you mean oci:{text}, a folder? At Docker Hub it is {whole}"),
                    None => format!("did you mean oci:{text}, a folder? For a registry write {REGISTRY_FORM}"),
                },
            },
            ReferenceError::EmptyTag => "give the tag, or leave the colon out; is a variable empty?".to_owned(),
            ReferenceError::Ambiguous => "end the folder with a slash (oci:a:b/:TAG), or rename the file".to_owned(),
            ReferenceError::Digest(_) => "a digest is sha256: and 64, or sha512: and 128, lower-case hexadecimal digits".to_owned(),
            ReferenceError::Repository { host, name } if is_repository(&name.to_ascii_lowercase()) && name.len() <= MAX_REPOSITORY / 2 => {
                format!("{host}/{}", name.to_ascii_lowercase())
            }
            ReferenceError::Repository { .. } | ReferenceError::Tag { .. } => format!("write {REGISTRY_FORM}"),
            ReferenceError::ShortName { full, .. } => full.clone(),
            ReferenceError::Empty | ReferenceError::ControlCharacter | ReferenceError::EmptyPath => {
                format!("write oci:PATH[:TAG][@DIGEST] for a folder, oci-archive:FILE[:TAG][@DIGEST] for a tar, {REGISTRY_FORM}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    fn parsed(text: &str) -> (Scheme, String, Option<String>, bool) {
        let reference: Reference = text.parse().unwrap();
        let again: Reference = reference.to_string().parse().unwrap();
        assert_eq!(again, reference, "{text}");
        let pin = reference.pin(format!("sha256:{HEX}").parse().unwrap());
        assert_eq!(pin.to_string(), format!("{}:{}@sha256:{HEX}", reference.scheme(), reference.path().display()));
        assert_eq!(pin.to_string().parse::<Reference>().unwrap(), pin, "{text}");
        let path = reference.path().to_str().unwrap().to_owned();
        (reference.scheme(), path, reference.tag().map(str::to_owned), reference.digest().is_some())
    }

    #[test]
    fn a_path_that_ends_like_a_digest_is_ambiguous() {
        let long = format!("oci:a:b@sha:{}:tag", "0".repeat(130));
        assert_eq!(long.parse::<Reference>(), Err(ReferenceError::Ambiguous));
        assert!("oci:a@b:tag".parse::<Reference>().is_ok());
    }

    #[test]
    fn paths_tags_and_digests() {
        let layout = |path: &str, tag: Option<&str>, digest| (Scheme::Layout, path.to_owned(), tag.map(str::to_owned), digest);
        assert_eq!(parsed("oci:x"), layout("x", None, false));
        assert_eq!(parsed("oci:x:1.0"), layout("x", Some("1.0"), false));
        assert_eq!(parsed("ocidir://x/y:1.0"), layout("x/y", Some("1.0"), false));
        assert_eq!(parsed("ocidir:///x/y"), layout("/x/y", None, false));
        assert_eq!(parsed("ocidir:////x:1"), layout("/x", Some("1"), false));
        assert_eq!(parsed("ocidir:x:1"), layout("x", Some("1"), false));
        assert_eq!(parsed(&format!("oci:x@sha256:{HEX}")), layout("x", None, true));
        assert_eq!(parsed(&format!("oci:x:1.0@sha256:{HEX}")), layout("x", Some("1.0"), true));
        assert_eq!(parsed(&format!("oci:x:1.0@sha512:{HEX}{HEX}")), layout("x", Some("1.0"), true));
        assert_eq!(parsed(r"oci:C:\x"), layout(r"C:\x", None, false));
        assert_eq!(parsed(r"oci:C:\x:1"), layout(r"C:\x", Some("1"), false));
        assert_eq!(parsed("oci:C:/x"), layout("C:/x", None, false));
        assert_eq!(parsed("oci:/a:b/c"), layout("/a:b/c", None, false));
        assert_eq!(parsed("oci:/a:b/c:d"), layout("/a:b/c", Some("d"), false));
        assert_eq!(parsed("oci:a:b/:c"), layout("a:b/", Some("c"), false));
        assert_eq!(parsed("oci:a: b"), layout("a: b", None, false));
        assert_eq!(parsed("oci:a:-b"), layout("a:-b", None, false));
        assert_eq!(parsed("oci:user@host"), layout("user@host", None, false));
        assert_eq!(parsed("oci:icon@2x:1"), layout("icon@2x", Some("1"), false));
        assert_eq!(parsed("oci:é/ü:1"), layout("é/ü", Some("1"), false));
        assert_eq!(parsed("oci-archive:x.tar:1"), (Scheme::Archive, "x.tar".to_owned(), Some("1".to_owned()), false));
        assert_eq!(parsed("oci-archive:x.tar"), (Scheme::Archive, "x.tar".to_owned(), None, false));
    }

    #[test]
    fn a_tag_has_at_most_128_characters() {
        let tag = "t".repeat(128);
        assert_eq!(parsed(&format!("oci:x:{tag}")).2, Some(tag.clone()));
        assert_eq!(parsed(&format!("oci:x:{tag}t")).2, None);
    }

    #[test]
    fn refused() {
        let code = |text: &str| text.parse::<Reference>().unwrap_err().code();
        assert_eq!(code(""), "reference-empty");
        for text in ["oci:", "oci::tag", "oci-archive:", "ocidir://", &format!("oci:@sha256:{HEX}")] {
            assert_eq!(code(text), "reference-empty", "{text}");
        }
        assert_eq!(code("oci:x:"), "reference-empty-tag");
        assert_eq!(code(&format!("oci:x:@sha256:{HEX}")), "reference-empty-tag");
        assert_eq!(code("oci:a:b:c"), "reference-ambiguous");
        assert_eq!(code("oci:a::c"), "reference-ambiguous");
        assert_eq!(code(&format!("oci:a@sha256:{HEX}@sha256:{HEX}")), "reference-ambiguous");
        assert_eq!(code("oci:a\nb"), "reference-control-character");
        assert_eq!(code("oci:a\0b"), "reference-control-character");
        for end in ["sha256:../../x", "sha256:", "sha256:abc", "SHA256:abc", "sha1:da39a3ee5e6b4b0d3255bfef95601890afd80709"] {
            assert_eq!(code(&format!("oci:a@{end}")), "reference-digest", "{end}");
        }
        assert_eq!(code(&format!("oci:a@sha256:{}", HEX.to_uppercase())), "reference-digest");
    }

    fn in_registry(text: &str) -> (String, String, Option<String>, bool) {
        let reference: Reference = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(reference.to_string().parse::<Reference>().as_ref(), Ok(&reference), "{text}");
        let repository = reference.repository().unwrap();
        assert_eq!(repository.to_string().parse::<Repository>().as_ref(), Ok(&repository), "{text}");
        let pin = reference.pin(format!("sha256:{HEX}").parse().unwrap());
        assert_eq!(pin.to_string(), format!("{repository}@sha256:{HEX}"));
        assert_eq!(pin.to_string().parse::<Reference>(), Ok(pin), "{text}");
        let tag = reference.tag().map(str::to_owned);
        (repository.host().to_owned(), repository.name().to_owned(), tag, reference.digest().is_some())
    }

    #[test]
    fn repositories_tags_and_digests() {
        let place = |host: &str, name: &str, tag: Option<&str>, digest| (host.to_owned(), name.to_owned(), tag.map(str::to_owned), digest);
        assert_eq!(in_registry("ghcr.io/acme/x"), place("ghcr.io", "acme/x", None, false));
        assert_eq!(in_registry("ghcr.io/acme/x:1.0"), place("ghcr.io", "acme/x", Some("1.0"), false));
        assert_eq!(in_registry(&format!("ghcr.io/acme/x@sha256:{HEX}")), place("ghcr.io", "acme/x", None, true));
        assert_eq!(in_registry(&format!("ghcr.io/acme/x:1@sha512:{HEX}{HEX}")), place("ghcr.io", "acme/x", Some("1"), true));
        assert_eq!(in_registry("GHCR.io/acme/x"), place("ghcr.io", "acme/x", None, false));
        assert_eq!(in_registry("localhost/x:1"), place("localhost", "x", Some("1"), false));
        assert_eq!(in_registry("localhost:5000/x"), place("localhost:5000", "x", None, false));
        assert_eq!(in_registry("registry:5000/x/y:1"), place("registry:5000", "x/y", Some("1"), false));
        assert_eq!(in_registry("127.0.0.1:5000/a/b/c/d"), place("127.0.0.1:5000", "a/b/c/d", None, false));
        assert_eq!(in_registry("[::1]:5000/x:1"), place("[::1]:5000", "x", Some("1"), false));
        assert_eq!(in_registry("[::1]/x"), place("[::1]", "x", None, false));
        assert_eq!(in_registry("docker.io/library/alpine:3"), place("docker.io", "library/alpine", Some("3"), false));
        // What is shown, pinned and matched is the one form of each host.
        assert_eq!(in_registry("Registry-1.Docker.io/library/alpine:3"), place("docker.io", "library/alpine", Some("3"), false));
        assert_eq!(in_registry("index.docker.io:443/acme/x"), place("docker.io", "acme/x", None, false));
        assert_eq!(in_registry(&format!("r.example:443/x:1@sha256:{HEX}")), place("r.example", "x", Some("1"), true));
        assert_eq!(in_registry("[0::1]:05000/x:1"), place("[::1]:5000", "x", Some("1"), false));
        assert_eq!(in_registry("r.example/a.b_c__d---e/0:V_1.-"), place("r.example", "a.b_c__d---e/0", Some("V_1.-"), false));
    }

    #[test]
    fn refused_in_a_registry() {
        let code = |text: &str| text.parse::<Reference>().unwrap_err().code();
        for name in ["", "/", "x/", "/x", "x//y", "X", "x y", "_x", "x_", "x..y", "x___y", "x.-y", "é", "../x", "x:1:2", "x%2f"] {
            assert_eq!(code(&format!("ghcr.io/{name}")), "reference-repository", "{name}");
        }
        assert_eq!(code("ghcr.io/x:"), "reference-empty-tag");
        assert_eq!(code(&format!("ghcr.io/x:@sha256:{HEX}")), "reference-empty-tag");
        for tag in ["-1", ".1", "a b", "a+b", &"t".repeat(129)] {
            assert_eq!(code(&format!("ghcr.io/x:{tag}")), "reference-tag", "{tag}");
        }
        for end in ["sha256:abc", "", "v1", "sha1:da39a3ee5e6b4b0d3255bfef95601890afd80709", &format!("sha256:{HEX}@sha256:{HEX}")] {
            assert_eq!(code(&format!("ghcr.io/x@{end}")), "reference-digest", "{end}");
        }
        assert_eq!(code(&format!("ghcr.io/x@sha256:{}", HEX.to_uppercase())), "reference-digest");
        assert_eq!(code("ghcr.io/x\n"), "reference-control-character");
        assert_eq!(code(&format!("ghcr.io/{}", "x".repeat(248))), "reference-repository");
        assert!(format!("ghcr.io/{}", "x".repeat(247)).parse::<Reference>().is_ok());
        for host in [
            "x.io.",
            "x.io.:443",
            "127.1",
            "-x.io",
            "x-.io",
            "x..io",
            ".io",
            "x.io:",
            "x.io:0",
            "x.io:65536",
            "x.io:+1",
            "[::1",
            "[x]:1",
            "[::1]x",
            "a_b.io",
            "u@x.io",
        ] {
            assert_eq!(code(&format!("{host}/acme/x")), "reference-scheme", "{host}");
        }
    }

    #[test]
    fn short_names_are_not_completed() {
        for (text, full) in [
            ("docker.io/alpine", "docker.io/library/alpine"),
            ("docker.io/alpine:3", "docker.io/library/alpine:3"),
            ("index.docker.io/alpine", "docker.io/library/alpine"),
            (&format!("Docker.io/alpine:3@sha256:{HEX}"), &format!("docker.io/library/alpine:3@sha256:{HEX}")),
        ] {
            let error = text.parse::<Reference>().unwrap_err();
            assert_eq!((error.code(), error.hint()), ("reference-short-name", full.to_owned()), "{text}");
        }
    }

    #[test]
    fn without_a_scheme_the_hint_says_what_to_write() {
        for (text, wanted) in [
            ("oci://ghcr.io/acme/x", "ghcr.io/acme/x"),
            ("docker://ghcr.io/acme/x:1", "ghcr.io/acme/x:1"),
            ("docker://alpine:3", "docker.io/library/alpine:3"),
            ("docker://docker.io/alpine", "docker.io/library/alpine"),
            ("docker://acme/x", "docker.io/acme/x"),
            ("https://ghcr.io/acme/x/", "ghcr.io/acme/x"),
            ("http://localhost:5000/x", "localhost:5000/x with --plain-http"),
            ("https://ghcr.io", "HOST[:PORT]/REPOSITORY[:TAG][@DIGEST], without `https://`"),
            ("oci://x/y", "HOST[:PORT]/REPOSITORY[:TAG][@DIGEST] for a registry, oci:PATH for a folder"),
            ("ghcr.io", "ghcr.io/REPOSITORY:TAG for a registry, oci:ghcr.io for a folder"),
            ("docker-archive:x.tar", "convert it first: skopeo copy SOURCE oci:PATH:TAG"),
            ("x.tar:1", "oci-archive:x.tar:1"),
            ("./x", "oci:./x"),
            (r"C:\x", r"oci:C:\x"),
            ("C:/x", "oci:C:/x"),
            ("alpine", "did you mean oci:alpine, a folder? At Docker Hub it is docker.io/library/alpine"),
            ("acme/x:1", "did you mean oci:acme/x:1, a folder? At Docker Hub it is docker.io/acme/x:1"),
            ("A:v1", "did you mean oci:A:v1, a folder? For a registry write HOST[:PORT]/REPOSITORY[:TAG][@DIGEST]"),
            ("OCI:x", "did you mean oci:OCI:x, a folder? For a registry write HOST[:PORT]/REPOSITORY[:TAG][@DIGEST]"),
            ("é", "did you mean oci:é, a folder? For a registry write HOST[:PORT]/REPOSITORY[:TAG][@DIGEST]"),
        ] {
            let error = text.parse::<Reference>().unwrap_err();
            assert_eq!(error.code(), "reference-scheme", "{text}");
            assert_eq!(error.hint(), wanted, "{text}");
        }
        let error = "ghcr.io/Acme/X".parse::<Reference>().unwrap_err();
        assert_eq!((error.code(), error.hint()), ("reference-repository", "ghcr.io/acme/x".to_owned()));
    }
}
