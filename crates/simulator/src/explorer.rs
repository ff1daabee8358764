//! The views of AWS Resource Explorer.

use std::collections::BTreeMap;

use policy::partition::Partition;

use crate::ids::uuid_of;

/// A view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExplorerView {
    /// Its name.
    pub name: String,
    /// True if the view covers the whole organization, and false if it covers its own account.
    pub is_organization: bool,
    /// True if it shows tags.
    pub has_tags: bool,
    /// True if it is the default view.
    pub is_default: bool,
}

impl ExplorerView {
    /// Returns a default view of the whole organization that shows tags.
    #[must_use]
    pub fn organization(name: &str) -> Self {
        Self { name: name.to_owned(), is_organization: true, has_tags: true, is_default: true }
    }

    /// Returns the ARN of the view in an account and Region.
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
    /// Creates a view in an account and Region. It replaces a view with the same name.
    pub fn put(&mut self, account: &str, region: &str, view: ExplorerView) {
        let key = (account.to_owned(), region.to_owned(), view.name.clone());
        self.views.insert(key, view);
    }

    /// Returns the views of an account in a Region.
    pub(crate) fn of(&self, account: &str, region: &str) -> impl Iterator<Item = &ExplorerView> {
        let views = self.views.iter().filter(move |it| it.0.0 == account && it.0.1 == region);
        views.map(|it| it.1)
    }
}
