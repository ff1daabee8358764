//! The demo, chapter by chapter. Every claim is checked before it is shown.

use serde_json::Value;
use simulator::{BACKUP_POLICY, Organization, Policy, TypeStatus};

use crate::demo::{ACCOUNTS, BOOTSTRAP, Demo, MEMBERS, POLICIES, REATTACH, RESTORE_TESTING, Stack};
use crate::failure::{DemoError, ensure};
use crate::picture;

const NEW_SCHEDULE: &str = "cron(30 1 ? * * *)";

impl Demo<'_> {
    /// Runs all chapters except the last one, which [`delete_all`](Self::delete_all) runs.
    pub(crate) async fn play(&mut self) -> Result<(), DemoError> {
        self.a_bare_organization()?;
        self.bootstrap().await?;
        self.policies().await?;
        self.again().await?;
        self.another_schedule().await?;
        self.a_broken_policy().await?;
        self.member_accounts().await?;
        self.drift().await?;
        self.operators().await?;
        self.nights().await?;
        self.recovery().await?;
        self.restores().await?;
        self.expect_known()
    }

    /// Runs the last chapter.
    pub(crate) async fn delete_all(&self) -> Result<(), DemoError> {
        self.deletion().await?;
        self.expect_known()
    }

    /// Returns an error if a function or a command called something that the simulator does not know.
    fn expect_known(&self) -> Result<(), DemoError> {
        let unknown = self.simulated.unknown_operations();
        ensure(unknown.is_empty(), || format!("the simulator knows {}", unknown.join(", ")))
    }

    fn a_bare_organization(&self) -> Result<(), DemoError> {
        let (ours, theirs) = (self.simulated.endpoint(), self.ministack.endpoint());
        let prefix = self.bootstrap.parameters.get("ArtifactPrefix");
        let build = if prefix.is_some_and(|it| it.contains("/local-")) {
            "a development build; `make demo RELEASE=1` takes what is shipped"
        } else {
            "as they are shipped"
        };
        self.screen.rest();
        self.screen.line(&format!(
            "Organizations, Backup and STS: the simulator at {ours}\n\
             CloudFormation, Lambda, IAM and S3: ministack at {theirs}\n\
             Functions: {build}"
        ));
        self.screen.chapter(1, "A bare organization");
        let organization = self.simulated.organization();
        let accounts = organization.accounts().count();
        ensure(accounts == ACCOUNTS, || format!("the sample has {accounts} accounts"))?;
        let bare = organization.policy_types().is_empty()
            && organization.trusted_services().is_empty()
            && organization.policies(BACKUP_POLICY).next().is_none()
            && self.simulated.global_settings().iter().all(|it| !it.1);
        ensure(bare, || "the sample organization is bare".to_owned())?;
        picture::tree(self.screen, &organization);
        self.switches();
        Ok(())
    }

    async fn bootstrap(&mut self) -> Result<(), DemoError> {
        self.screen.chapter(2, "Deploy templates/bootstrap.yaml");
        let told = self.deploy(&self.bootstrap).await?;
        let deployment = told.deployment.expect("CREATE_COMPLETE")?;
        self.screen.line("");
        self.switches();
        let organization = self.simulated.organization();
        ensure(deployment.outputs.get("RootId") == Some(&organization.root), || {
            "the output `RootId` is the root of the organization".to_owned()
        })?;
        self.state_bucket = deployment.outputs.get("StateBucketName").cloned().unwrap_or_default();
        self.still_on("after the deployment")?;
        self.screen.so("policy type, trusted access and cross-account backup are on");
        let administrator = self.simulated.administrator()?;
        let registered = organization
            .delegated_administrators()
            .any(|it| it == (administrator.as_str(), "backup.amazonaws.com"));
        ensure(registered, || format!("{administrator} administers AWS Backup"))?;
        self.screen.so(&format!("account {administrator} may administer AWS Backup"));
        Ok(())
    }

    async fn policies(&self) -> Result<(), DemoError> {
        self.screen.chapter(3, "Deploy templates/backup-policies.yaml");
        let told = self.deploy(&self.policies).await?;
        let deployment = told.deployment.expect("CREATE_COMPLETE")?;
        let organization = self.simulated.organization();
        picture::tree(self.screen, &organization);
        for output in ["DailyPolicyId", "MonthlyPolicyId"] {
            let id = deployment.outputs.get(output).cloned().unwrap_or_default();
            let attached = organization.attached(&organization.root).contains(&id);
            ensure(attached, || format!("{output} {id} is attached to the root"))?;
            let content = content(&organization, &id)?;
            let vault = &self.central_vault;
            let copies = content.contains(&format!("\"{vault}\":"));
            ensure(copies && !content.contains("${"), || format!("{id} copies to {vault}"))?;
        }
        self.screen
            .so("both policies copy to the central vault, whose ARN is a key of the document");
        self.all_are_reached()?;
        Ok(())
    }

    async fn again(&mut self) -> Result<(), DemoError> {
        self.screen
            .chapter(4, "Deploy both again, with a longer timeout, which runs every resource");
        self.bootstrap.parameters.insert("FunctionTimeout", "600".to_owned());
        self.policies.parameters.insert("ServiceTimeout", "660".to_owned());
        let mut resources = 0;
        for stack in [&self.bootstrap, &self.policies] {
            let told = self.deploy(stack).await?;
            told.wrote_nothing()?;
            for work in &told.work {
                ensure(!work.calls.is_empty(), || format!("{} ran again", work.resource))?;
            }
            resources += told.work.len();
            told.deployment.expect("UPDATE_COMPLETE")?;
        }
        ensure(resources == 5, || format!("5 custom resources ran again, not {resources}"))?;
        self.screen.so("every custom resource checked its target, and none wrote");
        Ok(())
    }

    async fn another_schedule(&mut self) -> Result<(), DemoError> {
        self.screen.chapter(5, &format!("Change the daily schedule to {NEW_SCHEDULE}"));
        let before = self.daily()?;
        self.policies.parameters.insert("DailySchedule", NEW_SCHEDULE.to_owned());
        let told = self.deploy(&self.policies).await?;
        let writes = told.writes();
        let lost = told.calls.iter().any(|it| !it.lost.is_empty());
        told.deployment.expect("UPDATE_COMPLETE")?;
        let after = self.daily()?;
        let changed =
            !before.content.contains(NEW_SCHEDULE) && after.content.contains(NEW_SCHEDULE);
        ensure(changed, || "the policy has the new schedule".to_owned())?;
        ensure(before.id == after.id, || format!("{} is the same policy", before.id))?;
        ensure(writes.len() == 1, || format!("one write was enough: {}", writes.join(", ")))?;
        ensure(!lost, || "no account was without the policy".to_owned())?;
        self.screen.so(&format!("still {}, and no account was without it for a moment", after.id));
        Ok(())
    }

    async fn a_broken_policy(&self) -> Result<(), DemoError> {
        self.screen.chapter(6, "Break the daily policy: misspell a variable");
        let before = self.simulated.organization();
        let broken = Stack {
            name: POLICIES,
            template: self.policies.template.replacen("${CentralVault}:", "${CentralVualt}:", 1),
            parameters: self.policies.parameters.clone(),
        };
        let told = self.deploy(&broken).await?;
        told.wrote_nothing()?;
        let deployment = told.deployment.expect("UPDATE_ROLLBACK_COMPLETE")?;
        let reason = deployment.reasons().into_iter().find(|it| it.contains("CentralVualt"));
        let reason = reason
            .ok_or_else(|| DemoError::NotSo("the stack's events name the variable".to_owned()))?;
        self.screen.line(&format!("\n   {}", self.screen.dim(reason)));
        let after = self.simulated.organization();
        ensure(before.revision() == after.revision(), || {
            "the live policy is untouched".to_owned()
        })?;
        self.screen
            .so("refused before the first write, rolled back, and the live policy untouched");
        Ok(())
    }

    async fn deletion(&self) -> Result<(), DemoError> {
        self.screen.chapter(13, "Delete every stack");
        let before = self.simulated.organization();
        for stack in [RESTORE_TESTING, REATTACH, MEMBERS, POLICIES, BOOTSTRAP] {
            let told = self.delete(stack).await?;
            told.wrote_nothing()?;
            told.deployment.expect("DELETE_COMPLETE")?;
        }
        let after = self.simulated.organization();
        ensure(before.revision() == after.revision(), || {
            "the organization is as it was".to_owned()
        })?;
        self.still_on("after the stacks are gone")?;
        picture::tree(self.screen, &after);
        self.switches();
        self.all_are_reached()?;
        self.screen.so("the stacks are gone, and the organization is still protected");
        Ok(())
    }

    fn switches(&self) {
        let organization = self.simulated.organization();
        picture::switches(self.screen, &organization, &self.simulated.global_settings());
    }

    fn still_on(&self, when: &str) -> Result<(), DemoError> {
        let organization = self.simulated.organization();
        let enabled = organization.policy_types().contains(&(BACKUP_POLICY, TypeStatus::Enabled));
        ensure(enabled, || format!("policy type {BACKUP_POLICY} is enabled {when}"))?;
        let trusted = organization.trusted_services();
        for service in ["backup.amazonaws.com", "member.org.stacksets.cloudformation.amazonaws.com"]
        {
            ensure(trusted.contains(service), || format!("{service} has trusted access {when}"))?;
        }
        let settings = self.simulated.global_settings();
        let on = settings.contains(&("isCrossAccountBackupEnabled".to_owned(), true));
        ensure(on, || format!("cross-account backup is on {when}"))
    }

    /// Returns an error unless every account gets both plans after AWS has published the effective
    /// policies.
    pub(crate) fn all_are_reached(&self) -> Result<(), DemoError> {
        let mut organization = self.simulated.organization();
        organization.publish();
        let accounts: Vec<_> = organization.accounts().map(|it| it.id.clone()).collect();
        for account in &accounts {
            let effective = organization.effective_policy(account);
            let effective = effective
                .map_err(|_| DemoError::NotSo(format!("{account} has an effective policy")))?;
            let document: Value = serde_json::from_str(&effective.content).unwrap_or_default();
            let plans = ["org-backup-daily", "org-backup-monthly"];
            let both = plans.iter().all(|it| document.pointer(&format!("/plans/{it}")).is_some());
            ensure(both && effective.errors.is_empty(), || format!("{account} gets both plans"))?;
        }
        let count = accounts.len();
        ensure(count == ACCOUNTS, || format!("there are {ACCOUNTS} accounts, not {count}"))?;
        self.screen.so(&format!(
            "the effective policy of each of the {count} accounts is valid and has both plans"
        ));
        Ok(())
    }

    /// Returns the current daily policy.
    fn daily(&self) -> Result<Policy, DemoError> {
        let organization = self.simulated.organization();
        let policy = organization.policy_named("org-backup-daily").cloned();
        policy.ok_or_else(|| DemoError::NotSo("there is a daily policy".to_owned()))
    }
}

fn content(organization: &Organization, id: &str) -> Result<String, DemoError> {
    let policy = organization.policy(id).map(|it| it.content.clone());
    policy.map_err(|_| DemoError::NotSo(format!("there is a policy {id}")))
}
