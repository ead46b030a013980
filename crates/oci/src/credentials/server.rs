//! The names under which the credentials of one registry are kept.

/// Where Docker keeps the credentials of Docker Hub: the address of its first version.
const HUB_KEY: &str = "https://index.docker.io/v1/";
/// The hosts that are Docker Hub.
const HUB_HOSTS: [&str; 3] = ["docker.io", "index.docker.io", "registry-1.docker.io"];

/// A registry, as the credentials' files know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Server {
    host: String,
}

/// How well a key of a file fits what is looked for; the least is the best.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fit {
    /// The repository, or what it is below of: podman's `HOST/NAMESPACE`. The longer path fits better.
    Namespace(std::cmp::Reverse<usize>),
    /// The key that is written.
    Key,
    /// The host, without a scheme.
    Host,
    /// A URL on the host, such as `https://HOST/v1/`.
    Url,
}

impl Server {
    /// The registry at `host` (`HOST[:PORT]`).
    pub(super) fn new(host: &str) -> Self {
        Self { host: host.to_ascii_lowercase() }
    }

    fn is_hub(&self) -> bool {
        HUB_HOSTS.contains(&self.host.as_str())
    }

    /// The key under which credentials are written, and which helpers are asked for.
    pub(super) fn key(&self) -> &str {
        if self.is_hub() { HUB_KEY } else { &self.host }
    }

    /// How a file's key fits the `repository`, if it does.
    pub(super) fn fit(&self, key: &str, repository: &str) -> Option<Fit> {
        if key == self.key() {
            return Some(Fit::Key);
        }
        let url = key.strip_prefix("https://").or_else(|| key.strip_prefix("http://"));
        let (host, path) = url.unwrap_or(key).split_once('/').unwrap_or((url.unwrap_or(key), ""));
        if !self.is_called(host) {
            return None;
        }
        // Docker and podman look at nothing but the host of a URL.
        if url.is_some() {
            return Some(Fit::Url);
        }
        match path.trim_end_matches('/') {
            "" => Some(Fit::Host),
            path if is_below(repository, path) => Some(Fit::Namespace(std::cmp::Reverse(path.len()))),
            "v1" | "v2" => Some(Fit::Url),
            _ => None,
        }
    }

    fn is_called(&self, host: &str) -> bool {
        if self.is_hub() {
            return HUB_HOSTS.iter().any(|name| host.eq_ignore_ascii_case(name));
        }
        // What was kept for `HOST:443` is that registry's, which a reference calls `HOST`.
        host.eq_ignore_ascii_case(&self.host) || host.strip_suffix(":443").is_some_and(|host| host.eq_ignore_ascii_case(&self.host))
    }
}

/// Whether the repository is the namespace, or in it.
fn is_below(repository: &str, namespace: &str) -> bool {
    repository.strip_prefix(namespace).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cmp::Reverse;

    #[test]
    fn what_was_kept_with_the_default_port_is_found() {
        let server = Server::new("r.example");
        assert_eq!(server.fit("r.example:443", "acme/app"), Some(Fit::Host));
        assert_eq!(server.fit("https://r.example:443/v2/", "acme/app"), Some(Fit::Url));
        assert_eq!(server.fit("r.example:4433", "acme/app"), None);
        assert_eq!(Server::new("r.example:443").fit("r.example", "acme/app"), None);
    }

    #[test]
    fn keys_that_other_tools_write_fit() {
        let server = Server::new("Registry.Example.com:5000");
        assert_eq!(server.key(), "registry.example.com:5000");
        for (key, fit) in [
            ("registry.example.com:5000", Some(Fit::Key)),
            ("REGISTRY.example.com:5000", Some(Fit::Host)),
            ("registry.example.com:5000/", Some(Fit::Host)),
            ("https://registry.example.com:5000", Some(Fit::Url)),
            ("https://registry.example.com:5000/v1/", Some(Fit::Url)),
            ("http://registry.example.com:5000/v2/", Some(Fit::Url)),
            ("registry.example.com:5000/v2/", Some(Fit::Url)),
            ("registry.example.com:5000/acme", Some(Fit::Namespace(Reverse(4)))),
            ("registry.example.com:5000/acme/app", Some(Fit::Namespace(Reverse(8)))),
            ("registry.example.com:5000/acme/ap", None),
            ("registry.example.com:5000/acme/app/more", None),
            ("registry.example.com", None),
            ("registry.example.com:50000", None),
            ("registry.example.com:5000.evil.example", None),
            ("https://evil.example/registry.example.com:5000", None),
            ("https://registry.example.com:5000@evil.example/", None),
            ("example.com:5000", None),
            ("", None),
        ] {
            assert_eq!(server.fit(key, "acme/app"), fit, "{key}");
        }
    }

    #[test]
    fn the_nearest_namespace_fits_best() {
        let server = Server::new("localhost:5000");
        let fit = |key: &str| server.fit(key, "acme/team/app").unwrap();
        assert!(fit("localhost:5000/acme/team") < fit("localhost:5000/acme"));
        assert!(fit("localhost:5000/acme") < fit("localhost:5000"));
        assert!(fit("localhost:5000") < fit("https://localhost:5000"));
        assert_eq!(server.fit("localhost:5000/acme", ""), None);
    }

    #[test]
    fn docker_hub_has_many_names() {
        for host in HUB_HOSTS {
            let server = Server::new(host);
            assert_eq!(server.key(), "https://index.docker.io/v1/");
            assert_eq!(server.fit(HUB_KEY, "library/alpine"), Some(Fit::Key));
            assert_eq!(server.fit("docker.io", "library/alpine"), Some(Fit::Host));
            assert_eq!(server.fit("index.docker.io/v1/", "library/alpine"), Some(Fit::Url));
            assert_eq!(server.fit("docker.io/library", "library/alpine"), Some(Fit::Namespace(Reverse(7))));
            assert_eq!(server.fit("hub.docker.io", "library/alpine"), None);
        }
    }
}
