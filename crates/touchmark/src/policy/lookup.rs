//! Which policy file holds where none is named (SPEC.md, "Policy").

use std::ffi::OsString;
use std::fs::Metadata;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::PolicyError;

/// The variable that names a policy file.
pub const VARIABLE: &str = "TOUCHMARK_POLICY";
/// The policy of the machine.
const SYSTEM: &str = "/etc/touchmark/policy.json";

/// The policy file that holds where none is named: that of `$TOUCHMARK_POLICY`, the user's, or the machine's; `None` if there is none of these.
/// The working directory is never looked at.
///
/// # Errors
/// The variable's path is not absolute, or whether one of them is there cannot be found out: none is passed over.
pub fn configured() -> Result<Option<PathBuf>, PolicyError> {
    configured_by(|name| std::env::var_os(name), Path::new(SYSTEM))
}

fn configured_by(variable: impl Fn(&str) -> Option<OsString>, system: &Path) -> Result<Option<PathBuf>, PolicyError> {
    if let Some(named) = variable(VARIABLE).filter(|named| !named.is_empty()).map(PathBuf::from) {
        // Whoever it is run by, and wherever: a relative one would be another file in each folder.
        return if named.is_absolute() { Ok(Some(named)) } else { Err(PolicyError::Relative { path: named }) };
    }
    let absolute = |name: &str| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
    // XDG Base Directory Specification.
    let user = absolute("XDG_CONFIG_HOME").or_else(|| absolute("HOME").map(|home| home.join(".config")));
    let user = user.map(|config| config.join("touchmark").join("policy.json"));
    for path in user.into_iter().chain([system.to_owned()]) {
        match std::fs::symlink_metadata(&path) {
            Ok(_) => return Ok(Some(path)),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {}
            Err(error) => return Err(PolicyError::Unreadable { path, reason: error.to_string() }),
        }
    }
    Ok(None)
}

/// Where the user's trust stores are (XDG Base Directory Specification); `None` if there is no place for them.
pub fn user_stores() -> Option<PathBuf> {
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let data = absolute("XDG_DATA_HOME").or_else(|| absolute("HOME").map(|home| home.join(".local").join("share")));
    data.map(|data| data.join("touchmark").join("trust"))
}

/// Who, other than the owner, may write a file, or exchange it in its folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Writers {
    /// The owner alone.
    Owner,
    /// The owner's group.
    Group,
    /// Everybody.
    Everybody,
}

/// Who may write the file at `path`, or exchange it in its folder.
pub(super) fn writers(path: &Path, file: &Metadata) -> Writers {
    let folder = path.parent().and_then(|folder| std::fs::metadata(folder).ok());
    let of_folder = folder.map_or(Writers::Owner, |folder| by_mode(mode(&folder), true));
    match of_folder {
        Writers::Everybody => Writers::Everybody,
        _ => by_mode(mode(file), false),
    }
}

/// What is in a sticky folder only its owner exchanges.
fn by_mode(mode: u32, is_folder: bool) -> Writers {
    match mode {
        mode if is_folder && mode & 0o1000 != 0 => Writers::Owner,
        mode if mode & 0o002 != 0 => Writers::Everybody,
        // Of folders it is common, where each user has a group alone.
        mode if !is_folder && mode & 0o020 != 0 => Writers::Group,
        _ => Writers::Owner,
    }
}

#[cfg(unix)]
fn mode(metadata: &Metadata) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    // A pipe is nobody's file, and has no mode that counts.
    if metadata.is_file() || metadata.is_dir() { metadata.permissions().mode() } else { 0 }
}

/// Windows has no mode: who may write a file there is decided by its folder.
#[cfg(not(unix))]
fn mode(_: &Metadata) -> u32 {
    0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Folder;

    #[test]
    fn the_first_that_is_there_holds_and_none_is_passed_over() {
        let folder = Folder::new();
        let system = folder.path("etc/policy.json");
        let found = |set: &[(&str, PathBuf)]| {
            let variable = |name: &str| set.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone().into_os_string());
            configured_by(variable, &system)
        };
        let home = ("HOME", folder.path("home"));
        let config = ("XDG_CONFIG_HOME", folder.path("config"));
        assert_eq!(found(&[]).unwrap(), None);
        folder.file("etc/policy.json", "{}");
        assert_eq!(found(std::slice::from_ref(&home)).unwrap(), Some(system.clone()));
        folder.file("home/.config/touchmark/policy.json", "not even JSON");
        assert_eq!(found(std::slice::from_ref(&home)).unwrap(), Some(folder.path("home/.config/touchmark/policy.json")));
        assert_eq!(found(&[home.clone(), config.clone()]).unwrap(), Some(system.clone()));
        folder.file("config/touchmark/policy.json", "{}");
        assert_eq!(found(&[home.clone(), config]).unwrap(), Some(folder.path("config/touchmark/policy.json")));
        // The variable's need not be there: then that is the error, and not another file.
        let named = (VARIABLE, folder.path("none"));
        assert_eq!(found(&[home.clone(), named]).unwrap(), Some(folder.path("none")));
        assert_eq!(found(&[home.clone(), (VARIABLE, PathBuf::new())]).unwrap(), Some(folder.path("home/.config/touchmark/policy.json")));
        for relative in ["policy.json", "./policy.json"] {
            assert!(matches!(found(&[home.clone(), (VARIABLE, relative.into())]), Err(PolicyError::Relative { .. })));
        }
        // Relative folders are none, lest the working directory is looked at; a home that is none is no error.
        assert_eq!(found(&[("HOME", ".".into()), ("XDG_CONFIG_HOME", "".into())]).unwrap(), Some(system.clone()));
        assert_eq!(found(&[("HOME", "/dev/null".into())]).unwrap(), Some(system));
    }

    #[cfg(unix)]
    #[test]
    fn a_link_that_leads_nowhere_is_there() {
        let folder = Folder::new();
        folder.file("config/touchmark/x", "");
        std::os::unix::fs::symlink("gone", folder.path("config/touchmark/policy.json")).unwrap();
        let config = folder.path("config");
        let found = configured_by(|name| (name == "XDG_CONFIG_HOME").then(|| config.clone().into_os_string()), Path::new("/none"));
        assert_eq!(found.unwrap(), Some(folder.path("config/touchmark/policy.json")));
    }

    #[test]
    fn what_others_may_write_is_known_by_its_mode() {
        for (mode, is_folder, expected) in [
            (0o644, false, Writers::Owner),
            (0o664, false, Writers::Group),
            (0o666, false, Writers::Everybody),
            (0o777, true, Writers::Everybody),
            (0o1777, true, Writers::Owner),
            (0o775, true, Writers::Owner),
        ] {
            assert_eq!(by_mode(mode, is_folder), expected, "{mode:o}");
        }
    }
}
