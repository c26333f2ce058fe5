//! The keys of one day in memory: an index over its file, and what is not yet in it.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    fs::File,
    os::unix::fs::{FileExt, MetadataExt},
    sync::Arc,
};

use sightline_footage::{CameraHour, DataKey, KeyError, KeyId};

use super::{
    error::KeyFileError,
    folder::Folder,
    format::{self, Bad, HEADER_BYTES, Header, KeyFile, ROW_BYTES, Row},
    master::Masters,
    naming::file_name,
};

/// How a day is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// By the process that records.
    Write,
    /// Beside it.
    Read,
}

/// What a day knows of a key.
#[derive(Debug)]
pub(super) enum Found {
    Key(Arc<DataKey>),
    Destroyed,
    Unknown,
}

/// A key that is not yet in the file.
#[derive(Debug)]
struct Pending {
    row: Row,
    key: Arc<DataKey>,
}

/// Rows on their way to the file.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) file: Option<Arc<File>>,
    pub(super) offset: u64,
    pub(super) bytes: Vec<u8>,
    rows: usize,
}

/// Keys of one day. `rows <= rows + pending`: a pending key has no place in the file until a sync has put it there.
#[derive(Debug)]
pub(super) struct Day {
    header: Header,
    key: DataKey,
    /// `None` until the first sync of a new day.
    file: Option<Arc<File>>,
    /// Rows in the file, damaged ones too.
    rows: usize,
    places: HashMap<KeyId, usize>,
    destroyed: HashSet<KeyId>,
    /// Whether rows of the file could not be read.
    holed: bool,
    /// The newest key of each camera-hour; only once new footage was written into this day.
    hours: Option<HashMap<CameraHour, KeyId>>,
    pending: Vec<Pending>,
    /// Number and length of the file that was read.
    stamp: (u64, u64),
}

impl Day {
    /// A day without keys.
    pub(super) fn new(day: u32, masters: &Masters) -> Result<Self, KeyFileError> {
        let key = DataKey::random()?;
        let header = Header {
            day,
            destroyed: false,
            master: masters.current.id(),
            wrapped: masters.current.wrap_day(&key, day)?,
        };
        let whole = KeyFile { header, rows: Vec::new(), torn_bytes: 0 };
        Ok(Self::over(&whole, key, None, (0, 0), true))
    }

    /// The day of a file. A torn tail is cut when it is opened for writing.
    pub(super) fn load(
        folder: &Folder,
        day: u32,
        masters: &Masters,
        access: Access,
        with_hours: bool,
    ) -> Result<Self, KeyFileError> {
        let name = file_name(day);
        let file = folder.open(&name, access == Access::Write)?;
        let (whole, stamp) = read(folder, &file, day)?;
        let key = masters.day_key(&whole.header, &folder.file(&name))?;
        if whole.torn_bytes > 0 && access == Access::Write {
            let length = (HEADER_BYTES + whole.rows.len() * ROW_BYTES) as u64;
            file.set_len(length).map_err(KeyFileError::io("cut", &folder.file(&name)))?;
        }
        let loaded = Self::over(&whole, key, Some(Arc::new(file)), stamp, with_hours);
        if loaded.holed {
            let path = folder.file(&name);
            tracing::error!(
                path = %path.display(),
                "Rows of the key file {} are damaged; the footage they were for cannot be read. Restore it from a backup.",
                path.display()
            );
        }
        Ok(loaded)
    }

    fn over(
        whole: &KeyFile,
        key: DataKey,
        file: Option<Arc<File>>,
        stamp: (u64, u64),
        with_hours: bool,
    ) -> Self {
        let mut day = Self {
            header: whole.header,
            key,
            file,
            rows: whole.rows.len(),
            places: HashMap::new(),
            destroyed: HashSet::new(),
            holed: whole.rows.iter().any(Option::is_none),
            hours: with_hours.then(HashMap::new),
            pending: Vec::new(),
            stamp,
        };
        for (place, row) in whole.rows.iter().enumerate() {
            let Some(row) = row else { continue };
            if row.wrapped.is_none() {
                day.destroyed.insert(row.id);
                continue;
            }
            day.places.insert(row.id, place);
            if let Some(hours) = &mut day.hours {
                hours.insert(row.of, row.id);
            }
        }
        day
    }

    pub(super) const fn knows_hours(&self) -> bool {
        self.hours.is_some()
    }

    /// Whether the file is another one now, or has grown.
    pub(super) fn is_stale(&self, folder: &Folder) -> bool {
        let now = std::fs::metadata(folder.file(&file_name(self.header.day)));
        now.is_ok_and(|now| (now.ino(), now.len()) != self.stamp)
    }

    /// Name of the newest key of a camera-hour.
    pub(super) fn newest(&self, of: CameraHour) -> Option<KeyId> {
        self.hours.as_ref()?.get(&of).copied()
    }

    /// Makes a key. It has to be written before it counts.
    pub(super) fn make(&mut self, of: CameraHour) -> Result<(KeyId, Arc<DataKey>), KeyError> {
        let mut id = KeyId::random(self.header.day)?;
        while self.places.contains_key(&id) || self.destroyed.contains(&id) {
            id = KeyId::random(self.header.day)?;
        }
        let key = Arc::new(DataKey::random()?);
        let wrapped = Some(self.key.wrap(&key, &Row::binding(id, of))?);
        self.places.insert(id, self.rows + self.pending.len());
        if let Some(hours) = &mut self.hours {
            hours.insert(of, id);
        }
        self.pending.push(Pending { row: Row { id, of, wrapped }, key: Arc::clone(&key) });
        Ok((id, key))
    }

    /// Finds a key by its name and what it is for.
    pub(super) fn find(&self, folder: &Folder, id: KeyId, of: CameraHour) -> Result<Found, KeyFileError> {
        let damaged = |what| KeyFileError::Damaged { path: folder.file(&file_name(self.header.day)), what };
        let Some(&place) = self.places.get(&id) else {
            return match () {
                () if self.destroyed.contains(&id) || self.header.destroyed => Ok(Found::Destroyed),
                () if self.holed => Err(damaged("some of its rows cannot be read")),
                () => Ok(Found::Unknown),
            };
        };
        if let Some(pending) = place.checked_sub(self.rows) {
            let pending = self.pending.get(pending).filter(|pending| pending.row.of == of);
            return Ok(pending.map_or(Found::Unknown, |pending| Found::Key(Arc::clone(&pending.key))));
        }
        let row = self.row(folder, place)?.ok_or_else(|| damaged("a row was changed since it was read"))?;
        let Some(wrapped) = row.wrapped.filter(|_| row.of == of && row.id == id) else {
            return Ok(Found::Unknown);
        };
        let key = self.key.unwrap(&wrapped, &Row::binding(id, of));
        Ok(Found::Key(Arc::new(key.ok_or_else(|| damaged("a key does not open with the key of its day"))?)))
    }

    fn row(&self, folder: &Folder, place: usize) -> Result<Option<Row>, KeyFileError> {
        let Some(file) = &self.file else { return Ok(None) };
        let mut bytes = [0; ROW_BYTES];
        let offset = (HEADER_BYTES + place * ROW_BYTES) as u64;
        let path = folder.file(&file_name(self.header.day));
        file.read_exact_at(&mut bytes, offset).map_err(KeyFileError::io("read", &path))?;
        Ok(format::parse_row(&bytes, self.header.day))
    }

    /// What has to be written now; `None` when everything is in the file.
    pub(super) fn batch(&self) -> Option<Batch> {
        if self.pending.is_empty() {
            return None;
        }
        let mut bytes = Vec::with_capacity(HEADER_BYTES + self.pending.len() * ROW_BYTES);
        if self.file.is_none() {
            bytes.extend_from_slice(&self.header.encode());
        }
        for pending in &self.pending {
            bytes.extend_from_slice(&pending.row.encode());
        }
        let offset = if self.file.is_none() { 0 } else { HEADER_BYTES + self.rows * ROW_BYTES };
        Some(Batch { file: self.file.clone(), offset: offset as u64, bytes, rows: self.pending.len() })
    }

    /// `batch` is durable, in `file`. Answers whether nothing is left to write.
    pub(super) fn written(&mut self, batch: &Batch, file: Arc<File>) -> bool {
        self.file = Some(file);
        self.rows += batch.rows;
        self.pending.drain(..batch.rows.min(self.pending.len()));
        self.pending.is_empty()
    }
}

/// A rewritten day: the content of its file, and how many keys of it are gone and stay.
#[derive(Debug)]
pub(super) struct Rewritten {
    pub(super) bytes: Vec<u8>,
    pub(super) gone: u64,
    pub(super) kept: u64,
}

/// What a rewrite does to the keys of a day.
#[derive(Debug, Clone, Copy)]
pub(super) enum Rewrite<'a> {
    /// Destroys all but those of these camera-hours.
    AllBut(&'a HashSet<CameraHour>),
    /// Destroys those of these camera-hours.
    Only(&'a HashSet<CameraHour>),
    /// Destroys none: the day key alone is wrapped anew.
    Rewrap,
}

/// The file of `day` as it stands after `what`, wrapped by the current master key. Where keys go, those that stay are wrapped
/// by a fresh day key: the old one must not open anything any more.
pub(super) fn rewrite(
    folder: &Folder,
    day: u32,
    masters: &Masters,
    what: Rewrite<'_>,
) -> Result<Rewritten, KeyFileError> {
    let name = file_name(day);
    let (whole, _) = read(folder, &folder.open(&name, false)?, day)?;
    let old = masters.day_key(&whole.header, &folder.file(&name))?;
    let fresh = match what {
        Rewrite::Rewrap => None,
        Rewrite::AllBut(_) | Rewrite::Only(_) => Some(DataKey::random()?),
    };
    let header = Header {
        destroyed: whole.header.destroyed || matches!(what, Rewrite::AllBut(_)),
        master: masters.current.id(),
        wrapped: masters.current.wrap_day(fresh.as_ref().unwrap_or(&old), day)?,
        day,
    };
    let mut done = Rewritten { bytes: header.encode().to_vec(), gone: 0, kept: 0 };
    for row in whole.rows.into_iter().flatten() {
        let goes = match what {
            Rewrite::AllBut(keep) => !keep.contains(&row.of),
            Rewrite::Only(these) => these.contains(&row.of),
            Rewrite::Rewrap => false,
        };
        let wrapped = match (row.wrapped, &fresh) {
            (Some(_), _) if goes => {
                done.gone += 1;
                None
            }
            (Some(wrapped), Some(fresh)) => Some(again(&wrapped, &row, &old, fresh, &folder.file(&name))?),
            (wrapped, _) => wrapped,
        };
        done.kept += u64::from(wrapped.is_some());
        // A day that was destroyed as a whole says so in its header.
        if wrapped.is_some() || !header.destroyed {
            done.bytes.extend_from_slice(&Row { wrapped, ..row }.encode());
        }
    }
    Ok(done)
}

/// Unwraps with the old day key and wraps with the fresh one.
fn again(
    wrapped: &[u8; sightline_footage::WRAPPED_KEY_BYTES],
    row: &Row,
    old: &DataKey,
    fresh: &DataKey,
    path: &std::path::Path,
) -> Result<[u8; sightline_footage::WRAPPED_KEY_BYTES], KeyFileError> {
    let binding = Row::binding(row.id, row.of);
    let key = old.unwrap(wrapped, &binding).ok_or_else(|| KeyFileError::Damaged {
        path: path.to_owned(),
        what: "a key that must be kept does not open",
    })?;
    Ok(fresh.wrap(&key, &binding)?)
}

/// A day that stands in the key folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DayKeys {
    /// Days since 1970 (UTC).
    pub day: u32,
    /// Whether its keys were destroyed. What `rows` counts then was kept, or made since.
    pub destroyed: bool,
    /// Keys in its file; single destroyed ones count until the day goes.
    pub rows: u64,
}

/// Reads the header of a day's file.
pub(super) fn read_header(folder: &Folder, day: u32) -> Result<(Header, u64), KeyFileError> {
    let name = file_name(day);
    let file = folder.open(&name, false)?;
    let failed = |error| KeyFileError::io("read", &folder.file(&name))(error);
    let length = file.metadata().map_err(failed)?.len();
    let mut bytes = vec![0; usize::try_from(length).unwrap_or(usize::MAX).min(HEADER_BYTES)];
    file.read_exact_at(&mut bytes, 0).map_err(failed)?;
    let header = Header::decode(&bytes).and_then(|header| of_day(header, day));
    let header = header.map_err(|bad| bad_file(bad, folder, &name))?;
    Ok((header, length.saturating_sub(HEADER_BYTES as u64) / ROW_BYTES as u64))
}

/// The camera-hours that a day's file has keys for.
pub(super) fn read_hours(folder: &Folder, day: u32) -> Result<BTreeSet<CameraHour>, KeyFileError> {
    let (whole, _) = read(folder, &folder.open(&file_name(day), false)?, day)?;
    Ok(whole.rows.into_iter().flatten().filter(|row| row.wrapped.is_some()).map(|row| row.of).collect())
}

fn read(folder: &Folder, file: &File, day: u32) -> Result<(KeyFile, (u64, u64)), KeyFileError> {
    let name = file_name(day);
    let failed = |error| KeyFileError::io("read", &folder.file(&name))(error);
    let facts = file.metadata().map_err(failed)?;
    let mut bytes = vec![0; usize::try_from(facts.len()).unwrap_or(usize::MAX)];
    file.read_exact_at(&mut bytes, 0).map_err(failed)?;
    let whole = format::parse(&bytes).map_err(|bad| bad_file(bad, folder, &name))?;
    of_day(whole.header, day).map_err(|bad| bad_file(bad, folder, &name))?;
    Ok((whole, (facts.ino(), facts.len())))
}

fn of_day(header: Header, day: u32) -> Result<Header, Bad> {
    if header.day == day {
        Ok(header)
    } else {
        Err(Bad::Damaged("it holds the keys of another day than its name says"))
    }
}

fn bad_file(bad: Bad, folder: &Folder, name: &str) -> KeyFileError {
    let path = folder.file(name);
    match bad {
        Bad::Damaged(what) => KeyFileError::Damaged { path, what },
        Bad::Version(found) => KeyFileError::Version { path, found, supported: format::VERSION },
    }
}
