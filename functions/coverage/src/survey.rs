//! Reads what accounts know of their backups.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws::{Management, is_disabled};
use errors::advised;
use futures_util::future::join_all;
use members::Member;
use members::evidence::is_cross_account;
use plan::id::{AccountId, Region, VaultName};
use plan::member_accounts::{Account, narrowed};
use report::coverage::{
    AccountReads, BackupPlan, Common, Coverage, DestinationReads, HeldVault, Holder, Inventory,
    JOBS_DAYS, Judge, LOOKS_AT_BACKUPS, Place, RegionReads, Resource, Tags,
};
use report::history::Sum;
use report::{Note, Outline, asks};

use crate::destinations::{Destinations, Terms};
use crate::entrance::Entrance;

/// The time for which AWS Backup keeps jobs.
const JOBS: Duration = Duration::from_hours(JOBS_DAYS * 24);

/// The reason why the plans of an account are not those of its merged policy.
const WITHHELD: &str =
    "AWS withholds the merged policy, and the account keeps the plans that it had";

/// The number of calls that a look takes in a Region of an account: its settings, vaults, plans and
/// tags, the recovery points of a vault, and its jobs of three kinds. More pages and vaults are more.
pub const CALLS_IN_REGION: usize = 8;

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
    /// The Regions, each with its resources.
    places: Vec<(Place, Inventory)>,
    /// The reason why the account could not be entered, if it could not.
    pub barred: Option<Barred>,
    /// The parts that could not be read.
    unread: Vec<UnreadPart>,
}

/// A part of an account that could not be read.
#[derive(Debug)]
struct UnreadPart {
    /// The part and the reason, in words.
    line: String,
    /// True if the reason is the one that bars the account.
    is_barred: bool,
}

/// An account that could not be entered.
#[derive(Debug)]
pub struct Barred {
    /// The account.
    pub account: AccountId,
    /// The name of the account.
    name: String,
    /// The reason and the next step.
    pub why: String,
}

impl fmt::Display for Barred {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the account {} {}: {}", self.account, self.name, self.why)
    }
}

impl Survey {
    /// Returns the resources.
    pub fn resources(&self) -> impl Iterator<Item = &Resource> {
        self.places.iter().flat_map(|it| &it.1.resources).map(|it| &it.0)
    }

    /// Returns the parts that could not be read for another reason than the one that bars the account,
    /// which each of its Regions repeats.
    pub fn unread_besides(&self) -> impl Iterator<Item = &String> {
        self.unread.iter().filter(|it| !it.is_barred).map(|it| &it.line)
    }

    /// Returns `true` if all of the account could be read.
    pub(crate) fn is_whole(&self) -> bool {
        self.barred.is_none() && self.unread.is_empty()
    }

    /// Returns the number of resources that have recovery points and that no inventory names.
    pub fn unnamed(&self) -> usize {
        self.places.iter().map(|it| it.1.unnamed.len()).sum()
    }
}

impl<'a> Surveyor<'a> {
    /// Reads what is the same for all accounts: the opt-ins that decide, and whether copies between
    /// accounts are allowed.
    pub async fn new(
        management: &'a Management,
        entrance: &'a Entrance<'a>,
        outline: &'a Outline,
        terms: Terms<'a>,
        destinations: Destinations,
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
        let Destinations { vaults, copies, mut unread } = destinations;
        unread.extend(cross_account.as_ref().err().map(aws::Error::problem));
        let accounts = organization.accounts.iter().map(|it| it.listed.account.id.clone());
        let common = Common {
            organization: organization.id.clone(),
            partition: organization.partition.clone(),
            accounts: Arc::new(accounts.collect()),
            is_cross_account: cross_account.ok(),
            opt_ins,
            destinations: vaults,
            copies,
            first_seen: BTreeMap::new(),
        };
        Self {
            entrance,
            outline,
            own,
            common,
            plans: outline.effective.iter().map(BackupPlan::all).collect(),
            view: None,
            since: now - JOBS,
            terms,
            unread,
        }
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

    /// Judges the resources of an account by what was read at `now`, adds them to `sum`, and hands
    /// each to `each`.
    pub fn sum(
        &self,
        survey: &Survey,
        now: SystemTime,
        sum: &mut Sum,
        mut each: impl FnMut(&Judge<'_>, &Resource, &Coverage),
    ) {
        let placed = self.entrance.organization.accounts.get(survey.index);
        let Some(Account { id, name, .. }) = placed.map(|it| &it.listed.account) else { return };
        // Of an account that nobody could enter, what it has may be known from elsewhere.
        if survey.barred.is_none() || survey.resources().next().is_some() {
            sum.account(id, name, now);
        }
        let Ok(()) = self.judge(survey, now, |judge, resource, coverage| {
            sum.resource(judge, resource, coverage);
            each(judge, resource, coverage);
            Ok::<_, Infallible>(())
        });
        if !survey.is_whole() {
            sum.bar(id);
        }
        let barred = survey.barred.iter().map(ToString::to_string);
        let unread = survey.unread.iter().map(|it| it.line.clone());
        barred.chain(unread).for_each(|it| sum.unread(it));
    }

    /// Returns `true` if all recovery points of this vault were read with the copies.
    ///
    /// The vault that receives the copies of an organization has millions, and the batch of its
    /// account would read them a second time.
    fn has_copies(&self, vault: &str) -> bool {
        let read = self.common.destinations.get(vault);
        read.is_some_and(|it| it.as_ref().is_ok_and(DestinationReads::is_whole))
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
        let partition = &self.common.partition;
        let session_policy = narrowed(&LOOKS_AT_BACKUPS, &regions, &look.roles, partition, account);
        let mut reads = AccountReads::default();
        match self.entrance.enter(account, look.by.as_ref(), session_policy).await {
            Err(barred) => {
                survey.barred = Some(Barred {
                    account: account.clone(),
                    name: placed.listed.account.name.clone(),
                    why: advised(&barred.problem, Some(self.terms.hint)),
                });
                let closed = |it: &Region| (it.clone(), RegionReads::barred(&barred.problem));
                reads.regions = regions.iter().map(closed).collect();
            }
            Ok(member) => {
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
                    let has_points = |it: &&HeldVault| !it.is_empty && !self.has_copies(&it.arn);
                    for vault in read.vaults.iter().flatten().filter(has_points) {
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
                    Err(error) => survey.unread.push(part(error.problem())),
                }
            }
            let is_barred = survey.barred.is_some();
            survey.unread.extend(not_read(account, region, read, is_barred));
        }
        let of_vaults = reads.unread.values();
        survey.unread.extend(of_vaults.map(|it| part(format!("the account {account}: {it}"))));
        let path = organization.id_path(placed.unit);
        let plans = self.plans(index).unwrap_or_default();
        survey.places = self.common.places(Holder { account, path: &path, plans }, reads);
        survey
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

/// Returns the part in `line`, which could not be read although nothing bars the account.
fn part(line: String) -> UnreadPart {
    UnreadPart { line, is_barred: false }
}

/// Returns the parts that were not read in a Region of an account. If `is_barred`, the account could not be
/// entered, and that is the reason for all of them except its jobs, which are read from elsewhere.
fn not_read(
    account: &AccountId,
    region: &Region,
    read: &RegionReads,
    is_barred: bool,
) -> Vec<UnreadPart> {
    let RegionReads { vaults, local, tagged, jobs, copy_jobs, tests, .. } = read;
    let of_account = [vaults.as_ref().err(), local.as_ref().err(), tagged.as_ref().err()];
    let of_jobs = [jobs.as_ref().err(), copy_jobs.as_ref().err(), tests.as_ref().err()];
    let of_account = of_account.into_iter().flatten().map(|it| (it, is_barred));
    let of_jobs = of_jobs.into_iter().flatten().map(|it| (it, false));
    let mut all: Vec<_> = of_account.chain(of_jobs).collect();
    all.dedup_by(|later, it| later.0 == it.0);
    let line = |it: &str| format!("the account {account} in {region}: {it}");
    all.into_iter().map(|(it, is_barred)| UnreadPart { line: line(it), is_barred }).collect()
}
