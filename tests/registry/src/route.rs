//! What a request is for (OCI distribution spec 1.1, "Endpoints").

/// What a path is the path of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    Base,
    Catalog,
    Manifest { name: String, reference: String },
    Blob { name: String, digest: String },
    Uploads { name: String },
    Upload { name: String, session: String },
    Tags { name: String },
    Referrers { name: String, digest: String },
    Unknown,
}

/// The parameters of a query, decoded.
#[derive(Clone, Debug, Default)]
pub(crate) struct Query(Vec<(String, String)>);

impl Route {
    /// The route and the query of a request's target.
    pub(crate) fn of(target: &str) -> (Self, Query) {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        (Self::of_path(&decode(path, false)), Query::parse(query))
    }

    fn of_path(path: &str) -> Self {
        if path == "/v2" || path == "/v2/" {
            return Self::Base;
        }
        let Some(path) = path.strip_prefix("/v2/") else {
            return Self::Unknown;
        };
        if path == "_catalog" {
            return Self::Catalog;
        }
        let segments: Vec<&str> = path.split('/').collect();
        let name = |segments: &[&str]| segments.join("/");
        match segments.as_slice() {
            [before @ .., "tags", "list"] if !before.is_empty() => Self::Tags { name: name(before) },
            [before @ .., "blobs", "uploads"] | [before @ .., "blobs", "uploads", ""] if !before.is_empty() => {
                Self::Uploads { name: name(before) }
            }
            [before @ .., "blobs", "uploads", session] if !before.is_empty() => {
                Self::Upload { name: name(before), session: (*session).to_owned() }
            }
            [before @ .., "blobs", digest] if !before.is_empty() => Self::Blob { name: name(before), digest: (*digest).to_owned() },
            [before @ .., "manifests", reference] if !before.is_empty() => {
                Self::Manifest { name: name(before), reference: (*reference).to_owned() }
            }
            [before @ .., "referrers", digest] if !before.is_empty() => {
                Self::Referrers { name: name(before), digest: (*digest).to_owned() }
            }
            _ => Self::Unknown,
        }
    }

    /// The repository that it is about.
    pub(crate) fn repository(&self) -> Option<&str> {
        match self {
            Self::Base | Self::Catalog | Self::Unknown => None,
            Self::Manifest { name, .. }
            | Self::Blob { name, .. }
            | Self::Uploads { name }
            | Self::Upload { name, .. }
            | Self::Tags { name }
            | Self::Referrers { name, .. } => Some(name),
        }
    }
}

impl Query {
    /// Reads a query, or the body of a form.
    pub(crate) fn parse(text: &str) -> Self {
        Self(
            text.split('&')
                .filter(|pair| !pair.is_empty())
                .map(|pair| {
                    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                    (decode(name, true), decode(value, true))
                })
                .collect(),
        )
    }

    pub(crate) fn first(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// A repository's name by the specification ("Pulling manifests").
pub(crate) fn is_name(name: &str) -> bool {
    let component = |component: &str| {
        let alphanumeric = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let separator = |text: &str| matches!(text, "." | "_" | "__") || (!text.is_empty() && text.bytes().all(|byte| byte == b'-'));
        let bytes = component.as_bytes();
        bytes.first().is_some_and(|byte| alphanumeric(*byte))
            && bytes.last().is_some_and(|byte| alphanumeric(*byte))
            && component
                .split(|char: char| char.is_ascii_lowercase() || char.is_ascii_digit())
                .all(|between| between.is_empty() || separator(between))
    };
    name.len() <= 255 && name.split('/').all(component)
}

/// A tag by the specification.
pub(crate) fn is_tag(tag: &str) -> bool {
    let first = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    tag.len() <= 128 && tag.as_bytes().first().is_some_and(first) && tag.bytes().all(|byte| first(&byte) || matches!(byte, b'.' | b'-'))
}

/// Encodes a value for a query.
pub(crate) fn encode(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
        encoded
    })
}

pub(crate) fn decode(text: &str, plus: bool) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        let escaped = after.get(..2).and_then(|hex| std::str::from_utf8(hex).ok()).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match (byte, escaped) {
            (b'%', Some(escaped)) => {
                bytes.push(escaped);
                rest = after.get(2..).unwrap_or_default();
            }
            (b'+', _) if plus => bytes.push(b' '),
            _ => bytes.push(*byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
