//! Logs: to stderr, readable or as JSON lines.

use tracing_subscriber::{EnvFilter, fmt};

/// Form of the log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum, Default)]
pub(crate) enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// What is logged unless `SIGHTLINE_LOG` says otherwise: ours, and only the troubles of the libraries.
const DEFAULT_FILTER: &str = "warn,sightline=info,sightline_api=info,sightline_footage=info,sightline_gateway=info,\
    sightline_ingest=info,sightline_picture=info,sightline_records=info,sightline_trust=info,sightline_sim=info,\
    rumqttd=off,retina=error";

/// Starts logging. `SIGHTLINE_LOG` takes the directives of `tracing-subscriber`'s `EnvFilter`.
pub(crate) fn init(format: LogFormat) {
    let filter = EnvFilter::try_from_env("SIGHTLINE_LOG").unwrap_or_else(|_| EnvFilter::new(DEFAULT_FILTER));
    let logs = fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(false)
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()));
    match format {
        LogFormat::Text => logs.init(),
        LogFormat::Json => logs.json().init(),
    }
}
