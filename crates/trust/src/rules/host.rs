//! The one form in which the host of a registry is matched (SPEC.md, section 13): what is spelt otherwise would slip past a rule.

use alloc::string::ToString;
use core::net::{Ipv4Addr, Ipv6Addr};

/// Why no reference in normal form has the host `HOST[:PORT]`, or one that it is a pattern of; `None` if one may.
pub(super) fn abnormal(host: &str) -> Option<&'static str> {
    let (name, port) = match host.rsplit_once(':').filter(|(_, port)| !port.ends_with(']')) {
        Some((name, port)) => (name, Some(port)),
        None => (host, None),
    };
    let exact = !name.contains('*');
    // `registry:443` would be no host without its port.
    if port == Some("443") && (name.contains(['.', '*', '[']) || name == "localhost") {
        return Some("443 is the default port, which is left out");
    }
    if port.is_some_and(|port| !port.contains('*') && !port.parse::<u16>().is_ok_and(|number| number > 0 && number.to_string() == port)) {
        return Some("what follows the `:` of the host is no port as it is shown");
    }
    if ["index.docker.io", "registry-1.docker.io"].contains(&host) {
        return Some("Docker Hub is docker.io, by whatever name it is asked for");
    }
    if name.starts_with('[') {
        let shown = |address: Ipv6Addr| address.to_ipv4_mapped().is_none() && alloc::format!("[{address}]") == name;
        let address = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let valid = !exact || address.and_then(|address| address.parse().ok()).is_some_and(shown);
        return if valid { None } else { Some("what is in the brackets is no IPv6 address as it is shown") };
    }
    if name.starts_with('.') || name.ends_with('.') || name.contains("..") {
        return Some("a part of the host is empty");
    }
    let last = name.rsplit('.').next().unwrap_or_default();
    let hexadecimal = last.strip_prefix("0x").is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
    let numeric = hexadecimal || (!last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit()));
    if exact && numeric && name.parse::<Ipv4Addr>().is_err() {
        return Some("a host that ends in a number is an IPv4 address, which has four in decimal");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_host_has_one_form() {
        for host in [
            "r.example",
            "r.example:80",
            "r.example:5000",
            "docker.io",
            "index.docker.io:5000",
            "*.docker.io",
            "localhost",
            "localhost:5000",
            "registry:443",
            "127.0.0.1:5000",
            "[::1]",
            "[::1]:5000",
            "[2001:db8::a]",
            "*",
            "*:*",
            "r.example:*",
            "(*).example:5(*)",
            "10.*",
            "*.1",
            "[2001:db8:*]",
            "[*]:*",
        ] {
            assert_eq!(abnormal(host), None, "{host}");
        }
        for host in [
            "r.example:443",
            "*:443",
            "(*).example:443",
            "localhost:443",
            "[::1]:443",
            "docker.io:443",
            "index.docker.io",
            "registry-1.docker.io",
            "r.example:05000",
            "r.example:0",
            "r.example:65536",
            "r.example:",
            "r.example:x",
            "r.example.",
            ".example",
            "r..example",
            "*.",
            "127.1",
            "0x7f.0x1",
            "2130706433:5000",
            "127.0.0.01",
            "[::ffff:127.0.0.1]",
            "[0::1]",
            "[::1",
            "[::A]",
            "[x]:5000",
        ] {
            assert!(abnormal(host).is_some(), "{host}");
        }
    }
}
