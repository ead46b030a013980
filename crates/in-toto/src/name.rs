//! Names: of artifacts, and of steps and inspections, which name files.

use crate::key::FILE_PREFIX;

/// The most bytes of the name of a step: a link's file name has 14 more, and file systems allow 255.
pub const MAX_ITEM_NAME: usize = 241;

/// Whether `name` is one of an artifact in the one form that it has: parts that are neither empty, `.` nor `..`, with a slash between
/// them, and no NUL.
///
/// Rules compare names as text, so that a second spelling of one file, such as `safe/../passwd`, would pass where the first is
/// disallowed (CVE-2021-41087). A backslash, a newline and everything else stand for themselves.
pub fn is_artifact_name(name: &str) -> bool {
    // How long the part is, and whether it is of dots alone.
    let (mut length, mut dots) = (0_usize, true);
    for byte in name.bytes() {
        match byte {
            0 => return false,
            b'/' if dots && length <= 2 => return false,
            b'/' => (length, dots) = (0, true),
            _ => (length, dots) = (length + 1, dots && byte == b'.'),
        }
    }
    !dots || length > 2
}

/// Whether `name` can be that of a step or an inspection: one segment of a path on every system, of at most [`MAX_ITEM_NAME`] bytes.
///
/// Links are looked for under it, so that `../x` would lead out of their folder.
pub fn is_item_name(name: &str) -> bool {
    !matches!(name, "" | "." | "..") && name.len() <= MAX_ITEM_NAME && !name.contains(['/', '\\', '\0'])
}

/// Whether a segment of a path is the name of one file or folder on every system.
pub fn is_segment(name: &str) -> bool {
    !matches!(name, "" | "." | "..") && !name.contains(['/', '\\', ':', '\0'])
}

/// Whether a file of this name may be a link of a step by someone who signs by a certificate: `STEP.XXXXXXXX.link` with eight of `0-9a-f`.
pub fn is_link(name: &str, step: &str) -> bool {
    let digits = name.strip_prefix(step).and_then(|rest| rest.strip_prefix('.')?.strip_suffix(".link"));
    digits.is_some_and(|digits| digits.len() == FILE_PREFIX && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_artifact_has_one_name() {
        for name in ["a", "a/b", ".a", "..a", "a..", "...", r"a\..\b", "a\nb", "git:x", " ", "a/ /b", "é", "C:x"] {
            assert!(is_artifact_name(name), "{name}");
        }
        for name in ["", "/", "/a", "a/", "a//b", ".", "..", "./a", "a/.", "a/./b", "../a", "a/../b", "a/..", "a\0"] {
            assert!(!is_artifact_name(name), "{name}");
        }
    }

    #[test]
    fn a_step_s_name_leads_nowhere() {
        for name in ["build", "build[x]", "wr?te", "..a", "a.b", &"x".repeat(MAX_ITEM_NAME)] {
            assert!(is_item_name(name), "{name}");
        }
        for name in ["", ".", "..", "../a", "a/b", r"a\b", "a\0", &"x".repeat(MAX_ITEM_NAME + 1)] {
            assert!(!is_item_name(name), "{name}");
        }
    }
}
