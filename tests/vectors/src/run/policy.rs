//! Policy documents, and the questions that they answer.

use touchmark_envelope::json::Value;
use touchmark_envelope::name::Wanted;
use touchmark_trust::rules::{Matched, NormalReference, Origin, PolicyDocument, Question};

use super::status::{Refused, of_document};
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
        Err(error) => Err(Refused::coded("POLICY_REJECTED", error.code())),
    }
}

/// The rule that decides, with what its captures are; what there is none of is left out.
fn decision(matched: &Matched<'_>) -> Value<'static> {
    let index = u64::try_from(matched.index).unwrap_or(u64::MAX);
    let mut members = vec![("index", Value::from(index)), ("pattern", Value::from(matched.pattern.to_owned()))];
    if let Some(expected) = &matched.expected {
        members.push(("expected", Value::from(expected.to_string())));
    }
    if !matched.captures.is_empty() {
        members.push(("captures", Value::from(matched.captures.iter().cloned().map(Value::from).collect::<Vec<_>>())));
    }
    if !matched.parameters.is_empty() {
        members.push(("parameters", Value::object(matched.parameters.clone())));
    }
    members.push(("rule", matched.rule.to_json()));
    Value::object(members)
}
