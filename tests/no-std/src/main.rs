//! Verifies a signature without the standard library: its exit status is 0 if all went as it must.
//!
//! It has its own panic handler and allocator, so that it does not even compile if anything below it brings the standard library.
//! `unsafe` stands here for the names that a program without the standard library shares with the C library and the compiler:
//! `main`, `abort`, and the two of the unwinder. No shipped crate has any.
#![no_std]
#![no_main]

extern crate alloc;

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::vec;

use libc_alloc::LibcAlloc;
use touchmark_envelope::digest::Digests;
use touchmark_envelope::dsse::{Envelope, Limits};
use touchmark_envelope::key::PublicKey;
use touchmark_envelope::signature::{Asked, PREDICATE_TYPE};
use touchmark_envelope::statement::Statement;
use touchmark_envelope::threshold::KeySet;
use touchmark_envelope::{UnixTime, canonical, manifest};
use touchmark_example_firmware::simulated::SimulatedFlash;
use touchmark_example_firmware::{Accept, Class, Device, Error};
use touchmark_trust::{Policy, Request, Search, Step};
use touchmark_tuf::{Client, Settings};

#[global_allocator]
static ALLOCATOR: LibcAlloc = LibcAlloc;

const KEY: &[u8] = include_bytes!("key.pub");
const MANIFEST: &[u8] = include_bytes!("manifest.json");
const ENVELOPE: &[u8] = include_bytes!("envelope.json");

#[link(name = "c")]
unsafe extern "C" {
    /// Of the C library: ends the program with a signal.
    safe fn abort() -> !;
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    abort()
}

/// What the C library's start-up code calls.
#[unsafe(no_mangle)]
extern "C" fn main() -> i32 {
    match run() {
        Some(()) => 0,
        None => 1,
    }
}

/// The compiled `alloc` that comes with the compiler names the unwinder. Nothing unwinds here: a panic ends the program.
#[unsafe(no_mangle)]
extern "C" fn rust_eh_personality() {
    abort()
}

/// As [`rust_eh_personality`].
#[unsafe(no_mangle)]
extern "C" fn _Unwind_Resume() -> ! {
    abort()
}

fn run() -> Option<()> {
    let key = PublicKey::from_pem(KEY).ok()?;
    let keys = KeySet::new([key.clone()]);
    let mut envelope = Envelope::parse(ENVELOPE, Limits::default()).ok()?.into_untrusted();
    check(keys.signers(&envelope.signed_bytes(), &envelope.signatures).keys() == [key.clone()])?;

    let now = UnixTime::from_seconds(1_800_000_000)?;
    let (wanted, annotations) = ("acme/hello:1.0".parse().ok()?, BTreeMap::new());
    let digests = Digests::of(MANIFEST);
    let asked = Asked {
        predicate_type: PREDICATE_TYPE,
        manifest: &digests,
        media_type: manifest::IMAGE_MANIFEST,
        name: Some(&wanted),
        annotations: &annotations,
        at: now,
    };
    check(asked.satisfied_by(&Statement::parse(&envelope.payload).ok()?).is_ok())?;

    envelope.payload.push(b' ');
    check(keys.signers(&envelope.signed_bytes(), &envelope.signatures).keys().is_empty())?;

    check(canonical::to_vec(br#"{ "b": 1, "a": "x" }"#, 100).ok()? == br#"{"a":"x","b":1}"#)?;

    let digest = touchmark_envelope::digest::Algorithm::Sha256.digest(MANIFEST);
    let policy = Policy::keys(vec![key]).ok()?.annotation("a".to_owned(), "b".to_owned());
    let search = Search::new(Request::new(policy, digest, now));
    check(matches!(search.next(), Step::Need(_)))?;

    let mut client = Client::new(Settings::default(), now);
    check(matches!(client.step().ok()?, touchmark_tuf::Step::Load { file: "root.json", .. }))?;
    client.answer(touchmark_tuf::Answer::Bytes(b"{}".into()));
    check(client.step().is_err())?;

    let settings = touchmark_example_firmware::Settings { name: "acme/board".parse().ok()?, accept: Accept::Entries, vault: 4096 };
    let mut device = Device::new(SimulatedFlash::new(64 << 10, 4096, 256), settings).ok()?;
    check(device.provision(b"{}", b"image", now).is_err_and(|error| error.class() == Class::Refused))?;
    check(matches!(device.update(&mut &MANIFEST[..], now), Err(Error::NoRecord)))?;

    let rules = touchmark_in_toto::Rule::new(&["DISALLOW", "*.so"], &touchmark_in_toto::Parameters::new()).ok()?;
    check(matches!(rules.kind(), touchmark_in_toto::RuleKind::Disallow(pattern) if pattern.matches("lib/x.so")))?;
    let mut verification = touchmark_in_toto::Verification::new(b"{}".to_vec(), &keys, touchmark_in_toto::Settings::default(), now);
    check(verification.need().is_none())?;
    check(verification.finish().is_err_and(|rejected| rejected.class() == touchmark_in_toto::Class::UntrustedMetadata))
}

fn check(holds: bool) -> Option<()> {
    holds.then_some(())
}
