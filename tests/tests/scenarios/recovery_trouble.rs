//! Troubles of a recovery: each is reported with a way to correct it, and nothing is half made
//! without being named.

use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use serde_json::json;
use simulator::{BackupQuotas, Fault, Flaw, Jobs, KeyType, Vault};
use tests::organization::backed_up;

use crate::recovery::{REGION, World};

/// How many troubles are tried at once.
const AT_ONCE: usize = 4;

/// A trouble: its name, its cause, the exit code of `recover` in it, and the hint.
type Trouble = (&'static str, fn(&World), i32, &'static str);

/// The vault that copies come back to, with this key and this policy.
fn vault(world: &World, change: impl FnOnce(Vault) -> Vault) {
    let back = json!({ "Statement": [{
        "Effect": "Allow", "Action": "backup:CopyIntoBackupVault", "Resource": "*",
        "Principal": { "AWS": format!("arn:aws:iam::{}:root", world.central) },
    }] });
    let vault = Vault::new("org-backup").key("arn:aws:kms:$region:$account:key/mine");
    let vault = change(vault.key_type(KeyType::CustomerManaged).access_policy(&back));
    world.organization.backup(|it| it.vaults_mut().create(&world.new, REGION, vault));
}

fn flaw(world: &World, flaw: Flaw) {
    let points = world.organization.recovery_points().into_iter();
    for it in points.filter(|it| it.vault == world.copies()) {
        world.organization.flaw(it.id, Some(flaw));
    }
}

/// Has the restores of a resource run into a quota of its service for an hour.
fn beyond_quota(world: &World, resource: &str) {
    world.organization.fail_jobs(Jobs::RestoresBeyondQuota, resource, Duration::from_hours(1));
}

fn volume(world: &World) -> String {
    world.arn("ec2@volume/vol-1")
}

const TROUBLES: [Trouble; 17] = [
    ("partial", |it| flaw(it, Flaw::Partial), 1, "parts of it are missing; hint: take another one"),
    (
        "being deleted",
        |it| flaw(it, Flaw::Deleting),
        1,
        "it is being made or deleted; hint: wait until it is complete",
    ),
    ("locked vault", |it| vault(it, |it| it.locked(Some(3_000), None)), 1, "--keep-days"),
    (
        "closed vault",
        |it| vault(it, |it| it.access_policy(&json!({ "Statement": [] }))),
        1,
        "CentralAccountId of member-account.yaml",
    ),
    (
        "no vault",
        |it| {
            let new = it.new.clone();
            it.organization.backup(|it| it.vaults_mut().delete(&new, REGION, "org-backup"));
        },
        1,
        "roll out the template to this account and Region",
    ),
    (
        "key pending deletion",
        |it| it.organization.kms(|it| it.set_state("mine", "PendingDeletion")),
        1,
        "the backup cannot be read without its key",
    ),
    (
        "key that may not be used",
        |it| {
            let key = format!("arn:aws:kms:{REGION}:{}:key/mine", it.new);
            let account = it.new.clone();
            it.organization.kms(|it| it.keep_from(&key, &account));
        },
        1,
        "hint: let the key policy allow the account",
    ),
    (
        "disabled Region",
        |it| {
            let account = it.new.clone();
            it.organization.regions(|it| it.disable(&account, REGION));
        },
        2,
        "enable the Region",
    ),
    (
        "not opted in",
        |it| {
            let account = it.new.clone();
            let out = [("EBS".to_owned(), false)].into();
            it.organization
                .backup(|it| it.update_region_settings(&account, REGION, &out, &[].into()))
                .unwrap();
        },
        1,
        "--resource-type-opt-in-preference 'EBS=true'",
    ),
    (
        "no role",
        |it| {
            let account = it.new.clone();
            it.organization.iam(|it| it.delete_role(&account, "org-backup-restore"));
        },
        1,
        "roll out the template to this account, or name another role",
    ),
    (
        "nobody gets in",
        |it| {
            let account = it.new.clone();
            it.organization.iam(|it| it.delete_role(&account, "org-backup-recovery"));
        },
        2,
        "with --member-role and --central-role, name roles that you may assume there",
    ),
    (
        "too many copies at once",
        |it| it.organization.limit_backups(BackupQuotas { copies: 0, ..BackupQuotas::default() }),
        1,
        "wait until other jobs there end, or name a lower --concurrency",
    ),
    (
        "too many restores at once",
        |it| {
            let refused = Fault::error("StartRestoreJob", "LimitExceededException");
            it.organization.fail(refused.forever());
        },
        1,
        "AWS Backup refuses it: ",
    ),
    (
        "quota of the service",
        |it| beyond_quota(it, &volume(it)),
        1,
        "VolumeLimitExceeded); hint: raise the quota of storage of volumes in EBS",
    ),
    (
        "failed copy",
        |it| it.organization.fail_jobs(Jobs::Copies, &volume(it), Duration::from_hours(1)),
        1,
        "run again with --again 2",
    ),
    (
        "failed restore",
        |it| it.organization.fail_jobs(Jobs::Restores, &volume(it), Duration::from_hours(1)),
        1,
        "run again with --again 2",
    ),
    (
        "stopped restore",
        |it| it.organization.fail_jobs(Jobs::StoppedRestores, &volume(it), Duration::from_hours(1)),
        1,
        "is aborted",
    ),
];

/// Has an account with a volume recovered in a trouble, and returns what is wrong with that.
async fn in_trouble((name, bring, code, told): Trouble) -> Option<String> {
    let world = World::start().await;
    world.night(&[("EBS", "ec2@volume/vol-1")]);
    bring(&world);
    let run = world.recover(&["--yes"]).await;
    let is_told = run.text.contains(told) || run.notes.contains(told);
    let is_named = run.text.contains("not restored: ") || run.text.contains("cannot be restored");
    let is_clean = world.came_back().is_empty();
    let is_well = run.code == code && is_told && is_named && is_clean;
    (!is_well).then(|| format!("{name} ends with {}: {}\n{}", run.code, run.text, run.notes))
}

#[tokio::test]
async fn each_trouble_is_told_with_what_to_do_and_leaves_nothing_half_made() {
    let all = stream::iter(TROUBLES.map(in_trouble)).buffer_unordered(AT_ONCE);
    let all: Vec<_> = all.collect().await;
    let wrong: Vec<_> = all.into_iter().flatten().collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn a_name_that_is_taken_is_told_and_another_is_taken_instead() {
    let world = World::start().await;
    let [table] = world.night(&[("DynamoDB", "dynamodb@table/carts")]).try_into().unwrap();
    let taken = format!("arn:aws:dynamodb:{REGION}:{}:table/carts", world.new);
    let taken = backed_up(&taken, "DynamoDB", &world.new, REGION, None);
    world.organization.put_resource(taken);
    let run = world.recover(&["--yes"]).await;
    assert_eq!(run.code, 1, "{}\n{}", run.text, run.notes);
    // The hint has the whole command, but for the name.
    let (_, hint) = run.printed[0].split_once("hint: restore it alone: `org-backup ").unwrap();
    let alone = hint.split('`').next().unwrap().replace('…', "carts-2");
    let copy = world.held(&table, &world.central).await;
    assert!(alone.starts_with(&format!("restore {copy} ")), "{alone}");
    let other = alone.split(' ').chain(["--yes"]).collect::<Vec<_>>();
    let other = world.run(&other).await;
    assert_eq!(other.code, 0, "{}\n{}", other.text, other.notes);
    assert_eq!(world.came_back(), ["DynamoDB", "DynamoDB"]);
}

#[tokio::test]
async fn what_a_quota_stopped_comes_back_with_again_and_nothing_else_does() {
    let world = World::start().await;
    let things = [
        ("EBS", "ec2@volume/vol-1"),
        ("DynamoDB", "dynamodb@table/carts"),
        ("RDS", "rds@db:ledger"),
    ];
    let database = &world.night(&things)[2];
    beyond_quota(&world, database);
    let recovering = ["--set", "RDS.DBSubnetGroupName=default", "--yes"];
    let first = world.recover(&recovering).await;
    assert_eq!(first.code, 1, "{}\n{}", first.text, first.notes);
    assert!(first.text.contains("restored: 2 of 3"), "{}", first.text);
    let line = first.printed[0].lines().find(|it| it.starts_with(&format!("  {database}: ")));
    let hint = "raise the quota of storage of DB instances in RDS, or free what uses it up, then run \
                again with --again 2";
    assert!(line.is_some_and(|it| it.ends_with(hint)), "{}", first.text);
    world.organization.let_go_by(Duration::from_hours(2));
    let again = [&recovering[..], &["--again", "2"]].concat();
    for _run in 0..2 {
        let second = world.recover(&again).await;
        assert_eq!(second.code, 0, "{}\n{}", second.text, second.notes);
        assert_eq!(world.came_back(), ["DynamoDB", "EBS", "RDS"]);
        assert_eq!(world.organization.restore_jobs().len(), 4);
        world.organization.let_go_by(Duration::from_hours(2));
    }
}
