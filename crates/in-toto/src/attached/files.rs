//! What sets have under a path, read within limits that no stranger's files use up.

use alloc::borrow::ToOwned;
use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;

use touchmark_envelope::Digest;
use touchmark_envelope::sorted;

use super::{LAYOUT, Set};
use crate::name::is_link;
use crate::verification::{Answer, Failure, Found, Names};

/// Files of at most so many bytes are kept, and so many bytes of them together, for those who ask again.
const KEPT_FILE: u64 = 1 << 20;
const KEPT: u64 = 64 << 20;

/// The sets that an artifact has, and how much may still be read of them.
///
/// What is read is counted apart for layouts, for all sets as one folder, and for sets by themselves, so that what strangers attach uses up
/// nothing of what one good set needs.
#[derive(Debug, Default)]
pub struct Sets {
    sets: Arc<[Set]>,
    complete: bool,
    /// How many bytes may be read for each purpose.
    bytes: u64,
    read: [u64; 3],
    kept: BTreeMap<Digest, Vec<u8>>,
    kept_bytes: u64,
}

/// What files are read for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    Layouts,
    Together,
    Alone,
}

/// What is looked for under a path: the files that are there under it, the smallest first, so that whoever adds large ones uses up no limit
/// for those.
#[derive(Debug)]
pub struct Lookup {
    purpose: Purpose,
    limit: u64,
    entries: VecDeque<Entry>,
    /// The one that is being fetched.
    wanted: Option<Entry>,
    /// What was read.
    read: BTreeSet<Digest>,
    found: Vec<(Digest, Found)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    size: u64,
    digest: Digest,
    set: Digest,
}

impl Sets {
    /// These sets, whether they are all that there are, and how many bytes of files are read, those that are read again counted again.
    pub fn new(sets: Vec<Set>, complete: bool, bytes: u64) -> Self {
        // Whoever attaches large sets must not use up for smaller ones what may be read. Their order is nobody's choice.
        let mut sets: Vec<(u64, Set)> = sets.into_iter().map(|set| (set.size(), set)).collect();
        sorted::sort_by(&mut sets, |(one, first), (other, second)| (one, first.referrer).cmp(&(other, second.referrer)));
        Self { sets: sets.into_iter().map(|(_, set)| set).collect(), complete, bytes, read: [0; 3], kept: BTreeMap::new(), kept_bytes: 0 }
    }

    /// The sets, the smallest first.
    pub fn sets(&self) -> &[Set] {
        &self.sets
    }

    /// The same, to be kept.
    pub fn shared(&self) -> Arc<[Set]> {
        Arc::clone(&self.sets)
    }

    /// Whether these are all: nothing was left out, and each referrer could be read or is malformed.
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    /// The layouts, each once, of at most `limit` bytes.
    pub fn layouts(&self, limit: u64) -> Lookup {
        Lookup::new(self.sets.iter(), LAYOUT, limit, Purpose::Layouts)
    }

    pub(super) fn together(&self, path: &str, limit: u64) -> Lookup {
        Lookup::new(self.sets.iter(), path, limit, Purpose::Together)
    }

    pub(super) fn alone(&self, number: usize, path: &str, limit: u64) -> Lookup {
        Lookup::new(self.sets.get(number), path, limit, Purpose::Alone)
    }

    /// What is to be fetched next for `lookup`: a file, by its digest and the size that its set lists it with. The same until it is given;
    /// nothing once all is there.
    pub fn wanted(&mut self, lookup: &mut Lookup) -> Option<(Digest, u64)> {
        if lookup.wanted.is_none() {
            while let Some(entry) = lookup.entries.pop_front() {
                if lookup.read.contains(&entry.digest) {
                    continue;
                }
                match self.at_hand(&entry, lookup) {
                    Some(file) => lookup.take(entry, file),
                    None => {
                        lookup.wanted = Some(entry);
                        break;
                    }
                }
            }
        }
        lookup.wanted.map(|entry| (entry.digest, entry.size))
    }

    /// What is known of a file without fetching it.
    fn at_hand(&mut self, entry: &Entry, lookup: &Lookup) -> Option<Result<Vec<u8>, Failure>> {
        if entry.size > lookup.limit {
            return Some(Err(Failure::TooLarge { limit: lookup.limit }));
        }
        if let Some(bytes) = self.kept.get(&entry.digest).filter(|bytes| u64::try_from(bytes.len()) == Ok(entry.size)) {
            return Some(Ok(bytes.clone()));
        }
        let read = match (&mut self.read, lookup.purpose) {
            ([read, _, _], Purpose::Layouts) | ([_, read, _], Purpose::Together) | ([_, _, read], Purpose::Alone) => read,
        };
        let after = read.saturating_add(entry.size);
        if after > self.bytes {
            return Some(Err(Failure::Unavailable(format!("files of more than {} bytes would have to be read", self.bytes))));
        }
        *read = after;
        None
    }

    /// Takes in what [`wanted`](Self::wanted) named, or why it could not be had. What is no file of this digest is none.
    pub fn give(&mut self, lookup: &mut Lookup, file: Result<Vec<u8>, Failure>) {
        let Some(entry) = lookup.wanted.take() else { return };
        let file = file.and_then(|bytes| match u64::try_from(bytes.len()) {
            Ok(size) if size != entry.size => Err(Failure::NoFile("it has not the size that its set lists it with".to_owned())),
            _ if !entry.digest.matches(&bytes) => Err(Failure::Unavailable("other bytes than this digest's were returned".to_owned())),
            _ => Ok(bytes),
        });
        if let Ok(bytes) = &file
            && entry.size <= KEPT_FILE
            && self.kept_bytes.saturating_add(entry.size) <= KEPT
        {
            self.kept_bytes = self.kept_bytes.saturating_add(entry.size);
            self.kept.insert(entry.digest, bytes.clone());
        }
        lookup.take(entry, file);
    }

    /// What will likely be wanted after that: what else there is under the path, and then the other files of the same set.
    pub fn ahead(&self, lookup: &Lookup) -> Vec<(Digest, u64)> {
        let Some(wanted) = &lookup.wanted else { return Vec::new() };
        let under_path = lookup.entries.iter().map(|entry| (entry.digest, entry.size));
        let of_set = self.sets.iter().find(|set| set.referrer == wanted.set).into_iter().flat_map(|set| set.files.values().copied());
        let mut seen = BTreeSet::from([wanted.digest]);
        under_path.chain(of_set).filter(|(digest, _)| !self.kept.contains_key(digest) && seen.insert(*digest)).collect()
    }

    /// What all sets have under a path, once all of it was given.
    pub(super) fn answer(&self, lookup: Lookup) -> Answer {
        let mut found: Vec<Found> = lookup.found().collect();
        if !self.complete {
            // Another referrer may have it.
            let why = "not every referrer of the artifact could be looked at";
            found.push(Found { from: String::new(), file: Err(Failure::Unavailable(why.to_owned())) });
        }
        if found.is_empty() { Answer::Absent } else { Answer::Files(found) }
    }

    /// The first names of links of a step that all sets have in a folder.
    pub(super) fn names(&self, folder: &str, step: &str, limit: usize) -> Answer {
        names(self.sets.iter(), folder, step, limit, self.complete)
    }

    /// The same of one set.
    pub(super) fn names_alone(&self, number: usize, folder: &str, step: &str, limit: usize) -> Answer {
        names(self.sets.get(number), folder, step, limit, true)
    }
}

impl Lookup {
    fn new<'s>(sets: impl IntoIterator<Item = &'s Set>, path: &str, limit: u64, purpose: Purpose) -> Self {
        let entry = |set: &'s Set| set.files.get(path).map(|(digest, size)| Entry { size: *size, digest: *digest, set: set.referrer });
        // A file that is listed with two sizes is there by one of them, whoever lists it with the other.
        let mut entries: Vec<Entry> = sets.into_iter().filter_map(entry).collect();
        sorted::sort(&mut entries);
        entries.dedup_by_key(|entry| (entry.size, entry.digest));
        Self { purpose, limit, entries: entries.into(), wanted: None, read: BTreeSet::new(), found: Vec::new() }
    }

    fn take(&mut self, entry: Entry, file: Result<Vec<u8>, Failure>) {
        if file.is_ok() {
            self.read.insert(entry.digest);
        }
        self.found.push((entry.digest, Found { from: entry.set.to_string(), file }));
    }

    /// What is there, once all of it was given.
    pub fn found(self) -> impl Iterator<Item = Found> {
        let Self { found, read, .. } = self;
        found.into_iter().filter(move |(digest, found)| found.file.is_ok() || !read.contains(digest)).map(|(_, found)| found)
    }
}

/// The first names of links of a step that sets have in a folder, in their order.
fn names<'s>(sets: impl IntoIterator<Item = &'s Set>, folder: &str, step: &str, limit: usize, is_complete: bool) -> Answer {
    let paths = sets.into_iter().flat_map(|set| set.files.keys());
    let names = paths.filter_map(|path| path.strip_prefix(folder)).filter(|name| is_link(name, step));
    let mut names = sorted::set(names);
    let is_complete = is_complete && names.len() <= limit;
    while names.len() > limit {
        names.pop_last();
    }
    Answer::Names(Names { names: names.into_iter().map(ToOwned::to_owned).collect(), is_complete })
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use touchmark_envelope::digest::Algorithm;

    use super::*;

    fn digest(content: &[u8]) -> Digest {
        Algorithm::Sha256.digest(content)
    }

    /// A set that lists these under one path, each with a size.
    fn set(name: &[u8], content: &[u8], size: u64) -> Set {
        Set { referrer: digest(name), files: BTreeMap::from([("a.link".to_owned(), (digest(content), size))]) }
    }

    /// What comes of a look, and what was fetched for it.
    fn look(sets: &mut Sets, limit: u64, file: impl Fn(&Digest) -> Vec<u8>) -> (Vec<Result<Vec<u8>, Failure>>, usize) {
        let (mut lookup, mut fetched) = (sets.together("a.link", limit), 0);
        while let Some((digest, _)) = sets.wanted(&mut lookup) {
            assert_eq!(sets.wanted(&mut lookup).map(|(again, _)| again), Some(digest), "asked again it says the same");
            fetched += 1;
            sets.give(&mut lookup, Ok(file(&digest)));
        }
        (lookup.found().map(|found| found.file).collect(), fetched)
    }

    #[test]
    fn a_file_is_what_has_its_digest_and_the_size_that_it_is_listed_with() {
        let one = |size| Sets::new(vec![set(b"1", b"good", size)], true, 100);
        assert_eq!(look(&mut one(4), 10, |_| b"good".to_vec()), (vec![Ok(b"good".to_vec())], 1));
        assert!(matches!(look(&mut one(5), 10, |_| b"good".to_vec()).0[..], [Err(Failure::NoFile(_))]));
        assert!(matches!(look(&mut one(4), 10, |_| b"evil".to_vec()).0[..], [Err(Failure::Unavailable(_))]));
        assert_eq!(look(&mut one(11), 10, |_| b"good".to_vec()), (vec![Err(Failure::TooLarge { limit: 10 })], 0));
    }

    #[test]
    fn a_file_that_is_listed_with_several_sizes_is_there_by_the_right_one() {
        for right in 0..3 {
            let sizes = [1, 4, 9];
            let sets = [b"0", b"1", b"2"].iter().enumerate().map(|(number, name)| set(*name, b"good", sizes[(number + right) % 3]));
            let found = look(&mut Sets::new(sets.collect(), true, 100), 10, |_| b"good".to_vec());
            assert_eq!(found, (vec![Ok(b"good".to_vec())], 2), "the smallest first, and none after the right one");
        }
    }

    #[test]
    fn what_was_read_is_kept_and_what_may_be_read_is_counted_apart() {
        let mut sets = Sets::new(vec![set(b"1", b"good", 4)], true, 5);
        assert_eq!(look(&mut sets, 10, |_| b"good".to_vec()).1, 1);
        assert_eq!(look(&mut sets, 10, |_| b"good".to_vec()), (vec![Ok(b"good".to_vec())], 0));
        // Larger files are read first by nobody: the limit is for those that come last.
        let mut sets = Sets::new(vec![set(b"1", b"larger", 6), set(b"2", b"good", 4)], true, 5);
        let contents = |wanted: &Digest| if *wanted == digest(b"good") { b"good".to_vec() } else { b"larger".to_vec() };
        let (found, fetched) = look(&mut sets, 10, contents);
        assert!(matches!(&found[..], [Ok(good), Err(Failure::Unavailable(_))] if good == b"good") && fetched == 1);
        // Each set by itself may have as much again.
        let mut alone = sets.alone(1, "a.link", 10);
        assert_eq!(sets.wanted(&mut alone), None, "6 bytes are more than 5");
        let mut sets = Sets::new(vec![set(b"1", b"four", 4), set(b"2", b"good", 4)], true, 4);
        look(&mut sets, 10, |wanted| if *wanted == digest(b"good") { b"good".to_vec() } else { b"four".to_vec() });
        let unread = (0..2).filter(|number| {
            let mut alone = sets.alone(*number, "a.link", 10);
            sets.wanted(&mut alone).is_some()
        });
        assert_eq!(unread.count(), 1);
    }
}
