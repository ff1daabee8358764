//! The effective policy of an account: the policies from the root down to it, merged.
//!
//! A state is immutable and shares everything that a level does not change with the state above it.
//! The cost of an organization therefore depends on the changes that its attachments make, and not
//! on the policies that its accounts inherit. Merge once for each distinct chain of attachments,
//! and use the same [`Inherited`] for every account that shares it.

use std::collections::HashSet;
use std::sync::{Arc, OnceLock};

use super::operator::{Allowed, Operator};
use super::plan_errors::{PlanErrors, Source};
use super::policy::{Operand, Policy, Position, Setting};

/// The policies attached to one root, OU or account, in attachment order.
#[derive(Clone, Debug)]
pub struct Level {
    /// The root, OU or account that the policies are attached to, for provenance.
    pub target: String,
    /// The policies, each with its name.
    pub policies: Vec<(String, Policy)>,
}

/// The origin of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The policy.
    pub source: Arc<Source>,
    /// The operator that it applied.
    pub operator: Operator,
    /// The place of the operator in the policy's text.
    pub at: u32,
}

/// The state that everything below a root or OU inherits.
#[derive(Clone, Debug, Default)]
pub struct Inherited {
    state: Arc<Merged>,
}

/// The effective policy of an account.
#[derive(Clone, Debug, Default)]
pub struct Effective {
    pub(super) state: Arc<Merged>,
}

/// One value of an effective policy and its origin.
#[derive(Clone, Debug)]
pub struct Leaf<'a> {
    /// The keys that lead to it, joined by `/`.
    pub path: String,
    /// The value.
    pub setting: &'a Setting,
    /// The origins: the policy that assigned the value, then those that added to it or removed from
    /// it.
    pub origins: &'a [Origin],
}

/// A part of an effective policy that the account may not get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doubt {
    /// The keys that lead to it, joined by `/`.
    pub path: String,
    /// The policies that contribute to it, sorted.
    pub contributors: Vec<Arc<Source>>,
}

/// One place after merging.
#[derive(Debug)]
pub(super) struct Merged {
    allowed: Allowed,
    leaf: Option<(Setting, Origins)>,
    /// The places below, sorted by key.
    below: Vec<(Arc<str>, Arc<Merged>)>,
    /// True if the place was added below a control whose documentation forbids that.
    is_doubtful: bool,
    /// The errors of the plan at this place, after the first request for them.
    pub(super) report: OnceLock<PlanErrors>,
}

/// The origins of a value, usually only one policy.
#[derive(Clone, Debug)]
enum Origins {
    One(Origin),
    Many(Vec<Origin>),
}

impl Origins {
    fn as_slice(&self) -> &[Origin] {
        match self {
            Self::One(origin) => std::slice::from_ref(origin),
            Self::Many(origins) => origins,
        }
    }

    fn push(&mut self, origin: Origin) {
        match self {
            Self::One(first) => *self = Self::Many(vec![first.clone(), origin]),
            Self::Many(origins) => origins.push(origin),
        }
    }
}

impl Default for Merged {
    fn default() -> Self {
        Self {
            allowed: Allowed::ALL,
            leaf: None,
            below: Vec::new(),
            is_doubtful: false,
            report: OnceLock::new(),
        }
    }
}

/// Merges the levels from the root to the account.
#[must_use]
pub fn merge(levels: &[Level]) -> Effective {
    let inherited = levels.iter().fold(Inherited::root(), |inherited, level| {
        let policies: Vec<_> = level.policies.iter().map(|it| (it.0.as_str(), &it.1)).collect();
        inherited.descend(&level.target, &policies)
    });
    inherited.effective()
}

impl Inherited {
    /// Returns the state that the root inherits, which is empty.
    #[must_use]
    pub fn root() -> Self {
        Self::default()
    }

    /// Goes one level down to `target`, to which `policies` are attached in this order.
    #[must_use]
    pub fn descend(&self, target: &str, policies: &[(&str, &Policy)]) -> Self {
        if policies.is_empty() {
            return self.clone();
        }
        let sources = policies.iter().map(|(policy, _)| {
            Arc::new(Source { target: target.to_owned(), policy: (*policy).to_owned() })
        });
        let sources: Vec<_> = sources.collect();
        let top = Arc::from("");
        let parts = sources.iter().zip(policies);
        let parts = parts.map(|(source, it)| Part { key: &top, source, place: &it.1.top });
        let parts: Vec<_> = parts.collect();
        Self { state: Arc::new(level(&self.state, &parts, false)) }
    }

    /// Returns the effective policy of an account that has no policies attached below this level.
    #[must_use]
    pub fn effective(&self) -> Effective {
        Effective { state: Arc::clone(&self.state) }
    }
}

/// The operators of one policy of a level at a place.
#[derive(Clone, Copy)]
struct Part<'a> {
    key: &'a Arc<str>,
    source: &'a Arc<Source>,
    place: &'a Position,
}

fn level(inherited: &Merged, parts: &[Part<'_>], is_doubtful: bool) -> Merged {
    let controls = parts.iter().filter_map(|it| it.place.control);
    Merged {
        // Controls of one level intersect, and no level can widen the controls above it.
        allowed: controls.fold(inherited.allowed, Allowed::and),
        leaf: leaf(inherited, parts),
        below: below(inherited, parts),
        is_doubtful,
        report: OnceLock::new(),
    }
}

fn below(above: &Merged, parts: &[Part<'_>]) -> Vec<(Arc<str>, Arc<Merged>)> {
    // The documentation says that AWS ignores a key that a level adds below such a control. The
    // recorded behavior only shows that controls on objects do not lock the values below them.
    let may_add = above.allowed.has(Operator::Append);
    let inherited = &above.below;
    let touched = parts.iter().flat_map(|part| {
        let source = part.source;
        part.place.below.iter().map(move |(key, place)| Part { key, source, place })
    });
    let mut touched: Vec<_> = touched.collect();
    // The sort is stable, so policies of one level stay in attachment order.
    touched.sort_by(|one, other| one.key.cmp(other.key));

    let mut states = Vec::with_capacity(inherited.len().max(touched.len()));
    let mut inherited = inherited.iter().peekable();
    let nothing = Merged::default();
    for peers in touched.chunk_by(|one, other| one.key == other.key) {
        let Some(Part { key, .. }) = peers.first() else { continue };
        while let Some(state) = inherited.next_if(|it| it.0 < **key) {
            states.push(state.clone());
        }
        let (above, is_doubtful) = match inherited.next_if(|it| it.0 == **key) {
            Some((_, above)) => (above.as_ref(), above.is_doubtful),
            None => (&nothing, !may_add),
        };
        states.push((Arc::clone(key), Arc::new(level(above, peers, is_doubtful))));
    }
    states.extend(inherited.cloned());
    states
}

/// Applies one level to a value: the first assign, then all appends, then all removes.
fn leaf(inherited: &Merged, parts: &[Part<'_>]) -> Option<(Setting, Origins)> {
    let mut leaf = inherited.leaf.clone();
    let allowed = |operator| inherited.allowed.has(operator);
    let assign = parts.iter().find_map(|it| Some((it, it.place.assign.as_ref()?)));
    if let Some((part, operand)) = assign.filter(|_| allowed(Operator::Assign)) {
        leaf =
            Some((operand.setting.clone(), Origins::One(part.origin(Operator::Assign, operand))));
    }
    if allowed(Operator::Append) {
        for (part, operand) in parts.iter().filter_map(|it| Some((it, it.place.append.as_ref()?))) {
            append(&mut leaf, part, operand);
        }
    }
    if allowed(Operator::Remove)
        && let Some(leaf) = &mut leaf
    {
        for (part, operand) in parts.iter().filter_map(|it| Some((it, it.place.remove.as_ref()?))) {
            remove(leaf, part, operand);
        }
    }
    leaf
}

fn append(leaf: &mut Option<(Setting, Origins)>, part: &Part<'_>, operand: &Operand) {
    let origin = || part.origin(Operator::Append, operand);
    let (old, new) = (leaf.as_ref().map_or(&[][..], |it| it.0.values()), operand.setting.values());
    let added = distinct(old, new);
    match leaf {
        // Usually the whole list is new, and can be shared with the policy.
        None if added.len() == new.len() && matches!(operand.setting, Setting::Many(_)) => {
            *leaf = Some((operand.setting.clone(), Origins::One(origin())));
        }
        None => *leaf = Some((Setting::Many(added.into()), Origins::One(origin()))),
        Some(_) if added.is_empty() => {}
        Some((setting, origins)) => {
            *setting = Setting::Many(setting.values().iter().cloned().chain(added).collect());
            origins.push(origin());
        }
    }
}

fn remove((setting, origins): &mut (Setting, Origins), part: &Part<'_>, operand: &Operand) {
    let Setting::Many(values) = setting else { return };
    let left = without(values, operand.setting.values());
    if left.len() < values.len() {
        *setting = Setting::Many(left.into());
        origins.push(part.origin(Operator::Remove, operand));
    }
}

/// The most values that are compared one by one.
const FEW: usize = 16;

/// Returns `true` if the values are to be hashed, so that long lists do not make merging slow.
fn are_many(ones: &[Arc<str>], others: &[Arc<str>]) -> bool {
    ones.len() + others.len() > FEW
}

/// Returns the values of `new` that are not in `old`, each once.
fn distinct(old: &[Arc<str>], new: &[Arc<str>]) -> Vec<Arc<str>> {
    if are_many(old, new) {
        let mut seen: HashSet<&str> = old.iter().map(AsRef::as_ref).collect();
        return new.iter().filter(|it| seen.insert(it)).cloned().collect();
    }
    let mut distinct: Vec<Arc<str>> = Vec::with_capacity(new.len());
    for it in new {
        if !old.contains(it) && !distinct.contains(it) {
            distinct.push(Arc::clone(it));
        }
    }
    distinct
}

/// Returns the values that are not in `unwanted`.
fn without(values: &[Arc<str>], unwanted: &[Arc<str>]) -> Vec<Arc<str>> {
    if are_many(values, unwanted) {
        let unwanted: HashSet<&str> = unwanted.iter().map(AsRef::as_ref).collect();
        return values.iter().filter(|it| !unwanted.contains(it.as_ref())).cloned().collect();
    }
    values.iter().filter(|it| !unwanted.contains(it)).cloned().collect()
}

impl Part<'_> {
    fn origin(&self, operator: Operator, operand: &Operand) -> Origin {
        Origin { source: Arc::clone(self.source), operator, at: operand.at }
    }
}

impl Merged {
    /// Returns the place under `key`, if it has not vanished.
    pub(super) fn get(&self, key: &str) -> Option<&Merged> {
        let index = self.below.binary_search_by(|it| it.0.as_ref().cmp(key)).ok()?;
        self.below.get(index).map(|it| it.1.as_ref()).filter(|it| it.is_visible())
    }

    /// Returns the places below that have not vanished.
    pub(super) fn visible(&self) -> impl Iterator<Item = (&str, &Merged)> {
        let below = self.below.iter().map(|(key, state)| (key.as_ref(), state.as_ref()));
        below.filter(|it| it.1.is_visible())
    }

    pub(super) fn setting(&self) -> Option<&Setting> {
        self.leaf.as_ref().map(|it| &it.0)
    }

    /// Adds every policy that contributes to this place or to one below it.
    pub(super) fn contributors(&self, into: &mut Vec<Arc<Source>>) {
        if let Some((_, origins)) = &self.leaf {
            into.extend(origins.as_slice().iter().map(|it| Arc::clone(&it.source)));
        }
        for (_, state) in &self.below {
            state.contributors(into);
        }
    }

    /// Returns `true` if the place is in the effective policy. Empty objects vanish from it, and
    /// emptied lists stay.
    fn is_visible(&self) -> bool {
        self.leaf.is_some() || self.below.iter().any(|it| it.1.is_visible())
    }

    fn json(&self) -> serde_json::Value {
        use serde_json::Value;

        match &self.leaf {
            Some((Setting::One(value), _)) => Value::String(value.to_string()),
            Some((Setting::Many(values), _)) => {
                Value::Array(values.iter().map(|it| Value::String(it.to_string())).collect())
            }
            None => Value::Object(
                self.visible().map(|(key, state)| (key.to_owned(), state.json())).collect(),
            ),
        }
    }

    fn leaves<'a>(&'a self, path: &str, into: &mut Vec<Leaf<'a>>) {
        if let Some((setting, origins)) = &self.leaf {
            let origins = origins.as_slice();
            into.push(Leaf { path: path.to_owned(), setting, origins });
            return;
        }
        for (key, state) in self.visible() {
            let separator = if path.is_empty() { "" } else { "/" };
            state.leaves(&format!("{path}{separator}{key}"), into);
        }
    }

    fn doubts(&self, path: &str, into: &mut Vec<Doubt>) {
        if self.is_doubtful {
            let mut contributors = Vec::new();
            self.contributors(&mut contributors);
            contributors.sort();
            contributors.dedup();
            into.push(Doubt { path: path.to_owned(), contributors });
            return;
        }
        for (key, state) in self.visible() {
            let separator = if path.is_empty() { "" } else { "/" };
            state.doubts(&format!("{path}{separator}{key}"), into);
        }
    }

    fn is_same(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
            || self.setting() == other.setting()
                && (self.leaf.is_some() || same(self.visible(), other.visible()))
    }
}

/// Compares two sorted lists of places.
fn same<'a>(
    mut ones: impl Iterator<Item = (&'a str, &'a Merged)>,
    mut others: impl Iterator<Item = (&'a str, &'a Merged)>,
) -> bool {
    loop {
        match (ones.next(), others.next()) {
            (None, None) => return true,
            (Some(one), Some(other)) if one.0 == other.0 && one.1.is_same(other.1) => {}
            _ => return false,
        }
    }
}

impl Effective {
    /// Returns the document that `DescribeEffectivePolicy` returns, or `{}` if nothing is set.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        self.state.json()
    }

    /// Returns every value with its origins, in the order of the keys.
    #[must_use]
    pub fn leaves(&self) -> Vec<Leaf<'_>> {
        let mut leaves = Vec::new();
        self.state.leaves("", &mut leaves);
        leaves
    }
}

impl Effective {
    /// Returns the parts that were added below a control whose documentation forbids adding.
    ///
    /// The documentation says that AWS ignores such keys, but that was never recorded. They are
    /// part of this policy, so warn anyone who relies on them.
    #[must_use]
    pub fn doubts(&self) -> Vec<Doubt> {
        let mut doubts = Vec::new();
        self.state.doubts("", &mut doubts);
        doubts
    }
}

/// Two effective policies are equal if their documents are equal, regardless of origins.
impl PartialEq for Effective {
    fn eq(&self, other: &Self) -> bool {
        self.state.is_same(&other.state)
    }
}

impl Eq for Effective {}
