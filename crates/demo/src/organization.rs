//! The organization behind the demo.

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use simulator::{
    Account, AccountState, BackedUp, Backup, BackupJob, DataServices, EngineCopyJob, EnginePoint,
    EngineRestoreJob, Entry, ExplorerView, Function, KeyManager, KeyType, Organization, Pending,
    Rates, RestoreJob, Role, Settings, Simulator, StackResource, Trail, Vault,
};

use crate::cloudformation::StackChange;
use crate::failure::DemoError;
use crate::ministack::REGION;
use crate::rollout::REGIONS;

/// The role of the function `member-accounts`, which the roles in member accounts trust.
pub(crate) const FUNCTION_ROLE: &str = "org-backup-member-accounts";

/// The role of the operator who runs the command `org-backup`.
pub(crate) const OPERATOR_ROLE: &str = "org-backup-operator";

/// The role that AWS Organizations creates in every account that it creates.
pub(crate) const USUAL_ROLE: &str = "OrganizationAccountAccessRole";

/// The state bucket of the simulator. Sweeps are in it, and not in that of ministack, so that their
/// times are those of the simulated nights.
pub(crate) const SWEEPS_BUCKET: &str = "org-backup-state";

const STATE_MACHINE: &str =
    "arn:aws:states:us-east-1:518204739061:stateMachine:org-backup-coverage";

/// A simulated organization.
#[derive(Debug)]
pub(crate) struct Simulated {
    simulator: Simulator,
    /// The services that hold data.
    services: DataServices,
    /// The time at which its clock was zero, in milliseconds of the Unix epoch.
    began: i64,
}

impl Simulated {
    /// Starts an organization with everything disabled, at AWS's published rates.
    pub(crate) async fn start(
        accounts: usize,
        management_account: &str,
    ) -> Result<Self, DemoError> {
        let settings = Settings {
            management_account: management_account.to_owned(),
            rates: Rates::Published,
            pending: Pending::Reads(2),
            ..Settings::default()
        };
        let unstarted = |source| DemoError::Start { what: "the simulator", source };
        let simulator = Simulator::start(settings.accounts(accounts)).await.map_err(unstarted)?;
        let services = DataServices::start(&simulator).await.map_err(unstarted)?;
        let it = Self { simulator, services, began: now() };
        it.identify_functions(management_account);
        Ok(it)
    }

    /// Makes every function act as the role of `member-accounts`. ministack gives all functions the
    /// account as their access key, and no role.
    fn identify_functions(&self, management_account: &str) {
        let statement = json!({
            "Effect": "Allow",
            "Action": "sts:AssumeRole",
            "Principal": { "Service": "lambda.amazonaws.com" },
        });
        let trust = json!({ "Version": "2012-10-17", "Statement": [statement] });
        self.add_role(management_account, Role::new(FUNCTION_ROLE, &trust));
        let role = self.role(FUNCTION_ROLE);
        self.simulator.act_as(management_account, &role, "functions");
    }

    /// Creates the role of the operator, who has the permissions of `docs/read-only-policy.json` and
    /// may assume the roles for recovery, and returns the access key of a session.
    ///
    /// Also creates the role that AWS Organizations creates in every member account.
    pub(crate) fn add_operator(&self) -> Result<String, DemoError> {
        const POLICY: &str = include_str!("../../../docs/read-only-policy.json");
        let management = self.organization().management_account;
        let key = format!("arn:aws:kms:{REGION}:{management}:key/state");
        let policy = POLICY.replace("MEMBER_ROLE", USUAL_ROLE);
        let policy = policy.replace("STATE_KEY_ARN", &key).replace("STATE_BUCKET", SWEEPS_BUCKET);
        let policy: Value = serde_json::from_str(&policy)
            .map_err(|it| DemoError::NotSo(format!("the policy for operators is JSON: {it}")))?;
        let recovery = ["org-backup-recovery", "org-backup-central-recovery"];
        let assume = json!({ "Version": "2012-10-17", "Statement": [{
            "Effect": "Allow",
            "Action": "sts:AssumeRole",
            "Resource": recovery.map(|it| format!("arn:aws:iam::*:role/{it}")),
        }] });
        let role = Role::trusting_account(OPERATOR_ROLE, &management);
        self.add_role(&management, role.allowing(&policy).allowing(&assume));
        for account in self.organization().accounts().filter(|it| it.id != management) {
            self.add_role(&account.id, Role::trusting_account(USUAL_ROLE, &management));
        }
        Ok(self.simulator.session(&self.role(OPERATOR_ROLE), "operator"))
    }

    /// Returns the endpoint of the services that hold data.
    pub(crate) fn data_endpoint(&self) -> String {
        self.services.url().to_owned()
    }

    /// Returns the endpoint for clients.
    pub(crate) fn endpoint(&self) -> String {
        self.simulator.url()
    }

    /// Records the status of a custom resource. The functions ask the simulator for it, instead of
    /// the local CloudFormation.
    pub(crate) fn tell(&self, event: &StackChange) {
        if event.custom() {
            let resource = StackResource {
                kind: event.kind.clone(),
                physical_id: event.physical_id.clone(),
                status: event.status.clone(),
            };
            self.simulator.stacks(|it| it.tell(&event.stack_id, &event.resource, resource));
        }
    }

    /// Returns the current organization.
    pub(crate) fn organization(&self) -> Organization {
        self.simulator.organization(|it| it.clone())
    }

    /// Returns the settings of AWS Backup, and whether they are on.
    pub(crate) fn global_settings(&self) -> Vec<(String, bool)> {
        let settings = self.simulator.backup(|it| it.global_settings());
        settings.into_iter().map(|(name, value)| (name, value == "true")).collect()
    }

    /// Returns the account for the administration of AWS Backup, one of the accounts for security.
    pub(crate) fn administrator(&self) -> Result<String, DemoError> {
        let organization = self.organization();
        let unit = organization.unit_named("Security").map(|it| it.id.as_str());
        let mut accounts = organization.accounts_in(unit.unwrap_or_default());
        let active = |it: &&Account| it.state == AccountState::Active;
        let account = accounts.find(active).map(|it| it.id.clone());
        account.ok_or_else(|| DemoError::NotSo("the sample has an account for security".to_owned()))
    }

    /// Returns the ARN of a role in the management account.
    pub(crate) fn role(&self, name: &str) -> String {
        format!("arn:aws:iam::{}:role/{name}", self.organization().management_account)
    }

    /// Creates a vault.
    pub(crate) fn add_vault(&self, account: &str, region: &str, vault: Vault) {
        self.simulator.backup(|it| it.vaults_mut().create(account, region, vault));
    }

    /// Creates the vault to which backups are copied, and the role that reads it, as
    /// `templates/central-backup-account.yaml` does.
    pub(crate) fn add_central_vault(&self, account: &str, region: &str) {
        const KEY: &str = "8f2b6d1c-4e3a-4c5d-9b7f-2a1e0d3c4b5a";
        let statement = json!({
            "Effect": "Allow",
            "Action": "backup:CopyIntoBackupVault",
            "Principal": "*",
            "Resource": "*",
            "Condition": { "StringEquals": { "aws:PrincipalOrgID": self.organization().id } },
        });
        let policy = json!({ "Version": "2012-10-17", "Statement": [statement] });
        self.add_key(account, region, KEY, "central");
        let vault = Vault::new("central").key(&format!("arn:aws:kms:{region}:{account}:key/{KEY}"));
        let vault = vault.key_type(KeyType::CustomerManaged).access_policy(&policy);
        self.add_vault(account, region, vault);
        let management = self.organization().management_account;
        self.add_role(account, Role::trusting_account("org-backup-central", &management));
    }

    /// Deletes a vault with all its contents, and returns its former state.
    pub(crate) fn take_vault(&self, account: &str, region: &str, name: &str) -> Option<Vault> {
        self.simulator.backup(|it| {
            let vault = it.vaults().get(account, region, name).cloned().ok();
            it.vaults_mut().delete(account, region, name);
            vault
        })
    }

    /// Opts an account in to every type of a Region.
    pub(crate) fn opt_in(&self, account: &str, region: &str) {
        self.simulator.backup(|it| {
            let types = it.region_settings(account, region).opt_in;
            let on = types.into_keys().map(|it| (it, true)).collect();
            // No type has an advanced feature here.
            let _ = it.update_region_settings(account, region, &on, &[].into());
        });
    }

    /// Deletes every resource of an account and its vaults, and returns the ARNs of the resources.
    pub(crate) fn lose_everything(&self, account: &str) -> Vec<String> {
        let gone = self.simulator.delete_resources_of(account);
        for region in REGIONS {
            drop(self.take_vault(account, region, "org-backup"));
        }
        gone
    }

    /// Sets the time that a job of AWS Backup takes, of any size.
    pub(crate) fn pace_jobs(&self, time: Duration) {
        self.simulator.pace_jobs(time, Duration::ZERO);
    }

    /// Returns every resource that can be backed up.
    pub(crate) fn resources(&self) -> Vec<BackedUp> {
        self.simulator.resources()
    }

    /// Returns every restore job so far that was asked for.
    pub(crate) fn restore_jobs(&self) -> Vec<EngineRestoreJob> {
        self.simulator.restore_jobs()
    }

    /// Creates or changes a resource.
    pub(crate) fn put_resource(&self, resource: BackedUp) {
        self.simulator.put_resource(resource);
    }

    /// Creates a view of Resource Explorer that shows the management account every resource of the
    /// organization.
    pub(crate) fn add_view(&self) {
        let account = self.organization().management_account;
        let view = ExplorerView::organization("org-backup");
        self.simulator.explorer(|it| it.put(&account, REGION, view));
    }

    /// Returns the current time at AWS.
    pub(crate) fn clock(&self) -> SystemTime {
        self.simulator.clock()
    }

    /// Lets time pass at AWS.
    pub(crate) fn let_go_by(&self, time: Duration) {
        self.simulator.let_go_by(time);
    }

    /// Lets time pass at AWS until `moment`.
    pub(crate) fn let_go_by_until(&self, moment: SystemTime) {
        self.simulator.let_go_by_until(moment);
    }

    /// Returns every backup job so far.
    pub(crate) fn backup_jobs(&self) -> Vec<BackupJob> {
        self.simulator.backup_jobs()
    }

    /// Returns every copy job so far.
    pub(crate) fn copy_jobs(&self) -> Vec<EngineCopyJob> {
        self.simulator.copy_jobs()
    }

    /// Returns the recovery points of every account.
    pub(crate) fn recovery_points(&self) -> Vec<EnginePoint> {
        self.simulator.recovery_points()
    }

    /// Creates a key whose alias has the name of its vault.
    pub(crate) fn add_key(&self, account: &str, region: &str, id: &str, vault: &str) {
        self.simulator.kms(|it| {
            it.create(account, region, id, KeyManager::Customer);
            it.alias(id, &format!("alias/{vault}"));
        });
    }

    /// Creates a role in an account.
    pub(crate) fn add_role(&self, account: &str, role: Role) {
        self.simulator.iam(|it| it.create_role(account, role));
    }

    /// Starts the function that looks into every account.
    pub(crate) async fn start_sweeps(&self, program: &Path) -> Result<Function, DemoError> {
        self.simulator.buckets(|it| it.create_bucket(SWEEPS_BUCKET));
        self.simulator.state_machines(|it| it.create(STATE_MACHINE));
        let function = Function::of(program, &self.simulator)
            .env("STATE_BUCKET", SWEEPS_BUCKET)
            .env("STATE_MACHINE_ARN", STATE_MACHINE);
        let started = function.start().await;
        started.map_err(|source| DemoError::Start { what: "the function `coverage`", source })
    }

    /// Returns the input of the execution that was started last.
    pub(crate) fn last_execution(&self) -> Value {
        let last = self.simulator.state_machines(|it| it.executions().last().cloned());
        last.and_then(|it| serde_json::from_str(&it.input).ok()).unwrap_or_default()
    }

    /// Returns the text of an object that a sweep wrote.
    pub(crate) fn object(&self, key: &str) -> String {
        let body = self
            .simulator
            .buckets(|it| it.get(SWEEPS_BUCKET, key, None).ok().map(|it| it.body.clone()));
        String::from_utf8(body.unwrap_or_default()).unwrap_or_default()
    }

    /// Returns the resource types that AWS Backup supports in a Region.
    pub(crate) fn supported(&self, region: &str) -> Vec<String> {
        let own = |it: &str| it.to_owned();
        self.simulator
            .backup(|it| it.supported_resource_types(region).into_iter().map(own).collect())
    }

    /// Returns the resource types that are opted in.
    pub(crate) fn opted_in(&self, account: &str, region: &str) -> impl Iterator<Item = String> {
        let settings = self.simulator.backup(|it| it.region_settings(account, region));
        settings.opt_in.into_iter().filter(|it| it.1).map(|it| it.0)
    }

    /// Creates a CloudTrail trail.
    pub(crate) fn add_trail(&self, trail: Trail) {
        self.simulator.trails(|it| it.put(trail));
    }

    /// Adds a completed restore job to the management account.
    pub(crate) fn add_restore(&self, id: &str, job: RestoreJob) {
        let account = self.organization().management_account;
        self.simulator.backup(|it| it.restore_jobs_mut().create(&account, REGION, id, job));
    }

    /// Returns the validation result that AWS Backup got for a restore job of the management
    /// account, and its reason.
    pub(crate) fn restore_result(&self, id: &str) -> Option<(String, String)> {
        let account = self.organization().management_account;
        let result = |it: &mut Backup| {
            it.restore_jobs().get(&account, REGION, id).ok().and_then(|it| it.result.clone())
        };
        self.simulator.backup(result)
    }

    /// Creates a topic.
    pub(crate) fn add_topic(&self, arn: &str) {
        self.simulator.topics(|it| it.create(arn));
    }

    /// Returns the notifications that were sent, as subjects and texts.
    pub(crate) fn notifications(&self) -> Vec<(String, String)> {
        let messages = self.simulator.topics(|it| it.messages().to_vec());
        messages.into_iter().map(|it| (it.subject.unwrap_or_default(), it.text)).collect()
    }

    /// Changes something as a user of the management account.
    pub(crate) fn tamper(
        &self,
        user: &str,
        operation: &str,
        request: &Value,
    ) -> Result<(), DemoError> {
        let done = self.simulator.tamper(user, operation, request);
        done.map(drop).map_err(|it| DemoError::NotSo(format!("{user} may call {operation}: {it}")))
    }

    /// Returns the CloudTrail events since the last call.
    pub(crate) fn take_events(&self) -> Vec<Value> {
        self.simulator.take_events()
    }

    /// Returns the time of a call, in milliseconds of the Unix epoch.
    pub(crate) fn time_of(&self, call: &Entry) -> i64 {
        self.began.saturating_add_unsigned(call.milliseconds)
    }

    /// Returns every call so far.
    pub(crate) fn journal(&self) -> Vec<Entry> {
        self.simulator.journal()
    }

    /// Returns the calls of operations that the simulator does not know.
    pub(crate) fn unknown_operations(&self) -> Vec<String> {
        self.simulator.take_unknown_operations()
    }

    /// Returns the calls between two times, in milliseconds of the Unix epoch.
    pub(crate) fn calls_between(&self, from: i64, to: i64) -> Vec<Entry> {
        self.journal().into_iter().filter(|it| (from..=to).contains(&self.time_of(it))).collect()
    }
}

impl Drop for Simulated {
    fn drop(&mut self) {
        // A person who tries things by hand may call any operation. The demo itself has checked its
        // own calls by now.
        drop(self.simulator.take_unknown_operations());
    }
}

/// Returns the current time in milliseconds of the Unix epoch.
pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
