//! What a call comes to, as a number that never changes its meaning.

/// What a call came to. 0 is success and nothing else is; the hundreds say whose fault it is. Numbers are never given another meaning,
/// and new ones may be added: what is not known is a failure.
pub type touchmark_status = u32;

/// It worked. Of a function that verifies: it is verified.
pub const TOUCHMARK_STATUS_OK: touchmark_status = 0;

/// An argument cannot be what it is: a number that names nothing, an empty path, a text outside of its grammar.
pub const TOUCHMARK_STATUS_INVALID_ARGUMENT: touchmark_status = 100;
/// A pointer is NULL that must not be.
pub const TOUCHMARK_STATUS_NULL_POINTER: touchmark_status = 101;
/// A length or a count is larger than memory can hold.
pub const TOUCHMARK_STATUS_INVALID_LENGTH: touchmark_status = 102;
/// A text is not UTF-8.
pub const TOUCHMARK_STATUS_INVALID_UTF8: touchmark_status = 103;
/// A time is zero, negative, or after the year 9999.
pub const TOUCHMARK_STATUS_INVALID_TIME: touchmark_status = 104;
/// The handle does not take this call now: another one must come before, it has ended, or another call is using it.
pub const TOUCHMARK_STATUS_WRONG_STATE: touchmark_status = 105;
/// The key is read, and is not one that may be used here: weak, private instead of public or the other way round, RSA for artifacts.
pub const TOUCHMARK_STATUS_INVALID_KEY: touchmark_status = 106;
/// The threshold is zero or above the number of distinct keys.
pub const TOUCHMARK_STATUS_INVALID_THRESHOLD: touchmark_status = 107;
/// The private key is encrypted, and the passphrase is not there or not the right one.
pub const TOUCHMARK_STATUS_WRONG_PASSPHRASE: touchmark_status = 108;
/// A text is no NAME or NAME:VERSION.
pub const TOUCHMARK_STATUS_INVALID_NAME: touchmark_status = 109;
/// A text is no digest.
pub const TOUCHMARK_STATUS_INVALID_DIGEST: touchmark_status = 110;
/// A text is no reference, or names a place that this library does not open.
pub const TOUCHMARK_STATUS_INVALID_REFERENCE: touchmark_status = 111;
/// It is known, and this library or this build of it does not do it.
pub const TOUCHMARK_STATUS_UNSUPPORTED: touchmark_status = 112;

/// What was read, or what was to be verified, is not in its form; or a source gave other bytes than asked for.
pub const TOUCHMARK_STATUS_MALFORMED: touchmark_status = 200;
/// It is not JSON, or has no canonical form.
pub const TOUCHMARK_STATUS_MALFORMED_JSON: touchmark_status = 201;
/// It is no envelope.
pub const TOUCHMARK_STATUS_MALFORMED_ENVELOPE: touchmark_status = 202;
/// It is no key.
pub const TOUCHMARK_STATUS_MALFORMED_KEY: touchmark_status = 203;
/// It is no policy document.
pub const TOUCHMARK_STATUS_MALFORMED_POLICY: touchmark_status = 204;
/// It is larger than is read.
pub const TOUCHMARK_STATUS_TOO_LARGE: touchmark_status = 205;

/// There is evidence, and it does not suffice.
pub const TOUCHMARK_STATUS_NOT_VERIFIED: touchmark_status = 300;
/// There is no evidence.
pub const TOUCHMARK_STATUS_UNSIGNED: touchmark_status = 301;
/// The signature is not valid.
pub const TOUCHMARK_STATUS_BAD_SIGNATURE: touchmark_status = 302;
/// Fewer keys have signed than are needed.
pub const TOUCHMARK_STATUS_THRESHOLD_NOT_REACHED: touchmark_status = 303;

/// The trust metadata is not to be trusted.
pub const TOUCHMARK_STATUS_UNTRUSTED_METADATA: touchmark_status = 400;
/// The trust metadata has expired.
pub const TOUCHMARK_STATUS_EXPIRED_METADATA: touchmark_status = 401;
/// The trust metadata is older than what was seen before.
pub const TOUCHMARK_STATUS_ROLLBACK: touchmark_status = 402;

/// The supply chain does not hold.
pub const TOUCHMARK_STATUS_SUPPLY_CHAIN_NOT_VERIFIED: touchmark_status = 500;
/// A policy rejects it, or has no rule for it.
pub const TOUCHMARK_STATUS_POLICY_REJECTED: touchmark_status = 501;

/// A function of the caller failed.
pub const TOUCHMARK_STATUS_CALLBACK_FAILED: touchmark_status = 600;

/// It could not be found out.
pub const TOUCHMARK_STATUS_UNKNOWN: touchmark_status = 700;
/// It is not there.
pub const TOUCHMARK_STATUS_NOT_FOUND: touchmark_status = 701;
/// A file or a folder could not be read or written.
pub const TOUCHMARK_STATUS_IO_ERROR: touchmark_status = 702;

/// Something failed that should not: no random numbers, a contradiction in the library.
pub const TOUCHMARK_STATUS_INTERNAL: touchmark_status = 900;
/// The library panicked. The handle that the call changed answers this from now on; others are as they were.
pub const TOUCHMARK_STATUS_PANIC: touchmark_status = 901;

macro_rules! named {
    ($($name:ident)*) => {
        /// Every status with the name of its constant.
        const NAMES: &[(touchmark_status, &str)] = &[$(($name, stringify!($name))),*];
    };
}

named! {
    TOUCHMARK_STATUS_OK
    TOUCHMARK_STATUS_INVALID_ARGUMENT TOUCHMARK_STATUS_NULL_POINTER TOUCHMARK_STATUS_INVALID_LENGTH TOUCHMARK_STATUS_INVALID_UTF8
    TOUCHMARK_STATUS_INVALID_TIME TOUCHMARK_STATUS_WRONG_STATE TOUCHMARK_STATUS_INVALID_KEY TOUCHMARK_STATUS_INVALID_THRESHOLD
    TOUCHMARK_STATUS_WRONG_PASSPHRASE TOUCHMARK_STATUS_INVALID_NAME TOUCHMARK_STATUS_INVALID_DIGEST TOUCHMARK_STATUS_INVALID_REFERENCE
    TOUCHMARK_STATUS_UNSUPPORTED
    TOUCHMARK_STATUS_MALFORMED TOUCHMARK_STATUS_MALFORMED_JSON TOUCHMARK_STATUS_MALFORMED_ENVELOPE TOUCHMARK_STATUS_MALFORMED_KEY
    TOUCHMARK_STATUS_MALFORMED_POLICY TOUCHMARK_STATUS_TOO_LARGE
    TOUCHMARK_STATUS_NOT_VERIFIED TOUCHMARK_STATUS_UNSIGNED TOUCHMARK_STATUS_BAD_SIGNATURE TOUCHMARK_STATUS_THRESHOLD_NOT_REACHED
    TOUCHMARK_STATUS_UNTRUSTED_METADATA TOUCHMARK_STATUS_EXPIRED_METADATA TOUCHMARK_STATUS_ROLLBACK
    TOUCHMARK_STATUS_SUPPLY_CHAIN_NOT_VERIFIED TOUCHMARK_STATUS_POLICY_REJECTED
    TOUCHMARK_STATUS_CALLBACK_FAILED
    TOUCHMARK_STATUS_UNKNOWN TOUCHMARK_STATUS_NOT_FOUND TOUCHMARK_STATUS_IO_ERROR
    TOUCHMARK_STATUS_INTERNAL TOUCHMARK_STATUS_PANIC
}

/// The name of a status without the prefix of its constant; empty for a number that is none.
pub(crate) fn name(status: touchmark_status) -> &'static str {
    let named = NAMES.iter().find(|(number, _)| *number == status);
    named.and_then(|(_, name)| name.strip_prefix("TOUCHMARK_STATUS_")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_a_name_and_a_number_of_its_own() {
        let source = include_str!("status.rs");
        let constants: Vec<&str> = source.lines().filter_map(|line| line.strip_prefix("pub const ")?.split(':').next()).collect();
        assert_eq!(constants, NAMES.iter().map(|(_, name)| *name).collect::<Vec<_>>());
        assert!(NAMES.is_sorted_by(|(a, _), (b, _)| a < b));
        assert_eq!((name(0), name(300), name(901), name(7)), ("OK", "NOT_VERIFIED", "PANIC", ""));
    }
}
