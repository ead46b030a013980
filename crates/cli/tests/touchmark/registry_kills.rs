//! `kill -9` before each request that changes a registry: what was signed before still verifies, and the same command, run again,
//! ends whole.

use touchmark_test_registry::{DockerRegistry, DockerSettings, Settings, TestRegistry};

use crate::harness::{Place, Ran};

/// The requests of `line` that change something, as they are counted.
fn requests(place: &Place, line: &str) -> Vec<String> {
    let ran = Ran::of(line, place.touchmark(line).env("TOUCHMARK_FAILPOINT_COUNT", "requests").output().unwrap()).is(0);
    let lines = String::from_utf8(place.read("requests")).unwrap();
    std::fs::remove_file(place.path("requests")).unwrap();
    assert!(!lines.is_empty(), "{ran:#?}");
    lines.lines().map(str::to_owned).collect()
}

/// An artifact of its own, signed by alice and by carol.
fn prepared(place: &Place, host: &str, name: &str) -> String {
    let artifact = place.pack(&format!("{host}/acme/{name}:v1"), name);
    place.ok(&format!("sign {artifact} --key alice --quiet"));
    place.ok(&format!("sign {artifact} --key carol --quiet"));
    artifact
}

fn killed_everywhere(host: &str, kind: &str, line: impl Fn(&str) -> String, check: impl Fn(&Place, &str, &str)) {
    let place = Place::new();
    for name in ["alice", "bob", "carol"] {
        place.key(name);
    }
    let requests = requests(&place, &line(&prepared(&place, host, &format!("{kind}-whole"))));
    for (number, request) in requests.iter().enumerate() {
        let number = (number + 1).to_string();
        let artifact = prepared(&place, host, &format!("{kind}-{number}"));
        let line = line(&artifact);
        let killed = place.touchmark(&line).env("TOUCHMARK_FAILPOINT", &number).output().unwrap();
        assert_eq!(killed.status.code(), None, "not killed before {request}: {:?}", Ran::of(&line, killed));
        place.run(&format!("verify {artifact} --key alice.pub --quiet")).is(0);
        let again = place.run(&line);
        assert_eq!(again.code, 0, "run again after a kill before {request}: {again:#?}");
        check(&place, &artifact, request);
        let report = place.json(&format!("repair {artifact}"), 0);
        let text = report.to_string();
        assert!(report["results"][0]["listed"].as_array().is_some_and(Vec::is_empty), "{request}: {text}");
        place.run(&format!("verify {artifact} --key alice.pub --quiet")).is(0);
    }
    println!("{kind}: killed before each of {} requests", requests.len());
}

fn sign_killed(host: &str) {
    let line = |artifact: &str| format!("sign {artifact} --key bob --quiet");
    killed_everywhere(host, "sign", line, |place, artifact, request| {
        let keys = "--key alice.pub --key bob.pub --key carol.pub --threshold 3";
        let verified = place.run(&format!("verify {artifact} {keys} --quiet"));
        assert_eq!(verified.code, 0, "after a kill before {request}: {verified:#?}");
        assert_eq!(crate::races::listed(place, artifact), 3, "{request}");
    });
}

fn delete_killed(host: &str) {
    let line = |artifact: &str| format!("signature delete {artifact} --signed-by carol.pub");
    killed_everywhere(host, "delete", line, |place, artifact, request| {
        place.run(&format!("verify {artifact} --key carol.pub --quiet")).is(1);
        assert_eq!(crate::races::listed(place, artifact), 1, "{request}");
    });
}

#[test]
fn sign_killed_at_every_request_loses_nothing_on_docker_registry() {
    let Some(registry) = DockerRegistry::start(DockerSettings::default()) else { return };
    sign_killed(&registry.host());
}

#[test]
fn signature_delete_killed_at_every_request_loses_nothing_on_docker_registry() {
    let Some(registry) = DockerRegistry::start(DockerSettings::default()) else { return };
    delete_killed(&registry.host());
}

#[test]
fn sign_killed_at_every_request_loses_nothing_with_the_referrers_api() {
    sign_killed(&TestRegistry::start(Settings::default()).host());
}

#[test]
fn signature_delete_killed_at_every_request_loses_nothing_with_the_referrers_api() {
    delete_killed(&TestRegistry::start(Settings::default()).host());
}

#[test]
fn signature_delete_killed_at_every_request_loses_nothing_where_tags_are_deleted() {
    delete_killed(&TestRegistry::start(Settings::without_referrers_api()).host());
}
