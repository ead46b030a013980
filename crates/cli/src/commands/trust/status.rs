//! `touchmark trust status`: how the repository stands.

use touchmark::tuf::edit::{Age, Differences, KeyIdentity, ListedKey, Standing};
use touchmark::tuf::repository::{RoleReport, Side};
use touchmark_verify::exit::Exit;
use touchmark_verify::output::{Failure, Object, Output, Value};

use super::{Here, failure, strings};

/// Shows versions, expiries, what is staged, who signed and who is still needed
///
/// Of what is staged it shows what it changes, and the digest of what signatures are over, which `trust sign --expect` takes.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Shows only this role; may be repeated
    #[arg(long = "role", value_name = "ROLE")]
    roles: Vec<String>,
}

/// Shows it.
pub(super) fn run(here: &Here<'_>, args: &Args, output: &mut Output<'_>) -> Result<(), Failure> {
    let repository = here.open()?;
    let report = repository.report(here.now).map_err(|error| failure(&error))?;
    let mut roles = Vec::new();
    for role in report.roles.iter().filter(|role| args.roles.is_empty() || args.roles.contains(&role.role)) {
        show(role, output);
        roles.push(describe(role));
    }
    if roles.len() < args.roles.len() {
        return Err(
            Failure::new(Exit::Usage, "no-such-role", "there is no role of such a name").hint("touchmark trust status lists the roles")
        );
    }
    let mut members = Object::new();
    members.insert("dir", Value::from(here.args.dir.display().to_string()));
    members.insert("roles", Value::Array(roles));
    output.result(Exit::Done, members);
    Ok(())
}

fn show(role: &RoleReport, output: &mut Output<'_>) {
    let by = role.delegated_by.as_ref().map(|by| format!(", delegated by {by}")).unwrap_or_default();
    output.line(&format!("{}{by}", role.role));
    for (what, side) in [("published", &role.published), ("staged", &role.staged)] {
        let Some(side) = side else { continue };
        let stale = if what == "staged" && role.stale { ", of no use: another version was published since" } else { "" };
        output.line(&format!("  {what} version {}, expires {}{}{stale}", side.version, side.expires, age(side.age)));
        if what == "staged" {
            output.line(&format!("    {}", side.digest));
            changes(&role.changes).iter().for_each(|change| output.line(&format!("    {change}")));
        }
        // Of what is published all is signed, and the question is who signs the next one.
        if what == "staged" || role.staged.is_none() {
            standing(&side.standing, "keys", output);
            if let Some(before) = &side.by_published_root {
                standing(before, "keys of the published root", output);
            }
        }
    }
    if role.published.is_none() && role.staged.is_none() {
        output.line("  nothing is published or staged");
    }
}

/// What a staged document changes, line by line.
pub(super) fn changes(changes: &Differences) -> Vec<String> {
    let more = (changes.more > 0).then(|| format!("and {} more targets", changes.more));
    changes.listed.iter().map(ToString::to_string).chain(more).collect()
}

fn standing(standing: &Standing, whose: &str, output: &mut Output<'_>) {
    let missing = match standing.missing() {
        0 => String::new(),
        missing => format!(", {missing} more needed"),
    };
    output.line(&format!("  {} of {} required {whose} signed{missing}", standing.valid, standing.threshold));
    for key in &standing.keys {
        let signed = if key.signed { "signed    " } else { "not signed" };
        let shown = match &key.key {
            // By what is computed of the key: what it is listed under may be anything.
            Some(public) => {
                let listed = ListedKey { keyid: key.keyid.clone(), identity: KeyIdentity::Key(Box::new(public.clone())) };
                format!("{listed} {}", public.algorithm())
            }
            None => format!("of a kind that is not known (listed as {:?})", key.keyid),
        };
        output.line(&format!("    {signed} {shown}"));
    }
}

fn age(age: Age) -> &'static str {
    match age {
        Age::Fresh | Age::Due => "",
        Age::Late => " (soon)",
        Age::Expired => " (expired)",
    }
}

fn describe(role: &RoleReport) -> Value<'static> {
    let optional = |side: &Option<Side>| side.as_ref().map_or(Value::Null, describe_side);
    Value::object([
        ("role", Value::from(role.role.clone())),
        ("delegated_by", role.delegated_by.clone().map_or(Value::Null, Value::from)),
        ("published", optional(&role.published)),
        ("staged", optional(&role.staged)),
        ("stale", Value::from(role.stale)),
        ("changes", strings(&changes(&role.changes))),
    ])
}

fn describe_side(side: &Side) -> Value<'static> {
    let age = match side.age {
        Age::Fresh => "fresh",
        Age::Due => "due",
        Age::Late => "late",
        Age::Expired => "expired",
    };
    Value::object([
        ("version", Value::from(side.version)),
        ("expires", Value::from(side.expires.to_string())),
        ("digest", Value::from(side.digest.to_string())),
        ("age", Value::from(age)),
        ("missing", Value::from(side.missing())),
        ("signatures", describe_standing(&side.standing)),
        ("signatures_by_published_root", side.by_published_root.as_ref().map_or(Value::Null, describe_standing)),
    ])
}

fn describe_standing(standing: &Standing) -> Value<'static> {
    let keys = standing.keys.iter().map(|key| {
        Value::object([
            ("keyid", Value::from(key.keyid.clone())),
            ("key_id", key.key.as_ref().map_or(Value::Null, |key| Value::from(key.key_id().to_string()))),
            ("algorithm", key.key.as_ref().map_or(Value::Null, |key| Value::from(key.algorithm().name()))),
            ("signed", Value::from(key.signed)),
        ])
    });
    Value::object([
        ("threshold", Value::from(standing.threshold)),
        ("valid", Value::from(u64::try_from(standing.valid).unwrap_or(u64::MAX))),
        ("keys", Value::Array(keys.collect())),
    ])
}
