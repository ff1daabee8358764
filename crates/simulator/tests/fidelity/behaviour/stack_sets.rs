//! StackSets as the guide, the API reference and the handler of the resource describe them.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use expect_test::{Expect, expect};
use simulator::{
    Declared, Definition, Deletion, Filter, Memberships, Model, Retains, StackSetRefusal,
    StackSets, Targets,
};

const REGION: &str = "eu-central-1";

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|it| (*it).to_owned()).collect()
}

/// Accounts 1 and 2 in the unit `a`, 3 in the unit `b`, 4 in neither.
fn organization() -> Memberships {
    let accounts = [("1", &["root", "a"][..]), ("2", &["root", "a"]), ("3", &["root", "b"])];
    let accounts = accounts.into_iter().chain([("4", &["root"][..])]);
    accounts.map(|(account, units)| (account.to_owned(), set(units))).collect()
}

fn targets(units: &[&str], filter: Filter) -> Targets {
    Targets { units: set(units), filter, regions: set(&[REGION]) }
}

fn model(group: Vec<Targets>) -> Model {
    Model { name: "set".to_owned(), group, ..Model::default() }
}

/// A vault that stays, whose key is made before it, and a role that goes.
fn body(_: &Definition, _: &str) -> Vec<Declared> {
    let declared = |id: &str, kind: &str, name: Option<&str>, deletion, after: &[&str]| Declared {
        id: id.to_owned(),
        kind: kind.to_owned(),
        name: name.map(str::to_owned),
        deletion,
        after: set(after),
    };
    let stays = Deletion::RetainExceptOnCreate;
    vec![
        declared("Vault", "AWS::Backup::BackupVault", Some("vault"), stays, &["Key"]),
        declared("Key", "AWS::KMS::Key", None, stays, &[]),
        declared("Role", "AWS::IAM::Role", Some("role"), Deletion::Delete, &[]),
    ]
}

/// The same, and nothing stays.
fn loose(definition: &Definition, region: &str) -> Vec<Declared> {
    let mut body = body(definition, region);
    for it in &mut body {
        it.deletion = Deletion::Delete;
    }
    body
}

fn accounts(sets: &StackSets) -> String {
    let instances = sets.instances("set").unwrap();
    let mut text = String::new();
    for (account, _, it) in instances {
        writeln!(text, "{account} by {} {:?} {}", it.unit, it.status, it.reason).unwrap();
    }
    text
}

#[test]
fn a_unit_that_is_replaced_by_the_one_above_it_loses_its_stacks() {
    let mut sets = StackSets::default();
    let [before, after] = [&["a"][..], &["root"]].map(|it| model(vec![targets(it, Filter::None)]));
    sets.create_resource(&before, &organization(), &body).unwrap();
    let done = sets.update_resource(&before, &after, &organization(), &body);
    assert_eq!(done, Err(StackSetRefusal::OperationFailed));
    assert_eq!(sets.deleted().len(), 2);
    assert_eq!(sets.collisions(), [format!("1 {REGION} AWS::Backup::BackupVault vault")]);
    // With both of them named, nothing is deleted, and nothing made twice.
    let mut sets = StackSets::default();
    let both = model(vec![targets(&["a", "root"], Filter::None)]);
    sets.create_resource(&before, &organization(), &body).unwrap();
    sets.update_resource(&before, &both, &organization(), &body).unwrap();
    assert_eq!((sets.deleted(), sets.collisions()), (&[][..], &[][..]));
}

/// What each account has after an update from one filter of a unit to another, and which of those that
/// had a stack lost it.
fn check(was: &Filter, will: &Filter, expect: Expect) {
    let mut sets = StackSets::default();
    let [before, after] = [was, will].map(|it| model(vec![targets(&["root"], it.clone())]));
    sets.create_resource(&before, &organization(), &loose).unwrap();
    sets.update_resource(&before, &after, &organization(), &loose).unwrap();
    let has = sets.instances("set").unwrap();
    let has: Vec<_> = has.iter().map(|it| it.0).collect();
    let lost: Vec<_> = sets.deleted().iter().map(|it| it.0.as_str()).collect();
    expect.assert_eq(&format!("has {} lost {}", has.join(" "), lost.join(" ")));
}

#[test]
fn within_a_unit_the_filters_decide() {
    let only = |accounts: &[&str]| Filter::Intersection(set(accounts));
    let but = |accounts: &[&str]| Filter::Difference(set(accounts));
    check(&Filter::None, &Filter::None, expect!["has 1 2 3 4 lost "]);
    check(&only(&["1"]), &Filter::None, expect!["has 1 2 3 4 lost "]);
    check(&only(&["1", "2"]), &only(&["2", "3"]), expect!["has 2 3 lost 1"]);
    check(&Filter::None, &only(&["1"]), expect!["has 1 lost 2 3 4"]);
    check(&but(&["1"]), &Filter::None, expect!["has 1 2 3 4 lost "]);
    check(&but(&["1"]), &but(&["2"]), expect!["has 1 3 4 lost 2"]);
    check(&Filter::None, &but(&["1"]), expect!["has 2 3 4 lost 1"]);
    check(&only(&["1", "2"]), &but(&["1"]), expect!["has 2 3 4 lost 1"]);
    check(&but(&["1"]), &only(&["1", "2"]), expect!["has 1 2 lost 3 4"]);
}

#[test]
fn a_region_that_is_no_longer_named_loses_all_its_stacks() {
    let mut sets = StackSets::default();
    let both = Targets { regions: set(&[REGION, "eu-west-1"]), ..targets(&["a"], Filter::None) };
    let [both, one] = [both, targets(&["a"], Filter::None)].map(|it| model(vec![it]));
    // Roles belong to no Region, so the template has none here.
    let regional = |definition: &Definition, region: &str| {
        let mut body = body(definition, region);
        body.retain(|it| it.kind != "AWS::IAM::Role");
        body
    };
    sets.create_resource(&both, &organization(), &regional).unwrap();
    sets.update_resource(&both, &one, &organization(), &regional).unwrap();
    assert_eq!(sets.deleted().iter().filter(|it| it.1 == "eu-west-1").count(), 2);
    let back = sets.update_resource(&one, &both, &organization(), &regional);
    assert_eq!(back, Err(StackSetRefusal::OperationFailed));
}

#[test]
fn a_resource_that_fails_has_its_stacks_deleted_and_cannot_be_created_again() {
    let mut sets = StackSets::default();
    sets.refuse_in(&["2"]);
    let model = model(vec![targets(&["a"], Filter::None)]);
    let done = sets.create_resource(&model, &organization(), &body);
    assert_eq!(done, Err(StackSetRefusal::OperationFailed));
    sets.delete_resource(&model, &organization()).unwrap();
    sets.refuse_in(&[]);
    let again = sets.create_resource(&model, &organization(), &body);
    assert_eq!(again, Err(StackSetRefusal::OperationFailed));
    assert_eq!(sets.collisions(), [format!("1 {REGION} AWS::Backup::BackupVault vault")]);
}

#[test]
fn a_resource_that_names_no_accounts_deletes_no_stack() {
    let mut sets = StackSets::default();
    let mut before = model(Vec::new());
    sets.create_resource(&before, &organization(), &body).unwrap();
    sets.create_instances("set", &targets(&["a"], Filter::None), 0, &organization(), &body)
        .unwrap();
    before.definition.template = "before".to_owned();
    // An update reaches every stack, and deleting is refused.
    let after = model(Vec::new());
    sets.update_resource(&before, &after, &organization(), &body).unwrap();
    assert_eq!(accounts(&sets), "1 by a Current \n2 by a Current \n");
    let refused = sets.delete_resource(&after, &organization());
    assert_eq!(refused, Err(StackSetRefusal::StackSetNotEmpty));
    assert_eq!(sets.deleted(), []);
}

#[test]
fn what_fails_is_tolerated_to_a_degree_and_made_by_the_next_update() {
    let mut sets = StackSets::default();
    sets.create_stack_set("set", &Definition::default()).unwrap();
    let everybody = targets(&["root"], Filter::None);
    sets.refuse_in(&["1"]);
    let done = sets.create_instances("set", &everybody, 25, &organization(), &body).unwrap();
    assert!(sets.operation(&done).unwrap().succeeded);
    expect![[r"
        1 by root Outdated 1 eu-central-1 AWS::KMS::Key stack-1-Key: access is denied by a service control policy
        2 by root Current 
        3 by root Current 
        4 by root Current 
    "]].assert_eq(&accounts(&sets));
    // Creating leaves it alone, as there is a stack of it.
    sets.refuse_in(&[]);
    sets.create_instances("set", &everybody, 25, &organization(), &body).unwrap();
    assert!(accounts(&sets).starts_with("1 by root Outdated"));
    sets.update_instances("set", &everybody, 25, &organization(), &body).unwrap();
    assert!(!accounts(&sets).contains("Outdated"));
    // With more failures than that, the rest is not begun.
    let mut sets = StackSets::default();
    sets.create_stack_set("set", &Definition::default()).unwrap();
    sets.refuse_in(&["1", "2"]);
    let done = sets.create_instances("set", &everybody, 25, &organization(), &body).unwrap();
    let operation = sets.operation(&done).unwrap();
    assert_eq!((operation.succeeded, operation.failed.len()), (false, 2));
    assert!(accounts(&sets).contains("3 by root Outdated Cancelled since failure tolerance"));
}

#[test]
fn a_vault_with_backups_is_not_deleted_and_neither_is_what_it_needs() {
    let mut sets = StackSets::default();
    let model = model(vec![targets(&["a"], Filter::Intersection(set(&["1"])))]);
    sets.create_resource(&model, &organization(), &loose).unwrap();
    sets.back_up();
    let refused = sets.delete_resource(&model, &organization());
    assert_eq!(refused, Err(StackSetRefusal::OperationFailed));
    assert!(accounts(&sets).starts_with("1 by a Inoperable"), "{}", accounts(&sets));
    let left: Vec<_> = sets.resources().iter().collect();
    assert_eq!(left.len(), 3, "{left:?}");
    // Retained, the stack stays and the StackSet forgets it.
    let everybody = targets(&["a"], Filter::None);
    sets.delete_instances("set", &everybody, true, &organization()).unwrap();
    sets.delete_stack_set("set").unwrap();
    assert_eq!(sets.resources().len(), 3);
}

#[test]
fn automatic_deployment_heeds_units_and_no_filter() {
    let mut sets = StackSets::default();
    let definition = Definition { auto_deployment: Some(Retains::Stacks), ..Definition::default() };
    sets.create_stack_set("set", &definition).unwrap();
    let filter = Filter::Difference(set(&["3"]));
    sets.create_instances("set", &targets(&["a", "b"], filter), 0, &organization(), &body).unwrap();
    assert_eq!(accounts(&sets), "1 by a Current \n2 by a Current \n");
    let mut now = organization();
    // One that was left out is not when it comes back.
    now.insert("3".to_owned(), set(&["root"]));
    sets.moved("3", &set(&["root", "b"]), &now, &body);
    now.insert("3".to_owned(), set(&["root", "b"]));
    sets.moved("3", &set(&["root"]), &now, &body);
    assert!(accounts(&sets).contains("3 by b Current"));
    // One that leaves keeps its stack, which is in the way when it comes back.
    now.insert("1".to_owned(), set(&["root"]));
    sets.moved("1", &set(&["root", "a"]), &now, &body);
    assert!(!accounts(&sets).contains("1 by"));
    now.insert("1".to_owned(), set(&["root", "a"]));
    sets.moved("1", &set(&["root"]), &now, &body);
    assert_eq!(sets.collisions(), ["1 - AWS::IAM::Role role"]);
}
