//! `oras attach` takes no lock and rewrites `index.json` from what it read when it began.

use std::io::Write as _;
use std::process::{Child, Command, Stdio};

use crate::harness::{Place, Ran, digest};
use crate::tool;

const SIGNERS: usize = 32;
const ATTACHMENTS: usize = 8;
const SIGNATURE: &str = "application/vnd.touchmark.signature.v1+json";

/// Starts a shell script, with the command as its arguments, so that it waits until the barrier opens.
fn behind(barrier: &std::io::PipeReader, script: &str, command: &Command) -> Child {
    let mut waiting = Command::new("sh");
    // The read ends when the last writer of the pipe is gone.
    waiting.args(["-c", &format!("cat >/dev/null; exec </dev/null; {script}"), "sh"]).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => waiting.env(name, value),
            None => waiting.env_remove(name),
        };
    }
    waiting.current_dir(command.get_current_dir().unwrap()).stdin(barrier.try_clone().unwrap());
    waiting.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

#[test]
fn thirty_two_signers_beside_oras_attach_are_all_found_and_listed_again() {
    tool::need!("oras");
    let place = Place::new();
    let pin = place.pack("oci:lay:v1", "content");
    for signer in 0..SIGNERS {
        place.key(&format!("key{signer}"));
    }
    place.file("note.txt", "a note\n");

    let (barrier, mut opener) = std::io::pipe().unwrap();
    // One oras after another: two of them at once write over each other into one file and leave no JSON.
    let script = format!("for number in $(seq {ATTACHMENTS}); do \"$@\" --annotation number=$number note.txt || exit 1; done");
    let line = "attach --oci-layout lay:v1 --artifact-type application/vnd.example.note";
    let oras = behind(&barrier, &script, &tool::command(&place, "oras", line));
    let sign = |signer: usize| place.touchmark(&format!("sign {pin} --key key{signer} --name acme/x:1"));
    let signers: Vec<Child> = (0..SIGNERS).map(|signer| behind(&barrier, "exec \"$@\"", &sign(signer))).collect();
    opener.flush().unwrap();
    drop(opener);
    let ran = |child: Child| Ran::of("racer", child.wait_with_output().unwrap());
    // A signer never loses its signature. If oras keeps rewriting the list, it says that its signature is there and not listed.
    let unlisted: Vec<Ran> = signers.into_iter().map(ran).filter(|ran| ran.code != 0).collect();
    assert!(unlisted.iter().all(|ran| ran.code == 4 && ran.stderr.contains("was written, but is not listed")), "{unlisted:#?}");
    ran(oras).is(0);

    let keys: String = (0..SIGNERS).map(|signer| format!(" --key key{signer}.pub")).collect();
    let everyone = format!("{pin} --threshold {SIGNERS} --name acme/x:1{keys}");
    let by_oras = || {
        let found = tool::json(&place, "oras", "discover --oci-layout lay:v1 --format json --depth 1");
        assert_eq!(found["digest"], digest(&pin));
        tool::listed(&found["referrers"], SIGNATURE)
    };
    let listed_before = by_oras().len();
    place.verify_is(0, &everyone);

    place.ok("repair oci:lay");
    place.verify_is(0, &everyone);
    assert_eq!(by_oras().len(), SIGNERS, "after repair");
    let told = unlisted.len();
    eprintln!(
        "oras lists {listed_before} of {SIGNERS} signatures before repair and {SIGNERS} after; {told} signers said that theirs was not listed"
    );
}
