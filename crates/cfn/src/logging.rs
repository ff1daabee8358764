//! Log lines as JSON objects, one a line, which CloudWatch Logs indexes by field.

use std::str::FromStr;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Starts logging at the level that Lambda's logging configuration asks for.
///
/// Other crates only warn: their debug lines show requests, and with them presigned addresses.
#[expect(clippy::disallowed_methods, reason = "called once, before the first request")]
pub(crate) fn start() {
    let level = std::env::var("AWS_LAMBDA_LOG_LEVEL").ok();
    let level = level.and_then(|it| LevelFilter::from_str(&it).ok()).unwrap_or(LevelFilter::INFO);
    let ours = ["aws", "backup_policy", "cfn"].map(|it| (it, level));
    let targets = Targets::new().with_default(LevelFilter::WARN.min(level)).with_targets(ours);
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_target(false)
        .without_time()
        .with_writer(std::io::stderr);
    // A second start leaves the first subscriber in place.
    let _ = tracing_subscriber::registry().with(targets).with(lines).try_init();
}
