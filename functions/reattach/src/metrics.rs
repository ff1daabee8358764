//! Metrics as log lines, which CloudWatch turns into metrics (the embedded metric format).

use std::time::SystemTime;

use serde_json::{Map, Value, json};

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
        let known = values.iter().filter(|(.., value)| value.is_some());
        let metrics: Vec<_> = known.map(|it| json!({ "Name": it.0, "Unit": it.1 })).collect();
        let time = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let mut line = Map::new();
        line.insert(
            "_aws".to_owned(),
            json!({
                "Timestamp": u64::try_from(time.as_millis()).unwrap_or_default(),
                "CloudWatchMetrics": [{
                    "Namespace": "OrgBackup",
                    "Dimensions": [["Function"]],
                    "Metrics": metrics,
                }],
            }),
        );
        line.insert("Function".to_owned(), json!("reattach"));
        line.extend(values.into_iter().filter_map(|(name, _, it)| Some((name.to_owned(), it?))));
        Value::Object(line)
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
