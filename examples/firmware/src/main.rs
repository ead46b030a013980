//! The updater on a host: its flash is a file, and its tars are real ones.
//!
//! ```text
//! touchmark-example-firmware FLASH provision ROOT IMAGE
//! touchmark-example-firmware FLASH update TAR NAME [--accept any] [--at TIME] [--cut STEP]
//! touchmark-example-firmware FLASH boot [OUT]
//! ```
//!
//! It ends with 0 if the image is installed, or booted; 1 if it is refused; 2 if the command line is wrong; 3 if the power was cut; 4 if
//! something cannot be read; 5 if the device is damaged.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use touchmark_envelope::UnixTime;
use touchmark_example_firmware::simulated::{SimulatedFlash, Tear};
use touchmark_example_firmware::{Accept, Class, Device, Error, Installed, Medium, MediumError, Settings};

const SIZE: usize = 4 << 20;
const ERASE_BLOCK: usize = 4096;
const WRITE_BLOCK: usize = 256;
const VAULT: usize = 128 << 10;
const USAGE: &str =
    "usage: touchmark-example-firmware FLASH provision ROOT IMAGE | update TAR NAME [--accept any] [--at TIME] [--cut STEP] | boot [OUT]";

/// A tar in a file.
struct Card(File);

impl Medium for Card {
    fn size(&self) -> u64 {
        self.0.metadata().map(|metadata| metadata.len()).unwrap_or_default()
    }

    fn read(&mut self, offset: u64, into: &mut [u8]) -> Result<(), MediumError> {
        self.0.seek(SeekFrom::Start(offset)).and_then(|_| self.0.read_exact(into)).map_err(|_| MediumError)
    }
}

/// What a run ends with.
type Ended = Result<(), (u8, String)>;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let ended = match words.as_slice() {
        [flash, "provision", root, image] => provision(flash, root, image),
        [flash, "update", tar, name, options @ ..] => update(flash, tar, name, options),
        [flash, "boot"] => boot(flash, None),
        [flash, "boot", out] => boot(flash, Some(out)),
        _ => Err((2, USAGE.to_owned())),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err((code, message)) => {
            eprintln!("error: {message}");
            ExitCode::from(code)
        }
    }
}

fn provision(flash: &str, root: &str, image: &str) -> Ended {
    let mut device = device(SimulatedFlash::new(SIZE, ERASE_BLOCK, WRITE_BLOCK), "acme/board", Accept::Entries)?;
    let slot = device.provision(&file(root)?, &file(image)?, now()?).map_err(failed)?;
    save(flash, &device.into_flash())?;
    println!("slot {}: {}", slot.index, slot.digest);
    Ok(())
}

fn update(flash: &str, tar: &str, name: &str, mut options: &[&str]) -> Ended {
    let (mut accept, mut at, mut cut) = (Accept::Entries, now()?, None);
    while let [option, value, rest @ ..] = options {
        match (*option, *value) {
            ("--accept", "any") => accept = Accept::Any,
            ("--at", time) => at = UnixTime::parse_rfc3339(time).map_err(|error| (2, format!("--at {time}: {error}")))?,
            ("--cut", step) => cut = Some(step.parse::<u64>().map_err(|error| (2, format!("--cut {step}: {error}")))?),
            _ => return Err((2, USAGE.to_owned())),
        }
        options = rest;
    }
    let mut tar = Card(File::open(tar).map_err(|error| (4, format!("{tar}: {error}")))?);
    let mut device = device(SimulatedFlash::holding(file(flash)?, ERASE_BLOCK, WRITE_BLOCK), name, accept)?;
    if let Some(step) = cut {
        device.flash_mut().cut_at(step, Tear::Noise);
    }
    let outcome = device.update(&mut tar, at);
    let is_off = device.flash_mut().is_off();
    // What was written is there, whatever came of it.
    save(flash, &device.into_flash())?;
    match outcome {
        Err(_) if is_off => Err((3, "the power was cut".to_owned())),
        Err(error) => Err(failed(error)),
        Ok(Installed::New(slot)) => {
            println!("installed in slot {}: {}", slot.index, slot.digest);
            Ok(())
        }
        Ok(Installed::Already(slot)) => {
            println!("already in slot {}: {}", slot.index, slot.digest);
            Ok(())
        }
    }
}

fn boot(flash: &str, out: Option<&str>) -> Ended {
    let device = device(SimulatedFlash::holding(file(flash)?, ERASE_BLOCK, WRITE_BLOCK), "acme/board", Accept::Entries)?;
    let slot = device.boot().map_err(failed)?;
    if let Some(out) = out {
        let mut image = vec![0; usize::try_from(slot.length).unwrap_or_default()];
        device.read(&slot, 0, &mut image).map_err(|error| failed(error.into()))?;
        std::fs::write(out, image).map_err(|error| (4, format!("{out}: {error}")))?;
    }
    println!("slot {}: {}", slot.index, slot.digest);
    Ok(())
}

fn device(flash: SimulatedFlash, name: &str, accept: Accept) -> Result<Device<SimulatedFlash>, (u8, String)> {
    let name = name.parse().map_err(|error| (2, format!("{name}: {error}")))?;
    Device::new(flash, Settings { name, accept, vault: VAULT }).map_err(failed)
}

fn failed(error: Error) -> (u8, String) {
    let code = match error.class() {
        Class::Refused => 1,
        Class::Device => 5,
        _ => 4,
    };
    (code, format!("{error} ({})", error.code()))
}

fn file(path: &str) -> Result<Vec<u8>, (u8, String)> {
    std::fs::read(path).map_err(|error| (4, format!("{path}: {error}")))
}

fn save(path: &str, flash: &SimulatedFlash) -> Ended {
    std::fs::write(path, flash.bytes()).map_err(|error| (4, format!("{path}: {error}")))
}

fn now() -> Result<UnixTime, (u8, String)> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).ok();
    let seconds = since.and_then(|since| i64::try_from(since.as_secs()).ok());
    seconds.and_then(UnixTime::from_seconds).ok_or((5, "the clock is not set".to_owned()))
}
