//! Touchmark's signature predicate, and what a statement must say to count (SPEC.md, "Statements and the signature predicate").

use alloc::borrow::ToOwned;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::digest::{Algorithm, Digest, Digests};
use crate::json::{self, Object, Value};
use crate::name::{Name, NameError, Wanted};
use crate::statement::{self, Statement};
use crate::time::UnixTime;

/// The predicate type of a signature.
pub const PREDICATE_TYPE: &str = "urn:touchmark:predicate:signature:v1";
/// The artifactType of a signature's manifest.
pub const ARTIFACT_TYPE: &str = "application/vnd.touchmark.signature.v1+json";
/// At most this many annotations in a signature.
pub const MAX_ANNOTATIONS: usize = 256;
/// At most this many JSON values in a signature's predicate, members of later versions included.
const MAX_VALUES: usize = 4096;

/// What a signature says about a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The manifest's media type.
    pub media_type: String,
    /// The manifest's size in bytes.
    pub size: u64,
    /// The manifest's digests: sha256, sha512 or both.
    pub digests: Vec<Digest>,
    /// The name that the publisher gives it.
    pub name: Option<Name>,
    /// When the signer says that it signed. Nothing is decided by it.
    pub issued: UnixTime,
    /// From when on it no longer counts. It can only restrict.
    pub expires: Option<UnixTime>,
    /// What else the signer says.
    pub annotations: BTreeMap<String, String>,
}

impl Signature {
    /// The statement about a manifest of these bytes, by its sha256.
    pub fn of(manifest: &[u8], media_type: &str, issued: UnixTime) -> Self {
        Self {
            media_type: media_type.to_owned(),
            size: length(manifest),
            digests: alloc::vec![Algorithm::Sha256.digest(manifest)],
            name: None,
            issued,
            expires: None,
            annotations: BTreeMap::new(),
        }
    }

    /// The statement, as the JSON that is signed.
    pub fn to_json(&self) -> Vec<u8> {
        let digests = self.digests.iter().map(|digest| (digest.algorithm().name(), Value::from(digest.hex())));
        let name = self.name.as_ref().map(|name| ("name", Value::from(name.to_string())));
        let subject = Value::object(name.into_iter().chain([("digest", Value::object(digests))]));
        let expires = self.expires.map(|time| ("expires", Value::from(time.to_string())));
        let annotations = (!self.annotations.is_empty()).then(|| ("annotations", Value::from(Object::from_map(&self.annotations))));
        let predicate = [
            ("mediaType", Value::from(self.media_type.clone())),
            ("size", Value::from(self.size)),
            ("issued", Value::from(self.issued.to_string())),
        ];
        Value::object([
            ("_type", Value::from(statement::TYPE)),
            ("subject", Value::from(alloc::vec![subject])),
            ("predicateType", Value::from(PREDICATE_TYPE)),
            ("predicate", Value::object(predicate.into_iter().chain(expires).chain(annotations))),
        ])
        .to_vec()
    }

    /// Reads the signature that `statement` is. Members that this version does not know are ignored.
    ///
    /// # Errors
    /// Another predicate type, not exactly one subject, or a member missing or malformed.
    pub fn from_statement(statement: &Statement<'_>) -> Result<Self, Mismatch> {
        if statement.predicate_type != PREDICATE_TYPE {
            return Err(other_type(statement, PREDICATE_TYPE));
        }
        let [subject] = statement.subjects.as_slice() else {
            return Err(Mismatch::Subjects { found: statement.subjects.len() });
        };
        let name = subject.name.as_deref().map(str::parse).transpose().map_err(Mismatch::Name)?;
        let predicate = statement.predicate.ok_or(Mismatch::Member("predicate"))?;
        let predicate = json::parse_bounded(predicate.as_bytes(), predicate.len(), MAX_VALUES);
        let predicate = predicate.map_err(|_| Mismatch::Member("predicate"))?;
        let text = |member| predicate.get(member).and_then(Value::as_str);
        let time = |member| match predicate.get(member) {
            None => Ok(None),
            Some(value) => match value.as_str().map(UnixTime::parse_signed) {
                Some(Ok(time)) => Ok(Some(time)),
                _ => Err(Mismatch::Member(member)),
            },
        };
        let mut annotations = BTreeMap::new();
        if let Some(listed) = predicate.get("annotations") {
            let listed = listed.as_object().ok_or(Mismatch::Member("annotations"))?;
            if listed.len() > MAX_ANNOTATIONS {
                return Err(Mismatch::Member("annotations"));
            }
            for (key, value) in listed.iter() {
                let value = value.as_str().ok_or(Mismatch::Member("annotations"))?;
                annotations.insert(key.to_owned(), value.to_owned());
            }
        }
        Ok(Self {
            media_type: text("mediaType").ok_or(Mismatch::Member("mediaType"))?.to_owned(),
            size: predicate.get("size").and_then(Value::as_u64).ok_or(Mismatch::Member("size"))?,
            digests: subject.digests.clone(),
            name,
            issued: time("issued")?.ok_or(Mismatch::Member("issued"))?,
            expires: time("expires")?,
            annotations,
        })
    }
}

/// Everything that one statement must alone satisfy to count.
#[derive(Clone, Debug)]
pub struct Asked<'a> {
    /// The predicate type, compared byte for byte. [`PREDICATE_TYPE`] asks for a signature.
    pub predicate_type: &'a str,
    /// The digests and the size of the manifest's bytes.
    pub manifest: &'a Digests,
    /// The manifest's media type, from its bytes.
    pub media_type: &'a str,
    /// The wanted name; without one the name is not checked.
    pub name: Option<&'a Wanted>,
    /// Annotations that the signature must have.
    pub annotations: &'a BTreeMap<String, String>,
    /// The time of the verification.
    pub at: UnixTime,
}

/// What a statement that counts says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// Its predicate type.
    pub predicate_type: String,
    /// The name that it gives the artifact.
    pub name: Option<Name>,
    /// When the signer says that it signed.
    pub issued: Option<UnixTime>,
    /// From when on it no longer counts.
    pub expires: Option<UnixTime>,
    /// What else the signer says.
    pub annotations: BTreeMap<String, String>,
}

impl Asked<'_> {
    /// What `statement` says, if it alone satisfies everything asked. There is more than one answer only for an attestation
    /// of several subjects that are the manifest under different names.
    ///
    /// A signature has exactly one subject, and its predicate repeats the manifest's media type and size. Any other
    /// attestation may have several subjects, of which one must be the manifest (and have the wanted name); it has no
    /// annotations and no time of its own here.
    ///
    /// # Errors
    /// The first thing that it does not satisfy.
    pub fn satisfied_by(&self, statement: &Statement<'_>) -> Result<Vec<Said>, Mismatch> {
        if statement.predicate_type != self.predicate_type {
            return Err(other_type(statement, self.predicate_type));
        }
        if self.predicate_type == PREDICATE_TYPE { Ok(alloc::vec![self.signature(statement)?]) } else { self.attestation(statement) }
    }

    fn signature(&self, statement: &Statement<'_>) -> Result<Said, Mismatch> {
        let signature = Signature::from_statement(statement)?;
        if !statement.subjects.iter().all(|subject| subject.is_of(self.manifest)) {
            return Err(Mismatch::Digest);
        }
        if signature.media_type != self.media_type {
            return Err(Mismatch::MediaType { signed: signature.media_type, found: self.media_type.to_owned() });
        }
        let found = self.manifest.size();
        if signature.size != found {
            return Err(Mismatch::Size { signed: signature.size, found });
        }
        self.check_name(signature.name.as_ref())?;
        if let Some(expires) = signature.expires
            && self.at >= expires
        {
            return Err(Mismatch::Expired { expires, at: self.at });
        }
        for (key, wanted) in self.annotations {
            if signature.annotations.get(key) != Some(wanted) {
                return Err(Mismatch::Annotation { key: key.clone() });
            }
        }
        Ok(Said {
            predicate_type: PREDICATE_TYPE.to_owned(),
            name: signature.name,
            issued: Some(signature.issued),
            expires: signature.expires,
            annotations: signature.annotations,
        })
    }

    fn attestation(&self, statement: &Statement<'_>) -> Result<Vec<Said>, Mismatch> {
        if let Some(key) = self.annotations.keys().next() {
            return Err(Mismatch::Annotation { key: key.clone() });
        }
        let mut mismatch = Mismatch::Digest;
        let mut names = BTreeSet::new();
        for subject in statement.subjects.iter().filter(|subject| subject.is_of(self.manifest)) {
            // A foreign subject may have any name, such as a file's; one outside the grammar is no name that is wanted.
            let name: Option<Name> = subject.name.as_deref().and_then(|name| name.parse().ok());
            match self.check_name(name.as_ref()) {
                Ok(()) => drop(names.insert(name)),
                Err(other_name) => mismatch = other_name,
            }
        }
        if names.is_empty() {
            return Err(mismatch);
        }
        let said = |name| Said {
            predicate_type: statement.predicate_type.clone(),
            name,
            issued: None,
            expires: None,
            annotations: BTreeMap::new(),
        };
        // Without a wanted version the name tells nothing apart; the first one stands for all.
        let tell_apart = matches!(self.name, Some(Wanted::AnyVersion(_)));
        let distinct = if tell_apart { names.len() } else { 1 };
        Ok(names.into_iter().take(distinct).map(said).collect())
    }

    fn check_name(&self, signed: Option<&Name>) -> Result<(), Mismatch> {
        match (self.name, signed) {
            (None, _) => Ok(()),
            (Some(wanted), Some(signed)) if wanted.accepts(signed) => Ok(()),
            (Some(wanted), signed) => Err(Mismatch::OtherName { signed: signed.cloned(), wanted: wanted.clone() }),
        }
    }
}

/// Why a statement does not count.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Mismatch {
    /// Another predicate type than asked for.
    #[error("its predicate type is `{}`, wanted `{wanted}`", found.escape_debug())]
    PredicateType {
        /// The type in the statement, at most 128 characters of it.
        found: String,
        /// The type asked for.
        wanted: String,
    },
    /// A signature has exactly one subject.
    #[error("it has {found} subjects, a signature has one")]
    Subjects {
        /// How many there are.
        found: usize,
    },
    /// No subject's digests are those of the manifest.
    #[error("it is about another artifact: the subject's digest is not the manifest's")]
    Digest,
    /// Another media type than the manifest's.
    #[error("it was signed as media type `{}`, the manifest is `{found}`", signed.escape_debug())]
    MediaType {
        /// The type that was signed.
        signed: String,
        /// The type of the manifest.
        found: String,
    },
    /// Another size than the manifest's.
    #[error("it was signed with a size of {signed} bytes, the manifest has {found}")]
    Size {
        /// The size that was signed.
        signed: u64,
        /// The size of the manifest.
        found: u64,
    },
    /// The subject's name is outside the grammar.
    #[error("its name is malformed: {0}")]
    Name(NameError),
    /// Another name than wanted.
    #[error("signed {}, wanted {wanted}{}", as_signed(.signed), version_hint(.signed, .wanted))]
    OtherName {
        /// The name that was signed.
        signed: Option<Name>,
        /// The name asked for.
        wanted: Wanted,
    },
    /// Past its expiry.
    #[error("it expired at {expires}, and the time is {at}, {} later", at.after(*expires))]
    Expired {
        /// From when on it no longer counts.
        expires: UnixTime,
        /// The time of the verification.
        at: UnixTime,
    },
    /// An annotation is missing or has another value.
    #[error("it does not have the wanted annotation `{key}`")]
    Annotation {
        /// The annotation's key.
        key: String,
    },
    /// A member of the predicate is missing or malformed.
    #[error("its `{0}` is missing or malformed")]
    Member(&'static str),
}

impl Mismatch {
    /// A stable word for it.
    pub fn code(&self) -> &'static str {
        match self {
            Mismatch::PredicateType { .. } => "predicate-type",
            Mismatch::Subjects { .. } => "subjects",
            Mismatch::Digest => "other-artifact",
            Mismatch::MediaType { .. } => "media-type",
            Mismatch::Size { .. } => "size",
            Mismatch::Name(_) | Mismatch::Member(_) => "malformed",
            Mismatch::OtherName { .. } => "name",
            Mismatch::Expired { .. } => "expired",
            Mismatch::Annotation { .. } => "annotation",
        }
    }
}

fn as_signed(signed: &Option<Name>) -> String {
    match signed {
        Some(name) => alloc::format!("as {name}"),
        None => "without a name".to_owned(),
    }
}

fn version_hint(signed: &Option<Name>, wanted: &Wanted) -> &'static str {
    match (signed, wanted) {
        (Some(signed), Wanted::Exact(name)) if signed.path() == name.path() && name.version().is_none() => "; try --any-version",
        _ => "",
    }
}

fn other_type(statement: &Statement<'_>, wanted: &str) -> Mismatch {
    Mismatch::PredicateType { found: statement.predicate_type.chars().take(128).collect(), wanted: wanted.to_owned() }
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &[u8] = br#"{"schemaVersion":2}"#;
    const MEDIA_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";

    fn signature() -> Signature {
        let mut signature = Signature::of(MANIFEST, MEDIA_TYPE, UnixTime::from_seconds(1_000).unwrap());
        signature.name = Some("acme/x:1".parse().unwrap());
        signature.expires = UnixTime::from_seconds(2_000);
        signature.annotations.insert("stage".to_owned(), "release".to_owned());
        signature
    }

    fn ask(json: &[u8], change: impl FnOnce(&mut Asked<'_>)) -> Result<Said, Mismatch> {
        let (none, manifest) = (BTreeMap::new(), Digests::of(MANIFEST));
        let mut asked = asked(&manifest, None, &none);
        change(&mut asked);
        asked.satisfied_by(&Statement::parse(json).unwrap()).map(|mut said| said.remove(0))
    }

    fn with(json: &[u8], name: Option<&Wanted>, annotations: &BTreeMap<String, String>) -> Result<Said, Mismatch> {
        let manifest = Digests::of(MANIFEST);
        asked(&manifest, name, annotations).satisfied_by(&Statement::parse(json).unwrap()).map(|mut said| said.remove(0))
    }

    fn asked<'a>(manifest: &'a Digests, name: Option<&'a Wanted>, annotations: &'a BTreeMap<String, String>) -> Asked<'a> {
        let at = UnixTime::from_seconds(1_999).unwrap();
        Asked { predicate_type: PREDICATE_TYPE, manifest, media_type: MEDIA_TYPE, name, annotations, at }
    }

    #[test]
    fn what_was_built_is_read_back_and_counts() {
        let json = signature().to_json();
        assert_eq!(Signature::from_statement(&Statement::parse(&json).unwrap()).unwrap(), signature());
        let said = ask(&json, |_| ()).unwrap();
        assert_eq!((said.name, said.annotations.len()), (signature().name, 1));
    }

    #[test]
    fn each_difference_refuses() {
        let json = signature().to_json();
        let other = |change: fn(&mut Signature)| {
            let mut other = signature();
            change(&mut other);
            ask(&other.to_json(), |_| ()).unwrap_err()
        };
        assert_eq!(other(|s| s.digests = alloc::vec![Algorithm::Sha512.digest(b"y")]), Mismatch::Digest);
        assert_eq!(other(|s| s.digests.clear()), Mismatch::Digest);
        assert_eq!(other(|s| s.digests.push(Algorithm::Sha512.digest(b"y"))), Mismatch::Digest);
        assert!(matches!(other(|s| s.media_type.push('x')), Mismatch::MediaType { .. }));
        assert!(matches!(other(|s| s.size += 1), Mismatch::Size { .. }));
        assert!(matches!(ask(&json, |a| a.at = UnixTime::from_seconds(2_000).unwrap()), Err(Mismatch::Expired { .. })));
        assert!(matches!(ask(&json, |a| a.predicate_type = "p"), Err(Mismatch::PredicateType { .. })));
        let other = Digests::of(b"{}");
        let manifest_asked = |json: &[u8]| {
            let none = BTreeMap::new();
            asked(&other, None, &none).satisfied_by(&Statement::parse(json).unwrap())
        };
        assert_eq!(manifest_asked(&json), Err(Mismatch::Digest));
    }

    #[test]
    fn both_digests_right_counts() {
        let mut both = signature();
        both.digests.push(Algorithm::Sha512.digest(MANIFEST));
        assert!(ask(&both.to_json(), |_| ()).is_ok());
    }

    #[test]
    fn names_and_annotations_must_be_there() {
        let json = signature().to_json();
        let named = |text: &str| {
            let wanted: Wanted = text.parse().unwrap();
            with(&json, Some(&wanted), &BTreeMap::new())
        };
        assert!(named("acme/x:1").is_ok() && named("acme/x:*").is_ok());
        assert!(named("acme/x:2").is_err() && named("acme/y:1").is_err());
        assert_eq!(named("acme/x").unwrap_err().to_string(), "signed as acme/x:1, wanted acme/x; try --any-version");
        let annotated = |value: &str| with(&json, None, &BTreeMap::from([("stage".to_owned(), value.to_owned())]));
        assert!(annotated("release").is_ok());
        assert_eq!(annotated("test"), Err(Mismatch::Annotation { key: "stage".to_owned() }));
    }

    #[test]
    fn a_signature_has_one_subject_and_an_attestation_may_have_more() {
        let json = String::from_utf8(signature().to_json()).unwrap();
        let two = json.replacen("\"subject\":[", "\"subject\":[{\"digest\":{}},", 1);
        assert_eq!(ask(two.as_bytes(), |_| ()), Err(Mismatch::Subjects { found: 2 }));
        let attestation = two.replace(PREDICATE_TYPE, "https://slsa.dev/provenance/v1");
        assert!(ask(attestation.as_bytes(), |a| a.predicate_type = "https://slsa.dev/provenance/v1").is_ok());
    }

    #[test]
    fn with_any_version_every_name_of_the_manifest_is_an_answer() {
        let digest = Algorithm::Sha256.digest(MANIFEST).hex();
        let subject = |name: &str| alloc::format!(r#"{{"name":"{name}","digest":{{"sha256":"{digest}"}}}}"#);
        let subjects =
            [subject("acme/x:2"), subject("acme/x:1"), subject("acme/x:1"), subject("a file.txt"), subject("acme/y:1")].join(",");
        let text = alloc::format!(r#"{{"_type":"{}","predicateType":"p","subject":[{subjects}]}}"#, statement::TYPE);
        let (none, manifest) = (BTreeMap::new(), Digests::of(MANIFEST));
        let names = |wanted: Option<&Wanted>| {
            let asked = Asked { predicate_type: "p", ..asked(&manifest, wanted, &none) };
            let said = asked.satisfied_by(&Statement::parse(text.as_bytes()).unwrap()).unwrap();
            said.into_iter().map(|said| said.name.map(|name| name.to_string())).collect::<Vec<_>>()
        };
        let (any, two): (Wanted, Wanted) = ("acme/x:*".parse().unwrap(), "acme/x:2".parse().unwrap());
        assert_eq!(names(Some(&any)), [Some("acme/x:1".to_owned()), Some("acme/x:2".to_owned())]);
        assert_eq!(names(Some(&two)), [Some("acme/x:2".to_owned())]);
        assert_eq!(names(None).len(), 1);
    }

    #[test]
    fn malformed_members_refuse() {
        let json = String::from_utf8(signature().to_json()).unwrap();
        for (from, to, member) in [
            ("1970-01-01T00:16:40Z", "yesterday", "issued"),
            ("1970-01-01T00:33:20Z", "1970-01-01T00:33:20+00:00", "expires"),
            ("\"release\"", "1", "annotations"),
            ("\"size\":19", "\"size\":19.0", "size"),
            ("\"mediaType\"", "\"mediatype\"", "mediaType"),
        ] {
            let changed = json.replace(from, to);
            assert_ne!(changed, json);
            assert_eq!(ask(changed.as_bytes(), |_| ()), Err(Mismatch::Member(member)));
        }
        assert!(matches!(ask(json.replace("acme/x:1", "Acme").as_bytes(), |_| ()), Err(Mismatch::Name(_))));
    }
}
