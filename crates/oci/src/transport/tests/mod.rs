//! The client against servers that do what they should, and what they should not.

mod bounds;
mod credentials;
mod locations;
mod proxy;
mod requests;
mod tls;
mod tokens;

use std::time::Duration;

use super::testing::Server;
use super::{Body, Client, Method, Repeat, Request, Target};
use crate::access::{Access, Login};

/// A client that does not pause for long between tries.
fn client(server: &Server, access: Access) -> Client {
    impatient(&server.host(), access)
}

fn impatient(host: &str, access: Access) -> Client {
    let mut client = Client::new(host, &access).unwrap();
    client.patience.pause = Duration::from_millis(1);
    client
}

/// A client that reaches the server by a name that is not this machine's.
fn from_afar(server: &Server, access: Access) -> Client {
    let port = server.host().rsplit_once(':').unwrap().1.to_owned();
    let client = impatient(&format!("registry.example.com:{port}"), access);
    client.agents.names.learn("registry.example.com", vec!["127.0.0.1".parse().unwrap()]);
    client
}

fn get(path: &str) -> Request<'_> {
    Request {
        method: Method::Get,
        target: Target::Path(path),
        scope: "repository:acme/app:pull",
        headers: &[],
        body: Body::Empty,
        repeat: Repeat::Retry,
    }
}

/// With a user name and a password.
fn alice() -> Access {
    Access { login: Some(Login { username: "alice".to_owned(), password: "secret".to_owned() }), ..Access::default() }
}

/// What `alice` shows: the base64 of `alice:secret`.
const ALICE: &str = "Basic YWxpY2U6c2VjcmV0";
