//! `Custom::BackupGlobalSettings`: the settings of AWS Backup for the whole organization.

use aws::Management;
use cfn::Reply;
use organization::Record;
use plan::global_settings::{
    Desired, Observed, OnDelete, Properties, Step, Values, hand_over, plan,
};
use plan::id::RoleArn;
use plan::owner::Owner;
use plan::resource::ResourceKind;
use resources::{Error, Resource};
use settings::{apply, observe};

/// The physical ID of the resource. There is only one resource of its kind.
const PHYSICAL_ID: &str = "backup-global-settings";

/// The resource.
#[derive(Debug)]
pub enum GlobalSettings {}

impl Resource for GlobalSettings {
    const KIND: ResourceKind = ResourceKind::GlobalSettings;
    const HAS_RECORD: bool = true;
    type Properties = Properties;
    type Desired = Desired;
    type Observed = (Option<Record>, Observed);
    type Step = Step;
    /// The values that were found before the first change.
    type Begun = Option<Values>;

    fn is_issued(physical_id: &str) -> bool {
        physical_id == PHYSICAL_ID
    }

    fn management_role(properties: &Properties) -> Option<&RoleArn> {
        properties.management_role_arn.as_ref()
    }

    fn present(properties: &Properties, previous: Option<&Properties>) -> Desired {
        properties.present(previous)
    }

    fn absent(properties: &Properties) -> Option<Desired> {
        (properties.on_delete == OnDelete::Restore).then(|| properties.restored())
    }

    async fn observe(
        management: &Management,
        desired: &Desired,
        owner: &Owner,
        begun: Self::Begun,
    ) -> Result<Self::Observed, aws::Error> {
        let (record, observed) = observe(management, desired, owner).await?;
        let found = observed.found.or(begun);
        Ok((record, Observed { found, ..observed }))
    }

    fn note(begun: &mut Self::Begun, desired: &Desired, (_, observed): &Self::Observed) {
        if let Desired::Present { restore: true, .. } = desired {
            begun.get_or_insert_with(|| {
                observed.found.clone().unwrap_or_else(|| observed.values.clone())
            });
        }
    }

    fn recorded((_, observed): &Self::Observed) -> Self::Begun {
        observed.found.clone()
    }

    fn unfinished(properties: &Properties, begun: &Self::Begun) -> Option<Desired> {
        begun.as_ref().and_then(|_| Self::absent(properties))
    }

    fn hand_over(begun: &Self::Begun, (_, observed): &Self::Observed) -> Vec<Step> {
        begun.as_ref().map(|before| hand_over(before, observed)).unwrap_or_default()
    }

    fn plan(desired: &Desired, (_, observed): &Self::Observed) -> Result<Vec<Step>, Error> {
        Ok(plan(desired, observed))
    }

    async fn apply(
        management: &Management,
        (record, _): &Self::Observed,
        steps: &[Step],
    ) -> Result<(), aws::Error> {
        apply(management, record.as_ref(), steps).await
    }

    fn reply((_, observed): Self::Observed, steps: Vec<Step>) -> Reply {
        let mut values = observed.values;
        for step in steps {
            if let Step::Update(changed) = step {
                values.extend(changed);
            }
        }
        let data = values.into_iter().map(|(it, on)| (it.property(), on.to_string()));
        Reply { physical_id: PHYSICAL_ID.to_owned(), data: data.collect() }
    }
}
