//! What the list of an artifact's referrers becomes: a function of the list as it was read and of what is to be in it.

use std::collections::{BTreeMap, HashSet};

use touchmark_envelope::Digest;
use touchmark_envelope::json::{Object, Value};
use touchmark_envelope::manifest::Descriptor;

use crate::index::{Entry, Index};

/// What is to change in a list.
#[derive(Default)]
pub(super) struct Changes {
    /// What this writer attached: in the list, and as it is here.
    pub(super) own: BTreeMap<Digest, Descriptor>,
    /// What others attached and the list may lack. An entry that there is stays as it is.
    pub(super) others: BTreeMap<Digest, Descriptor>,
    /// Entries that were in an earlier state of the list, as they stood there.
    pub(super) earlier: BTreeMap<Digest, Vec<u8>>,
    /// What is to be in no list.
    pub(super) gone: HashSet<Digest>,
}

impl Changes {
    /// The list of `subject` with these changes; `None` if it needs none.
    ///
    /// Everything else, be it members around the entries, foreign entries or members of entries, stays the bytes that it was. No
    /// entry is there twice. New entries are in the order of their digests, so that writers who know the same write the same.
    pub(super) fn merge(&self, subject: &Digest, list: Option<&Index>) -> Option<Vec<u8>> {
        let mut merged = match list {
            Some(list) => list.clone(),
            None => Index::list(subject, None),
        };
        let before = merged.entries().len();
        let mut known = HashSet::new();
        let mut texts = HashSet::new();
        let entries = merged.entries().iter();
        let keep: Vec<bool> = entries
            .map(|entry| {
                let Some(digest) = entry.digest else { return true };
                // Two entries of one digest may say different things, and then both stay.
                let (new_digest, new_text) = (known.insert(digest), texts.insert(merged.text(entry)));
                !self.gone.contains(&digest) && (new_digest || new_text)
            })
            .collect();
        let mut keep = keep.into_iter();
        merged.retain(|_| keep.next().unwrap_or(true));
        let mut changed = merged.entries().len() != before;

        for (digest, own) in self.own.iter().filter(|(digest, _)| known.contains(digest)) {
            let wrong = |merged: &Index, entry: &Entry| {
                entry.digest.as_ref() == Some(digest) && !merged.descriptor(entry).is_ok_and(|found| says(&found, own))
            };
            if merged.entries().iter().any(|entry| wrong(&merged, entry)) {
                merged.change(|entry| entry.digest.as_ref() == Some(digest), |object| correct(object, own));
                changed = true;
            }
        }
        let new: BTreeMap<&Digest, &Descriptor> = self.others.iter().chain(&self.own).collect();
        for (digest, descriptor) in new {
            if !self.gone.contains(digest) && known.insert(*digest) {
                merged.push(descriptor);
                changed = true;
            }
        }
        for (digest, text) in &self.earlier {
            if !self.gone.contains(digest) && known.insert(*digest) {
                merged.push_text(text);
                changed = true;
            }
        }
        changed.then(|| merged.to_vec())
    }
}

/// Whether an entry says of a referrer what it has to (distribution spec, "Pushing Manifests with Subject").
fn says(found: &Descriptor, wanted: &Descriptor) -> bool {
    found.media_type == wanted.media_type
        && found.size == wanted.size
        && found.artifact_type == wanted.artifact_type
        && wanted.annotations.iter().all(|(name, text)| found.annotations.get(name) == Some(text))
}

/// Makes an entry say it, and leaves what it says besides.
fn correct(entry: &mut Object<'static>, wanted: &Descriptor) {
    entry.insert("mediaType", wanted.media_type.clone());
    entry.insert("size", wanted.size);
    match &wanted.artifact_type {
        Some(artifact_type) => entry.insert("artifactType", artifact_type.clone()),
        None => drop(entry.remove("artifactType")),
    }
    if !wanted.annotations.is_empty() {
        let mut annotations = match entry.remove("annotations") {
            Some(Value::Object(annotations)) => annotations,
            _ => Object::new(),
        };
        for (name, text) in &wanted.annotations {
            annotations.insert(name.clone(), text.clone());
        }
        entry.insert("annotations", annotations);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use touchmark_envelope::digest::Algorithm;
    use touchmark_envelope::manifest::{IMAGE_INDEX, IMAGE_MANIFEST};

    fn referrer(content: &str) -> Descriptor {
        let mut descriptor = Descriptor::new(IMAGE_MANIFEST, Algorithm::Sha256.digest(content.as_bytes()), 7);
        descriptor.artifact_type = Some("application/vnd.example.test".to_owned());
        descriptor.annotations.insert("name".to_owned(), content.to_owned());
        descriptor
    }

    fn own(contents: &[&str]) -> Changes {
        let own = contents.iter().map(|content| referrer(content)).map(|descriptor| (descriptor.digest, descriptor)).collect();
        Changes { own, ..Changes::default() }
    }

    fn others(contents: &[&str]) -> Changes {
        let Changes { own: others, .. } = own(contents);
        Changes { others, ..Changes::default() }
    }

    fn list(entries: &[&str]) -> Index {
        let text =
            format!(r#" {{ "schemaVersion" : 2, "x": [1e3], "mediaType":"{IMAGE_INDEX}","manifests":[{}], "y":{{}} }}"#, entries.join(","));
        Index::parse(text.into_bytes()).unwrap()
    }

    fn entry(content: &str, rest: &str) -> String {
        format!(r#"{{ "digest":"{}"{rest}}}"#, Algorithm::Sha256.digest(content.as_bytes()))
    }

    fn text(bytes: Vec<u8>) -> String {
        String::from_utf8(bytes).unwrap()
    }

    const SUBJECT: &[u8] = b"subject";

    fn merge(changes: &Changes, list: Option<&Index>) -> Option<String> {
        changes.merge(&Algorithm::Sha256.digest(SUBJECT), list).map(text)
    }

    #[test]
    fn a_list_that_is_not_there_begins_with_what_is_attached() {
        let merged = merge(&own(&["a"]), None).unwrap();
        let index = Index::parse(merged.into_bytes()).unwrap();
        assert_eq!(index.descriptor(&index.entries()[0]), Ok(referrer("a")));
        assert_eq!(index.entries().len(), 1);
        assert_eq!(merge(&Changes::default(), None), None);
    }

    #[test]
    fn what_others_wrote_stays_byte_for_byte() {
        let foreign = [entry("f", r#", "size": 7, "odd":[1e400 ] "#), r#"{"digest":"sha384:00"}"#.to_owned(), "{}".to_owned()];
        let foreign: Vec<&str> = foreign.iter().map(String::as_str).collect();
        let before = list(&foreign);
        let merged = merge(&own(&["a"]), Some(&before)).unwrap();
        let written = referrer("a").to_json().to_vec();
        assert_eq!(merged, text(before.to_vec()).replace(r#"{}], "y""#, &format!(r#"{{}},{}], "y""#, text(written))));
        // What is there already is not there twice, and the list of others is theirs.
        assert_eq!(merge(&others(&["f"]), Some(&before)), None);
        let after = Index::parse(merged.into_bytes()).unwrap();
        assert_eq!(merge(&own(&["a"]), Some(&after)), None);
        assert_eq!(merge(&others(&["a", "f"]), Some(&after)), None);
    }

    #[test]
    fn writers_who_know_the_same_write_the_same_in_whatever_order_they_learnt_it() {
        let (mut one, mut two) = (own(&["a", "c"]), own(&["b"]));
        one.others = own(&["b", "d"]).own;
        two.others = own(&["d", "c", "a"]).own;
        assert_eq!(merge(&one, None), merge(&two, None));
        let before = list(&[&entry("z", "")]);
        assert_eq!(merge(&one, Some(&before)), merge(&two, Some(&before)));
        let merged = Index::parse(merge(&one, None).unwrap().into_bytes()).unwrap();
        assert_eq!(merged.entries().len(), 4);
        for content in ["a", "b", "c", "d"] {
            assert!(merged.lists(&referrer(content).digest));
        }
    }

    #[test]
    fn an_entry_of_ones_own_says_all_that_it_has_to_and_keeps_the_rest() {
        let before = list(&[&entry("a", r#","mediaType":"x","size":1,"annotations":{"theirs":"1","name":"no"},"urls":[]"#)]);
        let merged = Index::parse(merge(&own(&["a"]), Some(&before)).unwrap().into_bytes()).unwrap();
        let found = merged.descriptor(&merged.entries()[0]).unwrap();
        assert_eq!((found.artifact_type, found.size, found.media_type), (referrer("a").artifact_type, 7, IMAGE_MANIFEST.to_owned()));
        assert_eq!(found.annotations.into_values().collect::<Vec<_>>(), ["a", "1"]);
        assert!(text(merged.to_vec()).contains(r#""urls":[]"#));
        assert_eq!(merged.entries().len(), 1);
        assert_eq!(merge(&own(&["a"]), Some(&merged)), None);
        // Another writer's entry is not this one's to correct.
        assert_eq!(merge(&others(&["a"]), Some(&before)), None);
    }

    #[test]
    fn what_is_gone_is_not_listed_whoever_knows_it() {
        let mut changes = own(&["a"]);
        changes.others = own(&["b"]).own;
        changes.earlier.insert(referrer("c").digest, entry("c", "").into_bytes());
        changes.gone = ["a", "b", "c", "d"].map(|content| referrer(content).digest).into();
        let before = list(&[&entry("d", ""), &entry("e", ""), &entry("d", "")]);
        let merged = merge(&changes, Some(&before)).unwrap();
        assert_eq!(merged, text(list(&[&entry("e", "")]).to_vec()));
        assert_eq!(merge(&changes, Some(&list(&[&entry("e", "")]))), None);
    }

    #[test]
    fn what_was_overwritten_comes_back_as_it_was() {
        let mut changes = Changes::default();
        let foreign = entry("f", r#","odd": 1"#);
        changes.earlier.insert(referrer("f").digest, foreign.clone().into_bytes());
        let merged = merge(&changes, Some(&list(&[&entry("a", "")]))).unwrap();
        assert_eq!(merged, text(list(&[&entry("a", ""), &foreign]).to_vec()));
        assert_eq!(merge(&changes, Some(&list(&[&foreign]))), None);
    }

    #[test]
    fn the_same_is_not_said_twice() {
        let (one, other) = (entry("a", ""), entry("a", r#","x":1"#));
        let merged = merge(&Changes::default(), Some(&list(&[&one, "{}", &other, &one, "{}", &other]))).unwrap();
        assert_eq!(merged, text(list(&[&one, "{}", &other, "{}"]).to_vec()));
        assert_eq!(merge(&Changes::default(), Some(&list(&[&one, &other]))), None);
    }
}
