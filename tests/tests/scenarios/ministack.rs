//! ministack, for what the simulator has not.

use std::io::Write as _;
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use simulator::ReservedPort;

use crate::member_accounts::MANAGEMENT;

/// A ministack of our own, gone when dropped.
pub(crate) struct Ministack {
    process: Child,
    port: u16,
    folder: tempfile::TempDir,
}

pub(crate) fn venv(program: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../.venv/bin").join(program)
}

impl Ministack {
    pub(crate) async fn start() -> Self {
        Self::with(&[]).await
    }

    /// One that enforces IAM, and whose functions find the organization at `organization`.
    pub(crate) async fn enforcing(organization: &str) -> Self {
        let services = ["ORGANIZATIONS", "BACKUP", "STS", "CLOUDFORMATION", "IAM", "KMS", "SNS"];
        let services = services.map(|it| format!("AWS_ENDPOINT_URL_{it}"));
        let endpoints = services.iter().map(|it| (it.as_str(), organization));
        Self::with(&endpoints.chain([("AUTH", "true")]).collect::<Vec<_>>()).await
    }

    async fn with(environment: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // Kept until ministack listens.
        let reserved = ReservedPort::new().unwrap();
        let port = reserved.port();
        let mut command = Command::new(venv("ministack"));
        command
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("HOME", folder.path())
            .env("TMPDIR", folder.path())
            .env("GATEWAY_PORT", port.to_string())
            .env("BIND_HOST", "127.0.0.1")
            .env("MINISTACK_HOST", "127.0.0.1")
            .env("MINISTACK_ACCOUNT_ID", MANAGEMENT)
            .env("MINISTACK_REGION", "us-east-1")
            .env("LAMBDA_EXECUTOR", "local")
            .env("IOT_MTLS_ENABLED", "0")
            .env("SFTP_ENABLED", "0")
            // What the state machine waits for is not what is tested.
            .env("SFN_WAIT_SCALE", "0")
            .env("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{port}"))
            .env("AWS_ACCESS_KEY_ID", MANAGEMENT)
            .env("AWS_SECRET_ACCESS_KEY", "none")
            .envs(environment.iter().copied())
            .current_dir(folder.path());
        let command = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        assert!(venv("ministack").is_file(), "run `make venv` first");
        let mut it = Self { process: command.spawn().unwrap(), port, folder };
        let mut tick = tokio::time::interval(Duration::from_millis(50));
        for _ in 0..1_200 {
            tick.tick().await;
            if TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok() {
                return it;
            }
            assert_eq!(it.process.try_wait().unwrap(), None, "ministack does not start");
        }
        panic!("ministack does not start in {}", it.folder.path().display());
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

impl Drop for Ministack {
    fn drop(&mut self) {
        // It ends its functions when it is asked to.
        let id = self.process.id().to_string();
        let _ended_already = Command::new("kill").arg(id).status();
        let _reaped_already = self.process.wait();
    }
}

/// Runs a script of this project, which reads a request and answers, both in JSON.
pub(crate) async fn python(script: &str, told: &Value) -> Value {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut python = Command::new(venv("python"));
    python.arg(root.join(script)).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut python = python.stderr(Stdio::piped()).spawn().unwrap();
    python.stdin.take().unwrap().write_all(told.to_string().as_bytes()).unwrap();
    // What the script calls may be on this thread's runtime.
    let output = tokio::task::spawn_blocking(move || python.wait_with_output()).await;
    let output = output.unwrap().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}
