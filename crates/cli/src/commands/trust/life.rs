//! `touchmark trust lifetime`: how long documents live.

use touchmark::tuf::edit;
use touchmark::tuf::repository::Lifetimes;
use touchmark_verify::exit::Exit;
use touchmark_verify::output::{Failure, Object, Output};

use super::{Here, failure};

/// Shows or sets how long documents of a role live, from the next version of each on
///
/// Snapshot and timestamp are renewed by `trust publish --renew` when half of their life is over.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How long: root, targets, snapshot, timestamp or delegated, then = and a number of d, h, m or s, such as timestamp=7d
    #[arg(value_name = "ROLE=TIME", value_parser = lifetime)]
    set: Vec<Lifetime>,
}

/// How long documents of a role live.
#[derive(Clone, Debug)]
pub(crate) struct Lifetime {
    role: String,
    lifetime: edit::Lifetime,
}

const ROLES: [&str; 5] = ["root", "targets", "snapshot", "timestamp", "delegated"];

/// Reads `ROLE=TIME`.
pub(super) fn lifetime(text: &str) -> Result<Lifetime, String> {
    let (role, time) = text.split_once('=').ok_or("it is ROLE=TIME, such as timestamp=7d")?;
    if !ROLES.contains(&role) {
        return Err(format!("`{role}` is none of {}", ROLES.join(", ")));
    }
    let (digits, unit) = time.split_at(time.find(|c: char| !c.is_ascii_digit()).unwrap_or(time.len()));
    let factor: u64 = match unit {
        "d" => 86_400,
        "h" => 3_600,
        "m" => 60,
        "s" => 1,
        _ => 0,
    };
    let seconds = digits.parse::<u64>().ok().and_then(|number| number.checked_mul(factor)).filter(|seconds| *seconds <= 36_525 * 86_400);
    let lifetime = seconds.and_then(edit::Lifetime::seconds);
    let lifetime = lifetime.ok_or_else(|| format!("`{time}` is no lifetime: a whole number and d, h, m or s, such as 7d"))?;
    Ok(Lifetime { role: role.to_owned(), lifetime })
}

/// Sets these.
pub(super) fn apply(set: &[Lifetime], lifetimes: &mut Lifetimes) -> Result<(), Failure> {
    for one in set {
        let slot = match one.role.as_str() {
            "root" => &mut lifetimes.root,
            "targets" => &mut lifetimes.targets,
            "snapshot" => &mut lifetimes.snapshot,
            "timestamp" => &mut lifetimes.timestamp,
            _ => &mut lifetimes.delegated,
        };
        *slot = one.lifetime;
    }
    Ok(())
}

/// Sets what is given, and prints all of them.
pub(super) fn run(here: &Here<'_>, args: &Args, output: &mut Output<'_>) -> Result<(), Failure> {
    let mut repository = here.open()?;
    let mut lifetimes = repository.lifetimes();
    if !args.set.is_empty() {
        apply(&args.set, &mut lifetimes)?;
        repository.set_lifetimes(lifetimes).map_err(|error| failure(&error))?;
    }
    texts(lifetimes).iter().for_each(|line| output.line(line));
    let mut members = Object::new();
    members.insert("lifetimes", seconds(lifetimes));
    output.result(Exit::Done, members);
    Ok(())
}

/// As they are given on the command line.
pub(super) fn texts(lifetimes: Lifetimes) -> [String; 5] {
    ROLES.map(|role| format!("{role}={}", text(lifetimes.of(role).as_seconds())))
}

/// In seconds.
pub(super) fn seconds(lifetimes: Lifetimes) -> Object<'static> {
    let mut seconds = Object::new();
    for role in ROLES {
        seconds.insert(role, lifetimes.of(role).as_seconds());
    }
    seconds
}

/// A number of seconds in the largest unit that divides it.
fn text(seconds: u64) -> String {
    let units = [(86_400, "d"), (3_600, "h"), (60, "m")];
    let unit = units.into_iter().find(|(factor, _)| seconds.is_multiple_of(*factor));
    unit.map_or_else(|| format!("{seconds}s"), |(factor, name)| format!("{}{name}", seconds / factor))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lifetimes_are_read_and_shown_in_their_largest_unit() {
        for (written, shown) in [("root=365d", "365d"), ("timestamp=48h", "2d"), ("delegated=90s", "90s"), ("snapshot=120s", "2m")] {
            assert_eq!(text(lifetime(written).unwrap().lifetime.as_seconds()), shown);
        }
        for bad in ["", "root", "root=", "root=1", "root=0d", "root=1y", "acme=1d", "root=99999999d", "root=-1d"] {
            assert!(lifetime(bad).is_err(), "{bad}");
        }
    }
}
