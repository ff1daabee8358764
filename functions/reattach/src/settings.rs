//! The settings of the function.

use std::collections::BTreeSet;
use std::str::FromStr;

use plan::service_access::Administrator;
use serde::Serialize;
use serde_json::Value;
use thiserror::Error;
use tracing::warn;

/// The settings of the function.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The handling of drift.
    pub mode: Mode,
    /// The topic for notifications, if there is one.
    pub topic: Option<String>,
    /// The ARNs of the roles of our functions, whose calls come back as events.
    pub own_roles: BTreeSet<String>,
    /// The delegated administrators that the template declares. No others may be registered. `None`
    /// if the template is from an earlier version and does not say.
    pub administrators: Option<BTreeSet<Administrator>>,
    /// The function that writes a line of metrics.
    pub tell: fn(&Value),
}

/// The handling of drift.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub enum Mode {
    /// Drift is restored and reported.
    Repair,
    /// Drift is only reported.
    Report,
}

/// The reason why the function cannot start.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum InvalidSettings {
    /// There is no stored desired state to compare with.
    #[error("STATE_BUCKET is not set, so the desired state is unknown")]
    NoState,
    /// The mode does not exist.
    #[error("MODE is `{0}`")]
    Mode(String),
    /// The text does not name a delegated administrator.
    #[error("DELEGATED_ADMINISTRATORS has `{0}`")]
    Administrator(String),
}

impl InvalidSettings {
    /// Returns the next step.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NoState => "name the state bucket",
            Self::Mode(_) => "set it to Repair or Report",
            Self::Administrator(_) => "write it like backup.amazonaws.com/111122223333",
        }
    }
}

impl FromStr for Mode {
    type Err = InvalidSettings;

    fn from_str(text: &str) -> Result<Self, InvalidSettings> {
        match text {
            "Repair" => Ok(Self::Repair),
            "Report" => Ok(Self::Report),
            other => Err(InvalidSettings::Mode(other.to_owned())),
        }
    }
}

impl Settings {
    /// Reads `MODE`, `TOPIC_ARN`, `OWN_ROLES` and `DELEGATED_ADMINISTRATORS`, and checks that
    /// `STATE_BUCKET` is set.
    ///
    /// # Errors
    ///
    /// Returns an error if one of them cannot be used.
    #[expect(clippy::disallowed_methods, reason = "called once, before the first event")]
    pub fn from_environment() -> Result<Self, InvalidSettings> {
        let read = |name: &str| std::env::var(name).ok().filter(|it| !it.is_empty());
        if read("STATE_BUCKET").is_none() {
            return Err(InvalidSettings::NoState);
        }
        let list = |it: String| -> BTreeSet<String> {
            it.split(',').map(|it| it.trim().to_owned()).filter(|it| !it.is_empty()).collect()
        };
        let administrators = read("DELEGATED_ADMINISTRATORS").map(|it| {
            // The account of a service that is to have no administrator is empty.
            let named = list(it).into_iter().filter(|it| !it.ends_with('/'));
            named.map(|it| administrator(&it).ok_or(InvalidSettings::Administrator(it))).collect()
        });
        if administrators.is_none() {
            warn!("DELEGATED_ADMINISTRATORS is not set, so the state says who is registered");
        }
        Ok(Self {
            mode: read("MODE").map_or(Ok(Mode::Repair), |it| it.parse())?,
            topic: read("TOPIC_ARN"),
            own_roles: read("OWN_ROLES").map(list).unwrap_or_default(),
            administrators: administrators.transpose()?,
            tell: cfn::tell,
        })
    }
}

/// Reads `backup.amazonaws.com/111122223333`.
fn administrator(text: &str) -> Option<Administrator> {
    let (principal, account) = text.split_once('/')?;
    Some(Administrator { principal: principal.parse().ok()?, account: account.parse().ok()? })
}
