//! `touchmark trust publisher show`: one publisher whole.

use touchmark::tuf::repository::{Listed, Side};
use touchmark_verify::exit::Exit;
use touchmark_verify::output::{Failure, Output, Value};

use super::{Here, failure, name, publisher, strings};

/// Shows it.
pub(super) fn run(here: &Here<'_>, role: &str, output: &mut Output<'_>) -> Result<(), Failure> {
    let repository = here.open()?;
    let failed = |error| failure(&error);
    let publishers = repository.publishers().map_err(failed)?;
    let Some(shown) = publishers.iter().find(|one| one.role == role) else {
        return Err(Failure::usage(format!("{role}: no publisher of that name")).hint("touchmark trust publisher list"));
    };
    let below: Vec<String> = publishers.iter().filter(|one| one.by == role).map(|one| one.role.clone()).collect();
    let listed = repository.names(Some(role)).map_err(failed)?;
    let revoked = repository.revoked(role).map_err(failed)?;
    let report = repository.report(here.now).map_err(failed)?.roles.into_iter().find(|one| one.role == role);
    let (published, staged) = report.map(|one| (one.published, one.staged)).unwrap_or_default();

    output.line(role);
    output.line(&format!("  names {}", shown.names.join(" ")));
    let how = if shown.envelopes { "by what it lists, seals and signs" } else { "by what it lists and seals alone" };
    output.line(&format!("  accepted {how}; {} delegates to it", shown.by));
    output.line(&format!("  {} of {} keys must sign", shown.threshold, shown.keyids.len()));
    shown.keyids.iter().for_each(|keyid| output.line(&format!("    {keyid}")));
    let side = |what: &str, side: &Option<Side>| match side {
        None => format!("  nothing is {what}"),
        Some(side) => {
            let missing = side.missing();
            let signatures = if missing == 0 { String::new() } else { format!(", {missing} signatures missing") };
            format!("  {what}: version {}, expires {}{signatures}", side.version, side.expires)
        }
    };
    output.line(&side("published", &published));
    output.line(&side("staged", &staged));
    for (what, one) in below.iter().map(|below| ("publisher below", below)) {
        output.line(&format!("  {what}: {one}"));
    }
    listed.iter().for_each(|one: &Listed| output.line(&format!("  {}", name::line(one))));
    revoked.iter().for_each(|(digest, reason)| output.line(&format!("  revoked {digest}: {reason}")));

    let mut members = publisher::members(shown);
    let document = |side: &Option<Side>| match side {
        None => Value::Null,
        Some(side) => Value::object([
            ("version", Value::from(side.version)),
            ("expires", Value::from(side.expires.to_string())),
            ("missing", Value::from(side.missing())),
        ]),
    };
    members.insert("published", document(&published));
    members.insert("staged", document(&staged));
    members.insert("below", strings(&below));
    let seal_or_entry = |one: &Listed| Value::Object(name::members(one));
    members.insert("listed", Value::Array(listed.iter().map(seal_or_entry).collect()));
    let revocation = |(digest, reason): (&touchmark::Digest, &String)| {
        Value::object([("digest", Value::from(digest.to_string())), ("reason", Value::from(reason.clone()))])
    };
    members.insert("revoked", Value::Array(revoked.iter().map(revocation).collect()));
    output.result(Exit::Done, members);
    Ok(())
}
