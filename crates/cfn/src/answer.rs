//! The answer to CloudFormation.

use std::collections::BTreeMap;

use errors::chain;
use media::json;
use serde::Serialize;

use crate::request::Envelope;
use crate::{Failure, NOT_CREATED, Reply, Undelivered};

/// The most bytes that CloudFormation reads of an answer. A longer one fails the resource.
const LIMIT: usize = 4096;

/// One answer, with the field names of the custom-resource protocol.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Answer<'a> {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    physical_resource_id: String,
    stack_id: &'a str,
    request_id: &'a str,
    logical_resource_id: &'a str,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    data: BTreeMap<&'static str, String>,
    /// The text after the reason that says where to read more. It is dropped last.
    #[serde(skip)]
    ending: String,
}

impl<'a> Answer<'a> {
    /// Returns the answer to `envelope` that reports `outcome`.
    pub(crate) fn new(
        envelope: &'a Envelope,
        outcome: Result<Reply, Failure>,
        log_stream: &str,
    ) -> Self {
        let known = envelope.physical_resource_id.clone();
        let (status, physical_id, reason, ending, reply) = match outcome {
            Ok(reply) => ("SUCCESS", Some(reply.physical_id.clone()), None, String::new(), reply),
            Err(failure) => {
                let log = Some(log_stream).filter(|it| !it.is_empty());
                let ending = log.map(|it| format!(" (log stream {it})")).unwrap_or_default();
                // A failed Update keeps its ID, because CloudFormation would delete the resource of
                // the old ID.
                let id = known.clone().or(failure.physical_id);
                ("FAILED", id, Some(failure.reason), ending, Reply::default())
            }
        };
        // The answer to a Delete must repeat the ID of the request, even if the handler returned
        // another.
        let id = if envelope.request_type == "Delete" { known } else { physical_id };
        Self {
            status,
            reason,
            physical_resource_id: id
                .filter(|it| !it.is_empty())
                .unwrap_or_else(|| NOT_CREATED.to_owned()),
            stack_id: &envelope.stack_id,
            request_id: &envelope.request_id,
            logical_resource_id: &envelope.logical_resource_id,
            data: reply.data,
            ending,
        }
    }

    pub(crate) fn status(&self) -> &'static str {
        self.status
    }

    pub(crate) fn physical_id(&self) -> &str {
        &self.physical_resource_id
    }

    /// Returns the whole reason of a failure, for the log.
    pub(crate) fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }

    /// Returns `true` if the answer to `envelope` is short enough after everything optional is cut.
    pub(crate) fn fits(envelope: &'a Envelope) -> bool {
        let reason = chain(&Undelivered::OutOfTime);
        let failure = Failure { reason, physical_id: None };
        Self::new(envelope, Err(failure), "").body().len() <= LIMIT
    }

    /// Returns the JSON to send. If it is too long, the reason is cut first, between two
    /// characters, then `Data` is dropped, and then the text after the reason.
    pub(crate) fn body(mut self) -> String {
        let whole = self.reason.clone().unwrap_or_default();
        let mut kept = whole.as_str();
        loop {
            self.reason = self.reason.take().map(|_| {
                let cut = if kept.len() < whole.len() { "…" } else { "" };
                format!("{kept}{cut}{}", self.ending)
            });
            let body = json::compact(&self);
            let excess = body.len().saturating_sub(LIMIT);
            if excess == 0 {
                return body;
            } else if !kept.is_empty() {
                // A byte of the reason takes up to six bytes in JSON, so this never cuts too much.
                kept = head(kept, kept.len().saturating_sub(excess.div_ceil(6)));
            } else if !self.data.is_empty() {
                self.data.clear();
            } else if !self.ending.is_empty() {
                self.ending.clear();
            } else {
                return body;
            }
        }
    }
}

/// Returns the first characters of `text`, at most `bytes` bytes.
fn head(text: &str, bytes: usize) -> &str {
    let mut end = bytes.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}
