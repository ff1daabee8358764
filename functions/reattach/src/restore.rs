//! Looking after one resource.

use std::collections::BTreeSet;
use std::time::SystemTime;

use aws::slot::{Intent, Leftover};
use aws::stacks::Stacks;
use aws::state::{Expected, State, Version};
use aws::{Kind, Management, Session};
use errors::chain;
use global_settings::GlobalSettings;
use plan::backup_policy::{self, Refusal};
use plan::desired_state::Entry;
use plan::id::{PolicyId, RoleArn};
use plan::properties::{Misfit, Properties};
use plan::reattach::{Finding, RepairOutcome, Reverted, Sweep};
use plan::resource::ResourceKind;
use plan::service_access::{Administrator, Desired};
use policy_types::PolicyTypes;
use resources::Resource;
use service_access::ServiceAccess;
use thiserror::Error;
use tokio::time::Instant;
use tracing::{error, info};

use crate::settings::Mode;

/// How often what is wanted is read again when it changes while it is put back.
const ROUNDS: usize = 3;

/// Where and how resources are looked after.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Repairer<'a> {
    pub(crate) session: &'a Session,
    pub(crate) state: &'a State,
    /// Who knows which resources there are.
    pub(crate) stacks: &'a Stacks,
    pub(crate) mode: Mode,
    /// Who may be registered as delegated administrator; `None` where that is not known.
    pub(crate) administrators: Option<&'a BTreeSet<Administrator>>,
    pub(crate) now: SystemTime,
    pub(crate) deadline: Instant,
}

/// What was found about one resource, and whether to look again later.
#[derive(Debug)]
pub(crate) struct LookedAfter {
    pub(crate) finding: Finding,
    /// Whether another look may end better.
    pub(crate) retry: Retry,
    /// Whether it is a policy whose type is not enabled.
    pub(crate) needs_type: bool,
}

/// Whether another look may end better.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Retry {
    /// It ends the same.
    Never,
    /// It is being changed, or AWS was busy.
    Passing,
    /// A permission is missing, which somebody may give meanwhile. What asked for the look is not
    /// done with: where nobody does, it ends where all is kept that nobody could do.
    Denied,
}

impl Retry {
    /// Whether to look again after an error of this `kind`.
    pub(crate) fn after(kind: Option<Kind>) -> Self {
        match kind {
            Some(Kind::Transient | Kind::Outdated) => Self::Passing,
            Some(Kind::Denied) => Self::Denied,
            Some(Kind::Rejected) | None => Self::Never,
        }
    }
}

/// Why a resource was not looked after.
#[derive(Debug, Error)]
enum Trouble {
    #[error(transparent)]
    Resource(#[from] resources::Error),
    #[error(
        "its properties are not those of this version: {}; hint: deploy its stack again",
        chain(.0)
    )]
    Misfit(Misfit),
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
    /// What AWS did not do, where that is the reason.
    fn of_aws(&self) -> Option<&aws::Error> {
        match self {
            Self::Resource(error) => error.of_aws(),
            Self::Misfit(_) | Self::Restless | Self::Reverted(_) => None,
        }
    }

    fn kind(&self) -> Option<Kind> {
        self.of_aws().map(aws::Error::kind)
    }

    /// Whether what is wanted, or what there is, changed while it was looked at.
    fn is_outdated(&self) -> bool {
        self.kind() == Some(Kind::Outdated)
    }

    /// Whether CloudFormation does not say that the resource is there.
    fn is_absent(&self) -> bool {
        self.of_aws().is_some_and(aws::Error::is_absent)
    }

    /// Whether it is for want of the policy type.
    fn needs_type(&self) -> bool {
        matches!(self, Self::Resource(resources::Error::BackupPolicy(Refusal::TypeNotEnabled)))
    }
}

/// What one look led to.
#[derive(Default)]
struct Repair {
    steps: Vec<String>,
    /// The ID of the resource as it is now, where it is a policy that exists.
    id: Option<String>,
}

impl Repairer<'_> {
    /// Brings the resource of `entry`, which was read as `version`, back to what it should be, or
    /// says what that would take. `before` is when everything was last looked after.
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
                let reason = chain(&trouble);
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
            // What was put back while it was being deleted is taken away at once.
            let overtaken = round > 0 && entry.is_deleted();
            if entry.is_changing(self.now) && !overtaken {
                info!(key, "left alone, since its function is changing it");
                return Ok(RepairOutcome::Changing);
            }
            if entry.is_deleted() && !overtaken && !may_be_left(&entry, self.now) {
                return Ok(RepairOutcome::Done);
            }
            // Nothing was ever made of it: its creation was cut off.
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
            // What is wanted has changed meanwhile, and the newer counts.
            match self.state.entry(&key).await? {
                Some(newer) => (entry, version) = newer,
                // Somebody wants nothing to be kept of it.
                None => return Ok(RepairOutcome::Done),
            }
        }
        Err(Trouble::Restless)
    }

    /// Whether what was put back is still what is wanted; a policy that was made again is noted.
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
        // Without a write there is nothing that a newer wish could have missed.
        Ok(is_fine || self.state.read(&key).await?.is_some_and(|(_, now)| now == *version))
    }

    /// Observes and plans the resource of `entry` and, where that is the `intent`, applies. Of one
    /// that was deleted nothing is to be left.
    async fn look(&self, entry: &Entry, intent: Intent<'_>) -> Result<Repair, Trouble> {
        let wanted = entry.wanted().map_err(Trouble::Misfit)?;
        // Nothing was ever made of it.
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
            // What was done in accounts stays, and what is to be done there a state machine does.
            Properties::MemberAccounts(_) => Ok(Repair::default()),
        }
    }

    /// Makes a resource what `present` says, unless it was deleted and nothing is to be left.
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

/// Whether something may be left of a resource that was deleted.
///
/// No mark says who enabled a policy type, which may be somebody else after the Delete. So there has to
/// be a request that was overtaken.
fn may_be_left(entry: &Entry, now: SystemTime) -> bool {
    let is_marked = entry.kind != ResourceKind::PolicyTypes;
    entry.may_have_left_something(now) && (is_marked || entry.was_overtaken())
}
