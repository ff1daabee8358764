//! The way into accounts.

use aws::failure;
use members::{Member, MemberAccess};
use plan::id::{AccountId, RoleArn, RoleName};
use plan::member_accounts::Failure;
use report::{Organization, Wanted};

/// The default name of the role that `templates/member-account.yaml` creates.
const MEMBER_ROLE: &str = "org-backup-member";

/// Enters accounts.
#[derive(Debug)]
pub struct Entrance<'a> {
    /// The access that the caller has.
    pub access: MemberAccess<'a>,
    /// The organization.
    pub organization: &'a Organization,
    /// The requests of the templates.
    pub wanted: &'a [Wanted],
    /// The role that the user named for every account.
    pub named: Option<&'a RoleName>,
}

impl Entrance<'_> {
    /// Returns the role with which to enter an account. `own` is the account's own role, if it has
    /// one.
    fn role(&self, own: Option<&RoleName>) -> RoleName {
        let wanted = || self.wanted.iter().find_map(|it| it.member_role.clone());
        let usual = || MEMBER_ROLE.parse().unwrap_or_else(|_| unreachable!("it names a role"));
        self.named.or(own).cloned().or_else(wanted).unwrap_or_else(usual)
    }

    /// Returns the role of the account that copies go to, if a template names one.
    pub fn central_role(&self, account: &AccountId) -> Option<&RoleName> {
        let central = self.wanted.iter().filter_map(|it| it.central.as_ref());
        central.map(|it| (&it.account, &it.role)).find(|it| it.0 == account).map(|it| it.1)
    }

    /// Enters an account by its role, with the permissions in `session_policy`.
    ///
    /// # Errors
    ///
    /// Returns an error if the role cannot be assumed. Nothing is changed.
    pub async fn enter(
        &self,
        account: &AccountId,
        own: Option<&RoleName>,
        session_policy: String,
    ) -> Result<Member<'_>, Failure> {
        if *account == self.organization.management {
            return Ok(self.access.management());
        }
        let role = RoleArn::of(&self.organization.partition, account, &self.role(own));
        let entered = self.access.enter(&role, session_policy).await;
        entered.map_err(|error| failure(None, &error))
    }
}
