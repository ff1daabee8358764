//! The effect of service control policies on principals that delete recovery points.

use serde_json::Value;

use super::statement::{Holds, Statement, statements};
use super::vault::DELETE;

/// The effect of service control policies on the principals of an account that delete recovery
/// points. A vault cannot be deleted before its recovery points, so their deletion decides.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub enum Guard {
    /// They deny deletion to every principal.
    Denied,
    /// They deny deletion to every principal whose ARN is like none of these.
    DeniedExcept(Vec<String>),
    /// They deny deletion in a form that is not judged, for this reason.
    NotKnown(String),
    /// They do not deny deletion.
    #[default]
    Free,
}

impl Guard {
    /// Returns the effect of this policy.
    pub fn of(policy: &str) -> Self {
        let Ok(policy) = serde_json::from_str::<Value>(policy) else {
            return Self::NotKnown("it is not JSON".to_owned());
        };
        let denials = statements(&policy).filter(Statement::denies);
        denials.map(|it| denial(&it)).fold(Self::Free, Self::and)
    }

    /// Returns the effect of both, for a principal that has to be allowed by each of them.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Denied, _) | (_, Self::Denied) => Self::Denied,
            // Only principals that are excepted by both may delete, so the shorter list has them all.
            (Self::DeniedExcept(one), Self::DeniedExcept(two)) => {
                Self::DeniedExcept(if two.len() < one.len() { two } else { one })
            }
            (Self::DeniedExcept(all), _) | (_, Self::DeniedExcept(all)) => Self::DeniedExcept(all),
            (Self::NotKnown(why), _) | (_, Self::NotKnown(why)) => Self::NotKnown(why),
            (Self::Free, Self::Free) => Self::Free,
        }
    }
}

/// Returns the effect of a statement that denies something.
fn denial(statement: &Statement<'_>) -> Guard {
    let not_known = |why: &str| Guard::NotKnown(why.to_owned());
    match statement.covers(DELETE) {
        Holds::No => return Guard::Free,
        Holds::Unknown => return not_known("a denial names the actions that it leaves out"),
        Holds::Yes => {}
    }
    if !statement.is_for_every_resource() {
        return not_known("a denial is about some resources only");
    }
    match statement.condition().map(excepted) {
        None => Guard::Denied,
        Some(Ok(all)) => Guard::DeniedExcept(all),
        Some(Err(why)) => Guard::NotKnown(why),
    }
}

/// Returns the patterns of the principals that a condition leaves out, if it does nothing else.
/// Otherwise returns the reason why it is not judged.
fn excepted(condition: &Value) -> Result<Vec<String>, String> {
    const EXCEPT: [&str; 4] = ["ArnNotEquals", "ArnNotLike", "StringNotEquals", "StringNotLike"];
    let mut all = Vec::new();
    for (operator, keys) in condition.as_object().into_iter().flatten() {
        for (key, values) in keys.as_object().into_iter().flatten() {
            let is_exception =
                EXCEPT.contains(&operator.as_str()) && key.eq_ignore_ascii_case("aws:PrincipalArn");
            if !is_exception {
                return Err(format!("a denial depends on `{operator}` of `{key}`"));
            }
            let values = values.as_array().map_or(std::slice::from_ref(values), Vec::as_slice);
            for value in values {
                match value.as_str().filter(|it| !it.contains("${")) {
                    Some(value) => all.push(value.to_owned()),
                    None => return Err("a denial depends on a policy variable".to_owned()),
                }
            }
        }
    }
    all.sort();
    all.dedup();
    if all.is_empty() { Err("the condition of a denial is empty".to_owned()) } else { Ok(all) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ADMIN: &str = "arn:aws:iam::*:role/stacksets-exec-*";
    const MAKER: &str = "arn:aws:iam::*:role/org-backup";

    fn deny(action: &str) -> Value {
        json!({ "Effect": "Deny", "Action": action, "Resource": "*" })
    }

    fn when(condition: &Value) -> Value {
        let mut statement = deny(DELETE);
        statement["Condition"] = condition.clone();
        statement
    }

    fn judged(statement: &Value) -> Guard {
        Guard::of(&json!({ "Version": "2012-10-17", "Statement": statement }).to_string())
    }

    fn except(all: &[&str]) -> Guard {
        Guard::DeniedExcept(all.iter().map(|it| (*it).to_owned()).collect())
    }

    #[test]
    fn a_denial_without_a_condition_is_about_everybody_and_one_may_except_principals() {
        let mut allow = deny("*");
        allow["Effect"] = json!("Allow");
        let both = json!({
            "ArnNotLike": { "aws:PrincipalArn": [ADMIN] },
            "ArnNotEquals": { "aws:PrincipalARN": MAKER },
        });
        for (statement, guard) in [
            (deny(DELETE), Guard::Denied),
            (deny("backup:*"), Guard::Denied),
            (deny("Backup:deleterecovery*"), Guard::Denied),
            (deny("backup:DeleteBackupVault"), Guard::Free),
            (allow, Guard::Free),
            (when(&both), except(&[MAKER, ADMIN])),
            (json!([when(&both), deny("*")]), Guard::Denied),
            (
                json!([
                    when(&both),
                    when(&json!({ "StringNotLike": { "aws:PrincipalArn": ADMIN } }))
                ]),
                except(&[ADMIN]),
            ),
        ] {
            assert_eq!(judged(&statement), guard, "{statement}");
        }
    }

    #[test]
    fn of_two_lists_of_exceptions_the_shorter_counts_and_else_the_first() {
        let (one, two) = (except(&[ADMIN]), except(&[MAKER, ADMIN]));
        assert_eq!(one.clone().and(two.clone()), one);
        assert_eq!(two.and(one.clone()), one);
        assert_eq!(one.clone().and(except(&[MAKER])), one);
    }

    #[test]
    fn any_other_form_is_not_known_with_its_reason() {
        let mut some = deny(DELETE);
        some["Resource"] = json!("arn:aws:backup:*:*:recovery-point:*");
        let mut others = deny(DELETE);
        others.as_object_mut().map(|it| it.remove("Resource"));
        others["NotResource"] = json!("*");
        let left_out = json!({ "Effect": "Deny", "NotAction": "iam:*", "Resource": "*" });
        let tag = json!({ "StringEquals": { "aws:ResourceTag/tier": "gold" } });
        let region = json!({ "StringNotEquals": { "aws:RequestedRegion": "eu-west-1" } });
        let only = json!({ "ArnLike": { "aws:PrincipalArn": ADMIN } });
        let variable = json!({ "ArnNotLike": { "aws:PrincipalArn": "arn:aws:iam::${aws:PrincipalAccount}:role/x" } });
        for (statement, why) in [
            (some, "some resources only"),
            (others, "some resources only"),
            (left_out, "names the actions that it leaves out"),
            (when(&tag), "depends on `StringEquals` of `aws:ResourceTag/tier`"),
            (when(&region), "depends on `StringNotEquals` of `aws:RequestedRegion`"),
            (when(&only), "depends on `ArnLike` of `aws:PrincipalArn`"),
            (when(&variable), "a policy variable"),
            (when(&json!({})), "is empty"),
        ] {
            let Guard::NotKnown(said) = judged(&statement) else { panic!("{statement}") };
            assert!(said.contains(why), "{said}");
        }
        assert_eq!(Guard::of("{"), Guard::NotKnown("it is not JSON".to_owned()));
        // What is known of one statement holds, whatever another one does.
        assert_eq!(judged(&json!([when(&tag), deny(DELETE)])), Guard::Denied);
    }
}
