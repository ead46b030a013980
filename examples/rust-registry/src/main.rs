//! A registry front that serves what a trust root verifies, and nothing else.
//!
//! It stands before a folder of OCI layouts or another registry, and speaks the reading half of the OCI distribution specification. The
//! repository `acme/net-monitor` has the artifacts that are named `acme/net-monitor`, and a tag is a version of that name. What is trusted is
//! in memory, shared by all requests ([`TrustState`]), and every decision is made by the library, asynchronously.
//!
//! ```text
//! touchmark-example-rust-registry --root FILE --trust DIR|URL (--layouts DIR | --upstream HOST[:PORT])
//!     [--store DIR] [--listen ADDRESS] [--fresh-for SECONDS]
//! ```

mod arguments;
mod front;
mod grounds;
mod http;
mod own;
mod trust;
mod upstream;

use std::process::ExitCode;
use std::sync::Arc;

use axum::Router;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::arguments::Arguments;
use crate::front::Front;

type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let served = Arguments::read(std::env::args().skip(1)).and_then(|arguments| {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_io().build()?;
        runtime.block_on(serve(arguments))
    });
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Serves until it is told to end, and lets what was begun end too.
async fn serve(arguments: Arguments) -> Result<(), Failure> {
    let listener = TcpListener::bind(&arguments.listen).await?;
    println!("listening on http://{}/", listener.local_addr()?);
    let front = Arc::new(Front::new(arguments)?);
    let routes = Router::new().fallback(http::answer).with_state(front);
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let told = async move {
        let (mut first, mut second) = (std::pin::pin!(interrupt.recv()), std::pin::pin!(terminate.recv()));
        std::future::poll_fn(|context| match first.as_mut().poll(context).is_ready() || second.as_mut().poll(context).is_ready() {
            true => std::task::Poll::Ready(()),
            false => std::task::Poll::Pending,
        })
        .await;
    };
    axum::serve(listener, routes).with_graceful_shutdown(told).await?;
    println!("ended");
    Ok(())
}
