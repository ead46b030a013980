//! Credentials go to the registry that they are for and to its token service, and nowhere else, whatever a server or a file says;
//! with each program, and with its exit code.

use touchmark_test_registry::{
    Access, Action, Auth, Authority, DockerAuth, DockerRegistry, DockerSettings, Fault, Logged, Rights, Settings, TestRegistry, Tls,
    Tokens, User,
};

use crate::harness::{Place, Ran};
use crate::logins::{basic, tokens};

/// The base64 of `alice:secret`.
const SECRET: &str = "YWxpY2U6c2VjcmV0";

/// The keys alice and bob, and the artifact `oci:lay:v1`, signed by alice.
fn situation() -> Place {
    let place = Place::new();
    place.key("alice");
    place.key("bob");
    place.pack("oci:lay:v1", "the artifact");
    place.ok("sign oci:lay:v1 --key alice --quiet");
    place
}

/// Puts `alice` and `secret` into config.json, for each of these hosts.
fn knows(place: &Place, hosts: &[String]) {
    let entries: Vec<String> = hosts.iter().map(|host| format!(r#""{host}":{{"auth":"{SECRET}"}}"#)).collect();
    place.file(".docker/config.json", format!(r#"{{"auths":{{{}}}}}"#, entries.join(",")));
}

/// Copies the signed artifact to a registry, with these options, and gives its reference there.
fn copied(place: &Place, registry: &TestRegistry, options: &str) -> String {
    let reference = format!("{}/acme/app:v1", registry.host());
    place.ok(&format!("copy oci:lay:v1 {reference} --quiet {options}"));
    registry.clear_log();
    reference
}

/// The requests that carried an `Authorization`.
fn authorized(registry: &TestRegistry) -> Vec<Logged> {
    registry.log().into_iter().filter(|logged| logged.authorization.is_some()).collect()
}

/// The digest of the artifact's layer.
fn layer(place: &Place) -> String {
    let document = place.json("resolve oci:lay:v1", 0);
    let digest = document["results"][0]["descriptor"]["digest"].as_str().unwrap().to_owned();
    let manifest = crate::forge::Folder::open(place, "lay").read_json(&digest);
    manifest["layers"][0]["digest"].as_str().unwrap().to_owned()
}

#[test]
fn passwords_and_tokens_open_a_registry() {
    for registry in [basic(), tokens()] {
        let place = situation();
        let host = [registry.host()];
        knows(&place, &host);
        let reference = copied(&place, &registry, "");
        place.verify_is(0, &format!("{reference} --key alice.pub --deep"));
        place.verify_is(1, &format!("{reference} --key bob.pub"));
        place.ok(&format!("sign {reference} --key bob"));
        place.verify_is(0, &format!("{reference} --key alice.pub --key bob.pub --threshold 2"));
        // Without credentials, and with wrong ones, it could not be found out.
        place.file(".docker/config.json", "{}");
        place.verify_is(4, &format!("{reference} --key alice.pub"));
        let wrong = format!("{reference} --key alice.pub --username alice --password-stdin");
        let verdict = place.verify_with_input(&wrong, b"wrong");
        assert_eq!(verdict.code, 4, "{verdict:?}");
        let verdict = place.verify_with_input(&wrong, b"secret");
        assert_eq!(verdict.code, 0, "{verdict:?}");
        let shown = format!("{}{}{}", verdict.stdout, verdict.stderr, verdict.json);
        assert!(!shown.contains("secret") && !shown.contains(SECRET), "{shown}");
    }
}

#[test]
fn docker_registry_is_opened_by_htpasswd_and_by_tokens_with_and_without_tls() {
    let user = User::new(DockerRegistry::USER, DockerRegistry::PASSWORD);
    let authority = Authority::new();
    for auth in [DockerAuth::Htpasswd, DockerAuth::Tokens(vec![user], Access::default())] {
        for tls in [None, Some(std::sync::Arc::clone(&authority))] {
            let options = if tls.is_some() { "--ca-file ca.pem" } else { "" };
            let Some(registry) = DockerRegistry::start(DockerSettings { tls, auth: auth.clone() }) else { return };
            let place = situation();
            authority.write(&place.path("ca.pem")).unwrap();
            let reference = format!("{}/acme/app:v1", registry.host());
            place.run(&format!("copy oci:lay:v1 {reference} {options}")).is(4);
            let login = format!("login {} --username {} --password-stdin {options}", registry.host(), DockerRegistry::USER);
            place.run_with_input(&login, b"wrong").is(2);
            place.verify_is(4, &format!("{reference} --key alice.pub {options}"));
            place.run_with_input(&login, DockerRegistry::PASSWORD.as_bytes()).is(0);
            place.ok(&format!("copy oci:lay:v1 {reference} {options}"));
            place.ok(&format!("sign {reference} --key bob {options}"));
            place.verify_is(0, &format!("{reference} --key alice.pub --key bob.pub --threshold 2 --deep {options}"));
            place.run(&format!("logout {}", registry.host())).is(0);
            place.verify_is(4, &format!("{reference} --key alice.pub {options}"));
        }
    }
}

#[test]
fn no_message_and_no_log_shows_a_secret() {
    for registry in [basic(), tokens()] {
        let place = situation();
        knows(&place, &[registry.host()]);
        let reference = copied(&place, &registry, "");
        for code in [0, 4] {
            let ran = place.run(&format!("verify {reference} --key alice.pub -vvv")).is(code);
            let tokens = registry.log().into_iter().filter_map(|logged| logged.authorization);
            for secret in tokens.map(|value| value.split_once(' ').unwrap().1.to_owned()).chain([SECRET.to_owned(), "secret".to_owned()]) {
                assert!(!format!("{ran:?}").contains(&secret), "{secret} is in {ran:?}");
            }
            registry.fault(Fault::new(Action::status(403)).path("/manifests/"));
        }
    }
}

#[test]
fn a_redirect_to_another_host_carries_no_credentials() {
    for registry in [basic(), tokens()] {
        let place = situation();
        let other = TestRegistry::start(Settings { address: [127, 0, 0, 2].into(), ..Settings::default() });
        knows(&place, &[registry.host(), other.host()]);
        let (reference, _) = (copied(&place, &registry, ""), copied(&place, &other, ""));
        let blob = format!("/blobs/{}", layer(&place));
        registry.fault(Fault::new(Action::Redirect(format!("{}/v2/acme/app{blob}", other.url()))).get().path(&blob));
        registry.fault(Fault::new(Action::Redirect(format!("{}/v2/acme/app/manifests/v1", other.url()))).get().path("/manifests/v1"));
        place.verify_is(0, &format!("{reference} --key alice.pub --deep"));
        assert!(!authorized(&registry).is_empty());
        let paths: Vec<String> = other.log().into_iter().map(|logged| logged.path).collect();
        assert!(paths.iter().any(|path| path.contains(&blob)) && paths.iter().any(|path| path.contains("/manifests/v1")), "{paths:?}");
        assert!(authorized(&other).is_empty(), "{:?}", authorized(&other));
    }
}

#[test]
fn a_challenge_behind_a_redirect_is_not_answered() {
    for (registry, other) in
        [(basic(), basic()), (tokens(), tokens()), (basic(), tokens()), (TestRegistry::start(Settings::default()), basic())]
    {
        let place = situation();
        // Not even with the credentials for that very host.
        knows(&place, &[registry.host(), other.host()]);
        let (reference, _) = (copied(&place, &registry, ""), copied(&place, &other, ""));
        registry.fault(Fault::new(Action::Redirect(format!("{}/v2/acme/app/manifests/v1", other.url()))).get().path("/manifests/v1"));
        place.verify_is(4, &format!("{reference} --key alice.pub"));
        let log = other.log();
        assert!(!log.is_empty() && log.iter().all(|logged| logged.authorization.is_none() && logged.method == "GET"), "{log:?}");
        assert!(log.iter().all(|logged| logged.path.contains("/manifests/v1")), "{log:?}");
    }
}

#[test]
fn a_realm_without_tls_gets_nothing() {
    let place = situation();
    // An address for documentation (RFC 5737): what is sent there is lost.
    for realm in
        ["http://192.0.2.1/token", "http://registry.example.com/token", "http://127.0.0.1.example.com/token", "ftp://127.0.0.1/token"]
    {
        let service = Tokens { realm: Some(realm.to_owned()), ..Tokens::new(vec![User::new("alice", "secret")]) };
        let registry = TestRegistry::start(Settings { auth: Auth::Token(service), ..Settings::default() });
        knows(&place, &[registry.host()]);
        let verdict = place.verify_is(4, &format!("{}/acme/app:v1 --key alice.pub --timeout 5s --retries 0", registry.host()));
        let code = verdict.json["results"][0]["error"]["code"].as_str().unwrap().to_owned();
        assert!(code == "unsafe-request" || realm.starts_with("ftp"), "{realm}: {code} {}", verdict.stderr);
        place.run(&format!("sign {}/acme/app:v1 --key alice --timeout 5s --retries 0", registry.host())).is(4);
        let login =
            format!("login {} --username alice --password-stdin --registry-config new.json --timeout 5s --retries 0", registry.host());
        place.run_with_input(&login, b"secret").is(4);
        assert!(!place.path("new.json").exists());
        assert!(authorized(&registry).is_empty());
    }
}

/// A proxy that leads nowhere: it answers every request itself, by asking for credentials, and gives what it was sent.
fn asking_proxy() -> (String, std::sync::Arc<std::sync::Mutex<Vec<u8>>>) {
    use std::io::{Read as _, Write as _};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let heard = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let log = std::sync::Arc::clone(&heard);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, mut head, mut byte) = (stream.unwrap(), Vec::new(), [0]);
            while stream.read(&mut byte).is_ok_and(|read| read == 1) {
                head.push(byte[0]);
                log.lock().unwrap().push(byte[0]);
                if head.ends_with(b"\r\n\r\n") {
                    let challenge = "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=x\r\nContent-Length: 0\r\n\r\n";
                    let answer = if head.starts_with(b"CONNECT") { "HTTP/1.1 200 OK\r\n\r\n" } else { challenge };
                    head.clear();
                    if stream.write_all(answer.as_bytes()).is_err() {
                        break;
                    }
                }
            }
        }
    });
    (url, heard)
}

#[test]
fn plain_http_to_another_machine_carries_no_credentials() {
    let place = situation();
    let (proxy, heard) = asking_proxy();
    knows(&place, &["registry.example.com".to_owned()]);
    let verify = "verify registry.example.com/acme/app:v1 --key alice.pub --plain-http --retries 0 --format json";
    let sign = "sign registry.example.com/acme/app:v1 --key alice --plain-http --retries 0 --format json";
    let login = "login registry.example.com --username alice --password-stdin --plain-http --retries 0 --format json";
    let standalone = verify.split_once(' ').unwrap().1;
    for (mut command, line) in [
        (place.touchmark(verify), verify),
        (place.command(crate::harness::standalone(), standalone), standalone),
        (place.touchmark(sign), sign),
        (place.touchmark(login), login),
    ] {
        command.env("HTTP_PROXY", &proxy);
        let document = Ran::of(line, crate::harness::with_input(command, b"secret")).is(4).json();
        assert_eq!(document["results"][0]["error"]["code"], "unsafe-request", "{document:#}");
    }
    let heard = String::from_utf8(heard.lock().unwrap().clone()).unwrap();
    assert!(heard.contains("registry.example.com"), "{heard}");
    assert!(!heard.to_ascii_lowercase().contains("\nauthorization") && !heard.contains(SECRET), "{heard}");
}

#[test]
fn a_token_service_gets_its_registrys_credentials_alone() {
    let place = situation();
    let service = Tokens { address: Some([127, 0, 0, 2].into()), ..Tokens::new(vec![User::new("alice", "secret")]) };
    let registry = TestRegistry::start(Settings { auth: Auth::Token(service), ..Settings::default() });
    let service = registry.token_host().unwrap();
    // What is known for the token service's own host is not for this registry.
    place.file(
        ".docker/config.json",
        format!(r#"{{"auths":{{"{}":{{"auth":"{SECRET}"}},"{service}":{{"auth":"YWxpY2U6b3RoZXI="}}}}}}"#, registry.host()),
    );
    let reference = copied(&place, &registry, "");
    place.verify_is(0, &format!("{reference} --key alice.pub"));
    let authorized = authorized(&registry);
    for logged in &authorized {
        let scheme = logged.authorization.as_deref().unwrap().split(' ').next().unwrap();
        let wanted = if logged.path.starts_with("/token") { "Basic" } else { "Bearer" };
        assert_eq!(scheme, wanted, "{logged:?}");
        assert!(wanted == "Bearer" || logged.authorization.as_deref() == Some(&format!("Basic {SECRET}")), "{logged:?}");
    }
    assert!(authorized.iter().any(|logged| logged.path.starts_with("/token")), "{authorized:?}");
}

#[test]
fn an_upload_to_another_host_carries_no_credentials() {
    for registry in [basic(), tokens()] {
        let place = situation();
        let other = basic();
        knows(&place, &[registry.host(), other.host()]);
        let reference = copied(&place, &registry, "");
        let origin = other.url();
        registry.change(|settings| settings.upload_origin = Some(origin));
        place.file("large.bin", vec![b'x'; 17 << 20]);
        // A small blob goes in one request, a large one in chunks.
        for file in ["payload.txt", "large.bin"] {
            place.file("payload.txt", "something new");
            place.run(&format!("pack {file} --to {}/acme/new:v1 --retries 0", registry.host())).is(4);
        }
        place.run(&format!("sign {reference} --key bob --name {} --retries 0", "acme/app")).is(4);
        let log = other.log();
        assert!(log.iter().any(|logged| logged.method == "PUT") && log.iter().any(|logged| logged.method == "PATCH"), "{log:?}");
        assert!(log.iter().all(|logged| logged.authorization.is_none()), "{log:?}");
    }
}

#[test]
fn a_page_on_another_host_is_not_asked_for() {
    let place = situation();
    let (registry, other) = (basic(), basic());
    knows(&place, &[registry.host(), other.host()]);
    let reference = copied(&place, &registry, "");
    let next = format!("<{}/v2/acme/app/referrers/x>; rel=\"next\"", other.url());
    registry.fault(Fault::new(Action::Header("Link".to_owned(), Some(next))).path("/referrers/"));
    place.verify_is(4, &format!("{reference} --key bob.pub"));
    assert!(other.log().is_empty(), "{:?}", other.log());
}

#[cfg(unix)]
#[test]
fn a_hostile_helper_name_is_an_error_and_nothing_is_run() {
    let (place, registry) = (situation(), basic());
    let other = TestRegistry::start(Settings::default());
    let (reference, open) = (format!("{}/acme/app:v1", registry.host()), copied(&place, &other, ""));
    let witness = place.path("witness");
    let script = format!("#!/bin/sh\ntouch {}\necho '{{\"Username\":\"alice\",\"Secret\":\"secret\"}}'\n", witness.display());
    for program in ["evil", "docker-credential-evil", "bin/docker-credential-x/../evil", ".docker/evil", "bin/docker-credential-.evil"] {
        let folder = place.path(program).parent().unwrap().to_owned();
        std::fs::create_dir_all(folder).unwrap();
        place.program(program, &script);
    }
    let names =
        ["../evil", "x/../evil", "/../../evil", "./evil", ".evil", "-evil", "evil;evil", "$(evil)", "evil evil", "x\\u0000", "évil"];
    for name in names {
        for members in [format!(r#""credsStore":"{name}""#), format!(r#""credHelpers":{{"{}":"{name}"}}"#, registry.host())] {
            place.file(".docker/config.json", format!("{{{members}}}"));
            let verdict = place.verify_is(2, &format!("{reference} --key alice.pub"));
            assert_eq!(verdict.json["results"][0]["error"]["code"], "bad-configuration", "{name}");
            assert!(verdict.stderr.contains("config.json") && verdict.stderr.contains("refused"), "{}", verdict.stderr);
            place.run(&format!("sign {reference} --key alice")).is(2);
            place.run(&format!("logout {}", registry.host())).is(2);
            let login = format!("login {} --username alice --password-stdin", registry.host());
            place.run_with_input(&login, b"secret").is(2);
        }
    }
    // A registry that asks for no credentials does not have them looked for.
    place.verify_is(0, &format!("{open} --key alice.pub"));
    assert!(!witness.exists());
}

#[cfg(unix)]
#[test]
fn helpers_are_run_from_the_path_and_not_from_here() {
    let (place, registry) = (situation(), basic());
    knows(&place, &[registry.host()]);
    let reference = copied(&place, &registry, "");
    place.file(".docker/config.json", r#"{"credsStore":"test"}"#);
    let script = "#!/bin/sh\ntouch \"$0.ran\"\necho '{\"Username\":\"alice\",\"Secret\":\"secret\"}'\n";
    place.program("docker-credential-test", script);
    place.program("bin/docker-credential-test", script);
    let run = |path: String| {
        let line = format!("verify {reference} --key alice.pub");
        let mut command = place.touchmark(&line);
        command.env("PATH", path);
        Ran::of(&line, command.output().unwrap())
    };
    run(".::/usr/bin".to_owned()).is(2).says("docker-credential-test, which is in no folder of PATH");
    run(format!("{}:/usr/bin:/bin", place.path("bin").display())).is(0);
    assert!(!place.path("docker-credential-test.ran").exists() && place.path("bin/docker-credential-test.ran").exists());
    // One that fails is an error, and not the same as no credentials.
    place.program("bin/docker-credential-test", "#!/bin/sh\necho the keychain is locked\nexit 1\n");
    run(format!("{}:/usr/bin:/bin", place.path("bin").display())).is(2).says("the keychain is locked");
}

#[test]
fn a_file_that_cannot_be_read_is_not_the_same_as_none() {
    let place = situation();
    // Anybody may read here, so that without the file the answer would be yes.
    let anonymous = Access { rights: Rights::Read, on: Vec::new() };
    let service = Tokens { anonymous, ..Tokens::new(vec![User::new("alice", "secret")]) };
    let registry = TestRegistry::start(Settings { auth: Auth::Token(service), ..Settings::default() });
    knows(&place, &[registry.host()]);
    let reference = copied(&place, &registry, "");
    place.verify_is(0, &format!("{reference} --key alice.pub"));
    for text in ["{", r#"{"auths":[]}"#, r#"{"auths":{},"auths":{}}"#] {
        place.file(".docker/config.json", text);
        place.verify_is(2, &format!("{reference} --key alice.pub"));
    }
    std::fs::remove_file(place.path(".docker/config.json")).unwrap();
    place.verify_is(0, &format!("{reference} --key alice.pub"));
    place.verify_is(2, &format!("{reference} --key alice.pub --registry-config nowhere.json"));
}

#[test]
fn tls_is_trusted_by_an_authority_that_is_named() {
    let authority = Authority::new();
    let registry =
        TestRegistry::start(Settings { tls: Some(Tls::new(&authority)), auth: Auth::basic("alice", "secret"), ..Settings::default() });
    let place = situation();
    knows(&place, &[registry.host()]);
    authority.write(&place.path("ca.pem")).unwrap();
    Authority::new().write(&place.path("other.pem")).unwrap();
    let reference = copied(&place, &registry, "--ca-file ca.pem");
    place.verify_is(0, &format!("{reference} --key alice.pub --ca-file ca.pem"));
    place.verify_is(0, &format!("{reference} --key alice.pub --insecure"));
    registry.clear_log();
    place.verify_is(4, &format!("{reference} --key alice.pub --ca-file other.pem --retries 0"));
    place.verify_is(4, &format!("{reference} --key alice.pub --retries 0"));
    let login =
        |options: &str| place.run_with_input(&format!("login {} --username alice --password-stdin {options}", registry.host()), b"secret");
    login("--ca-file other.pem --retries 0").is(4);
    assert!(registry.log().is_empty(), "{:?}", registry.log());
    login("--ca-file ca.pem").is(0);
    place.verify_is(2, &format!("{reference} --key alice.pub --ca-file nowhere.pem"));
    let line = format!("verify {reference} --key alice.pub");
    let mut command = place.touchmark(&line);
    command.env("SSL_CERT_FILE", place.path("ca.pem"));
    Ran::of(&line, command.output().unwrap()).is(0);
}

#[test]
fn client_certificates_are_shown_to_the_registry_that_wants_them() {
    let authority = Authority::new();
    let tls = Tls { client_certificates: true, ..Tls::new(&authority) };
    let registry = TestRegistry::start(Settings { tls: Some(tls), auth: Auth::basic("alice", "secret"), ..Settings::default() });
    let place = situation();
    knows(&place, &[registry.host()]);
    authority.write(&place.path("ca.pem")).unwrap();
    let identity = authority.client(&place.path("")).unwrap();
    let options = format!("--ca-file ca.pem --cert-file {} --key-file {}", identity.certificate.display(), identity.key.display());
    let reference = copied(&place, &registry, &options);
    place.verify_is(0, &format!("{reference} --key alice.pub {options}"));
    registry.clear_log();
    place.verify_is(4, &format!("{reference} --key alice.pub --ca-file ca.pem --retries 0"));
    assert!(registry.log().is_empty(), "{:?}", registry.log());
    place.verify_is(2, &format!("{reference} --key alice.pub --ca-file ca.pem --cert-file {}", identity.certificate.display()));
    // Another host to which it redirects sees neither password nor certificate.
    let tls = Tls { client_certificates: true, ..Tls::new(&authority) };
    let other = TestRegistry::start(Settings { tls: Some(tls), ..Settings::default() });
    registry.fault(Fault::new(Action::Redirect(format!("{}/v2/acme/app/manifests/v1", other.url()))).get().path("/manifests/v1"));
    place.verify_is(4, &format!("{reference} --key alice.pub {options} --retries 0"));
    assert!(other.log().is_empty(), "{:?}", other.log());
}
