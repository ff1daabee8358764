//! Whether a policy document is taken at all.
//!
//! The deep grammar of backup policies belongs here once it exists: extend [`backup`].

use serde_json::Value;

use super::{Answer, BACKUP_POLICY};
use crate::refusal::{Code, Constraint, Refusal};

pub(super) fn check(kind: &str, content: &str) -> Answer<()> {
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
    let document: Value = serde_json::from_str(content).map_err(|_| malformed())?;
    match kind {
        BACKUP_POLICY => backup(&document),
        _ if document.is_object() => Ok(()),
        _ => Err(malformed()),
    }
}

/// The top level is `plans` and nothing else, and every plan is an object.
fn backup(document: &Value) -> Answer<()> {
    let document = document.as_object().ok_or_else(malformed)?;
    let plans = document.get("plans").and_then(Value::as_object).ok_or_else(malformed)?;
    let names = plans.keys().all(|it| it.starts_with("@@") || is_plan_name(it));
    let objects = plans.iter().all(|(name, it)| name.starts_with("@@") || it.is_object());
    let assigned = plans.contains_key("@@assign");
    if document.len() == 1 && names && objects && !assigned { Ok(()) } else { Err(malformed()) }
}

fn is_plan_name(name: &str) -> bool {
    let letters = name.chars().all(|it| it.is_ascii_alphanumeric() || "_.-".contains(it));
    letters && (1..=50).contains(&name.len())
}

fn malformed() -> Refusal {
    let message = "The provided policy document does not meet the requirements of the specified \
                   policy type.";
    Refusal::new(Code::MalformedPolicyDocument, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admitted(content: &str) -> bool {
        check(BACKUP_POLICY, content).is_ok()
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
        ];
        for document in documents {
            let refusal = check(BACKUP_POLICY, document).unwrap_err();
            assert_eq!(refusal.code, Code::MalformedPolicyDocument, "{document}");
        }
    }

    #[test]
    fn ten_thousand_characters_are_the_limit() {
        let padded = |length: usize| format!(r#"{{"plans":{{}}{}}}"#, " ".repeat(length - 12));
        assert_eq!(padded(10_000).len(), 10_000);
        assert!(admitted(&padded(10_000)));
        let refusal = check(BACKUP_POLICY, &padded(10_001)).unwrap_err();
        assert_eq!(refusal.reason.as_deref(), Some("POLICY_CONTENT_LIMIT_EXCEEDED"));
    }
}
