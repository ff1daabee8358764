//! The chapter about a lost account.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use simulator::{BackedUp, JobProgress};

use crate::demo::{CENTRAL_REGION, Demo};
use crate::failure::{DemoError, ensure};

/// The resources of the account, with their types and ARNs.
const THINGS: [(&str, &str); 3] = [
    ("DynamoDB", "dynamodb:us-east-1:ACCOUNT:table/invoices"),
    ("EBS", "ec2:us-east-1:ACCOUNT:volume/vol-0b1c2d3e4f5a60718"),
    ("EFS", "elasticfilesystem:us-east-1:ACCOUNT:file-system/fs-0d1c2b3a4f5e60718"),
];

const NIGHT: Duration = Duration::from_hours(24);

impl Demo<'_> {
    pub(crate) async fn recovery(&self) -> Result<(), DemoError> {
        self.screen.chapter(11, "Lose everything in an account, and get it back in another");
        let (lost, new) = self.two_accounts()?;
        for (kind, arn) in THINGS {
            self.simulated.put_resource(BackedUp {
                arn: format!("arn:aws:{}", arn.replace("ACCOUNT", &lost)),
                kind: kind.to_owned(),
                account: lost.clone(),
                region: "us-east-1".to_owned(),
                tags: BTreeMap::from([("backup".to_owned(), "daily".to_owned())]),
                gigabytes: 8,
            });
        }
        self.simulated.let_go_by(NIGHT);
        self.simulated.add_recovery(&self.simulated.administrator()?, &new, CENTRAL_REGION);
        self.screen.line(&format!(
            "   account {new} has a vault in {CENTRAL_REGION} that lets copies in, and the roles for\n   \
             recovery, as templates/member-account.yaml makes them with CentralAccountId"
        ));
        let gone = self.simulated.lose_everything(&lost);
        let left =
            self.simulated.recovery_points().iter().filter(|it| it.vault.contains(&lost)).count();
        ensure(gone.len() >= THINGS.len() && left == 0, || {
            format!("{lost} has lost {gone:?}, and {left} recovery points are left there")
        })?;
        self.screen.line(&self.screen.dim(&format!(
            "   all {} resources of account {lost} are deleted, and its vaults with them",
            gone.len()
        )));
        // A volume is restored in a zone.
        let zone = format!("EBS.availabilityZone={CENTRAL_REGION}a");
        let command = ["recover", "--account", &lost, "--into", &new, "--set", &zone];
        let said = self.org_backup(&command, &[], 0).await?;
        self.show(&said.lines().take(1).collect::<Vec<_>>());
        let begun = self.simulated.restore_jobs().len();
        ensure(begun == 0, || "nothing is begun before it is confirmed".to_owned())?;
        self.screen.so("org-backup recover shows a plan, and has begun nothing");
        // Nobody waits here for the hours that copies and restores take.
        self.simulated.pace_jobs(Duration::ZERO);
        let command = [&command[..], &["--yes"]].concat();
        let said = self.run(&command, &[], 0).await?;
        let sum = |it: &&str| it.starts_with("restored: ");
        self.show(&said.lines().filter(sum).collect::<Vec<_>>());
        let all = format!("restored: {0} of {0}", gone.len());
        ensure(said.contains(&all), || format!("everything is restored:\n{said}"))?;
        self.came_back(&gone, &new)?;
        self.screen.so(&format!(
            "what account {lost} had is in account {new}, from the copies in the central vault"
        ));
        let jobs = self.simulated.restore_jobs().len();
        self.run(&command, &[], 0).await?;
        let again = self.simulated.restore_jobs().len();
        ensure(again == jobs, || format!("{again} restores are begun, not {jobs}"))?;
        self.screen.so("the same command again begins nothing, since it joins the jobs it began");
        Ok(())
    }

    /// Returns the account to lose and the one to restore it in.
    fn two_accounts(&self) -> Result<(String, String), DemoError> {
        let resources = self.simulated.resources();
        let used: BTreeSet<_> = resources.iter().map(|it| it.account.clone()).collect();
        let lost = used.first().cloned();
        let new = self.active().into_iter().rev().find(|it| !used.contains(it));
        lost.zip(new).ok_or_else(|| DemoError::NotSo("there are two accounts".to_owned()))
    }

    /// Returns an error unless each resource has one in `new` that was restored from its copy.
    fn came_back(&self, gone: &[String], new: &str) -> Result<(), DemoError> {
        let jobs = self.simulated.restore_jobs();
        let done = jobs.iter().filter(|it| it.progress == JobProgress::Completed);
        let back: BTreeSet<_> = done.map(|it| it.source.as_str()).collect();
        let there = self.simulated.resources();
        let there = there.iter().filter(|it| it.account == new).count();
        let gone: BTreeSet<_> = gone.iter().map(String::as_str).collect();
        ensure(back == gone && there == gone.len(), || {
            format!("{gone:?} came back, not {back:?}; {there} resources are in {new}")
        })
    }
}
