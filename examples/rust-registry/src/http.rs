//! The reading half of the OCI distribution specification.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::response::Response;
use touchmark::envelope::json::Value;
use touchmark::envelope::manifest::IMAGE_INDEX;
use touchmark::trust::Limits;
use touchmark::{AsyncSource, Digest, Name};

use crate::front::{Front, Refusal, Served};

const DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");
const FILTERS: HeaderName = HeaderName::from_static("oci-filters-applied");

/// What a request is about.
#[derive(Debug, PartialEq, Eq)]
enum Asked<'r> {
    Version,
    Tag(Name, &'r str),
    Manifest(Name, Digest),
    Blob(Name, Digest),
    Referrers(Name, Digest),
    Tags(Name),
}

/// Answers a request.
pub(crate) async fn answer(State(front): State<Arc<Front>>, request: Request) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let query = request.uri().query().unwrap_or_default().to_owned();
    let mut response = if matches!(method, Method::GET | Method::HEAD) {
        match read(&path) {
            Some(asked) => answered(&front, asked, &query).await,
            None => error(StatusCode::NOT_FOUND, "NAME_UNKNOWN", "no such repository or endpoint", None),
        }
    } else {
        error(StatusCode::METHOD_NOT_ALLOWED, "UNSUPPORTED", "this registry is read only", None)
    };
    if method == Method::HEAD {
        *response.body_mut() = Body::empty();
    }
    response
}

async fn answered(front: &Front, asked: Asked<'_>, query: &str) -> Response {
    let answered = match asked {
        Asked::Version => Ok(with(Body::from("{}"), 2, "application/json")),
        Asked::Tag(name, tag) => front.by_tag(&name, tag).await.map(manifest),
        Asked::Manifest(name, digest) => front.by_digest(&name, digest).await.map(manifest),
        Asked::Blob(name, digest) => blob(front, &name, digest).await,
        Asked::Referrers(name, digest) => referrers(front, &name, digest, query).await,
        Asked::Tags(name) => tags(front, &name).await,
    };
    answered.unwrap_or_else(|refusal| match refusal {
        Refusal::Denied { reason, message } => error(StatusCode::FORBIDDEN, "DENIED", &message, Some(&reason)),
        Refusal::Unknown { message } => error(StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE", &message, None),
        Refusal::Missing { message } => error(StatusCode::NOT_FOUND, "MANIFEST_UNKNOWN", &message, None),
    })
}

/// Reads a path. A repository is a name without a version, in the grammar of names, so that it leads nowhere else.
fn read(path: &str) -> Option<Asked<'_>> {
    let rest = path.strip_prefix("/v2/")?;
    if rest.is_empty() {
        return Some(Asked::Version);
    }
    let name = |text: &str| text.parse::<Name>().ok().filter(|name| name.version().is_none());
    if let Some(text) = rest.strip_suffix("/tags/list") {
        return name(text).map(Asked::Tags);
    }
    let (above, last) = rest.rsplit_once('/')?;
    let (repository, kind) = above.rsplit_once('/')?;
    let repository = name(repository)?;
    match (kind, last.parse::<Digest>()) {
        ("manifests", Ok(digest)) => Some(Asked::Manifest(repository, digest)),
        ("manifests", Err(_)) => Some(Asked::Tag(repository, last)),
        ("blobs", Ok(digest)) => Some(Asked::Blob(repository, digest)),
        ("referrers", Ok(digest)) => Some(Asked::Referrers(repository, digest)),
        _ => None,
    }
}

fn manifest(served: Served) -> Response {
    let length = served.bytes.len();
    let mut response = with(Body::from(served.bytes), length as u64, &served.media_type);
    insert(&mut response, DIGEST, &served.digest.to_string());
    response
}

async fn blob(front: &Front, name: &Name, digest: Digest) -> Result<Response, Refusal> {
    let place = front.blob(name, &digest).await?;
    let (size, body) = place.stream(digest).await?;
    let mut response = with(body, size, "application/octet-stream");
    insert(&mut response, DIGEST, &digest.to_string());
    Ok(response)
}

async fn referrers(front: &Front, name: &Name, digest: Digest, query: &str) -> Result<Response, Refusal> {
    let place = front.repository(name).await?;
    let limits = Limits::default();
    let listed = place.referrers(&digest, limits.referrers, limits.referrers_bytes).await;
    let listed = listed.map_err(|failure| Refusal::Unknown { message: failure.to_string() })?;
    if !listed.complete {
        return Err(Refusal::Unknown { message: format!("the list of referrers of {digest} is incomplete") });
    }
    let wanted =
        query.split('&').find_map(|pair| pair.strip_prefix("artifactType=")).map(|text| text.replace("%2B", "+").replace("%2F", "/"));
    let fits = |found: Option<&str>| wanted.is_none() || found == wanted.as_deref();
    let entries = listed.entries.iter().filter(|entry| fits(entry.artifact_type.as_deref()));
    let index = Value::object([
        ("schemaVersion", Value::from(2_u64)),
        ("mediaType", Value::from(IMAGE_INDEX)),
        ("manifests", Value::from(entries.map(|entry| entry.to_json()).collect::<Vec<_>>())),
    ]);
    let bytes = index.to_vec();
    let length = bytes.len();
    let mut response = with(Body::from(bytes), length as u64, IMAGE_INDEX);
    if wanted.is_some() {
        insert(&mut response, FILTERS, "artifactType");
    }
    Ok(response)
}

async fn tags(front: &Front, name: &Name) -> Result<Response, Refusal> {
    let place = front.repository(name).await?;
    let tags = place.ask(|source| source.tag_names()).await?;
    let list = Value::object([
        ("name", Value::from(name.path().to_owned())),
        ("tags", Value::from(tags.into_iter().map(Value::from).collect::<Vec<_>>())),
    ]);
    let bytes = list.to_vec();
    let length = bytes.len();
    Ok(with(Body::from(bytes), length as u64, "application/json"))
}

/// An error as the specification has it.
fn error(status: StatusCode, code: &'static str, message: &str, reason: Option<&str>) -> Response {
    let mut one = vec![("code", Value::from(code)), ("message", Value::from(message.to_owned()))];
    one.extend(reason.map(|reason| ("detail", Value::object([("reason", Value::from(reason.to_owned()))]))));
    let bytes = Value::object([("errors", Value::from(vec![Value::object(one)]))]).to_vec();
    let length = bytes.len();
    let mut response = with(Body::from(bytes), length as u64, "application/json");
    *response.status_mut() = status;
    response
}

fn with(body: Body, length: u64, media_type: &str) -> Response {
    let mut response = Response::new(body);
    insert(&mut response, CONTENT_TYPE, media_type);
    insert(&mut response, CONTENT_LENGTH, &length.to_string());
    response
}

/// Headers are of visible letters; a media type of others is not repeated.
fn insert(response: &mut Response, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_leads_to_no_other_repository_and_a_tag_is_no_digest() {
        let name: Name = "acme/tool".parse().unwrap();
        let digest = format!("sha256:{}", "0".repeat(64));
        assert_eq!(read("/v2/"), Some(Asked::Version));
        assert_eq!(read("/v2/acme/tool/manifests/1.0"), Some(Asked::Tag(name.clone(), "1.0")));
        assert_eq!(read(&format!("/v2/acme/tool/manifests/{digest}")), Some(Asked::Manifest(name.clone(), digest.parse().unwrap())));
        assert_eq!(read("/v2/acme/tool/tags/list"), Some(Asked::Tags(name)));
        for path in [
            "/",
            "/v2",
            "/v2/../manifests/x",
            "/v2/acme/../x/manifests/1",
            "/v2/acme/%2e%2e/manifests/1",
            "/v2/acme/tool/blobs/x",
            "/v2//manifests/1",
            "/v2/acme/tool:1/manifests/1",
        ] {
            assert_eq!(read(path), None, "{path}");
        }
    }
}
