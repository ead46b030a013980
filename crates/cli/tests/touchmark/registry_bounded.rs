//! Hostile registries: each verification ends by itself, with the right code, and in less than 64 MiB of memory.

use std::path::Path;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use touchmark_test_registry::{Action, Auth, Fault, Settings};

use crate::forge::{ENVELOPE, INDEX, SIGNATURE, descriptor, digest_of};
use crate::harness::standalone;
use crate::stock::{REPOSITORY, Stock, list};

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;
/// What a verification may take.
const MEMORY: u64 = 64 * MIB;

/// Runs a program and prints its exit code and its peak memory in KiB, as the kernel knows them when it has ended.
const MEASURE: &str = "
import os, subprocess, sys
child = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
_, status, usage = os.wait4(child.pid, 0)
print(os.waitstatus_to_exitcode(status), usage.ru_maxrss)
";

/// Asserts how both verifiers end, and that they take little memory.
#[track_caller]
fn ends_with(stock: &Stock, code: i32, options: &str) {
    let words = format!("{} --key alice.pub --retries 0 {options}", stock.reference());
    for (program, command) in [(Path::new(env!("CARGO_BIN_EXE_touchmark")), "verify"), (standalone(), "")] {
        let mut python = stock.place.command(Path::new("python3"), "");
        python.args(["-c", MEASURE]).arg(program).args(command.split_whitespace()).args(words.split_whitespace());
        let measured = python.output().expect("python3 measures memory").stdout;
        let measured = String::from_utf8(measured).unwrap();
        let (ended, kibibytes) = measured.trim().split_once(' ').unwrap_or_else(|| panic!("not measured: {measured:?}"));
        let memory = kibibytes.parse::<u64>().unwrap() * 1024;
        assert_eq!(ended, code.to_string(), "{}", program.display());
        eprintln!("{}: exit {ended}, {:.1} MiB", program.file_name().unwrap().display(), memory as f64 / MIB as f64);
        assert!(memory < MEMORY, "{}: {} MiB", program.display(), memory / MIB);
    }
}

/// `count` referrers, of which the last alone is a signature, and the only one that is not listed as such.
fn lying_referrers(count: usize) -> Stock {
    let stock = Stock::new(Settings::default());
    let mut entries: Vec<Value> = Vec::with_capacity(count);
    for number in 1..count {
        let envelope = format!("{{\"number\":{number}}}");
        let mut layer = descriptor(ENVELOPE, envelope.as_bytes());
        layer["data"] = STANDARD.encode(envelope).into();
        let mut entry = stock.put_referrer(&layer);
        entry["artifactType"] = SIGNATURE.into();
        entries.push(entry);
    }
    let mut good = stock.put_envelope(&stock.envelope());
    good["artifactType"] = "text/plain".into();
    entries.push(good);
    stock.server.fault(Fault::new(Action::Body(list(&entries))).path("/referrers/"));
    stock
}

#[test]
fn ten_thousand_lying_referrers_and_the_good_one_last_is_verified() {
    ends_with(&lying_referrers(10_000), 0, "");
}

#[test]
fn one_referrer_too_many_is_could_not_find_out() {
    ends_with(&lying_referrers(10_001), 4, "");
}

/// Lets each page name another one that was not seen yet: the path becomes longer with each.
fn endless(stock: &Stock, path: &str, body: &[u8]) {
    let headers = vec![("Link".to_owned(), "<a/>; rel=\"next\"".to_owned()), ("Content-Type".to_owned(), INDEX.to_owned())];
    stock.server.fault(Fault::new(Action::Status(200, headers, body.to_vec())).path(path));
}

#[test]
fn an_endless_chain_of_pages_is_could_not_find_out() {
    let stock = Stock::new(Settings::default());
    endless(&stock, "/referrers/", &list(&[]));
    ends_with(&stock, 4, "");
    assert!(stock.server.log().len() < 5_000);
}

#[test]
fn an_endless_chain_of_pages_after_a_good_signature_is_verified() {
    let stock = Stock::new(Settings::default());
    let good = stock.put_envelope(&stock.envelope());
    endless(&stock, "/referrers/", &list(&[good]));
    ends_with(&stock, 0, "");
}

#[test]
fn endless_tags_are_could_not_find_out() {
    let stock = Stock::new(Settings::without_referrers_api());
    endless(&stock, "/tags/", br#"{"name":"acme/app","tags":["a"]}"#);
    ends_with(&stock, 4, "");
}

/// A body of 1 GiB, with a length in its head and without one.
fn huge(beginning: &str) -> [Action; 2] {
    [Some(GIB), None].map(|length| Action::Fill(beginning.as_bytes().to_vec(), b' ', length))
}

#[test]
fn a_huge_manifest_is_could_not_find_out() {
    for action in huge(r#"{"schemaVersion":2,"#) {
        let stock = Stock::new(Settings::default());
        stock.put_envelope(&stock.envelope());
        stock.server.fault(Fault::new(action).path("/manifests/v1"));
        ends_with(&stock, 4, "");
    }
}

#[test]
fn a_huge_list_is_could_not_find_out() {
    for action in huge(&format!(r#"{{"schemaVersion":2,"mediaType":"{INDEX}","manifests":["#)) {
        let stock = Stock::new(Settings::default());
        stock.put_envelope(&stock.envelope());
        stock.server.fault(Fault::new(action.clone()).path("/referrers/"));
        ends_with(&stock, 4, "");
        // The same under the fallback tag.
        let stock = Stock::new(Settings::without_referrers_api());
        stock.server.fault(Fault::new(action).path("/manifests/sha256-"));
        ends_with(&stock, 4, "");
    }
}

#[test]
fn a_huge_list_of_tags_is_could_not_find_out() {
    for action in huge(r#"{"name":"acme/app","tags":["#) {
        let stock = Stock::new(Settings::without_referrers_api());
        stock.server.fault(Fault::new(action).path("/tags/list"));
        ends_with(&stock, 4, "");
    }
}

#[test]
fn a_hundred_thousand_anchors_that_lead_nowhere_are_could_not_find_out() {
    let stock = Stock::new(Settings::without_referrers_api());
    let prefix = digest_of(&stock.artifact).replace(':', "-");
    let tags: Vec<String> = (0..100_000).map(|number| format!("{prefix}.{number:012x}")).collect();
    let body = json!({"name": REPOSITORY, "tags": tags}).to_string().into_bytes();
    stock.server.fault(Fault::new(Action::Body(body)).path("/tags/list"));
    ends_with(&stock, 4, "--max-referrers 100");
    assert!(stock.server.log().len() < 500);
}

#[test]
fn a_list_as_large_as_may_be_of_the_smallest_entries_is_read_in_bounds() {
    let stock = Stock::new(Settings::default());
    let mut body = format!(r#"{{"schemaVersion":2,"mediaType":"{INDEX}","manifests":["#).into_bytes();
    body.resize(15 << 20, b' ');
    for _ in 0..99_999 {
        body.extend_from_slice(b"{},");
    }
    body.extend_from_slice(b"{}]}");
    stock.server.fault(Fault::new(Action::Body(body)).path("/referrers/"));
    // None is a referrer, and that was found out.
    ends_with(&stock, 3, "");
}

/// A list whose entries take many times their text in memory.
fn full_of_annotations(text: &str) -> Vec<u8> {
    let annotations: serde_json::Map<String, Value> = (0..1000).map(|number| (format!("{number:x}"), text.into())).collect();
    let size = serde_json::to_string(&annotations).unwrap().len() + 200;
    let entries: Vec<Value> = (0..(15 << 20) / size)
        .map(|number| {
            let mut entry = descriptor("application/vnd.oci.image.manifest.v1+json", format!("{number}").as_bytes());
            entry["annotations"] = annotations.clone().into();
            entry
        })
        .collect();
    list(&entries)
}

#[test]
fn a_list_full_of_annotations_is_not_verified() {
    for text in ["", &"x".repeat(110)] {
        let stock = Stock::new(Settings::default());
        stock.server.fault(Fault::new(Action::Body(full_of_annotations(text))).path("/referrers/"));
        ends_with(&stock, 4, "");
        let stock = Stock::new(Settings::without_referrers_api());
        let tag = digest_of(&stock.artifact).replace(':', "-");
        stock.server.put_manifest(REPOSITORY, Some(&tag), &full_of_annotations(text));
        ends_with(&stock, 4, "");
    }
}

#[test]
fn a_huge_referrer_is_could_not_find_out_and_hides_no_good_one() {
    for action in huge(r#"{"schemaVersion":2,"#) {
        for good in [false, true] {
            let stock = Stock::new(Settings::default());
            let huge = stock.put_referrer(&json!({"mediaType": "text/plain", "digest": digest_of(&stock.artifact), "size": 1}));
            if good {
                stock.put_envelope(&stock.envelope());
            }
            stock.server.fault(Fault::new(action.clone()).path(digest_of(&huge)));
            ends_with(&stock, if good { 0 } else { 4 }, "");
        }
    }
}

#[test]
fn a_huge_envelope_is_not_verified_and_hides_no_good_one() {
    // What is not as long as it was announced is no envelope of that manifest, if its length is told at all.
    let [told, untold] = huge("{");
    for (size, action, code) in [(GIB, told.clone(), 4), (GIB, untold.clone(), 4), (1000, told, 1), (1000, untold, 4)] {
        for good in [false, true] {
            let stock = Stock::new(Settings::default());
            let mut layer = descriptor(ENVELOPE, b"huge");
            layer["size"] = size.into();
            stock.server.put_blob_as(REPOSITORY, digest_of(&layer), b"huge");
            stock.put_referrer(&layer);
            if good {
                stock.put_envelope(&stock.envelope());
            }
            stock.server.fault(Fault::new(action.clone()).path(digest_of(&layer)));
            ends_with(&stock, if good { 0 } else { code }, "");
        }
    }
}

#[test]
fn many_large_referrers_take_the_memory_of_few() {
    let stock = Stock::new(Settings::default());
    let padding = "x".repeat(3 << 20);
    for number in 0..60 {
        let envelope = format!("{{\"number\":{number}}}");
        let mut layer = descriptor(ENVELOPE, envelope.as_bytes());
        layer["data"] = STANDARD.encode(envelope).into();
        layer["annotations"]["padding"] = padding.clone().into();
        stock.put_referrer(&layer);
    }
    let good = stock.put_envelope(&stock.envelope());
    // Listed as small ones, so that all are thought to fit at once.
    let mut entries: Vec<Value> = stock
        .server
        .referrers(REPOSITORY, digest_of(&stock.artifact))
        .into_iter()
        .map(|digest| json!({"mediaType": good["mediaType"], "digest": digest, "size": 900}))
        .collect();
    entries.sort_by_key(|entry| entry["digest"] == good["digest"]);
    stock.server.fault(Fault::new(Action::Body(list(&entries))).path("/referrers/"));
    ends_with(&stock, 0, "");
}

#[test]
fn a_redirect_loop_is_could_not_find_out() {
    for path in ["/manifests/v1", "/referrers/", "/blobs/"] {
        let stock = Stock::new(Settings::default());
        stock.put_envelope(&stock.envelope());
        let url = format!("{}/v2/{REPOSITORY}{path}", stock.server.url());
        stock.server.fault(Fault::new(Action::Redirect(url)).path(path));
        ends_with(&stock, 4, "");
        assert!(stock.server.log().len() < 50, "{path}");
    }
}

#[test]
fn a_body_that_drips_is_could_not_find_out() {
    for path in ["/manifests/v1", "/referrers/", "/blobs/"] {
        let stock = Stock::new(Settings::default());
        stock.put_envelope(&stock.envelope());
        stock.server.fault(Fault::new(Action::Drip(Duration::from_millis(50))).path(path));
        ends_with(&stock, 4, "--timeout 1s");
    }
}

#[test]
fn an_endless_token_is_could_not_find_out() {
    for action in huge(r#"{"token":""#) {
        let stock = Stock::new(Settings { auth: Auth::token("reader", "secret"), ..Settings::default() });
        stock.put_envelope(&stock.envelope());
        stock.server.fault(Fault::new(action).path("/token"));
        ends_with(&stock, 4, "");
    }
}

#[test]
fn an_endless_refusal_is_could_not_find_out() {
    for status in [401, 404, 500] {
        let stock = Stock::new(Settings::default());
        stock.put_envelope(&stock.envelope());
        let body = format!(r#"{{"errors":[{{"code":"{}"#, "x".repeat(8 << 20));
        stock.server.fault(Fault::new(Action::Status(status, Vec::new(), body.into_bytes())).path("/manifests/v1"));
        ends_with(&stock, 4, "");
    }
}
