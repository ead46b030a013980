//! What a step began or ended with: names, each with a set of digests (in-toto 1.0, 4.4 and 4.2.3).

use alloc::borrow::Cow;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::ops::Range;

use touchmark_envelope::json::Reader;
use touchmark_envelope::sorted;

use crate::error::{Error, cut};
use crate::name::is_artifact_name;
use crate::predicate::ResourceDescriptor;

/// Artifacts, sorted by the bytes of their names.
///
/// All names and digests stand in one text, so that a hundred thousand artifacts are two allocations.
#[derive(Clone, Default)]
pub struct Artifacts {
    text: String,
    entries: Vec<Entry>,
}

/// Where an artifact stands in the text: its name, and its digests right behind it.
#[derive(Clone, Copy)]
struct Entry {
    start: u32,
    name: u32,
    digests: u32,
}

/// What becomes of an artifact without a digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bare {
    /// It is an error.
    Refused,
    /// It is there by its name. Nothing is the same as it.
    Taken,
}

/// One artifact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Artifact<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its digests.
    pub digests: Digests<'a>,
}

/// The digests of an artifact. Two are equal if they have the same algorithms and for each the same text, its case included: rules
/// compare whole sets (in-toto 1.0, 4.3.3.2), unlike statements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Digests<'a>(&'a str);

/// What stands behind an algorithm and behind a digest. Neither has it.
const END: char = '\0';

impl Artifacts {
    /// Of names and pairs of an algorithm and a hexadecimal digest.
    ///
    /// # Errors
    /// A name that [`is_artifact_name`] refuses, or that comes twice; an artifact without a digest; a digest that is no hexadecimal.
    pub fn new<'a, D: IntoIterator<Item = (&'a str, &'a str)>>(artifacts: impl IntoIterator<Item = (&'a str, D)>) -> Result<Self, Error> {
        let (mut all, mut pairs) = (Self::default(), Vec::new());
        for (name, digests) in artifacts {
            pairs.clear();
            pairs.extend(digests.into_iter().map(|(algorithm, digest)| (Cow::Borrowed(algorithm), Cow::Borrowed(digest))));
            all.push(name, &mut pairs)?;
        }
        all.distinct()
    }

    /// Reads the object that a link lists them in.
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Error> {
        let (mut all, mut pairs) = (Self::default(), Vec::new());
        reader.object(|reader, name| {
            pairs.clear();
            reader.object::<Error>(|reader, algorithm| {
                pairs.push((algorithm, reader.string()?));
                Ok(())
            })?;
            all.push(&name, &mut pairs)
        })?;
        all.sort();
        all.text.shrink_to_fit();
        all.entries.shrink_to_fit();
        Ok(all)
    }

    /// Reads a list of resource descriptors (in-toto attestation framework, resource_descriptor.md), each with a name and a digest.
    pub(crate) fn read_list(reader: &mut Reader<'_>) -> Result<Self, Error> {
        let (mut all, mut pairs) = (Self::default(), Vec::new());
        reader.array(|reader| {
            pairs.clear();
            let mut name = None;
            reader.object::<Error>(|reader, member| {
                match member.as_ref() {
                    "name" => name = Some(reader.string()?),
                    "digest" => reader.object::<Error>(|reader, algorithm| {
                        pairs.push((algorithm, reader.string()?));
                        Ok(())
                    })?,
                    _ => {
                        reader.text()?;
                    }
                }
                Ok(())
            })?;
            all.push(&name.unwrap_or_default(), &mut pairs)
        })?;
        all.distinct()
    }

    /// What these descriptors are of, by the names that they have among artifacts. Digests that are not in hexadecimal are by algorithms that
    /// the framework does not name, and left out; who has no other is refused, or, as `bare` says, there by its name alone, and matches
    /// nothing.
    pub(crate) fn of_descriptors(descriptors: &[ResourceDescriptor], bare: Bare) -> Result<Self, Error> {
        let mut all = Self::default();
        let is_hex = |digest: &str| digest.bytes().all(|byte| byte.is_ascii_hexdigit());
        for descriptor in descriptors {
            let name = descriptor.artifact_name().unwrap_or_default();
            let digests = descriptor.digest.iter().flat_map(|set| set.digests().iter()).filter(|(_, digest)| is_hex(digest));
            let mut pairs: Vec<_> = digests.map(|(algorithm, digest)| (Cow::Borrowed(algorithm), Cow::Borrowed(digest))).collect();
            match bare {
                Bare::Taken if pairs.is_empty() && is_artifact_name(&name) => all.store(&name, &[])?,
                _ => all.push(&name, &mut pairs)?,
            }
        }
        all.distinct()
    }

    /// What all of these report alike: the same names, and for each the digests that all have, of which none contradict each other and at
    /// least one is strong. `None` if they do not.
    pub(crate) fn common(all: &[&Self]) -> Option<Self> {
        let (first, others) = all.split_first()?;
        others.iter().all(|other| other.len() == first.len()).then_some(())?;
        let mut common = Self::default();
        let mut pairs = Vec::new();
        for place in 0..first.len() {
            let name = first.name(place);
            let mut digests: BTreeMap<&str, (&str, usize)> = BTreeMap::new();
            for one in all {
                (one.name(place) == name).then_some(())?;
                for (algorithm, digest) in one.digests(place)?.iter() {
                    let (known, seen) = digests.entry(algorithm).or_insert((digest, 0));
                    (*known == digest).then_some(())?;
                    *seen += 1;
                }
            }
            digests.retain(|_, (_, seen)| *seen == all.len());
            digests.keys().any(|algorithm| is_strong(algorithm)).then_some(())?;
            pairs.clear();
            pairs.extend(digests.into_iter().map(|(algorithm, (digest, _))| (Cow::Borrowed(algorithm), Cow::Borrowed(digest))));
            common.push(name, &mut pairs).ok()?;
        }
        Some(common)
    }

    /// Sorts them, and refuses two of one name.
    fn distinct(mut self) -> Result<Self, Error> {
        self.sort();
        match self.entries.windows(2).find(|pair| matches!(pair, [first, second] if self.name_of(first) == self.name_of(second))) {
            Some([twice, _]) => Err(Error::ArtifactTwice { name: cut(self.name_of(twice), 256) }),
            _ => Ok(self),
        }
    }

    fn push(&mut self, name: &str, digests: &mut [(Cow<'_, str>, Cow<'_, str>)]) -> Result<(), Error> {
        if !is_artifact_name(name) {
            return Err(Error::ArtifactName { name: cut(name, 256) });
        }
        sorted::sort(digests);
        // Every digit is looked at, which is quicker than to stop at one that is none.
        let digits = |digest: &str| digest.bytes().fold(true, |all, byte| all & byte.is_ascii_hexdigit());
        let hexadecimal = |digest: &str| !digest.is_empty() && digits(digest);
        let good = |(algorithm, digest): &(Cow<'_, str>, Cow<'_, str>)| !algorithm.contains(END) && hexadecimal(digest);
        let twice = digests.windows(2).any(|pair| matches!(pair, [(first, _), (second, _)] if first == second));
        if digests.is_empty() || twice || !digests.iter().all(good) {
            return Err(Error::ArtifactDigest { name: cut(name, 256) });
        }
        self.store(name, digests)
    }

    fn store(&mut self, name: &str, digests: &[(Cow<'_, str>, Cow<'_, str>)]) -> Result<(), Error> {
        let start = self.text.len();
        self.text.push_str(name);
        for (algorithm, digest) in digests {
            self.text.push_str(algorithm);
            self.text.push(END);
            self.text.push_str(digest);
            self.text.push(END);
        }
        let limit = usize::try_from(u32::MAX).unwrap_or(usize::MAX);
        let digests = self.text.len() - start - name.len();
        match (u32::try_from(start), u32::try_from(name.len()), u32::try_from(digests)) {
            (Ok(start), Ok(name), Ok(digests)) if self.text.len() <= limit => self.entries.push(Entry { start, name, digests }),
            _ => return Err(Error::TooMany { what: "bytes of artifacts", limit }),
        }
        Ok(())
    }

    fn sort(&mut self) {
        let Self { text, entries } = self;
        let name = |entry: &Entry| slice(text, entry.start, entry.name);
        if !entries.is_sorted_by(|first, second| name(first) < name(second)) {
            entries.sort_unstable_by(|first, second| name(first).cmp(name(second)));
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The artifacts, by name.
    pub fn iter(&self) -> impl Iterator<Item = Artifact<'_>> {
        self.entries.iter().map(|entry| Artifact { name: self.name_of(entry), digests: self.digests_of(entry) })
    }

    /// The digests of the artifact of this name.
    pub fn get(&self, name: &str) -> Option<Digests<'_>> {
        self.entries.get(self.place(name)?).map(|entry| self.digests_of(entry))
    }

    /// The place of the artifact of this name.
    pub(crate) fn place(&self, name: &str) -> Option<usize> {
        self.entries.binary_search_by(|entry| self.name_of(entry).cmp(name)).ok()
    }

    /// The places of those whose names begin with `head`.
    pub(crate) fn places(&self, head: &str) -> Range<usize> {
        let start = self.entries.partition_point(|entry| self.name_of(entry) < head);
        let behind = self.entries.get(start..).unwrap_or_default();
        start..start + behind.partition_point(|entry| self.name_of(entry).starts_with(head))
    }

    pub(crate) fn name(&self, place: usize) -> &str {
        self.entries.get(place).map(|entry| self.name_of(entry)).unwrap_or_default()
    }

    pub(crate) fn digests(&self, place: usize) -> Option<Digests<'_>> {
        self.entries.get(place).map(|entry| self.digests_of(entry))
    }

    fn name_of(&self, entry: &Entry) -> &str {
        slice(&self.text, entry.start, entry.name)
    }

    fn digests_of(&self, entry: &Entry) -> Digests<'_> {
        Digests(slice(&self.text, entry.start.saturating_add(entry.name), entry.digests))
    }
}

/// Two are equal if they have the same names with the same digests.
impl PartialEq for Artifacts {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().eq(other.iter())
    }
}

impl Eq for Artifacts {}

impl fmt::Debug for Artifacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl<'a> Digests<'a> {
    /// Those in a text of algorithms and digests, sorted, each with an [`END`] behind it.
    pub(crate) fn of_text(text: &'a str) -> Self {
        Self(text)
    }

    /// How long they are, algorithms included.
    pub(crate) fn bytes(self) -> u64 {
        u64::try_from(self.0.len()).unwrap_or(u64::MAX)
    }

    /// Each algorithm with its digest, by algorithm.
    pub fn iter(self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let mut rest = self.0.split_terminator(END);
        core::iter::from_fn(move || Some((rest.next()?, rest.next()?)))
    }

    /// Whether both are of one thing, as statements see it (in-toto attestation framework, digest_set.md): every algorithm that both have
    /// has the same digest in both, and at least one of these algorithms is strong. What only one has says nothing.
    pub fn match_as_sets(self, other: Self) -> bool {
        let mut others = other.iter().peekable();
        let mut strong = false;
        // Both are sorted.
        for (algorithm, digest) in self.iter() {
            while others.next_if(|(other, _)| *other < algorithm).is_some() {}
            match others.next_if(|(other, _)| *other == algorithm) {
                Some((_, found)) if found != digest => return false,
                Some(_) => strong |= is_strong(algorithm),
                None => {}
            }
        }
        strong
    }
}

impl Digests<'_> {
    /// Whether both have one algorithm with different digests.
    pub fn contradict(self, other: Self) -> bool {
        let mut others = other.iter().peekable();
        // Both are sorted.
        self.iter().any(|(algorithm, digest)| {
            while others.next_if(|(other, _)| *other < algorithm).is_some() {}
            others.next_if(|(other, _)| *other == algorithm).is_some_and(|(_, found)| found != digest)
        })
    }
}

/// Whether nobody can make two things of one digest, or at least Git would notice: algorithms of digest_set.md, without md5 and sha1. What
/// an unknown algorithm says is no evidence that two things are one.
pub(crate) fn is_strong(algorithm: &str) -> bool {
    matches!(
        algorithm,
        "sha256"
            | "sha384"
            | "sha512"
            | "sha512_256"
            | "sha3_256"
            | "sha3_384"
            | "sha3_512"
            | "blake2b"
            | "blake2s"
            | "dirHash"
            | "dirHash1"
            | "gitCommit"
            | "gitTree"
            | "gitBlob"
            | "gitTag"
    )
}

fn slice(text: &str, start: u32, length: u32) -> &str {
    // Where a pointer has fewer than 32 bits, no text reaches what does not fit.
    let at = |offset: u32| usize::try_from(offset).unwrap_or(usize::MAX);
    text.get(at(start)..at(start).saturating_add(at(length))).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    fn read(text: &str) -> Result<Artifacts, Error> {
        Artifacts::read(&mut Reader::new(text.as_bytes(), 1 << 20)?)
    }

    #[test]
    fn artifacts_are_sorted_and_found() {
        let all = read(r#"{"b/x":{"sha256":"AB"},"a":{"sha512":"00","sha256":"01"},"b":{"z":"f"},"b/":null}"#);
        assert!(matches!(all, Err(Error::Json(_))));
        let all =
            read(r#"{"b/x":{"sha256":"AB"},"a":{"sha512":"00","sha256":"01"},"b":{"z":"f"},"\u0062/y":{"z":"f"},"ba":{"z":"0"}}"#).unwrap();
        assert_eq!(all.iter().map(|one| one.name).collect::<Vec<_>>(), ["a", "b", "b/x", "b/y", "ba"]);
        assert_eq!(all.get("a").unwrap().iter().collect::<Vec<_>>(), [("sha256", "01"), ("sha512", "00")]);
        assert_eq!((all.places("b/"), all.places("b"), all.places("c"), all.places("")), (2..4, 1..5, 5..5, 0..5));
        assert_eq!(all.get("c"), None);
        assert_eq!(all.get("b"), all.get("b/y"));
    }

    #[test]
    fn digests_are_equal_as_whole_sets_and_as_text() {
        let of = |digests: &str| read(&format!(r#"{{"a":{digests}}}"#)).unwrap();
        assert_eq!(of(r#"{"sha256":"ab","sha512":"cd"}"#), of(r#"{"sha512":"cd","sha256":"ab"}"#));
        for other in [r#"{"sha256":"ab"}"#, r#"{"sha256":"AB","sha512":"cd"}"#, r#"{"sha256":"ab","sha384":"cd"}"#] {
            assert_ne!(of(r#"{"sha256":"ab","sha512":"cd"}"#), of(other));
        }
    }

    #[test]
    fn names_that_are_not_normalised_are_refused() {
        for name in ["safe/../x", "./x", "/x", "x//y", "x/", "", "a\\u0000"] {
            assert!(matches!(read(&format!(r#"{{"{name}":{{"sha256":"00"}}}}"#)), Err(Error::ArtifactName { .. })), "{name}");
        }
        let odd = read(r#"{"a\\..\\b":{"sha256":"00"},"a\nb":{"sha256":"01"}}"#).unwrap();
        assert!(odd.get("a\\..\\b").is_some() && odd.get("a\nb").is_some());
    }

    #[test]
    fn an_artifact_without_a_digest_is_refused() {
        for digests in ["{}", r#"{"sha256":""}"#, r#"{"sha256":"xy"}"#, r#"{"a\u0000b":"00"}"#] {
            assert_eq!(read(&format!(r#"{{"a":{digests}}}"#)), Err(Error::ArtifactDigest { name: "a".into() }), "{digests}");
        }
        for digests in [r#""00""#, r#"{"sha256":1}"#, r#"{"a":"00","a":"00"}"#] {
            assert!(matches!(read(&format!(r#"{{"a":{digests}}}"#)), Err(Error::Json(_))), "{digests}");
        }
    }

    #[test]
    fn artifacts_of_a_caller_are_checked_alike() {
        let one = |name| Artifacts::new([(name, [("sha256", "00")])]);
        assert_eq!(one("a").unwrap(), read(r#"{"a":{"sha256":"00"}}"#).unwrap());
        assert!(matches!(one("../a"), Err(Error::ArtifactName { .. })));
        let twice = Artifacts::new([("a", [("sha256", "00")]), ("b", [("sha256", "00")]), ("a", [("sha256", "00")])]);
        assert_eq!(twice, Err(Error::ArtifactTwice { name: "a".into() }));
        assert!(Artifacts::new([("a", [("sha256", "00"), ("sha256", "01")])]).is_err());
    }

    #[test]
    fn sets_of_digests_match_by_what_both_have() {
        let of = |digests: &str| read(&format!(r#"{{"a":{digests}}}"#)).unwrap();
        for (one, other, expected) in [
            (r#"{"sha256":"aa","sha512":"bb"}"#, r#"{"sha256":"aa"}"#, true),
            (r#"{"sha256":"aa","sha512":"bb"}"#, r#"{"sha256":"aa","sha512":"bc"}"#, false),
            (r#"{"sha256":"aa"}"#, r#"{"sha512":"bb"}"#, false),
            (r#"{"sha256":"aa","x":"00"}"#, r#"{"sha256":"aa","y":"01"}"#, true),
            (r#"{"sha256":"aa","x":"00"}"#, r#"{"sha256":"aa","x":"01"}"#, false),
            (r#"{"md5":"aa"}"#, r#"{"md5":"aa"}"#, false),
            (r#"{"sha1":"aa","md5":"aa","x":"aa"}"#, r#"{"sha1":"aa","md5":"aa","x":"aa"}"#, false),
            (r#"{"gitCommit":"aa"}"#, r#"{"gitCommit":"aa"}"#, true),
        ] {
            let (one, other) = (of(one), of(other));
            let [Some(a), Some(b)] = [one.get("a"), other.get("a")] else { panic!() };
            assert_eq!((a.match_as_sets(b), b.match_as_sets(a)), (expected, expected), "{a:?} {b:?}");
            // Of two, what they have in common is what they match by.
            let common = Artifacts::common(&[&one, &other]);
            assert_eq!(common.is_some(), expected, "{a:?} {b:?}");
            assert_eq!(common, Artifacts::common(&[&other, &one]));
        }
        // Each two of these have one in common, and all three have none.
        let three = [r#"{"sha256":"aa","sha384":"cc"}"#, r#"{"sha384":"cc","sha512":"bb"}"#, r#"{"sha256":"aa","sha512":"bb"}"#].map(of);
        assert_eq!(Artifacts::common(&three.iter().collect::<Vec<_>>()), None);
    }
}
