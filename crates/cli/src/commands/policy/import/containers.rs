//! containers-policy.json(5): the policy.json of podman, skopeo, buildah and CRI-O.
//!
//! There the narrowest scope decides, and all of its requirements must hold; here the first rule does. So rules stand from the narrowest scope
//! to the widest, and a scope whose requirements cannot be carried over, or not for all of its references, ends with a rule that rejects
//! wherever a wider one would accept otherwise.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use touchmark::envelope::json::{Object, Value};

use super::identity::Identity;
use super::scope::Scope;
use super::{Imported, Lost, are_rules, rule, step, texts};

/// What became of a scope.
enum Fate {
    /// These rules, and whether they are for all references in it.
    Rules { rules: Vec<Value<'static>>, whole: bool },
    /// Nothing is accepted, either because it says so or because nothing of it can be carried over.
    Rejected,
    /// Anything was accepted: here nothing is without a signature, and a wider scope may say by whose.
    Anything,
}

/// A scope, how it is shown, and what became of it.
struct Place {
    scope: Scope,
    shown: String,
    fate: Fate,
}

/// Makes rules of a policy.json.
pub(super) fn import(value: &Value<'_>) -> Result<Imported, String> {
    let object = value.as_object().ok_or("is no policy.json: it is no object")?;
    if let Some((name, _)) = object.iter().find(|(name, _)| !matches!(*name, "default" | "transports")) {
        return Err(format!("is no policy.json: its member `{name}` is not known, and others refuse it whole"));
    }
    let default = object.get("default").ok_or("is no policy.json: it has no `default`")?;
    let (mut lost, mut places) = (Vec::new(), Vec::new());
    if let Some(transports) = object.get("transports") {
        for (transport, scopes) in transports.as_object().ok_or("is no policy.json: `transports` is no object")?.iter() {
            let scopes = scopes.as_object().ok_or_else(|| format!("is no policy.json: `/transports/{transport}` is no object"))?;
            for (text, requirements) in scopes.iter() {
                let at = format!("/transports/{}/{}", step(transport), step(text));
                let shown = format!("{transport}:{text}");
                if transport != "docker" {
                    other_transport(&at, transport, requirements, &mut lost);
                } else if let Some(scope) = Scope::read(text) {
                    let fate = fate(&at, &scope, &shown, requirements, &mut lost);
                    places.push(Place { scope, shown, fate });
                } else {
                    lost.push(Lost::new(at, "import-scope", format!("`{text}` is no scope that images are in")));
                }
            }
        }
    }
    let fate = fate("/default", &Scope::Default, "default", default, &mut lost);
    places.push(Place { scope: Scope::Default, shown: "default".to_owned(), fate });
    places.sort_by(|one, other| one.scope.cmp(&other.scope));
    Ok(Imported { rules: rules(&places), lost })
}

/// The rules of all scopes, each with one that rejects behind it where another would accept what it does not.
fn rules(places: &[Place]) -> Vec<Value<'static>> {
    let mut rules = Vec::new();
    for (index, place) in places.iter().enumerate() {
        let accepts = |wider: &Place| matches!(wider.fate, Fate::Rules { .. }) && wider.scope.overlaps(&place.scope);
        let shadows = places.iter().skip(index + 1).any(accepts);
        let whole = match &place.fate {
            Fate::Rules { rules: own, whole } => {
                rules.extend(own.iter().cloned());
                *whole
            }
            Fate::Rejected => false,
            Fate::Anything => continue,
        };
        if !whole && shadows {
            let comment = format!("what else is in {}", place.shown);
            rules.push(rule([("comment", comment.into()), ("reference", texts(&place.scope.cover())), ("reject", true.into())]));
        }
    }
    rules
}

/// A transport that references here do not have.
fn other_transport(at: &str, transport: &str, requirements: &Value<'_>, lost: &mut Vec<Lost>) {
    let kind = |one: &Value<'_>| one.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
    let kinds: Vec<String> = requirements.as_array().unwrap_or_default().iter().map(kind).collect();
    // Nothing is accepted here either.
    if !kinds.iter().any(|kind| kind == "reject") {
        lost.push(Lost::new(
            at,
            "import-transport",
            format!("images of the transport `{transport}` are rejected: only registries are carried over"),
        ));
    }
}

/// What becomes of the requirements of a scope.
fn fate(at: &str, scope: &Scope, shown: &str, requirements: &Value<'_>, lost: &mut Vec<Lost>) -> Fate {
    match read(at, requirements) {
        Ok(Read::Anything) => {
            lost.push(Lost::new(at, "import-accepts-anything", "anything is accepted there without a signature, and nothing is here"));
            Fate::Anything
        }
        Ok(Read::Reject) => Fate::Rejected,
        Ok(Read::Signed(signed)) => {
            let made = signed.identity.expected(scope).and_then(|expected| {
                let whole = matches!(signed.identity, Identity::Name(_));
                let rules: Vec<Value<'static>> =
                    expected.into_iter().map(|(reference, name)| signed.rule(shown, reference, name)).collect();
                are_rules(&rules).map(|()| Fate::Rules { rules, whole })
            });
            made.unwrap_or_else(|why| {
                lost.push(Lost::new(at, "import-identity", format!("is rejected: {why}")));
                Fate::Rejected
            })
        }
        Err(why) => {
            lost.push(why);
            Fate::Rejected
        }
    }
}

/// The requirements of a scope, together.
enum Read {
    Anything,
    Reject,
    Signed(Signed),
}

/// Whose signatures, how many of them, and of what.
struct Signed {
    keys: Vec<Value<'static>>,
    threshold: u64,
    identity: Identity,
}

impl Signed {
    fn rule(&self, shown: &str, reference: Value<'static>, name: String) -> Value<'static> {
        let keys = match self.keys.as_slice() {
            [one] => one.clone(),
            several => Value::from(several.to_vec()),
        };
        let mut members = vec![("comment", shown.to_owned().into()), ("reference", reference), ("name", name.into()), ("keys", keys)];
        if self.threshold > 1 {
            members.push(("threshold", self.threshold.into()));
        }
        rule(members)
    }
}

fn read(at: &str, requirements: &Value<'_>) -> Result<Read, Lost> {
    let malformed = |at: &str, why: &str| Lost::new(at, "import-malformed", format!("is rejected: {why}"));
    let items = requirements
        .as_array()
        .filter(|items| !items.is_empty())
        .ok_or_else(|| malformed(at, "requirements are a list that is not empty"))?;
    let mut signed: Vec<Signed> = Vec::new();
    let mut failed = None;
    for (index, item) in items.iter().enumerate() {
        let at = format!("{at}/{index}");
        let object = item.as_object().ok_or_else(|| malformed(&at, "a requirement is an object"))?;
        match object.get("type").and_then(Value::as_str) {
            Some("insecureAcceptAnything") if object.len() == 1 => {}
            Some("reject") if object.len() == 1 => return Ok(Read::Reject),
            Some("sigstoreSigned") => match sigstore(&at, object) {
                Ok(one) => signed.push(one),
                Err(why) => failed = failed.or(Some(why)),
            },
            Some("signedBy") => {
                failed = failed.or(Some(Lost::new(
                    at,
                    "import-gpg",
                    "is rejected: GPG keys sign nothing here; name a key of touchmark's for this scope",
                )));
            }
            _ => failed = failed.or(Some(malformed(&at, "the type of the requirement is not known"))),
        }
    }
    // All must hold, so that without one of them more would be accepted.
    if let Some(why) = failed {
        return Err(why);
    }
    let mut signed = signed.into_iter();
    let Some(mut all) = signed.next() else { return Ok(Read::Anything) };
    for one in signed {
        let each = |signed: &Signed| u64::try_from(signed.keys.len()).is_ok_and(|keys| keys == signed.threshold);
        if one.identity != all.identity || !each(&one) || !each(&all) {
            let why = "is rejected: several requirements with identities of their own, or one of several keys each, are no single rule";
            return Err(Lost::new(at, "import-requirements", why));
        }
        for key in one.keys {
            if !all.keys.contains(&key) {
                all.keys.push(key);
                all.threshold += 1;
            }
        }
    }
    Ok(Read::Signed(all))
}

/// A signature by one of the keys of a requirement.
fn sigstore(at: &str, object: &Object<'_>) -> Result<Signed, Lost> {
    let lost = |name: &str, code: &'static str, why: &str| Lost::new(format!("{at}/{name}"), code, format!("is rejected: {why}"));
    let (mut keys, mut identity) = (None, None);
    for (name, value) in object.iter() {
        let found = match name {
            "type" => continue,
            "signedIdentity" => {
                identity = Some(Identity::read(Some(value)).map_err(|why| lost(name, "import-identity", &why))?);
                continue;
            }
            "keyPath" => [value].map(path).into_iter().collect::<Result<Vec<_>, _>>(),
            "keyData" => [value].map(data).into_iter().collect(),
            "keyPaths" => value.as_array().unwrap_or_default().iter().map(path).collect(),
            "keyDatas" => value.as_array().unwrap_or_default().iter().map(data).collect(),
            "fulcio" | "pki" => {
                return Err(lost(name, "import-certificates", "identities of certificates sign nothing here; name a key for this scope"));
            }
            "rekorPublicKeyPath" | "rekorPublicKeyPaths" | "rekorPublicKeyData" | "rekorPublicKeyDatas" => {
                return Err(lost(
                    name,
                    "import-log",
                    "an entry in a transparency log cannot be asked for, and without it more would be accepted",
                ));
            }
            _ => return Err(lost(name, "import-malformed", "the member is not known")),
        };
        let found = found.map_err(|why| lost(name, "import-key", why))?;
        if keys.replace(found).is_some() {
            return Err(lost(name, "import-malformed", "keys are named twice"));
        }
    }
    let mut distinct: Vec<Value<'static>> = Vec::new();
    for key in keys.unwrap_or_default() {
        if !distinct.contains(&key) {
            distinct.push(key);
        }
    }
    if distinct.is_empty() {
        return Err(Lost::new(at, "import-malformed", "is rejected: no key is named"));
    }
    Ok(Signed { keys: distinct, threshold: 1, identity: identity.unwrap_or(Identity::RepoDigestOrExact) })
}

fn path(value: &Value<'_>) -> Result<Value<'static>, &'static str> {
    match value.as_str() {
        // A relative one begins there where the program is run, and here at the policy.
        Some(path) if path.starts_with('/') => Ok(Value::from(path.to_owned())),
        Some(_) => Err("the path of a key is not absolute"),
        None => Err("the path of a key is a text"),
    }
}

fn data(value: &Value<'_>) -> Result<Value<'static>, &'static str> {
    let bytes = value.as_str().and_then(|text| STANDARD.decode(text).ok()).ok_or("a key is no base64")?;
    let text = String::from_utf8(bytes).map_err(|_| "a key is no PEM text")?;
    // Text before it is skipped by who reads PEM.
    match text.find("-----BEGIN ") {
        Some(start) => Ok(Value::from(text.get(start..).unwrap_or_default().to_owned())),
        None => Err("a key is no PEM text"),
    }
}
