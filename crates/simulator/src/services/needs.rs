//! The permissions that calls need, according to the service authorization reference of AWS.

use std::collections::BTreeSet;

use policy::arn::Arn;
use serde_json::{Map, Value};

use super::addressing::{address, encryption};
use super::backup;
use super::caller;
use super::cloudformation;
use super::explorer;
use super::iam;
use super::security_hub;
use crate::iam::{Keys, Need};
use crate::operation::{Operation, Service};
use crate::organization::{BACKUP_POLICY, STACK_SETS};
use crate::request::Call;
use crate::world::World;

/// The service principal of AWS Backup.
const BACKUP: &str = "backup.amazonaws.com";

/// Returns all permissions that `call` needs.
pub(super) fn of(world: &World, operation: &Operation, call: &Call) -> Vec<Need> {
    let request = Request::new(world, call);
    match operation.service {
        Service::Organizations => request.organizations(operation.name),
        Service::Backup => request.backup(operation.name),
        Service::CloudFormation => request.cloudformation(operation.name),
        Service::CloudTrail => request.cloudtrail(operation.name),
        Service::Iam => vec![request.iam(operation.name)],
        Service::Kms => vec![request.describe_key()],
        Service::S3 => request.objects(operation.name),
        Service::Sts if operation.name == "AssumeRole" => {
            vec![request.assume_role()]
        }
        Service::EventBridge => request.put_events(),
        Service::SecurityHub => request.import_findings(),
        Service::Sns => {
            let topic = call.parameter("TopicArn").or_else(|| call.parameter("TargetArn"));
            request.publish(topic.unwrap_or_default())
        }
        Service::StepFunctions => {
            let member = match operation.name {
                "DescribeExecution" => "executionArn",
                _ => "stateMachineArn",
            };
            let action = format!("states:{}", operation.name);
            vec![request.need(&action, request.member(member))]
        }
        Service::ResourceExplorer => request.explorer(operation.name),
        Service::Tagging => vec![request.need("tag:GetResources", "*")],
        // Everybody may ask for their own identity.
        Service::Sts | Service::Response => Vec::new(),
    }
}

/// Returns the permission that is needed to list `bucket`.
pub(super) fn listing(world: &World, call: &Call, bucket: &str) -> Need {
    let resource = format!("arn:{}:s3:::{bucket}", world.organization.partition());
    Request::new(world, call).need("s3:ListBucket", &resource)
}

/// A call, with the values for its conditions.
struct Request<'a> {
    world: &'a World,
    call: &'a Call,
    keys: Keys,
    members: Map<String, Value>,
}

impl<'a> Request<'a> {
    fn new(world: &'a World, call: &'a Call) -> Self {
        let members = serde_json::from_slice(&call.body).unwrap_or_default();
        Self { world, call, keys: caller::keys(world, call), members }
    }

    fn need(&self, action: &str, resource: &str) -> Need {
        let (action, resource) = (action.to_owned(), resource.to_owned());
        Need { action, resource, keys: self.keys.clone() }
    }

    fn with(&self, action: &str, resource: &str, key: &str, value: &str) -> Need {
        let mut need = self.need(action, resource);
        need.keys.insert(key.to_owned(), vec![value.to_owned()]);
        need
    }

    fn member(&self, name: &str) -> &str {
        self.members.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// Returns an ARN in the caller's account and Region.
    fn arn(&self, service: &str, resource: &str) -> String {
        let partition = self.world.organization.partition();
        let (region, account) = (&self.call.caller.region, &self.call.caller.account);
        format!("arn:{partition}:{service}:{region}:{account}:{resource}")
    }

    fn organizations(&self, operation: &str) -> Vec<Need> {
        let action = format!("organizations:{operation}");
        let node = |member: &str| self.world.organization.arn_of(self.member(member));
        let typed = |resource: &str, member: &str| {
            vec![self.with(&action, resource, "organizations:policytype", self.member(member))]
        };
        match operation {
            "EnablePolicyType" | "DisablePolicyType" => typed(&node("RootId"), "PolicyType"),
            "ListAccountsWithInvalidEffectivePolicy" => typed("*", "PolicyType"),
            "DescribeEffectivePolicy" => typed(&node("TargetId"), "PolicyType"),
            "ListEffectivePolicyValidationErrors" => typed(&node("AccountId"), "PolicyType"),
            "ListPolicies" => typed("*", "Filter"),
            "ListPoliciesForTarget" => typed(&node("TargetId"), "Filter"),
            "CreatePolicy" => {
                let mut needs = typed("*", "Type");
                let kind = vec![self.member("Type").to_owned()];
                needs.extend(self.tags("organizations:TagResource", "*").map(|mut it| {
                    it.keys.insert("organizations:policytype".to_owned(), kind);
                    it
                }));
                needs
            }
            "UpdatePolicy" | "DeletePolicy" | "DescribePolicy" | "ListTargetsForPolicy" => {
                let (arn, kind) = self.policy();
                vec![self.with(&action, &arn, "organizations:policytype", &kind)]
            }
            "AttachPolicy" | "DetachPolicy" => {
                let (arn, kind) = self.policy();
                let resources = [arn, node("TargetId")];
                let need = |it: &String| self.with(&action, it, "organizations:policytype", &kind);
                resources.iter().map(need).collect()
            }
            "TagResource" => self.tags(&action, &self.tagged()).into_iter().collect(),
            "UntagResource" => {
                let mut need = self.need(&action, &self.tagged());
                let keys = self.members.get("TagKeys").and_then(Value::as_array);
                let keys = keys.into_iter().flatten().filter_map(Value::as_str);
                need.keys.insert("aws:tagkeys".to_owned(), keys.map(str::to_owned).collect());
                vec![need]
            }
            "ListTagsForResource" => vec![self.need(&action, &self.tagged())],
            "EnableAWSServiceAccess" | "DisableAWSServiceAccess" => {
                let principal = self.member("ServicePrincipal");
                let mut needs = vec![self.trusted_access(operation, principal)];
                if operation == "EnableAWSServiceAccess" && principal == BACKUP {
                    let role = self.service_role(BACKUP, "AWSServiceRoleForBackup");
                    let create = "iam:CreateServiceLinkedRole";
                    needs.push(self.with(create, &role, "iam:awsservicename", BACKUP));
                }
                needs
            }
            "RegisterDelegatedAdministrator" | "DeregisterDelegatedAdministrator" => {
                let (arn, principal) = (node("AccountId"), self.member("ServicePrincipal"));
                vec![self.with(&action, &arn, "organizations:serviceprincipal", principal)]
            }
            "DescribeAccount"
            | "ListDelegatedServicesForAccount"
            | "RemoveAccountFromOrganization" => {
                vec![self.need(&action, &node("AccountId"))]
            }
            "DescribeOrganizationalUnit" | "DeleteOrganizationalUnit" => {
                vec![self.need(&action, &node("OrganizationalUnitId"))]
            }
            "ListParents" => vec![self.need(&action, &node("ChildId"))],
            "ListAccountsForParent"
            | "ListOrganizationalUnitsForParent"
            | "ListChildren"
            | "CreateOrganizationalUnit" => vec![self.need(&action, &node("ParentId"))],
            "MoveAccount" => {
                let members = ["AccountId", "SourceParentId", "DestinationParentId"];
                members.into_iter().map(|it| self.need(&action, &node(it))).collect()
            }
            _ => vec![self.need(&action, "*")],
        }
    }

    /// Returns the ARN and the type of the policy that the request names. They are made up if it
    /// does not exist.
    fn policy(&self) -> (String, String) {
        let (organization, id) = (&self.world.organization, self.member("PolicyId"));
        if let Ok(policy) = organization.policy(id) {
            return (organization.policy_arn(policy), policy.kind.clone());
        }
        let path = format!("/{}/{id}", BACKUP_POLICY.to_ascii_lowercase());
        (organization.arn("policy", &path), BACKUP_POLICY.to_owned())
    }

    /// Returns the ARN of the resource to tag.
    fn tagged(&self) -> String {
        let (organization, id) = (&self.world.organization, self.member("ResourceId"));
        match organization.policy(id) {
            Ok(policy) => organization.policy_arn(policy),
            Err(_) => organization.arn_of(id),
        }
    }

    /// Returns the permission to set the tags of the request, if it has tags.
    fn tags(&self, action: &str, resource: &str) -> Option<Need> {
        let tags = self.members.get("Tags").and_then(Value::as_array)?;
        let text = |tag: &Value, member: &str| Some(tag.get(member)?.as_str()?.to_owned());
        let mut need = self.need(action, resource);
        let keys: Vec<_> = tags.iter().filter_map(|it| text(it, "Key")).collect();
        for tag in tags {
            if let (Some(key), Some(value)) = (text(tag, "Key"), text(tag, "Value")) {
                let key = format!("aws:requesttag/{}", key.to_ascii_lowercase());
                need.keys.insert(key, vec![value]);
            }
        }
        need.keys.insert("aws:tagkeys".to_owned(), keys);
        (!tags.is_empty()).then_some(need)
    }

    fn trusted_access(&self, operation: &str, principal: &str) -> Need {
        let action = format!("organizations:{operation}");
        self.with(&action, "*", "organizations:serviceprincipal", principal)
    }

    /// Returns the ARN of the role that AWS creates for a service, on behalf of the caller.
    fn service_role(&self, principal: &str, name: &str) -> String {
        let (partition, account) = (self.world.organization.partition(), &self.call.caller.account);
        format!("arn:{partition}:iam::{account}:role/aws-service-role/{principal}/{name}")
    }

    fn backup(&self, operation: &str) -> Vec<Need> {
        let action = format!("backup:{operation}");
        match operation {
            "DescribeBackupVault"
            | "GetBackupVaultAccessPolicy"
            | "ListRecoveryPointsByBackupVault" => {
                let name = backup::vault_name(self.call);
                vec![self.need(&action, &self.arn("backup", &format!("backup-vault:{name}")))]
            }
            "DescribeRecoveryPoint" | "GetRecoveryPointRestoreMetadata" => {
                vec![self.need(&action, &backup::point_arn(self.call))]
            }
            "StartBackupJob" => {
                let vault = format!("backup-vault:{}", self.member("BackupVaultName"));
                vec![self.need(&action, &self.arn("backup", &vault)), self.pass_role()]
            }
            "StartCopyJob" | "StartRestoreJob" => {
                vec![self.need(&action, &backup::point_arn(self.call)), self.pass_role()]
            }
            "GetBackupPlan" | "ListBackupSelections" | "GetBackupSelection" => {
                vec![self.need(&action, &backup::plan_arn(self.world, self.call))]
            }
            "DescribeGlobalSettings" | "UpdateGlobalSettings" => {
                // AWS Backup checks on the caller's behalf if it is the management account.
                let organization = "organizations:DescribeOrganization";
                vec![self.need(&action, "*"), self.need(organization, "*")]
            }
            _ => vec![self.need(&action, "*")],
        }
    }

    /// Returns the permission to pass the role of a request to AWS Backup.
    fn pass_role(&self) -> Need {
        let role = self.member("IamRoleArn");
        self.with("iam:PassRole", role, "iam:passedtoservice", BACKUP)
    }

    fn explorer(&self, operation: &str) -> Vec<Need> {
        let action = format!("resource-explorer-2:{operation}");
        let named = Some(self.member("ViewArn")).filter(|it| !it.is_empty()).map(str::to_owned);
        let named = named.or_else(|| explorer::default_arn(self.world, self.call));
        let view = named.unwrap_or_else(|| "*".to_owned());
        match operation {
            "GetView" => vec![self.need(&action, &view)],
            // The page of the operation names one of these, and the service authorization reference
            // the other.
            "ListResources" => {
                vec![self.need(&action, &view), self.need("resource-explorer-2:Search", &view)]
            }
            _ => vec![self.need(&action, "*")],
        }
    }

    fn cloudformation(&self, operation: &str) -> Vec<Need> {
        let stack = self.call.parameter("StackName").map(|name| {
            let found = cloudformation::named(self.world, self.call, name);
            // A stack that does not exist has no ARN, so its name stands in the resource.
            let missing = || match name {
                arn if arn.starts_with("arn:") => arn.to_owned(),
                name => self.arn("cloudformation", &format!("stack/{name}/*")),
            };
            found.map_or_else(missing, |it| cloudformation::arn(self.world, self.call, it))
        });
        let resource = stack.as_deref().unwrap_or("*");
        let mut needs = vec![self.need(&format!("cloudformation:{operation}"), resource)];
        let trusted = |operation| STACK_SETS.map(|it| self.trusted_access(operation, it));
        match operation {
            "ActivateOrganizationsAccess" => {
                needs.extend(trusted("EnableAWSServiceAccess"));
                let role = "AWSServiceRoleForCloudFormationStackSetsOrgAdmin";
                let role = self.service_role("stacksets.cloudformation.amazonaws.com", role);
                // AWS's sample policy needed these without the name of the service, and the
                // permission to read.
                let actions = ["iam:CreateServiceLinkedRole", "iam:GetRole"];
                needs.extend(actions.map(|it| self.need(it, &role)));
            }
            "DeactivateOrganizationsAccess" => needs.extend(trusted("DisableAWSServiceAccess")),
            _ => {}
        }
        needs
    }

    fn cloudtrail(&self, operation: &str) -> Vec<Need> {
        let action = format!("cloudtrail:{operation}");
        let name = match operation {
            "DescribeTrails" => return vec![self.need(&action, "*")],
            "GetTrailStatus" => self.member("Name"),
            _ => self.member("TrailName"),
        };
        let is_arn = name.starts_with("arn:");
        let own = || self.arn("cloudtrail", &format!("trail/{name}"));
        vec![self.need(&action, &if is_arn { name.to_owned() } else { own() })]
    }

    fn iam(&self, operation: &str) -> Need {
        if operation != "CreateServiceLinkedRole" {
            return self.need(&format!("iam:{operation}"), &self.role());
        }
        let service = self.call.parameter("AWSServiceName").unwrap_or_default();
        let role = self.service_role(service, iam::service_role(service).unwrap_or_default());
        let mut need = self.need("iam:CreateServiceLinkedRole", &role);
        need.keys.insert("iam:awsservicename".to_owned(), vec![service.to_owned()]);
        need
    }

    fn role(&self) -> String {
        let (partition, account) = (self.world.organization.partition(), &self.call.caller.account);
        let name = self.call.parameter("RoleName").unwrap_or_default();
        match self.world.iam.role(account, name) {
            Some(role) => role.arn(partition, account),
            None => format!("arn:{partition}:iam::{account}:role/{name}"),
        }
    }

    fn assume_role(&self) -> Need {
        let role = self.call.parameter("RoleArn").unwrap_or_default();
        let mut need = self.need("sts:AssumeRole", role);
        let account = Arn::parse(role).map_or("", |it| it.account);
        if self.world.organization.account(account).is_ok() {
            let organization = self.world.organization.id.clone();
            need.keys.insert("aws:resourceorgid".to_owned(), vec![organization]);
        }
        need
    }

    fn describe_key(&self) -> Need {
        let arn = match self.member("KeyId") {
            arn if arn.starts_with("arn:") => arn.to_owned(),
            id => self.arn("kms", &format!("key/{id}")),
        };
        let mut need = self.need("kms:DescribeKey", &arn);
        let aliases = self.world.kms.aliases(arn.rsplit('/').next().unwrap_or_default());
        need.keys.insert("kms:resourcealiases".to_owned(), aliases.to_vec());
        need
    }

    /// What putting events on each of the buses needs.
    fn put_events(&self) -> Vec<Need> {
        let body: Value = serde_json::from_slice(&self.call.body).unwrap_or_default();
        let entries = body.get("Entries").and_then(Value::as_array).into_iter().flatten();
        let bus = |it: &Value| {
            let named = it.get("EventBusName").and_then(Value::as_str).unwrap_or("default");
            match named {
                arn if arn.starts_with("arn:") => arn.to_owned(),
                name => self.arn("events", &format!("event-bus/{name}")),
            }
        };
        let buses: BTreeSet<_> = entries.map(bus).collect();
        buses.iter().map(|it| self.need("events:PutEvents", it)).collect()
    }

    fn import_findings(&self) -> Vec<Need> {
        let product = security_hub::product(self.world, self.call);
        vec![self.need("securityhub:BatchImportFindings", &product)]
    }

    fn publish(&self, topic: &str) -> Vec<Need> {
        let mut needs = vec![self.need("sns:Publish", topic)];
        if let Some(key) = self.world.topics.key_of(topic) {
            let used = ["kms:Decrypt", "kms:GenerateDataKey"];
            needs.extend(used.map(|it| self.through("sns", it, key)));
        }
        needs
    }

    /// Returns the permission that S3 needs for the key of a bucket on behalf of the caller.
    fn bucket_key(&self, bucket: &str, action: &str) -> Option<Need> {
        Some(self.through("s3", action, self.world.buckets.key_of(bucket)?))
    }

    /// Returns the permission that a service needs for `key` on behalf of the caller.
    fn through(&self, service: &str, action: &str, key: &str) -> Need {
        let suffix = self.world.organization.partition().url_suffix();
        let via = format!("{service}.{}.{suffix}", self.call.caller.region);
        self.with(action, key, "kms:viaservice", &via)
    }

    fn objects(&self, operation: &str) -> Vec<Need> {
        let (bucket, key) = address(&self.call.path);
        let arn = format!("arn:{}:s3:::{bucket}/{key}", self.world.organization.partition());
        let version = self.call.parameter("versionId").map_or("", |_| "Version");
        let read = |version: &str| self.need(&format!("s3:GetObject{version}"), &arn);
        let compares = self.call.header("IfMatch", "if-match").is_some();
        match operation {
            "ListObjectsV2" => {
                let mut need = listing(self.world, self.call, &bucket);
                let prefix = self.call.parameter("prefix").unwrap_or_default();
                need.keys.insert("s3:prefix".to_owned(), vec![prefix.to_owned()]);
                vec![need]
            }
            "GetBucketEncryption" => {
                let bucket = format!("arn:{}:s3:::{bucket}", self.world.organization.partition());
                vec![self.need("s3:GetEncryptionConfiguration", &bucket)]
            }
            "PutObject" | "DeleteObject" => {
                let version = if operation == "DeleteObject" { version } else { "" };
                let write = self.need(&format!("s3:{operation}{version}"), &arn);
                // A comparison of entity tags reveals something of the object, so it needs the
                // permission to read.
                let read = compares.then(|| read(""));
                let puts = (operation == "PutObject").then_some("kms:GenerateDataKey");
                let key = puts.and_then(|it| match encryption(self.call) {
                    Some(key) => Some(self.through("s3", it, key)),
                    None => self.bucket_key(&bucket, it),
                });
                [write].into_iter().chain(read).chain(key).collect()
            }
            _ => {
                let asked = self.call.parameter("versionId");
                let found = self.world.buckets.get(&bucket, &key, asked).ok();
                let key = found.and_then(|it| it.key.as_deref());
                let key = key.map(|it| self.through("s3", "kms:Decrypt", it));
                [read(version)].into_iter().chain(key).collect()
            }
        }
    }
}
