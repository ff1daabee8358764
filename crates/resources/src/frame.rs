//! The common flow of a request: observe, plan, apply, record and answer.

use std::cell::RefCell;
use std::fmt::Display;

use aws::{Management, Session, removable};
use cfn::{Failure, Outcome, Reply, Request};
use plan::id::RoleArn;
use plan::owner::Owner;
use plan::resource::ResourceKind;
use plan::serialized;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tracing::warn;

use crate::slot::{Intent, Leftover, Slot};
use crate::{Error, serve};

/// A kind of resource that one invocation observes, plans and applies.
pub trait Resource {
    /// The kind of the resource.
    const KIND: ResourceKind;
    /// True if a record says what the resource changed, even if its creation never finished.
    const HAS_RECORD: bool;
    /// The properties in the template.
    type Properties: Serialize;
    /// The desired state.
    type Desired;
    /// The observed state, and what `apply` needs to know about it.
    type Observed;
    /// One change to make.
    type Step: Display;
    /// The changes that a request has begun. A Delete that overtakes the request finds no record of
    /// them.
    type Begun: Default + DeserializeOwned + PartialEq + Serialize;

    /// Returns `true` if the function issued this physical ID, and `false` if CloudFormation
    /// generated it.
    fn is_issued(physical_id: &str) -> bool;

    /// Returns the role to assume if the function does not run in the management account.
    fn management_role(properties: &Self::Properties) -> Option<&RoleArn>;

    /// Returns the desired state of a resource that had the `previous` properties before.
    fn present(properties: &Self::Properties, previous: Option<&Self::Properties>)
    -> Self::Desired;

    /// Returns the state to reach when the resource is deleted, or `None` if nothing is to change.
    fn absent(properties: &Self::Properties) -> Option<Self::Desired>;

    /// Reads everything that has to be compared with `desired`. Changes in `begun` count as
    /// recorded.
    ///
    /// # Errors
    ///
    /// Returns an error if a read fails. Nothing has changed.
    fn observe(
        management: &Management,
        desired: &Self::Desired,
        owner: &Owner,
        begun: Self::Begun,
    ) -> impl Future<Output = Result<Self::Observed, aws::Error>>;

    /// Adds to `begun` the changes that are needed to reach `desired`.
    fn note(begun: &mut Self::Begun, desired: &Self::Desired, observed: &Self::Observed);

    /// Returns the changes that the record lists as begun.
    fn recorded(observed: &Self::Observed) -> Self::Begun;

    /// Returns the state to observe before changes are handed over to a resource that lives on.
    ///
    /// The changes are those that an overtaken request has `begun`. Returns `None` if there is
    /// nothing to hand over.
    fn unfinished(properties: &Self::Properties, begun: &Self::Begun) -> Option<Self::Desired>;

    /// Returns the steps that hand over to the resource the changes that were `begun`.
    fn hand_over(begun: &Self::Begun, observed: &Self::Observed) -> Vec<Self::Step>;

    /// Returns the steps from `observed` to `desired`.
    ///
    /// # Errors
    ///
    /// Returns an error if the steps are refused.
    fn plan(desired: &Self::Desired, observed: &Self::Observed) -> Result<Vec<Self::Step>, Error>;

    /// Runs `steps` in order.
    ///
    /// # Errors
    ///
    /// Returns the error of the first step that fails. The steps before it stay done, and planning
    /// again resumes.
    fn apply(
        management: &Management,
        observed: &Self::Observed,
        steps: &[Self::Step],
    ) -> impl Future<Output = Result<(), aws::Error>>;

    /// Returns the answer after `steps`, with a physical ID for a resource that has none yet.
    fn reply(observed: Self::Observed, steps: Vec<Self::Step>) -> Reply;
}

/// Brings the organization to the state that `request` asks for.
///
/// # Errors
///
/// Returns an error if the change is refused or a call to AWS fails. Sending the request again
/// resumes.
pub async fn handle<R: Resource>(
    session: &Session,
    request: Request<R::Properties>,
) -> Result<Outcome, Failure> {
    let deadline = request.deadline;
    let owner = &Owner::new(&request.stack_id, &request.logical_id);
    let begun = RefCell::new(R::Begun::default());
    let enter =
        async |it: &R::Properties| session.management(R::management_role(it), deadline).await;
    let apply = async |wanted: &R::Properties,
                       previous: Option<&R::Properties>,
                       slot: &mut Slot| {
        let management = enter(wanted).await?;
        // A cancelled creation may have changed something after its Delete, or may still do so.
        let left = begun_by_others::<R>(slot.begun());
        if let Some(desired) = R::unfinished(wanted, &left) {
            let found =
                Comparison::<R>::look(&management, desired, owner, R::Begun::default()).await?;
            let steps = R::hand_over(&left, &found.observed);
            found.carry_out(&management, &steps, Intent::Change { slot }).await?;
        }
        let desired = R::present(wanted, previous);
        let found = Comparison::<R>::look(&management, desired, owner, R::Begun::default()).await?;
        R::note(&mut begun.borrow_mut(), &found.desired, &found.observed);
        let steps = found.reconcile(&management, Intent::Change { slot }).await?;
        let reply = R::reply(found.observed, steps);
        let physical_id = request.physical_id.clone().unwrap_or(reply.physical_id);
        slot.settle(&physical_id, &physical_id, wanted).await?;
        Ok(Reply { physical_id, ..reply }.into())
    };
    let remove = async |properties: Option<&R::Properties>, left: &Leftover, intent: Intent<'_>| {
        let mut intent = intent;
        let Some(it) = properties else { return Ok(()) };
        let mut begun = begun.take();
        if begun == R::Begun::default() {
            begun = begun_by_others::<R>(intent.begun());
        }
        if left.is_former {
            let Some(desired) = R::unfinished(it, &begun) else { return Ok(()) };
            let management = enter(it).await?;
            let found =
                Comparison::<R>::look(&management, desired, owner, R::Begun::default()).await?;
            let steps = R::hand_over(&begun, &found.observed);
            found.carry_out(&management, &steps, intent).await?;
            return Ok(());
        }
        let is_known = left.physical_id.is_some();
        let Some(desired) = R::absent(it).filter(|_| is_known || R::HAS_RECORD) else {
            return Ok(());
        };
        let looked = async {
            let management = enter(it).await?;
            let found = Comparison::<R>::look(&management, desired, owner, begun).await?;
            Ok::<_, aws::Error>((management, found))
        };
        let never_created = request.never_created() && !is_known;
        if let Some((management, found)) = removable(looked.await, never_created)? {
            let recorded = R::recorded(&found.observed);
            if recorded != R::Begun::default() {
                intent.remember(serialized::value(&recorded));
            }
            found.reconcile(&management, intent).await?;
        }
        Ok(())
    };
    serve(session, R::KIND, &request, R::is_issued, apply, remove).await
}

/// Brings the observed state to `desired`, and returns the steps. With an `intent` to report,
/// nothing is changed.
///
/// # Errors
///
/// Returns an error if the change is refused or a call to AWS fails. Trying again resumes.
pub async fn reach<R: Resource>(
    management: &Management,
    owner: &Owner,
    desired: R::Desired,
    intent: Intent<'_>,
) -> Result<Vec<R::Step>, Error> {
    let found = Comparison::<R>::look(management, desired, owner, R::Begun::default()).await?;
    found.reconcile(management, intent).await
}

/// Returns the stored changes that an overtaken request has begun.
fn begun_by_others<R: Resource>(kept: Option<&Value>) -> R::Begun {
    let read = |it: &Value| match R::Begun::deserialize(it) {
        Ok(begun) => Some(begun),
        Err(error) => {
            warn!(%error, "left out: the work that an overtaken request has begun");
            None
        }
    };
    kept.and_then(read).unwrap_or_default()
}

/// The desired and the observed state.
struct Comparison<R: Resource> {
    desired: R::Desired,
    observed: R::Observed,
}

impl<R: Resource> Comparison<R> {
    async fn look(
        management: &Management,
        desired: R::Desired,
        owner: &Owner,
        begun: R::Begun,
    ) -> Result<Self, aws::Error> {
        let observed = R::observe(management, &desired, owner, begun).await?;
        Ok(Self { desired, observed })
    }

    /// Plans the steps, and applies them if the `intent` says so.
    async fn reconcile(
        &self,
        management: &Management,
        intent: Intent<'_>,
    ) -> Result<Vec<R::Step>, Error> {
        let steps = R::plan(&self.desired, &self.observed)?;
        self.carry_out(management, &steps, intent).await?;
        Ok(steps)
    }

    async fn carry_out(
        &self,
        management: &Management,
        steps: &[R::Step],
        mut intent: Intent<'_>,
    ) -> Result<(), aws::Error> {
        if intent.proceeds(steps).await? {
            R::apply(management, &self.observed, steps).await?;
        }
        Ok(())
    }
}
