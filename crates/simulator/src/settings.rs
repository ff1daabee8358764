//! The settings of a simulator.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use policy::partition::Partition;

/// The properties and the behaviour of a simulated organization.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The address to listen on. Port 0 takes a free one.
    pub listen: SocketAddr,
    /// The seed of all identifiers and of the shape of the sample organization.
    pub seed: u64,
    /// The number of accounts in the sample organization, including the management account.
    pub accounts: usize,
    /// The management account.
    pub management_account: String,
    /// The Region of callers that do not sign. Its partition is that of the organization.
    pub region: String,
    /// The largest page, at most 20.
    pub page_size: usize,
    /// True if every page with items follows an empty one.
    pub empty_pages: bool,
    /// The throttling of callers.
    pub rates: Rates,
    /// The time until a policy type is enabled after the call.
    pub pending: Pending,
    /// The time until a change reaches the effective policies, counted from the last change and in
    /// answers that describe them.
    pub publication: Pending,
    /// The duration of a write to the organization. Another write during it is refused.
    pub write_time: Duration,
    /// True if each write to the organization is refused once with
    /// `ConcurrentModificationException`.
    pub refuse_each_write_once: bool,
    /// The latency of every call, in addition to the time that the simulator takes.
    pub latency: Duration,
    /// The latency of single operations, by name.
    pub latency_of: BTreeMap<String, Duration>,
    /// The number of newest calls that the journal keeps, or `None` for all. With 0, it also does
    /// not record what a call removed, which makes large organizations much faster.
    pub journal: Option<usize>,
}

/// The throttling rates.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rates {
    /// No call is throttled.
    Off,
    /// The published rates.
    Published,
    /// The published rates multiplied by this factor. The bursts do not change.
    Scaled(f64),
}

/// The delay of something that AWS does later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pending {
    /// For this number of answers that show its progress.
    Reads(u32),
    /// For this duration.
    For(Duration),
}

impl Default for Settings {
    /// Returns the settings of a small, fast organization with nothing enabled and without
    /// throttling.
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            seed: 1,
            accounts: 12,
            management_account: "111122223333".to_owned(),
            region: "us-east-1".to_owned(),
            page_size: 20,
            empty_pages: false,
            rates: Rates::Off,
            pending: Pending::Reads(0),
            publication: Pending::Reads(1),
            write_time: Duration::from_millis(3),
            refuse_each_write_once: false,
            latency: Duration::ZERO,
            latency_of: BTreeMap::new(),
            journal: None,
        }
    }
}

impl Settings {
    /// Returns settings for the least convenient behaviour of AWS: pages of one item after empty
    /// pages, every write refused once, and policy types that take a while.
    #[must_use]
    pub fn strict() -> Self {
        Self {
            page_size: 1,
            empty_pages: true,
            pending: Pending::Reads(2),
            publication: Pending::Reads(2),
            refuse_each_write_once: true,
            ..Self::default()
        }
    }

    /// Returns these settings with `accounts` accounts.
    #[must_use]
    pub fn accounts(self, accounts: usize) -> Self {
        Self { accounts, ..self }
    }

    pub(crate) fn latency_of(&self, operation: &str) -> Duration {
        self.latency_of.get(operation).copied().unwrap_or(self.latency)
    }

    /// Returns the partition of the organization; `None` if no partition has such a Region.
    pub(crate) fn partition(&self) -> Option<Partition> {
        Partition::of_region(&self.region)
    }
}
