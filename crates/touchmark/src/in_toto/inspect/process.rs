//! A command of an inspection: run without a shell, ended in time, and heard for so long and no longer.

use std::ffi::OsString;
use std::io::{self, PipeReader, Read as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use touchmark_in_toto::Failure;

use super::scratch::Scratch;
use super::unavailable;

/// So many bytes of what a command prints are kept.
const MAX_OUTPUT: usize = 32 << 10;
/// Bytes that are read at once.
const CHUNK: usize = 4 << 10;
/// How long to wait for what was ended to be gone, and for the last of its output.
const GRACE: Duration = Duration::from_secs(5);

/// What the command returned, or why it did not, and the beginning of what it printed.
pub(super) fn run(words: &[String], scratch: &Scratch, timeout: Duration) -> (Result<i64, Failure>, Vec<u8>) {
    let started = io::pipe().and_then(|(reader, writer)| Ok((start(words, scratch, writer)?, reader)));
    let (child, reader) = match started {
        Ok(started) => started,
        Err(error) => return (Err(unavailable(&format_args!("its command cannot be run: {error}"))), Vec::new()),
    };
    let heard = hear(reader);
    let ended = wait(child, timeout);
    // Who left the process group may hold the pipe open for ever.
    let (mut output, until) = (Vec::new(), Instant::now() + GRACE);
    while let Ok(bytes) = heard.recv_timeout(until.saturating_duration_since(Instant::now())) {
        output.extend(bytes);
    }
    (ended, output)
}

/// Starts it: no standard input, one pipe for what it prints, a process group of its own, and of the environment only where programs are.
fn start(words: &[String], scratch: &Scratch, output: io::PipeWriter) -> io::Result<Child> {
    let (program, arguments) = words.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    let mut command = Command::new(program);
    command.args(arguments).current_dir(scratch.work());
    command.env_clear().env("PATH", path()).env("HOME", scratch.home()).env("TMPDIR", scratch.home()).env("LC_ALL", "C");
    command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
    command.process_group(0).spawn()
}

/// Where programs are if the environment does not say.
const USUAL_PATH: &str = "/usr/bin:/bin";

/// Where programs are, without the folders that are where the command begins: the product is there, and what is in it may be called `tar`.
/// For the same reason it is never empty, which means that very folder.
fn path() -> OsString {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let absolute = std::env::split_paths(&path).filter(|folder| folder.is_absolute());
    let path = std::env::join_paths(absolute).unwrap_or_default();
    if path.is_empty() { USUAL_PATH.into() } else { path }
}

/// Reads to the end, and passes on the beginning.
fn hear(mut reader: PipeReader) -> Receiver<Vec<u8>> {
    let (send, heard) = mpsc::channel();
    thread::spawn(move || {
        let (mut chunk, mut left) = ([0; CHUNK], MAX_OUTPUT);
        while let Ok(read @ 1..) = reader.read(&mut chunk) {
            let bytes = chunk.get(..read.min(left)).unwrap_or_default();
            left -= bytes.len();
            if !bytes.is_empty() && send.send(bytes.to_vec()).is_err() {
                return;
            }
        }
    });
    heard
}

/// Waits for it to end, ends its process group, and gives what it returned.
fn wait(mut child: Child, timeout: Duration) -> Result<i64, Failure> {
    let leader = Pid::from_child(&child);
    let (send, ended) = mpsc::channel();
    // It stays a zombie until its group is ended, so that nobody else can have its number.
    thread::spawn(move || {
        while waitid(WaitId::Pid(leader), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT)
            .is_err_and(|error| error == rustix::io::Errno::INTR)
        {}
        let _ = send.send(());
    });
    let in_time = ended.recv_timeout(timeout).is_ok();
    let killed = kill_process_group(leader, Signal::KILL);
    if !in_time {
        if ended.recv_timeout(GRACE).is_err() {
            let why = killed.err().map_or_else(String::new, |error| format!(": {error}"));
            return Err(unavailable(&format_args!("its command did not end after {timeout:?} and cannot be ended{why}")));
        }
        let _ = child.wait();
        return Err(unavailable(&format_args!("its command did not end in {timeout:?} and was ended")));
    }
    let status = child.wait().map_err(|error| unavailable(&error))?;
    // One that a signal ended returned nothing.
    Ok(status.code().map_or(-1, i64::from))
}
