//! What the clients are asked and answer, as in `../python/tuf_client.py`: requests on standard input, one JSON document a line, each answered
//! by one line; or one request as the program's argument.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// What is to be done.
#[derive(Debug, Deserialize)]
pub struct Request {
    /// The folder that keeps what is trusted.
    pub store: PathBuf,
    /// The file that is trusted at first.
    pub root: PathBuf,
    /// The URL of the metadata.
    pub metadata: String,
    /// The URL of the targets.
    pub targets: Option<String>,
    /// Whether what is found is downloaded: it is, if a folder is named. Nothing is written there.
    pub into: Option<PathBuf>,
    /// The targets to look up.
    #[serde(default)]
    pub names: Vec<String>,
    /// The most bytes of a role.
    pub limit: Option<u64>,
}

/// What a client made of it.
#[derive(Debug, Default, Serialize)]
pub struct Answer {
    /// Why the refresh failed.
    pub error: Option<String>,
    /// The version of each role that is trusted.
    pub roles: BTreeMap<String, u64>,
    /// What was found of each name.
    pub found: BTreeMap<String, Option<Found>>,
}

/// A target, or why it is not to be had.
#[derive(Debug, Default, Serialize)]
pub struct Found {
    /// Why it is not to be had.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Its length in bytes.
    pub length: u64,
    /// Its hashes, by algorithm, in hexadecimal.
    pub hashes: BTreeMap<String, String>,
    /// The SHA-256 of the content, if it was downloaded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
}

impl Found {
    /// One that is not to be had.
    pub fn failed(error: &dyn Error) -> Self {
        Self { error: Some(told(error)), ..Self::default() }
    }

    /// Notes the content.
    pub fn with(mut self, content: &[u8]) -> Self {
        self.sha256 = Some(hex::encode(Sha256::digest(content)));
        self
    }
}

/// An error with its causes.
pub fn told(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}

/// Answers what is asked; a process of one request fails if that failed or something was not found.
pub fn serve(mut answer: impl FnMut(Request) -> Answer) -> Result<(), Box<dyn Error>> {
    if let Some(request) = std::env::args().nth(1) {
        let said = answer(serde_json::from_str(&request)?);
        println!("{}", serde_json::to_string(&said)?);
        let failed = |found: &Option<Found>| found.as_ref().is_none_or(|found| found.error.is_some());
        if said.error.is_some() || said.found.values().any(failed) {
            std::process::exit(1);
        }
        return Ok(());
    }
    for line in std::io::stdin().lines() {
        println!("{}", serde_json::to_string(&answer(serde_json::from_str(&line?)?))?);
    }
    Ok(())
}

/// What runs the clients' futures: one thread, which needs least.
pub fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}
