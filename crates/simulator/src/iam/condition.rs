//! The conditions of statements, as far as the templates use them.

use std::collections::BTreeMap;

use policy::pattern::{is_arn_like, is_like};
use serde_json::Value;

use super::Unreadable;
use super::account::in_account;

/// The condition keys of a request, in lower case.
pub(crate) type Keys = BTreeMap<String, Vec<String>>;

/// The condition keys that requests carry if they apply, in lower case.
const KEYS: [&str; 32] = [
    "aws:calledvia",
    "aws:principalaccount",
    "aws:principalarn",
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:requestedregion",
    "aws:resourceaccount",
    "aws:resourceorgid",
    "aws:securetransport",
    "aws:sourceaccount",
    "aws:sourcearn",
    "aws:tagkeys",
    "aws:viaawsservice",
    "backup:copytargetorgpaths",
    "backup:copytargets",
    "dynamodb:select",
    "iam:awsservicename",
    "iam:passedtoservice",
    "kms:grantisforawsresource",
    "kms:resourcealiases",
    "kms:viaservice",
    "lambda:functionarn",
    "organizations:policytype",
    "organizations:serviceprincipal",
    "ram:allowsexternalprincipals",
    "ram:requestedallowsexternalprincipals",
    "ram:requestedresourcetype",
    "ram:resourcearn",
    "s3:prefix",
    "sts:externalid",
    "sts:rolesessionname",
    "states:statemachinearn",
];

/// The prefixes of keys that end with a name from the request.
const NAMED_KEYS: [&str; 2] = ["aws:requesttag/", "aws:resourcetag/"];

/// One condition of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Condition {
    /// The quantifier: all values of the request have to match, or any of them, or there is only
    /// one value.
    quantifier: Quantifier,
    test: Test,
    negated: bool,
    if_exists: bool,
    key: String,
    values: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Quantifier {
    One,
    Any,
    All,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Test {
    Equal,
    EqualIgnoringCase,
    Like,
    Arn,
    Bool,
    Null,
}

impl Condition {
    /// Reads every condition of a statement.
    pub(super) fn read(conditions: &Value) -> Result<Vec<Self>, Unreadable> {
        let malformed = || Unreadable::Malformed("a condition is no object".to_owned());
        let mut all = Vec::new();
        for (operator, keys) in conditions.as_object().ok_or_else(malformed)? {
            for (key, values) in keys.as_object().ok_or_else(malformed)? {
                all.push(Self::one(operator, key, values)?);
            }
        }
        Ok(all)
    }

    fn one(operator: &str, key: &str, values: &Value) -> Result<Self, Unreadable> {
        let (quantifier, rest) = match operator.split_once(':') {
            Some(("ForAnyValue", rest)) => (Quantifier::Any, rest),
            Some(("ForAllValues", rest)) => (Quantifier::All, rest),
            _ => (Quantifier::One, operator),
        };
        let (name, if_exists) = match rest.strip_suffix("IfExists") {
            Some(name) => (name, true),
            None => (rest, false),
        };
        let (test, negated) = match name {
            "StringEquals" => (Test::Equal, false),
            "StringNotEquals" => (Test::Equal, true),
            "StringEqualsIgnoreCase" => (Test::EqualIgnoringCase, false),
            "StringNotEqualsIgnoreCase" => (Test::EqualIgnoringCase, true),
            "StringLike" => (Test::Like, false),
            "StringNotLike" => (Test::Like, true),
            "ArnEquals" | "ArnLike" => (Test::Arn, false),
            "ArnNotEquals" | "ArnNotLike" => (Test::Arn, true),
            "Bool" => (Test::Bool, false),
            "Null" => (Test::Null, false),
            _ => return Err(Unreadable::Unknown(format!("the condition operator `{operator}`"))),
        };
        let key = key.to_ascii_lowercase();
        if !KEYS.contains(&key.as_str()) && !NAMED_KEYS.iter().any(|it| key.starts_with(it)) {
            return Err(Unreadable::Unknown(format!("the condition key `{key}`")));
        }
        let values = texts(values)?;
        Ok(Self { quantifier, test, negated, if_exists, key, values })
    }

    /// Returns `true` if a request with these `keys` meets the condition. `$account` stands for
    /// `account`.
    pub(super) fn is_met(&self, keys: &Keys, account: &str) -> bool {
        let given = keys.get(&self.key).map(Vec::as_slice).unwrap_or_default();
        if self.test == Test::Null {
            return self.values.iter().any(|it| (it == "true") == given.is_empty());
        }
        if given.is_empty() {
            // A missing value does not equal anything, and all of no values match.
            return self.if_exists || self.negated || self.quantifier == Quantifier::All;
        }
        let fits = |text: &String| {
            let any = self.values.iter().any(|it| self.compare(&in_account(it, account), text));
            any != self.negated
        };
        match self.quantifier {
            Quantifier::One | Quantifier::All => given.iter().all(fits),
            Quantifier::Any => given.iter().any(fits),
        }
    }

    fn compare(&self, value: &str, text: &str) -> bool {
        match self.test {
            Test::Equal => value == text,
            Test::EqualIgnoringCase | Test::Bool => value.eq_ignore_ascii_case(text),
            Test::Like => is_like(value, text),
            Test::Arn => is_arn_like(value, text),
            Test::Null => false,
        }
    }
}

/// Reads a text or a list of texts. Policy variables are not supported.
pub(super) fn texts(value: &Value) -> Result<Vec<String>, Unreadable> {
    let list = match value {
        Value::Array(list) => list.as_slice(),
        one => std::slice::from_ref(one),
    };
    let text = |it: &Value| match it {
        Value::String(text) if text.contains("${") => {
            Err(Unreadable::Unknown(format!("the policy variable in `{text}`")))
        }
        Value::String(text) => Ok(text.clone()),
        Value::Bool(flag) => Ok(flag.to_string()),
        other => Err(Unreadable::Malformed(format!("`{other}` is no text"))),
    };
    list.iter().map(text).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn keys(pairs: &[(&str, &[&str])]) -> Keys {
        let owned = |it: &[&str]| it.iter().map(|it| (*it).to_owned()).collect();
        pairs.iter().map(|(key, values)| ((*key).to_owned(), owned(values))).collect()
    }

    fn is_met(condition: Value, keys: &Keys) -> bool {
        let conditions = Condition::read(&condition).unwrap();
        conditions.iter().all(|it| it.is_met(keys, "444455556666"))
    }

    #[test]
    fn every_operator_compares_in_its_own_way() {
        let keys = keys(&[
            ("organizations:policytype", &["BACKUP_POLICY"]),
            ("aws:principalarn", &["arn:aws:iam::111122223333:role/members"]),
            ("aws:securetransport", &["true"]),
        ]);
        let kind = |operator: &str, value: &str| {
            is_met(json!({ operator: { "organizations:PolicyType": value } }), &keys)
        };
        assert!(kind("StringEquals", "BACKUP_POLICY") && !kind("StringEquals", "backup_policy"));
        assert!(kind("StringEqualsIgnoreCase", "backup_policy"));
        assert!(kind("StringLike", "BACKUP*") && !kind("StringLike", "TAG*"));
        assert!(kind("StringNotEquals", "TAG_POLICY") && !kind("StringNotLike", "BACKUP*"));
        let arn = |value: &str| is_met(json!({ "ArnLike": { "aws:PrincipalArn": value } }), &keys);
        assert!(arn("arn:*:iam::111122223333:role/*") && !arn("arn:aws:iam::444455556666:*"));
        assert!(is_met(json!({ "Bool": { "aws:SecureTransport": true } }), &keys));
        assert!(is_met(json!({ "Null": { "aws:SourceArn": "true" } }), &keys));
        assert!(!is_met(json!({ "Null": { "aws:PrincipalArn": "true" } }), &keys));
    }

    #[test]
    fn what_a_request_does_not_carry_is_not_equal_to_anything() {
        let none = Keys::new();
        let condition = |operator: &str| json!({ operator: { "aws:SourceArn": "x" } });
        assert!(!is_met(condition("StringEquals"), &none));
        assert!(is_met(condition("StringEqualsIfExists"), &none));
        assert!(is_met(condition("StringNotEquals"), &none));
        assert!(is_met(condition("ForAllValues:StringEquals"), &none));
        assert!(!is_met(condition("ForAnyValue:StringEquals"), &none));
    }

    #[test]
    fn of_several_values_any_or_all_have_to_fit() {
        let keys = keys(&[("aws:tagkeys", &["org-backup:owner", "team"])]);
        let condition = |operator: &str| json!({ operator: { "aws:TagKeys": "org-backup:owner" } });
        assert!(is_met(condition("ForAnyValue:StringEquals"), &keys));
        assert!(!is_met(condition("ForAllValues:StringEquals"), &keys));
    }

    #[test]
    fn what_the_simulator_does_not_know_is_not_read() {
        for (condition, what) in [
            (json!({ "IpAddress": { "aws:SourceArn": "x" } }), "condition operator `IpAddress`"),
            (json!({ "StringEquals": { "aws:Moon": "full" } }), "condition key `aws:moon`"),
        ] {
            let refusal = Condition::read(&condition).unwrap_err();
            assert_eq!(refusal, Unreadable::Unknown(format!("the {what}")));
        }
    }
}
