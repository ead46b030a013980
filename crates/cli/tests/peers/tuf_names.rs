//! Names that publishers own are plain TUF: python-tuf and go-tuf find the artifact of a name, by its digests and its length, in the role of the
//! publisher.

use serde_json::{Value, json};
use touchmark::envelope::digest::Algorithm;
use touchmark_test_registry::Site;

use crate::harness::{Place, digest};
use crate::tuf_peer::Peer;

const ONLINE: &str = "--key trust-keys/snapshot --key trust-keys/timestamp";

/// Signs by these keys and publishes.
#[track_caller]
fn publish(place: &Place, keys: &str) {
    place.ok(&format!("trust sign {keys}"));
    place.ok(&format!("trust publish {ONLINE}"));
}

/// What a TUF client is to find of the artifact with this pin in the OCI layout `lay`.
fn of_artifact(place: &Place, pin: &str) -> Value {
    let sha256 = digest(pin).strip_prefix("sha256:").unwrap();
    let manifest = place.read(&format!("lay/blobs/sha256/{sha256}"));
    json!({
        "length": manifest.len(),
        "hashes": { "sha256": sha256, "sha512": Algorithm::Sha512.digest(&manifest).hex() },
    })
}

/// What is listed of a name that was withdrawn.
fn withdrawn() -> Value {
    json!({
        "length": 0,
        "hashes": { "sha256": Algorithm::Sha256.digest(b"").hex(), "sha512": Algorithm::Sha512.digest(b"").hex() },
    })
}

#[test]
fn the_artifact_of_a_name_is_found_by_other_tuf_clients_by_its_digests_and_length() {
    let place = Place::new();
    let (Some(python), Some(go)) = (Peer::python(&place), Peer::go(&place)) else { return };
    let mut peers = [python, go];
    place.ok("trust init --no-passphrase --quiet");
    for key in ["acme", "edge", "next"] {
        place.key(key);
    }
    place.ok("trust publisher add acme --key acme.pub --names acme/**");
    place.ok("trust publisher add acme+edge --key edge.pub --names acme/edge/** --from acme");
    publish(&place, "--key trust-keys/targets --key acme --key edge");
    let pins: Vec<String> = (1..=3).map(|number| place.pack(&format!("oci:lay:{number}"), &format!("artifact {number}"))).collect();
    let site = Site::start(place.path("trust"));
    let root = place.path("trust/metadata/1.root.json");
    let mut are = |what: &str, names: &[(&str, Value)]| {
        for peer in &mut peers {
            for (name, expected) in names {
                assert_eq!(&peer.listed(&site, &root, name), expected, "{name}, {what}");
            }
        }
    };
    are("before it is set", &[("acme/tool:1.0", Value::Null)]);

    for (name, tag) in [("acme/tool:1.0", 1), ("acme/tool:stable", 1), ("acme/edge/agent:7", 2)] {
        place.ok(&format!("trust name set {name} oci:lay:{tag}"));
    }
    publish(&place, "--key acme --key edge");
    are(
        "set",
        &[
            ("acme/tool:1.0", of_artifact(&place, &pins[0])),
            ("acme/tool:stable", of_artifact(&place, &pins[0])),
            ("acme/edge/agent:7", of_artifact(&place, &pins[1])),
            ("acme/tool:2.0", Value::Null),
            ("acme/tool", Value::Null),
        ],
    );

    // A channel that moves, a name that is withdrawn; and beside them what is ours alone, which they pass over: a seal, a revocation and
    // another key.
    place.ok("sign oci:lay:3 --key acme --name acme/nightly:3");
    place.ok("trust name set acme/tool:stable oci:lay:3 --replace");
    place.ok("trust name remove acme/tool:1.0");
    place.ok("trust seal acme/nightly:3 oci:lay:3");
    place.ok("trust revoke oci:lay:2 --reason leaked --role targets");
    place.ok("trust key add acme next.pub");
    publish(&place, "--key trust-keys/targets --key acme --key next");
    are(
        "changed",
        &[
            ("acme/tool:1.0", withdrawn()),
            ("acme/tool:stable", of_artifact(&place, &pins[2])),
            ("acme/edge/agent:7", of_artifact(&place, &pins[1])),
            ("acme/nightly:3", Value::Null),
        ],
    );

    place.ok("trust name remove acme/tool:1.0 --forget");
    publish(&place, "--key next");
    are("forgotten", &[("acme/tool:1.0", Value::Null)]);
}
