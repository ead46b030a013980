//! A folder served as a web server serves one: what TUF repositories lie on.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::answer::{Answer, Content};
use crate::connection::{self, Answering};
use crate::fault::{Action, Fault, Faults};
use crate::lock::lock;
use crate::log::{Log, Logged};
use crate::route::decode;
use crate::server::{Serve, Server};
use crate::wire::{Body, Head, Wire};

/// A plain HTTP server for the files of a folder, until it is dropped. A request is decoded first, as web servers do: `a%2Fb` is the file
/// `b` of the folder `a`, and only if there is none the file `a%2Fb`. It reads files anew for each request and lists no folders.
pub struct Site {
    shared: Arc<Shared>,
    address: SocketAddr,
    /// Stops the threads when dropped.
    _server: Server,
}

struct Shared {
    folder: Mutex<PathBuf>,
    /// The value of `Authorization` that it asks for.
    wanted: Mutex<Option<String>>,
    faults: Faults,
    log: Log,
}

impl Site {
    /// Serves this folder.
    ///
    /// # Panics
    /// There is no free port.
    #[must_use]
    pub fn start(folder: impl Into<PathBuf>) -> Self {
        let shared =
            Arc::new(Shared { folder: Mutex::new(folder.into()), wanted: Mutex::default(), faults: Faults::default(), log: Log::new() });
        let of_connections = Arc::clone(&shared);
        let serve: Arc<Serve> = Arc::new(move |stream, number| connection::serve(&*of_connections, Wire::plain(stream), number));
        let mut server = Server::new();
        match server.listen(IpAddr::V4(Ipv4Addr::LOCALHOST), 0, serve) {
            Ok(address) => Self { shared, address, _server: server },
            Err(error) => panic!("the site does not start: {error}"),
        }
    }

    /// Serves another folder from now on.
    pub fn show(&self, folder: impl Into<PathBuf>) {
        *lock(&self.shared.folder) = folder.into();
    }

    /// Asks for this name and password from now on.
    pub fn ask_for(&self, user: &str, password: &str) {
        *lock(&self.shared.wanted) = Some(format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))));
    }

    /// `http://127.0.0.1:PORT/`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// Adds a fault.
    pub fn fault(&self, fault: Fault) {
        self.shared.faults.add(fault);
    }

    /// Removes all faults.
    pub fn clear_faults(&self) {
        self.shared.faults.clear();
    }

    /// The requests so far, in the order in which they came.
    #[must_use]
    pub fn log(&self) -> Vec<Logged> {
        self.shared.log.entries()
    }

    /// Forgets them.
    pub fn clear_log(&self) {
        self.shared.log.clear();
    }
}

impl Answering for Shared {
    fn faults(&self) -> &Faults {
        &self.faults
    }

    fn log(&self) -> &Log {
        &self.log
    }

    fn delay(&self) -> Duration {
        Duration::ZERO
    }

    fn answer(&self, head: &Head, body: Body<'_>, _action: Option<&Action>) -> (Answer, bool) {
        let clean = body.drain();
        if lock(&self.wanted).as_deref().is_some_and(|wanted| head.header("authorization") != Some(wanted)) {
            return (Answer::new(401).header("WWW-Authenticate", "Basic realm=\"a site\""), clean);
        }
        if !matches!(head.method.as_str(), "GET" | "HEAD") {
            return (Answer::new(405), clean);
        }
        let folder = lock(&self.folder).clone();
        let path = head.target.split('?').next().unwrap_or_default();
        let read = |path: &str| below(&folder, path).and_then(|path| std::fs::read(path).ok());
        let found = read(&decode(path, false)).or_else(|| read(path));
        let answer = match found {
            Some(bytes) => {
                let mut answer = Answer::new(200).header("Content-Type", "application/octet-stream");
                answer.content = Content::bytes(bytes);
                answer
            }
            None => Answer::new(404),
        };
        (answer, clean)
    }
}

/// The file that a path names in the folder.
fn below(folder: &Path, path: &str) -> Option<PathBuf> {
    let relative = PathBuf::from(path.trim_start_matches('/'));
    relative.components().all(|part| matches!(part, Component::Normal(_))).then(|| folder.join(relative))
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::decode;

    #[test]
    fn a_target_is_decoded_and_stays_below_the_folder() {
        let below = |target: &str| super::below(Path::new("/site"), &decode(target, false));
        assert_eq!(below("/1.a%2Fb.json"), Some(PathBuf::from("/site/1.a/b.json")));
        assert_eq!(below("/b%C3%BCcher/a+b"), Some(PathBuf::from("/site/bücher/a+b")));
        for target in ["/../x", "/a/../../x", "/%2e%2e/x", "/a/..%2F..%2Fx"] {
            assert_eq!(below(target), None, "{target}");
        }
        assert_eq!(below("//x"), Some(PathBuf::from("/site/x")));
    }
}
