//! CloudFormation templates, as far as the contracts look into them.
//!
//! The short forms of intrinsic functions are YAML tags, which serde does not carry; saphyr does.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a contract that cannot be read is broken"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use saphyr::{LoadableYamlNode, Scalar, Yaml};
use serde_json::{Map, Value, json};

/// Values of the parameters that have no default.
pub const REQUIRED: &[(&str, &str)] = &[
    ("ArtifactBucket", "artifacts-of-ours"),
    ("ArtifactPrefix", "org-backup/0123/"),
    ("BusArn", "arn:aws-cn:events:cn-north-1:666677778888:event-bus/org-backup"),
    ("CentralVaultArn", "arn:aws-cn:backup:cn-northwest-1:666677778888:backup-vault:central"),
    ("ContentUrl", "s3://documents-of-ours/daily.json"),
    ("DelegatedAccountId", "444455556666"),
    ("HomeRegion", "cn-north-1"),
    ("MemberAccountsRoleArn", "arn:aws-cn:iam::333344445555:role/org-backup-member-accounts"),
    ("OrganizationId", "o-a1b2c3d4e5"),
    ("OrganizationalUnitIds", "ou-ab12-c3d4e5f6, ou-ab12-d4e5f6a7"),
    ("PolicyName", "daily"),
    ("TargetIds", "ou-ab12-c3d4e5f6"),
];

/// Values that make every condition true.
pub const EVERYTHING: &[(&str, &str)] = &[
    ("AdministratorRoleArns", "arn:*:iam::*:role/stacksets-exec-*"),
    ("AirGappedApprovalTeamArn", "arn:aws-cn:mpa:cn-north-1:333344445555:approval-team/lost/a1b2"),
    ("AirGappedKey", "Vault"),
    ("AirGappedVaultName", "air-gapped"),
    ("AlarmTopicArn", "arn:aws-cn:sns:cn-northwest-1:333344445555:operators"),
    ("BackupAdministratorAccountId", "444455556666"),
    ("CentralAccountId", "666677778888"),
    ("CentralRegions", "cn-northwest-1"),
    ("CopyAccountIds", "666677778888"),
    ("CopyRegions", "cn-northwest-1"),
    ("DelegatedAdministratorSync", "true"),
    ("DeletionRoleArns", "arn:aws-cn:iam::333344445555:role/breaks-glass"),
    ("ExcludeAccounts", "777788889999"),
    ("GlobalSettingsOnDelete", "Restore"),
    ("LockMaxRetentionDays", "400"),
    ("LockMode", "Compliance"),
    ("MonthlyColdStorageAfterDays", "30"),
    ("MultiPartyApproval", "false"),
    ("NotificationEmail", "backup@example.com"),
    ("NotificationAccountId", "444455556666"),
    ("NotificationTopicName", "backups"),
    ("NotifySuccess", "true"),
    ("OrganizationPaths", "o-a1b2c3d4e5/r-ab12/ou-ab12-c3d4e5f6/*"),
    ("OtherRegions", "cn-northwest-1"),
    ("PolicyBucket", "documents-of-ours"),
    ("PolicyTypesOnDelete", "Disable"),
    ("Regions", "cn-north-1, cn-northwest-1"),
    ("ReportAccounts", "ROOT"),
    ("ReportRegions", "*"),
    ("RestoreInstanceRoleNames", "web, path/to/worker"),
    ("RestoreTestingRoleName", ""),
    ("ScannerRoleName", "org-backup-scanner"),
    ("ServiceAccessOnDelete", "Revert"),
    ("StackSetsAdministratorAccountId", "555566667777"),
    ("StateAdministratorRoleArns", "arn:aws-cn:iam::333344445555:role/breaks-glass"),
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
    template: &'a Template,
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
        let mut documents = Yaml::load_from_str(text).unwrap();
        assert_eq!(documents.len(), 1);
        let body = of_yaml(&documents.remove(0));
        Self { name: name.to_owned(), body }
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
        Stack { template: self, parameters: parameters.iter().copied().collect() }
    }
}

impl Stack<'_> {
    /// Whether this resource of the template is made.
    #[must_use]
    pub fn makes(&self, resource: &Value) -> bool {
        resource.get("Condition").is_none_or(|it| self.holds(&json!({ "Condition": it })))
    }

    /// What `value` comes to. `None` is `AWS::NoValue`.
    ///
    /// An attribute of a resource becomes its name, as in `PolicyTypesFunction.Arn`, and an imported
    /// value the name of the export.
    ///
    /// # Panics
    ///
    /// When `value` uses what the templates do not.
    #[must_use]
    pub fn resolve(&self, value: &Value) -> Option<Value> {
        match value {
            Value::Array(list) => Some(list.iter().filter_map(|it| self.resolve(it)).collect()),
            Value::Object(map) => {
                if let Some((function, arguments)) = single(map) {
                    return self.call(function, arguments);
                }
                let all = map.iter();
                let all = all.filter_map(|(key, it)| Some((key.clone(), self.resolve(it)?)));
                Some(Value::Object(all.collect()))
            }
            scalar => Some(scalar.clone()),
        }
    }

    fn call(&self, function: &str, arguments: &Value) -> Option<Value> {
        let text = |it: &Value| as_text(&self.resolve(it).unwrap());
        match function {
            "Ref" => self.reference(arguments.as_str().unwrap()),
            "Fn::GetAtt" => {
                let path = arguments.as_array().unwrap();
                Some(json!(path.iter().map(as_text).collect::<Vec<_>>().join(".")))
            }
            "Fn::ImportValue" => self.resolve(arguments),
            "Fn::Sub" => Some(json!(match arguments {
                Value::Array(it) => self.substitute(it[0].as_str().unwrap(), &it[1]),
                it => self.substitute(it.as_str().unwrap(), &Value::Null),
            })),
            "Fn::Join" => {
                let list = self.resolve(&arguments[1]).unwrap();
                let parts: Vec<_> = list.as_array().unwrap().iter().map(as_text).collect();
                Some(json!(parts.join(arguments[0].as_str().unwrap())))
            }
            "Fn::Split" => {
                let whole = text(&arguments[1]);
                Some(whole.split(arguments[0].as_str().unwrap()).map(|it| json!(it)).collect())
            }
            "Fn::Select" => {
                let list = self.resolve(&arguments[1]).unwrap();
                let index: usize = text(&arguments[0]).parse().unwrap();
                Some(list[index].clone())
            }
            "Fn::FindInMap" => {
                let [map, first, second] = [0, 1, 2].map(|it| text(&arguments[it]));
                Some(self.template.body["Mappings"][map][first][second].clone())
            }
            "Fn::If" => {
                let condition = self.holds(&json!({ "Condition": arguments[0] }));
                self.resolve(&arguments[if condition { 1 } else { 2 }])
            }
            other => panic!("{}: {other}", self.template.name),
        }
    }

    /// Whether a condition holds.
    fn holds(&self, condition: &Value) -> bool {
        let (function, arguments) = single(condition.as_object().unwrap()).unwrap();
        let mut each = arguments.as_array().into_iter().flatten();
        match function {
            "Condition" => {
                self.holds(&self.template.body["Conditions"][arguments.as_str().unwrap()])
            }
            "Fn::Equals" => {
                let [one, other] = [0, 1].map(|it| as_text(&self.resolve(&arguments[it]).unwrap()));
                one == other
            }
            "Fn::Not" => !each.any(|it| self.holds(it)),
            "Fn::And" => each.all(|it| self.holds(it)),
            "Fn::Or" => each.any(|it| self.holds(it)),
            other => panic!("{}: {other}", self.template.name),
        }
    }

    fn reference(&self, name: &str) -> Option<Value> {
        if let Some(given) = self.parameters.get(name).filter(|_| name.starts_with("AWS::")) {
            return Some(json!(given));
        }
        let pseudo = match name {
            "AWS::NoValue" => return None,
            "AWS::AccountId" => "333344445555",
            "AWS::Partition" => "aws-cn",
            "AWS::Region" => "cn-north-1",
            "AWS::StackName" => "stack",
            "AWS::URLSuffix" => "amazonaws.com.cn",
            _ => {
                let parameter = &self.template.body["Parameters"][name];
                if parameter.is_null() {
                    assert!(self.template.body["Resources"].get(name).is_some(), "{name}");
                    return Some(json!(name));
                }
                let given = self.parameters.get(name).map(|it| json!(it));
                let value = given.unwrap_or_else(|| parameter["Default"].clone());
                assert!(!value.is_null(), "{}: {name} needs a value", self.template.name);
                let value = as_text(&value);
                return Some(if parameter["Type"] == "CommaDelimitedList" {
                    value.split(',').map(|it| json!(it.trim())).collect()
                } else {
                    json!(value)
                });
            }
        };
        Some(json!(pseudo))
    }

    fn substitute(&self, text: &str, own: &Value) -> String {
        let mut parts = text.split("${");
        let mut whole = parts.next().unwrap().to_owned();
        for part in parts {
            let (name, rest) = part.split_once('}').unwrap();
            let value = match own.get(name) {
                Some(own) => self.resolve(own).unwrap(),
                None if name.contains('.') => json!(name),
                None => self.reference(name).unwrap(),
            };
            whole += &as_text(&value);
            whole += rest;
        }
        whole
    }
}

/// What CloudFormation makes of the properties of a custom resource: every scalar is a string.
#[must_use]
pub fn as_sent(value: Value) -> Value {
    match value {
        Value::Array(list) => list.into_iter().map(as_sent).collect(),
        Value::Object(map) => map.into_iter().map(|(key, it)| (key, as_sent(it))).collect(),
        scalar => json!(as_text(&scalar)),
    }
}

fn as_text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
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

/// The intrinsic function that a map stands for.
fn single(map: &Map<String, Value>) -> Option<(&str, &Value)> {
    let mut entries = map.iter();
    let (name, arguments) = entries.next().filter(|_| map.len() == 1)?;
    let function = name == "Ref" || name == "Condition" || name.starts_with("Fn::");
    function.then_some((name.as_str(), arguments))
}

fn of_yaml(node: &Yaml<'_>) -> Value {
    match node {
        Yaml::Tagged(tag, node) => {
            let value = of_yaml(node);
            match tag.suffix.as_str() {
                name @ ("Ref" | "Condition") => json!({ name: value }),
                "GetAtt" => {
                    let (resource, attribute) = value.as_str().unwrap().split_once('.').unwrap();
                    json!({ "Fn::GetAtt": [resource, attribute] })
                }
                name => json!({ format!("Fn::{name}"): value }),
            }
        }
        Yaml::Sequence(list) => list.iter().map(of_yaml).collect(),
        Yaml::Mapping(map) => {
            map.iter().map(|(key, it)| (as_text(&of_yaml(key)), of_yaml(it))).collect()
        }
        Yaml::Value(Scalar::Null) => Value::Null,
        Yaml::Value(Scalar::Boolean(it)) => json!(it),
        Yaml::Value(Scalar::Integer(it)) => json!(it),
        Yaml::Value(Scalar::FloatingPoint(it)) => json!(it.into_inner()),
        Yaml::Value(Scalar::String(it)) => json!(it),
        other => panic!("{other:?}"),
    }
}
