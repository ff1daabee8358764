//! What somebody may try who holds an account: each attempt is judged by the shipped policies, as AWS
//! would judge it, and `docs/attacks.md` has what stops it.

use std::fmt::Write;

use expect_test::expect_file;
use serde_json::{Value, json};
use simulator::{Asked, Verdict};
use tests::template::{EVERYTHING, REQUIRED, Template};

use super::each;

/// Somebody who has an account, and whom its own policies allow everything.
#[derive(Clone, Copy, PartialEq)]
struct Actor {
    who: &'static str,
    arn: &'static str,
    /// The policies that apply to what they do.
    policies: &'static [Policy],
}

/// A policy of a template, and where it is in it.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Policy {
    template: &'static str,
    resource: &'static str,
    property: &'static str,
}

/// What becomes of an attempt.
enum Outcome {
    /// These statements deny it.
    Denied(&'static [&'static str]),
    /// No policy of what it is done to allows it to other accounts.
    NotAllowed,
    /// Nothing here stops it, and what is to be done about it instead.
    Open(&'static str),
}

struct Attempt {
    actor: Actor,
    does: &'static str,
    action: &'static str,
    resource: &'static str,
    /// What else is known of the request.
    keys: &'static [(&'static str, &'static str)],
    outcome: Outcome,
}

const fn guardrail(resource: &'static str) -> Policy {
    Policy { template: "guardrails.yaml", resource, property: "Content" }
}

const COPIES: Policy = guardrail("CopiesPolicy");
const PROTECTION: Policy = guardrail("ProtectionPolicy");
const MAKERS: Policy = guardrail("MakersPolicy");
const GUARDRAILS: &[Policy] = &[COPIES, PROTECTION, MAKERS];
const CENTRAL: &str = "central-backup-account.yaml";
const VAULT: &[Policy] =
    &[Policy { template: CENTRAL, resource: "Vault", property: "AccessPolicy" }];
const KEY: &[Policy] = &[Policy { template: CENTRAL, resource: "VaultKey", property: "KeyPolicy" }];

const MEMBER: Actor = Actor {
    who: "An administrator of a member account",
    arn: "arn:aws-cn:iam::111122223333:role/Administrator",
    policies: GUARDRAILS,
};
const ROOT_USER: Actor = Actor {
    who: "The root user of a member account",
    arn: "arn:aws-cn:iam::111122223333:root",
    policies: GUARDRAILS,
};
const IMPOSTOR: Actor = Actor {
    who: "A role of a member account with our name behind a path",
    arn: "arn:aws-cn:iam::111122223333:role/web:role/org-backup",
    policies: GUARDRAILS,
};
const CONTROL_TOWER: Actor = Actor {
    who: "A principal that may assume the role of AWS Control Tower, which is free,",
    arn: "arn:aws-cn:iam::111122223333:role/AWSControlTowerExecution",
    policies: GUARDRAILS,
};
const ACCELERATOR: Actor = Actor {
    who: "A principal that may assume a role of the Landing Zone Accelerator, which is free,",
    arn: "arn:aws-cn:iam::111122223333:role/AWSAccelerator-DeployRole",
    policies: GUARDRAILS,
};
const CENTRAL_NAMESAKE: Actor = Actor {
    who: "An administrator of the central account",
    arn: "arn:aws-cn:iam::333344445555:role/stacksets-exec-mine",
    policies: VAULT,
};
const CENTRAL_VAULT: Actor = Actor {
    who: "An administrator of the central account",
    arn: "arn:aws-cn:iam::333344445555:role/Administrator",
    policies: VAULT,
};
const CENTRAL_KEY: Actor = Actor { policies: KEY, ..CENTRAL_VAULT };
const CENTRAL_ROOT: Actor = Actor {
    who: "The root user of the central account",
    arn: "arn:aws-cn:iam::333344445555:root",
    policies: KEY,
};
const NAMESAKE: Actor = Actor {
    who: "A role of another account with the name of one of StackSets",
    arn: "arn:aws-cn:iam::111122223333:role/stacksets-exec-mine",
    policies: VAULT,
};
const STRANGER: Actor = Actor {
    who: "An administrator of another organization",
    arn: "arn:aws-cn:iam::999900001111:role/Administrator",
    policies: VAULT,
};
const STRANGER_AT_KEY: Actor = Actor { policies: KEY, ..STRANGER };
const STACK_SETS: Actor = Actor {
    who: "The management account, or who it lets administer StackSets,",
    arn: "arn:aws-cn:iam::111122223333:role/stacksets-exec-0f1e2d",
    policies: GUARDRAILS,
};

const OUR_VAULT: &str = "arn:aws-cn:backup:cn-north-1:111122223333:backup-vault:org-backup";
const THEIR_VAULT: &str = "arn:aws-cn:backup:cn-north-1:111122223333:backup-vault:orders";
const OUR_KEY: &str = "arn:aws-cn:kms:cn-north-1:111122223333:key/1f2e";
const POINT: &str = "arn:aws-cn:backup:cn-north-1:111122223333:recovery-point:5b1e";
const PLAN: &str = "arn:aws-cn:backup:cn-north-1:111122223333:restore-testing-plan:weekly";
const RULE: &str = "arn:aws-cn:events:cn-north-1:111122223333:rule/StackSet-org-backup-a1-KeyRule";
const STACK: &str =
    "arn:aws-cn:cloudformation:cn-north-1:111122223333:stack/StackSet-org-backup-rollout-a1/b2";
const FUNCTION: &str =
    "arn:aws-cn:lambda:cn-north-1:111122223333:function:org-backup-restores-RestoreValidation";
const OUR_FUNCTION: &[(&str, &str)] = &[("lambda:FunctionArn", FUNCTION)];
const MAPPING: &str = "arn:aws-cn:lambda:cn-north-1:111122223333:event-source-mapping:7c1e";
const QUEUE: &str = "arn:aws-cn:sqs:cn-north-1:111122223333:org-backup-restores-Queue-1A2B";
const OUR_ALIAS: &[(&str, &str)] = &[("kms:ResourceAliases", "alias/org-backup")];
const TO_ANOTHER_ORGANIZATION: &[(&str, &str)] = &[
    ("backup:CopyTargets", "arn:aws-cn:backup:cn-north-1:999900001111:backup-vault:mine"),
    ("backup:CopyTargetOrgPaths", "o-z9y8x7w6v5/r-zy98/"),
];
const EXTERNAL_SHARE: &[(&str, &str)] = &[
    ("ram:RequestedAllowsExternalPrincipals", "true"),
    ("ram:RequestedResourceType", "backup:BackupVault"),
];
const EXTERNAL: &[(&str, &str)] = &[("ram:RequestedAllowsExternalPrincipals", "true")];
const VAULT_INTO_EXTERNAL_SHARE: &[(&str, &str)] = &[
    ("ram:AllowsExternalPrincipals", "true"),
    ("ram:ResourceArn", "arn:aws-cn:backup:cn-north-1:111122223333:backup-vault:air-gapped"),
];
const MADE_BY_BACKUP: &[(&str, &str)] =
    &[("aws:ResourceTag/aws:backup:source-resource", "i-1:vol-2")];
const THEIR_ORGANIZATION: &[(&str, &str)] = &[("aws:PrincipalOrgID", "o-z9y8x7w6v5")];

const fn attempt(
    actor: Actor,
    does: &'static str,
    (action, resource): (&'static str, &'static str),
    keys: &'static [(&'static str, &'static str)],
    outcome: Outcome,
) -> Attempt {
    Attempt { actor, does, action, resource, keys, outcome }
}

#[rustfmt::skip]
const ATTEMPTS: &[Attempt] = &[
    attempt(MEMBER, "deletes a recovery point", ("backup:DeleteRecoveryPoint", POINT), &[], Outcome::Denied(&["RecoveryPoints"])),
    attempt(ROOT_USER, "deletes a recovery point", ("backup:DeleteRecoveryPoint", POINT), &[], Outcome::Denied(&["RecoveryPoints"])),
    attempt(IMPOSTOR, "deletes a recovery point", ("backup:DeleteRecoveryPoint", POINT), &[], Outcome::Denied(&["RecoveryPoints"])),
    attempt(MEMBER, "has recovery points end earlier", ("backup:UpdateRecoveryPointLifecycle", POINT), &[], Outcome::Denied(&["Backups"])),
    attempt(MEMBER, "cuts a recovery point off from what it is part of", ("backup:DisassociateRecoveryPointFromParent", POINT), &[], Outcome::Denied(&["Backups"])),
    attempt(MEMBER, "gives a recovery point up", ("backup:DisassociateRecoveryPoint", POINT), &[], Outcome::Denied(&["Backups"])),
    attempt(MEMBER, "cancels a legal hold", ("backup:CancelLegalHold", "*"), &[], Outcome::Denied(&["Backups"])),
    attempt(MEMBER, "stops a backup that runs", ("backup:StopBackupJob", "*"), &[], Outcome::Denied(&["Backups"])),
    attempt(MEMBER, "deletes the vault", ("backup:DeleteBackupVault", OUR_VAULT), &[], Outcome::Denied(&["Vaults"])),
    attempt(MEMBER, "takes the lock off the vault", ("backup:DeleteBackupVaultLockConfiguration", OUR_VAULT), &[], Outcome::Denied(&["Vaults"])),
    attempt(MEMBER, "locks the vault for ever", ("backup:PutBackupVaultLockConfiguration", OUR_VAULT), &[], Outcome::Denied(&["Vaults"])),
    attempt(MEMBER, "opens the vault to others", ("backup:PutBackupVaultAccessPolicy", OUR_VAULT), &[], Outcome::Denied(&["Vaults"])),
    attempt(MEMBER, "lets an approval team of their own at the vault", ("backup:AssociateBackupVaultMpaApprovalTeam", OUR_VAULT), &[], Outcome::Denied(&["Vaults"])),
    attempt(MEMBER, "has the vault tell somebody else", ("backup:PutBackupVaultNotifications", OUR_VAULT), &[], Outcome::Denied(&["Vaults"])),
    attempt(MEMBER, "deletes the vault of another team", ("backup:DeleteBackupVault", THEIR_VAULT), &[], Outcome::Denied(&["OtherVaults"])),
    attempt(MEMBER, "opts out of types of resources", ("backup:UpdateRegionSettings", "*"), &[], Outcome::Denied(&["OptIns"])),
    attempt(MEMBER, "schedules the deletion of the key of the vault", ("kms:ScheduleKeyDeletion", OUR_KEY), OUR_ALIAS, Outcome::Denied(&["Keys"])),
    attempt(MEMBER, "disables the key of the vault", ("kms:DisableKey", OUR_KEY), OUR_ALIAS, Outcome::Denied(&["Keys"])),
    attempt(MEMBER, "revokes what AWS Backup may do with the key", ("kms:RevokeGrant", OUR_KEY), OUR_ALIAS, Outcome::Denied(&["Keys"])),
    attempt(MEMBER, "gives the alias of the key to another", ("kms:UpdateAlias", "arn:aws-cn:kms:cn-north-1:111122223333:alias/org-backup"), &[], Outcome::Denied(&["Aliases"])),
    attempt(MEMBER, "deletes the alias of the key", ("kms:DeleteAlias", "arn:aws-cn:kms:cn-north-1:111122223333:alias/org-backup"), &[], Outcome::Denied(&["Aliases"])),
    attempt(MEMBER, "takes the alias away from the key", ("kms:DeleteAlias", OUR_KEY), OUR_ALIAS, Outcome::Denied(&["Keys"])),
    attempt(MEMBER, "points the alias of the key at another", ("kms:UpdateAlias", OUR_KEY), OUR_ALIAS, Outcome::Denied(&["Keys"])),
    attempt(MEMBER, "copies a backup to another organization", ("backup:CopyFromBackupVault", POINT), TO_ANOTHER_ORGANIZATION, Outcome::Denied(&["OnlyToTheCentralAccount", "OnlyWithinTheOrganization"])),
    attempt(MEMBER, "shares a vault with another organization", ("ram:CreateResourceShare", "*"), EXTERNAL_SHARE, Outcome::Denied(&["VaultsAreSharedWithinTheOrganization"])),
    attempt(MEMBER, "opens a share to other organizations", ("ram:UpdateResourceShare", "*"), EXTERNAL, Outcome::Denied(&["SharesStayWithinTheOrganization"])),
    attempt(MEMBER, "puts a vault into a share that is open to them", ("ram:AssociateResourceShare", "*"), VAULT_INTO_EXTERNAL_SHARE, Outcome::Denied(&["VaultsAreNotPutIntoExternalShares"])),
    attempt(MEMBER, "publishes a snapshot that AWS Backup made", ("ec2:ModifySnapshotAttribute", "arn:aws-cn:ec2:cn-north-1::snapshot/snap-1"), MADE_BY_BACKUP, Outcome::Denied(&["SnapshotsOfVolumesAndImages"])),
    attempt(MEMBER, "shares an image that AWS Backup made", ("ec2:ModifyImageAttribute", "arn:aws-cn:ec2:cn-north-1::image/ami-1"), MADE_BY_BACKUP, Outcome::Denied(&["SnapshotsOfVolumesAndImages"])),
    attempt(MEMBER, "publishes a snapshot of a database that AWS Backup made", ("rds:ModifyDBSnapshotAttribute", "arn:aws-cn:rds:cn-north-1:111122223333:snapshot:awsbackup:job-1"), &[], Outcome::Denied(&["SnapshotsOfDatabases"])),
    attempt(MEMBER, "publishes a snapshot of a cluster that AWS Backup made", ("rds:ModifyDBClusterSnapshotAttribute", "arn:aws-cn:rds:cn-north-1:111122223333:cluster-snapshot:awsbackup:job-1"), &[], Outcome::Denied(&["SnapshotsOfDatabases"])),
    attempt(MEMBER, "changes what the role for backups may do", ("iam:PutRolePolicy", "arn:aws-cn:iam::111122223333:role/org-backup"), &[], Outcome::Denied(&["Roles"])),
    attempt(MEMBER, "lets somebody into the role for recovery", ("iam:UpdateAssumeRolePolicy", "arn:aws-cn:iam::111122223333:role/org-backup-recovery"), &[], Outcome::Denied(&["Roles"])),
    attempt(MEMBER, "makes a role of the name of the one for copies back", ("iam:CreateRole", "arn:aws-cn:iam::111122223333:role/org-backup-copy"), &[], Outcome::Denied(&["Roles"])),
    attempt(MEMBER, "makes a role that may do what StackSets may", ("iam:CreateRole", "arn:aws-cn:iam::111122223333:role/stacksets-exec-mine"), &[], Outcome::Denied(&["Administrators"])),
    attempt(MEMBER, "adds to what a role of StackSets may do", ("iam:AttachRolePolicy", "arn:aws-cn:iam::111122223333:role/stacksets-exec-mine"), &[], Outcome::Denied(&["Administrators"])),
    attempt(MEMBER, "makes a role that may do what AWS Control Tower may", ("iam:CreateRole", "arn:aws-cn:iam::111122223333:role/AWSControlTowerExecution"), &[], Outcome::Denied(&["ControlTower"])),
    attempt(MEMBER, "makes a role that may do what the Landing Zone Accelerator may", ("iam:CreateRole", "arn:aws-cn:iam::111122223333:role/AWSAccelerator-mine"), &[], Outcome::Denied(&["LandingZoneAccelerator"])),
    attempt(CONTROL_TOWER, "deletes a recovery point", ("backup:DeleteRecoveryPoint", POINT), &[], Outcome::Denied(&["RecoveryPoints"])),
    attempt(CONTROL_TOWER, "opens the vault to others", ("backup:PutBackupVaultAccessPolicy", OUR_VAULT), &[], Outcome::Denied(&["Vaults"])),
    attempt(ACCELERATOR, "deletes a recovery point", ("backup:DeleteRecoveryPoint", POINT), &[], Outcome::Denied(&["RecoveryPoints"])),
    attempt(ACCELERATOR, "schedules the deletion of the key of the vault", ("kms:ScheduleKeyDeletion", OUR_KEY), OUR_ALIAS, Outcome::Denied(&["Keys"])),
    attempt(MEMBER, "makes up the result of a restore test", ("backup:PutRestoreValidationResult", "*"), &[], Outcome::Denied(&["RestoreTests"])),
    attempt(MEMBER, "deletes a plan of restore tests", ("backup:DeleteRestoreTestingPlan", PLAN), &[], Outcome::Denied(&["RestoreTests"])),
    attempt(MEMBER, "disables a rule that tells of failed jobs", ("events:DisableRule", RULE), &[], Outcome::Denied(&["Rules"])),
    attempt(MEMBER, "takes the target of such a rule away", ("events:RemoveTargets", RULE), &[], Outcome::Denied(&["Rules"])),
    attempt(MEMBER, "deletes a stack of the roll-out", ("cloudformation:DeleteStack", STACK), &[], Outcome::Denied(&["Stacks"])),
    attempt(MEMBER, "switches off what brings events to a function", ("lambda:UpdateEventSourceMapping", MAPPING), OUR_FUNCTION, Outcome::Denied(&["Mappings"])),
    attempt(MEMBER, "throws away what waits for a function", ("sqs:PurgeQueue", QUEUE), &[], Outcome::Denied(&["Queues"])),
    attempt(MEMBER, "replaces the code of a function", ("lambda:UpdateFunctionCode", FUNCTION), &[], Outcome::Denied(&["Functions"])),
    attempt(CENTRAL_VAULT, "deletes a copy", ("backup:DeleteRecoveryPoint", POINT), &[], Outcome::Denied(&["OnlyWhatHasExpiredIsDeleted"])),
    attempt(CENTRAL_VAULT, "has copies end earlier", ("backup:UpdateRecoveryPointLifecycle", POINT), &[], Outcome::Denied(&["NothingIsDeletedOrLoosened"])),
    attempt(CENTRAL_VAULT, "changes who may delete copies", ("backup:PutBackupVaultAccessPolicy", "*"), &[], Outcome::Denied(&["NothingIsDeletedOrLoosened"])),
    attempt(CENTRAL_KEY, "schedules the deletion of the key of the copies", ("kms:ScheduleKeyDeletion", "*"), &[], Outcome::Denied(&["KeyStays"])),
    attempt(CENTRAL_KEY, "disables the key of the copies", ("kms:DisableKey", "*"), &[], Outcome::Denied(&["KeyStays"])),
    attempt(CENTRAL_KEY, "changes who may do that", ("kms:PutKeyPolicy", "*"), &[], Outcome::Denied(&["KeyStays"])),
    attempt(CENTRAL_ROOT, "schedules the deletion of the key of the copies", ("kms:ScheduleKeyDeletion", "*"), &[], Outcome::Denied(&["KeyStays"])),
    attempt(NAMESAKE, "deletes a copy", ("backup:DeleteRecoveryPoint", POINT), &[], Outcome::Denied(&["OnlyWhatHasExpiredIsDeleted"])),
    attempt(STRANGER, "fills the central vault with copies", ("backup:CopyIntoBackupVault", "*"), THEIR_ORGANIZATION, Outcome::NotAllowed),
    attempt(STRANGER_AT_KEY, "reads with the key of the copies", ("kms:Decrypt", "*"), THEIR_ORGANIZATION, Outcome::NotAllowed),
    attempt(MEMBER, "takes the tag off that selects a resource", ("ec2:DeleteTags", "arn:aws-cn:ec2:cn-north-1:111122223333:volume/vol-1"), &[], Outcome::Open("A tag policy, or selecting by type of resource")),
    attempt(MEMBER, "restores a backup and gives the data away", ("backup:StartRestoreJob", POINT), &[], Outcome::Open("A principal that may read data may give it away: limit who may restore in the account")),
    attempt(MEMBER, "copies a snapshot by itself and publishes the copy, which has no tag of AWS Backup", ("ec2:ModifySnapshotAttribute", "arn:aws-cn:ec2:cn-north-1::snapshot/snap-2"), &[], Outcome::Open("Block public access of snapshots, a setting of EC2 in each account")),
    attempt(MEMBER, "deletes the key that a resource is encrypted with", ("kms:ScheduleKeyDeletion", "arn:aws-cn:kms:cn-north-1:111122223333:key/2a3b"), &[], Outcome::Open("`monitoring.yaml` tells of it; the deletion can be cancelled for a week at least")),
    attempt(CONTROL_TOWER, "deletes the vault of another team", ("backup:DeleteBackupVault", THEIR_VAULT), &[], Outcome::Open("`ControlTower = \"Bound\"`, which is the default")),
    attempt(CONTROL_TOWER, "opts out of types of resources", ("backup:UpdateRegionSettings", "*"), &[], Outcome::Open("`ControlTower = \"Bound\"`; the daily sweep of `reattach` opts in again")),
    attempt(ACCELERATOR, "deletes the vault of another team", ("backup:DeleteBackupVault", THEIR_VAULT), &[], Outcome::Open("`LandingZoneAccelerator = \"Bound\"`, which is the default")),
    attempt(ACCELERATOR, "opts out of types of resources", ("backup:UpdateRegionSettings", "*"), &[], Outcome::Open("`LandingZoneAccelerator = \"Bound\"`; the daily sweep of `reattach` opts in again")),
    attempt(CENTRAL_NAMESAKE, "makes a role with a name of StackSets and deletes a copy with it", ("backup:DeleteRecoveryPoint", POINT), &[], Outcome::Open("`guardrails.yaml` in the central account as well, or a compliance lock")),
    attempt(STACK_SETS, "deletes a recovery point", ("backup:DeleteRecoveryPoint", POINT), &[], Outcome::Open("A compliance lock, or a logically air-gapped vault")),
];

/// The statements of a policy, with everything that its template can do but by default.
fn statements(policy: Policy) -> Vec<Value> {
    let template = Template::named(policy.template);
    let content = &template.body["Resources"][policy.resource]["Properties"][policy.property];
    let more = if policy.template == CENTRAL { &[][..] } else { EVERYTHING };
    let content = template.with(&[REQUIRED, more].concat()).resolve(content).unwrap();
    each(&content["Statement"]).to_vec()
}

/// The statements that deny an attempt, and whether one allows it.
fn judged(attempt: &Attempt) -> (Vec<String>, bool) {
    let Attempt { actor, action, resource, keys, .. } = attempt;
    let asked = Asked::new(actor.arn, action, resource);
    let asked = keys.iter().fold(asked, |asked, (key, value)| asked.with(key, value));
    let (mut denying, mut allows) = (vec![], false);
    for statement in actor.policies.iter().flat_map(|it| statements(*it)) {
        match asked.judged_by(&json!({ "Statement": [statement] })) {
            Verdict::Denied => denying.push(statement["Sid"].as_str().unwrap().to_owned()),
            Verdict::Allowed => allows = true,
            Verdict::Silent => {}
        }
    }
    denying.sort();
    (denying, allows)
}

#[test]
fn every_attempt_ends_as_the_table_says() {
    for attempt in ATTEMPTS {
        let what = format!("{} {}", attempt.actor.who, attempt.does);
        let (denying, allows) = judged(attempt);
        match attempt.outcome {
            Outcome::Denied(expected) => assert_eq!(denying, expected, "{what}"),
            Outcome::NotAllowed => assert_eq!((denying, allows), (vec![], false), "{what}"),
            Outcome::Open(_) => assert_eq!(denying, Vec::<String>::new(), "{what}"),
        }
    }
}

#[test]
fn every_statement_that_denies_stops_an_attempt() {
    let stops: Vec<_> = ATTEMPTS.iter().flat_map(|it| judged(it).0).collect();
    for policy in [GUARDRAILS, VAULT, KEY].concat() {
        for statement in statements(policy).iter().filter(|it| it["Effect"] == "Deny") {
            let sid = statement["Sid"].as_str().unwrap();
            assert!(stops.iter().any(|it| it == sid), "nothing tries {sid}");
        }
    }
}

/// Text with `*` and `?` compared by characters lets a path with a colon through.
#[test]
fn arns_are_compared_as_arns() {
    for template in Template::all() {
        let mut texts = vec![];
        for operator in ["StringLike", "StringNotLike", "StringEquals", "StringNotEquals"] {
            for quantifier in ["", "ForAnyValue:", "ForAllValues:"] {
                for if_exists in ["", "IfExists"] {
                    texts.extend(super::all(
                        &template.body,
                        &format!("{quantifier}{operator}{if_exists}"),
                    ));
                }
            }
        }
        for keys in texts.into_iter().filter_map(Value::as_object) {
            let arn = keys.keys().find(|it| {
                let key = it.to_ascii_lowercase();
                key.ends_with("arn") && !key.starts_with("kms:encryptioncontext:")
            });
            assert_eq!(arn, None, "{}", template.name);
        }
    }
}

#[test]
fn the_page_of_attacks_has_every_attempt() {
    let mut page = String::from(
        "# Attacks\n\nThe attacks that a holder of an account may try, and the policies that stop \
         them. Each attempt is judged by the policies as they are shipped \
         (`tests/tests/contracts/templates/attacks.rs`); the test writes this page.\nThe \
         statements of `guardrails.yaml` hold in the accounts that it is attached to, here with \
         everything that its parameters free. Those of `central-backup-account.yaml` hold without \
         them.\n\n| Who | does | stopped by | in |\n|---|---|---|---|\n",
    );
    let mut open =
        String::from("\n## Not protected\n\n| Who | does | what to do about it |\n|---|---|---|\n");
    for Attempt { actor, does, outcome, .. } in ATTEMPTS {
        let template = actor.policies[0].template;
        match outcome {
            Outcome::Denied(by) => {
                let by = by.iter().map(|it| format!("`{it}`")).collect::<Vec<_>>().join(", ");
                writeln!(page, "| {} | {does} | {by} | `{template}` |", actor.who).unwrap();
            }
            Outcome::NotAllowed => {
                let why = "nothing allows it to them";
                writeln!(page, "| {} | {does} | {why} | `{template}` |", actor.who).unwrap();
            }
            Outcome::Open(instead) => {
                writeln!(open, "| {} | {does} | {instead} |", actor.who).unwrap();
            }
        }
    }
    expect_file![concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/attacks.md")]
        .assert_eq(&(page + &open));
}
