//! `Custom::BackupGlobalSettings`: the settings of AWS Backup for the whole organization.

use std::cell::RefCell;

use aws::global_settings::{apply, observe};
use aws::state::{Intent, Leftover, Slot};
use aws::{Management, Record, Session, removable};
use cfn::{Failure, Outcome, Reply, Request};
use plan::global_settings::{Desired, Observed, OnDelete, Properties, Step, Values, plan};
use plan::owner::Owner;
use plan::resource::ResourceKind;
use resources::Error;
use tokio::time::Instant;

/// What the resource is called: there is one of its kind.
const PHYSICAL_ID: &str = "backup-global-settings";

/// Brings the settings to what `request` asks for.
///
/// # Errors
///
/// When a call to AWS fails. Sending the request again resumes.
pub async fn handle(session: &Session, request: Request<Properties>) -> Result<Outcome, Failure> {
    let (physical_id, deadline) = (request.physical_id.as_deref(), request.deadline);
    let owner = &Owner::new(&request.stack_id, &request.logical_id);
    // A Delete that overtakes this removes the record of what is only now being changed.
    let before = RefCell::new(None);
    let apply = async |wanted: &Properties, previous: Option<&Properties>, slot: &mut Slot| {
        let role = wanted.management_role_arn.as_ref();
        let management = session.management(role, deadline).await?;
        let found = look(&management, wanted.present(previous), owner).await?;
        if wanted.on_delete == OnDelete::Restore {
            let values = || found.observed.values.clone();
            let earlier = before.take().or_else(|| found.observed.found.clone());
            before.replace(Some(earlier.unwrap_or_else(values)));
        }
        let steps = found.reconcile(&management, Intent::Change { slot }).await?;
        let mut values = found.observed.values;
        for step in steps {
            if let Step::Update(changed) = step {
                values.extend(changed);
            }
        }
        let physical_id = physical_id.unwrap_or(PHYSICAL_ID).to_owned();
        slot.settle(&physical_id, &physical_id, wanted).await?;
        let data = values.into_iter().map(|(it, on)| (it.property(), on.to_string()));
        Ok(Reply { physical_id, data: data.collect() }.into())
    };
    let remove = async |properties: Option<&Properties>, left: &Leftover, intent: Intent<'_>| {
        let Some(it) = properties.filter(|it| it.on_delete == OnDelete::Restore) else {
            return Ok(());
        };
        if left.is_former {
            return hand_over(session, it, deadline, owner, before.take(), intent).await;
        }
        let looked = async {
            let management = session.management(it.management_role_arn.as_ref(), deadline).await?;
            let mut found = look(&management, it.restored(), owner).await?;
            found.observed.found = found.observed.found.or(before.take());
            Ok::<_, aws::Error>((management, found))
        };
        if let Some((management, found)) = removable(looked.await, request.never_created())? {
            found.reconcile(&management, intent).await?;
        }
        Ok(())
    };
    let is_issued = |id: &str| id == PHYSICAL_ID;
    resources::serve(session, ResourceKind::GlobalSettings, &request, is_issued, apply, remove)
        .await
}

/// Takes away what is left of a resource that is gone, and returns what that takes.
///
/// # Errors
///
/// When a call to AWS fails. Trying again resumes.
pub async fn remove(
    management: &Management,
    owner: &Owner,
    properties: &Properties,
    intent: Intent<'_>,
) -> Result<Vec<Step>, Error> {
    match properties.on_delete {
        OnDelete::Retain => Ok(vec![]),
        OnDelete::Restore => {
            let found = look(management, properties.restored(), owner).await?;
            found.reconcile(management, intent).await
        }
    }
}

/// Looks after settings that were made before, and returns what that takes.
///
/// # Errors
///
/// When a call to AWS fails. Looking again resumes.
pub async fn restore(
    management: &Management,
    owner: &Owner,
    properties: &Properties,
    intent: Intent<'_>,
) -> Result<Vec<Step>, Error> {
    let found = look(management, properties.present(None), owner).await?;
    found.reconcile(management, intent).await
}

/// Says what a deployment would take, where the resource had the properties `previous` before, if it
/// was there. Nothing is changed.
///
/// # Errors
///
/// When a call to AWS fails.
pub async fn preview(
    management: &Management,
    owner: &Owner,
    properties: &Properties,
    previous: Option<&Properties>,
) -> Result<Vec<Step>, Error> {
    let found = look(management, properties.present(previous), owner).await?;
    found.reconcile(management, Intent::Report).await
}

/// Says what deleting the resource would take. Nothing is changed.
///
/// # Errors
///
/// When a call to AWS fails.
pub async fn preview_removal(
    management: &Management,
    owner: &Owner,
    properties: &Properties,
) -> Result<Vec<Step>, Error> {
    remove(management, owner, properties, Intent::Report).await
}

/// Leaves to the resource, which lives on, what a request that it overtook found `before`.
async fn hand_over(
    session: &Session,
    properties: &Properties,
    deadline: Instant,
    owner: &Owner,
    before: Option<Values>,
    mut intent: Intent<'_>,
) -> Result<(), Failure> {
    let Some(before) = before else { return Ok(()) };
    let management = session.management(properties.management_role_arn.as_ref(), deadline).await?;
    let found = look(&management, properties.restored(), owner).await?;
    let steps = plan::global_settings::hand_over(&before, &found.observed);
    if intent.proceeds(&steps).await? {
        apply(&management, found.record.as_ref(), &steps).await?;
    }
    Ok(())
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
) -> Result<Found, aws::Error> {
    let (record, observed) = observe(management, &desired, owner).await?;
    Ok(Found { desired, record, observed })
}

impl Found {
    /// Plans and, where that is the `intent`, applies.
    async fn reconcile(
        &self,
        management: &Management,
        mut intent: Intent<'_>,
    ) -> Result<Vec<Step>, Error> {
        let steps = plan(&self.desired, &self.observed);
        if intent.proceeds(&steps).await? {
            apply(management, self.record.as_ref(), &steps).await?;
        }
        Ok(steps)
    }
}
