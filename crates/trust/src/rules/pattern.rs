//! Which names, and which references, a rule is for.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use touchmark_envelope::name::Wanted;

use super::error::RuleFault;
use super::glob::{Element, Glob, Reach};
use super::host;

/// Bytes of a pattern.
pub const MAX_PATTERN: usize = 512;
/// Captures of a pattern: `$1` to `$9`.
const MAX_CAPTURES: usize = 9;

/// A pattern of names: `acme/net-monitor:*`, `acme/*`, `acme/**`. `*` stands for any characters but `/`, also none, and so for the version
/// too; `**`, as all that follows the last `/`, for one component or several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamePattern {
    text: String,
    glob: Glob,
}

/// A pattern of normalised references: `registry.example/acme/(*):(*)`. `*` stands for any characters but `/`, `:` and `@`, also none;
/// `(*)` for the same, captured; `**`, at the end and right behind one of the three or alone, for all that follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReferencePattern {
    text: String,
    glob: Glob,
    place: Place,
}

/// What kind of place a pattern of references is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// `**` alone.
    Any,
    Registry,
    /// An OCI layout or a tar.
    Files,
}

/// Why a text is no pattern, or none that could ever match.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PatternFault {
    /// Nothing.
    #[error("is an empty pattern")]
    Empty,
    /// Longer than [`MAX_PATTERN`].
    #[error("has more than {MAX_PATTERN} bytes")]
    Length,
    /// A character that is in nothing that it is for.
    #[error("has the character {0:?}, which nothing that it is for has")]
    Character(char),
    /// `**` somewhere else than at the end behind a separator.
    #[error("has `**` where it is not all that follows a separator")]
    Rest,
    /// A parenthesis that is not part of `(*)`.
    #[error("has a parenthesis that is not of `(*)`")]
    Capture,
    /// More than nine captures.
    #[error("has more than {MAX_CAPTURES} captures")]
    Captures,
    /// No name is so.
    #[error("matches no name: {0}")]
    NoName(&'static str),
    /// No reference is so.
    #[error("matches no reference: {0}")]
    NoReference(&'static str),
    /// No reference has such a host in its normal form.
    #[error("matches no reference: {0}")]
    Host(&'static str),
}

impl PatternFault {
    /// What to try.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            PatternFault::Rest => Some("write acme/** for all below, or one * for each part"),
            PatternFault::Capture => Some("write (*) for a part that is used as $1, and * for one that is not"),
            PatternFault::NoName(_) => Some("a name is written PUBLISHER/PATH[:VERSION]"),
            PatternFault::NoReference(_) => Some("write HOST[:PORT]/REPOSITORY and :*, @sha256:* or :** behind it; oci:** for OCI layouts"),
            PatternFault::Host(_) => {
                Some("write the host as pins show it: in lower case, without the default port, docker.io for Docker Hub")
            }
            _ => None,
        }
    }
}

impl NamePattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// It is none, or one that matches no name.
    pub fn new(text: &str) -> Result<Self, PatternFault> {
        let mut elements = Vec::new();
        let (written, rest) = without_rest(text, &['/'])?;
        for character in written.chars() {
            elements.push(match character {
                '*' => Element::Run { reach: Reach::Component, captured: false },
                'a'..='z' | 'A'..='Z' | '0'..='9' | '_' | '.' | '-' | '/' | ':' => Element::Character(character),
                other => return Err(PatternFault::Character(other)),
            });
        }
        let (path, version) = match text.split_once(':') {
            Some((path, version)) => (path, Some(version)),
            None => (text, None),
        };
        if version.is_some_and(|version| version.contains([':', '/']) || version.is_empty()) {
            return Err(PatternFault::NoName("what follows the `:` is no version"));
        }
        let upper = |part: &str| part.chars().any(|character| character.is_ascii_uppercase());
        // An upper-case letter may stand in a version, which a `*` may have begun.
        let component = |part: &str| match part.split_once('*') {
            Some((before, _)) => !upper(before),
            None => touchmark_envelope::name::is_component(part),
        };
        let components: Vec<&str> = path.split('/').collect();
        let (last, above) = components.split_last().unwrap_or((&"", &[]));
        if !component(last) || !above.iter().all(|part| component(part) && !upper(part)) {
            return Err(PatternFault::NoName("a component of it is none"));
        }
        if above.is_empty() && !rest {
            return Err(PatternFault::NoName("it has one component"));
        }
        if rest {
            elements.push(Element::Run { reach: Reach::Rest, captured: false });
        }
        Ok(Self { text: text.to_owned(), glob: Glob(elements) })
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it is for all that is wanted, for some of it, or for nothing of it.
    pub(crate) fn covers(&self, wanted: &Wanted) -> Cover {
        match wanted {
            Wanted::Exact(name) => match self.glob.matches(&alloc::format!("{name}")) {
                Some(_) => Cover::All,
                None => Cover::Nothing,
            },
            Wanted::AnyVersion(name) => {
                let mut versions: Vec<Element> = name.path().chars().chain([':']).map(Element::Character).collect();
                versions.push(Element::Run { reach: Reach::Part, captured: false });
                let versions = Glob(versions);
                match (self.glob.includes(&versions), self.glob.meets(&versions)) {
                    (true, _) => Cover::All,
                    (false, true) => Cover::Some,
                    (false, false) => Cover::Nothing,
                }
            }
        }
    }

    /// Whether it surely matches whatever `other` does.
    pub fn includes(&self, other: &Self) -> bool {
        self.glob.includes(&other.glob)
    }
}

/// How much of what is wanted a pattern is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Cover {
    Nothing,
    Some,
    All,
}

impl ReferencePattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// It is none, or one that matches no normalised reference.
    pub fn new(text: &str) -> Result<Self, PatternFault> {
        let (written, rest) = without_rest(text, &['/', ':', '@'])?;
        let run = |captured| Element::Run { reach: Reach::Part, captured };
        let (mut elements, mut left) = (Vec::new(), written);
        while let Some(character) = left.chars().next() {
            let (element, behind) = match (left.strip_prefix("(*)"), character) {
                (Some(behind), _) => (run(true), behind),
                (None, '(' | ')') => return Err(PatternFault::Capture),
                (None, '*') => (run(false), left.get(1..).unwrap_or_default()),
                (None, other) if other.is_control() => return Err(PatternFault::Character(other)),
                (None, other) => (Element::Character(other), left.get(other.len_utf8()..).unwrap_or_default()),
            };
            elements.push(element);
            left = behind;
        }
        if rest {
            elements.push(Element::Run { reach: Reach::Rest, captured: false });
        }
        let glob = Glob(elements);
        if glob.captures() > MAX_CAPTURES {
            return Err(PatternFault::Captures);
        }
        let place = match path_of(text) {
            Some("") => return Err(PatternFault::NoReference("there is no path behind the scheme")),
            Some(_) => Place::Files,
            None if written.is_empty() => Place::Any,
            None => {
                in_registry(written, rest)?;
                Place::Registry
            }
        };
        Ok(Self { text: text.to_owned(), glob, place })
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// How many captures it has.
    pub fn captures(&self) -> usize {
        self.glob.captures()
    }

    /// What its captures are, if it matches the whole of `reference`.
    ///
    /// # Errors
    /// It would, if a run stood for a step out of the folder that is written before it: whether it is for that is not sure.
    pub(crate) fn matches(&self, reference: &str) -> Result<Option<Vec<String>>, RuleFault> {
        let path = path_of(reference);
        let Some(captures) = self.glob.matches(reference) else { return Ok(None) };
        match (self.place, path) {
            // `*:*/acme/x` is for hosts with a port, and not for `oci:./acme/x`.
            (Place::Registry, Some(_)) | (Place::Files, None) => Ok(None),
            (Place::Files, Some(path)) if !self.is_for_all_paths() && steps_up(path) != path_of(&self.text).map_or(0, steps_up) => {
                Err(RuleFault::Reference("its path has a `..` for which none is written in the pattern"))
            }
            _ => Ok(Some(captures)),
        }
    }

    /// Whether it surely matches whatever `other` does.
    pub fn includes(&self, other: &Self) -> bool {
        (self.place == Place::Any || self.place == other.place) && self.glob.includes(&other.glob)
    }

    /// Whether it is `oci:**` or `oci-archive:**`.
    fn is_for_all_paths(&self) -> bool {
        path_of(&self.text) == Some("**")
    }

    /// Whether there may be a reference that it and `other` match.
    pub fn meets(&self, other: &Self) -> bool {
        self.glob.meets(&other.glob)
    }

    /// Whether it surely matches references without a digest, so that whoever serves them says which artifact is meant.
    pub fn leaves_digests_out(&self) -> bool {
        match self.place {
            Place::Any | Place::Registry => !self.text.contains('@'),
            // A path may have an `@`, too.
            Place::Files => !self.text.rsplit_once('@').is_some_and(|(_, behind)| {
                !behind.contains('/') && ["sha256:", "sha512:", "*", "("].iter().any(|digest| behind.starts_with(digest))
            }),
        }
    }
}

/// What follows the scheme of an OCI layout or a tar; none of a registry.
fn path_of(text: &str) -> Option<&str> {
    ["oci:", "oci-archive:"].iter().find_map(|scheme| text.strip_prefix(scheme))
}

/// How many segments are `..`, the last of which a tag or a digest may follow.
fn steps_up(path: &str) -> usize {
    let separators: &[char] = if cfg!(windows) { &['/', '\\'] } else { &['/'] };
    path.split(separators).filter(|segment| segment.split([':', '@']).next() == Some("..")).count()
}

/// What of a pattern in a registry could never be a normalised reference.
fn in_registry(written: &str, rest: bool) -> Result<(), PatternFault> {
    let no = |why| Err(PatternFault::NoReference(why));
    let Some((host, behind)) = written.split_once('/') else { return no("there is no `/` behind a host") };
    let end = behind.find([':', '@']).unwrap_or(behind.len());
    let (repository, ending) = behind.split_at(end);
    let upper = |part: &str| part.chars().any(|character| character.is_ascii_uppercase());
    if let Some(why) = host::abnormal(host) {
        return Err(PatternFault::Host(why));
    }
    if upper(host) || upper(repository) {
        return no("hosts and repositories are in lower case");
    }
    for (part, others) in [(host, ".-:[]"), (repository, "._-/"), (ending, "._-:@")] {
        let known = |character: char| character.is_ascii_alphanumeric() || "*()".contains(character) || others.contains(character);
        if let Some(character) = part.chars().find(|character| !known(*character)) {
            return Err(PatternFault::Character(character));
        }
    }
    if !host.contains(['.', ':', '*']) && host != "localhost" {
        return no("what is before the first `/` is no host");
    }
    let mut parts = repository.split('/').rev();
    // `**` may stand for the last part.
    let open = rest && ending.is_empty();
    if parts.next().is_none_or(str::is_empty) != open || parts.any(str::is_empty) {
        return no("a part of the repository is empty");
    }
    if host == "docker.io" && !repository.contains('/') && !open {
        return no("names of Docker Hub are whole here, as docker.io/library/alpine");
    }
    if ending.ends_with([':', '@']) && !rest {
        return no("it ends in a separator");
    }
    Ok(())
}

/// The pattern without the `**` at its end, and whether there is one.
fn without_rest<'a>(text: &'a str, separators: &[char]) -> Result<(&'a str, bool), PatternFault> {
    if text.is_empty() {
        return Err(PatternFault::Empty);
    }
    if text.len() > MAX_PATTERN {
        return Err(PatternFault::Length);
    }
    let (written, rest) = match text.strip_suffix("**") {
        Some(written) if written.is_empty() || written.ends_with(separators) => (written, true),
        Some(_) => return Err(PatternFault::Rest),
        None => (text, false),
    };
    if written.contains("**") { Err(PatternFault::Rest) } else { Ok((written, rest)) }
}

impl fmt::Display for NamePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Display for ReferencePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
