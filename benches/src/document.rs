//! TUF targets files of any size, as tools write them: a path, a length and hashes for each target.

use std::fmt::Write as _;

/// In which order the targets stand.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Order {
    /// As python-tuf writes them, pretty-printed.
    Sorted,
    /// As a writer that keeps them in a hash map does; the members of each target are out of order, too.
    Mixed,
    /// What is signed stands there as it is signed: in canonical form. So do most repositories that are large.
    Canonical,
}

/// A targets file of about `bytes` bytes.
pub(crate) fn targets(bytes: usize, order: Order) -> String {
    if let Order::Canonical = order {
        return canonical(bytes);
    }
    let mut out = String::with_capacity(bytes + 1024);
    out.push_str("{\n \"signatures\": [],\n \"signed\": {\n  \"_type\": \"targets\",\n");
    out.push_str("  \"expires\": \"2030-01-01T00:00:00Z\",\n  \"spec_version\": \"1.0.31\",\n  \"targets\": {\n");
    let mut number: u64 = 0;
    while out.len() < bytes {
        if number > 0 {
            out.push_str(",\n");
        }
        let place = match order {
            Order::Sorted => number,
            // A bijection of 32-bit numbers that looks random.
            Order::Mixed | Order::Canonical => number.wrapping_mul(0x9e37_79b1) & 0xffff_ffff,
        };
        let hash = place.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let path = format!("packages/{:04x}/module-{place:012}/release-{}.tar.gz", place >> 20, number % 97);
        let sha256 = format!("{hash:016x}{:016x}{hash:016x}{:016x}", !hash, hash.rotate_left(17));
        let sha512 = format!("{sha256}{sha256}");
        let length = hash % 100_000_000;
        // Writing to a String cannot fail.
        let _ = match order {
            Order::Sorted => write!(
                out,
                "   \"{path}\": {{\n    \"hashes\": {{\n     \"sha256\": \"{sha256}\",\n     \"sha512\": \"{sha512}\"\n    }},\n    \"length\": {length}\n   }}"
            ),
            Order::Mixed | Order::Canonical => write!(
                out,
                "   \"{path}\": {{\n    \"length\": {length},\n    \"hashes\": {{\n     \"sha512\": \"{sha512}\",\n     \"sha256\": \"{sha256}\"\n    }}\n   }}"
            ),
        };
        number += 1;
    }
    out.push_str("\n  },\n  \"version\": 1\n }\n}\n");
    out
}

/// One hash for each target, no white space, everything in order: 126 bytes a target.
fn canonical(bytes: usize) -> String {
    let mut out = String::with_capacity(bytes + 1024);
    let signature = "0123456789abcdef".repeat(8);
    let _ = write!(
        out,
        r#"{{"signatures":[{{"keyid":"{}","sig":"{signature}"}}],"signed":{{"_type":"targets","#,
        &"0123456789abcdef".repeat(4)
    );
    out.push_str(r#""expires":"2030-01-01T00:00:00Z","spec_version":"1.0.31","targets":{"#);
    let mut number: u64 = 0;
    while out.len() < bytes {
        let hash = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let comma = if number > 0 { "," } else { "" };
        let (first, second, length) = (hash.rotate_left(32), hash.rotate_left(17), 10_000 + hash % 90_000);
        let _ = write!(
            out,
            r#"{comma}"dir{:02}/file-{number:07}":{{"hashes":{{"sha256":"{hash:016x}{first:016x}{:016x}{second:016x}"}},"length":{length}}}"#,
            number / 100_000,
            !hash
        );
        number += 1;
    }
    out.push_str(r#"},"version":1}}"#);
    out
}
