//! `login` and `logout`, against a registry with passwords and one with tokens.

use serde_json::Value;
use touchmark_test_registry::{Auth, Settings, TestRegistry, Tokens, User};

use crate::harness::{Place, Ran};

/// A registry that asks for the password `secret` of `alice`.
pub fn basic() -> TestRegistry {
    TestRegistry::start(Settings { auth: Auth::basic("alice", "secret"), ..Settings::default() })
}

/// The same with a token service, which also takes the identity token `refresh`.
pub fn tokens() -> TestRegistry {
    let user = User { identity_token: Some("refresh".to_owned()), ..User::new("alice", "secret") };
    TestRegistry::start(Settings { auth: Auth::Token(Tokens::new(vec![user])), ..Settings::default() })
}

/// A reference to an artifact in the registry.
fn artifact(registry: &TestRegistry) -> String {
    let manifest = br#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2},"layers":[]}"#;
    registry.put_manifest("acme/app", Some("1.0"), manifest);
    format!("{}/acme/app:1.0", registry.host())
}

fn login(place: &Place, registry: &TestRegistry, options: &str, input: &str) -> Ran {
    place.run_with_input(&format!("login {} {options}", registry.host()), input.as_bytes())
}

fn config(place: &Place) -> Value {
    serde_json::from_slice(&place.read(".docker/config.json")).unwrap()
}

/// A program that keeps what it is given in the file `kept`.
#[cfg(unix)]
fn helper(place: &Place, name: &str) -> String {
    let program = format!("bin/docker-credential-{name}");
    let kept = place.path("kept");
    let script = format!(
        "#!/bin/sh\nF={}\ncase $1 in\nstore) cat >$F ;;\nget) test -f $F || {{ echo credentials not found in native keychain; exit 1; }}; cat $F ;;\nerase) rm $F ;;\nesac\n",
        kept.display()
    );
    place.program(&program, &script);
    format!("{}:/usr/bin:/bin", place.path("bin").display())
}

#[test]
fn what_login_keeps_is_used_until_logout() {
    for registry in [basic(), tokens()] {
        let place = Place::new();
        let reference = artifact(&registry);
        place.run(&format!("resolve {reference}")).is(4).says("401");
        let ran = login(&place, &registry, "--username alice --password-stdin", "secret\n").is(0);
        assert!(ran.stdout.is_empty() && ran.stderr.contains("not encrypted"), "{ran:?}");
        assert_eq!(config(&place)["auths"][registry.host()]["auth"], "YWxpY2U6c2VjcmV0");
        place.ok(&format!("resolve {reference}"));
        place.run(&format!("logout {}", registry.host())).is(0).says("logged out");
        assert_eq!(config(&place)["auths"], serde_json::json!({}));
        place.run(&format!("resolve {reference}")).is(4);
        place.run(&format!("logout {}", registry.host())).is(0).says("no credentials were kept");
    }
}

#[test]
fn an_identity_token_is_kept_as_one() {
    let (place, registry) = (Place::new(), tokens());
    login(&place, &registry, "--identity-token-stdin", "wrong").is(2).says("does not accept");
    let document = login(&place, &registry, "--identity-token-stdin --format json", "refresh\n").is(0).json();
    assert_eq!((&document["results"][0]["username"], &document["results"][0]["checked"]), (&Value::Null, &Value::Bool(true)));
    assert_eq!(config(&place)["auths"][registry.host()], serde_json::json!({"identitytoken": "refresh"}));
    place.ok(&format!("resolve {}", artifact(&registry)));
}

#[test]
fn credentials_that_are_not_accepted_are_not_kept() {
    for registry in [basic(), tokens()] {
        let place = Place::new();
        login(&place, &registry, "--username alice --password-stdin", "secret").is(0);
        let before = place.read(".docker/config.json");
        for (options, input) in [
            ("--username alice --password-stdin", "hunter2"),
            ("--username bob --password-stdin", "secret"),
            ("--identity-token-stdin", "x"),
        ] {
            let ran = login(&place, &registry, options, input).is(2).says("does not accept these credentials");
            assert!(!ran.stderr.contains("hunter2") && !ran.stderr.contains("secret"), "{ran:?}");
        }
        assert_eq!(place.read(".docker/config.json"), before);
    }
}

#[test]
fn a_registry_that_asks_for_nothing_is_told() {
    let (place, registry) = (Place::new(), TestRegistry::start(Settings::default()));
    login(&place, &registry, "--username alice --password-stdin", "secret").is(0).says("asked for no credentials");
    let document = login(&place, &registry, "--username alice --password-stdin --format json", "secret").is(0).json();
    assert_eq!(document["results"][0]["checked"], false);
}

#[test]
fn login_names_what_is_wrong_with_what_it_is_given() {
    let (place, registry) = (Place::new(), basic());
    let login = |options: &str, input: &str| login(&place, &registry, options, input);
    login("--username alice", "").is(2).says("no terminal");
    login("", "").is(2).says("no terminal");
    login("--password-stdin", "secret").is(2).says("--username");
    login("--username alice --password-stdin", "").is(2).says("standard input is empty");
    login("--username alice --password-stdin", "one\ntwo").is(2);
    login("--username al:ice --password-stdin", "secret").is(2).says("colon");
    login("--identity-token-stdin", "with space").is(2).says("visible ASCII");
    login("--identity-token-stdin --username alice", "x").is(2);
    for host in ["https://ghcr.io", "ghcr.io/acme", "alpine", "oci:x", "a b.io", "user@ghcr.io"] {
        let ran = place.touchmark("login").arg(host).output().unwrap();
        Ran::of(host, ran).is(2).says("is no registry");
    }
    assert!(registry.log().is_empty());
    assert!(!place.path(".docker").exists());
}

#[test]
fn the_files_that_are_named_are_used() {
    let (place, registry) = (Place::new(), basic());
    let line = format!("login {} --username alice --password-stdin", registry.host());
    let at = |file: &str| place.path(file).exists();
    place.run_with_input(&format!("{line} --registry-config named.json"), b"secret").is(0);
    assert!(at("named.json") && !at(".docker"));
    let with = |name: &str, value: &str, line: &str| {
        let mut command = place.touchmark(line);
        command.env(name, place.path(value));
        Ran::of(line, crate::harness::with_input(command, b"secret")).is(0)
    };
    with("DOCKER_CONFIG", "docker", &line);
    assert!(at("docker/config.json") && !at(".docker"));
    with("REGISTRY_AUTH_FILE", "podman.json", &line);
    assert!(at("podman.json") && !at(".docker"));
    let logout = format!("logout {}", registry.host());
    place.run(&format!("{logout} --registry-config named.json")).is(0).says("named.json");
    with("REGISTRY_AUTH_FILE", "podman.json", &logout).says("podman.json");
}

#[test]
fn what_comes_before_and_what_remains_is_said() {
    let (place, registry) = (Place::new(), basic());
    let variable = format!(r#"{{"auths":{{"{}":{{"auth":"YTpi"}}}}}}"#, registry.host());
    let run = |line: String| {
        let mut command = place.touchmark(&line);
        command.env("DOCKER_AUTH_CONFIG", &variable);
        Ran::of(&line, crate::harness::with_input(command, b"secret")).is(0)
    };
    run(format!("login {} --username alice --password-stdin", registry.host())).says("DOCKER_AUTH_CONFIG has credentials");
    run(format!("logout {}", registry.host())).says("DOCKER_AUTH_CONFIG still has credentials");
    let document = run(format!("logout {} --format json", registry.host())).json();
    assert_eq!(document["results"][0]["remaining"], "DOCKER_AUTH_CONFIG");
}

#[cfg(unix)]
#[test]
fn a_helper_keeps_credentials_in_place_of_the_file() {
    let (place, registry) = (Place::new(), tokens());
    let reference = artifact(&registry);
    let path = helper(&place, "test");
    place.file(".docker/config.json", format!(r#"{{"credHelpers":{{"{}":"test"}},"psFormat":"x"}}"#, registry.host()));
    let before = place.read(".docker/config.json");
    let run = |line: String, input: &str| {
        let mut command = place.touchmark(&line);
        command.env("PATH", &path);
        Ran::of(&line, crate::harness::with_input(command, input.as_bytes()))
    };
    let document = run(format!("login {} --username alice --password-stdin --format json", registry.host()), "secret").is(0).json();
    assert_eq!((&document["results"][0]["helper"], &document["results"][0]["file"]), (&"docker-credential-test".into(), &Value::Null));
    assert_eq!(place.read(".docker/config.json"), before);
    run(format!("resolve {reference}"), "").is(0);
    run(format!("logout {}", registry.host()), "").is(0).says("docker-credential-test");
    assert!(!place.path("kept").exists());
    run(format!("resolve {reference}"), "").is(4);
}

/// By util-linux's `script`, which runs a program on a terminal.
#[cfg(target_os = "linux")]
#[test]
fn a_terminal_is_asked_for_what_is_missing() {
    use std::process::Command;
    if Command::new("script").arg("--version").output().is_err() {
        eprintln!("skipped: it needs the program script (Debian's package bsdutils)");
        return;
    }
    let registry = basic();
    for (options, typed, code) in [("", "alice\nsecret\n", 0), (" --username alice", "secret\n", 0), (" --username alice", "wrong\n", 2)] {
        let place = Place::new();
        let line = format!("login {}{options}", registry.host());
        let touchmark = place.touchmark(&line);
        let mut command = Command::new("script");
        command.args(["--quiet", "--return", "--command", &format!("{} {line}", env!("CARGO_BIN_EXE_touchmark")), "/dev/null"]);
        command.current_dir(place.path("")).envs(touchmark.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let ran = Ran::of(&line, crate::harness::with_input(command, typed.as_bytes())).is(code);
        assert_eq!(ran.stdout.contains("User name for"), options.is_empty(), "{ran:?}");
        assert!(ran.stdout.contains("Password of alice:"), "{ran:?}");
        assert_eq!(place.path(".docker/config.json").exists(), code == 0);
    }
}
