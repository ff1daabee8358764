//! Runs that are not started by CloudFormation.

use aws::Session;
use organization::accounts::identify;
use plan::member_accounts::{Account, Listed, Properties};
use resources::Error;
use tokio::time::Instant;

use crate::roster::Roster;

/// Returns the accounts that a resource with these properties covers. They are chosen from `listed`
/// or, if that is `None`, from all accounts of the organization.
///
/// # Errors
///
/// Returns an error if the combination of properties is invalid, or if the accounts cannot be
/// listed.
pub async fn accounts_of(
    session: &Session,
    properties: &Properties,
    listed: Option<&[Listed]>,
    deadline: Instant,
) -> Result<Vec<Account>, Error> {
    let role = properties.management_role_arn.as_ref();
    let management = session.management(role, deadline).await?;
    let identity = identify(&management).await?;
    let mut roster = Roster::new(&management, &identity, properties)?;
    match listed {
        Some(listed) => roster.among(listed).await,
        None => roster.all().await,
    }
}
