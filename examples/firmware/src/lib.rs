//! An updater for a device without a network and without an operating system: a tar in, a verified image out, and the device boots a verified
//! image whenever the power is cut.
//!
//! The tar is what `touchmark copy REF oci-archive:FILE --trust T` makes: the image as an artifact, its signatures, and the trust repository.
//! The device was given a root.json when it was made. [`Device::update`] verifies the tar's metadata from that root, then the image under the
//! wanted name, writes it to the slot that is not in use, reads it back, and only then lets the boot record name it. What it trusts is on the
//! flash too, so that no older tar is taken later.
//!
//! There is no I/O here: the caller implements [`Flash`] for its flash and [`Medium`] for where the tar is, and says what time it is.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod boot;
mod device;
mod error;
mod flash;
mod package;
mod region;
pub mod simulated;
mod tar;
mod trust;
mod vault;

pub use boot::Slot;
pub use device::{Accept, Device, Installed, Settings};
pub use error::{Class, Error};
pub use flash::{Flash, FlashError};
pub use tar::{Medium, MediumError, TarError};
