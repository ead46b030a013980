//! What is said of a registry that does not answer: whether it may later, and what to try. That it is never taken for an answer, is
//! in `registry_unknown`.

use touchmark_test_registry::{Action, Fault, Settings};

use crate::harness::Place;
use crate::remote::filled;

fn signed() -> Place {
    let place = Place::new();
    place.key("alice");
    place.pack("oci:lay:v1", "content");
    place.ok("sign oci:lay:v1 --key alice --name acme/app:1.0 --quiet");
    place
}

/// Who is refused is told where to log in, whichever request it was.
#[test]
fn a_refusal_says_where_to_log_in() {
    let place = signed();
    let (registry, name) = filled(&place, Settings::default());
    for status in [401, 403] {
        for path in ["/manifests/v1", "/referrers/", "/manifests/sha256:"] {
            registry.fault(Fault::new(Action::status(status)).path(path));
            let verdict = place.verify_is(4, &format!("{name}:v1 --key alice.pub"));
            let error = &verdict.json["results"][0]["error"];
            assert_eq!(error["retryable"], false, "{path}: {error}");
            let hint = error["hint"].as_str().unwrap_or_default();
            assert!(hint.starts_with(&format!("touchmark login {}", registry.host())), "{path}: {error}");
            registry.clear_faults();
        }
    }
}

/// Whatever may pass is said to, whichever request it was.
#[test]
fn what_may_pass_is_retryable() {
    let place = signed();
    let (registry, name) = filled(&place, Settings::default());
    let ways = [Action::status(429).with("Retry-After", "3600"), Action::status(503), Action::Truncate(10)];
    for way in ways {
        for path in ["/manifests/v1", "/referrers/", "/manifests/sha256:"] {
            registry.fault(Fault::new(way.clone()).path(path));
            let document = place.json(&format!("verify {name}:v1 --key alice.pub --retries 0 --plain-http"), 4);
            let error = &document["results"][0]["error"];
            assert_eq!(error["retryable"], true, "{path} {way:?}: {error}");
            registry.clear_faults();
        }
    }
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let document = place.json(&format!("verify 127.0.0.1:{port}/acme/app:v1 --key alice.pub --retries 0"), 4);
    assert_eq!(document["results"][0]["error"]["retryable"], true, "{document:#}");
}

/// Not even "not found" is believed if it breaks off.
#[test]
fn a_404_that_breaks_off_says_nothing() {
    let place = signed();
    let (registry, name) = filled(&place, Settings::docker_registry());
    for way in [Action::Truncate(1), Action::ResetBody(1)] {
        registry.fault(Fault::new(way).path("/referrers/"));
        place.json(&format!("verify {name}:v1 --key alice.pub --retries 0 --plain-http"), 4);
        registry.clear_faults();
    }
    place.verify_is(0, &format!("{name}:v1 --key alice.pub"));
}
