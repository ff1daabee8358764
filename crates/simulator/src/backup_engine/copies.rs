//! Copies: those that plans ask for, and those that somebody asks for.

use std::time::SystemTime;

use policy::arn::Arn;

use super::checks::Copying;
use super::copy_role::{RoleCopy, needs};
use super::facts::{Feature, TypeFacts};
use super::lifecycle::DAY;
use super::orders::{Asker, CopyOrder, expect_role, invalid, missing, not_now};
use super::plan::Rule;
use super::records::{
    BackedUp, BackupJob, EngineCopyJob, EnginePoint, JobProgress, PointForm, Trouble, whereabouts,
};
use super::works::{Event, Works, air_gapped, in_place, takes};
use super::{BackupQuotas, Jobs, Surroundings};
use crate::refusal::{Answer, Code, Refusal};

impl Works {
    /// Returns the copy actions of a rule, and the way to an air-gapped vault that is not direct.
    pub(super) fn copy_all(
        &mut self,
        job: &BackupJob,
        source: usize,
        rule: &Rule,
        resource: &BackedUp,
        begun: SystemTime,
        around: &dyn Surroundings,
    ) {
        let air_gapped = air_gapped(rule, resource);
        let is_direct = TypeFacts::of(&resource.kind).has(Feature::FullyManaged);
        let air_gapped = air_gapped.filter(|_| !is_direct);
        let air_gapped = air_gapped.into_iter().map(|it| (it, rule.lifecycle));
        let actions = rule.copy_actions.iter();
        let actions =
            actions.map(|it| (in_place(&it.vault_arn, resource), it.lifecycle.or(rule.lifecycle)));
        for (destination, lifecycle) in air_gapped.chain(actions).collect::<Vec<_>>() {
            let id = self.copy_jobs.len();
            self.copy_jobs.push(EngineCopyJob {
                resource: resource.arn.clone(),
                kind: resource.kind.clone(),
                bytes: job.bytes,
                place: job.place.clone(),
                rule: job.rule.clone(),
                role: job.role.clone(),
                job: Some(job.id),
                source,
                source_vault: job.vault.clone(),
                begun,
                destination,
                lifecycle,
                created: self.now,
                at_work: None,
                ended: None,
                progress: JobProgress::Running,
                trouble: None,
                point: None,
            });
            self.begin_copy(id, around);
        }
    }

    /// Makes a copy job at once.
    ///
    /// # Errors
    ///
    /// Returns the errors of `StartCopyJob`; everything else fails the job.
    pub(crate) fn copy(&mut self, order: &CopyOrder, around: &dyn Surroundings) -> Answer<usize> {
        let request = format!("{order:?}");
        let CopyOrder { asker, destination, .. } = order;
        if let Some(id) = self.asked_before("copy", asker, &request)? {
            return Ok(id);
        }
        let point = self.points.get(&order.point).cloned();
        let point = point.ok_or_else(|| missing("The recovery point does not exist."))?;
        if let Some(why) = point.unusable() {
            return Err(not_now(format!("A recovery point that {why} cannot be copied.")));
        }
        if point.form == PointForm::Continuous {
            return Err(not_now("Copies of continuous recovery points cannot be asked for."));
        }
        if point.is_cold(self.now) {
            return Err(not_now("A recovery point in cold storage cannot be copied."));
        }
        let is_vault = Arn::parse(destination)
            .is_ok_and(|it| it.service == "backup" && it.resource.starts_with("backup-vault:"));
        if !is_vault || *destination == point.vault {
            return Err(invalid("The destination is no other backup vault."));
        }
        expect_role(asker, around)?;
        self.expect_room_for_copy(asker, &point.resource, destination, around.quotas())?;
        let id = self.copy_jobs.len();
        self.copy_jobs.push(EngineCopyJob {
            resource: point.resource.clone(),
            kind: point.kind.clone(),
            bytes: point.bytes,
            place: (asker.account.clone(), asker.region.clone()),
            rule: (String::new(), String::new()),
            role: asker.role.clone(),
            job: None,
            source: point.id,
            source_vault: point.vault.clone(),
            begun: point.created,
            destination: destination.clone(),
            lifecycle: order.lifecycle.or(point.lifecycle),
            created: self.now,
            at_work: None,
            ended: None,
            progress: JobProgress::Created,
            trouble: None,
            point: None,
        });
        self.remember("copy", asker, request, id);
        self.tell_of_copy(id);
        self.at(self.now, Event::Copying(id));
        Ok(id)
    }

    /// Refuses a copy when as many are at work as there may be.
    fn expect_room_for_copy(
        &self,
        asker: &Asker,
        resource: &str,
        destination: &str,
        quotas: BackupQuotas,
    ) -> Answer<()> {
        let full = |message| Err(Refusal::new(Code::LimitExceeded, message));
        let region = |vault: &str| whereabouts(vault).map(|it| it.1.to_owned());
        let alongside: Vec<&EngineCopyJob> = self
            .copy_jobs
            .iter()
            .filter(|it| it.ended.is_none() && it.place.0 == asker.account)
            .filter(|it| region(&it.destination) == region(destination))
            .collect();
        if alongside.len() >= quotas.copies {
            return full("There are as many copy jobs to this Region as there can be.");
        }
        let across = |vault: &str| whereabouts(vault).is_some_and(|it| it.0 != asker.account);
        let same = alongside.iter().filter(|it| it.resource == resource && across(&it.destination));
        if across(destination) && same.count() >= quotas.copies_across {
            return full("There are as many copy jobs of this resource to this Region as can be.");
        }
        Ok(())
    }

    /// Starts a copy job, or fails it.
    pub(super) fn begin_copy(&mut self, id: usize, around: &dyn Surroundings) {
        let Some(copy) = self.copy_jobs.get(id).cloned() else { return };
        if let Err(trouble) = self.check_copy_job(&copy, around) {
            return self.end_copy(id, Err(trouble));
        }
        let until = self.now + takes(copy.bytes, around);
        let was_waiting = copy.progress == JobProgress::Created;
        if let Some(copy) = self.copy_jobs.get_mut(id) {
            (copy.progress, copy.at_work) = (JobProgress::Running, Some((self.now, until)));
        }
        if was_waiting {
            self.tell_of_copy(id);
        }
        self.at(until, Event::Copied(id));
    }

    fn check_copy_job(
        &self,
        copy: &EngineCopyJob,
        around: &dyn Surroundings,
    ) -> Result<(), Trouble> {
        let source = self.points.get(&copy.source);
        if source.is_some_and(|it| it.form == PointForm::OfDynamoDb) {
            return Err(Trouble::NotCopied);
        }
        self.check_copy(
            &Copying {
                kind: &copy.kind,
                resource: &copy.resource,
                role: &copy.role,
                from: (&copy.place.0, &copy.place.1),
                destination: &copy.destination,
                keep: copy.lifecycle.delete_after_days,
                key: source.and_then(|it| it.key.as_deref()),
            },
            around,
        )?;
        if copy.job.is_some() {
            return Ok(());
        }
        let source = source.ok_or(Trouble::NoSource)?;
        let arn = source.arn(&self.partition);
        if !around.releases(&copy.source_vault, &copy.role, &arn, &copy.destination) {
            return Err(Trouble::SourceDenied);
        }
        let copied = RoleCopy { point: source, arn: &arn, destination: &copy.destination };
        if !needs(copied, around).iter().all(|it| around.permits(&copy.role, it)) {
            return Err(Trouble::RoleDenied);
        }
        if self.is_to_fail(Jobs::Copies, &copy.resource) {
            return Err(Trouble::Injected);
        }
        Ok(())
    }

    /// Completes a copy job, if source and destination still exist.
    pub(super) fn complete_copy(&mut self, id: usize, around: &dyn Surroundings) {
        let Some(copy) = self.copy_jobs.get(id).cloned() else { return };
        let source = self.points.get(&copy.source).cloned().ok_or(Trouble::NoSource);
        let room = self.check_room(&copy.destination, around);
        let made = source.and_then(|it| room.map(|()| it)).map(|source| {
            let lifecycle = copy.lifecycle;
            let delete_at = lifecycle.delete_after_days.map(|it| copy.begun + DAY * it);
            let stays_plain =
                TypeFacts::of(&copy.kind).has(Feature::CopiedPlain) && source.key.is_none();
            let key = around.vault_key(&copy.destination).filter(|_| !stays_plain);
            let is_asked_for = copy.job.is_none();
            let rule = if is_asked_for { source.rule.clone() } else { copy.rule.clone() };
            self.add(EnginePoint {
                vault: copy.destination.clone(),
                source_vault: Some(copy.source_vault.clone()),
                created: copy.begun,
                rule,
                form: PointForm::Snapshot,
                key,
                lifecycle,
                cold_at: lifecycle.cold_at(&copy.kind, copy.begun),
                delete_at,
                ..source
            })
        });
        self.end_copy(id, made);
        let is_copied =
            |it: &EngineCopyJob| it.source == copy.source && it.progress == JobProgress::Running;
        let is_temporary =
            self.points.get(&copy.source).is_some_and(|it| it.form == PointForm::Temporary);
        if is_temporary && made.is_ok() && !self.copy_jobs.iter().any(is_copied) {
            self.points.remove(&copy.source);
        }
    }

    fn end_copy(&mut self, id: usize, made: Result<usize, Trouble>) {
        if let Some(copy) = self.copy_jobs.get_mut(id) {
            let is_made = made.is_ok();
            copy.ended = Some(self.now);
            copy.progress = if is_made { JobProgress::Completed } else { JobProgress::Failed };
            (copy.point, copy.trouble) = (made.ok(), made.err());
        }
        self.tell_of_copy(id);
    }
}
