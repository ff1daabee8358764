//! The same organization in a simulator that is called over HTTP, where AWS Backup finds vaults, keys,
//! roles, settings and policies for itself.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use simulator::{
    AccountState, BACKUP_POLICY, BackedUp, EngineKey, EngineVault, ExplorerView, KeyManager,
    PointForm, Role, Settings, Simulator, Trouble, Vault,
};

use super::spec::{self, ACCOUNTS, CENTRAL, KINDS, REGIONS, ROLES, STRANGER, Spec, VAULTS};
use super::world::{Knows, World};
use crate::support::Client;

/// How many organizations are looked at.
const ORGANIZATIONS: usize = 100;

/// How many organizations the command is run for, at two moments each.
const RUNS: usize = 20;

/// The role by which the command looks around in accounts.
const READER: &str = "reader";

const MANAGEMENT: &str = "111122223333";
/// A key, and one that is disabled.
const KEYS: [&str; 2] =
    ["5d0e6f7a-1b2c-4d3e-9f4a-5b6c7d8e9f0a", "6e1f7a8b-2c3d-4e4f-8a5b-6c7d8e9f0a1b"];

/// A job or a recovery point: of which resource, in which vault, by which plan and rule, when, and what
/// became of it.
type Made = (&'static str, String, String, String, u64, String);

/// The accounts of an organization in a simulator, by what they are called in the engine.
struct Names(BTreeMap<&'static str, String>);

impl Names {
    /// A text of the engine, with the accounts of the simulator.
    fn there(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, (here, there)| text.replace(here, there))
    }

    /// A text of the simulator, with the accounts of the engine.
    fn here(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, (here, there)| text.replace(there, here))
    }
}

#[tokio::test]
async fn what_is_told_over_http_is_what_the_engine_did() {
    let mut runner = TestRunner::deterministic();
    let (mut seen, mut met) = (0, BTreeSet::new());
    for _ in 0..ORGANIZATIONS {
        let spec = Spec { jobs: 1_000, ..spec::spec().new_tree(&mut runner).unwrap().current() };
        let mut world = World::new(spec.clone());
        let simulator = Simulator::start(Settings::default()).await.unwrap();
        let names = simulate(&simulator, &world, &spec);
        let then = world.now() + Duration::from_hours(75);
        world.engine.advance(then);
        simulator.let_go_by_until(then);
        let expected = by_engine(&world);
        assert_eq!(by_wire(&simulator, &names).await, expected, "{spec:?}");
        seen += expected.len();
        met.extend(expected.into_iter().map(|it| (it.0, it.5)));
    }
    assert!(seen > 100 && met.len() > 11, "{seen} jobs and recovery points, {met:?}");
}

/// What is said of a resource: its state; of each rule its plan, its name, its state and its newest
/// backup; and of each copy its vault and its state.
type Said = (String, Vec<[String; 4]>, Vec<[String; 2]>);

#[tokio::test]
async fn the_command_says_of_every_resource_what_the_law_holds_for() {
    let mut runner = TestRunner::deterministic();
    let (mut seen, mut states) = (0, BTreeSet::new());
    for _ in 0..RUNS {
        let spec = Spec { jobs: 1_000, ..spec::spec().new_tree(&mut runner).unwrap().current() };
        let mut world = World::new(spec.clone());
        let simulator = Simulator::start(Settings::default()).await.unwrap();
        let names = simulate(&simulator, &world, &spec);
        for hours in [30, 75] {
            let then = world.now() + Duration::from_hours(hours);
            world.engine.advance(then);
            simulator.let_go_by_until(then);
            let expected = by_judge(&world);
            assert_eq!(by_command(&simulator, &names).await, expected, "{spec:?}");
            seen += expected.len();
            let copies = expected.values().flat_map(|it| &it.2).map(|it| format!("copy {}", it[1]));
            states.extend(expected.values().map(|it| it.0.clone()).chain(copies));
        }
    }
    assert!(seen > 80 && states.len() > 6, "{seen} resources, {states:?}");
}

/// What the judge says of each resource, by its ARN.
fn by_judge(world: &World) -> BTreeMap<String, Said> {
    let said = (0..world.spec.resources.len()).map(|index| {
        if world.is_withheld(index) {
            // The account keeps what it had, which the command has not seen.
            return (world.arn(index), ("not-known".to_owned(), vec![], vec![]));
        }
        let said = world.judge_knowing(Knows::WhatAwsTells, index, |said, plans| -> Said {
            let owed = said.owed.iter().map(|it| {
                let plan = &plans[it.plan];
                let newest = it.newest.map(report::utc).unwrap_or_default();
                let rule = plan.rules[it.rule].name.clone();
                [plan.name.clone(), rule, it.state.key().to_owned(), newest]
            });
            let copies = said.owed.iter().flat_map(|it| &it.copies);
            let copies = copies.map(|it| [it.vault.clone(), it.state.key().to_owned()]);
            let copies = copies.filter(|it| !it[0].contains(STRANGER)).collect();
            (said.state.key().to_owned(), owed.collect(), copies)
        });
        (world.arn(index), said)
    });
    said.collect()
}

/// What `org-backup coverage` says of each resource, by its ARN.
async fn by_command(simulator: &Simulator, names: &Names) -> BTreeMap<String, Said> {
    let accounts = ACCOUNTS.map(|it| names.there(it)).join(",");
    let mut command = std::process::Command::new(program());
    command
        .args(["coverage", "--json", "--state-bucket=", "--member-role", READER])
        .args(["--account", &accounts, "--regions", &REGIONS.join(",")])
        .env("AWS_ENDPOINT_URL", simulator.url())
        .env("AWS_ACCESS_KEY_ID", MANAGEMENT)
        .env("AWS_SECRET_ACCESS_KEY", "secret")
        .env("AWS_REGION", REGIONS[0])
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null");
    // The simulator answers on this thread.
    let run = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    let printed = names.here(&String::from_utf8(run.stdout).unwrap());
    let notes = String::from_utf8_lossy(&run.stderr);
    let told: Value = serde_json::from_str(&printed).unwrap_or_else(|it| panic!("{it}: {notes}"));
    let text = |it: &Value| it.as_str().unwrap_or_default().to_owned();
    let said = told.as_array().unwrap().iter().map(|it| {
        let owed = it["owed"].as_array().unwrap();
        let copies = owed.iter().flat_map(|it| it["copies"].as_array().unwrap());
        let copies = copies.map(|it| [text(&it["vault"]), text(&it["state"])]);
        let copies = copies.filter(|it| !it[0].contains(STRANGER)).collect();
        let rules = owed.iter().map(|it| {
            [text(&it["plan"]), text(&it["rule"]), text(&it["state"]), text(&it["newest"])]
        });
        (text(&it["resource"]), (text(&it["state"]), rules.collect(), copies))
    });
    said.collect()
}

/// The command, which cargo builds with everything else in the workspace.
fn program() -> std::path::PathBuf {
    let running = std::env::current_exe().unwrap();
    let program = running.ancestors().nth(2).unwrap().join("org-backup");
    assert!(
        program.exists(),
        "build it first: cargo build --workspace --exclude page --all-targets"
    );
    program
}

/// Gives the simulator everything that the engine of `world` was given.
fn simulate(simulator: &Simulator, world: &World, spec: &Spec) -> Names {
    simulator.let_go_by_until(world.now());
    let (organization, [unit, root], accounts) = simulator.organization(|it| {
        let unit = it.unit_named("Security").unwrap().id.clone();
        let inside = it.accounts_in(&unit).next().unwrap().id.clone();
        let active = it.accounts().filter(|it| it.state == AccountState::Active && it.created);
        let others = active.map(|it| it.id.clone()).filter(|it| *it != inside).take(2);
        let accounts: Vec<_> = [inside.clone()].into_iter().chain(others).collect();
        (it.id.clone(), [unit, it.root.clone()], accounts)
    });
    let here = ACCOUNTS.into_iter().chain([CENTRAL]);
    let names = Names(here.zip(accounts.iter().cloned()).collect());
    simulator.kms(|it| {
        for key in KEYS {
            it.create_everywhere(key, KeyManager::Customer);
        }
        it.set_state(KEYS[1], "Disabled");
    });
    simulator.backup(|it| {
        for (account, region, name) in vaults() {
            let arn = format!("arn:aws:backup:{region}:{account}:backup-vault:{name}");
            if let Some(vault) = world.engine.vault(&arn) {
                let vault = vault_of(name, vault, &organization);
                it.vaults_mut().create(&names.there(account), region, vault);
            }
        }
        let settings = spec.is_cross_account.to_string();
        let settings = [("isCrossAccountBackupEnabled".to_owned(), settings)].into();
        it.update_global_settings(&settings).unwrap();
        for (index, region) in REGIONS.into_iter().enumerate() {
            let is_there = |kind: &usize| index == 0 || !spec.unsupported[*kind];
            let kinds: Vec<_> = (0..KINDS.len()).filter(is_there).collect();
            let types: Vec<_> = kinds.iter().map(|it| KINDS[*it].0).collect();
            it.set_supported_resource_types(region, &types);
            let on = kinds.iter().map(|it| (KINDS[*it].0.to_owned(), spec.opted_in[*it]));
            let management = BTreeMap::new();
            it.update_region_settings(MANAGEMENT, region, &on.collect(), &management).unwrap();
        }
    });
    for (account, name) in ACCOUNTS.iter().flat_map(|it| ROLES.map(|role| (*it, role))) {
        let trusts = world.engine.role(&format!("arn:aws:iam::{account}:role/{name}"));
        let Some(trusts) = trusts else { continue };
        let service = if trusts { "backup.amazonaws.com" } else { "ec2.amazonaws.com" };
        let trust = json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow",
            "Principal": { "Service": service }, "Action": "sts:AssumeRole" }] });
        simulator.iam(|it| it.create_role(&names.there(account), Role::new(name, &trust)));
    }
    let anything = json!({ "Statement": { "Effect": "Allow", "Action": "*", "Resource": "*" } });
    let trust = json!({ "Statement": { "Effect": "Allow", "Action": "sts:AssumeRole",
        "Principal": { "AWS": format!("arn:aws:iam::{MANAGEMENT}:root") } } });
    simulator.iam(|it| it.create_role_everywhere(Role::new(READER, &trust).allowing(&anything)));
    simulator.explorer(|it| it.put(MANAGEMENT, REGIONS[0], ExplorerView::organization("all")));
    simulator.organization(|it| {
        it.enable_policy_type(&root, BACKUP_POLICY).unwrap();
        let targets = [&root, &unit, &accounts[0]];
        // From below, so that none but the last is in force: parts alone are no plans.
        let mut policies: Vec<_> = spec.policies.iter().enumerate().collect();
        policies.sort_by_key(|it| std::cmp::Reverse(it.1.0));
        for (index, (level, policy)) in policies {
            let (name, text) = (format!("policy-{index}"), names.there(&policy.to_string()));
            let id = it.create_policy(BACKUP_POLICY, &name, "", &text, &[]).unwrap();
            it.attach_policy(&id, targets[*level]).unwrap();
        }
    });
    for (index, it) in spec.resources.iter().enumerate() {
        let tags = it.tags.iter().map(|(key, value)| (key.clone(), names.there(value)));
        simulator.put_resource(BackedUp {
            arn: names.there(&it.arn(index)),
            kind: KINDS[it.kind].0.to_owned(),
            account: names.there(ACCOUNTS[it.account]),
            region: REGIONS[it.region].to_owned(),
            tags: tags.collect(),
            gigabytes: it.gigabytes,
        });
    }
    names
}

/// Every place where there may be a vault, with its name.
fn vaults() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    let names = || VAULTS.into_iter().chain(["copies", "gap"]);
    let accounts = || ACCOUNTS.into_iter().chain([CENTRAL]);
    REGIONS.into_iter().flat_map(move |region| {
        accounts().flat_map(move |account| names().map(move |name| (account, region, name)))
    })
}

fn vault_of(name: &str, it: &EngineVault, organization: &str) -> Vault {
    let key = |id: &str| format!("arn:aws:kms:$region:$account:key/{id}");
    let vault = match it.key {
        EngineKey::Default => Vault::new(name),
        EngineKey::Customer => Vault::new(name).key(&key(KEYS[0])),
        EngineKey::Disabled => Vault::new(name).key(&key(KEYS[1])),
    };
    let vault = match it.lock {
        Some((min, max)) => vault.locked(min, max),
        None => vault,
    };
    let policy = json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": "*", "Action": "backup:CopyIntoBackupVault",
        "Resource": "*", "Condition": { "StringEquals": { "aws:PrincipalOrgID": organization } },
    }] });
    let vault = if it.admits_organization { vault.access_policy(&policy) } else { vault };
    Vault { air_gapped: it.air_gapped, ..vault }
}

fn by_engine(world: &World) -> Vec<Made> {
    let seconds = |at: SystemTime| at.duration_since(UNIX_EPOCH).unwrap().as_secs();
    let rule = |(plan, rule): &(String, String)| format!("{plan} {rule}");
    let ended = |state: &str, trouble: Option<Trouble>| match trouble {
        Some(it) => format!("{state} {}", it.message()),
        None => state.to_owned(),
    };
    let engine = &world.engine;
    let jobs = engine.jobs().iter().map(|it| {
        let (resource, vault) = (it.resource.clone(), it.vault.clone());
        let state = ended(it.progress.as_str(), it.trouble);
        ("job", resource, vault, rule(&it.rule), seconds(it.created), state)
    });
    let copies = engine.copy_jobs().iter().map(|it| {
        let (resource, vault) = (it.resource.clone(), it.destination.clone());
        let state = ended(it.progress.as_str(), it.trouble);
        ("copy", resource, vault, rule(&it.rule), seconds(it.created), state)
    });
    let points = engine.points().map(|it| {
        let (resource, vault) = (it.resource.clone(), it.vault.clone());
        let state = match it.form {
            _ if it.expired => "EXPIRED",
            PointForm::Stopped => "STOPPED",
            PointForm::Continuous => "AVAILABLE",
            PointForm::Snapshot | PointForm::Temporary | PointForm::OfDynamoDb => "COMPLETED",
        };
        ("point", resource, vault, rule(&it.rule), seconds(it.created), state.to_owned())
    });
    let mut made: Vec<_> = jobs.chain(copies).chain(points).collect();
    made.sort();
    made
}

async fn by_wire(simulator: &Simulator, names: &Names) -> Vec<Made> {
    let client = Client::new(&simulator.url());
    let mut made = Vec::new();
    for region in REGIONS {
        let client = client.region(region);
        for (kind, path, list, vault) in [
            ("job", "/backup-jobs?accountId=*", "BackupJobs", "BackupVaultArn"),
            ("copy", "/copy-jobs?accountId=*", "CopyJobs", "DestinationBackupVaultArn"),
        ] {
            let jobs = all(&client, path, list).await;
            made.extend(jobs.iter().map(|it| told(kind, it, vault, "State", names)));
        }
        for account in names.0.values() {
            let client = client.key(account);
            for vault in all(&client, "/backup-vaults?", "BackupVaultList").await {
                let vault = vault["BackupVaultName"].as_str().unwrap();
                let path = format!("/backup-vaults/{vault}/recovery-points?");
                let points = all(&client, &path, "RecoveryPoints").await;
                let points = points.iter();
                made.extend(points.map(|it| told("point", it, "BackupVaultArn", "Status", names)));
            }
        }
    }
    made.sort();
    made
}

fn told(kind: &'static str, it: &Value, vault: &str, state: &str, names: &Names) -> Made {
    let text = |it: &Value| names.here(it.as_str().unwrap_or_default());
    let by = &it["CreatedBy"];
    let rule = format!("{} {}", text(&by["BackupPlanName"]), text(&by["BackupRuleName"]));
    let created = Duration::from_secs_f64(it["CreationDate"].as_f64().unwrap()).as_secs();
    let state = format!("{} {}", text(&it[state]), text(&it["StatusMessage"]));
    (kind, text(&it["ResourceArn"]), text(&it[vault]), rule, created, state.trim_end().to_owned())
}

/// Every page of a list.
async fn all(client: &Client, path: &str, name: &str) -> Vec<Value> {
    let (mut all, mut token) = (Vec::new(), String::new());
    loop {
        let reply = client.rest("backup", "GET", &format!("{path}{token}"), "").await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.body);
        all.extend(reply.json()[name].as_array().unwrap().clone());
        match reply.json()["NextToken"].as_str() {
            Some(next) => token = format!("&nextToken={next}"),
            None => return all,
        }
    }
}
