//! The stack and the resource that something belongs to.

use std::fmt;
use std::str::FromStr;

use policy::arn::Arn;
use policy::document::sha256;

use crate::id::{TagKey, TagValue};

/// The tag of a policy that names the resource and the stack that made it.
///
/// It is sent with the call that creates the policy, so a lost reply never leaves an orphan.
pub const OWNER_TAG: &str = "org-backup:owner";

/// The prefix of every tag key that belongs to this program.
pub const TAG_PREFIX: &str = "org-backup:";

/// A custom resource, by its stack and its name in the template.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Owner(TagValue);

impl Owner {
    /// Returns the owner for the resource `logical_id` of the stack with the ARN `stack_id`.
    ///
    /// It is written as `<stack name>/<unique ID of the stack>/<logical ID>`, or as the SHA-256 of
    /// that text if it is not a valid tag value.
    pub fn new(stack_id: &str, logical_id: &str) -> Self {
        let name = format!("{}/{logical_id}", stack_path(stack_id));
        Self(TagValue::from_str(&name).unwrap_or_else(|_| digest(&name)))
    }

    /// Returns the value of the ownership tag.
    pub fn tag_value(&self) -> &TagValue {
        &self.0
    }

    /// Returns a short name of letters and digits, for places without room for the whole name.
    pub fn short(&self) -> String {
        digest(self.0.as_str()).as_str().chars().take(16).collect()
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Returns the name and the unique ID in the ARN of a stack, as `<stack name>/<unique ID>`. Returns
/// any other text unchanged.
pub fn stack_path(stack_id: &str) -> &str {
    let path = Arn::parse(stack_id).ok().and_then(|it| it.resource.strip_prefix("stack/"));
    path.unwrap_or(stack_id)
}

/// Returns the key of a tag that belongs to this program.
///
/// This program generates the part after the prefix, so its characters and length are valid.
pub(crate) fn our_tag(name: &str) -> TagKey {
    let key = format!("{TAG_PREFIX}{name}");
    key.parse().unwrap_or_else(|_| our_tag(digest(name).as_str()))
}

fn digest(text: &str) -> TagValue {
    let hex = sha256(text.as_bytes());
    TagValue::from_str(&hex)
        .unwrap_or_else(|_| unreachable!("64 hexadecimal digits make a tag value"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const STACK: &str = "arn:aws-cn:cloudformation:cn-north-1:111122223333:stack/backups/6f1e";

    #[test]
    fn an_owner_is_the_stack_and_the_resource_in_it() {
        assert_eq!(Owner::new(STACK, "Daily").to_string(), "backups/6f1e/Daily");
        assert_ne!(Owner::new(STACK, "Daily"), Owner::new(STACK, "Monthly"));
        assert_ne!(Owner::new(STACK, "Daily"), Owner::new(&STACK.replace("6f1e", "6f1f"), "Daily"));
    }

    #[test]
    fn an_owner_too_long_for_a_tag_is_told_apart_all_the_same() {
        let [one, other] = ["1", "2"].map(|end| Owner::new(STACK, &("x".repeat(255) + end)));
        assert_eq!(one.to_string().len(), 64);
        assert_ne!(one, other);
        assert_eq!(one.short().len(), 16);
        assert_ne!(one.short(), other.short());
    }
}
