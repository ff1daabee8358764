//! An AWS to deploy to with the AWS CLI: buckets, stacks, an organization and its StackSets.
//!
//! Functions do not run in it. Of a stack it makes what is rolled out: StackSets, and in accounts the
//! resources of templates with vaults.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "an unexpected call fails the test that made it"
)]

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::rc::Rc;

use plan::owner::OWNER_TAG;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use simulator::{
    Declared, Definition, Deletion, Filter, InstanceStatus, Memberships, Model, Retains, StackSets,
    Targets,
};

use crate::template::{self, Template};

/// The management account.
pub const MANAGEMENT: &str = "111122223333";
/// The account that is entered with a profile.
const OTHER: &str = "444455556666";
/// The account that is entered with the profile of this name.
const ADMINISTRATOR: (&str, &str) = ("backup-administrator", "555566667777");
/// The root of the organization.
pub const ROOT: &str = "r-ab12";
/// The type of a stack in its own events.
const STACK: &str = "AWS::CloudFormation::Stack";

/// Everything that there is.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct World {
    /// The content of objects, by bucket and key.
    pub objects: BTreeMap<String, String>,
    /// Whose each bucket is, where that is not the account of the stack.
    #[serde(default)]
    pub owners: BTreeMap<String, String>,
    /// Whether S3 was given no checksums of objects, as older releases did.
    #[serde(default)]
    pub unchecked: bool,
    /// The versions of objects, by bucket, key and version, where buckets keep them.
    #[serde(default)]
    pub versions: Option<BTreeMap<String, String>>,
    /// What somebody writes over each object as soon as it was looked at or written.
    #[serde(default)]
    pub overwritten_with: Option<String>,
    /// Stacks by account, Region and name.
    pub stacks: BTreeMap<String, Stack>,
    /// Deleted stacks, each with what it was known by.
    #[serde(default)]
    pub gone: Vec<(String, Stack)>,
    /// Where accounts are.
    pub organization: Organization,
    /// StackSets, and what there is in accounts.
    pub stack_sets: StackSets,
    /// The vaults whose locks are final, and those whose locks somebody may take off.
    #[serde(default)]
    pub locks: BTreeMap<String, bool>,
    /// The vaults in which a legal hold keeps the first backup.
    #[serde(default)]
    pub held: BTreeSet<String>,
    /// Backup policies by ID: their names, whose they are and where they are attached.
    #[serde(default)]
    pub policies: BTreeMap<String, (String, String, BTreeSet<String>)>,
    /// The buckets and keys that were deleted.
    #[serde(default)]
    pub deleted: BTreeSet<String>,
    /// The operations that IAM denies.
    #[serde(default)]
    pub denied: BTreeSet<String>,
}

/// A stack.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Stack {
    /// Its status, as in `CREATE_COMPLETE`.
    pub status: String,
    /// The text of its template.
    pub template: String,
    /// Its parameters.
    pub parameters: BTreeMap<String, String>,
    /// Its tags.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    /// Its events, the oldest first: the ID, the resource, its type, its status and the reason.
    #[serde(default)]
    pub events: Vec<Value>,
    /// The stacks that it made in its account, by their names in the template.
    made: BTreeMap<String, String>,
}

impl Stack {
    /// Adds an event of the stack or of one of its resources.
    fn note(&mut self, resource: &str, kind: &str, status: &str, reason: Option<&str>) {
        let id = format!("event-{}", self.events.len());
        self.events.push(json!([id, resource, kind, status, reason]));
    }

    /// Adds the events of the resources that the template has now and had not, or had otherwise.
    fn note_changes(&mut self, before: Option<&Self>, doing: &str) {
        let after = parsed(&self.template);
        let was = before.map(|it| parsed(&it.template));
        for (name, resource) in after.body["Resources"].as_object().unwrap() {
            let old = was.as_ref().and_then(|it| it.body["Resources"].get(name));
            if old != Some(resource) {
                let made = if old.is_some() { doing } else { "CREATE" };
                let kind = resource["Type"].as_str().unwrap();
                self.note(name, kind, &format!("{made}_COMPLETE"), None);
            }
        }
    }
}

/// Where accounts and units are.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Organization {
    /// The parent of each unit.
    pub units: BTreeMap<String, String>,
    /// The parent of each account.
    pub accounts: BTreeMap<String, String>,
}

impl Default for Organization {
    fn default() -> Self {
        let pairs = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
            pairs.iter().map(|(one, other)| ((*one).to_owned(), (*other).to_owned())).collect()
        };
        Self {
            units: pairs(&[
                ("ou-ab12-sandbox1", ROOT),
                ("ou-ab12-sandbox2", "ou-ab12-sandbox1"),
                ("ou-ab12-workload", ROOT),
            ]),
            accounts: pairs(&[
                (MANAGEMENT, ROOT),
                (OTHER, ROOT),
                ("200000000001", "ou-ab12-sandbox1"),
                ("200000000002", "ou-ab12-sandbox1"),
                ("200000000003", "ou-ab12-sandbox2"),
                ("300000000001", "ou-ab12-workload"),
                ("300000000002", "ou-ab12-workload"),
                ("900000000001", ROOT),
            ]),
        }
    }
}

impl Organization {
    /// The units above each account. The management account, which StackSets do not reach, has none.
    fn memberships(&self) -> Memberships {
        let above = |parent: &String| {
            let parents = std::iter::successors(Some(parent), |it| self.units.get(*it));
            parents.cloned().collect::<BTreeSet<_>>()
        };
        let members = self.accounts.iter().filter(|(account, _)| *account != MANAGEMENT);
        members.map(|(account, parent)| (account.clone(), above(parent))).collect()
    }
}

/// A call of the AWS CLI.
#[derive(Debug)]
pub struct Call {
    /// Its words.
    pub words: Vec<String>,
    /// Whether the program that made it is killed after it.
    pub kills: bool,
    /// The stack that cannot be created.
    pub fails: Option<String>,
    /// The account of a session that was assumed in it.
    pub session: Option<String>,
}

impl Call {
    fn option(&self, name: &str) -> Option<&str> {
        let place = self.words.iter().position(|it| it == name)?;
        Some(&self.words[place + 1])
    }

    /// The account that the call is made in.
    fn account(&self) -> &str {
        match self.option("--profile") {
            Some(profile) if profile == ADMINISTRATOR.0 => ADMINISTRATOR.1,
            Some(_) => OTHER,
            None => self.session.as_deref().unwrap_or(MANAGEMENT),
        }
    }

    fn stack(&self) -> String {
        let [region, name] = ["--region", "--stack-name"].map(|it| self.option(it).unwrap());
        // An ARN is that of a stack in the account and Region of the call.
        let name =
            name.split_once(":stack/").and_then(|(_, it)| it.split('/').next()).unwrap_or(name);
        format!("{} {region} {name}", self.account())
    }

    /// What the AWS CLI says of a call that IAM denies, in the words of its service. The role has the codes
    /// of other errors in its name.
    fn denial(&self) -> String {
        let (service, operation) = (&self.words[0], &self.words[1]);
        let operation: String = operation.split('-').map(capitalized).collect();
        let (code, service) = match service.as_str() {
            // S3 has no body for a HEAD, so the AWS CLI knows the status alone.
            "s3api" => {
                return format!(
                    "An error occurred (403) when calling the {operation} operation: Forbidden"
                );
            }
            "iam" | "cloudformation" => ("AccessDenied", service.as_str()),
            _ => ("AccessDeniedException", service.as_str()),
        };
        let role = "NoSuchEntity-StackSetNotFoundException-NotFoundException";
        format!(
            "An error occurred ({code}) when calling the {operation} operation: User: \
             arn:aws:sts::{}:assumed-role/{role}/a is not authorized to perform: \
             {service}:{operation} because no identity-based policy allows the action",
            self.account(),
        )
    }
}

impl World {
    /// What was written into this folder, or a world without stacks.
    ///
    /// # Panics
    ///
    /// When it is not what was written.
    #[must_use]
    pub fn read(folder: &Path) -> Self {
        let text = fs::read(folder.join("world.json"));
        text.map(|it| serde_json::from_slice(&it).unwrap()).unwrap_or_default()
    }

    /// Writes it into a folder.
    ///
    /// # Panics
    ///
    /// When it cannot.
    pub fn write(&self, folder: &Path) {
        fs::write(folder.join("world.json"), serde_json::to_vec(self).unwrap()).unwrap();
    }

    /// Puts an account below a unit, or takes it out of the organization.
    pub fn move_account(&mut self, account: &str, unit: Option<&str>) {
        let before = self.organization.memberships().remove(account).unwrap_or_default();
        match unit {
            Some(it) => self.organization.accounts.insert(account.to_owned(), it.to_owned()),
            None => self.organization.accounts.remove(account),
        };
        let memberships = self.organization.memberships();
        self.stack_sets.moved(account, &before, &memberships, &body);
    }

    /// Has every schedule that creates stacks of StackSets do that.
    ///
    /// # Panics
    ///
    /// When what it would send is not what the API takes.
    pub fn tick(&mut self) {
        let mut inputs = Vec::new();
        for (id, stack) in &self.stacks {
            let template = parsed(&stack.template);
            let resolved = evaluated(&template, id, &stack.parameters);
            for (_, schedule) in template.resources("AWS::Scheduler::Schedule") {
                let state = schedule["Properties"].get("State").and_then(|it| resolved.resolve(it));
                let is_on = state.is_none_or(|it| it == "ENABLED");
                let target = resolved.resolve(&schedule["Properties"]["Target"]).unwrap();
                if is_on
                    && target["Arn"]
                        .as_str()
                        .unwrap()
                        .ends_with(":cloudformation:createStackInstances")
                {
                    inputs.push(target["Input"].as_str().unwrap().to_owned());
                }
            }
        }
        for input in inputs {
            let request = serde_json::from_str(&input).unwrap();
            self.operate("create-stack-instances", &request).unwrap();
        }
    }

    /// Answers a call.
    ///
    /// # Errors
    ///
    /// When AWS would refuse it, or nobody should make it.
    ///
    /// # Panics
    ///
    /// When words are missing in it.
    pub fn answer(&mut self, call: &Call) -> Result<String, String> {
        let words: Vec<_> = call.words.iter().take(2).map(String::as_str).collect();
        if self.denied.contains(words[1]) {
            return Err(call.denial());
        }
        match words[..] {
            ["sts", "get-caller-identity"] => Ok(call.account().to_owned()),
            ["organizations", operation] => self.organizations(call, operation),
            ["s3api", operation] => self.s3(call, operation),
            ["iam", "get-role"] => self.role(call),
            ["iam", operation] => self.roles(call, operation),
            ["sts", "assume-role"] => {
                let account = call.option("--role-arn").unwrap().split(':').nth(4).unwrap();
                Ok(json!([format!("session-of-{account}"), "secret", "token"]).to_string())
            }
            ["backup", operation] => self.backup(call, operation),
            ["kms", operation] => {
                let (key, region) = (call.option("--key-id").unwrap(), call.option("--region"));
                // The key of a vault is known by its ID as well.
                let key = match (key.strip_prefix("of-"), region) {
                    (Some(_), Some(it)) => format!("arn:aws:kms:{it}:{}:key/{key}", call.account()),
                    _ => key.to_owned(),
                };
                match operation {
                    "describe-key" if self.deleted.contains(&key) => {
                        Ok("PendingDeletion".to_owned())
                    }
                    "describe-key" => Ok("Enabled".to_owned()),
                    "schedule-key-deletion" if self.deleted.insert(key) => Ok(String::new()),
                    _ => Err(format!("nobody should call {operation} twice")),
                }
            }
            ["cloudformation", "list-stacks"] => Ok(self.list_gone(call)),
            ["cloudformation", "list-stack-resources"] => self.list_left(call),
            ["cloudformation", "describe-stacks"] if call.option("--stack-name").is_none() => {
                let here = self.stacks.iter().map(|(id, stack)| (id.as_str(), stack));
                Ok(listed(call, here, |_, name, description| json!([name, description])))
            }
            ["cloudformation", operation] if call.option("--stack-name").is_some() => {
                self.cloudformation(call, operation)
            }
            ["cloudformation", operation] => self.stack_sets(call, operation),
            _ => Err(format!("nobody should call {words:?}")),
        }
    }

    fn role(&self, call: &Call) -> Result<String, String> {
        let (account, name) = (call.account(), call.option("--role-name").unwrap());
        let is_there =
            self.stack_sets.resources().contains(&format!("{account} - AWS::IAM::Role {name}"));
        let missing = "An error occurred (NoSuchEntity) when calling the GetRole operation: The role \
                       with name";
        let arn = format!("arn:aws:iam::{account}:role/{name}");
        is_there.then_some(arn).ok_or_else(|| format!("{missing} {name} cannot be found."))
    }

    /// What a role has, and what becomes of it.
    fn roles(&mut self, call: &Call, operation: &str) -> Result<String, String> {
        let arn = self.role(call)?;
        let (account, name) = (call.account().to_owned(), arn.rsplit('/').next().unwrap());
        let policies = format!("{account} - policies of {name}");
        match operation {
            "list-attached-role-policies" | "list-role-policies" => {
                let left = !self.deleted.contains(&format!("{policies} by {operation}"));
                Ok(json!(left.then_some("backups").into_iter().collect::<Vec<_>>()).to_string())
            }
            "detach-role-policy" | "delete-role-policy" => {
                let by = if operation.starts_with("detach") {
                    "list-attached-role-policies"
                } else {
                    "list-role-policies"
                };
                self.deleted.insert(format!("{policies} by {by}"));
                Ok(String::new())
            }
            "delete-role" => {
                let is_deleted =
                    self.stack_sets.remove(&format!("{account} - AWS::IAM::Role {name}"));
                is_deleted.then(String::new).ok_or_else(|| format!("{name} was not there"))
            }
            _ => Err(format!("nobody should call {operation}")),
        }
    }

    /// The legal holds of an account in a Region: one, if it keeps a backup there.
    fn holds(&self, call: &Call) -> Vec<(String, String)> {
        let at = format!("{} {} ", call.account(), call.option("--region").unwrap());
        let held = self.held.iter().filter(|it| it.starts_with(&at));
        held.filter_map(|it| Some((it.rsplit(' ').next()?.to_owned(), point(call, 0)))).collect()
    }

    /// Vaults and what is in them.
    fn backup(&mut self, call: &Call, operation: &str) -> Result<String, String> {
        match operation {
            "list-legal-holds" => {
                let is_there = !self.holds(call).is_empty();
                let holds: Vec<_> = is_there.then_some(["hold-1", "audit"]).into_iter().collect();
                return Ok(json!(holds).to_string());
            }
            "list-recovery-points-by-legal-hold" => {
                return Ok(json!(self.holds(call)).to_string());
            }
            _ => {}
        }
        let name = call.option("--backup-vault-name").unwrap();
        let (account, region) = (call.account().to_owned(), call.option("--region").unwrap());
        let kinds = ["AWS::Backup::BackupVault", "AWS::Backup::LogicallyAirGappedBackupVault"];
        let keys = kinds.map(|kind| format!("{account} {region} {kind} {name}"));
        let found = keys.iter().find(|it| self.stack_sets.resources().contains(*it)).ok_or(
            "An error occurred (AccessDeniedException) when calling the DescribeBackupVault operation: \
             Insufficient privileges to perform this action",
        )?;
        let is_gapped = *found == keys[1];
        let lock = self.locks.get(found).copied();
        let count = if self.stack_sets.has_backups(found) { 2 } else { 0 };
        match operation {
            "describe-backup-vault" => Ok(json!({
                "BackupVaultName": name,
                "VaultType": if is_gapped { "LOGICALLY_AIR_GAPPED_BACKUP_VAULT" } else { "BACKUP_VAULT" },
                "EncryptionKeyArn": format!("arn:aws:kms:{region}:{account}:key/of-{name}"),
                "NumberOfRecoveryPoints": count,
                "Locked": lock.is_some(),
                "LockDate": lock.filter(|it| *it).map(|_| "2026-01-01T00:00:00+00:00"),
            })
            .to_string()),
            "list-recovery-points-by-backup-vault" => {
                let points = (0..count).map(|it| point(call, it));
                let is_left = |it: &String| !self.deleted.contains(it);
                Ok(json!(points.filter(is_left).collect::<Vec<_>>()).to_string())
            }
            "delete-backup-vault-lock-configuration" if lock == Some(false) => {
                self.locks.remove(found);
                Ok(String::new())
            }
            "delete-recovery-point" if lock.is_none() && !is_gapped => {
                let arn = call.option("--recovery-point-arn").unwrap();
                if self.held.contains(found) {
                    if arn == point(call, 0) {
                        return Err(format!("An error occurred (InvalidRequestException): {arn} is held"));
                    }
                    self.deleted.insert(arn.to_owned());
                    return Ok(String::new());
                }
                // The last one empties it.
                if call.option("--recovery-point-arn").unwrap().ends_with(":1") {
                    self.stack_sets.empty(found);
                }
                Ok(String::new())
            }
            "delete-backup-vault" if count == 0 => {
                self.stack_sets.remove(found);
                Ok(String::new())
            }
            _ => Err(format!("An error occurred (InvalidRequestException): {operation} of {found}")),
        }
    }

    /// What becomes of buckets, which are there until they are deleted.
    fn bucket(&mut self, call: &Call, operation: &str) -> Result<String, String> {
        let bucket = call.option("--bucket").unwrap().to_owned();
        let policy = format!("policy of {bucket}");
        match operation {
            "head-bucket" if self.deleted.contains(&bucket) => {
                Err("An error occurred (404) when calling the HeadBucket operation".to_owned())
            }
            "head-bucket" => Ok(String::new()),
            "delete-bucket-policy" => {
                self.deleted.insert(policy);
                Ok(String::new())
            }
            "list-object-versions" => {
                let is_empty = self.deleted.contains(&format!("objects of {bucket}"));
                let objects = json!([{ "Key": "desired/a", "VersionId": "v1" }]);
                Ok(json!({ "Objects": if is_empty { Value::Null } else { objects } }).to_string())
            }
            "delete-objects" if self.deleted.contains(&policy) => {
                self.deleted.insert(format!("objects of {bucket}"));
                Ok(String::new())
            }
            "delete-bucket" if self.deleted.contains(&format!("objects of {bucket}")) => {
                self.deleted.insert(bucket);
                Ok(String::new())
            }
            _ => Err(format!("nobody should call {operation} of {bucket}")),
        }
    }

    fn s3(&mut self, call: &Call, operation: &str) -> Result<String, String> {
        if !["head-object", "put-object"].contains(&operation) {
            return self.bucket(call, operation);
        }
        let [bucket, key, owner] =
            ["--bucket", "--key", "--expected-bucket-owner"].map(|it| call.option(it).unwrap());
        let whose = self.owners.get(bucket).map_or(call.account(), String::as_str);
        if whose != owner {
            return Err(match operation {
                // S3 has no body for a HEAD, so the AWS CLI knows the status alone.
                "head-object" => {
                    "An error occurred (403) when calling the HeadObject operation: Forbidden"
                }
                _ => "An error occurred (AccessDenied): Access Denied",
            }
            .to_owned());
        }
        let place = format!("{bucket}/{key}");
        match operation {
            "head-object" => {
                assert_eq!(call.option("--checksum-mode"), Some("ENABLED"));
                let content = self.objects.get(&place).cloned().ok_or(
                    "An error occurred (404) when calling the HeadObject operation: Not Found",
                )?;
                Ok(self.version(&place, &content))
            }
            "put-object" => {
                assert_eq!(call.option("--checksum-algorithm"), Some("SHA256"));
                let source = call.option("--body").unwrap();
                let content = fs::read_to_string(source).map_err(|it| it.to_string())?;
                match self.objects.insert(place.clone(), content.clone()) {
                    None => Ok(self.version(&place, &content)),
                    Some(_) => Err("it is there already".to_owned()),
                }
            }
            _ => Err(format!("nobody should call {operation}")),
        }
    }

    /// What S3 tells of an object: its checksum, and its version where the bucket keeps versions.
    fn version(&mut self, place: &str, content: &str) -> String {
        let id = policy::document::sha256(content.as_bytes());
        let kept = self.versions.as_mut();
        let version = kept.map(|it| {
            it.insert(format!("{place}?versionId={id}"), content.to_owned());
            id
        });
        if let Some(other) = &self.overwritten_with {
            self.objects.insert(place.to_owned(), other.clone());
        }
        json!([Some(checksum(content)).filter(|_| !self.unchecked), version]).to_string()
    }

    /// Everything that can be read from buckets: the newest of each object, and its versions.
    fn readable(&self) -> BTreeMap<String, String> {
        let versions = self.versions.iter().flatten();
        let all = self.objects.iter().chain(versions);
        all.map(|(place, content)| (place.clone(), content.clone())).collect()
    }

    /// What Lambda and Step Functions read for the stacks that there are, by its place.
    ///
    /// # Panics
    ///
    /// When a stack names what is not there.
    #[must_use]
    pub fn code(&self) -> BTreeMap<String, String> {
        let readable = self.readable();
        let mut code = BTreeMap::new();
        for (id, stack) in &self.stacks {
            let template = parsed(&stack.template);
            let resolved = evaluated(&template, id, &stack.parameters);
            let functions = template.resources("AWS::Lambda::Function").into_iter();
            let functions = functions.map(|it| &it.1["Properties"]["Code"]);
            let machines = template.resources("AWS::StepFunctions::StateMachine").into_iter();
            let machines = machines.map(|it| &it.1["Properties"]["DefinitionS3Location"]);
            for location in functions.chain(machines) {
                let location = resolved.resolve(location).unwrap();
                let text = |names: [&str; 2]| names.iter().find_map(|it| location[*it].as_str());
                let bucket = text(["S3Bucket", "Bucket"]).unwrap();
                let place = format!("{bucket}/{}", text(["S3Key", "Key"]).unwrap());
                let version = text(["S3ObjectVersion", "Version"]);
                let version = version.map(|it| format!("?versionId={it}")).unwrap_or_default();
                code.insert(place.clone(), readable[&(place + &version)].clone());
            }
        }
        code
    }

    fn organizations(&mut self, call: &Call, operation: &str) -> Result<String, String> {
        let children = |of: &BTreeMap<String, String>| {
            let parent = call.option("--parent-id").unwrap();
            let children = of.iter().filter(|it| it.1 == parent).map(|it| it.0.clone());
            json!(children.collect::<Vec<_>>()).to_string()
        };
        match operation {
            "describe-organization" => Ok(json!(["o-a1b2c3d4e5", MANAGEMENT]).to_string()),
            "list-roots" => Ok(ROOT.to_owned()),
            "list-accounts-for-parent" => Ok(children(&self.organization.accounts)),
            "list-organizational-units-for-parent" => Ok(children(&self.organization.units)),
            "list-policies" => {
                let row =
                    |(id, it): (&String, &(String, String, BTreeSet<String>))| json!([id, it.0]);
                Ok(json!(self.policies.iter().map(row).collect::<Vec<_>>()).to_string())
            }
            "list-tags-for-resource" => {
                let query = format!("Tags[?Key == '{OWNER_TAG}'].Value");
                let is_asked = call.option("--query") == Some(query.as_str());
                let owner = &self.policies[call.option("--resource-id").unwrap()].1;
                Ok(if is_asked { owner.clone() } else { String::new() })
            }
            "list-targets-for-policy" => {
                Ok(json!(self.policies[call.option("--policy-id").unwrap()].2).to_string())
            }
            "detach-policy" => {
                let policy = self.policies.get_mut(call.option("--policy-id").unwrap()).unwrap();
                let is_detached = policy.2.remove(call.option("--target-id").unwrap());
                is_detached.then(String::new).ok_or_else(|| "PolicyNotAttachedException".to_owned())
            }
            "delete-policy" => {
                let policy = self.policies.remove(call.option("--policy-id").unwrap()).unwrap();
                assert!(policy.2.is_empty(), "{policy:?} is still attached");
                Ok(String::new())
            }
            _ => Err(format!("nobody should call {operation}")),
        }
    }

    fn stack_sets(&mut self, call: &Call, operation: &str) -> Result<String, String> {
        let ended = || {
            let id = call.option("--operation-id").unwrap();
            self.stack_sets.operation(id).ok_or_else(|| format!("{id} is not known"))
        };
        match operation {
            "list-stack-instances" => {
                let name = call.option("--stack-set-name").unwrap();
                let missing = format!(
                    "An error occurred (StackSetNotFoundException) when calling the \
                     ListStackInstances operation: StackSet {name} not found"
                );
                let instances = self.stack_sets.instances(name).ok_or(missing)?;
                let row = |(account, region, it): &(&str, &str, &simulator::Instance)| {
                    let status = match it.status {
                        InstanceStatus::Current => "CURRENT",
                        InstanceStatus::Outdated => "OUTDATED",
                        InstanceStatus::Inoperable => "INOPERABLE",
                    };
                    json!([account, region, it.unit, status])
                };
                Ok(json!(instances.iter().map(row).collect::<Vec<_>>()).to_string())
            }
            "describe-stack-set" => {
                let name = call.option("--stack-set-name").unwrap();
                let missing = format!(
                    "An error occurred (StackSetNotFoundException) when calling the \
                     DescribeStackSet operation: StackSet {name} not found"
                );
                let definition = self.stack_sets.definition(name).ok_or(missing)?;
                let parameters = definition.parameters.iter().map(described);
                let parameters: Vec<_> = parameters.collect();
                Ok(json!([as_kept(&definition.template), parameters]).to_string())
            }
            "describe-stack-set-operation" => {
                Ok(if ended()?.succeeded { "SUCCEEDED" } else { "FAILED" }.to_owned())
            }
            "list-stack-set-operation-results" => {
                let failed = ended()?.failed.iter();
                let row = |(account, region, reason): &(String, String, String)| {
                    json!([account, region, "FAILED", reason])
                };
                Ok(json!(failed.map(row).collect::<Vec<_>>()).to_string())
            }
            _ => {
                let request = call.option("--cli-input-json");
                let request = request.ok_or_else(|| format!("nobody should call {operation}"))?;
                self.operate(operation, &serde_json::from_str(request).unwrap())
            }
        }
    }

    /// Runs an operation of StackSets and returns its ID.
    fn operate(&mut self, operation: &str, request: &Value) -> Result<String, String> {
        let name = request["StackSetName"].as_str().unwrap();
        let mut targets = targets(&request["DeploymentTargets"]);
        targets.regions = texts(&request["Regions"]);
        let memberships = self.organization.memberships();
        let sets = &mut self.stack_sets;
        let tolerance = percentage(&request["OperationPreferences"]);
        let done = match operation {
            "create-stack-instances" => {
                sets.create_instances(name, &targets, tolerance, &memberships, &body)
            }
            "update-stack-instances" => {
                sets.update_instances(name, &targets, tolerance, &memberships, &body)
            }
            "delete-stack-instances" => {
                let retains = request["RetainStacks"].as_bool().unwrap();
                sets.delete_instances(name, &targets, retains, &memberships)
            }
            _ => return Err(format!("nobody should call {operation}")),
        };
        done.map_err(|it| format!("{name}: {it:?}"))
    }

    fn cloudformation(&mut self, call: &Call, operation: &str) -> Result<String, String> {
        let id = call.stack();
        let name = call.option("--stack-name").unwrap();
        let found = self.stacks.get_mut(&id);
        match operation {
            "wait" => {
                match found.map(|it| &mut it.status) {
                    Some(it) if it == "DELETE_IN_PROGRESS" => {
                        let stack = self.stacks.remove(&id).unwrap();
                        self.gone.push((id, stack));
                    }
                    Some(it) if it == "DELETE_FAILED" => return Err(format!("{id} is {it}")),
                    Some(it) => *it = it.replace("IN_PROGRESS", "COMPLETE"),
                    None => {}
                }
                Ok(String::new())
            }
            "delete-stack" => {
                // What was nested in a stack is known by its own ID.
                let Some(stack) = found.cloned() else {
                    return self.stack_sets.delete_stack(name).map(|()| String::new());
                };
                if let Some(user) = self.importer(&id) {
                    return Err(format!("an export of {id} is in use by {user}"));
                }
                let is_deleted = self.unmake(&id, &stack);
                let status = if is_deleted { "DELETE_IN_PROGRESS" } else { "DELETE_FAILED" };
                status.clone_into(&mut self.stacks.get_mut(&id).unwrap().status);
                Ok(String::new())
            }
            "describe-stacks" => {
                // A deleted stack is known by its ARN.
                let mut gone =
                    self.gone.iter().filter(|(it, _)| name.contains(":stack/") && *it == id);
                let found = found.map(|it| &*it).or_else(|| gone.next().map(|it| &it.1));
                let stack = found.ok_or(format!(
                    "An error occurred (ValidationError) when calling the DescribeStacks \
                     operation: Stack with id {name} does not exist"
                ))?;
                let parameters: Vec<_> = stack.parameters.iter().map(described).collect();
                // The bucket of the bootstrap stack.
                let bucket = json!({
                    "OutputKey": "StateBucketName", "OutputValue": format!("state-of-{name}"),
                });
                let tag = |(key, value): (&String, &String)| json!({ "Key": key, "Value": value });
                let tags: Vec<_> = stack.tags.iter().map(tag).collect();
                let stack = json!({
                    "StackStatus": stack.status, "Parameters": parameters, "Tags": tags,
                    "Outputs": [bucket],
                });
                Ok(json!({ "Stacks": [stack] }).to_string())
            }
            "get-template" => Ok(as_kept(&found.unwrap().template)),
            "describe-stack-events" => {
                let missing =
                    format!("An error occurred (ValidationError): Stack [{name}] does not exist");
                let newest = found.ok_or(missing)?.events.iter().rev();
                Ok(json!(newest.collect::<Vec<_>>()).to_string())
            }
            "deploy" => self.deploy(call, name, &id),
            _ => Err(format!("nobody should call {operation}")),
        }
    }

    /// The deleted stacks of an account in a Region: their names, descriptions and IDs.
    fn list_gone(&self, call: &Call) -> String {
        let gone = self.gone.iter().map(|(id, stack)| (id.as_str(), stack));
        listed(call, gone, |number, name, description| {
            json!([name, description, format!("deleted stack {number}")])
        })
    }

    /// The nested stacks, buckets and keys that a deleted stack left.
    fn list_left(&self, call: &Call) -> Result<String, String> {
        let name = call.option("--stack-name").unwrap();
        let number = name.strip_prefix("deleted stack ").and_then(|it| it.parse::<usize>().ok());
        let (id, stack) = number.and_then(|it| self.gone.get(it)).ok_or("it is not deleted")?;
        let name = id.split(' ').nth(2).unwrap();
        let template = parsed(&stack.template);
        let nested = |it: &String| json!(["AWS::CloudFormation::Stack", it]);
        let mut rows: Vec<_> = stack.made.values().map(nested).collect();
        for (kind, word) in [("AWS::S3::Bucket", "bucket"), ("AWS::KMS::Key", "key")] {
            let all = template.resources(kind).into_iter().filter(|it| it.1["Type"] == kind);
            for (resource, _) in all.filter(|it| deletion(it.1) != Deletion::Delete) {
                // The key of a vault is known by the vault.
                let vault = stack.parameters.get("VaultName").filter(|_| resource == "VaultKey");
                let own = || format!("{word} {resource} of {name}");
                rows.push(json!([kind, vault.map_or_else(own, |it| format!("of-{it}"))]));
            }
        }
        Ok(json!(rows).to_string())
    }

    fn deploy(&mut self, call: &Call, name: &str, id: &str) -> Result<String, String> {
        let template = fs::read_to_string(call.option("--template-file").unwrap()).unwrap();
        let place = call.words.iter().position(|it| it == "--parameter-overrides").unwrap();
        let pair = |it: &String| {
            let (key, value) = it.split_once('=').unwrap();
            (key.to_owned(), value.to_owned())
        };
        let parameters = call.words[place + 1..].iter().map(pair).collect();
        let tags = call.words.iter().skip_while(|it| *it != "--tags").skip(1);
        let tags = tags.take_while(|it| !it.starts_with("--")).map(pair).collect();
        let before = self.stacks.get(id).cloned();
        let doing = if before.is_some() { "UPDATE" } else { "CREATE" };
        let state = before.as_ref().map(|it| it.status.as_str());
        if state.is_some_and(|it| it.ends_with("IN_PROGRESS") || it == "ROLLBACK_COMPLETE") {
            return Err(format!("{id} is {}", state.unwrap_or_default()));
        }
        let end = if call.kills { "IN_PROGRESS" } else { "COMPLETE" };
        let status = format!("{doing}_{end}");
        let events = before.as_ref().map(|it| it.events.clone()).unwrap_or_default();
        let mut stack = Stack { status, template, parameters, tags, events, ..Stack::default() };
        stack.note(name, STACK, &format!("{doing}_IN_PROGRESS"), Some("User Initiated"));
        let failure = "Failed to create/update the stack.".to_owned();
        let made = if call.fails.as_deref() == Some(name) {
            Err(failure.clone())
        } else {
            self.make(id, before.as_ref(), &mut stack)
        };
        if let Err(reason) = made {
            stack.note(name, STACK, &format!("{doing}_FAILED"), Some(&reason));
            let events = stack.events.clone();
            let mut rolled_back = if let Some(mut before) = before {
                let again = self.make(id, Some(&stack), &mut before);
                let end = if again.is_ok() { "COMPLETE" } else { "FAILED" };
                before.status = format!("UPDATE_ROLLBACK_{end}");
                before
            } else {
                let end = if self.unmake(id, &stack) { "COMPLETE" } else { "FAILED" };
                stack.status = format!("ROLLBACK_{end}");
                stack.made.clear();
                stack
            };
            rolled_back.events = events;
            self.stacks.insert(id.to_owned(), rolled_back);
            return Err(format!("{failure} {reason}"));
        }
        stack.note_changes(before.as_ref(), doing);
        if !call.kills {
            stack.note(name, STACK, &format!("{doing}_COMPLETE"), None);
        }
        self.stacks.insert(id.to_owned(), stack);
        Ok(String::new())
    }

    /// Makes what a stack rolls out as its new template and parameters have it.
    fn make(&mut self, id: &str, before: Option<&Stack>, stack: &mut Stack) -> Result<(), String> {
        let old = before.map(|it| it.made.clone()).unwrap_or_default();
        stack.made.clone_from(&old);
        let memberships = self.organization.memberships();
        let readable = self.readable();
        let was = before.map(|it| models(id, it, &readable)).unwrap_or_default();
        let will = models(id, stack, &readable);
        for after in &will {
            let was = was.iter().find(|it| it.name == after.name);
            let done = match was.filter(|it| self.stack_sets.instances(&it.name).is_some()) {
                Some(it) => self.stack_sets.update_resource(it, after, &memberships, &body),
                None => self.stack_sets.create_resource(after, &memberships, &body),
            };
            done.map_err(|it| format!("{}: {it:?}", after.name))?;
        }
        let account = id.split(' ').next().unwrap();
        let parts = parts(id, stack, &readable);
        for (name, part) in &parts {
            let (made, outcome) = match old.get(name) {
                Some(it) => (it.clone(), self.stack_sets.update_stack(it, &part.declared)),
                None => self.stack_sets.create_stack(account, region_of(id), &part.declared),
            };
            stack.made.insert(name.clone(), made);
            outcome?;
        }
        // What is no longer there is deleted at the end, and where that fails, left.
        for before in was.iter().filter(|it| !will.iter().any(|after| after.name == it.name)) {
            let _ = self.stack_sets.delete_resource(before, &memberships);
        }
        for (name, made) in old.iter().filter(|(name, _)| !parts.contains_key(*name)) {
            // Its template is no longer there, and neither is its deletion policy.
            let kept = parsed(&before.unwrap().template);
            if deletion(&kept.body["Resources"][name]) == Deletion::Delete {
                let _ = self.stack_sets.delete_stack(made);
            }
            stack.made.remove(name);
        }
        Ok(())
    }

    /// Deletes what a stack rolls out, as far as AWS does that.
    fn unmake(&mut self, id: &str, stack: &Stack) -> bool {
        let memberships = self.organization.memberships();
        let readable = self.readable();
        let sets = models(id, stack, &readable);
        let is_there = |it: &&Model| self.stack_sets.instances(&it.name).is_some();
        let sets: Vec<_> = sets.iter().filter(is_there).cloned().collect();
        let mut is_deleted = true;
        for it in &sets {
            is_deleted &= self.stack_sets.delete_resource(it, &memberships).is_ok();
        }
        for (name, part) in parts(id, stack, &readable) {
            if let Some(made) = stack.made.get(&name).filter(|_| part.deletion == Deletion::Delete)
            {
                is_deleted &= self.stack_sets.delete_stack(made).is_ok();
            }
        }
        is_deleted
    }

    /// A stack that imports what this one exports.
    fn importer(&self, id: &str) -> Option<&String> {
        let exported = |id: &str, stack: &Stack| {
            let template = parsed(&stack.template);
            let resolved = evaluated(&template, id, &stack.parameters);
            let outputs = template.body["Outputs"].as_object().into_iter().flatten();
            let names = outputs.filter(|(_, it)| !it["Export"].is_null());
            names
                .map(|(_, it)| resolved.resolve(&it["Export"]["Name"]).unwrap())
                .collect::<Vec<_>>()
        };
        let exported = exported(id, &self.stacks[id]);
        let others = self.stacks.iter().filter(|(other, _)| *other != id);
        let mut users = others.filter(|(other, stack)| {
            let template = parsed(&stack.template);
            let resolved = evaluated(&template, other, &stack.parameters);
            let mut imported = Vec::new();
            template::find(&template.body["Resources"], "Fn::ImportValue", &mut imported);
            imported.iter().any(|it| exported.contains(&resolved.resolve(it).unwrap()))
        });
        users.next().map(|it| it.0)
    }
}

/// What a stack makes in its own account.
struct Part {
    declared: Vec<Declared>,
    deletion: Deletion,
}

/// The Region in the ID of a stack.
fn region_of(id: &str) -> &str {
    id.split(' ').nth(1).unwrap()
}

/// A template, which is read once however often it is looked into.
fn parsed(text: &str) -> Rc<Template> {
    thread_local! {
        static PARSED: RefCell<BTreeMap<String, Rc<Template>>> = RefCell::default();
    }
    PARSED.with_borrow_mut(|it| {
        let read = || Rc::new(Template::of_text("deployed", text));
        it.entry(text.to_owned()).or_insert_with(read).clone()
    })
}

/// A template with the parameters of the stack of this ID.
fn evaluated<'a>(
    template: &'a Template,
    id: &'a str,
    parameters: &'a BTreeMap<String, String>,
) -> template::Stack<'a> {
    let [account, region, name] = [0, 1, 2].map(|place| id.split(' ').nth(place).unwrap());
    let own = [
        ("AWS::AccountId", account),
        ("AWS::Partition", "aws"),
        ("AWS::Region", region),
        ("AWS::StackName", name),
    ];
    let given = parameters.iter().map(|(key, it)| (key.as_str(), it.as_str()));
    template.with(&given.chain(own).collect::<Vec<_>>())
}

/// The StackSets of a stack.
fn models(id: &str, stack: &Stack, objects: &BTreeMap<String, String>) -> Vec<Model> {
    let template = parsed(&stack.template);
    let resolved = evaluated(&template, id, &stack.parameters);
    let made = template.resources("AWS::CloudFormation::StackSet").into_iter();
    let made = made.filter(|(_, it)| resolved.makes(it)).map(|(_, it)| {
        let properties = resolved.resolve(&it["Properties"]).unwrap();
        let text = |it: &Value| it.as_str().unwrap().to_owned();
        let parameters = properties["Parameters"].as_array().unwrap().iter();
        let deploys = &properties["AutoDeployment"];
        let retains = match deploys["RetainStacksOnAccountRemoval"].as_bool() {
            Some(true) => Retains::Stacks,
            _ => Retains::Nothing,
        };
        let group = properties["StackInstancesGroup"].as_array().into_iter().flatten();
        Model {
            name: text(&properties["StackSetName"]),
            definition: Definition {
                template: objects[&object(&properties["TemplateURL"])].clone(),
                parameters: parameters
                    .map(|it| (text(&it["ParameterKey"]), text(&it["ParameterValue"])))
                    .collect(),
                auto_deployment: (deploys["Enabled"] == true).then_some(retains),
            },
            tolerance: percentage(&properties["OperationPreferences"]),
            group: group
                .map(|it| Targets {
                    regions: texts(&it["Regions"]),
                    ..targets(&it["DeploymentTargets"])
                })
                .collect(),
        }
    });
    made.collect()
}

/// What a stack makes in its account: by nested stacks, and by itself if it has a vault.
fn parts(id: &str, stack: &Stack, objects: &BTreeMap<String, String>) -> BTreeMap<String, Part> {
    let template = parsed(&stack.template);
    let resolved = evaluated(&template, id, &stack.parameters);
    if !template.resources("AWS::Backup::BackupVault").is_empty() {
        let declared = declared(&template, region_of(id), &stack.parameters);
        return [(".".to_owned(), Part { declared, deletion: Deletion::Delete })].into();
    }
    let nested = template.resources("AWS::CloudFormation::Stack").into_iter();
    let nested = nested.filter(|(_, it)| it["Type"] == "AWS::CloudFormation::Stack");
    let nested = nested.filter(|(_, it)| resolved.makes(it)).map(|(name, it)| {
        let properties = resolved.resolve(&it["Properties"]).unwrap();
        let body = parsed(&objects[&object(&properties["TemplateURL"])]);
        let given = properties["Parameters"].as_object().unwrap().iter();
        let given = given.map(|(key, it)| (key.clone(), it.as_str().unwrap().to_owned())).collect();
        let declared = declared(&body, region_of(id), &given);
        (name.to_owned(), Part { declared, deletion: deletion(it) })
    });
    nested.collect()
}

/// The body of a StackSet in a Region.
fn body(definition: &Definition, region: &str) -> Vec<Declared> {
    let template = parsed(&definition.template);
    declared(&template, region, &definition.parameters)
}

/// What a template makes in a Region.
fn declared(
    template: &Template,
    region: &str,
    parameters: &BTreeMap<String, String>,
) -> Vec<Declared> {
    let given = parameters.iter().map(|(key, it)| (key.as_str(), it.as_str()));
    let resolved = template.with(&given.chain([("AWS::Region", region)]).collect::<Vec<_>>());
    let made = template.resources("AWS::").into_iter().filter(|(_, it)| resolved.makes(it));
    let made = made.map(|(id, it)| {
        let names = ["AliasName", "BackupVaultName", "RoleName"];
        let name = names.iter().find_map(|name| it["Properties"].get(name));
        let mut after = BTreeSet::new();
        for key in ["Ref", "Fn::GetAtt"] {
            let mut found = Vec::new();
            template::find(it, key, &mut found);
            let first = |it: &Value| it.get(0).unwrap_or(it).as_str().map(str::to_owned);
            after.extend(found.into_iter().filter_map(first));
        }
        after.extend(texts(&it["DependsOn"]));
        after.extend(it["DependsOn"].as_str().map(str::to_owned));
        Declared {
            id: id.to_owned(),
            kind: it["Type"].as_str().unwrap().to_owned(),
            name: name.map(|it| resolved.resolve(it).unwrap().as_str().unwrap().to_owned()),
            deletion: deletion(it),
            after,
        }
    });
    made.collect()
}

/// A word with its first letter in upper case.
fn capitalized(word: &str) -> String {
    let (first, rest) = word.split_at(1);
    first.to_uppercase() + rest
}

fn deletion(resource: &Value) -> Deletion {
    match resource["DeletionPolicy"].as_str() {
        Some("Retain") => Deletion::Retain,
        Some("RetainExceptOnCreate") => Deletion::RetainExceptOnCreate,
        _ => Deletion::Delete,
    }
}

/// The units and the filter of `DeploymentTargets`.
fn targets(value: &Value) -> Targets {
    let accounts = || texts(&value["Accounts"]);
    let units = texts(&value["OrganizationalUnitIds"]);
    Targets {
        // What the stack of `bootstrap.yaml` exports.
        units: units
            .into_iter()
            .map(|it| if it.ends_with("-RootId") { ROOT.to_owned() } else { it })
            .collect(),
        filter: match value["AccountFilterType"].as_str() {
            Some("INTERSECTION") => Filter::Intersection(accounts()),
            Some("DIFFERENCE") => Filter::Difference(accounts()),
            _ => Filter::None,
        },
        regions: BTreeSet::new(),
    }
}

/// The percentage of accounts that may fail.
fn percentage(preferences: &Value) -> usize {
    let text = preferences["FailureTolerancePercentage"].to_string();
    text.trim_matches('"').parse().unwrap()
}

fn texts(value: &Value) -> BTreeSet<String> {
    let list = value.as_array().into_iter().flatten();
    list.map(|it| it.as_str().unwrap().to_owned()).collect()
}

/// The SHA-256 of an object as S3 tells it.
fn checksum(content: &str) -> String {
    let hex = policy::document::sha256(content.as_bytes());
    let byte = |place| u8::from_str_radix(&hex[place..place + 2], 16).unwrap();
    aws_smithy_types::base64::encode((0..hex.len()).step_by(2).map(byte).collect::<Vec<_>>())
}

/// The bucket, key and version in a URL.
fn object(url: &Value) -> String {
    let (bucket, rest) =
        url.as_str().unwrap().strip_prefix("https://").unwrap().split_once(".s3.").unwrap();
    format!("{bucket}/{}", rest.split_once('/').unwrap().1)
}

/// A parameter as CloudFormation describes it.
fn described((key, value): (&String, &String)) -> Value {
    json!({ "ParameterKey": key, "ParameterValue": as_kept(value) })
}

/// A text as CloudFormation tells it, whether it is a template or a parameter.
fn as_kept(text: &str) -> String {
    text.chars().map(|it| if it.is_ascii() { it } else { '?' }).collect()
}

/// Lists the stacks of the account and the Region of a call. `row` makes a row of the number, the
/// name and the description of a stack.
fn listed<'a>(
    call: &Call,
    stacks: impl Iterator<Item = (&'a str, &'a Stack)>,
    row: impl Fn(usize, &str, &Value) -> Value,
) -> String {
    let place = format!("{} {} ", call.account(), call.option("--region").unwrap());
    let rows = stacks.enumerate().filter_map(|(number, (id, stack))| {
        let name = id.strip_prefix(&place)?;
        Some(row(number, name, &parsed(&stack.template).body["Description"]))
    });
    json!(rows.collect::<Vec<_>>()).to_string()
}

/// The ARN of a backup in the account and the Region of a call.
fn point(call: &Call, number: usize) -> String {
    let (account, region) = (call.account(), call.option("--region").unwrap());
    format!("arn:aws:backup:{region}:{account}:{number}")
}
