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
    /// True if somebody has to name another where it cannot be kept.
    pub(super) is_required: bool,
}

impl BoundSetting {
    pub(super) const fn required(key: &'static str, subject: SettingSubject, bound: Bound) -> Self {
        Self { key, subject, bound, is_required: true }
    }

    pub(super) const fn optional(key: &'static str, subject: SettingSubject, bound: Bound) -> Self {
        Self { key, subject, bound, is_required: false }
    }
}

/// The subject of a setting.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum SettingSubject {
    /// The network in which it is reached.
    Network,
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
            Self::Network => "AWS chooses what is the default in the account",
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
    /// Of a Region, in every account.
    Region,
    /// Of an account in a Region.
    Account,
}
