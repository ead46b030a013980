//! Writes crates/capi/include/touchmark.h, and the list of the symbols in it, from the exported functions; or compares.
//!
//!     touchmark-header REPOSITORY            writes both
//!     touchmark-header REPOSITORY --check    says whether they are as they would be written

mod symbols;
mod version;

use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use cbindgen::{Builder, Config, DocumentationLength, DocumentationStyle, Language, LineEndingStyle, Style};

use crate::version::Version;

const INTRODUCTION: &str = include_str!("introduction.h");

const HOW_TO_BUMP: &str = "\
The interface differs from the committed one. If that is meant:
  1. A function, a type or a status was added: nothing that is there changes. Raise the minor version
     (`version` in [workspace.package] of Cargo.toml and of the workspace's crates in [workspace.dependencies]);
     while the major version is 0, a patch version may add.
  2. A function, a type, a number or a layout was changed or removed: programs that were built break. Raise the
     major version, or the minor version while the major one is 0, in the same places; the soname
     (libtouchmark.so.MAJOR, crates/capi/build.rs) follows from the major version alone, so that while it is 0
     CHANGELOG.md must say what breaks. Numbers of statuses and layouts of structures by value are never reused.
  3. Run scripts/header.sh, and commit include/touchmark.h, symbols.txt and abi.txt of crates/capi with the change.";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [repository] => write(Path::new(repository)),
        [repository, "--check"] => check(Path::new(repository)),
        _ => Err("usage: touchmark-header REPOSITORY [--check]".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn write(repository: &Path) -> Result<(), Box<dyn Error>> {
    for (path, text) in files(repository)? {
        let path = repository.join(path);
        if fs::read_to_string(&path).ok().as_ref() != Some(&text) {
            fs::write(&path, text)?;
            println!("written: {}", path.display());
        }
    }
    Ok(())
}

fn check(repository: &Path) -> Result<(), Box<dyn Error>> {
    let mut differ = false;
    for (path, text) in files(repository)? {
        let committed = fs::read_to_string(repository.join(path))?;
        if let Some((line, (old, new))) = first_difference(&committed, &text) {
            eprintln!("{path}:{line}: committed `{old}`, generated `{new}`");
            differ = true;
        }
    }
    if differ { Err(HOW_TO_BUMP.into()) } else { Ok(()) }
}

/// What is written where, below the repository.
fn files(repository: &Path) -> Result<[(&'static str, String); 2], Box<dyn Error>> {
    let header = header(repository)?;
    let symbols = symbols::list(&header)?;
    Ok([("crates/capi/include/touchmark.h", header), ("crates/capi/symbols.txt", symbols)])
}

fn header(repository: &Path) -> Result<String, Box<dyn Error>> {
    let version = Version::of(&repository.join("Cargo.toml"))?;
    let mut config = Config {
        language: Language::C,
        cpp_compat: true,
        style: Style::Both,
        include_guard: Some("TOUCHMARK_H".to_owned()),
        header: Some("/* libtouchmark. Made by tools/header from crates/capi/src; do not edit. Apache-2.0 OR MIT */".to_owned()),
        no_includes: true,
        sys_includes: vec!["stddef.h".to_owned(), "stdint.h".to_owned()],
        after_includes: Some(format!("\n{}\n{INTRODUCTION}", version.macros())),
        line_length: 120,
        tab_width: 2,
        usize_is_size_t: true,
        documentation_style: DocumentationStyle::Doxy,
        documentation_length: DocumentationLength::Full,
        line_endings: LineEndingStyle::LF,
        ..Config::default()
    };
    for (feature, define) in symbols::FEATURES {
        config.defines.insert(format!("feature = {feature}"), define.to_owned());
    }
    let bindings = Builder::new().with_config(config).with_src(repository.join("crates/capi/src/lib.rs")).generate()?;
    let mut text = Vec::new();
    bindings.write(&mut text);
    Ok(String::from_utf8(text)?)
}

/// The first line, counted from 1, in which two texts differ.
fn first_difference<'a>(old: &'a str, new: &'a str) -> Option<(usize, (&'a str, &'a str))> {
    let end = "the end of the file";
    let longest = old.lines().count().max(new.lines().count());
    let lines = |text: &'a str| text.lines().chain(std::iter::repeat(end));
    (1..=longest).zip(lines(old).zip(lines(new))).find(|(_, (old, new))| old != new)
}
