//! The whole TUF client before a hostile repository: it ends, and without the keys nothing is found that their owners did not sign.
//!
//! The input is a byte that says which target is wanted and how many runs there are, and a list of answers: a byte for its kind, two for a
//! length, and so many bytes. When it is used up, the repository is honest.
#![no_main]

use std::cell::Cell;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use touchmark_fuzz::tuf;
use touchmark_tuf::{Answer, Failure, LookUp, TargetPath};

/// What the honest repository says of each target.
static HONEST: LazyLock<Vec<LookUp>> = LazyLock::new(|| {
    let mut fetch = tuf::honest;
    let mut machine = tuf::Machine::new(&mut fetch);
    let (mut client, outcome) = machine.refresh();
    outcome.expect("an honest repository");
    tuf::TARGETS.map(|target| machine.look_up(&mut client, &path(target)).expect("an honest repository")).to_vec()
});

fn path(target: &str) -> TargetPath {
    TargetPath::new(target).expect("a target path")
}

/// The next answer of the input: its kind and its bytes.
fn next<'d>(data: &mut &'d [u8]) -> Option<(u8, &'d [u8])> {
    let (kind, rest) = data.split_first()?;
    let (length, rest) = rest.split_first_chunk::<2>().unwrap_or((&[0, 0], &[]));
    let (bytes, rest) = rest.split_at(usize::from(u16::from_le_bytes(*length)).min(rest.len()));
    *data = rest;
    Some((*kind, bytes))
}

fuzz_target!(|data: &[u8]| {
    let Some((plan, mut data)) = data.split_first() else { return };
    let (has_keys, over) = (Cell::new(false), Cell::new(false));
    let mut fetch = |asked: &str, limit: u64| match next(&mut data).filter(|_| !over.get()) {
        None => tuf::honest(asked, limit),
        Some((kind, bytes)) => {
            has_keys.set(has_keys.get() || kind % 8 == 7);
            hostile(kind, bytes, asked, limit)
        }
    };
    let mut machine = tuf::Machine::new(&mut fetch);
    let wanted = usize::from(*plan) % tuf::TARGETS.len();
    // Each run goes on with what the one before left; the last one may be before an honest repository.
    for (run, last) in [(true, false), (plan & 0x40 != 0, false), (plan & 0x80 != 0, true)] {
        if !run {
            continue;
        }
        over.set(last);
        let (mut client, mut outcome) = machine.refresh();
        if outcome.is_ok() {
            let found = machine.look_up(&mut client, &path(tuf::TARGETS[wanted]));
            assert!(has_keys.get() || found.is_err() || found.as_ref() == Ok(&HONEST[wanted]), "{found:?}");
            outcome = found.map(|_| ());
        }
        assert!(has_keys.get() || !last || outcome.is_ok(), "{outcome:?}");
    }
});

/// What a repository without scruples answers.
fn hostile(kind: u8, bytes: &[u8], asked: &str, limit: u64) -> Answer {
    match kind % 8 {
        0 => tuf::honest(asked, limit),
        1 => Answer::Absent,
        2 => Answer::Failed(Failure::Unavailable("no answer".into())),
        3 => Answer::Failed(Failure::TooLarge { limit }),
        4 => Answer::Bytes(bytes.to_vec()),
        // The honest file with some of its bytes replaced.
        5 => match tuf::honest(asked, limit) {
            Answer::Bytes(mut file) => {
                for change in bytes.chunks_exact(3) {
                    let at = usize::from(u16::from_le_bytes([change[0], change[1]]));
                    if let Some(byte) = file.get_mut(at) {
                        *byte = change[2];
                    }
                }
                Answer::Bytes(file)
            }
            other => other,
        },
        // Another file of the honest repository.
        6 => match tuf::HONEST.metadata().keys().nth(bytes.first().copied().unwrap_or_default().into()) {
            Some(other) => tuf::honest(other, u64::MAX),
            None => Answer::Done,
        },
        // Whatever the bytes say, signed by the key of the role that was asked for.
        _ => {
            let role = asked.trim_end_matches(".json").rsplit('.').next().unwrap_or_default();
            let key = if role.starts_with("bin-") { "bin" } else { role };
            Answer::Bytes(tuf::signed(bytes, key).unwrap_or_default())
        }
    }
}
