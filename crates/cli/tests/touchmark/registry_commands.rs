//! Every command on a repository in a registry, with the referrers API and without it.

use touchmark_test_registry::{Access, Action, Auth, Authority, Fault, Rights, Settings, TestRegistry, Tls, User};

use crate::harness::{Place, Ran, digest};
use crate::remote::REPOSITORY;

/// The keys alice and bob, a predicate, and a registry by these settings; gives the repository's name too.
fn place(settings: Settings) -> (Place, std::sync::Arc<TestRegistry>, String) {
    let place = Place::new();
    place.key("alice");
    place.key("bob");
    place.file("predicate.json", r#"{"tests": "passed"}"#);
    let registry = place.registry(settings);
    let name = format!("{}/{REPOSITORY}", registry.host());
    (place, registry, name)
}

/// Runs the test for both kinds of registries.
fn with_and_without_the_api(test: impl Fn(Place, &TestRegistry, &str)) {
    for settings in [Settings::default(), Settings::docker_registry()] {
        let (place, registry, name) = place(settings);
        test(place, &registry, &name);
    }
}

/// Tags that anchor referrers.
fn anchors(registry: &TestRegistry) -> Vec<String> {
    registry.tags(REPOSITORY).into_iter().map(|(tag, _)| tag).filter(|tag| tag.starts_with("sha256-") && tag.contains('.')).collect()
}

#[test]
fn what_is_packed_and_signed_verifies_and_is_unpacked() {
    with_and_without_the_api(|place, _, name| {
        let pin = place.pack(&format!("{name}:v1"), "content");
        assert!(pin.starts_with(&format!("{name}@sha256:")), "{pin}");
        assert_eq!(place.ok(&format!("resolve {name}:v1")), pin);
        assert_eq!(place.ok(&format!("resolve {pin}")), pin);
        let descriptor: serde_json::Value = serde_json::from_str(&place.ok(&format!("resolve {name}:v1 --descriptor"))).unwrap();
        assert_eq!(descriptor["digest"], digest(&pin));
        place.verify_is(3, &format!("{name}:v1 --key alice.pub"));

        let signed = place.run(&format!("sign {name}:v1 --key alice --name acme/app:1.0")).is(0).says("the tag v1 can be moved");
        assert_eq!(signed.stdout.trim_end(), pin);
        place.run(&format!("sign {name}:v1 --key alice --name acme/app:1.0")).is(0).says("has signed the same already");
        for reference in [format!("{name}:v1"), pin.clone(), format!("{name}:v1@{}", digest(&pin))] {
            let verdict = place.verify_is(0, &format!("{reference} --key alice.pub --name acme/app:1.0"));
            assert_eq!(verdict.stdout.trim_end(), pin);
            assert_eq!(verdict.json["results"][0]["pin"], pin.as_str());
        }
        place.verify_is(1, &format!("{name}:v1 --key bob.pub"));
        place.verify_is(0, &format!("{name}:v1 --key alice.pub --deep"));

        let files = place.ok(&format!("unpack {name}:v1 --out files/here --key alice.pub --name acme/app:1.0"));
        assert_eq!((files.as_str(), place.read("files/here/payload.txt")), ("files/here/payload.txt", b"content".to_vec()));
        place.run(&format!("unpack {name}:v1 --out refused/here --key bob.pub")).is(1);
        assert!(!place.path("refused").exists());
    });
}

#[test]
fn attestations_are_attached_and_printed() {
    with_and_without_the_api(|place, _, name| {
        let pin = place.pack(&format!("{name}:v1"), "content");
        let line = format!("attest {name}:v1 --key alice --type https://example.com/tests/v1 --predicate predicate.json");
        let document = place.json(&line, 0);
        assert_eq!(document["results"][0]["pin"], pin.as_str());
        assert_eq!(document["results"][0]["attestation"]["notices"], serde_json::json!([]));
        let verdict = place.verify_is(0, &format!("{name}:v1 --key alice.pub --type https://example.com/tests/v1 --print predicate"));
        assert_eq!(verdict.stdout.trim_end(), r#"{"tests":"passed"}"#);
        place.verify_is(3, &format!("{name}:v1 --key alice.pub --type spdx"));
    });
}

#[test]
fn signatures_are_listed_exported_deleted_and_attached_again() {
    with_and_without_the_api(|place, registry, name| {
        place.pack(&format!("{name}:v1"), "content");
        place.ok(&format!("sign {name}:v1 --key alice --quiet"));
        place.ok(&format!("sign {name}:v1 --key bob --quiet"));
        assert_eq!(place.ok(&format!("signature list {name}:v1")).lines().count(), 2);
        let by_alice = place.json(&format!("signature list {name}:v1 --signed-by alice.pub"), 0);
        let pin = by_alice["results"][0]["signatures"][0]["pin"].as_str().unwrap();
        assert!(pin.starts_with(name), "{pin}");
        let files = place.ok(&format!("signature export {name}:v1 --out files"));
        let file = files.lines().find(|file| file.contains(&digest(pin)[7..])).unwrap();
        assert_eq!(anchors(registry).len(), if registry_has_api(registry) { 0 } else { 2 }, "{:?}", registry.tags(REPOSITORY));

        assert_eq!(place.ok(&format!("signature delete {pin}")), pin);
        place.verify_is(1, &format!("{name}:v1 --key alice.pub"));
        place.verify_is(0, &format!("{name}:v1 --key bob.pub"));
        assert!(registry.manifest(REPOSITORY, digest(pin)).is_none());
        let anchor = digest(pin)[7..19].to_owned();
        assert!(anchors(registry).iter().all(|tag| !tag.ends_with(&anchor)), "{:?}", registry.tags(REPOSITORY));
        place.run(&format!("signature delete {pin}")).is(4);

        place.ok(&format!("signature attach {name}:v1 {file}"));
        place.run(&format!("signature attach {name}:v1 {file}")).is(0).says("was attached already");
        place.verify_is(0, &format!("{name}:v1 --key alice.pub --key bob.pub --threshold 2"));
        assert_eq!(place.ok(&format!("signature delete {name}:v1 --signed-by bob.pub")).lines().count(), 1);
        place.verify_is(1, &format!("{name}:v1 --key bob.pub"));
    });
}

fn registry_has_api(registry: &TestRegistry) -> bool {
    let mut api = false;
    registry.change(|settings| api = settings.referrers_api);
    api
}

#[test]
fn indexes_cover_their_children() {
    with_and_without_the_api(|place, _, name| {
        place.pack("oci:lay:one", "for one platform");
        place.ok("sign oci:lay:one --key bob --quiet");
        let other = place.pack(&format!("{name}:two"), "for another");
        let line = format!("index oci:lay:one {name}:two --to {name}:all --platform linux/amd64 --platform linux/arm64");
        let index = place.ok(&line);
        assert!(index.starts_with(name), "{index}");
        let pin = place.ok(&format!("sign {name}:all --key alice --name acme/app:1.0 --quiet"));
        let child = place.verify_is(0, &format!("{name}:all --key alice.pub --name acme/app:1.0 --platform linux/arm64"));
        assert_eq!(child.stdout.trim_end(), other);
        place.verify_is(0, &format!("{other} --key alice.pub --covered-by {pin}"));
        place.verify_is(1, &format!("{other} --key bob.pub --covered-by {name}:all"));
        // The signature of the child came along.
        let one = place.verify_is(0, &format!("{name}@{} --key bob.pub", digest(&place.ok("resolve oci:lay:one"))));
        assert!(one.stdout.starts_with(name));
        place.ok(&format!("sign {name}:all --key bob --recursive --quiet"));
        place.verify_is(0, &format!("{other} --key bob.pub"));
    });
}

#[test]
fn trees_show_what_is_tagged_and_what_refers_to_it() {
    with_and_without_the_api(|place, _, name| {
        place.pack(&format!("{name}:v1"), "content");
        place.pack(&format!("{name}:v2"), "other");
        place.ok(&format!("sign {name}:v1 --key alice --quiet"));
        let tree = place.ok(&format!("tree {name}:v1 --key alice.pub"));
        assert_eq!(tree.lines().count(), 2, "{tree}");
        assert!(tree.contains("[v1]") && tree.contains("verified, without a name"), "{tree}");
        let all = place.ok(&format!("tree {name}"));
        assert!(all.contains("[v1]") && all.contains("[v2]") && !all.contains("[sha256-"), "{all}");
        assert_eq!(place.json(&format!("tree {name}"), 0)["results"][0]["artifacts"].as_array().unwrap().len(), 2);
    });
}

/// From a registry to a folder, to a tar, to the other kind of registry, and back.
#[test]
fn copies_go_everywhere_with_their_signatures() {
    with_and_without_the_api(|place, registry, name| {
        let other = place.registry(Settings { referrers_api: !registry_has_api(registry), ..Settings::default() });
        let far = format!("{}/mirror/app", other.host());
        let pin = place.pack(&format!("{name}:v1"), "content");
        place.ok(&format!("sign {name}:v1 --key alice --quiet"));
        place.ok(&format!("attest {name}:v1 --key alice --type https://example.com/tests/v1 --predicate predicate.json --quiet"));
        let stops = [
            format!("{name}:v1"),
            "oci:lay:v1".to_owned(),
            "oci-archive:x.tar:v1".to_owned(),
            "oci:again:v1".to_owned(),
            format!("{far}:v1"),
            format!("{name}-back:v1"),
        ];
        let shown = |reference: &str| {
            let tree = place.json(&format!("tree {reference} --key alice.pub"), 0);
            tree["results"][0]["artifacts"][0]["below"].clone()
        };
        let first = shown(&stops[0]);
        assert_eq!(first.as_array().unwrap().len(), 2);
        for stop in stops.windows(2) {
            let copied = place.ok(&format!("copy {} {}", stop[0], stop[1]));
            assert_eq!(digest(&copied), digest(&pin));
            let verdict = place.verify_is(0, &format!("{} --key alice.pub", stop[1]));
            assert_eq!(verdict.stdout.trim_end(), copied);
            assert_eq!(shown(&stop[1]), first, "{}", stop[1]);
        }
        place.run(&format!("copy {} {}", stops[0], stops[4])).is(0).says("copied 0 manifests and 0 blobs");
        // A mirror that dropped its signatures is mended.
        let bare = format!("{}/bare/app", other.host());
        let manifest = registry.manifest(REPOSITORY, digest(&pin)).unwrap();
        for blob in registry.blobs(REPOSITORY) {
            other.put_blob("bare/app", &registry.blob(REPOSITORY, &blob).unwrap());
        }
        other.put_manifest("bare/app", Some("v1"), &manifest.bytes);
        place.verify_is(3, &format!("{bare}:v1 --key alice.pub"));
        place.ok(&format!("copy {name}:v1 {bare}:v1 --referrers-only"));
        place.verify_is(0, &format!("{bare}:v1 --key alice.pub"));
    });
}

#[test]
fn copies_by_tags_dry_runs_and_moved_tags() {
    with_and_without_the_api(|place, registry, name| {
        for tag in ["v1", "v2", "edge"] {
            place.pack(&format!("{name}:{tag}"), tag);
            place.ok(&format!("sign {name}:{tag} --key alice --quiet"));
        }
        place.run(&format!("copy {name} {name}-dry --all-tags --dry-run")).is(0).says("would copy");
        assert!(registry.tags("acme/app-dry").is_empty() && registry.manifests("acme/app-dry").is_empty());
        assert_eq!(place.ok(&format!("copy {name} {name}-all --all-tags")).lines().count(), 3);
        assert_eq!(place.ok(&format!("copy {name} oci:lay --tags v*")).lines().count(), 2);
        place.run(&format!("copy {name} {name}-none --tags x*")).is(4).says("no tag matches");
        for tag in ["v1", "v2", "edge"] {
            place.verify_is(0, &format!("{name}-all:{tag} --key alice.pub"));
        }
        let before = digest(&place.ok(&format!("resolve {name}-all:v1"))).to_owned();
        place.run(&format!("copy {name}:v2 {name}-all:v1")).is(0).says(&format!("the tag v1 led to {before} before"));
        assert_eq!(place.ok(&format!("resolve {name}-all:v1")), place.ok(&format!("resolve {name}-all:v2")));
        place.run(&format!("copy {name}:v1 {name}-all:v1 --verify --key bob.pub")).is(1);
        place.ok(&format!("copy {name}:v1 {name}-all:v1 --verify --key alice.pub"));
    });
}

/// What is on one side of a copy alone is neither asked of nor told to the other.
#[test]
fn each_side_of_a_copy_has_its_own_access() {
    let authority = Authority::new();
    let user = |name: &str| User {
        name: name.into(),
        password: format!("{name}'s"),
        identity_token: None,
        access: Access { rights: Rights::Write, on: Vec::new() },
    };
    let basic = |name: &str| Auth::Basic { users: vec![user(name)], anonymous: Access::default() };
    let (place, near, name) = place(Settings { auth: basic("near"), ..Settings::default() });
    let far = place.registry(Settings { auth: basic("far"), tls: Some(Tls::new(&authority)), ..Settings::docker_registry() });
    let there = format!("{}/mirror/app", far.host());
    authority.write(&place.path("ca.pem")).unwrap();
    let with = |line: &str, password: &[u8]| place.run_with_input(line, password);
    place.file("payload.txt", "content");
    with(&format!("pack payload.txt --to {name}:v1 --username near --password-stdin"), b"near's\n").is(0);
    with(&format!("pack payload.txt --to {name}:v1 --username near --password-stdin"), b"far's\n").is(4).says("touchmark login");
    with(&format!("sign {name}:v1 --key alice --username near --password-stdin --quiet"), b"near's").is(0);

    with(&format!("copy {name}:v1 {there}:v1 --username near --password-stdin"), b"near's").is(2).says("--from-username or --to-username");
    with(&format!("copy {name}:v1 {there}:v1 --insecure"), b"").is(2).says("--from-insecure or --to-insecure");
    // By way of a folder, each with its own.
    with(&format!("copy {name}:v1 oci:lay:v1 --from-username near --from-password-stdin"), b"near's").is(0);
    with(&format!("copy oci:lay:v1 {there}:v1 --to-username far --to-password-stdin --to-ca-file ca.pem"), b"far's").is(0);
    with(&format!("copy oci:lay:v1 {there}:v2 --username far --password-stdin --ca-file ca.pem"), b"far's").is(0);
    with(&format!("copy oci:lay:v1 {there}:v2 --to-username far --to-password-stdin"), b"far's").is(4);
    // With the credentials of one side in a file.
    let auth = |name: &str| {
        use base64::Engine as _;
        base64::engine::general_purpose::STANDARD.encode(format!("{name}:{name}'s"))
    };
    place.file("near.json", format!(r#"{{"auths": {{"{}": {{"auth": "{}"}}}}}}"#, near.host(), auth("near")));
    near.clear_log();
    far.clear_log();
    let line =
        format!("copy {name}:v1 {there}:v3 --from-registry-config near.json --to-ca-file ca.pem --to-username far --to-password-stdin");
    with(&line, b"far's").is(0);
    let sent = |registry: &TestRegistry| registry.log().into_iter().filter_map(|logged| logged.authorization).collect::<Vec<_>>();
    assert!(sent(&near).iter().all(|sent| *sent == format!("Basic {}", auth("near"))));
    assert!(sent(&far).iter().all(|sent| *sent == format!("Basic {}", auth("far"))) && !sent(&far).is_empty());
    let verify = format!("{there}:v3 --key alice.pub --ca-file ca.pem --username far --password-stdin");
    let verdict = place.verify_with_input(&verify, b"far's");
    assert_eq!(verdict.code, 0, "{}", verdict.stderr);
}

/// Somebody else's artifact, which one may only read, with signatures of one's own beside it.
#[test]
fn referrers_in_another_place() {
    with_and_without_the_api(|place, registry, name| {
        let pin = place.pack(&format!("{name}:v1"), "content");
        let before = (registry.tags(REPOSITORY), registry.manifests(REPOSITORY).len());
        let beside = format!("{}/mine/signatures", registry.host());
        for to in [beside.as_str(), "oci:sigs", "oci-archive:sigs.tar"] {
            let document = place.json(&format!("sign {name}:v1 --key alice --referrers-to {to} --quiet"), 0);
            let made = &document["results"][0]["signatures"][0];
            assert_eq!(made["subject"], pin.as_str());
            assert!(made["pin"].as_str().unwrap().starts_with(&format!("{to}@")), "{made}");
            place.run(&format!("sign {name}:v1 --key alice --referrers-to {to}")).is(0).says("has signed the same already");
            let attest = format!("attest {name}:v1 --key bob --type spdx --predicate predicate.json --referrers-to {to} --quiet");
            assert_eq!(place.ok(&attest), pin);

            let verdict = place.verify_is(0, &format!("{name}:v1 --key alice.pub --referrers-from {to}"));
            assert_eq!(verdict.stdout.trim_end(), pin);
            place.verify_is(0, &format!("{name}:v1 --key bob.pub --type spdx --referrers-from {to} --deep"));
            let tree = place.ok(&format!("tree {name}:v1 --key alice.pub --referrers-from {to}"));
            assert_eq!((tree.lines().count(), tree.matches("verified, without a name").count()), (3, 1), "{tree}");
        }
        assert_eq!((registry.tags(REPOSITORY), registry.manifests(REPOSITORY).len()), before);
        place.verify_is(3, &format!("{name}:v1 --key alice.pub"));
        place.verify_is(3, &format!("{name}:v1 --key alice.pub --referrers-from {}/nobody/nothing", registry.host()));
        place.verify_is(4, &format!("{name}:v1 --key alice.pub --referrers-from oci:nowhere"));
        place.verify_is(2, &format!("{name}:v1 --key alice.pub --referrers-from {beside}:v1"));
        // What is in an OCI layout can be signed into a registry too.
        place.ok(&format!("copy {name}:v1 oci:lay:v1"));
        place.ok(&format!("sign oci:lay:v1 --key bob --referrers-to {beside} --quiet"));
        place.verify_is(0, &format!("oci:lay:v1 {name}:v1 --key bob.pub --referrers-from {beside}"));
    });
}

#[test]
fn repair_lists_again_what_is_anchored() {
    let (place, registry, name) = place(Settings::docker_registry());
    let pin = place.pack(&format!("{name}:v1"), "content");
    place.ok(&format!("sign {name}:v1 --key alice --quiet"));
    let list = digest(&pin).replace(':', "-");
    registry.lose_tag(REPOSITORY, &list);
    // The anchor is enough to verify by.
    place.verify_is(0, &format!("{name}:v1 --key alice.pub"));
    place.ok(&format!("repair {name}:v1 --dry-run"));
    assert!(registry.manifest(REPOSITORY, &list).is_none());
    assert!(place.ok(&format!("repair {name}:v1")).contains("listed sha256:"));
    assert!(registry.manifest(REPOSITORY, &list).is_some());
    place.run(&format!("repair {name}:v1")).is(0).says("nothing to repair");
    place.run(&format!("repair {name}")).is(0);
}

#[test]
fn no_anchors_are_written_if_none_are_wanted() {
    let (place, registry, name) = place(Settings::docker_registry());
    place.pack(&format!("{name}:v1"), "content");
    place.ok(&format!("sign {name}:v1 --key alice --no-anchors --quiet"));
    place.ok(&format!("copy {name}:v1 {name}-far:v1 --no-anchors"));
    assert_eq!(anchors(&registry), Vec::<String>::new());
    assert!(registry.tags("acme/app-far").iter().all(|(tag, _)| !tag.contains('.')));
    place.verify_is(0, &format!("{name}-far:v1 --key alice.pub"));
}

/// A registry says of a repository that is misspelt, or hidden, that it has no tags: a mirror of nothing is no success.
#[test]
fn a_copy_of_all_tags_of_nothing_is_no_success() {
    let (place, registry, name) = place(Settings::default());
    place.run(&format!("copy {name} {name}-far --all-tags")).is(4).says("nothing to copy");
    place.pack(&format!("{name}:v1"), "content");
    place.ok(&format!("sign {name}:v1 --key alice --referrers-to {name}-signatures"));
    place.run(&format!("copy {name}-signatures {name}-far --all-tags")).is(4).says("nothing to copy");
    assert!(registry.tags("acme/app-far").is_empty());
}

/// What the user should know of how a signature is listed is said, and is in the document.
#[test]
fn a_listing_that_cannot_be_confirmed_is_said() {
    let (place, registry, name) = place(Settings { tags_refused: Some(403), ..Settings::docker_registry() });
    place.pack(&format!("{name}:v1"), "content");
    let said = place.run(&format!("sign {name}:v1 --key alice")).is(0).says("unconfirmed");
    assert!(!said.stdout.contains("unconfirmed"));
    let document = place.json(&format!("sign {name}:v1 --key bob"), 0);
    assert_eq!(document["results"][0]["signatures"][0]["notices"][0]["kind"], "unconfirmed", "{document:#}");
    place.verify_is(0, &format!("{name}:v1 --key bob.pub"));
    // Nobody can know what else is anchored.
    place.run(&format!("signature delete {name}:v1 --signed-by bob.pub")).is(4).says("there may be more");
    registry.lose_tag(REPOSITORY, &digest(&place.ok(&format!("resolve {name}:v1"))).replace(':', "-"));
    place.verify_is(4, &format!("{name}:v1 --key alice.pub"));
}

/// Each message of a failure in a registry leads on.
#[test]
fn references_to_registries_say_what_is_missing() {
    let (place, registry, name) = place(Settings::default());
    place.pack(&format!("{name}:v1"), "content");
    let ran = |line: &str, code| -> Ran { place.run(line).is(code) };
    ran(&format!("resolve {name}"), 2).says("no tag is assumed").says(&format!("touchmark tree {name}"));
    ran(&format!("verify {name} --key alice.pub"), 2).says("no tag is assumed");
    ran(&format!("sign {name} --key alice"), 2).says("no tag is assumed");
    ran("resolve alpine", 2).says("docker.io/library/alpine");
    ran("resolve docker.io/alpine:3", 2).says("try: docker.io/library/alpine:3");
    ran(&format!("resolve oci://{name}:v1"), 2).says(&format!("try: {name}:v1"));
    ran("resolve A:v1", 2).says("did you mean oci:A:v1");
    ran(&format!("resolve {name}:v2"), 4);
    ran(&format!("resolve {}/acme/none:v1", registry.host()), 4);
    ran(&format!("pack payload.txt --to {name}@sha256:{}", "0".repeat(64)), 2).says(&format!("{name}:TAG"));
    ran("pack payload.txt --to oci:lay:x --artifact-type nonsense", 2).says("no media type");
}

/// A password goes to one registry, and standard input is read once.
#[test]
fn passwords_come_from_standard_input_alone() {
    let (place, _, name) = place(Settings::default());
    place.pack(&format!("{name}:v1"), "content");
    place.verify_is(2, &format!("{name}:v1 --key alice.pub --username u"));
    place.verify_is(2, &format!("{name}:v1 --key alice.pub --password-stdin"));
    place.verify_is(2, &format!("{name}:v1 --key alice.pub --username u --password-stdin"));
    place.verify_is(2, &format!("{name}:v1 --key - --username u --password-stdin"));
    place.verify_is(2, &format!("{name}:v1 --key alice.pub --plain-http --insecure"));
    place.verify_is(2, &format!("{name}:v1 --key alice.pub --cert-file x"));
    let verdict = place.verify_with_input(&format!("{name}:v1 other.example/x:1 --key alice.pub --username u --password-stdin"), b"p");
    assert_eq!(verdict.code, 2, "{}", verdict.stderr);
    for line in [
        format!("sign {name}:v1 --key - --username u --password-stdin"),
        format!("attest {name}:v1 --key alice --type spdx --predicate - --username u --password-stdin"),
        format!("unpack {name}:v1 --out x --key - --username u --password-stdin"),
        format!("copy {name}:v1 oci:x --verify --key - --from-username u --from-password-stdin"),
        format!("tree {name}:v1 --key - --username u --password-stdin"),
        format!("signature list {name}:v1 --signed-by - --username u --password-stdin"),
        format!("signature attach {name}:v1 - --username u --password-stdin"),
    ] {
        place.run_with_input(&line, b"p").is(2).says("one option only");
    }
}

/// Tags that cannot be moved, and registries that cannot be written.
#[test]
fn what_a_registry_refuses_is_an_error() {
    let (place, registry, name) =
        place(Settings { immutable_tags: touchmark_test_registry::Immutable::Prefix("v".to_owned()), ..Settings::default() });
    place.pack(&format!("{name}:v1"), "content");
    place.file("payload.txt", "other");
    place.run(&format!("pack payload.txt --to {name}:v1")).is(4);
    registry.fault(Fault::new(Action::status(403)).method("PUT"));
    let ran = place.run(&format!("sign {name}:v1 --key alice")).is(4).says("touchmark login");
    assert!(ran.stdout.is_empty());
    place.run(&format!("copy {name}:v1 {name}-far:v1")).is(4);
    registry.clear_faults();
    place.verify_is(3, &format!("{name}:v1 --key alice.pub"));
}
