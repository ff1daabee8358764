//! Log lines as JSON objects, one a line, which CloudWatch Logs indexes by field.

use std::str::FromStr;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Starts logging at the level that Lambda's logging configuration asks for.
///
/// Other crates only warn: their debug lines show requests, and with them presigned addresses.
#[expect(clippy::disallowed_methods, reason = "called once, before the first request")]
pub(crate) fn start() {
    let level = std::env::var("AWS_LAMBDA_LOG_LEVEL").ok();
    let level = level.and_then(|it| LevelFilter::from_str(&it).ok()).unwrap_or(LevelFilter::INFO);
    let targets = filter_fn(move |it| {
        let level = if is_ours(it.target()) { level } else { level.min(LevelFilter::WARN) };
        *it.level() <= level
    });
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_target(false)
        .without_time()
        .with_writer(std::io::stderr);
    // A second start leaves the first subscriber in place.
    let _ = tracing_subscriber::registry()
        .with(targets.with_max_level_hint(level))
        .with(lines)
        .try_init();
}

/// Whether a target is in a crate that never logs what must not be known.
///
/// The whole name counts: those of the AWS SDK begin with `aws` as well.
fn is_ours(target: &str) -> bool {
    let name = target.split("::").next().unwrap_or_default();
    ["aws", "backup_policy", "cfn"].contains(&name)
}
