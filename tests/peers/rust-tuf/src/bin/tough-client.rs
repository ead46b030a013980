//! A TUF client by tough.

use std::error::Error;

use touchmark_tuf_peers::{Answer, Found, Request, runtime, serve, told};
use tough::{IntoVec as _, Limits, Repository, RepositoryLoader, TargetName};
use url::Url;

fn main() -> Result<(), Box<dyn Error>> {
    let runtime = runtime()?;
    serve(|request| runtime.block_on(answer(&request)))
}

async fn answer(request: &Request) -> Answer {
    let mut said = Answer::default();
    let repository = match open(request).await {
        Ok(repository) => repository,
        Err(error) => return Answer { error: Some(told(error.as_ref())), ..said },
    };
    let versions = [
        ("root", repository.root().signed.version),
        ("timestamp", repository.timestamp().signed.version),
        ("snapshot", repository.snapshot().signed.version),
        ("targets", repository.targets().signed.version),
    ];
    said.roles = versions.into_iter().map(|(name, version)| (name.to_owned(), version.get())).collect();
    for name in &request.names {
        let found = look_up(&repository, name, request.into.is_some()).await;
        said.found.insert(name.clone(), found.unwrap_or_else(|error| Some(Found::failed(error.as_ref()))));
    }
    said
}

async fn open(request: &Request) -> Result<Repository, Box<dyn Error>> {
    std::fs::create_dir_all(&request.store)?;
    let root = std::fs::read(&request.root)?;
    let metadata = Url::parse(&request.metadata)?;
    let targets = request.targets.as_ref().map_or(Ok(metadata.clone()), |url| Url::parse(url))?;
    let mut limits = Limits::default();
    if let Some(limit) = request.limit {
        limits.max_targets_size = limit;
        limits.max_snapshot_size = limit;
    }
    Ok(RepositoryLoader::new(&root, metadata, targets).limits(limits).datastore(&request.store).load().await?)
}

async fn look_up(repository: &Repository, name: &str, download: bool) -> Result<Option<Found>, Box<dyn Error>> {
    let name = TargetName::new(name)?;
    let Ok(target) = repository.targets().signed.find_target(&name, false) else { return Ok(None) };
    let hashes = [("sha256".to_owned(), hex::encode(&target.hashes.sha256))].into();
    let found = Found { length: target.length, hashes, ..Found::default() };
    if !download {
        return Ok(Some(found));
    }
    let Some(stream) = repository.read_target(&name).await? else { return Ok(None) };
    Ok(Some(found.with(&stream.into_vec().await?)))
}
