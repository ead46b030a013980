//! Credentials that one tool keeps are found by the others.

use touchmark_test_registry::{Auth, Settings, TestRegistry};

use crate::harness::{Place, Ran};
use crate::tool::{command, need, ok, run};

const MANIFEST: &[u8] = br#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","artifactType":"application/vnd.example.test","config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2},"layers":[]}"#;

/// A registry that asks for the password `secret` of `alice`, and a reference to an artifact in it.
fn registry() -> (TestRegistry, String) {
    let registry = TestRegistry::start(Settings { auth: Auth::basic("alice", "secret"), ..Settings::default() });
    registry.put_manifest("acme/app", Some("v1"), MANIFEST);
    let reference = format!("{}/acme/app:v1", registry.host());
    (registry, reference)
}

/// What each tool says to fetch a manifest.
fn fetches(registry: &TestRegistry, reference: &str) -> [(&'static str, String); 3] {
    [
        ("crane", format!("manifest {reference}")),
        ("oras", format!("manifest fetch --plain-http {reference}")),
        ("regctl", format!("--host reg={},tls=disabled manifest get --format raw-body {reference}", registry.host())),
    ]
}

fn login(place: &Place, registry: &TestRegistry) {
    let line = format!("login {} --username alice --password-stdin", registry.host());
    place.run_with_input(&line, b"secret").is(0);
}

#[test]
fn they_find_what_touchmark_keeps_until_it_logs_out() {
    need!("crane", "oras", "regctl");
    let (place, (registry, reference)) = (Place::new(), registry());
    // What they write is left as it is, and what they do not know they leave as it is.
    ok(&place, "crane", &format!("auth login {} -u bob -p other", "localhost:1"));
    login(&place, &registry);
    ok(&place, "crane", &format!("auth login {} -u bob -p other", "localhost:2"));
    for (tool, line) in fetches(&registry, &reference) {
        assert_eq!(ok(&place, tool, &line).trim_end().as_bytes(), MANIFEST, "{tool}");
    }
    place.run(&format!("logout {}", registry.host())).is(0);
    for (tool, line) in fetches(&registry, &reference) {
        assert_ne!(run(&place, tool, &line).code, 0, "{tool}");
    }
    let config: serde_json::Value = serde_json::from_slice(&place.read(".docker/config.json")).unwrap();
    let hosts: Vec<&String> = config["auths"].as_object().unwrap().keys().collect();
    assert_eq!(hosts, ["localhost:1", "localhost:2"]);
}

#[test]
fn touchmark_finds_what_they_keep() {
    need!("crane", "oras", "regctl", "skopeo");
    let (registry, reference) = registry();
    let host = registry.host();
    for (tool, line) in [
        ("crane", format!("auth login {host} -u alice -p secret")),
        ("oras", format!("login --plain-http {host} -u alice -p secret")),
        ("skopeo", format!("login --tls-verify=false -u alice -p secret {host}")),
        ("skopeo", format!("login --tls-verify=false -u alice -p secret {host}/acme/app")),
    ] {
        let place = Place::new();
        let resolve = || {
            let mut touchmark = place.touchmark(&format!("resolve {reference}"));
            touchmark.env("XDG_RUNTIME_DIR", place.path("run"));
            Ran::of(tool, touchmark.output().unwrap())
        };
        resolve().is(4);
        std::fs::create_dir(place.path("run")).unwrap();
        let mut command = command(&place, tool, &line);
        command.env("XDG_RUNTIME_DIR", place.path("run")).env_remove("REGISTRY_AUTH_FILE").env_remove("DOCKER_CONFIG");
        Ran::of(&line, command.output().unwrap()).is(0);
        resolve().is(0);
    }
}
