//! The host of a registry in the one form in which it is asked, shown and matched by policies (SPEC.md, section 13).

use std::net::{Ipv4Addr, Ipv6Addr};

/// Docker Hub.
const DOCKER_HUB: &str = "docker.io";
/// Its other names: what it was called once, and the server that answers for it.
const ALSO_DOCKER_HUB: [&str; 2] = ["index.docker.io", "registry-1.docker.io"];
/// The port of HTTPS (RFC 9110, 4.2.2).
const DEFAULT_PORT: u16 = 443;

/// The normal form of `HOST[:PORT]`; `None` of what is the first part of a Docker Hub name, or nothing of the kind.
///
/// It is in lower case, without the default port, Docker Hub by its own name, and a port and an address in one spelling:
/// otherwise whoever spells a host in another way than a policy's rule would have a later rule decide.
pub(crate) fn normal(text: &str) -> Option<String> {
    let (name, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (address, behind) = rest.split_once(']')?;
            let address: Ipv6Addr = address.parse().ok()?;
            let port = if behind.is_empty() { None } else { Some(behind.strip_prefix(':')?) };
            // The same machine, by the same packets.
            let name = address.to_ipv4_mapped().map_or_else(|| format!("[{address}]"), |mapped| mapped.to_string());
            (name, port)
        }
        None => {
            let (name, port) = text.split_once(':').map_or((text, None), |(name, port)| (name, Some(port)));
            let numeric = name.rsplit('.').next().is_some_and(is_number);
            // `127.1` and `0x7f.1` are other spellings of an address, which the system would read.
            let valid = if numeric { name.parse::<Ipv4Addr>().is_ok() } else { name.split('.').all(is_label) };
            (valid.then(|| name.to_ascii_lowercase())?, port)
        }
    };
    let port = match port {
        Some(text) => Some(self::port(text)?),
        None => None,
    };
    let by_itself = name.contains(['.', '[']) || name == "localhost";
    match port {
        None if !by_itself => None,
        None => Some(hub(name)),
        Some(DEFAULT_PORT) if by_itself => Some(hub(name)),
        Some(port) => Some(format!("{name}:{port}")),
    }
}

/// Whether a host in normal form is Docker Hub, where every repository has a publisher before the slash.
pub(crate) fn is_docker_hub(host: &str) -> bool {
    host == DOCKER_HUB
}

fn hub(name: String) -> String {
    if ALSO_DOCKER_HUB.contains(&name.as_str()) { DOCKER_HUB.to_owned() } else { name }
}

fn is_label(label: &str) -> bool {
    let inner = label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    inner && !label.is_empty() && !label.starts_with('-') && !label.ends_with('-')
}

/// Whether a name that ends in this label is an address (WHATWG URL, "ends in a number").
fn is_number(label: &str) -> bool {
    let hexadecimal = label.strip_prefix("0x").or_else(|| label.strip_prefix("0X"));
    let digits =
        hexadecimal.map_or_else(|| label.bytes().all(|byte| byte.is_ascii_digit()), |hex| hex.bytes().all(|b| b.is_ascii_hexdigit()));
    digits && !label.is_empty()
}

fn port(text: &str) -> Option<u16> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|port| digits && *port > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_host_has_one_form() {
        for (form, spellings) in [
            ("r.example", &["r.example", "R.Example", "r.example:443", "R.EXAMPLE:0443"][..]),
            ("r.example:5000", &["r.example:5000", "r.example:05000"]),
            ("r.example:80", &["r.example:80"]),
            (
                "docker.io",
                &[
                    "docker.io",
                    "Docker.IO:443",
                    "index.docker.io",
                    "index.docker.io:443",
                    "registry-1.docker.io",
                    "Registry-1.docker.io:443",
                ],
            ),
            ("index.docker.io:5000", &["index.docker.io:5000"]),
            ("hub.docker.io", &["hub.docker.io"]),
            ("localhost", &["localhost", "LOCALHOST", "localhost:443"]),
            // Without the port it would be no host.
            ("registry:443", &["registry:443", "Registry:443"]),
            ("127.0.0.1", &["127.0.0.1", "127.0.0.1:443", "[::ffff:127.0.0.1]", "[::FFFF:7f00:1]:443"]),
            ("127.0.0.1:5000", &["127.0.0.1:5000", "[::ffff:7f00:1]:5000"]),
            ("[::1]", &["[::1]", "[::1]:443", "[0:0:0:0:0:0:0:1]", "[0::0001]:443"]),
            ("[2001:db8::a]:5000", &["[2001:DB8::A]:5000", "[2001:db8:0:0::a]:5000", "[2001:db8::0.0.0.10]:05000"]),
        ] {
            for spelling in spellings {
                assert_eq!(normal(spelling).as_deref(), Some(form), "{spelling}");
            }
        }
    }

    #[test]
    fn what_is_no_host_has_none() {
        for text in [
            "",
            "registry",
            ".",
            "r.example.",
            "r.example.:443",
            ".r.example",
            "r..example",
            "-r.example",
            "r.example:",
            "r.example:0",
            "r.example:65536",
            "r.example:+443",
            "r.example:443:443",
            "127.1",
            "127.0.0.01",
            "0x7f.0.0.1",
            "0x7f.1",
            "2130706433:5000",
            "1.2.3.4.5",
            "127.0.0.0x1",
            "[::1",
            "[::1]443",
            "[::1]x",
            "[x]:1",
            "[fe80::1%25eth0]",
            "[127.0.0.1]",
            "u@r.example",
            "a_b.example",
            "é.example",
            "r.example\u{3002}",
        ] {
            assert_eq!(normal(text), None, "{text}");
        }
    }
}
