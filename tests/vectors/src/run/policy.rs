//! Policy documents, and the questions that they answer.

use touchmark_envelope::json::Value;
use touchmark_envelope::name::Wanted;
use touchmark_trust::rules::{Matched, NormalReference, Origin, PolicyDocument, Question};

use super::status::{Refused, of_document, of_question};
use super::{Outcome, Said, compare};
use crate::index::{Case, Found};

pub(super) fn policy_document(case: &Case<'_>) -> Found<()> {
    case.only(&["document", "origin", "questions"])?;
    let origin = match case.text("origin")? {
        "local" => Origin::Local,
        "signed" => Origin::Signed,
        other => return Err(format!("unknown origin {other}")),
    };
    let document = PolicyDocument::parse(&case.input("document")?, origin).map_err(|error| of_document(&error));
    compare(&case.part("expect")?, document.as_ref().map(|_| Vec::new()).map_err(Clone::clone))?;
    for (number, question) in (1..).zip(case.parts("questions")?) {
        question.only(&["reference", "name"])?;
        let document = document.as_ref().map_err(|_| "a document that is refused is asked")?;
        compare(&question.part("expect")?, decide(document, &question)).map_err(|error| format!("question {number}: {error}"))?;
    }
    Ok(())
}

fn decide(document: &PolicyDocument, question: &Case<'_>) -> Outcome {
    let reference = question.optional("reference").map(NormalReference::new).transpose();
    let reference = reference.map_err(|_| Refused::new("INVALID_REFERENCE"))?;
    let name = question.optional("name").map(str::parse::<Wanted>).transpose().map_err(|_| Refused::new("INVALID_NAME"))?;
    match document.decide(&Question { reference: reference.as_ref(), name: name.as_ref() }) {
        Ok(Some(matched)) => Ok(vec![("rule", Said::Value(decision(&matched)))]),
        Ok(None) => Err(Refused::coded("POLICY_REJECTED", "no-rule")),
        Err(error) => Err(of_question(&error)),
    }
}

/// The rule that decides, counted from 1, with what its captures are.
fn decision(matched: &Matched<'_>) -> Value<'static> {
    let number = u64::try_from(matched.index).map_or(u64::MAX, |index| index.saturating_add(1));
    let text = |text: String| Value::from(text);
    Value::object([
        ("rule", Value::from(number)),
        ("pattern", Value::from(matched.pattern.to_owned())),
        ("expected_name", matched.expected.as_ref().map_or(Value::Null, |name| text(name.to_string()))),
        ("captures", Value::from(matched.captures.iter().cloned().map(text).collect::<Vec<_>>())),
        ("parameters", Value::object(matched.parameters.clone())),
        ("demands", matched.rule.to_json()),
    ])
}
