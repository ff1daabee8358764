//! The members of a request, checked as AWS checks them before it reads the organization.

use serde_json::{Map, Value};

use crate::refusal::{Answer, Code, Invalid, Refusal};
use crate::request::Call;

/// The members of a request.
pub(super) struct Input<'a> {
    call: &'a Call,
    members: Map<String, Value>,
}

impl<'a> Input<'a> {
    pub(super) fn parse(call: &'a Call) -> Answer<Self> {
        let members = match call.body.as_ref() {
            b"" => Map::new(),
            body => serde_json::from_slice(body).map_err(|_| serialization())?,
        };
        Ok(Self { call, members })
    }

    /// Returns the account of the caller.
    pub(super) fn caller(&self) -> &'a str {
        &self.call.caller.account
    }

    fn get(&self, member: &'static str) -> Option<&Value> {
        self.call.looked_at(member);
        self.members.get(member).filter(|it| !it.is_null())
    }

    pub(super) fn optional(&self, member: &'static str) -> Answer<Option<&str>> {
        match self.get(member) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(serialization()),
        }
    }

    pub(super) fn text(&self, member: &'static str) -> Answer<&str> {
        let missing = || Refusal::invalid(Invalid::InputRequired, Some(member));
        self.optional(member)?.ok_or_else(missing)
    }

    /// Returns a text of at most `limit` characters, and of at least one if `filled`.
    pub(super) fn limited(&self, member: &'static str, limit: usize, filled: bool) -> Answer<&str> {
        let text = self.text(member)?;
        check_length(member, text, limit, filled)?;
        Ok(text)
    }

    pub(super) fn limited_optional(
        &self,
        member: &'static str,
        limit: usize,
        filled: bool,
    ) -> Answer<Option<&str>> {
        let text = self.optional(member)?;
        text.iter().try_for_each(|it| check_length(member, it, limit, filled))?;
        Ok(text)
    }

    /// Returns a policy type.
    pub(super) fn policy_type(&self, member: &'static str) -> Answer<&str> {
        let missing = || Refusal::invalid(Invalid::InputRequired, Some("PolicyType"));
        self.optional(member)?.ok_or_else(missing)
    }

    pub(super) fn policy(&self) -> Answer<&str> {
        let id = self.text("PolicyId")?;
        if is_policy(id) { Ok(id) } else { Err(Refusal::invalid(Invalid::PolicyId, None)) }
    }

    pub(super) fn target(&self, member: &'static str) -> Answer<&str> {
        let id = self.text(member)?;
        let right = is_node(id) || (member == "ResourceId" && (is_policy(id) || is_grant(id)));
        if right { Ok(id) } else { Err(Refusal::invalid(Invalid::PatternTargetId, None)) }
    }

    /// Returns an ID of the form that `is` accepts.
    pub(super) fn id(&self, member: &'static str, is: fn(&str) -> bool) -> Answer<&str> {
        let id = self.text(member)?;
        if is(id) { Ok(id) } else { Err(Refusal::invalid(Invalid::Pattern, Some(member))) }
    }

    pub(super) fn principal(&self) -> Answer<&str> {
        let principal = self.limited("ServicePrincipal", 128, true)?;
        check_principal(principal)
    }

    pub(super) fn optional_principal(&self) -> Answer<Option<&str>> {
        let principal = self.limited_optional("ServicePrincipal", 128, true)?;
        principal.map(check_principal).transpose()
    }

    pub(super) fn number(&self, member: &'static str) -> Answer<Option<i64>> {
        match self.get(member) {
            None => Ok(None),
            Some(value) => value.as_i64().map(Some).ok_or_else(serialization),
        }
    }

    pub(super) fn tags(&self) -> Answer<Vec<(String, String)>> {
        let Some(tags) = self.get("Tags") else {
            return Ok(Vec::new());
        };
        let tags = tags.as_array().ok_or_else(serialization)?;
        let pair = |tag: &Value| {
            let text = |member| tag.get(member).and_then(Value::as_str).map(str::to_owned);
            let missing = || Refusal::invalid(Invalid::InputRequired, Some("Tags"));
            Ok((text("Key").ok_or_else(missing)?, text("Value").ok_or_else(missing)?))
        };
        tags.iter().map(pair).collect()
    }

    pub(super) fn tag_keys(&self) -> Answer<Vec<String>> {
        let missing = || Refusal::invalid(Invalid::InputRequired, Some("TagKeys"));
        let keys = self.get("TagKeys").ok_or_else(missing)?;
        let keys = keys.as_array().ok_or_else(serialization)?.iter();
        keys.map(|it| it.as_str().map(str::to_owned).ok_or_else(serialization)).collect()
    }

    pub(super) fn has(&self, member: &'static str) -> Answer<()> {
        let missing = || Refusal::invalid(Invalid::InputRequired, Some(member));
        self.get(member).map(|_| ()).ok_or_else(missing)
    }
}

fn check_length(member: &'static str, text: &str, limit: usize, filled: bool) -> Answer<()> {
    if filled && text.is_empty() {
        return Err(Refusal::invalid(Invalid::MinLength, Some(member)));
    }
    if text.chars().count() > limit {
        return Err(Refusal::invalid(Invalid::MaxLength, Some(member)));
    }
    Ok(())
}

fn check_principal(principal: &str) -> Answer<&str> {
    let right = |it: char| it.is_ascii_alphanumeric() || "_+=,.@-".contains(it);
    if principal.chars().all(right) {
        return Ok(principal);
    }
    Err(Refusal::invalid(Invalid::Pattern, Some("ServicePrincipal")))
}

fn serialization() -> Refusal {
    Refusal::new(Code::Serialization, "The request body does not have the right shape.")
}

fn is_text(text: &str, lengths: std::ops::RangeInclusive<usize>, extra: &str) -> bool {
    let right = |it: char| it.is_ascii_lowercase() || it.is_ascii_digit() || extra.contains(it);
    lengths.contains(&text.len()) && text.chars().all(right)
}

const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ_";

pub(super) fn is_root(id: &str) -> bool {
    id.strip_prefix("r-").is_some_and(|it| is_text(it, 4..=32, ""))
}

pub(super) fn is_unit(id: &str) -> bool {
    let parts = id.strip_prefix("ou-").and_then(|it| it.split_once('-'));
    parts.is_some_and(|(root, unit)| is_text(root, 4..=32, "") && is_text(unit, 8..=32, ""))
}

pub(super) fn is_account(id: &str) -> bool {
    id.len() == 12 && id.bytes().all(|it| it.is_ascii_digit())
}

pub(super) fn is_parent(id: &str) -> bool {
    is_root(id) || is_unit(id)
}

pub(super) fn is_child(id: &str) -> bool {
    is_account(id) || is_unit(id)
}

pub(super) fn is_creation(id: &str) -> bool {
    id.strip_prefix("car-").is_some_and(|it| is_text(it, 8..=32, ""))
}

fn is_node(id: &str) -> bool {
    is_parent(id) || is_account(id)
}

fn is_policy(id: &str) -> bool {
    id.strip_prefix("p-").is_some_and(|it| is_text(it, 8..=128, UPPER))
}

/// Returns `true` for the ID of a resource policy.
fn is_grant(id: &str) -> bool {
    id.strip_prefix("rp-").is_some_and(|it| is_text(it, 4..=128, UPPER))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_told_by_their_form() {
        assert!(is_root("r-a1b2") && !is_root("r-A1B2") && !is_root("r-abc"));
        assert!(is_unit("ou-a1b2-12345678") && !is_unit("ou-a1b2"));
        assert!(is_account("111122223333") && !is_account("11112222333x"));
        assert!(is_policy("p-FullAWSAccess") && !is_policy("p-1234567"));
    }

    fn reason(body: &'static str, read: impl Fn(&Input<'_>) -> Answer<()>) -> String {
        let call = Call::example(body);
        read(&Input::parse(&call).unwrap()).unwrap_err().reason.unwrap_or_default()
    }

    #[test]
    fn the_reason_names_what_is_wrong() {
        let name = |it: &Input<'_>| it.limited("Name", 4, true).map(|_| ());
        assert_eq!(reason("{}", name), "INPUT_REQUIRED:NAME");
        assert_eq!(reason(r#"{"Name":""}"#, name), "MIN_LENGTH_EXCEEDED:NAME");
        assert_eq!(reason(r#"{"Name":"12345"}"#, name), "MAX_LENGTH_EXCEEDED:NAME");
        let root = |it: &Input<'_>| it.id("RootId", is_root).map(|_| ());
        assert_eq!(reason(r#"{"RootId":"root"}"#, root), "INVALID_PATTERN:ROOT_ID");
        let policy = |it: &Input<'_>| it.policy().map(|_| ());
        assert_eq!(reason(r#"{"PolicyId":"root"}"#, policy), "INVALID_SYNTAX_POLICY_ID");
    }
}
