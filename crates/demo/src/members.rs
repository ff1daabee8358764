//! The chapter about member accounts.

use std::collections::BTreeSet;

use futures_util::{StreamExt, TryStreamExt, stream};
use policy::arn::Arn;
use simulator::{AccountState, KeyType, Role, Vault};

use crate::cloudformation::Deployer;
use crate::demo::{Demo, MEMBERS};
use crate::failure::{DemoError, ensure};
use crate::organization::FUNCTION_ROLE;
use crate::rollout::REGIONS;

/// The name that StackSets would give to the stacks.
const INSTANCE: &str = "StackSet-org-backup-member-accounts";

/// The number of stacks that are created at once.
const AT_ONCE: usize = 6;

impl Demo<'_> {
    pub(crate) async fn member_accounts(&mut self) -> Result<(), DemoError> {
        self.screen.chapter(7, "Roll vaults, keys and roles out, and opt every account in");
        let accounts = self.active();
        let forgotten = self.forgotten();
        let reached = accounts.iter().filter(|it| **it != forgotten);
        let places: Vec<_> =
            reached.flat_map(|it| REGIONS.map(|region| (it.clone(), region))).collect();
        self.roll_out(&forgotten).await?;
        let told = self.deploy(&self.members).await?;
        let deployment = told.deployment.expect("CREATE_COMPLETE")?;
        let output = |name: &str| deployment.outputs.get(name).cloned().unwrap_or_default();
        let ready = accounts.len() - 1;
        let counts = (output("AccountsReady"), output("AccountsNotReady"));
        ensure(counts == (ready.to_string(), "1".to_owned()), || {
            format!("{ready} accounts are ready and 1 is not: {counts:?}")
        })?;
        self.opted_in(&places)?;
        let types = self.simulated.supported(REGIONS[0]).len();
        self.screen.so(&format!(
            "all of up to {types} resource types are opted in, in {ready} accounts and {} Regions",
            REGIONS.len()
        ));
        self.screen.so(&format!(
            "account {forgotten} has no role, and the report in the state bucket says so"
        ));
        self.members.parameters.insert("Concurrency", "16".to_owned());
        let told = self.deploy(&self.members).await?;
        told.wrote_nothing()?;
        ensure(!told.calls.is_empty(), || "every account was looked at again".to_owned())?;
        told.deployment.expect("UPDATE_COMPLETE")?;
        self.screen.so("deployed again, it looks at every account and writes nothing");
        Ok(())
    }

    /// Rolls out to the account that was left out, too.
    pub(crate) async fn the_forgotten_account(&mut self) -> Result<(), DemoError> {
        let forgotten = self.forgotten();
        let places = REGIONS.map(|region| (forgotten.clone(), region));
        let organization = self.simulated.organization();
        let (_, new) = self.rollout.roll_out(&organization, &organization.root, &[])?;
        self.make(&new).await?;
        self.screen.line(&format!(
            "\n   templates/member-account.yaml deployed in account {forgotten} as well"
        ));
        self.members.parameters.insert("Concurrency", "8".to_owned());
        let deployment = self.deploy(&self.members).await?.deployment.expect("UPDATE_COMPLETE")?;
        let left = deployment.outputs.get("AccountsNotReady");
        ensure(left.is_some_and(|it| it == "0"), || format!("every account is ready: {left:?}"))?;
        self.opted_in(&places)
    }

    /// Returns the account that is left out.
    pub(crate) fn forgotten(&self) -> String {
        self.active().pop().unwrap_or_default()
    }

    /// Returns the active accounts.
    pub(crate) fn active(&self) -> Vec<String> {
        let organization = self.simulated.organization();
        let active = organization.accounts().filter(|it| it.state == AccountState::Active);
        active.map(|it| it.id.clone()).collect()
    }

    /// Rolls out from one OU to the whole organization except one account, and fails on the way.
    async fn roll_out(&mut self, forgotten: &str) -> Result<(), DemoError> {
        let organization = self.simulated.organization();
        let unit = |name: &str| {
            let unit = organization.unit_named(name).map(|it| it.id.clone());
            unit.ok_or_else(|| DemoError::NotSo(format!("the sample has the unit {name}")))
        };
        // StackSets do not reach the management account.
        let own = REGIONS.map(|it| (organization.management_account.clone(), it.to_owned()));
        self.make(&own).await?;
        let (succeeded, new) =
            self.rollout.roll_out(&organization, &unit("Sandbox")?, &[forgotten])?;
        ensure(succeeded && !new.is_empty(), || "there are accounts in Sandbox".to_owned())?;
        self.make(&new).await?;
        let begun = new.len();
        self.screen.line(&format!(
            "   templates/member-account.yaml deployed {begun} times in Sandbox, as StackSets would"
        ));
        let production = unit("Production")?;
        let reached = organization
            .accounts_in(&production)
            .filter(|it| it.state == AccountState::Active && it.id != forgotten);
        let unlucky = reached.last().map(|it| it.id.clone()).unwrap_or_default();
        self.rollout.refuse_in(&[&unlucky]);
        let (succeeded, new) =
            self.rollout.roll_out(&organization, &organization.root, &[forgotten])?;
        ensure(!succeeded, || format!("account {unlucky} refuses"))?;
        self.make(&new).await?;
        self.screen.line(&format!(
            "   widened to the root, it fails in account {unlucky} after {} more",
            new.len()
        ));
        self.rollout.refuse_in(&[]);
        let (succeeded, new) =
            self.rollout.roll_out(&organization, &organization.root, &[forgotten])?;
        ensure(succeeded && !new.is_empty(), || "it succeeds when it is repeated".to_owned())?;
        self.make(&new).await?;
        let count = self.rollout.count();
        let reached = (self.active().len() - 2) * REGIONS.len();
        ensure(count == reached, || format!("there are {reached} stacks, not {count}"))?;
        self.screen.so(&format!(
            "repeated, it has {count} stacks, none of which was deleted or made twice"
        ));
        Ok(())
    }

    /// Creates the stacks of these accounts and Regions, several at a time.
    async fn make(&self, places: &[(String, String)]) -> Result<(), DemoError> {
        self.screen.wait_for("templates/member-account.yaml in every account and Region");
        stream::iter(places)
            .map(|(account, region)| self.instance(account, region))
            .buffer_unordered(AT_ONCE)
            .try_collect::<Vec<()>>()
            .await?;
        self.screen.rest();
        Ok(())
    }

    /// Creates the stack of one account and Region, and copies the created resources to the
    /// simulator.
    async fn instance(&self, account: &str, region: &str) -> Result<(), DemoError> {
        let deployer = Deployer::new(&self.ministack.endpoint(), account, region);
        // ministack does not know the Region of a stack if a condition refers to it.
        let home = if region == REGIONS[0] { "" } else { REGIONS[0] };
        let parameters = [
            ("HomeRegion", home.to_owned()),
            ("MemberAccountsRoleArn", self.simulated.role(FUNCTION_ROLE)),
            ("OrganizationId", self.simulated.organization().id),
        ];
        let (template, parameters) = (&self.member_template, parameters.into());
        let made = deployer.deploy(INSTANCE, template, &parameters, |_| ()).await?;
        let made = made.expect("CREATE_COMPLETE")?;
        let output = |name: &str| made.outputs.get(name).cloned().unwrap_or_default();
        let vault = output("VaultArn");
        let vault = named("backup-vault:", &vault)?;
        let key = output("VaultKeyArn");
        self.simulated.add_key(account, region, named("key/", &key)?, vault);
        let vault = Vault::new(vault).key(&key);
        self.simulated.add_vault(account, region, vault.key_type(KeyType::CustomerManaged));
        for arn in ["BackupRoleArn", "MemberRoleArn"].map(output) {
            // Roles are created in one Region only.
            if arn.is_empty() {
                continue;
            }
            let name = named("role/", &arn)?;
            let (trust, policies) = deployer.role(name).await?;
            let role = Role::new(name, &serde_json::from_str(&trust).unwrap_or_default());
            let policies = policies.iter().filter_map(|it| serde_json::from_str(it).ok());
            let role = policies.fold(role, |role, it| role.allowing(&it));
            self.simulated.add_role(account, role);
        }
        Ok(())
    }

    /// Returns an error unless every type that a Region supports is opted in at each of these
    /// places.
    fn opted_in(&self, places: &[(String, &str)]) -> Result<(), DemoError> {
        for (account, region) in places {
            let supported: BTreeSet<_> = self.simulated.supported(region).into_iter().collect();
            let opted_in: BTreeSet<_> = self.simulated.opted_in(account, region).collect();
            ensure(opted_in == supported, || {
                format!("{account} has everything opted in in {region}: {opted_in:?}")
            })?;
        }
        ensure(!places.is_empty() && MEMBERS == self.members.name, || {
            "there are accounts to look at".to_owned()
        })
    }
}

/// Returns the name in an ARN whose resource begins with `kind`.
fn named<'a>(kind: &str, arn: &'a str) -> Result<&'a str, DemoError> {
    let name = Arn::parse(arn).ok().and_then(|it| it.resource.strip_prefix(kind));
    name.ok_or_else(|| DemoError::NotSo(format!("`{arn}` is the ARN of a {kind}…")))
}
