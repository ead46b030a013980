//! Names of members: the one that is read, and those that other readers and other file systems may make of it.

use touchmark_envelope::digest::{Algorithm, Digest};
use touchmark_envelope::sorted;

use super::fault::Fault;
use super::header::Kind;

/// The name without empty and `.` components, so that one file has one name.
pub(super) fn path(name: &[u8]) -> Result<String, &'static str> {
    let name = std::str::from_utf8(name).map_err(|_| "its name is not UTF-8")?;
    if name.starts_with('/') {
        return Err("its name is absolute");
    }
    if name.contains('\\') {
        return Err("its name contains a backslash, which some systems take for a separator");
    }
    let mut path = String::new();
    for component in name.split('/').filter(|component| !matches!(*component, "" | ".")) {
        if component == ".." {
            return Err("its name contains `..`");
        }
        if !path.is_empty() {
            path.push('/');
        }
        path.push_str(component);
    }
    Ok(path)
}

/// A name for messages: at most 200 characters, control characters escaped.
pub(super) fn shown(name: &[u8]) -> String {
    String::from_utf8_lossy(name).chars().take(200).flat_map(char::escape_debug).collect()
}

/// The digest that `blobs/ALGORITHM/HEX` names.
pub(super) fn blob_name(name: &str) -> Option<Digest> {
    let (algorithm, hex) = name.strip_prefix("blobs/")?.split_once('/')?;
    Digest::from_hex(Algorithm::from_name(algorithm)?, hex).ok()
}

/// Where readers may put each member, to find those that some put elsewhere than others.
#[derive(Default)]
pub(super) struct Places {
    /// Every place, and whether it is a link's.
    places: Vec<(String, bool)>,
    /// What they take.
    bytes: usize,
}

/// What all places take: blobs as many as there may be, and names no longer than theirs.
pub(super) const MAX_NAMES: usize = 48 << 20;
/// What a place takes beside its own length.
const PLACE: usize = 64;

impl Places {
    /// Takes a member; `plain` is its [`path`], if it has one.
    ///
    /// # Errors
    /// It may be a part of the OCI layout for some readers and is none, or another one, for the rest; or all names are too long.
    pub(super) fn take(&mut self, name: &[u8], plain: Option<&str>, kind: Kind) -> Result<(), Fault> {
        for place in places(name) {
            if let Some(part) = layout_part(&place) {
                let as_read = plain.and_then(|plain| plain.strip_prefix(part)).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
                let is_folder = part == "blobs" || part.matches('/').count() == 1;
                let fits = if is_folder { part.len() < place.len() || kind == Kind::Folder } else { part.len() == place.len() };
                if !as_read || !fits {
                    return Err(Fault::Ambiguous { name: shown(name) });
                }
            }
            self.bytes = self.bytes.saturating_add(place.len().saturating_add(PLACE));
            if self.bytes > MAX_NAMES {
                return Err(Fault::Names { limit: MAX_NAMES });
            }
            self.places.push((place, matches!(kind, Kind::HardLink | Kind::SymbolicLink)));
        }
        Ok(())
    }

    /// Checks that nothing is written through a link.
    ///
    /// # Errors
    /// A member has the name of a link or lies below it.
    pub(super) fn check_links(mut self) -> Result<(), Fault> {
        sorted::sort(&mut self.places);
        self.places.dedup();
        let through = |link: &str, member: &str| Err(Fault::ThroughLink { name: shown(member.as_bytes()), link: shown(link.as_bytes()) });
        if let Some((name, _)) = self.places.windows(2).find_map(|pair| match pair {
            [first, second] if first.0 == second.0 && first.1 != second.1 => Some(first),
            _ => None,
        }) {
            return through(name, name);
        }
        for (link, _) in self.places.iter().filter(|(_, is_link)| *is_link) {
            let below = if link.is_empty() { String::new() } else { format!("{link}/") };
            let start = self.places.partition_point(|(place, _)| *place < below);
            let after = self.places.get(start..).unwrap_or(&[]);
            if let Some((member, _)) = after.iter().find(|(place, _)| place != link).filter(|(place, _)| place.starts_with(&below)) {
                return through(link, member);
            }
        }
        Ok(())
    }
}

/// Where readers may put a member of this name, in the form that file systems compare which take no note of case.
///
/// Some leave out what makes a name absolute, some resolve `..`, and some leave out everything up to the last `..`.
fn places(name: &[u8]) -> Vec<String> {
    let name = String::from_utf8_lossy(name);
    let mut places = Vec::new();
    let separators: &[&[char]] = if name.contains('\\') { &[&['/'], &['/', '\\']] } else { &[&['/']] };
    for separators in separators {
        let (mut resolved, mut suffix) = (Vec::new(), Vec::new());
        for component in relative(&name, separators).split(*separators).filter(|component| !matches!(*component, "" | ".")) {
            if component == ".." {
                resolved.pop();
                suffix.clear();
            } else {
                resolved.push(component);
                suffix.push(component);
            }
        }
        places.extend([resolved, suffix].map(|components| components.into_iter().map(folded).collect::<Vec<_>>().join("/")));
    }
    sorted::sort(&mut places);
    places.dedup();
    places
}

/// The name without leading separators and drive letters.
fn relative<'a>(name: &'a str, separators: &[char]) -> &'a str {
    let mut rest = name;
    loop {
        let next = rest.trim_start_matches(separators);
        let drive = next.strip_prefix(|letter: char| letter.is_ascii_alphabetic()).and_then(|next| next.strip_prefix(':'));
        let next = drive.unwrap_or(next);
        if next.len() == rest.len() {
            return rest;
        }
        rest = next;
    }
}

/// A component without regard to case and to the dots and spaces at its end, which Windows leaves out.
fn folded(component: &str) -> String {
    let trimmed = component.trim_end_matches(['.', ' ']);
    let kept = if trimmed.is_empty() { component } else { trimmed };
    if kept.is_ascii() {
        return kept.to_ascii_lowercase();
    }
    // By way of upper case: `ſ` and `s` are one letter.
    kept.chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect()
}

/// The longest name of a part of an OCI layout that `place` is or lies below.
fn layout_part(place: &str) -> Option<&str> {
    let upto = |count: usize| {
        let end = place.match_indices('/').nth(count - 1).map_or(place.len(), |(at, _)| at);
        place.get(..end).unwrap_or(place)
    };
    let algorithm = |part: &str| part.strip_prefix("blobs/").and_then(Algorithm::from_name).is_some();
    match upto(1) {
        part @ ("oci-layout" | "index.json") => Some(part),
        "blobs" => Some(match (upto(2), upto(3)) {
            (_, blob) if blob_name(blob).is_some() => blob,
            (folder, _) if algorithm(folder) => folder,
            _ => "blobs",
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    fn take(name: &str, kind: Kind) -> Result<(), Fault> {
        let plain = path(name.as_bytes()).ok();
        Places::default().take(name.as_bytes(), plain.as_deref(), kind)
    }

    /// How many members of names like these are taken.
    fn taken(name: impl Fn(usize) -> String) -> usize {
        let mut places = Places::default();
        (0..1 << 18).take_while(|number| places.take(name(*number).as_bytes(), None, Kind::File).is_ok()).count()
    }

    #[test]
    fn names_are_bounded_together() {
        assert_eq!(taken(|number| format!("{number:064}/{}", "x".repeat(12))), 1 << 18);
        let long = "x".repeat(60_000);
        assert_eq!(taken(|_| long.clone()), MAX_NAMES / (long.len() + PLACE));
        // Two places each.
        assert_eq!(taken(|_| format!("a/c/../{long}")), MAX_NAMES / (2 * (long.len() + PLACE) + 2));
    }

    #[test]
    fn parts_of_a_layout_have_one_spelling() {
        let blob = format!("blobs/sha256/{HEX}");
        let parts = ["oci-layout", "index.json", blob.as_str()];
        for part in parts {
            for name in [part.to_owned(), format!("./{part}"), format!(".//./{part}")] {
                assert_eq!(take(&name, Kind::File), Ok(()), "{name}");
            }
            for name in [
                format!("/{part}"),
                format!("//./{part}"),
                format!("../{part}"),
                format!("../../{part}"),
                format!("blobs/../{part}"),
                format!("x/./../{part}"),
                format!("x/y/../{part}"),
                format!("x\\y/../{part}"),
                format!("C:{part}"),
                format!("c:\\{part}"),
                format!("/C:/{part}"),
                format!(".\\{part}"),
                format!("x\\..\\{part}"),
                part.to_uppercase(),
                format!("{part}."),
                format!("{part} "),
                part.replace('s', "\u{17f}").replace("oci-l", "oci-L"),
                format!("{part}/x"),
            ] {
                assert!(matches!(take(&name, Kind::File), Err(Fault::Ambiguous { .. })), "{name}");
            }
        }
        for name in ["blobs", "blobs/sha256", "blobs/sha512"] {
            assert_eq!(take(name, Kind::Folder), Ok(()));
            for kind in [Kind::File, Kind::SymbolicLink, Kind::HardLink] {
                assert!(take(name, kind).is_err(), "{name} {kind:?}");
            }
            assert!(take(&name.to_uppercase(), Kind::Folder).is_err());
            assert!(take(&format!("/{name}"), Kind::Folder).is_err());
        }
        assert!(take("/blobs/x", Kind::File).is_err());
        assert!(take("blobs\\x", Kind::File).is_err());
    }

    #[test]
    fn other_names_are_left_alone() {
        for name in [
            "README",
            "blobs/README",
            "blobs/sha256/X",
            "x/index.json",
            "/etc/passwd",
            "../x",
            "index.json.bak",
            "x/../y",
            "a:b",
            "",
            "...",
        ] {
            assert_eq!(take(name, Kind::File), Ok(()), "{name}");
        }
    }

    #[test]
    fn nothing_is_written_through_a_link() {
        let check = |members: &[(&str, Kind)]| {
            let mut places = Places::default();
            for (name, kind) in members {
                places.take(name.as_bytes(), path(name.as_bytes()).ok().as_deref(), *kind).unwrap();
            }
            places.check_links()
        };
        for kind in [Kind::SymbolicLink, Kind::HardLink] {
            for (link, member) in [
                ("x", "x/y"),
                ("x", "x"),
                ("./x", "x/y/z"),
                ("x/y", "x/y/z"),
                ("X", "x/y"),
                ("/x", "x/y"),
                ("x", "/x/y"),
                ("a/../x", "x/y"),
                ("x", "x\\y"),
                (".", "y"),
            ] {
                for members in [[(link, kind), (member, Kind::File)], [(member, Kind::File), (link, kind)]] {
                    assert!(matches!(check(&members), Err(Fault::ThroughLink { .. })), "{link} {member}");
                }
            }
            assert_eq!(check(&[("x", kind), ("x", kind), ("xy", Kind::File), ("x-/y", Kind::File), ("y/x/z", Kind::File)]), Ok(()));
        }
        assert_eq!(check(&[("x", Kind::Folder), ("x/y", Kind::File), ("x", Kind::Folder)]), Ok(()));
    }
}
