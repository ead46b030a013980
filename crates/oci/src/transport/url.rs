//! URLs of HTTP, as far as registries need them (RFC 3986; RFC 9110, 4.2): which server, and what on it.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use ureq::http::Uri;

/// Bytes of a URL. Signed addresses of storage services have a few thousand.
const MAX_URL: usize = 16 << 10;

/// A server: scheme, host and port. Two that differ in any of them are two servers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Origin {
    /// `https` rather than `http`.
    pub(super) tls: bool,
    /// In lower case; an IPv6 address is in brackets.
    pub(super) host: String,
    /// Given or implied.
    pub(super) port: u16,
}

impl Origin {
    /// The server that `authority` (`HOST[:PORT]`) names, with this scheme.
    pub(super) fn new(tls: bool, authority: &str) -> Option<Self> {
        let (host, port) = match authority.rfind(':').filter(|colon| authority.rfind(']').is_none_or(|bracket| bracket < *colon)) {
            Some(colon) => {
                let (host, port) = authority.split_at_checked(colon)?;
                let digits = port.strip_prefix(':')?;
                let number = digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?;
                (host, if digits.is_empty() { None } else { Some(number.filter(|port| *port > 0)?) })
            }
            None => (authority, None),
        };
        let host = host.to_ascii_lowercase();
        let valid = match host.strip_prefix('[') {
            Some(rest) => rest.strip_suffix(']').is_some_and(|address| address.parse::<Ipv6Addr>().is_ok()),
            None => !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)),
        };
        valid.then(|| Self { tls, host, port: port.unwrap_or(if tls { 443 } else { 80 }) })
    }

    /// `HOST[:PORT]`, without a port that the scheme implies.
    pub(super) fn authority(&self) -> String {
        let implied = if self.tls { 443 } else { 80 };
        if self.port == implied { self.host.clone() } else { format!("{}:{}", self.host, self.port) }
    }

    /// Whether the host is this machine by its very name: 127.0.0.0/8, ::1 or localhost. What a name server says does not count.
    pub(super) fn is_loopback(&self) -> bool {
        self.addresses().is_some_and(|addresses| addresses.iter().all(std::net::IpAddr::is_loopback))
    }

    /// The addresses that the host is by itself, without asking a name server (RFC 6761, 6.3 for localhost).
    pub(super) fn addresses(&self) -> Option<Vec<std::net::IpAddr>> {
        if self.host == "localhost" {
            return Some(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]);
        }
        match self.host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            Some(address) => address.parse::<Ipv6Addr>().ok().map(|address| vec![address.into()]),
            None => self.host.parse::<Ipv4Addr>().ok().map(|address| vec![address.into()]),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", if self.tls { "https" } else { "http" }, self.authority())
    }
}

/// A URL without a fragment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Url {
    pub(super) origin: Origin,
    /// From the first slash on, with the query.
    path: String,
}

impl Url {
    /// What `path`, with its query, names on a server.
    pub(super) fn new(origin: Origin, path: &str) -> Result<Self, &'static str> {
        let path = path.split('#').next().unwrap_or_default();
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        let url = Self { origin, path };
        let text = url.to_string();
        // What the HTTP library cannot read, or reads as another server, is not sent.
        if text.len() > MAX_URL {
            return Err("the URL is too long");
        }
        match text.parse::<Uri>() {
            Ok(uri) if uri.host().is_some_and(|host| host.eq_ignore_ascii_case(&url.origin.host)) => Ok(url),
            _ => Err("not a valid URL"),
        }
    }

    /// An absolute URL of HTTP, without user name and password in it.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let (scheme, rest) = text.split_once("://").ok_or("not an absolute URL")?;
        let tls = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            _ => return Err("neither http nor https"),
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at_checked(end).ok_or("not a valid URL")?;
        if authority.contains('@') {
            return Err("a URL with a user name in it");
        }
        Self::new(Origin::new(tls, authority).ok_or("not a valid host")?, path)
    }

    /// Where `reference` leads from here (RFC 3986, 5.2).
    pub(super) fn join(&self, reference: &str) -> Result<Self, &'static str> {
        let reference = reference.split('#').next().unwrap_or_default();
        if let Some((scheme, _)) = reference.split_once(':')
            && is_scheme(scheme)
        {
            return Self::parse(reference);
        }
        if reference.starts_with("//") {
            return Self::parse(&format!("{}:{reference}", if self.origin.tls { "https" } else { "http" }));
        }
        let (base, _) = self.path.split_once('?').unwrap_or((&self.path, ""));
        let (path, query) = match reference.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (reference, None),
        };
        let path = if reference.is_empty() {
            return Ok(self.clone());
        } else if path.is_empty() {
            base.to_owned()
        } else if path.starts_with('/') {
            without_dots(path)
        } else {
            let folder = base.rfind('/').and_then(|slash| base.get(..=slash)).unwrap_or("/");
            without_dots(&format!("{folder}{path}"))
        };
        let query = query.map(|query| format!("?{query}")).unwrap_or_default();
        Self::new(self.origin.clone(), &format!("{path}{query}"))
    }

    /// The same with these parameters added to the query, encoded (RFC 3986, 2.1).
    pub(super) fn with_query(&self, parameters: &[(&str, &str)]) -> Self {
        let mut path = self.path.clone();
        for (name, value) in parameters {
            let between = match path.find('?') {
                None => "?",
                Some(_) if path.ends_with(['?', '&']) => "",
                Some(_) => "&",
            };
            path = format!("{path}{between}{}={}", encoded(name), encoded(value));
        }
        Self { origin: self.origin.clone(), path }
    }

    /// The path with the query.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// The URL without its query, which may be a secret: for messages about what a server named.
    pub(super) fn without_query(&self) -> String {
        let path = self.path.split('?').next().unwrap_or_default();
        format!("{}{path}", self.origin)
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.origin, self.path)
    }
}

/// A URL, or what was meant to be one, for messages: without user name, password, query and fragment.
pub(super) fn shown(text: &str) -> String {
    let text = text.split(['?', '#']).next().unwrap_or_default();
    let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
    let (authority, path) = rest.split_at_checked(rest.find('/').unwrap_or(rest.len())).unwrap_or((rest, ""));
    let host = authority.rsplit('@').next().unwrap_or_default();
    let between = if scheme.is_empty() { "" } else { "://" };
    format!("{scheme}{between}{host}{path}").chars().take(200).collect()
}

/// RFC 3986, 3.1.
fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

/// RFC 3986, 5.2.4, for a path that begins with a slash.
fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut parts = path.split('/').skip(1).peekable();
    while let Some(part) = parts.next() {
        let last = parts.peek().is_none();
        match part {
            "." => {}
            ".." => {
                kept.pop();
            }
            _ => {
                kept.push(part);
                continue;
            }
        }
        if last {
            kept.push("");
        }
    }
    format!("/{}", kept.join("/"))
}

/// RFC 3986, 2.1: everything but unreserved characters is encoded.
pub(super) fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_resolved() {
        // RFC 3986, 5.4, as far as it is HTTP.
        let base = Url::parse("http://a/b/c/d;p?q").unwrap();
        for (reference, expected) in [
            ("g", "http://a/b/c/g"),
            ("./g", "http://a/b/c/g"),
            ("g/", "http://a/b/c/g/"),
            ("/g", "http://a/g"),
            ("//g", "http://g/"),
            ("?y", "http://a/b/c/d;p?y"),
            ("g?y", "http://a/b/c/g?y"),
            ("#s", "http://a/b/c/d;p?q"),
            ("g?y#s", "http://a/b/c/g?y"),
            (";x", "http://a/b/c/;x"),
            ("", "http://a/b/c/d;p?q"),
            (".", "http://a/b/c/"),
            ("..", "http://a/b/"),
            ("../g", "http://a/b/g"),
            ("../../../g", "http://a/g"),
            ("/./g", "http://a/g"),
            ("/../g", "http://a/g"),
            ("g.", "http://a/b/c/g."),
            ("..g", "http://a/b/c/..g"),
            ("./g/.", "http://a/b/c/g/"),
            ("g/./h", "http://a/b/c/g/h"),
            ("g/../h", "http://a/b/c/h"),
            ("g?y/../x", "http://a/b/c/g?y/../x"),
            ("HTTPS://H:443/x", "https://h/x"),
            ("http://h:8080", "http://h:8080/"),
            ("http://[::1]:5000/v2/", "http://[::1]:5000/v2/"),
        ] {
            assert_eq!(base.join(reference).map(|url| url.to_string()).as_deref(), Ok(expected), "{reference}");
        }
    }

    #[test]
    fn what_is_no_url_of_http_is_refused() {
        let base = Url::parse("https://a/b").unwrap();
        let long = "x".repeat(MAX_URL);
        for reference in [
            "ftp://h/",
            "file:///etc/passwd",
            "javascript:x",
            "http:x",
            "http://",
            "http:///x",
            "http://user:password@h/",
            "//user@h/",
            "http://h:99999/",
            "http://h:0/",
            "http://h:+1/",
            "http://a b/",
            "http://a%2fb/",
            "http://[::1/",
            "http://[::g]/",
            "http://[fe80::1%25eth0]/",
            "/a b",
            "/a\u{7f}",
            "/a\r\nHost: x",
            &long,
        ] {
            assert!(base.join(reference).is_err(), "{reference}: {:?}", base.join(reference));
        }
    }

    #[test]
    fn what_may_be_secret_in_a_url_is_not_shown() {
        assert_eq!(shown("https://user:pass@h:1/a/b?token=x#y"), "https://h:1/a/b");
        assert_eq!(shown("https://user:p@ss@h"), "https://h");
        assert_eq!((shown("h/x@y").as_str(), shown("user@h/x@y").as_str(), shown("").as_str()), ("h/x@y", "h/x@y", ""));
    }

    #[test]
    fn parameters_are_encoded() {
        let url = Url::parse("http://a/upload").unwrap();
        let digest = url.with_query(&[("digest", "sha256:0a"), ("x y", "ä&=#%")]);
        assert_eq!(digest.to_string(), "http://a/upload?digest=sha256%3A0a&x%20y=%C3%A4%26%3D%23%25");
        assert_eq!(Url::parse("http://a/?_state=1").unwrap().with_query(&[("n", "1")]).to_string(), "http://a/?_state=1&n=1");
        assert_eq!(Url::parse("http://a/?").unwrap().with_query(&[("n", "1")]).to_string(), "http://a/?n=1");
    }

    #[test]
    fn loopback_is_told_by_the_name_alone() {
        for (authority, expected) in [
            ("127.0.0.1:5000", true),
            ("127.255.0.9", true),
            ("LocalHost:5000", true),
            ("[::1]", true),
            ("localhost.example.com", false),
            ("127.0.0.1.example.com", false),
            ("127.1", false),
            ("0.0.0.0", false),
            ("[::ffff:127.0.0.1]", false),
            ("10.0.0.1", false),
        ] {
            assert_eq!(Origin::new(false, authority).unwrap().is_loopback(), expected, "{authority}");
        }
        assert_ne!(Origin::new(false, "h"), Origin::new(true, "h"));
        assert_ne!(Origin::new(false, "h"), Origin::new(false, "h:443"));
        assert_eq!(Origin::new(true, "h"), Origin::new(true, "H:443"));
    }
}
