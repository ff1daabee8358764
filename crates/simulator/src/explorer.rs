//! The views of AWS Resource Explorer.

use std::collections::BTreeMap;

use policy::partition::Partition;

use crate::ids::uuid_of;

/// A view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExplorerView {
    /// Its name.
    pub name: String,
    /// Whether it is of the whole organization, or of its own account.
    pub is_organization: bool,
    /// Whether it tells the tags.
    pub has_tags: bool,
    /// Whether it is what is used where none is named.
    pub is_default: bool,
}

impl ExplorerView {
    /// A view of the whole organization that tells the tags, and is used where none is named.
    #[must_use]
    pub fn organization(name: &str) -> Self {
        Self { name: name.to_owned(), is_organization: true, has_tags: true, is_default: true }
    }

    /// The ARN of the view in an account and Region.
    pub(crate) fn arn(&self, partition: Partition, account: &str, region: &str) -> String {
        let Self { name, .. } = self;
        let id = uuid_of(&format!("{account} {region} {name}"));
        format!("arn:{partition}:resource-explorer-2:{region}:{account}:view/{name}/{id}")
    }
}

/// The views of every account and Region.
#[derive(Clone, Debug, Default)]
pub struct Explorer {
    /// By account, Region and name.
    views: BTreeMap<(String, String, String), ExplorerView>,
}

impl Explorer {
    /// Makes a view in an account and Region, in place of the one of its name.
    pub fn put(&mut self, account: &str, region: &str, view: ExplorerView) {
        let key = (account.to_owned(), region.to_owned(), view.name.clone());
        self.views.insert(key, view);
    }

    /// The views of an account in a Region.
    pub(crate) fn of(&self, account: &str, region: &str) -> impl Iterator<Item = &ExplorerView> {
        let views = self.views.iter().filter(move |it| it.0.0 == account && it.0.1 == region);
        views.map(|it| it.1)
    }
}
