//! Measures the library against what it is compared with, in one process, and prints the ratios.
//!
//! ```text
//! touchmark-benches                     every comparison
//! touchmark-benches envelope [ALGORITHM] that of envelopes alone; in this process, if an algorithm is named
//! touchmark-benches document MIB ORDER  prints a TUF targets file of this size, sorted, mixed or canonical
//! touchmark-benches canonical FILE      hashes the canonical form of a file; benches/run.sh takes its memory
//! touchmark-benches signed [FILE]       that of documents with signatures alone; or reads one and looks targets up
//! touchmark-benches in-toto LAYOUT PUB DIR  verifies an in-toto layout with the links of a folder; benches/in_toto.sh measures it
//! touchmark-benches trust               verifying as a registry does, with the trust root in memory, against bare signature checks
//! touchmark-benches binding ENVELOPE PUB CALLS  what benches/bindings.sh measures the bindings against
//! touchmark-benches trust FOLDER        makes an artifact and trust repositories; benches/trust.sh measures the verifier with them
//! ```

mod binding;
mod canonical;
mod document;
mod envelope;
mod in_toto;
mod signed;
mod stopwatch;
mod trust;

use std::io::Write;
use std::process::ExitCode;

type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match arguments.as_slice() {
        [] => library(),
        ["envelope"] => envelope::compare(),
        ["envelope", algorithm] => envelope::measure(algorithm),
        ["document", mebibytes, "sorted"] => print_document(mebibytes, document::Order::Sorted),
        ["document", mebibytes, "mixed"] => print_document(mebibytes, document::Order::Mixed),
        ["document", mebibytes, "canonical"] => print_document(mebibytes, document::Order::Canonical),
        ["canonical", file] => canonical::hash(file),
        ["signed"] => signed::compare(),
        ["signed", file] => signed::read(file),
        ["trust"] => trust::compare(),
        ["trust", "here"] => trust::measure(),
        ["trust", folder] => trust::make(folder),
        ["binding", envelope, key, calls] => binding::verify(envelope, key, calls),
        ["in-toto", layout, key, links] => in_toto::verify(layout, key, links),
        _ => {
            Err("usage: touchmark-benches [envelope [ALGORITHM] | document MIB sorted|mixed|canonical | canonical FILE | signed [FILE] | in-toto \
                 LAYOUT PUB DIR | trust [FOLDER] | binding ENVELOPE PUB CALLS]"
                .into())
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn library() -> Result<(), Failure> {
    envelope::digests();
    envelope::compare()?;
    canonical::compare()?;
    signed::compare()
}

fn print_document(mebibytes: &str, order: document::Order) -> Result<(), Failure> {
    let bytes = mebibytes.parse::<usize>()? << 20;
    Ok(std::io::stdout().write_all(document::targets(bytes, order).as_bytes())?)
}
