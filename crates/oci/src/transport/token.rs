//! Bearer tokens: how they are fetched, and kept as long as they hold (distribution's token authentication, and by OAuth 2).

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use touchmark_envelope::json;
use zeroize::Zeroizing;

use super::scope::Scopes;
use super::url::{Url, encoded};
use crate::credentials::Credential;
use crate::error::Error;

/// Bytes of the answer with a token.
pub(super) const MAX_ANSWER: u64 = 64 << 10;

/// How long a token holds that does not say it.
const DEFAULT_LIFE: u64 = 60;

/// Tokens that are kept, one for each scope.
const MAX_TOKENS: usize = 256;

/// Where tokens are given out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Service {
    pub(super) realm: Url,
    pub(super) name: Option<String>,
}

/// A request for a token. It holds secrets.
pub(super) enum TokenRequest {
    /// GET, with or without a user name and password in the header.
    Get { url: Url },
    /// POST of a form.
    Post { url: Url, form: Zeroizing<String> },
}

impl Service {
    /// What is sent for a token.
    pub(super) fn request(&self, scopes: &Scopes, credential: Option<&Credential>) -> TokenRequest {
        if let Some(Credential::Identity(refresh)) = credential {
            let mut form = Zeroizing::new(String::from("grant_type=refresh_token&client_id=touchmark"));
            let scope = scopes.to_string();
            for (name, value) in
                [("service", self.name.as_deref()), ("scope", Some(scope.as_str())), ("refresh_token", Some(refresh.as_str()))]
            {
                if let Some(value) = value.filter(|value| !value.is_empty()) {
                    *form = format!("{}&{name}={}", form.as_str(), encoded(value));
                }
            }
            return TokenRequest::Post { url: self.realm.clone(), form };
        }
        let scopes: Vec<String> = scopes.each().collect();
        let service = self.name.iter().map(|name| ("service", name.as_str()));
        let query: Vec<(&str, &str)> = service.chain(scopes.iter().map(|scope| ("scope", scope.as_str()))).collect();
        TokenRequest::Get { url: self.realm.with_query(&query) }
    }
}

/// A token, which Debug does not show.
#[derive(Clone)]
pub(super) struct Token {
    pub(super) text: Zeroizing<String>,
    until: Instant,
    /// Tokens are told apart by their number.
    pub(super) number: u64,
}

impl Token {
    /// Reads the answer of a token service.
    pub(super) fn parse(answer: &[u8], now: Instant) -> Result<Self, &'static str> {
        static NUMBER: AtomicU64 = AtomicU64::new(1);
        let most = usize::try_from(MAX_ANSWER).unwrap_or(usize::MAX);
        let document = json::parse_bounded(answer, most, 1024).map_err(|_| "the answer is not JSON")?;
        let member = |name: &str| document.get(name).and_then(json::Value::as_str).filter(|text| !text.is_empty());
        let text = member("token").or_else(|| member("access_token")).ok_or("the answer holds no token")?;
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("the token is none that a header can hold");
        }
        let life = document.get("expires_in").and_then(json::Value::as_u64).unwrap_or(DEFAULT_LIFE).min(24 * 3600);
        // Sooner than the service says, since the answer was on its way and the next request will be.
        let life = Duration::from_secs(life - (life / 4).min(15));
        let until = now.checked_add(life).unwrap_or(now);
        Ok(Self { text: Zeroizing::new(text.to_owned()), until, number: NUMBER.fetch_add(1, Ordering::Relaxed) })
    }
}

/// The tokens of one registry, shared between threads.
#[derive(Default)]
pub(super) struct Tokens {
    slots: Mutex<HashMap<String, Arc<Slot>>>,
}

/// The token for one scope. Who fetches it holds the lock, so that everybody else waits for it and fetches none.
#[derive(Default)]
struct Slot {
    token: Mutex<Held>,
    /// Fetches that failed, counted outside the lock, for those who wait for it.
    failures: AtomicU64,
}

#[derive(Default)]
struct Held {
    token: Option<Token>,
    /// Why the last fetch failed.
    failed: Option<Error>,
}

impl Tokens {
    /// The token for `scope`, but not the one with the number `refused`; unless there is one, `fetch` gets it.
    pub(super) fn get(&self, scope: &str, refused: Option<u64>, fetch: impl FnOnce() -> Result<Token, Error>) -> Result<Token, Error> {
        let slot = self.slot(scope);
        let failures = slot.failures.load(Ordering::SeqCst);
        let mut held = slot.token.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(token) = held.token.as_ref().filter(|token| Some(token.number) != refused && token.until > Instant::now()) {
            return Ok(token.clone());
        }
        // Somebody else tried while this thread waited: it would fare no better.
        if let Some(error) = held.failed.as_ref().filter(|_| slot.failures.load(Ordering::SeqCst) != failures) {
            return Err(again(error));
        }
        match fetch() {
            Ok(token) => {
                held.token = Some(token.clone());
                Ok(token)
            }
            Err(error) => {
                held.failed = Some(again(&error));
                slot.failures.fetch_add(1, Ordering::SeqCst);
                Err(error)
            }
        }
    }

    fn slot(&self, scope: &str) -> Arc<Slot> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if slots.len() >= MAX_TOKENS && !slots.contains_key(scope) {
            slots.clear();
        }
        Arc::clone(slots.entry(scope.to_owned()).or_default())
    }
}

/// The same error for another thread.
fn again(error: &Error) -> Error {
    match error {
        Error::Status { url, status, code, message } => {
            Error::Status { url: url.clone(), status: *status, code: code.clone(), message: message.clone() }
        }
        Error::Protocol { url, reason } => Error::Protocol { url: url.clone(), reason: reason.clone() },
        Error::Unsafe { url, reason } => Error::Unsafe { url: url.clone(), reason: reason.clone() },
        Error::Connection { url, reason } => Error::Connection { url: url.clone(), reason: reason.clone() },
        Error::Configuration { what, reason } => Error::Configuration { what: what.clone(), reason: reason.clone() },
        other => Error::Connection { url: "the token".to_owned(), reason: other.to_string() },
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::sync::atomic::AtomicUsize;

    use super::*;

    fn token(answer: &str) -> Result<Token, &'static str> {
        Token::parse(answer.as_bytes(), Instant::now())
    }

    #[test]
    fn answers_are_read() {
        let text = |answer| token(answer).map(|token| token.text.to_string());
        assert_eq!(text(r#"{"token":"a.b"}"#), Ok("a.b".to_owned()));
        assert_eq!(text(r#"{"access_token":"a","token":"b"}"#), Ok("b".to_owned()));
        assert_eq!(text(r#"{"access_token":"a","token":"","expires_in":300,"issued_at":"x"}"#), Ok("a".to_owned()));
        for wrong in ["", "{}", "[]", r#"{"token":1}"#, r#"{"token":"a b"}"#, r#"{"token":"a\r\nX: y"}"#, r#"{"token":"a","token":"b"}"#] {
            assert!(text(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn tokens_hold_a_little_less_long_than_they_say() {
        let now = Instant::now();
        let life = |answer: &str| (Token::parse(answer.as_bytes(), now).unwrap().until - now).as_secs();
        assert_eq!(life(r#"{"token":"a"}"#), 45);
        assert_eq!(life(r#"{"token":"a","expires_in":300}"#), 285);
        assert_eq!(life(r#"{"token":"a","expires_in":8}"#), 6);
        assert_eq!(life(r#"{"token":"a","expires_in":0}"#), 0);
        assert_eq!(life(r#"{"token":"a","expires_in":18446744073709551615}"#), 24 * 3600 - 15);
    }

    #[test]
    fn a_request_names_service_and_scopes() {
        let realm = Url::parse("https://auth.example.com/token?x=1").unwrap();
        let service = Service { realm, name: Some("registry & co".to_owned()) };
        let scopes = Scopes::parse("repository:a/b:pull,push repository:c:pull");
        let TokenRequest::Get { url } = service.request(&scopes, None) else { panic!("a GET") };
        let expected = "https://auth.example.com/token?x=1&service=registry%20%26%20co\
                        &scope=repository%3Aa%2Fb%3Apull%2Cpush&scope=repository%3Ac%3Apull";
        assert_eq!(url.to_string(), expected);

        let identity = Credential::Identity(Zeroizing::new("r&t".to_owned()));
        let TokenRequest::Post { url, form } = service.request(&scopes, Some(&identity)) else { panic!("a POST") };
        assert_eq!(url.to_string(), "https://auth.example.com/token?x=1");
        let expected = "grant_type=refresh_token&client_id=touchmark&service=registry%20%26%20co\
                        &scope=repository%3Aa%2Fb%3Apull%2Cpush%20repository%3Ac%3Apull&refresh_token=r%26t";
        assert_eq!(form.as_str(), expected);
    }

    #[test]
    fn many_threads_fetch_one_token() {
        let (tokens, fetches, barrier) = (Tokens::default(), AtomicUsize::new(0), Barrier::new(8));
        let fetch = || {
            fetches.fetch_add(1, Ordering::SeqCst);
            token(r#"{"token":"a"}"#).map_err(|_| unreachable!())
        };
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    barrier.wait();
                    assert_eq!(tokens.get("s", None, fetch).unwrap().text.as_str(), "a");
                });
            }
        });
        assert_eq!(fetches.load(Ordering::SeqCst), 1);
        let first = tokens.get("s", None, fetch).unwrap();
        // All of them were refused it: one new token for all.
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    barrier.wait();
                    assert_ne!(tokens.get("s", Some(first.number), fetch).unwrap().number, first.number);
                });
            }
        });
        assert_eq!(fetches.load(Ordering::SeqCst), 2);
        let _ = tokens.get("other", None, fetch).unwrap();
        assert_eq!(fetches.load(Ordering::SeqCst), 3);
    }

    #[test]
    fn a_failure_is_shared_with_those_who_waited_for_it() {
        let (tokens, fetches) = (Tokens::default(), AtomicUsize::new(0));
        let slot = tokens.slot("s");
        let failing = || {
            fetches.fetch_add(1, Ordering::SeqCst);
            Err(Error::Status { url: "GET x".to_owned(), status: 503, code: None, message: None })
        };
        assert!(tokens.get("s", None, failing).is_err());
        // Who comes later tries again.
        assert!(tokens.get("s", None, failing).is_err());
        assert_eq!(fetches.load(Ordering::SeqCst), 2);
        assert_eq!(slot.failures.load(Ordering::SeqCst), 2);
        assert!(matches!(slot.token.lock().unwrap().failed, Some(Error::Status { status: 503, .. })));
    }

    #[test]
    fn an_expired_token_is_fetched_anew() {
        let (tokens, fetches) = (Tokens::default(), AtomicUsize::new(0));
        let fetch = || {
            fetches.fetch_add(1, Ordering::SeqCst);
            token(r#"{"token":"a","expires_in":0}"#).map_err(|_| unreachable!())
        };
        assert!(tokens.get("s", None, fetch).is_ok() && tokens.get("s", None, fetch).is_ok());
        assert_eq!(fetches.load(Ordering::SeqCst), 2);
    }
}
