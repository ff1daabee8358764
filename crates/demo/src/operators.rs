//! The chapter about the command of operators.

use std::path::PathBuf;
use std::process::Stdio;

use simulator::Trail;
use tokio::process::Command;

use crate::demo::{ACCOUNTS, Demo, POLICIES};
use crate::failure::{DemoError, ensure};
use crate::ministack::REGION;

/// A new daily schedule that an operator tries.
const LATER: &str = "cron(0 4 ? * * *)";

/// The maximum width of a line that is shown.
const WIDTH: usize = 120;

impl Demo<'_> {
    pub(crate) async fn operators(&mut self) -> Result<(), DemoError> {
        self.screen.chapter(9, "For operators: ask what there is, and what would be");
        self.doctor().await?;
        self.report().await?;
        self.the_forgotten_account().await?;
        self.plan().await
    }

    async fn doctor(&self) -> Result<(), DemoError> {
        let said = self.org_backup(&["doctor"], &[], 1).await?;
        let problems: Vec<_> = said.lines().filter(|it| it.starts_with("problem")).collect();
        self.show(&problems);
        let is_trail = problems.len() == 1 && problems.iter().all(|it| it.contains("CloudTrail"));
        ensure(is_trail, || format!("the one problem is that there is no trail:\n{said}"))?;
        self.simulated.add_trail(Trail::new("organization", REGION));
        let said = self.org_backup(&["doctor"], &[], 0).await?;
        let fine = said.lines().filter(|it| it.starts_with("ok")).count();
        self.screen.so(&format!("with a trail, {fine} checks are ok and there is no problem"));
        Ok(())
    }

    async fn report(&self) -> Result<(), DemoError> {
        let said = self.org_backup(&["report", "--missing"], &[], 1).await?;
        let sum: Vec<_> = said.lines().filter(|it| it.contains(" protected")).collect();
        self.show(&sum);
        let forgotten = self.forgotten();
        let organization = self.simulated.organization();
        // AWS's denials also name the caller.
        let caller = &organization.management_account;
        let named = organization.accounts().map(|it| &it.id);
        let named = named.filter(|it| *it != caller && said.contains(*it));
        ensure(named.eq([&forgotten]), || {
            format!("{forgotten} is all that something is missing in:\n{said}")
        })?;
        self.screen.so(&format!("it names account {forgotten}, which was left out, and no other"));

        let page = self.page();
        let path = page.display().to_string();
        self.org_backup(&["report", "--html"], &[&path], 1).await?;
        let html = std::fs::read_to_string(&page)
            .map_err(|source| DemoError::Unreadable { path: path.clone(), source })?;
        ensure(organization.accounts().all(|it| html.contains(&it.id)), || {
            "every account is on the page".to_owned()
        })?;
        let size = html.len() / 1_000;
        self.screen.so(&format!(
            "all {ACCOUNTS} accounts are on one page of {size} kB, which DEMO_KEEP=1 keeps: {path}"
        ));
        Ok(())
    }

    async fn plan(&self) -> Result<(), DemoError> {
        let said = self.org_backup(&["plan"], &[], 0).await?;
        ensure(said.ends_with("\nnothing to do\n"), || format!("nothing is to do:\n{said}"))?;
        self.screen.so("now every account has what was asked for, and there is nothing to do");

        let before = self.simulated.organization();
        let template = self.places.templates.join("backup-policies.yaml");
        let template = template.display().to_string();
        let command = ["plan", "--template", &template, "--stack", POLICIES, "--parameters"];
        // The other parameters keep the values of the deployed stack.
        let schedule = format!("DailySchedule={LATER}");
        let said = self.org_backup(&command, &[&schedule], 1).await?;
        self.show(&said.lines().collect::<Vec<_>>());
        let effect = format!("→ {LATER}");
        let reached = format!("effective policies change in {ACCOUNTS} accounts");
        ensure(said.contains(&effect) && said.contains(&reached), || {
            format!("every account would get {LATER}:\n{said}")
        })?;
        let after = self.simulated.organization();
        ensure(before.revision() == after.revision(), || "nothing has changed".to_owned())?;
        self.screen.so("it says what would change for whom, and has changed nothing");
        Ok(())
    }

    /// Returns the path of the report's page, which exists as long as the demo runs.
    pub(crate) fn page(&self) -> PathBuf {
        self.ministack.folder().join("report.html")
    }

    /// Runs `org-backup` as [`Self::run`] does. Returns its output if it wrote nothing.
    pub(crate) async fn org_backup(
        &self,
        command: &[&str],
        more: &[&str],
        code: i32,
    ) -> Result<String, DemoError> {
        let known = self.simulated.journal().len();
        let said = self.run(command, more, code).await?;
        let calls = self.simulated.journal().split_off(known);
        let writes: Vec<_> = calls.iter().filter(|it| it.is_successful_write()).collect();
        let shown = command.join(" ");
        ensure(writes.is_empty(), || format!("`{shown}` writes nothing: {writes:?}"))?;
        ensure(!calls.is_empty(), || format!("`{shown}` looks at the organization"))?;
        Ok(said)
    }

    /// Runs `org-backup` in the management account with the arguments `command`, and with `more`,
    /// which are too long to show in full. Returns its output if it ends with this exit code.
    pub(crate) async fn run(
        &self,
        command: &[&str],
        more: &[&str],
        code: i32,
    ) -> Result<String, DemoError> {
        let dots = if more.is_empty() { "" } else { " …" };
        let shown = format!("org-backup {}{dots}", command.join(" "));
        self.screen.line(&format!("\n   $ {shown}"));
        self.screen.wait_for(&shown);
        let program = &self.places.command;
        // Only ministack knows the stacks, and only the simulator knows whether StackSets has
        // organizations access.
        let cloudformation = if command.contains(&"--stack") {
            self.ministack.endpoint()
        } else {
            self.simulated.endpoint()
        };
        let ran = Command::new(program)
            .args(command)
            .args(more)
            // The command inherits nothing from the environment: no profile and no credentials.
            .env_clear()
            .envs(self.environment())
            .envs(
                ["DYNAMODB", "EC2", "EFS", "IAM", "KMS", "RDS"]
                    .map(|it| (format!("AWS_ENDPOINT_URL_{it}"), self.simulated.endpoint())),
            )
            .env("AWS_ENDPOINT_URL_CLOUDFORMATION", cloudformation)
            .env("AWS_CONFIG_FILE", "/dev/null")
            .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("STATE_BUCKET", &self.state_bucket)
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await;
        self.screen.rest();
        let path = || program.display().to_string();
        let ran = ran.map_err(|source| DemoError::NotRun { path: path(), source })?;
        let said = String::from_utf8_lossy(&ran.stdout).into_owned();
        ensure(ran.status.code() == Some(code), || {
            let notes = String::from_utf8_lossy(&ran.stderr);
            format!("`{shown}` ends with exit code {code}, but {}:\n{said}{notes}", ran.status)
        })?;
        Ok(said)
    }

    /// Shows these lines, and cuts off those that are too long.
    pub(crate) fn show(&self, lines: &[&str]) {
        for line in lines {
            let mut shown: String = line.chars().take(WIDTH).collect();
            if shown.len() < line.len() {
                shown.push('…');
            }
            self.screen.line(&self.screen.dim(&format!("   {shown}")));
        }
    }
}
