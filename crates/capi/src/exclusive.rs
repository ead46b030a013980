//! What only one call at a time may change.

use std::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard, TryLockError};

use crate::failure::Failure;
use crate::status::TOUCHMARK_STATUS_PANIC;

/// The state of a handle that calls change. Another call meanwhile, from another thread or out of a callback, fails; it never waits.
/// A call that panicked half-way leaves it unusable.
pub(crate) struct Exclusive<T>(RwLock<T>);

impl<T> Exclusive<T> {
    pub(crate) const fn new(state: T) -> Self {
        Self(RwLock::new(state))
    }

    /// The state, for one call that changes it.
    pub(crate) fn enter(&self) -> Result<RwLockWriteGuard<'_, T>, Failure> {
        self.0.try_write().map_err(refused)
    }

    /// The state, for a call that only looks, as others may at the same time.
    pub(crate) fn look(&self) -> Result<RwLockReadGuard<'_, T>, Failure> {
        self.0.try_read().map_err(refused)
    }
}

fn refused<G>(error: TryLockError<G>) -> Failure {
    match error {
        TryLockError::WouldBlock => Failure::state("another call is using this handle"),
        TryLockError::Poisoned(_) => {
            Failure::new(TOUCHMARK_STATUS_PANIC, "panic", "an earlier call on this handle panicked; it cannot be used any more")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_call_changes_it_at_a_time_and_none_after_a_panic() {
        let state = Exclusive::new(1);
        let first = state.look().ok().unwrap();
        assert_eq!(*state.look().ok().unwrap(), 1);
        assert_eq!(state.enter().err().unwrap().get().code, "wrong-state");
        drop(first);
        let changing = state.enter().ok().unwrap();
        assert_eq!(state.look().err().unwrap().get().code, "wrong-state");
        drop(changing);
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _changing = state.enter();
            panic!("half-way");
        }));
        assert!(panicked.is_err());
        assert_eq!(state.enter().err().unwrap().get().status, TOUCHMARK_STATUS_PANIC);
        assert_eq!(state.look().err().unwrap().get().status, TOUCHMARK_STATUS_PANIC);
    }
}
