//! The operations that change the organization.

use serde_json::{Value, json};

use super::input::{Input, is_account, is_parent, is_root, is_unit};
use super::views;
use crate::organization::Organization;
use crate::refusal::{Invalid, Refusal};

/// Performs the operation and returns its answer, `Null` if it has no output; returns `None` if it
/// is not a write.
pub(super) fn perform(
    organization: &mut Organization,
    operation: &str,
    input: &Input<'_>,
) -> Result<Option<Value>, Refusal> {
    let answer = match operation {
        "EnablePolicyType" => {
            let root = input.id("RootId", is_root)?;
            organization.enable_policy_type(root, input.policy_type("PolicyType")?)?;
            json!({ "Root": views::root(organization) })
        }
        "DisablePolicyType" => {
            let root = input.id("RootId", is_root)?;
            organization.disable_policy_type(root, input.policy_type("PolicyType")?)?;
            json!({ "Root": views::root(organization) })
        }
        "CreatePolicy" => create_policy(organization, input)?,
        "UpdatePolicy" => update_policy(organization, input)?,
        "DeletePolicy" => {
            organization.delete_policy(input.policy()?)?;
            Value::Null
        }
        "AttachPolicy" => {
            organization.attach_policy(input.policy()?, input.target("TargetId")?)?;
            Value::Null
        }
        "DetachPolicy" => {
            organization.detach_policy(input.policy()?, input.target("TargetId")?)?;
            Value::Null
        }
        "TagResource" => {
            input.has("Tags")?;
            organization.tag(input.target("ResourceId")?, &input.tags()?)?;
            Value::Null
        }
        "UntagResource" => {
            organization.untag(input.target("ResourceId")?, &input.tag_keys()?)?;
            Value::Null
        }
        _ => return more(organization, operation, input),
    };
    Ok(Some(answer))
}

fn more(
    organization: &mut Organization,
    operation: &str,
    input: &Input<'_>,
) -> Result<Option<Value>, Refusal> {
    let answer = match operation {
        "EnableAWSServiceAccess" => {
            organization.enable_service_access(input.principal()?)?;
            Value::Null
        }
        "DisableAWSServiceAccess" => {
            organization.disable_service_access(input.principal()?)?;
            Value::Null
        }
        "RegisterDelegatedAdministrator" => {
            let account = input.id("AccountId", is_account)?;
            organization.register_delegated_administrator(account, input.principal()?)?;
            Value::Null
        }
        "DeregisterDelegatedAdministrator" => {
            let account = input.id("AccountId", is_account)?;
            organization.deregister_delegated_administrator(account, input.principal()?)?;
            Value::Null
        }
        "CreateOrganizationalUnit" => {
            let parent = input.id("ParentId", is_parent)?;
            let name = input.limited("Name", 128, true)?;
            let id = organization.create_unit(parent, name, &input.tags()?)?;
            json!({ "OrganizationalUnit": views::unit(organization, organization.unit(&id)?) })
        }
        "DeleteOrganizationalUnit" => {
            organization.delete_unit(input.id("OrganizationalUnitId", is_unit)?)?;
            Value::Null
        }
        "MoveAccount" => {
            let account = input.id("AccountId", is_account)?;
            let from = input.id("SourceParentId", is_parent)?;
            organization.move_account(
                account,
                from,
                input.id("DestinationParentId", is_parent)?,
            )?;
            Value::Null
        }
        "RemoveAccountFromOrganization" => {
            organization.remove_account(input.id("AccountId", is_account)?)?;
            Value::Null
        }
        "CreateAccount" => {
            let email = input.limited("Email", 64, true)?;
            let name = input.limited("AccountName", 50, true)?;
            let id = organization.create_account(name, email, &input.tags()?)?;
            views::creation(organization.creation(&id)?, false)
        }
        "PutResourcePolicy" => {
            let content = input.limited("Content", 40_000, true)?;
            organization.put_resource_policy(content, &input.tags()?)?;
            let (id, content) = organization.resource_policy()?;
            views::resource_policy(organization, id, content)
        }
        _ => return Ok(None),
    };
    Ok(Some(answer))
}

fn create_policy(organization: &mut Organization, input: &Input<'_>) -> Result<Value, Refusal> {
    let kind = input.policy_type("Type")?;
    let name = input.limited("Name", 128, true)?;
    if !name.is_ascii() {
        return Err(Refusal::invalid(Invalid::Pattern, Some("Name")));
    }
    let description = input.limited("Description", 512, false)?;
    let content = input.limited("Content", usize::MAX, true)?;
    let id = organization.create_policy(kind, name, description, content, &input.tags()?)?;
    Ok(views::policy(organization, organization.policy(&id)?))
}

fn update_policy(organization: &mut Organization, input: &Input<'_>) -> Result<Value, Refusal> {
    let id = input.policy()?;
    let name = input.limited_optional("Name", 128, true)?;
    let description = input.limited_optional("Description", 512, false)?;
    let content = input.limited_optional("Content", usize::MAX, true)?;
    organization.update_policy(id, name, description, content)?;
    Ok(views::policy(organization, organization.policy(id)?))
}
