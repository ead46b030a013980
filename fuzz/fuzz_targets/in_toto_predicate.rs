//! Predicates and constraints on them. The input is a constraint and the type of a predicate, a line each, and then the predicate.
//!
//! Whatever a stranger says, reading it ends; what is written is read again and means the same; and nothing meets a constraint and its
//! opposite.
#![no_main]

use libfuzzer_sys::fuzz_target;
use touchmark_envelope::digest::Algorithm;
use touchmark_envelope::json::{Value, parse};
use touchmark_envelope::statement::Statement;
use touchmark_in_toto::constraint::{Constraint, MAX_UNMET, Verdict};
use touchmark_in_toto::engine::Work;
use touchmark_in_toto::predicate::{self, Predicate, ResourceDescriptor, link, provenance, release, svr, test_result, vsa};

/// A digit stands for one of these.
const TYPES: [&str; 7] = [provenance::TYPE, link::TYPE, vsa::TYPE, test_result::TYPE, svr::TYPE, release::TYPE, "x:y"];

fuzz_target!(|data: &[u8]| {
    let mut lines = data.splitn(3, |byte| *byte == b'\n');
    let (constraint, kind, text) = (lines.next(), lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    let kind = match kind {
        [digit @ b'0'..=b'6'] => TYPES[usize::from(digit - b'0')],
        kind => std::str::from_utf8(kind).unwrap_or_default(),
    };
    let Ok(text) = std::str::from_utf8(text) else { return };
    if let Ok(read) = Predicate::parse(kind, Some(text)) {
        written_again(&read);
    }
    let Ok(value) = parse(text.as_bytes(), text.len()) else { return };
    if let Ok(subjects) = predicate::subjects(&value) {
        assert!(!subjects.is_empty() && subjects.iter().all(|subject| subject.digest.is_some()));
        if let Ok(artifacts) = predicate::artifacts(&subjects) {
            assert_eq!(artifacts.len(), subjects.len());
        }
    }
    if let Some(Ok(constraint)) = constraint.map(Constraint::parse) {
        let opposite = Value::object([("not", constraint.to_json())]);
        assert_eq!(Constraint::read(&constraint.to_json()).as_ref(), Ok(&constraint));
        let verdict = check(&constraint, &value);
        assert_eq!(verdict, check(&constraint, &value));
        // One level more may be too deep.
        if let Ok(opposite) = Constraint::read(&opposite) {
            assert!(!(verdict == Some(Verdict::Met) && check(&opposite, &value) == Some(Verdict::Met)));
        }
    }
});

/// What comes of a constraint, in bounded work and in few words.
fn check(constraint: &Constraint, value: &Value<'_>) -> Option<Verdict> {
    let verdict = constraint.check(value, &mut Work::new(1 << 20)).ok()?;
    if let Verdict::Unmet(why) = &verdict {
        assert!(!why.is_empty() && why.len() <= MAX_UNMET);
        for why in why {
            let shown = why.to_string();
            assert!(why.at.len() <= 256 && why.found.as_ref().is_none_or(|found| found.len() <= 256) && why.expected.len() <= 512);
            assert!(!shown.chars().any(char::is_control), "{shown}");
        }
    }
    Some(verdict)
}

fn written_again(read: &Predicate) {
    let subject = [ResourceDescriptor::of(Some("x"), &Algorithm::Sha256.digest(b"x"))];
    let (kind, text) = match read {
        Predicate::Summary(summary) => (vsa::TYPE, summary.statement(&subject)),
        Predicate::Result(result) => (svr::TYPE, result.statement(&subject)),
        Predicate::Provenance(provenance) => {
            let _ = provenance.materials();
            return;
        }
        _ => return,
    };
    // In a statement it may be a level too deep.
    let Ok(text) = text else { return };
    let statement = Statement::parse(&text).expect("a statement");
    assert_eq!(Predicate::parse(kind, statement.predicate).as_ref(), Ok(read));
}
