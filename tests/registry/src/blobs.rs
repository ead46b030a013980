//! Blobs: pulled, also in part, and deleted.

use crate::answer::Answer;
use crate::digest::Algorithm;
use crate::lock::lock;
use crate::registry::{Exchange, Registry};

impl Registry {
    pub(crate) fn pull_blob(&self, exchange: &Exchange<'_, '_>, name: &str, digest: &str) -> Answer {
        if Algorithm::of(digest).is_none() {
            return Answer::error(400, "DIGEST_INVALID", "a digest that is malformed or not supported");
        }
        let content = lock(&self.store.repositories).get(name).and_then(|repository| repository.blobs.get(digest).cloned());
        let Some(content) = content else {
            return Answer::error(404, "BLOB_UNKNOWN", "blob unknown to registry");
        };
        let length = content.length();
        let mut answer = Answer::new(200).header("Content-Type", "application/octet-stream").header("Docker-Content-Digest", digest);
        if exchange.settings.ranges {
            answer = answer.header("Accept-Ranges", "bytes");
            match exchange.head.header("range").and_then(|range| parse(range, length)) {
                Some(Some((first, last))) => {
                    answer.status = 206;
                    answer = answer.header("Content-Range", format!("bytes {first}-{last}/{length}"));
                    answer.content = content.part(first, last - first + 1);
                    return answer;
                }
                Some(None) => {
                    return Answer::error(416, "SIZE_INVALID", "the range lies outside")
                        .header("Content-Range", format!("bytes */{length}"));
                }
                None => {}
            }
        }
        answer.content = content;
        answer
    }

    pub(crate) fn delete_blob(&self, exchange: &Exchange<'_, '_>, name: &str, digest: &str) -> Answer {
        if !exchange.settings.delete_manifests {
            return Answer::error(405, "UNSUPPORTED", "the operation is unsupported");
        }
        let removed = lock(&self.store.repositories).get_mut(name).and_then(|repository| repository.blobs.remove(digest));
        if removed.is_some() { Answer::new(202) } else { Answer::error(404, "BLOB_UNKNOWN", "blob unknown to registry") }
    }
}

/// The first and the last byte of a single range (RFC 9110, 14.1.2): none for what is to be ignored, `Some(None)` for what cannot
/// be satisfied.
fn parse(range: &str, length: u64) -> Option<Option<(u64, u64)>> {
    let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    let end = length.saturating_sub(1);
    if first.is_empty() {
        let suffix: u64 = last.parse().ok()?;
        return Some((suffix > 0 && length > 0).then(|| (length.saturating_sub(suffix), end)));
    }
    let first: u64 = first.parse().ok()?;
    let last = if last.is_empty() { end } else { last.parse::<u64>().ok()?.min(end) };
    if first >= length {
        return Some(None);
    }
    (first <= last).then_some(Some((first, last)))
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn ranges_by_the_rfc() {
        assert_eq!(parse("bytes=0-4", 10), Some(Some((0, 4))));
        assert_eq!(parse("bytes=5-", 10), Some(Some((5, 9))));
        assert_eq!(parse("bytes=-3", 10), Some(Some((7, 9))));
        assert_eq!(parse("bytes=-30", 10), Some(Some((0, 9))));
        assert_eq!(parse("bytes=8-99", 10), Some(Some((8, 9))));
        assert_eq!(parse("bytes=10-", 10), Some(None));
        assert_eq!(parse("bytes=-0", 10), Some(None));
        assert_eq!(parse("bytes=0-", 0), Some(None));
        assert_eq!(parse("bytes=4-2", 10), None, "malformed: ignored");
        assert_eq!(parse("bytes=0-1,4-5", 10), None, "several: ignored");
        assert_eq!(parse("lines=0-1", 10), None);
    }
}
