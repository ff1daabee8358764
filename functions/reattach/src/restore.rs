//! The restoration of one resource.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::time::SystemTime;

use aws::{Kind, Management, Session};
use errors::{advised, chain};
use global_settings::GlobalSettings;
use plan::backup_policy::{self, Refusal};
use plan::desired_state::Entry;
use plan::id::{PolicyId, RoleArn};
use plan::properties::{Misfit, Properties};
use plan::reattach::{Finding, RepairOutcome, Reverted, Sweep};
use plan::service_access::{Administrator, Desired};
use policy_types::PolicyTypes;
use resources::Resource;
use resources::slot::{Intent, Leftover};
use service_access::ServiceAccess;
use stacks::Stacks;
use state::{Expected, State, Version};
use thiserror::Error;
use tokio::time::Instant;
use tracing::{error, info};

use crate::settings::Mode;

/// The number of times that the desired state is read if it changes during the restoration.
const ROUNDS: usize = 3;

/// The context in which resources are restored.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Repairer<'a> {
    pub(crate) session: &'a Session,
    pub(crate) state: &'a State,
    /// The source of information on which resources exist.
    pub(crate) stacks: &'a Stacks,
    pub(crate) mode: Mode,
    /// The accounts that may be delegated administrators, or `None` if that is not known.
    pub(crate) administrators: Option<&'a BTreeSet<Administrator>>,
    pub(crate) now: SystemTime,
    pub(crate) deadline: Instant,
}

/// The finding about one resource, and whether to look again later.
#[derive(Debug)]
pub(crate) struct LookedAfter {
    pub(crate) finding: Finding,
    /// The prospects of another attempt.
    pub(crate) retry: Retry,
    /// True if the resource is a policy whose policy type is not enabled.
    pub(crate) needs_type: bool,
}

/// The prospects of another attempt.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Retry {
    /// Another attempt would have the same result.
    Never,
    /// The resource is being changed, or AWS was busy, so another attempt may succeed.
    Passing,
    /// A permission is missing, and somebody may grant it in time. The message that asked for the
    /// look is delivered again. If nobody grants the permission, it ends in the dead-letter queue.
    Denied,
}

impl Retry {
    /// Returns the prospects of another attempt after an error of this `kind`.
    pub(crate) fn after(kind: Option<Kind>) -> Self {
        match kind {
            Some(Kind::Transient | Kind::Outdated) => Self::Passing,
            Some(Kind::Denied) => Self::Denied,
            Some(Kind::Rejected) | None => Self::Never,
        }
    }
}

/// The reason why a resource was not restored.
#[derive(Debug, Error)]
enum Trouble {
    #[error(transparent)]
    Resource(#[from] resources::Error),
    #[error("its properties are not those of this version")]
    Misfit(#[source] Misfit),
    #[error("it changes again and again while it is put back")]
    Restless,
    #[error(transparent)]
    Reverted(#[from] Reverted),
}

impl From<aws::Error> for Trouble {
    fn from(error: aws::Error) -> Self {
        Self::Resource(error.into())
    }
}

impl Trouble {
    /// Returns the error of AWS, if that is the reason.
    fn of_aws(&self) -> Option<&aws::Error> {
        match self {
            Self::Resource(error) => error.of_aws(),
            Self::Misfit(_) | Self::Restless | Self::Reverted(_) => None,
        }
    }

    /// Returns the next step, unless the reason names it.
    fn hint(&self) -> Option<Cow<'static, str>> {
        match self {
            Self::Misfit(_) => Some("deploy its stack again".into()),
            Self::Reverted(_) => Some(Reverted::hint().into()),
            Self::Resource(_) | Self::Restless => None,
        }
    }

    fn kind(&self) -> Option<Kind> {
        self.of_aws().map(aws::Error::kind)
    }

    /// Returns `true` if the desired or the observed state changed during the look.
    fn is_outdated(&self) -> bool {
        self.kind() == Some(Kind::Outdated)
    }

    /// Returns `true` if CloudFormation does not confirm that the resource exists.
    fn is_absent(&self) -> bool {
        self.of_aws().is_some_and(aws::Error::is_absent)
    }

    /// Returns `true` if the reason is that the policy type is not enabled.
    fn needs_type(&self) -> bool {
        matches!(self, Self::Resource(resources::Error::BackupPolicy(Refusal::TypeNotEnabled)))
    }
}

/// The result of one look.
#[derive(Default)]
struct Repair {
    steps: Vec<String>,
    /// The current ID of the resource, if it is a policy that exists.
    id: Option<String>,
}

impl Repairer<'_> {
    /// Restores the resource of `entry`, which was read as `version`, or reports the steps that
    /// this would take. `before` describes the last complete sweep.
    pub(crate) async fn look_after(
        &self,
        entry: Entry,
        version: Version,
        before: &Sweep,
    ) -> LookedAfter {
        let name = Properties::title(entry.kind, entry.properties.as_ref());
        let owner = entry.owner().to_string();
        let is_new = !before.has(&entry.key());
        let mut steps = Vec::new();
        let outcome = match before.precedes(&entry) {
            Ok(()) => self.rounds(entry, version, &mut steps).await,
            Err(reverted) => Err(reverted.into()),
        };
        let (outcome, retry, needs_type) = match outcome {
            Ok(RepairOutcome::Changing) => (RepairOutcome::Changing, Retry::Passing, false),
            Ok(outcome) => (outcome, Retry::Never, false),
            Err(trouble) => {
                let reason = advised(chain(&trouble), trouble.hint());
                error!(resource = owner, reason, "not put back");
                if trouble.is_absent() {
                    (RepairOutcome::Left(reason), Retry::Never, false)
                } else {
                    let (retry, needs_type) = (Retry::after(trouble.kind()), trouble.needs_type());
                    (RepairOutcome::Failed(reason), retry, needs_type)
                }
            }
        };
        LookedAfter { finding: Finding { name, owner, steps, is_new, outcome }, retry, needs_type }
    }

    async fn rounds(
        &self,
        mut entry: Entry,
        mut version: Version,
        all: &mut Vec<String>,
    ) -> Result<RepairOutcome, Trouble> {
        let key = entry.key();
        for round in 0..ROUNDS {
            // A resource that was restored while it was being deleted is removed at once.
            let overtaken = round > 0 && entry.is_deleted();
            if entry.is_changing(self.now) && !overtaken {
                info!(key, "left alone, since its function is changing it");
                return Ok(RepairOutcome::Changing);
            }
            if entry.is_deleted() && !overtaken && !may_be_left(&entry, self.now) {
                return Ok(RepairOutcome::Done);
            }
            // Its creation was cut off before anything was made.
            if entry.properties.is_none() {
                return Ok(RepairOutcome::Done);
            }
            let stacks = Some(self.stacks).filter(|_| !entry.is_deleted());
            let (state, wanted, version_read) = (self.state, &entry, &version);
            let intent = match self.mode {
                Mode::Repair => {
                    Intent::Repair { state, entry: wanted, version: version_read, stacks }
                }
                Mode::Report => Intent::Report,
            };
            match self.look(&entry, intent).await {
                Err(trouble) if trouble.is_outdated() => {}
                Err(trouble) => return Err(trouble),
                Ok(look) => {
                    let is_fine = look.steps.is_empty();
                    all.extend(look.steps);
                    if self.mode == Mode::Report {
                        if let Some(stacks) = stacks.filter(|_| !is_fine) {
                            stacks.expect(&entry).await?;
                        }
                        return Ok(RepairOutcome::Reported);
                    }
                    if self.is_settled(&entry, &version, is_fine, look.id.as_deref()).await? {
                        return Ok(RepairOutcome::Done);
                    }
                }
            }
            // The desired state has changed meanwhile, and the newer one counts.
            match self.state.entry(&key).await? {
                Some(newer) => (entry, version) = newer,
                // The entry was removed on purpose.
                None => return Ok(RepairOutcome::Done),
            }
        }
        Err(Trouble::Restless)
    }

    /// Returns `true` if the restored state is still the desired one. Stores the ID of a policy
    /// that was created again.
    async fn is_settled(
        &self,
        entry: &Entry,
        version: &Version,
        is_fine: bool,
        id: Option<&str>,
    ) -> Result<bool, Trouble> {
        let key = entry.key();
        if let Some(id) = id.filter(|it| entry.id_of(entry.physical_id.as_deref()) != Some(it)) {
            let remade = entry.remade(id).text();
            return match self.state.write(&key, remade, Expected::Still(version)).await {
                Ok(_) => Ok(true),
                Err(error) if error.kind() == Kind::Outdated => Ok(false),
                Err(error) => Err(error.into()),
            };
        }
        // If nothing was written, no newer desired state can have been missed.
        Ok(is_fine || self.state.read(&key).await?.is_some_and(|(_, now)| now == *version))
    }

    /// Observes the resource of `entry`, plans its steps and applies them if the `intent` says so.
    /// Removes what is left of a resource that was deleted.
    async fn look(&self, entry: &Entry, intent: Intent<'_>) -> Result<Repair, Trouble> {
        let wanted = entry.wanted().map_err(Trouble::Misfit)?;
        // Nothing was ever made for this entry.
        let Some(wanted) = wanted else { return Ok(Repair::default()) };
        match &wanted {
            Properties::PolicyTypes(it) => {
                let present = PolicyTypes::present(it, None);
                self.reach::<PolicyTypes>(entry, it, present, intent).await
            }
            Properties::ServiceAccess(it) => {
                let declared = self.administrators.cloned();
                let present = Desired { declared, ..ServiceAccess::present(it, None) };
                self.reach::<ServiceAccess>(entry, it, present, intent).await
            }
            Properties::GlobalSettings(it) => {
                let present = GlobalSettings::present(it, None);
                self.reach::<GlobalSettings>(entry, it, present, intent).await
            }
            Properties::BackupPolicy(it) => self.policy(entry, it, intent).await,
            // Changes in accounts are kept, and work in accounts is done by a state machine.
            Properties::MemberAccounts(_) => Ok(Repair::default()),
        }
    }

    /// Brings a resource to the state in `present`, or removes what is left of it if it was
    /// deleted.
    async fn reach<R: Resource>(
        &self,
        entry: &Entry,
        properties: &R::Properties,
        present: R::Desired,
        intent: Intent<'_>,
    ) -> Result<Repair, Trouble> {
        let desired = if entry.is_deleted() { R::absent(properties) } else { Some(present) };
        let Some(desired) = desired else { return Ok(Repair::default()) };
        let management = self.management(R::management_role(properties)).await?;
        let steps = resources::reach::<R>(&management, &entry.owner(), desired, intent).await?;
        Ok(Repair { steps: words(&steps), id: None })
    }

    async fn policy(
        &self,
        entry: &Entry,
        properties: &backup_policy::Properties,
        intent: Intent<'_>,
    ) -> Result<Repair, Trouble> {
        let (management, owner) =
            (self.management(properties.management_role_arn.as_ref()).await?, entry.owner());
        if entry.is_deleted() {
            let left = Leftover::of(entry);
            let steps = ::backup_policy::remove(&management, &owner, properties, &left, intent);
            return Ok(Repair { steps: words(&steps.await?), id: None });
        }
        let id = entry.id_of(entry.physical_id.as_deref());
        let id = id.and_then(|it| it.parse::<PolicyId>().ok());
        let restore =
            ::backup_policy::restore(&management, &owner, properties, id, intent, self.now);
        let (steps, id) = restore.await?;
        Ok(Repair { steps: words(&steps), id: id.map(|it| it.to_string()) })
    }

    async fn management(&self, role: Option<&RoleArn>) -> Result<Management, aws::Error> {
        self.session.management(role, self.deadline).await
    }
}

fn words<S: ToString>(steps: &[S]) -> Vec<String> {
    steps.iter().map(ToString::to_string).collect()
}

/// Returns `true` if something may be left of a resource that was deleted.
///
/// A policy type has no mark of who enabled it, and after the Delete somebody else may have enabled
/// it. A policy type is therefore removed only if a request was overtaken.
fn may_be_left(entry: &Entry, now: SystemTime) -> bool {
    entry.may_have_left_something(now) && (entry.kind.marks_its_own() || entry.was_overtaken())
}
