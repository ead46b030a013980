//! Proxies, as the environment names them: HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY, in capitals or not.

use std::net::IpAddr;

use ureq::Proxy;

use super::url::Origin;
use crate::error::Error;

/// What the environment says.
#[derive(Default)]
pub(super) struct Proxies {
    /// For HTTPS and for HTTP: the variable and its value.
    https: Option<(&'static str, String)>,
    http: Option<(&'static str, String)>,
    /// Hosts that are reached directly.
    exceptions: Vec<String>,
}

impl Proxies {
    /// Reads the variables of this process.
    pub(super) fn from_environment() -> Self {
        Self::read(|name| std::env::var(name).ok())
    }

    pub(super) fn read(variable: impl Fn(&str) -> Option<String>) -> Self {
        let first = |names: &[&'static str]| {
            let mut set = names.iter().filter_map(|name| Some((*name, variable(name).filter(|value| !value.trim().is_empty())?)));
            set.next()
        };
        // A CGI program gets HTTP_PROXY from whoever sends it a header `Proxy`.
        let trusted = variable("REQUEST_METHOD").is_none();
        let http: &[&str] = if trusted { &["http_proxy", "HTTP_PROXY"] } else { &["http_proxy"] };
        let all = || first(&["all_proxy", "ALL_PROXY"]);
        let exceptions = first(&["no_proxy", "NO_PROXY"]).map(|(_, value)| value).unwrap_or_default();
        Self {
            https: first(&["https_proxy", "HTTPS_PROXY"]).or_else(all),
            http: first(http).or_else(all),
            exceptions: exceptions.split([',', ' ']).map(|host| host.trim().to_ascii_lowercase()).filter(|host| !host.is_empty()).collect(),
        }
    }

    /// Whether a server is reached by a proxy. This machine never is.
    pub(super) fn applies(&self, origin: &Origin) -> bool {
        let set = if origin.tls { &self.https } else { &self.http };
        set.is_some() && !origin.is_loopback() && !self.exceptions.iter().any(|exception| matches(exception, origin))
    }

    /// The proxy for HTTPS or HTTP.
    pub(super) fn of(&self, tls: bool) -> Result<Option<Proxy>, Error> {
        let Some((variable, value)) = (if tls { &self.https } else { &self.http }) else { return Ok(None) };
        // The value may hold a password.
        let invalid = |_| Error::Configuration { what: (*variable).to_owned(), reason: "not the URL of a proxy".to_owned() };
        Proxy::new(value.trim()).map(Some).map_err(invalid)
    }
}

/// Whether an entry of NO_PROXY is about this server: `*`, a host, a domain with or without a dot in front, an address, a range of
/// addresses, each with or without a port.
fn matches(exception: &str, origin: &Origin) -> bool {
    if exception == "*" {
        return true;
    }
    let host = origin.host.trim_start_matches('[').trim_end_matches(']');
    if let (Ok(address), Some((network, bits))) = (host.parse::<IpAddr>(), exception.split_once('/')) {
        return network.parse().is_ok_and(|network| bits.parse().is_ok_and(|bits| within(address, network, bits)));
    }
    let (name, port) = match exception.rsplit_once(':') {
        // An IPv6 address without brackets is no host with a port.
        Some((name, port)) if !name.contains(':') || name.ends_with(']') => (name, Some(port)),
        _ => (exception, None),
    };
    if port.is_some_and(|port| port.parse() != Ok(origin.port)) {
        return false;
    }
    let name = name.trim_start_matches('[').trim_end_matches(']');
    if let (Ok(address), Ok(known)) = (host.parse::<IpAddr>(), name.parse::<IpAddr>()) {
        return address == known;
    }
    let domain = name.strip_prefix('*').unwrap_or(name);
    match domain.strip_prefix('.') {
        Some(parent) => !parent.is_empty() && host.strip_suffix(domain).is_some_and(|rest| !rest.is_empty()),
        None => host == domain || host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.')),
    }
}

/// RFC 4632, 3.1: whether the first bits are the same.
fn within(address: IpAddr, network: IpAddr, bits: u32) -> bool {
    let same = |address: u128, network: u128, width: u32| bits <= width && (address ^ network).checked_shr(width - bits).unwrap_or(0) == 0;
    match (address, network) {
        (IpAddr::V4(address), IpAddr::V4(network)) => same(address.to_bits().into(), network.to_bits().into(), 32),
        (IpAddr::V6(address), IpAddr::V6(network)) => same(address.to_bits(), network.to_bits(), 128),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(variables: &[(&str, &str)]) -> Proxies {
        Proxies::read(|name| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()))
    }

    fn origin(tls: bool, authority: &str) -> Origin {
        Origin::new(tls, authority).unwrap()
    }

    #[test]
    fn each_scheme_has_its_proxy() {
        let set = proxies(&[("HTTPS_PROXY", "http://user:secret@p:1"), ("http_proxy", "q:2"), ("HTTP_PROXY", "other:3")]);
        let (https, http) = (set.of(true).unwrap().unwrap(), set.of(false).unwrap().unwrap());
        assert_eq!((https.host(), https.port(), https.username()), ("p", 1, Some("user")));
        assert_eq!((http.host(), http.port()), ("q", 2));
        assert!(set.applies(&origin(true, "example.com")) && set.applies(&origin(false, "example.com")));

        let all = proxies(&[("ALL_PROXY", "socks5h://s:3"), ("https_proxy", " ")]);
        assert_eq!(all.of(true).unwrap().unwrap().host(), "s");
        assert_eq!(all.of(false).unwrap().unwrap().host(), "s");

        let none = proxies(&[]);
        assert!(!none.applies(&origin(true, "example.com")) && none.of(true).unwrap().is_none());

        let cgi = proxies(&[("HTTP_PROXY", "q:2"), ("REQUEST_METHOD", "GET")]);
        assert!(!cgi.applies(&origin(false, "example.com")));

        let wrong = proxies(&[("https_proxy", "nonsense://user:secret@p")]).of(true).unwrap_err();
        assert_eq!(wrong.to_string(), "https_proxy: not the URL of a proxy");
    }

    #[test]
    fn exceptions_are_reached_directly() {
        let set = |exceptions| proxies(&[("all_proxy", "p:1"), ("NO_PROXY", exceptions)]);
        for (exceptions, authority, direct) in [
            ("", "127.0.0.1:5000", true),
            ("", "localhost", true),
            ("", "[::1]:1", true),
            ("*", "example.com", true),
            ("example.com", "example.com", true),
            ("example.com", "EXAMPLE.com:5000", true),
            ("example.com", "a.example.com", true),
            ("example.com", "notexample.com", false),
            (".example.com", "a.example.com", true),
            (".example.com", "example.com", false),
            ("*.example.com", "a.b.example.com", true),
            ("other.com, example.com", "example.com", true),
            ("example.com:5000", "example.com:5000", true),
            ("example.com:5000", "example.com", false),
            ("10.0.0.1", "10.0.0.1", true),
            ("10.0.0.0/8", "10.9.8.7", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("10.0.0.0/33", "10.0.0.0", false),
            ("0.0.0.0/0", "11.0.0.1", true),
            ("fd00::/8", "[fd12::1]", true),
            ("fd00::/8", "[fe00::1]", false),
            ("fd00::1", "[fd00:0::1]", true),
            ("[fd00::1]:5000", "[fd00::1]:5000", true),
            ("[fd00::1]:5000", "[fd00::1]:5001", false),
            (".", "example.com", false),
        ] {
            assert_eq!(set(exceptions).applies(&origin(true, authority)), !direct, "{exceptions} {authority}");
        }
    }
}
