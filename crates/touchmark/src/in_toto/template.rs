//! A layout to begin with.

use touchmark_envelope::UnixTime;
use touchmark_envelope::canonical;
use touchmark_envelope::key::PublicKey;

use super::sign::{keyid, listed_key};

/// A layout of two steps for a person to go on from, with comments, in the form that [`LayoutFile`](super::LayoutFile) reads. Each of
/// `functionaries` may do either step.
///
/// # Errors
/// None: every KEY object has a canonical form.
pub fn template(functionaries: &[PublicKey], expires: UnixTime) -> Result<String, canonical::Error> {
    let mut keys: Vec<(String, String)> = Vec::new();
    for key in functionaries {
        let (keyid, object) = (keyid(key)?, listed_key(key)?);
        let member = format!("\"{keyid}\": {}", String::from_utf8_lossy(&object.to_vec()));
        if !keys.iter().any(|(known, _)| *known == keyid) {
            keys.push((keyid, member));
        }
    }
    let listed: Vec<String> = keys.iter().map(|(_, member)| format!("\n    {member}")).collect();
    let end = if listed.is_empty() { "" } else { "\n  " };
    let pubkeys: Vec<String> = keys.iter().map(|(keyid, _)| format!("\"{keyid}\"")).collect();
    let threshold = keys.len().clamp(1, 2);
    Ok(TEXT
        .replace("@expires", &expires.to_string())
        .replace("@keys", &format!("{}{end}", listed.join(",")))
        .replace("@pubkeys", &pubkeys.join(", "))
        .replace("@threshold", &threshold.to_string()))
}

const TEXT: &str = r#"// An in-toto layout: who may do which step of a supply chain, and what goes from one to the next.
// Lines like this one are comments; `touchmark in-toto sign` leaves them out. `touchmark in-toto lint` looks for mistakes.
{
  "_type": "layout",
  // From then on nothing verifies by it. Sign a new one in time.
  "expires": "@expires",
  "readme": "What this supply chain makes, and whom to ask.",
  // Who may be named below: public keys by their keyids. `touchmark in-toto new --functionary PUB` writes them.
  "keys": {@keys},
  "steps": [
    {
      "_type": "step",
      // The name is also that of the file of its link: build.KEYID.link, with the first 8 characters of the keyid.
      "name": "build",
      // So many distinct keys must report the same. With 1, one person decides alone.
      "threshold": @threshold,
      "pubkeys": [@pubkeys],
      // Another command is a warning and stops nothing.
      "expected_command": ["make"],
      // Rules are tried in their order. Each takes artifacts away; what DISALLOW still finds is a failure, and what is left at the end is
      // allowed, so that a list should end in DISALLOW *. In a pattern * stands for any characters, the slash too.
      "expected_materials": [
        ["ALLOW", "src/*"],
        ["DISALLOW", "*"]
      ],
      "expected_products": [
        ["CREATE", "out/app"],
        ["ALLOW", "src/*"],
        ["DISALLOW", "*"]
      ]
    },
    {
      "_type": "step",
      "name": "package",
      "threshold": @threshold,
      "pubkeys": [@pubkeys],
      "expected_command": ["tar", "cf", "app.tar", "out/app"],
      // What was built is what is packed.
      "expected_materials": [
        ["MATCH", "out/app", "WITH", "PRODUCTS", "FROM", "build"],
        ["DISALLOW", "*"]
      ],
      "expected_products": [
        ["CREATE", "app.tar"],
        ["ALLOW", "out/app"],
        ["DISALLOW", "*"]
      ]
    }
  ],
  "inspect": [
    {
      "_type": "inspection",
      "name": "product",
      // The command `true` looks at what is there and does nothing: `touchmark in-toto verify --products DIR` answers it without running it.
      "run": ["true"],
      "expected_materials": [
        ["MATCH", "app.tar", "WITH", "PRODUCTS", "FROM", "package"],
        ["DISALLOW", "*"]
      ],
      "expected_products": [
        ["MATCH", "app.tar", "WITH", "PRODUCTS", "FROM", "package"],
        ["DISALLOW", "*"]
      ]
    }
  ]
}
"#;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::in_toto::LayoutFile;
    use crate::in_toto::lint::lint;
    use touchmark_envelope::key::KeyAlgorithm;
    use touchmark_envelope::sign::{PrivateKey, Signer as _};

    #[test]
    fn a_template_with_keys_has_no_mistakes() {
        let now = UnixTime::from_seconds(1_800_000_000).unwrap();
        let key = |algorithm, byte| PrivateKey::from_raw(algorithm, &[byte; 32]).unwrap().public_key().clone();
        let keys = [key(KeyAlgorithm::Ed25519, 1), key(KeyAlgorithm::EcdsaP256, 2), key(KeyAlgorithm::Ed25519, 1)];
        let text = template(&keys, now.plus(1000).unwrap()).unwrap();
        let read = LayoutFile::parse(text.as_bytes()).unwrap();
        assert_eq!(read.layout().keys.keyids().count(), 2);
        assert_eq!(lint(read.layout(), now), []);
        // Without keys it says what is missing.
        let text = template(&[], now.plus(1000).unwrap()).unwrap();
        let findings = lint(LayoutFile::parse(text.as_bytes()).unwrap().layout(), now);
        assert!(findings.iter().all(|finding| finding.code() == "lint-unreachable-threshold") && findings.len() == 2);
    }
}
