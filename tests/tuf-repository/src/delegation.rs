//! Delegations of the three kinds.

use touchmark_envelope::json::Value;

use crate::Key;

/// A delegation to one role, or to the bins of TAP 15.
///
/// Without keys it has the Ed25519 key of the role's name; it says nothing of paths unless told.
#[derive(Clone, Debug)]
pub struct Delegation {
    pub(crate) name: String,
    pub(crate) keys: Vec<Key>,
    threshold: u64,
    terminating: bool,
    scope: Scope,
}

#[derive(Clone, Debug)]
enum Scope {
    Nothing,
    Paths(Vec<String>),
    Prefixes(Vec<String>),
    Bins(u32),
}

impl Delegation {
    /// A delegation to the role `name`.
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), keys: vec![Key::ed25519(name)], threshold: 1, terminating: false, scope: Scope::Nothing }
    }

    /// To two to the power of `bits` bins, named `prefix-0` and so on (TAP 15).
    pub fn bins(prefix: &str, bits: u32) -> Self {
        Self { scope: Scope::Bins(bits), ..Self::new(prefix) }
    }

    /// For paths that match one of these patterns.
    #[must_use]
    pub fn paths(mut self, patterns: &[&str]) -> Self {
        self.scope = Scope::Paths(patterns.iter().map(|&pattern| pattern.to_owned()).collect());
        self
    }

    /// For paths whose SHA-256 begins with one of these hexadecimal digits.
    #[must_use]
    pub fn prefixes(mut self, prefixes: &[&str]) -> Self {
        self.scope = Scope::Prefixes(prefixes.iter().map(|&prefix| prefix.to_owned()).collect());
        self
    }

    /// By these keys, a threshold of them.
    #[must_use]
    pub fn keys(mut self, threshold: u64, keys: &[Key]) -> Self {
        self.keys = keys.to_vec();
        self.threshold = threshold;
        self
    }

    /// A terminating one.
    #[must_use]
    pub fn terminating(mut self) -> Self {
        self.terminating = true;
        self
    }

    /// The names of the roles that it delegates to.
    pub fn roles(&self) -> Vec<String> {
        match self.scope {
            Scope::Bins(bits) => (0..1_u64 << bits).map(|bin| bin_name(&self.name, bits, bin)).collect(),
            _ => vec![self.name.clone()],
        }
    }

    /// Whether it is to bins.
    pub(crate) fn is_succinct(&self) -> bool {
        matches!(self.scope, Scope::Bins(_))
    }

    /// Its element of `roles`, or the value of `succinct_roles`.
    pub(crate) fn json(&self) -> Value<'static> {
        let keyids: Vec<Value<'static>> = self.keys.iter().map(|key| Value::from(key.keyid().to_owned())).collect();
        let list = |texts: &[String]| Value::from(texts.iter().cloned().map(Value::from).collect::<Vec<_>>());
        let mut members = vec![("keyids", Value::from(keyids)), ("threshold", Value::from(self.threshold))];
        match &self.scope {
            Scope::Bins(bits) => {
                members.push(("bit_length", Value::from(u64::from(*bits))));
                members.push(("name_prefix", Value::from(self.name.clone())));
                return Value::object(members);
            }
            Scope::Paths(patterns) => members.push(("paths", list(patterns))),
            Scope::Prefixes(prefixes) => members.push(("path_hash_prefixes", list(prefixes))),
            Scope::Nothing => {}
        }
        members.push(("name", Value::from(self.name.clone())));
        members.push(("terminating", Value::from(self.terminating)));
        Value::object(members)
    }
}

/// TAP 15: the prefix, a hyphen, and the number in hexadecimal with as many digits as the last one has.
fn bin_name(prefix: &str, bits: u32, bin: u64) -> String {
    let digits = format!("{:x}", (1_u64 << bits) - 1).len();
    format!("{prefix}-{bin:0digits$x}")
}
