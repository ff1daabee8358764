//! How clients retry.

use std::time::Duration;

use aws_sdk_sts::config::retry::{RetryConfig, RetryPartition, TokenBucket};

/// A client that retries as its configuration and [`Again`] say, and as [`tireless`] does unless
/// another partition is named.
macro_rules! client {
    ($sdk:ident, $config:expr) => {
        client!($sdk, $config, $crate::retries::tireless())
    };
    ($sdk:ident, $config:expr, $partition:expr) => {{
        let config = $sdk::config::Builder::from($config).retry_partition($partition);
        $sdk::Client::from_conf(config.retry_classifier($crate::calls::Again).build())
    }};
}
pub(crate) use client;

/// Retries with exponential back-off and full jitter. The deadline ends them sooner or later; the
/// number of attempts is what a permanent failure that looks transient may cost, half a minute.
///
/// AWS Organizations gets twice as many: the whole organization shares its rates, which somebody else
/// may use up, and jitter can spend a dozen attempts on much less than that half minute.
pub(crate) fn patience() -> RetryConfig {
    RetryConfig::standard()
        .with_max_attempts(12)
        .with_initial_backoff(Duration::from_millis(400))
        .with_max_backoff(Duration::from_secs(10))
}

/// Retries that are not used up. The SDK would have all calls of a process share some hundred of
/// them, and fail at the first throttled call once they are gone, with time left.
pub(crate) fn tireless() -> RetryPartition {
    RetryPartition::custom("org-backup").token_bucket(TokenBucket::unlimited()).build()
}
