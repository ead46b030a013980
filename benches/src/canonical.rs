//! Canonical JSON of 100 MiB documents, against olpc-cjson on serde_json.

use serde::Serialize as _;
use touchmark_envelope::canonical;
use touchmark_envelope::digest::{Algorithm, Hasher};
use touchmark_envelope::json;

use crate::Failure;
use crate::document::{Order, targets};
use crate::stopwatch::{best, rate};

const SIZE: usize = 100 << 20;

/// Prints times and ratios for a sorted and an unsorted document.
pub(crate) fn compare() -> Result<(), Failure> {
    for order in [Order::Sorted, Order::Mixed] {
        let document = targets(SIZE, order);
        let bytes = document.as_bytes();
        println!("canonical JSON of a TUF targets file of {} MiB, {order:?}", bytes.len() >> 20);

        let value: serde_json::Value = serde_json::from_slice(bytes)?;
        let theirs = olpc(&value)?;
        if canonical::to_vec(bytes, usize::MAX)? != theirs {
            return Err("the canonical forms differ".into());
        }
        drop(theirs);
        let theirs = best(2, || olpc(&value).map(|out| out.len()).ok());
        drop(value);
        let parse = best(2, || serde_json::from_slice::<serde_json::Value>(bytes).is_ok());
        let ours = best(5, || canonical::to_vec(bytes, usize::MAX).map(|out| out.len()));
        let hashed = best(5, || {
            let mut hasher = Hasher::new(Algorithm::Sha256);
            canonical::stream(bytes, usize::MAX, &mut hasher).map(|()| hasher.finish())
        });
        let tree = best(2, || json::parse(bytes, usize::MAX).is_ok());
        let sha256 = best(3, || Algorithm::Sha256.digest(bytes));

        let line = |what: &str, time| {
            println!("  {what:<44} {:>8.3} s {:>7.0} MB/s", std::time::Duration::as_secs_f64(&time), rate(bytes.len(), time))
        };
        line("bytes to canonical bytes", ours);
        line("bytes to SHA-256 of the canonical bytes", hashed);
        line("bytes to json::Value", tree);
        line("SHA-256 of the document, for comparison", sha256);
        line("serde_json, bytes to Value", parse);
        line("olpc-cjson, Value to canonical bytes", theirs);
        let times = |theirs: std::time::Duration| theirs.as_secs_f64() / ours.as_secs_f64();
        println!("  times faster than olpc-cjson alone {:.1}, with serde_json before it {:.1}", times(theirs), times(theirs + parse));
    }
    Ok(())
}

/// Reads a file and hashes its canonical form.
pub(crate) fn hash(file: &str) -> Result<(), Failure> {
    let document = std::fs::read(file)?;
    let mut hasher = Hasher::new(Algorithm::Sha256);
    canonical::stream(&document, usize::MAX, &mut hasher)?;
    println!("{}", hasher.finish());
    Ok(())
}

fn olpc(value: &serde_json::Value) -> Result<Vec<u8>, serde_json::Error> {
    let mut out = Vec::new();
    value.serialize(&mut serde_json::Serializer::with_formatter(&mut out, olpc_cjson::CanonicalFormatter::new()))?;
    Ok(out)
}
