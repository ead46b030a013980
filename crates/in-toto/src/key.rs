//! The keys of a layout (in-toto 1.0, 4.2.1), in the forms that all implementations write.

use alloc::borrow::ToOwned;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;

use touchmark_envelope::json::{Object, Value};
use touchmark_envelope::key::{KeyAlgorithm, PublicKey};
use touchmark_envelope::threshold::KeySet;

use crate::certificates::Uncertified;

/// How many characters of a keyid stand in the name of a link's file. The specification says six bytes; every implementation takes
/// eight characters.
pub(crate) const FILE_PREFIX: usize = 8;

/// Why nothing that a listed key signs counts.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unusable {
    /// A key of GnuPG, whose signatures are not checked: their validity hangs on revocations, usage and expiry that no layout has.
    #[error("it is a GPG key, and signatures by these are not checked")]
    Gpg,
    /// The layout has the private key too, so that whoever read it can sign.
    #[error("the layout has its private key too")]
    Private,
    /// A kind of key or of signature that is not known.
    #[error("its key type `{}` with the scheme `{}` is not known", keytype.escape_debug(), scheme.escape_debug())]
    Unknown {
        /// The key type, at most 64 characters of it.
        keytype: String,
        /// The scheme, at most 64 characters of it.
        scheme: String,
    },
    /// It is no key of its kind.
    #[error("it is malformed")]
    Malformed,
    /// The layout does not list it.
    #[error("the layout does not list it")]
    Unlisted,
    /// An authority of certificates that is none.
    #[error("{0}")]
    Certificate(Uncertified),
}

impl Unusable {
    /// A stable name for the reason.
    pub fn code(&self) -> &'static str {
        match self {
            Unusable::Gpg => "in-toto-gpg-key",
            Unusable::Private => "in-toto-private-key",
            Unusable::Unknown { .. } => "in-toto-key-type",
            Unusable::Malformed => "in-toto-key-malformed",
            Unusable::Unlisted => "in-toto-key-unlisted",
            Unusable::Certificate(why) => why.code(),
        }
    }
}

/// The keys of a layout, by the keyids that it lists them under.
#[derive(Clone, Debug, Default)]
pub struct Keys {
    listed: BTreeMap<String, Result<PublicKey, Unusable>>,
    /// The keyids under which KEY objects without one of their own are listed, or with another one.
    unnamed: BTreeSet<String>,
    /// The keyids that implementations compute of the keys, each with one that its key is listed under.
    aliases: BTreeMap<String, String>,
}

/// Who may sign for a step: distinct public keys, and where to look for what they signed.
#[derive(Clone, Debug)]
pub(crate) struct Functionaries {
    pub(crate) keys: KeySet,
    /// Keyids that name no key which could sign, and why.
    pub(crate) unusable: Vec<(String, Unusable)>,
    /// What stands for the keys in names of files.
    pub(crate) prefixes: Vec<String>,
}

impl Keys {
    /// Reads the member `keys` of a layout. `None` if it is no object of objects.
    pub(crate) fn read(keys: &Object<'_>) -> Option<Self> {
        let mut read = Self::default();
        for (keyid, key) in keys.iter() {
            let object = key.as_object()?;
            if object.get("keyid").and_then(Value::as_str) != Some(keyid) {
                read.unnamed.insert(keyid.to_owned());
            }
            let key = decode(object);
            if let Ok(key) = &key {
                for alias in key.key_ids() {
                    read.aliases.entry(alias.into_string()).or_insert_with(|| keyid.to_owned());
                }
            }
            read.listed.insert(keyid.to_owned(), key);
        }
        Some(read)
    }

    /// The key that `keyid` names: the one that is listed under it, or else the one that it is a keyid of in any form.
    ///
    /// # Errors
    /// There is none, or nothing that it signs counts.
    pub fn get(&self, keyid: &str) -> Result<&PublicKey, Unusable> {
        let listed = self.listed.get(keyid).or_else(|| self.listed.get(self.aliases.get(keyid)?));
        match listed {
            Some(Ok(key)) => Ok(key),
            Some(Err(unusable)) => Err(unusable.clone()),
            None => Err(Unusable::Unlisted),
        }
    }

    /// The keyids whose private keys the layout has too.
    pub fn private(&self) -> impl Iterator<Item = &str> {
        self.listed.iter().filter(|(_, key)| matches!(key, Err(Unusable::Private))).map(|(keyid, _)| keyid.as_str())
    }

    /// The keyids under which KEY objects are listed that do not have them as their `keyid`.
    pub fn unnamed(&self) -> impl Iterator<Item = &str> {
        self.unnamed.iter().map(String::as_str)
    }

    /// The keys that are usable, by the keyids that they are listed under.
    pub(crate) fn usable(&self) -> impl Iterator<Item = (&str, &PublicKey)> {
        self.listed.iter().filter_map(|(keyid, key)| Some((keyid.as_str(), key.as_ref().ok()?)))
    }

    /// The keyids that keys are listed under.
    pub fn keyids(&self) -> impl Iterator<Item = &str> {
        self.listed.keys().map(String::as_str)
    }

    /// Who may sign for a step that lists these keyids.
    pub(crate) fn functionaries(&self, keyids: &[String]) -> Functionaries {
        let (mut usable, mut unusable, mut prefixes) = (Vec::new(), Vec::new(), Prefixes::default());
        for keyid in keyids {
            prefixes.add(keyid);
            match self.get(keyid) {
                Ok(key) => usable.push((keyid, key)),
                Err(reason) => unusable.push((keyid.clone(), reason)),
            }
        }
        let mut keys = KeySet::new(usable.iter().map(|(_, key)| (*key).clone()));
        for (keyid, key) in &usable {
            keys.add_hint(key, keyid);
        }
        for (keyid, key) in &self.listed {
            if let Some(key) = key.as_ref().ok().filter(|key| keys.keys().contains(key)) {
                keys.add_hint(key, keyid);
                prefixes.add(keyid);
            }
        }
        prefixes.add_keys(&keys);
        Functionaries { keys, unusable, prefixes: prefixes.list }
    }
}

impl Functionaries {
    /// Those who may sign because they signed before, or because the caller says so.
    pub(crate) fn of(keys: KeySet) -> Self {
        let mut prefixes = Prefixes::default();
        prefixes.add_keys(&keys);
        Self { keys, unusable: Vec::new(), prefixes: prefixes.list }
    }
}

/// Beginnings of keyids, each once, in the order of the keys.
#[derive(Default)]
struct Prefixes {
    list: Vec<String>,
    known: BTreeSet<String>,
}

impl Prefixes {
    /// Adds that of a keyid, unless it is none that could be in the name of a file.
    fn add(&mut self, keyid: &str) {
        let prefix = keyid.get(..FILE_PREFIX).filter(|prefix| prefix.bytes().all(|byte| byte.is_ascii_hexdigit()));
        if let Some(prefix) = prefix.filter(|prefix| !self.known.contains(*prefix)) {
            self.known.insert(prefix.to_owned());
            self.list.push(prefix.to_owned());
        }
    }

    fn add_keys(&mut self, keys: &KeySet) {
        for id in keys.keys().iter().flat_map(PublicKey::key_ids).filter(|id| id.as_str().len() == 64) {
            self.add(id.as_str());
        }
    }
}

/// The key that a KEY object is.
pub(crate) fn decode(key: &Object<'_>) -> Result<PublicKey, Unusable> {
    let text = |name| key.get(name).and_then(Value::as_str);
    let keyval = key.get("keyval").and_then(Value::as_object);
    let part = |name| keyval.and_then(|keyval| keyval.get(name));
    // Whatever kind of key it is. Older writers leave an empty one.
    match part("private") {
        None | Some(Value::Null) => {}
        Some(Value::String(private)) if private.is_empty() => {}
        Some(_) => return Err(Unusable::Private),
    }
    if part("public").and_then(Value::as_str).is_some_and(|public| public.contains("PRIVATE KEY-----")) {
        return Err(Unusable::Private);
    }
    // What securesystemslib writes of a GPG key: `type` in place of `keytype`, `method` in place of `scheme`.
    if text("method").is_some_and(|method| method.starts_with("pgp")) {
        return Err(Unusable::Gpg);
    }
    let (Some(keytype), Some(scheme)) = (text("keytype"), text("scheme")) else { return Err(Unusable::Malformed) };
    let public = part("public").and_then(Value::as_str).ok_or(Unusable::Malformed)?;
    // in-toto-golang names the scheme of a P-384 key after P-256, and signs with SHA-384 all the same.
    let algorithms: &[KeyAlgorithm] = match (keytype, scheme) {
        ("ed25519", "ed25519") => &[KeyAlgorithm::Ed25519],
        ("ecdsa" | "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256") => &[KeyAlgorithm::EcdsaP256, KeyAlgorithm::EcdsaP384],
        ("ecdsa" | "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp384") => &[KeyAlgorithm::EcdsaP384],
        #[cfg(feature = "rsa")]
        ("rsa", "rsassa-pss-sha256") => &[KeyAlgorithm::RsaPssSha256],
        _ => {
            let cut = |text| crate::error::cut(text, 64);
            return Err(Unusable::Unknown { keytype: cut(keytype), scheme: cut(scheme) });
        }
    };
    let read = match algorithms {
        // in-toto-rs writes the points of ECDSA keys in hexadecimal, too.
        [algorithm, ..] if keytype == "ed25519" || (keytype != "rsa" && unhex(public).is_some()) => {
            unhex(public).and_then(|raw| PublicKey::from_raw(*algorithm, &raw).ok()).ok_or(Unusable::Malformed)
        }
        #[cfg(feature = "rsa")]
        [KeyAlgorithm::RsaPssSha256] => PublicKey::rsa_from_pem(public.as_bytes()).map_err(|_| Unusable::Malformed),
        _ => PublicKey::from_pem(public.as_bytes()).map_err(|_| Unusable::Malformed),
    };
    read.and_then(|key| if algorithms.contains(&key.algorithm()) { Ok(key) } else { Err(Unusable::Malformed) })
}

/// The bytes that `text` writes in hexadecimal, of either case.
fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
    pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use alloc::string::ToString;
    use touchmark_envelope::digest::hex;
    use touchmark_envelope::json::parse;
    use touchmark_envelope::sign::{PrivateKey, Signer as _};

    fn public(algorithm: KeyAlgorithm, byte: u8) -> PublicKey {
        let secret = [byte; 48];
        PrivateKey::from_raw(algorithm, &secret[..32]).or_else(|_| PrivateKey::from_raw(algorithm, &secret)).unwrap().public_key().clone()
    }

    fn object(keytype: &str, scheme: &str, public: &str) -> Value<'static> {
        let text = |text: &str| Value::from(text.to_string());
        let keyval = Value::object([("public", text(public))]);
        Value::object([("keytype", text(keytype)), ("scheme", text(scheme)), ("keyval", keyval)])
    }

    fn one(keytype: &str, scheme: &str, public: &str) -> Result<PublicKey, Unusable> {
        decode(object(keytype, scheme, public).as_object().unwrap())
    }

    #[test]
    fn keys_of_every_implementation_are_read() {
        let ed25519 = public(KeyAlgorithm::Ed25519, 1);
        let digits = hex(ed25519.as_raw());
        assert_eq!(one("ed25519", "ed25519", &digits), Ok(ed25519.clone()));
        assert_eq!(one("ed25519", "ed25519", &digits.to_uppercase()), Ok(ed25519));
        let (p256, p384) = (public(KeyAlgorithm::EcdsaP256, 1), public(KeyAlgorithm::EcdsaP384, 1));
        assert_eq!(one("ecdsa", "ecdsa-sha2-nistp256", &p256.to_pem()), Ok(p256.clone()));
        assert_eq!(one("ecdsa", "ecdsa-sha2-nistp256", p256.to_pem().trim_end()), Ok(p256.clone()));
        assert_eq!(one("ecdsa-sha2-nistp384", "ecdsa-sha2-nistp384", &p384.to_pem()), Ok(p384.clone()));
        assert_eq!(one("ecdsa", "ecdsa-sha2-nistp256", &p384.to_pem()), Ok(p384.clone()));
        assert_eq!(one("ecdsa", "ecdsa-sha2-nistp256", &hex(p256.as_raw())), Ok(p256.clone()));
        assert_eq!(one("ecdsa", "ecdsa-sha2-nistp384", &hex(p384.as_raw())), Ok(p384.clone()));
        // Not the other way about: nobody writes it.
        assert_eq!(one("ecdsa", "ecdsa-sha2-nistp384", &p256.to_pem()), Err(Unusable::Malformed));
        for empty in [r#""""#, "null"] {
            let text =
                format!(r#"{{"keytype":"ed25519","scheme":"ed25519","keyid":"x","keyval":{{"private":{empty},"public":"{digits}"}}}}"#);
            assert!(decode(parse(text.as_bytes(), 1000).unwrap().as_object().unwrap()).is_ok());
        }
    }

    #[test]
    fn keys_that_cannot_count_say_why() {
        let read = |text: &str| decode(parse(text.as_bytes(), 1000).unwrap().as_object().unwrap());
        let gpg = r#"{"type":"rsa","method":"pgp+rsa-pkcsv1.5","hashes":["pgp+SHA2"],"keyid":"00","keyval":{"private":"","public":{"e":"010001","n":"00"}}}"#;
        assert_eq!(read(gpg), Err(Unusable::Gpg));
        let private = r#"{"keytype":"ed25519","scheme":"ed25519","keyval":{"private":"00","public":"00"}}"#;
        assert_eq!(read(private), Err(Unusable::Private));
        assert!(matches!(one("ed25519", "ed25519ph", "00"), Err(Unusable::Unknown { .. })));
        for (keytype, scheme, public) in [("ed25519", "ed25519", "00"), ("ed25519", "ed25519", "é"), ("ecdsa", "ecdsa-sha2-nistp256", "x")]
        {
            assert_eq!(one(keytype, scheme, public), Err(Unusable::Malformed));
        }
        assert_eq!(read("{}"), Err(Unusable::Malformed));
        assert_eq!(one("rsa", "rsassa-pss-sha256", "x").unwrap_err() == Unusable::Malformed, cfg!(feature = "rsa"));
    }

    #[test]
    fn a_keyid_names_the_key_that_is_listed_under_it_first() {
        let (a, b) = (public(KeyAlgorithm::EcdsaP256, 1), public(KeyAlgorithm::EcdsaP256, 2));
        let id = |key: &PublicKey| key.key_ids()[2].as_str().to_string();
        let entry = |key: &PublicKey| object("ecdsa", "ecdsa-sha2-nistp256", &key.to_pem());
        let keys = Keys::read(Value::object([(id(&b), entry(&a)), ("x".into(), entry(&b))]).as_object().unwrap()).unwrap();
        assert_eq!(keys.get(&id(&b)), Ok(&a));
        // Every other form is an alias, and nothing is one of a key that is not listed.
        assert_eq!(keys.get(b.key_ids()[3].as_str()), Ok(&b));
        assert_eq!(keys.get(&id(&a)), Ok(&a));
        assert_eq!(keys.get("y"), Err(Unusable::Unlisted));
    }

    #[test]
    fn one_key_under_two_keyids_is_one_functionary_with_files_under_every_form() {
        let key = public(KeyAlgorithm::EcdsaP256, 1);
        let entry = object("ecdsa", "ecdsa-sha2-nistp256", &key.to_pem());
        let keys = Value::object([("0123456789", entry.clone()), ("ab", entry.clone()), ("../../../x", entry)]);
        let keys = Keys::read(keys.as_object().unwrap()).unwrap();
        let functionaries = keys.functionaries(&["0123456789".into(), "ab".into(), "deadbeef00".into()]);
        assert_eq!(functionaries.keys.keys(), core::slice::from_ref(&key));
        assert_eq!(functionaries.unusable, [("deadbeef00".to_string(), Unusable::Unlisted)]);
        // Too short, or no hexadecimal, is in no file's name.
        assert_eq!(functionaries.prefixes[..2], ["01234567".to_string(), "deadbeef".to_string()]);
        for id in key.key_ids().into_iter().filter(|id| id.as_str().len() == 64) {
            assert!(functionaries.prefixes.contains(&id.as_str()[..8].to_string()));
        }
    }

    #[test]
    fn what_is_no_object_of_objects_is_refused() {
        let keys = Value::object([("x", 1_u64)]);
        assert!(Keys::read(keys.as_object().unwrap()).is_none());
    }
}
