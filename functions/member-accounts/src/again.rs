//! Runs that somebody else than CloudFormation asks for.

use aws::Session;
use aws::member_accounts::identify;
use plan::member_accounts::{Account, Listed, Properties};
use resources::Error;
use tokio::time::Instant;

use crate::roster::Roster;

/// The accounts that a resource with these properties is about, of those that are `listed` or, where
/// they are not known, of all in the organization.
///
/// # Errors
///
/// When the properties do not go together, or the accounts cannot be listed.
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
