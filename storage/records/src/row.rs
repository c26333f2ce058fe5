//! Reading columns back into model types. Text that cannot be read is damage and says where it stands.

use std::{fmt::Display, str::FromStr};

use serde::{Serialize, de::DeserializeOwned};
use sightline_model::Timestamp;
use sqlx::Row as _;

use crate::{Error, db::Row};

/// A row, and the kind of thing it holds (for messages).
pub(crate) struct Cells<'r> {
    pub(crate) row: &'r Row,
    pub(crate) what: &'static str,
}

impl<'r> Cells<'r> {
    pub(crate) fn new(row: &'r Row, what: &'static str) -> Self {
        Self { row, what }
    }

    pub(crate) fn text(&self, column: &'static str) -> Result<String, Error> {
        Ok(self.row.try_get(column)?)
    }

    pub(crate) fn text_opt(&self, column: &'static str) -> Result<Option<String>, Error> {
        Ok(self.row.try_get(column)?)
    }

    pub(crate) fn int(&self, column: &'static str) -> Result<i64, Error> {
        Ok(self.row.try_get(column)?)
    }

    pub(crate) fn int_opt(&self, column: &'static str) -> Result<Option<i64>, Error> {
        Ok(self.row.try_get(column)?)
    }

    pub(crate) fn float_opt(&self, column: &'static str) -> Result<Option<f64>, Error> {
        Ok(self.row.try_get(column)?)
    }

    pub(crate) fn flag(&self, column: &'static str) -> Result<bool, Error> {
        Ok(self.row.try_get(column)?)
    }

    /// A whole number that fits the given type.
    pub(crate) fn number<T: TryFrom<i64>>(&self, column: &'static str) -> Result<T, Error> {
        let value = self.int(column)?;
        T::try_from(value).map_err(|_| self.damaged(column, value, "the number is out of range"))
    }

    pub(crate) fn at(&self, column: &'static str) -> Result<Timestamp, Error> {
        self.int(column).map(Timestamp)
    }

    pub(crate) fn at_opt(&self, column: &'static str) -> Result<Option<Timestamp>, Error> {
        Ok(self.int_opt(column)?.map(Timestamp))
    }

    /// A value with a text form: ids, roles, policies.
    pub(crate) fn parsed<T: FromStr<Err: Display>>(&self, column: &'static str) -> Result<T, Error> {
        let text = self.text(column)?;
        text.parse().map_err(|why| self.damaged(column, &text, why))
    }

    /// The same, where there may be none.
    pub(crate) fn parsed_opt<T: FromStr<Err: Display>>(
        &self,
        column: &'static str,
    ) -> Result<Option<T>, Error> {
        let Some(text) = self.text_opt(column)? else { return Ok(None) };
        text.parse().map(Some).map_err(|why| self.damaged(column, &text, why))
    }

    /// An enum without fields, by its name in JSON.
    pub(crate) fn named<T: DeserializeOwned>(&self, column: &'static str) -> Result<T, Error> {
        let text = self.text(column)?;
        serde_json::from_value(serde_json::Value::String(text.clone()))
            .map_err(|why| self.damaged(column, &text, why))
    }

    /// A value stored as JSON.
    pub(crate) fn json<T: DeserializeOwned>(&self, column: &'static str) -> Result<T, Error> {
        let text = self.text(column)?;
        serde_json::from_str(&text).map_err(|why| self.damaged(column, &text, why))
    }

    pub(crate) fn damaged(&self, column: &'static str, value: impl Display, why: impl Display) -> Error {
        let value = value.to_string().chars().take(64).collect();
        Error::Damaged { what: self.what, column, value, why: why.to_string() }
    }
}

/// An enum's name in JSON: what [`Cells::named`] reads back.
pub(crate) fn name_of<T: Serialize>(what: &'static str, value: &T) -> Result<String, Error> {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(name)) => Ok(name),
        other => Err(Error::invalid(what, "", format!("it has no name in JSON: {other:?}"))),
    }
}

/// A value as JSON text: what [`Cells::json`] reads back.
pub(crate) fn json_of<T: Serialize>(what: &'static str, value: &T) -> Result<String, Error> {
    serde_json::to_string(value)
        .map_err(|why| Error::invalid(what, "", format!("it has no JSON form: {why}")))
}
