//! Everything that a look into an account found, as lines of JSON.

use std::time::SystemTime;

use plan::id::AccountId;
use serde_json::{Value, json};

use super::document::FORMAT;
use crate::coverage::{Coverage, Judge, Resource};
use crate::utc;

/// The object of an account: a line about the look, and one for each resource.
#[derive(Clone, Debug)]
pub struct Details(String);

impl Details {
    /// Begins the object of an account that was looked into at `taken`.
    pub fn new(program: &str, account: &AccountId, name: &str, taken: SystemTime) -> Self {
        let look = json!({
            "format": FORMAT,
            "program": program,
            "account": account,
            "name": name,
            "taken": utc(taken),
        });
        let mut details = Self(String::new());
        details.line(&look);
        details
    }

    /// Adds a resource, as `coverage --json` prints it, with the time at which it was first seen.
    pub fn resource(
        &mut self,
        judge: &Judge<'_>,
        resource: &Resource,
        coverage: &Coverage,
        first_seen: Option<SystemTime>,
    ) {
        let mut line = judge.json(resource, coverage);
        if let Some(line) = line.as_object_mut() {
            line.insert("firstSeen".to_owned(), json!(first_seen.map(utc)));
        }
        self.line(&line);
    }

    /// Returns the text of the object.
    pub fn text(self) -> String {
        self.0
    }

    fn line(&mut self, line: &Value) {
        self.0 += &media::json::compact(line);
        self.0.push('\n');
    }
}
