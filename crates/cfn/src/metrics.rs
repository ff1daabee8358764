//! Metrics as log lines, which CloudWatch turns into metrics (the embedded metric format).

use std::time::SystemTime;

use serde_json::{Map, Value, json};

/// A metric: its name, its unit as CloudWatch calls it, and its value.
pub type Metric = (&'static str, &'static str, Value);

/// Returns the log line with the metrics of `function` at `now`.
///
/// CloudWatch keeps every metric once for the function and, if there is a further `dimension` with
/// its value, once more for both. It drops the whole line if a dimension has no value.
pub fn metrics_line(
    function: &str,
    dimension: Option<(&str, &str)>,
    metrics: impl IntoIterator<Item = Metric>,
    now: SystemTime,
) -> Value {
    let metrics: Vec<_> = metrics.into_iter().collect();
    let named: Vec<_> = metrics.iter().map(|it| json!({ "Name": it.0, "Unit": it.1 })).collect();
    let mut dimensions = vec![vec!["Function"]];
    dimensions.extend(dimension.map(|(name, _)| vec!["Function", name]));
    let time = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let frame = json!({
        "Timestamp": u64::try_from(time.as_millis()).unwrap_or_default(),
        "CloudWatchMetrics": [{
            "Namespace": "OrgBackup",
            "Dimensions": dimensions,
            "Metrics": named,
        }],
    });
    let mut line = Map::from_iter([("_aws".to_owned(), frame)]);
    line.insert("Function".to_owned(), json!(function));
    line.extend(dimension.map(|(name, value)| (name.to_owned(), json!(value))));
    line.extend(metrics.into_iter().map(|(name, _, value)| (name.to_owned(), value)));
    Value::Object(line)
}
