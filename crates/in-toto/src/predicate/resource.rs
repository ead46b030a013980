//! ResourceDescriptors of the attestation framework (resource_descriptor.md).

use alloc::borrow::ToOwned;
use alloc::string::String;

use touchmark_envelope::Digest;
use touchmark_envelope::json::{Object, Value};

use crate::digest_set::DigestSet;
use crate::error::Error;

use super::field::Field;

/// What a statement or a predicate says of one artifact or resource. At least one of `uri`, `digest` and `content` is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ResourceDescriptor {
    /// What tells it from others, within this statement.
    pub name: Option<String>,
    /// What identifies it everywhere.
    pub uri: Option<String>,
    /// Its digests.
    pub digest: Option<DigestSet>,
    /// Its bytes, in Base64 as they stand there.
    pub content: Option<String>,
    /// Where it can be had, if that is not its `uri`.
    pub download_location: Option<String>,
    /// Its media type.
    pub media_type: Option<String>,
    /// What else is said of it.
    pub annotations: Option<Object<'static>>,
}

impl ResourceDescriptor {
    /// That of a thing with a digest, such as the subject of a statement.
    pub fn of(name: Option<&str>, digest: &Digest) -> Self {
        Self { name: name.map(ToOwned::to_owned), digest: Some(DigestSet::of(digest)), ..Self::default() }
    }

    /// That of something at a place, with its digest if that is known, such as a policy.
    pub fn at(uri: &str, digest: Option<&Digest>) -> Self {
        Self { uri: Some(uri.to_owned()), digest: digest.map(DigestSet::of), ..Self::default() }
    }

    pub(super) fn read(field: &Field<'_>) -> Result<Self, Error> {
        field.object()?;
        let text = |name| field.member(name).optional(|field| field.string().map(ToOwned::to_owned));
        let digest = |field: &Field<'_>| field.value().and_then(DigestSet::read).ok_or_else(|| field.malformed("a set of digests"));
        let read = Self {
            name: text("name")?,
            uri: field.member("uri").optional(Field::uri)?,
            digest: field.member("digest").optional(digest)?,
            content: text("content")?,
            download_location: field.member("downloadLocation").optional(Field::uri)?,
            media_type: text("mediaType")?,
            annotations: field.member("annotations").optional(Field::owned_object)?,
        };
        if read.uri.is_none() && read.digest.is_none() && read.content.is_none() {
            return Err(field.malformed("a descriptor with a `uri`, a `digest` or a `content`"));
        }
        Ok(read)
    }

    /// What it is called among the artifacts of a step: its name, else its URI, else its digest. An empty name and `_` are none
    /// (statement.md). Names of artifacts have no empty parts (SPEC.md, 22.1), so that a first `://` is `:/` in it.
    pub(crate) fn artifact_name(&self) -> Option<String> {
        let name = self.name.as_deref().filter(|name| !matches!(*name, "" | "_")).or(self.uri.as_deref());
        match name {
            Some(name) => Some(name.replacen("://", ":/", 1)),
            None => self.digest.as_ref().and_then(DigestSet::name),
        }
    }

    /// As it is written.
    pub(crate) fn to_json(&self) -> Value<'static> {
        let text = |name, text: &Option<String>| text.clone().map(|text| (name, Value::from(text)));
        let members = [
            text("name", &self.name),
            text("uri", &self.uri),
            self.digest.as_ref().map(|digest| ("digest", digest.to_json())),
            text("content", &self.content),
            text("downloadLocation", &self.download_location),
            text("mediaType", &self.media_type),
            self.annotations.clone().map(|annotations| ("annotations", Value::from(annotations))),
        ];
        Value::object(members.into_iter().flatten())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use touchmark_envelope::json::parse;

    fn read(text: &str) -> Result<ResourceDescriptor, Error> {
        let value = parse(text.as_bytes(), 1000).unwrap();
        ResourceDescriptor::read(&Field::root(&value))
    }

    /// The examples of resource_descriptor.md.
    #[test]
    fn descriptors_are_read() {
        for text in [
            r#"{"name":"Foo.apk","uri":"git+https://android.googlesource.com/platform/vendor/foo/bar@16244f#prebuilts/Foo/Foo.apk","digest":{"sha256":"7f4714fd"}}"#,
            r#"{"uri":"git+https://github.com/actions/runner","digest":{"sha1":"d61b27b8395512"},"annotations":{"twoPartyReview":false}}"#,
            r#"{"uri":"https://cloudbuild.googleapis.com/GoogleHostedWorker@v1"}"#,
            r#"{"content":"eyAicmVzdWx0IjogIlNVQ0NFU1MiIH0=","mediaType":"application/json"}"#,
        ] {
            let descriptor = read(text).unwrap();
            assert_eq!(descriptor.to_json().to_vec(), text.as_bytes());
        }
        assert!(read(r#"{"digest":{"sha256":"00"},"name":null,"other":1.5}"#).is_ok());
    }

    #[test]
    fn what_describes_nothing_is_refused() {
        for text in [
            "[]",
            "{}",
            r#"{"name":"x"}"#,
            r#"{"uri":"x"}"#,
            r#"{"uri":""}"#,
            r#"{"digest":{}}"#,
            r#"{"digest":{"sha256":"X"}}"#,
            r#"{"content":1}"#,
            r#"{"uri":"x:y","annotations":[]}"#,
            r#"{"uri":"x:y","digest":"00"}"#,
        ] {
            assert!(matches!(read(text), Err(Error::PredicateMember { .. })), "{text}");
        }
    }

    #[test]
    fn every_thing_has_a_name_among_artifacts() {
        for (text, name) in [
            (r#"{"name":"a/b","uri":"x:y","digest":{"sha256":"00"}}"#, Some("a/b")),
            (r#"{"name":"_","uri":"https://a/b","digest":{"sha256":"00"}}"#, Some("https:/a/b")),
            (r#"{"digest":{"sha512":"01","gitCommit":"00"}}"#, Some("gitCommit:00")),
            (r#"{"content":"AA=="}"#, None),
        ] {
            assert_eq!(read(text).unwrap().artifact_name().as_deref(), name, "{text}");
        }
    }
}
