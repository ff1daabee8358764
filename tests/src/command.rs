//! The operator's command against the simulator.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up has failed")]

use std::process::{Command, Stdio};

use serde_json::Value;

use crate::binaries::binary;
use crate::organization::Organization;
use crate::role::STATE_BUCKET;

/// What a run of the command came to.
#[derive(Clone, Debug)]
pub struct Run {
    /// Its exit code.
    pub code: i32,
    /// What it found.
    pub text: String,
    /// What it told on the way.
    pub notes: String,
    /// Both as they were printed, with the IDs of policies.
    pub printed: [String; 2],
}

impl Run {
    /// What it found, as `--json` has it.
    ///
    /// # Panics
    ///
    /// When it is not JSON.
    #[must_use]
    #[track_caller]
    pub fn json(&self) -> Value {
        let found = serde_json::from_str(&self.text);
        found.unwrap_or_else(|it| panic!("{it}\n{}\n{}", self.text, self.notes))
    }
}

/// Runs `org-backup` in the management account with a state bucket.
pub async fn org_backup(organization: &Organization, arguments: &[&str]) -> Run {
    let management = organization.organization(|it| it.management_account.clone());
    org_backup_as(organization, &management, arguments).await
}

/// The same with this access key, or in the account of this ID.
///
/// # Panics
///
/// When the command does not run.
pub async fn org_backup_as(organization: &Organization, key: &str, arguments: &[&str]) -> Run {
    let mut command = Command::new(binary("org-backup"));
    command
        .args(arguments)
        .env("AWS_ENDPOINT_URL", organization.url())
        .env("AWS_ACCESS_KEY_ID", key)
        .env("AWS_SECRET_ACCESS_KEY", "secret")
        .env("AWS_REGION", organization.region())
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("STATE_BUCKET", STATE_BUCKET)
        .stdin(Stdio::null());
    // The simulator answers on this thread.
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    organization.learn_policies();
    let printed = [output.stdout, output.stderr].map(|it| String::from_utf8(it).unwrap());
    let [text, notes] = printed.each_ref().map(|it| organization.named(it));
    Run { code: output.status.code().unwrap(), text, notes, printed }
}
