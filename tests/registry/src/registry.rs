//! The registry's answers, whatever connection a request came over.

use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use crate::answer::Answer;
use crate::auth::{Auth, Granted, Needed};
use crate::connection::Answering;
use crate::fault::{Action, Faults};
use crate::lists::not_found;
use crate::lock::lock;
use crate::log::Log;
use crate::route::{Query, Route, is_name};
use crate::settings::Settings;
use crate::store::Store;
use crate::wire::{Body, Head};

/// The registry behind all connections.
pub(crate) struct Registry {
    settings: RwLock<Arc<Settings>>,
    pub(crate) store: Store,
    pub(crate) faults: Faults,
    pub(crate) log: Log,
    granted: Granted,
    /// Where the token service is, for challenges.
    realm: Mutex<String>,
}

/// A request that is being answered.
pub(crate) struct Exchange<'a, 'wire> {
    pub(crate) head: &'a Head,
    pub(crate) query: Query,
    pub(crate) body: Body<'wire>,
    pub(crate) settings: Arc<Settings>,
}

impl Answering for Registry {
    fn faults(&self) -> &Faults {
        &self.faults
    }

    fn log(&self) -> &Log {
        &self.log
    }

    fn delay(&self) -> Duration {
        self.settings().delay
    }

    fn answer(&self, head: &Head, body: Body<'_>, action: Option<&Action>) -> (Answer, bool) {
        let settings = self.settings();
        let (route, query) = Route::of(path_of(&head.target));
        let mut exchange = Exchange { head, query, body, settings };
        let answer = self.route(&mut exchange, &route, action).header("Docker-Distribution-API-Version", "registry/2.0");
        let clean = exchange.body.drain();
        (answer, clean)
    }
}

impl Registry {
    pub(crate) fn new(settings: Settings) -> Self {
        Self {
            settings: RwLock::new(Arc::new(settings)),
            store: Store::default(),
            faults: Faults::default(),
            log: Log::new(),
            granted: Granted::default(),
            realm: Mutex::default(),
        }
    }

    pub(crate) fn settings(&self) -> Arc<Settings> {
        Arc::clone(&self.settings.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut Settings)) {
        let mut settings = self.settings.write().unwrap_or_else(PoisonError::into_inner);
        let mut changed = Settings::clone(&settings);
        change(&mut changed);
        *settings = Arc::new(changed);
    }

    pub(crate) fn set_realm(&self, realm: String) {
        *lock(&self.realm) = realm;
    }

    fn route(&self, exchange: &mut Exchange<'_, '_>, route: &Route, action: Option<&Action>) -> Answer {
        if *route == Route::Unknown {
            return if path_of(&exchange.head.target).split('?').next() == Some("/token") { self.token(exchange) } else { not_found() };
        }
        let needed = Needed::by(&exchange.head.method, route.repository());
        let realm = lock(&self.realm).clone();
        if let Err(refusal) = self.granted.check(&exchange.settings.auth, &realm, exchange.head, &needed) {
            return refusal;
        }
        if route.repository().is_some_and(|name| !is_name(name)) {
            let status = if matches!(exchange.head.method.as_str(), "GET" | "HEAD") { 404 } else { 400 };
            return Answer::error(status, "NAME_INVALID", "invalid repository name");
        }
        let method = exchange.head.method.clone();
        match (route, method.as_str()) {
            (Route::Base, "GET" | "HEAD") => Answer::new(200).json(&serde_json::json!({})),
            (Route::Catalog, "GET" | "HEAD") => self.catalog(exchange),
            (Route::Manifest { name, reference }, "GET" | "HEAD") => {
                let reference = if let Some(Action::Manifest(other)) = action { other } else { reference };
                self.pull_manifest(exchange, name, reference)
            }
            (Route::Manifest { name, reference }, "PUT") => self.push_manifest(exchange, name, reference),
            (Route::Manifest { name, reference }, "DELETE") => self.delete_manifest(exchange, name, reference),
            (Route::Blob { name, digest }, "GET" | "HEAD") => self.pull_blob(exchange, name, digest),
            (Route::Blob { name, digest }, "DELETE") => self.delete_blob(exchange, name, digest),
            (Route::Uploads { name }, "POST") => self.begin_upload(exchange, name),
            (Route::Upload { name, session }, _) => self.upload(exchange, name, session),
            (Route::Tags { name }, "GET" | "HEAD") => self.tags(exchange, name),
            (Route::Referrers { name, digest }, "GET" | "HEAD") => self.referrers(exchange, name, digest),
            _ => Answer::error(405, "UNSUPPORTED", "the operation is unsupported"),
        }
    }

    pub(crate) fn may_pull(&self, exchange: &Exchange<'_, '_>, repository: &str) -> bool {
        let needed = Needed::by("GET", Some(repository));
        self.granted.check(&exchange.settings.auth, "", exchange.head, &needed).is_ok()
    }

    fn token(&self, exchange: &mut Exchange<'_, '_>) -> Answer {
        use std::io::Read as _;
        let settings = Arc::clone(&exchange.settings);
        let Auth::Token(service) = &settings.auth else {
            return not_found();
        };
        let form = if exchange.head.method == "POST" {
            let mut form = String::new();
            if (&mut exchange.body).take(64 << 10).read_to_string(&mut form).is_err() {
                return Answer::error(400, "UNSUPPORTED", "the form is no text");
            }
            Some(Query::parse(&form))
        } else {
            None
        };
        self.granted.token(service, exchange.head, &exchange.query, form.as_ref())
    }
}

/// The path and the query of a target, which may be a whole URL when it comes through a proxy (RFC 9112, 3.2.2).
fn path_of(target: &str) -> &str {
    match target.split_once("://") {
        Some((scheme, rest)) if !scheme.contains('/') => rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/"),
        _ => target,
    }
}
