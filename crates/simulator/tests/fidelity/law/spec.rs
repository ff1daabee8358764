//! Random organizations, and what happens in them.

use std::fmt;
use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

/// The accounts that are backed up, the one that copies go to, and one that left.
pub(super) const ACCOUNTS: [&str; 2] = ["200000000001", "200000000002"];
pub(super) const CENTRAL: &str = "300000000001";
pub(super) const STRANGER: &str = "900000000001";
pub(super) const REGIONS: [&str; 2] = ["eu-west-1", "eu-north-1"];
pub(super) const VAULTS: [&str; 2] = ["keep", "deep"];
pub(super) const ROLES: [&str; 2] = ["backup", "helper"];

/// The types, with an ARN of one of each in a Region of an account.
pub(super) const KINDS: [(&str, &str); 9] = [
    ("EBS", "arn:aws:ec2:REGION:ACCOUNT:volume/vol-N"),
    ("EC2", "arn:aws:ec2:REGION:ACCOUNT:instance/i-N"),
    ("RDS", "arn:aws:rds:REGION:ACCOUNT:db:N"),
    ("Aurora", "arn:aws:rds:REGION:ACCOUNT:cluster:N"),
    ("Neptune", "arn:aws:rds:REGION:ACCOUNT:cluster:graph-N"),
    ("S3", "arn:aws:s3:::bucket-REGION-ACCOUNT-N"),
    ("EFS", "arn:aws:elasticfilesystem:REGION:ACCOUNT:file-system/fs-N"),
    ("FSx", "arn:aws:fsx:REGION:ACCOUNT:file-system/fs-N"),
    ("Redshift", "arn:aws:redshift:REGION:ACCOUNT:cluster:N"),
];

const SCHEDULES: [&str; 7] = [
    "cron(0 5 ? * * *)",
    "cron(0 3 ? * * *)",
    "cron(0 1/6 ? * * *)",
    "cron(0 5 ? * SUN *)",
    "cron(30 12 ? * MON-FRI *)",
    "cron(15 4 1 * ? *)",
    "cron(0 * ? * * *)",
];

/// A tag: its key and its value.
pub(super) type Tag = (String, String);

/// An organization.
#[derive(Clone)]
pub(super) struct Spec {
    /// Policies at the root, the unit of the first account, and the first account.
    pub(super) policies: Vec<(usize, Value)>,
    pub(super) resources: Vec<Thing>,
    /// The types that are opted in to, everywhere.
    pub(super) opted_in: Vec<bool>,
    /// The types that the second Region does not support.
    pub(super) unsupported: Vec<bool>,
    /// What is odd about vaults and roles.
    pub(super) oddities: Vec<Oddity>,
    pub(super) is_cross_account: bool,
    /// Minutes after the beginning of the first day.
    pub(super) begins: u64,
    pub(super) jobs: usize,
    pub(super) happenings: Vec<(u64, Happening)>,
}

/// A resource.
#[derive(Clone, Debug)]
pub(super) struct Thing {
    pub(super) kind: usize,
    pub(super) account: usize,
    pub(super) region: usize,
    pub(super) tags: Vec<Tag>,
    pub(super) gigabytes: u64,
}

/// Something that is not as backups need it.
#[derive(Clone, Debug)]
pub(super) enum Oddity {
    NoVault(usize, usize, usize),
    NoCentralVault(usize),
    NoAirGapped(usize, usize),
    Lock(usize, usize, usize, Option<u32>, Option<u32>),
    KeyDisabled(usize, usize, usize),
    NotAdmitted(usize),
    DefaultKey(usize),
    NoRole(usize, usize),
    Untrusting(usize, usize),
}

/// Something that happens.
#[derive(Clone, Debug)]
pub(super) enum Happening {
    Nothing,
    Fail(usize, u64),
    Retag(usize, Vec<Tag>),
    Recreate(usize),
    Odd(Oddity),
    Repair,
    OptIn(usize, bool),
    CrossAccount(bool),
    Policy(Value),
}

impl fmt::Debug for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (level, policy) in &self.policies {
            writeln!(f, "policy at {level}: {policy}")?;
        }
        for (index, it) in self.resources.iter().enumerate() {
            writeln!(f, "{index}: {} {it:?}", it.arn(index))?;
        }
        let names = |flags: &[bool]| -> Vec<_> {
            KINDS.iter().zip(flags).filter(|it| *it.1).map(|it| it.0.0).collect()
        };
        writeln!(f, "opted in: {:?}", names(&self.opted_in))?;
        writeln!(f, "unsupported: {:?}", names(&self.unsupported))?;
        writeln!(f, "odd: {:?}", self.oddities)?;
        writeln!(f, "cross account: {}, jobs: {}", self.is_cross_account, self.jobs)?;
        writeln!(f, "begins: {}, then {:?}", self.begins, self.happenings)
    }
}

impl Thing {
    pub(super) fn arn(&self, index: usize) -> String {
        let (kind, arn) = KINDS[self.kind];
        // Every other one is a Multi-AZ DB cluster.
        let is_cluster = kind == "RDS" && index % 2 == 1;
        let arn = if is_cluster { arn.replace(":db:", ":cluster:spread-") } else { arn.to_owned() };
        arn.replace("REGION", REGIONS[self.region])
            .replace("ACCOUNT", ACCOUNTS[self.account])
            .replace('N', &format!("{index:04}"))
    }
}

impl Spec {
    pub(super) fn beginning(&self) -> std::time::SystemTime {
        // 19 November 2026.
        let day = Duration::from_hours(20_776 * 24);
        std::time::SystemTime::UNIX_EPOCH + day + Duration::from_mins(self.begins)
    }
}

pub(super) fn spec() -> impl Strategy<Value = Spec> {
    let flags = |share| vec(prop::bool::weighted(share), KINDS.len());
    (
        (whole(), vec((1..3_usize, part()), 0..3)),
        vec(thing(), 1..5),
        flags(0.7),
        flags(0.1),
        vec(oddity(), 0..6),
        prop::bool::weighted(0.8),
        0..1440_u64,
        prop_oneof![4 => Just(100_usize), 1 => Just(1)],
        vec((1..60_u64, happening()), 0..5),
    )
        .prop_map(
            |(
                (root, parts),
                resources,
                opted_in,
                unsupported,
                oddities,
                is_cross_account,
                begins,
                jobs,
                happenings,
            )| {
                let policies = std::iter::once((0, root)).chain(parts).collect();
                Spec {
                    policies,
                    resources,
                    opted_in,
                    unsupported,
                    oddities,
                    is_cross_account,
                    begins,
                    jobs,
                    happenings,
                }
            },
        )
}

fn thing() -> impl Strategy<Value = Thing> {
    (0..KINDS.len(), 0..2_usize, 0..2_usize, tags(), prop_oneof![8 => 1..5_u64, 1 => Just(600)])
        .prop_map(|(kind, account, region, tags, gigabytes)| Thing {
            kind,
            account,
            region,
            tags,
            gigabytes,
        })
}

fn tags() -> impl Strategy<Value = Vec<Tag>> {
    let tier = select(vec!["gold", "Gold", "silver", "200000000001", "no thing", "goldfish"]);
    let stage = select(vec!["prod", "test", "prod eu"]);
    (proptest::option::weighted(0.8, tier), proptest::option::of(stage)).prop_map(
        |(tier, stage)| {
            let tag = |key: &str, it: &str| (key.to_owned(), it.to_owned());
            let tier = tier.map(|it| tag("tier", it));
            tier.into_iter().chain(stage.map(|it| tag("stage", it))).collect()
        },
    )
}

fn oddity() -> impl Strategy<Value = Oddity> {
    let place = || (0..2_usize, 0..2_usize);
    let days = || proptest::option::of(select(vec![7_u32, 30, 35, 90]));
    prop_oneof![
        2 => (0..2_usize, place()).prop_map(|(name, (a, r))| Oddity::NoVault(a, r, name)),
        1 => (0..2_usize).prop_map(Oddity::NoCentralVault),
        1 => place().prop_map(|(a, r)| Oddity::NoAirGapped(a, r)),
        2 => (0..2_usize, place(), days(), days())
            .prop_map(|(name, (a, r), least, most)| Oddity::Lock(a, r, name, least, most)),
        4 => (0..2_usize, place()).prop_map(|(name, (a, r))| Oddity::KeyDisabled(a, r, name)),
        2 => (0..2_usize).prop_map(Oddity::NotAdmitted),
        3 => (0..2_usize).prop_map(Oddity::DefaultKey),
        1 => place().prop_map(|(a, r)| Oddity::NoRole(a, r)),
        1 => place().prop_map(|(a, r)| Oddity::Untrusting(a, r)),
    ]
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        3 => Just(Happening::Nothing),
        2 => (0..5_usize, 1..40_u64).prop_map(|(it, hours)| Happening::Fail(it, hours)),
        1 => (0..5_usize, tags()).prop_map(|(it, tags)| Happening::Retag(it, tags)),
        1 => (0..5_usize).prop_map(Happening::Recreate),
        2 => oddity().prop_map(Happening::Odd),
        1 => Just(Happening::Repair),
        1 => (0..KINDS.len(), any::<bool>()).prop_map(|(it, on)| Happening::OptIn(it, on)),
        1 => any::<bool>().prop_map(Happening::CrossAccount),
        1 => part().prop_map(Happening::Policy),
    ]
}

/// A policy with a whole plan, or two.
fn whole() -> impl Strategy<Value = Value> {
    let plan = (vec(rule(), 1..4), vec(selection(), 1..4), select(vec![1_usize, 2]));
    vec(plan, 1..3).prop_map(|plans| {
        let plans = plans.into_iter().zip(["daily", "other"]);
        let plans: serde_json::Map<_, _> = plans
            .map(|((rules, selections, regions), name)| {
                let plan = json!({
                    "regions": { "@@assign": REGIONS[..regions] },
                    "rules": named(rules, "abc"),
                    "selections": selections_of(selections),
                });
                (name.to_owned(), plan)
            })
            .collect();
        json!({ "plans": plans })
    })
}

/// A policy that changes something of the plan.
fn part() -> impl Strategy<Value = Value> {
    let inner = prop_oneof![
        select(REGIONS.to_vec()).prop_map(|it| json!({ "regions": { "@@append": [it] } })),
        select(REGIONS.to_vec()).prop_map(|it| json!({ "regions": { "@@remove": [it] } })),
        rule().prop_map(|it| json!({ "rules": { "a": it } })),
        rule().prop_map(|it| json!({ "rules": { "d": it } })),
        selection().prop_map(|it| json!({ "selections": selections_of(vec![it]) })),
    ];
    (select(vec!["daily", "other"]), inner)
        .prop_map(|(plan, inner)| json!({ "plans": { (plan): inner } }))
}

fn named(all: Vec<Value>, names: &str) -> Value {
    let all = names.chars().zip(all).map(|(name, it)| (name.to_string(), it));
    Value::Object(all.collect())
}

fn selections_of(all: Vec<(bool, Value)>) -> Value {
    let (tags, resources): (Vec<_>, Vec<_>) = all.into_iter().partition(|it| it.0);
    let bodies = |all: Vec<(bool, Value)>| all.into_iter().map(|it| it.1).collect();
    let mut selections = serde_json::Map::new();
    if !tags.is_empty() {
        selections.insert("tags".to_owned(), named(bodies(tags), "tuv"));
    }
    if !resources.is_empty() {
        selections.insert("resources".to_owned(), named(bodies(resources), "xyz"));
    }
    Value::Object(selections)
}

fn rule() -> impl Strategy<Value = Value> {
    let window = || proptest::option::of(select(vec!["60", "120", "480"]));
    let days = select(vec![None, Some("7"), Some("30"), Some("35"), Some("90")]);
    let copy = (
        select(vec!["$account", CENTRAL, STRANGER]),
        select(REGIONS.to_vec()),
        proptest::option::of(select(vec!["7", "60"])),
    );
    (
        proptest::option::weighted(0.9, select(SCHEDULES.to_vec())),
        select(VAULTS.to_vec()),
        (window(), window()),
        (prop::bool::weighted(0.25), days),
        proptest::option::weighted(0.15, select(vec!["1", "30"])),
        vec(copy, 0..2),
        prop::bool::weighted(0.15),
    )
        .prop_map(
            |(schedule, vault, (start, complete), (continuous, days), cold, copies, air_gapped)| {
                let mut rule = serde_json::Map::new();
                let mut set = |key: &str, value: Value| rule.insert(key.to_owned(), value);
                let assign = |it: &str| json!({ "@@assign": it });
                set("target_backup_vault_name", assign(vault));
                if let Some(it) = schedule {
                    set("schedule_expression", assign(it));
                }
                if let Some(it) = start {
                    set("start_backup_window_minutes", assign(it));
                }
                if let Some(it) = complete {
                    set("complete_backup_window_minutes", assign(it));
                }
                let days =
                    if continuous { days.filter(|it| *it != "90").or(Some("35")) } else { days };
                if continuous {
                    set("enable_continuous_backup", assign("true"));
                }
                let mut lifecycle = serde_json::Map::new();
                if let Some(it) = days {
                    lifecycle.insert("delete_after_days".to_owned(), assign(it));
                }
                if let Some(it) = cold.filter(|_| !continuous) {
                    lifecycle.insert("move_to_cold_storage_after_days".to_owned(), assign(it));
                }
                if !lifecycle.is_empty() {
                    set("lifecycle", Value::Object(lifecycle));
                }
                if air_gapped {
                    let vault = "arn:aws:backup:$region:$account:backup-vault:gap";
                    set("target_logically_air_gapped_backup_vault_arn", assign(vault));
                }
                let copies: serde_json::Map<_, _> = copies
                    .into_iter()
                    .map(|(account, region, days)| {
                        let vault =
                            format!("arn:aws:backup:{region}:{account}:backup-vault:copies");
                        let mut copy = json!({ "target_backup_vault_arn": assign(&vault) });
                        if let Some(it) = days {
                            copy["lifecycle"] = json!({ "delete_after_days": assign(it) });
                        }
                        (vault, copy)
                    })
                    .collect();
                if !copies.is_empty() {
                    set("copy_actions", Value::Object(copies));
                }
                Value::Object(rule)
            },
        )
}

/// A selection, and whether it is one by tags.
fn selection() -> impl Strategy<Value = (bool, Value)> {
    let role = select(ROLES.to_vec())
        .prop_map(|it| json!({ "@@assign": format!("arn:aws:iam::$account:role/{it}") }));
    let values = vec(select(vec!["gold", "silver", "$account"]), 1..3);
    let types = vec![
        "*",
        "arn:aws:ec2:*:*:volume/*",
        "arn:aws:ec2:*:*:instance/*",
        "arn:aws:rds:*:*:db:*",
        "arn:aws:rds:*:*:cluster:*",
        "arn:aws:s3:::*",
        "arn:aws:fsx:*:*:file-system/*",
        "arn:aws:elasticfilesystem:*:*:file-system/*",
        "arn:aws:redshift:*:*:cluster:*",
    ];
    let list = move |size| vec(select(types.clone()), size);
    let condition = (
        select(vec!["string_equals", "string_not_equals", "string_like", "string_not_like"]),
        select(vec!["aws:ResourceTag/tier", "aws:ResourceTag/stage", "stage"]),
        select(vec!["gold", "g*", "*d", "prod", "prod*", "$account", "test", "*"]),
    );
    // Most resources fail two conditions, so that little would come of them.
    let conditions = prop_oneof![3 => Just(vec![]), 2 => vec(condition, 1..3)];
    let whole = (role, conditions, any::<bool>(), values, list(1..3), list(0..2));
    whole.prop_map(|(role, conditions, is_tags, values, types, except)| {
        let mut it = json!({ "iam_role_arn": role });
        for (index, (operator, key, value)) in conditions.iter().enumerate() {
            it["conditions"][*operator][format!("c{index}")] = json!({
                "condition_key": { "@@assign": key },
                "condition_value": { "@@assign": value },
            });
        }
        if is_tags {
            it["tag_key"] = json!({ "@@assign": "tier" });
            it["tag_value"] = json!({ "@@assign": values });
        } else {
            it["resource_types"] = json!({ "@@assign": types });
            if !except.is_empty() {
                it["not_resource_types"] = json!({ "@@assign": except });
            }
        }
        (is_tags, it)
    })
}
