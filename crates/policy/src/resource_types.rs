//! The types of resources that a selection may name, as AWS documents them on a day.
//!
//! They and what becomes of their copies are in `data/types.tsv`, which `scripts/deploy` reads as
//! well.

/// Every type, a line each: what follows the partition in its ARN, and whether one copy action takes
/// its backups to another account and another Region at once. The first line says when the list was
/// made, and of what.
const TYPES: &str = include_str!("../data/types.tsv");

/// A type of resources that backups are made of.
pub(super) struct ResourceType {
    /// Its ARN without the partition.
    name: &'static str,
    /// What AWS documents of a copy to another account and another Region at once.
    pub(super) copied_at_once: Copied,
}

/// What AWS documents of a copy of the backups of a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Copied {
    /// It is made.
    Yes,
    /// It is made of some resources of the type only.
    Some,
    /// It goes to another account or to another Region.
    Either,
    /// None of that type is made.
    No,
    /// Nothing is said.
    Unknown,
}

impl Copied {
    /// Reads a field of the list. A word that is none of the others says nothing.
    fn read(field: &str) -> Self {
        match field {
            "yes" => Self::Yes,
            "some" => Self::Some,
            "either" => Self::Either,
            "no" => Self::No,
            _ => Self::Unknown,
        }
    }

    /// What is in the way of it, in words; `None` when nothing is.
    pub(super) const fn but(self) -> Option<&'static str> {
        match self {
            Self::Yes => None,
            Self::Some => Some("only some of them"),
            Self::Either => Some("one of the two"),
            Self::No => Some("no copies"),
            Self::Unknown => Some("not documented"),
        }
    }
}

impl ResourceType {
    /// All that this release knows.
    pub(super) fn all() -> impl Iterator<Item = Self> {
        TYPES.lines().skip(1).filter_map(|line| {
            let (name, copied) = line.split_once('\t')?;
            Some(Self { name, copied_at_once: Copied::read(copied) })
        })
    }

    /// The day of which the list is, as in `2026-11-29`.
    pub(super) fn as_of() -> &'static str {
        TYPES.split(['\t', '\n']).nth(1).unwrap_or_default()
    }

    /// Whether what a selection names is this type. `*` names all of them.
    pub(super) fn is_meant_by(&self, arn: &str) -> bool {
        arn == "*" || arn.splitn(3, ':').nth(2) == Some(self.name)
    }

    /// The ARN that selects it in a partition.
    pub(super) fn arn(&self, partition: &str) -> String {
        format!("arn:{partition}:{}", self.name)
    }
}
