//! Reports on organizations that nobody has, of any size, with something of everything in them.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test that cannot set up has failed"
)]

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::str::FromStr;
use std::sync::LazyLock;
use std::time::{Duration, SystemTime};

use plan::account_state::AccountState;
use plan::id::{AccountId, TargetId};
use plan::member_accounts::{
    Account, Failure, KeyState, Listed, Properties, Role, RolePolicies, Settings, Vault, VaultKey,
};
use policy::partition::Partition;
use report::history::{
    AccountCounts, Bound, CauseChange, Change, Counts, Day, DayState, Evidence, LINES,
    ResourceLine, Summary, TestSeen, Timeline, TrendDay,
};
use report::{
    AttachedPolicy, GuardRails, Lock, Note, Observed, Organization, Outline, Place, Placed, Report,
    Seen, Source, Unit, Visit, Wanted, judge,
};
use serde_json::{Value, json};

/// The Regions of the reports: those that every account has.
pub static REGIONS: LazyLock<Vec<&str>> = LazyLock::new(|| {
    let regions = Partition::Commercial.regions();
    regions.filter(|it| !Partition::has_to_be_enabled(it)).collect()
});

/// The units, each with the one that it is in.
const UNITS: [(&str, Option<usize>); 8] = [
    ("Root", None),
    ("Security", Some(0)),
    ("Workloads", Some(0)),
    ("Production", Some(2)),
    ("Development", Some(2)),
    ("Sandbox", Some(0)),
    ("Legacy", Some(3)),
    ("<b>Acquired & \"merged\"</b>", Some(0)),
];

/// When the reports are made: 21 November 2026, 04:00.
fn taken() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_hours(498_676)
}

fn id<T: FromStr<Err: Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

/// A plan that puts backups of these Regions in the vault `org-backup`.
#[must_use]
pub fn plan(name: &str, regions: &[&str], days: u32) -> Value {
    json!({ "plans": { name: {
        "regions": { "@@assign": regions },
        "rules": { "every-night": {
            "schedule_expression": { "@@assign": "cron(0 5 ? * * *)" },
            "target_backup_vault_name": { "@@assign": "org-backup" },
            "lifecycle": { "delete_after_days": { "@@assign": days.to_string() } },
        } },
        "selections": { "tags": { "tagged": {
            "iam_role_arn": { "@@assign": "arn:aws:iam::$account:role/org-backup" },
            "tag_key": { "@@assign": "backup" },
            "tag_value": { "@@assign": ["daily"] },
        } } },
    } } })
}

/// The ID of the account of this number.
#[must_use]
pub fn account(number: usize) -> AccountId {
    id(&format!("{:012}", 100_000_000_000_usize + number * 7_919))
}

fn organization(accounts: usize) -> Organization {
    let unit = |(index, (name, parent)): (usize, &(&str, Option<usize>))| Unit {
        id: id(&if index == 0 { "r-ab12".to_owned() } else { format!("ou-ab12-{index:08}") }),
        name: (*name).to_owned(),
        parent: *parent,
    };
    let units: Vec<_> = UNITS.iter().enumerate().map(unit).collect();
    let placed = |number: usize| {
        let unit = match number {
            0 => 0,
            _ if number % 31 == 7 => 6,
            _ if number % 37 == 9 => 7,
            _ => [3, 4, 3, 5, 4, 1, 3, 3, 4, 5][number % 10],
        };
        let name = match (number, UNITS[unit].0) {
            (0, _) => "management".to_owned(),
            (_, it) if unit == 7 => format!("{it}-{number:04}"),
            (_, it) => format!("{}-{number:04}", it.to_lowercase()),
        };
        let state = if number % 97 == 41 { "SUSPENDED" } else { "ACTIVE" };
        let account = Account { id: account(number), name, is_central: false };
        let (state, paths) = (AccountState::read(state), vec![]);
        Placed { listed: Listed { account, state, paths }, unit }
    };
    let half = json!({ "plans": { "half": { "regions": { "@@assign": ["eu-west-1"] } } } });
    let policies = [
        ("p-daily0000", "org-backup-daily", plan("daily", &REGIONS, 35)),
        ("p-monthly00", "org-backup-monthly", plan("monthly", &["eu-west-1", "eu-central-1"], 400)),
        ("p-half00000", "legacy-half", half),
    ];
    let policies = policies.map(|(policy, name, text)| {
        (id(policy), AttachedPolicy { name: name.to_owned(), text: Some(text.to_string()) })
    });
    let at = |unit: usize, policies: &[&str]| -> (TargetId, _) {
        (units[unit].id.clone(), policies.iter().map(|it| id(it)).collect())
    };
    let attached = [
        at(1, &["p-daily0000"]),
        at(2, &["p-daily0000"]),
        at(3, &["p-monthly00"]),
        at(6, &["p-half00000"]),
        at(0, &[]),
        at(7, &["p-daily0000"]),
    ];
    Organization {
        id: "o-exampleorg1".to_owned(),
        partition: "aws".to_owned(),
        management: account(0),
        units: units.clone(),
        accounts: (0..accounts).map(placed).collect(),
        policies: policies.into(),
        attached: attached.into(),
        withheld: None,
    }
}

/// What is in an account: mostly everything that is needed.
fn visit(
    number: usize,
    outline: &Outline,
    organization: &Organization,
    wanted: &[Wanted],
) -> Visit {
    if number % 161 == 17 {
        return Visit::Barred(Failure {
            region: None,
            problem: format!(
                "cannot assume the role arn:aws:iam::{}:role/org-backup-member: AccessDenied",
                account(number)
            ),
            hint: "roll out the role to this account".to_owned(),
        });
    }
    let trust = json!({ "Statement": {
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Principal": { "Service": "backup.amazonaws.com" },
    } });
    let asked = outline.look(organization, wanted, number);
    let has_role = number % 131 != 12;
    let attached = "arn:aws:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup";
    let role = |name: &plan::id::RoleName| Role {
        arn: format!("arn:aws:iam::{}:role/{name}", account(number)),
        trust: trust.to_string(),
        is_bounded: false,
        policies: Ok(RolePolicies { attached: vec![attached.to_owned()], own: BTreeMap::new() }),
    };
    let roles = asked.roles.iter().map(|it| (it.clone(), Ok(has_role.then(|| role(it)))));
    let regions = asked.regions.iter().enumerate().map(|(index, (region, vaults))| {
        if index == 4 && number % 5 == 2 {
            let problem = "UnrecognizedClientException".to_owned();
            let failure = Failure { region: Some(region.clone()), problem, hint: String::new() };
            return (region.clone(), Place::Closed(failure));
        }
        let types = ["Aurora", "DynamoDB", "EBS", "EC2", "EFS", "FSx", "RDS", "S3"];
        let on = |it: &str| it != "S3" || number == 0 || (number * 7 + index) % 211 != 5;
        let opt_in = types.iter().map(|it| (id(it), on(it))).collect();
        let vault = |_| {
            let lock = number.is_multiple_of(3).then(|| Lock {
                is_compliance: number.is_multiple_of(2),
                min_days: Some(if number % 129 == 6 { 60 } else { 7 }),
                max_days: number.is_multiple_of(2).then_some(3653),
            });
            let key = VaultKey::Customers(Ok(KeyState::Usable));
            let here = Vault::Here { key, access: Ok(None) };
            Ok(if (number * 11 + index) % 307 == 11 {
                (Vault::Missing, None)
            } else {
                (here, lock)
            })
        };
        let vaults = vaults.iter().map(|it| (it.clone(), vault(it))).collect();
        let settings = Ok(Settings { opt_in, management: BTreeMap::new() });
        (region.clone(), Place::Open { settings, vaults })
    });
    Visit::Seen(Seen {
        roles: roles.collect(),
        service_role: Some(Ok(true)),
        regions: regions.collect(),
    })
}

/// A report on so many accounts in 17 Regions.
///
/// # Panics
///
/// When what it is made of does not fit together.
#[must_use]
pub fn sample(accounts: usize) -> Report {
    let organization = organization(accounts);
    let wanted = json!({
        "RoleName": "org-backup-member",
        "Regions": *REGIONS,
        "TargetIds": ["root"],
        "OptIn": "All",
        "VaultName": "org-backup",
        "BackupRoleName": "org-backup",
    });
    let wanted: Properties = serde_json::from_value(wanted).unwrap();
    let wanted = vec![Wanted::try_from(&wanted).unwrap()];
    let outline = Outline::new(&organization, &wanted, taken());
    let visits = (0..accounts)
        .map(|it| (account(it), visit(it, &outline, &organization, &wanted)))
        .collect();
    judge(Observed {
        source: Source::Command,
        taken: taken(),
        last_sweep: Some(taken() - Duration::from_hours(3)),
        organization,
        outline,
        wanted,
        visits,
        destinations: BTreeMap::new(),
        looks: BTreeMap::new(),
        max_age: report::MAX_AGE,
        is_role_named: false,
        is_cross_account: Some(true),
        guard_rails: Ok(GuardRails::default()),
        notes: vec![Note {
            text: "a note with </script><script>alert(1)</script> in it".to_owned(),
            hint: "see that it is text".to_owned(),
            is_unread: false,
        }],
        evidence: None,
    })
}

/// The same report with the backups of resources in so many Regions of every account.
///
/// # Panics
///
/// When what it is made of does not fit together.
#[must_use]
pub fn proven(accounts: usize, regions: usize) -> Report {
    let report = sample(accounts);
    let evidence = evidence(&report, regions);
    Report { evidence: Some(evidence), ..report }
}

/// Thirty days of sweeps, of which the last one was an hour ago.
fn evidence(report: &Report, regions: usize) -> Evidence {
    let taken = taken() - Duration::from_hours(1);
    let count = |states: &[(&str, usize)]| -> BTreeMap<String, usize> {
        states.iter().filter(|it| it.1 > 0).map(|it| (it.0.to_owned(), it.1)).collect()
    };
    let counts = |number: usize, region: usize| {
        let all = (number * 31 + region * 17) % 90 + 3;
        let late = usize::from((number + region).is_multiple_of(13));
        let bare = usize::from((number + 3 * region).is_multiple_of(29)) * 2;
        Counts {
            states: count(&[("fresh", all), ("late", late), ("not-selected", bare)]),
            copies_fine: all - usize::from(region == 0 && number % 41 == 3),
            copies_late: usize::from(region == 0 && number % 41 == 3),
            copies_unknown: 0,
            last_test: number.is_multiple_of(2).then(|| TestSeen {
                at: taken - Duration::from_hours(24 * (1 + number as u64 % 20)),
                result: Some(if number % 34 == 2 { "failed" } else { "successful" }.to_owned()),
            }),
            next: Some(taken + Duration::from_hours(1 + region as u64)),
        }
    };
    let rows = report.rows.iter().enumerate().filter(|it| it.1.life.is_active());
    let account = |(number, row): (usize, &report::Row)| {
        let here = (0..regions).map(|it| (id(REGIONS[it]), counts(number, it)));
        let counts =
            AccountCounts { name: row.account.name.clone(), regions: here.collect(), taken };
        (row.account.id.clone(), counts)
    };
    let accounts: BTreeMap<_, _> = rows.map(account).collect();
    let causes = [
        "late: the last job failed: Access Denied trying to call <b>AWS Backup</b> service",
        "not backed up: the nearest selection is `tagged` of the plan `daily`: it has no tag \
         `backup`, and `daily` is wanted",
    ];
    let lines = accounts.iter().flat_map(|(account, it)| {
        it.regions.iter().flat_map(move |(region, counts)| {
            let of = |state: &'static str| counts.states.get(state).copied().unwrap_or_default();
            let all = [("late", of("late")), ("not-selected", of("not-selected"))];
            all.into_iter()
                .flat_map(move |(state, count)| (0..count).map(move |it| (state, it)))
                .map(move |(state, number)| ResourceLine {
                    arn: format!("arn:aws:ec2:{region}:{account}:volume/vol-{state}-{number:08x}"),
                    kind: "EBS".to_owned(),
                    account: account.clone(),
                    region: region.clone(),
                    state: state.to_owned(),
                    words: state.replace('-', " "),
                    causes: vec![causes[usize::from(state != "late")].to_owned()],
                    newest: (state == "late").then(|| taken - Duration::from_hours(50)),
                    kept_until: (state == "late").then(|| "2026-12-24 05:00 UTC".to_owned()),
                })
        })
    });
    let mut resources: Vec<_> = lines.collect();
    resources.sort_by_key(|it| it.state != "late");
    let need_action = Some(resources.len());
    resources.truncate(LINES);
    let summary = Summary {
        taken,
        program: report::PROGRAM.to_owned(),
        organization: report.organization.id.clone(),
        accounts,
        causes: vec![],
        resources,
        need_action,
        unread: vec![],
    };
    let today = Day::of(taken);
    let days = summary.accounts.keys().zip(0_u32..).map(|(account, number)| {
        let state = |back: u32| match (number + back) % 29 {
            3 => DayState::Failed,
            7 | 8 => DayState::Late,
            11 => DayState::NotKnown,
            _ => DayState::Fresh,
        };
        let days = (0..30).rev().filter(|it| *it != 17).map(|it| (today.before(it), state(it)));
        (account.clone(), days.collect())
    });
    let trend = (0..30).rev().map(|back| TrendDay {
        day: today.before(back),
        states: count(&[("fresh", 1_000), ("late", 8 + 3 * back as usize)]),
    });
    let changed = |words: &str, before: usize, after: usize| {
        let new = Bound::exact(after.saturating_sub(before));
        CauseChange { words: words.to_owned(), before, after, new, examples: vec![] }
    };
    let change = Change {
        since: taken - Duration::from_hours(24),
        causes: vec![changed(causes[0], 3, 5), changed(causes[1], 9, 1)],
    };
    Evidence {
        timeline: Timeline { days: days.collect() },
        trend: trend.collect(),
        change: Some(change),
        summary,
    }
}
