//! Tags.

use std::collections::{BTreeMap, BTreeSet};

use super::{Answer, Organization};
use crate::refusal::{Constraint, Invalid, Refusal};

const MAX_TAGS: usize = 50;

impl Organization {
    /// Returns the tags of a policy, root, OU or account.
    #[must_use]
    pub fn tags(&self, resource: &str) -> BTreeMap<String, String> {
        self.tags.get(resource).cloned().unwrap_or_default()
    }

    /// Returns the tags of an existing resource.
    pub(crate) fn tags_for(&self, resource: &str) -> Answer<BTreeMap<String, String>> {
        self.expect_taggable(resource)?;
        Ok(self.tags(resource))
    }

    /// Adds or replaces tags.
    ///
    /// # Errors
    ///
    /// Returns the errors of `TagResource`.
    pub fn tag(&mut self, resource: &str, tags: &[(String, String)]) -> Answer<()> {
        self.expect_taggable(resource)?;
        let merged = self.merged_tags(Some(resource), tags)?;
        self.replace_tags(resource, merged);
        Ok(())
    }

    /// Removes tags. Missing tags are ignored.
    ///
    /// # Errors
    ///
    /// Returns the errors of `UntagResource`.
    pub fn untag(&mut self, resource: &str, keys: &[String]) -> Answer<()> {
        self.expect_taggable(resource)?;
        let mut tags = self.tags(resource);
        tags.retain(|key, _| !keys.contains(key));
        self.replace_tags(resource, tags);
        Ok(())
    }

    fn replace_tags(&mut self, resource: &str, tags: BTreeMap<String, String>) {
        if self.tags(resource) != tags {
            self.tags.insert(resource.to_owned(), tags);
            self.changed();
        }
    }

    /// Returns the tags that `resource` has after `tags` are added.
    pub(super) fn merged_tags(
        &self,
        resource: Option<&str>,
        tags: &[(String, String)],
    ) -> Answer<BTreeMap<String, String>> {
        let mut seen = BTreeSet::new();
        for (key, value) in tags {
            check(key, value)?;
            if !seen.insert(key.as_str()) {
                return Err(Refusal::invalid(Invalid::DuplicateTagKey, None));
            }
        }
        let mut merged = resource.map(|it| self.tags(it)).unwrap_or_default();
        merged.extend(tags.iter().cloned());
        if merged.len() > MAX_TAGS {
            let message = "You have exceeded the number of tags allowed on this resource.";
            return Err(Refusal::constraint(Constraint::MaxTags, message));
        }
        Ok(merged)
    }

    fn expect_taggable(&self, resource: &str) -> Answer<()> {
        if self.policies.contains_key(resource) || self.is_resource_policy(resource) {
            return Ok(());
        }
        self.expect_target(resource)
    }

    fn is_resource_policy(&self, resource: &str) -> bool {
        self.resource_policy.as_ref().is_some_and(|it| it.0 == resource)
    }
}

fn check(key: &str, value: &str) -> Answer<()> {
    let too_long = |text: &str, limit| text.chars().count() > limit;
    if key.is_empty() {
        return Err(Refusal::invalid(Invalid::MinLength, Some("TagKey")));
    }
    if too_long(key, 128) {
        return Err(Refusal::invalid(Invalid::MaxLength, Some("TagKey")));
    }
    if too_long(value, 256) {
        return Err(Refusal::invalid(Invalid::MaxLength, Some("TagValue")));
    }
    if !key.chars().all(is_allowed) {
        return Err(Refusal::invalid(Invalid::Pattern, Some("TagKey")));
    }
    if !value.chars().all(is_allowed) {
        return Err(Refusal::invalid(Invalid::Pattern, Some("TagValue")));
    }
    if key.get(..4).is_some_and(|it| it.eq_ignore_ascii_case("aws:")) {
        return Err(Refusal::invalid(Invalid::SystemTags, None));
    }
    Ok(())
}

/// Returns `true` for letters, separators, digits and a few signs.
fn is_allowed(letter: char) -> bool {
    let separator = letter.is_whitespace() && !letter.is_control();
    letter.is_alphanumeric() || separator || "_.:/=+-@".contains(letter)
}
