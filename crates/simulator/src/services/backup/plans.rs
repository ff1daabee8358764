//! Backup plans: those that an account has of its own, and those that AWS Backup makes of its backup
//! policies, whose IDs begin with `orgs/`.

#![expect(clippy::indexing_slicing, reason = "a member that JSON lacks is null")]

use serde_json::{Map, Value, json};

use super::names;
use super::query::{page, present};
use crate::backup_paths::segments;
use crate::backup_plans::BackupPlan;
use crate::refusal::{Answer, Code, Refusal};
use crate::reply::timestamp;
use crate::request::Call;
use crate::world::World;

pub(super) fn list(world: &World, call: &Call) -> Answer<Value> {
    let (account, region) = (&call.caller.account, &call.caller.region);
    // Nothing here is deleted and still told of.
    call.parameter("includeDeleted");
    let own = world.backup.plans().of(account, region);
    let own = own.map(|(id, it)| (id.to_owned(), it.clone()));
    let plans = own.chain(of_policies(world, account, region));
    page(world, call, "BackupPlansList", plans.map(|(id, it)| member(world, call, &id, &it)))
}

fn member(world: &World, call: &Call, id: &str, plan: &BackupPlan) -> Value {
    let (account, region) = (&call.caller.account, &call.caller.region);
    json!({
        "BackupPlanArn": names::plan_arn(world, account, region, id),
        "BackupPlanId": id,
        "CreationDate": timestamp(plan.created),
        "VersionId": names::part_of_plan(id, "version", ""),
        "BackupPlanName": plan.plan["BackupPlanName"],
    })
}

pub(super) fn get(world: &World, call: &Call) -> Answer<Value> {
    let (id, plan) = asked(world, call)?;
    let mut view = member(world, call, &id, &plan);
    let mut body = plan.plan;
    for rule in body["Rules"].as_array_mut().into_iter().flatten() {
        let name = rule["RuleName"].as_str().unwrap_or_default();
        let number = names::part_of_plan(&id, "rule", name);
        rule["RuleId"] = json!(number);
    }
    if let Some(view) = view.as_object_mut() {
        view.remove("BackupPlanName");
        view.insert("BackupPlan".to_owned(), body);
    }
    Ok(view)
}

pub(super) fn selections(world: &World, call: &Call) -> Answer<Value> {
    let (id, plan) = asked(world, call)?;
    let view = |(selection, it): (&String, &Value)| {
        json!({
            "SelectionId": selection,
            "SelectionName": it["SelectionName"],
            "BackupPlanId": id,
            "CreationDate": timestamp(plan.created),
            "IamRoleArn": it["IamRoleArn"],
        })
    };
    page(world, call, "BackupSelectionsList", plan.selections.iter().map(view))
}

pub(super) fn selection(world: &World, call: &Call) -> Answer<Value> {
    let (id, plan) = asked(world, call)?;
    call.looked_at("SelectionId");
    let selection = segments(&call.path).into_iter().nth(4).unwrap_or_default();
    let found = plan.selections.get(&selection).ok_or_else(|| {
        Refusal::new(Code::ResourceNotFound, format!("There is no selection {selection}."))
    })?;
    Ok(json!({
        "BackupSelection": found,
        "SelectionId": selection,
        "BackupPlanId": id,
        "CreationDate": timestamp(plan.created),
    }))
}

/// The ID in the path of a backup plan.
pub(super) fn plan_id(call: &Call) -> String {
    call.looked_at("BackupPlanId");
    segments(&call.path).into_iter().nth(2).unwrap_or_default()
}

/// The plan that a call names.
fn asked(world: &World, call: &Call) -> Answer<(String, BackupPlan)> {
    let (account, region) = (&call.caller.account, &call.caller.region);
    let id = plan_id(call);
    let plan = match of_policies(world, account, region).find(|it| it.0 == id) {
        Some((_, plan)) => plan,
        None => world.backup.plans().get(account, region, &id)?.clone(),
    };
    Ok((id, plan))
}

/// The plans that AWS Backup makes in a Region of the effective policy of an account.
fn of_policies(
    world: &World,
    account: &str,
    region: &str,
) -> impl Iterator<Item = (String, BackupPlan)> {
    let policy = world.organization.effective_policy(account).ok();
    let created = policy.as_ref().map(|it| it.updated).unwrap_or_default();
    let document = policy.and_then(|it| serde_json::from_str::<Value>(&it.content).ok());
    let plans = document.and_then(|mut it| match it["plans"].take() {
        Value::Object(plans) => Some(plans),
        _ => None,
    });
    let (account, region) = (account.to_owned(), region.to_owned());
    let is_here = move |it: &Value| {
        it["regions"].as_array().is_some_and(|it| it.iter().any(|it| *it == *region))
    };
    let plans = plans.unwrap_or_default().into_iter().filter(move |it| is_here(&it.1));
    plans.map(move |(name, body)| {
        let id = names::plan_of_policies(&account, &name);
        let selections = ["tags", "resources"].into_iter().flat_map(|kind| {
            let all = body["selections"][kind].as_object().cloned().unwrap_or_default();
            all.into_iter().map(|(name, it)| {
                let part = names::part_of_plan(&id, "selection", &name);
                (part, selection_of_policy(&account, &name, &it))
            })
        });
        let selections = selections.collect();
        let rules = body["rules"].as_object().into_iter().flatten();
        let rules: Vec<_> = rules.map(|(name, it)| rule_of_policy(name, it)).collect();
        let plan = json!({ "BackupPlanName": name, "Rules": rules });
        (id, BackupPlan { plan, selections, created })
    })
}

/// A rule as `CreateBackupPlan` has it.
fn rule_of_policy(name: &str, rule: &Value) -> Value {
    let text = |name: &str| rule[name].as_str();
    let number = |name: &str| text(name).and_then(|it| it.parse::<u64>().ok()).map(Value::from);
    let copies = rule["copy_actions"].as_object().into_iter().flatten().map(|(_, it)| {
        present([
            ("DestinationBackupVaultArn", Some(it["target_backup_vault_arn"].clone())),
            ("Lifecycle", lifecycle(&it["lifecycle"])),
        ])
    });
    let copies: Vec<_> = copies.collect();
    let continuous = text("enable_continuous_backup").map(|it| json!(it == "true"));
    present([
        ("RuleName", Some(json!(name))),
        ("TargetBackupVaultName", text("target_backup_vault_name").map(Value::from)),
        ("ScheduleExpression", text("schedule_expression").map(Value::from)),
        ("StartWindowMinutes", number("start_backup_window_minutes")),
        ("CompletionWindowMinutes", number("complete_backup_window_minutes")),
        ("Lifecycle", lifecycle(&rule["lifecycle"])),
        ("CopyActions", (!copies.is_empty()).then(|| json!(copies))),
        ("EnableContinuousBackup", continuous),
    ])
}

fn lifecycle(it: &Value) -> Option<Value> {
    let days = |name: &str| it[name].as_str().and_then(|it| it.parse::<u64>().ok());
    it.is_object().then(|| {
        present([
            (
                "MoveToColdStorageAfterDays",
                days("move_to_cold_storage_after_days").map(Value::from),
            ),
            ("DeleteAfterDays", days("delete_after_days").map(Value::from)),
        ])
    })
}

/// A selection as `CreateBackupSelection` has it.
fn selection_of_policy(account: &str, name: &str, selection: &Value) -> Value {
    let list = |name: &str| selection[name].as_array().filter(|it| !it.is_empty());
    let role = selection["iam_role_arn"].as_str().unwrap_or_default();
    let tags = list("tag_value").map(|values| {
        let tag = |value: &Value| {
            json!({
                "ConditionType": "STRINGEQUALS",
                "ConditionKey": selection["tag_key"],
                "ConditionValue": value,
            })
        };
        values.iter().map(tag).collect::<Value>()
    });
    let conditions = selection["conditions"].as_object().map(|operators| {
        let operators = operators.iter().map(|(operator, all)| {
            let all = all.as_object().into_iter().flatten().map(|(_, it)| {
                json!({
                    "ConditionKey": it["condition_key"],
                    "ConditionValue": it["condition_value"],
                })
            });
            (camel_case(operator), all.collect::<Value>())
        });
        Value::Object(operators.collect::<Map<_, _>>())
    });
    present([
        ("SelectionName", Some(json!(name))),
        ("IamRoleArn", Some(json!(role.replace("$account", account)))),
        ("ListOfTags", tags),
        ("Resources", list("resource_types").map(|it| json!(it))),
        ("NotResources", list("not_resource_types").map(|it| json!(it))),
        ("Conditions", conditions),
    ])
}

/// `string_not_equals` becomes `StringNotEquals`.
fn camel_case(name: &str) -> String {
    let word = |it: &str| {
        let mut letters = it.chars();
        let first = letters.next().map(|it| it.to_ascii_uppercase());
        first.into_iter().chain(letters).collect::<String>()
    };
    name.split('_').map(word).collect()
}
