//! The newest recovery point of each resource that an account had.

use std::collections::BTreeMap;
use std::time::SystemTime;

use plan::id::AccountId;

use super::hindrance::Hindrance;
use super::kind::RestoredKind;
use super::point::KeptPoint;

/// Chooses the newest recovery point of each resource of an account. Of any number of them, it keeps
/// three for each resource.
#[derive(Clone, Debug)]
pub struct Newest {
    lost: AccountId,
    into: AccountId,
    before: Option<SystemTime>,
    now: SystemTime,
    resources: BTreeMap<String, Best>,
    /// Number of those whose account is not known: the ARN of a bucket names none.
    unowned: usize,
}

#[derive(Clone, Debug, Default)]
struct Best {
    usable: Option<KeptPoint>,
    unusable: Option<KeptPoint>,
    /// A continuous backup, which has snapshots beside it as a rule, and is not worth a remark then.
    continuous: Option<KeptPoint>,
}

/// The recovery point that was chosen for a resource.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Chosen {
    /// The recovery point.
    pub point: KeptPoint,
    /// The reason why it cannot be restored; `None` if it can.
    pub hindrance: Option<Hindrance>,
    /// A newer one that cannot be restored, and why.
    pub passed_over: Option<(KeptPoint, Hindrance)>,
}

impl Newest {
    /// Chooses for the resources of the account `lost` that are restored in the account `into`, of what
    /// was backed up before a moment if there is one.
    pub fn new(
        lost: AccountId,
        into: AccountId,
        before: Option<SystemTime>,
        now: SystemTime,
    ) -> Self {
        Self { lost, into, before, now, resources: BTreeMap::new(), unowned: 0 }
    }

    /// Takes one recovery point.
    pub fn add(&mut self, point: KeptPoint) {
        match point.owner() {
            Some(owner) if owner == self.lost => {}
            Some(_) => return,
            // In a vault of its own account, it is of that.
            None if point.vault.account == self.lost => {}
            None => {
                self.unowned += 1;
                return;
            }
        }
        let is_late = self.before.is_some_and(|it| point.created > it);
        // Of a composite backup, either the parts are restored or the whole.
        if is_late || point.is_restored_with_whole() || point.is_stack_whole() {
            return;
        }
        let hindrance = self.hindrance(&point);
        let best = self.resources.entry(point.resource.clone()).or_default();
        let place = match hindrance {
            None => &mut best.usable,
            Some(Hindrance::Continuous) => &mut best.continuous,
            Some(_) => &mut best.unusable,
        };
        // Of several copies of one backup, the one in the vault that comes first.
        let key = |it: &KeptPoint| (it.created, std::cmp::Reverse(it.arn.clone()));
        if place.as_ref().is_none_or(|it| key(it) < key(&point)) {
            *place = Some(point);
        }
    }

    /// The reason why a recovery point is not restored while there is another one.
    fn hindrance(&self, point: &KeptPoint) -> Option<Hindrance> {
        // In the account that holds it, it is restored without a copy.
        let is_cold = || point.is_cold(self.now) && point.vault.account != self.into;
        let unusable = point.unusable(self.now);
        unusable
            .or_else(|| point.is_continuous.then_some(Hindrance::Continuous))
            .or_else(|| is_cold().then(|| point.coldness()))
    }

    /// Number of recovery points whose account is not known.
    pub fn unowned(&self) -> usize {
        self.unowned
    }

    /// Returns the choice, in the order in which it is restored.
    pub fn chosen(&self) -> Vec<Chosen> {
        let chosen = self.resources.values().cloned().filter_map(|best| {
            let Best { usable, unusable, continuous } = best;
            if let Some(point) = usable {
                let newer = unusable.filter(|it| it.created > point.created);
                let passed_over = newer.and_then(|it| self.hindrance(&it).map(|why| (it, why)));
                return Some(Chosen { point, hindrance: None, passed_over });
            }
            let all = unusable.into_iter().chain(continuous);
            let point = all.max_by_key(|it| it.created)?;
            let hindrance = self.hindrance(&point);
            Some(Chosen { point, hindrance, passed_over: None })
        });
        let mut chosen: Vec<_> = chosen.collect();
        let turn = |it: &Chosen| it.point.kind().map_or(usize::MAX, RestoredKind::turn);
        chosen.sort_by_key(|it| (turn(it), it.point.resource.clone()));
        chosen
    }
}
