//! Reads the policies that are attached on the way from the root down to one account.
//!
//! The number of reads grows with the levels and with the policies that are attached there, and not
//! with the organization.

use std::collections::BTreeMap;

use aws::{Error, Management};
use organization::organizations;
use organization::preflight::parents;
use plan::id::{AccountId, PolicyId, TargetId};

/// The root, an OU or the account, with the policies that are attached to it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AttachedLevel {
    /// The root, OU or account.
    pub target: TargetId,
    /// Its backup policies, in the order in which AWS lists them. This is taken to be the order of
    /// their attachment.
    pub policies: Vec<LevelPolicy>,
}

/// A policy that is attached to a level.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LevelPolicy {
    /// Its ID.
    pub id: PolicyId,
    /// Its name.
    pub name: String,
    /// Its document.
    pub text: String,
}

/// Reads levels. It reads each level and each policy only once.
#[derive(Debug)]
pub struct LevelReader<'a> {
    management: &'a Management,
    parents: BTreeMap<TargetId, TargetId>,
    levels: BTreeMap<TargetId, AttachedLevel>,
    policies: BTreeMap<PolicyId, LevelPolicy>,
}

impl<'a> LevelReader<'a> {
    /// Returns a reader that has read nothing yet.
    pub fn new(management: &'a Management) -> Self {
        Self {
            management,
            parents: BTreeMap::new(),
            levels: BTreeMap::new(),
            policies: BTreeMap::new(),
        }
    }

    /// Reads the levels of an account where it is now: the root first, the account last.
    ///
    /// # Errors
    ///
    /// Returns an error if a read fails. Nothing was changed.
    pub async fn of(&mut self, account: &AccountId) -> Result<Vec<AttachedLevel>, Error> {
        self.down_to(&account.clone().into()).await
    }

    /// Reads the levels that the account would have in `unit`.
    ///
    /// # Errors
    ///
    /// Returns an error if a read fails. Nothing was changed.
    pub async fn under(
        &mut self,
        unit: &TargetId,
        account: &AccountId,
    ) -> Result<Vec<AttachedLevel>, Error> {
        let mut levels = self.down_to(unit).await?;
        levels.push(self.level(&account.clone().into()).await?);
        Ok(levels)
    }

    async fn down_to(&mut self, target: &TargetId) -> Result<Vec<AttachedLevel>, Error> {
        parents(self.management, target.clone(), &mut self.parents).await?;
        let up = std::iter::successors(Some(target), |it| self.parents.get(it));
        let mut path: Vec<_> = up.cloned().collect();
        path.reverse();
        let mut levels = Vec::new();
        for it in &path {
            levels.push(self.level(it).await?);
        }
        Ok(levels)
    }

    async fn level(&mut self, target: &TargetId) -> Result<AttachedLevel, Error> {
        if let Some(known) = self.levels.get(target) {
            return Ok(known.clone());
        }
        let mut policies = Vec::new();
        for id in organizations::policies_at(self.management, target).await? {
            // A policy that was deleted in the meantime is not attached any more.
            policies.extend(self.policy(&id).await?);
        }
        let level = AttachedLevel { target: target.clone(), policies };
        self.levels.insert(target.clone(), level.clone());
        Ok(level)
    }

    async fn policy(&mut self, id: &PolicyId) -> Result<Option<LevelPolicy>, Error> {
        if let Some(known) = self.policies.get(id) {
            return Ok(Some(known.clone()));
        }
        let Some(it) = organizations::policy(self.management, id).await? else { return Ok(None) };
        let name = it.policy_summary.and_then(|it| it.name).unwrap_or_default();
        let text = it.content.ok_or_else(|| {
            Error::incomplete(&format!("describe policy {id}"), "what the policy says")
        })?;
        let policy = LevelPolicy { id: id.clone(), name, text };
        self.policies.insert(id.clone(), policy.clone());
        Ok(Some(policy))
    }
}
