//! The organization behind the demo.

use std::time::{SystemTime, UNIX_EPOCH};

use simulator::{Account, AccountState, Entry, Organization, Pending, Rates, Settings, Simulator};

use crate::failure::Failure;

/// A simulated organization.
#[derive(Debug)]
pub(crate) struct Simulated {
    simulator: Simulator,
    /// When its clock stood at zero, in milliseconds of the Unix epoch.
    began: i64,
}

impl Simulated {
    /// Starts an organization with nothing enabled, whose AWS takes its published time.
    pub(crate) async fn start(accounts: usize, management_account: &str) -> Result<Self, Failure> {
        let settings = Settings {
            management_account: management_account.to_owned(),
            rates: Rates::Published,
            pending: Pending::Reads(2),
            ..Settings::default()
        };
        let simulator = Simulator::start(settings.accounts(accounts))
            .await
            .map_err(|source| Failure::Start { what: "the simulator", source })?;
        Ok(Self { simulator, began: now() })
    }

    /// Where clients find it.
    pub(crate) fn endpoint(&self) -> String {
        self.simulator.url()
    }

    /// The organization as it is.
    pub(crate) fn organization(&self) -> Organization {
        self.simulator.organization(|it| it.clone())
    }

    /// The settings of AWS Backup, and whether they are on.
    pub(crate) fn global_settings(&self) -> Vec<(String, bool)> {
        let settings = self.simulator.backup(|it| it.global_settings());
        settings.into_iter().map(|(name, value)| (name, value == "true")).collect()
    }

    /// The account that is to administer AWS Backup: one of those for security.
    pub(crate) fn administrator(&self) -> Result<String, Failure> {
        let organization = self.organization();
        let unit = organization.unit_named("Security").map(|it| it.id.as_str());
        let mut accounts = organization.accounts_in(unit.unwrap_or_default());
        let active = |it: &&Account| it.state == AccountState::Active;
        let account = accounts.find(active).map(|it| it.id.clone());
        account.ok_or_else(|| Failure::NotSo("the sample has an account for security".to_owned()))
    }

    /// Every call so far.
    pub(crate) fn journal(&self) -> Vec<Entry> {
        self.simulator.journal()
    }

    /// The calls of operations that the simulator does not know.
    pub(crate) fn unknown_operations(&self) -> Vec<String> {
        self.simulator.take_unknown_operations()
    }

    /// The calls between two moments, in milliseconds of the Unix epoch.
    pub(crate) fn calls_between(&self, from: i64, to: i64) -> Vec<Entry> {
        let at = |it: &Entry| self.began.saturating_add_unsigned(it.milliseconds);
        self.journal().into_iter().filter(|it| (from..=to).contains(&at(it))).collect()
    }
}

impl Drop for Simulated {
    fn drop(&mut self) {
        // Whoever tries things by hand may call what they like; the demo itself has asked by now.
        drop(self.simulator.take_unknown_operations());
    }
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
