//! The resource types that a selection may name, as AWS documents them on a given day.
//!
//! The types and the copies that AWS documents for them are in `data/types.tsv`, which
//! `scripts/deploy` also reads.

use crate::arn::Arn;

/// All types, one per line: the part of the ARN after the partition, and whether one copy action
/// can copy the backups to another account and another Region at once. The first line contains the
/// day and the sources of the list.
const TYPES: &str = include_str!("../data/types.tsv");

/// A type of resource that can be backed up.
pub(super) struct ResourceType {
    /// The ARN without the partition.
    name: &'static str,
    /// The documented support for copies to another account and another Region at once.
    pub(super) copied_at_once: Copied,
}

/// The support that AWS documents for a copy of the backups of a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Copied {
    /// The copy is supported.
    Yes,
    /// The copy is supported for some resources of the type only.
    Some,
    /// The copy can go to another account or to another Region, but not both.
    Either,
    /// Copies of this type are not supported.
    No,
    /// The documentation says nothing.
    Unknown,
}

impl Copied {
    /// Reads a field of the list.
    fn read(field: &str) -> Self {
        match field {
            "yes" => Self::Yes,
            "some" => Self::Some,
            "either" => Self::Either,
            "no" => Self::No,
            "unknown" => Self::Unknown,
            other => unreachable!("`{other}` is not a word of the list"),
        }
    }

    /// Returns the limitation in words, or `None` if there is none.
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
    /// Returns all types that this release knows.
    pub(super) fn all() -> impl Iterator<Item = Self> {
        TYPES.lines().skip(1).map(|line| {
            let (name, copied) = line.split_once('\t').expect("a line has two fields");
            Self { name, copied_at_once: Copied::read(copied) }
        })
    }

    /// Returns the day of the list, as in `2026-11-29`.
    pub(super) fn as_of() -> &'static str {
        TYPES.split(['\t', '\n']).nth(1).unwrap_or_default()
    }

    /// Returns `true` if the ARN in a selection names this type. `*` names all types.
    pub(super) fn is_meant_by(&self, arn: &str) -> bool {
        arn == "*" || Arn::parse(arn).is_ok_and(|it| it.is_in_any_partition(self.name))
    }

    /// Returns the ARN that selects the type in a partition.
    pub(super) fn arn(&self, partition: &str) -> String {
        format!("arn:{partition}:{}", self.name)
    }
}
