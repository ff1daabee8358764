//! Reads what accounts know of their backups.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws::{Management, is_disabled};
use futures_util::future::join_all;
use members::Member;
use members::evidence::is_cross_account;
use plan::id::{AccountId, Region, RoleName, VaultName};
use plan::member_accounts::narrowed;
use report::coverage::{
    AccountReads, BackupPlan, Common, Coverage, DestinationReads, HeldVault, Holder, Inventory,
    JOBS_DAYS, Judge, LOOKS_AT_BACKUPS, Place, RegionReads, Resource, Tags,
};
use report::{Destination, Note, Outline, asks};

use crate::entrance::Entrance;

/// The time for which AWS Backup keeps jobs.
const JOBS: Duration = Duration::from_hours(JOBS_DAYS * 24);

/// The reason why the plans of an account are not those of its merged policy.
const WITHHELD: &str =
    "AWS withholds the merged policy, and the account keeps the plans that it had";

const CORRECT_THE_ACCOUNT: &str = "correct the account in `copy_actions`, or invite it";

/// The scope of a look, and the hint if a part of it is not possible.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'a> {
    /// The one resource whose recovery points are read; `None` to read all.
    pub resource: Option<&'a str>,
    /// True if copies do not matter, so that nobody looks at the vaults that they go to.
    pub skips_copies: bool,
    /// The hint for an account that cannot be entered.
    pub hint: &'a str,
}

/// The reader of accounts.
#[derive(Debug)]
pub struct Surveyor<'a> {
    entrance: &'a Entrance<'a>,
    outline: &'a Outline,
    own: Member<'a>,
    common: Common,
    /// The plans of each effective policy, in the order of [`Outline::effective`].
    plans: Vec<Vec<BackupPlan>>,
    /// The Region in which Resource Explorer is asked, if that is possible.
    view: Option<Region>,
    since: SystemTime,
    terms: Terms<'a>,
    /// The parts that could not be read for all accounts.
    unread: Vec<String>,
}

/// The content of an account.
#[derive(Debug, Default)]
pub struct Survey {
    /// The index of the account.
    pub index: usize,
    /// True if the account could be entered.
    pub is_entered: bool,
    /// The Regions, each with its resources.
    places: Vec<(Place, Inventory)>,
    /// The parts that could not be read.
    pub unread: Vec<String>,
}

impl Survey {
    /// Returns the resources.
    pub fn resources(&self) -> impl Iterator<Item = &Resource> {
        self.places.iter().flat_map(|it| &it.1.resources).map(|it| &it.0)
    }

    /// Returns the number of resources that have recovery points and that no inventory names.
    pub fn unnamed(&self) -> usize {
        self.places.iter().map(|it| it.1.unnamed.len()).sum()
    }
}

impl<'a> Surveyor<'a> {
    /// Reads what is the same for all accounts: the opt-ins that decide, and the vaults that
    /// receive copies. Copies of resources in accounts outside `chosen` are dropped.
    pub async fn new(
        management: &'a Management,
        entrance: &'a Entrance<'a>,
        outline: &'a Outline,
        terms: Terms<'a>,
        chosen: &BTreeSet<AccountId>,
        now: SystemTime,
    ) -> Self {
        let own = entrance.access.management();
        let organization = entrance.organization;
        let mut opt_ins = BTreeMap::new();
        for region in &outline.regions {
            let settings = own.settings(region).await.map(|it| it.opt_in);
            opt_ins.insert(region.clone(), settings.map_err(|it| it.problem()));
        }
        let cross_account = is_cross_account(management).await;
        let unread = cross_account.as_ref().err().map(aws::Error::problem);
        let accounts = organization.accounts.iter().map(|it| it.listed.account.id.clone());
        let common = Common {
            organization: organization.id.clone(),
            partition: organization.partition.clone(),
            accounts: Arc::new(accounts.collect()),
            is_cross_account: cross_account.ok(),
            opt_ins,
            destinations: BTreeMap::new(),
            copies: BTreeMap::new(),
            first_seen: BTreeMap::new(),
        };
        let mut surveyor = Self {
            entrance,
            outline,
            own,
            common,
            plans: outline.effective.iter().map(BackupPlan::all).collect(),
            view: None,
            since: now - JOBS,
            terms,
            unread: unread.into_iter().collect(),
        };
        if !terms.skips_copies {
            surveyor.look_at_destinations(chosen).await;
        }
        surveyor
    }

    /// Returns the same reader with the time at which resources were first seen.
    #[must_use]
    pub fn with_first_seen(mut self, seen: BTreeMap<String, (Tags, SystemTime)>) -> Self {
        self.common.first_seen = seen;
        self
    }

    /// Returns the same reader, which asks Resource Explorer in this Region, if it has a default
    /// view there. If it has none, a note says so.
    pub async fn with_view(mut self, region: Option<Region>) -> (Self, Option<Note>) {
        let Some(region) = region else { return (self, None) };
        let why = match self.own.has_index(&region).await {
            Ok(true) => {
                self.view = Some(region);
                return (self, None);
            }
            Ok(false) => format!("Resource Explorer has no view by default in {region}"),
            Err(error) => error.problem(),
        };
        let note = Note {
            text: format!("resources without tags were not looked for: {why}"),
            hint: "make a view of the organization the default one in that Region".to_owned(),
            is_unread: false,
        };
        (self, Some(note))
    }

    /// Returns the parts that could not be read for all accounts.
    pub fn unread(&self) -> &[String] {
        &self.unread
    }

    /// Judges the resources of an account by what was read at `now`, and hands each to `each`.
    ///
    /// # Errors
    ///
    /// Returns the first error of `each`. The resources after it are not judged.
    pub fn judge<E>(
        &self,
        survey: &Survey,
        now: SystemTime,
        mut each: impl FnMut(&Judge<'_>, &Resource, &Coverage) -> Result<(), E>,
    ) -> Result<(), E> {
        let asks = asks(self.entrance.organization, self.entrance.wanted, survey.index);
        let plans = self.plans(survey.index);
        for (place, Inventory { resources, .. }) in &survey.places {
            let judge = Judge::new(place, plans, &asks, now);
            for (resource, records) in resources {
                each(&judge, resource, &judge.judge(resource, records.evidence()))?;
            }
        }
        Ok(())
    }

    /// Returns the plans of the account at `index`, or the reason why they are not known.
    fn plans(&self, index: usize) -> Result<&[BackupPlan], &str> {
        let organization = self.entrance.organization;
        let account = organization.accounts.get(index).map(|it| &it.listed.account.id);
        let share = self.outline.shares.get(index).copied().unwrap_or_default();
        let effective = self.outline.effective.get(share);
        let withheld = account.zip(effective).and_then(|it| it.1.withheld(organization, it.0));
        if withheld.is_some() {
            return Err(WITHHELD);
        }
        Ok(self.plans.get(share).map(Vec::as_slice).unwrap_or_default())
    }

    /// Reads the account at `index`.
    pub async fn survey(&self, index: usize) -> Survey {
        let mut survey = Survey { index, ..Survey::default() };
        let organization = self.entrance.organization;
        let Some(placed) = organization.accounts.get(index) else { return survey };
        let account = &placed.listed.account.id;
        let look = self.outline.look(organization, self.entrance.wanted, index);
        let regions = self.outline.regions.iter().chain(look.regions.keys());
        let regions: BTreeSet<Region> = regions.cloned().collect();
        let session_policy = self.session_policy(account, &regions, &look.roles);
        let mut reads = AccountReads::default();
        match self.entrance.enter(account, look.by.as_ref(), session_policy).await {
            Err(barred) => {
                let name = &placed.listed.account.name;
                let why = format!("{}; hint: {}", barred.problem, self.terms.hint);
                survey.unread.push(format!("the account {account} {name}: {why}"));
                let closed = |it: &Region| (it.clone(), RegionReads::barred(&barred.problem));
                reads.regions = regions.iter().map(closed).collect();
            }
            Ok(member) => {
                survey.is_entered = true;
                for name in &look.roles {
                    let trust = member.trust(name).await.map_err(|it| it.problem());
                    reads.roles.insert(name.clone(), trust);
                }
                let none = BTreeSet::new();
                let named = |it: &Region| look.regions.get(it).unwrap_or(&none);
                let all = regions.iter().map(|it| look_into(&member, it, named(it)));
                for (region, read) in regions.iter().zip(join_all(all).await) {
                    reads.regions.extend(read.map(|it| (region.clone(), it)));
                }
                for (region, read) in &reads.regions {
                    for vault in read.vaults.iter().flatten().filter(|it| !it.is_empty) {
                        let points = &mut reads.points;
                        let each = |it| points.add(it);
                        let read =
                            member.each_point(region, &vault.name, self.terms.resource, each);
                        if let Err(error) = read.await {
                            reads.unread.insert(vault.arn.clone(), error.problem());
                        }
                    }
                }
            }
        }
        for (region, read) in &mut reads.regions {
            let jobs = self.own.backup_jobs(region, account, self.since);
            let copy_jobs = self.own.copy_jobs(region, account, self.since);
            let tests = self.own.restore_tests(region, account, self.since);
            let (jobs, copy_jobs, tests) = tokio::join!(jobs, copy_jobs, tests);
            read.jobs = jobs.map_err(|it| it.problem());
            read.copy_jobs = copy_jobs.map_err(|it| it.problem());
            read.tests = tests.map_err(|it| it.problem());
            if let Some(view) = &self.view {
                match self.own.indexed(view, account, region).await {
                    Ok(indexed) => read.indexed = Some(indexed),
                    Err(error) => survey.unread.push(error.problem()),
                }
            }
            survey.unread.extend(not_read(account, region, read));
        }
        let unread = reads.unread.values();
        survey.unread.extend(unread.map(|it| format!("the account {account}: {it}")));
        let path = organization.id_path(placed.unit);
        let plans = self.plans(index).unwrap_or_default();
        survey.places = self.common.places(Holder { account, path: &path, plans }, reads);
        survey
    }

    /// Reads the vaults that receive copies from other accounts, one account after the other. In
    /// most organizations there is only one.
    async fn look_at_destinations(&mut self, chosen: &BTreeSet<AccountId>) {
        let organization = self.entrance.organization;
        for (account, destinations) in self.outline.destinations(organization) {
            let regions: BTreeSet<_> = destinations.iter().map(|it| it.region.clone()).collect();
            let session_policy = self.session_policy(&account, &regions, &BTreeSet::new());
            let own = self.entrance.central_role(&account);
            let is_ours = self.common.accounts.contains(&account);
            let hint = if is_ours { self.terms.hint } else { CORRECT_THE_ACCOUNT };
            let member = if is_ours {
                self.entrance.enter(&account, own, session_policy).await.map_err(|it| it.problem)
            } else {
                Err(format!("the account {account} is not in the organization"))
            };
            let member = match member {
                Ok(member) => member,
                Err(why) => {
                    let vaults = format!("the vaults of {account} that copies go to");
                    self.unread.push(format!("{vaults}: {why}; hint: {hint}"));
                    let partition = &self.common.partition;
                    let barred =
                        destinations.iter().map(|it| (it.arn(partition), Err(why.clone())));
                    self.common.destinations.extend(barred);
                    continue;
                }
            };
            for region in regions {
                let here = destinations.iter().filter(|it| it.region == region);
                let named = here.map(|it| it.name.clone()).collect();
                let held = member.held_vaults(&region, &named).await.map_err(|it| it.problem());
                for it in destinations.iter().filter(|it| it.region == region) {
                    let arn = it.arn(&self.common.partition);
                    let reads = match &held {
                        Err(why) => Err(why.clone()),
                        Ok(held) => {
                            let held = held.iter().find(|it| it.arn == arn);
                            Ok(self.destination(&member, it, held, chosen).await)
                        }
                    };
                    let why = match &reads {
                        Ok(it) => it.unread.as_ref().or(it.policy.as_ref().err()),
                        Err(why) => Some(why),
                    };
                    self.unread.extend(why.map(|it| format!("the vault {arn}: {it}")));
                    self.common.destinations.insert(arn, reads);
                }
            }
        }
    }

    /// Reads one vault that receives copies. Copies of resources in accounts outside `chosen` are
    /// dropped.
    async fn destination(
        &mut self,
        member: &Member<'_>,
        destination: &Destination,
        held: Option<&HeldVault>,
        chosen: &BTreeSet<AccountId>,
    ) -> DestinationReads {
        let Destination { region, name, .. } = destination;
        let Some(held) = held else {
            return DestinationReads { vault: None, policy: Ok(None), unread: None };
        };
        let policy = member.access_policy(region, name.as_str()).await.map_err(|it| it.problem());
        let copies = &mut self.common.copies;
        // The ARN of a bucket contains no account.
        let is_chosen = |arn: &str| {
            let account = arn.split(':').nth(4).unwrap_or_default();
            account.is_empty() || account.parse().is_ok_and(|it| chosen.contains(&it))
        };
        let read = member.each_point(region, name.as_str(), self.terms.resource, |it| {
            if is_chosen(&it.resource) {
                copies.entry(it.resource).or_default().push(it.it);
            }
        });
        let unread = read.await.err().map(|it| it.problem());
        DestinationReads { vault: Some(held.vault.clone()), policy, unread }
    }

    fn session_policy(
        &self,
        account: &AccountId,
        regions: &BTreeSet<Region>,
        roles: &BTreeSet<RoleName>,
    ) -> String {
        narrowed(&LOOKS_AT_BACKUPS, regions, roles, &self.common.partition, account)
    }
}

/// Reads everything of a Region except recovery points and jobs. Returns `None` if the Region is
/// not enabled in the account.
async fn look_into(
    member: &Member<'_>,
    region: &Region,
    named: &BTreeSet<VaultName>,
) -> Option<RegionReads> {
    let settings = match member.settings(region).await {
        Err(error) if is_disabled(&error) => return None,
        settings => settings.map_err(|it| it.problem()),
    };
    let (vaults, local, tagged) = tokio::join!(
        member.held_vaults(region, named),
        member.local_plans(region),
        member.tagged(region)
    );
    Some(RegionReads {
        vaults: vaults.map_err(|it| it.problem()),
        settings,
        local: local.map_err(|it| it.problem()),
        tagged: tagged.map_err(|it| it.problem()),
        ..RegionReads::barred("")
    })
}

/// Returns the parts that were not read in a Region of an account that could be entered.
fn not_read(account: &AccountId, region: &Region, read: &RegionReads) -> Vec<String> {
    let RegionReads { vaults, local, tagged, jobs, copy_jobs, tests, .. } = read;
    let of_account = [vaults.as_ref().err(), local.as_ref().err(), tagged.as_ref().err()];
    let of_jobs = [jobs.as_ref().err(), copy_jobs.as_ref().err(), tests.as_ref().err()];
    let mut all: Vec<_> = of_account.into_iter().chain(of_jobs).flatten().collect();
    all.dedup();
    all.into_iter().map(|it| format!("the account {account} in {region}: {it}")).collect()
}
