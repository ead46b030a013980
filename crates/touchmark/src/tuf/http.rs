//! Metadata and targets of a web server.

use std::io::Read;
use std::time::Instant;

use touchmark_oci::access::Access;
use touchmark_oci::error::Error as StoreError;
use touchmark_oci::transport::{Body, Client, Location, Method, Repeat, Request, Response, Target};
use touchmark_tuf::Failure;

use super::error::{UpdateError, failure};
use super::fetch::Fetch;

/// What is below a URL of a web server, with the limits, retries, redirects and rules for credentials of [`touchmark_oci::transport`].
#[derive(Debug)]
pub struct HttpSource {
    client: Client,
    location: Location,
    /// From the first slash to the last.
    path: String,
}

impl HttpSource {
    /// What is below `url`, of HTTP or HTTPS, with or without a `/` at its end. Nothing is sent yet.
    ///
    /// # Errors
    /// It is no such URL, holds a user name (credentials come from where those for registries do, and answer only a challenge), or has a
    /// query or fragment, which cannot stand before a path. A certificate or a key cannot be read.
    pub fn new(url: &str, access: &Access) -> Result<Self, UpdateError> {
        let location = Location::parse(url)?;
        if url.contains(['?', '#']) {
            let url = url.split(['?', '#']).next().unwrap_or_default().to_owned();
            return Err(StoreError::BadUrl { url, reason: "paths are added to it, so that it has no query or fragment".to_owned() }.into());
        }
        let mut path = location.path().to_owned();
        if !path.ends_with('/') {
            path.push('/');
        }
        Ok(Self { client: Client::at(&location, access)?, location, path })
    }

    /// What `ask` gets for the request for `path`; `None` if there is no such file.
    fn get<T>(
        &self,
        path: &str,
        ask: impl FnOnce(Request<'_>) -> Result<(Response, T), StoreError>,
    ) -> Result<Option<(Response, T)>, Failure> {
        let target = format!("{}{path}", self.path);
        let target = Target::Path(&target);
        let request = Request { method: Method::Get, target, scope: "", headers: &[], body: Body::Empty, repeat: Repeat::Retry };
        let (response, content) = ask(request).map_err(|error| failure(&error))?;
        match response.status() {
            // 203: a proxy on the way says that it may have changed something, which is seen.
            200 | 203 => Ok(Some((response, content))),
            404 => Ok(None),
            // Object stores that may be read but not listed answer 403 for what is not there, and that there is no next root has to be
            // found out in each update. Who can answer 403 in place of a root could answer 404 as well, so that nothing is lost by it.
            403 if is_root(path) => Ok(None),
            _ => Err(failure(&response.into_error())),
        }
    }
}

impl Fetch for HttpSource {
    fn fetch(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, Failure> {
        self.fetch_until(path, limit, None)
    }

    fn fetch_until(&self, path: &str, limit: u64, until: Option<Instant>) -> Result<Option<Vec<u8>>, Failure> {
        Ok(self.get(path, |request| self.client.fetch_until(request, limit, until))?.map(|(_, bytes)| bytes))
    }

    fn read(&self, path: &str, limit: u64) -> Result<Option<Box<dyn Read + '_>>, Failure> {
        let Some((response, ())) = self.get(path, |request| Ok((self.client.send(request)?, ())))? else { return Ok(None) };
        match response.length() {
            Some(length) if length > limit => Err(Failure::TooLarge { limit }),
            _ => Ok(Some(response.reader())),
        }
    }

    fn location(&self) -> String {
        self.location.url().to_owned()
    }
}

/// Whether `path` is a version of the root: `7.root.json`.
fn is_root(path: &str) -> bool {
    path.strip_suffix(".root.json").is_some_and(|version| !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_versions_of_the_root_may_be_forbidden_for_being_absent() {
        assert!(is_root("2.root.json") && is_root("10.root.json"));
        for other in ["root.json", ".root.json", "1.x.root.json", "2.root.json/x", "timestamp.json", "2.snapshot.json"] {
            assert!(!is_root(other), "{other}");
        }
    }
}
