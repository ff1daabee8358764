//! The local CloudFormation, Lambda, S3 and IAM.

use std::fs::File;
use std::io::Read;
use std::net::Ipv4Addr;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use simulator::ReservedPort;
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::time::interval;

use crate::failure::DemoError;

/// The Region of everything in the demo.
pub(crate) const REGION: &str = "us-east-1";

/// A running ministack. Dropping it ends every process it started and removes every file.
#[derive(Debug)]
pub(crate) struct Ministack {
    process: Child,
    port: u16,
    files: TempDir,
}

impl Ministack {
    /// Starts ministack. Its functions reach the organization at the endpoint `organization`.
    ///
    /// `account` is the management account, in which everything runs.
    pub(crate) async fn start(
        python: &Path,
        account: &str,
        organization: &str,
    ) -> Result<Self, DemoError> {
        let start = |source| DemoError::Start { what: "ministack", source };
        let files = TempDir::with_prefix("org-backup-demo-").map_err(start)?;
        let log = File::create(files.path().join("log")).map_err(start)?;
        let errors = log.try_clone().map_err(start)?;
        // This is kept until ministack listens.
        let reserved = ReservedPort::new().map_err(start)?;
        let port = reserved.port();
        let endpoint = format!("http://127.0.0.1:{port}");
        let process = Command::new(python)
            .args(["-m", "ministack"])
            // The functions inherit nothing from the environment: no profile and no credentials.
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("TMPDIR", files.path())
            .env("GATEWAY_PORT", port.to_string())
            .env("BIND_HOST", "127.0.0.1")
            .env("MINISTACK_HOST", "127.0.0.1")
            .env("MINISTACK_ACCOUNT_ID", account)
            .env("MINISTACK_REGION", REGION)
            .env("LAMBDA_EXECUTOR", "local")
            .env("IOT_MTLS_ENABLED", "0")
            .env("SFTP_ENABLED", "0")
            .env("AWS_ACCESS_KEY_ID", account)
            .env("AWS_SECRET_ACCESS_KEY", "none")
            .env("AWS_ENDPOINT_URL", &endpoint)
            // CloudFormation waits on this machine. Released functions only accept that with this
            // variable.
            .env("ORG_BACKUP_LOOPBACK", "true")
            // The functions inherit these. CloudFormation is included for
            // `ActivateOrganizationsAccess`.
            .env("AWS_ENDPOINT_URL_ORGANIZATIONS", organization)
            .env("AWS_ENDPOINT_URL_BACKUP", organization)
            .env("AWS_ENDPOINT_URL_STS", organization)
            .env("AWS_ENDPOINT_URL_CLOUDFORMATION", organization)
            // Resources in member accounts are read there, and notifications are kept there.
            .env("AWS_ENDPOINT_URL_IAM", organization)
            .env("AWS_ENDPOINT_URL_KMS", organization)
            .env("AWS_ENDPOINT_URL_SNS", organization)
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(errors)
            // Ctrl-C goes to the demo, which then ends the group.
            .process_group(0)
            .spawn()
            .map_err(start)?;
        let mut it = Self { process, port, files };
        it.ready().await?;
        Ok(it)
    }

    /// Returns the endpoint for clients.
    pub(crate) fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Returns the folder of its files. Other files in the folder are removed with them.
    pub(crate) fn folder(&self) -> &Path {
        self.files.path()
    }

    async fn ready(&mut self) -> Result<(), DemoError> {
        let mut tick = interval(Duration::from_millis(20));
        for _ in 0..1_500 {
            tick.tick().await;
            if TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).await.is_ok() {
                return Ok(());
            }
            if !matches!(self.process.try_wait(), Ok(None)) {
                break;
            }
        }
        Err(DemoError::NotReady(self.last_words()))
    }

    /// Returns the end of its log.
    pub(crate) fn last_words(&self) -> String {
        let mut log = String::new();
        let read = File::open(self.files.path().join("log"));
        let _ = read.and_then(|mut it| it.read_to_string(&mut log));
        let lines = log.lines().rev().take(15).collect::<Vec<_>>();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }
}

impl Drop for Ministack {
    fn drop(&mut self) {
        // The functions are in its process group. All state is in memory, so nothing is lost.
        let group = i32::try_from(self.process.id()).ok().and_then(Pid::from_raw);
        if let Some(group) = group {
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = self.process.wait();
    }
}
