//! Trails of CloudTrail: which there are, and what they record.

use policy::arn::Arn;
use policy::partition::Partition;
use serde_json::{Value, json};

use crate::refusal::{Code, Refusal};

/// A trail of the management account.
#[derive(Clone, Debug, PartialEq)]
pub struct Trail {
    /// Its name.
    pub name: String,
    /// The Region it was made in.
    pub home_region: String,
    /// Whether it records in every Region.
    pub is_multi_region: bool,
    /// Whether it records in every account of the organization.
    pub is_organization: bool,
    /// Whether it records right now.
    pub is_logging: bool,
    /// Its `EventSelectors`, where it has such.
    pub selectors: Option<Value>,
    /// Its `AdvancedEventSelectors`, where it has such instead.
    pub advanced_selectors: Option<Value>,
}

impl Trail {
    /// A trail that records all management events in every Region.
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
    /// Makes a trail, in place of the one of the same name.
    pub fn put(&mut self, trail: Trail) {
        self.0.retain(|it| it.name != trail.name);
        self.0.push(trail);
    }

    /// Takes all of them away.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// The trails that record in `region`; with `shadows`, those too that were made elsewhere.
    pub(crate) fn seen_from(&self, region: &str, shadows: bool) -> impl Iterator<Item = &Trail> {
        let seen = move |it: &&Trail| it.home_region == region || (shadows && it.is_multi_region);
        self.0.iter().filter(seen)
    }

    /// The trail of this name or ARN, as seen from `region`: by its name where it was made only.
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
