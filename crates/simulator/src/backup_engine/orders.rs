//! Requests for jobs that start at once.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use super::Works;
use super::lifecycle::PointLifecycle;
use crate::refusal::{Answer, Code, Refusal};

/// The time for which a token counts. An earlier guide of AWS said one hour, the present one says nothing.
const REMEMBERED: Duration = Duration::from_hours(1);

/// The sender of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asker {
    /// The account.
    pub account: String,
    /// The Region.
    pub region: String,
    /// The ARN of the role to work with.
    pub role: String,
    /// The token that distinguishes a request from an equal one.
    pub token: Option<String>,
}

/// A backup that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupOrder {
    /// The sender.
    pub asker: Asker,
    /// The ARN of the resource.
    pub resource: String,
    /// The name of the vault.
    pub vault: String,
    /// The ARN of a logically air-gapped vault.
    pub air_gapped: Option<String>,
    /// The time that the job may wait.
    pub start_window: Option<Duration>,
    /// The time that the job may work.
    pub completion_window: Option<Duration>,
    /// The lifecycle of the recovery point.
    pub lifecycle: PointLifecycle,
    /// The tags of the recovery point.
    pub tags: BTreeMap<String, String>,
}

/// A copy that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyOrder {
    /// The sender.
    pub asker: Asker,
    /// The recovery point, by its number.
    pub point: usize,
    /// The ARN of the vault to write to.
    pub destination: String,
    /// The lifecycle of the copy. Without it, that of the source holds.
    pub lifecycle: PointLifecycle,
}

/// A restore that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestoreOrder {
    /// The sender.
    pub asker: Asker,
    /// The recovery point, by its number.
    pub point: usize,
    /// The place and the settings of the restore; the case of keys does not matter.
    pub metadata: BTreeMap<String, String>,
    /// The type, if the request names it.
    pub kind: Option<String>,
    /// True if the result gets the tags of the source.
    pub copies_tags: bool,
}

/// A request that had a token.
#[derive(Clone, Debug)]
pub(super) struct Remembered {
    at: SystemTime,
    /// The request.
    request: String,
    /// The number of the job.
    job: usize,
}

/// The account, the Region, the operation and the token.
pub(super) type Token = (String, String, &'static str, String);

impl Works {
    /// Returns the job that the same request with the same token got, if there was one.
    pub(super) fn asked_before(
        &self,
        operation: &'static str,
        asker: &Asker,
        request: &str,
    ) -> Answer<Option<usize>> {
        let known = token(operation, asker).and_then(|it| self.tokens.get(&it));
        match known.filter(|it| it.at + REMEMBERED > self.now) {
            Some(it) if it.request == request => Ok(Some(it.job)),
            Some(_) => {
                let message = "The idempotency token was used for another request.";
                Err(Refusal::new(Code::InvalidParameterValue, message))
            }
            None => Ok(None),
        }
    }

    /// Remembers what was asked for with a token.
    pub(super) fn remember(
        &mut self,
        operation: &'static str,
        asker: &Asker,
        request: String,
        job: usize,
    ) {
        self.ordered += 1;
        if let Some(token) = token(operation, asker) {
            self.tokens.insert(token, Remembered { at: self.now, request, job });
        }
    }

    /// Returns the number of jobs that requests have started so far.
    pub(crate) fn ordered(&self) -> usize {
        self.ordered
    }
}

fn token(operation: &'static str, asker: &Asker) -> Option<Token> {
    let token = asker.token.clone()?;
    Some((asker.account.clone(), asker.region.clone(), operation, token))
}

/// Refuses a role that AWS Backup cannot assume.
pub(super) fn expect_role(asker: &Asker, around: &dyn super::Surroundings) -> Answer<()> {
    let own = format!("::{}:role/", asker.account);
    let is_usable =
        asker.role.contains(&own) && around.trusts(&asker.role, &asker.region) == Some(true);
    if is_usable {
        return Ok(());
    }
    let message = format!("IAM Role {} cannot be assumed by AWS Backup", asker.role);
    Err(Refusal::new(Code::InvalidParameterValue, message))
}

pub(super) fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::new(Code::InvalidParameterValue, message)
}

pub(super) fn not_now(message: impl Into<String>) -> Refusal {
    Refusal::new(Code::InvalidRequest, message)
}

pub(super) fn missing(message: impl Into<String>) -> Refusal {
    Refusal::new(Code::ResourceNotFound, message)
}
