//! Reads the organization, the state bucket and every account.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use ::coverage::{CALLS_IN_REGION, Destinations, Entrance, Surveyor, Terms, first_seen};
use aws::{Clock, Management, Session};
use futures_util::{StreamExt as _, stream};
use members::MemberAccess;
use members::evidence::is_cross_account;
use members::look::{look, look_at_destinations};
use organization::tree::guard_rails;
use plan::id::AccountId;
use plan::member_accounts::{Failure, NAME_A_ROLE, Vault};
use report::coverage::FirstSeen;
use report::history::{Evidence, Sum};
use report::{
    Destination, InspectionScope, Note, Observed, Organization, Outline, PROGRAM, Placed, Report,
    Source, Visit, judge,
};
use state::State;
use state::coverage_state::read_evidence;
use state::remembered::Remembered;
use tokio::time::Instant;

use super::ReportArguments;
use crate::CommandError;
use crate::accounts::{Known, chosen, tell_cost};
use crate::live::{PATIENCE, tell};
use crate::output::note;

/// The number of accounts between two messages of progress.
const STRIDE: usize = 100;

/// Reads everything, and judges it.
pub(super) async fn observe(
    arguments: &ReportArguments,
    now: SystemTime,
) -> Result<Report, CommandError> {
    let clock = Clock::default();
    let session = arguments.live.session_by(&clock).await?;
    let deadline = Instant::now() + PATIENCE;
    let management = session.management(None, deadline).await?;
    let known = Known::read(&session, &management, &arguments.regions, deadline, now).await?;
    // Without a Region no account is protected, whatever the state bucket has. So the answer is
    // complete without it.
    let without_state = known.without_state(!known.outline.regions.is_empty());
    let Known { organization, outline, remembered, mut notes, .. } = known;
    notes.extend(without_state);
    let Remembered { wanted, looks, last_sweep } = remembered;
    let chosen = chosen(&organization, &arguments.account, &arguments.ou)?;
    let evidence = match State::of(&session, deadline) {
        Some(state) => read_evidence(&state).await,
        None => Ok(None),
    };
    let mut evidence = evidence.unwrap_or_else(|error| {
        notes.push(Note {
            text: format!("the findings of the last sweep are unknown: {}", error.problem()),
            hint: "run `org-backup coverage` to look at the backups of resources".to_owned(),
            is_unread: true,
        });
        None
    });
    let is_live = arguments.is_live || arguments.member_role.is_some() || evidence.is_none();
    let (visits, destinations) = if arguments.no_members || !is_live {
        (BTreeMap::new(), BTreeMap::new())
    } else {
        let visitor = Visitor(Entrance {
            access: MemberAccess::new(&management),
            organization: &organization,
            wanted: &wanted,
            named: arguments.member_role.as_ref(),
        });
        let looks = looked_at(&organization, &chosen);
        let looks = looks.map(|it| (it, outline.look(&organization, &wanted, it)));
        let looks: Vec<_> = looks.filter(|it| it.1 != InspectionScope::default()).collect();
        let regions = if arguments.is_live { outline.regions.len() } else { 0 };
        let of_looks: usize = looks.iter().map(|it| calls(&it.1)).sum();
        let each = of_looks.div_ceil(looks.len().max(1)) + regions * CALLS_IN_REGION;
        tell_cost(looks.len(), each, arguments.concurrency);
        let visits = visitor.visit_all(looks, arguments.concurrency).await;
        if arguments.is_live {
            let backups = Backups {
                entrance: &visitor.0,
                management: &management,
                outline: &outline,
                session: &session,
                state: State::of(&session, deadline),
                now: clock.now(now),
            };
            let sum = backups.look(&chosen, arguments.concurrency, &mut notes).await;
            // The days so far are those of the sweeps.
            let (timeline, trend) = evidence.map(|it| (it.timeline, it.trend)).unwrap_or_default();
            let summary = sum.summary(PROGRAM, &organization.id, backups.now);
            evidence = Some(Evidence { summary, timeline, change: None, trend });
        }
        (visits, visitor.destinations(outline.destinations(&organization)).await)
    };
    let guard_rails = if visits.is_empty() {
        Err("no account was looked into".to_owned())
    } else {
        guard_rails(&management, &tell).await.map_err(|it| it.problem())
    };
    let is_cross_account = match is_cross_account(&management).await {
        Ok(is_on) => Some(is_on),
        Err(error) => {
            notes.push(Note {
                text: error.problem(),
                hint: "until AWS answers, copies between accounts count as switched on".to_owned(),
                is_unread: true,
            });
            None
        }
    };
    // AWS's clock decides how old the reports of runs are, because AWS dated them.
    let (source, taken) = (Source::Command, clock.now(now));
    let report = judge(Observed {
        source,
        taken,
        last_sweep,
        organization,
        outline,
        wanted,
        visits,
        destinations,
        looks,
        max_age: Duration::from_hours(arguments.max_age),
        is_role_named: arguments.member_role.is_some(),
        is_cross_account,
        guard_rails,
        notes,
        evidence,
    });
    let states = arguments.states.iter().copied().collect();
    let is_chosen = |it| chosen.binary_search(&it).is_ok();
    Ok(report.narrowed(is_chosen, &arguments.in_regions, states))
}

/// Returns the accounts that are read: those that are chosen, and the management account, whose
/// opt-ins decide for all.
fn looked_at(organization: &Organization, chosen: &[usize]) -> impl Iterator<Item = usize> {
    let is_management = |it: &Placed| it.listed.account.id == organization.management;
    let management = organization.accounts.iter().position(is_management);
    let is_looked_at =
        move |it: &usize| chosen.binary_search(it).is_ok() || Some(*it) == management;
    (0..organization.accounts.len()).filter(is_looked_at)
}

/// Returns the number of calls that a look takes: for the role, for the service-linked role of AWS
/// Backup, for the settings of each Region, and three for each vault and role.
fn calls(look: &InspectionScope) -> usize {
    let vaults: usize = look.regions.values().map(BTreeSet::len).sum();
    2 + look.regions.len() + 3 * (vaults + look.roles.len())
}

/// The reader of the backups of accounts.
struct Backups<'a> {
    entrance: &'a Entrance<'a>,
    management: &'a Management,
    outline: &'a Outline,
    session: &'a Session,
    state: Option<State>,
    /// The time by AWS's clock.
    now: SystemTime,
}

impl Backups<'_> {
    /// Looks at the backups of the active ones of these accounts, and adds them up.
    async fn look(&self, chosen: &[usize], concurrency: usize, notes: &mut Vec<Note>) -> Sum {
        let Self { entrance, management, outline, now, .. } = *self;
        let all = &entrance.organization.accounts;
        let active =
            chosen.iter().filter(|it| all.get(**it).is_some_and(|it| it.listed.is_active()));
        let active: Vec<_> = active.copied().collect();
        let accounts =
            active.iter().filter_map(|it| all.get(*it)).map(|it| it.listed.account.clone());
        let accounts: Vec<_> = accounts.collect();
        let ids = accounts.iter().map(|it| it.id.clone()).collect();
        let seen = match &self.state {
            Some(state) => first_seen(state, &accounts).await,
            None => Ok(BTreeMap::new()),
        };
        let seen = seen.unwrap_or_else(|error| {
            notes.push(Note {
                text: format!("when resources were first seen is not known: {}", error.problem()),
                hint: "a resource without a backup is not late until a sweep says so".to_owned(),
                is_unread: true,
            });
            BTreeMap::new()
        });
        let terms = Terms { resource: None, hint: NAME_A_ROLE };
        let destinations = Destinations::read(entrance, outline, terms, &ids).await;
        let surveyor = Surveyor::new(management, entrance, outline, terms, destinations, now).await;
        let surveyor = surveyor.with_first_seen(seen.values().flat_map(FirstSeen::seen).collect());
        let (surveyor, note) = surveyor.with_view(self.session.region().parse().ok()).await;
        notes.extend(note);
        let mut sum = Sum::default();
        surveyor.unread().iter().for_each(|it| sum.unread(it.clone()));
        let surveys = active.iter().map(|it| Box::pin(surveyor.survey(*it)));
        let mut surveys = stream::iter(surveys).buffered(concurrency.max(1));
        while let Some(survey) = surveys.next().await {
            surveyor.sum(&survey, now, &mut sum, |_, _, _| ());
        }
        sum
    }
}

/// The reader of accounts.
struct Visitor<'a>(Entrance<'a>);

impl Visitor<'_> {
    /// Reads the vaults that receive copies, one account after the other. In most organizations
    /// there is only one.
    async fn destinations(
        &self,
        by_account: BTreeMap<AccountId, BTreeSet<Destination>>,
    ) -> BTreeMap<Destination, Result<Vault, Failure>> {
        let mut seen = BTreeMap::new();
        for (account, destinations) in by_account {
            let partition = &self.0.organization.partition;
            let session_policy = Destination::session_policy(&destinations, partition, &account);
            match self.0.enter(&account, self.0.central_role(&account), session_policy).await {
                Ok(member) => seen.extend(look_at_destinations(&member, &destinations).await),
                Err(failure) => {
                    seen.extend(destinations.into_iter().map(|it| (it, Err(failure.clone()))));
                }
            }
        }
        seen
    }

    /// Reads these accounts.
    async fn visit_all(
        &self,
        looks: Vec<(usize, InspectionScope)>,
        concurrency: usize,
    ) -> BTreeMap<AccountId, Visit> {
        let all = looks.len();
        // Each visit is boxed, so that the futures that wait for their turn stay small.
        let visits = looks.into_iter().map(|(index, look)| Box::pin(self.visit(index, look)));
        let mut visits = stream::iter(visits).buffer_unordered(concurrency.max(1));
        let mut done = BTreeMap::new();
        while let Some(visit) = visits.next().await {
            done.extend(visit);
            if done.len() % STRIDE == 0 {
                note("note", &format!("looked into {} of {all} accounts", done.len()));
            }
        }
        done
    }

    async fn visit(&self, index: usize, wanted: InspectionScope) -> Option<(AccountId, Visit)> {
        let account = self.0.organization.accounts.get(index)?.listed.account.id.clone();
        let session_policy = wanted.session_policy(&self.0.organization.partition, &account);
        let visit = match self.0.enter(&account, wanted.by.as_ref(), session_policy).await {
            Ok(member) => Visit::Seen(look(&member, &wanted).await),
            Err(failure) => Visit::Barred(failure),
        };
        Some((account, visit))
    }
}
