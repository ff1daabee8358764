//! The chapter about a lost account.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use policy::Node;
use serde_json::{Value, json};
use simulator::{BackedUp, JobProgress, KeyType, Role, Vault};
use template::{Environment, Evaluator, Given, Syntax, as_written};

use crate::demo::{CENTRAL_REGION, Demo};
use crate::failure::{DemoError, ensure};
use crate::organization::{FUNCTION_ROLE, OPERATOR_ROLE};

/// The resources of the account, with their types and ARNs.
const THINGS: [(&str, &str); 3] = [
    ("DynamoDB", "dynamodb:us-east-1:ACCOUNT:table/invoices"),
    ("EBS", "ec2:us-east-1:ACCOUNT:volume/vol-0b1c2d3e4f5a60718"),
    ("EFS", "elasticfilesystem:us-east-1:ACCOUNT:file-system/fs-0d1c2b3a4f5e60718"),
];

const NIGHT: Duration = Duration::from_hours(24);

/// The vault that copies come back to.
const VAULT: &str = "org-backup";

/// A template that is deployed.
struct Deployed(Node);

/// An account in the central Region in which a template is deployed.
struct StackPlace {
    account: String,
    /// The ARN of the key of the vault.
    key: String,
    /// The parameters.
    given: Given,
}

impl Environment for StackPlace {
    fn pseudo_parameter(&self, name: &str) -> Option<String> {
        let value = match name {
            "AWS::AccountId" => self.account.as_str(),
            "AWS::Partition" => "aws",
            "AWS::Region" => CENTRAL_REGION,
            "AWS::URLSuffix" => "amazonaws.com",
            _ => return None,
        };
        Some(value.to_owned())
    }

    fn attribute(&self, name: &str) -> Option<String> {
        (name == "VaultKey.Arn").then(|| self.key.clone())
    }

    fn export(&self, _: &str) -> Option<String> {
        None
    }
}

impl Deployed {
    fn read(text: &str) -> Result<Self, DemoError> {
        let read = template::read(text, Syntax::Yaml).0;
        read.map(Self).ok_or_else(|| DemoError::NotSo("a template can be read".to_owned()))
    }

    /// Returns a property of a resource as CloudFormation makes it at this place.
    fn property(&self, resource: &str, name: &str, at: &StackPlace) -> Result<Value, DemoError> {
        let own = self.0.member("Resources").and_then(|it| it.member(resource));
        let own = own.and_then(|it| it.member("Properties")).and_then(|it| it.member(name));
        let evaluator = Evaluator::new(&self.0, &at.given, at);
        let value = own.and_then(|it| evaluator.evaluate(it, ""));
        let value = value.and_then(|it| as_written(&it));
        value.ok_or_else(|| {
            let notes = evaluator.into_notes();
            DemoError::NotSo(format!("{resource} has a known {name}: {notes:?}"))
        })
    }
}

impl Demo<'_> {
    pub(crate) async fn recovery(&self) -> Result<(), DemoError> {
        self.screen.chapter(11, "Lose everything in an account, and get it back in another");
        let (lost, new) = self.two_accounts()?;
        for (kind, arn) in THINGS {
            self.simulated.put_resource(BackedUp {
                arn: format!("arn:aws:{}", arn.replace("ACCOUNT", &lost)),
                kind: kind.to_owned(),
                account: lost.clone(),
                region: "us-east-1".to_owned(),
                tags: BTreeMap::from([("backup".to_owned(), "daily".to_owned())]),
                gigabytes: 8,
            });
        }
        self.simulated.let_go_by(NIGHT);
        self.let_operators_in(&new)?;
        self.screen.line(&format!(
            "   account {new} has a vault in {CENTRAL_REGION} that lets copies in, and operators get into it\n   \
             and into the central account, as the templates have it with RecoveryPrincipalArn"
        ));
        let gone = self.simulated.lose_everything(&lost);
        let left =
            self.simulated.recovery_points().iter().filter(|it| it.vault.contains(&lost)).count();
        ensure(gone.len() >= THINGS.len() && left == 0, || {
            format!("{lost} has lost {gone:?}, and {left} recovery points are left there")
        })?;
        self.screen.line(&self.screen.dim(&format!(
            "   all {} resources of account {lost} are deleted, and its vaults with them",
            gone.len()
        )));
        // A volume is restored in a zone.
        let zone = format!("EBS.availabilityZone={CENTRAL_REGION}a");
        let command = ["recover", "--account", &lost, "--into", &new, "--set", &zone];
        let said = self.org_backup(&command, &[], 0).await?;
        self.show(&said.lines().take(1).collect::<Vec<_>>());
        let begun = self.simulated.restore_jobs().len();
        ensure(begun == 0, || "nothing is begun before it is confirmed".to_owned())?;
        self.screen.so("org-backup recover shows a plan, and has begun nothing");
        // Nobody waits here for the hours that copies and restores take.
        self.simulated.pace_jobs(Duration::ZERO);
        let command = [&command[..], &["--yes"]].concat();
        let said = self.run(&command, &[], 0).await?;
        let sum = |it: &&str| it.starts_with("restored: ");
        let looks: Vec<_> =
            said.lines().map(str::trim_start).filter(|it| it.starts_with("looked at: ")).collect();
        self.show(&said.lines().filter(sum).chain(looks.iter().copied()).collect::<Vec<_>>());
        let all = format!("restored: {0} of {0}", gone.len());
        ensure(said.contains(&all), || format!("everything is restored:\n{said}"))?;
        self.came_back(&gone, &new)?;
        self.screen.so(&format!(
            "what account {lost} had is in account {new}, from the copies in the central vault"
        ));
        ensure(looks.len() == gone.len(), || format!("everything is looked at:\n{said}"))?;
        self.screen.so("each was looked at as restore-validation looks at restore tests");
        let jobs = self.simulated.restore_jobs().len();
        self.run(&command, &[], 0).await?;
        let again = self.simulated.restore_jobs().len();
        ensure(again == jobs, || format!("{again} restores are begun, not {jobs}"))?;
        self.screen.so("the same command again begins nothing, since it joins the jobs it began");
        Ok(())
    }

    /// Creates what the templates make for recovery with `RecoveryPrincipalArn`: in the account `new` a
    /// vault for copies that come back, and in both accounts the roles.
    fn let_operators_in(&self, new: &str) -> Result<(), DemoError> {
        const KEY: &str = "4c7d9e1f-2a3b-4c5d-8e6f-7a8b9c0d1e2f";
        let central = self.simulated.administrator()?;
        let key = format!("arn:aws:kms:{CENTRAL_REGION}:{new}:key/{KEY}");
        self.simulated.add_key(new, CENTRAL_REGION, KEY, VAULT);
        self.simulated.opt_in(new, CENTRAL_REGION);
        let member = Deployed::read(&self.member_template)?;
        let at = self.place(new, &key, &[("CentralAccountId", &central)]);
        let policy = member.property("Vault", "AccessPolicy", &at)?;
        let vault = Vault::new(VAULT).key(&key).key_type(KeyType::CustomerManaged);
        self.simulated.add_vault(new, CENTRAL_REGION, vault.access_policy(&policy));
        self.add_roles(&member, &["RestoreRole", "RecoveryRole"], &at)?;
        let template = self.places.templates.join("central-backup-account.yaml");
        let path = template.display().to_string();
        let template = std::fs::read_to_string(template);
        let template = template.map_err(|source| DemoError::Unreadable { path, source })?;
        let at = self.place(&central, "", &[]);
        self.add_roles(&Deployed::read(&template)?, &["CopyRole", "RecoveryRole"], &at)
    }

    /// Returns an account in the central Region, with these parameters beside those that every account has.
    fn place(&self, account: &str, key: &str, more: &[(&str, &str)]) -> StackPlace {
        let organization = self.simulated.organization();
        let [functions, operators] =
            [FUNCTION_ROLE, OPERATOR_ROLE].map(|it| self.simulated.role(it));
        let own = [
            ("MemberAccountsRoleArn", functions.as_str()),
            ("OrganizationId", organization.id.as_str()),
            ("RecoveryPrincipalArn", operators.as_str()),
        ];
        let given = own.iter().chain(more).map(|(name, it)| ((*name).to_owned(), (*it).to_owned()));
        StackPlace {
            account: account.to_owned(),
            key: key.to_owned(),
            given: Given::from(given.collect::<BTreeMap<_, _>>()),
        }
    }

    /// Creates these roles of a template.
    fn add_roles(
        &self,
        template: &Deployed,
        roles: &[&str],
        at: &StackPlace,
    ) -> Result<(), DemoError> {
        for role in roles {
            let property = |name| template.property(role, name, at);
            let trust = property("AssumeRolePolicyDocument")?;
            let name = property("RoleName")?;
            let made = Role::new(name.as_str().unwrap_or_default(), &trust);
            let policies = property("Policies")?;
            let own = policies.as_array().into_iter().flatten();
            let own = own.filter_map(|it| it.get("PolicyDocument").cloned());
            // Policies that AWS manages are not in the template. They allow what a restore needs.
            let is_managed = property("ManagedPolicyArns").is_ok();
            let managed = json!({ "Effect": "Allow", "Action": "*", "Resource": "*" });
            let managed = json!({ "Version": "2012-10-17", "Statement": [managed] });
            let all = own.chain(is_managed.then_some(managed));
            self.simulated.add_role(&at.account, all.fold(made, |it, policy| it.allowing(&policy)));
        }
        Ok(())
    }

    /// Returns the account to lose and the one to restore it in.
    fn two_accounts(&self) -> Result<(String, String), DemoError> {
        let resources = self.simulated.resources();
        let used: BTreeSet<_> = resources.iter().map(|it| it.account.clone()).collect();
        let lost = used.first().cloned();
        let new = self.active().into_iter().rev().find(|it| !used.contains(it));
        lost.zip(new).ok_or_else(|| DemoError::NotSo("there are two accounts".to_owned()))
    }

    /// Returns an error unless each resource has one in `new` that was restored from its copy.
    fn came_back(&self, gone: &[String], new: &str) -> Result<(), DemoError> {
        let jobs = self.simulated.restore_jobs();
        let done = jobs.iter().filter(|it| it.progress == JobProgress::Completed);
        let back: BTreeSet<_> = done.map(|it| it.source.as_str()).collect();
        let there = self.simulated.resources();
        let there = there.iter().filter(|it| it.account == new).count();
        let gone: BTreeSet<_> = gone.iter().map(String::as_str).collect();
        ensure(back == gone && there == gone.len(), || {
            format!("{gone:?} came back, not {back:?}; {there} resources are in {new}")
        })
    }
}
