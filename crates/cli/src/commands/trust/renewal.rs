//! The job that renews snapshot and timestamp, as `trust init` prints it: as a line of cron, and for CI.

use std::ffi::OsString;
use std::path::{Path, PathBuf, absolute};

/// A key of the job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum OnlineKey {
    /// As it was named on the command line.
    Named(OsString),
    /// The file of a private key that was made.
    Made(PathBuf),
}

/// The command that is run every day on this machine, for a shell: whatever folder it is run in.
pub(super) fn job(dir: &Path, keys: &[OnlineKey]) -> String {
    let mut words = vec!["touchmark trust --dir".to_owned(), quoted(&full(dir)), "publish --renew".to_owned()];
    for key in distinct(keys.iter().map(OnlineKey::word)) {
        words.extend(["--key".to_owned(), quoted(&key)]);
    }
    words.join(" ")
}

/// The same in CI: the folder as it is named in a checkout, keys of files in the environment. Gives the names of these variables too.
pub(super) fn job_in_ci(dir: &Path, keys: &[OnlineKey]) -> (String, Vec<String>) {
    let keys = distinct(keys.iter().map(OnlineKey::word));
    let is_file = |key: &String| !key.starts_with("env:") && !key.starts_with("exec:");
    let files = keys.iter().filter(|key| is_file(key)).count();
    let (mut variables, mut number) = (Vec::new(), 0);
    let mut words = vec!["touchmark trust --dir".to_owned(), quoted(&dir.display().to_string()), "publish --renew".to_owned()];
    for key in &keys {
        let word = match is_file(key) {
            true => {
                number += 1;
                let variable = if files == 1 { "ONLINE_KEY".to_owned() } else { format!("ONLINE_KEY_{number}") };
                let word = format!("env:{variable}");
                variables.push(variable);
                word
            }
            false => {
                variables.extend(key.strip_prefix("env:").map(str::to_owned));
                quoted(key)
            }
        };
        words.extend(["--key".to_owned(), word]);
    }
    (words.join(" "), variables)
}

/// A line of a crontab, in which a percent sign would be the end of the command.
pub(super) fn cron(job: &str) -> String {
    format!("17 3 * * *  {}", job.replace('%', r"\%"))
}

impl OnlineKey {
    /// What `--key` is given.
    fn word(&self) -> String {
        let named = match self {
            OnlineKey::Made(file) => return full(file),
            OnlineKey::Named(named) => named,
        };
        match named.to_str() {
            // A job has no standard input: a secret that no other key has the name of.
            Some("-") => "env:ONLINE_KEY_0".to_owned(),
            Some(text) if text.starts_with("env:") => text.to_owned(),
            Some(text) => match text.strip_prefix("exec:") {
                Some(program) if program.contains('/') => format!("exec:{}", full(Path::new(program))),
                Some(_) => text.to_owned(),
                // Beside a public key is the private one, if anywhere.
                None => full(Path::new(text.strip_suffix(".pub").unwrap_or(text))),
            },
            None => full(Path::new(named)),
        }
    }
}

fn distinct(words: impl Iterator<Item = String>) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for word in words {
        if !all.contains(&word) {
            all.push(word);
        }
    }
    all
}

fn full(path: &Path) -> String {
    absolute(path).unwrap_or_else(|_| path.to_owned()).display().to_string()
}

/// A word of a POSIX shell.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_@%+=:,./-".contains(c);
    if !word.is_empty() && word.chars().all(plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(keys: &[&str]) -> Vec<OnlineKey> {
        keys.iter().map(|key| OnlineKey::Named(key.into())).collect()
    }

    #[cfg(unix)]
    #[test]
    fn a_job_names_every_key_once_and_for_a_shell() {
        let keys = named(&["/keys/a.pub", "/keys/it's", "env:KEY", "exec:kms", "exec:/bin/kms sign", "/keys/a"]);
        let job = job(Path::new("/my trust"), &keys);
        let keys_only = r"--key /keys/a --key '/keys/it'\''s' --key env:KEY --key exec:kms --key 'exec:/bin/kms sign'";
        assert_eq!(job, format!("touchmark trust --dir '/my trust' publish --renew {keys_only}"));
        let relative = named(&["online.pub"]);
        let here = std::env::current_dir().unwrap().join("online");
        assert!(super::job(Path::new("/trust"), &relative).ends_with(&quoted(&here.display().to_string())));
    }

    #[test]
    fn in_ci_keys_come_from_the_environment() {
        let (job, variables) = job_in_ci(Path::new("trust"), &named(&["a", "exec:kms", "b", "a.pub"]));
        assert_eq!(job, "touchmark trust --dir trust publish --renew --key env:ONLINE_KEY_1 --key exec:kms --key env:ONLINE_KEY_2");
        assert_eq!(variables, ["ONLINE_KEY_1", "ONLINE_KEY_2"]);
        let (job, variables) = job_in_ci(Path::new("trust"), &named(&["a", "env:MINE", "-"]));
        assert_eq!(job, "touchmark trust --dir trust publish --renew --key env:ONLINE_KEY --key env:MINE --key env:ONLINE_KEY_0");
        assert_eq!(variables, ["ONLINE_KEY", "MINE", "ONLINE_KEY_0"]);
    }

    #[test]
    fn a_percent_sign_does_not_end_a_line_of_cron() {
        assert_eq!(cron("a%b"), r"17 3 * * *  a\%b");
    }
}
