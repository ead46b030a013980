//! Where trusted metadata is kept in one update.

use std::cell::RefCell;
use std::collections::BTreeMap;

use touchmark_tuf::{Answer, Failure, Step};

use crate::tuf::MetadataStore;

/// Answers the steps of a client that are about its store.
pub(super) trait Keep: Send {
    /// The answer; `None` if the step is about something else.
    fn answer(&self, step: &Step<'_>) -> Option<Answer>;

    /// The same, with what is new in memory from now on.
    fn detach(self: Box<Self>) -> Box<dyn Keep>;
}

impl Keep for MetadataStore {
    fn answer(&self, step: &Step<'_>) -> Option<Answer> {
        Self::answer(self, step)
    }

    fn detach(self: Box<Self>) -> Box<dyn Keep> {
        Box::new(Overlay::over(*self))
    }
}

/// What is kept in memory, over a store that is read and never written: for a verification at another time than now, for one without a
/// store, and where the store cannot be written.
#[derive(Debug)]
pub(super) struct Overlay {
    under: Option<MetadataStore>,
    /// What was stored since, or removed (`None`).
    changed: RefCell<BTreeMap<String, Option<Vec<u8>>>>,
}

impl Overlay {
    /// Over a store.
    pub(super) fn over(under: MetadataStore) -> Self {
        Self { under: Some(under), changed: RefCell::default() }
    }

    /// Over nothing but a root.
    pub(super) fn of_root(root: &[u8]) -> Self {
        Self { under: None, changed: RefCell::new(BTreeMap::from([("root.json".to_owned(), Some(root.to_vec()))])) }
    }
}

impl Keep for Overlay {
    fn answer(&self, step: &Step<'_>) -> Option<Answer> {
        Some(match *step {
            Step::Load { file, limit } => match (self.changed.borrow().get(file), &self.under) {
                (Some(Some(bytes)), _) if u64::try_from(bytes.len()).is_ok_and(|length| length <= limit) => Answer::Bytes(bytes.clone()),
                (Some(Some(_)), _) => Answer::Failed(Failure::TooLarge { limit }),
                (Some(None), _) | (None, None) => Answer::Absent,
                (None, Some(under)) => return MetadataStore::answer(under, step),
            },
            Step::Store { file, bytes } => {
                self.changed.borrow_mut().insert(file.to_owned(), Some(bytes.to_vec()));
                Answer::Done
            }
            Step::Remove { file } => {
                self.changed.borrow_mut().insert(file.to_owned(), None);
                Answer::Done
            }
            // A client that keeps no index asks for no pieces.
            _ => return None,
        })
    }

    fn detach(self: Box<Self>) -> Box<dyn Keep> {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tuf::testing::{Folder, names};

    fn load(keep: &dyn Keep, file: &str, limit: u64) -> Option<Vec<u8>> {
        match keep.answer(&Step::Load { file, limit }) {
            Some(Answer::Bytes(bytes)) => Some(bytes),
            Some(Answer::Absent) => None,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_kept_over_a_store_hides_it_and_leaves_it_as_it_is() {
        let folder = Folder::new();
        folder.file("root.json", "stored");
        folder.file("targets.json", "stored");
        let overlay = Overlay::over(MetadataStore::open(folder.root()).unwrap());
        let done = |step| assert!(matches!(overlay.answer(&step), Some(Answer::Done)));
        assert_eq!(load(&overlay, "root.json", 9).as_deref(), Some(&b"stored"[..]));
        done(Step::Store { file: "root.json", bytes: b"newer" });
        done(Step::Remove { file: "targets.json" });
        assert_eq!(load(&overlay, "root.json", 9).as_deref(), Some(&b"newer"[..]));
        assert_eq!(load(&overlay, "targets.json", 9), None);
        assert!(matches!(overlay.answer(&Step::Load { file: "root.json", limit: 4 }), Some(Answer::Failed(Failure::TooLarge { .. }))));
        assert_eq!(names(folder.root()), ["root.json", "targets.json"]);
        assert_eq!(std::fs::read(folder.path("root.json")).unwrap(), b"stored");
    }

    #[test]
    fn over_nothing_there_is_the_root_alone() {
        let overlay = Overlay::of_root(b"root");
        assert_eq!(load(&overlay, "root.json", 9).as_deref(), Some(&b"root"[..]));
        assert_eq!(load(&overlay, "timestamp.json", 9), None);
    }
}
