//! Manifests: pushed, pulled, deleted.

use std::io::Read;
use std::sync::Arc;

use crate::answer::{Answer, Content};
use crate::digest::Algorithm;
use crate::lock::lock;
use crate::registry::{Exchange, Registry};
use crate::route::is_tag;
use crate::store::Manifest;

impl Registry {
    pub(crate) fn pull_manifest(&self, exchange: &Exchange<'_, '_>, name: &str, reference: &str) -> Answer {
        let accepted = |media_type: &str| {
            let named = |value: &str| value.split(',').any(|one| one.split(';').next().unwrap_or_default().trim() == media_type);
            exchange.head.headers.iter().any(|(name, value)| name.eq_ignore_ascii_case("accept") && named(value))
        };
        let repositories = lock(&self.store.repositories);
        let Some(repository) = repositories.get(name) else {
            return Answer::error(404, "NAME_UNKNOWN", "repository name not known to registry");
        };
        if repository.busy.contains(reference) {
            return Answer::error(500, "UNKNOWN", "the tag is being written");
        }
        match repository.find(reference) {
            None => Answer::error(404, "MANIFEST_UNKNOWN", "manifest unknown to registry"),
            Some(manifest) if exchange.settings.needs_accept && !accepted(&manifest.media_type) => {
                Answer::error(404, "MANIFEST_UNKNOWN", "OCI manifest found, but accept header does not support OCI manifests")
            }
            Some(manifest) => {
                let mut answer = Answer::new(200).header("Content-Type", &*manifest.media_type);
                answer.content = Content::Bytes(Arc::clone(&manifest.bytes));
                answer.header("Docker-Content-Digest", &*manifest.digest)
            }
        }
    }

    pub(crate) fn push_manifest(&self, exchange: &mut Exchange<'_, '_>, name: &str, reference: &str) -> Answer {
        let settings = Arc::clone(&exchange.settings);
        let by_digest = reference.contains(':');
        let algorithm = match Algorithm::of(reference) {
            Some(Algorithm::Sha512) if !settings.sha512_manifests => None,
            Some(algorithm) => Some(algorithm),
            None if by_digest => None,
            None => Some(Algorithm::Sha256),
        };
        let Some(algorithm) = algorithm else {
            return Answer::error(400, "DIGEST_INVALID", "a digest that is malformed or not supported");
        };
        if !by_digest && !is_tag(reference) {
            return Answer::error(400, "MANIFEST_INVALID", "not a tag");
        }
        let mut bytes = Vec::new();
        if exchange.body.by_ref().take(settings.manifest_limit.saturating_add(1)).read_to_end(&mut bytes).is_err() {
            return Answer::error(400, "MANIFEST_INVALID", "the body broke off");
        }
        if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > settings.manifest_limit {
            return Answer::error(413, "SIZE_INVALID", "the manifest is too large");
        }
        let digest = algorithm.digest(&bytes);
        if by_digest && digest != reference && !settings.accept_wrong_digest {
            return Answer::error(400, "DIGEST_INVALID", "provided digest did not match uploaded content");
        }
        let digest = if by_digest { reference.to_owned() } else { digest };
        let manifest = match Manifest::parse(bytes, exchange.head.header("content-type"), digest) {
            Ok(manifest) => Arc::new(manifest),
            Err(why) => return Answer::error(400, "MANIFEST_INVALID", why),
        };
        let tags: Vec<String> = if by_digest { exchange.query.all("tag").map(str::to_owned).collect() } else { vec![reference.to_owned()] };
        if let Some(tag) = tags.iter().find(|tag| !is_tag(tag)) {
            return Answer::error(400, "MANIFEST_INVALID", &format!("not a tag: {tag}"));
        }
        if let Err(refusal) = self.store_manifest(&settings, name, &manifest, &tags) {
            return refusal;
        }
        let mut answer = Answer::new(201)
            .header("Location", format!("/v2/{name}/manifests/{}", manifest.digest))
            .header("Docker-Content-Digest", &*manifest.digest);
        if by_digest && !tags.is_empty() {
            answer = answer.header("OCI-Tag", tags.join(", "));
        }
        if let Some(subject) = manifest.subject.as_deref().filter(|_| settings.referrers_api && settings.oci_subject) {
            answer = answer.header("OCI-Subject", subject);
        }
        answer
    }

    fn store_manifest(&self, settings: &crate::Settings, name: &str, manifest: &Arc<Manifest>, tags: &[String]) -> Result<(), Answer> {
        let mut listed = None;
        {
            let mut repositories = lock(&self.store.repositories);
            let repository = repositories.entry(name.to_owned()).or_default();
            if !settings.accept_missing_blobs {
                let missing = manifest
                    .blobs()
                    .find(|digest| !repository.blobs.contains_key(*digest))
                    .or_else(|| manifest.children().find(|digest| !repository.manifests.contains_key(*digest)));
                if let Some(missing) = missing {
                    let message = format!("manifest references a manifest or blob unknown to registry: {missing}");
                    return Err(Answer::error(400, "MANIFEST_BLOB_UNKNOWN", &message));
                }
            }
            let moved = |tag: &&String| {
                settings.immutable_tags.covers(tag) && repository.tags.get(*tag).is_some_and(|digest| *digest != manifest.digest)
            };
            if let Some(tag) = tags.iter().find(moved) {
                return Err(Answer::error(settings.immutable_status, "DENIED", &format!("the tag {tag} is immutable")));
            }
            if settings.torn_tags.is_some() {
                repository.busy.extend(tags.iter().cloned());
            }
            repository.manifests.insert(manifest.digest.clone(), Arc::clone(manifest));
            if let Some(subject) = &manifest.subject {
                let list = repository.referrers.entry(subject.clone()).or_default();
                if !list.contains(&manifest.digest) {
                    let mut with = list.clone();
                    with.push(manifest.digest.clone());
                    if settings.referrers_race.is_none() {
                        *list = with;
                    } else {
                        listed = Some((subject.clone(), with));
                    }
                }
            }
            if settings.torn_tags.is_none() {
                repository.tags.extend(tags.iter().map(|tag| (tag.clone(), manifest.digest.clone())));
            }
        }
        if let (Some(window), Some((subject, with))) = (settings.referrers_race, listed) {
            std::thread::sleep(window);
            lock(&self.store.repositories).entry(name.to_owned()).or_default().referrers.insert(subject, with);
        }
        if let Some(window) = settings.torn_tags.filter(|_| !tags.is_empty()) {
            std::thread::sleep(window);
            let mut repositories = lock(&self.store.repositories);
            let repository = repositories.entry(name.to_owned()).or_default();
            for tag in tags {
                repository.busy.remove(tag);
                repository.tags.insert(tag.clone(), manifest.digest.clone());
            }
        }
        Ok(())
    }

    pub(crate) fn delete_manifest(&self, exchange: &Exchange<'_, '_>, name: &str, reference: &str) -> Answer {
        let by_digest = reference.contains(':');
        if by_digest && !exchange.settings.delete_manifests {
            return Answer::error(405, "UNSUPPORTED", "the operation is unsupported");
        }
        if !by_digest && !exchange.settings.delete_tags {
            return Answer::error(400, "UNSUPPORTED", "the operation is unsupported");
        }
        if by_digest && Algorithm::of(reference).is_none() {
            return Answer::error(400, "DIGEST_INVALID", "a digest that is malformed or not supported");
        }
        let mut repositories = lock(&self.store.repositories);
        let Some(repository) = repositories.get_mut(name) else {
            return Answer::error(404, "NAME_UNKNOWN", "repository name not known to registry");
        };
        let found = if by_digest {
            repository.tags.retain(|_, digest| digest != reference);
            let manifest = repository.manifests.remove(reference);
            if let Some(list) =
                manifest.as_ref().and_then(|manifest| manifest.subject.as_ref()).and_then(|subject| repository.referrers.get_mut(subject))
            {
                list.retain(|digest| digest != reference);
            }
            manifest.is_some()
        } else {
            repository.tags.remove(reference).is_some()
        };
        if found { Answer::new(202) } else { Answer::error(404, "MANIFEST_UNKNOWN", "manifest unknown to registry") }
    }
}
