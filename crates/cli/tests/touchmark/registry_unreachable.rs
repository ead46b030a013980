//! "Could not find out" is never "not signed", nor "verified": a single signature, and each request of a verification in turn
//! goes wrong for good.

use std::time::Duration;

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

/// Every way of going wrong, on every request that a verification makes.
fn each_request_fails(settings: &Settings) {
    let place = signed();
    let (registry, name) = filled(&place, settings.clone());
    let line = format!("{name}:v1 --key alice.pub --name acme/app:1.0 --retries 0 --timeout 300ms");
    place.verify_is(0, &line);
    registry.clear_log();
    place.run(&format!("verify {line}")).is(0);
    let requests: Vec<String> = registry.log().into_iter().map(|logged| logged.path).collect();
    assert!((3..=4).contains(&requests.len()), "{requests:?}");
    let ways = [
        Action::status(401),
        Action::status(403),
        Action::status(429).with("Retry-After", "3600"),
        Action::status(500),
        Action::status(503),
        Action::Reset,
        Action::Lost,
        Action::ResetBody(10),
        Action::Truncate(10),
        Action::Hang,
        Action::Drip(Duration::from_millis(20)),
    ];
    for path in &requests {
        for way in &ways {
            // A 404 of a registry without the API is an answer, and what fails is what it would have said.
            registry.fault(Fault::new(way.clone()).path(path));
            let document = place.run(&format!("verify {line} --format json")).json();
            let result = &document["results"][0];
            assert_eq!(result["exit_code"], 4, "{path} {way:?}: {result:#}");
            let passing = !matches!(way, Action::Status(401 | 403, ..));
            assert_eq!(result["error"]["retryable"], passing, "{path} {way:?}: {result:#}");
            registry.clear_faults();
        }
    }
    for path in &requests {
        registry.fault(Fault::new(Action::status(500)).path(path));
        place.verify_is(4, &line);
        registry.clear_faults();
    }
    place.verify_is(0, &line);
}

#[test]
fn a_request_that_fails_for_good_is_no_answer_with_the_referrers_api() {
    each_request_fails(&Settings::default());
}

#[test]
fn a_request_that_fails_for_good_is_no_answer_without_it() {
    each_request_fails(&Settings::docker_registry());
}

/// Nothing listens there, or something that does not speak the protocol.
#[test]
fn nobody_answers() {
    let place = signed();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let verdict = place.verify_is(4, &format!("127.0.0.1:{port}/acme/app:v1 --key alice.pub --retries 0"));
    assert_eq!(verdict.json["results"][0]["error"]["retryable"], true, "{:#}", verdict.json);
}

/// Who is refused is told where to log in.
#[test]
fn a_refusal_says_where_to_log_in() {
    let place = signed();
    let (registry, name) = filled(&place, Settings::default());
    for status in [401, 403] {
        registry.fault(Fault::new(Action::status(status)));
        let verdict = place.verify_is(4, &format!("{name}:v1 --key alice.pub"));
        let error = &verdict.json["results"][0]["error"];
        assert_eq!((&error["code"], &error["retryable"]), (&"denied".into(), &false.into()), "{error}");
        assert!(error["hint"].as_str().unwrap().starts_with(&format!("touchmark login {}", registry.host())), "{error}");
        registry.clear_faults();
    }
    registry.fault(Fault::new(Action::status(403)).path("/referrers/"));
    let verdict = place.verify_is(4, &format!("{name}:v1 --key alice.pub"));
    let error = &verdict.json["results"][0]["error"];
    assert!(error["hint"].as_str().is_some_and(|hint| hint.contains("touchmark login")), "{error}");
    assert_eq!(error["retryable"], false, "{error}");
}

/// What passes is waited for.
#[test]
fn a_failure_that_passes_is_no_failure() {
    let place = signed();
    for settings in [Settings::default(), Settings::docker_registry()] {
        let (registry, name) = filled(&place, settings);
        for action in [Action::status(500), Action::status(429).with("Retry-After", "0"), Action::Reset, Action::Truncate(10)] {
            registry.fault(Fault::new(action).nth(1));
        }
        place.run(&format!("verify {name}:v1 --key alice.pub")).is(0);
    }
}
