//! The endpoint for the answers of custom resources, a stand-in for a presigned S3 URL.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

/// One answer in the form in which it arrived.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Response {
    /// The text of the answer.
    pub body: String,
    /// The `Content-Type` header, or `None` if it is missing.
    #[serde(rename = "contentType")]
    pub content_type: Option<String>,
    /// All headers.
    pub headers: Vec<(String, String)>,
}

impl Response {
    /// Returns the answer as JSON, or `Null` if it is not JSON.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }
}

/// All answers, by the ID in their URL.
#[derive(Debug, Default)]
pub(crate) struct Responses {
    received: BTreeMap<String, Vec<Response>>,
    refused: BTreeSet<String>,
    minted: u64,
}

impl Responses {
    /// Returns a new, unique ID.
    pub(crate) fn mint(&mut self) -> String {
        self.minted += 1;
        format!("response-{}", self.minted)
    }

    /// Refuses answers to this ID from now on.
    pub(crate) fn refuse(&mut self, id: &str) {
        self.refused.insert(id.to_owned());
    }

    pub(crate) fn refuses(&self, id: &str) -> bool {
        self.refused.contains(id)
    }

    pub(crate) fn put(&mut self, id: &str, response: Response) {
        self.received.entry(id.to_owned()).or_default().push(response);
    }

    pub(crate) fn get(&self, id: &str) -> &[Response] {
        self.received.get(id).map_or(&[], Vec::as_slice)
    }
}

/// Returns the ID at the end of a ResponseURL.
pub(crate) fn response_id(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}
