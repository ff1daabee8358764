//! The memory that a judgment needs: for two million resources, account after account, and for one
//! account with 100,000.

#![expect(clippy::unwrap_used, reason = "a bench whose fixture is wrong has nothing to measure")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use divan::AllocProfiler;
use plan::id::AccountId;
use plan::member_accounts::Settings;
use report::Effective;
use report::coverage::{
    About, AccountReads, Asks, BackupPlan, ByResource, Common, Creator, Groups, HeldVault, Holder,
    Job, JobState, Judge, Key, PointStatus, RecoveryPoint, RegionReads, Tags, Vault,
};
use serde_json::json;

#[global_allocator]
static ALLOCATIONS: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

/// The number of resources of an account, each with a month of daily backups and their jobs.
const RESOURCES: usize = 2_000;
const ACCOUNTS: usize = 1_000;

/// The number of resources of a large account. AWS's quotas of most types allow no more.
const MOST_RESOURCES: usize = 100_000;

/// Returns 20 November 2026, 12:00 UTC.
fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_hours(20_777 * 24 + 12)
}

fn plans() -> Vec<BackupPlan> {
    let document = json!({ "plans": { "daily": {
        "regions": ["eu-west-1"],
        "rules": { "night": {
            "schedule_expression": "cron(0 5 ? * * *)",
            "target_backup_vault_name": "keep",
        } },
        "selections": { "tags": { "gold": {
            "iam_role_arn": "arn:aws:iam::$account:role/backup",
            "tag_key": "tier",
            "tag_value": ["gold"],
        } } },
    } } });
    BackupPlan::all(&Effective { document, ..Effective::default() })
}

/// Returns the reads of an account that has this number of resources.
fn reads(account: &AccountId, resources: usize) -> AccountReads {
    let keep: Arc<str> = format!("arn:aws:backup:eu-west-1:{account}:backup-vault:keep").into();
    let by = Some(Arc::new(Creator { plan: "daily".to_owned(), rule: "night".to_owned() }));
    let message: Arc<str> = "".into();
    let arn = |it: usize| format!("arn:aws:ec2:eu-west-1:{account}:volume/vol-{it:017x}");
    let days = |it: usize| (0..30).map(move |day| (it, now() - Duration::from_hours(24 * day + 7)));
    let all = || (0..resources).flat_map(days);
    let point = |(it, at): (usize, SystemTime)| About {
        resource: arn(it),
        kind: None,
        it: RecoveryPoint {
            vault: Arc::clone(&keep),
            created: at,
            completed: at,
            status: PointStatus::Usable,
            is_continuous: false,
            delete_at: None,
            by: by.clone(),
        },
    };
    let job = |(it, at): (usize, SystemTime)| About {
        resource: arn(it),
        kind: None,
        it: Job {
            vault: Arc::clone(&keep),
            created: at,
            ended: Some(at),
            state: JobState::Completed,
            message: Arc::clone(&message),
            by: by.clone(),
        },
    };
    let vault = Vault { key: Key::Customer, lock: None, admits: None, is_air_gapped: false };
    let held = HeldVault { arn: keep.to_string(), name: "keep".to_owned(), vault, is_empty: false };
    let tags = Tags::from([("tier".to_owned(), "gold".to_owned())]);
    let read = RegionReads {
        vaults: Ok(vec![held]),
        settings: Ok(Settings::default()),
        local: Ok(vec![]),
        tagged: Ok((0..resources).map(|it| (arn(it), tags.clone())).collect()),
        jobs: Ok(all().map(job).collect()),
        ..RegionReads::barred("")
    };
    AccountReads {
        roles: BTreeMap::new(),
        regions: [("eu-west-1".parse().unwrap(), read)].into(),
        points: all().map(point).collect(),
        unread: BTreeMap::new(),
    }
}

/// Judges `resources` resources in each of `accounts` accounts, one account after the other, and
/// returns the number of fresh resources.
fn judge(accounts: usize, resources: usize) -> usize {
    let common = Common {
        organization: "o-a1b2c3d4e5".to_owned(),
        partition: "aws".to_owned(),
        accounts: Arc::default(),
        is_cross_account: Some(true),
        opt_ins: [("eu-west-1".parse().unwrap(), Ok([("EBS".parse().unwrap(), true)].into()))]
            .into(),
        destinations: BTreeMap::new(),
        copies: ByResource::default(),
        first_seen: BTreeMap::new(),
    };
    let (plans, asks) = (plans(), Asks::default());
    let mut groups = Groups::default();
    for number in 0..accounts {
        let account = format!("{:012}", 200_000_000_000 + number).parse().unwrap();
        let holder = Holder { account: &account, path: "r-ab12", plans: &plans };
        for (place, inventory) in common.places(holder, reads(&account, resources)) {
            let judge = Judge::new(&place, Ok(&plans), &asks, now());
            for (resource, records) in &inventory.resources {
                let coverage = judge.judge(resource, records.evidence());
                groups.add(&coverage.state, judge.causes(&coverage), &resource.arn);
            }
        }
    }
    groups.states.get("fresh").copied().unwrap_or_default()
}

#[divan::bench(sample_count = 1, sample_size = 1)]
fn two_million_resources_of_a_thousand_accounts() {
    assert_eq!(judge(ACCOUNTS, RESOURCES), ACCOUNTS * RESOURCES);
}

#[divan::bench(sample_count = 1, sample_size = 1)]
fn a_hundred_thousand_resources_of_one_account() {
    assert_eq!(judge(1, MOST_RESOURCES), MOST_RESOURCES);
}
