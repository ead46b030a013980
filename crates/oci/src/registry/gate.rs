//! How many documents are read as JSON at the same time.

use std::sync::{Condvar, Mutex, PoisonError};

/// At most this many bytes of documents pass at once: a few signatures' manifests for each thread. A larger one passes alone.
///
/// A tree of JSON values takes up to forty times the bytes that it was read from, so that two dozen large documents, read at the
/// same time, would take gigabytes.
const MAX_BYTES: u64 = 512 << 10;

/// Lets documents through as there is room for them.
#[derive(Debug, Default)]
pub(super) struct Gate {
    inside: Mutex<u64>,
    left: Condvar,
}

/// The room of one document, until it is dropped.
pub(super) struct Room<'a> {
    gate: &'a Gate,
    bytes: u64,
}

impl Gate {
    /// Waits until there is room for a document of `size` bytes.
    pub(super) fn pass(&self, size: u64) -> Room<'_> {
        let bytes = size.min(MAX_BYTES);
        let inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        let full = |inside: &mut u64| inside.saturating_add(bytes) > MAX_BYTES;
        let mut inside = self.left.wait_while(inside, full).unwrap_or_else(PoisonError::into_inner);
        *inside = inside.saturating_add(bytes);
        Room { gate: self, bytes }
    }
}

impl Drop for Room<'_> {
    fn drop(&mut self) {
        let mut inside = self.gate.inside.lock().unwrap_or_else(PoisonError::into_inner);
        *inside = inside.saturating_sub(self.bytes);
        drop(inside);
        self.gate.left.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};

    #[test]
    fn no_more_bytes_are_inside_than_there_is_room_for() {
        let (gate, inside, most) = (Gate::default(), AtomicU64::new(0), AtomicU64::new(0));
        std::thread::scope(|scope| {
            for size in [1, MAX_BYTES / 2, MAX_BYTES, u64::MAX, MAX_BYTES / 3, 0] {
                let (gate, inside, most) = (&gate, &inside, &most);
                scope.spawn(move || {
                    for _ in 0..200 {
                        let bytes = size.min(MAX_BYTES);
                        let room = gate.pass(size);
                        most.fetch_max(inside.fetch_add(bytes, Ordering::SeqCst) + bytes, Ordering::SeqCst);
                        inside.fetch_sub(bytes, Ordering::SeqCst);
                        drop(room);
                    }
                });
            }
        });
        assert_eq!(most.into_inner(), MAX_BYTES);
        assert_eq!(*gate.inside.lock().unwrap(), 0);
    }
}
