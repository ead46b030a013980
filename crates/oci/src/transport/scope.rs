//! What a token is for (distribution's token authentication, "Token Scope").

use std::fmt;

/// Bytes of the scopes that a token is asked for.
const MAX_BYTES: usize = 4 << 10;

/// Resources, each with what is to be done with it: `repository:acme/app:pull,push`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Scopes(Vec<(String, Vec<String>)>);

impl Scopes {
    /// Reads scopes that are separated by spaces. What is beyond the limit is left out: then the server refuses what it guards.
    pub(super) fn parse(text: &str) -> Self {
        let mut scopes = Self::default();
        let mut bytes = 0_usize;
        for scope in text.split([' ', '\t']).filter(|scope| !scope.is_empty()) {
            bytes = bytes.saturating_add(scope.len());
            if bytes > MAX_BYTES {
                break;
            }
            let (resource, actions) = scope.rsplit_once(':').unwrap_or((scope, ""));
            scopes.add(resource, actions.split(',').filter(|action| !action.is_empty()));
        }
        scopes
    }

    fn add<'a>(&mut self, resource: &str, actions: impl Iterator<Item = &'a str>) {
        let place = match self.0.iter().position(|(known, _)| known == resource) {
            Some(place) => place,
            None => {
                self.0.push((resource.to_owned(), Vec::new()));
                self.0.len() - 1
            }
        };
        let Some((_, known)) = self.0.get_mut(place) else { return };
        for action in actions {
            if !known.iter().any(|known| known == action) {
                known.push(action.to_owned());
            }
        }
    }

    /// These and those.
    pub(super) fn and(mut self, others: &Self) -> Self {
        for (resource, actions) in &others.0 {
            self.add(resource, actions.iter().map(String::as_str));
        }
        self
    }

    /// Each scope by itself.
    pub(super) fn each(&self) -> impl Iterator<Item = String> {
        self.0
            .iter()
            .map(|(resource, actions)| if actions.is_empty() { resource.clone() } else { format!("{resource}:{}", actions.join(",")) })
    }

    /// The name of the first repository among the resources: the one that the request is about. Empty if there is none.
    pub(super) fn repository(&self) -> &str {
        self.0.iter().find_map(|(resource, _)| resource.strip_prefix("repository:")).unwrap_or_default()
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.each().collect::<Vec<_>>().join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_joined_by_resource() {
        let asked = Scopes::parse("repository:acme/app:pull repository:acme/lib:pull");
        assert_eq!(asked.repository(), "acme/app");
        let joined = asked.clone().and(&Scopes::parse("repository:acme/app:pull,push registry:catalog:*"));
        assert_eq!(joined.to_string(), "repository:acme/app:pull,push repository:acme/lib:pull registry:catalog:*");
        assert_eq!(asked.clone().and(&Scopes::parse(" repository:acme/app:pull ")), asked);
        assert_eq!(Scopes::parse("").to_string(), "");
        assert_eq!(Scopes::parse("odd").each().collect::<Vec<_>>(), ["odd"]);
        assert_eq!(Scopes::parse(&"repository:x:pull ".repeat(1 << 20)).to_string(), "repository:x:pull");
        assert!(Scopes::parse(&"x".repeat(MAX_BYTES + 1)).to_string().is_empty());
    }
}
