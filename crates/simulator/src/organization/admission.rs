//! The admission of policy documents.

use std::time::SystemTime;

use policy::{Code as Rule, Finding, Severity};
use serde_json::Value;

use super::{Answer, BACKUP_POLICY};
use crate::refusal::{Code, Constraint, Refusal};

pub(super) fn check(kind: &str, content: &str, now: SystemTime) -> Answer<()> {
    let limit = match kind {
        "SERVICE_CONTROL_POLICY" => 10_240,
        "RESOURCE_CONTROL_POLICY" => 5_120,
        "AISERVICES_OPT_OUT_POLICY" => 2_500,
        _ => 10_000,
    };
    if content.chars().count() > limit {
        let message = "You have exceeded the maximum size of a policy of this type.";
        return Err(Refusal::constraint(Constraint::PolicyContent, message));
    }
    let admitted = if kind == BACKUP_POLICY {
        !policy::check(content, now).iter().any(refuses)
    } else {
        serde_json::from_str::<Value>(content).is_ok_and(|it| it.is_object())
    };
    if admitted { Ok(()) } else { Err(malformed()) }
}

/// The rules that are only warnings for us, and for which AWS refuses a document. Variables are our
/// extension: for AWS, a value that could hold a variable must not contain `${`. The simulated AWS
/// has the Regions and resource types of this release and no others.
const REFUSED: [Rule; 3] = [Rule::Variable, Rule::UnknownRegion, Rule::UnknownResourceType];

/// Returns `true` if Organizations refuses a document for this finding.
fn refuses(it: &Finding) -> bool {
    REFUSED.contains(&it.code) || (it.severity == Severity::Error && !it.code.is_refused_later())
}

fn malformed() -> Refusal {
    let message = "The provided policy document does not meet the requirements of the specified \
                   policy type.";
    Refusal::new(Code::MalformedPolicyDocument, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: SystemTime = SystemTime::UNIX_EPOCH;

    fn admitted(content: &str) -> bool {
        check(BACKUP_POLICY, content, NOW).is_ok()
    }

    #[test]
    fn fragments_of_backup_policies_are_taken() {
        assert!(admitted(r#"{"plans":{}}"#));
        assert!(admitted(r#"{"plans":{"daily":{}}}"#));
        assert!(admitted(
            r#"{"plans":{"@@operators_allowed_for_child_policies":["@@none"],"a":{}}}"#
        ));
    }

    #[test]
    fn what_is_no_backup_policy_is_refused() {
        let documents = [
            "plans",
            "{}",
            "[]",
            r#"{"plans":[]}"#,
            r#"{"plans":{},"rules":{}}"#,
            r#"{"plans":{"daily":"x"}}"#,
            r#"{"plans":{"two words":{}}}"#,
            r#"{"plans":{"@@assign":{}}}"#,
            r#"{"plans":{"daily":{},"daily":{}}}"#,
            r#"{"plans":{"daily":{"region":{"@@assign":["eu-west-1"]}}}}"#,
            r#"{"plans":{"daily":{"regions":["eu-west-1"]}}}"#,
            r#"{"plans":{"daily":{"regions":{"@@assign":["${region}"]}}}}"#,
            r#"{"plans":{"daily":{"regions":{"@@assign":["eu-west-9"]}}}}"#,
        ];
        for document in documents {
            let refusal = check(BACKUP_POLICY, document, NOW).unwrap_err();
            assert_eq!(refusal.code, Code::MalformedPolicyDocument, "{document}");
        }
    }

    #[test]
    fn what_only_aws_backup_refuses_is_taken() {
        let lifecycle = |cold: &str, delete: &str| {
            format!(
                r#"{{"plans":{{"daily":{{"rules":{{"nightly":{{"lifecycle":{{
                    "move_to_cold_storage_after_days":{{"@@assign":"{cold}"}},
                    "delete_after_days":{{"@@assign":"{delete}"}}}}}}}}}}}}}}"#
            )
        };
        assert!(admitted(&lifecycle("30", "60")));
        assert!(!admitted(&lifecycle("30", "never")));
    }

    #[test]
    fn ten_thousand_characters_are_the_limit() {
        let padded = |length: usize| format!(r#"{{"plans":{{}}{}}}"#, " ".repeat(length - 12));
        assert_eq!(padded(10_000).len(), 10_000);
        assert!(admitted(&padded(10_000)));
        let refusal = check(BACKUP_POLICY, &padded(10_001), NOW).unwrap_err();
        assert_eq!(refusal.reason.as_deref(), Some("POLICY_CONTENT_LIMIT_EXCEEDED"));
    }
}
