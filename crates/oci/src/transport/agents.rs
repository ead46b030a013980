//! The HTTP library's agents: one for each way in which servers are reached, made when it is first needed.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ureq::Agent;
use ureq::unversioned::transport::{ConnectProxyConnector, Connector as _, RustlsConnector, SocksConnector, TcpConnector};

use super::pace::PaceConnector;
use super::proxy::Proxies;
use super::resolver::Names;
use super::tls::Tls;
use super::url::Origin;
use crate::access::Access;
use crate::error::Error;

/// Bytes of a response's status line and headers.
const MAX_HEAD: usize = 64 << 10;

/// Connections that are kept for the next request: as many as requests are made at the same time, and some.
const IDLE: usize = 32;

/// How servers are reached, with the connections to them.
pub(super) struct Agents {
    tls: Tls,
    proxies: Proxies,
    timeout: Duration,
    pub(super) names: Names,
    made: Mutex<HashMap<Way, Agent>>,
}

/// A way to reach a server. Each has its own agent, since the HTTP library ties certificates and proxies to agents.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Way {
    tls: bool,
    /// Whether the client shows its certificate.
    identified: bool,
    proxied: bool,
}

impl Agents {
    pub(super) fn new(access: &Access, proxies: Proxies, timeout: Duration) -> Result<Self, Error> {
        Ok(Self { tls: Tls::new(access)?, proxies, timeout, names: Names::default(), made: Mutex::default() })
    }

    /// The agent for a server; `own` is whether it is the registry itself.
    pub(super) fn to(&self, origin: &Origin, own: bool) -> Result<Agent, Error> {
        let proxied = self.proxies.applies(origin);
        let way = Way { tls: origin.tls, identified: origin.tls && own && self.tls.has_client(), proxied };
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(agent) = made.get(&way) {
            return Ok(agent.clone());
        }
        let agent = self.make(way)?;
        made.insert(way, agent.clone());
        Ok(agent)
    }

    fn make(&self, way: Way) -> Result<Agent, Error> {
        let proxy = if way.proxied { self.proxies.of(way.tls)? } else { None };
        let mut builder = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(proxy)
            .user_agent(concat!("touchmark/", env!("CARGO_PKG_VERSION")))
            .max_response_header_size(MAX_HEAD)
            .max_idle_connections(2 * IDLE)
            .max_idle_connections_per_host(IDLE)
            .timeout_resolve(Some(self.timeout))
            .timeout_connect(Some(self.timeout))
            .timeout_send_request(Some(self.timeout))
            .timeout_recv_response(Some(self.timeout))
            .timeout_per_read(Some(self.timeout))
            .timeout_per_write(Some(self.timeout));
        if way.tls {
            builder = builder.tls_config(self.tls.config(way.identified)?);
        }
        let connector =
            ().chain(SocksConnector::default())
                .chain(ConnectProxyConnector::default())
                .chain(TcpConnector::default())
                .chain(PaceConnector { period: self.timeout })
                .chain(RustlsConnector::default());
        Ok(Agent::with_parts(builder.build(), connector, self.names.clone()))
    }
}

impl fmt::Debug for Agents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Agents").field("timeout", &self.timeout).finish_non_exhaustive()
    }
}
