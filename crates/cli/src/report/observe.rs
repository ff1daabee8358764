//! Looking around: in the organization, in the state bucket, and in every account.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use aws::member_accounts::{Member, MemberAccess, failure};
use aws::report::{
    Remembered, Tree, listed, look, look_at_destinations, organization, remembered, withheld,
};
use futures_util::{StreamExt as _, stream};
use plan::id::{AccountId, RoleArn, RoleName};
use plan::member_accounts::{Failure, Vault};
use report::{
    Destination, Look, Note, Observed, Organization, Outline, Report, Source, Visit, Wanted, judge,
};
use tokio::time::Instant;

use super::ReportArguments;
use crate::CommandError;
use crate::output::note;

/// The role of `templates/member-account.yaml`, as it is called by default.
const MEMBER_ROLE: &str = "org-backup-member";

/// By when everything has been read: far longer than it takes, so that nothing hangs for ever.
const PATIENCE: Duration = Duration::from_hours(12);

/// After how many accounts somebody who waits is told.
const STRIDE: usize = 100;

/// Looks at everything, and judges it.
pub(super) async fn observe(
    arguments: &ReportArguments,
    now: SystemTime,
) -> Result<Report, CommandError> {
    let session = arguments.live.session().await;
    let deadline = Instant::now() + PATIENCE;
    let management = session.management(None, deadline).await?;
    let mut notes = Vec::new();
    let listed = listed(&management).await?;
    let mut organization = organization(&management, listed, Tree::Named, &mut notes).await?;
    organization.withheld = withheld(&management, &mut notes).await;
    let Remembered { mut wanted, looks, last_sweep } = if let Some(state) = session.state(deadline)
    {
        let accounts = organization.accounts.iter().map(|it| &it.listed);
        let active = accounts.filter(|it| it.state == "ACTIVE").map(|it| it.account.id.clone());
        remembered(&state, &active.collect(), &mut notes).await
    } else {
        notes.push(Note {
            text: "without the state bucket it is not known what the last runs found".to_owned(),
            hint: "name the bucket of the bootstrap stack with `--state-bucket`".to_owned(),
        });
        Remembered::default()
    };
    if !arguments.regions.is_empty() {
        wanted.push(Wanted::in_regions(arguments.regions.iter().cloned().collect()));
    }
    let outline = Outline::new(&organization, &wanted, now);
    let (visits, destinations) = if arguments.no_members {
        (BTreeMap::new(), BTreeMap::new())
    } else {
        let visitor = Visitor {
            access: MemberAccess::new(&management),
            organization: &organization,
            wanted: &wanted,
            named: arguments.member_role.as_ref(),
        };
        let indexes = 0..organization.accounts.len();
        let looks = indexes.map(|it| (it, outline.look(&organization, &wanted, it)));
        let visits = visitor.visit_all(looks.collect(), arguments.concurrency).await;
        (visits, visitor.destinations(outline.destinations(&organization)).await)
    };
    let (source, taken) = (Source::Command, now);
    Ok(judge(Observed {
        source,
        taken,
        last_sweep,
        organization,
        outline,
        wanted,
        visits,
        destinations,
        looks,
        notes,
    }))
}

/// What enters accounts.
struct Visitor<'a> {
    access: MemberAccess<'a>,
    organization: &'a Organization,
    wanted: &'a [Wanted],
    /// The role that somebody named for every account.
    named: Option<&'a RoleName>,
}

impl Visitor<'_> {
    /// The role to enter an account with: `own`, where it has one of its own.
    fn role(&self, own: Option<&RoleName>) -> RoleName {
        let wanted = || self.wanted.iter().find_map(|it| it.member_role.clone());
        let usual = || MEMBER_ROLE.parse().unwrap_or_else(|_| unreachable!("it names a role"));
        self.named.or(own).cloned().or_else(wanted).unwrap_or_else(usual)
    }

    /// Looks at the vaults that copies go to, in one account after the other: there is mostly one.
    async fn destinations(
        &self,
        destinations: BTreeSet<Destination>,
    ) -> BTreeMap<Destination, Result<Vault, Failure>> {
        let mut by_account = BTreeMap::<AccountId, BTreeSet<Destination>>::new();
        for it in destinations {
            by_account.entry(it.account.clone()).or_default().insert(it);
        }
        let mut seen = BTreeMap::new();
        for (account, destinations) in by_account {
            let central = self.wanted.iter().filter_map(|it| it.central.as_ref());
            let central = central.map(|it| (&it.account, &it.role)).find(|it| *it.0 == account);
            let partition = &self.organization.partition;
            let session_policy = Destination::session_policy(&destinations, partition, &account);
            match self.enter(&account, central.map(|it| it.1), session_policy).await {
                Ok(member) => seen.extend(look_at_destinations(&member, &destinations).await),
                Err(failure) => {
                    seen.extend(destinations.into_iter().map(|it| (it, Err(failure.clone()))));
                }
            }
        }
        seen
    }

    async fn enter(
        &self,
        account: &AccountId,
        own: Option<&RoleName>,
        session_policy: String,
    ) -> Result<Member<'_>, Failure> {
        if *account == self.organization.management {
            return Ok(self.access.management());
        }
        let role = RoleArn::of(&self.organization.partition, account, &self.role(own));
        let entered = self.access.enter(&role, session_policy).await;
        entered.map_err(|error| failure(None, &error))
    }

    /// Looks around in every account in which there is something to look at.
    async fn visit_all(
        &self,
        looks: Vec<(usize, Look)>,
        concurrency: usize,
    ) -> BTreeMap<AccountId, Visit> {
        let looks = looks.into_iter().filter(|it| it.1 != Look::default());
        let looks: Vec<_> = looks.collect();
        let all = looks.len();
        // Boxed, so that as many of them as there may be at once stay small in between.
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
        let account = self.organization.accounts.get(index)?.listed.account.id.clone();
        let session_policy = wanted.session_policy(&self.organization.partition, &account);
        let visit = match self.enter(&account, wanted.by.as_ref(), session_policy).await {
            Ok(member) => Visit::Seen(look(&member, &wanted).await),
            Err(failure) => Visit::Barred(failure),
        };
        Some((account, visit))
    }
}
