//! Policy documents. The input is a reference and a wanted name, a line each, and then the document.
//!
//! Whatever it says, reading it ends; what is written is read again and is the same; a rule that is said to be never reached is not.
#![no_main]

use libfuzzer_sys::fuzz_target;
use touchmark_envelope::name::Wanted;
use touchmark_trust::rules::{Matched, NormalReference, Origin, PolicyDocument, Question, RuleError, Selector, Weakness};

fuzz_target!(|data: &[u8]| {
    let mut lines = data.splitn(3, |byte| *byte == b'\n');
    let mut line = || std::str::from_utf8(lines.next().unwrap_or_default()).unwrap_or_default();
    let (reference, name) = (NormalReference::new(line()).ok(), line().parse::<Wanted>().ok());
    let text = data.splitn(3, |byte| *byte == b'\n').nth(2).unwrap_or_default();
    let (local, signed) = (PolicyDocument::parse(text, Origin::Local), PolicyDocument::parse(text, Origin::Signed));
    if let (Err(error), Ok(_)) = (&local, &signed) {
        // Only what a trust repository calls its own is not known elsewhere.
        assert!(matches!(error.code(), "policy-trust-unknown" | "policy-conflict"), "{error}");
    }
    for read in [&local, &signed] {
        match read {
            Ok(document) => look(document, reference.as_ref(), name.as_ref()),
            Err(error) => told(error),
        }
    }
});

fn told(error: &RuleError) {
    assert!(!error.code().is_empty() && !error.to_string().is_empty());
    assert!(error.at.is_empty() || error.at.starts_with('/'));
    let _ = error.hint();
}

fn look(document: &PolicyDocument, reference: Option<&NormalReference>, name: Option<&Wanted>) {
    let again = PolicyDocument::parse(&document.to_json().to_vec(), document.origin());
    assert_eq!(again.as_ref(), Ok(document));
    let findings = document.check();
    let question = Question { reference, name };
    let decided = match document.decide(&question) {
        Ok(Some(matched)) => {
            check(document, &question, &matched);
            Some(matched.index)
        }
        Ok(None) => None,
        Err(error) => {
            told(&error);
            error.at.strip_prefix("/rules/").and_then(|rest| rest.split('/').next()?.parse().ok())
        }
    };
    for finding in findings {
        assert!(!finding.to_string().is_empty() && !finding.weakness.hint().is_empty());
        // Any version may be asked of a rule that is for some, which is an error wherever it stands.
        let exact = !matches!(name, Some(Wanted::AnyVersion(_)));
        if let (Weakness::Unreachable { earlier, .. }, Some(index), true) = (&finding.weakness, decided, exact) {
            assert!(finding.at != format!("/rules/{index}"), "{finding}");
            assert!(*earlier < document.rules().len());
        }
    }
}

fn check(document: &PolicyDocument, question: &Question<'_>, matched: &Matched<'_>) {
    assert_eq!(&document.rules()[matched.index], matched.rule);
    assert!(matched.captures.len() <= 9);
    match &matched.rule.selector {
        Selector::Names(_) => assert_eq!(matched.expected.as_ref(), question.name),
        Selector::References { name, .. } => {
            let reference = question.reference.expect("a reference").as_str();
            assert!(matched.captures.iter().all(|capture| reference.contains(capture) && !capture.contains(['/', ':', '@'])));
            assert!(name.is_none() || matched.expected.is_some());
        }
    }
    if let (Some(Wanted::Exact(asked)), Some(expected)) = (question.name, &matched.expected) {
        assert!(expected.accepts(asked));
    }
    assert!(matched.parameters.values().all(|value| !value.is_empty()));
}
