//! Reasons why a recovery point is not restored, and advice about them.

use std::fmt;
use std::time::SystemTime;

use super::command::RestoringCommand;
use super::kind::RestoredKind;
use crate::Destination;
use crate::coverage::{Obstacle, PointStatus};
use crate::words::utc;

/// A reason why something is not restored.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Hindrance {
    /// The type of the resource is not known.
    UnknownType(String),
    /// The type is restored by hand.
    ByHand(RestoredKind),
    /// It is the whole backup of a stack, and only its parts are restored.
    Whole,
    /// It is not complete, or not any more.
    Status {
        /// The status.
        status: PointStatus,
        /// The message of AWS.
        told: String,
    },
    /// Its lifecycle has deleted it, or is about to.
    Over {
        /// The end of its time.
        at: SystemTime,
    },
    /// It is in cold storage, from which nothing is copied.
    Cold {
        /// The ARN of the recovery point.
        point: String,
        /// The vault that it is in.
        at: Destination,
    },
    /// It is a continuous backup, which is not copied when somebody asks for it.
    Continuous,
    /// Something is in the way of a copy.
    Copy(Obstacle),
    /// Something is wrong with a role.
    Role(Obstacle),
    /// The type is not opted in to where it is to be restored.
    OptedOut(RestoredKind),
    /// A setting names something that is not there, and another has to be named.
    SettingMissing {
        /// The type.
        kind: RestoredKind,
        /// The setting.
        key: &'static str,
        /// The value that it had.
        had: Option<String>,
    },
    /// There is something of the name.
    NameTaken {
        /// The type.
        kind: RestoredKind,
        /// The name.
        name: String,
    },
    /// The name is empty or too long.
    NameUnfit {
        /// The type.
        kind: RestoredKind,
        /// The name.
        name: String,
        /// The most characters.
        longest: usize,
    },
    /// Nothing of the type has a name.
    Nameless {
        /// The type.
        kind: RestoredKind,
        /// The name.
        name: String,
    },
    /// It would be written into something that exists, whose name was not typed.
    NotTyped {
        /// The type.
        kind: RestoredKind,
        /// The name.
        name: String,
    },
    /// The type is restored only into something that exists, and nothing was typed.
    NothingTyped {
        /// The type.
        kind: RestoredKind,
        /// The name that a setting has.
        name: Option<String>,
    },
    /// Nothing of the type can be written into.
    NothingToOverwrite {
        /// The type.
        kind: RestoredKind,
        /// The name.
        name: String,
    },
    /// A setting is named twice, and AWS does not care for the case of the names.
    NamedTwice {
        /// One of the names.
        first: String,
        /// The other one.
        second: String,
    },
    /// The settings of a part would have it written into something that exists.
    PartNotNew {
        /// The ARN of the part.
        part: String,
        /// The setting that says whether something new is made.
        key: &'static str,
    },
    /// Something could not be looked at.
    NotRead(String),
}

impl fmt::Display for Hindrance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownType(name) => write!(f, "the type `{name}` is not known here"),
            Self::ByHand(kind) => {
                write!(
                    f,
                    "a {} is restored by hand: {}",
                    kind.noun(),
                    kind.by_hand().unwrap_or("…")
                )
            }
            Self::Whole => f.write_str(
                "it is the whole backup of a stack, of which AWS restores the parts only",
            ),
            Self::Status { status, told } => {
                f.write_str(match status {
                    PointStatus::Usable => "it is complete",
                    PointStatus::Changing => "it is being made or deleted",
                    PointStatus::Partial => "parts of it are missing",
                    PointStatus::Stopped => "it is not continued",
                    PointStatus::Unknown => "AWS Backup has a status for it that is not known here",
                    PointStatus::Expired => {
                        "its retention is over, and AWS Backup could not \
                                             delete it"
                    }
                })?;
                if told.is_empty() { Ok(()) } else { write!(f, " ({told})") }
            }
            Self::Over { at } => write!(f, "its retention ended at {}", utc(*at)),
            Self::Cold { .. } => {
                f.write_str("it is in cold storage, and nothing is copied from there")
            }
            Self::Continuous => {
                f.write_str("it is a continuous backup, and these are not copied on demand")
            }
            Self::Copy(it) | Self::Role(it) => it.fmt(f),
            Self::OptedOut(kind) => {
                write!(f, "AWS Backup is not opted in to {} there", kind.name())
            }
            Self::SettingMissing { kind, key, had: Some(had) } => {
                write!(f, "a {} needs {key}, and {had} is not there", kind.noun())
            }
            Self::SettingMissing { kind, key, had: None } => {
                write!(f, "a {} needs {key}", kind.noun())
            }
            Self::NameTaken { kind, name } => {
                write!(f, "there is, or was, a {} `{name}`", kind.noun())
            }
            Self::NameUnfit { kind, name, longest } => {
                let noun = kind.noun();
                write!(
                    f,
                    "`{name}` is not the name of a {noun}, which has 1 to {longest} characters"
                )
            }
            Self::Nameless { kind, name } => {
                write!(f, "AWS gives a {} its ID, and it cannot be called `{name}`", kind.noun())
            }
            Self::NotTyped { kind, name } => {
                write!(f, "the {} `{name}` exists, and would be written into", kind.noun())
            }
            Self::NothingTyped { kind, name } => {
                let noun = kind.noun();
                write!(
                    f,
                    "a {noun} is restored into one that exists, and replaces all that is in it"
                )?;
                name.as_ref().map_or(Ok(()), |it| write!(f, ", here in `{it}`"))
            }
            Self::NothingToOverwrite { kind, name } => {
                write!(f, "a {} is never written into, so `{name}` is not", kind.noun())
            }
            Self::NamedTwice { first, second } => {
                write!(f, "one setting is named twice, as `{first}` and as `{second}`")
            }
            Self::PartNotNew { part, key } => {
                write!(
                    f,
                    "`{part}` would be written into something that exists, as {key} is not true there"
                )
            }
            Self::NotRead(why) => f.write_str(why),
        }
    }
}

impl Hindrance {
    /// Returns the hindrance with the hint that a command prints.
    pub fn advised(&self, by: RestoringCommand<'_>) -> String {
        errors::advised(self, Some(self.hint(by)))
    }

    /// Returns what to do about it, in the options of a command.
    pub fn hint(&self, by: RestoringCommand<'_>) -> String {
        match self {
            Self::UnknownType(_) | Self::ByHand(_) => {
                "restore it in the console of AWS Backup, as docs/recovery.md says".to_owned()
            }
            Self::Whole => "restore its parts that `org-backup points` shows: the one of the stack is its \
                            template"
                .to_owned(),
            Self::Status { status: PointStatus::Changing, .. } => {
                "wait until it is complete, or take another one that `org-backup points` shows"
                    .to_owned()
            }
            Self::Status { .. } | Self::Over { .. } => {
                "take another one that `org-backup points` shows".to_owned()
            }
            Self::Cold { point, at } => format!(
                "restore it where it is: `org-backup restore {point} --account {} --region {}`",
                at.account, at.region
            ),
            Self::Continuous => {
                "take a copy or a snapshot that `org-backup points` shows, restore it in the account \
                 and Region that it is in, or make a snapshot with `org-backup backup`"
                    .to_owned()
            }
            Self::Copy(it) => of_copy(it).to_owned(),
            Self::Role(Obstacle::NoRole(_)) => "roll out the template to this account, or name another \
                                                role with --role; in the account that receives \
                                                copies, it needs CentralRestores"
                .to_owned(),
            Self::Role(_) => "let the role trust backup.amazonaws.com".to_owned(),
            Self::OptedOut(kind) => format!(
                "aws backup update-region-settings --resource-type-opt-in-preference '{}=true'",
                kind.name()
            ),
            Self::SettingMissing { kind, key, .. } => {
                format!("name one with {}", by.set(kind.name(), key))
            }
            Self::NameTaken { .. } | Self::NameUnfit { .. } => {
                by.own("name another with --name", "--name …")
            }
            Self::Nameless { .. } => by.own("leave out --name", ""),
            Self::NotTyped { name, .. } => {
                let typed = format!("--overwrite {name}");
                let meant =
                    format!("type {typed} if that is meant, or restore into something new");
                by.own(meant, &typed)
            }
            Self::NothingTyped { name, .. } => {
                let typed = format!("--overwrite {}", name.as_deref().unwrap_or("…"));
                let meant = format!(
                    "make an empty namespace with a workgroup and type its name, or that of one that \
                     may be replaced: {typed}"
                );
                by.own(meant, &typed)
            }
            Self::NothingToOverwrite { .. } => by.own("leave out --overwrite", ""),
            Self::NamedTwice { .. } => {
                "name it once: the case of its letters does not count".to_owned()
            }
            Self::PartNotNew { key, .. } => {
                format!("say there that {key} is true, or restore that part alone and type the name")
            }
            Self::NotRead(_) => "let the role look at it, and run again".to_owned(),
        }
    }
}

/// Returns what to do about what is in the way of a copy.
fn of_copy(it: &Obstacle) -> &'static str {
    match it {
        Obstacle::NoVault(_) => {
            "roll out the template to this account and Region, or name a vault with --vault"
        }
        Obstacle::Lock { .. } => "name a retention that the lock takes with --keep-days",
        Obstacle::KeyUnusable { .. } => {
            "cancel the deletion of the key or enable it: the backup cannot be read without its key"
        }
        Obstacle::NoRole(_) => "roll out the template there, or name a role with --copy-role",
        Obstacle::Untrusting(_) => "let the role trust backup.amazonaws.com",
        Obstacle::NotInOrganization(_) => "invite the account: copies stay in an organization",
        Obstacle::CrossAccountOff => {
            "aws backup update-global-settings --global-settings isCrossAccountBackupEnabled=true"
        }
        Obstacle::NotAdmitted(_) => {
            "let the access policy of the vault allow backup:CopyIntoBackupVault to the account that \
             holds the copy (CentralAccountId of member-account.yaml)"
        }
        Obstacle::AwsKey(_) => "name a vault with a key of yours with --vault",
        Obstacle::OneWay(_) | Obstacle::NotCopied => {
            "restore it in the account and Region that it is in"
        }
        Obstacle::PlanRefused(_) | Obstacle::NotKnown(_) => {
            "let the role look at it, and run again"
        }
    }
}
