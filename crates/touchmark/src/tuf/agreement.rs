//! Several repositories that must agree on a target (TAP 4): a map says which, each has a store of its own, and none is believed alone
//! where the map wants more.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use touchmark_envelope::UnixTime;
use touchmark_oci::access::Access;
use touchmark_tuf::map::{Agreed, Consensus, Map, Said, is_folder_name};
use touchmark_tuf::metadata::Target;
use touchmark_tuf::{LookUp, Mode, RoleName, TargetPath};

use super::download::Downloaded;
use super::downloads::Downloads;
use super::error::{UpdateClass, UpdateError};
use super::fetch::{self, Fetch};
use super::folder::FolderSource;
use super::store::MetadataStore;
use super::updater::{Deadline, UpdateSettings, Updater};

/// The repositories of a map, and the folder in which each has its store.
///
/// The store of the repository `NAME` is the folder `NAME` in it, which must have a trusted root before it is used:
/// [`MetadataStore::init`]. Each URL that the map has for a repository is a folder or a server with `metadata/` and `targets/` below it
/// ([`source`](super::source) says what forms it may have); where there are several, one is asked after the other until one answers with
/// metadata that is good. One store is updated at a time, so that no two processes wait for each other.
///
/// ```no_run
/// use touchmark::tuf::{Repositories, TargetPath, UpdateSettings, map::Map};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let map = Map::parse(&std::fs::read("map.json")?)?;
/// let access = touchmark::oci::Access::default();
/// let repositories = Repositories::new(&map, "stores", UpdateSettings::default(), touchmark::now()?, &access);
/// let target = TargetPath::new("app/tool.tar")?;
/// let agreement = repositories.agree(&target)?;
/// let downloaded = repositories.fetch(&mut repositories.downloads("downloads")?, &target, &agreement)?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Repositories<'a> {
    map: &'a Map,
    stores: PathBuf,
    settings: UpdateSettings,
    at: UnixTime,
    access: &'a Access,
}

/// What enough repositories say of a target alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agreement {
    /// Its length and digests. `custom` is what the first of them says, and not agreed on.
    pub target: Target,
    /// The repositories that agree, in the order of the map.
    pub repositories: Vec<Agreeing>,
}

/// A repository that lists a target as others do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agreeing {
    /// Its name in the map.
    pub name: String,
    /// The role that lists it.
    pub role: RoleName,
    /// Whether it has consistent snapshots, so that targets have their digest in their names.
    pub consistent: bool,
}

/// A repository that could not be asked, and why.
#[derive(Clone, Debug)]
pub struct Silent {
    /// Its name in the map.
    pub name: String,
    /// Why.
    pub error: Arc<UpdateError>,
}

impl fmt::Display for Silent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.error)
    }
}

/// What is at a URL, or why that is none.
type Source = Result<Box<dyn Fetch>, UpdateError>;

/// The search for one target, and what it has come to know of repositories.
struct Search<'a> {
    target: &'a TargetPath,
    consensus: Consensus<'a>,
    listing: BTreeMap<&'a str, (RoleName, bool)>,
    silent: BTreeMap<&'a str, Arc<UpdateError>>,
}

impl<'a> Repositories<'a> {
    /// The repositories of `map`, with their stores in the folder `stores`, as of `at`. `access` says how servers are reached, and
    /// `settings` hold for each; the time that they may take, for all of one call.
    pub fn new(map: &'a Map, stores: impl Into<PathBuf>, settings: impl Into<UpdateSettings>, at: UnixTime, access: &'a Access) -> Self {
        Self { map, stores: stores.into(), settings: settings.into(), at, access }
    }

    /// Looks a target up in the repositories that the map has for it.
    ///
    /// # Errors
    /// As for [`agree_on`](Self::agree_on).
    pub fn agree(&self, target: &TargetPath) -> Result<Agreement, UpdateError> {
        let mut agreed = self.agree_on(std::slice::from_ref(target));
        agreed.pop().unwrap_or_else(|| Err(UpdateError::NoAgreement { target: target.clone() }))
    }

    /// Looks several targets up, and updates a repository as rarely as it can.
    ///
    /// # Errors
    /// For each target, [`UpdateError::NoAgreement`] if too few repositories list it alike, of every mapping that counts; or
    /// [`UpdateError::Undecided`] if that depends on repositories that could not be asked, or whose metadata must not be trusted.
    pub fn agree_on(&self, targets: &[TargetPath]) -> Vec<Result<Agreement, UpdateError>> {
        let deadline = Deadline::new(self.settings.within);
        let begin = |target| Search { target, consensus: self.map.search(target), listing: BTreeMap::new(), silent: BTreeMap::new() };
        let mut searches: Vec<Search<'_>> = targets.iter().map(begin).collect();
        while let Some(name) = searches.iter().find_map(|search| search.consensus.next()) {
            let asking = searches.iter_mut().filter(|search| search.consensus.next() == Some(name));
            self.ask(name, deadline, asking.collect());
        }
        searches.into_iter().map(Search::outcome).collect()
    }

    /// Asks a repository for the targets of these searches, at one of its URLs after the other, as long as it has not answered all.
    fn ask(&self, name: &'a str, deadline: Deadline, mut searches: Vec<&mut Search<'a>>) {
        let sources = self.sources(name, "metadata").and_then(|sources| Ok((sources, self.store(name)?)));
        let (sources, store) = match sources {
            Ok(found) => found,
            Err(error) => return fail(name, &Arc::new(error), &mut searches),
        };
        for source in sources {
            let updated = source.and_then(|source| {
                let updater = Updater::refresh_until(deadline, self.settings.client, self.at, source.as_ref(), &store)?;
                Ok((updater, source))
            });
            match updated {
                Ok((mut updater, source)) => {
                    searches.retain_mut(|search| match updater.look_up(source.as_ref(), search.target) {
                        Ok(outcome) => {
                            search.say(name, outcome, updater.has_consistent_snapshots());
                            false
                        }
                        Err(error) => {
                            search.doubt(name, Arc::new(error));
                            true
                        }
                    });
                }
                Err(error) => {
                    let error = Arc::new(error);
                    searches.iter_mut().for_each(|search| search.doubt(name, error.clone()));
                }
            }
            if searches.is_empty() {
                return;
            }
        }
        // Also where the map has no URL.
        fail(name, &Arc::new(UpdateError::NoUrl { repository: name.to_owned() }), &mut searches);
    }

    /// What is at each of a repository's URLs.
    fn sources(&self, name: &str, below: &str) -> Result<Vec<Source>, UpdateError> {
        if self.settings.client.mode == Mode::StoreOnly && below == "metadata" {
            // Nothing is asked of it.
            return Ok(vec![Ok(Box::new(FolderSource::new(self.folder(name)?)))]);
        }
        let urls = self.map.repositories.get(name).map(Vec::as_slice).unwrap_or_default();
        Ok(urls.iter().map(|url| fetch::source(&format!("{}/{below}", url.trim_end_matches('/')), self.access)).collect())
    }

    fn store(&self, name: &str) -> Result<MetadataStore, UpdateError> {
        MetadataStore::open(self.folder(name)?)
    }

    /// The folder that is the store of a repository.
    ///
    /// # Errors
    /// The map has no such repository, or one whose name is not that of a folder: [`Map::parse`] lets none pass.
    pub fn folder(&self, name: &str) -> Result<PathBuf, UpdateError> {
        if !self.map.repositories.contains_key(name) || !is_folder_name(name) {
            return Err(UpdateError::NoRepository { repository: name.to_owned() });
        }
        Ok(self.stores.join(name))
    }

    /// Begins downloads to `folder`, which lies outside of the stores.
    ///
    /// # Errors
    /// As for [`Downloads::begin`].
    pub fn downloads(&self, folder: impl Into<PathBuf>) -> Result<Downloads, UpdateError> {
        Downloads::begin(folder, &MetadataStore::open(self.stores.clone())?)
    }

    /// Fetches a target that was agreed on, from the first of the repositories that agree that has it.
    ///
    /// # Errors
    /// None of them has it with that content: what the last of them said. It cannot be written.
    pub fn fetch(&self, downloads: &mut Downloads, target: &TargetPath, agreement: &Agreement) -> Result<Downloaded, UpdateError> {
        let mut last = UpdateError::NoAgreement { target: target.clone() };
        for repository in &agreement.repositories {
            for source in self.sources(&repository.name, "targets")? {
                let fetched = source.and_then(|source| downloads.fetch(source.as_ref(), target, &agreement.target, repository.consistent));
                match fetched {
                    Ok(downloaded) => return Ok(downloaded),
                    // What is wrong with the caller's folder is so wherever the target comes from.
                    Err(error @ UpdateError::Store(_)) => return Err(error),
                    Err(error) => last = error,
                }
            }
        }
        Err(last)
    }
}

/// None of these searches was answered.
fn fail<'a>(name: &'a str, error: &Arc<UpdateError>, searches: &mut [&mut Search<'a>]) {
    for search in searches {
        search.silent.entry(name).or_insert_with(|| error.clone());
        search.consensus.say(Said::Unknown);
    }
}

impl<'a> Search<'a> {
    fn say(&mut self, name: &'a str, outcome: LookUp, consistent: bool) {
        self.silent.remove(name);
        match outcome.found {
            Some(found) => {
                self.listing.insert(name, (found.role, consistent));
                self.consensus.say(Said::Lists(found.target));
            }
            None => self.consensus.say(Said::Nothing),
        }
    }

    /// Keeps why a repository did not answer: the first reason, or the first that says that it must not be trusted.
    fn doubt(&mut self, name: &'a str, error: Arc<UpdateError>) {
        let kept = self.silent.entry(name).or_insert_with(|| error.clone());
        if error.class() == UpdateClass::Untrusted && kept.class() != UpdateClass::Untrusted {
            *kept = error;
        }
    }

    fn outcome(mut self) -> Result<Agreement, UpdateError> {
        let target = || self.target.clone();
        match self.consensus.outcome() {
            Some(Agreed::On { target, repositories }) => {
                let agreeing = repositories.into_iter().filter_map(|name| {
                    let (role, consistent) = self.listing.remove(name.as_str())?;
                    Some(Agreeing { name, role, consistent })
                });
                Ok(Agreement { target, repositories: agreeing.collect() })
            }
            Some(Agreed::Unknown { repositories }) => {
                let silent = repositories.into_iter().filter_map(|name| {
                    let error = self.silent.remove(name.as_str())?;
                    Some(Silent { name, error })
                });
                Err(UpdateError::Undecided { target: target(), silent: silent.collect() })
            }
            _ => Err(UpdateError::NoAgreement { target: target() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tuf::testing::{Folder, names};
    use std::time::Duration;
    use touchmark_test_tuf_repository::{Delegation, Key, NOW, Repository};

    const MAP: &str = r#"{
        "repositories": {"one": ["FOLDER/one"], "two": ["FOLDER/nowhere", "FOLDER/two/"], "three": ["FOLDER/three"]},
        "mapping": [
            {"paths": ["both/*"], "repositories": ["one", "two"], "threshold": 2, "terminating": true},
            {"paths": ["most/*"], "repositories": ["one", "two", "three"], "threshold": 2},
            {"paths": ["*/*"], "repositories": ["three"], "threshold": 1}
        ]
    }"#;
    const NAMES: [&str; 3] = ["one", "two", "three"];

    /// Three repositories in folders, and a store for each.
    struct Setting {
        folder: Folder,
        repositories: BTreeMap<&'static str, Repository>,
        map: Map,
        access: Access,
    }

    impl Setting {
        fn new() -> Self {
            let folder = Folder::new();
            let map = Map::parse(MAP.replace("FOLDER", folder.root().to_str().unwrap()).as_bytes()).unwrap();
            let mut setting = Self { folder, repositories: BTreeMap::new(), map, access: Access::default() };
            for name in NAMES {
                let mut repository = Repository::new();
                for role in ["root", "timestamp", "snapshot", "targets"] {
                    repository.set_keys(role, 1, &[Key::ed25519(&format!("{role} of {name}"))]);
                }
                repository.set("root", "/consistent_snapshot", name != "two");
                repository.delegate("targets", Delegation::new("all").paths(&["*/*"]));
                repository.publish();
                setting.repositories.insert(name, repository);
                MetadataStore::init(setting.stores().join(name), setting.repositories[name].file("1.root.json")).unwrap();
            }
            setting
        }

        fn stores(&self) -> PathBuf {
            self.folder.path("stores")
        }

        /// Has a repository list a target, and serves it.
        fn list(&mut self, names: &[&'static str], target: &str, content: &[u8]) {
            for name in names {
                let repository = self.repositories.get_mut(name).unwrap();
                repository.add_target("all", target, content);
                repository.publish();
            }
        }

        fn show(&self) {
            for (name, repository) in &self.repositories {
                let _ = std::fs::remove_dir_all(self.folder.path(name));
                repository.write_to(&self.folder.path(name)).unwrap();
            }
        }

        fn with(&self, settings: impl Into<UpdateSettings>) -> Repositories<'_> {
            Repositories::new(&self.map, self.stores(), settings, UnixTime::from_seconds(NOW).unwrap(), &self.access)
        }

        fn agree(&self, target: &str) -> Result<Vec<String>, &'static str> {
            let agreed = self.with(UpdateSettings::default()).agree(&path(target)).map_err(|error| error.code())?;
            Ok(agreed.repositories.into_iter().map(|repository| repository.name).collect())
        }
    }

    fn path(target: &str) -> TargetPath {
        TargetPath::new(target).unwrap()
    }

    #[test]
    fn a_target_is_accepted_only_if_enough_repositories_list_the_same() {
        let mut setting = Setting::new();
        setting.list(&["one", "two"], "both/same", b"content");
        setting.list(&["one"], "both/lonely", b"content");
        setting.list(&["one"], "both/other", b"content");
        setting.list(&["two"], "both/other", b"CONTENT");
        setting.list(&["three"], "both/other", b"content");
        setting.list(&["one", "three"], "most/x", b"content");
        setting.list(&["two"], "most/x", b"evil");
        setting.show();
        assert_eq!(setting.agree("both/same"), Ok(vec!["one".to_owned(), "two".to_owned()]));
        // Neither what one says alone, nor what they say differently; and what ends at a terminating mapping is not asked of another.
        assert_eq!(setting.agree("both/lonely"), Err("tuf-no-agreement"));
        assert_eq!(setting.agree("both/other"), Err("tuf-no-agreement"));
        // Any two of three.
        assert_eq!(setting.agree("most/x"), Ok(vec!["one".to_owned(), "three".to_owned()]));
        // One that no mapping is for.
        assert_eq!(setting.agree("nowhere"), Err("tuf-no-agreement"));
        // Each has a store of its own, with its own root.
        assert_eq!(names(&setting.stores()), ["one", "three", "two"]);
        for name in NAMES {
            let root = std::fs::read(setting.stores().join(name).join("root.json")).unwrap();
            assert_eq!(root, setting.repositories[name].file(&setting.repositories[name].path("root")));
        }
    }

    #[test]
    fn the_next_mapping_counts_where_one_that_does_not_terminate_has_no_agreement() {
        let mut setting = Setting::new();
        setting.list(&["three"], "most/x", b"content");
        setting.list(&["three"], "other/x", b"content");
        setting.show();
        assert_eq!(setting.agree("most/x"), Ok(vec!["three".to_owned()]));
        assert_eq!(setting.agree("other/x"), Ok(vec!["three".to_owned()]));
    }

    #[test]
    fn a_repository_that_cannot_be_asked_or_trusted_decides_nothing_and_is_named() {
        let mut setting = Setting::new();
        setting.list(&["one", "three"], "most/x", b"content");
        setting.list(&["three"], "most/y", b"evil");
        setting.show();
        let forged = setting.repositories["two"].clone();
        let spoilt: [(&str, &dyn Fn()); 3] = [
            ("tuf-fetch", &|| std::fs::remove_dir_all(setting.folder.path("two")).unwrap()),
            ("tuf-missing", &|| std::fs::remove_file(setting.folder.path("two/metadata/all.json")).unwrap()),
            ("tuf-threshold", &|| {
                let mut forged = forged.clone();
                forged.forge_by("timestamp", &[Key::ed25519("another")], |_| {});
                forged.write_to(&setting.folder.path("two")).unwrap();
            }),
        ];
        for (code, spoil) in spoilt {
            setting.show();
            let _ = std::fs::remove_file(setting.stores().join("two/all.json"));
            spoil();
            // Two others suffice.
            assert_eq!(setting.agree("most/x"), Ok(vec!["one".to_owned(), "three".to_owned()]), "{code}");
            // Where they do not, who keeps one from answering must not choose the mapping that decides.
            let refused = setting.with(UpdateSettings::default()).agree(&path("most/y")).unwrap_err();
            let UpdateError::Undecided { silent, .. } = &refused else { panic!("{refused}") };
            assert_eq!(silent.iter().map(|silent| silent.name.as_str()).collect::<Vec<_>>(), ["two"]);
            let class = if code == "tuf-threshold" { UpdateClass::Untrusted } else { UpdateClass::Unknown };
            assert_eq!(
                (refused.code(), refused.class(), silent[0].error.code() == "tuf-fetch" || class == UpdateClass::Untrusted),
                ("tuf-undecided", class, true)
            );
            assert!(refused.to_string().contains("two: "), "{refused}");
        }
    }

    #[test]
    fn a_repository_without_a_trusted_root_is_not_believed_on_first_use() {
        let mut setting = Setting::new();
        setting.list(&["one", "two"], "both/x", b"content");
        setting.show();
        std::fs::remove_file(setting.stores().join("two/root.json")).unwrap();
        let refused = setting.with(UpdateSettings::default()).agree(&path("both/x")).unwrap_err();
        assert_eq!((refused.code(), refused.class()), ("tuf-undecided", UpdateClass::Usage));
        assert!(!setting.stores().join("two/root.json").exists());
    }

    #[test]
    fn several_targets_take_one_update_of_each_repository_and_their_time_is_one() {
        let mut setting = Setting::new();
        setting.list(&["one", "two"], "both/x", b"content");
        setting.list(&["one", "two"], "both/y", b"content");
        setting.show();
        let targets = [path("both/x"), path("both/none"), path("both/y")];
        let agreed = setting.with(UpdateSettings::default()).agree_on(&targets);
        assert_eq!(agreed.iter().map(|agreed| agreed.is_ok()).collect::<Vec<_>>(), [true, false, true]);
        let none = UpdateSettings::default().within(Duration::ZERO);
        for refused in setting.with(none).agree_on(&targets) {
            let Err(UpdateError::Undecided { silent, .. }) = refused else { panic!("{refused:?}") };
            assert!(silent.iter().all(|silent| matches!(*silent.error, UpdateError::OutOfTime { within: Duration::ZERO })));
        }
        // With what the stores have, and nobody to ask.
        for name in NAMES {
            std::fs::remove_dir_all(setting.folder.path(name)).unwrap();
        }
        let mut settings = UpdateSettings::default();
        settings.client.mode = Mode::StoreOnly;
        assert!(setting.with(settings).agree(&path("both/x")).is_ok());
    }

    #[test]
    fn what_was_agreed_on_is_fetched_from_whoever_has_it_and_never_into_the_stores() {
        let mut setting = Setting::new();
        setting.list(&["one", "two"], "both/x", b"content");
        setting.show();
        let repositories = setting.with(UpdateSettings::default());
        let agreement = repositories.agree(&path("both/x")).unwrap();
        assert_eq!(
            agreement.repositories.iter().map(|one| (one.role.as_str(), one.consistent)).collect::<Vec<_>>(),
            [("all", true), ("all", false)]
        );
        std::fs::remove_dir_all(setting.folder.path("one/targets")).unwrap();
        let mut downloads = repositories.downloads(setting.folder.path("out")).unwrap();
        let downloaded = repositories.fetch(&mut downloads, &path("both/x"), &agreement).unwrap();
        assert_eq!(std::fs::read(downloaded.path).unwrap(), b"content");
        std::fs::write(setting.folder.path("two/targets/both/x"), b"CONTENT").unwrap();
        let mut downloads = repositories.downloads(setting.folder.path("out2")).unwrap();
        assert_eq!(repositories.fetch(&mut downloads, &path("both/x"), &agreement).unwrap_err().code(), "target-hash");
        for inside in ["stores", "stores/one", "stores/new"] {
            assert_eq!(repositories.downloads(setting.folder.path(inside)).unwrap_err().code(), "target-dir-in-store");
        }
    }

    #[test]
    fn a_name_that_is_no_folder_leads_nowhere() {
        let mut setting = Setting::new();
        let mapping = setting.map.mappings[0].clone();
        for name in ["../one", "a/b", "", "none\\x"] {
            setting.map.repositories.insert(name.to_owned(), vec![setting.folder.path("one").to_str().unwrap().to_owned()]);
            setting.map.mappings =
                vec![touchmark_tuf::map::Mapping { repositories: vec![name.to_owned()], threshold: 1, ..mapping.clone() }];
            let refused = setting.with(UpdateSettings::default()).agree(&path("both/x")).unwrap_err();
            let UpdateError::Undecided { silent, .. } = &refused else { panic!("{refused}") };
            assert_eq!((silent[0].error.code(), refused.class()), ("tuf-no-repository", UpdateClass::Usage), "{name}");
        }
        assert!(matches!(setting.with(UpdateSettings::default()).folder("unknown"), Err(UpdateError::NoRepository { .. })));
    }
}
