//! Many `sign` processes on one artifact in one registry, all released at the same moment: nothing is lost, on any kind of registry,
//! and what this is owed to is shown by switching it off.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;

use serde_json::Value;
use touchmark_test_registry::{Action, DockerRegistry, DockerSettings, Fault, Immutable, Proxy, Settings, TestRegistry, When};

use crate::harness::{Place, Ran};
use crate::races::{SIGNERS, all_keys, listed, place_with_keys, sign_together};

/// How often each race is run: `TOUCHMARK_RACES` says it, as `.ci/run --long` does.
fn runs() -> usize {
    std::env::var("TOUCHMARK_RACES").ok().map_or(2, |text| text.parse().expect("TOUCHMARK_RACES is a number"))
}

/// Lets 32 processes sign one artifact, again and again, and asserts each time that all 32 signatures are listed and verified, and
/// that the list that other tools read has `entries`, if there is one.
fn race(host: &str, options: &str, entries: Option<usize>) {
    let (place, keys) = place_with_keys();
    for run in 0..runs() {
        let artifact = place.pack(&format!("{host}/acme/app-{run}:v1 {options}"), &format!("raced for, {run}"));
        for signer in sign_together(&place, &format!("{artifact} {options}"), &keys, &[]) {
            signer.is(0);
        }
        assert_eq!(listed(&place, &format!("{artifact} {options}")), SIGNERS, "run {run}");
        if let Some(entries) = entries {
            assert_eq!(in_list(&artifact), entries, "run {run}");
        }
        place.run(&format!("verify {artifact} {options}{} --threshold {SIGNERS}", all_keys())).is(0);
    }
}

/// How many entries the list under the fallback tag has, which is all that other tools read; 0 if there is none.
fn in_list(artifact: &str) -> usize {
    let (repository, digest) = artifact.split_once('@').unwrap();
    let (host, name) = repository.split_once('/').unwrap();
    // A registry that tests share a proxy with may fail at this too.
    for _ in 0..20 {
        let mut stream = TcpStream::connect(host).unwrap();
        let tag = digest.replace(':', "-");
        write!(
            stream,
            "GET /v2/{name}/manifests/{tag} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nAccept: application/vnd.oci.image.index.v1+json\r\n\r\n"
        )
        .unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let end = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
        match answer.split(|byte| *byte == b' ').nth(1) {
            Some(b"404") => return 0,
            Some(b"200") => {
                let index: Value = serde_json::Deserializer::from_slice(json(&answer[end..])).into_iter().next().unwrap().unwrap();
                return index["manifests"].as_array().unwrap().len();
            }
            _ => {}
        }
    }
    panic!("{artifact}: the list is not to be read");
}

/// Where the JSON begins, after the length of a chunk if there is one.
fn json(body: &[u8]) -> &[u8] {
    &body[body.iter().position(|byte| *byte == b'{').unwrap()..]
}

#[test]
fn of_32_signers_32_are_listed_on_docker_registry() {
    let Some(registry) = DockerRegistry::start(DockerSettings::default()) else { return };
    race(&registry.host(), "", Some(SIGNERS));
}

/// A request is tried 9 times, so that none of some ten thousand is given up by chance.
#[test]
fn of_32_signers_32_are_listed_on_docker_registry_while_a_fifth_of_the_requests_fails() {
    let Some(registry) = DockerRegistry::start(DockerSettings::default()) else { return };
    let proxy = Proxy::start(&registry.host());
    proxy.fault(Fault::new(Action::status(500)).when(When::Chance(0.2, 4)));
    race(&proxy.host(), "--retries 8", Some(SIGNERS));
    let log = proxy.log();
    let failed = log.iter().filter(|request| request.status == Some(500)).count();
    assert!(failed * 6 > log.len(), "{failed} of {} requests failed", log.len());
}

#[test]
fn of_32_signers_32_are_listed_where_reads_fail_while_a_tag_is_set() {
    let registry = TestRegistry::start(Settings { torn_tags: Some(std::time::Duration::from_millis(10)), ..Settings::docker_registry() });
    race(&registry.host(), "", Some(SIGNERS));
}

#[test]
fn of_32_signers_32_are_listed_by_the_referrers_api() {
    let registry = TestRegistry::start(Settings::default());
    race(&registry.host(), "", Some(0));
    let log = registry.log();
    assert!(log.iter().all(|request| !(request.method == "PUT" && request.path.contains("/manifests/sha256-"))), "no tags but v1");
}

/// The registry forgets all but the last of those that come within 50 ms, and says `OCI-Subject` to each of them.
#[test]
fn of_32_signers_32_are_listed_by_a_referrers_api_that_loses_some() {
    let registry = TestRegistry::start(Settings { referrers_race: Some(std::time::Duration::from_millis(50)), ..Settings::default() });
    race(&registry.host(), "", None);
}

#[test]
fn of_32_signers_32_are_listed_where_the_fallback_tag_cannot_be_overwritten() {
    let registry = TestRegistry::start(Settings { immutable_tags: Immutable::Fallback, ..Settings::docker_registry() });
    race(&registry.host(), "", None);
}

/// Writers that do as other tools do, read the list and write it with their own entry, lose most of what they list. (That one run
/// loses nothing is possible.)
#[test]
fn without_merging_signatures_are_lost_from_the_list() {
    let Some(registry) = DockerRegistry::start(DockerSettings::default()) else { return };
    let (place, keys) = place_with_keys();
    let lost = (0..20).any(|run| {
        let artifact = place.pack(&format!("{}/acme/app-{run}:v1", registry.host()), &format!("raced for, {run}"));
        for signer in sign_together(&place, &artifact, &keys, &[("TOUCHMARK_FAILPOINT_OFF", "merge")]) {
            signer.is(0);
        }
        // Their anchors are there: who reads all lists finds them, and `repair` lists them again.
        place.run(&format!("verify {artifact}{} --threshold {SIGNERS}", all_keys())).is(0);
        let lost = in_list(&artifact) < SIGNERS;
        place.ok(&format!("repair {artifact}"));
        assert_eq!(in_list(&artifact), SIGNERS, "run {run}");
        lost
    });
    assert!(lost, "20 runs without merging lost nothing, so these tests do not show what it is for");
}

#[test]
fn without_anchors_signatures_are_lost_where_the_fallback_tag_cannot_be_overwritten() {
    let registry = TestRegistry::start(Settings { immutable_tags: Immutable::Fallback, ..Settings::docker_registry() });
    let (place, keys) = place_with_keys();
    let artifact = place.pack(&format!("{}/acme/app:v1", registry.host()), "raced for");
    let signers = sign_together(&place, &format!("{artifact} --no-anchors"), &keys, &[]);
    let listed = signers.iter().filter(|signer| signer.code == 0).count();
    assert_eq!(listed, in_list(&artifact));
    assert!(listed < SIGNERS, "{listed}");
    place.run(&format!("verify {artifact}{} --threshold {SIGNERS}", all_keys())).is(1);
}

/// Two signers, of whom the first stands just before it writes its list, with a view that is old by then, while the second signs from
/// its beginning to its end. Returns whether both verify, and how many the list has.
fn overtaken(registry: &DockerRegistry, name: &str, options: &str, off: Option<&str>) -> (bool, usize) {
    let place = Place::new();
    for key in ["first", "second"] {
        place.key(key);
    }
    let sign = |artifact: &str, key: &str| {
        let mut command = place.touchmark(&format!("sign {artifact} --key {key} --quiet {options}"));
        if let Some(off) = off {
            command.env("TOUCHMARK_FAILPOINT_OFF", off);
        }
        command
    };
    let run = |mut command: Command| Ran::of("sign", command.output().unwrap()).is(0);
    let pin = |part: &str| place.pack(&format!("{}/acme/{name}-{part}:v1", registry.host()), "overtaken");
    // Where the list is written is seen on an artifact of its own, which makes no other requests.
    let (dry, artifact) = (pin("dry"), pin("wet"));
    let mut counting = sign(&dry, "first");
    counting.env("TOUCHMARK_FAILPOINT_COUNT", "requests");
    run(counting);
    let requests = String::from_utf8(place.read("requests")).unwrap();
    let list = format!("/manifests/{}", dry.split_once('@').unwrap().1.replace(':', "-"));
    let line = requests.lines().find(|line| line.contains(" Put ") && line.ends_with(&list)).unwrap();
    let at = line.split(' ').next().unwrap();

    let off = off.map(|off| format!("TOUCHMARK_FAILPOINT_OFF={off} ")).unwrap_or_default();
    let second = format!("{off}'{}' sign {artifact} --key second --quiet {options}", env!("CARGO_BIN_EXE_touchmark"));
    let mut first = sign(&artifact, "first");
    first.env("TOUCHMARK_FAILPOINT_RUN", format!("{at}:{second}"));
    run(first);
    let both = place.run(&format!("verify {artifact} --key first.pub --key second.pub --threshold 2")).code;
    assert!([0, 1].contains(&both));
    (both == 0, in_list(&artifact))
}

#[test]
fn a_signer_with_an_old_view_loses_nobody() {
    let Some(registry) = DockerRegistry::start(DockerSettings::default()) else { return };
    assert_eq!(overtaken(&registry, "whole", "", None), (true, 2));
}

#[test]
fn without_anchors_a_signer_with_an_old_view_loses_the_one_that_was_listed() {
    let Some(registry) = DockerRegistry::start(DockerSettings::default()) else { return };
    assert_eq!(overtaken(&registry, "bare", "--no-anchors", None), (false, 1));
}

#[test]
fn without_merging_a_signer_with_an_old_view_takes_another_from_the_list() {
    let Some(registry) = DockerRegistry::start(DockerSettings::default()) else { return };
    assert_eq!(overtaken(&registry, "alone", "", Some("merge")), (true, 1));
}

/// How many requests one `sign` takes, when nobody else writes: Docker Hub counts them.
#[test]
fn a_signature_takes_few_requests() {
    let place = Place::new();
    place.key("alice");
    place.key("bob");
    for (settings, count) in [(Settings::docker_registry(), 14), (Settings::default(), 11)] {
        let registry = TestRegistry::start(settings);
        let artifact = place.pack(&format!("{}/acme/app:v1", registry.host()), "counted");
        for key in ["alice", "bob"] {
            registry.clear_log();
            place.ok(&format!("sign {artifact} --key {key} --quiet"));
            let requests: Vec<String> = registry.log().iter().map(|request| format!("{} {}", request.method, request.path)).collect();
            // The second reads the first's manifest, to see whether it says the same.
            let count = if key == "bob" { count + 1 } else { count };
            assert_eq!(requests.len(), count, "{requests:#?}");
        }
    }
}

/// Signers, a deleter, a copier and a repairer at the same time.
#[test]
fn deletions_copies_and_repairs_beside_signers_lose_nothing_of_theirs() {
    let Some(docker) = DockerRegistry::start(DockerSettings::default()) else { return };
    let registries = [TestRegistry::start(Settings::default()), TestRegistry::start(Settings::docker_registry())];
    let (place, keys) = place_with_keys();
    place.key("old");
    for host in [docker.host()].into_iter().chain(registries.iter().map(TestRegistry::host)) {
        let artifact = place.pack(&format!("{host}/acme/app:v1"), "raced for");
        place.ok(&format!("sign {artifact} --key old"));
        std::thread::scope(|scope| {
            let signers = scope.spawn(|| sign_together(&place, &artifact, &keys[..12], &[]));
            let copier = scope.spawn(|| place.run(&format!("copy {artifact} {host}/acme/mirror:v1")));
            let deleter = scope.spawn(|| place.run(&format!("signature delete {artifact} --signed-by old.pub")));
            let repairer = scope.spawn(|| place.run(&format!("repair {artifact}")));
            for signer in signers.join().unwrap() {
                signer.is(0);
            }
            deleter.join().unwrap().is(0);
            repairer.join().unwrap().is(0);
            // What is deleted while it is copied is missing.
            let copied = copier.join().unwrap();
            assert!([0, 4].contains(&copied.code), "{copied:#?}");
        });
        // All signatures are listed. A signer that read a tag's list before the deletion, and wrote it after, may have listed what was deleted
        // again, which is then told as missing, until it is repaired.
        let ran = place.run(&format!("signature list {artifact} --format json"));
        let document: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!(document["results"][0]["signatures"].as_array().map(Vec::len), Some(12), "{host}: {ran:#?}");
        assert!(ran.code == 0 || ran.code == 4 && ran.stderr.matches("dangling").count() == 1, "{host}: {ran:#?}");
        let verified = place.run(&format!("verify {artifact} --key old.pub"));
        assert_eq!(verified.code, if ran.code == 0 { 1 } else { 4 }, "{host}: {verified:#?}");
        place.ok(&format!("repair {artifact}"));
        assert_eq!(listed(&place, &artifact), 12, "{host}");
        place.run(&format!("verify {artifact} --key old.pub")).is(1);
    }
}
