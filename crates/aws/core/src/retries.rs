//! Retry settings of clients.

use std::time::Duration;

use aws_sdk_sts::config::retry::{RetryConfig, RetryPartition, TokenBucket};

/// Creates a client that retries according to its configuration and
/// [`again`](crate::again). It uses [`tireless`](crate::tireless) unless another partition is
/// named.
#[macro_export]
macro_rules! client {
    ($sdk:ident, $config:expr) => {
        $crate::client!($sdk, $config, $crate::tireless())
    };
    ($sdk:ident, $config:expr, $partition:expr) => {{
        let config = $sdk::config::Builder::from($config).retry_partition($partition);
        $sdk::Client::from_conf(config.retry_classifier($crate::again()).build())
    }};
}

/// Returns retries with exponential back-off and full jitter. The deadline ends them sooner or
/// later. The number of attempts bounds the cost of a permanent failure that looks transient to
/// half a minute.
///
/// AWS Organizations gets twice as many. The whole organization shares its rates, so other callers
/// may use them up, and jitter can spend a dozen attempts on much less than that half minute.
pub fn patience() -> RetryConfig {
    RetryConfig::standard()
        .with_max_attempts(12)
        .with_initial_backoff(Duration::from_millis(400))
        .with_max_backoff(Duration::from_secs(10))
}

/// Returns a retry partition that is never exhausted. By default, all calls of a process share some
/// hundred retries of the SDK. Once those are gone, the SDK fails at the first throttled call, even
/// with time left.
pub fn tireless() -> RetryPartition {
    RetryPartition::custom("org-backup").token_bucket(TokenBucket::unlimited()).build()
}
