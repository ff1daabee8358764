//! The permissions of a run in an account.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{BACKUP, Desired, SERVICE_ROLE};
use crate::id::{AccountId, Region, RoleName};

/// The most characters that STS accepts in a session policy.
const LIMIT: usize = 2048;

/// The actions that read vaults.
pub const LOOKS_AT_VAULTS: [&str; 3] =
    ["backup:DescribeBackupVault", "backup:GetBackupVaultAccessPolicy", "kms:DescribeKey"];

/// The actions that read roles.
const LOOKS_AT_ROLES: [&str; 4] =
    ["iam:GetRole", "iam:GetRolePolicy", "iam:ListAttachedRolePolicies", "iam:ListRolePolicies"];

/// Returns the policy that limits a session in `account` to the calls of this run. If `writes` is
/// `true`, the run changes settings.
///
/// The assumed role decides what is allowed. This policy removes permissions that are not needed,
/// so that a role that allows more is not a risk.
pub fn session_policy(
    desired: &Desired,
    partition: &str,
    account: &AccountId,
    writes: bool,
) -> String {
    let mut actions = vec![];
    if desired.has_settings() {
        actions.push("backup:DescribeRegionSettings");
        actions.extend(writes.then_some("backup:UpdateRegionSettings"));
    }
    if desired.vault.is_some() {
        actions.extend(LOOKS_AT_VAULTS);
    }
    let role = roles_of(partition, account);
    let service_role = format!("{role}/aws-service-role/{BACKUP}/{SERVICE_ROLE}");
    let mut looked_at = paths(desired.role.as_slice(), partition, account);
    // The ARN of a missing role has no path.
    looked_at.push(format!("{role}/{SERVICE_ROLE}"));
    looked_at.push(service_role.clone());
    let mut more = vec![allow(&LOOKS_AT_ROLES, &looked_at)];
    more.extend(writes.then(|| allow(&["iam:CreateServiceLinkedRole"], &[service_role])));
    within_limit(&actions, &desired.regions, &more)
}

/// Returns the policy that limits a session in `account` to `actions` in `regions` and to reading
/// `roles`.
pub fn narrowed<'a>(
    actions: &[&str],
    regions: &BTreeSet<Region>,
    roles: impl IntoIterator<Item = &'a RoleName>,
    partition: &str,
    account: &AccountId,
) -> String {
    let roles = paths(roles, partition, account);
    let more: Vec<_> =
        (!roles.is_empty()).then(|| allow(&LOOKS_AT_ROLES, &roles)).into_iter().collect();
    within_limit(actions, regions, &more)
}

/// Returns the policy that narrows a session in `account` down to `actions` in `regions` and to handing
/// `roles` to AWS Backup.
pub fn handing<'a>(
    actions: &[&str],
    regions: &BTreeSet<Region>,
    roles: impl IntoIterator<Item = &'a RoleName>,
    partition: &str,
    account: &AccountId,
) -> String {
    let roles = paths(roles, partition, account);
    let pass = json!({
        "Effect": "Allow", "Action": "iam:PassRole", "Resource": roles,
        "Condition": { "StringEquals": { "iam:PassedToService": BACKUP } },
    });
    within_limit(actions, regions, &[pass])
}

/// Returns patterns for the ARNs of roles whose paths are not known.
fn paths<'a>(
    roles: impl IntoIterator<Item = &'a RoleName>,
    partition: &str,
    account: &AccountId,
) -> Vec<String> {
    let role = roles_of(partition, account);
    roles.into_iter().flat_map(|it| [format!("{role}/{it}"), format!("{role}/*/{it}")]).collect()
}

/// Returns the prefix of the ARNs of the roles of an account.
fn roles_of(partition: &str, account: &AccountId) -> String {
    format!("arn:{partition}:iam::{account}:role")
}

fn allow(actions: &[&str], resources: &[String]) -> Value {
    json!({ "Effect": "Allow", "Action": actions, "Resource": resources })
}

/// Returns a policy with `actions` in `regions`, and with the statements `more`. The Regions are
/// left out if STS would not accept all of them.
fn within_limit(actions: &[&str], regions: &BTreeSet<Region>, more: &[Value]) -> String {
    let policy = |condition: Value| {
        let own = (!actions.is_empty()).then(|| {
            json!({
                "Effect": "Allow", "Action": actions, "Resource": "*", "Condition": condition,
            })
        });
        let statements: Vec<_> = own.into_iter().chain(more.iter().cloned()).collect();
        json!({ "Version": "2012-10-17", "Statement": statements }).to_string()
    };
    let narrow = policy(json!({ "StringEquals": { "aws:RequestedRegion": regions } }));
    // All current Regions take a third of the limit.
    if narrow.len() <= LIMIT { narrow } else { policy(json!({})) }
}
