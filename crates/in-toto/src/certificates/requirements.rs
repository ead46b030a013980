//! What a step says of certificates (ITE-7, `cert_constraints`).

use alloc::borrow::ToOwned;
use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;

use touchmark_envelope::json::Value;

/// What a certificate must be like. It meets all of it or nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertConstraint {
    /// The common name of the subject, of which there is at most one to be met by name.
    pub common_name: Allowed,
    /// The DNS names of the subject.
    pub dns_names: Allowed,
    /// The addresses of the subject, those of its alternative names.
    pub emails: Allowed,
    /// The organizations of the subject.
    pub organizations: Allowed,
    /// The keyids of the roots that its chain may lead to. None allows none.
    pub roots: Allowed,
    /// The URIs of the subject.
    pub uris: Allowed,
}

/// What may be in one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Allowed {
    /// Anything, and nothing: `*` alone.
    Any,
    /// Exactly these; none, if there are none.
    Only(BTreeSet<String>),
}

impl CertConstraint {
    /// Reads one. A member that is missing or `null` is an empty one, as Go writes and reads it: what it is for must not be there.
    pub(crate) fn read(value: &Value<'_>) -> Option<Self> {
        value.as_object()?;
        let list = |member| Allowed::list(value.get(member));
        let common_name = match value.get("common_name") {
            None | Some(Value::Null) => Allowed::of(&[""]),
            Some(name) => Allowed::of(&[name.as_str()?]),
        };
        Some(Self {
            common_name,
            dns_names: list("dns_names")?,
            emails: list("emails")?,
            organizations: list("organizations")?,
            roots: list("roots")?,
            uris: list("uris")?,
        })
    }

    /// Whether certificates with these names meet it, if their chains do.
    #[cfg_attr(not(feature = "x509"), allow(dead_code, reason = "nothing is checked without it"))]
    pub(crate) fn is_met_by(&self, names: &Names) -> bool {
        let is_any = |allowed: &Allowed| *allowed == Allowed::Any;
        // A name of another kind is one that no constraint can list. Only one that leaves all alternative names open leaves those open.
        let others = !names.has_others || [&self.dns_names, &self.emails, &self.uris].into_iter().all(is_any);
        others
            && self.common_name.is_met_by(&names.common_names)
            && self.organizations.is_met_by(&names.organizations)
            && self.dns_names.is_met_by(&names.dns_names)
            && self.emails.is_met_by(&names.emails)
            && self.uris.is_met_by(&names.uris)
    }

    /// Whether a chain may lead to the root that is listed under this keyid.
    pub(crate) fn allows_root(&self, keyid: &str) -> bool {
        match &self.roots {
            Allowed::Any => true,
            Allowed::Only(roots) => roots.contains(keyid),
        }
    }
}

impl Allowed {
    fn list(value: Option<&Value<'_>>) -> Option<Self> {
        match value {
            None | Some(Value::Null) => Some(Self::of(&[])),
            Some(list) => Some(Self::of(&list.as_array()?.iter().map(Value::as_str).collect::<Option<Vec<_>>>()?)),
        }
    }

    /// `*` alone is anything, an empty text alone is nothing. Beside others both are texts as they stand.
    fn of(values: &[&str]) -> Self {
        match values {
            ["*"] => Allowed::Any,
            [""] => Allowed::Only(BTreeSet::new()),
            values => Allowed::Only(values.iter().map(|value| (*value).to_owned()).collect()),
        }
    }

    /// Whether `found` is what is allowed, all of it and nothing else, each once.
    #[cfg_attr(not(feature = "x509"), allow(dead_code, reason = "nothing is checked without it"))]
    fn is_met_by(&self, found: &[String]) -> bool {
        match self {
            Allowed::Any => true,
            Allowed::Only(wanted) => {
                let distinct: BTreeSet<&String> = found.iter().collect();
                distinct.len() == found.len() && distinct.len() == wanted.len() && distinct.into_iter().all(|name| wanted.contains(name))
            }
        }
    }
}

/// The names of a certificate that constraints are about.
#[derive(Clone, Debug, Default)]
#[cfg_attr(not(feature = "x509"), allow(dead_code, reason = "nothing is checked without it"))]
pub(crate) struct Names {
    pub(crate) common_names: Vec<String>,
    pub(crate) organizations: Vec<String>,
    pub(crate) dns_names: Vec<String>,
    pub(crate) emails: Vec<String>,
    pub(crate) uris: Vec<String>,
    /// Whether there are alternative names of other kinds, such as addresses of machines.
    pub(crate) has_others: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use touchmark_envelope::json::parse;

    fn read(text: &str) -> Option<CertConstraint> {
        CertConstraint::read(&parse(text.as_bytes(), text.len()).unwrap())
    }

    fn strings(values: &[&str]) -> Vec<String> {
        values.iter().map(|value| (*value).to_owned()).collect()
    }

    #[test]
    fn only_a_sole_star_is_any() {
        // What is allowed, and what is found: each a list, divided by spaces.
        let words = |text: &str| text.split_terminator(' ').map(ToOwned::to_owned).collect::<Vec<_>>();
        let allowed = |text: &str| Allowed::of(&words(text).iter().map(String::as_str).collect::<Vec<_>>());
        for (wanted, found, met) in [
            ("*", "", true),
            ("*", "a a", true),
            ("", "", true),
            ("", "a", false),
            ("", "*", false),
            ("a", "a", true),
            ("a", "", false),
            ("a", "b", false),
            ("a", "A", false),
            ("a", "a b", false),
            ("a", "a a", false),
            ("a b", "b a", true),
            ("a b", "a", false),
            ("a b", "a a", false),
            ("a b", "a b b", false),
            ("a a", "a", true),
            ("a a", "a a", false),
            ("* a", "* a", true),
            ("* a", "b a", false),
            ("*.example.com", "*.example.com", true),
            ("*.example.com", "a.example.com", false),
        ] {
            assert_eq!(allowed(wanted).is_met_by(&words(found)), met, "{wanted:?} {found:?}");
        }
        let empty = Allowed::of(&[""]);
        assert!(empty.is_met_by(&[]) && !empty.is_met_by(&strings(&[""])));
    }

    #[test]
    fn what_is_missing_must_be_absent() {
        let none = read("{}").unwrap();
        assert!(none.is_met_by(&Names::default()) && !none.allows_root("r"));
        for names in [
            Names { common_names: strings(&["a"]), ..Names::default() },
            Names { organizations: strings(&["a"]), ..Names::default() },
            Names { dns_names: strings(&["a"]), ..Names::default() },
            Names { emails: strings(&["a"]), ..Names::default() },
            Names { uris: strings(&["a"]), ..Names::default() },
            Names { has_others: true, ..Names::default() },
        ] {
            assert!(!none.is_met_by(&names), "{names:?}");
            let any = read(r#"{"common_name":"*","dns_names":["*"],"emails":["*"],"organizations":["*"],"uris":["*"]}"#).unwrap();
            assert!(any.is_met_by(&names), "{names:?}");
        }
        let null = read(r#"{"common_name":null,"dns_names":null,"emails":null,"organizations":null,"roots":null,"uris":null}"#);
        assert_eq!(null.unwrap(), none);
    }

    #[test]
    fn roots_are_those_that_are_named() {
        let roots = read(r#"{"roots":["r","s"]}"#).unwrap();
        assert!(roots.allows_root("r") && roots.allows_root("s") && !roots.allows_root("t") && !roots.allows_root(""));
        assert!(read(r#"{"roots":["*"]}"#).unwrap().allows_root("t"));
        assert!(!read(r#"{"roots":["*","r"]}"#).unwrap().allows_root("t"));
    }

    #[test]
    fn another_form_is_refused() {
        for text in ["[]", "\"*\"", r#"{"common_name":["a"]}"#, r#"{"dns_names":"a"}"#, r#"{"uris":[1]}"#, r#"{"roots":{}}"#] {
            assert!(read(text).is_none(), "{text}");
        }
    }
}
