//! The knobs.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use policy::partition::Partition;

/// How a simulated organization is made and how it behaves.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Decides all identifiers and the shape of the sample organization.
    pub seed: u64,
    /// How many accounts the sample organization has, the management account included.
    pub accounts: usize,
    /// The management account.
    pub management_account: String,
    /// The Region of callers that do not sign; its partition is the organization's.
    pub region: String,
    /// The largest page, at most 20.
    pub page_size: usize,
    /// Every page with something on it follows an empty one.
    pub empty_pages: bool,
    /// Whether callers are throttled.
    pub rates: Rates,
    /// How long a policy type is on its way after it was enabled.
    pub pending: Pending,
    /// How long a change takes to reach the effective policies, counted from the last change and
    /// in answers that tell of them.
    pub publication: Pending,
    /// How long a write to the organization takes; another write during it is refused.
    pub write_time: Duration,
    /// Each write to the organization is refused once with `ConcurrentModificationException`.
    pub refuse_each_write_once: bool,
    /// How long every call is on its way, beside what it takes here.
    pub latency: Duration,
    /// The same for single operations, by name.
    pub latency_of: BTreeMap<String, Duration>,
    /// How many calls the journal keeps, the newest ones, or all. Without any, it says nothing of
    /// what a call took away either, which makes large organizations much faster.
    pub journal: Option<usize>,
}

/// Throttling.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rates {
    /// No call is throttled.
    Off,
    /// The published rates.
    Published,
    /// The published rates times this; the bursts stay.
    Scaled(f64),
}

/// How long something that AWS does later takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pending {
    /// For this many answers that show whether it is done.
    Reads(u32),
    /// For this long.
    For(Duration),
}

impl Default for Settings {
    /// A small, fast organization with nothing enabled and nobody throttled.
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
    /// As unfriendly as AWS may be: pages of one after empty ones, every write refused once, and
    /// policy types that take a while.
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

    /// These settings with `accounts` accounts.
    #[must_use]
    pub fn accounts(self, accounts: usize) -> Self {
        Self { accounts, ..self }
    }

    pub(crate) fn latency_of(&self, operation: &str) -> Duration {
        self.latency_of.get(operation).copied().unwrap_or(self.latency)
    }

    /// The partition of the organization; `None` where none has such a Region.
    pub(crate) fn partition(&self) -> Option<Partition> {
        Partition::of_region(&self.region)
    }
}
