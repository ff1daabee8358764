//! What the role of a copy has to be allowed, beside copying from the vault: the statements on copies that
//! AWS's page on managed policies and `AWSBackupServiceRolePolicyForBackup` have, by type of resource.
//!
//! They do not say which of them only copies to another account need. Sharing is for these, since the
//! service-linked role of the other account takes what is shared.

use super::facts::{Feature, TypeFacts};
use super::records::{EngineKey, EnginePoint, whereabouts};
use super::{RoleNeed, Surroundings};

/// A copy that a role makes.
#[derive(Clone, Copy, Debug)]
pub(super) struct RoleCopy<'a> {
    /// The recovery point.
    pub(super) point: &'a EnginePoint,
    /// Its ARN.
    pub(super) arn: &'a str,
    /// The ARN of the vault to write to.
    pub(super) destination: &'a str,
}

/// Actions of a service on a recovery point: those of every copy, and those that share it.
type Actions = (&'static [&'static str], &'static [&'static str]);

const SNAPSHOTS: Actions = (
    &["ec2:CopySnapshot", "ec2:CreateTags", "ec2:DescribeSnapshots", "ec2:DescribeTags"],
    &["ec2:ModifySnapshotAttribute"],
);

const IMAGES: Actions = (
    &["ec2:CopyImage", "ec2:CreateTags", "ec2:DescribeImages", "ec2:DescribeTags"],
    &["ec2:ModifyImageAttribute"],
);

const DATABASES: Actions = (
    &[
        "rds:AddTagsToResource",
        "rds:CopyDBSnapshot",
        "rds:DescribeDBSnapshots",
        "rds:ListTagsForResource",
    ],
    &["rds:ModifyDBSnapshotAttribute"],
);

const CLUSTERS: Actions = (
    &[
        "rds:AddTagsToResource",
        "rds:CopyDBClusterSnapshot",
        "rds:DescribeDBClusterSnapshots",
        "rds:ListTagsForResource",
    ],
    &["rds:ModifyDBClusterSnapshotAttribute"],
);

const FILE_SYSTEMS: Actions = (
    &["fsx:CopyBackup", "fsx:DescribeBackups", "fsx:ListTagsForResource", "fsx:TagResource"],
    &["fsx:ManageBackupPrincipalAssociations"],
);

/// The actions on the key of a recovery point of EC2 and EBS, and of DynamoDB.
const EC2_KEY: &[&str] =
    &["kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncryptFrom", "kms:ReEncryptTo"];
const DYNAMODB_KEY: &[&str] = &["kms:Decrypt", "kms:GenerateDataKey"];

/// Returns everything that the role needs.
pub(super) fn needs(copy: RoleCopy<'_>, around: &dyn Surroundings) -> Vec<RoleNeed> {
    let RoleCopy { point, arn, destination } = copy;
    let into = ["backup:CopyIntoBackupVault", "backup:DescribeBackupVault"];
    let mut needs: Vec<_> = into.iter().map(|it| RoleNeed::new(it, destination)).collect();
    let account = |vault: &str| whereabouts(vault).map(|it| it.0.to_owned());
    let crosses_accounts = account(&point.vault) != account(destination);
    let kind = TypeFacts::of(&point.kind);
    if !kind.has(Feature::FullyManaged) {
        let (all, shares) = actions(&point.kind);
        let shares = shares.iter().filter(|_| crosses_accounts);
        // What AWS Backup made has the tag.
        let tag = ("aws:resourcetag/aws:backup:source-resource", point.resource.as_str());
        needs.extend(all.iter().chain(shares).map(|it| RoleNeed::new(it, arn).with(tag)));
    }
    let is_customer = |it: &String| around.key(it) == EngineKey::Customer;
    let own = point.key.clone().filter(is_customer);
    for key in own.iter().chain(&around.vault_key(destination).filter(is_customer)) {
        needs.push(RoleNeed::new("kms:DescribeKey", key));
        let grant = RoleNeed::new("kms:CreateGrant", key);
        needs.push(grant.with(("kms:grantisforawsresource", "true")));
    }
    let on_key = match point.kind.as_str() {
        "EBS" | "EC2" | "Storage Gateway" => EC2_KEY,
        "DynamoDB" => DYNAMODB_KEY,
        _ => &[],
    };
    needs.extend(own.iter().flat_map(|key| on_key.iter().map(|it| RoleNeed::new(it, key))));
    needs
}

/// Returns the actions on recovery points of a type that AWS Backup does not manage fully.
fn actions(kind: &str) -> Actions {
    match kind {
        "EBS" | "Storage Gateway" => SNAPSHOTS,
        "EC2" => IMAGES,
        "RDS" => DATABASES,
        "Aurora" | "DocumentDB" | "Neptune" => CLUSTERS,
        "FSx" => FILE_SYSTEMS,
        _ => (&[], &[]),
    }
}
