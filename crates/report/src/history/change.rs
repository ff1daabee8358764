//! The differences between two summaries.

use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::document::moment;
use super::summary::{LINES, Summary};
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
    /// The first resources that have it now and did not have it before, at most ten.
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
        } else if self.after < self.before && self.examples.is_empty() {
            Direction::Better
        } else {
            Direction::Other
        }
    }
}

impl Change {
    /// Compares two summaries. An account and a resource are the same if they have the same ID.
    ///
    /// If a summary has more resources than it names, new ones are named only for causes that are
    /// new, since they might have been among those that it does not name.
    pub fn between(before: &Summary, after: &Summary) -> Self {
        let had: BTreeMap<_, _> =
            before.causes.iter().map(|it| (it.words.as_str(), it.count)).collect();
        let known: BTreeSet<_> = pairs(before).map(|(cause, arn, _)| (cause, arn)).collect();
        let is_whole = before.resources.len() < LINES;
        let mut fresh = BTreeMap::<&str, Vec<String>>::new();
        for (cause, arn, told) in pairs(after) {
            let examples = fresh.entry(cause).or_default();
            let is_new = !known.contains(&(cause, arn));
            if is_new && (is_whole || !had.contains_key(cause)) && examples.len() < EXAMPLES {
                examples.push(told());
            }
        }
        let has: BTreeSet<_> = after.causes.iter().map(|it| it.words.as_str()).collect();
        let later = after.causes.iter().map(|it| {
            let before = had.get(it.words.as_str()).copied().unwrap_or_default();
            let found = fresh.remove(it.words.as_str()).unwrap_or_default();
            // A cause that is new has new resources, also if the summary does not name them.
            let is_unnamed = found.is_empty() && before == 0;
            let examples = if is_unnamed { it.examples.clone() } else { found };
            CauseChange { words: it.words.clone(), before, after: it.count, examples }
        });
        let gone = before.causes.iter().filter(|it| !has.contains(it.words.as_str()));
        let gone = gone.map(|it| CauseChange {
            words: it.words.clone(),
            before: it.count,
            after: 0,
            examples: vec![],
        });
        let all = later.collect::<Vec<_>>().into_iter().chain(gone);
        let differs = |it: &CauseChange| it.before != it.after || !it.examples.is_empty();
        Self { since: before.taken, causes: all.filter(differs).collect() }
    }

    /// Returns `true` if nothing changed.
    pub fn is_nothing(&self) -> bool {
        self.causes.is_empty()
    }
}

/// Returns the causes of the resources that a summary names: the cause, the ARN, and the resource in
/// a few words.
fn pairs(of: &Summary) -> impl Iterator<Item = (&str, &str, impl Fn() -> String)> {
    of.resources.iter().flat_map(|line| {
        line.causes.iter().map(move |it| (it.as_str(), line.arn.as_str(), move || line.told()))
    })
}
