//! `touchmark tuf`, run as a test harness runs it, over folders and HTTP.

mod attacks;
mod bounded;
mod contract;
mod downloads;
pub mod exits;
mod interrupted;
mod races;

use std::sync::Arc;

use touchmark_test_registry::Site;
use touchmark_test_tuf_repository::Repository;

use crate::harness::{Place, Ran};

/// The time at which nothing of a new repository has expired.
pub const AT: &str = "2026-11-28T00:00:00Z";

/// A repository, a web server for it, and a client.
pub struct Tuf {
    pub place: Place,
    pub site: Arc<Site>,
    /// What is served, once it was shown.
    pub repository: Repository,
}

impl Tuf {
    /// A repository with a target at the top, `a.txt`, and one of a delegated role, `acme/b.txt`; its first root is trusted.
    pub fn new() -> Self {
        let mut repository = Repository::new().with_hashes();
        repository.add_target("targets", "a.txt", b"content of a");
        repository.delegate("targets", touchmark_test_tuf_repository::Delegation::new("acme").paths(&["acme/*"]));
        repository.add_target("acme", "acme/b.txt", b"content of b");
        repository.publish();
        Self::of(repository)
    }

    /// This repository, whose first root is trusted.
    pub fn of(repository: Repository) -> Self {
        let place = Place::new();
        let site = Arc::new(Site::start(place.path("site")));
        place.file("trusted.json", repository.file("1.root.json"));
        let tuf = Self { place, site, repository };
        tuf.show();
        tuf.run("init trusted.json").is(0);
        tuf
    }

    /// Serves the repository as it is now.
    pub fn show(&self) {
        self.repository.write_to(&self.place.path("site")).unwrap();
    }

    /// Publishes the repository and serves it.
    pub fn publish(&mut self) {
        self.repository.publish();
        self.show();
    }

    /// The words before a verb, with the time.
    pub fn options(&self) -> String {
        format!("--metadata-dir store --metadata-url {}metadata/ --at {AT} --retries 0", self.site.url())
    }

    /// The options of a download to `out`.
    pub fn download_options(&self) -> String {
        format!("--target-dir out --target-base-url {}targets/", self.site.url())
    }

    /// The whole command line.
    pub fn line(&self, rest: &str) -> String {
        format!("tuf {} {rest}", self.options())
    }

    /// Runs `touchmark tuf OPTIONS REST`.
    pub fn run(&self, rest: &str) -> Ran {
        self.place.run(&self.line(rest))
    }

    /// The error code of a command that ends so.
    #[track_caller]
    pub fn refused(&self, code: i32, rest: &str) -> String {
        let document = self.place.json(&self.line(rest), code);
        document["results"][0]["error"]["code"].as_str().unwrap_or_else(|| panic!("{document:#}")).to_owned()
    }

    /// The files of the store, without the lock.
    pub fn stored(&self) -> Vec<String> {
        names(&self.place, "store")
    }

    /// The paths that were asked for, without the folder.
    pub fn asked(&self) -> Vec<String> {
        let asked = self.site.log().into_iter().map(|logged| logged.path);
        let asked = asked.map(|path| path.trim_start_matches("/metadata/").to_owned()).collect();
        self.site.clear_log();
        asked
    }
}

/// The names of files in a folder, without the lock.
pub fn names(place: &Place, folder: &str) -> Vec<String> {
    let entries = std::fs::read_dir(place.path(folder)).map(Iterator::collect::<Vec<_>>).unwrap_or_default();
    let names = entries.into_iter().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| name != ".touchmark.lock").collect();
    names.sort();
    names
}
