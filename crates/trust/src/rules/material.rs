//! Keys, roots and in-toto layouts, as a document names them.

use alloc::string::String;

use touchmark_envelope::json::Value;

use super::document::{Origin, SIGNED_TARGET};
use super::error::{RuleError, RuleFault};
use super::read::{known, text};

/// Where the files of a trust repository that are not artifacts are.
pub const TARGETS: &str = "_touchmark/";
/// Bytes of a path.
pub const MAX_PATH: usize = 4096;
/// What a key in the document begins with.
const PEM: &str = "-----BEGIN ";

/// Something that a rule needs, and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Material {
    /// It stands in the document: the text of a PEM or JSON file.
    Inline(String),
    /// The path of a file; a relative one begins at the folder of the policy file.
    File(String),
    /// The path of a target of the trust repository.
    Target(String),
}

/// What a rule may refer to, where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Allowed {
    pub(crate) origin: Origin,
    /// Whether there is a trust repository whose targets it could be.
    pub(crate) targets: bool,
}

impl Material {
    /// Reads `"a.pub"`, `"-----BEGIN …"`, `{"inline": TEXT}` or `{"target": PATH}`.
    pub(crate) fn read(value: &Value<'_>, allowed: Allowed) -> Result<Self, RuleError> {
        let Some(object) = value.as_object() else {
            let text = text(value, MAX_INLINE, "a path, a PEM text, or an object with `inline` or `target`")?;
            if text.starts_with(PEM) {
                return Ok(Material::Inline(text));
            }
            if allowed.origin == Origin::Signed {
                return Err(RuleError::new(RuleFault::Signed("is the path of a file")));
            }
            return path(text).map(Material::File);
        };
        known(object, &["inline", "target"])?;
        match (object.get("inline"), object.get("target")) {
            (Some(value), None) => text(value, MAX_INLINE, "a text").map(Material::Inline).map_err(|error| error.within("inline")),
            (None, Some(value)) => target(value, allowed).map_err(|error| error.within("target")),
            _ => Err(RuleError::new(RuleFault::Value("a path, a PEM text, or an object with either `inline` or `target`"))),
        }
    }

    /// As it is written.
    pub(crate) fn to_json(&self) -> Value<'static> {
        match self {
            Material::Inline(text) if text.starts_with(PEM) => Value::from(text.clone()),
            Material::Inline(text) => Value::object([("inline", text.clone())]),
            Material::File(path) => Value::from(path.clone()),
            Material::Target(path) => Value::object([("target", path.clone())]),
        }
    }
}

/// Bytes of a text in the document that is a file's.
const MAX_INLINE: usize = 512 << 10;

/// A path of this machine.
pub(crate) fn path(text: String) -> Result<String, RuleError> {
    let fault = |what| Err(RuleError::new(RuleFault::Path(what)));
    match text.as_str() {
        "" => fault("it is empty"),
        text if text.len() > MAX_PATH => fault("it is too long"),
        text if text.chars().any(char::is_control) => fault("it has a control character"),
        _ => Ok(text),
    }
}

fn target(value: &Value<'_>, allowed: Allowed) -> Result<Material, RuleError> {
    let fault = |what| Err(RuleError::new(RuleFault::Path(what)));
    if !allowed.targets {
        return Err(RuleError::new(RuleFault::Conflict("is a target, and a rule with `keys` has no trust repository")));
    }
    let path = path(text(value, MAX_PATH, "the path of a target")?)?;
    match path.strip_prefix(TARGETS) {
        None => fault("a file of a trust repository is below `_touchmark/`, outside of what names are"),
        Some(_) if path == SIGNED_TARGET => fault("that is the policy"),
        Some(rest) if rest.split('/').any(|segment| matches!(segment, "" | "." | "..")) => {
            fault("it has a segment that is empty, `.` or `..`")
        }
        Some(_) => Ok(Material::Target(path)),
    }
}
