//! What a policy.json accepts, as containers-policy.json(5) says it, beside what the policy that is made of it accepts: never more.

use serde_json::{Value, json};
use touchmark::envelope::json::{Value as Json, parse};
use touchmark::envelope::name::{Name, Wanted};
use touchmark::trust::rules::{Ground, Material, NormalReference, Origin, PolicyDocument, Question};

use super::containers;

/// An image: `HOST/REPOSITORY`, and its tag or digest.
struct Image {
    repository: String,
    tag: Option<&'static str>,
}

const DIGEST: &str = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

impl Image {
    fn text(&self) -> String {
        match self.tag {
            Some(tag) => format!("{}:{tag}", self.repository),
            None => format!("{}@{DIGEST}", self.repository),
        }
    }

    /// The scopes that are for it, the narrowest first.
    fn scopes(&self) -> Vec<String> {
        let mut scopes = vec![self.text()];
        let mut rest = self.repository.as_str();
        loop {
            scopes.push(rest.to_owned());
            match rest.rsplit_once('/') {
                Some((above, _)) => rest = above,
                None => break,
            }
        }
        // Of a host with a port too: containers/image looks for the subdomains without it.
        let mut domain = rest.split(':').next().unwrap_or(rest);
        while let Some((_, above)) = domain.split_once('.') {
            scopes.push(format!("*.{above}"));
            domain = above;
        }
        scopes.push(String::new());
        scopes
    }
}

/// Signatures by these keys, each of which claims this.
struct Signed<'s> {
    keys: &'s [&'s str],
    claim: &'s str,
}

/// What the narrowest scope that is for an image requires.
fn requirements<'p>(policy: &'p Value, image: &Image) -> &'p [Value] {
    let docker = &policy["transports"]["docker"];
    let scope = image.scopes().into_iter().find_map(|scope| docker.get(&scope));
    scope.unwrap_or(&policy["default"]).as_array().unwrap()
}

fn original(requirements: &[Value], image: &Image, signed: &Signed<'_>) -> bool {
    requirements.iter().all(|requirement| match requirement["type"].as_str().unwrap() {
        "insecureAcceptAnything" => true,
        "sigstoreSigned" => {
            let keys: Vec<&str> = match requirement.get("keyPath") {
                Some(key) => vec![key.as_str().unwrap()],
                None => requirement["keyPaths"].as_array().unwrap().iter().map(|key| key.as_str().unwrap()).collect(),
            };
            // What else is asked for is nothing that a signature here has.
            let plain = requirement.get("rekorPublicKeyPath").is_none();
            plain && signed.keys.iter().any(|key| keys.contains(key)) && claims(&requirement["signedIdentity"], image, signed.claim)
        }
        _ => false,
    })
}

fn claims(identity: &Value, image: &Image, claim: &str) -> bool {
    let (repository, tag) = claim.split_once(':').map_or((claim, None), |(repository, tag)| (repository, Some(tag)));
    let as_wanted = |wanted: &str| match image.tag {
        Some(_) => repository == wanted && tag == image.tag,
        None => repository == wanted && tag.is_some(),
    };
    match identity["type"].as_str().unwrap_or("matchRepoDigestOrExact") {
        "matchExact" => image.tag.is_some() && as_wanted(&image.repository),
        "matchRepoDigestOrExact" => as_wanted(&image.repository),
        "matchRepository" => repository == image.repository,
        "exactReference" => claim == identity["dockerReference"],
        "exactRepository" => repository == identity["dockerRepository"],
        "remapIdentity" => {
            let (prefix, signed) = (identity["prefix"].as_str().unwrap(), identity["signedPrefix"].as_str().unwrap());
            let rest = image.repository.strip_prefix(prefix).filter(|rest| rest.is_empty() || rest.starts_with('/'));
            as_wanted(&rest.map_or_else(|| image.repository.clone(), |rest| format!("{signed}{rest}")))
        }
        other => panic!("{other}"),
    }
}

/// Whom and what the policy asks for an image: keys, how many of them, and the name.
type Demand = (Vec<String>, usize, Wanted);

fn demand(document: &PolicyDocument, image: &Image) -> Option<Demand> {
    let reference = NormalReference::new(&image.text()).unwrap();
    let matched = document.decide(&Question { reference: Some(&reference), name: None }).ok()??;
    let Ground::Keys { keys, threshold } = &matched.rule.ground else { return None };
    let path = |key: &Material| if let Material::File(path) = key { path.clone() } else { String::new() };
    Some((keys.iter().map(path).collect(), *threshold, matched.expected?))
}

fn ours(demand: Option<&Demand>, claim: Option<&Name>, signed: &Signed<'_>) -> bool {
    let (Some((keys, threshold, expected)), Some(claim)) = (demand, claim) else { return false };
    expected.accepts(claim) && keys.iter().filter(|key| signed.keys.contains(&key.as_str())).count() >= *threshold
}

/// Compares both over images and signatures of all kinds; how many were accepted, and by the policy.json alone.
fn compare(policy: &Value) -> (usize, usize) {
    let text = policy.to_string();
    let imported = containers::import(&parse(text.as_bytes(), text.len()).unwrap()).unwrap();
    let made = Json::object([("version", Json::from(1_u64)), ("rules", Json::from(imported.rules))]);
    let document = PolicyDocument::parse(&made.to_vec(), Origin::Local).unwrap();
    let hosts = ["r.example", "a.r.example", "r.example:5000", "signed.example"];
    let repositories = || hosts.iter().flat_map(|host| ["a", "ab", "a/b", "x"].iter().map(move |path| format!("{host}/{path}")));
    let claims: Vec<(String, Option<Name>)> = repositories()
        .flat_map(|claim| [claim.clone(), format!("{claim}:1"), format!("{claim}:bad")])
        .map(|claim| (claim.clone(), claim.parse().ok()))
        .collect();
    let (mut both, mut more) = (0, 0);
    for (repository, tag) in repositories().flat_map(|repository| [Some("1"), Some("bad"), None].map(|tag| (repository.clone(), tag))) {
        let image = Image { repository, tag };
        let (required, demand) = (requirements(policy, &image), demand(&document, &image));
        for (claim, name) in &claims {
            for keys in [&["/k1"][..], &["/k2"], &["/k1", "/k2"]] {
                let signed = Signed { keys, claim };
                let (theirs, ours) = (original(required, &image, &signed), ours(demand.as_ref(), name.as_ref(), &signed));
                assert!(
                    theirs || !ours,
                    "{} by {keys:?} as {claim}:\n{policy:#}\n{}",
                    image.text(),
                    String::from_utf8_lossy(&made.to_pretty())
                );
                both += usize::from(ours);
                more += usize::from(theirs && !ours);
            }
        }
    }
    (both, more)
}

fn signed(key: &str, identity: Value) -> Value {
    match identity {
        Value::Null => json!({"type": "sigstoreSigned", "keyPath": key}),
        identity => json!({"type": "sigstoreSigned", "keyPath": key, "signedIdentity": identity}),
    }
}

fn docker(scopes: &Value) -> Value {
    json!({"default": [{"type": "reject"}], "transports": {"docker": scopes}})
}

#[test]
fn every_identity_in_every_scope_accepts_no_more() {
    let identities = [
        Value::Null,
        json!({"type": "matchExact"}),
        json!({"type": "matchRepository"}),
        json!({"type": "exactReference", "dockerReference": "r.example/a:1"}),
        json!({"type": "exactRepository", "dockerRepository": "signed.example/a/b"}),
        json!({"type": "remapIdentity", "prefix": "r.example/a", "signedPrefix": "signed.example/x"}),
        json!({"type": "remapIdentity", "prefix": "r.example:5000", "signedPrefix": "signed.example"}),
        json!({"type": "remapIdentity", "prefix": "r.example/a", "signedPrefix": "signed.example"}),
        json!({"type": "remapIdentity", "prefix": "a.r.example", "signedPrefix": "signed.example/a"}),
    ];
    let digest = format!("r.example/a@{DIGEST}");
    let mut accepted = 0;
    for scope in ["", "*.example", "*.r.example", "r.example", "r.example:5000", "r.example/a", "r.example/a/b", "r.example/a:1", &digest] {
        for identity in &identities {
            accepted += compare(&docker(&json!({scope: [signed("/k1", identity.clone())]}))).0;
        }
    }
    assert!(accepted > 1000, "{accepted}");
}

#[test]
fn scopes_within_each_other_accept_no_more() {
    let inner = [
        json!([{"type": "reject"}]),
        json!([{"type": "insecureAcceptAnything"}]),
        json!([{"type": "signedBy", "keyType": "GPGKeys", "keyPath": "/g"}]),
        json!([signed("/k2", json!({"type": "matchExact"}))]),
        json!([signed("/k2", json!({"type": "exactRepository", "dockerRepository": "signed.example/x"}))]),
        json!([signed("/k2", json!({"type": "exactRepository", "dockerRepository": "short"}))]),
        json!([{"type": "sigstoreSigned", "keyPath": "/k2", "rekorPublicKeyPath": "/r"}]),
    ];
    let mut accepted = 0;
    for inner in &inner {
        for narrow in ["r.example/a/b", "r.example/a:bad", "r.example/a", "a.r.example"] {
            for wide in ["r.example", "*.example", ""] {
                let mut scopes = serde_json::Map::new();
                scopes.insert(wide.to_owned(), json!([signed("/k1", json!({"type": "matchRepository"}))]));
                scopes.insert(narrow.to_owned(), inner.clone());
                accepted += compare(&docker(&Value::Object(scopes))).0;
            }
            let mut policy = docker(&json!({narrow: inner}));
            policy["default"] = json!([signed("/k1", json!({"type": "exactRepository", "dockerRepository": "r.example/a"}))]);
            accepted += compare(&policy).0;
        }
    }
    assert!(accepted > 1000, "{accepted}");
}

#[test]
fn requirements_that_must_all_hold_do() {
    let vendor = json!({"type": "exactRepository", "dockerRepository": "signed.example/x"});
    let (both, lost) = compare(&docker(&json!({"r.example": [signed("/k1", vendor.clone()), signed("/k2", vendor.clone())]})));
    assert!(both > 0);
    // Signed without a tag, which no expected version is.
    assert!(lost > 0);
    for requirements in [
        json!([signed("/k1", vendor.clone()), signed("/k2", Value::Null)]),
        json!([signed("/k1", vendor.clone()), {"type": "reject"}]),
        json!([signed("/k1", vendor.clone()), {"type": "signedBy", "keyType": "GPGKeys", "keyPath": "/g"}]),
        json!([signed("/k1", vendor.clone()), {"type": "sigstoreSigned", "keyPaths": ["/k2", "/k3"], "signedIdentity": vendor.clone()}]),
    ] {
        assert_eq!(compare(&docker(&json!({"r.example": requirements}))).0, 0, "{requirements}");
    }
    // Anything, and a signature, is a signature; the same key twice is one.
    let again = json!([{"type": "insecureAcceptAnything"}, signed("/k1", vendor.clone()), signed("/k1", vendor)]);
    assert!(compare(&docker(&json!({"r.example": again}))).0 > 0);
}

#[test]
fn a_rejected_subdomain_is_left_to_no_wider_scope_with_a_port_either() {
    let signed = json!([{"type": "sigstoreSigned", "keyPath": "/a", "signedIdentity": {"type": "exactRepository", "dockerRepository": "signed.example/a"}}]);
    let policy = json!({"default": signed, "transports": {"docker": {"*.example": [{"type": "reject"}]}}});
    let imported = containers::import(&parse(policy.to_string().as_bytes(), 1 << 20).unwrap()).unwrap();
    let made = Json::object([("version", Json::from(1_u64)), ("rules", Json::from(imported.rules))]);
    let document = PolicyDocument::parse(&made.to_vec(), Origin::Local).unwrap();
    for (repository, accepted) in [("r.example/a", false), ("r.example:5000/a", false), ("r.test:5000/a", true)] {
        let image = Image { repository: repository.to_owned(), tag: Some("1") };
        assert_eq!(demand(&document, &image).is_some(), accepted, "{repository}");
    }
}
