//! The state machine of member accounts, executed by a stand-in for Step Functions and Lambda with
//! the real function: the file that is deployed, its placeholders filled in.

use std::io::Write as _;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tests::binaries::binary;
use tests::organization::Organization;

use crate::member_accounts::{MANAGEMENT, ROLE, not_on, properties, with_roles, written};

/// A ministack of our own, gone when dropped.
struct Ministack {
    process: Child,
    port: u16,
    folder: tempfile::TempDir,
}

fn venv(program: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../.venv/bin").join(program)
}

impl Ministack {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
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
            .current_dir(folder.path());
        let command = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        assert!(venv("ministack").is_file(), "run `make venv` first");
        let it = Self { process: command.spawn().unwrap(), port, folder };
        let mut tick = tokio::time::interval(Duration::from_millis(50));
        for _ in 0..1_200 {
            tick.tick().await;
            if TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok() {
                return it;
            }
        }
        panic!("ministack does not start in {}", it.folder.path().display());
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

/// Has the function begin a run and the state machine end it.
async fn execute(organization: &Organization, event: &Value) -> Value {
    let ministack = Ministack::start().await;
    let services = ["ORGANIZATIONS", "BACKUP", "STS", "IAM", "KMS"];
    let endpoints =
        services.map(|it| (format!("AWS_ENDPOINT_URL_{it}"), json!(organization.url())));
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let told = json!({
        "account": MANAGEMENT,
        "region": "us-east-1",
        "ministack": format!("http://127.0.0.1:{}", ministack.port),
        "binary": binary("member-accounts"),
        "definition": root.join("templates/member-accounts.asl.json"),
        "endpoints": serde_json::Map::from_iter(endpoints),
        "event": event,
    });
    let mut python = Command::new(venv("python"));
    python.arg(root.join("tests/machine/run.py")).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut python = python.stderr(Stdio::piped()).spawn().unwrap();
    python.stdin.take().unwrap().write_all(told.to_string().as_bytes()).unwrap();
    // The organization answers on this thread's runtime meanwhile.
    let output = tokio::task::spawn_blocking(move || python.wait_with_output()).await;
    let output = output.unwrap().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn answer(organization: &Organization, event: &Value) -> Value {
    let answers = organization.responses(event["ResponseURL"].as_str().unwrap());
    let [answer] = &answers[..] else { panic!("{} answers", answers.len()) };
    answer.json()
}

#[tokio::test]
async fn the_state_machine_that_is_deployed_carries_a_run_through_and_answers() {
    // Two batches, and one account whose role never comes.
    let organization = with_roles(130).await;
    let gone = organization.id("production-002");
    organization.iam(|it| it.delete_role(&gone, ROLE));
    let event = organization.stack("member-accounts").event("Create", &properties(json!({})));
    let came = execute(&organization, &event).await;
    assert_eq!(came["answered"], Value::Null);
    let [execution] = &came["executions"].as_array().unwrap()[..] else { panic!("{came}") };
    assert_eq!(execution["status"], "SUCCEEDED", "{execution}");
    let answer = answer(&organization, &event);
    assert_eq!(answer["Status"], "SUCCESS", "{answer}");
    let data = &answer["Data"];
    assert_eq!((&data["AccountsReady"], &data["AccountsNotReady"]), (&json!("128"), &json!("1")));
    assert_eq!(not_on(&organization, &["EBS", "S3"]).len(), 2);
    assert!(written(&organization).values().all(|it| *it == 1));
    // The account without a role was tried five times and no other more than once.
    let tries = organization.journal().into_iter().filter(|it| it.operation == "AssumeRole");
    assert_eq!(tries.count(), 127 + 5);
    let objects = came["objects"].as_object().unwrap();
    assert!(!objects.keys().any(|it| it.starts_with("answers/")), "{:?}", objects.keys());
    let input = execution["input"].as_str().unwrap();
    assert!(!input.contains("http"), "{input}");
}

#[tokio::test]
async fn a_map_that_fails_still_comes_to_an_answer() {
    let organization = with_roles(130).await;
    let mut event = organization.stack("member-accounts").event("Create", &properties(json!({})));
    let role = organization.management_role(MANAGEMENT);
    event["ResourceProperties"]["ManagementRoleArn"] = json!(role);
    // The beginning assumes the role, and no batch may.
    organization.fail(simulator::Fault::error("AssumeRole", "AccessDenied").nth(2).forever());
    let came = execute(&organization, &event).await;
    let [execution] = &came["executions"].as_array().unwrap()[..] else { panic!("{came}") };
    assert_eq!(
        (&execution["status"], &execution["error"]),
        (&json!("FAILED"), &json!("MapFailed"))
    );
    let answer = answer(&organization, &event);
    let expected = "129 of 129 accounts were not reached, because their batches failed \
                    (States.ExceedToleratedFailureThreshold)";
    assert!(answer["Reason"].as_str().unwrap().starts_with(expected), "{answer}");
}
