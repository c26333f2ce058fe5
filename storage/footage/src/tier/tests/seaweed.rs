//! A real S3 store: SeaweedFS, started here on free ports and killed at the end.

use std::{
    fs,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use sightline_model::Timestamp;
use tempfile::TempDir;

use super::{content, sealed, store};
use crate::{
    Config, Error, Footage, Tier, TierConfig, TierProblem, catalogue::Place, testkit, tests::read_all,
};

/// Set for the process that is killed in the middle of an upload.
const VICTIM: &str = "SIGHTLINE_TEST_TIER";

/// A running SeaweedFS with a bucket `footage`.
struct Seaweed {
    dir: TempDir,
    child: Child,
    filer: u16,
    s3: u16,
}

impl Drop for Seaweed {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn program() -> PathBuf {
    let in_checkout = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/seaweedfs/bin/weed");
    let named = std::env::var_os("SIGHTLINE_WEED").map(PathBuf::from);
    let program = named.unwrap_or(in_checkout);
    assert!(
        program.exists(),
        "these tests need SeaweedFS at {}: run deploy/test.sh, which installs it, or name it in SIGHTLINE_WEED",
        program.display()
    );
    program
}

fn free_ports<const N: usize>() -> [u16; N] {
    let listeners = [(); N].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().port())
}

const IDENTITIES: &str = r#"{"identities": [
    {"name": "node", "credentials": [{"accessKey": "node", "secretKey": "node-secret"}],
     "actions": ["Read", "Write", "List"]},
    {"name": "guest", "credentials": [{"accessKey": "guest", "secretKey": "guest-secret"}],
     "actions": ["Read:elsewhere"]}]}"#;

fn until<T>(what: &str, mut done: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(90);
    loop {
        if let Some(value) = done() {
            return value;
        }
        assert!(Instant::now() < deadline, "never came true: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The status line of a plain HTTP request.
fn http(port: u16, request: &str) -> Option<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
    write!(stream, "{request} HTTP/1.0\r\nHost: x\r\nContent-Length: 0\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    answer.lines().next().map(str::to_owned)
}

impl Seaweed {
    fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let [master, master_grpc, volume, volume_grpc, filer, filer_grpc, s3, s3_grpc] = free_ports::<8>();
        fs::write(dir.path().join("s3.json"), IDENTITIES).unwrap();
        fs::write(dir.path().join("secret"), "node-secret\n").unwrap();
        let child = Command::new(program())
            .current_dir(dir.path())
            .args(["server", "-dir=.", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-filer", "-s3"])
            .args(["-s3.config=s3.json", "-s3.autoCreateBucket=false", "-master.telemetry=false"])
            .args(["-s3.port.iceberg=0", "-s3.port.lance=0"])
            .args(["-master.volumeSizeLimitMB=64", "-volume.max=32", "-volume.minFreeSpace=1"])
            .arg(format!("-master.port={master}"))
            .arg(format!("-master.port.grpc={master_grpc}"))
            .arg(format!("-volume.port={volume}"))
            .arg(format!("-volume.port.grpc={volume_grpc}"))
            .arg(format!("-filer.port={filer}"))
            .arg(format!("-filer.port.grpc={filer_grpc}"))
            .arg(format!("-s3.port={s3}"))
            .arg(format!("-s3.port.grpc={s3_grpc}"))
            .stdout(Stdio::null())
            .stderr(fs::File::create(dir.path().join("log")).unwrap())
            .spawn()
            .unwrap();
        let seaweed = Self { dir, child, filer, s3 };
        let made = |answer: String| (answer.contains(" 201") || answer.contains(" 200")).then_some(());
        until("SeaweedFS makes a bucket", || http(filer, "POST /buckets/footage/").and_then(made));
        until("its S3 gateway answers", || seaweed.tier("north").probe().ok());
        seaweed
    }

    fn config(&self) -> TierConfig {
        let mut config = TierConfig::at("s3://footage/city/main");
        config.endpoint = Some(format!("http://127.0.0.1:{}", self.s3));
        config.allow_http = true;
        config.access_key_id = Some("node".to_owned());
        config.secret_key_file = Some(self.dir.path().join("secret"));
        config.chunk_bytes = 1 << 20;
        config
    }

    fn tier(&self, node: &str) -> Tier {
        Tier::open(&self.config(), node).unwrap()
    }

    /// A real file with a sealed segment.
    fn segment_file(&self, bytes: usize) -> (PathBuf, Vec<u8>) {
        let content = content(&sealed(bytes));
        let path = self.dir.path().join("0000000000000001.seg");
        fs::write(&path, &content).unwrap();
        (path, content)
    }
}

fn problem(result: Result<impl Sized, Error>) -> TierProblem {
    match result.map(drop).unwrap_err() {
        Error::Tier { problem, .. } => problem,
        other => panic!("{other}"),
    }
}

#[test]
fn a_segment_goes_up_reads_back_is_listed_and_removed() {
    let seaweed = Seaweed::start();
    let (file, content) = seaweed.segment_file(5_500_000);
    let tier = seaweed.tier("north");
    assert_eq!(tier.segments(true).unwrap(), []);
    let verified = tier.upload(&file).unwrap();
    assert_eq!(tier.confirm(&file).unwrap(), verified);
    assert_eq!(tier.metrics().chunks_sent_again, 0);
    let sent = tier.metrics().bytes_sent;
    assert_eq!(sent, content.len() as u64);
    tier.upload(&file).unwrap();
    assert_eq!(tier.metrics().bytes_sent, sent, "nothing is sent twice");

    for (from, length) in [(0, 128), (1000, 1), (1_048_000, 2_000_000), (content.len() - 300, 300)] {
        let mut read = vec![0; length];
        tier.open_segment(1).unwrap().read_at(from as u64, &mut read).unwrap();
        assert!(read == content[from..from + length], "{length} bytes from {from}");
    }

    // A machine that knows nothing but the bucket.
    let south = seaweed.tier("south");
    let segments = south.segments(true).unwrap();
    let [segment] = segments.as_slice() else { panic!("{segments:?}") };
    assert_eq!((segment.segment, segment.node.as_str()), (1, "north"));
    assert_eq!((segment.bytes, segment.chunks), (content.len() as u64, 6));
    assert_eq!(south.segments(false).unwrap(), []);

    tier.remove(1).unwrap();
    assert_eq!(tier.segments(true).unwrap(), []);
    assert_eq!(problem(tier.open_segment(1)), TierProblem::Missing);
}

#[test]
fn a_chunk_that_rots_in_the_store_is_found_and_sent_again() {
    let seaweed = Seaweed::start();
    let (file, content) = seaweed.segment_file(2_500_000);
    let tier = seaweed.tier("north");
    tier.upload(&file).unwrap();
    let sent = tier.metrics().bytes_sent;

    // The same length, other bytes, and no attribute that tells.
    let other = vec![7u8; 1 << 20];
    put_behind_its_back(&seaweed, "00001", &other);
    tier.confirm(&file).expect("lengths alone do not tell");
    tier.upload(&file).unwrap();
    assert_eq!(tier.metrics().bytes_sent - sent, 1 << 20, "that chunk and no other");
    let mut read = vec![0; content.len()];
    tier.open_segment(1).unwrap().read_at(0, &mut read).unwrap();
    assert!(read == content);
}

/// Through the filer, below the S3 gateway.
fn put_behind_its_back(seaweed: &Seaweed, chunk: &str, bytes: &[u8]) {
    let path = format!("/buckets/footage/city/main/north/0000000000000001/{chunk}");
    let mut stream = TcpStream::connect(("127.0.0.1", seaweed.filer)).unwrap();
    write!(stream, "PUT {path} HTTP/1.0\r\nHost: x\r\nContent-Length: {}\r\n\r\n", bytes.len()).unwrap();
    stream.write_all(bytes).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.lines().next().is_some_and(|line| line.contains(" 20")), "{answer}");
}

/// Uploads until it is killed; run by the test below in a process of its own.
#[test]
#[ignore = "the victim of the test below"]
fn victim() {
    let Ok(setting) = std::env::var(VICTIM) else { return };
    let (config, file) = setting.split_once('\n').unwrap();
    let mut config: TierConfig = toml::from_str(&config.replace(';', "\n")).unwrap();
    // Slow enough to be met in the middle.
    config.rate_bytes_per_s = Some(4 << 20);
    Tier::open(&config, "north").unwrap().upload(Path::new(file)).unwrap();
}

#[test]
fn an_upload_that_is_killed_goes_on_where_it_was() {
    let seaweed = Seaweed::start();
    let (file, content) = seaweed.segment_file(12_000_000);
    let config = toml::to_string(&seaweed.config()).unwrap().replace('\n', ";");
    let mut victim = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "tier::tests::seaweed::victim", "--ignored"])
        .env(VICTIM, format!("{config}\n{}", file.display()))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let tier = seaweed.tier("north");
    let there = || {
        let inner = std::sync::Arc::clone(&tier.inner);
        tier.inner.wait(async move { inner.listed(1).await }).unwrap().len()
    };
    until("some chunks are there", || (there() >= 3).then_some(()));
    victim.kill().unwrap();
    victim.wait().unwrap();
    let before = there();
    assert!((3..12).contains(&before), "{before} chunks");
    assert_eq!(tier.segments(false).unwrap(), [], "without a manifest it is no segment");

    tier.upload(&file).unwrap();
    let sent = tier.metrics().bytes_sent;
    assert!(
        sent <= content.len() as u64 - (before as u64 - 1) * (1 << 20),
        "{before} were there, {sent} bytes sent"
    );
    let mut read = vec![0; content.len()];
    tier.open_segment(1).unwrap().read_at(0, &mut read).unwrap();
    assert!(read == content);
}

#[test]
fn what_is_wrong_with_the_store_is_said() {
    let mut seaweed = Seaweed::start();
    let (file, _) = seaweed.segment_file(10_000);
    let tier = |change: &dyn Fn(&mut TierConfig)| {
        let mut config = seaweed.config();
        change(&mut config);
        Tier::open(&config, "north").unwrap()
    };
    let no_bucket = tier(&|config| config.url = "s3://nowhere/city".to_owned());
    assert_eq!(problem(no_bucket.probe()), TierProblem::NoBucket);
    assert_eq!(problem(no_bucket.upload(&file)), TierProblem::NoBucket);

    let wrong = seaweed.dir.path().join("wrong");
    fs::write(&wrong, "wrong").unwrap();
    let denied = tier(&|config| config.secret_key_file = Some(wrong.clone()));
    let said = problem(denied.probe());
    assert!(matches!(&said, TierProblem::Denied { detail } if detail.contains("Signature")), "{said}");
    let guest_secret = seaweed.dir.path().join("guest");
    fs::write(&guest_secret, "guest-secret").unwrap();
    let guest = tier(&|config| {
        config.access_key_id = Some("guest".to_owned());
        config.secret_key_file = Some(guest_secret.clone());
    });
    assert!(matches!(problem(guest.upload(&file)), TierProblem::Denied { .. }));

    let live = tier(&|_| {});
    live.upload(&file).unwrap();
    seaweed.child.kill().unwrap();
    seaweed.child.wait().unwrap();
    let began = Instant::now();
    let said = problem(live.probe());
    assert!(matches!(&said, TierProblem::Unreachable { .. }), "{said}");
    assert!(said.to_string().contains("footage.tier.endpoint"), "{said}");
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());

    let missing = TierConfig { secret_key_file: Some("/nowhere/secret".into()), ..seaweed.config() };
    let error = Tier::open(&missing, "north").unwrap_err().to_string();
    assert!(error.contains("/nowhere/secret"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_moves_to_s3_and_a_new_machine_plays_it_from_there() {
    let seaweed = Seaweed::start();
    let open = |dir: &str| {
        let mut config = Config { dir: seaweed.dir.path().join(dir), ..store::config() };
        let tier = TierConfig { after: Duration::ZERO, keep_local: Duration::ZERO, ..seaweed.config() };
        config.tier = Some(tier);
        Footage::open(config, testkit::seams(), Timestamp::now()).unwrap().0
    };
    let footage = open("first");
    let gops = store::record(&footage, 0..8).await;
    store::moved(&footage, Place::Tier).await;
    assert_eq!(read_all(&footage, testkit::key("a")).await, gops);
    // Sealed by the shutdown and recovered by the next start, the last segment goes as well.
    footage.shutdown().await.unwrap();
    drop(footage);
    let footage = open("first");
    store::moved(&footage, Place::Tier).await;
    let segments = footage.list_segments().unwrap().len();
    footage.shutdown().await.unwrap();
    drop(footage);

    let new = open("second");
    testkit::until(|| (store::sealed_at(&new, Place::Tier) == segments).then_some(())).await;
    assert_eq!(read_all(&new, testkit::key("a")).await, gops);
    let report = tokio::task::block_in_place(|| seaweed.tier("north").check(|_, _| ()).unwrap());
    assert_eq!((report.segments, report.problems.len()), (segments as u64, 0), "{report:?}");
}
