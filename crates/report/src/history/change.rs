//! The differences between two summaries.

use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::document::moment;
use super::summary::{Bound, CauseCount, ResourceLine, Summary};
use crate::coverage::EXAMPLES;

/// The causes that got better or worse between two summaries.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Change {
    /// The time of the earlier summary.
    #[serde(with = "moment")]
    pub since: SystemTime,
    /// The causes that more, fewer or other resources have: those of the later summary in its
    /// order, and then those that are gone.
    pub causes: Vec<CauseChange>,
}

/// The difference of one cause.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct CauseChange {
    /// The words of the cause.
    pub words: String,
    /// The number of resources that had it.
    pub before: usize,
    /// The number of resources that have it.
    pub after: usize,
    /// The number of resources that have it now and did not have it before. It is a lower bound if
    /// one of the summaries does not name all resources with the cause.
    pub new: Bound,
    /// The first of these, at most ten.
    pub examples: Vec<String>,
}

/// The direction in which a cause changed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Direction {
    /// More resources have the cause.
    Worse,
    /// As many or fewer resources have it, and others among them than before.
    Other,
    /// Fewer resources have it, and no others than before.
    Better,
}

impl Direction {
    /// Every direction, the one that matters most first.
    pub const ALL: [Self; 3] = [Self::Worse, Self::Other, Self::Better];

    /// Returns the word for programs.
    pub fn key(self) -> &'static str {
        match self {
            Self::Worse => "worse",
            Self::Other => "other",
            Self::Better => "better",
        }
    }

    /// Returns the heading above the causes that changed like this.
    pub fn heading(self) -> &'static str {
        match self {
            Self::Worse => "Worse",
            Self::Other => "Other resources",
            Self::Better => "Better",
        }
    }
}

impl CauseChange {
    /// Returns the direction. A resource that newly has the cause counts, however many others no
    /// longer have it.
    pub fn direction(&self) -> Direction {
        if self.after > self.before {
            Direction::Worse
        } else if self.after < self.before && self.new.count == 0 {
            Direction::Better
        } else {
            Direction::Other
        }
    }
}

impl Change {
    /// Compares two summaries. An account and a resource are the same if they have the same ID.
    ///
    /// If the earlier summary does not name all resources with a cause, the new ones are not named
    /// either, since each might have been among those that it does not name.
    pub fn between(before: &Summary, after: &Summary) -> Self {
        let had: BTreeMap<_, _> = before.causes.iter().map(|it| (it.words.as_str(), it)).collect();
        let (known, named) = (named(before), named(after));
        let has: BTreeSet<_> = after.causes.iter().map(|it| it.words.as_str()).collect();
        let later = after.causes.iter().map(|it| {
            let named = named.get(it.words.as_str()).map(Vec::as_slice).unwrap_or_default();
            let Some(before) = had.get(it.words.as_str()) else {
                let (new, examples) = (Bound::exact(it.count), it.examples.clone());
                return CauseChange {
                    words: it.words.clone(),
                    before: 0,
                    after: it.count,
                    new,
                    examples,
                };
            };
            let known = known.get(it.words.as_str()).map(Vec::as_slice).unwrap_or_default();
            let (new, examples) = compare((before, known), (it, named));
            let (words, before, after) = (it.words.clone(), before.count, it.count);
            CauseChange { words, before, after, new, examples }
        });
        let gone = before.causes.iter().filter(|it| !has.contains(it.words.as_str()));
        let gone = gone.map(|it| CauseChange {
            words: it.words.clone(),
            before: it.count,
            after: 0,
            new: Bound::exact(0),
            examples: vec![],
        });
        let all = later.collect::<Vec<_>>().into_iter().chain(gone);
        let differs = |it: &CauseChange| it.before != it.after || it.new.count > 0;
        Self { since: before.taken, causes: all.filter(differs).collect() }
    }

    /// Returns `true` if nothing changed.
    pub fn is_nothing(&self) -> bool {
        self.causes.is_empty()
    }
}

/// Returns the number of resources that newly have a cause, and the first of them. Each side is the
/// cause with the resources that the summary names for it.
fn compare(
    (before, known): (&CauseCount, &[&ResourceLine]),
    (after, named): (&CauseCount, &[&ResourceLine]),
) -> (Bound, Vec<String>) {
    let is_whole = |of: &CauseCount, named: &[&ResourceLine]| named.len() >= of.count;
    // Of those that have the cause now, at most as many as before had it then.
    let least = after.count.saturating_sub(before.count);
    if !is_whole(before, known) {
        return (Bound { count: least, is_least: true }, vec![]);
    }
    let known: BTreeSet<_> = known.iter().map(|it| it.arn.as_str()).collect();
    let fresh = || named.iter().filter(|it| !known.contains(it.arn.as_str()));
    let count = fresh().count().max(least);
    let new = Bound { count, is_least: !is_whole(after, named) };
    (new, fresh().take(EXAMPLES).map(|it| it.told()).collect())
}

/// Returns the resources that a summary names, by their causes.
fn named(of: &Summary) -> BTreeMap<&str, Vec<&ResourceLine>> {
    let mut named = BTreeMap::<_, Vec<_>>::new();
    for line in &of.resources {
        for cause in &line.causes {
            named.entry(cause.as_str()).or_default().push(line);
        }
    }
    named
}
