//! The result of a change at AWS, which AWS reports later than it accepts the change.
//!
//! AWS publishes an effective policy to its account seconds after the call that changed it. Until
//! then, AWS still reports on the previous one.

use std::fmt;

use aws::operation::{DESCRIBE_EFFECTIVE_POLICY, LIST_EFFECTIVE_ERRORS, LIST_INVALID_ACCOUNTS};
use aws::{Error, Management};
use aws_sdk_organizations::types::EffectivePolicyType;
use aws_smithy_types::DateTime;
use plan::id::AccountId;

use crate::organizations;

/// The number of checks for a publication, one a second. Observed publications took up to five
/// seconds.
const PATIENCE: usize = 20;

/// The number of accounts for which details are read.
const DETAILS: usize = 3;

/// The last publication of an account's effective policy.
#[derive(Clone, Debug)]
pub struct Publication {
    account: AccountId,
    updated: Option<DateTime>,
}

/// The report of AWS after a change.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Report {
    /// True if the report already covers the change, as far as that can be determined.
    pub is_published: bool,
    /// Every account of the organization whose effective policy is invalid.
    pub frozen: Vec<Frozen>,
}

/// An account from which AWS withholds its effective policy.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Frozen {
    /// The account.
    pub account: String,
    /// The errors in AWS's words. Empty if they were not read.
    pub errors: Vec<String>,
}

impl fmt::Display for Frozen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.account, self.errors.join("; "))
    }
}

/// Notes the time at which the effective policy of `account` was last published.
///
/// # Errors
///
/// Returns an error if the read fails. Nothing has changed.
pub async fn before(management: &Management, account: AccountId) -> Result<Publication, Error> {
    let updated = updated(management, &account).await?;
    Ok(Publication { account, updated })
}

/// Waits for the publication of a change made since `before`, up to a limit, and then reads which
/// effective policies are invalid.
///
/// # Errors
///
/// Returns an error if a read fails. Nothing has changed.
pub async fn after(management: &Management, before: Option<&Publication>) -> Result<Report, Error> {
    let is_published = match before {
        None => true,
        Some(before) => wait(management, before).await?,
    };
    Ok(Report { is_published, frozen: frozen(management, DETAILS).await? })
}

/// Reads which accounts have an invalid effective policy, and for up to `details` of them the
/// errors.
///
/// # Errors
///
/// Returns an error if a read fails. Nothing has changed.
pub async fn frozen(management: &Management, details: usize) -> Result<Vec<Frozen>, Error> {
    let client = organizations::client(management);
    let action = "list the accounts with an invalid effective policy";
    let list = client
        .list_accounts_with_invalid_effective_policy()
        .policy_type(EffectivePolicyType::BackupPolicy);
    let accounts = management.calls.pages(LIST_INVALID_ACCOUNTS, action, async |token| {
        let page = list.clone().set_next_token(token).send().await?;
        Ok((page.accounts, page.next_token))
    });
    let accounts = match accounts.await {
        // AWS has never published an effective policy.
        Err(error) if error.code() == Some("EffectivePolicyNotFoundException") => vec![],
        accounts => accounts?,
    };
    let mut frozen = Vec::new();
    for account in accounts.into_iter().filter_map(|it| it.id) {
        let more = frozen.len() < details;
        let errors = if more { errors(management, &account).await? } else { vec![] };
        frozen.push(Frozen { account, errors });
    }
    Ok(frozen)
}

/// Waits for a publication since `before`. Returns `false` if there is none after a while.
async fn wait(management: &Management, before: &Publication) -> Result<bool, Error> {
    for _ in 0..PATIENCE {
        if updated(management, &before.account).await? != before.updated {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Reads the time at which the effective policy of `account` was last published; returns `None` if
/// it never was.
async fn updated(management: &Management, account: &AccountId) -> Result<Option<DateTime>, Error> {
    let describe = organizations::client(management)
        .describe_effective_policy()
        .policy_type(EffectivePolicyType::BackupPolicy)
        .target_id(account.as_str());
    let action = format!("describe the effective policy of {account}");
    match management.calls.call(DESCRIBE_EFFECTIVE_POLICY, &action, describe.send()).await {
        Err(error) if error.code() == Some("EffectivePolicyNotFoundException") => Ok(None),
        described => Ok(described?.effective_policy.and_then(|it| it.last_updated_timestamp)),
    }
}

/// Reads the errors that AWS reports for the effective policy of `account`.
async fn errors(management: &Management, account: &str) -> Result<Vec<String>, Error> {
    let client = organizations::client(management);
    let action = format!("list what is wrong with the effective policy of {account}");
    let list = client
        .list_effective_policy_validation_errors()
        .account_id(account)
        .policy_type(EffectivePolicyType::BackupPolicy);
    let errors = management.calls.pages(LIST_EFFECTIVE_ERRORS, &action, async |token| {
        let page = list.clone().set_next_token(token).send().await?;
        Ok((page.effective_policy_validation_errors, page.next_token))
    });
    let words = errors.await?.into_iter().map(|it| {
        let [path, message, code] =
            [it.path_to_error, it.error_message, it.error_code].map(Option::unwrap_or_default);
        let policies = it.contributing_policies.unwrap_or_default().join(", ");
        format!("{path}: {message} ({code}, from {policies})")
    });
    Ok(words.collect())
}
