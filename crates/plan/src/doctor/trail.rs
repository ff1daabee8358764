//! Trails of CloudTrail, without which there are no events to react to.

/// A trail that records in the Region of the events.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Trail {
    /// Its name.
    pub name: String,
    /// Whether it records right now.
    pub is_logging: bool,
    /// Which events it records.
    pub selectors: Selectors,
}

/// Which events a trail records.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Selectors {
    /// Basic selectors: whether each includes management events, and `All`, `ReadOnly` or
    /// `WriteOnly`.
    Basic(Vec<(bool, String)>),
    /// Advanced selectors, any of which is enough for an event.
    Advanced(Vec<AdvancedSelector>),
}

/// What an event must be for an advanced selector.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct AdvancedSelector {
    /// The categories that it may have.
    pub categories: Vec<String>,
    /// `true` or `false` where only reads or only writes are recorded.
    pub read_only: Vec<String>,
}

impl Trail {
    /// Whether it records the changes that others make to the organization.
    pub fn tells_of_changes(&self) -> bool {
        self.is_logging && self.selectors.take_changes()
    }
}

impl Selectors {
    fn take_changes(&self) -> bool {
        match self {
            // A trail without selectors records all management events.
            Self::Basic(selectors) => {
                let takes = |(management, kind): &(bool, String)| *management && kind != "ReadOnly";
                selectors.is_empty() || selectors.iter().any(takes)
            }
            Self::Advanced(selectors) => selectors.iter().any(|it| {
                let changes =
                    it.read_only.is_empty() || it.read_only.iter().any(|it| it == "false");
                changes && it.categories.iter().any(|it| it == "Management")
            }),
        }
    }
}
