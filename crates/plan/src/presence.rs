//! Whether CloudFormation still has a resource, as far as it says so.

use thiserror::Error;

use crate::desired_state::Entry;

/// A resource of a stack, as CloudFormation tells of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StackResource {
    /// The ID that CloudFormation knows it by.
    pub physical_id: String,
    /// Where in its life it is.
    pub stage: LifeStage,
}

/// Where in its life a resource is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum LifeStage {
    /// It is being created.
    Beginning,
    /// It could not be created, and nobody waits for that any more.
    Failed,
    /// It exists, whether or not it is being updated.
    Living,
    /// It was or is being deleted, or left its stack.
    Ending,
    /// In a status that this program does not know.
    Unknown(String),
}

/// Why a resource that is kept is not to be made again.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum Absent {
    /// CloudFormation does not know the resource or its stack, or no longer.
    #[error("CloudFormation knows no resource `{logical_id}` of the stack {stack_id}")]
    Unknown {
        /// The name in the template.
        logical_id: String,
        /// The ARN of the stack.
        stack_id: String,
    },
    /// It was or is being deleted, or left its stack.
    #[error("its stack has no resource `{0}` any more")]
    Gone(String),
    /// CloudFormation knows another resource by this name.
    #[error("CloudFormation calls it {told}, and {kept} is kept")]
    Other {
        /// The ID that CloudFormation knows.
        told: String,
        /// The ID that is kept.
        kept: String,
    },
    /// It is being created, or in a status that this program does not know.
    #[error("CloudFormation says that it is {0}")]
    Unsettled(String),
}

impl Absent {
    /// What helps.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Unknown { .. } | Self::Gone(_) => {
                "if that is meant, delete what the state bucket keeps of it under `desired/`"
            }
            Self::Other { .. } => "deploy its stack again",
            Self::Unsettled(_) => "wait for its stack to come to its end",
        }
    }
}

/// Says whether the resource of `entry` is there, as CloudFormation tells of it; `None` where it knows
/// no such resource.
///
/// # Errors
///
/// When it is not, or another one is, and why.
pub fn expect(entry: &Entry, resource: Option<&StackResource>) -> Result<(), Absent> {
    let Entry { logical_id, stack_id, .. } = entry;
    let unknown = || Absent::Unknown { logical_id: logical_id.clone(), stack_id: stack_id.clone() };
    let resource = resource.ok_or_else(unknown)?;
    match &resource.stage {
        LifeStage::Ending => return Err(Absent::Gone(logical_id.clone())),
        LifeStage::Failed => return Err(Absent::Unsettled("not created".to_owned())),
        LifeStage::Beginning => return Err(Absent::Unsettled("not created yet".to_owned())),
        LifeStage::Unknown(status) => return Err(Absent::Unsettled(status.clone())),
        LifeStage::Living => {}
    }
    let kept = entry.physical_id.clone().unwrap_or_default();
    if resource.physical_id == kept {
        Ok(())
    } else {
        Err(Absent::Other { told: resource.physical_id.clone(), kept })
    }
}

/// Whether CloudFormation says that it waits for no request any more: for none where the life of the
/// resource has come to its end, and for no Create (`is_new`) where it is made.
///
/// Where it says nothing of the resource it may wait: what stands in for CloudFormation may name a
/// resource only once that is made.
pub fn is_late(is_new: bool, resource: Option<&StackResource>) -> bool {
    resource.is_some_and(|it| match it.stage {
        LifeStage::Failed | LifeStage::Ending => true,
        LifeStage::Living => is_new,
        LifeStage::Beginning | LifeStage::Unknown(_) => false,
    })
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use expect_test::{Expect, expect};
    use serde_json::json;

    use super::*;
    use crate::desired_state::Delivery;
    use crate::resource::ResourceKind;

    const STACK: &str = "arn:aws:cloudformation:eu-north-1:111122223333:stack/plans/7c9e";

    fn entry() -> Entry {
        let by = Delivery { request: "create".to_owned(), now: SystemTime::UNIX_EPOCH };
        let entry = Entry::new(ResourceKind::BackupPolicy, STACK, "Weekly");
        entry.settled(&by, "p-weekly00", "p-again000", json!({}))
    }

    fn resource(physical_id: &str, stage: LifeStage) -> StackResource {
        StackResource { physical_id: physical_id.to_owned(), stage }
    }

    fn check(resource: Option<StackResource>, expected: Expect) {
        let why = super::expect(&entry(), resource.as_ref()).unwrap_err();
        expected.assert_eq(&format!("{why}; hint: {}", why.hint()));
    }

    #[test]
    fn a_resource_is_there_when_it_lives_under_the_id_that_is_kept() {
        assert_eq!(expect(&entry(), Some(&resource("p-weekly00", LifeStage::Living))), Ok(()));
    }

    #[test]
    fn whatever_else_cloudformation_says_it_is_not_there_and_why() {
        let of = |id, stage| Some(resource(id, stage));
        check(
            None,
            expect![
                "CloudFormation knows no resource `Weekly` of the stack arn:aws:cloudformation:eu-north-1:111122223333:stack/plans/7c9e; hint: if that is meant, delete what the state bucket keeps of it under `desired/`"
            ],
        );
        check(
            of("p-weekly00", LifeStage::Ending),
            expect![
                "its stack has no resource `Weekly` any more; hint: if that is meant, delete what the state bucket keeps of it under `desired/`"
            ],
        );
        check(
            of("made-up", LifeStage::Living),
            expect![
                "CloudFormation calls it made-up, and p-weekly00 is kept; hint: deploy its stack again"
            ],
        );
        check(
            of("", LifeStage::Beginning),
            expect![
                "CloudFormation says that it is not created yet; hint: wait for its stack to come to its end"
            ],
        );
        check(
            of("made-up", LifeStage::Failed),
            expect![
                "CloudFormation says that it is not created; hint: wait for its stack to come to its end"
            ],
        );
        check(
            of("p-weekly00", LifeStage::Unknown("FROZEN".to_owned())),
            expect![
                "CloudFormation says that it is FROZEN; hint: wait for its stack to come to its end"
            ],
        );
    }

    #[test]
    fn a_request_is_late_only_when_cloudformation_says_so() {
        for stage in [LifeStage::Ending, LifeStage::Failed] {
            let told = resource("made-up", stage);
            assert!(is_late(true, Some(&told)) && is_late(false, Some(&told)));
        }
        let living = resource("p-weekly00", LifeStage::Living);
        assert!(is_late(true, Some(&living)) && !is_late(false, Some(&living)));
        assert!(!is_late(true, Some(&resource("", LifeStage::Beginning))));
        assert!(!is_late(true, None));
    }
}
