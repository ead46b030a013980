//! Where a program can be killed, or a disk be full, between two steps that change files: for tests, with the cargo feature
//! `failpoint` alone. Without it every function here is empty.
//!
//! Each step that changes files counts as one boundary, just before it; a write counts a second time when half of it is done. So does
//! each request that changes a registry.
//! - `TOUCHMARK_FAILPOINT=N`: the process kills itself with SIGKILL at boundary N (from 1).
//! - `TOUCHMARK_FAILPOINT_ERROR=N:CODE` or `N+:CODE`: boundary N, or every one from N on, fails with `ENOSPC` or `EIO`.
//! - `TOUCHMARK_FAILPOINT_COUNT=FILE`: a line `N STEP PATH` is appended for every boundary.
//! - `TOUCHMARK_FAILPOINT_RUN=N:COMMAND`: at boundary N the shell runs COMMAND to its end, as another program in the meantime.
//! - `TOUCHMARK_FAILPOINT_OFF=lock` or `merge`: writers take no lock, or forget what others wrote since they opened the OCI
//!   layout, so that a test can show what these are for.

use std::io;
use std::path::Path;

/// A step that changes files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "failpoint"), allow(dead_code))]
pub(crate) enum Step {
    /// A file or folder is made.
    Create,
    /// Bytes are about to be written.
    Write,
    /// Half of the bytes are written.
    HalfWritten,
    /// A file's content is made durable.
    Sync,
    /// A finished file gets its name.
    Rename,
    /// A folder's names are made durable.
    SyncFolder,
    /// A file is removed.
    Remove,
    /// A request is about to be sent; its method and path stand where a file's path does.
    #[cfg_attr(not(feature = "registry"), allow(dead_code))]
    Request,
}

/// What keeps concurrent writers from losing each other's work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Guard {
    /// The lock, and the check that the list is unchanged when it is replaced.
    Lock,
    /// Reading the list anew under the lock; in a registry, until it has everybody's.
    Merge,
}

#[cfg(not(feature = "failpoint"))]
mod active {
    use super::{Guard, Path, Step, io};

    #[inline(always)]
    pub(crate) fn reach(_step: Step, _path: &Path) -> io::Result<()> {
        Ok(())
    }

    #[inline(always)]
    pub(crate) fn is_off(_guard: Guard) -> bool {
        false
    }
}

#[cfg(feature = "failpoint")]
mod active {
    use std::io::Write;
    use std::process::Command;
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::{Guard, Path, Step, io};

    struct Plan {
        kill_at: Option<u64>,
        error: Option<(u64, bool, i32)>,
        count_in: Option<std::ffi::OsString>,
        run: Option<(u64, String)>,
        off: Option<Guard>,
    }

    fn plan() -> &'static Plan {
        static PLAN: OnceLock<Plan> = OnceLock::new();
        PLAN.get_or_init(|| Plan {
            kill_at: std::env::var("TOUCHMARK_FAILPOINT").ok().and_then(|text| text.parse().ok()),
            error: std::env::var("TOUCHMARK_FAILPOINT_ERROR").ok().and_then(|text| parse_error(&text)),
            count_in: std::env::var_os("TOUCHMARK_FAILPOINT_COUNT"),
            run: std::env::var("TOUCHMARK_FAILPOINT_RUN").ok().and_then(|text| {
                let (at, command) = text.split_once(':')?;
                Some((at.parse().ok()?, command.to_owned()))
            }),
            off: match std::env::var("TOUCHMARK_FAILPOINT_OFF").as_deref() {
                Ok("lock") => Some(Guard::Lock),
                Ok("merge") => Some(Guard::Merge),
                _ => None,
            },
        })
    }

    fn parse_error(text: &str) -> Option<(u64, bool, i32)> {
        let (at, code) = text.split_once(':')?;
        let (at, onwards) = match at.strip_suffix('+') {
            Some(at) => (at, true),
            None => (at, false),
        };
        // errno.h, the same on every Unix.
        let code = match code {
            "ENOSPC" => 28,
            "EIO" => 5,
            _ => return None,
        };
        Some((at.parse().ok()?, onwards, code))
    }

    pub(crate) fn reach(step: Step, path: &Path) -> io::Result<()> {
        static REACHED: AtomicU64 = AtomicU64::new(0);
        let plan = plan();
        let number = REACHED.fetch_add(1, Ordering::SeqCst) + 1;
        if let Some(file) = &plan.count_in {
            let line = format!("{number} {step:?} {}\n", path.display());
            std::fs::OpenOptions::new().create(true).append(true).open(file)?.write_all(line.as_bytes())?;
        }
        if plan.kill_at == Some(number) {
            kill();
        }
        if let Some((_, command)) = plan.run.as_ref().filter(|(at, _)| *at == number) {
            run(command)?;
        }
        match plan.error {
            Some((at, onwards, code)) if number == at || (onwards && number > at) => Err(io::Error::from_raw_os_error(code)),
            _ => Ok(()),
        }
    }

    /// Without the plan of this process, which is not for the command.
    fn run(command: &str) -> io::Result<()> {
        let names = ["", "_ERROR", "_COUNT", "_RUN"].map(|name| format!("TOUCHMARK_FAILPOINT{name}"));
        let mut shell = Command::new("sh");
        for name in names {
            shell.env_remove(name);
        }
        let status = shell.arg("-c").arg(command).status()?;
        if status.success() { Ok(()) } else { Err(io::Error::other(format!("`{command}` failed: {status}"))) }
    }

    /// SIGKILL, so that no destructor runs and nothing is flushed.
    fn kill() {
        let _ = Command::new("kill").arg("-9").arg(std::process::id().to_string()).status();
        loop {
            std::thread::park();
        }
    }

    pub(crate) fn is_off(guard: Guard) -> bool {
        plan().off == Some(guard)
    }
}

pub(crate) use active::{is_off, reach};
