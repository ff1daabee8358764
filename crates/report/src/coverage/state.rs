//! How well a resource is backed up.

use std::fmt;
use std::time::SystemTime;

use crate::utc;

/// How well a resource is backed up.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum State {
    /// There is the backup of the last run that was due, of every rule.
    Fresh,
    /// No run was due yet since the resource or the policy is there; the first one is then.
    FirstDue(SystemTime),
    /// The backup of the last run that was due is there, and the newest job ended without one.
    Failing,
    /// The backup of a run that was due is not there, since this moment.
    Late(SystemTime),
    /// No selection takes it.
    NotSelected,
    /// A selection would take it if its type were opted in to.
    OptedOut,
    /// No selection takes it, and a tag says that none is to.
    Excluded,
    /// AWS Backup does not back up its type in the Region.
    NotSupported,
    /// Nobody could find out, and why.
    NotKnown(String),
}

impl State {
    /// The words for programs of all states.
    pub const KEYS: [&'static str; 9] = [
        "fresh",
        "first-due",
        "failing",
        "late",
        "not-selected",
        "opted-out",
        "excluded",
        "not-supported",
        "not-known",
    ];

    /// The moment that it is about.
    pub fn since(&self) -> Option<SystemTime> {
        match self {
            Self::Late(at) | Self::FirstDue(at) => Some(*at),
            Self::Fresh
            | Self::Failing
            | Self::NotSelected
            | Self::OptedOut
            | Self::Excluded
            | Self::NotSupported
            | Self::NotKnown(_) => None,
        }
    }

    /// The word for programs.
    pub fn key(&self) -> &'static str {
        match self {
            Self::Fresh => "fresh",
            Self::FirstDue(_) => "first-due",
            Self::Failing => "failing",
            Self::Late(_) => "late",
            Self::NotSelected => "not-selected",
            Self::OptedOut => "opted-out",
            Self::Excluded => "excluded",
            Self::NotSupported => "not-supported",
            Self::NotKnown(_) => "not-known",
        }
    }

    /// How much it matters beside the others: the higher, the more.
    pub fn rank(&self) -> u8 {
        match self {
            Self::NotSupported => 0,
            Self::Excluded => 1,
            Self::Fresh => 2,
            Self::FirstDue(_) => 3,
            Self::NotKnown(_) => 4,
            Self::Failing => 5,
            Self::OptedOut => 6,
            Self::NotSelected => 7,
            Self::Late(_) => 8,
        }
    }

    /// Whether nobody has to do anything about it.
    pub fn is_fine(&self) -> bool {
        match self {
            Self::Fresh | Self::FirstDue(_) | Self::Excluded | Self::NotSupported => true,
            Self::Failing
            | Self::Late(_)
            | Self::NotSelected
            | Self::OptedOut
            | Self::NotKnown(_) => false,
        }
    }

    /// The one of two states that matters more; of two that are late, the one that is it longer.
    pub(super) fn worse(self, other: Self) -> Self {
        match (&self, &other) {
            (Self::Late(one), Self::Late(than)) | (Self::FirstDue(one), Self::FirstDue(than)) => {
                if than < one {
                    other
                } else {
                    self
                }
            }
            _ if other.rank() > self.rank() => other,
            _ => self,
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fresh => f.write_str("fresh"),
            Self::FirstDue(at) => write!(f, "first backup due at {}", utc(*at)),
            Self::Failing => f.write_str("failing"),
            Self::Late(since) => write!(f, "late since {}", utc(*since)),
            Self::NotSelected => f.write_str("not selected"),
            Self::OptedOut => f.write_str("selected but opted out"),
            Self::Excluded => f.write_str("excluded on purpose"),
            Self::NotSupported => f.write_str("not supported here"),
            Self::NotKnown(why) => write!(f, "not known: {why}"),
        }
    }
}

/// How well the backups of a resource are copied to one place.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum CopyState {
    /// The last backup that should be there is.
    Fresh,
    /// There is no backup yet that should be there.
    NotDue,
    /// A backup should be there since this moment; older ones are.
    Late(SystemTime),
    /// A backup should be there, and none is.
    Missing,
    /// There is no such vault.
    NoDestination,
    /// Nobody could find out, and why.
    NotKnown(String),
}

impl CopyState {
    /// The word for programs.
    pub fn key(&self) -> &'static str {
        match self {
            Self::Fresh => "fresh",
            Self::NotDue => "not-due",
            Self::Late(_) => "late",
            Self::Missing => "missing",
            Self::NoDestination => "no-destination",
            Self::NotKnown(_) => "not-known",
        }
    }

    /// Whether nobody has to do anything about it.
    pub fn is_fine(&self) -> bool {
        match self {
            Self::Fresh | Self::NotDue => true,
            Self::Late(_) | Self::Missing | Self::NoDestination | Self::NotKnown(_) => false,
        }
    }
}

impl fmt::Display for CopyState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fresh => f.write_str("fresh"),
            Self::NotDue => f.write_str("no backup to copy yet"),
            Self::Late(since) => write!(f, "late since {}", utc(*since)),
            Self::Missing => f.write_str("missing"),
            Self::NoDestination => f.write_str("the destination does not exist"),
            Self::NotKnown(why) => write!(f, "not known: {why}"),
        }
    }
}
