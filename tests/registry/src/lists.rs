//! Lists: of tags, of referrers, of repositories.

use serde_json::{Value, json};

use crate::answer::Answer;
use crate::digest::Algorithm;
use crate::lock::lock;
use crate::registry::{Exchange, Registry};
use crate::route::encode;
use crate::settings::{Filter, Order, Parameter};

const INDEX: &str = "application/vnd.oci.image.index.v1+json";

impl Registry {
    pub(crate) fn tags(&self, exchange: &Exchange<'_, '_>, name: &str) -> Answer {
        let settings = &exchange.settings;
        if let Some(status) = settings.tags_refused {
            let code = match status {
                401 => "UNAUTHORIZED",
                404 => "NAME_UNKNOWN",
                405 => "UNSUPPORTED",
                _ => "DENIED",
            };
            return Answer::error(status, code, "tags are not listed here");
        }
        let Some(mut tags) = lock(&self.store.repositories).get(name).map(|repository| repository.tags.keys().cloned().collect::<Vec<_>>())
        else {
            return Answer::error(404, "NAME_UNKNOWN", "repository name not known to registry");
        };
        sort(&mut tags, settings.tags_order);
        let n = match exchange.query.first("n").filter(|_| settings.tags_n == Parameter::Honoured).map(str::parse::<usize>) {
            None => None,
            Some(Ok(n)) => Some(n),
            Some(Err(_)) => return Answer::error(400, "UNSUPPORTED", "n is no number"),
        };
        if let Some(last) = exchange.query.first("last").filter(|_| settings.tags_last == Parameter::Honoured) {
            tags = after(tags, last, settings.tags_order);
        }
        let most = n.unwrap_or(usize::MAX).min(settings.tags_page.unwrap_or(usize::MAX));
        let more = tags.len() > most && most > 0;
        tags.truncate(most);
        let mut answer = Answer::new(200).json(&json!({ "name": name, "tags": tags }));
        if let (true, true, Some(last)) = (more, settings.tags_link, tags.last()) {
            answer = answer.header("Link", format!("</v2/{name}/tags/list?n={most}&last={}>; rel=\"next\"", encode(last)));
        }
        answer
    }

    pub(crate) fn catalog(&self, exchange: &Exchange<'_, '_>) -> Answer {
        if !exchange.settings.catalog {
            return Answer::error(404, "UNSUPPORTED", "no catalogue");
        }
        let last = exchange.query.first("last").unwrap_or_default();
        let mut names: Vec<String> =
            lock(&self.store.repositories).keys().filter(|name| last.is_empty() || name.as_str() > last).cloned().collect();
        let most = exchange.query.first("n").and_then(|n| n.parse::<usize>().ok()).unwrap_or(usize::MAX);
        let more = names.len() > most && most > 0;
        names.truncate(most);
        let answer = Answer::new(200).json(&json!({ "repositories": names }));
        match names.last().filter(|_| more) {
            Some(last) => answer.header("Link", format!("</v2/_catalog?n={most}&last={}>; rel=\"next\"", encode(last))),
            None => answer,
        }
    }

    pub(crate) fn referrers(&self, exchange: &Exchange<'_, '_>, name: &str, digest: &str) -> Answer {
        let settings = &exchange.settings;
        if !settings.referrers_api {
            return not_found();
        }
        if Algorithm::of(digest).is_none() {
            return Answer::error(400, "DIGEST_INVALID", "a digest that is malformed or not supported");
        }
        let wanted = exchange.query.first("artifactType").filter(|wanted| !wanted.is_empty());
        let filters = matches!(settings.filter, Filter::Applied | Filter::Unannounced);
        let mut entries: Vec<(String, Value)> = {
            let repositories = lock(&self.store.repositories);
            let list = repositories.get(name).map(|repository| {
                let digests = repository.referrers.get(digest).into_iter().flatten();
                digests
                    .filter_map(|digest| repository.manifests.get(digest))
                    .filter(|manifest| !filters || wanted.is_none_or(|wanted| manifest.artifact_type() == Some(wanted)))
                    .map(|manifest| (manifest.digest.clone(), manifest.entry(settings.naive_referrers)))
                    .collect()
            });
            list.unwrap_or_default()
        };
        if let Some(last) = exchange.query.first("last") {
            let at = entries.iter().position(|(digest, _)| digest == last).map_or(0, |at| at + 1);
            entries.drain(..at);
        }
        let most = settings.page.unwrap_or(usize::MAX).max(1);
        let more = entries.len() > most;
        entries.truncate(most);
        let last = entries.last().map(|(digest, _)| digest.clone());
        let manifests: Vec<Value> = entries.into_iter().map(|(_, entry)| entry).collect();
        let body = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": manifests });
        let mut answer = Answer::new(200).body(INDEX, body.to_string());
        if wanted.is_some() && matches!(settings.filter, Filter::Applied | Filter::Feigned) {
            answer = answer.header("OCI-Filters-Applied", "artifactType");
        }
        if let (true, Some(last)) = (more, last) {
            let filter = wanted.map(|wanted| format!("artifactType={}&", encode(wanted))).unwrap_or_default();
            answer = answer.header("Link", format!("</v2/{name}/referrers/{digest}?{filter}last={}>; rel=\"next\"", encode(&last)));
        }
        answer
    }
}

/// A path that the registry does not know, as Go's programs answer it.
pub(crate) fn not_found() -> Answer {
    Answer::new(404).body("text/plain; charset=utf-8", "404 page not found\n")
}

fn sort(tags: &mut [String], order: Order) {
    match order {
        Order::Bytes => tags.sort_unstable(),
        Order::Letters => tags.sort_by_cached_key(|tag| (tag.to_ascii_lowercase(), tag.clone())),
        Order::None => tags.sort_by_cached_key(|tag| crate::digest::sha256(tag.as_bytes())),
    }
}

/// The tags after `last`, which need not be there.
fn after(tags: Vec<String>, last: &str, order: Order) -> Vec<String> {
    let is_after = |tag: &String| match order {
        Order::Bytes => tag.as_str() > last,
        Order::Letters => (tag.to_ascii_lowercase(), tag.as_str()) > (last.to_ascii_lowercase(), last),
        Order::None => crate::digest::sha256(tag.as_bytes()) > crate::digest::sha256(last.as_bytes()),
    };
    tags.into_iter().filter(is_after).collect()
}
