//! What a client trusts and has found, as values for people and programs.

use alloc::string::ToString as _;

use touchmark_envelope::json::{Object, Value};

use super::{Client, Found};
use crate::metadata::Header;
use crate::path::{RoleName, TargetPath};

impl Client {
    /// What is trusted so far, as JSON: `{at, root, timestamp, snapshot, targets}`, each role `{version, expires}`, or null before it is trusted.
    pub fn to_json(&self) -> Object<'static> {
        let role = |header: Option<&Header>| {
            header.map_or(Value::Null, |header| {
                Value::object([("version", Value::from(header.version)), ("expires", Value::from(header.expires.to_string()))])
            })
        };
        let mut object = Object::new();
        object.insert("at", Value::from(self.at().to_string()));
        object.insert("root", role(self.root().map(|root| root.get().header())));
        object.insert("timestamp", role(self.timestamp().map(|timestamp| timestamp.get().header())));
        object.insert("snapshot", role(self.snapshot().map(|snapshot| snapshot.get().header())));
        object.insert("targets", role(self.role(&RoleName::targets()).map(|targets| targets.get().header())));
        object
    }
}

impl Found {
    /// The target that was found under this path, as JSON: `{target, role, length, hashes}`, the hashes in hexadecimal by their algorithms.
    pub fn to_json(&self, target: &TargetPath) -> Object<'static> {
        let hashes = self.target.hashes.iter().map(|digest| (digest.algorithm().name(), Value::from(digest.hex())));
        let mut object = Object::new();
        object.insert("target", Value::from(target.to_string()));
        object.insert("role", Value::from(self.role.to_string()));
        object.insert("length", Value::from(self.target.length));
        object.insert("hashes", Value::object(hashes));
        object
    }
}
