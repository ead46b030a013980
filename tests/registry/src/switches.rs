//! The command line of `test-registry`.

use std::path::PathBuf;
use std::time::Duration;

use touchmark_test_registry::{Action, Auth, Authority, Fault, Filter, Immutable, Order, Parameter, Settings, Tls, When};

pub(crate) const HELP: &str = "\
test-registry [SWITCH...]: an OCI registry for tests, in memory. Prints HOST:PORT when it is ready.

  --listen HOST:PORT          where it listens; 127.0.0.1:0 unless given
  --until-stdin-ends          ends when its standard input does
  --folder FOLDER             holds large blobs in files there
  --tls CA_FILE               speaks TLS, and writes its authority's certificate to CA_FILE
  --basic USER:PASSWORD       asks for this name and password
  --token USER:PASSWORD       asks for a token, which its token service gives for them
  --delay MILLISECONDS        each answer waits so long
  --like docker-registry      as docker-registry 2.8; give it before other switches
  --like naive                as go-containerregistry with referrers
  --no-referrers-api          no referrers API
  --no-oci-subject            no OCI-Subject
  --filter applied|unannounced|ignored|feigned
  --page N                    so many referrers a page
  --naive-referrers           entries of mediaType, digest and size alone
  --referrers-race MS         referrers pushed within that time overwrite each other
  --ignore-n, --ignore-last   parameters of tags/list
  --unsorted-tags             tags in no order
  --tags-refused STATUS       tags/list answers so
  --immutable all|fallback    tags that cannot be moved
  --torn-tags MS              reads of a tag answer 500 while it is set, for so long
  --no-delete                 deletes no manifests, blobs or tags
  --no-delete-tags            deletes no tags
  --accept-wrong-digest       stores under any digest
  --accept-missing-blobs      stores manifests without their blobs
  --no-mount                  mounts nothing
  --mount-needs-from          mounts nothing from nowhere in particular
  --no-chunked                uploads are not taken in chunks
  --manifest-limit BYTES      more is 413
  --fail STATUS:PROBABILITY:SEED   answers so by chance
";

/// What the command line said.
pub(crate) struct Switches {
    pub(crate) settings: Settings,
    pub(crate) faults: Vec<Fault>,
    pub(crate) until_stdin_ends: bool,
}

/// Reads the command line; none if help was asked for.
pub(crate) fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Option<Switches>, String> {
    let mut switches = Switches { settings: Settings::default(), faults: Vec::new(), until_stdin_ends: false };
    while let Some(name) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| format!("{name} needs a value"));
        let settings = &mut switches.settings;
        match name.as_str() {
            "--help" | "-h" => return Ok(None),
            "--until-stdin-ends" => switches.until_stdin_ends = true,
            "--listen" => {
                let address: std::net::SocketAddr = parsed(&name, &value()?)?;
                (settings.address, settings.port) = (address.ip(), address.port());
            }
            "--folder" => settings.folder = Some(PathBuf::from(value()?)),
            "--tls" => {
                let authority = Authority::new();
                authority.write(&PathBuf::from(value()?)).map_err(|error| format!("{name}: {error}"))?;
                settings.tls = Some(Tls::new(&authority));
            }
            "--basic" => {
                let (user, password) = login(&name, &value()?)?;
                settings.auth = Auth::basic(&user, &password);
            }
            "--token" => {
                let (user, password) = login(&name, &value()?)?;
                settings.auth = Auth::token(&user, &password);
            }
            "--delay" => settings.delay = Duration::from_millis(parsed(&name, &value()?)?),
            "--like" => {
                *settings = match value()?.as_str() {
                    "docker-registry" => Settings::docker_registry(),
                    "naive" => Settings::naive(),
                    other => return Err(format!("{name}: {other}?")),
                };
            }
            "--no-referrers-api" => settings.referrers_api = false,
            "--no-oci-subject" => settings.oci_subject = false,
            "--filter" => {
                settings.filter = match value()?.as_str() {
                    "applied" => Filter::Applied,
                    "unannounced" => Filter::Unannounced,
                    "ignored" => Filter::Ignored,
                    "feigned" => Filter::Feigned,
                    other => return Err(format!("{name}: {other}?")),
                };
            }
            "--page" => settings.page = Some(parsed(&name, &value()?)?),
            "--naive-referrers" => settings.naive_referrers = true,
            "--referrers-race" => settings.referrers_race = Some(Duration::from_millis(parsed(&name, &value()?)?)),
            "--ignore-n" => settings.tags_n = Parameter::Ignored,
            "--ignore-last" => settings.tags_last = Parameter::Ignored,
            "--unsorted-tags" => settings.tags_order = Order::None,
            "--tags-refused" => settings.tags_refused = Some(parsed(&name, &value()?)?),
            "--immutable" => {
                settings.immutable_tags = match value()?.as_str() {
                    "all" => Immutable::All,
                    "fallback" => Immutable::Fallback,
                    other => return Err(format!("{name}: {other}?")),
                };
            }
            "--torn-tags" => settings.torn_tags = Some(Duration::from_millis(parsed(&name, &value()?)?)),
            "--no-delete" => (settings.delete_manifests, settings.delete_tags) = (false, false),
            "--no-delete-tags" => settings.delete_tags = false,
            "--accept-wrong-digest" => settings.accept_wrong_digest = true,
            "--accept-missing-blobs" => settings.accept_missing_blobs = true,
            "--mount-needs-from" => settings.mount_needs_from = true,
            "--no-mount" => settings.mount = false,
            "--no-chunked" => settings.chunked = false,
            "--manifest-limit" => settings.manifest_limit = parsed(&name, &value()?)?,
            "--fail" => {
                let value = value()?;
                let parts: Vec<&str> = value.split(':').collect();
                let [status, probability, seed] = parts.as_slice() else {
                    return Err(format!("{name} STATUS:PROBABILITY:SEED"));
                };
                let when = When::Chance(parsed(&name, probability)?, parsed(&name, seed)?);
                switches.faults.push(Fault::new(Action::status(parsed(&name, status)?)).when(when));
            }
            _ => return Err(format!("{name}? See --help")),
        }
    }
    Ok(Some(switches))
}

fn parsed<T: std::str::FromStr>(name: &str, value: &str) -> Result<T, String> {
    value.parse().map_err(|_| format!("{name}: {value}?"))
}

fn login(name: &str, value: &str) -> Result<(String, String), String> {
    let (user, password) = value.split_once(':').ok_or_else(|| format!("{name} USER:PASSWORD"))?;
    Ok((user.to_owned(), password.to_owned()))
}
