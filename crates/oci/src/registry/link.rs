//! The `Link` header (RFC 8288), by which registries name the next page of a list.

use crate::error::Error;
use crate::transport::Response;

/// At most this many bytes of a header are read.
const MAX_BYTES: usize = 16 << 10;

/// The target of the first link whose relation is `next`, as it stands in the header, relative or absolute; `None` if there is
/// none, or if what stands before it is no link.
pub fn next(header: &str) -> Option<&str> {
    let mut rest = header.get(..header.len().min(MAX_BYTES))?;
    loop {
        // RFC 8288, 3: #link-value, in which elements of the list may be empty.
        rest = rest.trim_start_matches([' ', '\t', ',']);
        let (target, mut parameters) = rest.strip_prefix('<')?.split_once('>')?;
        let mut relation = None;
        loop {
            let parameter = parameters.trim_start_matches([' ', '\t']);
            let Some(parameter) = parameter.strip_prefix(';') else {
                parameters = parameter;
                break;
            };
            let (name, value, after) = one(parameter)?;
            // RFC 8288, 3.3: the first one counts.
            if name.eq_ignore_ascii_case("rel") && relation.is_none() {
                relation = Some(value);
            }
            parameters = after;
        }
        let is_next = relation.is_some_and(|relations| relations.split([' ', '\t']).any(|one| one.eq_ignore_ascii_case("next")));
        if is_next {
            return (!target.trim().is_empty()).then(|| target.trim());
        }
        rest = parameters.strip_prefix(',')?;
    }
}

/// A parameter: its name, its value (empty without one; of a quoted string what is between the quotes), and what follows it.
fn one(text: &str) -> Option<(&str, &str, &str)> {
    let text = text.trim_start_matches([' ', '\t']);
    let end = text.find(['=', ';', ',']).unwrap_or(text.len());
    let (name, rest) = text.split_at_checked(end)?;
    let name = name.trim_end_matches([' ', '\t']);
    let Some(value) = rest.strip_prefix('=') else { return Some((name, "", rest)) };
    let value = value.trim_start_matches([' ', '\t']);
    let Some(quoted) = value.strip_prefix('"') else {
        let end = value.find([';', ',']).unwrap_or(value.len());
        let (value, rest) = value.split_at_checked(end)?;
        return Some((name, value.trim_end_matches([' ', '\t']), rest));
    };
    let mut escaped = false;
    let end = quoted.find(|c| {
        let closes = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        closes
    })?;
    Some((name, quoted.get(..end)?, quoted.get(end.checked_add(1)?..)?))
}

/// Path and query of the next page that an answer names. What the link says of scheme and host is not looked at: proxies make it
/// wrong, and a list never goes on elsewhere.
///
/// # Errors
/// It leads nowhere.
pub(super) fn next_path(response: &Response) -> Result<Option<String>, Error> {
    let Some(target) = response.headers("Link").find_map(next) else { return Ok(None) };
    let location = response.resolve(without_host(target))?;
    Ok(Some(without_host(location.url()).to_owned()))
}

/// A reference without scheme and host, if it has them.
fn without_host(reference: &str) -> &str {
    let after_scheme = reference.split_once("://").filter(|(scheme, _)| !scheme.contains(['/', '?', '#'])).map(|(_, rest)| rest);
    match after_scheme.or_else(|| reference.strip_prefix("//")) {
        Some(rest) => rest.find(['/', '?', '#']).and_then(|start| rest.get(start..)).unwrap_or("/"),
        None => reference,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_as_registries_write_them() {
        for header in [
            r#"</v2/x/tags/list?n=2&last=b>; rel="next""#,
            r#"</v2/x/tags/list?n=2&last=b>;rel=next"#,
            r#"  , </v2/x/tags/list?n=2&last=b> ; title="a, \"b\"; c" ; REL = "prev Next""#,
            r#"<https://elsewhere.example/>; rel="prev", </v2/x/tags/list?n=2&last=b>; rel="next"; rel="prev""#,
            r#"<>; rel=first; crossorigin,</v2/x/tags/list?n=2&last=b>; rel=next, <other>; rel=next"#,
        ] {
            assert_eq!(next(header), Some("/v2/x/tags/list?n=2&last=b"), "{header}");
        }
    }

    #[test]
    fn what_is_no_link_to_a_next_page() {
        for header in [
            "",
            ",",
            "next",
            "</v2>",
            "</v2>; rel=prev",
            "</v2; rel=next",
            r#"</v2>; rel="next"#,
            "<>; rel=next",
            "</v2>; rel=prev; rel=next",
            "</v2> rel=next",
            "</v2>; title=\"; rel=next\"",
            "x, </v2>; rel=next",
        ] {
            assert_eq!(next(header), None, "{header}");
        }
        let long = format!("{}</v2>; rel=next", ",".repeat(MAX_BYTES));
        assert_eq!(next(&long), None);
        assert_eq!(next(&format!("{}é</v2>; rel=next", ",".repeat(MAX_BYTES - 1))), None);
    }

    #[test]
    fn references_without_hosts() {
        for (reference, wanted) in [
            ("https://registry.example/v2/x?n=1&last=a/b", "/v2/x?n=1&last=a/b"),
            ("//registry.example:5000/v2/x", "/v2/x"),
            ("http://127.0.0.1:5000", "/"),
            ("http://127.0.0.1:5000?last=a", "?last=a"),
            ("/v2/x?next=https://elsewhere.example/", "/v2/x?next=https://elsewhere.example/"),
            ("?last=a://b", "?last=a://b"),
            ("x", "x"),
        ] {
            assert_eq!(without_host(reference), wanted, "{reference}");
        }
    }
}
