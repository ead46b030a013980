//! `touchmark-verify`: the standalone verifier.

use std::io::{BufWriter, Write};
use std::process::ExitCode;

use touchmark_verify::args::{self, Command};
use touchmark_verify::exit::Exit;
use touchmark_verify::output::{Failure, Format, Output};

fn main() -> ExitCode {
    let mut out = BufWriter::new(std::io::stdout().lock());
    let mut err = std::io::stderr().lock();
    let exit = match args::parse(std::env::args_os().skip(1)) {
        Ok(Command::Verify(options)) => touchmark_verify::run(&options, &mut out, &mut err),
        Ok(Command::Help) => print(args::HELP, &mut out),
        Ok(Command::Version) => print(concat!("touchmark-verify ", env!("CARGO_PKG_VERSION"), "\n"), &mut out),
        Err(usage) => {
            let format = if usage.json { Format::Json } else { Format::Text };
            let mut output = Output::new("verify", format, false, &mut out, &mut err);
            output.fail(None, &Failure::usage(usage.message).hint("touchmark-verify --help"));
            output.finish()
        }
    };
    exit.into()
}

fn print(text: &str, out: &mut dyn Write) -> Exit {
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Exit::Done,
        Err(_) => Exit::Unknown,
    }
}
