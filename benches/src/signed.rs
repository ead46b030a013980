//! TUF targets files with their signatures: read once, checked and indexed.

use touchmark_envelope::digest::Algorithm;
use touchmark_envelope::json;
use touchmark_envelope::signed::{Options, Signed};

use crate::Failure;
use crate::document::{Order, targets};
use crate::stopwatch::{best, rate};

const OPTIONS: Options<'static> = Options { max_bytes: usize::MAX, max_signatures: 16, index: Some("targets") };

/// Prints times for documents whose signed part is in canonical form, and for others.
pub(crate) fn compare() -> Result<(), Failure> {
    for (mebibytes, order) in [(12, Order::Canonical), (12, Order::Sorted), (12, Order::Mixed), (120, Order::Canonical)] {
        let document = targets(mebibytes << 20, order);
        let signed = Signed::parse(document.clone().into_bytes(), OPTIONS)?.into_untrusted();
        let names: Vec<String> = signed.indexed().map(|(name, _)| name.into_owned()).collect();
        println!("a TUF targets file of {mebibytes} MiB with {} targets, {order:?}", names.len());

        let mut bytes = Some(document.clone().into_bytes());
        let read = best(9, || {
            let signed = Signed::parse(bytes.take().unwrap_or_default(), OPTIONS).map(|signed| signed.into_untrusted());
            bytes = signed.map(Signed::into_bytes).ok();
        });
        let utf8 = best(9, || core::str::from_utf8(document.as_bytes()).is_ok());
        let sha256 = best(3, || Algorithm::Sha256.digest(document.as_bytes()));
        let tree = best(3, || json::parse(document.as_bytes(), usize::MAX).is_ok());
        let find = best(3, || names.iter().filter(|name| signed.find(name).is_some()).count());

        let line = |what: &str, time: std::time::Duration| {
            println!("  {what:<44} {:>8.4} s {:>7.0} MB/s", time.as_secs_f64(), rate(document.len(), time))
        };
        line("read, checked, indexed", read);
        line("json::parse, for comparison", tree);
        line("SHA-256 of the document, for comparison", sha256);
        line("UTF-8 alone", utf8);
        println!("  {:<44} {:>8.0} ns", "one look-up", find.as_secs_f64() * 1e9 / f64::from(u32::try_from(names.len())?));
    }
    Ok(())
}

/// Reads a file; its memory is what is measured.
pub(crate) fn read(file: &str) -> Result<(), Failure> {
    let signed = Signed::parse(std::fs::read(file)?, OPTIONS)?.into_untrusted();
    println!("{} members, {} bytes signed", signed.index().map_or(0, |index| index.len()), signed.signed_bytes().len());
    Ok(())
}
