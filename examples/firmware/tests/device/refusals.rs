//! What is refused, and leaves what is booted as it was.

use touchmark_envelope::UnixTime;
use touchmark_example_firmware::simulated::SimulatedFlash;
use touchmark_example_firmware::{Accept, Class, Device, Error, Flash as _, Installed};
use touchmark_test_tuf_repository::{EXPIRES_SECONDS, Key, NOW, Repository};

use crate::world::{again, device, digest, image, manifest, member, now, release, repository, settings, tar};

/// A device that runs the second image, its repository, and the tar of the third.
fn third() -> (Device<SimulatedFlash>, Repository, Vec<u8>) {
    let (mut device, mut repository) = device();
    release(&mut repository, &image(2));
    device.update(&mut tar(&[&image(2)], &[&repository]).as_slice(), now()).unwrap();
    release(&mut repository, &image(3));
    let tar = tar(&[&image(3)], &[&repository]);
    (device, repository, tar)
}

fn refused(device: &mut Device<SimulatedFlash>, tar: &[u8], at: UnixTime) -> (Class, &'static str) {
    let before = device.boot().unwrap();
    let error = device.update(&mut &*tar, at).unwrap_err();
    assert_eq!(device.boot().unwrap(), before);
    (error.class(), error.code())
}

#[test]
fn a_tar_with_any_byte_changed_installs_what_was_verified_or_nothing() {
    let (mut old, _, tar) = third();
    let (mut installed, mut refused) = (0, 0);
    for position in (0..tar.len()).step_by(61) {
        let mut changed = tar.clone();
        changed[position] ^= 0x10;
        let mut device = again(&mut old);
        let outcome = device.update(&mut changed.as_slice(), now());
        let booted = device.boot().unwrap().digest;
        match outcome {
            // Bytes of padding mean nothing.
            Ok(_) => {
                installed += 1;
                assert_eq!(booted, digest(&image(3)), "byte {position}");
            }
            Err(_) => {
                refused += 1;
                assert_eq!(booted, digest(&image(2)), "byte {position}");
            }
        }
    }
    assert!(refused > 100 && installed > 10, "{refused} {installed}");
}

#[test]
fn a_tar_that_is_cut_off_installs_nothing() {
    let (mut old, _, tar) = third();
    let content = tar.len() - 1024;
    for length in (0..=content).step_by(256) {
        let mut device = again(&mut old);
        assert_eq!(refused(&mut device, &tar[..length], now()).0, Class::Unread, "{length} bytes");
    }
}

#[test]
fn older_metadata_is_refused_and_older_metadata_beside_newer_changes_nothing() {
    let (mut device, mut newest, tar_of_third) = third();
    let mut older = newest.clone();
    device.update(&mut tar_of_third.as_slice(), now()).unwrap();
    assert_eq!(refused(&mut device, &tar(&[&image(2)], &[&repository(&image(2))]), now()), (Class::Refused, "tuf-rollback"));
    release(&mut older, &image(4));
    newest = older.clone();
    release(&mut newest, &image(5));
    let both = tar(&[&image(4), &image(5)], &[&older, &newest]);
    device.update(&mut both.as_slice(), now()).unwrap();
    assert_eq!(device.boot().unwrap().digest, digest(&image(5)));
}

#[test]
fn a_copy_of_the_metadata_that_lacks_a_role_hides_no_whole_one() {
    let (mut old, repository, _) = third();
    let mut partial = repository.clone();
    partial.lose(&repository.path("acme"));
    for repositories in [[&partial, &repository], [&repository, &partial]] {
        let mut device = again(&mut old);
        device.update(&mut tar(&[&image(3)], &repositories).as_slice(), now()).unwrap();
        assert_eq!(device.boot().unwrap().digest, digest(&image(3)));
    }
    assert_eq!(refused(&mut old, &tar(&[&image(3)], &[&partial]), now()), (Class::Unread, "tuf-missing"));
}

#[test]
fn an_image_that_is_not_the_listed_one_is_refused_although_it_was_once() {
    let (mut device, repository, _) = third();
    assert_eq!(refused(&mut device, &tar(&[&image(2)], &[&repository]), now()), (Class::Refused, "entry"));
    assert_eq!(refused(&mut device, &tar(&[], &[&repository]), now()), (Class::Refused, "no-artifact"));
    assert_eq!(refused(&mut device, &tar(&[&image(3)], &[]), now()), (Class::Refused, "no-trust"));
    // Beside what is refused the right one is found.
    let all = tar(&[&image(1), &image(2), &image(3), &image(9)], &[&repository]);
    device.update(&mut all.as_slice(), now()).unwrap();
    assert_eq!(device.boot().unwrap().digest, digest(&image(3)));
}

#[test]
fn an_image_that_no_entry_lists_is_none() {
    let (mut device, mut repository, _) = third();
    repository.set("acme", "/targets", touchmark_envelope::json::Value::object::<&str, &str>([]));
    repository.publish();
    let (class, code) = refused(&mut device, &tar(&[&image(3)], &[&repository]), now());
    assert_eq!(class, Class::Refused, "{code}");
}

#[test]
fn what_was_revoked_is_refused() {
    use touchmark_envelope::json::Value;
    let (mut device, mut repository, _) = third();
    let revoked =
        Value::object([("digest", Value::from(digest(&manifest(&image(3))).to_string())), ("reason", Value::from("CVE-2026-0001"))]);
    let ours = Value::object([("version", Value::from(1_u64)), ("revoked", Value::from(vec![revoked]))]);
    repository.set("acme", "/x-touchmark", ours);
    repository.publish();
    assert_eq!(refused(&mut device, &tar(&[&image(3)], &[&repository]), now()), (Class::Refused, "revoked"));
}

#[test]
fn another_root_s_repository_and_expired_metadata_are_refused_also_by_a_clock_that_was_set_back() {
    let (mut device, mut repository, tar_of_third) = third();
    let mut others = crate::world::repository(&image(3));
    for role in ["root", "timestamp", "snapshot", "targets"] {
        others.set_keys(role, 1, &[Key::ed25519("mallory")]);
        others.set_signers(role, &[Key::ed25519("mallory")]);
    }
    others.publish();
    assert_eq!(refused(&mut device, &tar(&[&image(3)], &[&others]), now()).0, Class::Refused);
    let late = UnixTime::from_seconds(EXPIRES_SECONDS).unwrap();
    assert_eq!(refused(&mut device, &tar_of_third, late), (Class::Refused, "tuf-expired"));

    let mut later = again(&mut device);
    later.update(&mut tar_of_third.as_slice(), UnixTime::from_seconds(NOW + 1_000).unwrap()).unwrap();
    repository.expire("timestamp", "2026-11-28T00:10:00Z");
    release(&mut repository, &image(4));
    let short = tar(&[&image(4)], &[&repository]);
    assert_eq!(refused(&mut later, &short, now()), (Class::Refused, "tuf-expired"));
    device.update(&mut short.as_slice(), now()).unwrap();
}

#[test]
fn a_damaged_image_is_not_booted_nor_is_the_older_one_and_an_update_repairs_it() {
    let (mut device, repository, tar_of_third) = third();
    let slot = device.boot().unwrap();
    assert_eq!((slot.index, slot.digest), (1, digest(&image(2))));
    let mut bytes = device.flash_mut().bytes().to_vec();
    let place = bytes.windows(64).position(|window| window == &image(2)[..64]).unwrap();
    bytes[place] ^= 1;
    let mut damaged = Device::new(SimulatedFlash::holding(bytes, 1024, 64), settings(Accept::Entries)).unwrap();
    assert!(matches!(damaged.boot(), Err(Error::Damaged { slot: 1 })));
    let installed = damaged.update(&mut tar_of_third.as_slice(), now()).unwrap();
    assert_eq!(installed, Installed::New(damaged.boot().unwrap()));
    let _ = repository;
}

#[test]
fn members_that_readers_disagree_about_are_refused() {
    let (mut old, _, tar) = third();
    let content = &tar[..tar.len() - 1024];
    let with = |name: &str, kind: u8, bytes: &[u8]| {
        let mut tar = content.to_vec();
        member(&mut tar, name, kind, bytes);
        tar.extend_from_slice(&[0; 1024]);
        tar
    };
    for (name, kind) in [("index.json", b'0'), ("x", b'1'), ("x", b'2'), ("x", b'x'), ("x", b'L'), ("x", b'S')] {
        let mut device = again(&mut old);
        assert_eq!(refused(&mut device, &with(name, kind, b""), now()), (Class::Unread, "tar"), "{name} {}", char::from(kind));
    }
    // What is no part of the layout changes nothing.
    old.update(&mut with("notes.txt", b'0', b"hello").as_slice(), now()).unwrap();
    assert_eq!(old.boot().unwrap().digest, digest(&image(3)));
}

#[test]
fn a_flash_that_is_too_small_and_an_image_that_does_not_fit_are_said() {
    let small = Device::new(SimulatedFlash::new(32 << 10, 1024, 64), settings(Accept::Entries));
    assert!(matches!(small, Err(Error::TooSmall { .. })));
    let (mut device, mut repository, _) = third();
    let large = vec![7; device.flash_mut().size()];
    release(&mut repository, &large);
    assert_eq!(refused(&mut device, &tar(&[&large], &[&repository]), now()), (Class::Refused, "no-image"));
    // More metadata than there is room for is an error, and what was trusted stays.
    let mut long = repository.clone();
    release(&mut long, &image(5));
    for number in 0..200 {
        long.add_target("acme", &format!("acme/other:{number}"), b"content");
    }
    long.publish();
    assert_eq!(refused(&mut device, &tar(&[&image(5)], &[&long]), now()), (Class::Device, "trust-too-large"));
    release(&mut repository, &image(6));
    device.update(&mut tar(&[&image(6)], &[&repository]).as_slice(), now()).unwrap();
}
