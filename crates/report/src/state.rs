//! The states, and how they are written, drawn and ordered wherever they are shown.

use std::fmt;

/// The properties of a state that are the same wherever it is shown.
struct Facts {
    key: &'static str,
    words: &'static str,
    /// The words behind the number of accounts and Regions in the state.
    many: &'static str,
    sign: &'static str,
    rank: u8,
    is_fine: bool,
}

macro_rules! states {
    ($($(#[doc = $doc:literal])+ $name:ident { $($fact:ident: $value:literal),+ })+) => {
        /// The state of a Region of an account.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub enum State {
            $($(#[doc = $doc])+ $name,)+
        }

        impl State {
            /// Every state, the good one first and those without consequence last.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            const fn facts(self) -> Facts {
                match self {
                    $(Self::$name => Facts { $($fact: $value),+ },)+
                }
            }
        }
    };
}

states! {
    /// A plan makes backups here, and everything that it needs is there.
    Protected { key: "protected", words: "protected", many: "protected", sign: "✓", rank: 3, is_fine: true }
    /// A plan should make backups here, but something that it needs is missing.
    Incomplete { key: "incomplete", words: "incomplete", many: "incomplete", sign: "!", rank: 5, is_fine: false }
    /// Backups are wanted here, but no plan makes any.
    NoPlan { key: "no-plan", words: "no plan", many: "no plan", sign: "×", rank: 6, is_fine: false }
    /// AWS withholds the merged policy, so the account keeps the policy that it had.
    Withheld { key: "withheld", words: "withheld", many: "withheld", sign: "‖", rank: 7, is_fine: false }
    /// A plan should make backups here, but it is unknown if it can.
    Unknown { key: "unknown", words: "not known", many: "not known", sign: "?", rank: 4, is_fine: false }
    /// The account has not enabled the Region, so there is nothing to back up.
    Disabled { key: "disabled", words: "Region not enabled", many: "in Regions not enabled", sign: "–", rank: 1, is_fine: true }
    /// Nothing asks for backups here.
    NotAsked { key: "not-asked", words: "not asked for", many: "not asked for", sign: "·", rank: 0, is_fine: true }
    /// The account is not active.
    Inactive { key: "inactive", words: "account not active", many: "in accounts not active", sign: "○", rank: 2, is_fine: true }
}

impl State {
    /// Returns the word for programs.
    pub fn key(self) -> &'static str {
        self.facts().key
    }

    /// Returns the words behind a number of accounts and Regions in the state, as in `34 in accounts not
    /// active`: two accounts that are not active may be many of these.
    pub fn words_of_many(self) -> &'static str {
        self.facts().many
    }

    /// Returns the character that the page draws, because not every reader can tell colours apart.
    pub fn sign(self) -> &'static str {
        self.facts().sign
    }

    /// Returns the importance beside the other states: the higher, the more important.
    pub fn rank(self) -> u8 {
        self.facts().rank
    }

    /// Returns `true` if no action is needed.
    pub fn is_fine(self) -> bool {
        self.facts().is_fine
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.facts().words)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::State;

    #[test]
    fn every_state_is_told_from_every_other() {
        let distinct = |fact: fn(State) -> String| {
            let facts: BTreeSet<_> = State::ALL.iter().map(|it| fact(*it)).collect();
            facts.len() == State::ALL.len()
        };
        assert!(distinct(|it| it.key().to_owned()));
        assert!(distinct(|it| it.to_string()));
        assert!(distinct(|it| it.sign().to_owned()));
        assert!(distinct(|it| it.rank().to_string()));
    }

    #[test]
    fn what_somebody_has_to_do_something_about_matters_more_than_what_is_fine() {
        let mut ordered = State::ALL.to_vec();
        ordered.sort_by_key(|it| it.rank());
        assert!(ordered.is_sorted_by_key(|it| !it.is_fine()));
        assert_eq!(ordered.first(), Some(&State::NotAsked), "what an account without Regions is");
    }
}
