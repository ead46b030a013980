//! What a document with signatures holds, found out in the slow way. The fuzz target uses it, too.

use touchmark_envelope::canonical;
use touchmark_envelope::json::{self, Value};
use touchmark_envelope::signed::{MAX_MEMBERS, Options, Signed};
use touchmark_envelope::threshold::Signature;

/// How many signatures are allowed.
pub(crate) const MAX_SIGNATURES: usize = 8;

/// Reads `document` in the quick way, which must refuse what the slow one refuses, and otherwise see the same; says whether it was taken.
pub(crate) fn check(document: &[u8], index: &str) -> bool {
    let options = Options { max_bytes: document.len(), max_signatures: MAX_SIGNATURES, index: Some(index) };
    let ours = Signed::parse(document.to_vec(), options).map(|signed| signed.into_untrusted());
    let Some((signed, canonical, signatures)) = read(document) else {
        assert!(ours.is_err(), "taken: {}", String::from_utf8_lossy(document));
        return false;
    };
    let mut ours = ours.unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(document)));
    assert_eq!(ours.bytes(), document);
    assert_eq!(ours.signed_bytes(), canonical);
    assert_eq!(ours.signatures(), signatures);
    assert_eq!(&parsed(ours.signed_text()), &signed);

    let members: Vec<_> = ours.members().map(|(name, text)| (name, parsed(text))).collect();
    assert!(members.iter().map(|(name, value)| (*name, value)).eq(signed.as_object().expect("an object").iter()));

    let indexed = signed.get(index).and_then(Value::as_object);
    assert_eq!(ours.index().map(|index| index.len()), indexed.map(json::Object::len));
    let mut names: Vec<&str> = indexed.into_iter().flat_map(json::Object::iter).map(|(name, _)| name).collect();
    names.sort_unstable();
    assert!(ours.indexed().map(|(name, _)| name).eq(names.iter().copied()));
    // Of very many some, since the slow way looks through all of them each time.
    for name in names.iter().step_by(1 + names.len() / 50) {
        assert_eq!(ours.find(name).map(parsed).as_ref(), indexed.and_then(|object| object.get(name)), "{name:?}");
        for other in [format!("{name}\0"), name.chars().skip(1).collect(), name.to_uppercase()] {
            assert_eq!(ours.find(&other).map(parsed).as_ref(), indexed.and_then(|object| object.get(&other)), "{other:?}");
        }
    }
    ours.forget_canonical();
    assert_eq!(ours.into_bytes(), document);
    true
}

/// `signed`, its canonical form, and the signatures.
fn read(document: &[u8]) -> Option<(Value<'_>, Vec<u8>, Vec<Signature>)> {
    let whole = json::parse(document, document.len()).ok().filter(|whole| whole.as_object().is_some_and(few))?;
    let signed = whole.get("signed").filter(|signed| signed.as_object().is_some_and(few))?;
    let members = json::members(document, document.len()).expect("an object");
    let (_, text) = members.iter().find(|(name, _)| name == "signed")?;
    let canonical = canonical::to_vec(text.as_bytes(), text.len()).ok()?;
    let signatures = whole.get("signatures")?.as_array().filter(|list| list.len() <= MAX_SIGNATURES)?;
    let signatures: Option<Vec<_>> = signatures.iter().map(signature).collect();
    Some((signed.clone(), canonical, signatures?))
}

fn few(object: &json::Object<'_>) -> bool {
    object.len() <= MAX_MEMBERS
}

fn signature(value: &Value<'_>) -> Option<Signature> {
    let object = value.as_object().filter(|object| few(object))?;
    let string = |name| match object.get(name) {
        None => Some(None),
        Some(value) => value.as_str().map(Some),
    };
    let sig = string("sig")?.unwrap_or_default();
    let hexadecimal = sig.len() % 2 == 0 && sig.bytes().all(|byte| byte.is_ascii_hexdigit());
    let byte = |i| u8::from_str_radix(sig.get(i..i + 2)?, 16).ok();
    let bytes = if hexadecimal { (0..sig.len()).step_by(2).map(byte).collect::<Option<_>>()? } else { Vec::new() };
    Some(Signature { keyid: string("keyid")?.map(Into::into), bytes })
}

fn parsed(text: &str) -> Value<'_> {
    assert_eq!(text, text.trim_ascii());
    json::parse(text.as_bytes(), text.len()).expect("a value")
}
