//! Listing tags (distribution spec, "Listing Tags").

use std::collections::HashSet;
use std::ops::ControlFlow;

use touchmark_envelope::json::{self, Value};
use touchmark_envelope::name::is_version;

use super::{Answer, Registry, link};
use crate::error::Error;
use crate::scan::length;
use crate::source::Source;
use crate::union::is_list_tag;

/// How many tags are asked for at once.
const PAGE: usize = 1_000;
/// At most this many pages are read.
const MAX_PAGES: usize = 1_024;
/// At most this many bytes of one page are read: there are registries that know no pages.
const MAX_PAGE: u64 = 16 << 20;
/// At most this many bytes of all pages are read.
const MAX_BYTES: u64 = 16 * MAX_PAGE;
/// At most this many tags of one page are read, and as many of all are kept.
const MAX_TAGS: usize = 100_000;
/// How an error calls the list.
const WHAT: &str = "the list of tags";

/// The tags in the body of an answer, in its order. What is no tag by the grammar of the specification is left out: nothing could
/// be asked for by it.
///
/// # Errors
/// Why it is no list of tags: not JSON as this library reads it, too many, or no object with an array of strings `tags`, or null
/// in its place.
pub fn parse(body: &[u8]) -> Result<Vec<String>, String> {
    let document = json::parse_bounded(body, body.len(), MAX_TAGS.saturating_add(64)).map_err(|error| error.to_string())?;
    match document.get("tags") {
        Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(tags)) => {
            let tags: Option<Vec<&str>> = tags.iter().map(Value::as_str).collect();
            let tags = tags.ok_or("one of its tags is no string")?;
            Ok(tags.into_iter().filter(|tag| is_version(tag)).map(str::to_owned).collect())
        }
        _ => Err("it has no array `tags`".to_owned()),
    }
}

impl Registry {
    /// Shows page after page of tags, those after `last` if the registry knows that, until `see` has enough or there are no more; `see`
    /// is told whether there are. No answer but 404 on the first page means that there are none.
    ///
    /// # Errors
    /// The list is refused, or is no list, or has more pages than are read.
    pub(super) fn tag_pages(&self, last: Option<&str>, mut see: impl FnMut(Vec<String>, bool) -> ControlFlow<()>) -> Result<(), Error> {
        let page_after = |last: Option<&str>| {
            let last = last.map(|last| format!("&last={last}")).unwrap_or_default();
            self.path(&format!("tags/list?n={PAGE}{last}"))
        };
        let mut path = page_after(last);
        let mut asked = HashSet::new();
        let mut left = MAX_BYTES;
        // The last tag of a page as long as was asked for, after which the registry named no next one.
        let mut full_until: Option<String> = None;
        while asked.len() < MAX_PAGES && left > 0 {
            let protocol = |reason: &str| self.protocol(&path, reason);
            let (response, body) = match self.document(&path, "application/json", MAX_PAGE.min(left))? {
                Answer::Found(found) => found,
                Answer::Missing(_) if asked.is_empty() || full_until.is_some() => return Ok(()),
                Answer::Missing(_) => return Err(protocol("404, and an earlier page named this one")),
            };
            let next = link::next_path(&response)?;
            left = left.saturating_sub(length(&body).max(1));
            let tags = parse(&body).map_err(|reason| protocol(&format!("{WHAT} is malformed: {reason}")))?;
            drop(body);
            full_until = tags.last().filter(|_| tags.len() == PAGE && next.is_none()).cloned();
            if see(tags, next.is_some() || full_until.is_some()).is_break() {
                return Ok(());
            }
            let next = match (&next, &full_until) {
                (Some(next), _) => next.clone(),
                // Go programs that cut lists off and name no next page are not unknown. One that gives the same page again goes in a
                // circle.
                (None, Some(last)) => page_after(Some(last)),
                (None, None) => return Ok(()),
            };
            if !asked.insert(std::mem::replace(&mut path, next)) || asked.contains(&path) {
                return Err(self.protocol(&path, "the pages go in a circle"));
            }
        }
        Err(Error::TooMany { location: self.location(), what: WHAT.to_owned(), limit: MAX_PAGES.saturating_mul(PAGE) })
    }

    /// See [`Source::tag_names`].
    pub(super) fn artifact_tags(&self) -> Result<Vec<String>, Error> {
        let mut found = Vec::new();
        let mut known = HashSet::new();
        self.tag_pages(None, |tags, _| {
            let tags = tags.into_iter().filter(|tag| !is_list_tag(tag));
            found.extend(tags.filter(|tag| known.insert(tag.clone())));
            if found.len() > MAX_TAGS { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        if found.len() > MAX_TAGS {
            return Err(Error::TooMany { location: self.location(), what: WHAT.to_owned(), limit: MAX_TAGS });
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_tags() {
        let parsed = parse(br#"{"name":"acme/app","tags":["v1","sha256-x","","a/b",".x","v1"],"x":{}}"#);
        assert_eq!(parsed.unwrap(), ["v1", "sha256-x", "v1"]);
        for empty in [r#"{"tags":[]}"#, r#"{"name":"acme/app","tags":null}"#] {
            assert_eq!(parse(empty.as_bytes()), Ok(Vec::new()));
        }
    }

    #[test]
    fn what_is_no_list_of_tags() {
        for body in
            ["", "[]", "{}", r#"{"errors":[]}"#, r#"{"tags":{}}"#, r#"{"tags":[1]}"#, r#"{"tags":[],"tags":[]}"#, r#"{"tags":["a"]"#]
        {
            assert!(parse(body.as_bytes()).is_err(), "{body}");
        }
        let many = format!(r#"{{"tags":[{}"a"]}}"#, r#""a","#.repeat(MAX_TAGS + 64));
        assert!(parse(many.as_bytes()).is_err_and(|reason| reason.contains("values")));
    }
}
