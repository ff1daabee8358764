//! The effect of deploying a new template on resources that it no longer contains.

use policy::Node;

/// The effect on a resource that the new template does not contain.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Disposal {
    /// Its function is asked to delete it after everything else is done.
    Deleted,
    /// It leaves the stack but is not deleted, because of this `DeletionPolicy`.
    Retained(String),
    /// It left the stack in an earlier deployment, so nothing is done.
    Gone,
    /// The effect is not known, for this reason.
    Unknown(String),
}

/// Returns the effect on the resource `logical_id`. The `DeletionPolicy` in the currently
/// `deployed` template counts, and not the one in the new template.
pub fn disposal(deployed: &Node, logical_id: &str) -> Disposal {
    let resource = deployed.member("Resources").and_then(|it| it.member(logical_id));
    let Some(resource) = resource else { return Disposal::Gone };
    match resource.member("DeletionPolicy").map(Node::scalar) {
        None | Some(Some("Delete")) => Disposal::Deleted,
        // `RetainExceptOnCreate` only deletes a resource that a failed deployment has just created.
        Some(Some(policy @ ("Retain" | "RetainExceptOnCreate"))) => {
            Disposal::Retained(policy.to_owned())
        }
        Some(Some(other)) => Disposal::Unknown(format!("its `DeletionPolicy` is `{other}`")),
        Some(None) => Disposal::Unknown("its `DeletionPolicy` is not a literal value".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use policy::json;

    /// Returns the disposal of `Daily` if the deployed template has these members of it.
    fn becomes(members: &str) -> Disposal {
        let text =
            format!(r#"{{"Resources":{{"Daily":{{"Type":"Custom::BackupPolicy"{members}}}}}}}"#);
        disposal(&json::read(&text).0.unwrap(), "Daily")
    }

    #[test]
    fn what_the_template_does_not_say_is_deleted() {
        assert_eq!(becomes(""), Disposal::Deleted);
        assert_eq!(becomes(r#","DeletionPolicy":"Delete""#), Disposal::Deleted);
        assert_eq!(becomes(r#","UpdateReplacePolicy":"Retain""#), Disposal::Deleted);
    }

    #[test]
    fn what_is_retained_stays() {
        for policy in ["Retain", "RetainExceptOnCreate"] {
            let members = format!(r#","DeletionPolicy":"{policy}""#);
            assert_eq!(becomes(&members), Disposal::Retained(policy.to_owned()));
        }
    }

    #[test]
    fn what_the_stack_has_no_more_is_not_deleted_again() {
        let none = json::read(r#"{"Resources":{"Monthly":{}}}"#).0.unwrap();
        assert_eq!(disposal(&none, "Daily"), Disposal::Gone);
        assert_eq!(disposal(&json::read("{}").0.unwrap(), "Daily"), Disposal::Gone);
    }

    #[test]
    fn what_cannot_be_told_is_not_guessed() {
        for policy in [r#""Snapshot""#, r#"{"Ref":"Policy"}"#] {
            let members = format!(r#","DeletionPolicy":{policy}"#);
            assert!(matches!(becomes(&members), Disposal::Unknown(_)), "{policy}");
        }
    }
}
