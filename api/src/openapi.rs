//! The OpenAPI document: made from the handlers, completed with the problems every route may answer with, and kept as a
//! file for the console's types (`api/openapi.json`; a test compares it with the code).

use utoipa::{
    OpenApi as _,
    openapi::{
        ContentBuilder, OpenApi, Ref, RefOr, ResponseBuilder,
        path::{HttpMethod, Operation, PathItem},
        schema::Schema,
        security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
    },
};

use crate::{
    extract::SESSION_COOKIE,
    problem::{self, CODES, Problem},
    routes,
};

const SESSION: &str = "session";
const BEARER: &str = "bearer";

#[derive(utoipa::OpenApi)]
#[openapi(
    components(schemas(Problem)),
    tags(
        (name = "session", description = "Signing in and out"),
        (name = "cameras", description = "The registry of cameras and regions"),
        (name = "grants", description = "Grounds: no look without one"),
        (name = "footage", description = "Playback, stills and live, under a grant"),
        (name = "patrols", description = "Planned looking, with proof of coverage"),
        (name = "vehicles", description = "Vehicle passes and the hotlist"),
        (name = "alerts", description = "The duty desk"),
        (name = "audit", description = "Who looked at what, and why"),
        (name = "system", description = "How it is doing"),
    )
)]
struct Base;

/// The document.
#[must_use]
pub fn document() -> OpenApi {
    let (_, routes) = routes::documented().split_for_parts();
    let mut document = Base::openapi();
    document.merge(routes);
    document.info.title = "Sightline".to_owned();
    document.info.description = Some(
        "Video-network gateway. Footage and vehicle routes take `grant=`: open one with `POST /api/v1/grants`. Writes with the \
         session cookie carry `X-CSRF-Token`. Every error is a problem (RFC 9457) with a stable `code` and a `remedy`."
            .to_owned(),
    );
    let components = document.components.get_or_insert_default();
    let cookie = SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(SESSION_COOKIE)));
    let bearer = SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build());
    components.security_schemes.insert(SESSION.to_owned(), cookie.into());
    components.security_schemes.insert(BEARER.to_owned(), bearer.into());
    name_codes(components.schemas.get_mut("Problem"));
    for (path, item) in &mut document.paths.paths {
        for (method, operation) in operations(item) {
            complete(path, &method, operation);
        }
    }
    document
}

/// The document as it stands in `api/openapi.json`.
#[must_use]
pub fn document_text() -> String {
    let mut text = serde_json::to_string_pretty(&document()).unwrap_or_default();
    text.push('\n');
    text
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (HttpMethod, &mut Operation)> {
    let PathItem { get, put, post, delete, patch, .. } = item;
    let all = [
        (HttpMethod::Get, get),
        (HttpMethod::Put, put),
        (HttpMethod::Post, post),
        (HttpMethod::Delete, delete),
        (HttpMethod::Patch, patch),
    ];
    all.into_iter().filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

/// A name that no other operation has, since no other one has this method and path: `get_footage_camera_clip_mp4`. Client
/// generators make functions of it; the handlers' own names repeat from file to file.
fn operation_id(path: &str, method: &HttpMethod) -> String {
    let method = match method {
        HttpMethod::Get => "get",
        HttpMethod::Put => "put",
        HttpMethod::Post => "post",
        HttpMethod::Delete => "delete",
        HttpMethod::Patch => "patch",
        _ => "other",
    };
    let path = path.strip_prefix("/api/v1").unwrap_or(path);
    let words = path.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    std::iter::once(method).chain(words).collect::<Vec<_>>().join("_")
}

/// Adds what the handlers do not repeat: who may call it, and the problems it may answer with.
fn complete(path: &str, method: &HttpMethod, operation: &mut Operation) {
    operation.operation_id = Some(operation_id(path, method));
    let open = operation.security.as_ref().is_some_and(|security| !security.is_empty());
    if !open {
        let none: [&str; 0] = [];
        operation.security =
            Some(vec![SecurityRequirement::new(SESSION, none), SecurityRequirement::new(BEARER, none)]);
    }
    let signs_in = path.ends_with("/session") && *method == HttpMethod::Post;
    let mut statuses = vec![500, 503];
    if operation.parameters.as_ref().is_some_and(|parameters| !parameters.is_empty())
        || operation.request_body.is_some()
    {
        statuses.push(400);
    }
    if !open {
        statuses.extend([401, 403]);
    }
    if signs_in {
        statuses.extend([401, 429]);
    }
    if path.contains('{') {
        statuses.push(404);
    }
    if path.contains("/footage/") && *method == HttpMethod::Get {
        statuses.push(410);
    }
    if operation.request_body.is_some() {
        statuses.extend([413, 415]);
    }
    if *method != HttpMethod::Get && !signs_in {
        statuses.extend([404, 409]);
    }
    for status in statuses {
        let response = ResponseBuilder::new()
            .description(describe(status))
            .content(
                problem::MIME,
                ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build(),
            )
            .build();
        operation.responses.responses.entry(status.to_string()).or_insert(RefOr::T(response));
    }
}

/// The codes of a status, as the description of its answer.
fn describe(status: u16) -> String {
    let codes: Vec<_> = CODES.iter().filter(|code| code.status == status).map(|code| code.name).collect();
    format!("One of: {}", codes.join(", "))
}

/// `code` is one of a closed set.
fn name_codes(schema: Option<&mut RefOr<Schema>>) {
    let Some(RefOr::T(Schema::Object(problem))) = schema else { return };
    if let Some(RefOr::T(Schema::Object(code))) = problem.properties.get_mut("code") {
        code.enum_values = Some(CODES.iter().map(|code| code.name.into()).collect());
    }
}
