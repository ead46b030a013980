//! trustpolicy.json of notation (Notary Project, "Trust Store and Trust Policy", 1.0).
//!
//! There certificates sign, and no name is signed. The key of those whose certificates a trust store has is given by the user; without one for
//! each of its trust stores that is needed, a statement is rejected.

use touchmark::envelope::json::{Object, Value};
use touchmark::trust::rules::MAX_LISTED;

use super::keys::NamedKey;
use super::scope::Scope;
use super::{Imported, Lost, are_rules, rule, texts};

/// What became of a statement: its scopes, and its rule if there is one.
struct Statement {
    scopes: Vec<Scope>,
    name: String,
    fate: Fate,
}

enum Fate {
    Rules(Vec<Value<'static>>),
    Rejected,
    /// Anything was accepted.
    Anything,
}

/// Makes rules of a trustpolicy.json.
pub(super) fn import(value: &Value<'_>, keys: &[NamedKey]) -> Result<Imported, String> {
    let object = value.as_object().ok_or("is no trustpolicy.json: it is no object")?;
    if object.get("version").and_then(Value::as_str) != Some("1.0") {
        return Err("is no trustpolicy.json of version 1.0".to_owned());
    }
    let listed = object.get("trustPolicies").and_then(Value::as_array).ok_or("is no trustpolicy.json: it has no `trustPolicies`")?;
    let (mut lost, mut statements) = (Vec::new(), Vec::new());
    for (index, one) in listed.iter().enumerate() {
        let at = format!("/trustPolicies/{index}");
        let one = one.as_object().ok_or_else(|| format!("is no trustpolicy.json: `{at}` is no object"))?;
        let statement = statement(&at, one, keys, &mut lost).map_err(|why| format!("is no trustpolicy.json: `{at}` {why}"))?;
        statements.push(statement);
    }
    // The one for all comes last, wherever it stands.
    statements.sort_by_key(|statement| statement.scopes.iter().max().cloned());
    let last = statements.last().filter(|statement| statement.scopes.contains(&Scope::Default));
    let accepts = last.is_some_and(|statement| matches!(statement.fate, Fate::Rules(_)));
    let mut rules = Vec::new();
    for statement in statements {
        match statement.fate {
            Fate::Rules(own) => rules.extend(own),
            // The one for all would accept it otherwise.
            Fate::Rejected if accepts => rules.extend(of_scopes(&statement.name, &statement.scopes, ("reject", true.into()))),
            Fate::Rejected | Fate::Anything => {}
        }
    }
    Ok(Imported { rules, lost })
}

fn statement(at: &str, object: &Object<'_>, keys: &[NamedKey], lost: &mut Vec<Lost>) -> Result<Statement, String> {
    let name = object.get("name").and_then(Value::as_str).ok_or("has no `name`")?.to_owned();
    let scopes = list(object, "registryScopes").ok_or("has no `registryScopes`, and is one for blobs or none")?;
    let scopes: Vec<Scope> = scopes.iter().map(|scope| read_scope(scope)).collect::<Option<_>>().ok_or("has a scope that is none")?;
    if scopes.is_empty() || scopes.len() > 1 && scopes.contains(&Scope::Default) {
        return Err("has no scope, or others beside `*`".to_owned());
    }
    let verification = object.get("signatureVerification").and_then(Value::as_object).ok_or("has no `signatureVerification`")?;
    let level = verification.get("level").and_then(Value::as_str).ok_or("has no `level`")?;
    let authenticity = verification.get("override").and_then(|overridden| overridden.get("authenticity")).and_then(Value::as_str);
    let fate = match (level, authenticity) {
        ("skip" | "audit", None) | ("skip", Some(_)) | (_, Some("log")) => {
            let why = "anything is accepted there, signed or not, and nothing is here without a signature";
            lost.push(Lost::new(format!("{at}/signatureVerification"), "import-accepts-anything", why));
            Fate::Anything
        }
        ("strict" | "permissive", None | Some("enforce")) | ("audit", Some("enforce")) => signed(at, &name, object, &scopes, keys, lost),
        _ => return Err(format!("has the unknown level `{level}`")),
    };
    Ok(Statement { scopes, name, fate })
}

/// The rule of a statement that asks for signatures.
fn signed(at: &str, name: &str, object: &Object<'_>, scopes: &[Scope], keys: &[NamedKey], lost: &mut Vec<Lost>) -> Fate {
    let (stores, identities) = (list(object, "trustStores").unwrap_or_default(), list(object, "trustedIdentities").unwrap_or_default());
    let mut paths: Vec<String> = Vec::new();
    let mut missing = false;
    for (index, store) in stores.iter().enumerate() {
        let place = format!("{at}/trustStores/{index}");
        if store.starts_with("tsa:") {
            lost.push(Lost::new(
                place,
                "import-time",
                format!("{store}: no time that a signature claims is asked for here, and none helps a signature"),
            ));
            continue;
        }
        match keys.iter().find(|key| key.store == **store) {
            Some(key) if paths.contains(&key.path) => {}
            Some(key) => paths.push(key.path.clone()),
            None => {
                missing = true;
                let why = format!("{store}: certificates sign nothing here; give the key of those who have them, --key {store}=PUB");
                lost.push(Lost::new(place, "import-certificates", why));
            }
        }
    }
    if identities.iter().any(|identity| identity != "*") {
        let why = if paths.is_empty() {
            "names in certificates are not asked for"
        } else {
            "names in certificates are not asked for: the keys that were given stand for them"
        };
        lost.push(Lost::new(format!("{at}/trustedIdentities"), "import-certificates", why));
    }
    if paths.is_empty() {
        if !missing {
            lost.push(Lost::new(at, "import-malformed", "is rejected: it names no trust store"));
        }
        return Fate::Rejected;
    }
    let made = of_scopes(name, scopes, ("keys", texts(&paths)));
    match are_rules(&made) {
        Ok(()) => Fate::Rules(made),
        Err(why) => {
            lost.push(Lost::new(at, "import-scope", format!("is rejected: {why}")));
            Fate::Rejected
        }
    }
}

/// Rules for the scopes, as many as their patterns need. A scope is a repository, and not what is below it.
fn of_scopes(name: &str, scopes: &[Scope], ground: (&'static str, Value<'static>)) -> Vec<Value<'static>> {
    let of = |scope: &Scope| match scope {
        Scope::Path(_, repository) => vec![format!("{repository}:**"), format!("{repository}@**")],
        other => other.cover(),
    };
    let patterns: Vec<String> = scopes.iter().flat_map(of).collect();
    let rule_of = |patterns: &[String]| rule([("comment", name.to_owned().into()), ("reference", texts(patterns)), ground.clone()]);
    patterns.chunks(MAX_LISTED).map(rule_of).collect()
}

/// A repository, or `*`.
fn read_scope(text: &str) -> Option<Scope> {
    match text {
        "*" => Some(Scope::Default),
        text => Scope::read(text).filter(|scope| matches!(scope, Scope::Path(..))),
    }
}

fn list(object: &Object<'_>, name: &str) -> Option<Vec<String>> {
    object.get(name)?.as_array()?.iter().map(|item| item.as_str().map(ToOwned::to_owned)).collect()
}
