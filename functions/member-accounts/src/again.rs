//! Runs that somebody else than CloudFormation asks for.

use std::collections::BTreeSet;

use aws::Session;
use aws::member_accounts::identify;
use aws::member_runs::start_unanswered;
use plan::id::{AccountId, RunId};
use plan::member_accounts::{Listed, Properties};
use resources::Error;
use tokio::time::Instant;

use crate::roster::Roster;

/// Starts a run with the properties of a resource, in these `accounts` as far as the resource is about
/// them, or in all of them. Returns how many those are; without a state
/// machine nothing is started, and it is none. The accounts of the organization are those that are
/// `listed`, where they are known.
///
/// # Errors
///
/// When the properties do not go together, the accounts cannot be listed, or the run cannot be started.
pub async fn start_again(
    session: &Session,
    properties: &Properties,
    accounts: Option<&BTreeSet<AccountId>>,
    listed: Option<&[Listed]>,
    run: &RunId,
    deadline: Instant,
) -> Result<usize, Error> {
    let role = properties.management_role_arn.as_ref();
    let management = session.management(role, deadline).await?;
    let identity = identify(&management).await?;
    let mut roster = Roster::new(&management, &identity, properties)?;
    let mut chosen = match listed {
        Some(listed) => roster.among(listed).await?,
        None => roster.all().await?,
    };
    if let Some(accounts) = accounts {
        chosen.retain(|it| accounts.contains(&it.id));
    }
    if chosen.is_empty() {
        return Ok(0);
    }
    let is_started = start_unanswered(session, run, properties, &chosen, deadline).await?;
    Ok(if is_started { chosen.len() } else { 0 })
}
