//! A writer into the state bucket that cannot encrypt with its key decides nothing. Each
//! test is an attack.

use serde_json::{Value, json};
use simulator::{BACKUP_POLICY, Outcome, Settings};
use tests::organization::{Organization, document};
use tests::reattach::{Reattach, TOPIC};
use tests::role::{STATE_BUCKET, STATE_KEY};
use tests::stack::Stack;

const BACKUP: &str = "backup.amazonaws.com";
const STACK_SETS: &str = "member.org.stacksets.cloudformation.amazonaws.com";
const OTHER_KEY: &str = "arn:aws:kms:us-east-1:111122223333:key/5f0e77aa-theirs";
/// Where the entry of the policy is.
const DAILY: &str = "desired/backup-policy/backups/5d3c/Daily.json";

/// An organization with a state bucket that has its key, in which the policy `daily` is deployed.
pub(crate) async fn deployed() -> Organization {
    let organization = Organization::bare(Settings::default()).await;
    organization.buckets(|it| it.create_encrypted(STATE_BUCKET, STATE_KEY));
    organization.topics(|it| it.create(TOPIC));
    let mut types = organization.stack("policy-types").named("Types").kept();
    let _ = types.create(json!({ "PolicyTypes": [BACKUP_POLICY] })).await.ok();
    let _ = daily(&organization).create(properties(5)).await.ok();
    organization
}

fn daily(organization: &Organization) -> Stack<'_> {
    organization.stack("backup-policy").named("Daily").kept()
}

fn properties(hour: u8) -> Value {
    json!({ "Name": "daily", "Content": document(hour), "TargetIds": ["root"] })
}

fn detach(organization: &Organization) {
    let (policy, root) = (organization.policy_id("daily"), organization.id("root"));
    organization.organization(|it| it.detach_policy(&policy, &root).unwrap());
}

fn is_attached(organization: &Organization) -> bool {
    organization.state().contains("attached to root")
}

fn kept(organization: &Organization) -> Value {
    serde_json::from_str(&organization.object(STATE_BUCKET, DAILY).unwrap()).unwrap()
}

/// Puts an object into the bucket that is encrypted with this key, or with none.
fn plant(organization: &Organization, key: &str, text: &str, encrypted: Option<&str>) {
    organization.buckets(|it| it.put_under(STATE_BUCKET, key, text, encrypted));
}

/// What the last sweep told.
async fn swept(organization: &Organization, reattach: &Reattach<'_>) -> (Outcome, String) {
    let before = organization.notifications().len();
    let outcome = reattach.sweep().await;
    let told = organization.notifications().split_off(before);
    (outcome, told.into_iter().map(|(subject, text)| format!("{subject}\n{text}")).collect())
}

fn is_unfinished(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Failed(_))
}

#[tokio::test]
async fn what_is_not_encrypted_with_the_state_key_is_told_and_the_rest_is_put_back() {
    let unsealed = "it is not encrypted with the state key";
    // Another key they may not even use.
    for (encrypted, why) in [(None, unsealed), (Some(OTHER_KEY), "kms:Decrypt")] {
        let organization = deployed().await;
        let mut settings = organization.stack("global-settings").named("Settings").kept();
        let _ = settings.create(json!({ "CrossAccountBackup": true })).await.ok();
        let before = organization.state();
        let mut forged = kept(&organization);
        forged["Properties"]["TargetIds"] = json!([organization.id("Sandbox")]);
        plant(&organization, DAILY, &forged.to_string(), encrypted);
        let off = [("isCrossAccountBackupEnabled".to_owned(), "false".to_owned())].into();
        organization.backup(|it| it.update_global_settings(&off).unwrap());
        let reattach = Reattach::start(&organization, "Repair").await;
        let (outcome, told) = swept(&organization, &reattach).await;
        assert!(is_unfinished(&outcome), "{outcome:?}");
        assert!(told.contains("1 could not be put back, 1 put back"), "{told}");
        assert!(told.contains(why), "{told}");
        assert_eq!(organization.state(), before);
    }
}

#[tokio::test]
async fn a_deployment_does_not_go_by_what_others_wrote_and_a_deletion_writes_over_it() {
    let organization = deployed().await;
    let mut stack = daily(&organization);
    stack.resume(Some(organization.policy_id("daily")), properties(5));
    plant(&organization, DAILY, &kept(&organization).to_string(), None);
    let reason = stack.update(properties(7)).await.reason();
    assert!(reason.contains("it is not encrypted with the state key"), "{reason}");
    let _ = stack.delete().await.ok();
    assert!(kept(&organization)["DeletedSince"].is_u64());
    let written = organization.buckets(|it| it.get(STATE_BUCKET, DAILY, None).unwrap().clone());
    assert_eq!(written.key.as_deref(), Some(STATE_KEY));
}

#[tokio::test]
async fn functions_write_with_the_state_key_whatever_the_bucket_does_by_itself() {
    let organization = deployed().await;
    let mut stack = daily(&organization);
    stack.resume(Some(organization.policy_id("daily")), properties(5));
    // Its own key stays that of what was written before.
    organization.buckets(|it| it.create_encrypted(STATE_BUCKET, OTHER_KEY));
    let _ = stack.update(properties(7)).await.ok();
    let written = organization.buckets(|it| it.get(STATE_BUCKET, DAILY, None).unwrap().clone());
    assert_eq!(written.key.as_deref(), Some(STATE_KEY));
}

#[tokio::test]
async fn an_entry_that_belongs_elsewhere_is_told_and_not_acted_on() {
    let places = [
        ("desired/backup-policy/backups/5d3c/Weekly.json", "another logical ID"),
        ("desired/backup-policy/others/5d3c/Daily.json", "another stack"),
        ("desired/global-settings/backups/5d3c/Daily.json", "another function"),
    ];
    for (place, what) in places {
        let organization = deployed().await;
        let entry = kept(&organization);
        plant(&organization, place, &entry.to_string(), Some(STATE_KEY));
        detach(&organization);
        let reattach = Reattach::start(&organization, "Repair").await;
        let (outcome, told) = swept(&organization, &reattach).await;
        assert!(is_unfinished(&outcome), "{what}: {outcome:?}");
        assert!(told.contains("1 could not be put back, 1 put back"), "{what}: {told}");
        assert!(told.contains("belongs to another key"), "{what}: {told}");
        assert!(is_attached(&organization), "{what}");
    }
}

#[tokio::test]
async fn an_older_version_of_an_entry_that_is_brought_back_is_not_acted_on() {
    let organization = deployed().await;
    let older = kept(&organization).to_string();
    let mut stack = daily(&organization);
    stack.resume(Some(organization.policy_id("daily")), properties(5));
    let _ = stack.update(properties(7)).await.ok();
    let reattach = Reattach::start(&organization, "Repair").await;
    let (outcome, _) = swept(&organization, &reattach).await;
    assert!(matches!(outcome, Outcome::Returned(_)), "{}", reattach.logs());
    // It was encrypted as it should be: somebody deleted the version that came after it.
    plant(&organization, DAILY, &older, Some(STATE_KEY));
    let (outcome, told) = swept(&organization, &reattach).await;
    assert!(is_unfinished(&outcome), "{outcome:?}");
    assert!(told.contains("an older version of it is back"), "{told}");
    assert!(organization.state().contains("cron(0 7"), "{}", organization.state());
}

#[tokio::test]
async fn an_account_that_no_template_declares_is_not_registered_whatever_the_state_says() {
    let organization = deployed().await;
    let (declared, theirs) = (organization.id("security-000"), organization.id("production-001"));
    let mut stack = organization.stack("service-access").named("Access").kept();
    let administrator =
        |account: &str, principal| json!({ "AccountId": account, "ServicePrincipal": principal });
    let access = |administrators: Value| {
        json!({
            "ServicePrincipals": [BACKUP], "StackSets": true, "DelegatedAdministrators": administrators,
        })
    };
    let _ = stack.create(access(json!([administrator(&declared, BACKUP)]))).await.ok();
    let before = organization.state();
    // Even where somebody can encrypt with the state key.
    let mut forged = stack.kept_state().unwrap();
    forged["Properties"]["DelegatedAdministrators"] =
        json!([administrator(&declared, BACKUP), administrator(&theirs, STACK_SETS)]);
    organization.keep(&forged);
    organization.set_stack_sets(false);
    let reattach = Reattach::start(&organization, "Repair").await;
    let (outcome, told) = swept(&organization, &reattach).await;
    assert!(is_unfinished(&outcome), "{outcome:?}");
    assert!(told.contains("declares no such administrator"), "{told}");
    organization.set_stack_sets(true);
    assert_eq!(organization.state(), before);
}

#[tokio::test]
async fn a_policy_without_our_tag_is_not_taken_by_a_repair() {
    let organization = deployed().await;
    let theirs = organization.foreign_policy("theirs", &["Workloads"]);
    let before = organization.state();
    let mut forged = kept(&organization);
    forged["LogicalId"] = json!("Evil");
    forged["PhysicalId"] = json!(theirs);
    forged["Properties"]["Name"] = json!("theirs");
    organization.keep(&forged);
    let reattach = Reattach::start(&organization, "Repair").await;
    let (outcome, told) = swept(&organization, &reattach).await;
    assert!(is_unfinished(&outcome), "{outcome:?}");
    assert!(told.contains("has no ownership tag"), "{told}");
    assert_eq!(organization.state(), before);
}

#[tokio::test]
async fn a_policy_of_ours_that_lost_its_tag_is_told_and_not_taken_back() {
    let organization = deployed().await;
    let policy = organization.policy_id("daily");
    detach(&organization);
    let tag = ["org-backup:owner".to_owned()];
    organization.organization(|it| it.untag(&policy, &tag).unwrap());
    let reattach = Reattach::start(&organization, "Repair").await;
    let (_, told) = swept(&organization, &reattach).await;
    assert!(told.contains("give it the tag `org-backup:owner` with the value"), "{told}");
    assert!(!is_attached(&organization));
}

#[tokio::test]
async fn an_entry_that_was_never_seen_is_told_as_new_and_not_as_put_back() {
    let organization = deployed().await;
    let reattach = Reattach::start(&organization, "Repair").await;
    let (outcome, _) = swept(&organization, &reattach).await;
    assert!(matches!(outcome, Outcome::Returned(_)), "{}", reattach.logs());
    let mut settings = organization.stack("global-settings").named("Settings").kept();
    let _ = settings.create(json!({ "CrossAccountBackup": true })).await.ok();
    let off = [("isCrossAccountBackupEnabled".to_owned(), "false".to_owned())].into();
    organization.backup(|it| it.update_global_settings(&off).unwrap());
    detach(&organization);
    let (_, told) = swept(&organization, &reattach).await;
    assert!(told.starts_with("org-backup: 1 new and set up, 1 put back\n"), "{told}");
}

#[tokio::test]
async fn an_entry_whose_resource_does_not_exist_is_told_and_not_made() {
    let organization = deployed().await;
    let before = organization.state();
    let mut forged = kept(&organization);
    forged["LogicalId"] = json!("Evil");
    forged["PhysicalId"] = json!("p-neverthere");
    forged["Properties"]["Name"] = json!("evil");
    let key = DAILY.replace("Daily", "Evil");
    plant(&organization, &key, &forged.to_string(), Some(STATE_KEY));
    let reattach = Reattach::start(&organization, "Repair").await;
    let (_, told) = swept(&organization, &reattach).await;
    assert!(told.contains("1 left alone"), "{told}");
    assert_eq!(organization.state(), before);
}

#[tokio::test]
async fn one_entry_or_object_that_is_huge_stops_nothing() {
    let organization = deployed().await;
    let huge = " ".repeat((1 << 20) + 1);
    let longer = " ".repeat((32 << 20) + 1);
    let key = |name: &str| DAILY.replace("Daily", name);
    plant(&organization, &key("A"), &huge, Some(STATE_KEY));
    plant(&organization, &key("B"), &longer, Some(STATE_KEY));
    plant(&organization, "runs/5d3c/report.jsonl", &longer, Some(STATE_KEY));
    plant(&organization, "health/backup-policy.json", &longer, Some(STATE_KEY));
    plant(&organization, "health/last-sweep.json", &longer, Some(STATE_KEY));
    detach(&organization);
    let reattach = Reattach::start(&organization, "Repair").await;
    let (outcome, told) = swept(&organization, &reattach).await;
    assert!(is_unfinished(&outcome), "{outcome:?}");
    assert!(told.contains("it is longer than a mebibyte"), "{told}");
    assert!(told.contains("AWS answered 200 with more than 32 MiB"), "{told}");
    assert!(is_attached(&organization));
    let page = organization.object(STATE_BUCKET, "reports/organization.html").unwrap();
    assert!(page.contains("AWS answered 200 with more than 32 MiB"));
}

#[tokio::test]
async fn a_record_of_the_last_sweep_that_says_nothing_is_told_and_not_taken_for_none() {
    let organization = deployed().await;
    let sweep = "health/last-sweep.json";
    plant(&organization, sweep, "yesterday", Some(STATE_KEY));
    detach(&organization);
    let reattach = Reattach::start(&organization, "Repair").await;
    let (outcome, told) = swept(&organization, &reattach).await;
    assert!(is_unfinished(&outcome), "{outcome:?}");
    assert!(told.contains("it is not the record of a sweep"), "{told}");
    assert!(is_attached(&organization));
    // Once it says something again, sweeps are whole.
    plant(&organization, sweep, r#"{"Time":1}"#, Some(STATE_KEY));
    let (outcome, _) = swept(&organization, &reattach).await;
    assert!(matches!(outcome, Outcome::Returned(_)), "{}", reattach.logs());
    assert_ne!(organization.object(STATE_BUCKET, sweep).unwrap(), r#"{"Time":1}"#);
}

#[tokio::test]
async fn more_entries_than_anybody_has_do_not_stop_those_that_there_were() {
    let organization = deployed().await;
    let reattach = Reattach::start(&organization, "Repair").await;
    let (outcome, _) = swept(&organization, &reattach).await;
    assert!(matches!(outcome, Outcome::Returned(_)), "{}", reattach.logs());
    organization.buckets(|it| {
        for number in 0..2_100 {
            let key = format!("desired/backup-policy/a/{number}/Evil.json");
            it.put_under(STATE_BUCKET, &key, "{}", None);
        }
    });
    detach(&organization);
    let (outcome, told) = swept(&organization, &reattach).await;
    assert!(is_unfinished(&outcome), "{outcome:?}");
    assert!(told.contains("2100 could not be put back, 1 put back"), "{told}");
    assert!(is_attached(&organization));
}
