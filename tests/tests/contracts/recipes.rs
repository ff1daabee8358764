//! The recipes in `docs/recipes`: each deploys what its page says, and accounts get what is stored
//! beside it.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a recipe that cannot be read is broken, and a member that JSON lacks is null"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use expect_test::{Expect, expect, expect_file};
use serde_json::{Value, json};
use simulator::{Entry, Moment, Settings};
use tests::binaries::binary;
use tests::deploy::{Deployed, Release, repository};
use tests::fake_aws::World;
use tests::organization::Organization;
use tests::role::FunctionRole;
use tests::stack::Stack;
use tests::template::{Template, as_sent};

/// The files of a recipe: parameters, and what accounts get by them; and where its page says that.
struct Files {
    parameters: &'static str,
    effective: &'static str,
    heading: &'static str,
}

/// As the page recommends it.
const RECOMMENDED: Files = Files {
    parameters: "org.toml",
    effective: "effective.json",
    heading: "## What an account gets\n",
};

/// With the values of what was published, which it is for.
const AS_PUBLISHED: Files = Files {
    parameters: "as-published.toml",
    effective: "as-published.effective.json",
    heading: "## As published\n",
};

/// A recipe, deployed to an AWS that only takes down what is asked of it.
struct Recipe {
    folder: PathBuf,
    files: Files,
    release: Release,
    stacks: Vec<Deployed>,
}

/// A custom resource of a recipe, as CloudFormation would send it.
struct Resource {
    function: &'static str,
    name: String,
    role: FunctionRole,
    properties: Value,
}

impl Recipe {
    fn named(name: &str) -> Self {
        Self::with(name, RECOMMENDED)
    }

    fn as_published(name: &str) -> Self {
        Self::with(name, AS_PUBLISHED)
    }

    fn with(name: &str, files: Files) -> Self {
        let folder = repository("docs/recipes").join(name);
        let release = Release::new();
        for file in fs::read_dir(&folder).unwrap().map(|it| it.unwrap()) {
            fs::copy(file.path(), release.path(file.file_name().to_str().unwrap())).unwrap();
        }
        let stacks = release.stacks(files.parameters);
        Self { folder, files, release, stacks }
    }

    fn stack(&self, template: &str) -> &Deployed {
        self.stacks.iter().find(|it| it.template == template).unwrap()
    }

    /// The custom resources of the organization, in the order in which they are made, for an
    /// organization in which IDs are others than in the recipe.
    fn resources(&self, organization: &Organization) -> Vec<Resource> {
        let ids = ids(organization);
        let mut resources = Vec::new();
        for stack in &self.stacks {
            let of_stack = Template::named(&stack.template);
            // Functions are where the stack is.
            let account = account_of(stack);
            let is_delegated = account != MANAGEMENT;
            let of_functions =
                if is_delegated { "delegated-policies.yaml" } else { "bootstrap.yaml" };
            let resolved = of_stack.with(&parameters(stack));
            for (kind, function) in FUNCTIONS {
                for (name, resource) in of_stack.resources(kind) {
                    let mut properties = resolved.resolve(&resource["Properties"]).unwrap();
                    for own in ["ServiceToken", "ServiceTimeout", "StateFormat"] {
                        properties.as_object_mut().unwrap().remove(own).unwrap();
                    }
                    let template = Template::named(of_functions);
                    let given = parameters(self.stack(of_functions));
                    let mut role = FunctionRole::given(function, &template, &given);
                    role.account = is_delegated.then(|| ids[account].clone());
                    resources.push(Resource {
                        function,
                        name: name.to_owned(),
                        role,
                        properties: replaced(&as_sent(&properties), &ids),
                    });
                }
            }
        }
        resources
    }

    /// Lets the account in that manages policies, as the organization's resource policy.
    fn delegate(&self, organization: &Organization) {
        let Some(stack) = self.stacks.iter().find(|it| it.template == "delegation.yaml") else {
            return;
        };
        let template = Template::named("delegation.yaml");
        let content = &template.body["Resources"]["Delegation"]["Properties"]["Content"];
        let content = template.with(&parameters(stack)).resolve(content).unwrap();
        let content = replaced(&content, &ids(organization)).to_string();
        organization.organization(|it| it.put_resource_policy(&content, &[])).unwrap();
    }

    /// Whether policies are at the root.
    fn reaches_everything(&self) -> bool {
        self.stack("rollout.yaml").parameters["OrganizationalUnitIds"] == "r-ab12"
    }

    /// Puts the documents where the deployment has put them.
    fn upload(&self, organization: &Organization) {
        for (place, content) in self.release.world()["objects"].as_object().unwrap() {
            let (bucket, key) = place.split_once('/').unwrap();
            let text = content.as_str().unwrap();
            organization.buckets(|it| it.put(bucket, key, text));
        }
    }
}

/// The custom types of the organization, each after those that it needs.
const FUNCTIONS: [(&str, &str); 4] = [
    ("Custom::ServiceAccess", "service-access"),
    ("Custom::PolicyTypes", "policy-types"),
    ("Custom::BackupGlobalSettings", "global-settings"),
    ("Custom::BackupPolicy", "backup-policy"),
];

const MANAGEMENT: &str = "111122223333";

/// The account that a stack is in, by the profile of it.
fn account_of(stack: &Deployed) -> &'static str {
    match stack.profile.as_deref() {
        None => MANAGEMENT,
        Some("backup-administrator") => "555566667777",
        Some(_) => "444455556666",
    }
}

fn parameters(stack: &Deployed) -> Vec<(&str, &str)> {
    let own = [
        ("AWS::AccountId", account_of(stack)),
        ("AWS::Partition", "aws"),
        ("AWS::Region", stack.region.as_str()),
        ("AWS::StackName", stack.name.as_str()),
        ("AWS::URLSuffix", "amazonaws.com"),
    ];
    let given = stack.parameters.iter().map(|(key, it)| (key.as_str(), it.as_str()));
    given.chain(own).collect()
}

/// What the IDs of the recipes are in this organization.
fn ids(organization: &Organization) -> BTreeMap<&'static str, String> {
    [("ou-ab12-workload", "Workloads"), ("r-ab12", "root"), ("555566667777", "security-000")]
        .map(|(known, name)| (known, organization.id(name)))
        .into()
}

fn replaced(value: &Value, ids: &BTreeMap<&str, String>) -> Value {
    let text = ids.iter().fold(value.to_string(), |text, (known, id)| text.replace(known, id));
    serde_json::from_str(&text).unwrap()
}

/// Runs the command, which has to find nothing, and returns what it prints.
fn org_backup(arguments: &[&str]) -> String {
    let done = Command::new(binary("org-backup")).args(arguments).output().unwrap();
    let said = String::from_utf8(done.stdout).unwrap();
    assert!(done.status.success(), "{said}{}", String::from_utf8_lossy(&done.stderr));
    said
}

fn check_stacks(recipe: &Recipe, expect: Expect) {
    let line = |it: &Deployed| format!("{} {} {}\n", it.name, it.region, it.template);
    expect.assert_eq(&recipe.stacks.iter().map(line).collect::<String>());
}

/// Deploys a recipe to a bare organization, and compares what is there then, and what an account gets
/// with what is stored.
async fn check(recipe: &Recipe, expect: Expect) {
    let organization = Organization::bare(Settings::default()).await;
    recipe.upload(&organization);
    recipe.delegate(&organization);
    let mut policies = Vec::new();
    for resource in recipe.resources(&organization) {
        let mut stack = stack(&organization, &resource);
        let created = stack.create(resource.properties).await.ok();
        if resource.function == "backup-policy" {
            let policy = organization
                .organization(|it| it.policy(&created.physical_id).map(|it| it.content.clone()));
            policies.push(policy.unwrap());
        }
    }
    let state = organization.state();
    let state = state.lines().filter(|it| !it.starts_with(' ')).map(|it| format!("{it}\n"));
    expect.assert_eq(&state.collect::<String>());

    // By the command: each policy is right, and what they come to.
    let folder = tempfile::tempdir().unwrap();
    let level = folder.path().join("policies.json");
    fs::write(&level, format!("[{}]", policies.join(","))).unwrap();
    let level = level.to_str().unwrap();
    org_backup(&["check", "--strict", level]);
    org_backup(&["effective", "--validate", level]);
    let effective = org_backup(&["effective", level]);
    expect_file![recipe.folder.join(recipe.files.effective)].assert_eq(&effective);
    // By AWS: below the unit, and elsewhere only from the root.
    let [below, elsewhere] = ["production-001", "sandbox-008"].map(|it| organization.id(it));
    let of = |account: &str| {
        organization.organization(simulator::Organization::publish);
        let policy = organization.organization(|it| it.effective_policy(account)).unwrap();
        serde_json::from_str::<Value>(&policy.content).unwrap()
    };
    let everything = serde_json::from_str::<Value>(&effective).unwrap();
    assert_eq!(of(&below), everything);
    let elsewhere = of(&elsewhere);
    assert_eq!(elsewhere, if recipe.reaches_everything() { everything } else { json!({}) });
    check_page(recipe, &effective);
}

/// What the page says of the effective policy is in the effective policy.
fn check_page(recipe: &Recipe, effective: &str) {
    let page = fs::read_to_string(recipe.folder.join("README.md")).unwrap();
    let (_, section) = page.split_once(recipe.files.heading).unwrap();
    // A table says what is otherwise, and so is not in it.
    let section = section.split("\n## ").next().unwrap().split("\n\n|").next().unwrap();
    let quoted: Vec<_> = section.split('`').skip(1).step_by(2).collect();
    assert!(quoted.len() > 3, "{section}");
    for it in quoted {
        assert!(effective.contains(&format!("\"{it}\"")), "{it} is not in {effective}");
    }
}

/// The ARN of the central vault stands in no file that somebody writes, and policies get that of the
/// vault that is made.
fn check_central_vault(recipe: &Recipe) {
    let given = &recipe.stack("backup-policy.yaml").parameters["Variables"];
    let given: Value = serde_json::from_str(given).unwrap();
    let template = Template::named("rollout.yaml");
    let output = &template.body["Outputs"]["CentralVaultArn"]["Value"];
    let rollout = parameters(recipe.stack("rollout.yaml"));
    let made = template.with(&rollout).resolve(output).unwrap();
    assert_eq!(given["CentralVaultArn"], made);
    for file in fs::read_dir(&recipe.folder).unwrap().map(|it| it.unwrap().path()) {
        let name = file.file_name().unwrap().to_str().unwrap();
        let is_output = name.ends_with(RECOMMENDED.effective) || name == "README.md";
        let arn = made.as_str().unwrap();
        assert!(is_output || !fs::read_to_string(&file).unwrap().contains(arn), "{name}");
    }
}

fn stack<'a>(organization: &'a Organization, resource: &Resource) -> Stack<'a> {
    let mut stack = organization.stack(resource.function).named(&resource.name);
    if let Some(account) = &resource.role.account {
        stack = stack.deployed_in(account);
    }
    let (mut role, ids) = (resource.role.clone(), ids(organization));
    // Who may be registered is an account here as well.
    role.statements = role.statements.iter().map(|it| replaced(it, &ids)).collect();
    stack.with_role(role)
}

#[test]
fn every_recipe_is_here_and_on_the_list() {
    let list = fs::read_to_string(repository("docs/recipes/README.md")).unwrap();
    let tests = fs::read_to_string(repository("tests/tests/contracts/recipes.rs")).unwrap();
    for folder in fs::read_dir(repository("docs/recipes")).unwrap().map(|it| it.unwrap()) {
        if folder.file_type().unwrap().is_dir() {
            let name = folder.file_name().into_string().unwrap();
            assert!(list.contains(&format!("({name}/README.md)")), "{name}");
            assert!(tests.contains(&format!("named(\"{name}\")")), "{name}");
            if folder.path().join(AS_PUBLISHED.parameters).exists() {
                assert!(tests.contains(&format!("as_published(\"{name}\")")), "{name}");
            }
        }
    }
}

#[test]
fn what_a_dry_run_says_of_a_recipe_is_what_is_deployed() {
    for folder in fs::read_dir(repository("docs/recipes")).unwrap().map(|it| it.unwrap().path()) {
        if !folder.is_dir() {
            continue;
        }
        let name = folder.file_name().unwrap().to_str().unwrap();
        let has_variant = folder.join(AS_PUBLISHED.parameters).exists();
        let variant = has_variant.then(|| Recipe::as_published(name));
        for recipe in [Recipe::named(name)].into_iter().chain(variant) {
            let file = recipe.files.parameters;
            recipe.release.aws(|it| *it = World::default());
            let said = recipe.release.succeed(&["deploy", file, "--dry-run"]);
            let mut rest = said.as_str();
            for stack in &recipe.stacks {
                let at = format!("\n{} in {}", stack.name, stack.region);
                rest = rest.split_once(&at).unwrap().1;
                let (first, lines) = rest.split_once('\n').unwrap();
                assert!(first.ends_with(": created"), "{}: {first}", stack.name);
                let template = Template::named(&stack.template);
                for (key, value) in &stack.parameters {
                    let default = &template.body["Parameters"][key]["Default"];
                    let default =
                        default.as_str().map_or_else(|| default.to_string(), str::to_owned);
                    // The build is one line for all, and long values are cut.
                    if *value == default || key == "ArtifactPrefix" || value.len() > 160 {
                        continue;
                    }
                    let shown = if value.is_empty() { "\"\"" } else { value.as_str() };
                    assert!(lines.contains(&format!("  {key}: {shown}\n")), "{key}: {said}");
                }
            }
        }
    }
}

#[tokio::test]
async fn tagged_resources_are_copied_to_the_central_account() {
    let recipe = Recipe::named("tags-and-central-copy");
    check_stacks(
        &recipe,
        expect![[r"
        org-backup eu-central-1 bootstrap.yaml
        org-backup-rollout eu-central-1 rollout.yaml
        org-backup-members eu-central-1 members.yaml
        org-backup-policies eu-central-1 backup-policies.yaml
        org-backup-reattach eu-central-1 reattach.yaml
        org-backup-event-forwarder us-east-1 event-forwarder.yaml
    "]],
    );
    let vault = "arn:aws:backup:eu-west-1:444455556666:backup-vault:central";
    assert_eq!(recipe.stack("backup-policies.yaml").parameters["CentralVaultArn"], vault);
    // The vault is made where copies go.
    let rollout = Template::named("rollout.yaml");
    let rollout_stack = rollout.with(&parameters(recipe.stack("rollout.yaml")));
    let output = &rollout.body["Outputs"]["CentralVaultArn"]["Value"];
    assert_eq!(rollout_stack.resolve(output).unwrap(), vault);
    check(
        &recipe,
        expect![[r"
        BACKUP_POLICY is ENABLED
        backup.amazonaws.com is trusted
        member.org.stacksets.cloudformation.amazonaws.com is trusted
        stacksets.cloudformation.amazonaws.com is trusted
        StackSets is activated
        isCrossAccountBackupEnabled is true
        policy org-backup-daily is attached to Workloads
        policy org-backup-monthly is attached to Workloads
    "]],
    )
    .await;
}

#[tokio::test]
async fn what_terraform_does_in_one_account_is_done_in_every_account() {
    let recipe = Recipe::named("from-terraform");
    check_stacks(
        &recipe,
        expect![[r"
        org-backup eu-central-1 bootstrap.yaml
        org-backup-rollout eu-central-1 rollout.yaml
        org-backup-member eu-west-1 member-account.yaml
        org-backup-members eu-central-1 members.yaml
        org-backup-policy-point-in-time eu-central-1 backup-policy.yaml
        org-backup-reattach eu-central-1 reattach.yaml
        org-backup-event-forwarder us-east-1 event-forwarder.yaml
    "]],
    );
    // Every copy goes to a vault that is made, and the role is the one that is made.
    let rollout = &recipe.stack("rollout.yaml").parameters;
    let member = &recipe.stack("member-account.yaml");
    let text = fs::read_to_string(recipe.folder.join("point-in-time.json")).unwrap();
    for it in [
        format!("{}:$account:backup-vault:{}", member.region, rollout["VaultName"]),
        "${CentralVaultArn}".to_owned(),
        format!("role/{}", rollout["BackupRoleName"]),
    ] {
        assert!(text.contains(&it), "{it}");
    }
    check_central_vault(&recipe);
    assert_eq!(recipe.stack("members.yaml").parameters["BackupRoleName"], "backup");
    check(
        &recipe,
        expect![[r"
        BACKUP_POLICY is ENABLED
        backup.amazonaws.com is trusted
        member.org.stacksets.cloudformation.amazonaws.com is trusted
        stacksets.cloudformation.amazonaws.com is trusted
        StackSets is activated
        isCrossAccountBackupEnabled is true
        policy point-in-time is attached to Workloads
    "]],
    )
    .await;
}

#[tokio::test]
async fn instances_are_backed_up_every_night_and_come_back_with_their_profiles() {
    let recipe = Recipe::named("ec2-every-night");
    check_stacks(
        &recipe,
        expect![[r"
        org-backup ap-northeast-1 bootstrap.yaml
        org-backup-rollout ap-northeast-1 rollout.yaml
        org-backup-members ap-northeast-1 members.yaml
        org-backup-policy-ec2-every-night ap-northeast-1 backup-policy.yaml
        org-backup-reattach ap-northeast-1 reattach.yaml
        org-backup-event-forwarder us-east-1 event-forwarder.yaml
    "]],
    );
    // 21:00 in UTC is 06:00 of the next day in Tokyo, the whole year.
    check(
        &recipe,
        expect![[r"
        BACKUP_POLICY is ENABLED
        backup.amazonaws.com is trusted
        member.org.stacksets.cloudformation.amazonaws.com is trusted
        stacksets.cloudformation.amazonaws.com is trusted
        StackSets is activated
        isCrossAccountBackupEnabled is true
        policy ec2-every-night is attached to Workloads
    "]],
    )
    .await;
    // The names of roles arrive at the role for restores.
    let member = Template::named("member-account.yaml");
    let names = recipe.stack("rollout.yaml").parameters["RestoreInstanceRoleNames"].as_str();
    let stack = member.with(&[
        ("RestoreInstanceRoleNames", names),
        ("MemberAccountsRoleArn", "arn:aws:iam::111122223333:role/org-backup-member-accounts"),
        ("OrganizationId", "o-a1b2c3d4e5"),
    ]);
    let policies = &member.body["Resources"]["RestoreRole"]["Properties"]["Policies"];
    let policies = stack.resolve(policies).unwrap();
    let passed = ["arn:*:iam::*:role/web-server", "arn:*:iam::*:role/batch/worker"];
    let [denied, allowed] = [0, 1].map(|it| &policies[0]["PolicyDocument"]["Statement"][it]);
    assert_eq!(allowed["Resource"], json!(passed));
    let own = "arn:*:iam::*:role/org-backup-restore";
    assert_eq!(denied["NotResource"], json!([own, passed[0], passed[1]]));
}

#[tokio::test]
async fn buckets_are_locked_away_and_administered_elsewhere() {
    let recipe = Recipe::named("delegated-and-locked");
    check_stacks(
        &recipe,
        expect![[r"
        org-backup eu-central-1 bootstrap.yaml
        org-backup-rollout eu-central-1 rollout.yaml
        org-backup-members eu-central-1 members.yaml
        org-backup-policy-buckets eu-central-1 backup-policy.yaml
        org-backup-reattach eu-central-1 reattach.yaml
        org-backup-event-forwarder us-east-1 event-forwarder.yaml
        org-backup-delegation eu-central-1 delegation.yaml
        org-backup-audit eu-central-1 audit.yaml
        org-backup-restore-testing eu-west-1 restore-testing.yaml
        org-backup-monitoring eu-central-1 monitoring.yaml
        org-backup-monitoring-rollout eu-central-1 monitoring-rollout.yaml
        org-backup-monitoring-member eu-central-1 monitoring-member.yaml
    "]],
    );
    check_central_vault(&recipe);
    // No rule asks a lock for what it refuses.
    let rollout = &recipe.stack("rollout.yaml").parameters;
    let days = |name: &str| rollout[name].parse::<u32>().unwrap();
    assert!((days("LockMinRetentionDays")..=days("LockMaxRetentionDays")).contains(&35));
    let central = days("CentralLockMinRetentionDays")..=days("CentralLockMaxRetentionDays");
    assert!(central.contains(&365));
    check(
        &recipe,
        expect![[r"
        BACKUP_POLICY is ENABLED
        backup.amazonaws.com is trusted
        member.org.stacksets.cloudformation.amazonaws.com is trusted
        stacksets.cloudformation.amazonaws.com is trusted
        security-000 administers backup.amazonaws.com
        StackSets is activated
        isCrossAccountBackupEnabled is true
        isDelegatedAdministratorEnabled is true
        policy buckets is attached to Workloads
    "]],
    )
    .await;
}

#[tokio::test]
async fn two_tags_at_the_root_are_deployed_as_published() {
    let recipe = Recipe::as_published("tags-and-central-copy");
    check_stacks(
        &recipe,
        expect![[r"
        org-backup us-east-1 bootstrap.yaml
        org-backup-rollout us-east-1 rollout.yaml
        org-backup-member us-west-2 member-account.yaml
        org-backup-members us-east-1 members.yaml
        org-backup-policy-orgbackuppolicy us-east-1 backup-policy.yaml
        org-backup-reattach us-east-1 reattach.yaml
    "]],
    );
    let rollout = recipe.stack("rollout.yaml");
    assert_eq!(rollout.parameters["VaultName"], "MemberVault");
    check_central_vault(&recipe);
    check(
        &recipe,
        expect![[r"
        BACKUP_POLICY is ENABLED
        backup.amazonaws.com is trusted
        member.org.stacksets.cloudformation.amazonaws.com is trusted
        stacksets.cloudformation.amazonaws.com is trusted
        StackSets is activated
        isCrossAccountBackupEnabled is true
        policy OrgBackupPolicy is attached to root
    "]],
    )
    .await;
}

#[tokio::test]
async fn one_tag_with_two_rhythms_is_deployed_as_published() {
    let recipe = Recipe::as_published("from-terraform");
    check_stacks(
        &recipe,
        expect![[r"
        org-backup eu-west-3 bootstrap.yaml
        org-backup-rollout eu-west-3 rollout.yaml
        org-backup-members eu-west-3 members.yaml
        org-backup-policy-one-tag-two-rhythms eu-west-3 backup-policy.yaml
        org-backup-reattach eu-west-3 reattach.yaml
        org-backup-event-forwarder us-east-1 event-forwarder.yaml
    "]],
    );
    check(
        &recipe,
        expect![[r"
        BACKUP_POLICY is ENABLED
        backup.amazonaws.com is trusted
        member.org.stacksets.cloudformation.amazonaws.com is trusted
        stacksets.cloudformation.amazonaws.com is trusted
        StackSets is activated
        isCrossAccountBackupEnabled is true
        policy one-tag-two-rhythms is attached to Workloads
    "]],
    )
    .await;
}

#[tokio::test]
async fn instances_by_tag_alone_are_deployed_as_published() {
    let recipe = Recipe::as_published("ec2-every-night");
    check_stacks(
        &recipe,
        expect![[r"
        org-backup ap-northeast-1 bootstrap.yaml
        org-backup-rollout ap-northeast-1 rollout.yaml
        org-backup-members ap-northeast-1 members.yaml
        org-backup-policy-ec2 ap-northeast-1 backup-policy.yaml
        org-backup-reattach ap-northeast-1 reattach.yaml
        org-backup-event-forwarder us-east-1 event-forwarder.yaml
    "]],
    );
    let rollout = &recipe.stack("rollout.yaml").parameters;
    assert_eq!(
        [&rollout["VaultName"], &rollout["BackupRoleName"]],
        ["EC2", "AWSBackupServiceEC2Role"]
    );
    check(
        &recipe,
        expect![[r"
        BACKUP_POLICY is ENABLED
        backup.amazonaws.com is trusted
        member.org.stacksets.cloudformation.amazonaws.com is trusted
        stacksets.cloudformation.amazonaws.com is trusted
        StackSets is activated
        isCrossAccountBackupEnabled is true
        policy EC2 is attached to Workloads
    "]],
    )
    .await;
}

#[tokio::test]
async fn policies_are_made_in_the_account_of_the_administrator_as_published() {
    let recipe = Recipe::as_published("delegated-and-locked");
    check_stacks(
        &recipe,
        expect![[r"
        org-backup eu-west-1 bootstrap.yaml
        org-backup-rollout eu-west-1 rollout.yaml
        org-backup-members eu-west-1 members.yaml
        org-backup-delegation eu-west-1 delegation.yaml
        org-backup-delegated-policies eu-west-1 delegated-policies.yaml
        org-backup-policy-s3-backup-policy eu-west-1 backup-policy.yaml
        org-backup-reattach eu-west-1 reattach.yaml
        org-backup-event-forwarder us-east-1 event-forwarder.yaml
    "]],
    );
    // The function and the policy are in that account, and its role needs no other role.
    let [functions, policy] =
        ["delegated-policies.yaml", "backup-policy.yaml"].map(|it| recipe.stack(it));
    for it in [functions, policy] {
        assert_eq!(it.profile.as_deref(), Some("backup-administrator"), "{}", it.name);
    }
    assert_eq!(policy.parameters["BootstrapStackName"], functions.name);
    check(
        &recipe,
        expect![[r"
        BACKUP_POLICY is ENABLED
        backup.amazonaws.com is trusted
        member.org.stacksets.cloudformation.amazonaws.com is trusted
        stacksets.cloudformation.amazonaws.com is trusted
        security-000 administers backup.amazonaws.com
        StackSets is activated
        isCrossAccountBackupEnabled is true
        isDelegatedAdministratorEnabled is true
        policy S3_Backup_Policy is attached to Workloads
    "]],
    )
    .await;
}

#[tokio::test]
async fn without_the_delegation_an_account_makes_no_policy() {
    let recipe = Recipe::as_published("delegated-and-locked");
    let organization = Organization::ready(Settings::default()).await;
    recipe.upload(&organization);
    let resources = recipe.resources(&organization);
    let policy = resources.iter().find(|it| it.function == "backup-policy").unwrap();
    let mut stack = stack(&organization, policy);
    let refused = stack.create(policy.properties.clone()).await.reason();
    assert!(refused.contains("AccessDenied"), "{refused}");
    recipe.delegate(&organization);
    let created = stack.create(policy.properties.clone()).await.ok();
    // It is changed and taken back from there as well.
    let mut changed = policy.properties.clone();
    changed["Description"] = json!("Theirs");
    assert_eq!(stack.update(changed).await.ok().physical_id, created.physical_id);
    let _ = stack.delete().await.ok();
    assert!(organization.organization(|it| it.policy(&created.physical_id).is_err()));
}

#[test]
fn the_role_in_a_delegated_account_is_that_of_the_management_account() {
    let statements = |template: &str| {
        let template = Template::named(template);
        let given = [
            ("AWS::AccountId", MANAGEMENT),
            ("AWS::StackName", "org-backup"),
            ("ArtifactBucket", "artifacts-of-ours"),
            ("ArtifactPrefix", "org-backup/0123/"),
            ("ManagementAccountId", MANAGEMENT),
            ("PolicyBucket", "documents-of-ours"),
        ];
        FunctionRole::given("backup-policy", &template, &given).statements
    };
    assert_eq!(statements("delegated-policies.yaml"), statements("bootstrap.yaml"));
}

/// An organization in which somebody else's program has made the policy of `before.yaml`.
async fn before() -> (Organization, Value) {
    let organization = Organization::ready(Settings::default()).await;
    let text = fs::read_to_string(repository("docs/recipes/adopt/before.yaml")).unwrap();
    let before = Template::of_text("before.yaml", &text);
    let policy = before.body["Resources"]["Daily"].clone();
    let properties = replaced(&policy["Properties"], &ids(&organization));
    let text = |name: &str| properties[name].as_str().unwrap();
    organization.organization(|it| {
        let content = properties["Content"].to_string();
        let made = it.create_policy(text("Type"), text("Name"), text("Description"), &content, &[]);
        for target in properties["TargetIds"].as_array().unwrap() {
            it.attach_policy(made.as_ref().unwrap(), target.as_str().unwrap()).unwrap();
        }
        it.publish();
    });
    organization.clear_journal();
    (organization, policy)
}

fn has_gap(call: &Entry) -> bool {
    !(call.lost.is_empty() && call.unprotected.is_empty() && call.withheld.is_empty())
}

/// No account lost a policy, or got an invalid one, at any of the calls.
fn check_without_a_gap(organization: &Organization) {
    assert_eq!(organization.lines(has_gap), "");
}

#[tokio::test]
async fn a_policy_is_taken_over_without_a_gap() {
    let recipe = Recipe::named("adopt");
    check_stacks(
        &recipe,
        expect![[r"
        org-backup eu-central-1 bootstrap.yaml
        org-backup-rollout eu-central-1 rollout.yaml
        org-backup-members eu-central-1 members.yaml
        org-backup-policy-daily-backups eu-central-1 backup-policy.yaml
        org-backup-reattach eu-central-1 reattach.yaml
        org-backup-event-forwarder us-east-1 event-forwarder.yaml
    "]],
    );
    check(
        &recipe,
        expect![[r"
        BACKUP_POLICY is ENABLED
        backup.amazonaws.com is trusted
        member.org.stacksets.cloudformation.amazonaws.com is trusted
        stacksets.cloudformation.amazonaws.com is trusted
        StackSets is activated
        isCrossAccountBackupEnabled is true
        policy daily-backups is attached to Workloads
    "]],
    )
    .await;

    let (organization, made) = before().await;
    // Removed from its stack, it is not deleted: CloudFormation makes no call then.
    assert_eq!([&made["DeletionPolicy"], &made["UpdateReplacePolicy"]], ["Retain", "Retain"]);
    let id = organization.policy_id("daily-backups");
    let protected: BTreeSet<_> = organization.reached(&json!([organization.id("Workloads")]));
    recipe.upload(&organization);
    let resources = recipe.resources(&organization);
    let [adopted] =
        &resources.iter().filter(|it| it.function == "backup-policy").collect::<Vec<_>>()[..]
    else {
        panic!("one policy");
    };
    let mut stack = stack(&organization, adopted);
    let created = stack.create(adopted.properties.clone()).await.ok();
    assert_eq!(created.physical_id, id);
    // The document is the same, so nothing changes but whose it is.
    organization.check_writes(expect![[r"
        TagResource daily-backups
    "]]);
    // From now on it is changed in place.
    let mut changed = adopted.properties.clone();
    let document = fs::read_to_string(recipe.folder.join("daily.json")).unwrap();
    organization.buckets(|it| {
        it.put(
            "artifacts-of-ours-eu-central-1",
            "next.json",
            document.replace("cron(0 3", "cron(0 4"),
        )
    });
    changed["ContentUrl"] = json!("s3://artifacts-of-ours-eu-central-1/next.json");
    let updated = stack.update(changed).await.ok();
    assert_eq!(updated.physical_id, id);
    check_without_a_gap(&organization);
    // And going back is letting it go.
    let _ = stack.delete().await.ok();
    check_without_a_gap(&organization);
    let still =
        |it: &String| organization.organization(|all| all.backup_policies_of(it)).contains(&id);
    assert!(!protected.is_empty() && protected.iter().all(still));
}

#[tokio::test]
async fn without_adopt_nothing_is_taken_over_and_a_gap_would_be_seen() {
    let recipe = Recipe::named("adopt");
    let (organization, _) = before().await;
    let id = organization.policy_id("daily-backups");
    recipe.upload(&organization);
    let resources = recipe.resources(&organization);
    let adopted = resources.iter().find(|it| it.function == "backup-policy").unwrap();
    let mut properties = adopted.properties.clone();
    properties["Adopt"] = json!("false");
    let mut stack = stack(&organization, adopted);
    let refused = stack.create(properties.clone()).await.reason();
    assert!(refused.contains(&id), "{refused}");
    organization.check_writes(expect![""]);

    // Moving it away is what the check looks for.
    properties["Adopt"] = json!("true");
    let _ = stack.create(properties.clone()).await.ok();
    check_without_a_gap(&organization);
    properties["TargetIds"] = json!([organization.id("Sandbox")]);
    let _ = stack.update(properties).await.ok();
    assert_ne!(organization.lines(has_gap), "");
}

#[tokio::test]
async fn killed_at_any_call_of_a_takeover_no_account_is_without_its_policy() {
    let recipe = Recipe::named("adopt");
    for number in 1.. {
        let (organization, _) = before().await;
        let id = organization.policy_id("daily-backups");
        recipe.upload(&organization);
        let resources = recipe.resources(&organization);
        let adopted = resources.iter().find(|it| it.function == "backup-policy").unwrap();
        let mut stack = stack(&organization, adopted);
        let event = stack.event("Create", &adopted.properties);
        let killed = stack.kill(&event, organization.hold(number, Moment::After)).await;
        check_without_a_gap(&organization);
        let answer = stack.send(&event).await;
        assert_eq!(answer.ok().physical_id, id);
        check_without_a_gap(&organization);
        if !killed {
            assert!(number > 5, "{number}");
            break;
        }
    }
}
