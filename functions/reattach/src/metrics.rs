//! The metrics of an invocation.

use std::time::SystemTime;

use cfn::metrics_line;
use serde_json::{Value, json};

/// The counts of one invocation.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    /// Number of resources that had drifted.
    pub(crate) drift_found: usize,
    /// Number of resources that were restored.
    pub(crate) repaired: usize,
    /// Number of resources that could not be restored.
    pub(crate) failed: usize,
    /// Seconds from the first event to the end of the repair.
    pub(crate) seconds_to_repair: Option<f64>,
    /// Number of calls to AWS.
    pub(crate) api_calls: u32,
    /// Number of throttling responses of AWS Organizations.
    pub(crate) throttles: u32,
    /// Number of accounts whose effective policy is invalid, if AWS was asked.
    pub(crate) invalid_accounts: Option<usize>,
    /// True if this was a scheduled check of all resources, and nothing failed.
    pub(crate) sweep: bool,
}

impl Metrics {
    /// Returns the log line of an invocation at `now`.
    pub(crate) fn line(&self, now: SystemTime) -> Value {
        let count = |it: usize| Some(json!(it));
        let values = [
            ("DriftFound", "Count", count(self.drift_found)),
            ("Repaired", "Count", count(self.repaired)),
            ("Failed", "Count", count(self.failed)),
            ("SecondsToRepair", "Seconds", self.seconds_to_repair.map(|it| json!(it))),
            ("ApiCalls", "Count", Some(json!(self.api_calls))),
            ("Throttles", "Count", Some(json!(self.throttles))),
            ("InvalidAccounts", "Count", self.invalid_accounts.map(|it| json!(it))),
            ("Sweeps", "Count", self.sweep.then(|| json!(1))),
        ];
        let known = values.into_iter().filter_map(|(name, unit, value)| Some((name, unit, value?)));
        metrics_line("reattach", None, known, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_names_every_metric_that_it_has_a_value_of() {
        let metrics = Metrics { repaired: 2, seconds_to_repair: Some(0.5), ..Metrics::default() };
        let line = metrics.line(SystemTime::UNIX_EPOCH);
        let names = line["_aws"]["CloudWatchMetrics"][0]["Metrics"].as_array().unwrap();
        let names: Vec<_> = names.iter().map(|it| it["Name"].as_str().unwrap()).collect();
        assert_eq!(
            names,
            ["DriftFound", "Repaired", "Failed", "SecondsToRepair", "ApiCalls", "Throttles"]
        );
        assert!(names.iter().all(|it| line[*it].is_number()));
        assert_eq!((&line["Repaired"], &line["Function"]), (&json!(2), &json!("reattach")));
    }

    #[test]
    fn what_was_not_asked_is_no_metric() {
        let line = Metrics::default().line(SystemTime::UNIX_EPOCH);
        for absent in ["InvalidAccounts", "SecondsToRepair", "Sweeps"] {
            assert_eq!(line.get(absent), None, "{absent}");
        }
        let line = Metrics { sweep: true, invalid_accounts: Some(0), ..Metrics::default() };
        let line = line.line(SystemTime::UNIX_EPOCH);
        assert_eq!((&line["Sweeps"], &line["InvalidAccounts"]), (&json!(1), &json!(0)));
    }
}
