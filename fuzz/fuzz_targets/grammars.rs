//! References, names, digests, platforms and times: what is read is the same when it is shown and read again.
#![no_main]

use std::fmt::{Debug, Display};
use std::str::FromStr;

use libfuzzer_sys::fuzz_target;
use touchmark_envelope::manifest::Platform;
use touchmark_envelope::name::{Name, Wanted};
use touchmark_envelope::{Digest, UnixTime};
use touchmark_oci::Reference;

fuzz_target!(|text: &str| {
    if let Ok(reference) = text.parse::<Reference>() {
        survives(&reference);
        survives(&reference.place());
        let digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855".parse::<Digest>().expect("a digest");
        let pin = reference.pin(digest);
        survives(&pin);
        assert_eq!(pin.path(), reference.path());
    }
    if let Ok(name) = text.parse::<Name>() {
        survives(&name);
        assert!(text.parse::<Wanted>().is_ok_and(|wanted| wanted.accepts(&name)));
    }
    if let Ok(wanted) = text.parse::<Wanted>() {
        survives(&wanted);
    }
    if let Ok(digest) = text.parse::<Digest>() {
        assert_eq!(digest.to_string(), text);
    }
    if let Ok(platform) = text.parse::<Platform>() {
        survives(&platform);
    }
    if let Ok(time) = UnixTime::parse_signed(text) {
        assert_eq!(time.to_string(), text);
        assert_eq!(UnixTime::parse_rfc3339(text), Ok(time));
    }
    if let Ok(time) = UnixTime::parse_rfc3339(text) {
        assert_eq!(UnixTime::parse_rfc3339(&time.to_string()), Ok(time));
    }
});

fn survives<T: Display + FromStr + PartialEq + Debug>(value: &T) {
    let shown = value.to_string();
    match shown.parse::<T>() {
        Ok(again) => assert_eq!(&again, value, "{shown}"),
        Err(_) => panic!("{shown} cannot be read again"),
    }
}
