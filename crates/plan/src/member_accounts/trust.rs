//! Whether a role may be used by AWS Backup.

use serde_json::Value;

use super::BACKUP;

/// Whether the trust policy of a role lets AWS Backup assume it.
///
/// A condition is taken to be met: which backups it admits is for its author to decide. A denial
/// without a condition counts, and one with a condition does not.
pub fn trusts_backup(policy: &str) -> bool {
    let Ok(policy) = serde_json::from_str::<Value>(policy) else { return false };
    let statements = one_or_many(policy.get("Statement"));
    let about = |effect: &str| {
        let has = |it: &&&Value| it.get("Effect").is_some_and(|it| it == effect);
        statements.iter().filter(has).any(|it| {
            let is_certain = effect == "Allow" || it.get("Condition").is_none();
            is_certain && names_backup(it.get("Principal")) && names_assume_role(it.get("Action"))
        })
    };
    about("Allow") && !about("Deny")
}

fn names_backup(principal: Option<&Value>) -> bool {
    let services = one_or_many(principal.and_then(|it| it.get("Service")));
    principal.is_some_and(|it| it == "*") || services.iter().any(|it| *it == BACKUP)
}

fn names_assume_role(action: Option<&Value>) -> bool {
    one_or_many(action).iter().filter_map(|it| it.as_str()).any(|it| {
        // Actions are matched without regard to case.
        ["*", "sts:*", "sts:assumerole", "sts:assume*"].contains(&it.to_ascii_lowercase().as_str())
    })
}

/// The elements of a list, or the one that stands in place of a list.
fn one_or_many(value: Option<&Value>) -> Vec<&Value> {
    match value {
        None => vec![],
        Some(Value::Array(list)) => list.iter().collect(),
        Some(one) => vec![one],
    }
}
