//! WWW-Authenticate: what is read is the same when it is shown and read again, in one field or in a field each.
#![no_main]

use libfuzzer_sys::fuzz_target;
use touchmark_oci::transport::challenge::{Challenge, parse};

fuzz_target!(|text: &str| {
    let Ok(challenges) = parse(text.lines()) else { return };
    assert!(challenges.len() <= 16);
    for challenge in &challenges {
        assert!(!challenge.scheme.is_empty() && challenge.is(&challenge.scheme.to_ascii_uppercase()));
        assert!(challenge.token68.is_none() || challenge.parameters.is_empty());
        assert!(challenge.parameters.len() <= 32);
        for (name, value) in &challenge.parameters {
            assert_eq!(challenge.parameter(name), Some(value.as_str()));
        }
    }
    let fields: Vec<String> = challenges.iter().map(Challenge::to_string).collect();
    // Quotes and backslashes make the shown form longer, and all of it is bounded.
    if fields.iter().map(String::len).sum::<usize>() + 2 * fields.len() <= 16 << 10 {
        assert_eq!(parse(fields.iter().map(String::as_str)).as_ref(), Ok(&challenges));
        assert_eq!(parse([fields.join(", ").as_str()]).as_ref(), Ok(&challenges));
    }
});
