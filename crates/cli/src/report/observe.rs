//! Reads the organization, the state bucket and every account.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use ::coverage::Entrance;
use aws::Clock;
use futures_util::{StreamExt as _, stream};
use members::MemberAccess;
use members::evidence::is_cross_account;
use members::look::{look, look_at_destinations};
use plan::id::AccountId;
use plan::member_accounts::{Failure, Vault};
use report::{
    Destination, Look, Note, Observed, Organization, Placed, Report, Source, Visit, judge,
};
use state::State;
use state::coverage_state::read_evidence;
use state::remembered::Remembered;
use tokio::time::Instant;

use super::ReportArguments;
use crate::CommandError;
use crate::accounts::{Known, chosen};
use crate::live::PATIENCE;
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
    let Known { organization, outline, remembered, mut notes } = known;
    let Remembered { wanted, looks, last_sweep } = remembered;
    let chosen = chosen(&organization, &arguments.account, &arguments.ou)?;
    let evidence = match State::of(&session, deadline) {
        Some(state) => read_evidence(&state).await,
        None => Ok(None),
    };
    let evidence = evidence.unwrap_or_else(|error| {
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
        let looks: Vec<_> = looks.filter(|it| it.1 != Look::default()).collect();
        let calls: usize = looks.iter().map(|it| calls(&it.1)).sum();
        if looks.len() > STRIDE {
            let accounts = looks.len();
            let words = format!("looking into {accounts} accounts takes about {calls} calls");
            note(
                "note",
                &format!("{words}; hint: `--no-members` shows the findings of the last runs"),
            );
        }
        let visits = visitor.visit_all(looks, arguments.concurrency).await;
        (visits, visitor.destinations(outline.destinations(&organization)).await)
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
fn calls(look: &Look) -> usize {
    let vaults: usize = look.regions.values().map(BTreeSet::len).sum();
    2 + look.regions.len() + 3 * (vaults + look.roles.len())
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
        looks: Vec<(usize, Look)>,
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

    async fn visit(&self, index: usize, wanted: Look) -> Option<(AccountId, Visit)> {
        let account = self.0.organization.accounts.get(index)?.listed.account.id.clone();
        let session_policy = wanted.session_policy(&self.0.organization.partition, &account);
        let visit = match self.0.enter(&account, wanted.by.as_ref(), session_policy).await {
            Ok(member) => Visit::Seen(look(&member, &wanted).await),
            Err(failure) => Visit::Barred(failure),
        };
        Some((account, visit))
    }
}
