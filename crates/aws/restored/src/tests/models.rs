//! What the services are asked, and what is read of their answers, held against AWS's own models.
//!
//! Each answer is made from the model: it has every member, and the text of each is its own name. So
//! a name or a level that is read and that the model does not have is missed.

use std::collections::BTreeSet;
use std::fmt::Debug;

use aws::api::{Question, Request, cloudtrail, events, iam, kms};
use plan::doctor::{AdvancedSelector, Selectors};
use plan::restore_validation::{Database, Disk, Engine, Facts, Reader, Stateful};
use serde_json::{Map, Value, json};

use self::model::Model;
use crate::operations::{self, Operation};

#[path = "../../../../simulator/tests/fidelity/conformance/model.rs"]
#[expect(dead_code, reason = "the conformance of the simulator uses the rest")]
mod model;

/// What a number is in an answer.
const NUMBER: u8 = 7;

/// How deep an answer is at most, since what may be within itself would have no end.
const LEVELS: usize = 6;

/// Holds an operation, and the permission for it, against the model of its service, and returns what
/// is read of an answer.
fn read<T: Debug>(model: &'static str, operation: &Operation<T>) -> T {
    let Operation { request, permission } = operation;
    let name = request.operation;
    assert!(permission.ends_with(name) || *permission == "lambda:InvokeFunction", "{permission}");
    read_request(model, request)
}

fn read_request<T: Debug>(model: &'static str, request: &Request<T>) -> T {
    let Request { service, operation: name, question, read } = request;
    let model = Model::load(model);
    let metadata = |it: &str| model.metadata(it);
    assert_eq!((service.id, service.name), (metadata("serviceId"), metadata("endpointPrefix")));
    let signed = Some(metadata("signingName")).filter(|it| !it.is_empty());
    assert_eq!(signed.unwrap_or(service.name), service.name);
    let input = model.shape_of(name, "input").unwrap();
    match question {
        Question::Form { version, fields } => {
            assert_eq!(*version, metadata("apiVersion"));
            let known = members(model, input);
            for (field, _) in fields {
                // Items of a list are numbered.
                let field = field.split('.').next().unwrap();
                // In forms, EC2 begins with a capital letter what it does not in XML.
                let is_it = |it: &Member<'_>| it.tag.eq_ignore_ascii_case(field);
                assert!(known.iter().any(is_it), "{name} takes no {field}");
            }
            let tag = format!("{name}Response");
            let wrapper = model.wrapper(name);
            let output = xml(model, model.shape_of(name, "output").unwrap(), 0);
            let output = if wrapper.is_empty() { output } else { element(wrapper, &output) };
            read(&element(&tag, &output)).unwrap()
        }
        Question::Json { protocol, target, body } => {
            assert_eq!(*protocol, metadata("jsonVersion"));
            assert_eq!(*target, metadata("targetPrefix"));
            assert_eq!(model.findings(input, body, name), Vec::<String>::new());
            read(&json_of(model, model.shape_of(name, "output").unwrap(), "", 0).to_string())
                .unwrap()
        }
        Question::Post { path, body } => {
            let (method, wanted) = model.http(name);
            assert_eq!(method, "POST");
            // What stands in braces is another each time.
            let parts = || path.split('/').zip(wanted.split('/'));
            assert!(parts().all(|(it, wanted)| it == wanted || wanted.starts_with('{')), "{path}");
            assert_eq!(path.split('/').count(), wanted.split('/').count());
            // What is in the path is no part of the body, which is a payload then.
            let whole = !wanted.contains('{');
            let findings = if whole { model.findings(input, body, name) } else { Vec::new() };
            assert_eq!(findings, Vec::<String>::new());
            read(&json_of(model, model.shape_of(name, "output").unwrap(), "", 0).to_string())
                .unwrap()
        }
        Question::Path { path, query } => {
            assert_eq!(model.http(name), ("GET", *path));
            let known = model.parameters(input);
            assert!(query.iter().all(|(it, _)| known.contains(it)), "{query:?}");
            read(&json_of(model, model.shape_of(name, "output").unwrap(), "", 0).to_string())
                .unwrap()
        }
    }
}

/// A member of a structure.
struct Member<'a> {
    name: &'a str,
    /// What it is called in XML and in forms.
    tag: &'a str,
    shape: &'a str,
}

fn members<'a>(model: &'a Model, shape: &str) -> Vec<Member<'a>> {
    let all = model.definition(shape)["members"].as_object().into_iter().flatten();
    let member = |(name, it): (&'a String, &'a Value)| Member {
        name,
        tag: it["locationName"].as_str().unwrap_or(name),
        shape: it["shape"].as_str().unwrap(),
    };
    all.map(member).collect()
}

fn element(tag: &str, content: &str) -> String {
    format!("<{tag}>{content}</{tag}>")
}

/// The members of a structure as elements, some levels deep.
fn xml(model: &Model, shape: &str, level: usize) -> String {
    let element_of = |it: Member<'_>| match model.kind(it.shape) {
        _ if level > LEVELS => String::new(),
        "structure" => element(it.tag, &xml(model, it.shape, level + 1)),
        "list" => {
            let item = model.item(it.shape);
            let tag = model.definition(it.shape)["member"]["locationName"].as_str();
            let content = match model.kind(item) {
                "structure" => xml(model, item, level + 1),
                _ => it.tag.to_owned(),
            };
            element(it.tag, &element(tag.unwrap_or("member"), &content))
        }
        "integer" | "long" | "double" | "float" => element(it.tag, &NUMBER.to_string()),
        _ => element(it.tag, it.tag),
    };
    members(model, shape).into_iter().map(element_of).collect()
}

/// A value of a shape, called `name`, some levels deep.
fn json_of(model: &Model, shape: &str, name: &str, level: usize) -> Value {
    match model.kind(shape) {
        _ if level > LEVELS => Value::Null,
        "structure" => {
            let value =
                |it: Member<'_>| (it.name.to_owned(), json_of(model, it.shape, it.name, level + 1));
            members(model, shape).into_iter().map(value).collect::<Map<_, _>>().into()
        }
        "list" => json!([json_of(model, model.item(shape), name, level + 1)]),
        "map" => json!({ "key": name }),
        "integer" | "long" | "double" | "float" => json!(NUMBER),
        _ => json!(name),
    }
}

fn own(it: &str) -> String {
    it.to_owned()
}

fn engine() -> Engine {
    let storage = Some(NUMBER.into());
    Engine { name: own("Engine"), version: own("EngineVersion"), storage }
}

#[test]
fn ec2_is_asked_and_understood_as_its_model_says() {
    let (state, checks) = read("ec2", &operations::instance_status("i-1"));
    assert_eq!(state, "name");
    let all = [checks.system, checks.instance, checks.volumes];
    assert_eq!(all, ["status"; 3].map(own));
    let disk = |device: &str| vec![Disk { device: own(device), size: Some(NUMBER.into()) }];
    assert_eq!(read("ec2", &operations::attached("i-1")), disk("device"));
    assert_eq!(read("ec2", &operations::image("ami-1")), disk("deviceName"));
    let volume = read("ec2", &operations::volume("vol-1"));
    assert_eq!((volume.state.as_str(), volume.size), ("status", Some(NUMBER.into())));
    assert_eq!(volume.snapshot.as_deref(), Some("snapshotId"));
    assert_eq!(read("ec2", &operations::snapshot_size("snap-1")), i32::from(NUMBER));
}

#[test]
fn rds_is_asked_and_understood_as_its_model_says() {
    let found =
        |status: &str| Database { status: own(status), has_endpoint: true, engine: engine() };
    let database = read("rds", &operations::database("orders"));
    assert_eq!(database, found("DBInstanceStatus"));
    let cluster = read("rds", &operations::cluster("orders"));
    assert_eq!(cluster.database, found("Status"));
    assert_eq!(cluster.members, ["DBInstanceIdentifier"]);
    assert_eq!(read("rds", &operations::database_snapshot("awsbackup:job-1")), engine());
    assert_eq!(read("rds", &operations::cluster_snapshot("awsbackup:job-1")), engine());
}

#[test]
fn instances_of_clusters_are_made_and_deleted_as_the_model_says() {
    let reader = Reader {
        name: own("org-backup-restore-test-1"),
        cluster: own("orders"),
        engine: own("aurora-postgresql"),
        class: own("db.t4g.medium"),
    };
    read("rds", &operations::make_instance(&reader));
    read("rds", &operations::delete_instance(&reader.name));
}

/// DocumentDB and Neptune are asked as RDS is, whose clusters theirs are.
#[test]
fn the_clusters_of_documentdb_and_neptune_are_those_of_rds() {
    let rds = Model::load("rds");
    for other in ["docdb", "neptune"] {
        let model = Model::load(other);
        for it in ["endpointPrefix", "apiVersion", "signingName"] {
            assert_eq!(model.metadata(it), rds.metadata(it), "{other}");
        }
        for operation in ["DescribeDBClusters", "DescribeDBInstances", "CreateDBInstance"] {
            assert!(model.shape_of(operation, "input").is_some(), "{other}: {operation}");
        }
    }
}

#[test]
fn dynamodb_is_asked_and_understood_as_its_model_says() {
    let table = read("dynamodb", &operations::table("orders"));
    assert_eq!((table.status.as_str(), table.counted), ("TableStatus", NUMBER.into()));
    assert_eq!(table.indexes, [(own("IndexName"), own("IndexStatus"))]);
    assert!(read("dynamodb", &operations::has_items("orders")));
    let arn = "arn:aws:dynamodb:eu-west-1:111122223333:table/orders/backup/01700000000000-1a2b3c4d";
    let backup = read("dynamodb", &operations::table_backup(arn));
    assert_eq!((backup.counted, backup.indexes), (Some(NUMBER.into()), vec![own("IndexName")]));
}

#[test]
fn file_systems_are_asked_for_and_understood_as_their_models_say() {
    let id = "fs-0123456789abcdef0";
    let bytes = Some(NUMBER.into());
    let found = Facts::FileSystem { state: own("LifeCycleState"), bytes };
    assert_eq!(read("efs", &operations::file_system(id)), found);
    let volume = "fsvol-0123456789abcdef0";
    for operation in [operations::fsx_file_system(id), operations::fsx_volume(volume)] {
        let seen = read("fsx", &operation);
        assert_eq!((seen.state.as_str(), seen.size), ("Lifecycle", Some(NUMBER.into())));
    }
    let backup = operations::fsx_backup_size("backup-0123456789abcdef0");
    assert_eq!(read("fsx", &backup), Some(NUMBER.into()));
}

#[test]
fn functions_are_invoked_as_the_model_says() {
    let function = "arn:aws:lambda:eu-west-1:111122223333:function:looks";
    read("lambda", &operations::invoke(function, json!({})));
}

#[test]
fn roles_are_asked_for_and_understood_as_the_model_says() {
    let role = read_request("iam", &iam::role("backup"));
    assert_eq!(
        (role.arn.as_str(), role.trust.as_deref()),
        ("Arn", Some("AssumeRolePolicyDocument"))
    );
    assert!(role.is_bounded);
    let page = |name: &str| (Some(vec![own(name)]), Some(own("Marker")));
    let next = || Some(own("next"));
    let attached = read_request("iam", &iam::attached_policies("backup", next()));
    assert_eq!(attached, page("PolicyArn"));
    assert_eq!(read_request("iam", &iam::own_policies("backup", next())), page("PolicyNames"));
    assert_eq!(read_request("iam", &iam::own_policy("backup", "tags")), "PolicyDocument");
    read_request("iam", &iam::make_service_role("backup.amazonaws.com"));
}

#[test]
fn keys_are_asked_for_and_understood_as_the_model_says() {
    let key = read_request("kms", &kms::key("1234abcd-12ab-34cd-56ef-1234567890ab"));
    assert_eq!((key.is_customers, key.state.as_deref()), (false, Some("KeyState")));
    let model = Model::load("kms");
    assert!(model.values("KeyManagerType").contains("CUSTOMER"));
}

#[test]
fn trails_are_asked_for_and_understood_as_the_model_says() {
    let trails = read_request("cloudtrail", &cloudtrail::trails());
    assert_eq!(trails, [(own("Name"), own("TrailARN"))]);
    // A text is no truth, so it does not count as recording.
    assert!(!read_request("cloudtrail", &cloudtrail::is_logging("all")));
    let selectors = read_request("cloudtrail", &cloudtrail::selectors("all"));
    let none = AdvancedSelector::default();
    assert_eq!(selectors, Selectors::Advanced(vec![none]));
}

#[test]
fn events_are_put_as_the_model_says() {
    let entry = json!({ "Source": "org-backup", "DetailType": "Report", "Detail": "{}" });
    let refused = read_request("events", &events::put(entry));
    assert_eq!(refused, ["ErrorCode: ErrorMessage"]);
}

/// RDS, DocumentDB and Neptune have theirs in their guides only.
#[test]
fn every_state_of_the_models_is_known() {
    let lists = [
        ("ec2", "InstanceStateName", Stateful::Instance),
        ("ec2", "SummaryStatus", Stateful::Check),
        ("ec2", "VolumeState", Stateful::Volume),
        ("dynamodb", "TableStatus", Stateful::Table),
        ("dynamodb", "IndexStatus", Stateful::Index),
        ("efs", "LifeCycleState", Stateful::FileSystem),
        ("fsx", "FileSystemLifecycle", Stateful::FsxFileSystem),
        ("fsx", "VolumeLifecycle", Stateful::FsxVolume),
    ];
    for (service, shape, of) in lists {
        let model = Model::load(service);
        let known: BTreeSet<_> = of.states().iter().map(|it| it.0).collect();
        assert_eq!(known, model.values(shape), "{shape}");
    }
}
