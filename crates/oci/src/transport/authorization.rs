//! Which credentials answer which challenge (RFC 7617, RFC 6750, distribution's token authentication), and where they never go.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::agents::Agents;
use super::challenge::{self, Challenge};
use super::exchange::{Outfit, Sent};
use super::response::{Asked, Response};
use super::retry::{self, Failure, Tries};
use super::scope::Scopes;
use super::token::{self, Service, Token, TokenRequest, Tokens};
use super::url::{Origin, Url};
use super::{Body, Method};
use crate::access::Access;
use crate::credentials::{self, Credential};
use crate::error::Error;

/// What one registry asks for, and what it is shown. Credentials are looked for when it asks, and not before.
pub(super) struct Authorization {
    /// The registry as the user names it.
    host: String,
    access: Access,
    agents: Arc<Agents>,
    /// What the registry asked for last.
    known: Mutex<Option<Known>>,
    answered: AtomicBool,
    /// By repository, since some files have them for parts of a registry.
    credentials: Mutex<HashMap<String, Option<Credential>>>,
    tokens: Tokens,
}

#[derive(Clone, Debug)]
enum Known {
    Basic,
    Bearer(Service),
}

/// The value of an Authorization header.
pub(super) struct Shown {
    pub(super) value: Zeroizing<String>,
    from: From,
}

/// Where the value comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum From {
    /// From the credentials themselves: another try would show the same.
    Credential,
    /// The token of this number.
    Token(u64),
}

/// How servers and the token service are asked, how often, and until when.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    pub(super) timeout: Duration,
    pub(super) retries: u32,
    pub(super) pause: Duration,
    /// When all of it ends, pauses and tries included.
    pub(super) until: Option<Instant>,
}

impl Authorization {
    pub(super) fn new(host: &str, access: &Access, agents: Arc<Agents>) -> Self {
        let (host, access) = (host.to_owned(), access.clone());
        let (known, answered) = (Mutex::new(None), AtomicBool::new(false));
        Self { host, access, agents, known, answered, credentials: Mutex::default(), tokens: Tokens::default() }
    }

    /// What a request is sent with before any challenge, once one has come for another request.
    pub(super) fn beforehand(&self, scope: &str, registry: &Origin, patience: Patience) -> Result<Option<Shown>, Error> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match known {
            None => Ok(None),
            Some(Known::Basic) => Ok(self.credential(&Scopes::parse(scope), registry)?.and_then(|credential| basic(&credential))),
            Some(Known::Bearer(service)) => self.bearer(&service, scope, &Scopes::default(), None, registry, patience).map(Some),
        }
    }

    /// Whether the registry has not answered anything yet, so that what it asks for is unknown.
    pub(super) fn is_open(&self) -> bool {
        !self.answered.load(Ordering::Relaxed)
    }

    /// Whether the registry asked for credentials, and there were some or a token.
    pub(super) fn was_challenged(&self) -> bool {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// The registry answered something, though maybe not what it was asked.
    pub(super) fn heard(&self) {
        self.answered.store(true, Ordering::Relaxed);
    }

    /// What answers the challenge in `response`, which is the registry's own; `shown` is what it refused. `None` if there is nothing
    /// else to show.
    pub(super) fn answer(
        &self,
        response: &Response,
        scope: &str,
        shown: Option<&Shown>,
        registry: &Origin,
        patience: Patience,
    ) -> Result<Option<Shown>, Error> {
        let malformed = |reason: String| Error::Protocol { url: response.asked(), reason };
        let challenges = challenge::parse(response.headers("www-authenticate")).map_err(|error| malformed(error.to_string()))?;
        let bearer = challenges.iter().filter(|challenge| challenge.is("Bearer"));
        if let Some((challenge, realm)) = bearer.filter_map(|challenge| Some((challenge, challenge.parameter("realm")?))).next() {
            let realm = Url::parse(realm).map_err(|why| malformed(format!("sends for a token to {:?}: {why}", shortened(realm))))?;
            if !may_hold_secrets(&realm.origin) {
                let reason = format!("it sends for a token to {}, without TLS", realm.origin);
                return Err(Error::Unsafe { url: response.asked(), reason });
            }
            let service = Service { realm, name: challenge.parameter("service").map(str::to_owned) };
            self.learn(Known::Bearer(service.clone()));
            let refused = shown.map(|shown| shown.from);
            let found = self.bearer(&service, scope, &asked_for(challenge), refused, registry, patience)?;
            // The same once more would be refused once more.
            return Ok(Some(found).filter(|found| Some(found.from) != refused));
        }
        if challenges.iter().any(|challenge| challenge.is("Basic")) {
            let credential = self.credential(&Scopes::parse(scope), registry)?;
            let found = credential.and_then(|credential| basic(&credential)).filter(|_| shown.is_none());
            if found.is_some() {
                self.learn(Known::Basic);
            }
            return Ok(found);
        }
        Ok(None)
    }

    fn learn(&self, known: Known) {
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some(known);
    }

    /// A bearer token for `scope` and what the challenge asks for besides.
    fn bearer(
        &self,
        service: &Service,
        scope: &str,
        besides: &Scopes,
        refused: Option<From>,
        registry: &Origin,
        patience: Patience,
    ) -> Result<Shown, Error> {
        let scopes = Scopes::parse(scope).and(besides);
        let credential = self.credential(&scopes, registry)?;
        if let Some(Credential::Registry(token)) = &credential {
            return Ok(Shown { value: Zeroizing::new(format!("Bearer {}", token.as_str())), from: From::Credential });
        }
        let refused = match refused {
            Some(From::Token(number)) => Some(number),
            _ => None,
        };
        let fetch = || self.fetch(service, &scopes, credential.as_ref(), registry, patience);
        let token = self.tokens.get(scope, refused, fetch)?;
        Ok(Shown { value: Zeroizing::new(format!("Bearer {}", token.text.as_str())), from: From::Token(token.number) })
    }

    /// Asks the token service, which gets this registry's credentials and no others.
    fn fetch(
        &self,
        service: &Service,
        scopes: &Scopes,
        credential: Option<&Credential>,
        registry: &Origin,
        patience: Patience,
    ) -> Result<Token, Error> {
        let shown = credential.and_then(basic);
        let (method, url, form, headers): (_, _, _, &[(&str, &str)]) = match service.request(scopes, credential) {
            TokenRequest::Get { url } => (Method::Get, url, None, &[("accept", "application/json")]),
            TokenRequest::Post { url, form } => {
                let kind = ("content-type", "application/x-www-form-urlencoded");
                (Method::Post, url, Some(form), &[("accept", "application/json"), kind])
            }
        };
        let outfit = Outfit { headers, authorization: shown.as_ref().map(|shown| &shown.value), connected_within: None };
        let own = url.origin == *registry;
        let asked = Asked { method, url, shown: false, timeout: patience.timeout, until: patience.until, led_by: None };
        let mut tries = Tries::of(patience);
        loop {
            let mut body = form.as_ref().map_or(Body::Empty, |form| Body::Bytes(form.as_bytes()));
            let outcome = self.agents.exchange(asked.clone(), own, &outfit, &mut body, &mut Sent::default());
            match outcome.and_then(|response| read(response, &asked)) {
                Ok(token) => return Ok(token),
                Err(failure) => std::thread::sleep(tries.next(failure).map_err(|error| named(error, registry, &service.realm))?),
            }
        }
    }

    /// The credentials for the registry, which are refused to a connection that anybody can listen to.
    fn credential(&self, scopes: &Scopes, registry: &Origin) -> Result<Option<Credential>, Error> {
        let repository = scopes.repository();
        let mut found = self.credentials.lock().unwrap_or_else(PoisonError::into_inner);
        let credential = match found.get(repository) {
            Some(known) => known.clone(),
            None => {
                let credential = credentials::find(&self.host, repository, &self.access)?;
                found.insert(repository.to_owned(), credential.clone());
                credential
            }
        };
        match credential {
            Some(credential) if !may_hold_secrets(registry) => {
                let reason = format!("{} would be sent without TLS", credential.kind());
                Err(Error::Unsafe { url: registry.to_string(), reason })
            }
            other => Ok(other),
        }
    }
}

impl fmt::Debug for Authorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authorization").field("host", &self.host).finish_non_exhaustive()
    }
}

/// Whether secrets may go there.
fn may_hold_secrets(origin: &Origin) -> bool {
    origin.tls || origin.is_loopback()
}

/// RFC 7617, 2.
fn basic(credential: &Credential) -> Option<Shown> {
    let Credential::Basic { username, password } = credential else { return None };
    let pair = Zeroizing::new(format!("{username}:{}", password.as_str()));
    let encoded = Zeroizing::new(STANDARD.encode(pair.as_bytes()));
    Some(Shown { value: Zeroizing::new(format!("Basic {}", encoded.as_str())), from: From::Credential })
}

fn asked_for(challenge: &Challenge) -> Scopes {
    Scopes::parse(challenge.parameter("scope").unwrap_or_default())
}

/// The token in the answer of a token service.
fn read(mut response: Response, asked: &Asked) -> Result<Token, Failure> {
    if response.status() != 200 {
        return Err(retry::refused(response));
    }
    let malformed = |reason: &str| Error::Protocol { url: asked.to_string(), reason: reason.to_owned() };
    let answer = match response.read_bytes(token::MAX_ANSWER) {
        Ok(answer) => Zeroizing::new(answer),
        Err(Failure { error: Error::TooLarge { .. }, .. }) => return Err(malformed("the answer with the token is too large").into()),
        Err(failure) => return Err(failure),
    };
    Token::parse(&answer, Instant::now()).map_err(|reason| malformed(reason).into())
}

/// A refusal of the token service, told as one of the registry, which is where the user has credentials.
fn named(error: Error, registry: &Origin, realm: &Url) -> Error {
    match error {
        Error::Status { status: status @ (401 | 403), code, message, .. } => {
            Error::Status { url: format!("{registry}/ (asking {} for a token)", realm.without_query()), status, code, message }
        }
        other => other,
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(200).collect()
}
