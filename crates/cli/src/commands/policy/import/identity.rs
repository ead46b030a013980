//! The identity that a signature must claim (`signedIdentity` of a policy.json), as the names that are expected.
//!
//! There a signature claims a Docker reference; here it is for a name, which has the same grammar but for ports and hosts alone. The names
//! that are expected are those references, so that nothing is accepted that was signed for another.

use touchmark::envelope::json::Value;
use touchmark::envelope::name::{MAX_COMPONENTS, Wanted};

use super::scope::Scope;
use super::texts;

/// What a signature must claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Identity {
    /// Just what was asked for, by its tag.
    Exact,
    /// What was asked for by its tag; by a digest, any tag of the repository.
    RepoDigestOrExact,
    /// Any tag of the repository that was asked for.
    Repository,
    /// This name.
    Name(String),
    /// As `RepoDigestOrExact`, once `prefix` of what was asked for is `signed`.
    Remap { prefix: String, signed: String },
}

/// The patterns and the expected name of a rule.
pub(super) type Expected = (Value<'static>, String);

impl Identity {
    /// Reads `signedIdentity`; without one it is the usual.
    pub(super) fn read(value: Option<&Value<'_>>) -> Result<Self, String> {
        let Some(value) = value else { return Ok(Identity::RepoDigestOrExact) };
        let object = value.as_object().ok_or("it is no object")?;
        let member = |name: &str| object.get(name).and_then(Value::as_str).ok_or_else(|| format!("it has no `{name}`"));
        let only = |names: &[&str]| match object.iter().find(|(name, _)| *name != "type" && !names.contains(name)) {
            Some((name, _)) => Err(format!("its member `{name}` is not known")),
            None => Ok(()),
        };
        match member("type")? {
            "matchExact" => only(&[]).map(|()| Identity::Exact),
            "matchRepoDigestOrExact" => only(&[]).map(|()| Identity::RepoDigestOrExact),
            "matchRepository" => only(&[]).map(|()| Identity::Repository),
            "exactReference" => {
                only(&["dockerReference"])?;
                let name = member("dockerReference")?;
                let Ok(Wanted::Exact(read)) = name.parse::<Wanted>() else { return Err(no_name(name)) };
                read.version().ok_or("it has no tag, so that no signature would do")?;
                Ok(Identity::Name(whole(name)?))
            }
            "exactRepository" => {
                only(&["dockerRepository"])?;
                let name = member("dockerRepository")?;
                match name.parse::<Wanted>() {
                    Ok(Wanted::Exact(read)) if read.version().is_none() => Ok(Identity::Name(format!("{}:*", whole(name)?))),
                    _ => Err(no_name(name)),
                }
            }
            "remapIdentity" => {
                only(&["prefix", "signedPrefix"])?;
                let (prefix, signed) = (member("prefix")?, member("signedPrefix")?);
                let plain = |text: &str| !text.is_empty() && !text.ends_with('/') && !text.contains(['*', '(', ')', '@', '$']);
                if !plain(prefix) || !plain(signed) {
                    return Err("its prefixes are none".to_owned());
                }
                Ok(Identity::Remap { prefix: prefix.to_owned(), signed: whole(signed)? })
            }
            other => Err(format!("its type `{other}` is not known")),
        }
    }

    /// What is expected of references in `scope`, the narrower patterns first.
    pub(super) fn expected(&self, scope: &Scope) -> Result<Vec<Expected>, String> {
        if let Identity::Name(name) = self {
            return Ok(vec![(texts(&scope.cover()), name.clone())]);
        }
        let (prefix, signed) = match self {
            Identity::Remap { prefix, signed } => (prefix.as_str(), signed.as_str()),
            _ => ("", ""),
        };
        let mut expected = Vec::new();
        match scope {
            Scope::Tag { repository, tag } => {
                let name = remapped(repository, prefix, signed);
                let version = if *self == Identity::Repository { "*" } else { tag };
                expected.push((texts(&scope.cover()), format!("{name}:{version}")));
            }
            Scope::Digest { .. } if *self == Identity::Exact => {
                return Err("matchExact never holds for a digest".to_owned());
            }
            Scope::Digest { repository, .. } => {
                expected.push((texts(&scope.cover()), format!("{}:*", remapped(repository, prefix, signed))));
            }
            Scope::Path(_, base) | Scope::Host(base) => {
                self.of_remapped_inside(scope, prefix, signed, &mut expected)?;
                let base = Base { pattern: base.clone(), name: remapped(base, prefix, signed), captures: 0 };
                self.of_depths(&base, &mut expected);
            }
            Scope::Subdomains(..) | Scope::Transport | Scope::Default => {
                let suffix = if let Scope::Subdomains(_, domain) = scope { format!(".{domain}") } else { String::new() };
                self.of_remapped_inside(scope, prefix, signed, &mut expected)?;
                let base = Base { pattern: format!("(*){suffix}"), name: format!("$1{suffix}"), captures: 1 };
                self.of_depths(&base, &mut expected);
            }
        }
        Ok(expected)
    }

    /// Where only a part of the scope is remapped, that part comes first.
    fn of_remapped_inside(&self, scope: &Scope, prefix: &str, signed: &str, expected: &mut Vec<Expected>) -> Result<(), String> {
        let part = Scope::read(prefix).filter(|part| !prefix.is_empty() && part < scope && part.overlaps(scope));
        match part {
            None => Ok(()),
            Some(Scope::Path(..)) if !signed.contains('/') => {
                Err(format!("`{prefix}`, a part of the scope, is remapped to `{signed}`, a host alone, which is no name"))
            }
            Some(_) => {
                self.of_depths(&Base { pattern: prefix.to_owned(), name: signed.to_owned(), captures: 0 }, expected);
                Ok(())
            }
        }
    }

    /// What is expected at each depth below `base` that a name can have.
    fn of_depths(&self, base: &Base, expected: &mut Vec<Expected>) {
        let parts = base.name.matches('/').count() + 1;
        // A host alone is no repository, and at Docker Hub each has a publisher.
        let least = match base.pattern.as_str() {
            "docker.io" => 2,
            host if !host.contains('/') => 1,
            _ => 0,
        };
        for depth in least..=MAX_COMPONENTS.saturating_sub(parts) {
            let at = base.below(depth);
            if !at.name.contains('/') {
                continue;
            }
            let any = format!("{}:*", at.name);
            let tagged = (Value::from(format!("{}:(*)", at.pattern)), format!("{}:${}", at.name, at.captures + 1));
            match self {
                Identity::Repository => expected.push((texts(&[format!("{}:**", at.pattern), format!("{}@**", at.pattern)]), any)),
                Identity::Exact => expected.push(tagged),
                _ => expected.extend([tagged, (Value::from(format!("{}@**", at.pattern)), any)]),
            }
        }
    }
}

/// Where references begin, and what their names begin with.
struct Base {
    pattern: String,
    name: String,
    captures: usize,
}

impl Base {
    fn below(&self, depth: usize) -> Self {
        let (mut pattern, mut name) = (self.pattern.clone(), self.name.clone());
        for number in 1..=depth {
            pattern.push_str("/(*)");
            name.push_str(&format!("/${}", self.captures + number));
        }
        Self { pattern, name, captures: self.captures + depth }
    }
}

/// `text` with `signed` in the place of `prefix`, where that is its beginning as a whole part.
fn remapped(text: &str, prefix: &str, signed: &str) -> String {
    match text.strip_prefix(prefix) {
        Some(rest) if !prefix.is_empty() && (rest.is_empty() || rest.starts_with('/')) => format!("{signed}{rest}"),
        _ => text.to_owned(),
    }
}

/// A reference that is written whole: others complete short ones, and a name does not.
fn whole(text: &str) -> Result<String, String> {
    let host = text.split('/').next().unwrap_or_default();
    match host {
        host if host.contains(':') => Err(no_name(text)),
        host if host.contains('.') || host == "localhost" => Ok(text.to_owned()),
        _ => Err(format!("`{text}` is not written whole, with its host")),
    }
}

fn no_name(text: &str) -> String {
    format!("`{text}` is no name: names have no port, no digest and 2 to {MAX_COMPONENTS} parts")
}
