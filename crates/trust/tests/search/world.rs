//! A trust repository beside a source of artifacts, both in memory, and what a verifier makes of them.

use touchmark_envelope::digest::Algorithm;
use touchmark_envelope::json::{self, Value};
use touchmark_envelope::manifest::IMAGE_MANIFEST;
use touchmark_envelope::{Digest, Name, UnixTime};
use touchmark_test_tuf_repository::{Delegation, Fetched, Key, NOW, Repository};
use touchmark_trust::{Artifact, Class, Policy, Rejected, Request, Standing, StandingError};
use touchmark_tuf::{Answer, Client, Failure, Settings, Step};

use crate::shelf::Shelf;

/// The publisher `acme` owns `acme/**` with its own key and may accept by envelope; whoever it delegates to owns less.
pub(crate) struct World {
    pub(crate) repository: Repository,
    pub(crate) shelf: Shelf,
}

/// What a verification came to.
pub(crate) type Outcome = Result<Artifact, Rejected>;

impl World {
    pub(crate) fn new() -> Self {
        let mut world = Self { repository: Repository::new(), shelf: Shelf::default() };
        world.publisher("targets", "acme", &["acme/*", "acme/*/*"]);
        world.lets("targets", &["acme"]);
        world
    }

    /// Delegates names to a publisher, terminating, by the key of its name.
    pub(crate) fn publisher(&mut self, delegator: &str, role: &str, names: &[&str]) {
        self.repository.delegate(delegator, Delegation::new(role).paths(names).terminating());
    }

    /// Lets these roles, which `delegator` delegates to, accept by envelope.
    pub(crate) fn lets(&mut self, delegator: &str, roles: &[&str]) {
        let listed: Vec<Value<'static>> = roles.iter().map(|role| Value::from((*role).to_owned())).collect();
        self.member(delegator, "envelopes", Value::from(listed));
    }

    /// Sets a member of a role's `x-touchmark`.
    pub(crate) fn member(&mut self, role: &str, member: &str, value: impl Into<Value<'static>>) {
        let signed = self.repository.signed(role);
        if signed.get("x-touchmark").is_none() {
            touchmark_test_tuf_repository::set(signed, "/x-touchmark", Value::object([("version", Value::from(1_u64))]));
        }
        self.repository.set(role, &format!("/x-touchmark/{member}"), value);
    }

    /// Lists a manifest of the shelf under a name.
    pub(crate) fn enter(&mut self, role: &str, name: &str, digest: Digest) {
        let bytes = self.shelf.contents[&digest].clone();
        self.repository.add_target(role, name, &bytes);
    }

    /// Seals manifests of the shelf under a name.
    pub(crate) fn seal(&mut self, role: &str, name: &str, digests: &[Digest]) {
        let seals = digests.iter().map(|digest| listed_as(&self.shelf.contents[digest]));
        self.member(role, "seals", Value::object([(name.to_owned(), Value::from(seals.collect::<Vec<_>>()))]));
    }

    pub(crate) fn revoke(&mut self, role: &str, digest: Digest) {
        let one = Value::object([("digest", Value::from(digest.to_string())), ("reason", Value::from("leaked"))]);
        self.member(role, "revoked", Value::from(vec![one]));
    }

    /// An image that the key of `signer` signed under a name.
    pub(crate) fn signed(&mut self, layer: &str, signer: &str, name: &str) -> Digest {
        let image = self.shelf.image(layer);
        self.sign(image, signer, name);
        image
    }

    pub(crate) fn sign(&mut self, digest: Digest, signer: &str, name: &str) {
        let key = Key::ed25519(signer);
        self.shelf.sign(digest, &[key.private()], |statement| statement.name = Some(name.parse().unwrap()));
    }

    /// What the published metadata says of a name.
    pub(crate) fn standing(&mut self, name: &str) -> Result<Standing, Class> {
        self.repository.publish();
        self.standing_of(name).map_err(|error| error.1)
    }

    /// The same, of what is served as it is.
    pub(crate) fn standing_of(&self, name: &str) -> Result<Standing, (&'static str, Class)> {
        let name: Name = name.parse().unwrap();
        let mut client = self.client().map_err(of_tuf)?;
        client.look_up(&(&name).into()).map_err(of_tuf)?;
        self.drive(&mut client).map_err(of_tuf)?;
        Standing::of(&mut client, &name).map_err(|error: StandingError| (error.code(), error.class()))
    }

    /// How the metadata as it is now, published, is refused.
    pub(crate) fn standing_of_published(&mut self, name: &str) -> (&'static str, Class) {
        self.repository.publish();
        self.standing_of(name).unwrap_err()
    }

    pub(crate) fn client(&self) -> Result<Client, touchmark_tuf::Error> {
        let mut client = Client::new(Settings::default(), UnixTime::from_seconds(NOW).unwrap());
        self.drive(&mut client)?;
        Ok(client)
    }

    pub(crate) fn drive(&self, client: &mut Client) -> Result<(), touchmark_tuf::Error> {
        loop {
            let answer = match client.step()? {
                Step::Done => return Ok(()),
                Step::Load { file: "root.json", .. } => Answer::Bytes(self.repository.file("1.root.json").to_vec()),
                Step::Load { .. } => Answer::Absent,
                Step::Fetch { path, limit } => match self.repository.fetch(path, limit) {
                    Fetched::File(bytes) => Answer::Bytes(bytes),
                    Fetched::Absent => Answer::Absent,
                    Fetched::Failed => Answer::Failed(Failure::Unavailable("no answer".into())),
                    Fetched::TooLong => Answer::Failed(Failure::TooLarge { limit }),
                },
                _ => Answer::Done,
            };
            client.answer(answer);
        }
    }

    pub(crate) fn request(&mut self, digest: Digest, name: &str) -> Result<Request, Class> {
        let standing = self.standing(name)?;
        Ok(Request::new(Policy::trust(standing), digest, UnixTime::from_seconds(NOW).unwrap()))
    }

    /// Verifies an artifact under a name.
    pub(crate) fn verify(&mut self, digest: Digest, name: &str) -> Outcome {
        let request = self.request(digest, name).expect("metadata that can be trusted");
        self.shelf.verify(request)
    }

    /// The word for what accepts the artifact, or for what refuses it.
    pub(crate) fn verdict(&mut self, digest: Digest, name: &str) -> Result<&'static str, &'static str> {
        match self.verify(digest, name) {
            Ok(artifact) => Ok(artifact.accepted_by().code()),
            Err(rejected) => Err(rejected.fault().code()),
        }
    }
}

pub(crate) fn of_tuf(error: touchmark_tuf::Error) -> (&'static str, Class) {
    let class = match error.class() {
        touchmark_tuf::Class::Expired | touchmark_tuf::Class::Untrusted => Class::UntrustedMetadata,
        _ => Class::Unknown,
    };
    (error.code(), class)
}

/// The manifest's descriptor in an index.
pub(crate) fn listed(shelf: &Shelf, digest: Digest) -> touchmark_envelope::manifest::Descriptor {
    shelf.describe(digest, IMAGE_MANIFEST)
}

/// What a role lists, or a seal has, of an artifact.
pub(crate) fn listed_as(artifact: &[u8]) -> Value<'static> {
    let hashes = Value::object([("sha256", Value::from(Algorithm::Sha256.digest(artifact).hex()))]);
    Value::object([("length", Value::from(artifact.len() as u64)), ("hashes", hashes)])
}

pub(crate) fn json(text: &str) -> Value<'static> {
    json::parse(text.as_bytes(), text.len()).unwrap().into_owned()
}
