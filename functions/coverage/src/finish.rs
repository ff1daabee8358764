//! The end of a sweep.

use std::collections::BTreeSet;
use std::time::SystemTime;

use aws::Session;
use errors::{advised, chain};
use plan::id::{AccountId, RunId};
use report::Organization;
use report::history::{
    Begun, Change, Channel, HubPlace, LAST, Notice, Notified, Past, Sum, Summary, SweepOrder,
    TIMELINE, history_key,
};
use state::remembered::asked;
use state::{Expected, State, Version};
use tracing::{error, info};

use crate::{Invoked, OrganizationPage, Setup, Unfinished, batches, kept, metrics, order};

/// The source of our events.
const SOURCE: &str = "org-backup";

/// The type of the event that other resources need action.
const KIND: &str = "Backup Coverage Changed";

/// The end of one run.
pub(crate) struct Ending<'a> {
    pub(crate) session: &'a Session,
    pub(crate) state: &'a State,
    pub(crate) setup: &'a Setup,
    pub(crate) run: &'a RunId,
    pub(crate) invoked: Invoked<'a>,
}

impl Ending<'_> {
    /// Sums up the batches, writes the summary, counts, and sends the notices that are due.
    ///
    /// The decision on a notice is written first: the summary of the sweep before is there until
    /// then, and a step that is repeated finds the decision.
    pub(crate) async fn finish(&self) -> Result<Summary, Unfinished> {
        let Self { state, run, .. } = *self;
        let SweepOrder { begun, organization, .. } = order(state, run).await?;
        let sum = self.sum().await?;
        let summary = sum.summary(report::PROGRAM, &organization.id, begun);
        let found = state.read(Begun::KEY).await?;
        let record = found.as_ref().and_then(|it| kept(Begun::KEY, Begun::read(&it.0)));
        if record.as_ref().is_some_and(|it| it.is_over(run)) {
            info!(%run, "the sweep was over already");
            return Ok(summary);
        }
        let notified = self.decide(&sum, begun).await?;
        let text = summary.text();
        state.write(&history_key(begun), text.clone(), Expected::Anything).await?;
        state.write(LAST, text, Expected::Anything).await?;
        self.remember(&summary, sum.barred()).await?;
        let told = self.tell(&summary, &organization, notified).await;
        (self.setup.tell)(&metrics::line(&summary, told.is_ok(), self.invoked.now()));
        told?;
        // A missing page is not a reason to repeat a sweep.
        if let Err(error) = self.page(organization).await {
            error!(reason = chain(&error), "the page was not written");
        }
        if let Some((record, (_, version))) = record.filter(|it| it.run == *run).zip(found) {
            let over = record.over().text();
            state.write(Begun::KEY, over, Expected::Still(&version)).await?;
        }
        Ok(summary)
    }

    /// Writes the page with what this sweep found.
    async fn page(&self, organization: Organization) -> Result<(), aws::Error> {
        let mut notes = Vec::new();
        let wanted = asked(self.state, &mut notes).await;
        OrganizationPage { organization, wanted, notes }.write(self.state, self.invoked.now()).await
    }

    /// Adds up what the batches found. An account that none of them looked into counts as not
    /// looked into.
    async fn sum(&self) -> Result<Sum, Unfinished> {
        let Self { state, run, .. } = *self;
        let mut sum = Sum::default();
        for key in state.list(&run.results_prefix()).await? {
            let found = state.read(&key).await?;
            let (text, _) = found.ok_or_else(|| Unfinished::Missing(key.clone()))?;
            sum.merge(Sum::read(&text).map_err(|it| Unfinished::Illegible(key, it))?);
        }
        let accounts = batches(state, run).await?.into_iter().flat_map(|it| it.accounts);
        let seen: BTreeSet<_> = sum.seen().cloned().collect();
        for account in accounts.filter(|it| !seen.contains(&it.id)) {
            sum.bar(&account.id);
            let hint = "see the log of the function `coverage`";
            let (id, name) = (&account.id, &account.name);
            let failed = format_args!("the account {id} {name}: its batch failed");
            sum.unread(advised(failed, Some(hint)));
        }
        Ok(sum)
    }

    /// Decides whether this sweep tells of a change, and writes the decision.
    async fn decide(
        &self,
        sum: &Sum,
        begun: SystemTime,
    ) -> Result<(Notified, Version), Unfinished> {
        let Self { state, setup, run, .. } = *self;
        let found = state.read(Notified::KEY).await?;
        let last = found.as_ref().and_then(|it| kept(Notified::KEY, Notified::read(&it.0)));
        let decided = Notified::decide(last.clone(), run, begun, sum, &setup.channels());
        match found {
            Some((_, version)) if last.as_ref() == Some(&decided) => Ok((decided, version)),
            found => {
                let version = found.as_ref().map(|it| &it.1);
                let expected = version.map_or(Expected::Nothing, Expected::Still);
                let version = state.write(Notified::KEY, decided.text(), expected).await?;
                Ok((decided, version))
            }
        }
    }

    /// Adds the sweep to the days so far.
    async fn remember(
        &self,
        summary: &Summary,
        unread: &BTreeSet<AccountId>,
    ) -> Result<(), Unfinished> {
        let found = self.state.read(TIMELINE).await?;
        let past = found.and_then(|it| kept(TIMELINE, Past::read(&it.0)));
        let mut past = past.unwrap_or_default();
        past.add(summary, unread);
        self.state.write(TIMELINE, past.text(), Expected::Anything).await?;
        Ok(())
    }

    /// Sends the notice to every channel that is left, and records each channel that got it.
    async fn tell(
        &self,
        summary: &Summary,
        organization: &Organization,
        (mut notified, mut version): (Notified, Version),
    ) -> Result<(), Unfinished> {
        let mut untold = None;
        for channel in notified.left().clone() {
            let before = match notified.base(channel) {
                Some(key) => {
                    let found = self.state.read(key).await?;
                    found.and_then(|it| kept(key, Summary::read(&it.0)))
                }
                None => None,
            };
            let change = before.map(|it| Change::between(&it, summary));
            let notice = Notice { summary, change: change.as_ref(), bucket: self.state.bucket() };
            if let Err(failed) = self.tell_one(channel, &notice, organization).await {
                error!(reason = chain(&failed), ?channel, "the notification could not be sent");
                untold = Some(failed);
                continue;
            }
            notified = notified.after(channel);
            let expected = Expected::Still(&version);
            version = self.state.write(Notified::KEY, notified.text(), expected).await?;
        }
        untold.map_or(Ok(()), |it| Err(Unfinished::Untold(it)))
    }

    /// Tells one channel. One that the setup no longer has needs nothing.
    async fn tell_one(
        &self,
        channel: Channel,
        notice: &Notice<'_>,
        organization: &Organization,
    ) -> Result<(), aws::Error> {
        let Self { session, setup, invoked: Invoked { deadline, .. }, .. } = *self;
        match channel {
            Channel::Mail => {
                let mail = notice.mail();
                info!(subject = mail.subject(), text = mail.text(), "told");
                let Some(topic) = &setup.topic else { return Ok(()) };
                session.publish(topic, &mail, deadline).await
            }
            Channel::Chat => {
                let Some(topic) = &setup.chat_topic else { return Ok(()) };
                session.publish_json(topic, &notice.chat(), deadline).await
            }
            Channel::Event => {
                let Some(bus) = &setup.event_bus else { return Ok(()) };
                let detail = notice.event();
                session.put_event(bus, SOURCE, KIND, &detail, deadline).await
            }
            Channel::Findings => {
                let region = session.region();
                let findings = notice.findings(HubPlace {
                    partition: &organization.partition,
                    region: &region,
                    account: organization.management.as_str(),
                });
                session.import_findings(&findings, deadline).await
            }
        }
    }
}
