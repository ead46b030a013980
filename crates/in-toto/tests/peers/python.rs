//! The peer, and random questions for it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use touchmark_envelope::json::{Value, parse};

/// The reference implementation, for as long as this lives.
pub(crate) struct Peer {
    child: Child,
    questions: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Peer {
    /// `None` if it is missing and may be; then it has said so.
    pub(crate) fn start() -> Option<Self> {
        // CARGO_TARGET_TMPDIR is target/tmp.
        let python = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("peers").join("venv/bin/python");
        if !python.is_file() {
            let message = "the Python packages of tests/peers are missing; tests/peers/setup.sh gets them";
            assert!(std::env::var_os("TOUCHMARK_PEERS_REQUIRED").is_none(), "{message}");
            eprintln!("skipped: {message}");
            return None;
        }
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/peers/python/in_toto_peer.py");
        let mut child = Command::new(python).arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (questions, answers) = (child.stdin.take(), BufReader::new(child.stdout.take().unwrap()));
        Some(Self { child, questions, answers })
    }

    /// Asks, and waits for the answer.
    pub(crate) fn ask(&mut self, question: &Value<'_>) -> Value<'static> {
        let mut line = question.to_vec();
        line.push(b'\n');
        self.questions.as_mut().unwrap().write_all(&line).unwrap();
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        parse(answer.trim_end().as_bytes(), answer.len()).unwrap_or_else(|error| panic!("{error}: {answer}")).into_owned()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.questions = None;
        let _ = self.child.wait();
    }
}

/// SplitMix64: small, and the same everywhere.
pub(crate) struct Random(u64);

impl Random {
    /// From `TOUCHMARK_SEED` if it is set, else this one; says which.
    pub(crate) fn seeded(seed: u64) -> Self {
        let seed = std::env::var("TOUCHMARK_SEED").map_or(seed, |seed| seed.parse().unwrap());
        eprintln!("TOUCHMARK_SEED={seed}");
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`, which is not 0.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end).unwrap()).unwrap()
    }

    pub(crate) fn pick<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }

    /// True `times` out of `of`.
    pub(crate) fn often(&mut self, times: usize, of: usize) -> bool {
        self.below(of) < times
    }
}
