//! What a run may do in an account.

use std::collections::BTreeSet;

use serde_json::json;

use super::Desired;
use crate::id::{AccountId, Region, RoleName};

/// The most characters that STS takes of a session policy.
const LIMIT: usize = 2048;

/// The policy that narrows a session in `account` down to the calls of this run, which changes
/// settings where `writes` says so.
///
/// The role that is assumed decides what is allowed at all; this takes away what is not needed, so
/// that a role that allows more is no risk.
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
        actions.extend(["backup:DescribeBackupVault", "kms:DescribeKey"]);
    }
    narrowed(&actions, &desired.regions, desired.role.as_slice(), partition, account)
}

/// The policy that narrows a session in `account` down to `actions` in `regions` and to looking at
/// `roles`.
pub fn narrowed<'a>(
    actions: &[&str],
    regions: &BTreeSet<Region>,
    roles: impl IntoIterator<Item = &'a RoleName>,
    partition: &str,
    account: &AccountId,
) -> String {
    let role = format!("arn:{partition}:iam::{account}:role");
    // The path of a role is not known.
    let roles = roles.into_iter().flat_map(|it| [format!("{role}/{it}"), format!("{role}/*/{it}")]);
    let roles: Vec<_> = roles.collect();
    let policy = |regions: Option<&BTreeSet<Region>>| {
        let mut statements = vec![];
        if !actions.is_empty() {
            let within = |it| json!({ "StringEquals": { "aws:RequestedRegion": it } });
            let condition = regions.map_or_else(|| json!({}), within);
            statements.push(json!({
                "Effect": "Allow",
                "Action": actions,
                "Resource": "*",
                "Condition": condition,
            }));
        }
        if !roles.is_empty() {
            let allow = json!({ "Effect": "Allow", "Action": "iam:GetRole", "Resource": roles });
            statements.push(allow);
        }
        json!({ "Version": "2012-10-17", "Statement": statements }).to_string()
    };
    let narrow = policy(Some(regions));
    // All Regions of today take a third of the room.
    if narrow.len() <= LIMIT { narrow } else { policy(None) }
}
