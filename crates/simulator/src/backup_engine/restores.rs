//! Restore jobs: their start, their failures and their results.

use std::collections::BTreeMap;
use std::time::Duration;

use super::facts::{Feature, Makes, TypeFacts};
use super::orders::{RestoreOrder, expect_role, missing, not_now};
use super::parts;
use super::records::{BackedUp, EngineKey, EnginePoint, JobProgress};
use super::restore_job::{EngineRestoreJob, RestoreTrouble};
use super::terms::Terms;
use super::works::{Event, Works, takes};
use super::{Jobs, RoleNeed, Surroundings};
use crate::ids::{hex_of, uuid_of};
use crate::refusal::Answer;

impl Works {
    /// Makes a restore job at once.
    ///
    /// # Errors
    ///
    /// Returns the errors of `StartRestoreJob`; everything else fails the job.
    pub(crate) fn restore(
        &mut self,
        order: &RestoreOrder,
        around: &dyn Surroundings,
    ) -> Answer<usize> {
        let request = format!("{order:?}");
        let RestoreOrder { asker, .. } = order;
        if let Some(id) = self.asked_before("restore", asker, &request)? {
            return Ok(id);
        }
        let point = self.points.get(&order.point).cloned();
        let point = point.ok_or_else(|| missing("The recovery point does not exist."))?;
        if let Some(why) = point.unusable() {
            return Err(not_now(format!("A recovery point that {why} cannot be restored.")));
        }
        let (account, region) = (&asker.account, &asker.region);
        if !around.supports(&point.kind, region) || !around.opts_in(account, &point.kind, region) {
            return Err(not_now(format!("{} is not opted in to in this Region.", point.kind)));
        }
        Terms::of(&order.metadata).check(&point, order.kind.as_deref())?;
        expect_role(asker, around)?;
        let id = self.restore_jobs.len();
        self.restore_jobs.push(EngineRestoreJob {
            id,
            place: (account.clone(), region.clone()),
            point: point.id,
            point_arn: point.arn(&self.partition),
            begun: point.created,
            vault: point.vault.clone(),
            source: point.resource.clone(),
            kind: point.kind.clone(),
            bytes: point.bytes,
            role: asker.role.clone(),
            metadata: order.metadata.clone(),
            copies_tags: order.copies_tags,
            created: self.now,
            at_work: None,
            ended: None,
            progress: JobProgress::Created,
            trouble: None,
            made: None,
        });
        self.remember("restore", asker, request, id);
        self.tell_of_restore(id);
        self.at(self.now, Event::Restoring(id));
        Ok(id)
    }

    /// Starts a restore job, or fails it.
    pub(super) fn begin_restore(&mut self, id: usize, around: &dyn Surroundings) {
        let Some(job) = self.restore_jobs.get(id).cloned() else { return };
        if let Err(trouble) = self.check_restore(&job, around) {
            return self.end_restore(id, Err(trouble));
        }
        let is_cold = self.points.get(&job.point).is_some_and(|it| it.is_cold(self.now));
        let retrieval = if is_cold { around.cold_retrieval() } else { Duration::ZERO };
        let until = self.now + takes(job.bytes, around) + retrieval;
        if let Some(job) = self.restore_jobs.get_mut(id) {
            (job.progress, job.at_work) = (JobProgress::Running, Some((self.now, until)));
        }
        self.tell_of_restore(id);
        self.at(until, Event::Restored(id));
    }

    /// Completes a restore job, if nothing has come in its way.
    pub(super) fn complete_restore(&mut self, id: usize, around: &dyn Surroundings) {
        let Some(job) = self.restore_jobs.get(id).cloned() else { return };
        let made = self.check_restore(&job, around).map(|point| self.make(&job, &point));
        self.end_restore(id, made);
    }

    fn end_restore(&mut self, id: usize, made: Result<String, RestoreTrouble>) {
        if let Some(job) = self.restore_jobs.get_mut(id) {
            job.ended = Some(self.now);
            job.progress = match &made {
                Ok(_) => JobProgress::Completed,
                Err(RestoreTrouble::Aborted) => JobProgress::Aborted,
                Err(_) => JobProgress::Failed,
            };
            (job.made, job.trouble) = (made.clone().ok(), made.err());
        }
        self.tell_of_restore(id);
    }

    /// Checks a restore job and returns the recovery point.
    fn check_restore(
        &self,
        job: &EngineRestoreJob,
        around: &dyn Surroundings,
    ) -> Result<EnginePoint, RestoreTrouble> {
        for (jobs, trouble) in [
            (Jobs::Restores, RestoreTrouble::Injected),
            (Jobs::StoppedRestores, RestoreTrouble::Aborted),
            (Jobs::RestoresBeyondQuota, RestoreTrouble::Quota(job.kind.clone())),
        ] {
            if self.is_to_fail(jobs, &job.source) {
                return Err(trouble);
            }
        }
        let point = self.points.get(&job.point).filter(|it| it.unusable().is_none());
        let point = point.cloned().ok_or(RestoreTrouble::NoPoint)?;
        if around.trusts(&job.role, &job.place.1) != Some(true) {
            return Err(RestoreTrouble::RoleNotAssumed);
        }
        let terms = Terms::of(&job.metadata);
        check_keys(job, &point, &terms, around)?;
        if job.copies_tags && TypeFacts::of(&job.kind).has(Feature::NotTagged) {
            return Err(RestoreTrouble::TagsNotCopied);
        }
        self.check_parts(job, &point, &terms, around)?;
        check_terms(job, &point, &terms)?;
        self.check_target(job, &terms, around)?;
        for action in terms.actions(&job.kind, &job.source) {
            if !around.permits(&job.role, &RoleNeed::new(action, "*")) {
                return Err(RestoreTrouble::Denied(action.to_owned()));
            }
        }
        Ok(point)
    }

    /// Checks that everything exists that the result is put into.
    fn check_parts(
        &self,
        job: &EngineRestoreJob,
        point: &EnginePoint,
        terms: &Terms,
        around: &dyn Surroundings,
    ) -> Result<(), RestoreTrouble> {
        let (account, region) = (&job.place.0, &job.place.1);
        for (what, mut name) in parts::named(&job.metadata) {
            if what == "iaminstanceprofilename" {
                if name == "UseBackedUpValue" {
                    let backed_up = Terms::of(&point.metadata);
                    let Some(it) = backed_up.get(what) else { continue };
                    it.clone_into(&mut name);
                }
                // The console gives a role and its profile one name, and a path to the role alone.
                let (partition, path) = (&self.partition, around.path_of_role(account, &name));
                let role = format!("arn:{partition}:iam::{account}:role{path}{name}");
                if !around.permits(&job.role, &RoleNeed::new("iam:PassRole", &role)) {
                    return Err(RestoreTrouble::Denied("iam:PassRole".to_owned()));
                }
            }
            if !self.parts.has(account, region, &name) {
                return Err(RestoreTrouble::NoPart(what.to_owned(), name));
            }
        }
        if let Some(role) = terms.get("clusterrole")
            && !around.permits(&job.role, &RoleNeed::new("iam:PassRole", role))
        {
            return Err(RestoreTrouble::Denied("iam:PassRole".to_owned()));
        }
        for zone in terms.zones() {
            if !zone.starts_with(region.as_str()) {
                return Err(RestoreTrouble::NoZone(zone));
            }
        }
        Ok(())
    }

    /// Checks that the result does not exist yet, or does if it is to be filled.
    fn check_target(
        &self,
        job: &EngineRestoreJob,
        terms: &Terms,
        around: &dyn Surroundings,
    ) -> Result<(), RestoreTrouble> {
        let target = self.target(job);
        let found = self.resources.get(&target);
        let is_here = |it: &BackedUp| (&it.account, &it.region) == (&job.place.0, &job.place.1);
        if !terms.fills(&job.kind) {
            // A bucket that has the name is another's, or ours.
            return if found.is_none() { Ok(()) } else { Err(RestoreTrouble::Taken(target)) };
        }
        if !found.is_some_and(is_here) {
            return Err(RestoreTrouble::NoPart("resource".to_owned(), target));
        }
        match target.split(":::").nth(1) {
            Some(bucket) if !around.is_versioned(bucket) => {
                Err(RestoreTrouble::NotVersioned(bucket.to_owned()))
            }
            _ => Ok(()),
        }
    }

    /// Returns the ARN of the result.
    fn target(&self, job: &EngineRestoreJob) -> String {
        let terms = Terms::of(&job.metadata);
        let named = |key: &str| terms.get(key).unwrap_or_default().to_owned();
        let (hex, partition) = (hex_of(&format!("restore job {}", job.id)), &self.partition);
        let (account, region) = (&job.place.0, &job.place.1);
        let of = |service: &str, resource: String| {
            format!("arn:{partition}:{service}:{region}:{account}:{resource}")
        };
        let makes = TypeFacts::restore_of(&job.kind, &job.source).map(|it| it.makes);
        match makes.unwrap_or(Makes::Numbered("backup", "restored:")) {
            Makes::Numbered(service, begins) => of(service, format!("{begins}{hex}")),
            // Names of databases are stored in lower case.
            Makes::Named("rds", begins, key) => {
                of("rds", format!("{begins}{}", named(key).to_ascii_lowercase()))
            }
            Makes::Named(service, begins, key) => of(service, format!("{begins}{}", named(key))),
            Makes::Both(service, begins, key) => {
                of(service, format!("{begins}{}/{}", named(key), uuid_of(&job.name())))
            }
            Makes::FileSystem => {
                let made = format!("fs-{hex}");
                let id = if terms.fills(&job.kind) { named("file-system-id") } else { made };
                of("elasticfilesystem", format!("file-system/{id}"))
            }
            Makes::FsxSystem if job.source.contains(":volume/") => {
                let system = parts::usual(account, region, "fs");
                of("fsx", format!("volume/{system}/fsvol-{hex}"))
            }
            Makes::FsxSystem => of("fsx", format!("file-system/fs-{hex}")),
            Makes::GatewayVolume => match terms.get("gatewayarn") {
                Some(gateway) => format!("{gateway}/volume/vol-{hex}"),
                None => of("ec2", format!("volume/vol-{hex}")),
            },
            Makes::Bucket => format!("arn:{partition}:s3:::{}", named("destinationbucketname")),
            Makes::DatabaseTable => {
                let (database, table) = (named("destinationdatabase"), named("tablename"));
                of("timestream", format!("database/{database}/table/{table}"))
            }
            Makes::Namespace => {
                of("redshift-serverless", format!("namespace/{}", named("namespaceidentifier")))
            }
            Makes::Machine if terms.is_for_vmware() => of("backup-gateway", format!("vm/vm-{hex}")),
            Makes::Machine => of("ec2", format!("instance/i-{hex}")),
        }
    }

    /// Makes the result of a job and returns its ARN.
    fn make(&mut self, job: &EngineRestoreJob, point: &EnginePoint) -> String {
        let (arn, terms) = (self.target(job), Terms::of(&job.metadata));
        if job.kind == "S3" {
            let bucket = arn.rsplit(':').next().unwrap_or_default().to_owned();
            let paths = terms.get("itemstorestore").map(parts::list).unwrap_or_default();
            self.filled.push((bucket, paths));
        }
        if terms.fills(&job.kind) {
            return arn;
        }
        let has_tags = job.copies_tags || TypeFacts::of(&job.kind).has(Feature::AlwaysTagged);
        let kind = match job.kind.as_str() {
            "Storage Gateway" if arn.contains(":volume/") && arn.contains(":ec2:") => "EBS",
            "VirtualMachine" if arn.contains(":instance/") => "EC2",
            other => other,
        };
        let asked = terms.get("volumesize").and_then(|it| it.parse().ok());
        self.put_resource(BackedUp {
            arn: arn.clone(),
            kind: kind.to_owned(),
            account: job.place.0.clone(),
            region: job.place.1.clone(),
            tags: if has_tags { point.tags.clone() } else { BTreeMap::new() },
            gigabytes: asked.unwrap_or(point.bytes >> 30),
        });
        arn
    }
}

/// Checks that the key of the recovery point and the one in the metadata can be used.
fn check_keys(
    job: &EngineRestoreJob,
    point: &EnginePoint,
    terms: &Terms,
    around: &dyn Surroundings,
) -> Result<(), RestoreTrouble> {
    let named = ["kmskeyid", "kmskey", "kmsmasterkeyarn"].into_iter();
    let named = named.filter_map(|it| terms.get(it)).filter(|it| it.starts_with("arn:"));
    for key in point.key.as_deref().into_iter().chain(named) {
        let is_usable = around.key(key) != EngineKey::Disabled;
        if !is_usable || !around.may_use(key, &job.place.0) {
            return Err(RestoreTrouble::Key(key.to_owned()));
        }
    }
    Ok(())
}

/// Checks the metadata as the services do that AWS Backup passes it on to.
fn check_terms(
    job: &EngineRestoreJob,
    point: &EnginePoint,
    terms: &Terms,
) -> Result<(), RestoreTrouble> {
    let size = terms.get("volumesize").and_then(|it| it.parse::<u64>().ok());
    if size.is_some_and(|it| it < point.bytes >> 30) {
        return Err(RestoreTrouble::TooSmall);
    }
    let has_network = terms.get("subnetid").or(terms.get("securitygroupids")).is_some();
    if job.kind == "EC2" && has_network && terms.get("networkinterfaces").is_some() {
        return Err(RestoreTrouble::TwoNetworks);
    }
    if terms.get("dbsnapshotidentifier").is_some() {
        return Err(RestoreTrouble::SnapshotNamed);
    }
    Ok(())
}
