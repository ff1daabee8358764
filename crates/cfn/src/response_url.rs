//! The address of an answer.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::{Host, Url};

use crate::deliver::Undelivered;

/// A presigned address that lets whoever knows it answer in our name, so it is never shown.
///
/// It is written down in a [`Ticket`](crate::Ticket) only.
#[derive(Clone, Deserialize, Serialize)]
#[serde(try_from = "Value")]
pub(crate) struct ResponseUrl(String);

impl TryFrom<Value> for ResponseUrl {
    type Error = Undelivered;

    fn try_from(value: Value) -> Result<Self, Undelivered> {
        Self::read(Some(&value))
    }
}

impl ResponseUrl {
    /// Accepts https, and plain http on the loopback interface, where local engines listen.
    pub(crate) fn read(value: Option<&Value>) -> Result<Self, Undelivered> {
        let text = value.and_then(Value::as_str).ok_or(Undelivered::NoAddress)?;
        // The parser's error is dropped, since it may repeat the address.
        let url = Url::parse(text).map_err(|_| Undelivered::BadAddress)?;
        let loopback = match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        match url.scheme() {
            "https" => Ok(Self(text.to_owned())),
            "http" if loopback => Ok(Self(text.to_owned())),
            _ => Err(Undelivered::BadAddress),
        }
    }

    /// The address as it was received, since re-encoding would break its signature.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ResponseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ResponseUrl(…)")
    }
}
