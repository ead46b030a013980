//! What commands print: on standard output data, as lines or as one JSON document; on standard error talk.
//!
//! Every command makes one [`Output`], hands it each result or [`Failure`] as it comes, and ends with
//! [`Output::finish`], which writes the JSON document (SPEC.md, "JSON output") and gives the exit.

use std::io::{self, Write};

/// What results are made of.
pub use touchmark::envelope::json::{Object, Value};

use crate::exit::Exit;

/// The `schema` member of every document.
pub const SCHEMA: &str = "urn:touchmark:output:v1";

/// How standard output is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// Lines.
    #[default]
    Text,
    /// One JSON document.
    Json,
}

impl std::str::FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            other => Err(format!("`{other}` is no format: text or json")),
        }
    }
}

/// What went wrong, for people and for programs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What the command ends with, if nothing weightier comes.
    pub exit: Exit,
    /// Stable, lower-case words with dashes: `referrers-cap`.
    pub code: String,
    /// What failed, and where.
    pub message: String,
    /// What to try.
    pub hint: Option<String>,
    /// Whether the same command may succeed later.
    pub retryable: bool,
}

impl Failure {
    /// A failure without a hint, which will fail again.
    pub fn new(exit: Exit, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { exit, code: code.into(), message: message.into(), hint: None, retryable: false }
    }

    /// A mistake on the command line or in what it names: exit 2.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, "usage", message)
    }

    /// The same failure with what to try.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same failure, which may pass.
    #[must_use]
    pub fn retryable(mut self) -> Self {
        self.retryable = true;
        self
    }

    /// `{code, message, hint, retryable}`; `hint` is null where there is none.
    pub fn to_json(&self) -> Value<'static> {
        let mut object = Object::new();
        object.insert("code", Value::from(self.code.clone()));
        object.insert("message", Value::from(self.message.clone()));
        object.insert("hint", self.hint.clone().map_or(Value::Null, Value::from));
        object.insert("retryable", self.retryable);
        Value::Object(object)
    }
}

/// The two streams of a command, and the JSON document that it builds.
pub struct Output<'a> {
    command: &'static str,
    format: Format,
    quiet: bool,
    out: &'a mut dyn Write,
    err: &'a mut dyn Write,
    results: Vec<Value<'static>>,
    exit: Exit,
    broken: Option<io::Error>,
}

impl<'a> Output<'a> {
    /// The output of `command`. With `quiet`, notes are left out; data and errors never are.
    pub fn new(command: &'static str, format: Format, quiet: bool, out: &'a mut dyn Write, err: &'a mut dyn Write) -> Self {
        Self { command, format, quiet, out, err, results: Vec::new(), exit: Exit::Done, broken: None }
    }

    /// How standard output is written.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Whether notes are left out.
    pub fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// The exit so far.
    pub fn exit(&self) -> Exit {
        self.exit
    }

    /// Prints a line of data. In JSON nothing: there the result holds it.
    pub fn line(&mut self, text: &str) {
        if self.format == Format::Text {
            let done = writeln!(self.out, "{}", printable(text));
            self.keep(done);
        }
    }

    /// Prints a line of data as it is: JSON text, PEM. In JSON format nothing.
    pub fn raw(&mut self, bytes: &[u8]) {
        if self.format == Format::Text {
            let done = self.out.write_all(bytes);
            self.keep(done);
        }
    }

    /// Says something on standard error that a reader may want, unless quiet.
    pub fn note(&mut self, text: &str) {
        if !self.quiet {
            self.say(text);
        }
    }

    /// Says something on standard error that a reader must not miss.
    pub fn warn(&mut self, text: &str) {
        self.say(&format!("warning: {text}"));
    }

    /// Says one of several reasons for a failure that follows.
    pub fn reason(&mut self, text: &str) {
        self.say(&format!("error: {text}"));
    }

    /// Adds a result: `exit_code` and `outcome` first, then `members`.
    pub fn result(&mut self, exit: Exit, members: Object<'static>) {
        self.exit = self.exit.and(exit);
        let mut object = Object::new();
        object.insert("exit_code", Value::from(u64::from(exit.code())));
        object.insert("outcome", Value::from(exit.name()));
        for (name, value) in members.iter() {
            object.insert(name.to_owned(), value.clone());
        }
        self.results.push(Value::Object(object));
    }

    /// Adds a result that is a failure, of the reference that the user typed if it belongs to one, and says it.
    pub fn fail(&mut self, reference: Option<&str>, failure: &Failure) {
        self.fail_with(reference, failure, Object::new());
    }

    /// As [`Output::fail`], with further members.
    pub fn fail_with(&mut self, reference: Option<&str>, failure: &Failure, members: Object<'static>) {
        match reference {
            Some(reference) => self.say(&format!("error: {reference}: {}", failure.message)),
            None => self.say(&format!("error: {}", failure.message)),
        }
        if let Some(hint) = &failure.hint {
            self.say(&format!("  try: {hint}"));
        }
        let mut object = Object::new();
        if let Some(reference) = reference {
            object.insert("reference", Value::from(reference.to_owned()));
        }
        object.insert("error", failure.to_json());
        for (name, value) in members.iter() {
            object.insert(name.to_owned(), value.clone());
        }
        self.result(failure.exit, object);
    }

    /// Writes the document, if the format is JSON, and flushes.
    ///
    /// The exit is that of all results together; output that could not be written makes it [`Exit::Unknown`] at least,
    /// for then nobody has read the answer.
    pub fn finish(mut self) -> Exit {
        if self.format == Format::Json {
            let mut object = Object::new();
            object.insert("schema", Value::from(SCHEMA));
            object.insert("command", Value::from(self.command));
            object.insert("results", Value::from(core::mem::take(&mut self.results)));
            let mut text = Value::Object(object).to_pretty();
            text.push(b'\n');
            let done = self.out.write_all(&text);
            self.keep(done);
        }
        let done = self.out.flush();
        self.keep(done);
        if let Some(error) = self.broken.take() {
            self.say(&format!("error: standard output cannot be written: {error}"));
            self.exit = self.exit.and(Exit::Unknown);
        }
        self.exit
    }

    fn keep(&mut self, done: io::Result<()>) {
        if let Err(error) = done
            && self.broken.is_none()
        {
            self.broken = Some(error);
        }
    }

    /// Talk that cannot be delivered changes no outcome.
    fn say(&mut self, text: &str) {
        let _ = writeln!(self.err, "{}", printable(text));
    }
}

/// `text` with control, bidirectional-formatting and invisible characters escaped, so that nothing from outside steers a terminal,
/// begins a line of its own, or looks like what it is not by something that does not show.
pub fn printable(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        if steers(character) {
            safe.extend(character.escape_unicode());
        } else {
            safe.push(character);
        }
    }
    safe
}

fn steers(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            // Directions, lines and their like; then what has no width; then tags and selectors.
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{206f}'
                | '\u{ad}' | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200d}'
                | '\u{2060}'..='\u{2065}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_show_or_turns_the_line_is_escaped() {
        let hidden = [
            '\u{61c}', '\u{200b}', '\u{200c}', '\u{200d}', '\u{2060}', '\u{2064}', '\u{206f}', '\u{feff}', '\u{ad}', '\u{180e}', '\u{3164}',
        ];
        for character in hidden.into_iter().chain('\u{e0001}'..='\u{e007f}').chain('\u{e0100}'..='\u{e01ef}') {
            assert_eq!(printable(&format!("a{character}b")), format!("a\\u{{{:x}}}b", u32::from(character)));
        }
        // What shows is left, of whatever script.
        for text in ["é", "ü/日本語", "नमस्ते", "שלום", "مرحبا", "a b"] {
            assert_eq!(printable(text), text);
        }
    }

    fn printed(format: Format, quiet: bool, say: impl FnOnce(&mut Output<'_>)) -> (Exit, String, String) {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let mut output = Output::new("verify", format, quiet, &mut out, &mut err);
        say(&mut output);
        let exit = output.finish();
        (exit, String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap())
    }

    #[test]
    fn text_has_data_on_one_stream_and_talk_on_the_other() {
        let say = |output: &mut Output<'_>| {
            output.line("oci:a@sha256:00");
            output.note("a note");
            output.warn("careful");
            output.result(Exit::Done, Object::new());
            output.fail(Some("oci:b"), &Failure::new(Exit::Unknown, "io", "no such folder").hint("look elsewhere").retryable());
        };
        let (exit, out, err) = printed(Format::Text, false, say);
        assert_eq!(exit, Exit::Unknown);
        assert_eq!(out, "oci:a@sha256:00\n");
        assert_eq!(err, "a note\nwarning: careful\nerror: oci:b: no such folder\n  try: look elsewhere\n");
        assert!(!printed(Format::Text, true, say).2.contains("a note"));
    }

    #[test]
    fn json_is_one_document_whatever_happened() {
        let (exit, out, _) = printed(Format::Json, true, |output| {
            output.line("not in JSON");
            let mut members = Object::new();
            members.insert("pin", "oci:a@sha256:00");
            output.result(Exit::Done, members);
            output.fail(None, &Failure::usage("no key"));
        });
        assert_eq!(exit, Exit::Usage);
        let document = touchmark::envelope::json::parse(out.as_bytes(), out.len()).unwrap();
        assert_eq!(document.get("schema").and_then(Value::as_str), Some(SCHEMA));
        let results = document.get("results").and_then(Value::as_array).unwrap();
        assert_eq!(results[0].get("exit_code").and_then(Value::as_u64), Some(0));
        assert_eq!(results[0].get("pin").and_then(Value::as_str), Some("oci:a@sha256:00"));
        let error = results[1].get("error").unwrap();
        assert_eq!(error.get("code").and_then(Value::as_str), Some("usage"));
        assert_eq!(error.get("hint"), Some(&Value::Null));
        assert_eq!(error.get("retryable").and_then(Value::as_bool), Some(false));
        assert_eq!(printed(Format::Json, true, |_| {}).1.lines().last(), Some("}"));
    }

    #[test]
    fn an_answer_that_nobody_can_read_is_no_success() {
        struct Full;
        impl Write for Full {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::StorageFull.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        for format in [Format::Text, Format::Json] {
            let (mut full, mut err) = (Full, Vec::new());
            let mut output = Output::new("verify", format, false, &mut full, &mut err);
            output.line("oci:a@sha256:00");
            assert_eq!(output.finish(), Exit::Unknown);
        }
    }

    #[test]
    fn nothing_from_outside_steers_the_terminal() {
        assert_eq!(printable("a\u{1b}[2Jb\nc\u{202e}d\u{9b}é"), "a\\u{1b}[2Jb\\u{a}c\\u{202e}d\\u{9b}é");
    }
}
