//! One server, and whatever it leads to.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

use super::agents::Agents;
use super::authorization::{Authorization, Patience};
use super::exchange::{Outfit, Sent};
use super::proxy::Proxies;
use super::response::{Asked, Response};
use super::retry::{self, Failure, Tries};
use super::url::{Origin, Url};
use super::{Body, Location, Method, Repeat, Request, Target};
use crate::access::{Access, DEFAULT_RETRIES, DEFAULT_TIMEOUT};
use crate::error::Error;

/// Redirects of one request.
const MAX_REDIRECTS: usize = 10;

/// How soon a server on this machine that broke off must answer to TLS; most that speak plain HTTP would wait for the rest of a request.
const SOON: Duration = Duration::from_secs(2);

/// A connection to one server. It may be used from several threads, which then share its connections and tokens.
#[derive(Debug)]
pub struct Client {
    authority: String,
    /// [`UNDECIDED`], [`PLAIN`] or [`TLS`].
    scheme: AtomicU8,
    pub(super) agents: Arc<Agents>,
    authorization: Authorization,
    pub(super) patience: Patience,
}

/// Plain HTTP is tried first, and nothing answered yet.
const UNDECIDED: u8 = 0;
const PLAIN: u8 = 1;
const TLS: u8 = 2;

impl Client {
    /// A client for the server `host` (`HOST[:PORT]`). Nothing is sent yet.
    ///
    /// # Errors
    /// A certificate or a key cannot be read.
    pub fn new(host: &str, access: &Access) -> Result<Self, Error> {
        Self::through(host, access, Proxies::from_environment())
    }

    /// A client for the server of a URL that the user gave, which is no registry: the URL alone says whether TLS is spoken, and no host
    /// stands for another one. Nothing is sent yet.
    ///
    /// # Errors
    /// A certificate or a key cannot be read.
    pub fn at(location: &Location, access: &Access) -> Result<Self, Error> {
        let origin = &location.url.origin;
        let authority = origin.authority();
        Self::with(&authority, &authority, if origin.tls { TLS } else { PLAIN }, access, Proxies::from_environment())
    }

    /// As [`new`](Self::new), with these proxies.
    pub(super) fn through(host: &str, access: &Access, proxies: Proxies) -> Result<Self, Error> {
        // Docker Hub's name is not that of its registry.
        let authority = if matches!(host, "docker.io" | "index.docker.io") { "registry-1.docker.io" } else { host };
        let invalid = || Error::Configuration { what: host.to_owned(), reason: "not a host".to_owned() };
        let origin = Origin::new(true, authority).ok_or_else(invalid)?;
        let asks_for_tls = access.insecure || access.ca_file.is_some() || access.client_certificate.is_some();
        let scheme = match access.plain_http {
            true => PLAIN,
            false if origin.is_loopback() && !asks_for_tls => UNDECIDED,
            false => TLS,
        };
        Self::with(host, authority, scheme, access, proxies)
    }

    /// `host` is what the user has credentials for, `authority` where it is.
    fn with(host: &str, authority: &str, scheme: u8, access: &Access, proxies: Proxies) -> Result<Self, Error> {
        let timeout = access.timeout.unwrap_or(DEFAULT_TIMEOUT);
        let agents = Arc::new(Agents::new(access, proxies, timeout)?);
        Ok(Self {
            authority: authority.to_owned(),
            scheme: AtomicU8::new(scheme),
            authorization: Authorization::new(host, access, Arc::clone(&agents)),
            agents,
            patience: Patience { timeout, retries: access.retries.unwrap_or(DEFAULT_RETRIES), pause: retry::FIRST, until: None },
        })
    }

    /// Sends a request, and answers challenges, follows redirects and tries again as needed.
    ///
    /// # Errors
    /// The server cannot be reached, refuses, or goes on failing. Any other status is an answer.
    pub fn send(&self, request: Request<'_>) -> Result<Response, Error> {
        self.tried(request, self.patience, Ok)
    }

    /// Whether the server has asked for credentials so far, and there were some to show, or a token was had for none.
    pub fn was_challenged(&self) -> bool {
        self.authorization.was_challenged()
    }

    /// As [`send`](Self::send), with the whole body of a success, which has at most `limit` bytes: a body that breaks off is asked for
    /// again with the request. The body of any other answer, which must not break off either, is left in the response.
    ///
    /// # Errors
    /// As of `send`; the body has more bytes.
    pub fn fetch(&self, request: Request<'_>, limit: u64) -> Result<(Response, Vec<u8>), Error> {
        self.fetch_until(request, limit, None)
    }

    /// As [`fetch`](Self::fetch), all of which has ended by `until`: every try with its redirects and tokens, every pause between them, and
    /// the body.
    ///
    /// # Errors
    /// As of `fetch`; the time is over.
    pub fn fetch_until(&self, request: Request<'_>, limit: u64, until: Option<Instant>) -> Result<(Response, Vec<u8>), Error> {
        self.tried(request, Patience { until, ..self.patience }, |mut response| {
            response.whole()?;
            let bytes = if (200..300).contains(&response.status()) { response.read_bytes(limit)? } else { Vec::new() };
            Ok((response, bytes))
        })
    }

    /// Sends a request, with this patience, until `finish` makes something of the answer, or there is no use in it.
    fn tried<T>(&self, mut request: Request<'_>, patience: Patience, finish: impl Fn(Response) -> Result<T, Failure>) -> Result<T, Error> {
        let mut tries = Tries::of(patience);
        let mut sent = Sent::default();
        loop {
            let outcome = self.exchange(&mut request, patience, &mut sent).and_then(|response| match response.status() {
                401 | 429 | 500..=599 => Err(retry::refused(response)),
                _ => finish(response),
            });
            let failure = match outcome {
                Ok(done) => return Ok(done),
                Err(failure) => failure,
            };
            if request.repeat == Repeat::Once || sent.begun {
                return Err(failure.error);
            }
            std::thread::sleep(tries.next(failure)?);
        }
    }

    /// One request with what it leads to: an answered challenge, redirects.
    fn exchange(&self, request: &mut Request<'_>, patience: Patience, sent: &mut Sent) -> Result<Response, Failure> {
        if matches!((&request.body, request.target), (Body::Stream(..), Target::Path(_))) && self.authorization.is_open() {
            // What can be sent once is not spent on finding out how, and as whom. What comes of this the request itself will show.
            let target = Target::Path("/v2/");
            let _ = self.send(Request { method: Method::Get, target, headers: &[], body: Body::Empty, repeat: Repeat::Retry, ..*request });
        }
        let mut url = match request.target {
            Target::Location(location) => location.url.clone(),
            Target::Path(path) => self.own_url(self.scheme.load(Ordering::Relaxed) == TLS, path)?,
        };
        // Whether every server so far was the registry: what another one leads to gets no credentials, even if it leads back.
        let mut own = true;
        let (mut shown, mut answered, mut redirects) = (None, false, 0);
        loop {
            let registry = self.origin();
            own &= url.origin == registry;
            if own && shown.is_none() {
                shown = self.authorization.beforehand(request.scope, &registry, patience)?;
            }
            let authorization = shown.as_ref().filter(|_| own).map(|shown| &shown.value);
            let outfit = Outfit { headers: request.headers, authorization, connected_within: None };
            let shows_query = redirects == 0 && matches!(request.target, Target::Path(_));
            let led_by = Some(registry).filter(|_| !own);
            let asked = Asked { method: request.method, url, shown: shows_query, timeout: patience.timeout, until: patience.until, led_by };
            let response = self.settled(asked, own, &outfit, &mut request.body, sent)?;
            if own {
                self.authorization.heard();
            }
            if response.status() == 401 && own && !answered && !sent.begun {
                let registry = self.origin();
                let answer = self.authorization.answer(&response, request.scope, shown.as_ref(), &registry, patience)?;
                if answer.is_some() {
                    (shown, answered, url) = (answer, true, response.url().clone());
                    continue;
                }
            }
            let redirect = matches!(response.status(), 301 | 302 | 303 | 307 | 308);
            if !redirect || !matches!(request.method, Method::Get | Method::Head) {
                return Ok(response);
            }
            if redirects == MAX_REDIRECTS {
                let reason = format!("more than {MAX_REDIRECTS} redirects");
                return Err(Error::Protocol { url: response.asked(), reason }.into());
            }
            let wrong = || Error::Protocol { url: response.asked(), reason: "a redirect that does not say where to".to_owned() };
            url = response.join(response.header("location").ok_or_else(wrong)?)?;
            redirects += 1;
        }
    }

    /// One request and its answer. The first one to a server on this machine finds out whether it speaks plain HTTP or TLS.
    fn settled(&self, asked: Asked, own: bool, outfit: &Outfit<'_>, body: &mut Body<'_>, sent: &mut Sent) -> Result<Response, Failure> {
        if !own || self.scheme.load(Ordering::Relaxed) != UNDECIDED {
            return self.agents.exchange(asked, own, outfit, body, sent);
        }
        let plain = self.agents.exchange(asked.clone(), own, outfit, body, sent);
        let (refused, odd) = match &plain {
            Ok(response) => (response.wants_tls(), false),
            Err(failure) => (false, failure.garbled),
        };
        if !refused && (plain.is_ok() || odd) {
            self.scheme.store(PLAIN, Ordering::Relaxed);
        }
        if !(refused || odd) || sent.begun {
            return plain;
        }
        let secure = Asked { url: self.own_url(true, asked.url.path())?, ..asked };
        let connected_within = odd.then(|| SOON.min(self.patience.timeout));
        match self.agents.exchange(secure, own, &Outfit { connected_within, ..*outfit }, body, sent) {
            // With a certificate that is not trusted it is TLS all the same.
            outcome if outcome.is_ok() || refused || outcome.as_ref().is_err_and(|failure| failure.certificate) => {
                self.scheme.store(TLS, Ordering::Relaxed);
                outcome
            }
            _ => plain,
        }
    }

    /// The server, with the scheme that is used now.
    fn origin(&self) -> Origin {
        self.origin_with(self.scheme.load(Ordering::Relaxed) == TLS)
    }

    fn origin_with(&self, tls: bool) -> Origin {
        // That it is a host was seen at the beginning.
        Origin::new(tls, &self.authority).unwrap_or_else(|| Origin { tls, host: String::new(), port: 0 })
    }

    fn own_url(&self, tls: bool, path: &str) -> Result<Url, Error> {
        let origin = self.origin_with(tls);
        let url = origin.to_string();
        Url::new(origin, path).map_err(|reason| Error::Protocol { url, reason: reason.to_owned() })
    }
}
