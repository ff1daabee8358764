//! What the services are asked, and what is read of their answers, held against AWS's own models.
//!
//! Each answer is made from the model: it has every member, and the text of each is its own name. So
//! a name or a level that is read and that the model does not have is missed.

use std::fmt::Debug;

use aws::api::Question;
use plan::restore_validation::Facts;
use serde_json::{Map, Value, json};

use self::model::Model;
use crate::operations::{self, Operation};

#[path = "../../../simulator/tests/fidelity/conformance/model.rs"]
#[expect(dead_code, reason = "the conformance of the simulator uses what this one does not")]
mod model;

/// What a number is in an answer.
const NUMBER: u8 = 7;

/// How deep an answer is at most, since what may be within itself would have no end.
const LEVELS: usize = 6;

/// Holds an operation against the model of its service, and returns what is read of an answer.
fn read<T: Debug>(model: &'static str, operation: &Operation<T>) -> T {
    let Operation { service, name, permission, question, read } = operation;
    let model = Model::load(model);
    let metadata = |it: &str| model.metadata(it);
    assert_eq!((service.id, service.name), (metadata("serviceId"), metadata("endpointPrefix")));
    let signed = Some(metadata("signingName")).filter(|it| !it.is_empty());
    assert_eq!(signed.unwrap_or(service.name), service.name);
    assert!(permission.ends_with(name), "{permission}");
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
            assert_eq!(model.http(name), ("POST", *path));
            assert_eq!(model.findings(input, body, name), Vec::<String>::new());
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

fn status(it: &str) -> Facts {
    Facts::Status(it.to_owned())
}

#[test]
fn ec2_is_asked_and_understood_as_its_model_says() {
    let [state, system, instance] = ["name", "status", "status"].map(ToOwned::to_owned);
    let seen = read("ec2", &operations::instance_status("i-1"));
    assert_eq!(seen, Some(Facts::Instance { state, system, instance }));
    let volume = read("ec2", &operations::volume("vol-1")).unwrap();
    assert_eq!((volume.state.as_str(), volume.size), ("status", Some(NUMBER.into())));
    assert_eq!(volume.snapshot.as_deref(), Some("snapshotId"));
    assert_eq!(read("ec2", &operations::snapshot_size("snap-1")), Some(NUMBER.into()));
}

#[test]
fn rds_is_asked_and_understood_as_its_model_says() {
    let database = read("rds", &operations::database_status("orders"));
    assert_eq!(database, Some(status("DBInstanceStatus")));
    assert_eq!(read("rds", &operations::cluster_status("orders")), Some(status("Status")));
}

#[test]
fn dynamodb_is_asked_and_understood_as_its_model_says() {
    let table = read("dynamodb", &operations::table("orders")).unwrap();
    assert_eq!((table.status.as_str(), table.items), ("TableStatus", NUMBER.into()));
    assert!(read("dynamodb", &operations::has_items("orders")));
}

#[test]
fn file_systems_are_asked_for_and_understood_as_their_models_say() {
    let id = "fs-0123456789abcdef0";
    assert_eq!(read("efs", &operations::file_system_state(id)), Some(status("LifeCycleState")));
    assert_eq!(read("fsx", &operations::fsx_file_system_state(id)), Some(status("Lifecycle")));
}
