//! The statements of IAM policies that others wrote, as far as their format is known.

use policy::arn::Arn;
use policy::pattern::{is_arn_like, is_like};
use serde_json::{Map, Value};

/// The result of a test, as far as this program can tell.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Holds {
    Yes,
    No,
    Unknown,
}

impl From<bool> for Holds {
    fn from(holds: bool) -> Self {
        if holds { Self::Yes } else { Self::No }
    }
}

impl Holds {
    pub(super) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::No, _) | (_, Self::No) => Self::No,
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
            (Self::Yes, Self::Yes) => Self::Yes,
        }
    }

    fn all(all: impl IntoIterator<Item = Self>) -> Self {
        all.into_iter().fold(Self::Yes, Self::and)
    }
}

/// One statement of a policy.
#[derive(Debug)]
pub(super) struct Statement<'a>(&'a Map<String, Value>);

/// Returns the statements of a policy.
pub(super) fn statements(policy: &Value) -> impl Iterator<Item = Statement<'_>> {
    one_or_many(policy.get("Statement")).filter_map(Value::as_object).map(Statement)
}

impl<'a> Statement<'a> {
    /// Returns `true` if it denies something, and `false` if it allows something.
    pub(super) fn denies(&self) -> bool {
        self.0.get("Effect").is_some_and(|it| it == "Deny")
    }

    /// Returns its actions in lower case, because they are matched without regard to case. Returns
    /// `None` if it lists the actions that it does not apply to.
    pub(super) fn actions(&self) -> Option<Vec<String>> {
        let actions = one_or_many(self.0.get("Action")).filter_map(Value::as_str);
        let actions = actions.map(str::to_ascii_lowercase).collect();
        (!self.0.contains_key("NotAction")).then_some(actions)
    }

    /// Tests whether it applies to `action`.
    pub(super) fn covers(&self, action: &str) -> Holds {
        let action = action.to_ascii_lowercase();
        let any = |it: Vec<String>| it.iter().any(|it| is_like(it, &action));
        self.actions().map_or(Holds::Unknown, |it| any(it).into())
    }

    /// Returns `true` if it applies to every resource.
    pub(super) fn is_for_every_resource(&self) -> bool {
        one_or_many(self.0.get("Resource")).any(|it| it == "*")
    }

    /// Tests whether it applies to every principal.
    pub(super) fn names_everybody(&self) -> Holds {
        self.names(|kind, name| kind == "AWS" && name == "*")
    }

    /// Tests whether it applies to this service.
    pub(super) fn names_service(&self, principal: &str) -> Holds {
        self.names(|kind, name| kind == "Service" && name == principal)
    }

    /// Tests whether it applies to the role with this ARN, directly or through its whole account.
    pub(super) fn names_role(&self, arn: &str) -> Holds {
        let account = Arn::parse(arn).map(|it| it.account).unwrap_or_default();
        let is_account = |name: &str| {
            let root =
                Arn::parse(name).is_ok_and(|it| it.account == account && it.resource == "root");
            root || name == account
        };
        self.names(|kind, name| kind == "AWS" && (name == "*" || name == arn || is_account(name)))
    }

    /// Returns `true` if an ARN among its principals belongs to this account.
    pub(super) fn mentions(&self, account: &str) -> bool {
        self.names(|_, name| Arn::account_in(name) == account) == Holds::Yes
    }

    fn names(&self, is_named: impl Fn(&str, &str) -> bool) -> Holds {
        let named = match self.0.get("Principal") {
            Some(Value::String(everybody)) => everybody == "*",
            Some(Value::Object(kinds)) => kinds.iter().any(|(kind, names)| {
                one_or_many(Some(names)).filter_map(Value::as_str).any(|it| is_named(kind, it))
            }),
            // `NotPrincipal` lists principals that it does not apply to.
            _ => return Holds::Unknown,
        };
        named.into()
    }

    /// Tests whether a request with these `known` values meets its condition. Keys are in lower
    /// case.
    pub(super) fn is_met(&self, known: &[(&str, &str)]) -> Holds {
        let Some(condition) = self.condition() else { return Holds::Yes };
        let Some(operators) = condition.as_object() else { return Holds::Unknown };
        Holds::all(operators.iter().map(|(operator, keys)| {
            let Some(keys) = keys.as_object() else { return Holds::Unknown };
            Holds::all(keys.iter().map(|(key, values)| {
                let key = key.to_ascii_lowercase();
                let value = known.iter().find(|it| it.0 == key).map(|it| it.1);
                value.map_or(Holds::Unknown, |it| compare(operator, values, it))
            }))
        }))
    }

    /// Returns its condition unchanged.
    pub(super) fn condition(&self) -> Option<&'a Value> {
        self.0.get("Condition")
    }
}

/// Tests whether `value`, the only one of its key, meets `operator`.
fn compare(operator: &str, wanted: &Value, value: &str) -> Holds {
    let operator = operator.strip_prefix("ForAnyValue:").unwrap_or(operator);
    let any = |fits: fn(&str, &str) -> bool| {
        // The value of a policy variable is only known for a request.
        let wanted =
            one_or_many(Some(wanted)).map(|it| it.as_str().filter(|it| !it.contains("${")));
        let wanted: Option<Vec<_>> = wanted.collect();
        wanted.map(|it| it.iter().any(|it| fits(it, value)))
    };
    let fits = match operator {
        "StringEquals" => any(|wanted, value| wanted == value),
        "StringNotEquals" => any(|wanted, value| wanted == value).map(|it| !it),
        "StringLike" => any(is_like),
        "StringNotLike" => any(is_like).map(|it| !it),
        "ArnEquals" | "ArnLike" => any(is_arn_like),
        "ArnNotEquals" | "ArnNotLike" => any(is_arn_like).map(|it| !it),
        _ => None,
    };
    fits.map_or(Holds::Unknown, Holds::from)
}

/// Returns the elements of a list, or the value that is in place of a list.
fn one_or_many(value: Option<&Value>) -> impl Iterator<Item = &Value> {
    let list = match value {
        None => &[],
        Some(Value::Array(list)) => list.as_slice(),
        Some(one) => std::slice::from_ref(one),
    };
    list.iter()
}
