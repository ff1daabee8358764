//! The way of a recovery point to where it is restored.

use plan::id::{RoleArn, RoleName};

use super::point::KeptPoint;
use crate::Destination;
use crate::coverage::Copied;

/// One copy on the way, which the account asks for that holds what is copied.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Hop {
    /// The vault that it is copied from.
    pub from: Destination,
    /// The vault that it is copied to.
    pub to: Destination,
    /// The role that AWS Backup copies it with.
    pub role: RoleArn,
}

/// The copies that bring `point` into the account and Region of `goal`, in their order: none where it is
/// there already.
///
/// A type whose copies go to another account or to another Region takes two where both differ. The
/// first goes to the Region, inside the account that holds the point: an account that is a member of
/// the organization may only be let copy to the central account.
pub fn way(
    point: &KeptPoint,
    goal: &Destination,
    partition: &str,
    copy_role: &RoleName,
) -> Vec<Hop> {
    let at = &point.vault;
    let is_other_account = at.account != goal.account;
    let is_other_region = at.region != goal.region;
    if !is_other_account && !is_other_region {
        return vec![];
    }
    let role = RoleArn::of(partition, &at.account, copy_role);
    let hop = |from: &Destination, to: &Destination| Hop {
        from: from.clone(),
        to: to.clone(),
        role: role.clone(),
    };
    match point.copied() {
        Copied::OneWay if is_other_account && is_other_region => {
            let between = Destination { region: goal.region.clone(), ..at.clone() };
            vec![hop(at, &between), hop(&between, goal)]
        }
        Copied::OneWay | Copied::Anywhere | Copied::Never => vec![hop(at, goal)],
    }
}
