//! Releases (predicates/release.md). Its examples have the type of version 0.1, whose `packageId` had another name; it is itself version
//! 0.2, of which that is the type by the framework's rule. Both are read alike.

use alloc::borrow::ToOwned;
use alloc::string::String;

use crate::error::Error;

use super::field::Field;

/// The type of the predicate, as the examples have it.
pub const TYPE: &str = "https://in-toto.io/attestation/release/v0.1";
/// Its type by the version of its specification.
pub const TYPE_0_2: &str = "https://in-toto.io/attestation/release/v0.2";

/// That the subjects are what a release consists of.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Release {
    /// `purl`: the package and its version.
    pub purl: String,
    /// `packageId`: what stays the same from release to release.
    pub package_id: Option<String>,
}

impl Release {
    pub(super) fn read(field: &Field<'_>) -> Result<Self, Error> {
        let purl = field.member("purl");
        let text = purl.uri()?;
        if !has_version(&text) {
            return Err(purl.malformed("a package URL with a version"));
        }
        Ok(Self { purl: text, package_id: field.member("packageId").optional(|id| id.string().map(ToOwned::to_owned))? })
    }
}

/// Whether `text` is a package URL with a type, a name and a version: `pkg:type/namespace/name@version?qualifiers#subpath`, taken apart from
/// its end as the specification of these says. A version has no slash, so that the scope of an npm package is none.
fn has_version(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("pkg:") else { return false };
    let rest = rest.rsplit_once('#').map_or(rest, |(rest, _)| rest);
    let rest = rest.rsplit_once('?').map_or(rest, |(rest, _)| rest);
    let Some((kind, rest)) = rest.trim_start_matches('/').split_once('/') else { return false };
    let is_kind = |byte: u8| byte.is_ascii_alphanumeric() || b".+-".contains(&byte);
    let Some((path, version)) = rest.rsplit_once('@') else { return false };
    let name = path.rsplit('/').next().unwrap_or_default();
    !kind.is_empty() && kind.bytes().all(is_kind) && !name.is_empty() && !version.is_empty() && !version.contains('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_is_one_version_of_a_package() {
        for good in [
            "pkg:npm/@angular/http@7.2.16",
            "pkg:npm/%40angular/http@7.2.16",
            "pkg:pypi/urllib3@2.1.0",
            "pkg:oci/my-image@sha256%3Afedcba09?repository_url=registry.example.com/my-project/my-image&tag=v1.2.3",
            "pkg:deb/debian/stunnel@5.50-3?arch=amd64#a/b",
        ] {
            assert!(has_version(good), "{good}");
        }
        for bad in [
            "pkg:npm/@angular/http",
            "pkg:pypi/urllib3",
            "pkg:pypi@1",
            "pkg:pypi/x@",
            "pkg:/x@1",
            "pypi/x@1",
            "pkg:oci/x?tag=a@1",
            "pkg:pypi/@1",
        ] {
            assert!(!has_version(bad), "{bad}");
        }
    }
}
