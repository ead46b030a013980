//! Two lists of referrers, the quick and the thorough one, and what is fetched ahead.

use std::collections::BTreeMap;

use crate::shelf::{Inline, Shelf, key, policy, request, time};
use touchmark_envelope::Digest;
use touchmark_envelope::manifest::{Descriptor, IMAGE_MANIFEST};
use touchmark_envelope::signature;
use touchmark_trust::{Class, Failure, Limits, Need, Request, Search, Step};

/// Lists `referrer` where only a thorough question finds it.
fn hide(shelf: &mut Shelf, subject: Digest, referrer: Digest) {
    shelf.referrers.entry(subject).or_default().retain(|entry| entry.digest != referrer);
    let mut entry = shelf.describe(referrer, IMAGE_MANIFEST);
    entry.artifact_type = Some(signature::ARTIFACT_TYPE.to_owned());
    shelf.hidden.entry(subject).or_default().push(entry);
}

fn lists(shelf: &Shelf) -> Vec<bool> {
    let thorough = shelf.asked.iter().filter_map(|need| match need {
        Need::Referrers { thorough, .. } => Some(*thorough),
        _ => None,
    });
    thorough.collect()
}

#[test]
fn the_thorough_list_is_asked_for_only_if_the_quick_one_does_not_suffice() {
    let mut shelf = Shelf::default();
    let image = shelf.image("x");
    let (quick, hidden) = (shelf.sign(image, &[&key(0)], |_| ()), shelf.sign(image, &[&key(1)], |_| ()));
    hide(&mut shelf, image, hidden);
    assert!(shelf.verify(request(image, &[&key(0)], 1)).is_ok());
    assert_eq!(lists(&shelf), [false]);

    shelf.asked.clear();
    assert!(shelf.verify(request(image, &[&key(0), &key(1)], 2)).is_ok());
    assert_eq!(lists(&shelf), [false, true]);
    let fetched = |digest| shelf.asked.iter().filter(|need| matches!(need, Need::Manifest { digest: d, .. } if *d == digest)).count();
    assert_eq!((fetched(quick), fetched(hidden)), (1, 1), "nothing is tried twice");

    shelf.asked.clear();
    assert_eq!(shelf.verify(request(image, &[&key(2)], 1)).unwrap_err().class(), Class::NotVerified);
    assert_eq!(lists(&shelf), [false, true], "no third question");
    shelf.hidden.clear();
    shelf.asked.clear();
    assert_eq!(shelf.verify(request(image, &[&key(2)], 1)).unwrap_err().class(), Class::NotVerified);
    assert_eq!(lists(&shelf), [false], "the source knows of no more");
}

#[test]
fn a_thorough_list_that_is_not_to_be_had_is_unknown() {
    let mut shelf = Shelf::default();
    let image = shelf.image("x");
    shelf.thorough_failure = Some(Failure::Unavailable("429".to_owned()));
    for signed in [false, true] {
        if signed {
            shelf.sign(image, &[&key(0)], |_| ());
        }
        let rejected = shelf.verify(request(image, &[&key(1)], 1)).unwrap_err();
        assert_eq!(rejected.class(), Class::Unknown);
        assert!(rejected.to_string().contains("429"), "{rejected}");
    }
    assert!(shelf.verify(request(image, &[&key(0)], 1)).is_ok());
}

#[test]
fn the_limit_on_referrers_is_for_both_lists_together() {
    for (hidden, accepted) in [(9, true), (10, false)] {
        let mut shelf = Shelf::default();
        let image = shelf.image("x");
        for n in 0..10 + hidden {
            let junk = shelf.attach(image, signature::ARTIFACT_TYPE, format!("{n}").as_bytes(), Inline::Yes);
            if n >= 10 {
                hide(&mut shelf, image, junk);
            }
        }
        let good = shelf.sign(image, &[&key(0)], |_| ());
        hide(&mut shelf, image, good);
        let limits = Limits { referrers: 20, ..Limits::default() };
        let result = shelf.verify(request(image, &[&key(0)], 1).limits(limits));
        assert_eq!(result.is_ok(), accepted);
        if let Err(rejected) = result {
            assert_eq!(rejected.class(), Class::Unknown);
            assert!(rejected.to_string().contains("--max-referrers"), "{rejected}");
        }
    }
}

#[test]
fn what_the_thorough_list_says_of_its_completeness_decides() {
    use touchmark_trust::Answer;
    let mut shelf = Shelf::default();
    let image = shelf.image("x");
    for (complete, class) in [(true, Class::Unsigned), (false, Class::Unknown)] {
        let mut search = Search::new(request(image, &[&key(0)], 1));
        while let Step::Need(need) = search.next() {
            search.answer(match need {
                Need::Referrers { thorough, .. } => Answer::Referrers {
                    entries: vec![],
                    complete: thorough && complete,
                    more: !thorough,
                    why: Some("the tags cannot be listed".to_owned()),
                },
                need => shelf.fetch(&need),
            });
        }
        let rejected = search.finish().unwrap_err();
        assert_eq!(rejected.class(), class);
        assert_eq!(rejected.to_string().contains("the tags cannot be listed"), !complete, "{rejected}");
    }
}

/// Runs a search as one who fetches ahead does. Gives the rounds: what was fetched at the same time, and the verdict.
fn rounds(shelf: &Shelf, request: Request, most: usize) -> (Vec<Vec<Need>>, bool) {
    let mut held: BTreeMap<Digest, Vec<u8>> = BTreeMap::new();
    let (mut rounds, mut search) = (Vec::new(), Search::new(request));
    while let Step::Need(need) = search.next() {
        if let Need::Manifest { digest, .. } | Need::Blob { digest, .. } = &need
            && !held.contains_key(digest)
        {
            let ahead = search.ahead(most, &|digest| held.get(digest).map(Vec::as_slice));
            let round: Vec<Need> = [need.clone()].into_iter().chain(ahead).collect();
            for need in &round {
                if let Need::Manifest { digest, .. } | Need::Blob { digest, .. } = need {
                    held.insert(*digest, shelf.contents.get(digest).cloned().unwrap_or_default());
                }
            }
            rounds.push(round);
        }
        search.answer(shelf.fetch(&need));
    }
    (rounds, search.finish().is_ok())
}

fn sizes(rounds: &[Vec<Need>]) -> Vec<usize> {
    rounds.iter().map(Vec::len).collect()
}

#[test]
fn one_good_signature_is_fetched_alone() {
    let mut shelf = Shelf::default();
    let image = shelf.image("x");
    for n in 0..10 {
        shelf.sign(image, &[&key(n)], |_| ());
    }
    let keys: Vec<_> = (0..10).map(key).collect();
    let keys: Vec<_> = keys.iter().collect();
    let (rounds, accepted) = rounds(&shelf, request(image, &keys, 1), 24);
    assert!(accepted);
    assert_eq!(sizes(&rounds), [1, 1]);
}

#[test]
fn as_many_as_keys_are_missing_are_fetched_at_once() {
    let mut shelf = Shelf::default();
    let image = shelf.image("x");
    for n in 0..50 {
        shelf.sign(image, &[&key(n)], |_| ());
    }
    let keys: Vec<_> = (0..50).map(key).collect();
    let keys: Vec<_> = keys.iter().collect();
    let at_once = |threshold, most| {
        let (rounds, accepted) = rounds(&shelf, request(image, &keys, threshold), most);
        assert!(accepted);
        sizes(&rounds)
    };
    assert_eq!(at_once(50, 23), [1, 24, 24, 2]);
    assert_eq!(at_once(50, 100), [1, 50]);
    assert_eq!(at_once(3, 23), [1, 3]);
    assert_eq!(at_once(3, 0), [1, 1, 1, 1]);
}

#[test]
fn what_is_looked_at_in_vain_doubles_what_is_fetched() {
    let mut shelf = Shelf::default();
    let image = shelf.image("x");
    for n in 0..40_u64 {
        shelf.sign(image, &[&key(2)], |s| s.size = n);
    }
    shelf.sign(image, &[&key(0)], |_| ());
    let (fetched, accepted) = rounds(&shelf, request(image, &[&key(0)], 1), 11);
    assert!(accepted);
    assert_eq!(sizes(&fetched), [1, 1, 2, 4, 8, 12, 12, 2]);
    // The same signature over and over brings no key either.
    let mut shelf = Shelf::default();
    let image = shelf.image("x");
    for n in 0..7 {
        shelf.sign(image, &[&key(0)], |s| s.issued = time(n));
    }
    let (fetched, accepted) = rounds(&shelf, request(image, &[&key(0), &key(1)], 2), 11);
    assert!(!accepted);
    assert_eq!(sizes(&fetched), [1, 2, 2, 3], "two are missing; then one, and one was in vain; ...");
}

#[test]
fn those_whose_hints_fit_come_first_and_a_size_limits_what_is_fetched() {
    let mut shelf = Shelf::default();
    let image = shelf.image("x");
    let sbom = shelf.attach(image, "application/spdx+json", b"{}", Inline::Yes);
    let (first, second) = (shelf.sign(image, &[&key(0)], |_| ()), shelf.sign(image, &[&key(1)], |_| ()));
    let (fetched, accepted) = rounds(&shelf, request(image, &[&key(0), &key(1)], 2), 24);
    assert!(accepted);
    let size = shelf.contents[&second].len() as u64;
    assert_eq!(fetched[1], [Need::Manifest { digest: first, limit: 4 << 20 }, Need::Manifest { digest: second, limit: size }]);
    assert!(!fetched.iter().flatten().any(|need| matches!(need, Need::Manifest { digest, .. } if *digest == sbom)));
}

#[test]
fn envelopes_that_are_not_inlined_are_fetched_together_too() {
    let mut shelf = Shelf::default();
    let image = shelf.image("x");
    let mut envelopes = Vec::new();
    for n in 0..5 {
        let envelope = shelf.envelope(image, &[&key(n)], |_| ());
        shelf.attach(image, signature::ARTIFACT_TYPE, &envelope, Inline::No);
        envelopes.push(touchmark_envelope::digest::Algorithm::Sha256.digest(&envelope));
    }
    let keys: Vec<_> = (0..5).map(key).collect();
    let keys: Vec<_> = keys.iter().collect();
    let (fetched, accepted) = rounds(&shelf, request(image, &keys, 5), 24);
    assert!(accepted);
    assert_eq!(sizes(&fetched), [1, 5, 5]);
    let blobs = fetched[2].iter().map(|need| match need {
        Need::Blob { digest, .. } => *digest,
        other => panic!("{other:?}"),
    });
    assert_eq!(blobs.collect::<Vec<_>>(), envelopes);
}

#[test]
fn deep_names_what_is_below() {
    let mut shelf = Shelf::default();
    let children: Vec<_> = ["a", "b", "c"].map(|layer| shelf.image(layer)).to_vec();
    let listed: Vec<Descriptor> = children.iter().map(|child| shelf.describe(*child, IMAGE_MANIFEST)).collect();
    let index = shelf.index(&listed);
    shelf.sign(index, &[&key(0)], |_| ());
    let mut search = Search::new(Request::new(policy(&[&key(0)], 1), index, time(2_000)).deep());
    let mut named = Vec::new();
    while let Step::Need(need) = search.next() {
        named.push(search.ahead(24, &|_| None));
        let answer = shelf.fetch(&need);
        search.answer(answer);
    }
    assert!(search.finish().is_ok());
    let manifest = |child: &Descriptor| Need::Manifest { digest: child.digest, limit: child.size };
    // Index, list and signature; then the first child is asked for, and the others are known.
    assert_eq!(named[3], listed[1..].iter().map(manifest).collect::<Vec<_>>());
    assert!(matches!(named[6].as_slice(), [Need::Hash { .. }, ..]), "{:?}", named[6]);
}
