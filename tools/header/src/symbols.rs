//! The functions that a header declares, with the features that they need.

use std::error::Error;

/// The features that some functions need, and the macros that stand for them.
pub const FEATURES: [(&str, &str); 3] = [("sign", "TOUCHMARK_SIGN"), ("io", "TOUCHMARK_IO"), ("supply-chain", "TOUCHMARK_SUPPLY_CHAIN")];

/// One symbol a line, sorted, each with the features that it needs: `touchmark_source_open io`.
pub fn list(header: &str) -> Result<String, Box<dyn Error>> {
    let mut needs: Vec<Vec<&str>> = Vec::new();
    let mut symbols = Vec::new();
    for line in header.lines() {
        if line.starts_with("#if") {
            needs.push(FEATURES.iter().filter(|(_, define)| line.contains(&format!("({define})"))).map(|(feature, _)| *feature).collect());
        } else if line.starts_with("#endif") {
            needs.pop().ok_or("an #endif too many")?;
        } else if let Some(name) = declared(line) {
            let mut features: Vec<&str> = needs.iter().flatten().copied().collect();
            features.sort_unstable();
            features.dedup();
            symbols.push(std::iter::once(name).chain(features).collect::<Vec<_>>().join(" "));
        }
    }
    symbols.sort_unstable();
    let before = symbols.len();
    symbols.dedup();
    if symbols.is_empty() || symbols.len() != before {
        return Err("the header declares no function, or one twice".into());
    }
    Ok(symbols.join("\n") + "\n")
}

/// The function that a line begins to declare: a type, and then the name before a parenthesis.
fn declared(line: &str) -> Option<&str> {
    if line.starts_with([' ', '/', '*', '#', '}']) || line.starts_with("typedef") {
        return None;
    }
    let before = line.split_once('(')?.0;
    let name = before.rsplit([' ', '*']).next()?;
    (before.len() > name.len() && name.starts_with("touchmark_")).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_found_with_what_they_need() {
        let header = "#ifndef H\ntypedef uint32_t (*touchmark_f)(void *x);\nuint32_t touchmark_b(void);\n#if (defined(TOUCHMARK_SIGN) && defined(TOUCHMARK_IO))\n\
                      struct touchmark_x *touchmark_a(int\n   touchmark_c(d);\n#endif\n#endif\n";
        assert_eq!(list(header).unwrap(), "touchmark_a io sign\ntouchmark_b\n");
    }
}
