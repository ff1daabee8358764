//! The shipped templates, deployed where somebody else's IAM decides what their functions may do.
//!
//! ministack holds every call of a function against the policies of its role and of the bucket. It
//! decides about S3, SQS, KMS, Step Functions and Lambda; what goes to Organizations, AWS Backup,
//! STS and into member accounts goes to the simulator, which decides about it in `permissions`.

use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::{Map, Value, json};
use simulator::StackResource;
use tests::binaries::binary;
use tests::organization::Organization;
use tests::reattach::told;

use crate::member_accounts::{MANAGEMENT, REGIONS, ROLE, with_roles, written};
use crate::ministack::{Ministack, python};

const FUNCTIONS: [&str; 6] = [
    "backup-policy",
    "global-settings",
    "member-accounts",
    "policy-types",
    "reattach",
    "service-access",
];

fn template(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../templates");
    fs::read_to_string(folder.join(name)).unwrap()
}

/// A template with something in place of something that is there.
fn replaced(template: &str, from: &str, to: &str) -> String {
    assert!(template.contains(from), "{from}");
    template.replace(from, to)
}

/// A template whose bucket or queue does not ask for encrypted connections, which there are not here, nor
/// for roles by their ARN: ministack has that of the session in its place.
fn unencrypted(name: &str) -> String {
    let text = replaced(&template(name), "aws:SecureTransport: \"false\"", "aws:Never: \"true\"");
    let roles = "ArnNotLike:\n                aws:PrincipalArn:";
    text.replace(roles, "ArnLike:\n                aws:Never:")
}

struct Account<'a> {
    organization: &'a Organization,
    ministack: Ministack,
}

impl<'a> Account<'a> {
    async fn of(organization: &'a Organization) -> Self {
        let ministack = Ministack::enforcing(&organization.url()).await;
        let it = Self { organization, ministack };
        let artifacts = FUNCTIONS.map(|it| (format!("{it}.zip"), json!(binary(it))));
        it.ask(json!({
            "artifacts": Map::from_iter(artifacts),
            "files": { "member-accounts.asl.json": template("member-accounts.asl.json") },
        }))
        .await;
        it
    }

    async fn ask(&self, mut what: Value) -> Value {
        what["account"] = json!(MANAGEMENT);
        what["region"] = json!("us-east-1");
        what["ministack"] = json!(self.ministack.url());
        python("tests/ministack/stacks.py", &what).await
    }

    /// Creates a stack, and returns its status and why something in it failed.
    async fn deploy(&self, name: &str, template: &str, parameters: Value) -> (String, String) {
        let stack = json!({ "name": name, "template": template, "parameters": parameters });
        let came = self.ask(json!({ "deploy": [stack] })).await;
        let why = came[name]["why"].as_array().unwrap().iter().map(ToString::to_string);
        (came[name]["status"].as_str().unwrap().to_owned(), why.collect::<Vec<_>>().join("\n"))
    }

    async fn deployed(&self, name: &str, template: &str, parameters: Value) {
        let (status, why) = self.deploy(name, template, parameters).await;
        assert_eq!(status, "CREATE_COMPLETE", "{name}: {why}");
    }

    /// Waits until something is so in the organization.
    async fn until(&self, what: &str, is_so: impl Fn(&Organization) -> bool) {
        let mut tick = tokio::time::interval(Duration::from_millis(50));
        for _ in 0..1_200 {
            if is_so(self.organization) {
                return;
            }
            tick.tick().await;
        }
        panic!("not so: {what}");
    }
}

fn code() -> Value {
    json!({ "ArtifactBucket": "artifacts", "ArtifactPrefix": "" })
}

fn with_code(more: Value) -> Value {
    let mut parameters = code();
    parameters.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    parameters
}

fn daily() -> Value {
    let vault = "arn:aws:backup:us-west-2:222233334444:backup-vault:central";
    json!({ "CentralVaultArn": vault, "Regions": "us-east-1" })
}

fn is_attached(organization: &Organization, name: &str) -> bool {
    let root = organization.id("root");
    organization.organization(|it| {
        let policy = it.policy_named(name).map(|it| it.id.clone());
        policy.is_some_and(|policy| it.attached(&root).contains(&policy))
    })
}

/// Has the simulator tell of the resource of a policy, which another one made than answers for
/// CloudFormation here.
fn tell_of(organization: &Organization, name: &str) {
    let id = organization.policy_id(name);
    let owner = organization.organization(|it| {
        let mut tags = it.tags(&id).into_iter();
        tags.find(|(key, _)| *key == "org-backup:owner").map(|(_, it)| it).unwrap()
    });
    let (stack, logical_id) = owner.rsplit_once('/').unwrap();
    let stack = format!("arn:aws:cloudformation:us-east-1:{MANAGEMENT}:stack/{stack}");
    let resource = StackResource {
        kind: "Custom::BackupPolicy".to_owned(),
        physical_id: id,
        status: "CREATE_COMPLETE".to_owned(),
    };
    organization.stacks(|it| it.tell(&stack, logical_id, resource));
}

#[tokio::test]
async fn every_stack_is_made_looked_after_and_deleted_with_the_permissions_of_its_templates() {
    let organization = with_roles(6).await;
    let account = Account::of(&organization).await;
    account.deployed("org-backup", &unencrypted("bootstrap.yaml"), code()).await;
    account.deployed("policies", &template("backup-policies.yaml"), daily()).await;
    // A state machine carries the run, which a few accounts would not need.
    let state = "          STATE_MACHINE_ARN:";
    let batches = format!("          BATCHES_ABOVE: \"0\"\n{state}");
    let members = replaced(&template("members.yaml"), state, &batches);
    let parameters = json!({
        "BootstrapStackName": "org-backup", "Regions": REGIONS.join(","), "MemberRoleName": ROLE,
    });
    account.deployed("members", &members, with_code(parameters)).await;
    assert_eq!(written(&organization).len(), 6 * REGIONS.len());
    let parameters = json!({
        "BootstrapStackName": "org-backup", "MembersStackName": "members",
        "BatchingWindowSeconds": "0",
    });
    account.deployed("reattach", &unencrypted("reattach.yaml"), with_code(parameters)).await;

    let (policy, root) = (organization.policy_id("org-backup-daily"), organization.id("root"));
    organization.organization(|it| it.detach_policy(&policy, &root).unwrap());
    assert!(!is_attached(&organization, "org-backup-daily"));
    let mut event = told("DetachPolicy", &json!({ "policyId": policy, "targetId": root }));
    // Nobody but AWS may send what comes from AWS.
    event["source"] = json!("org-backup.replay");
    event["detail"]["eventSource"] = json!("organizations.amazonaws.com");
    tell_of(&organization, "org-backup-daily");
    account.ask(json!({ "tell": [event] })).await;
    let attached = |it: &Organization| is_attached(it, "org-backup-daily");
    account.until("the policy is attached again", attached).await;

    let stacks = ["reattach", "members", "policies", "org-backup"];
    let came = account.ask(json!({ "delete": stacks })).await;
    for name in stacks {
        assert_eq!(came[name]["status"], "DELETE_COMPLETE", "{name}: {came}");
    }
    assert!(is_attached(&organization, "org-backup-daily"), "it is retained");
}

#[tokio::test]
async fn without_the_statement_for_it_the_state_cannot_be_written_and_the_stack_fails() {
    let organization = with_roles(2).await;
    let account = Account::of(&organization).await;
    let all = "Action: [s3:GetObject, s3:PutObject]";
    let less = replaced(&unencrypted("bootstrap.yaml"), all, "Action: s3:GetObject");
    let (status, why) = account.deploy("org-backup", &less, code()).await;
    assert_eq!(status, "ROLLBACK_COMPLETE");
    assert!(why.contains("AccessDenied") && why.contains("s3:PutObject"), "{why}");
    assert_eq!(organization.organization(|it| it.trusted_services().len()), 0);
}
