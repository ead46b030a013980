//! What the repository answers for a path.

/// What is served at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Served {
    /// A file.
    File(Vec<u8>),
    /// An error that says nothing of whether there is a file.
    Failure,
    /// A file without an end.
    Endless,
}

/// What a client that takes at most so many bytes gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fetched {
    /// The whole file.
    File(Vec<u8>),
    /// No such file.
    Absent,
    /// It could not be found out.
    Failed,
    /// There are more bytes than the limit.
    TooLong,
}

/// The file name of a role's metadata, without a version: its name percent-encoded but for the unreserved characters of RFC 3986.
pub fn file_name(role: &str) -> String {
    let mut name = String::new();
    for byte in role.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => name.push(char::from(byte)),
            _ => name.push_str(&format!("%{byte:02X}")),
        }
    }
    name + ".json"
}

/// Where a target is served: `dir/name`, or with consistent snapshots `dir/HASH.name` (TUF 1.0, 5.7.3).
pub fn path_of(target: &str, hash: Option<&str>) -> String {
    match (hash, target.rsplit_once('/')) {
        (None, _) => target.to_owned(),
        (Some(hash), None) => format!("{hash}.{target}"),
        (Some(hash), Some((directory, name))) => format!("{directory}/{hash}.{name}"),
    }
}
