//! Writes the metrics of a restore test.

use std::time::SystemTime;

use cfn::metrics_line;
use plan::restore_validation::ValidationOutcome;
use serde_json::{Value, json};

/// The outcome of one restore test.
#[derive(Debug)]
pub(crate) struct Metrics<'a> {
    /// The type of the restored resource, or an empty text if it is not known.
    pub(crate) resource_type: &'a str,
    pub(crate) outcome: ValidationOutcome,
}

impl Metrics<'_> {
    /// Returns the line for a restore test at `now`.
    fn line(&self, now: SystemTime) -> Value {
        let value = |outcome| json!(u8::from(self.outcome == outcome));
        let values = [
            ("Successful", "Count", value(ValidationOutcome::Successful)),
            ("Failed", "Count", value(ValidationOutcome::Failed)),
            ("TimedOut", "Count", value(ValidationOutcome::TimedOut)),
            ("NotValidated", "Count", value(ValidationOutcome::NotValidated)),
            ("RestoreFailed", "Count", value(ValidationOutcome::RestoreFailed)),
        ];
        let known = Some(self.resource_type).filter(|it| !it.is_empty());
        // One metric for all types, which the alarms use, and one for each type.
        let kind = ("ResourceType", known.unwrap_or("unknown"));
        metrics_line("restore-validation", Some(kind), values, now)
    }

    /// Writes the line.
    pub(crate) fn write(&self, now: SystemTime) {
        cfn::tell(&self.line(now));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outcome_is_counted_as_itself_and_as_no_other() {
        let outcomes = [
            ("Successful", ValidationOutcome::Successful),
            ("Failed", ValidationOutcome::Failed),
            ("TimedOut", ValidationOutcome::TimedOut),
            ("NotValidated", ValidationOutcome::NotValidated),
            ("RestoreFailed", ValidationOutcome::RestoreFailed),
        ];
        for (counted, outcome) in outcomes {
            let line = Metrics { resource_type: "EBS", outcome }.line(SystemTime::UNIX_EPOCH);
            let metrics = &line["_aws"]["CloudWatchMetrics"][0];
            for name in metrics["Metrics"].as_array().unwrap() {
                let name = name["Name"].as_str().unwrap();
                assert_eq!(line[name], u8::from(name == counted), "{name}");
            }
            for dimension in metrics["Dimensions"].as_array().unwrap() {
                assert!(dimension.as_array().unwrap().iter().all(|it| {
                    line[it.as_str().unwrap()].as_str().is_some_and(|it| !it.is_empty())
                }));
            }
        }
    }

    #[test]
    fn a_type_that_is_not_known_has_a_name_all_the_same() {
        let metrics = Metrics { resource_type: "", outcome: ValidationOutcome::NotValidated };
        assert_eq!(metrics.line(SystemTime::UNIX_EPOCH)["ResourceType"], "unknown");
    }
}
