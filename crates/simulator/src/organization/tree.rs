//! The root, the OUs, and their hierarchy.

use super::{Answer, Organization};
use crate::refusal::{Code, Constraint, Refusal};

/// An OU.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    /// Its ID.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The root or OU that contains it.
    pub parent: String,
}

/// The maximum depth of nested OUs below the root.
const MAX_DEPTH: usize = 5;

impl Organization {
    /// Returns the OUs directly in `parent`.
    pub fn units_in(&self, parent: &str) -> impl Iterator<Item = &Unit> {
        self.units.values().filter(move |it| it.parent == parent)
    }

    /// Returns the OU with this name, anywhere in the tree.
    #[must_use]
    pub fn unit_named(&self, name: &str) -> Option<&Unit> {
        self.units.values().find(|it| it.name == name)
    }

    pub(crate) fn unit(&self, id: &str) -> Answer<&Unit> {
        let message = "We can't find an OU with the OrganizationalUnitId that you specified.";
        self.units.get(id).ok_or_else(|| Refusal::new(Code::OrganizationalUnitNotFound, message))
    }

    /// Creates an OU in `parent` and returns its ID.
    ///
    /// # Errors
    ///
    /// Returns the errors of `CreateOrganizationalUnit`.
    pub fn create_unit(
        &mut self,
        parent: &str,
        name: &str,
        tags: &[(String, String)],
    ) -> Answer<String> {
        let tags = self.merged_tags(None, tags)?;
        self.expect_parent(parent, Code::ParentNotFound)?;
        if self.units_in(parent).any(|it| it.name == name) {
            let message = "An OU with the same name already exists.";
            return Err(Refusal::new(Code::DuplicateOrganizationalUnit, message));
        }
        if self.units.len() >= self.quotas.units {
            let message = "You have exceeded the number of OUs for your organization.";
            return Err(Refusal::constraint(Constraint::UnitNumber, message));
        }
        // The path of an OU at the deepest level contains the OU itself, four others and the root.
        if self.path(parent).len() > MAX_DEPTH {
            let message = "You have exceeded the number of levels deep that OUs can be nested.";
            return Err(Refusal::constraint(Constraint::UnitDepth, message));
        }
        let prefix = format!("ou-{}-", self.root.trim_start_matches("r-"));
        let id = self.ids.lower(&prefix, 8);
        let unit = Unit { id: id.clone(), name: name.to_owned(), parent: parent.to_owned() };
        self.units.insert(id.clone(), unit);
        self.tags.insert(id.clone(), tags);
        self.adopt(&id);
        self.changed();
        Ok(id)
    }

    /// Deletes an empty OU.
    ///
    /// # Errors
    ///
    /// Returns the errors of `DeleteOrganizationalUnit`.
    pub fn delete_unit(&mut self, id: &str) -> Answer<()> {
        self.unit(id)?;
        if self.units_in(id).next().is_some() || self.accounts.values().any(|it| it.parent == id) {
            let message = "You can't delete an OU that is not empty.";
            return Err(Refusal::new(Code::OrganizationalUnitNotEmpty, message));
        }
        self.units.remove(id);
        self.attachments.remove(id);
        self.tags.remove(id);
        self.changed();
        Ok(())
    }

    /// Returns the parent of `node`: the root or an OU. Returns `None` for the root and for unknown
    /// nodes.
    #[must_use]
    pub fn parent(&self, node: &str) -> Option<&str> {
        let unit = self.units.get(node).map(|it| it.parent.as_str());
        unit.or_else(|| self.accounts.get(node).map(|it| it.parent.as_str()))
    }

    /// Returns `node` and every node above it, the root last.
    #[must_use]
    pub fn path<'a>(&'a self, node: &'a str) -> Vec<&'a str> {
        std::iter::successors(Some(node), |it| self.parent(it)).collect()
    }

    /// Returns the path as AWS writes it: `o-…/r-…/ou-…/…/`, ending with `node`.
    #[must_use]
    pub fn path_text(&self, node: &str) -> String {
        let mut text = format!("{}/", self.id);
        for it in self.path(node).into_iter().rev() {
            text.push_str(it);
            text.push('/');
        }
        text
    }

    pub(crate) fn expect_parent(&self, id: &str, code: Code) -> Answer<()> {
        if id == self.root || self.units.contains_key(id) {
            return Ok(());
        }
        Err(Refusal::new(code, "We can't find a root or OU with the ParentId that you specified."))
    }

    /// Returns the kind of `node`, as AWS writes it.
    #[must_use]
    pub fn kind(&self, node: &str) -> &'static str {
        if node == self.root {
            "ROOT"
        } else if self.units.contains_key(node) {
            "ORGANIZATIONAL_UNIT"
        } else {
            "ACCOUNT"
        }
    }

    /// Returns the name of a root, OU or account.
    pub(crate) fn name_of(&self, node: &str) -> &str {
        let unit = self.units.get(node).map(|it| it.name.as_str());
        unit.or_else(|| self.accounts.get(node).map(|it| it.name.as_str())).unwrap_or("Root")
    }

    /// Returns the ARN of a root, OU or account.
    pub(crate) fn arn_of(&self, node: &str) -> String {
        let kind = match self.kind(node) {
            "ROOT" => "root",
            "ORGANIZATIONAL_UNIT" => "ou",
            _ => "account",
        };
        self.arn(kind, &format!("/{node}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;

    fn organization() -> Organization {
        Organization::sample(&Settings::default())
    }

    #[test]
    fn units_are_nested_five_deep_and_no_deeper() {
        let mut organization = organization();
        let mut parent = organization.root.clone();
        for level in 1..=MAX_DEPTH {
            parent = organization.create_unit(&parent, &format!("level {level}"), &[]).unwrap();
        }
        let refusal = organization.create_unit(&parent, "level 6", &[]).unwrap_err();
        assert_eq!(refusal.reason.as_deref(), Some("OU_DEPTH_LIMIT_EXCEEDED"));
    }

    #[test]
    fn a_path_leads_from_the_organization_to_the_node() {
        let organization = organization();
        let unit = organization.unit_named("Production").unwrap();
        let (id, root) = (&organization.id, &organization.root);
        let expected = format!("{id}/{root}/{}/{}/", unit.parent, unit.id);
        assert_eq!(organization.path_text(&unit.id), expected);
    }

    #[test]
    fn two_units_of_a_parent_have_different_names() {
        let mut organization = organization();
        let root = organization.root.clone();
        let refusal = organization.create_unit(&root, "Security", &[]).unwrap_err();
        assert_eq!(refusal.code, Code::DuplicateOrganizationalUnit);
    }
}
