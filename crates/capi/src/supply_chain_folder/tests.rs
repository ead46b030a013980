use std::ptr;

use super::*;
use crate::source::tests::data;
use crate::supply_chain::tests::{LAYOUT, NOW, owner, report};
use crate::testing::{Owned, Seen, failed, made, view};
use crate::testing_folder::Folder;

fn verified(folder: &str, at: i64) -> Result<Owned<touchmark_verified_supply_chain>, Seen> {
    let key = owner();
    let keys = [key.0.cast_const()];
    // SAFETY: the handles, the views and the places are the test's.
    made(|out, error| unsafe {
        touchmark_supply_chain_verify_folder(view(LAYOUT), keys.as_ptr(), 1, view(folder), ptr::null(), 0, at, out, error)
    })
}

#[test]
fn a_folder_of_links_is_verified() {
    let links = data("in-toto/rust/made").into_os_string().into_string().unwrap();
    assert!(report(&verified(&links, NOW).unwrap()).starts_with(r#"{"verified":true,"#));
    let folder = Folder::new();
    let name = "write.e0294a3f.link";
    folder.file(name, std::fs::read(data("in-toto/rust/made").join(name)).unwrap());
    let seen = verified(&folder.path("."), NOW).err().unwrap();
    assert!(seen.status == "SUPPLY_CHAIN_NOT_VERIFIED" && seen.json.contains(r#""report":{"verified":false,"#), "{seen:?}");
    // What is there and no file could have been a link.
    std::fs::create_dir(folder.path("package.562b12b3.link")).unwrap();
    assert!(verified(&folder.path("."), NOW).is_err());
}

#[test]
fn a_folder_must_be_named_and_there() {
    let folder = Folder::new();
    assert_eq!(failed(verified("", NOW)), ("INVALID_ARGUMENT", "invalid-argument".into()));
    assert_eq!(failed(verified(&folder.path("none"), NOW)), ("NOT_FOUND", "no-folder".into()));
    assert_eq!(failed(verified(&folder.file("file", ""), NOW)), ("IO_ERROR", "no-folder".into()));
    assert_eq!(failed(verified(&folder.path("."), 0)).0, "INVALID_TIME");
}
