//! The daily sweep over every account. The function is that of `templates/coverage.yaml`; the demo is
//! its schedule and its state machine, because both are to follow the simulated nights.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use serde_json::{Value, json};
use simulator::{Function, Outcome};
use tokio::process::Command;

use crate::cloudformation::archive;
use crate::demo::Demo;
use crate::failure::{DemoError, ensure};
use crate::organization::{SWEEPS_BUCKET, USUAL_ROLE};

/// The longest time that an invocation takes.
const LONG: Duration = Duration::from_mins(2);

/// The function, ready for sweeps.
pub(crate) struct Sweeps(Function);

impl Demo<'_> {
    /// Starts the function as Lambda does, from its archive.
    pub(crate) async fn start_sweeps(&self) -> Result<Sweeps, DemoError> {
        let folder = self.ministack.folder().join("coverage");
        let archive = archive(&self.places.package, "coverage")?;
        let mut unpack = Command::new(&self.places.python);
        unpack.args(["-m", "zipfile", "--extract"]).arg(archive).arg(&folder);
        let program = folder.join("bootstrap");
        let failed = |source| DemoError::NotRun { path: program.display().to_string(), source };
        unpack.status().await.map_err(failed)?;
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).map_err(failed)?;
        Ok(Sweeps(self.simulated.start_sweeps(&program).await?))
    }

    /// Looks into every account, writes the page of what was found, and returns its path with the
    /// time of the sweep. The page has something to say if `code` is 1.
    pub(crate) async fn sweep(
        &self,
        sweeps: &Sweeps,
        name: &str,
        code: i32,
    ) -> Result<(PathBuf, SystemTime), DemoError> {
        let taken = self.simulated.clock();
        self.screen.wait_for("a sweep over every account");
        sweeps.returned(&json!({ "source": "org-backup.schedule" })).await?;
        let input = self.simulated.last_execution();
        let key = input.get("Batches").and_then(Value::as_str).unwrap_or_default();
        let batches = self.simulated.object(key);
        let batches: Vec<Value> = serde_json::from_str(&batches).unwrap_or_default();
        ensure(!batches.is_empty(), || format!("the run {input} has batches"))?;
        for mut batch in batches {
            while batch.get("Again") != Some(&Value::Bool(false)) {
                batch = sweeps.returned(&batch).await?;
            }
        }
        sweeps.returned(&json!({ "Finish": input })).await?;
        self.screen.rest();
        let page = self.ministack.folder().join(name);
        let path = page.display().to_string();
        let more = [&path, "--member-role", USUAL_ROLE, "--state-bucket", SWEEPS_BUCKET];
        self.org_backup(&["report", "--html"], &more, code).await?;
        Ok((page, taken))
    }

    /// Says in one line what the last sweep found better and worse than that of this time.
    pub(crate) async fn changed_since(&self, before: SystemTime) -> Result<(), DemoError> {
        let day = DateTime::from(before).fmt(Format::DateTime).unwrap_or_default();
        let day = day.get(..10).unwrap_or_default();
        let command = ["report", "--since", day];
        let said = self.org_backup(&command, &["--state-bucket", SWEEPS_BUCKET], 0).await?;
        let states = |it: &str| it.split_once("UTC: ").map(|it| it.1.to_owned());
        let mut states = said.lines().filter_map(states);
        let (Some(before), Some(after)) = (states.next(), states.next()) else {
            return Err(DemoError::NotSo(format!("two sweeps are compared:\n{said}")));
        };
        let is_better = said.contains("\nBetter\n") && !said.contains("\nWorse\n");
        ensure(is_better, || format!("all that changed is better:\n{said}"))?;
        self.screen.so(&format!("between the two, nothing got worse: {before} → {after}"));
        Ok(())
    }
}

impl Sweeps {
    async fn returned(&self, event: &Value) -> Result<Value, DemoError> {
        match self.0.invoke(event, LONG).await {
            Outcome::Returned(value) => Ok(value),
            outcome @ (Outcome::Failed(_) | Outcome::Exited(_) | Outcome::TimedOut) => {
                let logs = self.0.logs();
                Err(DemoError::NotSo(format!("the sweep goes on: {outcome:?}\n{logs}")))
            }
        }
    }
}
