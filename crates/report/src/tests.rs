//! What is said of an account and a Region, given what was found out.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use expect_test::{Expect, expect};
use plan::account_state::AccountState;
use plan::id::TargetId;
use plan::member_accounts::{
    ENABLE_REGION, Failure, KeyState, Listed, Properties, Role, RolePolicies, Settings, Vault,
    VaultKey,
};
use serde_json::{Value, json};

use super::*;

const NOW: SystemTime = SystemTime::UNIX_EPOCH;
const MANAGEMENT: &str = "111111111111";
const MEMBER: &str = "222222222222";

/// Everything that is known of an organization with one member account in one unit.
struct World {
    organization: Organization,
    wanted: Vec<Wanted>,
    visits: BTreeMap<AccountId, Visit>,
    destinations: BTreeMap<Destination, Result<Vault, Failure>>,
    looks: BTreeMap<AccountId, LastFindings>,
    is_cross_account: Option<bool>,
    guard_rails: Result<GuardRails, String>,
    evidence: Option<Evidence>,
}

fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

fn plan(name: &str, regions: &[&str], days: Option<u32>) -> Value {
    let mut rule = json!({ "target_backup_vault_name": { "@@assign": "daily" } });
    if let Some(days) = days {
        rule["lifecycle"] = json!({ "delete_after_days": { "@@assign": days.to_string() } });
    }
    json!({ "plans": { name: {
        "regions": { "@@assign": regions },
        "rules": { "nightly": rule },
        "selections": { "tags": { "all": {
            "iam_role_arn": { "@@assign": "arn:aws:iam::$account:role/path/maker" },
            "tag_key": { "@@assign": "backup" },
            "tag_value": { "@@assign": ["yes"] },
        } } },
    } } })
}

fn failure(region: Option<&str>, problem: &str, hint: &str) -> Failure {
    Failure { region: region.map(id), problem: problem.to_owned(), hint: hint.to_owned() }
}

/// Settings with these types on and these off.
fn settings(on: &[&str], off: &[&str]) -> Settings {
    let on = on.iter().map(|it| (id(it), true));
    let opt_in = on.chain(off.iter().map(|it| (id(it), false))).collect();
    Settings { opt_in, ..Settings::default() }
}

/// The state of a vault that was looked at.
type Looked = (Vault, Option<Lock>);

fn vault(lock: Option<(Option<i64>, Option<i64>)>) -> Looked {
    let lock = lock.map(|(min_days, max_days)| Lock { is_compliance: false, min_days, max_days });
    (keyed(VaultKey::Customers(Ok(KeyState::Usable))), lock)
}

fn keyed(key: VaultKey) -> Vault {
    Vault::Here { key, access: Ok(None) }
}

/// A role that AWS Backup may assume and make backups with.
fn role() -> Role {
    let trust = json!({ "Statement": {
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Principal": { "Service": "backup.amazonaws.com" },
    } });
    let attached = "arn:aws:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup";
    Role {
        arn: format!("arn:aws:iam::{MEMBER}:role/path/maker"),
        trust: trust.to_string(),
        is_bounded: false,
        policies: Ok(RolePolicies { attached: vec![attached.to_owned()], own: [].into() }),
    }
}

fn open(settings: Settings, vault: impl Into<Option<Looked>>) -> Place {
    let vault = vault.into().unwrap_or((Vault::Missing, None));
    Place::Open { settings: Ok(settings), vaults: [(id("daily"), Ok(vault))].into() }
}

/// A visit that found the role and these places.
fn seen(places: Vec<(&str, Place)>) -> Visit {
    let roles = [(id("maker"), Ok(Some(role())))].into();
    let regions = places.into_iter().map(|(region, it)| (id(region), it)).collect();
    Visit::Seen(Seen { roles, service_role: Some(Ok(true)), regions })
}

/// A visit to `eu-west-1` that found everything there.
fn fine() -> Visit {
    seen(vec![("eu-west-1", open(settings(&["EBS"], &[]), vault(None)))])
}

impl World {
    /// Nothing is attached, nothing wanted, and no account was checked.
    fn bare() -> Self {
        let unit =
            |text: &str, name: &str, parent| Unit { id: id(text), name: name.into(), parent };
        let placed = |account: &str, name: &str, unit| Placed {
            listed: Listed {
                account: Account { id: id(account), name: name.to_owned(), is_central: false },
                state: AccountState::Active,
                paths: vec![],
            },
            unit,
        };
        let organization = Organization {
            id: "o-tests00000".to_owned(),
            partition: "aws".to_owned(),
            management: id(MANAGEMENT),
            units: vec![unit("r-test", "Root", None), unit("ou-test-workload", "Work", Some(0))],
            accounts: vec![placed(MANAGEMENT, "management", 0), placed(MEMBER, "shop", 1)],
            policies: BTreeMap::new(),
            attached: BTreeMap::new(),
            withheld: Some(BTreeMap::new()),
        };
        Self {
            organization,
            wanted: vec![],
            visits: BTreeMap::new(),
            destinations: BTreeMap::new(),
            looks: BTreeMap::new(),
            is_cross_account: Some(true),
            guard_rails: Ok(GuardRails::default()),
            evidence: None,
        }
    }

    /// Attaches a service control policy with this statement.
    fn guard(mut self, target: &str, statement: &Value) -> Self {
        let text = Some(json!({ "Statement": statement }).to_string());
        let policy = AttachedPolicy { name: "guard".to_owned(), text };
        let rails = self.guard_rails.as_mut().unwrap();
        let policy_id: plan::id::PolicyId = id(&format!("p-guard{:03}", rails.policies.len()));
        rails.policies.insert(policy_id.clone(), policy);
        rails.attached.entry(id(target)).or_default().push(policy_id);
        self
    }

    fn attach(mut self, name: &str, text: &Value, target: &str) -> Self {
        let policy = AttachedPolicy { name: name.to_owned(), text: Some(text.to_string()) };
        let policy_id: plan::id::PolicyId = id(&format!("p-{name:0<8}"));
        self.organization.policies.insert(policy_id.clone(), policy);
        let target: TargetId = id(target);
        self.organization.attached.entry(target).or_default().push(policy_id);
        self
    }

    fn want(mut self, properties: &Value) -> Self {
        let properties: Properties = serde_json::from_value(properties.clone()).unwrap();
        self.wanted.push(Wanted::try_from(&properties).unwrap());
        self
    }

    fn visit(mut self, account: &str, visit: Visit) -> Self {
        self.visits.insert(id(account), visit);
        self
    }

    fn judge(self) -> Report {
        self.at(0)
    }

    /// Judges so many hours later.
    fn at(self, hours: u64) -> Report {
        let Self { organization, wanted, visits, destinations, looks, .. } = self;
        let (is_cross_account, evidence) = (self.is_cross_account, self.evidence);
        let guard_rails = self.guard_rails;
        let outline = Outline::new(&organization, &wanted, NOW);
        judge(Observed {
            source: Source::Command,
            taken: NOW + Duration::from_hours(hours),
            last_sweep: None,
            organization,
            outline,
            wanted,
            visits,
            destinations,
            looks,
            max_age: MAX_AGE,
            guard_rails,
            is_role_named: false,
            is_cross_account,
            notes: vec![],
            evidence,
        })
    }

    /// Compares what is said of the member account, Region by Region, and of the whole.
    fn check(self, expected: Expect) {
        let report = self.judge();
        let mut text = String::new();
        let mut say = |it: String| text += &(it + "\n");
        let row = report.row(&id(MEMBER)).unwrap();
        for (region, cell) in report.regions.iter().zip(&row.cells) {
            let cell = &report.cells[*cell];
            say(format!("{region}: {} [{}]", cell.state, cell.known.words()));
            for it in &cell.missing {
                say(format!("  {}", it.problem));
            }
        }
        for it in &report.notes {
            say(format!("note: {}", it.text));
        }
        expected.assert_eq(&text);
    }
}

/// The plan `all` in `eu-west-1`, for every account.
fn planned() -> World {
    World::bare().attach("all", &plan("all", &["eu-west-1"], Some(30)), "r-test")
}

#[test]
fn an_account_with_all_that_its_plan_needs_is_protected() {
    planned().visit(MEMBER, fine()).check(expect![[r"
        eu-west-1: protected [now]
    "]]);
}

#[test]
fn what_a_plan_names_beside_its_vault_and_role_is_looked_at_too() {
    let mut policy = plan("all", &["eu-west-1"], Some(30));
    let all = &mut policy["plans"]["all"];
    let rule = &mut all["rules"]["nightly"];
    rule["target_logically_air_gapped_backup_vault_arn"] =
        json!({ "@@assign": "arn:aws:backup:$region:$account:backup-vault:gap" });
    let copies = "arn:aws:backup:eu-west-1:999999999999:backup-vault:copies";
    rule["copy_actions"] = json!({ copies: { "target_backup_vault_arn": { "@@assign": copies } } });
    rule["scan_actions"] = json!({ "GUARDDUTY": { "scan_mode": { "@@assign": "FULL_SCAN" } } });
    all["scan_settings"] = json!({ "GUARDDUTY": {
        "resource_types": { "@@assign": ["EBS"] },
        "scanner_role_arn": { "@@assign": "arn:aws:iam::$account:role/scanner" },
    } });
    let world = World::bare().attach("all", &policy, "r-test");
    let look = {
        let outline = Outline::new(&world.organization, &[], NOW);
        outline.look(&world.organization, &[], 1)
    };
    assert_eq!(look.regions, [(id("eu-west-1"), [id("daily"), id("gap")].into())].into());
    assert_eq!(look.roles, [id("maker"), id("scanner")].into());
    let Visit::Seen(mut seen) = fine() else { panic!("nobody got in") };
    seen.roles.insert(id("scanner"), Ok(None));
    for place in seen.regions.values_mut() {
        if let Place::Open { vaults, .. } = place {
            vaults.insert(id("gap"), Ok((Vault::Missing, None)));
        }
    }
    world.visit(MEMBER, Visit::Seen(seen)).check(expect![[r"
        eu-west-1: incomplete [now]
          the vault `gap` is missing, or its access policy hides it
          there is no role `scanner`, which is to scan backups
          copies go to the account 999999999999, which is not in the organization
    "]]);
}

#[test]
fn an_account_that_no_plan_reaches_anywhere_is_without_one_everywhere() {
    let elsewhere = plan("all", &["eu-west-1", "eu-west-2"], None);
    World::bare().attach("all", &elsewhere, MANAGEMENT).visit(MEMBER, fine()).check(expect![[r"
        eu-west-1: no plan [now]
          no backup plan reaches this Region
        eu-west-2: no plan [not looked at]
          no backup plan reaches this Region
    "]]);
}

#[test]
fn a_region_that_only_others_use_is_not_asked_for() {
    let more = plan("more", &["us-east-1"], None);
    planned().attach("more", &more, MANAGEMENT).visit(MEMBER, fine()).check(expect![[r"
        eu-west-1: protected [now]
        us-east-1: not asked for [not looked at]
    "]]);
}

#[test]
fn a_region_that_the_templates_name_needs_a_plan_where_they_ask_for_it() {
    let regions = ["eu-west-1", "us-east-1"];
    let wanted = json!({ "RoleName": "m", "Regions": regions, "OptIn": { "EBS": true } });
    planned().want(&wanted).visit(MEMBER, fine()).check(expect![[r"
        eu-west-1: protected [now]
        us-east-1: no plan [not looked at]
          no backup plan reaches this Region
    "]]);
    let mut narrow = wanted.clone();
    narrow["TargetIds"] = json!([MANAGEMENT]);
    planned().want(&narrow).visit(MEMBER, fine()).check(expect![[r"
        eu-west-1: protected [now]
        us-east-1: not asked for [not looked at]
    "]]);
    let mut excluded = wanted;
    excluded["TargetIds"] = json!(["ou-test-workload"]);
    excluded["ExcludeAccounts"] = json!([MEMBER]);
    planned().want(&excluded).visit(MEMBER, fine()).check(expect![[r"
        eu-west-1: protected [now]
        us-east-1: not asked for [not looked at]
    "]]);
}

#[test]
fn each_thing_that_is_missing_is_named() {
    let visit = |settings, vault: Option<Looked>| seen(vec![("eu-west-1", open(settings, vault))]);
    planned().visit(MEMBER, visit(settings(&[], &["EBS"]), None)).check(expect![[r"
        eu-west-1: incomplete [now]
          no resource type is opted in
          the vault `daily` is missing, or its access policy hides it
    "]]);
    let mut visit = visit(settings(&["EBS"], &[]), Some(vault(None)));
    let Visit::Seen(inside) = &mut visit else { unreachable!("it was just seen") };
    inside.roles.insert(id("maker"), Ok(None));
    planned().visit(MEMBER, visit).check(expect![[r"
        eu-west-1: incomplete [now]
          there is no role `maker`
    "]]);
}

#[test]
fn opt_ins_are_compared_with_what_the_templates_ask_for() {
    let visit = || seen(vec![("eu-west-1", open(settings(&["EBS"], &["EFS", "S3"]), vault(None)))]);
    planned().visit(MEMBER, visit()).check(expect![[r"
        eu-west-1: protected [now]
    "]]);
    let wanted =
        |opt_in: Value| json!({ "RoleName": "m", "Regions": ["eu-west-1"], "OptIn": opt_in });
    planned().want(&wanted(json!("All"))).visit(MEMBER, visit()).check(expect![[r"
        eu-west-1: incomplete [now]
          not opted in to EFS, S3
    "]]);
    let some = json!({ "EFS": true, "S3": false, "Tea Leaves": true });
    planned().want(&wanted(some)).visit(MEMBER, visit()).check(expect![[r"
        eu-west-1: incomplete [now]
          not opted in to EFS
    "]]);
}

#[test]
fn the_opt_ins_of_the_management_account_decide_for_all() {
    let off = || seen(vec![("eu-west-1", open(settings(&[], &["EBS"]), vault(None)))]);
    planned().visit(MANAGEMENT, off()).visit(MEMBER, fine()).check(expect![[r"
        eu-west-1: incomplete [now]
          the management account has not opted in to any resource type here, which decides for every plan of a backup policy
    "]]);
}

#[test]
fn a_lock_refuses_rules_that_keep_backups_too_short_or_too_long() {
    let check = |days, min, max, expected: Expect| {
        let place = open(settings(&["EBS"], &[]), vault(Some((min, max))));
        let world = World::bare().attach("all", &plan("all", &["eu-west-1"], days), "r-test");
        world.visit(MEMBER, seen(vec![("eu-west-1", place)])).check(expected);
    };
    check(
        Some(30),
        Some(30),
        Some(30),
        expect![[r"
        eu-west-1: protected [now]
    "]],
    );
    check(
        Some(30),
        Some(31),
        None,
        expect![[r"
        eu-west-1: incomplete [now]
          the lock of the vault `daily` refuses the rule `all/nightly`: it keeps backups for 30 days, and 31 is the least
    "]],
    );
    check(
        Some(30),
        None,
        Some(29),
        expect![[r"
        eu-west-1: incomplete [now]
          the lock of the vault `daily` refuses the rule `all/nightly`: it keeps backups for 30 days, and 29 is the most
    "]],
    );
    check(
        None,
        Some(7),
        Some(29),
        expect![[r"
        eu-west-1: incomplete [now]
          the lock of the vault `daily` refuses the rule `all/nightly`: it keeps backups for ever, and 29 days is the most
    "]],
    );
}

#[test]
fn a_key_of_aws_matters_where_backups_are_copied() {
    let visit = || {
        let vault = (keyed(VaultKey::Aws), None);
        seen(vec![("eu-west-1", open(settings(&["EBS"], &[]), vault))])
    };
    planned().visit(MEMBER, visit()).check(expect![[r"
        eu-west-1: protected [now]
    "]]);
    let mut copying = plan("all", &["eu-west-1"], Some(30));
    let arn = "arn:aws:backup:eu-west-2:333333333333:backup-vault:central";
    let copy = json!({ arn: { "target_backup_vault_arn": { "@@assign": arn } } });
    copying["plans"]["all"]["rules"]["nightly"]["copy_actions"] = copy;
    World::bare().attach("all", &copying, "r-test").visit(MEMBER, visit()).check(expect![[r"
        eu-west-1: incomplete [now]
          the vault `daily` is encrypted by a key of AWS
          copies go to the account 333333333333, which is not in the organization
    "]]);
}

/// What is said of the account whose role is like this.
fn check_role(change: impl Fn(&mut Role), expected: Expect) {
    let mut visit = fine();
    let Visit::Seen(inside) = &mut visit else { unreachable!("it was just seen") };
    let mut role = role();
    change(&mut role);
    inside.roles.insert(id("maker"), Ok(Some(role)));
    planned().visit(MEMBER, visit).check(expected);
}

/// What is said of the account whose vault is like this.
fn check_vault(vault: Vault, expected: Expect) {
    let visit = seen(vec![("eu-west-1", open(settings(&["EBS"], &[]), (vault, None)))]);
    planned().visit(MEMBER, visit).check(expected);
}

#[test]
fn an_account_is_not_protected_by_what_cannot_make_backups() {
    let never = |it: &mut Role| {
        let mut trust: Value = serde_json::from_str(&it.trust).unwrap();
        trust["Statement"]["Condition"] =
            json!({ "StringEquals": { "aws:SourceAccount": "333333333333" } });
        it.trust = trust.to_string();
    };
    check_role(
        never,
        expect![[r#"
        eu-west-1: incomplete [now]
          the role `maker` does not trust AWS Backup, since nothing meets the condition {"StringEquals":{"aws:SourceAccount":"333333333333"}}
    "#]],
    );
    check_role(
        |it| it.policies = Ok(RolePolicies::default()),
        expect![[r"
        eu-west-1: incomplete [now]
          the role `maker` has no permission to make backups
    "]],
    );
    let key = |state| keyed(VaultKey::Customers(Ok(KeyState::named(state))));
    check_vault(
        key("PendingDeletion"),
        expect![[r"
        eu-west-1: incomplete [now]
          the key of the vault `daily` is to be deleted
    "]],
    );
    check_vault(
        key("Disabled"),
        expect![[r"
        eu-west-1: incomplete [now]
          the key of the vault `daily` is disabled
    "]],
    );
    let denial = json!({ "Statement": {
        "Effect": "Deny",
        "Principal": { "AWS": format!("arn:aws:iam::{MEMBER}:role/path/maker") },
        "Action": "backup:StartBackupJob",
        "Resource": "*",
    } });
    let key = VaultKey::Customers(Ok(KeyState::Usable));
    check_vault(
        Vault::Here { key, access: Ok(Some(denial.to_string())) },
        expect![[r"
        eu-west-1: incomplete [now]
          the access policy of the vault `daily` denies backups to the role `maker`
    "]],
    );
    let mut visit = fine();
    let Visit::Seen(inside) = &mut visit else { unreachable!("it was just seen") };
    inside.service_role = Some(Ok(false));
    planned().visit(MEMBER, visit).check(expect![[r"
        eu-west-1: incomplete [now]
          AWS Backup has no role `AWSServiceRoleForBackup`
    "]]);
}

#[test]
fn what_has_a_shape_that_nobody_judges_is_not_known() {
    let strange = |it: &mut Role| {
        let mut trust: Value = serde_json::from_str(&it.trust).unwrap();
        trust["Statement"]["Condition"] =
            json!({ "Bool": { "aws:MultiFactorAuthPresent": "true" } });
        it.trust = trust.to_string();
    };
    check_role(
        strange,
        expect![[r#"
        eu-west-1: not known [now]
          not looked at: whether the role `maker` trusts AWS Backup, which depends on the condition {"Bool":{"aws:MultiFactorAuthPresent":"true"}}
    "#]],
    );
    let own = |it: &mut Role| {
        it.policies = Ok(RolePolicies {
            attached: vec!["arn:aws:iam::222222222222:policy/ours".to_owned()],
            own: [].into(),
        });
    };
    check_role(
        own,
        expect![[r"
        eu-west-1: not known [now]
          not looked at: whether the role `maker` may make backups, which depends on its policy `ours`
    "]],
    );
    check_vault(
        keyed(VaultKey::Customers(Err("AccessDenied".to_owned()))),
        expect![[r"
        eu-west-1: not known [now]
          not looked at: the key of the vault `daily`: AccessDenied
    "]],
    );
    // And what a run could not judge.
    let mut world = planned();
    let not_looked_at = vec![failure(None, "not looked at: the role", "look")];
    let look = LastFindings { at: NOW, failures: vec![], not_looked_at };
    world.looks.insert(id(MEMBER), look);
    world.check(expect![[r"
        eu-west-1: not known [run of 1970-01-01 00:00 UTC]
          not looked at: the role
    "]]);
}

/// An access policy that lets this organization copy into a vault.
fn admission(organization: &str) -> String {
    let statement = json!({
        "Effect": "Allow",
        "Action": "backup:CopyIntoBackupVault",
        "Principal": "*",
        "Resource": "*",
        "Condition": { "StringEquals": { "aws:PrincipalOrgID": organization } },
    });
    json!({ "Statement": [statement] }).to_string()
}

#[test]
fn what_an_old_run_found_does_not_count_as_looked_at() {
    let hours = |it: u64| std::time::Duration::from_hours(it);
    let world = |age: u64| {
        let mut world = planned();
        let at = NOW - hours(age);
        let look = LastFindings { at, failures: vec![], not_looked_at: vec![] };
        world.looks.insert(id(MEMBER), look);
        world
    };
    let state = |age| {
        let report = world(age).judge();
        let cell = report.row(&id(MEMBER)).unwrap().cells[0];
        (report.cells[cell].state, report.cells[cell].missing.clone())
    };
    assert_eq!(state(48), (State::Protected, vec![]));
    let (old, missing) = state(49);
    assert_eq!(old, State::Unknown);
    let [missing] = missing.as_slice() else { panic!("{missing:?}") };
    assert!(missing.problem.starts_with("the account has not been checked since "));
}

#[test]
fn every_name_of_a_policy_has_to_be_there() {
    let shared = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let text = std::fs::read_to_string(shared.join("cases/report/absent-targets.json"));
    // Where the inputs of others are not, there is nothing to read.
    let Ok(text) = text else { return };
    let policy: Value = serde_json::from_str(&text).unwrap();
    let world = World::bare().attach("absent", &policy, "r-test");
    let outline = Outline::new(&world.organization, &world.wanted, NOW);
    let look = outline.look(&world.organization, &world.wanted, 1);
    let mut inside = Seen { service_role: Some(Ok(true)), ..Seen::default() };
    inside.roles = look.roles.iter().map(|it| (it.clone(), Ok(None))).collect();
    inside.roles.insert(id("org-backup"), Ok(Some(role())));
    let places = look.regions.iter().map(|(region, vaults)| {
        let there = |it: &VaultName| it.as_str() == "org-backup";
        let found = vaults.iter().map(|it| {
            let found = if there(it) { vault(None) } else { (Vault::Missing, None) };
            (it.clone(), Ok(found))
        });
        let settings = Ok(settings(&["EBS"], &[]));
        (region.clone(), Place::Open { settings, vaults: found.collect() })
    });
    inside.regions = places.collect();
    let report = world.visit(MEMBER, Visit::Seen(inside)).judge();
    let row = report.row(&id(MEMBER)).unwrap();
    let cell = &report.cells[row.cells[0]];
    assert_eq!(cell.state, State::Incomplete);
    assert_eq!(cell.missing.len(), 3, "the vault, the copy and the scanner: {:?}", cell.missing);
}

#[test]
fn a_plan_that_indexes_needs_a_role_that_may() {
    let mut indexing = plan("all", &["eu-west-1"], Some(30));
    let types = json!({ "resource_types": { "@@assign": ["EBS"] } });
    indexing["plans"]["all"]["rules"]["nightly"]["index_actions"] = types;
    let world = |more: &[&str]| {
        let mut visit = fine();
        let Visit::Seen(inside) = &mut visit else { unreachable!("it was just seen") };
        let mut role = role();
        let policies = role.policies.as_mut().unwrap();
        policies.attached.extend(more.iter().map(|it| format!("arn:aws:iam::aws:policy/{it}")));
        inside.roles.insert(id("maker"), Ok(Some(role)));
        World::bare().attach("all", &indexing, "r-test").visit(MEMBER, visit)
    };
    world(&["AWSBackupServiceRolePolicyForIndexing"]).check(expect![[r"
        eu-west-1: protected [now]
    "]]);
    world(&[]).check(expect![[r"
        eu-west-1: incomplete [now]
          the role `maker` has no permission to index backups
    "]]);
}

/// The plan `all`, which copies to this vault.
fn copying(arn: &str) -> World {
    let mut copying = plan("all", &["eu-west-1"], Some(30));
    let copy = json!({ arn: { "target_backup_vault_arn": { "@@assign": arn } } });
    copying["plans"]["all"]["rules"]["nightly"]["copy_actions"] = copy;
    World::bare().attach("all", &copying, "r-test").visit(MEMBER, fine())
}

#[test]
fn copies_need_the_vault_that_they_go_to() {
    let arn = "arn:aws:backup:eu-west-2:111111111111:backup-vault:central";
    let destination = || Destination::parse(arn, &id(MEMBER)).unwrap();
    let with = |vault: Result<Vault, Failure>| {
        let mut world = copying(arn);
        world.destinations.insert(destination(), vault);
        world
    };
    let key = |state: &str| {
        let key = VaultKey::Customers(Ok(KeyState::named(state)));
        Ok(Vault::Here { key, access: Ok(Some(admission("o-tests00000"))) })
    };
    with(key("Enabled")).check(expect![[r"
        eu-west-1: protected [now]
    "]]);
    let mut off = with(key("Enabled"));
    off.is_cross_account = Some(false);
    off.check(expect![[r"
        eu-west-1: incomplete [now]
          copies to other accounts are switched off in the organization
    "]]);
    let admits =
        |access| with(Ok(Vault::Here { key: VaultKey::Customers(Ok(KeyState::Usable)), access }));
    for access in [None, Some(admission("o-others0000"))] {
        admits(Ok(access)).check(expect![[r"
            eu-west-1: incomplete [now]
              the access policy of the vault `central` of 111111111111 in eu-west-2 does not let the account copy into it
        "]]);
    }
    admits(Err("AccessDenied".to_owned())).check(expect![[r"
        eu-west-1: not known [now]
          the access policy of the vault `central` of 111111111111 in eu-west-2 was not judged
    "]]);
    with(key("PendingDeletion")).check(expect![[r"
        eu-west-1: incomplete [now]
          copies go to 111111111111 in eu-west-2: the key of the vault `central` is to be deleted
    "]]);
    with(Ok(Vault::Missing)).check(expect![[r"
        eu-west-1: incomplete [now]
          copies go to 111111111111 in eu-west-2: the vault `central` is missing, or its access policy hides it
    "]]);
    with(Err(failure(None, "cannot assume the role", "x"))).check(expect![[r"
        eu-west-1: not known [now]
          copies go to 111111111111 in eu-west-2: cannot assume the role
    "]]);
    let own = "arn:aws:backup:eu-west-2:$account:backup-vault:second";
    let world = copying(own);
    let outline = Outline::new(&world.organization, &world.wanted, NOW);
    assert_eq!(outline.destinations(&world.organization), [].into());
    let look = outline.look(&world.organization, &world.wanted, 1);
    assert_eq!(look.regions[&id("eu-west-2")], [id("second")].into());
    let mut visit = fine();
    let Visit::Seen(inside) = &mut visit else { unreachable!("it was just seen") };
    let vaults = [(id("second"), Ok((Vault::Missing, None)))].into();
    let place = Place::Open { settings: Ok(Settings::default()), vaults };
    inside.regions.insert(id("eu-west-2"), place);
    copying(own).visit(MEMBER, visit).check(expect![[r"
        eu-west-1: incomplete [now]
          copies go to 222222222222 in eu-west-2: the vault `second` is missing, or its access policy hides it
    "]]);
}

#[test]
fn a_vault_that_others_copy_to_is_told_once_also_of_its_own_account() {
    let arn = format!("arn:aws:backup:eu-west-2:{MEMBER}:backup-vault:central");
    let denied = || failure(None, "not authorized", "x");
    let mut visit = fine();
    let Visit::Seen(inside) = &mut visit else { unreachable!("it was just seen") };
    let vaults = [(id("central"), Err(denied()))].into();
    let place = Place::Open { settings: Ok(Settings::default()), vaults };
    inside.regions.insert(id("eu-west-2"), place);
    let mut world = copying(&arn).visit(MEMBER, visit);
    world.destinations.insert(Destination::parse(&arn, &id(MEMBER)).unwrap(), Err(denied()));
    world.check(expect![[r"
        eu-west-1: not known [now]
          copies go to 222222222222 in eu-west-2: not authorized
    "]]);
}

#[test]
fn the_account_that_copies_go_to_is_looked_at_by_its_own_role_and_needs_no_plan() {
    let wanted = json!({
        "RoleName": "m",
        "Regions": ["eu-west-1"],
        "TargetIds": [MANAGEMENT],
        "OptIn": { "EBS": true },
        "VaultName": "ours",
        "BackupRoleName": "our-role",
        "CentralAccountId": MEMBER,
        "CentralRoleName": "c",
    });
    let world = || {
        World::bare().attach("all", &plan("all", &["eu-west-1"], None), MANAGEMENT).want(&wanted)
    };
    let it = world();
    let look =
        Outline::new(&it.organization, &it.wanted, NOW).look(&it.organization, &it.wanted, 1);
    assert_eq!((look.by, look.roles), (Some(id("c")), [].into()));
    assert_eq!(look.regions, [(id("eu-west-1"), [].into())].into());
    let visit = |types: &[&str], has_role| {
        let place = Place::Open { settings: Ok(settings(types, &[])), vaults: [].into() };
        let regions = [(id("eu-west-1"), place)].into();
        Visit::Seen(Seen { service_role: Some(Ok(has_role)), regions, ..Seen::default() })
    };
    world().visit(MEMBER, visit(&["EBS"], true)).check(expect![[r"
        eu-west-1: not asked for [now]
    "]]);
    world().visit(MEMBER, visit(&["EBS"], false)).check(expect![[r"
        eu-west-1: incomplete [now]
          AWS Backup has no role `AWSServiceRoleForBackup`
    "]]);
    let barred = Visit::Barred(failure(None, "cannot assume the role", "roll it out"));
    world().visit(MEMBER, barred).check(expect![[r"
        eu-west-1: not known [not looked at]
          cannot assume the role
        note: the account 222222222222 could not be entered: cannot assume the role
    "]]);
}

#[test]
fn what_could_not_be_looked_at_is_not_known_and_not_called_missing() {
    let throttled =
        || Err(failure(Some("eu-west-1"), "cannot look at the vault: Throttling", "again"));
    let place = |settings| Place::Open { settings, vaults: [(id("daily"), throttled())].into() };
    let visit = seen(vec![("eu-west-1", place(Ok(settings(&["EBS"], &[]))))]);
    planned().visit(MEMBER, visit).check(expect![[r"
        eu-west-1: not known [now]
          cannot look at the vault: Throttling
    "]]);
    let visit = seen(vec![("eu-west-1", place(Ok(settings(&[], &["EBS"]))))]);
    planned().visit(MEMBER, visit).check(expect![[r"
        eu-west-1: incomplete [now]
          no resource type is opted in
          cannot look at the vault: Throttling
    "]]);
}

#[test]
fn a_region_counts_as_not_enabled_only_while_another_one_answers() {
    let two =
        || World::bare().attach("all", &plan("all", &["eu-west-1", "me-south-1"], None), "r-test");
    let closed = || Place::Closed(failure(Some("me-south-1"), "UnrecognizedClientException", "x"));
    let here = || open(settings(&["EBS"], &[]), vault(None));
    let visit = seen(vec![("eu-west-1", here()), ("me-south-1", closed())]);
    let world = two().visit(MEMBER, visit);
    world.check(expect![[r"
        eu-west-1: protected [now]
        me-south-1: Region not enabled [now]
    "]]);
    let visit = seen(vec![("eu-west-1", closed()), ("me-south-1", closed())]);
    two().visit(MEMBER, visit).check(expect![[r"
        eu-west-1: not known [now]
          UnrecognizedClientException
        me-south-1: not known [now]
          UnrecognizedClientException
    "]]);
}

#[test]
fn an_account_that_nobody_enters_is_a_gap_unless_a_recent_run_covers_it() {
    let world = |hours: Option<u64>| {
        let barred = Visit::Barred(failure(None, "cannot assume the role", "roll it out"));
        // No plan reaches it, so that the state of the account is the same in each case.
        let mut world = World::bare().visit(MEMBER, barred);
        world.wanted.push(Wanted::in_regions([id("eu-west-1")].into()));
        let look = |hours| {
            let at = NOW + Duration::from_hours(hours);
            LastFindings { at, failures: vec![], not_looked_at: vec![] }
        };
        world.looks.extend(hours.map(|it| (id(MEMBER), look(it))));
        world.at(100)
    };
    assert_eq!(world(None).unread(), 1);
    assert_eq!(world(Some(90)).unread(), 0);
    assert_eq!(world(Some(4)).unread(), 1);
}

#[test]
fn an_account_that_nobody_enters_is_as_the_last_run_found_it() {
    let barred = || Visit::Barred(failure(None, "cannot assume the role", "roll it out"));
    planned().visit(MEMBER, barred()).check(expect![[r"
        eu-west-1: not known [not looked at]
          cannot assume the role
        note: the account 222222222222 could not be entered: cannot assume the role
    "]]);
    planned().check(expect![[r"
        eu-west-1: not known [not looked at]
          the account has not been checked
    "]]);
    let with = |failures: Vec<Failure>| {
        let mut world = planned().visit(MEMBER, barred());
        let at = NOW + Duration::from_hours(4);
        let look = LastFindings { at, failures, not_looked_at: vec![] };
        world.looks.insert(id(MEMBER), look);
        world
    };
    with(vec![]).check(expect![[r"
        eu-west-1: protected [run of 1970-01-01 04:00 UTC]
        note: the account 222222222222 could not be entered: cannot assume the role
    "]]);
    with(vec![failure(None, "no role", ""), failure(Some("us-east-1"), "no vault", "")]).check(
        expect![[r"
            eu-west-1: incomplete [run of 1970-01-01 04:00 UTC]
              no role
            note: the account 222222222222 could not be entered: cannot assume the role
        "]],
    );
    with(vec![failure(Some("eu-west-1"), "denied", ENABLE_REGION)]).check(expect![[r"
        eu-west-1: Region not enabled [run of 1970-01-01 04:00 UTC]
        note: the account 222222222222 could not be entered: cannot assume the role
    "]]);
}

#[test]
fn the_newest_run_that_knows_an_account_counts() {
    let hour = |it| NOW + Duration::from_hours(it);
    let line = |account: &str, more: &str| format!(r#"{{"account":"{account}","ready":{more}}}"#);
    let newest = line(MEMBER, "true");
    let older = [
        line(MEMBER, r#"false,"problem":"gone by now""#),
        line(MANAGEMENT, r#"false,"problem":"no vault","region":"eu-west-1","hint":"make one""#),
        line(MANAGEMENT, r#"false,"problem":"no role""#),
        "half a li".to_owned(),
    ]
    .join("\n");
    let looks = last_findings([(hour(5), newest.as_str()), (hour(3), older.as_str())]);
    assert_eq!(
        looks[&id(MEMBER)],
        LastFindings { at: hour(5), failures: vec![], not_looked_at: vec![] }
    );
    let failures =
        vec![failure(Some("eu-west-1"), "no vault", "make one"), failure(None, "no role", "")];
    assert_eq!(
        looks[&id(MANAGEMENT)],
        LastFindings { at: hour(3), failures, not_looked_at: vec![] }
    );
}

#[test]
fn a_policy_that_is_withheld_protects_nobody_by_what_it_says() {
    let half = json!({ "plans": { "half": { "regions": { "@@assign": ["eu-west-1"] } } } });
    planned().attach("half", &half, MEMBER).visit(MEMBER, fine()).check(expect![[r"
        eu-west-1: withheld [now]
          AWS withholds the merged policy, and the account keeps its previous policy: plans/half: 'rules' is missing (KEY_REQUIRED); plans/half: 'selections' is missing (KEY_REQUIRED)
    "]]);
    // AWS may know better, and says it in its own words.
    let mut world = planned().visit(MEMBER, fine());
    world.organization.withheld = Some([(id(MEMBER), vec!["plans/all: odd".to_owned()])].into());
    world.check(expect![[r"
        eu-west-1: withheld [now]
          AWS withholds the merged policy, and the account keeps its previous policy: plans/all: odd
    "]]);
}

#[test]
fn an_account_that_is_not_active_needs_nothing() {
    let mut world = planned();
    world.organization.accounts[1].listed.state = AccountState::read("SUSPENDED");
    let outline = Outline::new(&world.organization, &[], NOW);
    assert_eq!(outline.look(&world.organization, &[], 1), InspectionScope::default());
    world.check(expect![[r"
        eu-west-1: account not active [not looked at]
    "]]);
}

#[test]
fn a_policy_that_cannot_be_read_is_told_and_takes_no_part() {
    let world = planned().attach("odd", &json!([1]), "r-test").visit(MEMBER, fine());
    world.check(expect![[r"
        eu-west-1: protected [now]
        note: the policy `odd` (p-odd00000) could not be read, and is left out of what accounts get
    "]]);
}

#[test]
fn without_any_region_nothing_is_well() {
    let report = World::bare().judge();
    assert!(!report.is_well());
    World::bare().check(expect![[r"
        note: no backup policy and no template names a Region
    "]]);
}

#[test]
fn accounts_below_the_same_attachments_share_one_effective_policy() {
    let report = planned().judge();
    assert_eq!((report.effective.len(), report.rows[0].effective), (1, report.rows[1].effective));
    let report = planned().attach("more", &plan("more", &["eu-west-1"], None), MEMBER).judge();
    assert_eq!(report.effective.len(), 2);
    let chain: Vec<_> = report.effective[1].chain.iter().map(ToString::to_string).collect();
    assert_eq!(chain, ["r-test", MEMBER]);
    let setting = report.effective[1].settings.iter().find(|it| it.path == "plans/more/regions");
    let origin =
        Origin { operator: "@@assign", policy: "p-more0000".into(), target: MEMBER.into() };
    assert_eq!(setting.unwrap().origins, [origin]);
}

#[test]
fn what_is_looked_at_is_what_the_plans_and_the_templates_name() {
    let wanted = json!({
        "RoleName": "m",
        "Regions": ["us-east-1"],
        "OptIn": "All",
        "VaultName": "ours",
        "BackupRoleName": "our-role",
    });
    let world = planned().want(&wanted);
    let outline = Outline::new(&world.organization, &world.wanted, NOW);
    let look = outline.look(&world.organization, &world.wanted, 1);
    let vaults = |region: &str| {
        look.regions[&id(region)].iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(
        (vaults("eu-west-1"), vaults("us-east-1")),
        (vec!["daily".to_owned()], vec!["ours".to_owned()])
    );
    let roles: Vec<_> = look.roles.iter().map(ToString::to_string).collect();
    assert_eq!(roles, ["maker", "our-role"]);
    let policy = look.session_policy("aws", &id(MEMBER));
    let policy: Value = serde_json::from_str(&policy).unwrap();
    let actions = policy["Statement"][0]["Action"].as_array().unwrap();
    let reads =
        |it: &Value| [":Describe", ":Get"].iter().any(|verb| it.as_str().unwrap().contains(verb));
    assert!(actions.iter().all(reads), "{actions:?}");
    assert_eq!(policy["Statement"][1]["Action"][0], "iam:GetRole");
}

#[test]
fn the_state_of_an_account_is_the_worst_of_its_regions() {
    let two = plan("all", &["eu-west-1", "us-east-1"], None);
    let visit = seen(vec![
        ("eu-west-1", open(settings(&["EBS"], &[]), vault(None))),
        ("us-east-1", open(settings(&["EBS"], &[]), None)),
    ]);
    let report = World::bare().attach("all", &two, "r-test").visit(MEMBER, visit).judge();
    assert_eq!(report.state_of(report.row(&id(MEMBER)).unwrap()), State::Incomplete);
    assert_eq!(report.state_of(report.row(&id(MANAGEMENT)).unwrap()), State::Unknown);
    let tally = report.tally();
    assert_eq!(tally, [(State::Protected, 1), (State::Incomplete, 1), (State::Unknown, 2)].into());
    assert!(!report.is_well());
}

/// What the last sweep found: two resources of the member account in `eu-west-1`.
fn evidence(taken: SystemTime) -> Evidence {
    let counts = Counts {
        states: [("fresh".to_owned(), 3), ("late".to_owned(), 1)].into(),
        copies_fine: 2,
        copies_late: 1,
        ..Counts::default()
    };
    let counts = history::AccountCounts {
        name: "shop".to_owned(),
        regions: [(id("eu-west-1"), counts)].into(),
        taken,
    };
    let summary = history::Summary {
        taken,
        program: PROGRAM.to_owned(),
        organization: "o-tests00000".to_owned(),
        accounts: [(id(MEMBER), counts)].into(),
        causes: vec![],
        resources: vec![],
        need_action: None,
        unread: vec![],
    };
    Evidence { summary, timeline: history::Timeline::default(), change: None, trend: vec![] }
}

#[test]
fn backups_are_those_of_the_last_sweep() {
    let world = World::bare().attach("work", &plan("work", &["eu-west-1"], None), "r-test");
    let report = World { evidence: Some(evidence(NOW)), ..world.visit(MEMBER, fine()) }.judge();
    let row = report.row(&id(MEMBER)).unwrap();
    let backups = report.backups(row, &id("eu-west-1")).unwrap();
    assert_eq!(Counts::words([backups].into_iter()), "3 of 4 fresh, 1 late, 1 copy late");
    assert_eq!(report.backups(row, &id("eu-west-2")), None);
    assert_eq!(report.backups(report.row(&id(MANAGEMENT)).unwrap(), &id("eu-west-1")), None);
    assert_eq!(report.notes, []);
}

#[test]
fn without_a_region_the_page_says_why_and_what_to_do_next() {
    let bare = crate::page::page(&World::bare().judge());
    assert!(bare.contains(NO_REGION) && bare.contains("make deploy FILE=org.toml DRY_RUN=1"));
    let world = World::bare().attach("work", &plan("work", &["eu-west-1"], None), "r-test");
    let page = crate::page::page(&world.judge());
    assert!(!page.contains(NO_REGION) && page.contains(" × 1 Region: "), "{page}");
}

#[test]
fn a_sweep_that_is_too_old_is_told() {
    let at = |hours| World { evidence: Some(evidence(NOW)), ..World::bare() }.at(hours).notes;
    let is_old =
        |it: &Note| it.text.starts_with("the backups of resources have not been checked since");
    assert_eq!(at(48).iter().filter(|it| is_old(it)).count(), 0);
    let notes = at(49);
    let note = notes.iter().find(|it| is_old(it)).unwrap();
    assert!(note.is_unread, "what is that old is not known any more");
    assert_eq!(
        note.text,
        "the backups of resources have not been checked since 1970-01-01 00:00 UTC"
    );
}

#[test]
fn a_vault_says_who_may_delete_its_backups() {
    let denies = |principal: Value| {
        let statement = json!({
            "Effect": "Deny",
            "Principal": principal,
            "Action": "backup:DeleteRecoveryPoint",
            "Resource": "*",
        });
        Some(json!({ "Statement": statement }).to_string())
    };
    let lock = |is_compliance| Some(Lock { is_compliance, min_days: None, max_days: None });
    let role = format!("arn:aws:iam::{MEMBER}:role/path/maker");
    let words = [
        (None, lock(true)),
        (denies(json!("*")), lock(false)),
        (denies(json!("*")), None),
        (denies(json!({ "AWS": role })), None),
        (None, None),
    ]
    .map(|(access, lock)| {
        let here = Vault::Here { key: VaultKey::Aws, access: Ok(access) };
        let visit = seen(vec![("eu-west-1", open(settings(&["EBS"], &[]), (here, lock)))]);
        let world = World::bare().attach("work", &plan("work", &["eu-west-1"], None), "r-test");
        let report = world.visit(MEMBER, visit).judge();
        let row = report.row(&id(MEMBER)).unwrap();
        report.cells[row.cells[0]].deleters().join("; ")
    });
    expect![[r"
        `daily`: no principal before the retention is over, because of its compliance lock
        `daily`: only principals that may remove its governance lock; no service control policy denies it
        `daily`: only principals that may change its access policy; no service control policy denies it
        `daily`: principals that its access policy does not deny it to; no service control policy denies it
        `daily`: every principal of the account that has the permission; no service control policy denies it
    "]]
    .assert_eq(&(words.join("\n") + "\n"));
}

#[test]
fn service_control_policies_on_the_path_of_an_account_say_who_may_delete() {
    let deny = |condition: Value| {
        let mut statement =
            json!({ "Effect": "Deny", "Action": "backup:DeleteRecoveryPoint", "Resource": "*" });
        if !condition.is_null() {
            statement["Condition"] = condition;
        }
        statement
    };
    let role = "arn:aws:iam::*:role/keeper";
    let except = json!({ "ArnNotLike": { "aws:PrincipalArn": role } });
    let tagged = json!({ "StringEquals": { "aws:RequestTag/a": "b" } });
    let world = || {
        let world = World::bare().attach("work", &plan("work", &["eu-west-1"], None), "r-test");
        world.visit(MEMBER, fine()).visit(MANAGEMENT, fine())
    };
    let unread = World { guard_rails: Err("not allowed".to_owned()), ..world() };
    let organizations = [
        world().guard("r-test", &deny(except)),
        world().guard(MEMBER, &deny(Value::Null)),
        world().guard("ou-test-workload", &deny(tagged)),
        world().guard(MANAGEMENT, &deny(Value::Null)),
        unread,
    ];
    let words = organizations.map(|it| {
        let report = it.judge();
        [MEMBER, MANAGEMENT].map(|it| {
            let row = report.row(&id(it)).unwrap();
            let words = report.cells[row.cells[0]].deleters().join("; ");
            words.split_once("; ").unwrap().1.to_owned()
        })
    });
    let words: Vec<_> = words.iter().map(|it| it.join(" | ")).collect();
    expect![[r"
        service control policies deny it to all but `arn:aws:iam::*:role/keeper` | no service control policy denies it
        service control policies deny it to every principal | no service control policy denies it
        guard rails not known: a denial depends on `StringEquals` of `aws:RequestTag/a` | no service control policy denies it
        no service control policy denies it | no service control policy denies it
        guard rails not known: not allowed | guard rails not known: not allowed
    "]]
    .assert_eq(&(words.join("\n") + "\n"));
}
