//! CloudTrail trails and their event selectors.

use policy::arn::Arn;
use policy::partition::Partition;
use serde_json::{Value, json};

use crate::refusal::{Code, Refusal};

/// A trail of the management account.
#[derive(Clone, Debug, PartialEq)]
pub struct Trail {
    /// Its name.
    pub name: String,
    /// The Region in which it was created.
    pub home_region: String,
    /// True if it records in every Region.
    pub is_multi_region: bool,
    /// True if it records in every account of the organization.
    pub is_organization: bool,
    /// True if it is recording.
    pub is_logging: bool,
    /// Its `EventSelectors`, if it has them.
    pub selectors: Option<Value>,
    /// Its `AdvancedEventSelectors`, if it has them instead.
    pub advanced_selectors: Option<Value>,
}

impl Trail {
    /// Creates a trail that records all management events in every Region.
    #[must_use]
    pub fn new(name: &str, home_region: &str) -> Self {
        let all = json!([{
            "ReadWriteType": "All",
            "IncludeManagementEvents": true,
            "DataResources": [],
            "ExcludeManagementEventSources": [],
        }]);
        Self {
            name: name.to_owned(),
            home_region: home_region.to_owned(),
            is_multi_region: true,
            is_organization: false,
            is_logging: true,
            selectors: Some(all),
            advanced_selectors: None,
        }
    }

    pub(crate) fn arn(&self, partition: Partition, account: &str) -> String {
        let Self { name, home_region, .. } = self;
        format!("arn:{partition}:cloudtrail:{home_region}:{account}:trail/{name}")
    }
}

/// The trails.
#[derive(Clone, Debug, Default)]
pub struct Trails(Vec<Trail>);

impl Trails {
    /// Adds a trail. It replaces a trail with the same name.
    pub fn put(&mut self, trail: Trail) {
        self.0.retain(|it| it.name != trail.name);
        self.0.push(trail);
    }

    /// Removes all trails.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Returns the trails that were created in `region`. With `shadows`, also returns the
    /// multi-Region trails of other Regions.
    pub(crate) fn seen_from(&self, region: &str, shadows: bool) -> impl Iterator<Item = &Trail> {
        let seen = move |it: &&Trail| it.home_region == region || (shadows && it.is_multi_region);
        self.0.iter().filter(seen)
    }

    /// Returns the trail with this name or ARN, as seen from `region`. Its name only works in the
    /// Region in which it was created.
    pub(crate) fn get(&self, name: &str, region: &str) -> Result<&Trail, Refusal> {
        let arn = Arn::parse(name).ok();
        let named =
            arn.map_or((region, Some(name)), |it| (it.region, it.resource.strip_prefix("trail/")));
        let is = |it: &&Trail| named == (it.home_region.as_str(), Some(it.name.as_str()));
        self.0
            .iter()
            .find(is)
            .ok_or_else(|| Refusal::new(Code::TrailNotFound, format!("Unknown trail: {name}")))
    }
}
