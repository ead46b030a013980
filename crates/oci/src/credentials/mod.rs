//! Where credentials for registries are kept, and how they are found (SPEC.md, section "Storage in registries").

mod check;
mod credential;
mod document;
#[cfg(fuzzing)]
pub mod fuzzing;
mod helper;
mod keep;
mod server;
mod surroundings;
#[cfg(test)]
mod testing;

use std::ffi::OsString;
use std::time::Duration;

use zeroize::Zeroizing;

pub use check::{Asked, check};
pub use credential::Credential;
pub use keep::{Forgotten, Keeper, Kept, erase, store};

use crate::access::Access;
use crate::error::Error;
use document::Document;
use helper::Helper;
use server::Server;
use surroundings::{Place, Surroundings};

/// The credentials for a repository of the registry at `host` (`HOST[:PORT]`), if there are any; `repository` may be empty.
///
/// Files and helpers are only looked at here, so this is called when a registry asks for credentials and not before.
///
/// # Errors
/// [`Error::Configuration`]: a file, variable or helper that should hold them cannot be read or used. That is never the same as none.
pub fn find(host: &str, repository: &str, access: &Access) -> Result<Option<Credential>, Error> {
    if let Some(login) = &access.login {
        let credential = Credential::login(&login.username, Zeroizing::new(login.password.clone()));
        return credential
            .map(Some)
            .map_err(|reason| Error::Configuration { what: "the credentials given".to_owned(), reason: reason.to_owned() });
    }
    let search = Search::new(host, repository, &environment, helper::TIME_LIMIT);
    let places = search.surroundings.places(access);
    Ok(search.first(&places)?.map(|(_, credential)| credential))
}

fn environment(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

/// A search for the credentials of one repository.
struct Search<'a> {
    surroundings: Surroundings<'a>,
    server: Server,
    repository: &'a str,
    /// How long each helper may take.
    patience: Duration,
}

impl<'a> Search<'a> {
    fn new(host: &str, repository: &'a str, variables: &'a dyn Fn(&str) -> Option<OsString>, patience: Duration) -> Self {
        Self { surroundings: Surroundings::of(variables), server: Server::new(host), repository, patience }
    }

    /// The first credentials in these places, and where they are.
    fn first(&self, places: &[Place]) -> Result<Option<(Place, Credential)>, Error> {
        for place in places {
            if let Some(credential) = self.at(place)? {
                return Ok(Some((place.clone(), credential)));
            }
        }
        Ok(None)
    }

    /// The credentials at one place: a helper's, if one is named for the registry and has them, else those that are written there.
    fn at(&self, place: &Place) -> Result<Option<Credential>, Error> {
        let Some(bytes) = self.surroundings.read(place)? else { return Ok(None) };
        let wrong = |reason| place.error(reason);
        let document = Document::parse(&bytes).map_err(wrong)?;
        if let Some(helper) = self.helper(&document, &place.to_string())?
            && let Some(credential) = helper.credential(self.server.key())?
        {
            return Ok(Some(credential));
        }
        document.credential(&self.server, self.repository).map_err(wrong)
    }

    /// The helper that a document, called `what`, names for the registry.
    fn helper(&self, document: &Document<'_>, what: &str) -> Result<Option<Helper>, Error> {
        let name = document.helper(&self.server).map_err(|reason| Error::Configuration { what: what.to_owned(), reason })?;
        name.map(|name| Helper::find(&name, what, &self.surroundings, self.patience)).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::testing::{Home, basic, configuration};
    use super::*;
    use crate::access::Login;

    fn token(text: &str) -> Zeroizing<String> {
        Zeroizing::new(text.to_owned())
    }

    /// A document with one entry for `localhost:5000`, as `user`.
    fn entry(user: &str) -> String {
        format!(r#"{{"auths":{{"localhost:5000":{{"username":"{user}","password":"p"}}}}}}"#)
    }

    #[test]
    fn the_command_line_comes_before_every_file() {
        let login = |username: &str, password: &str| Access {
            login: Some(Login { username: username.to_owned(), password: password.to_owned() }),
            registry_config: Some("/nowhere/at/all".into()),
            ..Access::default()
        };
        assert_eq!(find("localhost:5000", "", &login("alice", "secret")).unwrap(), Some(basic("alice", "secret")));
        assert_eq!(find("localhost:5000", "", &login("<token>", "abc")).unwrap(), Some(Credential::Identity(token("abc"))));
        assert!(configuration(find("localhost:5000", "", &login("a:b", "secret"))).contains("colon"));
    }

    #[test]
    fn places_are_looked_at_in_their_order() {
        let mut home = Home::new();
        assert_eq!(home.find().unwrap(), None);
        home.set("XDG_RUNTIME_DIR", home.path("run"));
        let last_first =
            [(".config/containers/auth.json", "configuration"), ("run/containers/auth.json", "runtime"), (".docker/config.json", "docker")];
        for (file, user) in last_first {
            home.file(file, &entry(user));
            assert_eq!(home.find().unwrap(), Some(basic(user, "p")), "{file}");
        }
        home.set("DOCKER_CONFIG", home.path("elsewhere"));
        assert_eq!(home.find().unwrap(), Some(basic("runtime", "p")));
        home.file("elsewhere/config.json", &entry("elsewhere"));
        assert_eq!(home.find().unwrap(), Some(basic("elsewhere", "p")));
        let named = home.file("named.json", &entry("named"));
        home.set("REGISTRY_AUTH_FILE", &named);
        assert_eq!(home.find().unwrap(), Some(basic("named", "p")));
        home.set("DOCKER_AUTH_CONFIG", entry("variable"));
        assert_eq!(home.find().unwrap(), Some(basic("variable", "p")));
        let option = Access { registry_config: Some(home.file("option.json", &entry("option"))), ..Access::default() };
        assert_eq!(home.find_by("localhost:5000", "", &option).unwrap(), Some(basic("option", "p")));
        // Another registry is asked of the same files.
        assert_eq!(home.find_by("localhost:5001", "", &Access::default()).unwrap(), None);
        home.unset("DOCKER_AUTH_CONFIG");
        home.set("XDG_CONFIG_HOME", home.path("other"));
        home.unset("REGISTRY_AUTH_FILE");
        home.unset("XDG_RUNTIME_DIR");
        home.file("elsewhere/config.json", "{}");
        assert_eq!(home.find().unwrap(), None);
        home.file("other/containers/auth.json", &entry("other"));
        assert_eq!(home.find().unwrap(), Some(basic("other", "p")));
    }

    #[test]
    fn a_place_without_the_registry_is_passed_over_unless_it_was_named() {
        let mut home = Home::new();
        home.file(".docker/config.json", &entry("docker"));
        home.set("DOCKER_AUTH_CONFIG", r#"{"auths":{"localhost:5000":{}}}"#);
        assert_eq!(home.find().unwrap(), Some(basic("docker", "p")));
        home.set("REGISTRY_AUTH_FILE", home.file("named.json", "{}"));
        assert_eq!(home.find().unwrap(), None);
    }

    #[test]
    fn what_cannot_be_read_is_an_error_and_never_none() {
        let mut home = Home::new();
        for (text, reason) in [
            ("{", "at byte"),
            ("[]", "at byte"),
            (r#"{"auths":{},"auths":{}}"#, "duplicate"),
            (r#"{"auths":{"localhost:5000":{"auth":"YTpi"},"localhost:5000":{"auth":"YTpi"}}}"#, "duplicate"),
            (r#"{"auths":[]}"#, "`auths` is no object"),
            (r#"{"credsStore":7}"#, "`credsStore` is no text"),
            (r#"{"credHelpers":"x"}"#, "`credHelpers` is no object"),
            (r#"{"credHelpers":{"localhost:5000":{}}}"#, "`credHelpers` has no text"),
            (r#"{"auths":{"localhost:5000":"YTpi"}}"#, "is no object"),
            (r#"{"auths":{"localhost:5000":{"auth":7}}}"#, "`auth` is no text"),
            (r#"{"auths":{"localhost:5000":{"auth":"aHVudGVy*"}}}"#, "no base64"),
            (r#"{"auths":{"localhost:5000":{"auth":"aHVudGVy"}}}"#, "not the base64 of USER:PASSWORD"),
            (r#"{"auths":{"localhost:5000":{"auth":"/zp4"}}}"#, "not UTF-8"),
            (r#"{"auths":{"localhost:5000":{"registrytoken":"a\r\nX: b"}}}"#, "visible ASCII"),
        ] {
            let path = home.file(".docker/config.json", text);
            let said = configuration(home.find());
            assert!(said.starts_with(&path.display().to_string()) && said.contains(reason), "{text}: {said}");
            assert!(!said.contains("hunter") && !said.contains("aHVudGVy"), "{said}");
        }
        let path = home.file(".docker/config.json", &" ".repeat((1 << 20) + 1));
        assert!(configuration(home.find()).contains("larger than 1 MiB"));
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        assert!(configuration(home.find()).contains("cannot be read"));
        std::fs::remove_dir(&path).unwrap();
        home.set("DOCKER_AUTH_CONFIG", "{");
        assert!(configuration(home.find()).starts_with("DOCKER_AUTH_CONFIG: "));
        home.unset("DOCKER_AUTH_CONFIG");
        home.set("REGISTRY_AUTH_FILE", home.path("nothing.json"));
        assert!(configuration(home.find()).contains("is not there"));
        home.unset("REGISTRY_AUTH_FILE");
        assert_eq!(home.find().unwrap(), None);
        // No home at all is no error: a container may have none.
        home.unset(crate::platform::HOME_VARIABLE);
        assert_eq!(home.find().unwrap(), None);
        home.set(crate::platform::HOME_VARIABLE, home.file("no-folder", ""));
        assert_eq!(home.find().unwrap(), None);
    }

    #[test]
    fn an_empty_file_holds_nothing() {
        let home = Home::new();
        for text in ["", "\n", "{}", r#"{"auths":null,"credHelpers":null,"credsStore":""}"#, r#"{"auths":{"localhost:5000":null}}"#] {
            home.file(".docker/config.json", text);
            assert_eq!(home.find().unwrap(), None, "{text:?}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn helpers_are_asked_before_entries() {
        let home = Home::new();
        home.helper("one", r#"key=$(cat); echo "{\"ServerURL\":\"$key\",\"Username\":\"one\",\"Secret\":\"$key\"}""#);
        home.helper("none", r#"echo "credentials not found in native keychain"; exit 1"#);
        let with = |members: &str| {
            home.file(".docker/config.json", &format!(r#"{{{members},"auths":{{"localhost:5000":{{"auth":"YTpi"}}}}}}"#));
            home.find().unwrap()
        };
        assert_eq!(with(r#""credsStore":"one""#), Some(basic("one", "localhost:5000")));
        assert_eq!(with(r#""credsStore":"none","credHelpers":{"localhost:5000":"one"}"#), Some(basic("one", "localhost:5000")));
        assert_eq!(with(r#""credsStore":"none","credHelpers":{"https://localhost:5000":"one"}"#), Some(basic("one", "localhost:5000")));
        // What the helper does not have may be written, and an empty name turns the helper off.
        assert_eq!(with(r#""credsStore":"one","credHelpers":{"localhost:5000":"none"}"#), Some(basic("a", "b")));
        assert_eq!(with(r#""credsStore":"one","credHelpers":{"localhost:5000":""}"#), Some(basic("a", "b")));
        assert_eq!(with(r#""credHelpers":{"localhost:5001":"one"}"#), Some(basic("a", "b")));
        home.file(".docker/config.json", r#"{"credHelpers":{"docker.io":"one"}}"#);
        let hub = home.find_by("registry-1.docker.io", "library/alpine", &Access::default()).unwrap();
        assert_eq!(hub, Some(basic("one", "https://index.docker.io/v1/")));
    }
}
