//! What handlers take out of a request, with refusals that name the field and the way out.

mod address;
mod body;
mod caller;
mod query;

pub(crate) use address::ClientAddress;
pub(crate) use body::{CsvBody, JsonBody};
pub(crate) use caller::{Credential, SESSION_COOKIE, SignedIn};
pub(crate) use query::{At, FromTo, Paging, PathId, QueryOf, range};
