//! The work of each custom resource, from CloudFormation's events and the organization's journal.

use std::collections::BTreeMap;

use simulator::Entry;

use crate::cloudformation::StackChange;
use crate::screen::{Screen, WIDTH};

/// The maximum number of writes of a resource that are shown.
const SHOWN: usize = 5;

/// The number of columns in front of a write.
const MARGIN: usize = 24;

/// The work of one custom resource in one deployment.
#[derive(Debug)]
pub(crate) struct ResourceWork {
    /// The name of the resource.
    pub resource: String,
    /// The result, in a word.
    pub became: &'static str,
    /// The calls that it made.
    pub calls: Vec<Entry>,
    /// The time from the request to the answer.
    pub milliseconds: i64,
}

impl ResourceWork {
    /// Returns the calls that were to change something and were not refused.
    pub(crate) fn writes(&self) -> impl Iterator<Item = &Entry> {
        self.calls.iter().filter(|it| it.is_successful_write())
    }

    /// Shows the work on one line.
    pub(crate) fn show(&self, screen: &Screen) {
        let (calls, writes) = (self.calls.len(), self.writes().count());
        screen.line(&format!(
            "   {:<21} {:<14} {:>8} {:>9} {:>6} ms",
            self.resource,
            self.became,
            count(calls, "call"),
            count(writes, "write"),
            self.milliseconds,
        ));
        for it in self.writes().take(SHOWN) {
            screen.line(&screen.dim(&written(it)));
        }
        if writes > SHOWN {
            screen.line(&screen.dim(&format!("{:<MARGIN$} and {} more", "", writes - SHOWN)));
        }
    }
}

/// Returns the line for a write, cut off where it is too wide, with the account in which it was made
/// at the end.
pub(crate) fn written(call: &Entry) -> String {
    let account = format!(" in {}", call.account);
    let room = WIDTH.saturating_sub(MARGIN + 1 + account.len());
    let text = call.to_string();
    let mut write: String = text.chars().take(room).collect();
    if write.len() < text.len() {
        write.pop();
        write.push('…');
    }
    format!("{:<MARGIN$} {write}{account}", "")
}

fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { " " } else { "s" })
}

/// Follows the events of a deployment.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    begun: BTreeMap<String, i64>,
    rolling_back: bool,
    /// The work of each custom resource, in order.
    pub done: Vec<ResourceWork>,
}

impl Ledger {
    /// Takes an event. When a custom resource is done, shows its work.
    ///
    /// ministack serves one custom resource after the other. Every call between the first and the
    /// last event of a resource was therefore made by it. `calls` returns those calls.
    pub(crate) fn see(
        &mut self,
        event: &StackChange,
        screen: &Screen,
        calls: impl Fn(i64, i64) -> Vec<Entry>,
    ) {
        self.rolling_back |= event.status.ends_with("ROLLBACK_IN_PROGRESS");
        if !event.custom() {
            screen.wait_for(&format!("{} {}", event.resource, event.status));
            return;
        }
        if event.status.ends_with("_IN_PROGRESS") {
            screen.wait_for(&format!("{} {}", event.resource, event.status));
            self.begun.insert(event.resource.clone(), event.at);
            return;
        }
        let from = self.begun.remove(&event.resource).unwrap_or(event.at);
        let calls = calls(from, event.at);
        let became = match event.status.as_str() {
            "CREATE_COMPLETE" => "created",
            "UPDATE_COMPLETE" if calls.is_empty() => "unchanged",
            "UPDATE_COMPLETE" if self.rolling_back => "rolled back",
            "UPDATE_COMPLETE" => "updated",
            "DELETE_COMPLETE" => "deleted",
            "DELETE_SKIPPED" => "left as it is",
            _ => "failed",
        };
        let work = ResourceWork {
            resource: event.resource.clone(),
            became,
            calls,
            milliseconds: event.at - from,
        };
        work.show(screen);
        self.done.push(work);
    }
}
