//! The documents that hold credentials: Docker's config.json, podman's auth.json, and `DOCKER_AUTH_CONFIG`.
//!
//! Members stay the text that they are: what is not looked at is neither understood nor changed, and of the secrets in a document
//! only the one that is asked for is taken out of its bytes, which are wiped.

use std::borrow::Cow;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use touchmark_envelope::json::{self, Value};
use zeroize::Zeroizing;

use super::credential::{Credential, MAX_SECRET};
use super::server::Server;

/// Bytes of a document.
pub(super) const MAX_BYTES: usize = 1 << 20;
/// The members of an entry that are credentials.
const SECRETS: [&str; 5] = ["auth", "username", "password", "identitytoken", "registrytoken"];
/// Docker pads, and others do not.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent).with_decode_allow_trailing_bits(true),
);

/// An object as its members: each name with the text of its value.
type Members<'a> = Vec<(Cow<'a, str>, &'a str)>;

/// A document, read as strictly as any JSON here.
pub(super) struct Document<'a> {
    members: Members<'a>,
    auths: Members<'a>,
    length: usize,
}

impl<'a> Document<'a> {
    /// Reads a document. An empty one has no members: Docker and podman take it so.
    ///
    /// # Errors
    /// What is wrong with it, without anything that it holds.
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self, String> {
        let members = match bytes.trim_ascii() {
            [] => Vec::new(),
            bytes => json::members(bytes, MAX_BYTES).map_err(|error| error.to_string())?,
        };
        let auths = object(&members, "auths")?;
        Ok(Self { members, auths, length: bytes.len() })
    }

    /// The helper that keeps the credentials of `server`, if one does: the name in `credHelpers`, else `credsStore`. An empty name
    /// in `credHelpers` says that none does.
    ///
    /// # Errors
    /// They are not of these types.
    pub(super) fn helper(&self, server: &Server) -> Result<Option<String>, String> {
        let helpers = object(&self.members, "credHelpers")?;
        let name = match best(&helpers, server, "") {
            Some((key, value)) => text(value).map_err(|_| format!("`credHelpers` has no text for {key:?}"))?,
            None => match self.members.iter().find(|(name, _)| name == "credsStore") {
                Some((_, value)) => text(value).map_err(|_| "`credsStore` is no text".to_owned())?,
                None => return Ok(None),
            },
        };
        Ok(Some(name.to_string()).filter(|name| !name.is_empty()))
    }

    /// The credentials for a repository of `server` that are written here.
    ///
    /// # Errors
    /// What is written under its key is none.
    pub(super) fn credential(&self, server: &Server, repository: &str) -> Result<Option<Credential>, String> {
        let Some((key, entry)) = best(&self.auths, server, repository) else { return Ok(None) };
        read_entry(entry).map_err(|reason| format!("the entry {key:?}: {reason}"))
    }

    /// Whether an entry is there for all of `server`, be it an empty one.
    pub(super) fn has_entry(&self, server: &Server) -> bool {
        self.auths.iter().any(|(key, _)| server.fit(key, "").is_some())
    }

    /// The document with `credential` as the entry of `server`, in place of every entry for all of that registry, or without one.
    /// Everything else stays as it is and where it is.
    pub(super) fn with(&self, server: &Server, credential: Option<&Credential>) -> Result<Zeroizing<Vec<u8>>, String> {
        let mut out = Writer::new(self.length);
        let has_auths = self.members.iter().any(|(name, _)| name == "auths");
        let mut written = false;
        let entry = |out: &mut Writer, old: Option<&str>| match credential {
            Some(credential) => out.member(2, server.key(), |out| write_entry(out, credential, old)),
            None => Ok(()),
        };
        let mut auths = |out: &mut Writer| -> Result<(), String> {
            out.object(1, |out| {
                for (key, value) in &self.auths {
                    match server.fit(key, "") {
                        None => out.raw_member(2, key, value),
                        Some(_) if written => {}
                        Some(_) => {
                            written = true;
                            entry(out, Some(value))?;
                        }
                    }
                }
                if written { Ok(()) } else { entry(out, None) }
            })
        };
        out.object(0, |out| {
            for (name, value) in &self.members {
                match name.as_ref() {
                    "auths" => out.member(1, "auths", &mut auths)?,
                    name => out.raw_member(1, name, value),
                }
            }
            if has_auths || credential.is_none() { Ok(()) } else { out.member(1, "auths", &mut auths) }
        })?;
        out.bytes.push(b'\n');
        Ok(out.bytes)
    }
}

/// The members of the object `name`; none if it is missing or null, as Go programs write an empty one.
fn object<'a>(members: &Members<'a>, name: &str) -> Result<Members<'a>, String> {
    match members.iter().find(|(member, _)| member == name) {
        None | Some((_, "null")) => Ok(Vec::new()),
        Some((_, text)) => json::members(text.as_bytes(), MAX_BYTES).map_err(|_| format!("`{name}` is no object")),
    }
}

/// The member whose key fits best; of equals the first.
fn best<'a, 'b>(members: &'b Members<'a>, server: &Server, repository: &str) -> Option<(&'b str, &'a str)> {
    let fitting = members.iter().filter_map(|(key, value)| Some((server.fit(key, repository)?, key, value)));
    fitting.min_by_key(|(fit, ..)| *fit).map(|(_, key, value)| (key.as_ref(), *value))
}

/// The text of a string; of null the empty one.
fn text(value: &str) -> Result<Zeroizing<String>, ()> {
    match json::parse(value.as_bytes(), MAX_BYTES) {
        Ok(Value::String(Cow::Borrowed(text))) => Ok(Zeroizing::new(text.to_owned())),
        Ok(Value::String(Cow::Owned(text))) => Ok(Zeroizing::new(text)),
        Ok(Value::Null) => Ok(Zeroizing::new(String::new())),
        _ => Err(()),
    }
}

/// Reads an entry of `auths`. One without credentials says that a helper has them, or nothing.
fn read_entry(entry: &str) -> Result<Option<Credential>, String> {
    if entry == "null" {
        return Ok(None);
    }
    let members = json::members(entry.as_bytes(), MAX_BYTES).map_err(|_| "is no object".to_owned())?;
    let member = |name: &str| match members.iter().find(|(member, _)| member == name) {
        Some((_, value)) => text(value).map_err(|()| format!("`{name}` is no text")),
        None => Ok(Zeroizing::new(String::new())),
    };
    let (bearer, identity, auth) = (member("registrytoken")?, member("identitytoken")?, member("auth")?);
    if !bearer.is_empty() {
        return Ok(Some(Credential::bearer(bearer)?));
    }
    if !identity.is_empty() {
        return Ok(Some(Credential::identity(identity)?));
    }
    let (username, password) = if auth.is_empty() { (member("username")?, member("password")?) } else { decode(&auth)? };
    if username.is_empty() && password.is_empty() {
        return Ok(None);
    }
    Ok(Some(Credential::login(&username, password)?))
}

/// The user name and the password of an `auth` member.
fn decode(auth: &str) -> Result<(Zeroizing<String>, Zeroizing<String>), String> {
    let bytes = BASE64.decode(auth.trim()).map(Zeroizing::new).map_err(|_| "`auth` is no base64".to_owned())?;
    let text = std::str::from_utf8(&bytes).map_err(|_| "`auth` is not UTF-8".to_owned())?;
    let (username, password) = text.split_once(':').ok_or("`auth` is not the base64 of USER:PASSWORD")?;
    // Docker pads old passwords so.
    let password = password.trim_matches('\0');
    Ok((Zeroizing::new(username.to_owned()), Zeroizing::new(password.to_owned())))
}

/// The entry of a credential, with what else `old` held.
fn write_entry(out: &mut Writer, credential: &Credential, old: Option<&str>) -> Result<(), String> {
    let kept = match old {
        Some(old) => json::members(old.as_bytes(), MAX_BYTES).unwrap_or_default(),
        None => Vec::new(),
    };
    out.object(2, |out| {
        for (name, value) in kept.iter().filter(|(name, _)| !SECRETS.contains(&name.as_ref())) {
            out.raw_member(3, name, value);
        }
        match credential {
            Credential::Basic { username, password } => {
                let plain = Zeroizing::new(format!("{username}:{}", password.as_str()));
                let auth = Zeroizing::new(BASE64.encode(plain.as_bytes()));
                out.text_member(3, "auth", &auth);
            }
            Credential::Identity(token) => out.text_member(3, "identitytoken", token),
            Credential::Registry(token) => out.text_member(3, "registrytoken", token),
        }
        Ok(())
    })
}

/// A document that is being written, in the form that Docker gives it: a tab for each level.
struct Writer {
    bytes: Zeroizing<Vec<u8>>,
    first: bool,
}

impl Writer {
    fn new(length: usize) -> Self {
        // In one piece, so that no copy is left behind while it grows: a line of its own for each member of a document without
        // white space takes at most twice its bytes more.
        let capacity = length.saturating_mul(3).saturating_add(4 * MAX_SECRET);
        Self { bytes: Zeroizing::new(Vec::with_capacity(capacity)), first: true }
    }

    /// An object at this level; `members` writes what is in it.
    fn object(&mut self, level: usize, members: impl FnOnce(&mut Self) -> Result<(), String>) -> Result<(), String> {
        self.bytes.push(b'{');
        self.first = true;
        members(self)?;
        if !self.first {
            self.line(level);
        }
        self.first = false;
        self.bytes.push(b'}');
        Ok(())
    }

    fn member(&mut self, level: usize, name: &str, value: impl FnOnce(&mut Self) -> Result<(), String>) -> Result<(), String> {
        self.name(level, name);
        value(self)
    }

    fn raw_member(&mut self, level: usize, name: &str, value: &str) {
        self.name(level, name);
        self.bytes.extend_from_slice(value.trim_ascii_end().as_bytes());
    }

    /// A member whose text needs no escape.
    fn text_member(&mut self, level: usize, name: &str, value: &str) {
        self.name(level, name);
        self.bytes.push(b'"');
        for byte in value.bytes() {
            if matches!(byte, b'"' | b'\\') {
                self.bytes.push(b'\\');
            }
            self.bytes.push(byte);
        }
        self.bytes.push(b'"');
    }

    fn name(&mut self, level: usize, name: &str) {
        if !self.first {
            self.bytes.push(b',');
        }
        self.first = false;
        self.line(level);
        self.bytes.extend_from_slice(&Value::from(name).to_vec());
        self.bytes.extend_from_slice(b": ");
    }

    fn line(&mut self, level: usize) {
        self.bytes.push(b'\n');
        self.bytes.extend(std::iter::repeat_n(b'\t', level));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credentials::testing::basic;

    fn found(document: &str, repository: &str) -> Option<Credential> {
        let server = Server::new("localhost:5000");
        Document::parse(document.as_bytes()).unwrap().credential(&server, repository).unwrap()
    }

    fn secret(text: &str) -> Zeroizing<String> {
        Zeroizing::new(text.to_owned())
    }

    #[test]
    fn entries_are_read_in_every_form() {
        let entry = |entry: &str| found(&format!(r#"{{"auths":{{"localhost:5000":{entry}}}}}"#), "");
        assert_eq!(entry(r#"{"auth":"YWxpY2U6cGE6c3M="}"#), Some(basic("alice", "pa:ss")));
        assert_eq!(entry(r#"{"auth":"YWxpY2U6cGE6c3M"}"#), Some(basic("alice", "pa:ss")));
        assert_eq!(entry(r#"{"auth":"YWxpY2U6cGEAAA=="}"#), Some(basic("alice", "pa")));
        assert_eq!(entry(r#"{"auth":"Onh5eg=="}"#), Some(basic("", "xyz")));
        assert_eq!(entry(r#"{"username":"alice","password":"\u0070ass"}"#), Some(basic("alice", "pass")));
        // Docker takes `auth` where there is both.
        assert_eq!(entry(r#"{"auth":"YTpi","username":"alice","password":"pass","email":"x"}"#), Some(basic("a", "b")));
        assert_eq!(entry(r#"{"auth":"MDA6","identitytoken":"refresh"}"#), Some(Credential::Identity(secret("refresh"))));
        assert_eq!(entry(r#"{"registrytoken":"bearer","identitytoken":"r"}"#), Some(Credential::Registry(secret("bearer"))));
        for empty in ["{}", "null", r#"{"auth":""}"#, r#"{"auth":null,"email":"x"}"#, r#"{"auth":"Og=="}"#] {
            assert_eq!(entry(empty), None, "{empty}");
        }
    }

    #[test]
    fn the_nearest_entry_counts() {
        let user = |name: &str| format!(r#"{{"username":"{name}","password":"p"}}"#);
        let document = format!(
            r#"{{"auths":{{"https://localhost:5000/v1/":{},"localhost:5000":{},"localhost:5000/acme":{},"localhost:5000/acme/app":{},"localhost:5001":{}}}}}"#,
            user("url"),
            user("host"),
            user("acme"),
            user("app"),
            user("other")
        );
        for (repository, name) in [("acme/app", "app"), ("acme/app/x", "app"), ("acme/apple", "acme"), ("other", "host"), ("", "host")] {
            assert_eq!(found(&document, repository), Some(basic(name, "p")), "{repository}");
        }
        assert_eq!(found(r#"{"auths":{"http://localhost:5000":{"auth":"YTpi"}}}"#, ""), Some(basic("a", "b")));
    }

    fn with(document: &str, credential: Option<&Credential>) -> String {
        let server = Server::new("localhost:5000");
        let bytes = Document::parse(document.as_bytes()).unwrap().with(&server, credential).unwrap();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        assert_eq!(found(&text, "x").as_ref(), credential, "{text}");
        text
    }

    #[test]
    fn a_new_document_looks_like_dockers() {
        let text = with("", Some(&basic("alice", "pa:ss")));
        assert_eq!(text, "{\n\t\"auths\": {\n\t\t\"localhost:5000\": {\n\t\t\t\"auth\": \"YWxpY2U6cGE6c3M=\"\n\t\t}\n\t}\n}\n");
        assert_eq!(with(&text, Some(&basic("alice", "pa:ss"))), text);
        assert_eq!(with(&text, None), "{\n\t\"auths\": {}\n}\n");
        assert_eq!(with("", None), "{}\n");
    }

    #[test]
    fn nothing_else_is_changed() {
        let document = r#"{"psFormat":"table \u0041","auths":{"z":{"auth":"eg=="},"https://localhost:5000":{"auth":"bzpw","email":"x@y"},"localhost:5000":{"auth":"bzpw"},"localhost:5000/acme":{"auth":"bzpw"},"a":{"n":1.50}},"HttpHeaders":{"X":"<>"},"plugins": { "x": [ 1,2 ] }}"#;
        let text = with(document, Some(&Credential::Identity(secret("r\"\\"))));
        for kept in [
            r#""psFormat": "table \u0041""#,
            r#""z": {"auth":"eg=="}"#,
            r#""email": "x@y""#,
            r#""localhost:5000/acme": {"auth":"bzpw"}"#,
            r#""a": {"n":1.50}"#,
            r#""HttpHeaders": {"X":"<>"}"#,
            r#""plugins": { "x": [ 1,2 ] }"#,
        ] {
            assert!(text.contains(kept), "{kept}\n{text}");
        }
        assert_eq!(text.matches("localhost:5000\"").count(), 1, "{text}");
        let names = ["psFormat", "\"auths", "\"z\"", "\"localhost:5000\"", "localhost:5000/acme", "\"a\"", "HttpHeaders", "plugins"];
        let places: Vec<_> = names.iter().map(|name| text.find(name).unwrap()).collect();
        assert!(places.is_sorted(), "{text}");
        let without = with(&text, None);
        assert!(!without.contains("localhost:5000\"") && without.contains("localhost:5000/acme"), "{without}");
    }
}
