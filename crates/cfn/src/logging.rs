//! Log output as one JSON object per line, which CloudWatch Logs indexes by field.
//!
//! A function writes to its log only through this module.

use std::io::{self, Write};
use std::panic::set_hook;
use std::str::FromStr;

use media::json;
use serde_json::Value;
use tracing::level_filters::LevelFilter;
use tracing::{Subscriber, error};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Starts logging at the level that is set in Lambda's logging configuration.
#[expect(clippy::disallowed_methods, reason = "called once, before the first request")]
pub fn start() {
    let level = std::env::var("AWS_LAMBDA_LOG_LEVEL").ok();
    let level = level.and_then(|it| LevelFilter::from_str(&it).ok()).unwrap_or(LevelFilter::INFO);
    // A second call keeps the first subscriber.
    let _ = lines(level, io::stderr).try_init();
    set_hook(Box::new(|panic| error!(%panic, "the function panicked")));
}

/// Writes a line that has its own format, such as metrics, in one piece.
pub fn tell(line: &Value) {
    let line = json::compact(line) + "\n";
    // A failure to write to the log cannot be reported anywhere.
    let _ = io::stderr().lock().write_all(line.as_bytes());
}

/// Returns a subscriber that writes the log lines of a function to `writer`.
///
/// Other crates log warnings and errors only: their debug lines show requests, and with them
/// presigned addresses.
pub fn lines<W>(level: LevelFilter, writer: W) -> impl Subscriber + Send + Sync
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
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
        .with_writer(Shown(writer));
    tracing_subscriber::registry().with(targets.with_max_level_hint(level)).with(lines)
}

/// A writer of JSON that escapes characters before it passes a line on.
struct Shown<W>(W);

impl<'a, W: MakeWriter<'a>> MakeWriter<'a> for Shown<W> {
    type Writer = Shown<W::Writer>;

    fn make_writer(&'a self) -> Self::Writer {
        Shown(self.0.make_writer())
    }
}

impl<W: Write> Write for Shown<W> {
    /// Writes a whole line at once, as the formatter passes it.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let shown = String::from_utf8_lossy(line);
        self.0.write_all(json::escaped(&shown).as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Returns `true` if the target belongs to a crate that never logs secrets.
///
/// The whole crate name is compared, because the names of the AWS SDK crates also begin with `aws`.
fn is_ours(target: &str) -> bool {
    let name = target.split("::").next().unwrap_or_default();
    let ours = [
        "aws",
        "backup_policy",
        "cfn",
        "coverage",
        "member_accounts",
        "members",
        "organization",
        "reattach",
        "resources",
        "restore_validation",
        "settings",
        "stacks",
        "state",
    ];
    ours.contains(&name)
}
