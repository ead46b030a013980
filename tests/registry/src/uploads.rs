//! Uploads of blobs: at once, in chunks, mounted, resumed, cancelled.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};

use crate::answer::{Answer, Content, Spool};
use crate::digest::{Algorithm, Hasher};
use crate::lock::lock;
use crate::random::uuid;
use crate::registry::{Exchange, Registry};

/// From how many bytes on an upload is written to a file, if there is a folder for it.
const SPOOL_FROM: usize = 1 << 20;

/// An upload under way.
pub(crate) struct Upload {
    name: String,
    /// What each location of the session must bring along.
    state: String,
    hasher: Hasher,
    length: u64,
    memory: Vec<u8>,
    file: Option<(File, Arc<Spool>)>,
    /// A chunk was smaller than the least size, so it must have been the last.
    short: bool,
}

impl Upload {
    fn new(name: &str, algorithm: Algorithm) -> Self {
        let hasher = Hasher::new(algorithm);
        Self { name: name.to_owned(), state: uuid(), hasher, length: 0, memory: Vec::new(), file: None, short: false }
    }

    /// Takes what comes; what came before it broke off is kept.
    fn append(&mut self, body: &mut dyn Read, folder: Option<&Path>) -> io::Result<u64> {
        let mut buffer = vec![0; 64 << 10];
        let mut count = 0;
        loop {
            let read = match body.read(&mut buffer) {
                Ok(0) => return Ok(count),
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let bytes = buffer.get(..read).unwrap_or_default();
            if let (None, Some(folder)) = (&self.file, folder)
                && self.memory.len() + read > SPOOL_FROM
            {
                let path = folder.join(format!("blob-{}", uuid()));
                let mut file = File::create_new(&path)?;
                file.write_all(&self.memory)?;
                self.memory = Vec::new();
                self.file = Some((file, Arc::new(Spool(path))));
            }
            match &mut self.file {
                Some((file, _)) => file.write_all(bytes)?,
                None => self.memory.extend_from_slice(bytes),
            }
            self.hasher.update(bytes);
            let read = u64::try_from(read).unwrap_or(u64::MAX);
            self.length += read;
            count += read;
        }
    }

    /// The content, and its digest by this algorithm.
    fn finish(&mut self, algorithm: Algorithm) -> io::Result<(Content, String)> {
        let content = match self.file.take() {
            Some((_, spool)) => Content::File(spool, 0, self.length),
            None => Content::bytes(std::mem::take(&mut self.memory)),
        };
        if self.hasher.algorithm() == algorithm {
            let hasher = std::mem::replace(&mut self.hasher, Hasher::new(algorithm));
            return Ok((content, hasher.finish()));
        }
        let mut hasher = Hasher::new(algorithm);
        let mut buffer = vec![0; 64 << 10];
        let mut reader = content.reader()?;
        loop {
            let read = reader.read(&mut buffer)?;
            if read == 0 {
                break;
            }
            hasher.update(buffer.get(..read).unwrap_or_default());
        }
        drop(reader);
        Ok((content, hasher.finish()))
    }

    /// The answer that says where the session is and how far it got.
    fn answer(&self, status: u16, origin: Option<&str>, session: &str) -> Answer {
        let location = format!("{}/v2/{}/blobs/uploads/{session}?_state={}", origin.unwrap_or_default(), self.name, self.state);
        Answer::new(status)
            .header("Location", location)
            .header("Range", format!("0-{}", self.length.saturating_sub(1)))
            .header("Docker-Upload-UUID", session)
    }
}

impl Registry {
    /// POST: begins a session, or does all that it was for.
    pub(crate) fn begin_upload(&self, exchange: &mut Exchange<'_, '_>, name: &str) -> Answer {
        let settings = Arc::clone(&exchange.settings);
        if let (true, Some(digest)) = (settings.mount, exchange.query.first("mount"))
            && self.mount(exchange, name, digest)
        {
            return stored(name, digest);
        }
        let asked = exchange.query.first("digest").filter(|_| settings.monolithic_post && exchange.query.first("mount").is_none());
        let asked = asked.map(str::to_owned);
        let algorithm = match (asked.as_deref(), exchange.query.first("digest-algorithm")) {
            (Some(digest), _) => match Algorithm::of(digest) {
                Some(algorithm) => algorithm,
                None => return Answer::error(400, "DIGEST_INVALID", "a digest that is malformed or not supported"),
            },
            (None, Some("sha512")) => Algorithm::Sha512,
            (None, None | Some("sha256")) => Algorithm::Sha256,
            (None, Some(_)) => return Answer::error(400, "DIGEST_INVALID", "an algorithm that is not supported"),
        };
        let mut upload = Upload::new(name, algorithm);
        if let Some(digest) = asked {
            return self.complete(exchange, &mut upload, name, &digest);
        }
        let session = uuid();
        let mut answer = upload.answer(202, settings.upload_origin.as_deref(), &session);
        if let Some(least) = settings.chunk_min_length {
            answer = answer.header("OCI-Chunk-Min-Length", least.to_string());
        }
        lock(&self.store.uploads).insert(session, Arc::new(Mutex::new(upload)));
        answer
    }

    fn mount(&self, exchange: &Exchange<'_, '_>, name: &str, digest: &str) -> bool {
        let from = exchange.query.first("from");
        if from.is_none() && exchange.settings.mount_needs_from {
            return false;
        }
        if from.is_some_and(|from| !self.may_pull(exchange, from)) {
            return false;
        }
        let mut repositories = lock(&self.store.repositories);
        let content = match from {
            Some(from) => repositories.get(from).and_then(|repository| repository.blobs.get(digest).cloned()),
            None => repositories.values().find_map(|repository| repository.blobs.get(digest).cloned()),
        };
        let found = content.is_some();
        if let Some(content) = content {
            repositories.entry(name.to_owned()).or_default().blobs.insert(digest.to_owned(), content);
        }
        found
    }

    /// PATCH, PUT, GET and DELETE of a session.
    pub(crate) fn upload(&self, exchange: &mut Exchange<'_, '_>, name: &str, session: &str) -> Answer {
        let settings = Arc::clone(&exchange.settings);
        let unknown = || Answer::error(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry");
        let Some(upload) = lock(&self.store.uploads).get(session).cloned() else {
            return unknown();
        };
        let mut upload = lock(&upload);
        if upload.name != name || exchange.query.first("_state") != Some(upload.state.as_str()) {
            return unknown();
        }
        let origin = settings.upload_origin.as_deref();
        match exchange.head.method.as_str() {
            "GET" => upload.answer(204, origin, session),
            "DELETE" => {
                lock(&self.store.uploads).remove(session);
                Answer::new(204)
            }
            "PATCH" if !settings.chunked => Answer::error(405, "UNSUPPORTED", "the operation is unsupported"),
            "PATCH" => {
                if let Err(refusal) = in_order(exchange, &upload, origin, session) {
                    return refusal;
                }
                let received = upload.append(&mut exchange.body, settings.folder.as_deref());
                let Ok(received) = received else {
                    return Answer::error(400, "BLOB_UPLOAD_INVALID", "the body broke off");
                };
                let least = settings.chunk_min_length.unwrap_or(0);
                if std::mem::replace(&mut upload.short, received < least) && received > 0 {
                    lock(&self.store.uploads).remove(session);
                    return Answer::error(400, "SIZE_INVALID", "a chunk before this one was too short");
                }
                upload.answer(202, origin, session)
            }
            "PUT" => {
                let Some(digest) = exchange.query.first("digest").map(str::to_owned) else {
                    return Answer::error(400, "DIGEST_INVALID", "no digest");
                };
                if let Err(refusal) = in_order(exchange, &upload, origin, session) {
                    return refusal;
                }
                let answer = self.complete(exchange, &mut upload, name, &digest);
                lock(&self.store.uploads).remove(session);
                answer
            }
            _ => Answer::error(405, "UNSUPPORTED", "the operation is unsupported"),
        }
    }

    fn complete(&self, exchange: &mut Exchange<'_, '_>, upload: &mut Upload, name: &str, digest: &str) -> Answer {
        let Some(algorithm) = Algorithm::of(digest) else {
            return Answer::error(400, "DIGEST_INVALID", "a digest that is malformed or not supported");
        };
        if upload.append(&mut exchange.body, exchange.settings.folder.as_deref()).is_err() {
            return Answer::error(400, "BLOB_UPLOAD_INVALID", "the body broke off");
        }
        match upload.finish(algorithm) {
            Err(_) => Answer::error(500, "UNKNOWN", "the registry's own storage failed"),
            Ok((_, found)) if found != digest && !exchange.settings.accept_wrong_digest => {
                Answer::error(400, "DIGEST_INVALID", "provided digest did not match uploaded content")
            }
            Ok((content, _)) => {
                lock(&self.store.repositories).entry(name.to_owned()).or_default().blobs.insert(digest.to_owned(), content);
                stored(name, digest)
            }
        }
    }
}

fn stored(name: &str, digest: &str) -> Answer {
    Answer::new(201).header("Location", format!("/v2/{name}/blobs/{digest}")).header("Docker-Content-Digest", digest)
}

/// Whether a chunk is the next one ("Pushing a blob in chunks"); otherwise 416, and where the session stands.
fn in_order(exchange: &Exchange<'_, '_>, upload: &Upload, origin: Option<&str>, session: &str) -> Result<(), Answer> {
    let Some(range) = exchange.head.header("content-range") else {
        return Ok(());
    };
    let range = range.strip_prefix("bytes ").unwrap_or(range);
    let parsed = range.split_once('-').and_then(|(first, last)| Some((first.parse::<u64>().ok()?, last.parse::<u64>().ok()?)));
    let Some((first, last)) = parsed.filter(|(first, last)| first <= last) else {
        return Err(Answer::error(400, "BLOB_UPLOAD_INVALID", "Content-Range is no range"));
    };
    let said = exchange.head.header("content-length").and_then(|length| length.parse::<u64>().ok());
    if said.is_some_and(|said| said != last - first + 1) {
        return Err(Answer::error(400, "SIZE_INVALID", "Content-Range and Content-Length differ"));
    }
    if first != upload.length {
        return Err(upload.answer(416, origin, session));
    }
    Ok(())
}
