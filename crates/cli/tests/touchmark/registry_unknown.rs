//! "Could not find out" is not "no", and not "yes" either: whatever goes wrong with whichever request, both verifiers end with 4.

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;

use touchmark_test_registry::{Action, Auth, Authority, Fault, Settings, TestRegistry, Tls, When};

use crate::harness::{Ran, standalone, with_input};
use crate::stock::Stock;

/// What goes wrong with a request, again and again. `https` is a server with a certificate that nobody trusts.
fn failures(https: &TestRegistry) -> Vec<Action> {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    vec![
        Action::status(401),
        Action::status(403),
        Action::status(429),
        Action::status(500),
        Action::Reset,
        Action::ResetBody(10),
        Action::Truncate(10),
        // A connection that is refused, and one without trust.
        Action::Redirect(format!("http://{closed}/")),
        Action::Redirect(https.url()),
    ]
}

/// Asserts how both verifiers end.
#[track_caller]
fn ends_with(stock: &Stock, code: i32, line: &str, why: &str) {
    let programs = [(Path::new(env!("CARGO_BIN_EXE_touchmark")), "verify "), (standalone(), "")];
    for (program, command) in programs {
        let line = format!("{command}{line}");
        let ran = Ran::of(&line, with_input(stock.place.command(program, &line), b"secret\n"));
        assert_eq!(ran.code, code, "{why}\n{ran:#?}");
    }
}

/// Lets each request of `verify` go wrong in each way. Each time both verifiers end with 4.
#[track_caller]
fn fails_with_4(stock: &Stock, code: i32, requests: usize, options: &str) {
    // Or else a reset could mean that the server speaks TLS.
    let line = format!("{} --key alice.pub --plain-http --retries 0 {options}", stock.reference());
    stock.server.clear_log();
    ends_with(stock, code, &line, "nothing goes wrong");
    let paths: BTreeSet<String> = stock.server.log().into_iter().map(|logged| logged.path).collect();
    assert_eq!(paths.len(), requests, "{paths:#?}");
    let https = TestRegistry::start(Settings { tls: Some(Tls::new(&Authority::new())), ..Settings::default() });
    for path in &paths {
        for action in failures(&https) {
            let why = format!("{path}: {action:?}");
            stock.server.fault(Fault::new(action).path(path));
            ends_with(stock, 4, &line, &why);
            stock.server.clear_faults();
        }
    }
    ends_with(stock, code, &line, "nothing goes wrong any more");
}

#[test]
fn a_signature_in_a_registry_with_the_referrers_api() {
    let stock = Stock::new(Settings::default());
    stock.put_envelope(&stock.envelope());
    // The manifest, the list, the signature's manifest and its envelope.
    fails_with_4(&stock, 0, 4, "");
}

#[test]
fn a_signature_in_a_registry_without_the_referrers_api() {
    let stock = Stock::new(Settings::without_referrers_api());
    let signature = stock.put_envelope(&stock.envelope());
    stock.put_list(&[signature]);
    fails_with_4(&stock, 0, 5, "--name acme/app:1");
}

#[test]
fn an_unsigned_artifact_in_a_registry_with_the_referrers_api() {
    // The manifest, the list, and the fallback tag that an earlier version of the registry may have left.
    fails_with_4(&Stock::new(Settings::default()), 3, 3, "");
}

#[test]
fn an_unsigned_artifact_in_a_registry_without_the_referrers_api() {
    // And the tags, among which anchors may be.
    fails_with_4(&Stock::new(Settings::without_referrers_api()), 3, 4, "");
}

#[test]
fn a_signature_behind_a_token_service() {
    let stock = Stock::new(Settings { auth: Auth::token("reader", "secret"), ..Settings::default() });
    stock.put_envelope(&stock.envelope());
    fails_with_4(&stock, 0, 5, "--username reader --password-stdin");
}

#[test]
fn nobody_listens() {
    let stock = Stock::new(Settings::default());
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    stock.place.verify_is(4, &format!("{closed}/acme/app:v1 --key alice.pub --retries 0"));
}

#[test]
fn a_certificate_that_is_not_trusted() {
    let authority = Authority::new();
    let stock = Stock::new(Settings { tls: Some(Tls::new(&authority)), ..Settings::default() });
    stock.put_envelope(&stock.envelope());
    let line = format!("{} --key alice.pub --retries 0", stock.reference());
    stock.place.verify_is(4, &line);
    authority.write(&stock.place.path("ca.pem")).unwrap();
    stock.place.verify_is(0, &format!("{line} --ca-file ca.pem"));
    stock.place.verify_is(0, &format!("{line} --insecure"));
}

#[test]
fn a_registry_that_says_nothing() {
    let stock = Stock::new(Settings::default());
    stock.put_envelope(&stock.envelope());
    for path in ["/manifests/v1", "/referrers/", "/manifests/sha256", "/blobs/"] {
        for action in [Action::Hang, Action::Drip(Duration::from_millis(100))] {
            let why = format!("{path}: {action:?}");
            stock.server.fault(Fault::new(action).path(path));
            ends_with(&stock, 4, &format!("{} --key alice.pub --retries 0 --timeout 1s", stock.reference()), &why);
            stock.server.clear_faults();
        }
    }
}

#[test]
fn a_signature_that_is_among_failures_is_found_when_they_pass() {
    for action in [Action::status(429), Action::status(500), Action::Reset, Action::ResetBody(10), Action::Truncate(10)] {
        let stock = Stock::new(Settings::default());
        stock.put_envelope(&stock.envelope());
        let line = format!("verify {} --key alice.pub --retries 1", stock.reference());
        stock.server.fault(Fault::new(action).when(When::Every(2)));
        stock.place.run(&line).is(0);
    }
}
