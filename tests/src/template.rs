//! CloudFormation templates, as far as the contracts look into them.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a contract that cannot be read is broken"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use ::template::{Environment, Evaluator, Given, Notes, Syntax, as_written};
use policy::{Node, json};
use serde_json::Value;

/// Values of the parameters that have no default, or one of which a resource that is not made makes
/// nothing that could be read.
pub const REQUIRED: &[(&str, &str)] = &[
    ("ArtifactBucket", "artifacts-of-ours"),
    ("ArtifactPrefix", "org-backup/0123/"),
    ("BusArn", "arn:aws-cn:events:cn-north-1:666677778888:event-bus/org-backup"),
    ("CentralVaultArn", "arn:aws-cn:backup:cn-northwest-1:666677778888:backup-vault:central"),
    ("ContentUrl", "s3://documents-of-ours/daily.json"),
    ("DelegatedAccountId", "444455556666"),
    ("HomeRegion", "cn-north-1"),
    ("ManagementAccountId", "333344445555"),
    ("MemberAccountsRoleArn", "arn:aws-cn:iam::333344445555:role/org-backup-member-accounts"),
    ("OrganizationId", "o-a1b2c3d4e5"),
    ("OrganizationalUnitIds", "ou-ab12-c3d4e5f6, ou-ab12-d4e5f6a7"),
    ("PolicyName", "daily"),
    ("RecoveryPrincipalArn", "arn:aws-cn:iam::333344445555:role/operators-*"),
    ("TargetIds", "ou-ab12-c3d4e5f6"),
];

/// Values that make every condition true.
pub const EVERYTHING: &[(&str, &str)] = &[
    ("AdministratorRoleArns", "arn:*:iam::*:role/stacksets-exec-*"),
    ("AirGappedApprovalTeamArn", "arn:aws-cn:mpa:cn-north-1:333344445555:approval-team/lost/a1b2"),
    ("AirGappedKey", "Vault"),
    ("AirGappedVaultName", "air-gapped"),
    ("AlarmTopicArn", "arn:aws-cn:sns:cn-northwest-1:333344445555:operators"),
    ("BackupAdministratorAccountIds", "444455556666"),
    ("BackupPlanTags", "team=storage,cost-center=4711,stage=production"),
    ("BackupPolicyVersion", "b7.x"),
    ("CentralAccountId", "666677778888"),
    ("CentralBackupAccountTemplateVersion", "c7.x"),
    ("CentralRegions", "cn-northwest-1"),
    (
        "CheckAuroraFunctionArn",
        "arn:aws-cn:lambda:cn-north-1:333344445555:function:looks-at-aurora",
    ),
    (
        "CheckDocumentDBFunctionArn",
        "arn:aws-cn:lambda:cn-north-1:333344445555:function:looks-at-documentdb",
    ),
    (
        "CheckDynamoDBFunctionArn",
        "arn:aws-cn:lambda:cn-north-1:333344445555:function:looks-at-dynamodb",
    ),
    ("CheckEBSFunctionArn", "arn:aws-cn:lambda:cn-north-1:333344445555:function:looks-at-ebs"),
    ("CheckEC2FunctionArn", "arn:aws-cn:lambda:cn-north-1:333344445555:function:looks-at-ec2"),
    ("CheckEFSFunctionArn", "arn:aws-cn:lambda:cn-north-1:333344445555:function:looks-at-efs"),
    ("CheckFSxFunctionArn", "arn:aws-cn:lambda:cn-north-1:333344445555:function:looks-at-fsx"),
    (
        "CheckNeptuneFunctionArn",
        "arn:aws-cn:lambda:cn-north-1:333344445555:function:looks-at-neptune",
    ),
    ("CheckRDSFunctionArn", "arn:aws-cn:lambda:cn-north-1:333344445555:function:looks-at-rds"),
    ("CheckS3FunctionArn", "arn:aws-cn:lambda:cn-north-1:333344445555:function:looks-at-s3"),
    ("ClusterInstanceClass", "db.t4g.medium"),
    ("ControlTower", "Free"),
    ("CopyAccountIds", "666677778888"),
    ("CopyRegions", "cn-northwest-1"),
    ("CoverageRoleArn", "arn:aws-cn:iam::333344445555:role/org-backup-coverage"),
    ("CoverageVersion", "v8.x"),
    ("DelegatedAdministratorSync", "true"),
    ("DeletionRoleArns", "arn:aws-cn:iam::333344445555:role/breaks-glass"),
    ("ExcludeAccounts", "777788889999"),
    ("GlobalSettingsOnDelete", "Restore"),
    ("GlobalSettingsVersion", "g7.x"),
    ("LandingZoneAccelerator", "Free"),
    ("LockMaxRetentionDays", "400"),
    ("LockMode", "Compliance"),
    ("MemberAccountTemplateVersion", "m7.x"),
    ("MemberAccountsDefinitionVersion", "d7.x"),
    ("MemberAccountsVersion", "a7.x"),
    ("MonitoringMemberTemplateVersion", "o7.x"),
    ("MonthlyColdStorageAfterDays", "30"),
    ("MultiPartyApproval", "false"),
    ("NotificationEmail", "backup@example.com"),
    ("NotificationAccountId", "444455556666"),
    ("NotificationTopicName", "backups"),
    ("NotifySuccess", "true"),
    ("OrganizationPaths", "o-a1b2c3d4e5/r-ab12/ou-ab12-c3d4e5f6/*"),
    ("OtherRegions", "cn-northwest-1"),
    ("PolicyBucket", "documents-of-ours"),
    ("ReattachAccountId", "333344445555"),
    ("PolicyTypesOnDelete", "Disable"),
    ("PolicyTypesVersion", "p7.x"),
    ("ReattachVersion", "r7.x"),
    ("Regions", "cn-north-1, cn-northwest-1"),
    ("RecoveryPointTags", "team=storage,cost-center=4711,stage=production"),
    ("ReportAccounts", "ROOT"),
    ("ReportRegions", "*"),
    ("RestoreInstanceRoleNames", "web, path/to/worker"),
    ("RestoreValidationVersion", "v7.x"),
    ("ScannerRoleName", "org-backup-scanner"),
    ("SecondDailyTagValues", "yes"),
    ("SecondMonthlyTagValues", "yes"),
    ("SecondTagKey", "second"),
    ("ServiceAccessOnDelete", "Revert"),
    ("ServiceAccessVersion", "s7.x"),
    ("StackSetsAdministratorAccountId", "555566667777"),
    ("StateAdministratorRoleArns", "arn:aws-cn:iam::333344445555:role/breaks-glass"),
    ("TellsChat", "true"),
    ("TellsSecurityHub", "true"),
    ("TestDocumentDB", "true"),
    ("TestNeptune", "true"),
    ("Variables", "{\"Vault\": \"org-backup\"}"),
];

/// A template in JSON, where `!Ref` is written `{"Ref": …}` and so on.
#[derive(Clone, Debug)]
pub struct Template {
    /// The name of its file.
    pub name: String,
    /// The whole of it.
    pub body: Value,
}

/// A template and the values of its parameters.
#[derive(Debug)]
pub struct Stack<'a> {
    name: &'a str,
    template: Node,
    parameters: BTreeMap<&'a str, &'a str>,
}

impl Template {
    /// Every template of this project.
    ///
    /// # Panics
    ///
    /// When one is not YAML.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../templates");
        let mut paths: Vec<_> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        paths.retain(|it| it.extension().is_some_and(|it| it == "yaml"));
        assert!(!paths.is_empty());
        paths.iter().map(|it| Self::read(it)).collect()
    }

    /// The template of this name.
    ///
    /// # Panics
    ///
    /// When there is none, or it is not YAML.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../templates").join(name))
    }

    fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap();
        Self::of_text(path.file_name().unwrap().to_str().unwrap(), &text)
    }

    /// The template with this text.
    ///
    /// # Panics
    ///
    /// When it is not YAML.
    #[must_use]
    pub fn of_text(name: &str, text: &str) -> Self {
        let (document, findings) = ::template::read(text, Syntax::Yaml);
        assert_eq!(findings, [], "{name}");
        Self { name: name.to_owned(), body: as_written(&document.unwrap()).unwrap() }
    }

    /// Its resources whose type begins with `prefix`, by name.
    ///
    /// # Panics
    ///
    /// When it has no resources.
    #[must_use]
    pub fn resources(&self, prefix: &str) -> Vec<(&str, &Value)> {
        let all = self.body["Resources"].as_object().unwrap();
        let of_type = |it: &Value| it["Type"].as_str().unwrap().starts_with(prefix);
        all.iter().filter(|(_, it)| of_type(it)).map(|(name, it)| (name.as_str(), it)).collect()
    }

    /// The template deployed with these parameters, and the defaults of the others.
    #[must_use]
    pub fn with<'a>(&'a self, parameters: &[(&'a str, &'a str)]) -> Stack<'a> {
        let parameters = parameters.iter().copied().collect();
        Stack { name: &self.name, template: node(&self.body), parameters }
    }
}

impl Stack<'_> {
    /// Whether this resource of the template is made.
    ///
    /// # Panics
    ///
    /// When that is not known.
    #[must_use]
    pub fn makes(&self, resource: &Value) -> bool {
        resource.get("Condition").is_none_or(|it| {
            self.evaluated(|evaluator| evaluator.condition(it.as_str().unwrap(), "").unwrap())
        })
    }

    /// What `value` comes to. `None` is `AWS::NoValue`.
    ///
    /// An attribute of a resource becomes its name, as in `PolicyTypesFunction.Arn`, and an imported
    /// value the name of the export.
    ///
    /// # Panics
    ///
    /// When something of it is not known, or a parameter has no value.
    #[must_use]
    pub fn resolve(&self, value: &Value) -> Option<Value> {
        let value = node(value);
        let value = self.evaluated(|evaluator| evaluator.evaluate(&value, ""))?;
        Some(as_written(&value).unwrap())
    }

    fn evaluated<T>(&self, evaluate: impl FnOnce(&Evaluator<'_>) -> T) -> T {
        let given = self.parameters.iter().filter(|(name, _)| !name.starts_with("AWS::"));
        let given: BTreeMap<_, _> =
            given.map(|(name, it)| ((*name).to_owned(), (*it).to_owned())).collect();
        let given = Given::from(given);
        let evaluator = Evaluator::new(&self.template, &given, self);
        let evaluated = evaluate(&evaluator);
        let Notes { unknown, mistakes, .. } = evaluator.into_notes();
        assert_eq!(unknown, [], "{}", self.name);
        assert!(mistakes.is_empty(), "{}: {mistakes:?}", self.name);
        evaluated
    }
}

impl Environment for Stack<'_> {
    fn pseudo_parameter(&self, name: &str) -> Option<String> {
        let made_up = || match name {
            "AWS::AccountId" => Some("333344445555"),
            "AWS::Partition" => Some("aws-cn"),
            "AWS::Region" => Some("cn-north-1"),
            "AWS::StackName" => Some("stack"),
            "AWS::URLSuffix" => Some("amazonaws.com.cn"),
            _ => None,
        };
        self.parameters.get(name).copied().or_else(made_up).map(ToOwned::to_owned)
    }

    fn attribute(&self, name: &str) -> Option<String> {
        let resource = name.split('.').next()?;
        let resources = self.template.member("Resources");
        resources?.member(resource).map(|_| name.to_owned())
    }

    fn export(&self, name: &str) -> Option<String> {
        Some(name.to_owned())
    }
}

/// What CloudFormation makes of the properties of a custom resource: every scalar is a string.
///
/// # Panics
///
/// Never: everything of a value is known.
#[must_use]
pub fn as_sent(value: &Value) -> Value {
    ::template::as_sent(&node(value)).unwrap()
}

fn node(value: &Value) -> Node {
    json::read(&value.to_string()).0.unwrap()
}

/// Finds the values of `key`, wherever it is in `value`.
pub fn find<'a>(value: &'a Value, key: &str, found: &mut Vec<&'a Value>) {
    match value {
        Value::Array(list) => list.iter().for_each(|it| find(it, key, found)),
        Value::Object(map) => {
            found.extend(map.get(key));
            map.values().for_each(|it| find(it, key, found));
        }
        _ => {}
    }
}
