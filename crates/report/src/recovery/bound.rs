//! Settings of a restore that name something of an account or a Region.

/// A setting of a restore that names something of an account or a Region.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct BoundSetting {
    /// Its key. AWS does not care for its case.
    pub(super) key: &'static str,
    /// The subject of the setting.
    pub(super) subject: SettingSubject,
    /// The scope of what it names.
    pub(super) bound: Bound,
    /// The case in which somebody has to name it.
    pub(super) need: SettingNeed,
}

/// The case in which somebody has to name a setting.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum SettingNeed {
    /// Never: AWS chooses where it is left out.
    Never,
    /// Where the source had one that is not there.
    Replaced,
    /// Where one that the source had would not be there, whether it had one or not.
    Moved,
    /// Wherever AWS Backup does not remember one that is there.
    Always,
}

impl BoundSetting {
    pub(super) const fn required(key: &'static str, subject: SettingSubject, bound: Bound) -> Self {
        Self { key, subject, bound, need: SettingNeed::Moved }
    }

    /// A setting without which nothing of the type is made, here or elsewhere.
    pub(super) const fn always(key: &'static str, subject: SettingSubject, bound: Bound) -> Self {
        Self { key, subject, bound, need: SettingNeed::Always }
    }

    /// A setting that has to be another one elsewhere if the source had one.
    pub(super) const fn replaced(key: &'static str, subject: SettingSubject, bound: Bound) -> Self {
        Self { key, subject, bound, need: SettingNeed::Replaced }
    }

    pub(super) const fn optional(key: &'static str, subject: SettingSubject, bound: Bound) -> Self {
        Self { key, subject, bound, need: SettingNeed::Never }
    }
}

/// The subject of a setting.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum SettingSubject {
    /// The network in which it is reached.
    Network,
    /// What it is put into.
    Place,
    /// The key that encrypts it.
    Encryption,
    /// The role that it has.
    Role,
    /// The way in which it works.
    Parameters,
    /// The key pair for logging in.
    KeyPair,
}

impl SettingSubject {
    /// Returns the effect of leaving the setting out.
    pub(super) fn otherwise(self) -> &'static str {
        match self {
            Self::Network | Self::Place => "AWS chooses what is the default in the account",
            Self::Encryption => "another key is used",
            Self::Role => "it gets none",
            Self::Parameters => "it gets the default",
            Self::KeyPair => "the key pair inside the image stays",
        }
    }
}

/// The scope of what a setting names.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Bound {
    /// Of no place: it means the same everywhere.
    Nothing,
    /// Of a Region, in every account.
    Region,
    /// Of an account in a Region.
    Account,
}
