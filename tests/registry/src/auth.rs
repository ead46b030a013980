//! Who may do what: Basic (RFC 7617) and distribution's token authentication.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::answer::Answer;
use crate::jwt::TokenIssuer;
use crate::lock::lock;
use crate::random::uuid;
use crate::route::Query;
use crate::wire::Head;

/// How the registry knows who asks.
#[derive(Clone, Debug, Default)]
pub enum Auth {
    /// It does not care.
    #[default]
    None,
    /// By name and password in every request.
    Basic {
        /// Who is known.
        users: Vec<User>,
        /// What the others may do.
        anonymous: Access,
    },
    /// By tokens from a token service, which this server runs too.
    Token(Tokens),
}

/// Somebody with a password.
#[derive(Clone, Debug)]
pub struct User {
    /// The name.
    pub name: String,
    /// The password.
    pub password: String,
    /// The identity token (`grant_type=refresh_token`) that the token service takes in place of both.
    pub identity_token: Option<String>,
    /// What may be done.
    pub access: Access,
}

/// What somebody may do.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// In each repository.
    pub rights: Rights,
    /// In these and below, instead; the first that matches decides.
    pub on: Vec<(String, Rights)>,
}

/// What may be done in a repository.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rights {
    /// Nothing.
    #[default]
    None,
    /// Pulling.
    Read,
    /// Pulling, pushing and deleting.
    Write,
}

/// The token service.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// Who is known.
    pub users: Vec<User>,
    /// What the others may do.
    pub anonymous: Access,
    /// The realm that challenges name; that of this server's own token service unless given.
    pub realm: Option<String>,
    /// The token service listens here, on a port of its own, such as 127.0.0.2; on the registry's own port unless given.
    pub address: Option<IpAddr>,
    /// What `expires_in` says, and how long a token is good; unsaid and 60 s unless given.
    pub lifetime: Option<Duration>,
    /// The member of the answer that holds the token.
    pub member: Member,
    /// Whether `POST`, that is OAuth2, is known to the token service; otherwise 405.
    pub post: bool,
    /// Who signs the tokens, as docker-registry wants them; they are mere names of what this server remembers unless given.
    pub issuer: Option<Arc<TokenIssuer>>,
}

/// The member of a token service's answer that holds the token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Member {
    /// `token` and `access_token`.
    #[default]
    Both,
    /// `token`.
    Token,
    /// `access_token`.
    AccessToken,
}

impl Auth {
    /// Basic authentication, with one user who may do everything.
    #[must_use]
    pub fn basic(name: &str, password: &str) -> Self {
        Self::Basic { users: vec![User::new(name, password)], anonymous: Access::default() }
    }

    /// Tokens, for one user who may do everything.
    #[must_use]
    pub fn token(name: &str, password: &str) -> Self {
        Self::Token(Tokens::new(vec![User::new(name, password)]))
    }
}

impl Tokens {
    /// The token service for these users.
    #[must_use]
    pub fn new(users: Vec<User>) -> Self {
        Self {
            users,
            anonymous: Access::default(),
            realm: None,
            address: None,
            lifetime: None,
            member: Member::Both,
            post: true,
            issuer: None,
        }
    }
}

impl User {
    /// Somebody who may do everything.
    #[must_use]
    pub fn new(name: &str, password: &str) -> Self {
        let access = Access { rights: Rights::Write, on: Vec::new() };
        Self { name: name.to_owned(), password: password.to_owned(), identity_token: None, access }
    }

    /// Somebody who may only pull.
    #[must_use]
    pub fn reader(name: &str, password: &str) -> Self {
        Self { access: Access { rights: Rights::Read, on: Vec::new() }, ..Self::new(name, password) }
    }

    /// The same, but with these rights in this repository and below.
    #[must_use]
    pub fn on(mut self, repository: &str, rights: Rights) -> Self {
        self.access.on.push((repository.to_owned(), rights));
        self
    }

    /// The same, known by an identity token too.
    #[must_use]
    pub fn identity_token(mut self, token: &str) -> Self {
        self.identity_token = Some(token.to_owned());
        self
    }
}

impl Access {
    /// What may be done in `repository`.
    pub fn rights(&self, repository: &str) -> Rights {
        let covers = |on: &str| repository == on || repository.strip_prefix(on).is_some_and(|rest| rest.starts_with('/'));
        self.on.iter().find(|(on, _)| covers(on)).map_or(self.rights, |(_, rights)| *rights)
    }

    fn some(&self) -> bool {
        self.rights > Rights::None || self.on.iter().any(|(_, rights)| *rights > Rights::None)
    }
}

/// The tokens that were given out.
#[derive(Debug, Default)]
pub(crate) struct Granted {
    tokens: Mutex<HashMap<String, Grant>>,
    /// Refresh tokens, and whose they are.
    refresh: Mutex<HashMap<String, String>>,
}

#[derive(Clone, Debug)]
struct Grant {
    /// Repositories, each with what was both asked for and allowed.
    on: Vec<(String, Vec<String>)>,
    until: Instant,
}

/// What a request needs.
pub(crate) struct Needed<'a> {
    /// Where; nowhere in particular for `/v2/` and `_catalog`.
    pub(crate) repository: Option<&'a str>,
    /// `pull`, `push` or `delete`.
    pub(crate) actions: &'static [&'static str],
}

impl<'a> Needed<'a> {
    pub(crate) fn by(method: &str, repository: Option<&'a str>) -> Self {
        let actions: &[&str] = match method {
            "GET" | "HEAD" => &["pull"],
            "DELETE" => &["delete"],
            _ => &["pull", "push"],
        };
        Self { repository, actions }
    }

    fn rights(&self) -> Rights {
        if self.actions == ["pull"] { Rights::Read } else { Rights::Write }
    }
}

impl Granted {
    /// Whether the request may be carried out; the answer to it otherwise.
    pub(crate) fn check(&self, auth: &Auth, realm: &str, head: &Head, needed: &Needed<'_>) -> Result<(), Answer> {
        let authorization = head.header("authorization");
        match auth {
            Auth::None => Ok(()),
            Auth::Basic { users, anonymous } => {
                let challenge = || {
                    Answer::error(401, "UNAUTHORIZED", "authentication required")
                        .header("WWW-Authenticate", "Basic realm=\"test registry\"")
                };
                let access = match authorization.map(basic) {
                    None => anonymous,
                    Some(login) => &login.as_ref().and_then(|login| user(users, login)).ok_or_else(challenge)?.access,
                };
                match needed.repository {
                    None if access.some() => Ok(()),
                    Some(repository) if access.rights(repository) >= needed.rights() => Ok(()),
                    _ if authorization.is_none() => Err(challenge()),
                    _ => Err(Answer::error(403, "DENIED", "requested access to the resource is denied")),
                }
            }
            Auth::Token(_) => {
                let token = authorization.and_then(|value| scheme(value, "bearer"));
                let grant = token.and_then(|token| lock(&self.tokens).get(token).cloned()).filter(|grant| grant.until > Instant::now());
                let mut challenge = format!("Bearer realm=\"{realm}\",service=\"test registry\"");
                if let Some(repository) = needed.repository {
                    challenge.push_str(&format!(",scope=\"repository:{repository}:{}\"", needed.actions.join(",")));
                }
                let error = match (&grant, needed.repository) {
                    (Some(_), None) => return Ok(()),
                    (Some(grant), Some(repository)) => {
                        let allowed = |action: &&str| {
                            grant.on.iter().any(|(on, actions)| on == repository && actions.iter().any(|granted| granted == action))
                        };
                        if needed.actions.iter().all(allowed) {
                            return Ok(());
                        }
                        ",error=\"insufficient_scope\""
                    }
                    (None, _) if token.is_some() => ",error=\"invalid_token\"",
                    (None, _) => "",
                };
                challenge.push_str(error);
                Err(Answer::error(401, "UNAUTHORIZED", "authentication required").header("WWW-Authenticate", challenge))
            }
        }
    }

    /// Answers a request to the token service.
    pub(crate) fn token(&self, service: &Tokens, head: &Head, query: &Query, form: Option<&Query>) -> Answer {
        let refused = || Answer::error(401, "UNAUTHORIZED", "unknown user or wrong password");
        let (person, asked) = match form {
            None => match head.header("authorization").map(basic) {
                None => (None, query),
                Some(login) => match login.as_ref().and_then(|login| user(&service.users, login)) {
                    Some(known) => (Some(known), query),
                    None => return refused(),
                },
            },
            Some(_) if !service.post => return Answer::error(405, "UNSUPPORTED", "only GET"),
            Some(form) => {
                let known = match form.first("grant_type") {
                    Some("refresh_token") => {
                        let token = form.first("refresh_token").unwrap_or_default();
                        let issued = lock(&self.refresh).get(token).cloned();
                        service
                            .users
                            .iter()
                            .find(|user| user.identity_token.as_deref() == Some(token) || issued.as_deref() == Some(user.name.as_str()))
                    }
                    Some("password") => {
                        let field = |name| form.first(name).unwrap_or_default().to_owned();
                        user(&service.users, &(field("username"), field("password")))
                    }
                    _ => return Answer::error(400, "UNSUPPORTED", "grant_type"),
                };
                match known {
                    Some(known) => (Some(known), form),
                    None => return refused(),
                }
            }
        };
        let access = person.map_or(&service.anonymous, |person| &person.access);
        let on: Vec<_> = asked.all("scope").flat_map(|scopes| scopes.split(' ')).filter_map(|scope| granted(scope, access)).collect();
        let lifetime = service.lifetime.unwrap_or(Duration::from_secs(60));
        let token = match &service.issuer {
            None => format!("token-{}", uuid()),
            Some(issuer) => {
                let subject = person.map_or("", |person| &person.name);
                match issuer.token(subject, asked.first("service").unwrap_or_default(), &on, lifetime) {
                    Ok(token) => token,
                    Err(error) => return Answer::error(500, "UNKNOWN", &error),
                }
            }
        };
        let until = Instant::now() + lifetime;
        lock(&self.tokens).insert(token.clone(), Grant { on, until });
        let mut body = serde_json::Map::new();
        if service.member != Member::AccessToken {
            body.insert("token".to_owned(), token.as_str().into());
        }
        if service.member != Member::Token {
            body.insert("access_token".to_owned(), token.as_str().into());
        }
        if let Some(lifetime) = service.lifetime {
            body.insert("expires_in".to_owned(), lifetime.as_secs().into());
        }
        if let Some(person) = person
            && (asked.first("offline_token") == Some("true") || asked.first("access_type") == Some("offline"))
        {
            let refresh = format!("refresh-{}", uuid());
            lock(&self.refresh).insert(refresh.clone(), person.name.clone());
            body.insert("refresh_token".to_owned(), refresh.into());
        }
        Answer::new(200).json(&body.into())
    }
}

/// What of a scope, `repository:NAME:ACTION,ACTION`, is allowed.
fn granted(scope: &str, access: &Access) -> Option<(String, Vec<String>)> {
    let (name, actions) = scope.strip_prefix("repository:")?.rsplit_once(':')?;
    let rights = access.rights(name);
    let allowed = |action: &&str| rights >= if *action == "pull" { Rights::Read } else { Rights::Write };
    let actions: Vec<String> = actions.split(',').filter(allowed).map(str::to_owned).collect();
    Some((name.to_owned(), actions))
}

fn user<'a>(users: &'a [User], (name, password): &(String, String)) -> Option<&'a User> {
    users.iter().find(|user| user.name == *name && user.password == *password)
}

/// The name and the password of a Basic `Authorization`.
fn basic(value: &str) -> Option<(String, String)> {
    let decoded = String::from_utf8(STANDARD.decode(scheme(value, "basic")?).ok()?).ok()?;
    let (name, password) = decoded.split_once(':')?;
    Some((name.to_owned(), password.to_owned()))
}

fn scheme<'a>(value: &'a str, wanted: &str) -> Option<&'a str> {
    let (scheme, rest) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case(wanted).then(|| rest.trim())
}
