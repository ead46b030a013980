//! Which files are not recorded.

use touchmark_in_toto::glob::Pattern;

/// A pattern of files and folders that are not recorded, read as git reads a line of `.gitignore`, save that the pattern itself is one of
/// artifact rules, whose `*` also stands for a slash:
///
/// - without a slash in it, or with one at its end alone, it is matched with each name on the way from the base folder;
/// - with another slash it is matched with the whole path from there, a slash at its beginning aside;
/// - with a slash at its end it matches folders alone;
/// - what is in an excluded folder is excluded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exclusion {
    pattern: Pattern,
    /// Whether it is matched with the whole path.
    anchored: bool,
    /// Whether it matches folders alone.
    folders: bool,
}

impl Exclusion {
    /// Reads a pattern; `None` if nothing is left of it without its slashes.
    pub fn new(text: &str) -> Option<Self> {
        let (text, folders) = text.strip_suffix('/').map_or((text, false), |text| (text, true));
        let anchored = text.contains('/');
        let text = text.strip_prefix('/').unwrap_or(text);
        (!text.is_empty()).then(|| Self { pattern: Pattern::new(text), anchored, folders })
    }

    /// Whether the file or folder of this name, of which no folder on the way is excluded, is.
    pub(super) fn matches(&self, name: &str, is_folder: bool) -> bool {
        let name = if self.anchored { name } else { name.rsplit('/').next().unwrap_or(name) };
        (is_folder || !self.folders) && self.pattern.matches(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_read_as_git_reads_them() {
        for (pattern, name, is_folder, excluded) in [
            (".git", ".git", true, true),
            (".git", "a/.git", true, true),
            (".git", "a/.gitignore", false, false),
            ("*.pyc", "a/b/c.pyc", false, true),
            ("*.link*", "build.0123.link", false, true),
            ("out/", "a/out", true, true),
            ("out/", "a/out", false, false),
            ("/out", "out", true, true),
            ("/out", "a/out", true, false),
            ("a/out", "a/out", false, true),
            ("a/out", "b/a/out", false, false),
            ("a/*", "a/b/c", false, true),
        ] {
            assert_eq!(Exclusion::new(pattern).unwrap().matches(name, is_folder), excluded, "{pattern} {name}");
        }
        assert_eq!([Exclusion::new(""), Exclusion::new("/")], [None, None]);
    }
}
