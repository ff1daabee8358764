//! One random organization, in AWS Backup and as `report::coverage` sees it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use plan::account_state::AccountState;
use plan::id::{AccountId, ResourceType};
use plan::member_accounts::{Account, Listed};
use report::coverage::{
    BackupPlan, Coverage, Creator, Evidence, Job, JobState, Judge, Key, Place, PointStatus,
    RecoveryPoint, Resource, Vault,
};
use report::{AttachedPolicy, Found, Lock, Organization, Outline, Placed, Unit};
use serde_json::Value;
use simulator::{
    BackedUp, BackupEngine, BackupQuotas, EngineKey, EngineVault, Injected, JobProgress, PointForm,
};

use super::spec::{
    ACCOUNTS, CENTRAL, Happening, KINDS, Oddity, REGIONS, ROLES, STRANGER, Spec, VAULTS,
};

/// The account that gets what another one lost.
pub(super) const NEW: &str = "200000000009";
const ROOT: &str = "r-ab12";
const UNIT: &str = "ou-ab12-12345678";

/// How much is known of what came before.
#[derive(Clone, Copy, Debug)]
pub(super) enum Knows {
    /// When everything was made, and since when it is as it is.
    Everything,
    /// The answers of AWS to a command that is run for the first time.
    WhatAwsTells,
}

/// The organization at a moment.
pub(super) struct World {
    pub(super) engine: BackupEngine,
    pub(super) spec: Spec,
    /// Since when what decides in each account is as it is.
    since: BTreeMap<&'static str, SystemTime>,
    /// When each resource was made, if that is known, and when it was first seen as it is.
    seen: Vec<(Option<SystemTime>, SystemTime)>,
    effective: BTreeMap<&'static str, Result<Vec<BackupPlan>, String>>,
    /// The accounts whose merged policy AWS withholds now.
    withheld: BTreeSet<&'static str>,
}

impl World {
    pub(super) fn new(spec: Spec) -> Self {
        let now = spec.beginning();
        let mut engine = BackupEngine::new("aws", &[ACCOUNTS[0], ACCOUNTS[1], CENTRAL, NEW], now);
        engine.cross_account = spec.is_cross_account;
        engine.quotas = BackupQuotas { jobs: spec.jobs, ..engine.quotas };
        let seen = vec![(None, now); spec.resources.len()];
        let since = ACCOUNTS.into_iter().map(|it| (it, now)).collect();
        let mut world = Self {
            engine,
            spec,
            since,
            seen,
            effective: BTreeMap::new(),
            withheld: BTreeSet::new(),
        };
        world.repair();
        for region in REGIONS {
            for (index, (kind, _)) in KINDS.iter().enumerate() {
                world.engine.opt_in(region, kind, world.spec.opted_in[index]);
                if world.spec.unsupported[index] && region == REGIONS[1] {
                    world.engine.unsupport(region, kind);
                }
            }
        }
        for index in 0..world.spec.resources.len() {
            world.put(index);
        }
        for it in world.spec.oddities.clone() {
            world.odd(&it);
        }
        world.publish();
        world
    }

    pub(super) fn now(&self) -> SystemTime {
        self.engine.now()
    }

    fn put(&mut self, index: usize) {
        let it = &self.spec.resources[index];
        self.engine.put_resource(BackedUp {
            arn: it.arn(index),
            kind: KINDS[it.kind].0.to_owned(),
            account: ACCOUNTS[it.account].to_owned(),
            region: REGIONS[it.region].to_owned(),
            tags: it.tags.iter().cloned().collect(),
            gigabytes: it.gigabytes,
        });
    }

    /// Makes every vault and role that is missing, and everything as it should be.
    fn repair(&mut self) {
        let good = EngineVault {
            key: EngineKey::Customer,
            lock: None,
            admits_organization: true,
            air_gapped: false,
        };
        for region in REGIONS {
            for account in ACCOUNTS {
                for name in VAULTS.into_iter().chain(["copies"]) {
                    self.engine.put_vault(&vault(account, region, name), good.clone());
                }
                let air_gapped = EngineVault {
                    air_gapped: true,
                    lock: Some((Some(7), Some(90))),
                    ..good.clone()
                };
                self.engine.put_vault(&vault(account, region, "gap"), air_gapped);
            }
            self.engine.put_vault(&vault(CENTRAL, region, "copies"), good.clone());
        }
        for account in ACCOUNTS {
            for name in ROLES {
                self.engine.put_role(&role(account, name), true);
            }
        }
    }

    fn odd(&mut self, oddity: &Oddity) {
        let place = |account: usize, region: usize, name: usize| {
            vault(ACCOUNTS[account], REGIONS[region], VAULTS[name])
        };
        let central = |region: usize| vault(CENTRAL, REGIONS[region], "copies");
        let engine = &mut self.engine;
        let mut change = |arn: String, change: &dyn Fn(EngineVault) -> EngineVault| {
            if let Some(it) = engine.vault(&arn).cloned() {
                engine.put_vault(&arn, change(it));
            }
        };
        match *oddity {
            Oddity::NoVault(a, r, name) => engine.delete_vault(&place(a, r, name)),
            Oddity::NoCentralVault(r) => engine.delete_vault(&central(r)),
            Oddity::NoAirGapped(a, r) => {
                engine.delete_vault(&vault(ACCOUNTS[a], REGIONS[r], "gap"));
            }
            Oddity::Lock(a, r, name, least, most) => {
                change(place(a, r, name), &|it| EngineVault { lock: Some((least, most)), ..it });
            }
            Oddity::KeyDisabled(a, r, name) => {
                change(place(a, r, name), &|it| EngineVault { key: EngineKey::Disabled, ..it });
            }
            Oddity::NotAdmitted(r) => {
                change(central(r), &|it| EngineVault { admits_organization: false, ..it });
            }
            Oddity::DefaultKey(r) => {
                change(central(r), &|it| EngineVault { key: EngineKey::Default, ..it });
            }
            Oddity::NoRole(a, name) => engine.delete_role(&role(ACCOUNTS[a], ROLES[name])),
            Oddity::Untrusting(a, name) => engine.put_role(&role(ACCOUNTS[a], ROLES[name]), false),
        }
    }

    /// Lets something happen, as somebody would who looks on.
    pub(super) fn happen(&mut self, happening: &Happening) {
        let now = self.now();
        let count = self.spec.resources.len();
        match happening {
            Happening::Nothing => {}
            Happening::Fail(index, hours) => {
                let resource = self.spec.resources[index % count].arn(index % count);
                let until = now + Duration::from_hours(*hours);
                self.engine.inject(Injected { resource, from: now, until });
            }
            Happening::Retag(index, tags) => {
                let index = index % count;
                self.spec.resources[index].tags.clone_from(tags);
                self.seen[index].1 = now;
                self.put(index);
            }
            Happening::Recreate(index) => {
                let index = index % count;
                self.seen[index] = (Some(now), now);
                self.engine.delete_resource(&self.spec.resources[index].arn(index));
                self.put(index);
            }
            Happening::Odd(oddity) => self.odd(oddity),
            Happening::Repair => self.repair(),
            Happening::OptIn(kind, on) => {
                self.spec.opted_in[*kind] = *on;
                for region in REGIONS {
                    self.engine.opt_in(region, KINDS[*kind].0, *on);
                }
                self.since = ACCOUNTS.into_iter().map(|it| (it, now)).collect();
            }
            Happening::CrossAccount(on) => {
                self.spec.is_cross_account = *on;
                self.engine.cross_account = *on;
            }
            Happening::Policy(policy) => {
                self.spec.policies.push((2, policy.clone()));
                self.publish();
                self.since = ACCOUNTS.into_iter().map(|it| (it, now)).collect();
            }
        }
    }

    /// Merges the policies, and gives each account what AWS gives it.
    fn publish(&mut self) {
        let now = self.now();
        let organization = self.organization();
        let outline = Outline::new(&organization, &[], now);
        for (index, account) in ACCOUNTS.into_iter().enumerate() {
            let effective = &outline.effective[outline.shares[index]];
            self.withheld.remove(account);
            if !effective.errors.is_empty() {
                self.withheld.insert(account);
            }
            // What is withheld leaves the account with what it had.
            if effective.errors.is_empty() {
                self.engine.set_policy(account, &effective.document);
                self.effective.insert(account, Ok(BackupPlan::all(effective)));
            } else if !self.effective.contains_key(account) {
                let none = serde_json::json!({});
                self.engine.set_policy(account, &none);
                self.effective.insert(account, Ok(vec![]));
            }
        }
    }

    fn organization(&self) -> Organization {
        let target = |level: usize| [ROOT, UNIT, ACCOUNTS[0]][level].parse().unwrap();
        let ids: Vec<_> = (0..self.spec.policies.len())
            .map(|it| format!("p-{it:08}").parse::<plan::id::PolicyId>().unwrap())
            .collect();
        let policies = self.spec.policies.iter().zip(&ids);
        let mut attached = BTreeMap::<_, Vec<_>>::new();
        for ((level, _), id) in policies.clone() {
            attached.entry(target(*level)).or_default().push(id.clone());
        }
        let text =
            |it: &Value| AttachedPolicy { name: "policy".to_owned(), text: Some(it.to_string()) };
        let unit = |id: &str, parent| Unit { id: id.parse().unwrap(), name: String::new(), parent };
        let accounts = ACCOUNTS.iter().zip([1, 0]).map(|(id, unit)| Placed {
            listed: Listed {
                account: Account {
                    id: id.parse().unwrap(),
                    name: String::new(),
                    is_central: false,
                },
                state: AccountState::Active,
                paths: vec![],
            },
            unit,
        });
        Organization {
            id: "o-abcdefghij".to_owned(),
            partition: "aws".to_owned(),
            management: "100000000001".parse().unwrap(),
            units: vec![unit(ROOT, None), unit(UNIT, Some(0))],
            accounts: accounts.collect(),
            policies: policies.map(|((_, it), id)| (id.clone(), text(it))).collect(),
            attached,
            withheld: None,
        }
    }

    fn place(&self, account: usize, region: usize, knows: Knows) -> Place {
        let types = |of: &dyn Fn(usize) -> bool| {
            let types = KINDS.iter().enumerate().filter(|it| of(it.0));
            types.map(|it| it.1.0.parse::<ResourceType>().unwrap()).collect()
        };
        let opt_ins = KINDS.iter().zip(&self.spec.opted_in);
        let mut vaults = BTreeMap::new();
        for name in VAULTS.into_iter().chain(["copies", "gap"]) {
            for at in REGIONS {
                for of in [ACCOUNTS[account], CENTRAL, STRANGER] {
                    let arn = vault(of, at, name);
                    vaults.insert(arn.clone(), found(self.engine.vault(&arn)));
                }
            }
        }
        let roles = ROLES.iter().map(|it| {
            let arn = role(ACCOUNTS[account], it);
            let trust = self.engine.role(&arn);
            (arn, trust.map_or(Found::Absent, Found::Here))
        });
        let id = |it: &str| it.parse::<AccountId>().unwrap();
        Place {
            account: id(ACCOUNTS[account]),
            region: REGIONS[region].parse().unwrap(),
            partition: "aws".to_owned(),
            since: match knows {
                Knows::Everything => self.since.get(ACCOUNTS[account]).copied(),
                Knows::WhatAwsTells => None,
            },
            supported: Some(types(&|it| region == 0 || !self.spec.unsupported[it])),
            opt_ins: Ok(opt_ins.map(|(kind, on)| (kind.0.parse().unwrap(), *on)).collect()),
            vaults,
            roles: roles.collect(),
            organization: Some(Arc::new(
                ACCOUNTS.iter().chain([&CENTRAL]).map(|it| id(it)).collect(),
            )),
            is_cross_account: Some(self.spec.is_cross_account),
            unread: BTreeMap::new(),
            jobs_unread: None,
            local: vec![],
        }
    }

    /// Judges a resource, and gives what the engine knows of it to `look`.
    pub(super) fn judge<T>(
        &self,
        index: usize,
        look: impl FnOnce(&Coverage, &[BackupPlan]) -> T,
    ) -> T {
        self.judge_knowing(Knows::Everything, index, look)
    }

    /// The same, knowing so much of what came before.
    pub(super) fn judge_knowing<T>(
        &self,
        knows: Knows,
        index: usize,
        look: impl FnOnce(&Coverage, &[BackupPlan]) -> T,
    ) -> T {
        let thing = &self.spec.resources[index];
        let place = self.place(thing.account, thing.region, knows);
        let arn = thing.arn(index);
        let (created, first_seen) = match knows {
            Knows::Everything => (self.seen[index].0, Some(self.seen[index].1)),
            Knows::WhatAwsTells => (None, None),
        };
        let points: Vec<_> = self
            .engine
            .points()
            .filter(|it| it.resource == arn)
            .map(|it| RecoveryPoint {
                vault: it.vault.as_str().into(),
                created: it.created,
                completed: it.completed,
                status: match (it.expired, it.form) {
                    (true, _) => PointStatus::Expired,
                    (false, PointForm::Stopped) => PointStatus::Stopped,
                    (false, _) => PointStatus::Usable,
                },
                by: Some(by(&it.rule).into()),
                is_continuous: matches!(it.form, PointForm::Continuous | PointForm::Stopped),
                delete_at: it.delete_at,
            })
            .collect();
        let jobs: Vec<_> = self
            .engine
            .jobs()
            .iter()
            .filter(|it| it.resource == arn)
            .map(|it| Job {
                vault: it.vault.as_str().into(),
                created: it.created,
                ended: it.ended,
                by: Some(by(&it.rule).into()),
                state: state(it.progress),
                message: "".into(),
            })
            .collect();
        let copy_jobs: Vec<_> = self
            .engine
            .copy_jobs()
            .iter()
            .filter(|it| it.resource == arn)
            .map(|it| Job {
                vault: it.destination.as_str().into(),
                created: it.created,
                ended: None,
                by: Some(by(&it.rule).into()),
                state: state(it.progress),
                message: "".into(),
            })
            .collect();
        // Nothing but a backup tells apart what has ARNs of the same form.
        let is_told = match knows {
            Knows::Everything => true,
            Knows::WhatAwsTells => !points.is_empty() || !jobs.is_empty(),
        };
        let kind = is_told.then(|| KINDS[thing.kind].0.parse().unwrap());
        let resource = Resource {
            arn: arn.clone(),
            kind,
            tags: Some(thing.tags.iter().cloned().collect()),
            created,
            first_seen,
        };
        let evidence = Evidence { points: &points, jobs: &jobs, copy_jobs: &copy_jobs, tests: &[] };
        let asks = report::coverage::Asks::default();
        let plans = &self.effective[ACCOUNTS[thing.account]];
        let plans = plans.as_ref().map(Vec::as_slice).map_err(String::as_str);
        let judge = Judge::new(&place, plans, &asks, self.now());
        look(&judge.judge(&resource, evidence), plans.unwrap())
    }

    /// Whether AWS withholds the merged policy from the account of a resource.
    pub(super) fn is_withheld(&self, index: usize) -> bool {
        self.withheld.contains(ACCOUNTS[self.spec.resources[index].account])
    }

    pub(super) fn arn(&self, index: usize) -> String {
        self.spec.resources[index].arn(index)
    }

    /// Since when runs are owed to a resource at all.
    pub(super) fn owed_since(&self, index: usize) -> (Option<SystemTime>, SystemTime) {
        let (created, seen) = self.seen[index];
        let account = ACCOUNTS[self.spec.resources[index].account];
        (created, seen.max(self.since[account]))
    }
}

fn by((plan, rule): &(String, String)) -> Creator {
    Creator { plan: plan.clone(), rule: rule.clone() }
}

fn state(progress: JobProgress) -> JobState {
    match progress {
        JobProgress::Created | JobProgress::Running => JobState::Open,
        JobProgress::Completed => JobState::Completed,
        JobProgress::Failed | JobProgress::Aborted => JobState::Failed,
        JobProgress::Expired => JobState::Expired,
    }
}

pub(super) fn found(vault: Option<&EngineVault>) -> Found<Vault> {
    let Some(vault) = vault else { return Found::Absent };
    let key = match vault.key {
        EngineKey::Default => Key::Aws,
        EngineKey::Customer => Key::Customer,
        EngineKey::Disabled => Key::Unusable("is disabled".to_owned()),
    };
    let days = |it: Option<u32>| it.map(i64::from);
    let lock = vault.lock.map(|(least, most)| Lock {
        is_compliance: false,
        min_days: days(least),
        max_days: days(most),
    });
    Found::Here(Vault {
        key,
        lock,
        admits: Some(vault.admits_organization),
        is_air_gapped: vault.air_gapped,
    })
}

pub(super) fn vault(account: &str, region: &str, name: &str) -> String {
    format!("arn:aws:backup:{region}:{account}:backup-vault:{name}")
}

pub(super) fn role(account: &str, name: &str) -> String {
    format!("arn:aws:iam::{account}:role/{name}")
}
