//! How the function was set up.

use std::collections::BTreeSet;
use std::str::FromStr;

use serde_json::Value;
use thiserror::Error;

/// How the function was set up.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Whether drift is put back.
    pub mode: Mode,
    /// The topic that people listen to, if there is one.
    pub topic: Option<String>,
    /// The ARNs of our functions' roles, whose calls come back as events.
    pub own_roles: BTreeSet<String>,
    /// Where a line of metrics goes.
    pub tell: fn(&Value),
}

/// What becomes of drift.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Mode {
    /// It is put back and told.
    Repair,
    /// It is told.
    Report,
}

/// Why the function cannot start.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum Invalid {
    /// There is nothing to compare with.
    #[error(
        "STATE_BUCKET is not set, so it is not known what should be; hint: name the state bucket"
    )]
    NoState,
    /// A mode that does not exist.
    #[error("MODE is `{0}`; hint: set it to Repair or Report")]
    Mode(String),
}

impl FromStr for Mode {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        match text {
            "Repair" => Ok(Self::Repair),
            "Report" => Ok(Self::Report),
            other => Err(Invalid::Mode(other.to_owned())),
        }
    }
}

impl Settings {
    /// Reads `MODE`, `TOPIC_ARN` and `OWN_ROLES`, and makes sure that there is a `STATE_BUCKET`.
    ///
    /// # Errors
    ///
    /// When one of them cannot be used.
    #[expect(clippy::disallowed_methods, reason = "called once, before the first event")]
    pub fn from_environment() -> Result<Self, Invalid> {
        let read = |name: &str| std::env::var(name).ok().filter(|it| !it.is_empty());
        if read("STATE_BUCKET").is_none() {
            return Err(Invalid::NoState);
        }
        let roles = read("OWN_ROLES").unwrap_or_default();
        let roles = roles.split(',').map(str::trim).filter(|it| !it.is_empty());
        Ok(Self {
            mode: read("MODE").map_or(Ok(Mode::Repair), |it| it.parse())?,
            topic: read("TOPIC_ARN"),
            own_roles: roles.map(ToOwned::to_owned).collect(),
            tell: cfn::tell,
        })
    }
}
