//! A server that sends a byte now and then keeps nobody waiting: each connection must bring its answers at a least pace. And one that
//! refuses a body before all of it was sent is heard out.
//!
//! The HTTP library's own limits are either for one read, which a byte before each suffices for, or deadlines for whole bodies, which
//! a large blob over a slow line rightly takes longer than. This stands below TLS, whose records too can be sent byte by byte.

use std::cell::Cell;
use std::io;
use std::io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset};
use std::time::{Duration, Instant};

use ureq::Error;
use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, NextTimeout, Transport};

/// Bytes that a second must bring, averaged over a period.
pub(super) const LEAST_PER_SECOND: u64 = 1024;

/// Bytes of a body that are read for nothing once the server takes no more; then the connection is broken, whatever it said.
const MOST_DROPPED: usize = 64 << 20;

/// Bytes that may come in without any of them becoming part of an answer: what stands around chunks of a body (RFC 9112, 7.1), of which
/// the HTTP library takes in, and waits for, as much as is sent.
const MOST_AROUND: u64 = 1 << 20;

thread_local! {
    /// What came in for this thread since it was last [heard from](progress).
    static AROUND: Cell<u64> = const { Cell::new(0) };
}

/// What came in so far was of use: a request is being sent, or more of a body is asked for.
pub(super) fn progress() {
    AROUND.set(0);
}

/// Puts a [`Paced`] around each connection.
#[derive(Debug)]
pub(super) struct PaceConnector {
    /// Over how long the pace is averaged.
    pub(super) period: Duration,
}

impl<In: Transport> Connector<In> for PaceConnector {
    type Out = Paced<In>;

    fn connect(&self, _details: &ConnectionDetails, chained: Option<In>) -> Result<Option<Self::Out>, Error> {
        Ok(chained.map(|inner| Paced { inner, pace: Pace::new(self.period), dropped: None }))
    }
}

/// A connection whose pace is watched.
#[derive(Debug)]
pub(super) struct Paced<T> {
    inner: T,
    pace: Pace,
    /// Once the server takes no more: how many bytes were dropped since. It may have said why before, which is to be read still.
    dropped: Option<usize>,
}

/// What came in while somebody waited for it. Only the waiting counts, so that who reads slowly blames no server.
#[derive(Debug)]
struct Pace {
    period: Duration,
    waited: Duration,
    received: u64,
    /// Whether the first bytes of an answer are still awaited: the time until then is the server's to think, and limited elsewhere.
    begun: bool,
}

impl Pace {
    fn new(period: Duration) -> Self {
        Self { period, waited: Duration::ZERO, received: 0, begun: false }
    }

    /// A request was sent: another answer begins.
    fn restart(&mut self) {
        *self = Self::new(self.period);
    }

    /// `received` more bytes came after a wait. Whether the pace is kept.
    fn keeps(&mut self, received: usize, waited: Duration) -> bool {
        self.received = self.received.saturating_add(u64::try_from(received).unwrap_or(u64::MAX));
        if !self.begun {
            self.begun = true;
            return true;
        }
        self.waited = self.waited.saturating_add(waited);
        if self.waited < self.period {
            return true;
        }
        let least = u128::from(LEAST_PER_SECOND).saturating_mul(self.waited.as_millis()) / 1000;
        let kept = u128::from(self.received) >= least;
        (self.waited, self.received) = (Duration::ZERO, 0);
        kept
    }
}

impl<T: Transport> Transport for Paced<T> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.inner.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.pace.restart();
        progress();
        if let Some(dropped) = self.dropped {
            self.dropped = Some(dropped.saturating_add(amount));
            return if dropped < MOST_DROPPED { Ok(()) } else { Err(Error::Io(ConnectionReset.into())) };
        }
        match self.inner.transmit_output(amount, timeout) {
            Err(Error::Io(error)) if matches!(error.kind(), BrokenPipe | ConnectionReset | ConnectionAborted) => {
                self.dropped = Some(amount);
                Ok(())
            }
            outcome => outcome,
        }
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let (before, started) = (self.inner.buffers().input().len(), Instant::now());
        let more = self.inner.await_input(timeout)?;
        let received = self.inner.buffers().input().len().saturating_sub(before);
        let around = AROUND.get().saturating_add(u64::try_from(received).unwrap_or(u64::MAX));
        AROUND.set(around);
        if around > MOST_AROUND {
            return Err(Error::Io(io::Error::new(io::ErrorKind::InvalidData, "the answer has too much around its content")));
        }
        if self.pace.keeps(received, started.elapsed()) { Ok(more) } else { Err(Error::Io(slow())) }
    }

    fn is_open(&mut self) -> bool {
        self.dropped.is_none() && self.inner.is_open()
    }

    fn is_tls(&self) -> bool {
        self.inner.is_tls()
    }
}

/// The server was too slow.
pub(super) fn slow() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "the answer comes too slowly: less than 1 KiB in a second")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn drops_end_after_one_period() {
        let mut pace = Pace::new(30 * SECOND);
        assert!(pace.keeps(1, 29 * SECOND), "the time until the first byte is not the pace's");
        let kept = (0..30).take_while(|_| pace.keeps(100, SECOND)).count();
        assert_eq!(kept, 29);
    }

    #[test]
    fn a_slow_line_is_kept() {
        let mut pace = Pace::new(30 * SECOND);
        assert!((0..1000).all(|_| pace.keeps(1024, SECOND)));
        // A quick beginning does not pay for a period of drops.
        assert!(pace.keeps(1 << 30, 30 * SECOND));
        assert!(!pace.keeps(1, 30 * SECOND));
    }

    #[test]
    fn each_request_begins_anew() {
        let mut pace = Pace::new(30 * SECOND);
        for _ in 0..10 {
            assert!(pace.keeps(200, 20 * SECOND));
            assert!(pace.keeps(200, 20 * SECOND));
            pace.restart();
        }
    }
}
