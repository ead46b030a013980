//! The power is cut at every step, and each time in every way that a step can be torn.

use touchmark_example_firmware::Installed;
use touchmark_example_firmware::simulated::Tear;

use crate::world::{again, device, digest, image, now, release, tar};

const TEARS: [Tear; 4] = [Tear::Nothing, Tear::Half, Tear::Noise, Tear::Whole];

#[test]
fn an_update_uses_the_slots_in_turn_and_is_booted() {
    let (mut device, mut repository) = device();
    for number in 1..=5_u8 {
        let image = image(number);
        release(&mut repository, &image);
        let tar = tar(&[&image], &[&repository]);
        let installed = device.update(&mut tar.as_slice(), now()).unwrap();
        let slot = device.boot().unwrap();
        assert_eq!((slot.digest, slot.index), (digest(&image), usize::from(number - 1) % 2));
        // The first is the one that it was made with.
        assert_eq!(installed, if number == 1 { Installed::Already(slot) } else { Installed::New(slot) });
        assert_eq!(device.update(&mut tar.as_slice(), now()).unwrap(), Installed::Already(slot));
        let mut read = vec![0; image.len()];
        device.read(&slot, 0, &mut read).unwrap();
        assert_eq!(read, image);
    }
}

#[test]
fn a_device_whose_power_is_cut_at_any_step_boots_what_it_had_or_what_is_new_and_never_anything_else() {
    let (mut old, mut repository) = device();
    release(&mut repository, &image(2));
    let second = tar(&[&image(2)], &[&repository]);
    old.update(&mut second.as_slice(), now()).unwrap();
    release(&mut repository, &image(3));
    let third = tar(&[&image(3)], &[&repository]);

    let mut whole = again(&mut old);
    whole.flash_mut().switch_on();
    whole.update(&mut third.as_slice(), now()).unwrap();
    let steps = whole.flash_mut().steps();
    assert!(steps > 100, "{steps}");

    for tear in TEARS {
        for step in 1..=steps {
            let mut device = again(&mut old);
            device.flash_mut().switch_on();
            device.flash_mut().cut_at(step, tear);
            device.update(&mut third.as_slice(), now()).unwrap_err();
            assert!(device.flash_mut().is_off(), "step {step}");

            device.flash_mut().switch_on();
            let booted = device.boot().unwrap_or_else(|error| panic!("step {step}, {tear:?}: {error}")).digest;
            // The last step is the one that lets the new record count, whose end is in the first half of its block.
            let is_new = booted == digest(&image(3));
            assert!(is_new || booted == digest(&image(2)), "step {step}, {tear:?}");
            assert_eq!(is_new, step == steps && matches!(tear, Tear::Whole | Tear::Half), "step {step}, {tear:?}");

            // It is tried again, and the power fails again, at another step.
            let mut twice = again(&mut device);
            twice.flash_mut().cut_at(1 + step * 31 % steps, Tear::Noise);
            let failed_again = twice.update(&mut third.as_slice(), now()).is_err();
            twice.flash_mut().switch_on();
            let booted = twice.boot().unwrap_or_else(|error| panic!("step {step}, {tear:?}, again: {error}")).digest;
            assert!(booted == digest(&image(3)) || (failed_again && booted == digest(&image(2))), "step {step}, {tear:?}, again");

            for mut device in [device, twice] {
                device.update(&mut third.as_slice(), now()).unwrap();
                assert_eq!(device.boot().unwrap().digest, digest(&image(3)), "step {step}, {tear:?}");
                // What was accepted is known, whenever the power was cut.
                assert_eq!(device.update(&mut second.as_slice(), now()).unwrap_err().code(), "tuf-rollback");
            }
        }
    }
}

#[test]
fn what_was_accepted_before_the_power_was_cut_stays_accepted() {
    let (mut old, mut repository) = device();
    let first = tar(&[&image(1)], &[&repository]);
    release(&mut repository, &image(2));
    let second = tar(&[&image(2)], &[&repository]);
    old.update(&mut first.as_slice(), now()).unwrap();
    let mut whole = again(&mut old);
    whole.flash_mut().switch_on();
    whole.update(&mut second.as_slice(), now()).unwrap();
    let mut known = 0_u64;
    for step in 1..whole.flash_mut().steps() {
        let mut device = again(&mut old);
        device.flash_mut().switch_on();
        device.flash_mut().cut_at(step, Tear::Half);
        device.update(&mut second.as_slice(), now()).unwrap_err();
        device.flash_mut().switch_on();
        // From the first step of the image on the metadata is kept: the older tar is refused.
        match device.update(&mut first.as_slice(), now()) {
            Ok(_) => assert_eq!(known, 0, "step {step}: what was known is forgotten"),
            Err(error) => {
                assert_eq!(error.code(), "tuf-rollback", "step {step}");
                known += 1;
            }
        }
        assert_eq!(device.boot().unwrap().digest, digest(&image(1)));
    }
    assert!(known > 30, "{known}");
}
