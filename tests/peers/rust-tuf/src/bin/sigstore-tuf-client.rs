//! A TUF client by sigstore-tuf.

use std::error::Error;

use jiff::Timestamp;
use sigstore_tuf::cache::FileStore;
use sigstore_tuf::client::{HttpRepository, Updater};
use sigstore_tuf::{Result, UpdaterConfig};
use touchmark_tuf_peers::{Answer, Found, Request, runtime, serve, told};

fn main() -> std::result::Result<(), Box<dyn Error>> {
    let runtime = runtime()?;
    serve(|request| runtime.block_on(answer(&request)))
}

async fn answer(request: &Request) -> Answer {
    let mut said = Answer::default();
    let mut updater = match open(request) {
        Ok(updater) => updater,
        Err(error) => return Answer { error: Some(told(error.as_ref())), ..said },
    };
    let now = Timestamp::now();
    said.error = updater.refresh(now).await.err().map(|error| told(&error));
    if said.error.is_none() {
        for name in &request.names {
            let found = look_up(&mut updater, name, request.into.is_some(), now).await;
            said.found.insert(name.clone(), found.unwrap_or_else(|error| Some(Found::failed(&error))));
        }
    }
    let trusted = updater.trusted();
    let versions = [
        ("root", Some(trusted.root().version)),
        ("timestamp", trusted.timestamp().map(|role| role.version)),
        ("snapshot", trusted.snapshot().map(|role| role.version)),
        ("targets", trusted.targets_role("targets").map(|role| role.version)),
    ];
    said.roles = versions.into_iter().filter_map(|(name, version)| Some((name.to_owned(), version?))).collect();
    said
}

fn open(request: &Request) -> std::result::Result<Updater, Box<dyn Error>> {
    let mut repository = HttpRepository::new(&request.metadata)?;
    if let Some(targets) = &request.targets {
        repository = repository.with_targets_base(targets)?;
    }
    let mut config = UpdaterConfig::default();
    if let Some(limit) = request.limit {
        // Its cap holds for a role whose length the snapshot says, too.
        config.snapshot_max_length = limit;
        config.targets_max_length = limit;
    }
    let updater = Updater::new(repository, &std::fs::read(&request.root)?)?;
    Ok(updater.with_config(config).with_store(FileStore::new(&request.store)))
}

async fn look_up(updater: &mut Updater, name: &str, download: bool, now: Timestamp) -> Result<Option<Found>> {
    let Some(target) = updater.get_target_info(name, now).await? else { return Ok(None) };
    let found = Found { length: target.length, hashes: target.hashes.clone(), ..Found::default() };
    if !download {
        return Ok(Some(found));
    }
    let content = updater.download_target(&target, name).await?;
    Ok(Some(found.with(&content)))
}
