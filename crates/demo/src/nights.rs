//! The chapter about backups over several nights.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use simulator::{AccountState, BackedUp, JobProgress, Trouble};

use crate::demo::{ACCOUNTS, Demo};
use crate::failure::{DemoError, ensure};
use crate::organization::USUAL_ROLE;
use crate::rollout::REGIONS;

const NIGHT: Duration = Duration::from_hours(24);

/// The start of backups, counted from midnight, and the longest time that they and their copies
/// take.
const RUN: Duration = Duration::from_mins(90);
const WORK: Duration = Duration::from_hours(2);

/// The tag and value by which the daily policy selects resources.
const TAG: (&str, &str) = ("backup", "daily");

/// A misspelt value of the tag.
const MISSPELT: &str = "dialy";

/// The vault in every account and Region.
const VAULT: &str = "org-backup";

/// The resources to back up: the type, the end of the ARN and its beginning, the index of the
/// Region, and the size in gigabytes.
const THINGS: [(&str, &str, usize, u64); 5] = [
    ("EBS", "ec2:REGION:ACCOUNT:volume/vol-0a1b2c3d4e5f60718", 0, 20),
    ("DynamoDB", "dynamodb:REGION:ACCOUNT:table/orders", 1, 4),
    ("S3", "s3:::reports-ACCOUNT", 2, 9),
    ("EFS", "elasticfilesystem:REGION:ACCOUNT:file-system/fs-0c9d8e7f6a5b4c3d2", 1, 30),
    ("EBS", "ec2:REGION:ACCOUNT:volume/vol-0f9e8d7c6b5a49382", 0, 50),
];

/// The index of the resource with the misspelt tag, and of the one that loses its vault.
const UNTAGGED: usize = 4;
const UNLUCKY: usize = 3;

/// The results of one night.
struct Night {
    jobs: Vec<(String, JobProgress, Option<Trouble>)>,
    copies: usize,
}

impl Demo<'_> {
    pub(crate) async fn nights(&self) -> Result<(), DemoError> {
        self.screen.chapter(10, "Let nights go by, and look at what is backed up");
        // The third night ends now, for people who look at that time.
        self.simulated.let_go_by_until(without_work(SystemTime::now()) - 3 * NIGHT);
        self.simulated.add_view();
        let things = self.things();
        for it in &things {
            self.simulated.put_resource(it.clone());
        }
        let accounts: BTreeSet<_> = things.iter().map(|it| &it.account).collect();
        self.screen.line(&format!(
            "   {} resources in {} of {ACCOUNTS} accounts; one has the tag {}={MISSPELT}",
            things.len(),
            accounts.len(),
            TAG.0,
        ));
        let missed = things.get(UNTAGGED).map(|it| it.arn.clone()).unwrap_or_default();
        let unlucky = things.get(UNLUCKY).cloned();
        let unlucky = unlucky.ok_or_else(|| DemoError::NotSo("one is unlucky".to_owned()))?;
        for number in 1..=2 {
            let night = self.night(number);
            self.all_but(&night, &[&missed], &things)?;
        }
        let vault = self.simulated.take_vault(&unlucky.account, &unlucky.region, VAULT);
        let vault =
            vault.ok_or_else(|| DemoError::NotSo("there is a vault to delete".to_owned()))?;
        self.screen.line(&self.screen.dim(&format!(
            "           the vault {VAULT} of account {} in {} is deleted by hand",
            unlucky.account, unlucky.region
        )));
        let night = self.night(3);
        self.all_but(&night, &[&missed, &unlucky.arn], &things)?;
        let failed = night.jobs.iter().find(|it| it.0 == unlucky.arn);
        let why = failed.and_then(|it| it.2);
        ensure(why == Some(Trouble::NoVault), || format!("no vault, no backup: {why:?}"))?;
        self.screen.so(&format!("without its vault, no backup of {} is made", short(&unlucky.arn)));
        let never = night.jobs.iter().all(|it| it.0 != missed);
        ensure(never && !self.has_point(&missed), || format!("nothing takes {missed}"))?;
        self.screen.so(&format!(
            "nothing takes {}, whose tag is misspelt, and nothing fails",
            short(&missed)
        ));
        let said = self.org_backup(&["coverage", "--member-role", USUAL_ROLE], &[], 1).await?;
        self.show(&said.lines().filter(|it| !it.is_empty()).collect::<Vec<_>>());
        let names = [MISSPELT, VAULT, missed.as_str(), unlucky.arn.as_str()];
        ensure(names.iter().all(|it| said.contains(it)), || {
            format!("both are reported, with the reason:\n{said}")
        })?;
        self.screen.so("org-backup coverage names both, each with its reason");
        let command = ["report", "--missing", "--member-role", USUAL_ROLE];
        let said = self.table(&command, 1).await?.found;
        ensure(said.contains(&unlucky.account) && said.contains("incomplete"), || {
            format!("the account without its vault is incomplete:\n{said}")
        })?;
        self.screen.so("org-backup report names the vault, and knows nothing of the tag");
        let sweeps = self.start_sweeps().await?;
        let (before, since) = self.sweep(&sweeps, "before-night-4.html", 1).await?;
        self.mend(&things, vault, &unlucky);
        let night = self.night(4);
        self.all_but(&night, &[], &things)?;
        let said = self.org_backup(&["coverage", "--member-role", USUAL_ROLE], &[], 0).await?;
        self.show(&said.lines().collect::<Vec<_>>());
        let all = format!("{} fresh", things.len());
        ensure(said.contains(&all), || format!("all are fresh:\n{said}"))?;
        self.screen.so(&format!(
            "with the vault and the tag put right, all {} are backed up and copied to account {}",
            things.len(),
            self.simulated.administrator()?,
        ));
        let (after, _) = self.sweep(&sweeps, "after-night-4.html", 0).await?;
        self.evidence(&before, &after, [&missed, &unlucky.arn])?;
        self.changed_since(since).await
    }

    /// Shows the pages of the sweeps before and after the fourth night. The first one names what was
    /// not backed up, and the second one does not.
    fn evidence(&self, before: &Path, after: &Path, mended: [&String; 2]) -> Result<(), DemoError> {
        let read = |path: &Path| {
            let unreadable =
                |source| DemoError::Unreadable { path: path.display().to_string(), source };
            fs::read_to_string(path).map_err(unreadable)
        };
        let [first, second] = [read(before)?, read(after)?];
        let is_mended = mended.iter().all(|it| first.contains(*it) && !second.contains(*it));
        ensure(is_mended, || "only the first page names what was not backed up".to_owned())?;
        self.screen
            .so("the page before the fourth night names both, and the one after it neither:");
        self.screen.whole(&format!("      {}", before.display()));
        self.screen.whole(&format!("      {}", after.display()));
        Ok(())
    }

    /// Returns the resources to back up, one of them with a misspelt tag.
    fn things(&self) -> Vec<BackedUp> {
        let organization = self.simulated.organization();
        let unit = organization.unit_named("Production").map(|it| it.id.clone());
        let accounts: Vec<_> = organization
            .accounts_in(&unit.unwrap_or_default())
            .filter(|it| it.state == AccountState::Active)
            .map(|it| it.id.clone())
            .collect();
        let places = THINGS.iter().enumerate().zip(accounts.iter().cycle());
        places
            .map(|((index, (kind, arn, region, gigabytes)), account)| {
                let region = REGIONS.get(*region).copied().unwrap_or_default();
                let value = if index == UNTAGGED { MISSPELT } else { TAG.1 };
                BackedUp {
                    arn: format!("arn:aws:{}", place(arn, region, account)),
                    kind: (*kind).to_owned(),
                    account: account.clone(),
                    region: region.to_owned(),
                    tags: BTreeMap::from([(TAG.0.to_owned(), value.to_owned())]),
                    gigabytes: *gigabytes,
                }
            })
            .collect()
    }

    /// Lets a night go by, and shows the results.
    fn night(&self, number: u32) -> Night {
        let since = self.simulated.clock();
        self.simulated.let_go_by(NIGHT);
        let jobs = self.simulated.backup_jobs().into_iter().filter(|it| it.created >= since);
        let jobs: Vec<_> = jobs.map(|it| (it.resource, it.progress, it.trouble)).collect();
        let copies = self.simulated.copy_jobs().into_iter().filter(|it| it.created >= since);
        let copies = copies.filter(|it| it.progress == JobProgress::Completed).count();
        let done = |it: &&(String, JobProgress, Option<Trouble>)| it.1 == JobProgress::Completed;
        let completed = jobs.iter().filter(done).count();
        let failed = match jobs.iter().find_map(|it| it.2) {
            Some(trouble) => format!(", {} failed: {}", jobs.len() - completed, trouble.message()),
            None => String::new(),
        };
        let points = self.simulated.recovery_points().len();
        self.screen.line(&format!(
            "   night {number}  {completed} backups and {copies} copies; {points} recovery points{failed}"
        ));
        Night { jobs, copies }
    }

    /// Returns an error unless everything except `but` was backed up in the night and copied.
    fn all_but(&self, night: &Night, but: &[&str], things: &[BackedUp]) -> Result<(), DemoError> {
        let done = night.jobs.iter().filter(|it| it.1 == JobProgress::Completed);
        let done: BTreeSet<_> = done.map(|it| it.0.as_str()).collect();
        let expected = things.iter().map(|it| it.arn.as_str()).filter(|it| !but.contains(it));
        let expected: BTreeSet<_> = expected.collect();
        ensure(done == expected, || format!("{expected:?} are backed up, not {done:?}"))?;
        let copies = self.simulated.copy_jobs();
        let last = copies.last().and_then(|it| it.trouble);
        ensure(night.copies == expected.len(), || {
            format!("{} are copied, not {}: {last:?}", expected.len(), night.copies)
        })
    }

    fn has_point(&self, arn: &str) -> bool {
        self.simulated.recovery_points().iter().any(|it| it.resource == arn)
    }

    /// Restores the vault and corrects the tag.
    fn mend(&self, things: &[BackedUp], vault: simulator::Vault, unlucky: &BackedUp) {
        self.simulated.add_vault(&unlucky.account, &unlucky.region, vault);
        if let Some(mut it) = things.get(UNTAGGED).cloned() {
            it.tags.insert(TAG.0.to_owned(), TAG.1.to_owned());
            self.simulated.put_resource(it);
        }
    }
}

/// Returns `now`, or a later time if backups may be running at `now`.
fn without_work(now: SystemTime) -> SystemTime {
    let since = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs() % NIGHT.as_secs();
    // The demo itself takes a few seconds.
    let begins = RUN.as_secs() - 60;
    let is_work = (begins..RUN.as_secs() + WORK.as_secs()).contains(&since);
    if is_work { now + WORK } else { now }
}

/// Returns an ARN with the Region and account of the resource.
fn place(arn: &str, region: &str, account: &str) -> String {
    arn.replace("REGION", region).replace("ACCOUNT", account)
}

/// Returns the resource part of an ARN.
fn short(arn: &str) -> &str {
    arn.rsplit(':').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_night_ends_while_backups_are_at_work() {
        let midnight = UNIX_EPOCH + 20_000 * NIGHT;
        for minutes in 0..24 * 60 {
            let now = midnight + Duration::from_mins(minutes);
            let end = without_work(now);
            let since = end.duration_since(midnight).unwrap();
            let is_work = (RUN..RUN + Duration::from_hours(1)).contains(&since);
            assert!(!is_work && end >= now, "{minutes}: {since:?}");
        }
    }
}
