//! Every command warns in the last quarter of a role's life: of delegated roles too.

use crate::harness::Place;
use crate::trust::ONLINE;

/// A repository of 2030 with roles `acme` and `beta`, of which the first lives ten days.
fn of_2030() -> Place {
    let place = Place::new();
    let at = "trust --at 2030-01-01T00:00:00Z";
    place.ok(&format!("{at} init --no-passphrase --quiet --lifetime delegated=10d"));
    for name in ["acme", "beta"] {
        place.key(name);
        place.ok(&format!("{at} delegate {name} --key {name}.pub --path {name}/*"));
        place.ok(&format!("{at} sign --key trust-keys/targets --key {name}"));
        place.ok(&format!("{at} publish {ONLINE}"));
        place.ok("trust lifetime delegated=300d");
    }
    place
}

#[test]
fn every_command_warns_of_delegated_roles() {
    let place = of_2030();
    place.file("tool", "content");
    place.ok("trust lifetime delegated=10d");
    let at = |day: u32, line: &str| place.run(&format!("trust --at 2030-01-{day:02}T12:00:00Z {line}"));
    let quiet = at(7, "status").is(0);
    assert!(!quiet.stderr.contains("acme expires"), "{quiet:?}");
    for line in [
        "status",
        "status --role root",
        "lifetime",
        "target add tool",
        "renew root",
        "sign --key trust-keys/root",
        "publish --ready --dry-run --key trust-keys/snapshot --key trust-keys/timestamp",
        "key add targets beta.pub",
        "discard root",
    ] {
        let ran = at(9, line).is(0).says("warning: acme expires soon, at 2030-01-11T00:00:00Z; touchmark trust renew acme");
        assert!(!ran.stderr.contains("beta expires"), "{ran:?}");
        assert_eq!(ran.stderr.matches("acme expires").count(), 1, "{ran:?}");
    }
    at(12, "lifetime").is(0).says("warning: acme expired at");
}

/// A role that nobody delegates to any more stays in the snapshot, and is nobody's business.
#[test]
fn nobody_is_warned_of_a_role_that_is_gone() {
    let place = of_2030();
    place.ok("trust lifetime delegated=10d");
    let at = "trust --at 2030-01-02T00:00:00Z";
    place.ok(&format!("{at} undelegate acme"));
    place.ok(&format!("{at} sign --key trust-keys/targets"));
    place.ok(&format!("{at} publish {ONLINE}"));
    let ran = place.run("trust --at 2030-01-20T00:00:00Z lifetime").is(0);
    assert!(!ran.stderr.contains("acme"), "{ran:?}");
}

/// Of many roles that end at once, some are named and the others counted.
#[test]
fn many_late_roles_are_counted() {
    for option in ["--bins", "--succinct-bins"] {
        let place = Place::new();
        let at = "trust --at 2030-01-01T00:00:00Z";
        place.key("bins");
        place.ok(&format!("{at} init --no-passphrase --quiet --lifetime delegated=10d"));
        place.ok(&format!("{at} delegate bin --key bins.pub {option} 4"));
        place.ok(&format!("{at} sign --key trust-keys/targets --key bins"));
        place.ok(&format!("{at} publish {ONLINE}"));
        let ran = place.run("trust --at 2030-01-10T00:00:00Z lifetime").is(0).says("and 6 more roles expire soon");
        assert_eq!(ran.stderr.matches("warning: bin-").count(), 10, "{ran:?}");
    }
}

/// One damaged document of a role is no reason to be silent of the others.
#[test]
fn a_damaged_delegated_document_hides_no_warning() {
    let place = of_2030();
    place.ok("trust lifetime delegated=10d");
    place.file("trust/metadata/1.beta.json", "junk");
    place.run("trust --at 2030-01-10T00:00:00Z lifetime").is(0).says("warning: acme expires soon");
}
