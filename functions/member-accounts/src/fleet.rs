//! Concurrent work in many accounts.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::future::ready;
use std::time::Duration;

use aws::{Management, failure};
use futures_util::{Stream, StreamExt};
use members::{Member, MemberAccess};
use organization::accounts::Identity;
use plan::id::{Region, ResourceType, RoleArn, RoleName};
use plan::member_accounts::{
    Account, Change, Desired, Failure, MemberOutcome, Observed, OptIn, Problem, Properties,
    Settings, Tally, check_role, plan, session_policy,
};
use resources::Error;
use tokio::sync::OnceCell;
use tokio::time::Instant;
use tracing::{debug, info};

/// The time that work in one account may take. After it, the remaining Regions are skipped.
///
/// Work usually takes seconds. If no endpoint answers, every call would use its full timeout.
const LONGEST: Duration = Duration::from_secs(45);

/// The number of accounts between two progress lines in the log.
const STRIDE: usize = 100;

/// The roles that are assumed in accounts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Roles<'a> {
    /// The role in every account.
    pub(crate) member: &'a RoleName,
    /// The role in an account that only receives copies, if there is one.
    pub(crate) central: Option<&'a RoleName>,
}

impl<'a> Roles<'a> {
    /// Returns the roles that `properties` name.
    pub(crate) fn of(properties: &'a Properties) -> Result<Self, Error> {
        let central = properties.central()?.map(|(_, role)| role);
        Ok(Self { member: &properties.role_name, central })
    }

    fn of_account(&self, account: &Account) -> &'a RoleName {
        self.central.filter(|_| account.is_central).unwrap_or(self.member)
    }
}

/// A worker for many accounts.
#[derive(Debug)]
pub(crate) struct Fleet<'a> {
    identity: &'a Identity,
    desired: &'a Desired,
    /// The desired state of an account that only receives copies.
    central: Desired,
    roles: Roles<'a>,
    access: MemberAccess<'a>,
    /// The resource types that each Region supports, or the reason why they are unknown.
    supported: BTreeMap<Region, OnceCell<Result<BTreeSet<ResourceType>, Failure>>>,
    /// The time after which no other account is begun.
    stop: Instant,
    /// True if settings are changed, and false if changes are only reported.
    writes: bool,
}

/// The result of the work.
#[derive(Debug, Default)]
pub(crate) struct Work {
    /// The totals.
    pub(crate) tally: Tally,
    /// The report, with one line for every account and failure.
    pub(crate) report: String,
    /// The accounts that were not visited because time ran out.
    pub(crate) unreached: Vec<Account>,
    /// The accounts that could not be entered and will be tried again.
    pub(crate) barred: Vec<Account>,
}

/// The handling of accounts that cannot be entered.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Barred {
    /// They are reported as failures.
    Fail,
    /// They are kept for another attempt.
    Keep,
}

impl<'a> Fleet<'a> {
    /// Returns a fleet that brings accounts to `desired` with one of the `roles`, until shortly
    /// before `deadline`. Regions in `supported` are not asked for their resource types again.
    pub(crate) fn new(
        management: &'a Management,
        identity: &'a Identity,
        desired: &'a Desired,
        roles: Roles<'a>,
        supported: BTreeMap<Region, BTreeSet<ResourceType>>,
        deadline: Instant,
    ) -> Self {
        let known = |it: &Region| OnceCell::new_with(supported.get(it).cloned().map(Ok));
        let supported = desired.regions.iter().map(|it| (it.clone(), known(it))).collect();
        // Work that has begun needs time to finish, and its results have to be written.
        let left = deadline.saturating_duration_since(Instant::now());
        let stop = deadline - (left / 4).min(Duration::from_mins(1));
        let access = MemberAccess::new(management);
        let central = desired.in_central_account();
        Self { identity, desired, central, roles, access, supported, stop, writes: true }
    }

    /// Returns this fleet in a form that changes nothing, and reports what it would change as
    /// changed.
    pub(crate) fn only_looking(self) -> Self {
        Self { writes: false, ..self }
    }

    /// Works in `accounts`, `concurrency` of them at a time. `total` is set once their number is
    /// known.
    pub(crate) async fn work(
        &self,
        accounts: impl Stream<Item = Account>,
        concurrency: usize,
        total: &Cell<Option<usize>>,
        barred: Barred,
    ) -> Work {
        let started = Instant::now();
        let work = Work::default();
        // Boxed, so that the many concurrent futures stay small while they wait.
        let visits = accounts.map(|it| Box::pin(self.visit(it))).buffer_unordered(concurrency);
        visits
            .fold(work, |mut work, visit| {
                work.add(visit, barred);
                let done = work.tally.worked();
                if done % STRIDE == 0 {
                    let left = total.get().map(|total| remaining(started.elapsed(), done, total));
                    let (total, ready) = (total.get(), work.tally.ready);
                    info!(done, ready, total, seconds_left = left, "progress");
                }
                ready(work)
            })
            .await
    }

    /// Returns the resource types that every Region supports, for later invocations. Returns an
    /// empty map unless all invocations need them.
    pub(crate) async fn all_supported(&self) -> BTreeMap<Region, BTreeSet<ResourceType>> {
        let mut all = BTreeMap::new();
        if self.desired.opt_in != OptIn::All {
            return all;
        }
        for region in &self.desired.regions {
            // A Region that does not answer is asked again by the invocation that needs it.
            if let Ok(types) = self.supported(region).await {
                all.insert(region.clone(), types.clone());
            }
        }
        all
    }

    /// Returns the desired state of `account`.
    fn desired(&self, account: &Account) -> &Desired {
        if account.is_central { &self.central } else { self.desired }
    }

    async fn visit(&self, account: Account) -> Result<MemberOutcome, Account> {
        if Instant::now() >= self.stop {
            return Err(account);
        }
        let is_member = account.id != self.identity.management;
        let mut outcome = MemberOutcome::new(account, is_member);
        let member = if is_member {
            match self.enter(outcome.account()).await {
                Ok(member) => member,
                Err(error) => {
                    let code = error.code().unwrap_or("no answer");
                    outcome.bar(code, failure(None, &error));
                    return Ok(outcome);
                }
            }
        } else {
            self.access.management()
        };
        self.make_sure_of_service_role(&member, &mut outcome).await;
        let role = self.look_at_role(&member, &mut outcome).await;
        let longest = Instant::now() + LONGEST;
        for region in &self.desired.regions {
            if Instant::now() < longest {
                self.work_in(region, &member, role.as_deref(), &mut outcome).await;
            } else {
                outcome.fail(Failure {
                    region: Some(region.clone()),
                    problem: "not looked at, since the account had taken too long by then".into(),
                    hint: "see what is wrong with its other Regions, and deploy again".into(),
                });
            }
        }
        Ok(outcome)
    }

    async fn enter(&self, account: &Account) -> Result<Member<'a>, aws::Error> {
        let (partition, id) = (&self.identity.partition, &account.id);
        let role = RoleArn::of(partition, id, self.roles.of_account(account));
        let policy = session_policy(self.desired(account), partition, id, self.writes);
        self.access.enter(&role, policy).await
    }

    /// Creates the service-linked role of AWS Backup if it is missing.
    async fn make_sure_of_service_role(&self, member: &Member<'_>, outcome: &mut MemberOutcome) {
        let made = match member.has_service_role().await {
            Ok(true) => return,
            Ok(false) if self.writes => member.make_service_role().await,
            Ok(false) => Ok(()),
            Err(error) => Err(error),
        };
        match made {
            Ok(()) => outcome.make_service_role(),
            Err(error) => outcome.fail(failure(None, &error)),
        }
    }

    /// Checks the role that AWS Backup uses, and returns its ARN if the role exists.
    async fn look_at_role(
        &self,
        member: &Member<'_>,
        outcome: &mut MemberOutcome,
    ) -> Option<String> {
        let name = self.desired(outcome.account()).role.as_ref()?;
        match member.backup_role(name).await {
            Ok(role) => {
                for problem in check_role(name, role.as_ref()) {
                    outcome.find(None, &problem);
                }
                role.map(|it| it.arn)
            }
            Err(error) => {
                outcome.fail(failure(None, &error));
                None
            }
        }
    }

    /// Reads, compares, and writes the differences.
    async fn work_in(
        &self,
        region: &Region,
        member: &Member<'_>,
        role: Option<&str>,
        outcome: &mut MemberOutcome,
    ) {
        let desired = self.desired(outcome.account());
        let role = role.map(ToOwned::to_owned);
        let mut observed = Observed { role, ..Observed::default() };
        if desired.has_settings() {
            observed.settings = match member.settings(region).await {
                Ok(settings) => settings,
                Err(error) => return outcome.fail(failure(Some(region), &error)),
            };
            if desired.asks_for_support(&observed.settings) {
                observed.supported = match self.supported(region).await {
                    Ok(types) => types.clone(),
                    Err(failure) => return outcome.fail(failure.clone()),
                };
            }
        }
        if let Some(name) = &desired.vault {
            match member.vault(region, name).await {
                Ok((vault, _)) => observed.vault = Some(vault),
                Err(error) => outcome.fail(failure(Some(region), &error)),
            }
        }
        let plan = plan(desired, &observed);
        for problem in &plan.problems {
            outcome.find(Some(region), problem);
        }
        outcome.miss(region, plan.unknown);
        if !plan.change.is_empty() {
            let account = &outcome.account().id;
            debug!(%account, %region, step = %plan.change, "plan");
            if self.writes {
                self.set(region, member, plan.change, &observed.settings, outcome).await;
            } else {
                outcome.change(region, plan.change);
            }
        }
    }

    async fn set(
        &self,
        region: &Region,
        member: &Member<'_>,
        change: Change,
        settings: &Settings,
        outcome: &mut MemberOutcome,
    ) {
        match member.set(region, &change).await {
            Ok(()) => outcome.change(region, change),
            Err(error) if error.code() == Some("InvalidParameterValueException") => {
                let (rest, refused) = change.without_news(settings);
                if refused.is_empty() {
                    return outcome.fail(failure(Some(region), &error));
                }
                if !rest.is_empty() {
                    match member.set(region, &rest).await {
                        Ok(()) => outcome.change(region, rest),
                        Err(error) => outcome.fail(failure(Some(region), &error)),
                    }
                }
                let refused = Problem::Refused(refused.into_keys().collect());
                outcome.find(Some(region), &refused);
            }
            Err(error) => outcome.fail(failure(Some(region), &error)),
        }
    }

    /// Returns the resource types that a Region supports. Each Region is asked once, in the
    /// management account.
    async fn supported(&self, region: &Region) -> Result<&BTreeSet<ResourceType>, &Failure> {
        static NONE: BTreeSet<ResourceType> = BTreeSet::new();
        let Some(cell) = self.supported.get(region) else { return Ok(&NONE) };
        let ask = async || {
            let management = self.access.management();
            management.supported(region).await.map_err(|it| failure(Some(region), &it))
        };
        cell.get_or_init(ask).await.as_ref()
    }
}

impl Work {
    fn add(&mut self, visit: Result<MemberOutcome, Account>, barred: Barred) {
        match visit {
            Ok(outcome) if outcome.is_barred() && barred == Barred::Keep => {
                self.barred.push(outcome.account().clone());
            }
            Ok(outcome) => {
                self.tally.add(&outcome);
                for line in outcome.lines() {
                    // Writing to a string cannot fail.
                    let _ = self.report.write_str(&line.text());
                }
            }
            Err(account) => self.unreached.push(account),
        }
    }
}

/// Returns the remaining seconds at the rate so far.
fn remaining(elapsed: Duration, done: usize, total: usize) -> u64 {
    let done = u32::try_from(done.max(1)).unwrap_or(u32::MAX);
    let left = u32::try_from(total).unwrap_or(u32::MAX).saturating_sub(done);
    (elapsed / done * left).as_secs()
}
