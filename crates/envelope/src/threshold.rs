//! The one place that counts signatures, and it counts distinct public keys (SPEC.md, "Counting").

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::key::PublicKey;
use crate::verified::{Unverified, Verified};

/// A search for the key behind signatures whose keyids help nobody makes at least this many checks before it gives up.
const MIN_CHECKS: usize = 64;

/// A signature as it was received, of DSSE or of TUF.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// A hint at the key, which nothing is decided by.
    pub keyid: Option<String>,
    /// The signature's bytes. They identify nothing: ECDSA has two for each.
    pub bytes: Vec<u8>,
}

/// Distinct public keys. Two files of one key, under whatever keyids and in whatever encodings, are one.
///
/// A clone shares the keys.
#[derive(Clone, Debug)]
pub struct KeySet(Arc<Keys>);

#[derive(Clone, Debug)]
struct Keys {
    keys: Vec<PublicKey>,
    hints: BTreeMap<String, Vec<usize>>,
}

impl Keys {
    fn add(&mut self, key: PublicKey) {
        if self.keys.contains(&key) {
            return;
        }
        for id in key.key_ids() {
            self.hints.entry(id.into_string()).or_default().push(self.keys.len());
        }
        self.keys.push(key);
    }

    fn merge(&mut self, other: &Self) {
        let mut places = Vec::with_capacity(other.keys.len());
        for key in &other.keys {
            places.push(self.keys.iter().position(|known| known == key).unwrap_or(self.keys.len()));
            if places.last() == Some(&self.keys.len()) {
                self.keys.push(key.clone());
            }
        }
        for (hint, indexes) in &other.hints {
            let hinted = self.hints.entry(hint.clone()).or_default();
            for place in indexes.iter().filter_map(|index| places.get(*index)) {
                if !hinted.contains(place) {
                    hinted.push(*place);
                }
            }
        }
    }
}

impl KeySet {
    /// The distinct ones of `keys`, in their order.
    pub fn new(keys: impl IntoIterator<Item = PublicKey>) -> Self {
        let mut set = Keys { keys: Vec::new(), hints: BTreeMap::new() };
        keys.into_iter().for_each(|key| set.add(key));
        Self(Arc::new(set))
    }

    /// The distinct keys of several sets, in their order, with all their hints. The keys' identifiers are not computed again.
    pub fn union<'a>(sets: impl IntoIterator<Item = &'a Self>) -> Self {
        let mut sets = sets.into_iter();
        let mut all = sets.next().cloned().unwrap_or_else(|| Self::new([]));
        sets.for_each(|set| Arc::make_mut(&mut all.0).merge(&set.0));
        all
    }

    /// Adds a key, unless it is there.
    pub fn add(&mut self, key: PublicKey) {
        Arc::make_mut(&mut self.0).add(key);
    }

    /// Accepts `hint` as a further keyid of `key`, such as the one that TUF metadata lists it under.
    pub fn add_hint(&mut self, key: &PublicKey, hint: &str) {
        let set = Arc::make_mut(&mut self.0);
        let Some(index) = set.keys.iter().position(|known| known == key) else { return };
        let hinted = set.hints.entry(hint.into()).or_default();
        if !hinted.contains(&index) {
            hinted.push(index);
        }
    }

    /// The keys.
    pub fn keys(&self) -> &[PublicKey] {
        &self.0.keys
    }

    /// How many distinct keys there are.
    pub fn len(&self) -> usize {
        self.keys().len()
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.keys().is_empty()
    }

    /// The keys that validly signed `message`, found with a bounded number of checks.
    ///
    /// Every signature is tried with the first key that its keyid hints at before any is tried with another one, so that no number
    /// of hopeless signatures hides one with a keyid of its own key.
    pub fn signers(&self, message: &[u8], signatures: &[Signature]) -> Signers {
        self.signers_within(message, signatures, usize::MAX)
    }

    /// As [`signers`](Self::signers), with at most `most` checks: for a message so long that each of them is work.
    pub fn signers_within(&self, message: &[u8], signatures: &[Signature], most: usize) -> Signers {
        let keys = self.keys();
        let budget = keys.len().saturating_add(signatures.len()).max(MIN_CHECKS).min(most);
        let mut signed = alloc::vec![false; keys.len()];
        let mut explained = alloc::vec![false; signatures.len()];
        let (mut gave_up, mut checks) = (false, 0);
        for round in [Round::First, Round::Rest] {
            for (signature, explained) in signatures.iter().zip(&mut explained) {
                for index in self.order(signature.keyid.as_deref(), round) {
                    let (Some(signed), Some(key)) = (signed.get_mut(index), keys.get(index)) else { continue };
                    if *signed || *explained {
                        continue;
                    }
                    if checks == budget {
                        gave_up = true;
                        break;
                    }
                    checks += 1;
                    if key.verify(message, &signature.bytes).is_ok() {
                        (*signed, *explained) = (true, true);
                    }
                }
            }
        }
        let keys = keys.iter().zip(signed).filter(|(_, signed)| *signed).map(|(key, _)| key.clone()).collect();
        Signers { keys, gave_up, checks }
    }

    /// The keys to try for a signature with this keyid.
    fn order(&self, keyid: Option<&str>, round: Round) -> impl Iterator<Item = usize> {
        let hinted = keyid.and_then(|id| self.0.hints.get(id)).map(Vec::as_slice).unwrap_or_default();
        let (first, rest) = hinted.split_at(hinted.len().min(1));
        let (first, all) = match round {
            Round::First => (first, 0),
            Round::Rest => (rest, self.len()),
        };
        first.iter().copied().chain((0..all).filter(|index| !hinted.contains(index)))
    }
}

/// Which keys are tried.
#[derive(Clone, Copy)]
enum Round {
    /// The first that the keyid hints at.
    First,
    /// The others: those that it hints at too, then all.
    Rest,
}

/// The distinct keys that vouch for a value. Only [`Tally::finish`] makes one.
#[derive(Clone, Debug)]
pub struct Evidence {
    keys: Vec<PublicKey>,
    needed: usize,
}

impl Evidence {
    /// The keys that vouch, at least as many as were needed.
    pub fn keys(&self) -> &[PublicKey] {
        &self.keys
    }

    /// How many were needed.
    pub fn needed(&self) -> usize {
        self.needed
    }

    /// The keys of both, each once.
    pub(crate) fn join(mut self, other: Self) -> Self {
        let new = other.keys.into_iter().filter(|key| !self.keys.contains(key));
        let new: Vec<PublicKey> = new.collect();
        self.keys.extend(new);
        self.needed = self.needed.max(other.needed);
        self
    }
}

/// Counts the distinct keys of a set that signed values which all say the same as far as the caller asks.
///
/// The caller filters first: what it hands to [`Tally::count`] must alone satisfy everything that is asked.
#[derive(Clone, Debug)]
pub struct Tally<T> {
    keys: KeySet,
    needed: usize,
    vouching: Vec<bool>,
    values: Vec<T>,
}

/// The keys of a set that validly signed one message. Only [`KeySet::signers`] makes one.
#[derive(Clone, Debug)]
pub struct Signers {
    keys: Vec<PublicKey>,
    gave_up: bool,
    checks: usize,
}

impl Signers {
    /// The distinct keys.
    pub fn keys(&self) -> &[PublicKey] {
        &self.keys
    }

    /// Those of them that `counts` is said of. The others vouch for nothing by this message.
    #[must_use]
    pub fn only(mut self, counts: impl Fn(&PublicKey) -> bool) -> Self {
        self.keys.retain(counts);
        self
    }

    /// Whether some signature was not tried with every key, because there are too many that no hint explains.
    pub fn gave_up(&self) -> bool {
        self.gave_up
    }

    /// How many signature checks were made: at most the keys and the signatures together, or 64 if that is more.
    pub fn checks(&self) -> usize {
        self.checks
    }
}

impl<T> Tally<T> {
    /// A tally that wants `needed` distinct ones of `keys`.
    ///
    /// # Errors
    /// `needed` is zero, or more than there are keys, so that nothing could ever satisfy it.
    pub fn new(keys: KeySet, needed: usize) -> Result<Self, ThresholdError> {
        if needed == 0 {
            return Err(ThresholdError::Zero);
        }
        if needed > keys.len() {
            return Err(ThresholdError::TooHigh { needed, keys: keys.len() });
        }
        let vouching = alloc::vec![false; keys.len()];
        Ok(Self { keys, needed, vouching, values: Vec::new() })
    }

    /// Counts the keys that signed the message which `value` was read from, and keeps the value if one of them is new; says
    /// whether one is. The caller hands in a value that it read from that very message.
    pub fn count(&mut self, signers: &Signers, value: impl FnOnce() -> Unverified<T>) -> bool {
        let before = self.distinct();
        for (key, vouching) in self.keys.keys().iter().zip(&mut self.vouching) {
            *vouching |= signers.keys.contains(key);
        }
        let new = self.distinct() > before;
        if new {
            self.values.push(value().into_untrusted());
        }
        new
    }

    /// How many distinct keys vouch so far.
    pub fn distinct(&self) -> usize {
        self.vouching.iter().filter(|vouches| **vouches).count()
    }

    /// How many are needed.
    pub fn needed(&self) -> usize {
        self.needed
    }

    /// Whether the threshold is reached.
    pub fn is_reached(&self) -> bool {
        self.distinct() >= self.needed
    }

    /// The values that the counted keys signed, if enough of them did.
    ///
    /// # Errors
    /// Fewer keys than needed.
    pub fn finish(self) -> Result<Verified<Vec<T>>, ThresholdError> {
        let found = self.distinct();
        if found < self.needed {
            return Err(ThresholdError::Missed { needed: self.needed, found });
        }
        let keys = self.keys.keys().iter().zip(self.vouching).filter(|(_, vouches)| *vouches).map(|(key, _)| key.clone()).collect();
        Ok(Verified::by(Evidence { keys, needed: self.needed }, self.values))
    }
}

/// What is right only if the caller keeps a promise that no type can hold it to.
pub mod hazmat {
    use super::{Evidence, KeySet, PublicKey, ThresholdError, Unverified, Verified};

    /// The evidence of a count that was made before, by keys that are still among `keys`.
    ///
    /// The caller promises that [`Tally`](super::Tally) once counted valid signatures by each of `counted` over these very bytes of
    /// `value`, and that it kept this knowledge where it also keeps what it trusts most, such as the root of its trust.
    ///
    /// # Errors
    /// Fewer than `needed` distinct keys of `keys` are among those that were counted; `needed` is zero.
    pub fn recall<T>(
        keys: &KeySet,
        needed: usize,
        counted: impl Fn(&PublicKey) -> bool,
        value: Unverified<T>,
    ) -> Result<Verified<T>, ThresholdError> {
        let vouching: alloc::vec::Vec<PublicKey> = keys.keys().iter().filter(|key| counted(key)).cloned().collect();
        match vouching.len() {
            _ if needed == 0 => Err(ThresholdError::Zero),
            found if found < needed => Err(ThresholdError::Missed { needed, found }),
            _ => Ok(Verified::by(Evidence { keys: vouching, needed }, value.into_untrusted())),
        }
    }
}

/// Why a threshold is not satisfied, or cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ThresholdError {
    /// A threshold of zero would accept anything.
    #[error("a threshold is at least 1")]
    Zero,
    /// More than there are distinct keys.
    #[error("the threshold is {needed}, and there are only {keys} distinct keys")]
    TooHigh {
        /// The threshold.
        needed: usize,
        /// The number of distinct keys.
        keys: usize,
    },
    /// Too few distinct keys vouch.
    #[error("{found} of {needed} required keys signed")]
    Missed {
        /// The threshold.
        needed: usize,
        /// How many distinct keys have a valid signature.
        found: usize,
    },
}

#[cfg(test)]
#[cfg(feature = "sign")]
mod tests {
    use super::*;
    use crate::key::KeyAlgorithm;
    use crate::sign::{PrivateKey, Signer};

    fn key(n: u8) -> PrivateKey {
        PrivateKey::from_raw(KeyAlgorithm::EcdsaP256, &[n; 32]).unwrap()
    }

    fn sign(key: &PrivateKey, keyid: Option<&str>) -> Signature {
        Signature { keyid: keyid.map(Into::into), bytes: key.sign(b"message").unwrap() }
    }

    #[test]
    fn one_key_in_two_encodings_and_under_two_keyids_is_one() {
        let public = key(1).public_key().clone();
        let again = PublicKey::from_spki_der(&public.to_spki_der()).unwrap();
        let mut keys = KeySet::new([public.clone(), again]);
        assert_eq!(keys.len(), 1);
        keys.add(public.clone());
        assert_eq!(keys.len(), 1);
        keys.add_hint(&public, "other");
        let signatures = [sign(&key(1), None), sign(&key(1), Some("other")), sign(&key(1), Some("unknown"))];
        assert_eq!(keys.signers(b"message", &signatures).keys(), [public]);
        assert!(matches!(Tally::<()>::new(keys, 2), Err(ThresholdError::TooHigh { needed: 2, keys: 1 })));
    }

    #[test]
    fn keyids_are_hints_only() {
        let keys = KeySet::new([key(1).public_key().clone(), key(2).public_key().clone()]);
        let lying = sign(&key(1), Some(key(2).public_key().key_id().as_str()));
        assert_eq!(keys.signers(b"message", &[lying]).keys(), [key(1).public_key().clone()]);
        assert!(keys.signers(b"other", &[sign(&key(1), None)]).keys().is_empty());
    }

    #[test]
    fn no_number_of_hopeless_signatures_hides_one_with_its_own_hint() {
        let mut keys = KeySet::new((1..=60).map(|n| key(n).public_key().clone()));
        for n in 1..=60 {
            keys.add_hint(key(n).public_key(), "all");
            keys.add_hint(key(n).public_key(), "all");
        }
        let hopeless = Signature { keyid: Some("all".into()), bytes: alloc::vec![0; 70] };
        let mut signatures = alloc::vec![hopeless; 100];
        signatures.push(sign(&key(60), Some(key(60).public_key().key_id().as_str())));
        let signers = keys.signers(b"message", &signatures);
        assert_eq!(signers.keys(), [key(60).public_key().clone()]);
        assert!(signers.gave_up() && signers.checks() <= 161);
    }

    #[test]
    fn a_union_is_the_set_of_all_the_keys() {
        let sets: Vec<KeySet> = [1, 2, 1].iter().map(|n| KeySet::new([key(*n).public_key().clone()])).collect();
        let all = KeySet::union(&sets);
        let made = KeySet::new([1, 2].map(|n| key(n).public_key().clone()));
        assert_eq!((all.keys(), &all.0.hints), (made.keys(), &made.0.hints));
        assert!(KeySet::union([]).is_empty());
        // The sets themselves are as they were.
        assert_eq!(sets[0].len(), 1);
    }

    #[test]
    fn a_caller_bounds_the_checks_of_a_long_message() {
        let keys = KeySet::new((1..=4).map(|n| key(n).public_key().clone()));
        let signatures: Vec<Signature> = (1..=4).map(|n| sign(&key(n), Some(key(n).public_key().key_id().as_str()))).collect();
        let signers = keys.signers_within(b"message", &signatures, 3);
        assert_eq!((signers.keys().len(), signers.checks(), signers.gave_up()), (3, 3, true));
        let signers = keys.signers_within(b"message", &signatures, 4);
        assert_eq!((signers.keys().len(), signers.checks(), signers.gave_up()), (4, 4, false));
    }

    #[test]
    fn a_tally_is_finished_only_by_distinct_keys() {
        let keys = KeySet::new([key(1).public_key().clone(), key(2).public_key().clone()]);
        let mut tally = Tally::new(keys.clone(), 2).unwrap();
        for _ in 0..2 {
            tally.count(&keys.signers(b"message", &[sign(&key(1), None)]), || Unverified::new("first"));
        }
        tally.count(&keys.signers(b"message", &[sign(&key(3), None)]), || Unverified::new("by a stranger"));
        assert_eq!((tally.distinct(), tally.is_reached()), (1, false));
        assert!(matches!(tally.clone().finish(), Err(ThresholdError::Missed { needed: 2, found: 1 })));
        assert!(tally.count(&keys.signers(b"message", &[sign(&key(2), None)]), || Unverified::new("second")));
        let verified = tally.finish().unwrap();
        assert_eq!(verified.get(), &["first", "second"]);
        assert_eq!(verified.evidence().keys(), keys.keys());
        assert!(matches!(Tally::<()>::new(keys, 0), Err(ThresholdError::Zero)));
    }

    #[test]
    fn a_count_is_recalled_by_the_keys_that_are_still_there() {
        let keys = KeySet::new((1..=3).map(|n| key(n).public_key().clone()));
        let counted = |them: &'static [u8]| move |one: &PublicKey| them.iter().any(|n| key(*n).public_key() == one);
        let recall = |needed, them| hazmat::recall(&keys, needed, counted(them), Unverified::new(7));
        let recalled = recall(2, &[3, 1, 9]).unwrap();
        assert_eq!((*recalled.get(), recalled.evidence().keys().len(), recalled.evidence().needed()), (7, 2, 2));
        assert!(matches!(recall(2, &[1, 9, 8]), Err(ThresholdError::Missed { needed: 2, found: 1 })));
        assert!(matches!(recall(0, &[1]), Err(ThresholdError::Zero)));
    }
}
