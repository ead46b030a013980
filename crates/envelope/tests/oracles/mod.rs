//! What others make of JSON. The fuzz targets use it, too.

use serde::Serialize as _;
use touchmark_envelope::json::Value;

/// The canonical form that olpc-cjson gives a document.
pub(crate) fn olpc(document: &[u8]) -> Vec<u8> {
    let value: serde_json::Value = serde_json::from_slice(document).expect("valid");
    let mut out = Vec::new();
    let mut serializer = serde_json::Serializer::with_formatter(&mut out, olpc_cjson::CanonicalFormatter::new());
    value.serialize(&mut serializer).expect("canonical");
    out
}

/// Whether serde_json read the same document.
pub(crate) fn same(ours: &Value<'_>, theirs: &serde_json::Value) -> bool {
    use serde_json::Value as Theirs;
    match (ours, theirs) {
        (Value::Null, Theirs::Null) => true,
        (Value::Bool(ours), Theirs::Bool(theirs)) => ours == theirs,
        // serde_json rounds what is no 64-bit integer.
        (Value::Number(ours), Theirs::Number(theirs)) => match (ours.as_u64(), ours.as_i64()) {
            (Some(ours), _) => Some(ours) == theirs.as_u64(),
            (None, Some(ours)) => Some(ours) == theirs.as_i64(),
            (None, None) => theirs.is_f64() && ours.as_str().parse::<f64>().ok().is_some_and(|ours| close(ours, theirs.as_f64())),
        },
        (Value::String(ours), Theirs::String(theirs)) => ours == theirs,
        (Value::Array(ours), Theirs::Array(theirs)) => {
            ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(ours, theirs)| same(ours, theirs))
        }
        (Value::Object(ours), Theirs::Object(theirs)) => {
            ours.len() == theirs.len() && ours.iter().all(|(name, ours)| theirs.get(name).is_some_and(|theirs| same(ours, theirs)))
        }
        _ => false,
    }
}

/// serde_json's quick reading of decimals is off by a unit in the last place at times.
fn close(ours: f64, theirs: Option<f64>) -> bool {
    theirs.is_some_and(|theirs| (ours - theirs).abs() <= ours.abs() * 1e-14)
}
