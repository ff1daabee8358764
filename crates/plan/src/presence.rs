//! The existence of a resource in CloudFormation, as far as CloudFormation reports it.

use thiserror::Error;

use crate::desired_state::Entry;

/// A resource of a stack, as CloudFormation reports it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StackResource {
    /// The ID that CloudFormation uses.
    pub physical_id: String,
    /// The stage of its life.
    pub stage: LifeStage,
}

/// The stage in the life of a resource.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum LifeStage {
    /// It is being created.
    Beginning,
    /// It could not be created, and no request waits for it any more.
    Failed,
    /// It exists, and may be in an update.
    Living,
    /// It was or is being deleted, or left its stack.
    Ending,
    /// It has a status that this program does not know.
    Unknown(String),
}

/// The reason why a stored resource must not be created again.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum Absent {
    /// CloudFormation does not know the resource or its stack, or not any more.
    #[error("CloudFormation does not know the resource `{logical_id}` of the stack {stack_id}")]
    Unknown {
        /// The name in the template.
        logical_id: String,
        /// The ARN of the stack.
        stack_id: String,
    },
    /// It was or is being deleted, or left its stack.
    #[error("its stack no longer has the resource `{0}`")]
    Gone(String),
    /// CloudFormation has another ID for this resource.
    #[error("its physical ID is {told} in CloudFormation and {kept} in the desired state")]
    Other {
        /// The ID in CloudFormation.
        told: String,
        /// The stored ID.
        kept: String,
    },
    /// It is being created, or in a status that this program does not know.
    #[error("CloudFormation says that it is {0}")]
    Unsettled(String),
}

impl Absent {
    /// Returns the hint on what to do next.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Unknown { .. } | Self::Gone(_) => {
                "if this is intended, delete its desired state under `desired/` in the state bucket"
            }
            Self::Other { .. } => "deploy its stack again",
            Self::Unsettled(_) => "wait until the operation on its stack ends",
        }
    }
}

/// Checks that the resource of `entry` exists. `resource` is the one that CloudFormation reports,
/// or `None` if it knows no such resource.
///
/// # Errors
///
/// Returns the reason if the resource does not exist, or if it is another one.
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

/// Returns `true` if CloudFormation no longer waits for the request. It waits for no request after
/// the end of the resource's life, and for no Create (`is_new`) after the resource was created.
///
/// If CloudFormation does not report the resource, it may still wait: a substitute for
/// CloudFormation may report a resource only after it was created.
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
                "CloudFormation does not know the resource `Weekly` of the stack \
                 arn:aws:cloudformation:eu-north-1:111122223333:stack/plans/7c9e; hint: if this is \
                 intended, delete its desired state under `desired/` in the state bucket"
            ],
        );
        check(
            of("p-weekly00", LifeStage::Ending),
            expect![
                "its stack no longer has the resource `Weekly`; hint: if this is intended, delete \
                 its desired state under `desired/` in the state bucket"
            ],
        );
        check(
            of("made-up", LifeStage::Living),
            expect![
                "its physical ID is made-up in CloudFormation and p-weekly00 in the desired state; \
                 hint: deploy its stack again"
            ],
        );
        check(
            of("", LifeStage::Beginning),
            expect![
                "CloudFormation says that it is not created yet; hint: wait until the operation on \
                 its stack ends"
            ],
        );
        check(
            of("made-up", LifeStage::Failed),
            expect![
                "CloudFormation says that it is not created; hint: wait until the operation on its \
                 stack ends"
            ],
        );
        check(
            of("p-weekly00", LifeStage::Unknown("FROZEN".to_owned())),
            expect![
                "CloudFormation says that it is FROZEN; hint: wait until the operation on its \
                 stack ends"
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
