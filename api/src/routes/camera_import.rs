//! Registering many cameras from a CSV table, row by row: good rows go in, each bad one is reported with its line.

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use sightline_model::{
    Timestamp,
    account::Right,
    audit::Action,
    camera::{Camera, CameraKind, Position},
};
use sightline_records::{Put, Records};

use super::{
    acts::act,
    camera_form::{CredentialsForm, NewCamera},
};
use crate::{
    Api,
    extract::{CsvBody, QueryOf, SignedIn},
    problem::{Error, Refusal, cut},
};

const COLUMNS: [&str; 16] = [
    "id",
    "name",
    "region",
    "kind",
    "lat",
    "lon",
    "bearing_deg",
    "fov_deg",
    "range_m",
    "tags",
    "main_url",
    "sub_url",
    "user",
    "password",
    "policy",
    "enabled",
];
const NEEDED: [&str; 4] = ["id", "name", "region", "main_url"];

/// Most rows in one table.
const MOST_ROWS: usize = 100_000;

/// Most bad rows named in the report.
const MOST_ERRORS: usize = 1000;

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Import {
    /// Check and count only; nothing is changed.
    #[serde(default)]
    dry_run: bool,
}

/// What became of the table.
#[derive(Debug, Default, Serialize, utoipa::ToSchema)]
pub struct ImportReport {
    /// Whether it was only counted.
    pub dry_run: bool,
    /// Rows that were new cameras.
    pub created: usize,
    /// Rows that changed a camera.
    pub updated: usize,
    /// Rows that were in the registry just so.
    pub unchanged: usize,
    /// Rows that were left out, at most 1000 of them.
    pub errors: Vec<RowError>,
    /// Rows that were left out in total.
    pub refused: usize,
}

/// A row that was left out.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct RowError {
    /// Line in the table; the header is line 1.
    pub line: u64,
    /// What is wrong, and what would be right.
    pub message: String,
}

impl ImportReport {
    fn refuse(&mut self, line: u64, message: String) {
        self.refused += 1;
        if self.errors.len() < MOST_ERRORS {
            self.errors.push(RowError { line, message });
        }
    }

    fn count(&mut self, put: Put) {
        match put {
            Put::Created => self.created += 1,
            Put::Updated => self.updated += 1,
            Put::Unchanged => self.unchanged += 1,
        }
    }
}

/// Register and change cameras from a CSV table.
///
/// The first line names the columns: `id,name,region,main_url` and any of `kind, lat, lon, bearing_deg, fov_deg, range_m,
/// tags` (parted by semicolons)`, sub_url, user, password, policy, enabled`. Good rows go in even when others are bad.
/// Where user and password are empty, stored ones stay.
#[utoipa::path(post, path = "/cameras/import", tag = "cameras", params(Import),
    request_body(content = String, content_type = "text/csv"), responses((status = OK, body = ImportReport)))]
pub(crate) async fn import(
    State(api): State<Api>,
    who: SignedIn,
    QueryOf(query): QueryOf<Import>,
    CsvBody(body): CsvBody,
) -> Result<Json<ImportReport>, Error> {
    api.trust().require(&who.caller, Right::EditCameras)?;
    let now = Timestamp::now();
    let report = import_cameras(api.records(), &body, query.dry_run, now).await?;
    if !query.dry_run {
        let ImportReport { created, updated, refused, .. } = &report;
        let detail = format!("imported: {created} created, {updated} updated, {refused} refused");
        api.trust().record(act(&who, Action::CameraChanged, detail, now)).await?;
    }
    Ok(Json(report))
}

/// Registers and changes cameras from a CSV table; `dry_run` only counts. What the command line and the route share.
///
/// # Errors
/// When the table as a whole cannot be read, or the records fail. Bad rows stand in the report.
pub async fn import_cameras(
    records: &Records,
    body: &[u8],
    dry_run: bool,
    now: Timestamp,
) -> Result<ImportReport, Error> {
    let (rows, mut report) = parse(body, now)?;
    report.dry_run = dry_run;
    if dry_run {
        count_only(records, &rows, &mut report).await?;
    } else {
        let (lines, cameras): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
        for (line, outcome) in lines.into_iter().zip(records.put_cameras(&cameras, now).await?) {
            match outcome {
                Ok(put) => report.count(put),
                Err(error) => report.refuse(line, error.to_string()),
            }
        }
    }
    report.errors.sort_by_key(|error| error.line);
    Ok(report)
}

/// What the import would do, as far as it can be told without doing it.
async fn count_only(
    records: &Records,
    rows: &[(u64, Camera)],
    report: &mut ImportReport,
) -> Result<(), Error> {
    let regions = records.regions().await?;
    let known = records.all_cameras().await?;
    for (line, camera) in rows {
        if !regions.iter().any(|region| region.id == camera.region) {
            report.refuse(*line, format!("there is no region {}: add it first", camera.region));
            continue;
        }
        let before =
            known.binary_search_by_key(&camera.id, |known| known.id).ok().and_then(|at| known.get(at));
        report.count(match before {
            None => Put::Created,
            Some(before) if same(before, camera) => Put::Unchanged,
            Some(_) => Put::Updated,
        });
    }
    Ok(())
}

fn same(before: &Camera, row: &Camera) -> bool {
    let credentials = row.credentials.clone().or_else(|| before.credentials.clone());
    let Camera { revision, created_at, updated_at, .. } = *before;
    *before == Camera { credentials, revision, created_at, updated_at, ..row.clone() }
}

/// The good rows with their lines; the bad ones stand in the report.
fn parse(body: &[u8], now: Timestamp) -> Result<(Vec<(u64, Camera)>, ImportReport), Refusal> {
    // Spreadsheets put a byte order mark before the first column's name.
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(body);
    let names = reader.headers().map_err(|error| table(format!("cannot be read: {error}")))?.clone();
    check_columns(&names)?;
    let mut report = ImportReport::default();
    let mut rows = Vec::new();
    let mut seen = std::collections::BTreeMap::new();
    for (record, index) in reader.records().zip(0..) {
        if index >= MOST_ROWS {
            return Err(table(format!("has more than {MOST_ROWS} rows: split it")));
        }
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                let line = error.position().map_or(0, csv::Position::line);
                report.refuse(line, cut(&error.to_string(), 256));
                continue;
            }
        };
        let line = record.position().map_or(0, csv::Position::line);
        match row(&names, &record).and_then(|new| new.into_camera(now).map_err(|error| error.to_string())) {
            Ok(camera) => match seen.insert(camera.id, line) {
                Some(first) => {
                    report.refuse(line, format!("id {} stands in line {first} already", camera.id))
                }
                None => rows.push((line, camera)),
            },
            Err(message) => report.refuse(line, message),
        }
    }
    Ok((rows, report))
}

fn table(why: String) -> Refusal {
    Refusal::field("table", why)
}

fn check_columns(names: &csv::StringRecord) -> Result<(), Refusal> {
    if let Some(unknown) = names.iter().find(|name| !COLUMNS.contains(name)) {
        let unknown = cut(unknown, 64);
        return Err(table(format!("has an unknown column {unknown:?}: use {}", COLUMNS.join(", "))));
    }
    if let Some(missing) = NEEDED.iter().find(|needed| !names.iter().any(|name| name == **needed)) {
        return Err(table(format!("lacks the column {missing:?}")));
    }
    Ok(())
}

/// One row as a camera to be checked.
fn row(names: &csv::StringRecord, record: &csv::StringRecord) -> Result<NewCamera, String> {
    let cell = |name: &str| {
        let at = names.iter().position(|column| column == name)?;
        record.get(at).filter(|cell| !cell.is_empty())
    };
    let text = |name: &str| cell(name).map(str::to_owned);
    let needed = |name: &str| text(name).ok_or_else(|| format!("{name}: is empty"));
    let named = |name: &str, error: &dyn std::fmt::Display| format!("{name}: {error}");
    let number = |name: &str| match cell(name).map(str::parse::<f64>) {
        None => Ok(None),
        Some(Ok(number)) if number.is_finite() => Ok(Some(number)),
        Some(_) => Err(format!("{name}: is not a number")),
    };
    let credentials = match (text("user"), text("password")) {
        (None, None) => None,
        (Some(user), password) => Some(CredentialsForm::new(user, password.unwrap_or_default())),
        (None, Some(_)) => return Err("user: is empty, but there is a password".to_owned()),
    };
    Ok(NewCamera {
        id: needed("id")?.parse().map_err(|error| named("id", &error))?,
        name: needed("name")?,
        region: needed("region")?.parse().map_err(|error| named("region", &error))?,
        kind: kind(cell("kind"))?,
        position: position(number)?,
        tags: cell("tags").map(|tags| tags.split(';').map(str::to_owned).collect()).unwrap_or_default(),
        main_url: needed("main_url")?,
        sub_url: text("sub_url"),
        credentials,
        policy: cell("policy")
            .map_or(Ok(Default::default()), str::parse)
            .map_err(|error| named("policy", &error))?,
        enabled: match cell("enabled").map(str::to_ascii_lowercase).as_deref() {
            None | Some("true" | "yes" | "1") => true,
            Some("false" | "no" | "0") => false,
            Some(_) => return Err("enabled: write true or false".to_owned()),
        },
    })
}

fn kind(cell: Option<&str>) -> Result<CameraKind, String> {
    match cell {
        None | Some("street") => Ok(CameraKind::Street),
        Some("compound") => Ok(CameraKind::Compound),
        Some("key_site") => Ok(CameraKind::KeySite),
        Some(_) => Err("kind: write street, compound or key_site".to_owned()),
    }
}

fn position(number: impl Fn(&str) -> Result<Option<f64>, String>) -> Result<Option<Position>, String> {
    let (lat, lon) = match (number("lat")?, number("lon")?) {
        (Some(lat), Some(lon)) => (lat, lon),
        (None, None) => return Ok(None),
        _ => return Err("lat: and lon go together".to_owned()),
    };
    // Absent directions get the model's own defaults.
    let mut position = serde_json::json!({ "lat": lat, "lon": lon });
    for name in ["bearing_deg", "fov_deg", "range_m"] {
        if let (Some(value), Some(position)) = (number(name)?, position.as_object_mut()) {
            position.insert(name.to_owned(), value.into());
        }
    }
    serde_json::from_value(position).map(Some).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_rows_go_in_and_bad_ones_are_named_by_line() {
        let csv = "\u{feff}id,name,region,main_url,lat,lon,tags,user,password,enabled\n\
                   a,Gate A,north,rtsp://10.0.0.1/m,30.1,120.2,gate;East,admin,pw,\n\
                   b,,north,rtsp://10.0.0.2/m,,,,,,\n\
                   c,\"Gate, C\",north,http://10.0.0.3/m,,,,,,\n\
                   a,Again,north,rtsp://10.0.0.1/m,,,,,,\n\
                   d,D,north,rtsp://10.0.0.4/m,30.1,,,,,no\n\
                   e,E,north,rtsp://10.0.0.5/m,,,,,,no\n\
                   f,F,north\n";
        let (rows, report) = parse(csv.as_bytes(), Timestamp(0)).unwrap();
        assert_eq!(
            rows.iter().map(|(line, camera)| (*line, camera.id.as_str())).collect::<Vec<_>>(),
            [(2, "a"), (7, "e")]
        );
        assert_eq!(rows[0].1.tags, ["east", "gate"]);
        assert_eq!(rows[0].1.position.unwrap().fov_deg, 90.0);
        assert!(!rows[1].1.enabled);
        let errors: Vec<_> = report
            .errors
            .iter()
            .map(|error| (error.line, error.message.split(':').next().unwrap()))
            .collect();
        assert_eq!(
            errors[..4],
            [(3, "name"), (4, "main_url"), (5, "id a stands in line 2 already"), (6, "lat")]
        );
        assert_eq!((errors[4].0, report.refused), (8, 5));
    }

    #[test]
    fn an_unknown_or_missing_column_is_named() {
        let refusal = |csv: &str| parse(csv.as_bytes(), Timestamp(0)).unwrap_err().to_string();
        assert!(refusal("id,name,region,main_url,passwort\n").contains("passwort"));
        assert!(refusal("id,name,region\n").contains("main_url"));
    }
}
