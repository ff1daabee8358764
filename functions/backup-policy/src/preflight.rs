//! Checks before a change, and the findings of AWS after it.

use std::collections::BTreeSet;
use std::time::SystemTime;

use aws::{Management, Need, log_left_out};
use organization::preflight::{account_under, observe};
use organization::publication::{self, Publication, Report};
use plan::backup_policy::{Desired, Existing, Preflight, Step};
use plan::id::TargetId;
use plan::preflight::{Edit, Withheld, suspects};
use resources::Error;
use tracing::{info, warn};

/// The facts about the organization before the change.
#[derive(Default)]
pub(crate) struct Outlook {
    /// An account from which AWS would withhold the effective policy.
    pub(crate) withheld: Option<Withheld>,
    /// The location of an account that the change reaches.
    reached: Option<TargetId>,
    /// The published effective policy of that account before the change.
    publication: Option<Publication>,
}

impl Outlook {
    /// Merges the effective policies that the accounts would get if these `steps` changed
    /// `existing` to `desired`, as far as `mode` requires.
    ///
    /// # Errors
    ///
    /// Returns an error if a read fails that decides whether the change is made. Nothing has
    /// changed.
    pub(crate) async fn new(
        management: &Management,
        mode: Preflight,
        desired: &Desired,
        existing: Option<&Existing>,
        steps: &[Step],
        now: SystemTime,
    ) -> Result<Self, aws::Error> {
        let need = match mode {
            Preflight::Enforce => Need::Needed,
            Preflight::Warn | Preflight::Off => Need::Helpful,
        };
        let management = management.for_what_is(need);
        match Self::look(&management, desired, existing, steps, now).await {
            Err(error) if need != Need::Needed => {
                log_left_out("the preflight of the policies", &error);
                Ok(Self::default())
            }
            looked => looked,
        }
    }

    async fn look(
        management: &Management,
        desired: &Desired,
        existing: Option<&Existing>,
        steps: &[Step],
        now: SystemTime,
    ) -> Result<Self, aws::Error> {
        let Desired { name, document, targets, .. } = desired;
        let changed = existing.iter().flat_map(|it| &it.targets).chain(targets).cloned().collect();
        let organization = observe(management, &changed).await?;
        let change = Edit { id: existing.map(|it| &it.id), name, document, targets };
        let attached: BTreeSet<TargetId> =
            organization.attached.keys().chain(targets).cloned().collect();
        for suspect in suspects(&organization, &change, now) {
            if let Some(account) = account_under(management, &suspect.target, &attached).await? {
                let reached = account.as_str().parse().ok();
                let withheld = Some(Withheld { account, suspect });
                return Ok(Self { withheld, reached, publication: None });
            }
        }
        // The last target, because AWS publishes its effective policy last.
        let moved = steps.iter().rev().find_map(|it| match it {
            Step::Attach(target) | Step::Detach(target) => Some(target),
            Step::Create { .. }
            | Step::Update { .. }
            | Step::Tag(_)
            | Step::Untag(_)
            | Step::Delete => None,
        });
        let reached = moved.or(targets.first()).cloned();
        Ok(Self { withheld: None, reached, publication: None })
    }

    /// Stores the currently published policy, to detect later that the change is published.
    pub(crate) async fn prepare(&mut self, management: &Management) {
        let Some(target) = self.reached.take() else { return };
        let management = management.for_what_is(Need::Optional);
        let publication = async {
            match account_under(&management, &target, &BTreeSet::new()).await? {
                Some(account) => publication::before(&management, account).await.map(Some),
                None => Ok(None),
            }
        };
        match publication.await {
            Ok(publication) => self.publication = publication,
            Err(error) => log_left_out("waiting until the change is published", &error),
        }
    }

    /// Logs the findings of AWS once the change is published.
    ///
    /// The change is already made, so it does not fail if AWS cannot be asked.
    pub(crate) async fn report(&self, management: &Management) {
        let management = management.for_what_is(Need::Optional);
        let Report { is_published, frozen } =
            match publication::after(&management, self.publication.as_ref()).await {
                Ok(report) => report,
                Err(error) => {
                    return log_left_out("the effective policies that AWS finds invalid", &error);
                }
            };
        if !is_published {
            warn!("AWS has not published the change yet, and reports on the policies from before");
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

/// Applies the preflight mode of the template to a verdict.
pub(crate) fn judge<E: Into<Error>>(
    mode: Preflight,
    verdict: impl FnOnce() -> Result<(), E>,
) -> Result<(), Error> {
    let verdict = || verdict().map_err(Into::into);
    match mode {
        Preflight::Off => Ok(()),
        Preflight::Enforce => verdict(),
        Preflight::Warn => {
            verdict().unwrap_or_else(|it| warn!(warning = %it, "preflight"));
            Ok(())
        }
    }
}
