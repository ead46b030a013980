//! The whole trust decision, at all three levels, in a world of hostile referrers and before a source that lies: it ends, and it accepts
//! nothing that the keys which decide did not sign.
//!
//! The input is three bytes that say what is wanted, one that says how many things are attached, those, and a list of lies: a byte for each
//! answer, with what it takes. When it is used up, nothing more is attached and the source is honest.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use touchmark_envelope::manifest::{Descriptor, IMAGE_MANIFEST};
use touchmark_envelope::{Digest, UnixTime, dsse, signature};
use touchmark_fuzz::trust::{ACME, ALICE, BUILDER, Ground, SCANNER, SHELF, STANDINGS, Said, World, built, scanned};
use touchmark_in_toto::attached::ARTIFACT_TYPE;
use touchmark_test_tuf_repository::NOW;
use touchmark_trust::{AcceptedKind, Answer, Artifact, Failure, Limits, Need, Rejected, Request, Scope, Search, Step};

/// More needs than any of these worlds gives cause for.
const MAX_NEEDS: usize = 20_000;

/// The input, read from its front; nothing is zero.
struct Input<'d>(&'d [u8]);

impl<'d> Input<'d> {
    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    /// A number below `end`.
    fn below(&mut self, end: usize) -> usize {
        usize::from(self.byte()) % end
    }

    fn bytes(&mut self) -> &'d [u8] {
        let length = usize::from(self.byte()) * 4;
        let (bytes, rest) = self.0.split_at(length.min(self.0.len()));
        self.0 = rest;
        bytes
    }

    fn hint(&mut self) -> &'static str {
        ["", signature::ARTIFACT_TYPE, dsse::IN_TOTO, ARTIFACT_TYPE, "text/plain"][self.below(5)]
    }
}

/// What is wanted.
struct Wanted {
    ground: Ground,
    artifact: usize,
    covered: bool,
    entry_only: bool,
    scanned: bool,
    /// The layout, if one is wanted.
    built: Option<usize>,
    deep: bool,
}

impl Wanted {
    fn read(input: &mut Input<'_>) -> Self {
        let (ground, what, more) = (Ground::of(input.byte()), input.byte(), input.byte());
        Self {
            ground,
            artifact: usize::from(what) % 4,
            covered: what & 0x80 != 0,
            entry_only: more & 1 != 0,
            scanned: more & 2 != 0,
            built: (more & 4 != 0).then_some(usize::from(more >> 6) % 3),
            deep: more & 8 != 0,
        }
    }

    fn request(&self) -> Request {
        let mut policy = self.ground.policy();
        if self.entry_only {
            policy = policy.accept_only([AcceptedKind::Entry]);
        }
        if self.scanned {
            policy = policy.attested(scanned());
        }
        if let Some(which) = self.built {
            policy = policy.supply_chain(built(which));
        }
        let at = UnixTime::from_seconds(NOW).expect("a time");
        let request = Request::new(policy, SHELF.artifacts[self.artifact], at);
        let request = if self.covered { request.scope(Scope::CoveredBy(SHELF.artifacts[3])) } else { request };
        let request = request.limits(Limits { referrers: 40, work: 1 << 28, contents: 40, ..Limits::default() });
        if self.deep { request.deep() } else { request }
    }

    /// Whether what was said may suffice, whatever the source makes of it.
    fn may_hold(&self, world: &World) -> bool {
        let deciding = if self.covered { 3 } else { self.artifact };
        let revoked = |ground: Ground| match ground {
            Ground::Standing(number) => STANDINGS[number].revokes.contains(&self.artifact),
            _ => false,
        };
        let by_entry = || match self.ground {
            Ground::Standing(number) => !STANDINGS[number].envelopes && STANDINGS[number].accepts.contains(&deciding),
            _ => false,
        };
        self.ground.may_accept(deciding, &world.said)
            && !revoked(self.ground)
            && (!self.entry_only || by_entry())
            && (!self.scanned || world.said.contains(&Said::Attested { artifact: deciding, signer: SCANNER, failed: false }))
            && self.built.is_none_or(|which| which == 0 && world.said.contains(&Said::Built { artifact: deciding, signer: BUILDER }))
    }
}

/// Attaches something, or spoils what is there.
fn attach(world: &mut World, input: &mut Input<'_>) {
    match input.byte() % 8 {
        0 => {
            let (artifact, signer, name, subject) = (input.below(4), input.below(5), input.below(4), input.byte());
            world.signature(artifact, signer, name, usize::from(subject) % 4, subject & 0x80 != 0);
        }
        1 => {
            let (artifact, signer, failed, subject) = (input.below(4), input.below(5), input.below(2) == 1, input.byte());
            world.attestation(artifact, signer, failed, usize::from(subject) % 4, subject & 0x80 != 0);
        }
        2 => {
            let (subject, count) = (input.below(4), input.below(4));
            let files: Vec<_> = (0..count).map(|_| (input.byte(), input.below(4), input.below(5), input.below(3))).collect();
            world.set(subject, &files);
        }
        3 => {
            let (subject, hint, bytes) = (input.below(4), input.hint(), input.bytes());
            world.refer(SHELF.artifacts[subject], bytes, hint);
        }
        // A referrer that is there, altered.
        4 => {
            let (subject, number, hint, changes) = (SHELF.artifacts[input.below(4)], input.byte(), input.hint(), input.bytes());
            if let Some(bytes) = listed(world, subject, number).and_then(|entry| world.contents.get(&entry.digest)) {
                let bytes = altered(bytes.clone(), changes);
                world.refer(subject, &bytes, hint);
            }
        }
        // A referrer that is there, listed again, as something else.
        5 => {
            let (from, to, number, hint) = (SHELF.artifacts[input.below(4)], SHELF.artifacts[input.below(4)], input.byte(), input.hint());
            if let Some(mut entry) = listed(world, from, number) {
                entry.artifact_type = Some(hint.to_owned());
                world.lists.entry(to).or_default().push(entry);
            }
        }
        6 => {
            let subject = SHELF.artifacts[input.below(4)];
            if let Some(entry) = world.lists.get_mut(&subject).and_then(Vec::pop) {
                world.hidden.entry(subject).or_default().push(entry);
            }
        }
        // Something that is there is not, or is something else.
        _ => {
            let (number, changes) = (input.byte(), input.bytes());
            let count = world.contents.len();
            if let Some(bytes) = world.contents.values_mut().nth(usize::from(number) % count) {
                *bytes = altered(std::mem::take(bytes), changes);
            }
        }
    }
}

fn listed(world: &World, subject: Digest, number: u8) -> Option<Descriptor> {
    let all = world.lists.get(&subject).filter(|all| !all.is_empty())?;
    all.get(usize::from(number) % all.len()).cloned()
}

/// The bytes with some of them replaced.
fn altered(mut bytes: Vec<u8>, changes: &[u8]) -> Vec<u8> {
    for change in changes.chunks_exact(3) {
        let at = usize::from(u16::from_le_bytes([change[0], change[1]]));
        if let Some(byte) = bytes.get_mut(at) {
            *byte = change[2];
        }
    }
    bytes
}

fn honest(world: &World, need: &Need) -> Answer {
    let limited = |digest: &Digest, limit: u64| match world.contents.get(digest) {
        Some(bytes) if bytes.len() as u64 <= limit => Answer::Bytes(bytes.clone()),
        Some(_) => Answer::Failed(Failure::TooLarge { limit, option: "--x" }),
        None => Answer::Failed(Failure::NotFound),
    };
    match need {
        Need::Manifest { digest, limit } | Need::Blob { digest, limit } => limited(digest, *limit),
        Need::Referrers { subject, entries, thorough, .. } => {
            let hidden = world.hidden.get(subject).cloned().unwrap_or_default();
            let mut all = world.lists.get(subject).cloned().unwrap_or_default();
            let more = !thorough && !hidden.is_empty();
            all.extend(hidden.into_iter().filter(|_| *thorough));
            let complete = all.len() <= *entries;
            all.truncate(*entries);
            Answer::Referrers { entries: all, complete, more, why: None }
        }
        Need::Hash { digest, .. } => match world.contents.get(digest) {
            Some(bytes) => Answer::Hashed { digest: digest.algorithm().digest(bytes), size: bytes.len() as u64 },
            None => Answer::Failed(Failure::NotFound),
        },
        _ => Answer::Failed(Failure::WrongAnswer),
    }
}

/// What a hostile source answers.
fn answer(world: &World, need: &Need, input: &mut Input<'_>) -> Answer {
    match input.byte() % 12 {
        0 => honest(world, need),
        1 => Answer::Failed(Failure::NotFound),
        2 => Answer::Failed(Failure::Unavailable("no answer".into())),
        3 => Answer::Failed(Failure::WrongDigest),
        4 => Answer::Failed(Failure::TooLarge { limit: 1, option: "--x" }),
        5 => Answer::Failed(Failure::Malformed("no file".into())),
        6 => match honest(world, need) {
            Answer::Bytes(bytes) => Answer::Bytes(altered(bytes, input.bytes())),
            Answer::Referrers { mut entries, .. } => {
                entries.reverse();
                Answer::Referrers { entries, complete: false, more: true, why: Some("so it is".into()) }
            }
            other => other,
        },
        7 => Answer::Bytes(input.bytes().to_vec()),
        // Something else that is there.
        8 => Answer::Bytes(world.contents.values().nth(input.below(64)).cloned().unwrap_or_default()),
        9 => {
            let all = world.contents.keys().cycle().skip(input.below(64)).take(input.below(64));
            let entry = |digest: &Digest| Descriptor::new(IMAGE_MANIFEST, *digest, 1);
            Answer::Referrers { entries: all.map(entry).collect(), complete: true, more: true, why: None }
        }
        10 => Answer::Hashed { digest: SHELF.artifacts[0], size: 1 },
        _ => Answer::Referrers { entries: Vec::new(), complete: true, more: false, why: None },
    }
}

fn decide(wanted: &Wanted, world: &World, input: &mut Input<'_>) -> Result<Artifact, Rejected> {
    let mut search = Search::new(wanted.request());
    let mut needs = 0;
    while let Step::Need(need) = search.next() {
        assert_eq!(format!("{:?}", search.next()), format!("{:?}", Step::Need(need.clone())), "asked again it says the same");
        let _ = search.ahead(4, &|digest| world.contents.get(digest).map(Vec::as_slice));
        search.answer(answer(world, &need, input));
        needs += 1;
        assert!(needs <= MAX_NEEDS, "it does not end");
    }
    let outcome = search.finish().map(touchmark_envelope::Verified::into_inner);
    if let Err(rejected) = &outcome {
        assert!(!rejected.to_string().is_empty());
        let _ = rejected.to_json();
    }
    outcome
}

/// In an honest world everything that can be wanted holds: otherwise what follows would be true of nothing.
static HONEST: LazyLock<()> = LazyLock::new(|| {
    for ground in [0_u8, 1, 2, 3, 5, 6] {
        for more in [0_u8, 2, 4, 6, 8, 14] {
            let mut wanted = Wanted::read(&mut Input(&[ground, u8::from(ground == 5), more]));
            if ground == 6 {
                wanted.artifact = 1;
            }
            let mut world = World::new();
            for signer in [ALICE, SCANNER, ACME] {
                world.signature(wanted.artifact, signer, 0, wanted.artifact, signer == SCANNER);
            }
            world.attestation(wanted.artifact, SCANNER, false, wanted.artifact, false);
            world.set(wanted.artifact, &[(0, wanted.artifact, BUILDER, 0)]);
            let outcome = decide(&wanted, &world, &mut Input(&[]));
            assert!(outcome.is_ok(), "{ground} {more}: {}", outcome.expect_err("it is refused"));
            assert!(wanted.may_hold(&world));
        }
    }
});

fuzz_target!(|data: &[u8]| {
    LazyLock::force(&HONEST);
    let mut input = Input(data);
    let wanted = Wanted::read(&mut input);
    let mut world = World::new();
    for _ in 0..input.below(32) {
        attach(&mut world, &mut input);
    }
    if let Ok(artifact) = decide(&wanted, &world, &mut input) {
        assert!(wanted.may_hold(&world), "accepted by nobody's word");
        assert_eq!(artifact.descriptor().digest, SHELF.artifacts[wanted.artifact]);
        assert_eq!(artifact.covered_by().map(|index| index.digest), wanted.covered.then(|| SHELF.artifacts[3]));
        assert_eq!(artifact.supply_chain().is_some(), wanted.built.is_some());
        let _ = artifact.to_json();
    }
});
