//! CloudTrail trails. Without a trail, there are no events to react to.

/// A trail that records in the Region of the events.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Trail {
    /// Its name.
    pub name: String,
    /// True if it is recording now.
    pub is_logging: bool,
    /// The events that it records.
    pub selectors: Selectors,
}

/// The events that a trail records.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Selectors {
    /// Basic selectors. For each: true if it includes management events, and `All`, `ReadOnly` or
    /// `WriteOnly`.
    Basic(Vec<(bool, String)>),
    /// Advanced selectors. An event is recorded if it matches any of them.
    Advanced(Vec<AdvancedSelector>),
}

/// The conditions of an advanced selector.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct AdvancedSelector {
    /// The allowed categories.
    pub categories: Vec<String>,
    /// `true` or `false` if only reads or only writes are recorded.
    pub read_only: Vec<String>,
}

impl Trail {
    /// Returns `true` if it records changes to the organization that others make.
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
