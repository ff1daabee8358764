//! The backup states of resources and of their copies.

use std::collections::BTreeMap;
use std::fmt;
use std::time::SystemTime;

use crate::utc;

/// The backup state of a resource.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum State {
    /// Every rule has the backup of its last run that was due.
    Fresh,
    /// No run has been due since the resource and the policy exist. The first run is due at this
    /// time.
    FirstDue(SystemTime),
    /// The backup of the last run that was due is there, but the newest job ended without one.
    Failing,
    /// The backup of a run that was due has been missing since this time.
    Late(SystemTime),
    /// No selection takes the resource.
    NotSelected,
    /// A selection would take it if its type were opted in to.
    OptedOut,
    /// No selection takes the resource, and a tag excludes it.
    Excluded,
    /// AWS Backup does not back up its type in the Region.
    NotSupported,
    /// The state could not be determined, for this reason.
    NotKnown(String),
}

/// The states of resources that are counted together.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum StateGroup {
    /// Backed up as the rules say.
    Fresh,
    /// A backup is missing or the newest job failed, although a rule owes the backup.
    Late,
    /// No rule backs the resource up, and nobody left it out on purpose.
    NotCovered,
    /// The state could not be determined.
    NotKnown,
    /// The resource is not to be backed up, or cannot be.
    LeftOut,
}

impl StateGroup {
    /// The groups that are columns of reports, in their order. Resources that are left out are only
    /// in the number of all.
    pub const COLUMNS: [Self; 4] = [Self::Fresh, Self::Late, Self::NotCovered, Self::NotKnown];

    /// Returns the words for programs of the states in it.
    pub fn keys(self) -> Vec<&'static str> {
        State::ALL.iter().filter(|it| it.group() == self).map(State::key).collect()
    }

    /// Returns the number of resources in it, of the numbers in each state by [`State::key`].
    pub fn count(self, states: &BTreeMap<String, usize>) -> usize {
        let here = states.iter().filter(|it| State::of_key(it.0).group() == self);
        here.map(|it| it.1).sum()
    }
}

impl State {
    /// Every state, each with the epoch as its time and without a reason.
    pub const ALL: [Self; 9] = [
        Self::Fresh,
        Self::FirstDue(SystemTime::UNIX_EPOCH),
        Self::Failing,
        Self::Late(SystemTime::UNIX_EPOCH),
        Self::NotSelected,
        Self::OptedOut,
        Self::Excluded,
        Self::NotSupported,
        Self::NotKnown(String::new()),
    ];

    /// Returns the state with this word for programs, with the epoch as its time and without a
    /// reason. A word that this program does not know stands for a state that it does not know.
    pub fn of_key(key: &str) -> Self {
        let known = Self::ALL.into_iter().find(|it| it.key() == key);
        known.unwrap_or(Self::NotKnown(String::new()))
    }

    /// Returns the group in which the state is counted.
    pub fn group(&self) -> StateGroup {
        match self {
            Self::Fresh | Self::FirstDue(_) => StateGroup::Fresh,
            Self::Failing | Self::Late(_) => StateGroup::Late,
            Self::NotSelected | Self::OptedOut => StateGroup::NotCovered,
            Self::NotKnown(_) => StateGroup::NotKnown,
            Self::Excluded | Self::NotSupported => StateGroup::LeftOut,
        }
    }

    /// Returns the time that the state is about, if it has one.
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

    /// Returns the word for programs.
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

    /// Returns the character that the page draws, because not every reader can tell colours apart.
    pub fn sign(&self) -> &'static str {
        match self {
            Self::Fresh => "✓",
            Self::FirstDue(_) => "›",
            Self::Failing => "!",
            Self::Late(_) => "«",
            Self::NotSelected => "×",
            Self::OptedOut => "‖",
            Self::Excluded => "–",
            Self::NotSupported => "·",
            Self::NotKnown(_) => "?",
        }
    }

    /// Returns the importance beside the other states: the higher, the more important.
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

    /// Returns `true` if no action is needed.
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

    /// Returns the more important of two states. Of two that are late, or two whose first run is
    /// still due, it is the one with the earlier time.
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

/// The state of the copies of a resource's backups in one place.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum CopyState {
    /// The last backup that should have been copied is there.
    Fresh,
    /// No backup should have been copied yet.
    NotDue,
    /// A backup should have been copied by this time and is missing. Copies of older backups are
    /// there.
    Late(SystemTime),
    /// A backup should have been copied, and there is no copy at all.
    Missing,
    /// The vault does not exist.
    NoDestination,
    /// The state could not be determined, for this reason.
    NotKnown(String),
}

impl CopyState {
    /// Returns the word for programs.
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

    /// Returns `true` if no action is needed.
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
