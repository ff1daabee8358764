//! Looking around: in the organization, in the state bucket, and in every account.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use aws::member_accounts::{MemberAccess, failure};
use aws::report::{Remembered, Tree, listed, look, organization, remembered, withheld};
use futures_util::{StreamExt as _, stream};
use plan::id::{AccountId, RoleArn, RoleName};
use report::{Look, Note, Observed, Organization, Outline, Report, Source, Visit, Wanted, judge};
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
    let visits = if arguments.no_members {
        BTreeMap::new()
    } else {
        let role = arguments.member_role.clone();
        let role = role.or_else(|| wanted.iter().find_map(|it| it.member_role.clone()));
        let usual = || MEMBER_ROLE.parse().unwrap_or_else(|_| unreachable!("it names a role"));
        let role = role.unwrap_or_else(usual);
        let visitor = Visitor {
            access: MemberAccess::new(&management),
            organization: &organization,
            role: &role,
        };
        let indexes = 0..organization.accounts.len();
        let looks = indexes.map(|it| (it, outline.look(&organization, &wanted, it)));
        visitor.visit_all(looks.collect(), arguments.concurrency).await
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
        looks,
        notes,
    }))
}

/// What enters accounts.
struct Visitor<'a> {
    access: MemberAccess<'a>,
    organization: &'a Organization,
    role: &'a RoleName,
}

impl Visitor<'_> {
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
        let partition = &self.organization.partition;
        let member = if account == self.organization.management {
            self.access.management()
        } else {
            let role = RoleArn::of(partition, &account, self.role);
            let session_policy = wanted.session_policy(partition, &account);
            match self.access.enter(&role, session_policy).await {
                Ok(member) => member,
                Err(error) => return Some((account, Visit::Barred(failure(None, &error)))),
            }
        };
        Some((account, Visit::Seen(look(&member, &wanted).await)))
    }
}
