//! The effective policies of accounts, and their errors.

use std::collections::BTreeSet;

use policy::EffectiveError;
use serde_json::{Value, json};

use super::input::{Input, is_account};
use super::pages::page;
use super::reads::listed;
use super::views;
use crate::organization::BACKUP_POLICY;
use crate::refusal::{Code, Invalid, Refusal};
use crate::reply::timestamp;
use crate::world::World;

/// The operations that are served here.
pub(super) const OPERATIONS: [&str; 3] = [
    "DescribeEffectivePolicy",
    "ListAccountsWithInvalidEffectivePolicy",
    "ListEffectivePolicyValidationErrors",
];

pub(super) fn perform(world: &World, operation: &str, input: &Input<'_>) -> Result<Value, Refusal> {
    let organization = &world.organization;
    if operation == "DescribeEffectivePolicy" {
        return describe(world, input);
    }
    if operation == "ListAccountsWithInvalidEffectivePolicy" {
        organization.expect_effective(input.policy_type("PolicyType")?)?;
        let accounts = organization.accounts_with_invalid_effective_policy()?;
        let accounts = accounts.into_iter().filter_map(|it| organization.account(it).ok());
        let page = page(world, input, operation, accounts)?;
        let answer = listed("Accounts", page, |it| views::account(organization, it));
        return Ok(with(answer, json!({ "PolicyType": BACKUP_POLICY })));
    }
    let account = input.id("AccountId", is_account)?;
    let kind = input.policy_type("PolicyType")?;
    organization.account(account)?;
    organization.expect_effective(kind)?;
    let policy = organization.effective_policy(account)?;
    let list = format!("{operation} {account}");
    let page = page(world, input, &list, &policy.errors)?;
    let answer = listed("EffectivePolicyValidationErrors", page, error);
    let answer = with(answer, json!({ "AccountId": account, "PolicyType": kind }));
    if policy.errors.is_empty() {
        return Ok(answer);
    }
    let path = organization.path_text(account);
    let evaluated = timestamp(policy.evaluated);
    Ok(with(answer, json!({ "Path": path, "EvaluationTimestamp": evaluated })))
}

/// Returns the members of both.
fn with(mut answer: Value, more: Value) -> Value {
    if let (Some(answer), Value::Object(more)) = (answer.as_object_mut(), more) {
        answer.extend(more);
    }
    answer
}

fn describe(world: &World, input: &Input<'_>) -> Result<Value, Refusal> {
    let organization = &world.organization;
    let kind = input.policy_type("PolicyType")?;
    let caller = input.caller();
    let account = match input.optional("TargetId")? {
        None => caller,
        Some(_) => input.target("TargetId")?,
    };
    if !is_account(account) {
        return Err(Refusal::invalid(Invalid::TargetNotSupported, None));
    }
    if account != caller && !organization.may_look(caller, "DescribeEffectivePolicy") {
        let message = "You don't have permissions to access this resource.";
        return Err(Refusal::new(Code::AccessDenied, message));
    }
    organization.expect_target(account)?;
    organization.expect_effective(kind)?;
    let policy = organization.effective_policy(account)?;
    Ok(json!({ "EffectivePolicy": {
        "PolicyContent": policy.content,
        "LastUpdatedTimestamp": timestamp(policy.updated),
        "TargetId": account,
        "PolicyType": kind,
    } }))
}

fn error(it: &EffectiveError) -> Value {
    let policies: BTreeSet<_> = it.contributors.iter().map(|it| it.policy.as_str()).collect();
    json!({
        "ErrorCode": it.code.as_str(),
        "ErrorMessage": it.message,
        "PathToError": it.path,
        "ContributingPolicies": policies,
    })
}
