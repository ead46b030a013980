//! Names of hosts become addresses once, not for each request.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use ureq::Error;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

use super::url::Origin;

/// How long an answer is used. Programs that go on for longer notice when a server moves.
const FRESH: Duration = Duration::from_secs(30);

/// Asks the system for the addresses of names, and remembers them for a while; addresses, and localhost, it reads itself.
#[derive(Debug, Default)]
pub(super) struct Names {
    system: DefaultResolver,
    known: Mutex<HashMap<String, (Instant, Vec<SocketAddr>)>>,
}

impl Resolver for Names {
    fn resolve(&self, uri: &Uri, config: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        let authority = uri.authority().ok_or(Error::HostNotFound)?;
        let tls = uri.scheme_str() == Some("https");
        // The address of a proxy has a user name in front.
        let place = authority.as_str().rsplit('@').next().unwrap_or_default();
        let origin = Origin::new(tls, place).ok_or(Error::HostNotFound)?;
        if let Some(addresses) = origin.addresses()
            && matches!(uri.scheme_str(), Some("http" | "https"))
        {
            return Ok(self.listed(addresses.into_iter().map(|address: IpAddr| SocketAddr::new(address, origin.port))));
        }
        let name = uri.scheme_str().unwrap_or_default().to_owned() + "://" + place;
        if let Some((at, addresses)) = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&name)
            && at.elapsed() < FRESH
        {
            return Ok(self.listed(addresses.iter().copied()));
        }
        let found = self.system.resolve(uri, config, timeout)?;
        let addresses: Vec<SocketAddr> = found.iter().copied().collect();
        self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(name, (Instant::now(), addresses));
        Ok(found)
    }
}

impl Names {
    fn listed(&self, addresses: impl Iterator<Item = SocketAddr>) -> ResolvedSocketAddrs {
        let mut list = self.empty();
        for address in addresses.take(16) {
            list.push(address);
        }
        list
    }
}
