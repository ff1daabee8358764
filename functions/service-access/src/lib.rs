//! `Custom::ServiceAccess`: trusted access, StackSets, and delegated administrators.

use std::cell::RefCell;
use std::collections::BTreeSet;

use aws::service_access::{apply, observe};
use aws::state::{Intent, Leftover, Slot};
use aws::{Management, Record, Session, removable};
use cfn::{Failure, Outcome, Reply, Request};
use plan::owner::Owner;
use plan::resource::ResourceKind;
use plan::service_access::{
    Administrator, Desired, Observed, OnDelete, Properties, Step, Switch, plan,
};
use resources::Error;
use tokio::time::Instant;

/// What a physical ID ends with, after the ID of the management account.
const SUFFIX: &str = "/service-access";

/// Brings the organization to what `request` asks for.
///
/// # Errors
///
/// When the change is refused or a call to AWS fails. Sending the request again resumes.
pub async fn handle(session: &Session, request: Request<Properties>) -> Result<Outcome, Failure> {
    let (physical_id, deadline) = (request.physical_id.as_ref(), request.deadline);
    let owner = &Owner::new(&request.stack_id, &request.logical_id);
    // A Delete that overtakes this removes the record of what is only now being turned on.
    let turned_on = RefCell::new(BTreeSet::new());
    let apply = async |properties: &Properties, _: Option<&Properties>, slot: &mut Slot| {
        let role = properties.management_role_arn.as_ref();
        let management = session.management(role, deadline).await?;
        let found = look(&management, Desired::from(properties), owner, BTreeSet::new()).await?;
        let natural = || format!("{}{SUFFIX}", found.observed.management_account);
        turned_on.borrow_mut().extend(found.turned_on());
        found.reconcile(&management, Intent::Change { slot }).await?;
        let physical_id = physical_id.cloned().unwrap_or_else(natural);
        slot.settle(&physical_id, &physical_id, properties).await?;
        Ok(Reply { physical_id, ..Reply::default() }.into())
    };
    let remove = async |properties: Option<&Properties>, left: &Leftover, intent: Intent<'_>| {
        let Some(it) = properties.filter(|it| it.on_delete == OnDelete::Revert) else {
            return Ok(());
        };
        if left.is_former {
            return hand_over(session, it, deadline, owner, turned_on.take(), intent).await;
        }
        let looked = async {
            let management = session.management(it.management_role_arn.as_ref(), deadline).await?;
            let found = look(&management, reverted(), owner, turned_on.take()).await?;
            Ok::<_, aws::Error>((management, found))
        };
        if let Some((management, found)) = removable(looked.await, request.never_created())? {
            found.reconcile(&management, intent).await?;
        }
        Ok(())
    };
    let is_issued = |id: &str| id.ends_with(SUFFIX);
    resources::serve(session, ResourceKind::ServiceAccess, &request, is_issued, apply, remove).await
}

/// Takes away what is left of a resource that is gone, and returns what that takes.
///
/// # Errors
///
/// When it is refused or a call to AWS fails. Trying again resumes.
pub async fn remove(
    management: &Management,
    owner: &Owner,
    properties: &Properties,
    intent: Intent<'_>,
) -> Result<Vec<Step>, Error> {
    match properties.on_delete {
        OnDelete::Retain => Ok(vec![]),
        OnDelete::Revert => {
            look(management, reverted(), owner, BTreeSet::new())
                .await?
                .reconcile(management, intent)
                .await
        }
    }
}

/// Looks after what was turned on before, and returns what that takes. Where `declared` says who may
/// be registered, nobody else is.
///
/// # Errors
///
/// When it is refused or a call to AWS fails. Looking again resumes.
pub async fn restore(
    management: &Management,
    owner: &Owner,
    properties: &Properties,
    declared: Option<&BTreeSet<Administrator>>,
    intent: Intent<'_>,
) -> Result<Vec<Step>, Error> {
    let desired = Desired { declared: declared.cloned(), ..Desired::from(properties) };
    let found = look(management, desired, owner, BTreeSet::new()).await?;
    found.reconcile(management, intent).await
}

/// Says what deleting the resource would take. Nothing is changed.
///
/// # Errors
///
/// When it would be refused or a call to AWS fails.
pub async fn preview_removal(
    management: &Management,
    owner: &Owner,
    properties: &Properties,
) -> Result<Vec<Step>, Error> {
    remove(management, owner, properties, Intent::Report).await
}

/// Leaves to the resource, which lives on, what a request has `turned_on` that it overtook.
async fn hand_over(
    session: &Session,
    properties: &Properties,
    deadline: Instant,
    owner: &Owner,
    turned_on: BTreeSet<Switch>,
    mut intent: Intent<'_>,
) -> Result<(), Failure> {
    if turned_on.is_empty() {
        return Ok(());
    }
    let management = session.management(properties.management_role_arn.as_ref(), deadline).await?;
    let desired = Desired::to_look_at(&turned_on);
    let found = look(&management, desired, owner, BTreeSet::new()).await?;
    let steps = plan::service_access::hand_over(&turned_on, &found.observed);
    if intent.proceeds(&steps).await? {
        apply(&management, found.record.as_ref(), &steps).await?;
    }
    Ok(())
}

/// Nothing is desired, and what the resource turned on is turned off.
fn reverted() -> Desired {
    Desired { revert: true, ..Desired::default() }
}

/// What is desired, and what there is.
struct Found {
    desired: Desired,
    record: Option<Record>,
    observed: Observed,
}

async fn look(
    management: &Management,
    desired: Desired,
    owner: &Owner,
    turned_on: BTreeSet<Switch>,
) -> Result<Found, aws::Error> {
    let (record, observed) = observe(management, &desired, owner, turned_on).await?;
    Ok(Found { desired, record, observed })
}

impl Found {
    /// What the resource has turned on, and will have.
    fn turned_on(&self) -> BTreeSet<Switch> {
        let mut switches = self.observed.turned_on.clone();
        // What is refused is refused again when it is to be carried out.
        for step in plan(&self.desired, &self.observed).unwrap_or_default() {
            if let Step::Record(more) = step {
                switches.extend(more);
            }
        }
        switches
    }

    /// Plans and, where that is the `intent`, applies.
    async fn reconcile(
        &self,
        management: &Management,
        mut intent: Intent<'_>,
    ) -> Result<Vec<Step>, Error> {
        let steps = plan(&self.desired, &self.observed)?;
        if intent.proceeds(&steps).await? {
            apply(management, self.record.as_ref(), &steps).await?;
        }
        Ok(steps)
    }
}
