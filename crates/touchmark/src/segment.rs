//! Parts of paths that others wrote: what is the name of one file or folder, and leads nowhere else.

/// Whether a segment is the name of one file or folder on every system.
pub(crate) fn is_plain(name: &str) -> bool {
    let odd = |c: char| matches!(c, '/' | '\\' | ':' | '\0');
    !name.is_empty() && name != "." && name != ".." && !name.contains(odd)
}

/// Whether a segment of a path is the name of one file or folder here. Elsewhere than on Windows, `acme/nm:stable` is a fine one.
pub(crate) fn is_one_name(segment: &str) -> bool {
    if cfg!(windows) { is_plain(segment) } else { !matches!(segment, "" | "." | "..") && !segment.contains(['/', '\0']) }
}
