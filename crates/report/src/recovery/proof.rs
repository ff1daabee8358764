//! The restore tests that proved that backups can be restored.

use std::collections::BTreeMap;
use std::time::SystemTime;

use plan::id::ResourceType;

use super::kind::RestoredKind;
use super::point::KeptPoint;
use crate::coverage::{ByResource, JOBS_DAYS, RestoreTest, TestResult};
use crate::words::utc;

/// The newest successful restore test of each resource, and of each type.
#[derive(Clone, Debug, Default)]
pub struct Proofs {
    resources: BTreeMap<String, SystemTime>,
    kinds: BTreeMap<RestoredKind, SystemTime>,
}

impl Proofs {
    /// Takes the restore tests of an account in a Region. A test whose result nobody looked at proves
    /// nothing.
    pub fn add(&mut self, tests: &ByResource<RestoreTest>) {
        for (resource, kind, tests) in tests.each() {
            let passed = tests.iter().filter(|it| it.result == Some(TestResult::Successful));
            let Some(at) = passed.map(|it| it.at).max() else { continue };
            newest(&mut self.resources, resource.to_owned(), at);
            if let Some(kind) = RestoredKind::of(resource, kind.map(ResourceType::as_str)) {
                newest(&mut self.kinds, kind, at);
            }
        }
    }

    /// The time of the last one that proved a backup of the resource of `point`.
    pub(super) fn of(&self, point: &KeptPoint) -> Option<SystemTime> {
        self.resources.get(&point.resource).copied()
    }

    /// The time of the last one that proved a backup of a resource of its type.
    pub(super) fn of_kind(&self, point: &KeptPoint) -> Option<SystemTime> {
        self.kinds.get(&point.kind()?).copied()
    }

    /// The last one in words.
    pub fn words(&self, point: &KeptPoint) -> String {
        if let Some(at) = self.of(point) {
            return format!("a restore test last proved a backup of it at {}", utc(at));
        }
        let none = format!(
            "no restore test of the last {JOBS_DAYS} days is known to have proved a backup of it"
        );
        match (self.of_kind(point), point.kind()) {
            (Some(at), Some(kind)) => {
                format!("{none}; one of another {} was proved at {}", kind.noun(), utc(at))
            }
            _ => none,
        }
    }
}

fn newest<K: Ord>(all: &mut BTreeMap<K, SystemTime>, key: K, at: SystemTime) {
    let known = all.entry(key).or_insert(at);
    *known = at.max(*known);
}
