//! `sightline demo` as a child process on free ports in a directory of its own.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::Duration,
};

use serde::Deserialize;

use crate::{Client, wait::eventually_some};

/// How long a demo may take to be ready: debug build, two busy cores.
const READY_WITHIN: Duration = Duration::from_secs(120);

/// What `demo.json` says.
#[derive(Debug, Clone, Deserialize)]
pub struct Facts {
    /// Address of the console.
    pub console: String,
    /// Base address of the API, ending in `/api/v1`.
    pub api: String,
    /// Address of the metrics.
    pub metrics: String,
    /// Broker as host:port.
    pub mqtt: String,
    /// Number of an open case.
    pub case: String,
    /// A plate on the hotlist.
    pub hotlisted: String,
    /// One account of each role.
    pub users: Vec<User>,
}

/// A demo account.
#[derive(Debug, Clone, Deserialize)]
pub struct User {
    /// Sign-in name.
    pub name: String,
    /// Role.
    pub role: String,
    /// Password.
    pub password: String,
}

/// A running demo; killed when dropped.
pub struct Demo {
    child: Child,
    dir: PathBuf,
    /// What it says of itself.
    pub facts: Facts,
}

/// The binary under test: beside the test's own executable, or where `SIGHTLINE_BIN` says.
///
/// # Panics
/// When there is none.
#[must_use]
pub fn binary() -> PathBuf {
    let path = std::env::var_os("SIGHTLINE_BIN").map_or_else(
        || {
            let test = std::env::current_exe().unwrap();
            test.ancestors().nth(2).unwrap().join("sightline")
        },
        PathBuf::from,
    );
    assert!(path.exists(), "{} is missing: run `cargo build -p sightline` first", path.display());
    path
}

impl Demo {
    /// Starts a demo in `dir` and waits until it is ready.
    ///
    /// # Panics
    /// When it does not get ready; the end of its log is shown.
    pub async fn start(dir: &Path, options: &[&str]) -> Self {
        let ready = dir.join("demo.json");
        // A demo keeps its accounts from run to run by this file; what tells readiness is that it is written anew.
        let before = std::fs::metadata(&ready).and_then(|file| file.modified()).ok();
        let mut child = spawn(dir, options);
        let facts = eventually_some("the demo writes demo.json", READY_WITHIN, || {
            let ended = child.try_wait().unwrap();
            assert!(ended.is_none(), "the demo ended with {ended:?}:\n{}", tail(&dir.join("log")));
            let written = std::fs::metadata(&ready).and_then(|file| file.modified()).ok();
            let facts = (written != before)
                .then(|| std::fs::read(&ready).ok())
                .flatten()
                .and_then(|bytes| serde_json::from_slice(&bytes).ok());
            async move { facts }
        })
        .await;
        Self { child, dir: dir.to_owned(), facts }
    }

    /// Signs in as the demo's account of `role`.
    ///
    /// # Panics
    /// When there is none.
    pub async fn client(&self, role: &str) -> Client {
        let user = self.facts.users.iter().find(|user| user.role == role).unwrap();
        Client::sign_in(&self.facts.api, &user.name, &user.password).await
    }

    /// The process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// All it has logged.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.dir.join("log")).unwrap_or_default()
    }

    /// Kills it as a power cut would.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to stop and waits for the end.
    ///
    /// # Panics
    /// When it does not end within `deadline`.
    pub async fn terminate(mut self, deadline: Duration) -> ExitStatus {
        let status = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(status.success());
        eventually_some("the demo ends on SIGTERM", deadline, || {
            let ended = self.child.try_wait().unwrap();
            async move { ended }
        })
        .await
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts a demo in `dir` and kills it as a power cut would after `life`, however far it has come.
pub async fn start_and_kill(dir: &Path, options: &[&str], life: Duration) {
    let mut child = spawn(dir, options);
    tokio::time::sleep(life).await;
    child.kill().unwrap();
    child.wait().unwrap();
}

fn spawn(dir: &Path, options: &[&str]) -> Child {
    std::fs::create_dir_all(dir).unwrap();
    let log = File::options().create(true).append(true).open(dir.join("log")).unwrap();
    Command::new(binary())
        .arg("demo")
        .args(["--listen", "127.0.0.1:0", "--data"])
        .arg(dir)
        .args(options)
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .unwrap()
}

fn tail(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(40)..].join("\n")
}
