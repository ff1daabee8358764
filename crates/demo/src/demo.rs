//! The services that run during the demo, and deployments of stacks to them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use policy::arn::Arn;
use simulator::{BackedUp, Entry};

use crate::cloudformation::{BUCKET, Deployer, Deployment};
use crate::failure::{DemoError, ensure};
use crate::ledger::{Ledger, ResourceWork};
use crate::ministack::{Ministack, REGION};
use crate::organization::{Simulated, USUAL_ROLE};
use crate::restore_template::without_plan;
use crate::rollout::{REGIONS, Rollout};
use crate::screen::Screen;

/// The stack that prepares the organization.
pub(crate) const BOOTSTRAP: &str = "org-backup";
/// The stack of the backup policies.
pub(crate) const POLICIES: &str = "org-backup-policies";
/// The stack that sets up AWS Backup in member accounts.
pub(crate) const MEMBERS: &str = "org-backup-members";
/// The stack that inspects the resources of restore tests.
pub(crate) const RESTORE_TESTING: &str = "org-backup-restores";
/// The stack that repairs drift.
pub(crate) const REATTACH: &str = "org-backup-reattach";
/// The number of accounts in the organization.
pub(crate) const ACCOUNTS: usize = 40;
const MANAGEMENT_ACCOUNT: &str = "518204739061";
/// The Region of the vault to which every backup is copied.
pub(crate) const CENTRAL_REGION: &str = "us-west-2";

/// The services of the simulator, by the names in the variables for their endpoints. ministack has
/// the others.
const SIMULATED: [&str; 9] = [
    "BACKUP",
    "CLOUDFORMATION",
    "CLOUDTRAIL",
    "IAM",
    "KMS",
    "ORGANIZATIONS",
    "RESOURCE_EXPLORER_2",
    "RESOURCE_GROUPS_TAGGING_API",
    "STS",
];

/// The services that hold data in the accounts of the simulator, by the same names.
const HOLDING: [&str; 5] = ["DYNAMODB", "EC2", "EFS", "FSX", "RDS"];

/// The locations of files.
#[derive(Debug)]
pub(crate) struct Places {
    /// The command `org-backup`.
    pub command: PathBuf,
    /// The archives of the functions.
    pub package: PathBuf,
    /// The Python interpreter that has ministack.
    pub python: PathBuf,
    /// The templates.
    pub templates: PathBuf,
}

/// The services that run during the demo.
#[derive(Debug)]
pub(crate) struct Demo<'a> {
    /// The screen on which the demo is shown.
    pub screen: &'a Screen,
    /// The locations of files.
    pub places: &'a Places,
    /// The organization.
    pub simulated: Simulated,
    /// All other AWS services.
    pub ministack: Ministack,
    /// The stack that prepares the organization.
    pub bootstrap: Stack,
    /// The stack of the backup policies.
    pub policies: Stack,
    /// The stack that sets up AWS Backup in member accounts.
    pub members: Stack,
    /// The stack that repairs drift.
    pub reattach: Stack,
    /// The stack that inspects the resources of restore tests.
    pub restore_testing: Stack,
    /// The accounts and Regions that have a stack.
    pub rollout: Rollout,
    /// The template for every account and Region.
    pub member_template: String,
    /// The ARN of the vault to which every backup is copied, in an account for security.
    pub central_vault: String,
    /// The state bucket of the functions, once it exists.
    pub state_bucket: String,
    /// The access key of the operator, who runs the command `org-backup`.
    pub operator: String,
    /// The clients for deployments in the management account.
    pub deployer: Deployer,
}

/// The inputs of a stack's deployment.
#[derive(Debug)]
pub(crate) struct Stack {
    /// Its name.
    pub name: &'static str,
    /// The text of its template.
    pub template: String,
    /// Its parameters.
    pub parameters: BTreeMap<&'static str, String>,
}

/// One deployment, with the work of the custom resources in it.
#[derive(Debug)]
pub(crate) struct Told {
    /// The events and the result of the deployment.
    pub deployment: Deployment,
    /// The work of the custom resources.
    pub work: Vec<ResourceWork>,
    /// Every call from the beginning to the end of the deployment.
    pub calls: Vec<Entry>,
}

impl Told {
    /// Returns the calls that were to change something and were not refused.
    pub(crate) fn writes(&self) -> Vec<String> {
        let writes = self.calls.iter().filter(|it| it.is_successful_write());
        writes.map(ToString::to_string).collect()
    }

    /// Returns an error if there were any writes.
    pub(crate) fn wrote_nothing(&self) -> Result<(), DemoError> {
        let stack = &self.deployment.stack;
        ensure(self.writes().is_empty(), || format!("{stack} wrote {}", self.writes().join(", ")))
    }
}

impl<'a> Demo<'a> {
    /// Starts an organization and an AWS account around it.
    pub(crate) async fn set(places: &'a Places, screen: &'a Screen) -> Result<Self, DemoError> {
        let template = |name: &str| read(&places.templates.join(name));
        let (bootstrap, policies) =
            (template("bootstrap.yaml")?, template("backup-policies.yaml")?);
        screen.wait_for("starting the simulator and ministack");
        let simulated = Simulated::start(ACCOUNTS, MANAGEMENT_ACCOUNT).await?;
        let central = simulated.administrator()?;
        simulated.add_central_vault(&central, CENTRAL_REGION);
        let operator = simulated.add_operator()?;
        let central_vault =
            format!("arn:aws:backup:{CENTRAL_REGION}:{central}:backup-vault:central");
        let ministack =
            Ministack::start(&places.python, MANAGEMENT_ACCOUNT, &simulated.endpoint()).await?;
        let deployer = Deployer::new(&ministack.endpoint(), MANAGEMENT_ACCOUNT, REGION);
        let prefix = deployer.upload(&places.package).await?;
        let code = [("ArtifactBucket", BUCKET.to_owned()), ("ArtifactPrefix", prefix.clone())];
        let with_code = |more: &[(&'static str, &str)]| -> BTreeMap<&'static str, String> {
            let more = more.iter().map(|(name, value)| (*name, (*value).to_owned()));
            code.clone().into_iter().chain(more).collect()
        };
        let regions = REGIONS.join(",");
        let members = Stack {
            name: MEMBERS,
            template: template("members.yaml")?,
            parameters: with_code(&[
                ("BootstrapStackName", BOOTSTRAP),
                ("CentralAccountId", &central),
                ("Regions", &regions),
            ]),
        };
        let reattach = Stack {
            name: REATTACH,
            template: template("reattach.yaml")?,
            parameters: with_code(&[
                ("BootstrapStackName", BOOTSTRAP),
                ("MembersStackName", MEMBERS),
                ("BatchingWindowSeconds", "0"),
            ]),
        };
        let restore_testing = Stack {
            name: RESTORE_TESTING,
            template: without_plan(&template("restore-testing.yaml")?)?,
            parameters: with_code(&[
                ("VaultArns", &central_vault),
                // A selection is part of a testing plan, which ministack does not know.
                ("TestAurora", "false"),
                ("TestDynamoDB", "false"),
                ("TestEBS", "false"),
                ("TestEC2", "false"),
                ("TestEFS", "false"),
                ("TestRDS", "false"),
                ("TestS3", "false"),
            ]),
        };
        let member_template = template("member-account.yaml")?;
        let bootstrap = Stack {
            name: BOOTSTRAP,
            template: bootstrap,
            parameters: [
                ("ArtifactBucket", BUCKET.to_owned()),
                ("ArtifactPrefix", prefix),
                ("BackupAdministratorAccountIds", simulated.administrator()?),
            ]
            .into(),
        };
        let policies = Stack {
            name: POLICIES,
            template: policies,
            parameters: [
                ("CentralVaultArn", central_vault.clone()),
                ("Regions", REGIONS.join(",")),
            ]
            .into(),
        };
        Ok(Self {
            screen,
            places,
            central_vault,
            simulated,
            ministack,
            bootstrap,
            policies,
            members,
            reattach,
            restore_testing,
            rollout: Rollout::new()?,
            member_template,
            state_bucket: String::new(),
            operator,
            deployer,
        })
    }

    /// Returns the environment variables for the operator: those that the AWS CLI, botocore and
    /// `org-backup` read, and the state bucket.
    pub(crate) fn environment(&self) -> Vec<(String, String)> {
        let of = |it: &str, endpoint| (format!("AWS_ENDPOINT_URL_{it}"), endpoint);
        let simulated = SIMULATED.map(|it| of(it, self.simulated.endpoint()));
        let holding = HOLDING.map(|it| of(it, self.simulated.data_endpoint()));
        let others = [
            ("AWS_ENDPOINT_URL", self.ministack.endpoint()),
            ("AWS_ACCESS_KEY_ID", self.operator.clone()),
            ("AWS_SECRET_ACCESS_KEY", "none".to_owned()),
            // The AWS CLI and botocore read the second one, and other SDKs the first one.
            ("AWS_REGION", REGION.to_owned()),
            ("AWS_DEFAULT_REGION", REGION.to_owned()),
            // Nothing else of this machine counts.
            ("AWS_CONFIG_FILE", "/dev/null".to_owned()),
            ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null".to_owned()),
            ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
            ("STATE_BUCKET", self.state_bucket.clone()),
        ];
        others
            .map(|(name, it)| (name.to_owned(), it))
            .into_iter()
            .chain(simulated)
            .chain(holding)
            .collect()
    }

    /// Prints what you need to continue by hand.
    pub(crate) fn introduce(&self) {
        self.screen
            .line(&format!("\nThe stacks stay up. The state bucket is {}.", self.state_bucket));
        self.screen
            .line("For the AWS CLI, any SDK and org-backup, as the operator of chapter 9:\n");
        for (name, value) in self.environment() {
            self.screen.whole(&format!("   export {name}={value}"));
        }
        let folder = self.places.command.parent().unwrap_or(Path::new("")).display();
        self.screen.whole(&format!("   export PATH=\"{folder}:$PATH\""));
        self.screen.line("\nFive commands for a start:\n");
        for it in self.commands() {
            self.screen.whole(&format!("   {it}"));
        }
        self.screen.line(&format!(
            "\nWith the AWS CLI: aws organizations list-policies --filter BACKUP_POLICY\n\
             The functions are in s3://{BUCKET}, and their stacks at {}.\n\
             The journal of the calls is at {}/_simulator/journal.\n\
             The page of the report is {}.\n\
             To deploy the policies again elsewhere, set Adopt=true.\n\
             Ctrl-C ends it all.",
            self.ministack.endpoint(),
            self.simulated.endpoint(),
            self.page().display(),
        ));
    }

    /// Returns the commands for a start, which work with the variables of
    /// [`environment`](Self::environment).
    fn commands(&self) -> [String; 5] {
        // The ARN of a bucket names no account.
        let has_account =
            |it: &BackedUp| Arn::parse(&it.arn).is_ok_and(|arn| arn.account == it.account);
        let resource = self.simulated.resources().into_iter().find(has_account).map(|it| it.arn);
        [
            "org-backup doctor".to_owned(),
            format!("org-backup report --member-role {USUAL_ROLE} --missing"),
            format!("org-backup coverage --member-role {USUAL_ROLE}"),
            format!(
                "org-backup explain {} \\\n     --member-role {USUAL_ROLE}",
                resource.unwrap_or_default()
            ),
            format!("org-backup plan --member-role {USUAL_ROLE}"),
        ]
    }

    /// Creates or updates `stack`, and shows the events.
    pub(crate) async fn deploy(&self, stack: &Stack) -> Result<Told, DemoError> {
        let Stack { name, template, parameters } = stack;
        self.follow(async |ledger: &mut Ledger| {
            let calls = |from, to| self.simulated.calls_between(from, to);
            let seen = |it: &_| {
                self.simulated.tell(it);
                ledger.see(it, self.screen, calls);
            };
            self.deployer.deploy(name, template, parameters, seen).await
        })
        .await
    }

    /// Deletes `stack`, and shows the events.
    pub(crate) async fn delete(&self, stack: &str) -> Result<Told, DemoError> {
        self.follow(async |ledger: &mut Ledger| {
            let calls = |from, to| self.simulated.calls_between(from, to);
            let seen = |it: &_| {
                self.simulated.tell(it);
                ledger.see(it, self.screen, calls);
            };
            self.deployer.delete(stack, seen).await
        })
        .await
    }

    /// Runs a deployment and shows the work of the custom resources in it.
    async fn follow(
        &self,
        run: impl AsyncFnOnce(&mut Ledger) -> Result<Deployment, DemoError>,
    ) -> Result<Told, DemoError> {
        let known = self.simulated.journal().len();
        let mut ledger = Ledger::default();
        let deployment = run(&mut ledger).await?;
        self.screen.rest();
        let others = deployment.events.iter().filter(|it| !it.custom() && it.done()).count();
        let others = match others.saturating_sub(1) {
            0 => String::new(),
            count => format!(", with {count} functions, roles and log groups"),
        };
        let took = deployment.milliseconds();
        let (stack, status) = (&deployment.stack, &deployment.status);
        self.screen.line(&format!("   {stack:<21} {status} in {took} ms{others}"));
        let calls = self.simulated.journal().split_off(known);
        Ok(Told { deployment, work: ledger.done, calls })
    }
}

fn read(path: &Path) -> Result<String, DemoError> {
    fs::read_to_string(path)
        .map_err(|source| DemoError::Unreadable { path: path.display().to_string(), source })
}
