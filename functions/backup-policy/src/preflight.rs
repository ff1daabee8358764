//! Looking ahead before a change, and at what AWS says after it.

use std::collections::BTreeSet;
use std::error::Error;
use std::time::SystemTime;

use aws::Management;
use aws::preflight::{account_under, observe};
use aws::publication::{self, Publication, Report};
use plan::backup_policy::{Desired, Existing, Step};
use plan::id::{AccountId, TargetId};
use plan::preflight::{Change, Withheld, suspects};
use tracing::{info, warn};

use crate::properties::Preflight;

/// What is known of the organization before the change.
pub(crate) struct Outlook {
    /// An account from which AWS would withhold its policies.
    pub(crate) withheld: Option<Withheld>,
    /// An account that the change reaches.
    account: Option<AccountId>,
    /// What that account had before.
    publication: Option<Publication>,
}

impl Outlook {
    /// Merges what the accounts would get if `existing` became `desired` by these `steps`.
    ///
    /// # Errors
    ///
    /// When a read fails. Nothing has changed.
    pub(crate) async fn new(
        management: &Management,
        desired: &Desired,
        existing: Option<&Existing>,
        steps: &[Step],
        now: SystemTime,
    ) -> Result<Self, aws::Error> {
        let Desired { name, document, targets, .. } = desired;
        let changed = existing.iter().flat_map(|it| &it.targets).chain(targets).cloned().collect();
        let organization = observe(management, &changed).await?;
        let change = Change { id: existing.map(|it| &it.id), name, document, targets };
        let attached: BTreeSet<TargetId> =
            organization.attached.keys().chain(targets).cloned().collect();
        let mut outlook = Self { withheld: None, account: None, publication: None };
        for suspect in suspects(&organization, &change, now) {
            if let Some(account) = account_under(management, &suspect.target, &attached).await? {
                outlook.account = Some(account.clone());
                outlook.withheld = Some(Withheld { account, suspect });
                return Ok(outlook);
            }
        }
        // The last one, because it is published last.
        let moved = steps.iter().rev().find_map(|it| match it {
            Step::Attach(target) | Step::Detach(target) => Some(target),
            _ => None,
        });
        if let Some(target) = moved.or(targets.first()) {
            outlook.account = account_under(management, target, &BTreeSet::new()).await?;
        }
        Ok(outlook)
    }

    /// Notes what is published now, to tell later whether the change is.
    pub(crate) async fn prepare(&mut self, management: &Management) {
        let Some(account) = self.account.take() else { return };
        match publication::before(management, account).await {
            Ok(publication) => self.publication = Some(publication),
            Err(error) => complain(&error),
        }
    }

    /// Logs what AWS itself says once the change is published.
    ///
    /// The change is made, so not being able to ask is no failure of it.
    pub(crate) async fn report(&self, management: &Management) {
        let Report { is_published, frozen } =
            match publication::after(management, self.publication.as_ref()).await {
                Ok(report) => report,
                Err(error) => return complain(&error),
            };
        if !is_published {
            warn!("AWS has not published the change yet, and reports on what was before");
        }
        if !frozen.is_empty() {
            let shown: Vec<_> = frozen.iter().take(3).map(ToString::to_string).collect();
            let (accounts, cases) = (frozen.len(), shown.join("; "));
            warn!(accounts, cases, "AWS reports invalid effective policies");
        } else if is_published {
            info!("AWS reports no invalid effective policy");
        }
    }
}

/// Logs that something is not known, which is no failure of the change.
fn complain(error: &aws::Error) {
    let why = error.source().map(ToString::to_string);
    warn!(%error, why, "AWS could not be asked about effective policies");
}

/// Makes of a verdict what the template asks for.
pub(crate) fn judge<E: Error>(
    mode: Preflight,
    verdict: impl FnOnce() -> Result<(), E>,
) -> Result<(), E> {
    match mode {
        Preflight::Off => Ok(()),
        Preflight::Enforce => verdict(),
        Preflight::Warn => {
            verdict().unwrap_or_else(|it| warn!(warning = %it, "preflight"));
            Ok(())
        }
    }
}
