//! TUF targets files of any size, as tools write them: pretty-printed, a path, a length and hashes for each target.

use std::fmt::Write as _;

/// In which order the targets stand.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Order {
    /// As python-tuf writes them.
    Sorted,
    /// As a writer that keeps them in a hash map does; the members of each target are out of order, too.
    Mixed,
}

/// A targets file of about `bytes` bytes.
pub(crate) fn targets(bytes: usize, order: Order) -> String {
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
            Order::Mixed => number.wrapping_mul(0x9e37_79b1) & 0xffff_ffff,
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
            Order::Mixed => write!(
                out,
                "   \"{path}\": {{\n    \"length\": {length},\n    \"hashes\": {{\n     \"sha512\": \"{sha512}\",\n     \"sha256\": \"{sha256}\"\n    }}\n   }}"
            ),
        };
        number += 1;
    }
    out.push_str("\n  },\n  \"version\": 1\n }\n}\n");
    out
}
