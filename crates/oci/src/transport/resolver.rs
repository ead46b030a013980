//! Names of hosts become addresses once, not for each request.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ureq::Error;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

use super::url::Origin;

/// How long an answer is used. Programs that go on for longer notice when a server moves.
const FRESH: Duration = Duration::from_secs(30);

/// Addresses of one host that are tried.
const MAX_ADDRESSES: usize = 16;

/// Asks the system for the addresses of names, and remembers them for a while; addresses, and localhost, it reads itself.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    known: Arc<Mutex<HashMap<String, Known>>>,
}

/// The addresses of a host.
#[derive(Clone, Debug)]
struct Known {
    since: Instant,
    addresses: Vec<IpAddr>,
}

impl Names {
    /// Remembers the addresses of a host.
    pub(super) fn learn(&self, host: &str, addresses: Vec<IpAddr>) {
        let known = Known { since: Instant::now(), addresses };
        self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(host.to_owned(), known);
    }

    fn recall(&self, host: &str) -> Option<Vec<IpAddr>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(host).filter(|known| known.since.elapsed() < FRESH).map(|known| known.addresses.clone())
    }
}

impl Resolver for Names {
    fn resolve(&self, uri: &Uri, config: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        let tls = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            // A SOCKS proxy, whose own port is implied.
            _ => return DefaultResolver::default().resolve(uri, config, timeout),
        };
        // The address of a proxy may have a user name in front.
        let authority = uri.authority().and_then(|authority| authority.as_str().rsplit('@').next());
        let origin = authority.and_then(|authority| Origin::new(tls, authority)).ok_or(Error::HostNotFound)?;
        let Some(addresses) = origin.addresses().or_else(|| self.recall(&origin.host)) else {
            let found = DefaultResolver::default().resolve(uri, config, timeout)?;
            self.learn(&origin.host, found.iter().map(SocketAddr::ip).collect());
            return Ok(found);
        };
        let mut list = self.empty();
        for address in addresses.into_iter().take(MAX_ADDRESSES) {
            list.push(SocketAddr::new(address, origin.port));
        }
        Ok(list)
    }
}
