//! The operations that only read.

use serde_json::{Map, Value, json};

use super::input::{Input, is_account, is_child, is_creation, is_parent, is_unit};
use super::pages::{page, whole_page};
use super::views;
use crate::organization::Organization;
use crate::refusal::{Answer, Code, Invalid, Refusal};
use crate::reply::timestamp;
use crate::services::pages::Page;
use crate::world::World;

pub(super) fn perform(world: &World, operation: &str, input: &Input<'_>) -> Answer<Value> {
    let organization = &world.organization;
    match operation {
        "DescribeOrganization" => Ok(json!({ "Organization": views::organization(organization) })),
        "DescribePolicy" => Ok(views::policy(organization, organization.policy(input.policy()?)?)),
        "DescribeAccount" => {
            let account = organization.account(input.id("AccountId", is_account)?)?;
            Ok(json!({ "Account": views::account(organization, account) }))
        }
        "DescribeOrganizationalUnit" => {
            let unit = organization.unit(input.id("OrganizationalUnitId", is_unit)?)?;
            Ok(json!({ "OrganizationalUnit": views::unit(organization, unit) }))
        }
        "DescribeCreateAccountStatus" => {
            let id = input.id("CreateAccountRequestId", is_creation)?;
            Ok(views::creation(organization.creation(id)?, true))
        }
        "DescribeResourcePolicy" => {
            let (id, content) = organization.resource_policy()?;
            Ok(views::resource_policy(organization, id, content))
        }
        "ListRoots" => {
            let page = page(world, input, operation, [organization])?;
            Ok(listed("Roots", page, views::root))
        }
        "ListPolicies"
        | "ListPoliciesForTarget"
        | "ListTargetsForPolicy"
        | "ListTagsForResource" => list_policies(world, operation, input),
        "ListAWSServiceAccessForOrganization"
        | "ListDelegatedAdministrators"
        | "ListDelegatedServicesForAccount" => list_services(world, operation, input),
        _ => list_tree(world, operation, input),
    }
}

fn list_policies(world: &World, operation: &str, input: &Input<'_>) -> Answer<Value> {
    let organization = &world.organization;
    match operation {
        "ListPolicies" => {
            let kind = filter(input)?;
            let list = format!("{operation} {kind}");
            let page = page(world, input, &list, organization.policies(kind))?;
            Ok(listed("Policies", page, |it| views::summary(organization, it)))
        }
        "ListPoliciesForTarget" => {
            let (target, kind) = (input.target("TargetId")?, filter(input)?);
            let list = format!("{operation} {kind} {target}");
            let policies = organization.policies_for_target(target, kind)?;
            let page = page(world, input, &list, policies)?;
            Ok(listed("Policies", page, |it| views::summary(organization, it)))
        }
        "ListTargetsForPolicy" => {
            let policy = &organization.policy(input.policy()?)?.id;
            let list = format!("{operation} {policy}");
            let page = page(world, input, &list, organization.targets_of(policy))?;
            Ok(listed("Targets", page, |it| views::target(organization, it)))
        }
        _ => {
            let resource = input.target("ResourceId")?;
            let tags = organization.tags_for(resource)?;
            let page = whole_page(world, input, &format!("{operation} {resource}"), tags)?;
            Ok(listed("Tags", page, |(key, value)| json!({ "Key": key, "Value": value })))
        }
    }
}

fn list_services(world: &World, operation: &str, input: &Input<'_>) -> Answer<Value> {
    let organization = &world.organization;
    match operation {
        "ListAWSServiceAccessForOrganization" => {
            let page = page(world, input, operation, organization.service_access())?;
            Ok(listed(
                "EnabledServicePrincipals",
                page,
                |(principal, at)| json!({ "ServicePrincipal": principal, "DateEnabled": timestamp(at) }),
            ))
        }
        "ListDelegatedAdministrators" => {
            let principal = input.optional_principal()?;
            let list = format!("{operation} {}", principal.unwrap_or_default());
            let page = page(world, input, &list, organization.administrators(principal))?;
            Ok(listed("DelegatedAdministrators", page, |(account, at)| {
                views::administrator(organization, account, at)
            }))
        }
        _ => {
            let account = input.id("AccountId", is_account)?;
            let services = organization.delegated_services(account)?;
            let page = page(world, input, &format!("{operation} {account}"), services)?;
            Ok(listed(
                "DelegatedServices",
                page,
                |(principal, at)| json!({ "ServicePrincipal": principal, "DelegationEnabledDate": timestamp(at) }),
            ))
        }
    }
}

fn list_tree(world: &World, operation: &str, input: &Input<'_>) -> Answer<Value> {
    let organization = &world.organization;
    if operation == "ListAccounts" {
        let page = page(world, input, operation, organization.accounts())?;
        return Ok(listed("Accounts", page, |it| views::account(organization, it)));
    }
    if operation == "ListParents" {
        let child = input.id("ChildId", is_child)?;
        let missing = "We can't find an OU or account with the ChildId that you specified.";
        let missing = || Refusal::new(Code::ChildNotFound, missing);
        let parent = organization.parent(child).ok_or_else(missing)?;
        let page = page(world, input, &format!("{operation} {child}"), [parent])?;
        return Ok(listed("Parents", page, |it| child_view(organization, it)));
    }
    let parent = input.id("ParentId", is_parent)?;
    let list = format!("{operation} {parent}");
    let exists = || organization.expect_parent(parent, Code::ParentNotFound);
    match operation {
        "ListAccountsForParent" => {
            exists()?;
            let page = page(world, input, &list, organization.accounts_in(parent))?;
            Ok(listed("Accounts", page, |it| views::account(organization, it)))
        }
        "ListOrganizationalUnitsForParent" => {
            exists()?;
            let page = page(world, input, &list, organization.units_in(parent))?;
            Ok(listed("OrganizationalUnits", page, |it| views::unit(organization, it)))
        }
        _ => {
            let kind = input.text("ChildType")?;
            let children: Vec<&str> = match kind {
                "ACCOUNT" => organization.accounts_in(parent).map(|it| it.id.as_str()).collect(),
                "ORGANIZATIONAL_UNIT" => {
                    organization.units_in(parent).map(|it| it.id.as_str()).collect()
                }
                _ => return Err(Refusal::invalid(Invalid::Enum, Some("ChildType"))),
            };
            exists()?;
            let page = page(world, input, &format!("{list} {kind}"), children)?;
            Ok(listed("Children", page, |it| child_view(organization, it)))
        }
    }
}

fn child_view(organization: &Organization, id: &str) -> Value {
    json!({ "Id": id, "Type": organization.kind(id) })
}

/// Returns the policy type by which a list is filtered.
fn filter<'a>(input: &'a Input<'_>) -> Result<&'a str, Refusal> {
    let kind = input.policy_type("Filter")?;
    crate::organization::check_policy_type(kind)?;
    Ok(kind)
}

pub(super) fn listed<T>(member: &str, page: Page<T>, view: impl Fn(T) -> Value) -> Value {
    let mut answer = Map::new();
    answer.insert(member.to_owned(), page.items.into_iter().map(view).collect());
    if let Some(token) = page.next {
        answer.insert("NextToken".to_owned(), Value::String(token));
    }
    Value::Object(answer)
}
