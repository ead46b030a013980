//! Debian's docker-registry 2.8.2, started for a test.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::json;

use crate::auth::{Access, Auth, Member, Tokens, User};
use crate::jwt::TokenIssuer;
use crate::random::uuid;
use crate::settings::Settings;
use crate::test_registry::TestRegistry;
use crate::tls::Authority;

/// A docker-registry of its own, with storage of its own, until it is dropped. It can delete, and it has no referrers API.
pub struct DockerRegistry {
    server: Child,
    log: Option<JoinHandle<()>>,
    address: String,
    folder: PathBuf,
    settings: DockerSettings,
    tokens: Option<TestRegistry>,
}

/// How docker-registry is set up.
#[derive(Clone, Debug, Default)]
pub struct DockerSettings {
    /// TLS with a certificate of this authority for 127.0.0.1 and localhost; plain HTTP unless given.
    pub tls: Option<Arc<Authority>>,
    /// Who may do what.
    pub auth: DockerAuth,
}

/// How docker-registry knows who asks.
#[derive(Clone, Debug, Default)]
pub enum DockerAuth {
    /// It does not care.
    #[default]
    None,
    /// By an htpasswd file with [`DockerRegistry::USER`] and [`DockerRegistry::PASSWORD`].
    Htpasswd,
    /// By tokens from a [token service](DockerRegistry::tokens) for these users and what the others may do.
    Tokens(Vec<User>, Access),
}

impl DockerRegistry {
    /// The user in the htpasswd file.
    pub const USER: &'static str = "user";
    /// That user's password.
    pub const PASSWORD: &'static str = "secret";
    /// bcrypt of the password, at the least cost: docker-registry reads no other hashes.
    const HTPASSWD: &'static str = "user:$2b$05$touchmarktouchmarkto.uIEyxyPihzhLpGjjeNlmzMAZnL96y/kC\n";
    const SERVICE: &'static str = "docker-registry";

    /// Starts docker-registry; it is ready when this returns. None if it is not installed: then it has said so, and a test that
    /// needs it has nothing to do. With `TOUCHMARK_DOCKER_REGISTRY_REQUIRED` in the environment, as `scripts/test.sh` sets it
    /// once it is installed, that is a failure.
    ///
    /// # Panics
    /// It does not start.
    #[must_use]
    pub fn start(settings: DockerSettings) -> Option<Self> {
        let paths = std::env::var_os("PATH").unwrap_or_default();
        let Some(program) = std::env::split_paths(&paths).map(|folder| folder.join("docker-registry")).find(|path| path.is_file()) else {
            let message = "docker-registry is missing; as root, tests/registry/setup.sh gets it (Debian's package docker-registry)";
            assert!(std::env::var_os("TOUCHMARK_DOCKER_REGISTRY_REQUIRED").is_none(), "{message}");
            eprintln!("skipped: {message}");
            return None;
        };
        match Self::try_start(&program, settings) {
            Ok(started) => Some(started),
            Err(error) => panic!("docker-registry does not start: {error}"),
        }
    }

    fn try_start(program: &Path, settings: DockerSettings) -> std::io::Result<Self> {
        let folder = std::env::temp_dir().join(format!("touchmark-docker-registry-{}", uuid()));
        std::fs::create_dir(&folder)?;
        let mut http = json!({ "addr": "127.0.0.1:0" });
        if let Some(authority) = &settings.tls {
            let identity = authority.server(&folder, &["127.0.0.1", "localhost"])?;
            merge(&mut http, json!({ "tls": { "certificate": identity.certificate, "key": identity.key } }));
        }
        let mut tokens = None;
        let auth = match &settings.auth {
            DockerAuth::None => json!({}),
            DockerAuth::Htpasswd => {
                let path = folder.join("htpasswd");
                std::fs::write(&path, Self::HTPASSWD)?;
                json!({ "auth": { "htpasswd": { "realm": "test", "path": path } } })
            }
            DockerAuth::Tokens(users, anonymous) => {
                let issuer = TokenIssuer::new();
                let bundle = folder.join("issuer.pem");
                issuer.write_bundle(&bundle)?;
                let service = Tokens {
                    anonymous: anonymous.clone(),
                    lifetime: Some(Duration::from_secs(300)),
                    member: Member::Both,
                    issuer: Some(issuer),
                    ..Tokens::new(users.clone())
                };
                let service = TestRegistry::try_start(Settings { auth: Auth::Token(service), ..Settings::default() })?;
                let realm = format!("{}/token", service.url());
                tokens = Some(service);
                json!({ "auth": { "token": {
                    "realm": realm, "service": Self::SERVICE, "issuer": TokenIssuer::NAME, "rootcertbundle": bundle,
                } } })
            }
        };
        let mut config = json!({
            "version": 0.1,
            "log": { "level": "info", "accesslog": { "disabled": true } },
            "storage": {
                "filesystem": { "rootdirectory": folder.join("storage") },
                "delete": { "enabled": true },
                "maintenance": { "uploadpurging": { "enabled": false } },
            },
            "http": http,
        });
        merge(&mut config, auth);
        // JSON is YAML.
        std::fs::write(folder.join("config.yml"), config.to_string())?;
        let mut server = Command::new(program)
            .arg("serve")
            .arg(folder.join("config.yml"))
            .env("OTEL_TRACES_EXPORTER", "none")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()?;
        let stderr = server.stderr.take();
        let started = Self { server, log: None, address: String::new(), folder, settings, tokens };
        match stderr {
            Some(stderr) => started.ready(BufReader::new(stderr)),
            None => Err(std::io::Error::other("no standard error")),
        }
    }

    /// Waits until it says where it listens.
    fn ready(mut self, mut log: impl BufRead + Send + 'static) -> std::io::Result<Self> {
        let mut all = String::new();
        loop {
            let before = all.len();
            if log.read_line(&mut all)? == 0 {
                return Err(std::io::Error::other(all));
            }
            let line = all.get(before..).unwrap_or_default();
            if let Some((_, rest)) = line.split_once("listening on ") {
                self.address = rest.split([',', '"']).next().unwrap_or_default().to_owned();
                break;
            }
        }
        // It would stop when nobody reads its log.
        self.log = Some(std::thread::spawn(move || {
            let _ = std::io::copy(&mut log, &mut std::io::sink());
        }));
        Ok(self)
    }

    /// The registry's host for references: `127.0.0.1:PORT`.
    #[must_use]
    pub fn host(&self) -> String {
        self.address.clone()
    }

    /// `http://127.0.0.1:PORT`, or `https:`.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = if self.settings.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// The token service, whose log and faults are its own.
    #[must_use]
    pub fn tokens(&self) -> Option<&TestRegistry> {
        self.tokens.as_ref()
    }

    /// The folder that it stores in.
    #[must_use]
    pub fn storage(&self) -> PathBuf {
        self.folder.join("storage")
    }

    /// Runs its garbage collection; manifests without a tag go too if `untagged`. Nothing may be pushed meanwhile.
    ///
    /// # Panics
    /// It fails.
    pub fn collect_garbage(&self, untagged: Untagged) {
        let mut command = Command::new("docker-registry");
        command.arg("garbage-collect");
        if untagged == Untagged::Deleted {
            command.arg("-m");
        }
        let output = command.arg(self.folder.join("config.yml")).stdin(Stdio::null()).output();
        match output {
            Ok(output) if output.status.success() => {}
            Ok(output) => panic!("garbage-collect: {}", String::from_utf8_lossy(&output.stderr)),
            Err(error) => panic!("garbage-collect: {error}"),
        }
    }
}

/// What a garbage collection does with manifests that have no tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Untagged {
    /// They stay.
    Kept,
    /// They go (`-m`).
    Deleted,
}

impl Drop for DockerRegistry {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
        if let Some(log) = self.log.take() {
            let _ = log.join();
        }
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn merge(into: &mut serde_json::Value, members: serde_json::Value) {
    if let (Some(into), serde_json::Value::Object(members)) = (into.as_object_mut(), members) {
        into.extend(members);
    }
}
