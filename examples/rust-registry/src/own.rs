//! The policy that the trust repository signs itself: what its owner wants to hold for every name, beside what its roles say.

use touchmark::envelope::name::Wanted;
use touchmark::trust::rules::{Children, Ground, Origin, PolicyDocument, Question};
use touchmark::{Policy, trust::Standing};

use crate::front::Refusal;

/// What must be accepted under the standing's name, with what the policy in `bytes` demands of it; `covered` is an image that an index is
/// to speak for.
pub(crate) fn narrowed(bytes: &[u8], standing: Standing, covered: bool) -> Result<Policy, Refusal> {
    let denied = |reason: &str, message: String| Refusal::Denied {
        reason: reason.to_owned(),
        message: format!("the trust repository's policy: {message}"),
    };
    let document = PolicyDocument::parse(bytes, Origin::Signed).map_err(|error| denied("policy", error.to_string()))?;
    let wanted = Wanted::Exact(standing.name().clone());
    let matched =
        document.decide(&Question { reference: None, name: Some(&wanted) }).map_err(|error| denied("policy", error.to_string()))?;
    let matched = matched.ok_or_else(|| denied("no-rule", format!("no rule of it is for {wanted}")))?;
    let rule = matched.rule;
    if covered && rule.children == Children::Deny {
        return Err(denied("children", "an image needs a signature or an entry of its own".to_owned()));
    }
    let mut policy = Policy::trust(standing);
    match &rule.ground {
        Ground::Trust { role: Some(role), .. } => policy = policy.by_role(role.clone()),
        Ground::Trust { role: None, .. } => {}
        Ground::Keys { .. } => return Err(unable("keys of its own")),
        Ground::Reject => return Err(denied("rejected", format!("it rejects {wanted}"))),
    }
    if rule.in_toto.is_some() || !rule.predicates.is_empty() {
        return Err(unable("a supply chain or attestations"));
    }
    if let Some(kinds) = &rule.accepted_by {
        policy = policy.accept_only(kinds.iter().copied());
    }
    for (key, value) in &rule.annotations {
        policy = policy.annotation(key.clone(), value.clone());
    }
    Ok(policy)
}

/// What this example does not look at, it does not serve.
fn unable(what: &str) -> Refusal {
    Refusal::Unknown { message: format!("the trust repository's policy asks for {what}, which this front does not look at") }
}
