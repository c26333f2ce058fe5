//! The command line. What each command does is in `commands/`.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand};
use sightline_model::{CameraId, RegionId, Timestamp, account::Role};

use crate::{output::Format, telemetry::LogFormat};

/// Video-network gateway: cameras in, accountable playback, patrols and alerts out.
#[derive(Debug, Parser)]
#[command(name = "sightline", version, propagate_version = true, max_term_width = 110)]
pub(crate) struct Cli {
    /// How data is written to stdout.
    #[arg(long, global = true, value_enum, default_value_t)]
    pub output: Format,
    /// Form of the log lines on stderr.
    #[arg(long, global = true, value_enum, default_value_t, env = "SIGHTLINE_LOG_FORMAT")]
    pub log_format: LogFormat,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a node with the given configuration.
    Serve(ServeArgs),
    /// Run everything in one process with simulated cameras and events.
    Demo(DemoArgs),
    /// Register and list cameras.
    #[command(subcommand)]
    Camera(CameraCommand),
    /// Look at stored footage: what is there, and whether it is sound.
    #[command(subcommand)]
    Footage(FootageCommand),
    /// The audit log.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Accounts.
    #[command(subcommand)]
    User(UserCommand),
    /// The configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Simulated cameras and events, for trying things out.
    #[command(subcommand)]
    Sim(SimCommand),
    /// Completions for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// The decoder worker: started by a node, of no use by hand.
    #[command(hide = true)]
    PictureWorker,
}

/// Where the configuration comes from.
#[derive(Debug, Args)]
pub(crate) struct ConfigArgs {
    /// Configuration file (TOML).
    #[arg(long, value_name = "FILE", env = "SIGHTLINE_CONFIG")]
    pub config: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Stop after this many seconds.
    #[arg(long = "for", value_name = "SECONDS", value_parser = seconds)]
    pub run_for: Option<Duration>,
}

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Directory for everything the demo keeps.
    #[arg(long, value_name = "DIR", default_value = "sightline-demo")]
    pub data: PathBuf,
    /// Address of the console and API. Port 0 picks a free one.
    #[arg(long, default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
    /// Address of the metrics; a free port unless given.
    #[arg(long)]
    pub metrics_listen: Option<SocketAddr>,
    /// Address of the MQTT broker; a free port unless given.
    #[arg(long)]
    pub mqtt_listen: Option<SocketAddr>,
    /// Simulated cameras.
    #[arg(long, default_value_t = 9, value_parser = clap::value_parser!(u16).range(1..=500))]
    pub cameras: u16,
    /// Stop after this many seconds.
    #[arg(long = "for", value_name = "SECONDS", value_parser = seconds)]
    pub run_for: Option<Duration>,
    /// Cameras only: no simulated passes and alarms.
    #[arg(long)]
    pub quiet: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CameraCommand {
    /// Register a camera.
    Add(CameraAdd),
    /// Register or change cameras from a CSV file.
    Import {
        #[command(flatten)]
        config: ConfigArgs,
        /// CSV file with a head; `-` for standard input.
        file: PathBuf,
        /// Only say what would be done.
        #[arg(long)]
        dry_run: bool,
    },
    /// List cameras.
    List {
        #[command(flatten)]
        config: ConfigArgs,
        /// Only in this region and below.
        #[arg(long)]
        region: Option<RegionId>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct CameraAdd {
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Code: 1 to 24 characters of a-z, 0-9 and '-'.
    pub id: CameraId,
    /// RTSP address of the main stream, without user name and password.
    pub url: String,
    /// Name as people say it; the code unless given.
    #[arg(long)]
    pub name: Option<String>,
    /// Region it stands in.
    #[arg(long)]
    pub region: RegionId,
    /// RTSP address of the sub-stream.
    #[arg(long)]
    pub sub_url: Option<String>,
    /// User name for the camera; the password is read from --password-file.
    #[arg(long, requires = "password_file")]
    pub user: Option<String>,
    /// File with the camera's password.
    #[arg(long, requires = "user")]
    pub password_file: Option<PathBuf>,
    /// Keep only key frames.
    #[arg(long)]
    pub keyframes: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum FootageCommand {
    /// List segments, or the recorded stretches of one camera.
    Ls {
        #[command(flatten)]
        place: FootagePlace,
    },
    /// Verify every checksum and Merkle root; changes nothing unless asked to.
    Check {
        #[command(flatten)]
        place: FootagePlace,
        /// Make the catalogue again from the segments, and damaged footers from their records. No node may run.
        #[arg(long)]
        rebuild: bool,
    },
    /// What this node has in its tier.
    #[command(subcommand)]
    Tier(TierCommand),
    /// Save a clip as MP4 from a running node, under a grant: the look is entered in its audit log first.
    Export(ExportArgs),
    /// Measure what a disk can carry, beside a bare program on the same disk.
    Bench(BenchArgs),
    /// Show what the policies would delete, thin or move, and why; does nothing. Holds are known with --config only.
    Plan {
        #[command(flatten)]
        place: FootagePlace,
        /// Plan as if it was this time (RFC 3339), and not now.
        #[arg(long, value_name = "TIME")]
        at: Option<Timestamp>,
    },
    /// Holds: footage that no policy may touch.
    #[command(subcommand)]
    Hold(HoldCommand),
}

#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// Address of the node's API, ending in /api/v1.
    #[arg(long, value_name = "URL")]
    pub api: String,
    /// Sign-in name.
    #[arg(long, value_name = "NAME")]
    pub user: String,
    /// File with the password.
    #[arg(long, value_name = "FILE")]
    pub password_file: PathBuf,
    /// Camera.
    #[arg(long, value_name = "ID")]
    pub camera: String,
    /// Start, RFC 3339.
    #[arg(long, value_name = "TIME")]
    pub from: String,
    /// End, RFC 3339.
    #[arg(long, value_name = "TIME")]
    pub to: String,
    /// A grant that is open.
    #[arg(long, value_name = "ID", conflicts_with_all = ["case", "reason"])]
    pub grant: Option<String>,
    /// Or a registered case, to open a grant under.
    #[arg(long, value_name = "REF", requires = "reason")]
    pub case: Option<String>,
    /// And why.
    #[arg(long, value_name = "TEXT", requires = "case")]
    pub reason: Option<String>,
    /// The file to write.
    #[arg(value_name = "FILE")]
    pub to_file: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    /// A folder on the disk to measure; a folder of its own is made in it and removed again.
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,
    /// Cameras.
    #[arg(long, default_value_t = 2000)]
    pub cameras: usize,
    /// GOPs of each camera in each round.
    #[arg(long, default_value_t = 2)]
    pub gops: usize,
    /// Bytes of a GOP.
    #[arg(long, default_value_t = 500_000)]
    pub gop_bytes: usize,
    /// Rounds.
    #[arg(long, default_value_t = 3)]
    pub rounds: usize,
}

#[derive(Debug, Subcommand)]
pub(crate) enum HoldCommand {
    /// Hold footage. A running node knows of it within seconds.
    Add {
        #[command(flatten)]
        config: ConfigArgs,
        /// The camera; may be given more than once.
        #[arg(long = "camera", value_name = "ID", required = true)]
        cameras: Vec<CameraId>,
        /// First instant to hold (RFC 3339).
        #[arg(long, value_name = "TIME")]
        from: Timestamp,
        /// First instant after.
        #[arg(long, value_name = "TIME")]
        to: Timestamp,
        /// Who wants it.
        #[arg(long)]
        owner: String,
        /// Why, for those who read the log.
        #[arg(long)]
        reason: String,
        /// When it ends by itself; otherwise when it is removed.
        #[arg(long, value_name = "TIME")]
        until: Option<Timestamp>,
    },
    /// List the holds in force.
    List(ConfigArgs),
    /// Lift a hold. What is past its time goes with the next plan.
    Remove {
        #[command(flatten)]
        config: ConfigArgs,
        /// Its id, as listed.
        id: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum TierCommand {
    /// List the segments that are there.
    Ls {
        #[command(flatten)]
        config: ConfigArgs,
        /// Those of all nodes, not of this one alone.
        #[arg(long)]
        all_nodes: bool,
    },
    /// Read everything that is there and compare it with its checksums; changes nothing.
    Check(ConfigArgs),
    /// List what uploads left that never came to an end, older than a day.
    Tidy {
        #[command(flatten)]
        config: ConfigArgs,
        /// Remove it.
        #[arg(long)]
        remove: bool,
    },
}

/// Where footage lies.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct FootagePlace {
    /// Configuration file whose footage directory is meant.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The footage directory itself.
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Check the whole hash chain.
    Verify(ConfigArgs),
}

#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// Make an account; a random password is printed once unless a file is given.
    Add {
        #[command(flatten)]
        config: ConfigArgs,
        /// Sign-in name.
        name: String,
        /// operator, investigator, integrator, supervisor, auditor or admin.
        #[arg(long)]
        role: Role,
        /// The unit (team, office) the person belongs to.
        #[arg(long)]
        unit: String,
        /// File with the password.
        #[arg(long)]
        password_file: Option<PathBuf>,
        /// A service account: prints a bearer token once.
        #[arg(long, conflicts_with = "password_file")]
        service: bool,
    },
    /// List accounts.
    List(ConfigArgs),
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Read the configuration and say what is wrong with it.
    Check(ConfigArgs),
    /// Show the configuration as it is in force, secrets hidden.
    Show(ConfigArgs),
}

#[derive(Debug, Subcommand)]
pub(crate) enum SimCommand {
    /// Simulated cameras: an RTSP server.
    Cameras {
        /// Address to listen on.
        #[arg(long, default_value = "127.0.0.1:8554")]
        listen: SocketAddr,
        /// How many.
        #[arg(long, default_value_t = 9)]
        cameras: u16,
    },
    /// Simulated vehicle passes.
    Passes(SimEvents),
    /// Simulated alarms (drills).
    Alarms(SimEvents),
}

#[derive(Debug, Args)]
pub(crate) struct SimEvents {
    /// Broker as host:port.
    #[arg(long)]
    pub broker: String,
    /// Topic prefix.
    #[arg(long, default_value = "sightline/v1")]
    pub prefix: String,
    /// Cameras that report; give it several times.
    #[arg(long = "camera", required = true)]
    pub cameras: Vec<CameraId>,
    /// Events a second.
    #[arg(long, default_value_t = 1.0)]
    pub rate: f64,
    /// Seed, to repeat a run.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

fn seconds(text: &str) -> Result<Duration, String> {
    text.parse::<f64>()
        .ok()
        .and_then(|secs| Duration::try_from_secs_f64(secs).ok())
        .ok_or_else(|| format!("{text:?} is not a number of seconds"))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        super::Cli::command().debug_assert();
    }
}
