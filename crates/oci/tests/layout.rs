//! OCI layouts in folders: what is written, what is read, and what is refused.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // outside of test functions clippy takes a panic for a mistake

use std::io::Read;

use touchmark_envelope::digest::Algorithm;
use touchmark_oci::referrer::{self, Role};
use touchmark_oci::{Layout, Source, Store};

mod support;
use support::{Folder, image, listed};

#[test]
fn a_new_layout_holds_what_is_put_into_it() {
    let folder = Folder::new();
    let layout = Layout::open_or_create(folder.path("new/layout")).unwrap();
    assert!(layout.roots().unwrap().is_empty());
    let blob = layout.put_blob(None, &mut b"content".as_slice()).unwrap();
    assert_eq!((blob.digest, blob.size), (Algorithm::Sha256.digest(b"content"), 7));
    let mut read = String::new();
    layout.blob(&blob.digest).unwrap().1.read_to_string(&mut read).unwrap();
    assert_eq!(read, "content");

    let subject = image(&layout, "one", Some("v1"));
    assert_eq!(layout.resolve(Some("v1"), None).unwrap().digest, subject.digest);
    assert_eq!(layout.resolve(None, None).unwrap().digest, subject.digest);
    assert_eq!(layout.resolve(Some("nothing"), Some(&subject.digest)).unwrap(), subject);

    let attached = referrer::attach(&layout, &subject, b"{}", &Role::Signature).unwrap();
    assert!(!attached.already);
    assert!(referrer::attach(&layout, &subject, b"{}", &Role::Signature).unwrap().already);
    assert_eq!(listed(&layout, &subject.digest), [attached.descriptor.digest]);
    assert_eq!(layout.roots().unwrap().len(), 1);
    assert_eq!(layout.tags().unwrap().into_iter().map(|(tag, _)| tag).collect::<Vec<_>>(), ["v1"]);
    // Opened anew, it is the same.
    let again = Layout::open(layout.root()).unwrap();
    assert_eq!(listed(&again, &subject.digest), [attached.descriptor.digest]);
}
