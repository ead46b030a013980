//! Why a call failed, before it becomes an error of the caller.

use std::borrow::Cow;
use std::fmt;

use touchmark_envelope::json::{Object, Value};

use crate::status::{TOUCHMARK_STATUS_INTERNAL, TOUCHMARK_STATUS_INVALID_ARGUMENT, TOUCHMARK_STATUS_WRONG_STATE, touchmark_status};

/// What makes the JSON of a report, if anybody asks for it.
pub(crate) type Report = Box<dyn Fn() -> Value<'static> + Send + Sync>;

/// Why a call failed. It is boxed where it travels: the way of success carries a pointer.
pub(crate) struct Failure(Box<Inner>);

pub(crate) struct Inner {
    pub(crate) status: touchmark_status,
    /// Stable, lower-case words with dashes.
    pub(crate) code: Cow<'static, str>,
    pub(crate) message: String,
    pub(crate) hint: Option<Cow<'static, str>>,
    pub(crate) retryable: bool,
    pub(crate) report: Option<Report>,
    /// What the caller's function said, where one failed: its status.
    pub(crate) callback: Option<touchmark_status>,
}

impl Failure {
    /// A failure without a hint, which will fail again.
    pub(crate) fn new(status: touchmark_status, code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        let (code, message) = (code.into(), one_line(message.into()));
        Self(Box::new(Inner { status, code, message, hint: None, retryable: false, report: None, callback: None }))
    }

    /// An argument that cannot be.
    pub(crate) fn argument(message: impl Into<String>) -> Self {
        Self::new(TOUCHMARK_STATUS_INVALID_ARGUMENT, "invalid-argument", message)
    }

    /// A call that is not allowed now.
    pub(crate) fn state(message: impl Into<String>) -> Self {
        Self::new(TOUCHMARK_STATUS_WRONG_STATE, "wrong-state", message)
    }

    /// What should not happen.
    pub(crate) fn internal(message: impl Into<String>) -> Self {
        Self::new(TOUCHMARK_STATUS_INTERNAL, "internal", message)
    }

    /// The same with another status.
    #[cfg(feature = "io")]
    #[must_use]
    pub(crate) fn status(mut self, status: touchmark_status) -> Self {
        self.0.status = status;
        self
    }

    /// The same with another code.
    #[cfg(feature = "supply-chain")]
    #[must_use]
    pub(crate) fn code(mut self, code: impl Into<Cow<'static, str>>) -> Self {
        self.0.code = code.into();
        self
    }

    /// The same with what to try.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<Cow<'static, str>>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// The same, which may pass.
    #[must_use]
    pub(crate) fn retryable(mut self, retryable: bool) -> Self {
        self.0.retryable = retryable;
        self
    }

    /// The same with why, as JSON that is made if it is asked for.
    #[must_use]
    pub(crate) fn report(mut self, report: impl Fn() -> Value<'static> + Send + Sync + 'static) -> Self {
        self.0.report = Some(Box::new(report));
        self
    }

    /// The same with the status that the caller's function returned, if that is why there is this failure.
    #[must_use]
    pub(crate) fn callback(mut self, status: impl Into<Option<touchmark_status>>) -> Self {
        self.0.callback = status.into();
        self
    }

    pub(crate) fn get(&self) -> &Inner {
        &self.0
    }

    /// `{status, code, message, hint, retryable}`, `callback_status` where a function of the caller failed, and `report` where there is one.
    pub(crate) fn to_json(&self) -> Value<'static> {
        let inner = self.get();
        let mut object = Object::new();
        object.insert("status", Value::from(u64::from(inner.status)));
        object.insert("code", Value::from(inner.code.clone().into_owned()));
        object.insert("message", Value::from(inner.message.clone()));
        object.insert("hint", inner.hint.clone().map_or(Value::Null, |hint| Value::from(hint.into_owned())));
        object.insert("retryable", inner.retryable);
        if let Some(status) = inner.callback {
            object.insert("callback_status", Value::from(u64::from(status)));
        }
        if let Some(report) = &inner.report {
            object.insert("report", report());
        }
        Value::Object(object)
    }
}

/// A message in one line that moves no cursor and turns no text round: it may quote what a function of the caller was told by a stranger.
fn one_line(message: String) -> String {
    let is_bad = |character: char| {
        character.is_control() || matches!(character, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if !message.contains(is_bad) {
        return message;
    }
    let mut line = String::with_capacity(message.len());
    for character in message.chars() {
        if is_bad(character) { line.extend(character.escape_default()) } else { line.push(character) }
    }
    line
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = self.get();
        write!(f, "{} {}: {}", crate::status::name(inner.status), inner.code, inner.message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_one_line_whatever_it_quotes() {
        let failure = Failure::argument("HTTP 500:\r\nstatus: OK\u{1b}[2K\0 \u{202e}KO \u{2028}é \"x\"");
        let message = "HTTP 500:\\r\\nstatus: OK\\u{1b}[2K\\u{0} \\u{202e}KO \\u{2028}é \"x\"";
        assert_eq!(failure.get().message, message);
        assert_eq!(failure.to_json().get("message"), Some(&Value::from(message.to_owned())));
    }
}
