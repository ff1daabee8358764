//! What AWS itself makes of a change, which it says later than it accepts the change.
//!
//! A merged policy is published to its account seconds after the call that changed it. Until then
//! AWS still reports on the one before.

use std::fmt;

use aws_sdk_organizations::types::EffectivePolicyType;
use aws_smithy_types::DateTime;
use plan::id::AccountId;

use crate::error::Error;
use crate::operation::{DESCRIBE_EFFECTIVE_POLICY, LIST_EFFECTIVE_ERRORS, LIST_INVALID_ACCOUNTS};
use crate::session::Management;

/// How often a publication is looked for, once a second: what was seen took up to five seconds.
const PATIENCE: usize = 20;

/// How many accounts are asked for details.
const DETAILS: usize = 3;

/// When the effective policy of an account was last published.
#[derive(Clone, Debug)]
pub struct Publication {
    account: AccountId,
    updated: Option<DateTime>,
}

/// What AWS says after a change.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Report {
    /// Whether it already speaks of the change, as far as that can be told.
    pub is_published: bool,
    /// Every account of the organization whose merged policy is invalid.
    pub frozen: Vec<Frozen>,
}

/// An account from which AWS withholds its merged policy.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Frozen {
    /// The account.
    pub account: String,
    /// What is wrong, in AWS's words; empty where it was not asked.
    pub errors: Vec<String>,
}

impl fmt::Display for Frozen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.account, self.errors.join("; "))
    }
}

/// Notes when the effective policy of `account` was last published.
///
/// # Errors
///
/// When the read fails. Nothing has changed.
pub async fn before(management: &Management, account: AccountId) -> Result<Publication, Error> {
    let updated = updated(management, &account).await?;
    Ok(Publication { account, updated })
}

/// Waits until a change made since `before` is published, if that does not take too long, and reads
/// which merged policies are invalid.
///
/// # Errors
///
/// When a read fails. Nothing has changed.
pub async fn after(management: &Management, before: Option<&Publication>) -> Result<Report, Error> {
    let is_published = match before {
        None => true,
        Some(before) => wait(management, before).await?,
    };
    Ok(Report { is_published, frozen: frozen(management, DETAILS).await? })
}

/// Reads which accounts have an invalid merged policy, and of so many of them what is wrong.
///
/// # Errors
///
/// When a read fails. Nothing has changed.
pub async fn frozen(management: &Management, details: usize) -> Result<Vec<Frozen>, Error> {
    let client = management.organizations();
    let action = "list the accounts with an invalid effective policy";
    let list = client
        .list_accounts_with_invalid_effective_policy()
        .policy_type(EffectivePolicyType::BackupPolicy);
    let accounts = management.calls.pages(LIST_INVALID_ACCOUNTS, action, async |token| {
        let page = list.clone().set_next_token(token).send().await?;
        Ok((page.accounts, page.next_token))
    });
    let accounts = match accounts.await {
        // Nothing has ever been published.
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

/// Whether something was published since `before`, once it is or after a while.
async fn wait(management: &Management, before: &Publication) -> Result<bool, Error> {
    for _ in 0..PATIENCE {
        if updated(management, &before.account).await? != before.updated {
            return Ok(true);
        }
    }
    Ok(false)
}

/// When the effective policy of `account` was last published; `None` when it never was.
async fn updated(management: &Management, account: &AccountId) -> Result<Option<DateTime>, Error> {
    let describe = management
        .organizations()
        .describe_effective_policy()
        .policy_type(EffectivePolicyType::BackupPolicy)
        .target_id(account.as_str());
    let action = format!("describe the effective policy of {account}");
    match management.calls.call(DESCRIBE_EFFECTIVE_POLICY, &action, describe.send()).await {
        Err(error) if error.code() == Some("EffectivePolicyNotFoundException") => Ok(None),
        described => Ok(described?.effective_policy.and_then(|it| it.last_updated_timestamp)),
    }
}

/// What AWS says is wrong with the merged policy of `account`.
async fn errors(management: &Management, account: &str) -> Result<Vec<String>, Error> {
    let client = management.organizations();
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
