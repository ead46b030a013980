//! The asynchronous driver.

use core::future::Future;
use core::time::Duration;

use touchmark_envelope::UnixTime;
use touchmark_tuf::{Error, Failure, LookUp, Step, TargetPath};

use super::error::UpdateError;
use super::store::MetadataStore;
use super::updater::{Deadline, UpdateSettings, Updater, fetched};

/// A place that metadata is fetched from, asynchronously and without a runtime of its own. Nothing that it returns is trusted.
///
/// A caller with a store of its own drives the [`Client`](touchmark_tuf::Client) itself, which is as short:
///
/// ```
/// use std::collections::BTreeMap;
/// use touchmark::tuf::{Answer, Client, Settings, Step, TargetPath};
/// # use touchmark_test_tuf_repository::{Fetched, NOW, Repository};
/// # use core::{future::Future, pin::pin, task::{Context, Poll, Waker}};
/// # fn block_on<T>(future: impl Future<Output = T>) -> T {
/// #     let mut future = pin!(future);
/// #     loop {
/// #         if let Poll::Ready(done) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
/// #             return done;
/// #         }
/// #     }
/// # }
/// # let mut repository = Repository::new();
/// # repository.add_target("targets", "app/tool.tar", b"content");
/// # repository.publish();
/// # let trusted_root = repository.file("1.root.json").to_vec();
/// # let now = touchmark::UnixTime::from_seconds(NOW).unwrap();
/// // An HTTP client of the caller's choice: the body, at most `limit` bytes of it; none for 404.
/// async fn get(path: &str, limit: u64) -> Result<Option<Vec<u8>>, std::io::Error> {
/// #     let path = path.to_owned();
/// #     REPOSITORY.with_borrow(|repository| match repository.fetch(&path, limit) {
/// #         Fetched::File(bytes) => Ok(Some(bytes)),
/// #         Fetched::Absent => Ok(None),
/// #         other => Err(std::io::Error::other(format!("{other:?}"))),
/// #     })
/// # }
/// # thread_local! { static REPOSITORY: std::cell::RefCell<Repository> = std::cell::RefCell::new(Repository::new()); }
/// # /*
///     …
/// }
/// # */
///
/// async fn drive(client: &mut Client, store: &mut BTreeMap<String, Vec<u8>>) -> Result<(), touchmark::tuf::Error> {
///     loop {
///         let answer = match client.step()? {
///             Step::Load { file, .. } => store.get(file).cloned().map_or(Answer::Absent, Answer::Bytes),
///             Step::Store { file, bytes } => {
///                 store.insert(file.to_owned(), bytes.to_vec());
///                 Answer::Done
///             }
///             Step::Remove { file } => {
///                 store.remove(file);
///                 Answer::Done
///             }
///             Step::Fetch { path, limit } => match get(path, limit).await {
///                 Ok(found) => found.map_or(Answer::Absent, Answer::Bytes),
///                 Err(error) => Answer::Failed(touchmark::tuf::Failure::Unavailable(error.to_string())),
///             },
///             // Done, or a step that is not known here, which no answer suits.
///             _ => return Ok(()),
///         };
///         client.answer(answer);
///     }
/// }
///
/// # REPOSITORY.set(repository);
/// # block_on(async {
/// let mut store = BTreeMap::from([("root.json".to_owned(), trusted_root)]);
/// let mut client = Client::new(Settings::default(), now);
/// drive(&mut client, &mut store).await?;
/// client.look_up(&TargetPath::new("app/tool.tar")?)?;
/// drive(&mut client, &mut store).await?;
/// let found = client.found().and_then(|look_up| look_up.found).ok_or("no such target")?;
/// assert_eq!((found.role.as_str(), found.target.length), ("targets", 7));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
pub trait AsyncFetch {
    /// The whole file at `path`, which has at most `limit` bytes; `None` only if the place says that there is none.
    fn fetch(&self, path: &str, limit: u64) -> impl Future<Output = Result<Option<Vec<u8>>, Failure>>;
}

impl<'a> Updater<'a> {
    /// As [`refresh`](Self::refresh), with a source that is read asynchronously. The store is read and written in between, which takes no
    /// longer than local files do.
    ///
    /// It waits for nobody: there is no runtime here to wait with, and another update may be one of this very thread, which would then
    /// never end. A store that is being updated is an error at once, with the code `locked`, and
    /// [may be tried again](UpdateError::is_retryable) after a pause of the caller's runtime.
    ///
    /// # Errors
    /// As for `refresh`.
    pub async fn refresh_async(
        settings: impl Into<UpdateSettings>,
        at: UnixTime,
        source: &impl AsyncFetch,
        store: &'a MetadataStore,
    ) -> Result<Self, UpdateError> {
        let settings = settings.into();
        let mut updater = Self::begin(Deadline::new(settings.within), Duration::ZERO, settings.client, at, store)?;
        updater.drive_async(source).await?;
        Ok(updater)
    }

    /// As [`look_up`](Self::look_up), with a source that is read asynchronously.
    ///
    /// # Errors
    /// As for `look_up`.
    pub async fn look_up_async(&mut self, source: &impl AsyncFetch, target: &TargetPath) -> Result<LookUp, UpdateError> {
        self.client.look_up(target)?;
        self.drive_async(source).await?;
        Ok(self.client.found().ok_or(Error::NotReady)?)
    }

    async fn drive_async(&mut self, source: &impl AsyncFetch) -> Result<(), UpdateError> {
        loop {
            let step = self.client.step()?;
            let answer = match step {
                Step::Done => return Ok(()),
                Step::Fetch { path, limit } => {
                    self.deadline.check()?;
                    fetched(source.fetch(path, limit).await)
                }
                step => self.store.answer(&step).ok_or(Error::WrongAnswer)?,
            };
            self.client.answer(answer);
        }
    }
}

#[cfg(test)]
mod tests {
    use core::pin::pin;
    use core::task::{Context, Poll, Waker};

    use touchmark_test_tuf_repository::{Delegation, Fetched, NOW, Repository};

    use super::*;
    use crate::tuf::Settings;
    use crate::tuf::testing::Folder;

    struct Source(Repository);

    impl AsyncFetch for Source {
        async fn fetch(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, Failure> {
            match self.0.fetch(path, limit) {
                Fetched::File(bytes) => Ok(Some(bytes)),
                Fetched::Absent => Ok(None),
                Fetched::TooLong => Err(Failure::TooLarge { limit }),
                Fetched::Failed => Err(Failure::Unavailable("a test".to_owned())),
            }
        }
    }

    fn done<T>(future: impl Future<Output = T>) -> T {
        match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(done) => done,
            Poll::Pending => panic!("nothing here waits"),
        }
    }

    #[test]
    fn the_same_store_is_kept_and_the_same_target_found_as_by_the_blocking_driver() {
        let mut repository = Repository::new();
        repository.delegate("targets", Delegation::new("acme").paths(&["acme/*"]));
        repository.add_target("acme", "acme/x", b"content");
        repository.publish();
        let folder = Folder::new();
        let store = MetadataStore::init(folder.path("store"), repository.file("1.root.json")).unwrap();
        let (source, at) = (Source(repository), UnixTime::from_seconds(NOW).unwrap());
        let target = TargetPath::new("acme/x").unwrap();
        let mut updater = done(Updater::refresh_async(Settings::default(), at, &source, &store)).unwrap();
        let found = done(updater.look_up_async(&source, &target)).unwrap().found.unwrap();
        assert_eq!((found.role.as_str(), found.target.length), ("acme", 7));
        for (file, path) in [("timestamp.json", "timestamp.json"), ("targets.json", "2.targets.json"), ("acme.json", "1.acme.json")] {
            assert_eq!(std::fs::read(folder.path("store").join(file)).unwrap(), source.0.file(path));
        }
    }

    #[test]
    fn a_source_that_fails_is_not_one_without_the_file() {
        let mut repository = Repository::new();
        repository.answer("2.root.json", touchmark_test_tuf_repository::Served::Failure);
        let folder = Folder::new();
        let store = MetadataStore::init(folder.path("store"), repository.file("1.root.json")).unwrap();
        let at = UnixTime::from_seconds(NOW).unwrap();
        let refused = done(Updater::refresh_async(Settings::default(), at, &Source(repository), &store)).unwrap_err();
        assert_eq!(refused.code(), "tuf-fetch");
    }

    /// As the source, after it was asked once in vain: another task has its turn in between.
    struct Slow(Source);

    impl AsyncFetch for Slow {
        async fn fetch(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, Failure> {
            let mut asked = false;
            core::future::poll_fn(|context| {
                context.waker().wake_by_ref();
                if core::mem::replace(&mut asked, true) { Poll::Ready(()) } else { Poll::Pending }
            })
            .await;
            self.0.fetch(path, limit).await
        }
    }

    #[test]
    fn two_updates_of_one_store_on_one_thread_do_not_wait_for_each_other_for_ever() {
        let repository = Repository::new();
        let folder = Folder::new();
        let store = MetadataStore::init(folder.path("store"), repository.file("1.root.json")).unwrap();
        let at = UnixTime::from_seconds(NOW).unwrap();
        let source = Slow(Source(repository));
        let mut first = pin!(Updater::refresh_async(Settings::default(), at, &source, &store));
        let mut context = Context::from_waker(Waker::noop());
        assert!(first.as_mut().poll(&mut context).is_pending(), "it has the lock, and waits for its source");
        let refused = done(Updater::refresh_async(Settings::default(), at, &source, &store)).unwrap_err();
        assert_eq!((refused.code(), refused.is_retryable()), ("locked", true));
        let updated = loop {
            if let Poll::Ready(updated) = first.as_mut().poll(&mut context) {
                break updated;
            }
        };
        drop(updated.unwrap());
        let mut again = pin!(Updater::refresh_async(Settings::default(), at, &source, &store));
        while again.as_mut().poll(&mut context).is_pending() {}
    }

    #[test]
    fn an_update_that_is_out_of_time_asks_for_nothing_more() {
        let repository = Repository::new();
        let folder = Folder::new();
        let store = MetadataStore::init(folder.path("store"), repository.file("1.root.json")).unwrap();
        let at = UnixTime::from_seconds(NOW).unwrap();
        let none = UpdateSettings::default().within(Duration::ZERO);
        let refused = done(Updater::refresh_async(none, at, &Slow(Source(repository)), &store)).unwrap_err();
        assert_eq!(refused.code(), "tuf-out-of-time", "the source would have been waited for");
    }
}
