//! Backups on demand.

use super::orders::{BackupOrder, expect_role, invalid, missing, not_now};
use super::records::BackedUp;
use super::{Surroundings, Works, plan};
use crate::refusal::Answer;

impl Works {
    /// Makes a backup job at once.
    ///
    /// # Errors
    ///
    /// Returns the errors of `StartBackupJob`; everything else fails the job.
    pub(crate) fn back_up(
        &mut self,
        order: &BackupOrder,
        around: &dyn Surroundings,
    ) -> Answer<usize> {
        let request = format!("{order:?}");
        let BackupOrder { asker, .. } = order;
        if let Some(id) = self.asked_before("backup", asker, &request)? {
            return Ok(id);
        }
        let is_here = |it: &&BackedUp| it.account == asker.account && it.region == asker.region;
        let resource = self.resources.get(&order.resource).filter(is_here).cloned();
        let resource = resource
            .ok_or_else(|| missing(format!("Resource {} does not exist.", order.resource)))?;
        let kind = resource.kind.as_str();
        if !around.supports(kind, &asker.region) {
            return Err(invalid(format!("Unsupported resource type: {kind}.")));
        }
        if !around.opts_in(&asker.account, kind, &asker.region) {
            return Err(not_now(format!("{kind} is not opted in to in this Region.")));
        }
        let rule = plan::asked_for(order).ok_or_else(|| invalid("A window is not valid."))?;
        for vault in [Some(self.vault_arn(&order.vault, &resource)), order.air_gapped.clone()] {
            if vault.as_ref().is_some_and(|it| around.vault(it).is_none()) {
                return Err(missing(format!("Backup vault {} does not exist.", order.vault)));
            }
        }
        expect_role(asker, around)?;
        let names = (String::new(), String::new());
        let id = self.create(names, &rule, &resource, asker.role.clone());
        self.asked_for.insert(id, (rule, order.tags.clone()));
        self.remember("backup", asker, request, id);
        Ok(id)
    }
}
