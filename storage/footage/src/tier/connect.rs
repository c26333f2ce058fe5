//! From a configuration to a store: the one place that knows S3 from a folder.

use std::{fs, sync::Arc, time::Duration};

use object_store::{
    BackoffConfig, ClientOptions, ObjectStore, RetryConfig, aws::AmazonS3Builder, local::LocalFileSystem,
    path::Path,
};
use url::Url;

use super::{config::TierConfig, problem::TierProblem};
use crate::Error;

/// How long a store may take to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The slowest line on which a chunk still arrives before its request is given up.
const SLOWEST_BYTES_PER_S: u64 = 128 << 10;

/// A store, and where in it a tier lies.
pub(crate) struct Connected {
    pub(crate) objects: Arc<dyn ObjectStore>,
    pub(crate) root: Path,
    /// Whether objects carry attributes.
    pub(crate) attributes: bool,
    /// The folder, when it is one.
    pub(crate) folder: Option<Arc<LocalFileSystem>>,
}

/// Makes the client; nothing is sent yet.
pub(crate) fn connect(config: &TierConfig, url: &Url) -> Result<Connected, Error> {
    if url.scheme() == "file" { folder(config, url) } else { s3(config, url) }
}

fn s3(config: &TierConfig, url: &Url) -> Result<Connected, Error> {
    let bad = |field, problem: String| Error::Config { field, problem };
    let whole = Duration::from_secs(30 + config.chunk_bytes / SLOWEST_BYTES_PER_S);
    let client = ClientOptions::new()
        .with_connect_timeout(CONNECT_TIMEOUT)
        .with_timeout(whole)
        .with_allow_http(config.allow_http);
    // Short, because who asks again is the mover, with longer pauses, and readers wait meanwhile.
    let backoff = BackoffConfig { max_backoff: Duration::from_secs(2), ..BackoffConfig::default() };
    let retry = RetryConfig { backoff, max_retries: 3, retry_timeout: Duration::from_secs(20) };
    let mut builder = AmazonS3Builder::new()
        .with_client_options(client)
        .with_retry(retry)
        .with_bucket_name(url.host_str().unwrap_or_default())
        .with_region(&config.region)
        // Not every store has the request that deletes many objects at once.
        .with_disable_bulk_delete(true);
    if let Some(endpoint) = &config.endpoint {
        builder = builder.with_endpoint(endpoint.trim_end_matches('/'));
    }
    if let (Some(id), Some(file)) = (&config.access_key_id, &config.secret_key_file) {
        let secret = fs::read_to_string(file).map_err(Error::io("read the tier's secret key from", file))?;
        if secret.trim().is_empty() {
            return Err(bad("tier.secret_key_file", format!("{} is empty", file.display())));
        }
        builder = builder.with_access_key_id(id).with_secret_access_key(secret.trim());
    }
    let objects = builder.build().map_err(|error| bad("tier", error.to_string()))?;
    let root = Path::from_url_path(url.path()).map_err(|error| bad("tier.url", error.to_string()))?;
    Ok(Connected { objects: Arc::new(objects), root, attributes: true, folder: None })
}

/// The folder is not created: an empty mount point would be taken for the tier, and fill the wrong disk.
fn folder(config: &TierConfig, url: &Url) -> Result<Connected, Error> {
    let failed = |problem| Error::Tier {
        action: "open",
        what: "the folder".to_owned(),
        store: config.url.clone(),
        problem,
    };
    let folder = url.to_file_path().map_err(|()| failed(TierProblem::NoBucket))?;
    let objects = LocalFileSystem::new_with_prefix(&folder).map_err(|error| failed(error.into()))?;
    let objects = Arc::new(objects.with_fsync(true).with_automatic_cleanup(true));
    let folder = Some(Arc::clone(&objects));
    Ok(Connected { objects, root: Path::default(), attributes: false, folder })
}
