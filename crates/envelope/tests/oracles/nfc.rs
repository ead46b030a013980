//! Which names are one to whoever normalises them. The fuzz targets use it, too.

use std::collections::BTreeSet;

use touchmark_envelope::json::Value;
use unicode_normalization::UnicodeNormalization as _;

/// Whether two members of one object have names that are equal under NFC.
pub(crate) fn has_equal_names(value: &Value<'_>) -> bool {
    match value {
        Value::Array(items) => items.iter().any(has_equal_names),
        Value::Object(object) => {
            let names: BTreeSet<String> = object.iter().map(|(name, _)| name.nfc().collect()).collect();
            names.len() < object.len() || object.iter().any(|(_, value)| has_equal_names(value))
        }
        _ => false,
    }
}
