//! What is ours in TUF metadata: the member of a role, and that of a target's `custom`. The input is a name, and then the text of the member.
//!
//! Whatever it says, reading it ends; what is written of it is read again and is the same; seals of one name are those of all.
#![no_main]

use libfuzzer_sys::fuzz_target;
use touchmark_envelope::json::{Object, Value};
use touchmark_trust::standing::{Claim, Details, MEMBER, RoleMember, VERSION};

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (name, text) = text.split_once('\n').unwrap_or(("acme/x:1", text));
    if let Ok(read) = RoleMember::read(text, name) {
        if let Ok(all) = RoleMember::read_all_seals(text) {
            let own = all.iter().find(|(sealed, _)| sealed == name).map(|(_, claims)| claims.as_slice()).unwrap_or_default();
            assert_eq!(own, read.seals);
        }
        let again = RoleMember::read(&written(&read, name), name);
        assert_eq!(again.as_ref(), Ok(&read));
    }
    if let Ok(details) = Details::of_target(Some(text)) {
        let mut member = details.to_json();
        member.insert("version", VERSION);
        let custom = Value::object([(MEMBER, Value::from(member))]);
        let custom = String::from_utf8(custom.to_vec()).expect("text");
        assert_eq!(Details::of_target(Some(&custom)).as_ref(), Ok(&details));
    }
});

/// The member with what was read of it.
fn written(read: &RoleMember, name: &str) -> String {
    let mut member = Object::new();
    member.insert("version", VERSION);
    member.insert("envelopes", Value::from(read.envelopes.iter().cloned().map(Value::from).collect::<Vec<_>>()));
    let revoked = read.revoked.iter().map(|(digest, reason)| Value::object([("digest", digest.to_string()), ("reason", reason.clone())]));
    member.insert("revoked", Value::from(revoked.collect::<Vec<_>>()));
    let seals = Value::from(read.seals.iter().map(Claim::to_json).map(Value::from).collect::<Vec<_>>());
    member.insert("seals", Value::object([(name.to_owned(), seals)]));
    String::from_utf8(Value::from(member).to_vec()).expect("text")
}
