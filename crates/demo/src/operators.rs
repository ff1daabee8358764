//! The chapter about the command of operators.

use std::path::PathBuf;
use std::process::Stdio;

use simulator::Trail;
use tokio::process::Command;

use crate::demo::{ACCOUNTS, Demo, POLICIES};
use crate::failure::{DemoError, ensure};
use crate::ministack::REGION;
use crate::organization::USUAL_ROLE;

/// A new daily schedule that an operator tries.
const LATER: &str = "cron(0 4 ? * * *)";

/// The columns of the terminal at which tables are printed, which leave room for an indentation.
const COLUMNS: &str = "97";

/// A terminal of so many columns that runs a program and prints its output.
const TERMINAL: &str = r#"
import fcntl, os, pty, struct, subprocess, sys, termios
ours, theirs = pty.openpty()
fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, int(sys.argv[1]), 0, 0))
child = subprocess.Popen(sys.argv[2:], stdin=theirs, stdout=theirs)
os.close(theirs)
while True:
    try:
        shown = os.read(ours, 65536)
    except OSError:
        break
    if not shown:
        break
    os.write(1, shown)
sys.exit(child.wait())
"#;

/// The standard output of a run of `org-backup`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Printed {
    /// A pipe.
    Piped,
    /// A terminal, for which tables are laid out.
    AtTerminal,
}

/// The output of a run of `org-backup`.
#[derive(Debug)]
pub(crate) struct Said {
    /// The findings, on standard output.
    pub found: String,
    /// The notes, on standard error.
    pub notes: String,
}

impl Demo<'_> {
    pub(crate) async fn operators(&mut self) -> Result<(), DemoError> {
        self.screen
            .chapter(9, "As an operator: read what there is, and what a deployment would change");
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
        ensure(is_trail, || format!("the only problem is the missing trail:\n{said}"))?;
        self.simulated.add_trail(Trail::new("organization", REGION));
        let said = self.org_backup(&["doctor"], &[], 0).await?;
        let fine = said.lines().filter(|it| it.starts_with("ok")).count();
        self.screen.so(&format!("with a trail, {fine} checks are ok and there is no problem"));
        Ok(())
    }

    async fn report(&self) -> Result<(), DemoError> {
        let forgotten = self.forgotten();
        self.screen.line(
            "\n   The operator has docs/read-only-policy.json. The roles in the accounts let only the \
             function in, so the report has what its last run found:",
        );
        let said = self.read(&["report", "--missing"], &[], 2, Printed::AtTerminal).await?;
        // The table would have a line for every account.
        let causes = said.found.lines().take_while(|it| !it.starts_with(" Account"));
        for line in causes {
            self.screen.whole(self.screen.dim(&format!("   {line}")).trim_end());
        }
        let barred = said.notes.lines().find(|it| it.contains("could not be entered"));
        let barred = barred.ok_or_else(|| {
            DemoError::NotSo(format!("the operator enters no account:\n{}", said.notes))
        })?;
        self.show(&[barred]);
        ensure(said.found.contains(&format!("  {forgotten} ")), || {
            format!("the last run named {forgotten}:\n{}", said.found)
        })?;
        self.screen.so(&format!(
            "the last run of the function named account {forgotten}, which was left out; the operator \
             may look into no account, so the others are not known"
        ));

        self.screen.line(
            "\n   With a role that the operator may assume, the report says what is there now:",
        );
        let live = ["report", "--missing", "--member-role", USUAL_ROLE];
        let said = self.table(&live, 1).await?;
        self.only_missing_in(&forgotten, &said.found)?;
        ensure(!said.notes.contains("could not be entered"), || {
            format!("the operator enters every account:\n{}", said.notes)
        })?;
        self.screen.so(&format!("it names account {forgotten} and no other"));

        let organization = self.simulated.organization();
        let page = self.page();
        let path = page.display().to_string();
        let command = ["report", "--member-role", USUAL_ROLE, "--html"];
        self.org_backup(&command, &[&path], 1).await?;
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

    /// Returns an error unless the report names this account as incomplete, and no other.
    fn only_missing_in(&self, account: &String, said: &str) -> Result<(), DemoError> {
        let organization = self.simulated.organization();
        // AWS's denials also name the caller.
        let caller = &organization.management_account;
        let named = organization.accounts().map(|it| &it.id);
        let named = named.filter(|it| *it != caller && said.contains(*it));
        ensure(named.eq([account]), || {
            format!("{account} is the only account in which something is missing:\n{said}")
        })
    }

    async fn plan(&self) -> Result<(), DemoError> {
        let command = ["plan", "--member-role", USUAL_ROLE];
        let said = self.org_backup(&command, &[], 0).await?;
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

    /// Runs `org-backup` as [`Self::run`] does. Returns its findings if it wrote nothing.
    pub(crate) async fn org_backup(
        &self,
        command: &[&str],
        more: &[&str],
        code: i32,
    ) -> Result<String, DemoError> {
        Ok(self.read(command, more, code, Printed::Piped).await?.found)
    }

    /// Runs `org-backup` at a terminal, and shows all that it finds.
    pub(crate) async fn table(&self, command: &[&str], code: i32) -> Result<Said, DemoError> {
        let said = self.read(command, &[], code, Printed::AtTerminal).await?;
        for line in said.found.lines() {
            self.screen.whole(self.screen.dim(&format!("   {line}")).trim_end());
        }
        Ok(said)
    }

    async fn read(
        &self,
        command: &[&str],
        more: &[&str],
        code: i32,
        printed: Printed,
    ) -> Result<Said, DemoError> {
        let known = self.simulated.journal().len();
        let said = self.ran(command, more, code, printed).await?;
        let calls = self.simulated.journal().split_off(known);
        let writes: Vec<_> = calls.iter().filter(|it| it.is_successful_write()).collect();
        let shown = command.join(" ");
        ensure(writes.is_empty(), || format!("`{shown}` writes nothing: {writes:?}"))?;
        ensure(!calls.is_empty(), || format!("`{shown}` looks at the organization"))?;
        Ok(said)
    }

    /// Runs `org-backup` as the operator with the arguments `command`, and with `more`, which are
    /// too long to show in full. Returns its findings if it ends with this exit code.
    pub(crate) async fn run(
        &self,
        command: &[&str],
        more: &[&str],
        code: i32,
    ) -> Result<String, DemoError> {
        Ok(self.ran(command, more, code, Printed::Piped).await?.found)
    }

    async fn ran(
        &self,
        arguments: &[&str],
        more: &[&str],
        code: i32,
        printed: Printed,
    ) -> Result<Said, DemoError> {
        let dots = if more.is_empty() { "" } else { " …" };
        let shown = format!("org-backup {}{dots}", arguments.join(" "));
        self.screen.line(&format!("\n   $ {shown}"));
        self.screen.wait_for(&shown);
        let program = &self.places.command;
        let mut command = match printed {
            Printed::Piped => Command::new(program),
            Printed::AtTerminal => {
                let mut terminal = Command::new(&self.places.python);
                terminal.args(["-c", TERMINAL, COLUMNS]).arg(program);
                terminal
            }
        };
        command
            .args(arguments)
            .args(more)
            // The command inherits nothing from the environment: no profile and no credentials.
            .env_clear()
            .envs(self.environment())
            .env("NO_COLOR", "1")
            .stdin(Stdio::null())
            .kill_on_drop(true);
        // Only ministack knows the stacks, and only the simulator knows whether StackSets has
        // organizations access.
        if arguments.contains(&"--stack") {
            command.env("AWS_ENDPOINT_URL_CLOUDFORMATION", self.ministack.endpoint());
        }
        // Sweeps are in the bucket of the simulator.
        if more.contains(&"--state-bucket") {
            command.env("AWS_ENDPOINT_URL_S3", self.simulated.endpoint());
        }
        let ran = command.output().await;
        self.screen.rest();
        let path = || program.display().to_string();
        let ran = ran.map_err(|source| DemoError::NotRun { path: path(), source })?;
        let [found, notes] =
            [ran.stdout, ran.stderr].map(|it| String::from_utf8_lossy(&it).into_owned());
        ensure(ran.status.code() == Some(code), || {
            format!("`{shown}` ends with exit code {code}, but {}:\n{found}{notes}", ran.status)
        })?;
        Ok(Said { found, notes })
    }

    /// Shows these lines.
    pub(crate) fn show(&self, lines: &[&str]) {
        for line in lines {
            self.screen.line(&self.screen.dim(&format!("   {line}")));
        }
    }
}
