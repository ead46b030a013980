//! What part of the registries a scope of another tool is, as patterns of references.

use std::cmp::Reverse;

use touchmark::trust::rules::{PatternFault, ReferencePattern};

/// A scope, from that of one image to all of them. The order is that in which others look for the one that decides: the narrowest first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Scope {
    /// One image, by its tag.
    Tag {
        /// `HOST/REPOSITORY`.
        repository: String,
        /// The tag.
        tag: String,
    },
    /// One image, by its digest.
    Digest {
        /// `HOST/REPOSITORY`.
        repository: String,
        /// The digest.
        digest: String,
    },
    /// `HOST/PATH`: a repository, and all below it. Those with more parts come first.
    Path(Reverse<usize>, String),
    /// `HOST[:PORT]`.
    Host(String),
    /// `*.DOMAIN`, with the longer ones first.
    Subdomains(Reverse<usize>, String),
    /// All registries, by the scope of the transport.
    Transport,
    /// What nothing else is for.
    Default,
}

impl Scope {
    /// Reads a scope of the transport `docker`. `None` if it is none that could match an image.
    pub(super) fn read(text: &str) -> Option<Self> {
        let scope = Self::of_images(text)?;
        // No image has such a host here: it would be matched as one of the host's normal form.
        let strange = |text: &String| matches!(ReferencePattern::new(text), Err(PatternFault::Host(_)));
        (!scope.cover().iter().any(strange)).then_some(scope)
    }

    fn of_images(text: &str) -> Option<Self> {
        if text.is_empty() {
            return Some(Scope::Transport);
        }
        if let Some(domain) = text.strip_prefix("*.") {
            return (!domain.contains(['/', ':', '@', '*'])).then(|| Scope::Subdomains(Reverse(domain.len()), domain.to_owned()));
        }
        if text.contains(['*', '(', ')']) {
            return None;
        }
        let Some((_, behind)) = text.split_once('/') else { return Some(Scope::Host(text.to_owned())) };
        let owned = |(repository, end): (&str, &str)| (repository.to_owned(), end.to_owned());
        let scope = match (behind.contains('@'), behind.contains(':')) {
            (true, _) => text.split_once('@').map(owned).map(|(repository, digest)| Scope::Digest { repository, digest })?,
            (false, true) => text.rsplit_once(':').map(owned).map(|(repository, tag)| Scope::Tag { repository, tag })?,
            (false, false) => Scope::Path(Reverse(text.matches('/').count()), text.to_owned()),
        };
        match &scope {
            // A tag beside the digest: no image has both there.
            Scope::Digest { repository, .. } if repository.rsplit('/').next().is_some_and(|last| last.contains(':')) => None,
            _ => Some(scope),
        }
    }

    /// The patterns that together match every reference in the scope, and no other. A host is in `*.DOMAIN` whatever its port.
    pub(super) fn cover(&self) -> Vec<String> {
        match self {
            Scope::Tag { repository, tag } => vec![format!("{repository}:{tag}")],
            Scope::Digest { repository, digest } => vec![format!("{repository}@{digest}")],
            Scope::Path(_, path) => vec![format!("{path}:**"), format!("{path}@**"), format!("{path}/**")],
            Scope::Host(host) => vec![format!("{host}/**")],
            Scope::Subdomains(_, domain) => vec![format!("*.{domain}/**"), format!("*.{domain}:*/**")],
            Scope::Transport | Scope::Default => vec!["*/**".to_owned(), "*:*/**".to_owned()],
        }
    }

    /// Whether something in this scope may be in `other`, too.
    pub(super) fn overlaps(&self, other: &Self) -> bool {
        let read = |patterns: Vec<String>| patterns.into_iter().filter_map(|text| ReferencePattern::new(&text).ok()).collect::<Vec<_>>();
        let (ours, theirs) = (read(self.cover()), read(other.cover()));
        ours.iter().any(|one| theirs.iter().any(|other| one.meets(other)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_told_apart_and_the_narrowest_comes_first() {
        let mut scopes: Vec<Scope> =
            ["", "*.example.com", "*.a.example.com", "r.example", "r.example:5000", "r.example/a", "r.example:5000/a/b", "r.example/a:1"]
                .iter()
                .map(|text| Scope::read(text).unwrap())
                .collect();
        scopes.push(Scope::Default);
        scopes.sort();
        let covers: Vec<String> = scopes.iter().map(|scope| scope.cover().join(" ")).collect();
        assert_eq!(
            covers,
            [
                "r.example/a:1",
                "r.example:5000/a/b:** r.example:5000/a/b@** r.example:5000/a/b/**",
                "r.example/a:** r.example/a@** r.example/a/**",
                "r.example/**",
                "r.example:5000/**",
                "*.a.example.com/** *.a.example.com:*/**",
                "*.example.com/** *.example.com:*/**",
                "*/** *:*/**",
                "*/** *:*/**",
            ]
        );
        for text in [
            "r.example:443",
            "index.docker.io",
            "registry-1.docker.io/acme/x",
            "r.example:443/a:1",
            "example*.com",
            "*.example.com:5000",
            "*.example.com/a",
            "r.example/a:1@sha256:00",
            "r.example/(x)",
        ] {
            assert_eq!(Scope::read(text), None, "{text}");
        }
    }

    #[test]
    fn scopes_overlap_where_an_image_is_in_both() {
        let overlap = |one: &str, other: &str| Scope::read(one).unwrap().overlaps(&Scope::read(other).unwrap());
        for (one, other) in [
            ("r.example/a/b", "r.example/a"),
            ("r.example/a:1", "r.example/a"),
            ("a.example.com", "*.example.com"),
            ("r.example:5000/a", "*.example"),
            ("r.example", ""),
        ] {
            assert!(overlap(one, other) && overlap(other, one), "{one} {other}");
        }
        for (one, other) in [("r.example/ab", "r.example/a"), ("r.example:5000", "r.example"), ("example.com", "*.example.com")] {
            assert!(!overlap(one, other) && !overlap(other, one), "{one} {other}");
        }
    }
}
