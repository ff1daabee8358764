//! Replies in a form before HTTP.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hyper::StatusCode;

use crate::organization::clock;

/// A reply.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn new(content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let headers = vec![("content-type", content_type.to_owned())];
        Self { status: StatusCode::OK, headers, body: body.into() }
    }

    pub(crate) fn empty() -> Self {
        Self { status: StatusCode::OK, headers: Vec::new(), body: Vec::new() }
    }

    pub(crate) fn status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// Returns a time as AWS writes it in JSON: seconds of the Unix epoch.
pub(crate) fn timestamp(since_start: Duration) -> f64 {
    moment(clock(since_start))
}

/// Does the same for a time that is not counted from the simulator's start.
pub(crate) fn moment(at: SystemTime) -> f64 {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    // AWS gives times in milliseconds.
    (since.as_secs_f64() * 1_000.0).round() / 1_000.0
}
