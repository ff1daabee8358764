//! The knowledge about accounts that could not be looked at, from the findings of the last runs.

use std::collections::{BTreeMap, BTreeSet};

use plan::id::AccountId;

use super::LastFindings;

/// The findings of the last runs about some accounts.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Hearsay {
    /// The accounts that no run has worked in yet.
    pub new: BTreeSet<AccountId>,
    /// The accounts that were not ready at the last run.
    pub not_ready: BTreeSet<AccountId>,
    /// The accounts that runs worked in and that the next run will not work in.
    pub gone: BTreeSet<AccountId>,
}

/// Returns the findings of the last runs for the accounts that are `unseen` now, and the
/// differences between `all`, the accounts that the next run works in, and the accounts of the last
/// runs.
pub fn hearsay(
    unseen: &BTreeSet<AccountId>,
    all: &BTreeSet<AccountId>,
    looks: &BTreeMap<AccountId, LastFindings>,
) -> Hearsay {
    let is_not_ready = |it: &&AccountId| looks.get(it).is_some_and(|it| !it.failures.is_empty());
    Hearsay {
        new: unseen.iter().filter(|it| !looks.contains_key(it)).cloned().collect(),
        not_ready: unseen.iter().filter(is_not_ready).cloned().collect(),
        gone: looks.keys().filter(|it| !all.contains(it)).cloned().collect(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use plan::member_accounts::Failure;

    fn ids(ids: &[&str]) -> BTreeSet<AccountId> {
        ids.iter().map(|it| it.parse().unwrap()).collect()
    }

    #[test]
    fn accounts_are_new_gone_or_as_the_last_run_found_them() {
        let problem = Failure { region: None, problem: "no role".to_owned(), hint: String::new() };
        let look = |id: &str, failures| {
            let look = LastFindings { at: SystemTime::UNIX_EPOCH, failures, not_looked_at: vec![] };
            (id.parse().unwrap(), look)
        };
        let looks = [
            look("100000000001", vec![]),
            look("100000000002", vec![problem.clone()]),
            look("100000000003", vec![problem.clone()]),
            look("100000000004", vec![problem]),
        ];
        let unseen = ids(&["100000000001", "100000000002", "100000000009"]);
        let all = ids(&["100000000001", "100000000002", "100000000003", "100000000009"]);
        let found = hearsay(&unseen, &all, &looks.into());
        assert_eq!(found.new, ids(&["100000000009"]));
        assert_eq!(found.not_ready, ids(&["100000000002"]), "the third one was looked at now");
        assert_eq!(found.gone, ids(&["100000000004"]));
    }
}
