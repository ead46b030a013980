//! Sockets and threads: listeners, at most so many connections, and an end.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use crate::lock::lock;

/// How many connections there are at once; further ones are closed.
const MAX_CONNECTIONS: usize = 2048;
/// What a thread of a connection may use of stack.
const STACK: usize = 512 << 10;

/// What is done with a connection, which has a number.
pub(crate) type Serve = dyn Fn(TcpStream, u64) + Send + Sync;

/// Listeners whose connections are each served by a thread of their own. Dropping it ends them all.
pub(crate) struct Server {
    shared: Arc<Shared>,
    listeners: Vec<(SocketAddr, JoinHandle<()>)>,
}

struct Shared {
    stopping: AtomicBool,
    numbers: AtomicU64,
    open: Mutex<HashMap<u64, (TcpStream, JoinHandle<()>)>>,
}

impl Server {
    pub(crate) fn new() -> Self {
        let shared = Shared { stopping: AtomicBool::new(false), numbers: AtomicU64::new(0), open: Mutex::default() };
        Self { shared: Arc::new(shared), listeners: Vec::new() }
    }

    /// Listens; what the answer names is ready at once.
    pub(crate) fn listen(&mut self, address: IpAddr, port: u16, serve: Arc<Serve>) -> io::Result<SocketAddr> {
        let listener = TcpListener::bind((address, port))?;
        let address = listener.local_addr()?;
        self.serve(listener, address, serve)?;
        Ok(address)
    }

    pub(crate) fn serve(&mut self, listener: TcpListener, address: SocketAddr, serve: Arc<Serve>) -> io::Result<()> {
        let shared = Arc::clone(&self.shared);
        let thread = std::thread::Builder::new().name("listener".to_owned()).spawn(move || accept(&shared, &listener, &serve))?;
        self.listeners.push((address, thread));
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        for (address, thread) in self.listeners.drain(..) {
            // Wakes the listener, which then sees that it is to stop.
            let _ = TcpStream::connect(address);
            let _ = thread.join();
        }
        let open: Vec<_> = lock(&self.shared.open).drain().collect();
        for (_, (stream, _)) in &open {
            let _ = stream.shutdown(Shutdown::Both);
        }
        for (_, (_, thread)) in open {
            let _ = thread.join();
        }
    }
}

fn accept(shared: &Arc<Shared>, listener: &TcpListener, serve: &Arc<Serve>) {
    loop {
        let accepted = listener.accept();
        if shared.stopping.load(Ordering::SeqCst) {
            return;
        }
        let Ok((stream, _)) = accepted else {
            // Too many open files, for instance; others may close theirs.
            std::thread::sleep(std::time::Duration::from_millis(10));
            continue;
        };
        // Small answers are not to wait for each other's acknowledgement.
        let _ = stream.set_nodelay(true);
        let Ok(handle) = stream.try_clone() else {
            continue;
        };
        let number = shared.numbers.fetch_add(1, Ordering::SeqCst) + 1;
        let mut open = lock(&shared.open);
        if open.len() >= MAX_CONNECTIONS {
            continue;
        }
        let (serve, of_thread) = (Arc::clone(serve), Arc::clone(shared));
        let thread = std::thread::Builder::new().name(format!("connection {number}")).stack_size(STACK).spawn(move || {
            serve(stream, number);
            lock(&of_thread.open).remove(&number);
        });
        if let Ok(thread) = thread {
            open.insert(number, (handle, thread));
        }
    }
}
