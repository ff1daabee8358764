//! The simulator held against AWS's own service models: every operation is called as its model
//! says and has to answer as its model says.

mod driver;
mod model;
mod xml;

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use simulator::{
    AccountState, Code, Constraint, ExecutionStatus, ExplorerView, FeatureSet, Hub, Invalid,
    KeyManager, KeyType, OPERATIONS, POLICY_TYPES, RestoreJob, Role, Service, Settings, Simulator,
    Stack, StackResource, Trail, Vault,
};

use self::driver::{Driver, SERVICES};
use self::model::Model;
use crate::support::{Client, nights};

const CONTENT: &str = r#"{"plans":{"daily":{}}}"#;

fn text(value: &Value) -> String {
    value.as_str().expect("text").to_owned()
}

#[tokio::test]
async fn every_operation_answers_as_its_model_says() {
    let mut driver = Driver::start().await;
    policies(&mut driver).await;
    services(&mut driver).await;
    tree(&mut driver).await;
    settings(&mut driver).await;
    let wanted: BTreeSet<_> = OPERATIONS
        .iter()
        .filter(|it| it.service != Service::Response)
        .map(|it| (it.service, it.name.to_owned()))
        .collect();
    assert_eq!(driver.called, wanted);
    let read = driver.simulator.members_read();
    for operation in OPERATIONS.iter().filter(|it| it.service != Service::Response) {
        let model = driver.model(operation.service);
        let shape = model.shape_of(operation.name, "input");
        let mut known = shape.map(|it| model.members(it)).unwrap_or_default();
        // Some members have names of their own in the query string.
        known.extend(shape.map(|it| model.parameters(it)).unwrap_or_default());
        let read = read.get(operation.name).cloned().unwrap_or_default();
        let strange: Vec<_> = read.difference(&known).collect();
        assert_eq!(strange, Vec::<&&str>::new(), "members that {} reads", operation.name);
    }
}

async fn policies(driver: &mut Driver) {
    let organization = driver.organizations("DescribeOrganization", json!({})).await;
    assert_eq!(organization["Organization"]["FeatureSet"], "ALL");
    let roots = driver.organizations("ListRoots", json!({ "MaxResults": 20 })).await;
    let root = &roots["Roots"][0]["Id"];
    let kind = json!({ "RootId": root, "PolicyType": "BACKUP_POLICY" });
    driver.organizations("EnablePolicyType", kind.clone()).await;
    let scp = json!({ "RootId": root, "PolicyType": "SERVICE_CONTROL_POLICY" });
    driver.organizations("EnablePolicyType", scp).await;
    driver.organizations("ListPolicies", json!({ "Filter": "SERVICE_CONTROL_POLICY" })).await;
    let tags = json!([{ "Key": "team", "Value": "storage" }]);
    let request = json!({
        "Name": "daily",
        "Description": "",
        "Type": "BACKUP_POLICY",
        "Content": CONTENT,
        "Tags": tags,
    });
    let created = driver.organizations("CreatePolicy", request).await;
    let policy = &created["Policy"]["PolicySummary"]["Id"];
    let request = json!({ "PolicyId": policy, "Name": "nightly" });
    driver.organizations("UpdatePolicy", request).await;
    let described = driver.organizations("DescribePolicy", json!({ "PolicyId": policy })).await;
    assert_eq!(described["Policy"]["Content"], CONTENT);
    driver.organizations("ListPolicies", json!({ "Filter": "BACKUP_POLICY" })).await;
    let attachment = json!({ "PolicyId": policy, "TargetId": root });
    driver.organizations("AttachPolicy", attachment.clone()).await;
    let request = json!({ "TargetId": root, "Filter": "BACKUP_POLICY" });
    driver.organizations("ListPoliciesForTarget", request).await;
    let targets = driver.organizations("ListTargetsForPolicy", json!({ "PolicyId": policy })).await;
    assert_eq!(&targets["Targets"][0]["TargetId"], root);
    driver.organizations("TagResource", json!({ "ResourceId": policy, "Tags": tags })).await;
    driver.organizations("ListTagsForResource", json!({ "ResourceId": policy })).await;
    let request = json!({ "ResourceId": policy, "TagKeys": ["team"] });
    driver.organizations("UntagResource", request).await;
    effective_policies(driver).await;
    driver.organizations("DetachPolicy", attachment).await;
    driver.organizations("DeletePolicy", json!({ "PolicyId": policy })).await;
    driver.organizations("DisablePolicyType", kind).await;
}

async fn effective_policies(driver: &mut Driver) {
    let half = json!({ "plans": { "half": { "regions": { "@@assign": ["eu-west-1"] } } } });
    let account = driver.simulator.organization(|it| {
        let account = it.management_account.clone();
        let id = it.create_policy("BACKUP_POLICY", "half", "", &half.to_string(), &[]).unwrap();
        it.attach_policy(&id, &account).unwrap();
        account
    });
    let request = json!({ "PolicyType": "BACKUP_POLICY", "TargetId": account });
    let described = driver.organizations("DescribeEffectivePolicy", request).await;
    assert_eq!(described["EffectivePolicy"]["PolicyContent"], "{}");
    let request = json!({ "PolicyType": "BACKUP_POLICY", "MaxResults": 20 });
    let listed = driver.organizations("ListAccountsWithInvalidEffectivePolicy", request).await;
    assert_eq!(listed["Accounts"][0]["Id"], account);
    let request = json!({ "PolicyType": "BACKUP_POLICY", "AccountId": account });
    let errors = driver.organizations("ListEffectivePolicyValidationErrors", request).await;
    assert_eq!(errors["EffectivePolicyValidationErrors"][0]["PathToError"], "plans/half");
    let valid = driver.simulator.organization(|it| it.accounts().last().unwrap().id.clone());
    let request = json!({ "PolicyType": "BACKUP_POLICY", "AccountId": valid });
    let errors = driver.organizations("ListEffectivePolicyValidationErrors", request).await;
    assert_eq!((errors.get("Path"), errors.get("EvaluationTimestamp")), (None, None));
}

async fn services(driver: &mut Driver) {
    let backup = json!({ "ServicePrincipal": "backup.amazonaws.com" });
    driver.organizations("EnableAWSServiceAccess", backup.clone()).await;
    driver.organizations("ListAWSServiceAccessForOrganization", json!({})).await;
    let account = driver.simulator.organization(|it| {
        it.accounts().find(|it| it.state == AccountState::Active && it.created).unwrap().id.clone()
    });
    let request = json!({ "AccountId": account, "ServicePrincipal": "backup.amazonaws.com" });
    driver.organizations("RegisterDelegatedAdministrator", request.clone()).await;
    driver.organizations("ListDelegatedAdministrators", backup.clone()).await;
    let of_account = json!({ "AccountId": account });
    driver.organizations("ListDelegatedServicesForAccount", of_account).await;
    driver.organizations("DeregisterDelegatedAdministrator", request).await;
    driver.organizations("DisableAWSServiceAccess", backup).await;
    let statement = json!([{ "Effect": "Allow", "Principal": { "AWS": account },
        "Action": "organizations:CreatePolicy", "Resource": "*" }]);
    let content = json!({ "Version": "2012-10-17", "Statement": statement }).to_string();
    driver.organizations("PutResourcePolicy", json!({ "Content": content })).await;
    driver.organizations("DescribeResourcePolicy", json!({})).await;
}

async fn tree(driver: &mut Driver) {
    let root = driver.simulator.organization(|it| it.root.clone());
    let accounts = driver.organizations("ListAccounts", json!({})).await;
    let account = &accounts["Accounts"][0]["Id"];
    driver.organizations("DescribeAccount", json!({ "AccountId": account })).await;
    driver.organizations("ListAccountsForParent", json!({ "ParentId": root })).await;
    driver.organizations("ListOrganizationalUnitsForParent", json!({ "ParentId": root })).await;
    for kind in ["ACCOUNT", "ORGANIZATIONAL_UNIT"] {
        let request = json!({ "ParentId": root, "ChildType": kind });
        driver.organizations("ListChildren", request).await;
    }
    let parents = driver.organizations("ListParents", json!({ "ChildId": account })).await;
    let unit = json!({ "ParentId": root, "Name": "Archive", "Tags": [] });
    let unit = driver.organizations("CreateOrganizationalUnit", unit).await;
    let unit = &unit["OrganizationalUnit"]["Id"];
    let request = json!({ "OrganizationalUnitId": unit });
    driver.organizations("DescribeOrganizationalUnit", request).await;
    let request = json!({
        "AccountId": account,
        "SourceParentId": parents["Parents"][0]["Id"],
        "DestinationParentId": unit,
    });
    driver.organizations("MoveAccount", request).await;
    let back = json!({
        "AccountId": account,
        "SourceParentId": unit,
        "DestinationParentId": parents["Parents"][0]["Id"],
    });
    driver.organizations("MoveAccount", back).await;
    let request = json!({ "OrganizationalUnitId": unit });
    driver.organizations("DeleteOrganizationalUnit", request).await;
    let member = driver.simulator.organization(|it| it.accounts().find(|it| it.created).cloned());
    let request = json!({ "AccountId": member.unwrap().id });
    driver.organizations("RemoveAccountFromOrganization", request).await;
    // The second has the address of the first, so that it fails.
    for state in ["SUCCEEDED", "FAILED"] {
        let request = json!({ "AccountName": "vault", "Email": "vault@example.com" });
        let created = driver.organizations("CreateAccount", request).await;
        let request = json!({ "CreateAccountRequestId": created["CreateAccountStatus"]["Id"] });
        let status = driver.organizations("DescribeCreateAccountStatus", request).await;
        assert_eq!(status["CreateAccountStatus"]["State"], state);
    }
}

async fn settings(driver: &mut Driver) {
    let request = json!({ "GlobalSettings": { "isCrossAccountBackupEnabled": "true" } });
    driver.call(Service::Backup, "UpdateGlobalSettings", request).await;
    driver.call(Service::Backup, "DescribeGlobalSettings", json!({})).await;
    let request = json!({
        "ResourceTypeOptInPreference": { "EBS": true },
        "ResourceTypeManagementPreference": { "EFS": true },
    });
    driver.call(Service::Backup, "UpdateRegionSettings", request).await;
    driver.call(Service::Backup, "DescribeRegionSettings", json!({})).await;
    driver.call(Service::Backup, "GetSupportedResourceTypes", json!({})).await;
    restore_jobs(driver).await;
    backups(driver).await;
    members(driver).await;
    driver.call(Service::Sts, "GetCallerIdentity", json!({})).await;
    for (operation, status) in
        [("ActivateOrganizationsAccess", "ENABLED"), ("DeactivateOrganizationsAccess", "DISABLED")]
    {
        driver.call(Service::CloudFormation, operation, json!({})).await;
        let describe = "DescribeOrganizationsAccess";
        let answer = driver.call(Service::CloudFormation, describe, json!({})).await;
        assert_eq!(answer["Status"], status);
    }
    recordings(driver).await;
    objects(driver).await;
    messages(driver).await;
    executions(driver).await;
}

async fn restore_jobs(driver: &mut Driver) {
    let region = driver.client.region.clone();
    let volume = format!("arn:aws:ec2:{region}:{MANAGEMENT}:volume/vol-0a1b2c3d");
    let snapshot = format!("arn:aws:ec2:{region}::snapshot/snap-0a1b2c3d");
    driver.simulator.backup(|it| {
        let test = RestoreJob {
            recovery_point: Some(snapshot),
            bytes: Some(1 << 33),
            metadata: [("encrypted".to_owned(), "true".to_owned())].into(),
            deletion: Some("DELETING".to_owned()),
            ..RestoreJob::test("EBS", &volume)
        };
        it.restore_jobs_mut().create(MANAGEMENT, &region, "test", test);
    });
    let id = json!({ "RestoreJobId": "test" });
    let metadata = driver.call(Service::Backup, "GetRestoreJobMetadata", id.clone()).await;
    assert_eq!(metadata["Metadata"]["encrypted"], "true");
    let mut result = id.clone();
    (result["ValidationStatus"], result["ValidationStatusMessage"]) =
        (json!("FAILED"), json!("No."));
    driver.call(Service::Backup, "PutRestoreValidationResult", result).await;
    let job = driver.call(Service::Backup, "DescribeRestoreJob", id).await;
    assert_eq!(
        (&job["ValidationStatus"], &job["ValidationStatusMessage"]),
        (&json!("FAILED"), &json!("No."))
    );
    assert_eq!(job["CreatedResourceArn"], volume);
}

async fn backups(driver: &mut Driver) {
    let (region, at) = (driver.client.region.clone(), "2026-01-01T00:00:00Z");
    let volume = nights::volume(MANAGEMENT, &region);
    nights::protect(&driver.simulator, &[&region]);
    driver.simulator.put_resource(nights::resource(&volume, MANAGEMENT, &region, "gold"));
    nights::pass(&driver.simulator, 2);
    let filters = json!({
        "ByResourceArn": volume,
        "ByState": "COMPLETED",
        "ByCreatedAfter": at,
        "ByResourceType": "EBS",
        "ByAccountId": MANAGEMENT,
        "ByMessageCategory": "SUCCESS",
        "ByCompleteAfter": at,
        "MaxResults": 1,
    });
    let listed = driver.call(Service::Backup, "ListBackupJobs", filters.clone()).await;
    let point = listed["BackupJobs"][0]["RecoveryPointArn"].clone();
    let next = json!({ "NextToken": listed["NextToken"] });
    let mut more = filters.clone();
    more.as_object_mut().unwrap().extend(next.as_object().unwrap().clone());
    let listed = driver.call(Service::Backup, "ListBackupJobs", more).await;
    assert_eq!(
        (listed["BackupJobs"].as_array().unwrap().len(), listed.get("NextToken")),
        (1, None)
    );
    let copies = driver.call(Service::Backup, "ListCopyJobs", filters).await;
    assert_eq!(copies["CopyJobs"][0]["SourceRecoveryPointArn"], point);
    let plan = "arn:aws:backup:us-east-1:111122223333:restore-testing-plan:org_backup-5f1e";
    let filters = json!({ "ByStatus": "COMPLETED", "ByRestoreTestingPlanArn": plan });
    let restores = driver.call(Service::Backup, "ListRestoreJobs", filters).await;
    assert_eq!(restores["RestoreJobs"][0]["RestoreJobId"], "test");
    let protected = driver.call(Service::Backup, "ListProtectedResources", json!({})).await;
    assert_eq!(protected["Results"][0]["LastRecoveryPointArn"], point);
    let of_resource = json!({ "ResourceArn": volume });
    let of_resource = driver.call(Service::Backup, "ListRecoveryPointsByResource", of_resource);
    assert_eq!(of_resource.await["RecoveryPoints"].as_array().unwrap().len(), 2);
    let in_vault = json!({ "BackupVaultName": nights::VAULT, "ByResourceArn": volume });
    let operation = "ListRecoveryPointsByBackupVault";
    let in_vault = driver.call(Service::Backup, operation, in_vault).await;
    assert_eq!(in_vault["RecoveryPoints"][1]["RecoveryPointArn"], point);
    let vaults = json!({ "ByVaultType": "BACKUP_VAULT" });
    let vaults = driver.call(Service::Backup, "ListBackupVaults", vaults).await;
    assert_eq!(vaults["BackupVaultList"][0]["NumberOfRecoveryPoints"], 2);
    recovery(driver, &volume, &point).await;
    plans(driver).await;
    let resources = json!({ "ResourcesPerPage": 1, "ResourceTypeFilters": ["ec2:volume"] });
    let tagged = driver.call(Service::Tagging, "GetResources", resources).await;
    assert_eq!(tagged["ResourceTagMappingList"][0]["ResourceARN"], volume);
    let explorer = Service::ResourceExplorer;
    driver.simulator.explorer(|it| {
        it.put(MANAGEMENT, &region, ExplorerView::organization("everything"));
    });
    let view = driver.call(explorer, "GetDefaultView", json!({})).await;
    let views = driver.call(explorer, "ListViews", json!({ "MaxResults": 50 })).await;
    assert_eq!(views["Views"], json!([view["ViewArn"]]));
    let described = driver.call(explorer, "GetView", view.clone()).await;
    assert_eq!(described["View"]["ViewName"], "everything");
    let filters = json!({ "FilterString": "service:ec2 -tag:none" });
    let request = json!({ "ViewArn": view["ViewArn"], "Filters": filters, "MaxResults": 10 });
    let found = driver.call(explorer, "ListResources", request).await;
    assert_eq!(found["Resources"][0]["Properties"][0]["Data"][0]["Value"], "gold");
}

/// Starts a backup of a volume, and a copy and a restore of its recovery point.
async fn recovery(driver: &mut Driver, volume: &str, point: &Value) {
    let region = driver.client.region.clone();
    let role = format!("arn:aws:iam::{MANAGEMENT}:role/{}", nights::ROLE);
    let vault = Vault::new("fetched");
    driver.simulator.backup(|it| it.vaults_mut().create(MANAGEMENT, &region, vault));
    let request = json!({
        "BackupVaultName": nights::VAULT,
        "ResourceArn": volume,
        "IamRoleArn": role,
        "IdempotencyToken": "backup-1",
        "StartWindowMinutes": 60,
        "CompleteWindowMinutes": 600,
        "Lifecycle": { "DeleteAfterDays": 7 },
        "RecoveryPointTags": { "why": "upgrade" },
    });
    let started = driver.call(Service::Backup, "StartBackupJob", request).await;
    let job = json!({ "BackupJobId": started["BackupJobId"] });
    let job = driver.call(Service::Backup, "DescribeBackupJob", job).await;
    assert_eq!((&job["State"], job.get("CreatedBy")), (&json!("RUNNING"), None));
    let at = json!({ "BackupVaultName": nights::VAULT, "RecoveryPointArn": point });
    let described = driver.call(Service::Backup, "DescribeRecoveryPoint", at.clone()).await;
    assert_eq!(described["ResourceArn"], volume);
    let metadata = driver.call(Service::Backup, "GetRecoveryPointRestoreMetadata", at).await;
    let mut metadata = metadata["RestoreMetadata"].clone();
    assert_eq!(metadata["encrypted"], "false");
    let request = json!({
        "RecoveryPointArn": point,
        "SourceBackupVaultName": nights::VAULT,
        "DestinationBackupVaultArn": format!("arn:aws:backup:{region}:{MANAGEMENT}:backup-vault:fetched"),
        "IamRoleArn": role,
        "IdempotencyToken": "copy-1",
        "Lifecycle": { "DeleteAfterDays": 30 },
    });
    let started = driver.call(Service::Backup, "StartCopyJob", request).await;
    let copy = json!({ "CopyJobId": started["CopyJobId"] });
    let described = driver.call(Service::Backup, "DescribeCopyJob", copy.clone()).await;
    assert_eq!(described["CopyJob"]["State"], "RUNNING");
    metadata["availabilityZone"] = json!(format!("{region}c"));
    let request = json!({
        "RecoveryPointArn": point,
        "Metadata": metadata,
        "IamRoleArn": role,
        "IdempotencyToken": "restore-1",
        "ResourceType": "EBS",
        "CopySourceTagsToRestoredResource": false,
    });
    let started = driver.call(Service::Backup, "StartRestoreJob", request).await;
    driver.simulator.let_go_by(Duration::from_mins(10));
    let restore = json!({ "RestoreJobId": started["RestoreJobId"] });
    let restored = driver.call(Service::Backup, "DescribeRestoreJob", restore.clone()).await;
    assert_eq!(
        (&restored["Status"], &restored["PercentDone"]),
        (&json!("COMPLETED"), &json!("100.00%"))
    );
    let used = driver.call(Service::Backup, "GetRestoreJobMetadata", restore).await;
    assert_eq!(used["Metadata"], metadata);
    let described = driver.call(Service::Backup, "DescribeCopyJob", copy).await;
    assert_eq!(described["CopyJob"]["State"], "COMPLETED");
}

/// Plans of an account's own, and those of its policies.
async fn plans(driver: &mut Driver) {
    let region = driver.client.region.clone();
    let plan = json!({
        "BackupPlanName": "weekly",
        "Rules": [{ "RuleName": "sunday", "TargetBackupVaultName": "own" }],
    });
    let selection = json!({
        "SelectionName": "all",
        "IamRoleArn": "arn:aws:iam::111122223333:role/own",
        "Resources": ["*"],
    });
    driver.simulator.backup(|it| {
        it.plans_mut().create(MANAGEMENT, &region, plan, &[selection]);
    });
    let listed = driver.call(Service::Backup, "ListBackupPlans", json!({})).await;
    let names = listed["BackupPlansList"].as_array().unwrap();
    let names: Vec<_> = names.iter().map(|it| text(&it["BackupPlanName"])).collect();
    assert_eq!(names, ["weekly", "nightly"]);
    for (it, has_tags) in listed["BackupPlansList"].as_array().unwrap().iter().zip([false, true]) {
        let id = json!({ "BackupPlanId": it["BackupPlanId"] });
        let plan = driver.call(Service::Backup, "GetBackupPlan", id.clone()).await;
        assert_eq!(plan["BackupPlan"]["BackupPlanName"], it["BackupPlanName"]);
        let selections = driver.call(Service::Backup, "ListBackupSelections", id.clone()).await;
        let mut selection = id;
        selection["SelectionId"] = selections["BackupSelectionsList"][0]["SelectionId"].clone();
        let selection = driver.call(Service::Backup, "GetBackupSelection", selection).await;
        assert_eq!(selection["BackupSelection"].get("ListOfTags").is_some(), has_tags);
    }
}

async fn recordings(driver: &mut Driver) {
    let region = driver.client.region.clone();
    let advanced = json!([{ "Name": "changes", "FieldSelectors": [
        { "Field": "eventCategory", "Equals": ["Management"] },
        { "Field": "readOnly", "Equals": ["false"] },
    ] }]);
    let (selectors, advanced_selectors) = (None, Some(advanced));
    driver.simulator.trails(|it| {
        it.put(Trail::new("everything", &region));
        it.put(Trail { selectors, advanced_selectors, ..Trail::new("changes", "eu-north-1") });
    });
    let request = json!({ "includeShadowTrails": true });
    let described = driver.call(Service::CloudTrail, "DescribeTrails", request).await;
    let trails = described["trailList"].as_array().unwrap();
    assert_eq!(trails.len(), 2);
    for trail in trails {
        let arn = &trail["TrailARN"];
        let request = json!({ "Name": arn });
        let status = driver.call(Service::CloudTrail, "GetTrailStatus", request).await;
        assert_eq!(status["IsLogging"], true);
        let request = json!({ "TrailName": arn });
        let selectors = driver.call(Service::CloudTrail, "GetEventSelectors", request).await;
        assert_eq!(&selectors["TrailARN"], arn);
    }
    let (status, selectors) = (json!({ "Name": "x" }), json!({ "TrailName": "changes" }));
    for (operation, request) in [("GetTrailStatus", status), ("GetEventSelectors", selectors)] {
        driver.refuse(Service::CloudTrail, operation, request, "TrailNotFoundException").await;
    }
    let template = r#"{"Parameters":{"Bus":{},"Key":{"NoEcho":true}},"Description":"é & <"}"#;
    driver.simulator.stacks(|it| {
        let (name, status) = ("forwarder".to_owned(), "CREATE_COMPLETE".to_owned());
        let description = "Forwards <events>".to_owned();
        let parameters = [("Bus", "events"), ("Key", "secret")];
        let parameters = parameters.map(|(name, it)| (name.to_owned(), it.to_owned())).into();
        let template = template.to_owned();
        let exports = [("forwarder-Bus".to_owned(), "events & more".to_owned())].into();
        let stack = Stack { name, description, status, id: None, parameters, template, exports };
        it.put(&region, stack);
    });
    let exported = driver.call(Service::CloudFormation, "ListExports", json!({})).await;
    assert_eq!(exported["Exports"][0]["Value"], "events & more");
    let listed = driver.call(Service::CloudFormation, "DescribeStacks", json!({})).await;
    assert_eq!(listed["Stacks"][0]["Description"], "Forwards <events>");
    let by_id = json!({ "StackName": listed["Stacks"][0]["StackId"] });
    let described = driver.call(Service::CloudFormation, "DescribeStacks", by_id).await;
    let values = json!([
        { "ParameterKey": "Bus", "ParameterValue": "events" },
        { "ParameterKey": "Key", "ParameterValue": "****" },
    ]);
    assert_eq!(described["Stacks"][0]["Parameters"], values);
    let by_name = json!({ "StackName": "forwarder", "TemplateStage": "Processed" });
    let got = driver.call(Service::CloudFormation, "GetTemplate", by_name).await;
    assert_eq!(got["TemplateBody"], template.replace('é', "?"));
    let stack = format!("arn:aws:cloudformation:{region}:111122223333:stack/backups/5d3c");
    driver.simulator.stacks(|it| {
        let resource = |physical_id: &str, status: &str| StackResource {
            kind: "Custom::BackupPolicy".to_owned(),
            physical_id: physical_id.to_owned(),
            status: status.to_owned(),
        };
        it.tell(&stack, "Daily", resource("p-daily00000", "CREATE_COMPLETE"));
        it.tell(&stack, "Weekly", resource("", "CREATE_IN_PROGRESS"));
    });
    let by_arn = json!({ "StackName": stack, "LogicalResourceId": "Daily" });
    let told = driver.call(Service::CloudFormation, "DescribeStackResource", by_arn).await;
    assert_eq!(told["StackResourceDetail"]["PhysicalResourceId"], "p-daily00000");
    let unknown = json!({ "StackName": stack, "LogicalResourceId": "Hourly" });
    let operation = "DescribeStackResource";
    driver.refuse(Service::CloudFormation, operation, unknown, "ValidationError").await;
    for operation in ["DescribeStacks", "GetTemplate", operation] {
        let nobody = json!({ "StackName": "nobody", "LogicalResourceId": "Daily" });
        driver.refuse(Service::CloudFormation, operation, nobody, "ValidationError").await;
    }
}

async fn objects(driver: &mut Driver) {
    driver.simulator.buckets(|it| it.create_bucket("policies"));
    let object = json!({ "Bucket": "policies", "Key": "teams/daily.json" });
    let mut put = object.clone();
    (put["Body"], put["IfNoneMatch"]) = (json!(CONTENT), json!("*"));
    driver.call(Service::S3, "PutObject", put).await;
    driver.call(Service::S3, "GetObject", object.clone()).await;
    driver.call(Service::S3, "HeadObject", object.clone()).await;
    driver.call(Service::S3, "GetBucketEncryption", json!({ "Bucket": "policies" })).await;
    let request = json!({ "Bucket": "policies", "Prefix": "teams/", "MaxKeys": 10 });
    let listed = driver.call(Service::S3, "ListObjectsV2", request).await;
    assert_eq!(listed["Contents"][0]["Key"], "teams/daily.json");
    let mut delete = object;
    delete["IfMatch"] = listed["Contents"][0]["ETag"].clone();
    driver.call(Service::S3, "DeleteObject", delete).await;
}

async fn messages(driver: &mut Driver) {
    let topic = "arn:aws:sns:us-east-1:111122223333:repairs";
    driver.simulator.topics(|it| it.create(topic));
    let request = json!({ "TopicArn": topic, "Subject": "Repaired", "Message": "It is back." });
    driver.call(Service::Sns, "Publish", request).await;
    let entry = json!({ "Source": "shop", "DetailType": "Order", "Detail": "{\"total\":7}" });
    let put = driver.call(Service::EventBridge, "PutEvents", json!({ "Entries": [entry] })).await;
    assert_eq!(put["FailedEntryCount"], 0);
    driver.simulator.hub(Hub::enable);
    let imported = driver.call(Service::SecurityHub, "BatchImportFindings", findings()).await;
    assert_eq!((&imported["SuccessCount"], &imported["FailedCount"]), (&json!(1), &json!(0)));
}

/// A request that imports one finding.
fn findings() -> Value {
    let finding = json!({
        "SchemaVersion": "2018-10-08",
        "Id": "shop/1",
        "ProductArn": "arn:aws:securityhub:us-east-1:111122223333:product/111122223333/default",
        "GeneratorId": "shop",
        "AwsAccountId": "111122223333",
        "CreatedAt": "2026-11-21T04:00:00Z",
        "UpdatedAt": "2026-11-21T04:00:00Z",
        "Severity": { "Label": "LOW" },
        "Title": "An order is late",
        "Description": "It was due yesterday.",
        "Resources": [{ "Type": "Other", "Id": "order-1" }],
    });
    json!({ "Findings": [finding] })
}

async fn executions(driver: &mut Driver) {
    let machine = "arn:aws:states:us-east-1:111122223333:stateMachine:members";
    driver.simulator.state_machines(|it| it.create(machine));
    let request = json!({ "stateMachineArn": machine, "name": "run-1", "input": "{}" });
    let started = driver.call(Service::StepFunctions, "StartExecution", request).await;
    let request = json!({ "executionArn": started["executionArn"] });
    for (status, output) in
        [(ExecutionStatus::Succeeded, Some("{}")), (ExecutionStatus::Failed, None)]
    {
        let described =
            driver.call(Service::StepFunctions, "DescribeExecution", request.clone()).await;
        assert_eq!(described["input"], "{}");
        let arn = text(&started["executionArn"]);
        driver.simulator.state_machines(|it| it.end(&arn, status, output));
    }
    let request = json!({ "stateMachineArn": machine, "statusFilter": "FAILED" });
    let reply = driver.call(Service::StepFunctions, "ListExecutions", request).await;
    assert_eq!(reply["executions"].as_array().unwrap().len(), 1);
}

const MANAGEMENT: &str = "111122223333";
const KEY: &str = "5c0d8e7f-2b4a-4f16-8d3e-9a7b6c5d4e3f";

async fn members(driver: &mut Driver) {
    let region = driver.client.region.clone();
    let key = format!("arn:aws:kms:{region}:{MANAGEMENT}:key/{KEY}");
    driver.simulator.backup(|it| {
        let locked = Vault::new("locked").key_type(KeyType::CustomerManaged);
        let locked = locked.key(&key).locked(Some(7), Some(365));
        let policy = json!({ "Version": "2012-10-17", "Statement": [] });
        it.vaults_mut().create(MANAGEMENT, &region, locked.access_policy(&policy));
        it.vaults_mut().create(MANAGEMENT, &region, Vault::new("plain"));
    });
    for (name, is_locked) in [("locked", true), ("plain", false)] {
        let request = json!({ "BackupVaultName": name });
        let vault = driver.call(Service::Backup, "DescribeBackupVault", request).await;
        assert_eq!(vault["Locked"], is_locked);
        assert_eq!(vault.get("EncryptionKeyType").is_some(), is_locked);
    }
    let locked = json!({ "BackupVaultName": "locked" });
    let policy = driver.call(Service::Backup, "GetBackupVaultAccessPolicy", locked).await;
    assert!(text(&policy["Policy"]).starts_with('{'));
    let plain = json!({ "BackupVaultName": "plain" });
    let refusal = "ResourceNotFoundException";
    driver.refuse(Service::Backup, "GetBackupVaultAccessPolicy", plain, refusal).await;
    driver.simulator.kms(|it| {
        it.create(MANAGEMENT, &region, KEY, KeyManager::Customer);
        it.set_state(KEY, "PendingDeletion");
    });
    for name in [KEY, &key] {
        let described = driver.call(Service::Kms, "DescribeKey", json!({ "KeyId": name })).await;
        assert_eq!(described["KeyMetadata"]["KeyManager"], "CUSTOMER");
        assert_eq!(described["KeyMetadata"]["Arn"], key);
        assert_eq!(described["KeyMetadata"]["KeyState"], "PendingDeletion");
    }
    driver.simulator.iam(|it| {
        let anything =
            json!({ "Statement": { "Effect": "Allow", "Action": "*", "Resource": "*" } });
        let role = Role::trusting_account("Reader", MANAGEMENT).path("/backup/");
        let role = role.allowing(&anything).boundary("arn:aws:iam::111122223333:policy/bound");
        let role = role.attached(&["arn:aws:iam::aws:policy/ReadOnlyAccess"]);
        it.create_role(MANAGEMENT, role);
    });
    let role = driver.call(Service::Iam, "GetRole", json!({ "RoleName": "Reader" })).await;
    assert_eq!(role["Role"]["Path"], "/backup/");
    let bound = &role["Role"]["PermissionsBoundary"]["PermissionsBoundaryArn"];
    assert_eq!(bound, "arn:aws:iam::111122223333:policy/bound");
    let reader = json!({ "RoleName": "Reader" });
    let attached = driver.call(Service::Iam, "ListAttachedRolePolicies", reader.clone()).await;
    assert_eq!(attached["AttachedPolicies"][0]["PolicyName"], "ReadOnlyAccess");
    let own = driver.call(Service::Iam, "ListRolePolicies", reader).await;
    let request = json!({ "RoleName": "Reader", "PolicyName": own["PolicyNames"][0] });
    let own = driver.call(Service::Iam, "GetRolePolicy", request).await;
    assert!(text(&own["PolicyDocument"]).starts_with("%7B"));
    let service = json!({ "AWSServiceName": "backup.amazonaws.com" });
    let made = driver.call(Service::Iam, "CreateServiceLinkedRole", service).await;
    assert_eq!(made["Role"]["Path"], "/aws-service-role/backup.amazonaws.com/");
    let session = json!({ "Statement": { "Effect": "Allow", "Action": "*", "Resource": "*" } });
    let request = json!({
        "RoleArn": role["Role"]["Arn"],
        "RoleSessionName": "night",
        "DurationSeconds": 900,
        "ExternalId": "backup",
        "Policy": session.to_string(),
    });
    driver.call(Service::Sts, "AssumeRole", request).await;
}

#[tokio::test]
async fn errors_look_as_their_models_say() {
    use Service::{Backup, CloudFormation, Organizations, S3, Sts};

    let mut driver = Driver::start().await;
    let (root, account) = driver.simulator.organization(|it| {
        let root = it.root.clone();
        it.enable_policy_type(&root, "BACKUP_POLICY").unwrap();
        let account = it.accounts().find(|it| it.created).unwrap().id.clone();
        (root, account)
    });
    let request = json!({ "RootId": root, "PolicyType": "BACKUP_POLICY" });
    let cases = [
        (Organizations, "EnablePolicyType", request, "PolicyTypeAlreadyEnabledException"),
        (
            Organizations,
            "EnablePolicyType",
            json!({ "RootId": root, "PolicyType": "NAP_POLICY" }),
            "InvalidInputException (INVALID_ENUM:POLICY_TYPE)",
        ),
        (
            Organizations,
            "ListAccounts",
            json!({ "MaxResults": 21 }),
            "InvalidInputException (MAX_VALUE_EXCEEDED:MAX_RESULTS)",
        ),
        (
            Organizations,
            "ListRoots",
            json!({ "NextToken": "nonsense" }),
            "InvalidInputException (INVALID_NEXT_TOKEN)",
        ),
        (
            Organizations,
            "RegisterDelegatedAdministrator",
            json!({ "AccountId": account, "ServicePrincipal": "backup.amazonaws.com" }),
            "ConstraintViolationException (SERVICE_ACCESS_NOT_ENABLED)",
        ),
        (
            Organizations,
            "DescribePolicy",
            json!({ "PolicyId": "p-0123456789" }),
            "PolicyNotFoundException",
        ),
        (
            Organizations,
            "DescribeEffectivePolicy",
            json!({ "PolicyType": "BACKUP_POLICY", "TargetId": root }),
            "InvalidInputException (TARGET_NOT_SUPPORTED)",
        ),
        (
            Organizations,
            "DescribeEffectivePolicy",
            json!({ "PolicyType": "BACKUP_POLICY", "TargetId": "999999999999" }),
            "TargetNotFoundException",
        ),
        (
            Organizations,
            "ListAccountsWithInvalidEffectivePolicy",
            json!({ "PolicyType": "SERVICE_CONTROL_POLICY" }),
            "InvalidInputException (INVALID_ENUM:POLICY_TYPE)",
        ),
        (
            Organizations,
            "ListEffectivePolicyValidationErrors",
            json!({ "PolicyType": "TAG_POLICY", "AccountId": account }),
            "EffectivePolicyNotFoundException",
        ),
        (Organizations, "DescribeResourcePolicy", json!({}), "ResourcePolicyNotFoundException"),
        (
            Backup,
            "UpdateGlobalSettings",
            json!({ "GlobalSettings": { "isCrossAccountBackupEnabled": "maybe" } }),
            "InvalidParameterValueException",
        ),
        (Backup, "UpdateRegionSettings", json!({}), "MissingParameterValueException"),
        (
            Sts,
            "AssumeRole",
            json!({ "RoleArn": "arn:aws:iam::999999999999:role/x", "RoleSessionName": "night" }),
            "AccessDenied",
        ),
        (S3, "GetObject", json!({ "Bucket": "nowhere", "Key": "x" }), "NoSuchBucket"),
    ];
    for (service, operation, request, refusal) in cases {
        driver.refuse(service, operation, request, refusal).await;
    }
    driver.client.key = account;
    let request = json!({ "GlobalSettings": { "isMpaEnabled": "true" } });
    driver.refuse(Backup, "UpdateGlobalSettings", request, "InvalidRequestException").await;
    let activate = "ActivateOrganizationsAccess";
    driver.refuse(CloudFormation, activate, json!({}), "InvalidOperationException").await;
    driver.refuse(Organizations, "ListRoots", json!({}), "AccessDeniedException").await;
    driver.client.key = "999999999999".to_owned();
    let refusal = "AWSOrganizationsNotInUseException";
    driver.refuse(Organizations, "DescribeOrganization", json!({}), refusal).await;
    driver.client.key = "simulated".to_owned();
    driver.simulator.organization(|it| it.feature_set = FeatureSet::ConsolidatedBilling);
    let refusal = "ConstraintViolationException (ORGANIZATION_NOT_IN_ALL_FEATURES_MODE)";
    let request = json!({ "RootId": root, "PolicyType": "TAG_POLICY" });
    driver.refuse(Organizations, "EnablePolicyType", request, refusal).await;
}

#[tokio::test]
async fn errors_about_what_accounts_have_look_as_their_models_say() {
    use Service::{Backup, Iam, Kms};

    let mut driver = Driver::start().await;
    let region = driver.client.region.clone();
    let ordinary = RestoreJob { plan: None, ..RestoreJob::test("S3", "arn:aws:s3:::restored") };
    driver.simulator.backup(|it| {
        it.restore_jobs_mut().create(MANAGEMENT, &region, "ordinary", ordinary);
    });
    let result =
        |job: &str, status: &str| json!({ "RestoreJobId": job, "ValidationStatus": status });
    let (nowhere, put) = (json!({ "RestoreJobId": "nowhere" }), "PutRestoreValidationResult");
    let cases = [
        (Backup, "DescribeRestoreJob", nowhere.clone(), "ResourceNotFoundException"),
        (Backup, "GetRestoreJobMetadata", nowhere, "ResourceNotFoundException"),
        (Backup, put, result("nowhere", "FAILED"), "ResourceNotFoundException"),
        (Backup, put, result("ordinary", "FAILED"), "InvalidRequestException"),
        (Backup, put, result("ordinary", "GOOD"), "InvalidParameterValueException"),
        (Backup, put, json!({ "RestoreJobId": "ordinary" }), "MissingParameterValueException"),
        (Iam, "GetRole", json!({ "RoleName": "nobody" }), "NoSuchEntity"),
        (Iam, "ListRolePolicies", json!({ "RoleName": "nobody" }), "NoSuchEntity"),
        (Iam, "ListAttachedRolePolicies", json!({ "RoleName": "nobody" }), "NoSuchEntity"),
        (
            Iam,
            "GetRolePolicy",
            json!({ "RoleName": "nobody", "PolicyName": "own" }),
            "NoSuchEntity",
        ),
        (
            Iam,
            "CreateServiceLinkedRole",
            json!({ "AWSServiceName": "tea.amazonaws.com" }),
            "InvalidInput",
        ),
        (Kms, "DescribeKey", json!({ "KeyId": KEY }), "NotFoundException"),
        (Kms, "DescribeKey", json!({ "KeyId": "arn:aws:kms:key" }), "InvalidArnException"),
    ];
    for (service, operation, request, refusal) in cases {
        driver.refuse(service, operation, request, refusal).await;
    }
}

#[tokio::test]
async fn errors_about_backups_look_as_their_models_say() {
    use Service::{Backup, ResourceExplorer, Tagging};

    let mut driver = Driver::start().await;
    let (plan, page) = (json!({ "BackupPlanId": "none" }), json!({ "MaxResults": 1001 }));
    let view = json!({ "ViewArn": "arn:aws:resource-explorer-2:us-east-1:1:view/none/1" });
    let (lists, moment) = ("ListBackupJobs", json!({ "ByCreatedAfter": "yesterday" }));
    let cases = [
        (Backup, "DescribeBackupJob", json!({ "BackupJobId": "1" }), "ResourceNotFoundException"),
        (Backup, "DescribeCopyJob", json!({ "CopyJobId": "1" }), "ResourceNotFoundException"),
        (Backup, lists, page, "InvalidParameterValueException"),
        (Backup, lists, moment, "InvalidParameterValueException"),
        (Backup, "ListCopyJobs", json!({ "NextToken": "x" }), "InvalidParameterValueException"),
        (Backup, "GetBackupPlan", plan.clone(), "ResourceNotFoundException"),
        (Backup, "ListBackupSelections", plan, "ResourceNotFoundException"),
        (Tagging, "GetResources", json!({ "ResourcesPerPage": 101 }), "InvalidParameterException"),
        (Tagging, "GetResources", json!({ "PaginationToken": "x" }), "InvalidParameterException"),
        (ResourceExplorer, "GetDefaultView", json!({}), "ResourceNotFoundException"),
        (ResourceExplorer, "ListResources", json!({}), "UnauthorizedException"),
        (ResourceExplorer, "GetView", view, "ResourceNotFoundException"),
    ];
    for (service, operation, request, refusal) in cases {
        driver.refuse(service, operation, request, refusal).await;
    }
}

#[tokio::test]
async fn errors_of_what_state_is_kept_in_look_as_their_models_say() {
    use Service::{S3, SecurityHub, Sns, StepFunctions};

    let mut driver = Driver::start().await;
    driver.simulator.buckets(|it| it.put("state", "desired.json", "{}"));
    let machine = "arn:aws:states:us-east-1:111122223333:stateMachine:members";
    driver.simulator.state_machines(|it| {
        it.create(machine);
    });
    let put = |more: &str, value: &str| {
        let mut request = json!({ "Bucket": "state", "Key": "desired.json", "Body": "{}" });
        request[more] = json!(value);
        request
    };
    let start = |machine: &str, name: &str, input: &str| json!({ "stateMachineArn": machine, "name": name, "input": input });
    let topic = "arn:aws:sns:us-east-1:111122223333:repairs";
    let cases = [
        (S3, "PutObject", put("IfNoneMatch", "*"), "PreconditionFailed"),
        (S3, "PutObject", put("IfMatch", "0123"), "PreconditionFailed"),
        (S3, "PutObject", put("IfNoneMatch", "0123"), "NotImplemented"),
        (S3, "ListObjectsV2", json!({ "Bucket": "nowhere" }), "NoSuchBucket"),
        (S3, "GetBucketEncryption", json!({ "Bucket": "nowhere" }), "NoSuchBucket"),
        (SecurityHub, "BatchImportFindings", findings(), "InvalidAccessException"),
        (Sns, "Publish", json!({ "TopicArn": topic, "Message": "x" }), "NotFound"),
        (Sns, "Publish", json!({ "TopicArn": topic, "Message": "" }), "InvalidParameter"),
        (StepFunctions, "StartExecution", start(machine, "a b", "{}"), "InvalidName"),
        (StepFunctions, "StartExecution", start(machine, "a", "{"), "InvalidExecutionInput"),
        (StepFunctions, "StartExecution", start("members", "a", "{}"), "InvalidArn"),
        (
            StepFunctions,
            "ListExecutions",
            json!({ "stateMachineArn": machine, "nextToken": "x" }),
            "InvalidToken",
        ),
        (
            StepFunctions,
            "StartExecution",
            start(&machine.replace("members", "others"), "a", "{}"),
            "StateMachineDoesNotExist",
        ),
        (
            StepFunctions,
            "DescribeExecution",
            json!({ "executionArn": machine.replace("stateMachine", "execution") + ":a" }),
            "ExecutionDoesNotExist",
        ),
    ];
    for (service, operation, request, refusal) in cases {
        driver.refuse(service, operation, request, refusal).await;
    }
}

/// Errors that AWS answers although no operation lists them.
const UNLISTED: [Code; 7] = [
    Code::AccessDenied,
    Code::Denied,
    Code::InvalidClientToken,
    Code::Serialization,
    Code::UnrecognizedClient,
    Code::Validation,
    Code::ValidationException,
];

/// Errors of S3 that its model leaves to its documentation, which lists them for every request.
const UNLISTED_OF_S3: [Code; 6] = [
    Code::MethodNotAllowed,
    Code::NoSuchBucket,
    Code::NoSuchKey,
    Code::NoSuchVersion,
    Code::NotImplemented,
    Code::PreconditionFailed,
];

#[test]
fn every_error_is_one_of_its_operation() {
    for (service, name) in SERVICES {
        let model = Model::load(name);
        for operation in OPERATIONS.iter().filter(|it| it.service == service) {
            assert!(model.has(operation.name), "{} is no operation of {name}", operation.name);
            let modelled = model.errors(operation.name);
            let listed = |code: &Code| {
                UNLISTED.contains(code)
                    || (service == Service::S3 && UNLISTED_OF_S3.contains(code))
                    || modelled.contains(code.as_str())
            };
            let strange: Vec<_> = operation.errors().filter(|it| !listed(it)).collect();
            assert_eq!(strange, [], "errors of {}", operation.name);
        }
    }
}

#[tokio::test]
async fn callers_are_refused_whom_the_documentation_does_not_name() {
    let simulator = Simulator::start(Settings::default()).await.unwrap();
    let member = simulator.organization(|it| {
        let member = it.accounts().find(|it| it.created).unwrap().id.clone();
        it.enable_service_access("backup.amazonaws.com").unwrap();
        it.enable_service_access("ram.amazonaws.com").unwrap();
        it.register_delegated_administrator(&member, "backup.amazonaws.com").unwrap();
        let statement = json!([{ "Effect": "Allow", "Principal": { "AWS": member },
            "Action": "organizations:*", "Resource": "*" }]);
        it.put_resource_policy(&json!({ "Statement": statement }).to_string(), &[]).unwrap();
        member
    });
    let client = Client::new(&simulator.url());
    let stranger = simulator.organization(|it| it.accounts().last().unwrap().id.clone());
    let model = Model::load("organizations");
    for operation in OPERATIONS.iter().filter(|it| it.service == Service::Organizations) {
        let documentation = model.documentation(operation.name);
        let management = documentation.contains("only call this operation from the management");
        let delegated = documentation.contains("that is a delegated administrator");
        let denied = async |account: &str| {
            let reply = client.key(account).organizations(operation.name, json!({})).await;
            reply.code() == "AccessDeniedException"
        };
        assert_eq!(denied(&stranger).await, management, "{} by a member", operation.name);
        let expected = management && !delegated;
        assert_eq!(denied(&member).await, expected, "{} by an administrator", operation.name);
        assert!(!denied("111122223333").await, "{} by the management account", operation.name);
    }
}

#[test]
fn every_reason_and_policy_type_is_one_of_aws() {
    let model = Model::load("organizations");
    let constraints = model.values("ConstraintViolationExceptionReason");
    let inputs = model.values("InvalidInputExceptionReason");
    let types = model.values("PolicyType");
    for it in Constraint::ALL {
        assert!(constraints.contains(it.as_str()), "{}", it.as_str());
    }
    for it in Invalid::ALL {
        assert!(inputs.contains(it.as_str()), "{}", it.as_str());
    }
    assert_eq!(BTreeSet::from(POLICY_TYPES), types);
}

#[tokio::test]
async fn ids_are_of_the_forms_that_aws_has() {
    let driver = Driver::start().await;
    let model = driver.model(Service::Organizations);
    let (accounts, root, id) = driver.simulator.organization(|it| {
        let accounts: Vec<_> = it.accounts().map(|it| it.id.clone()).collect();
        (accounts, it.root.clone(), it.id.clone())
    });
    let check = |shape: &str, id: &str| {
        assert_eq!(model.findings(shape, &json!(id), shape), Vec::<String>::new());
    };
    for account in &accounts {
        check("AccountId", account);
    }
    check("RootId", &root);
    check("OrganizationId", &id);
    assert_eq!(accounts.iter().collect::<BTreeSet<_>>().len(), accounts.len());
    let policy = driver
        .simulator
        .organization(|it| it.create_policy("BACKUP_POLICY", "daily", "", CONTENT, &[]).unwrap());
    check("PolicyId", &policy);
    assert_eq!(text(&json!(policy)).len(), "p-".len() + 10);
}
