//! Pages and cursors. A cursor is the key of the last item handed out, its parts joined by `~`; lists are ordered by
//! that key, so that rows inserted or removed meanwhile neither repeat nor hide others.

use std::{fmt::Display, str::FromStr};

use sightline_model::page::Page;

use crate::Error;

/// Most items on one page, whatever was asked for.
pub const MAX_LIMIT: usize = 1000;

/// The number of items on a page: at least 1, at most [`MAX_LIMIT`].
pub(crate) fn limit(asked: usize) -> usize {
    asked.clamp(1, MAX_LIMIT)
}

/// The same, plus the one row that tells whether there is a next page: what to bind to `LIMIT`.
pub(crate) fn limit_plus_one(asked: usize) -> i64 {
    i64::try_from(limit(asked)).unwrap_or(1).saturating_add(1)
}

/// Makes a page of rows that were read with [`limit_plus_one`].
pub(crate) fn cut<T>(mut rows: Vec<T>, asked: usize, key: impl Fn(&T) -> String) -> Page<T> {
    let more = rows.len() > limit(asked);
    rows.truncate(limit(asked));
    let next = if more { rows.last().map(key) } else { None };
    Page { items: rows, next }
}

/// The cursor of a key of two parts.
pub(crate) fn pair(first: impl Display, second: impl Display) -> String {
    format!("{first}~{second}")
}

/// Reads a cursor of one part.
pub(crate) fn read_one<A: FromStr>(cursor: Option<&str>) -> Result<Option<A>, Error> {
    cursor.map(|text| text.parse().map_err(|_| refuse(text))).transpose()
}

/// Reads a cursor of two parts.
pub(crate) fn read_pair<A: FromStr, B: FromStr>(cursor: Option<&str>) -> Result<Option<(A, B)>, Error> {
    let Some(text) = cursor else { return Ok(None) };
    let (first, second) = text.split_once('~').ok_or_else(|| refuse(text))?;
    match (first.parse(), second.parse()) {
        (Ok(first), Ok(second)) => Ok(Some((first, second))),
        _ => Err(refuse(text)),
    }
}

fn refuse(cursor: &str) -> Error {
    Error::Cursor { cursor: cursor.chars().take(64).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_a_next_only_when_there_is_more() {
        let page = cut(vec![1, 2, 3], 2, i32::to_string);
        assert_eq!((page.items, page.next.as_deref()), (vec![1, 2], Some("2")));
        assert_eq!(cut(vec![1, 2], 2, i32::to_string).next, None);
        assert_eq!(limit_plus_one(0), 2, "a page holds at least one item");
        assert_eq!(limit_plus_one(usize::MAX), 1001);
    }

    #[test]
    fn a_foreign_cursor_is_refused() {
        assert_eq!(read_pair::<i64, i64>(Some("1~2")).unwrap(), Some((1, 2)));
        for bad in ["", "1", "1~", "a~b", "'; DROP TABLE cameras"] {
            assert!(matches!(read_pair::<i64, i64>(Some(bad)), Err(Error::Cursor { .. })), "{bad}");
        }
    }
}
