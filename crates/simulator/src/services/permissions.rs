//! Checks whether the role and the session of a caller allow a call.

use super::{caller, needs};
use crate::iam::{Need, Verdict};
use crate::operation::{Operation, Service};
use crate::refusal::{Code, Refusal};
use crate::request::{Call, Caller};
use crate::sts::Wanted;
use crate::world::World;

/// Returns an error if the caller's role, its session, or the Region does not allow the call.
pub(super) fn check(world: &World, operation: &Operation, call: &Call) -> Result<(), Refusal> {
    check_region(world, operation.service, call)?;
    let needs = limits(world, call).map(|()| needs::of(world, operation, call));
    needs.into_iter().flatten().try_for_each(|it| check_need(world, call, &it))
}

/// Returns `true` if the caller also has the permission `need`, for answers that depend on it.
pub(super) fn allows(world: &World, call: &Call, need: &Need) -> bool {
    limits(world, call).is_none() || check_need(world, call, need).is_ok()
}

/// Returns `None` if the caller may do everything.
fn limits(world: &World, call: &Call) -> Option<()> {
    let session = call.caller.session.as_ref()?;
    let role = world.iam.role(&session.account, &session.role);
    let limited = session.policy.is_some() || role.is_none_or(|it| !it.is_unlimited());
    limited.then_some(())
}

fn check_need(world: &World, call: &Call, need: &Need) -> Result<(), Refusal> {
    let Some(session) = &call.caller.session else { return Ok(()) };
    let account = &session.account;
    let role = world.iam.role(account, &session.role);
    let role = role.map_or(Verdict::Silent, |it| it.judge(need, account));
    let own = session.policy.as_ref().map_or(Verdict::Allowed, |it| it.judge(need, account));
    let why = match (role, own) {
        (Verdict::Allowed, Verdict::Allowed) => return Ok(()),
        (Verdict::Denied, _) => "with an explicit deny in an identity-based policy".to_owned(),
        (_, Verdict::Denied) => "with an explicit deny in a session policy".to_owned(),
        (Verdict::Silent, _) => {
            format!("because no identity-based policy allows the {} action", need.action)
        }
        (Verdict::Allowed, Verdict::Silent) => {
            format!("because no session policy allows the {} action", need.action)
        }
    };
    Err(denied(world, call, &need.action, &format!(" on resource: {} {why}", need.resource)))
}

fn check_region(world: &World, service: Service, call: &Call) -> Result<(), Refusal> {
    let Caller { account, region, .. } = &call.caller;
    let regional = [
        Service::Backup,
        Service::CloudFormation,
        Service::CloudTrail,
        Service::EventBridge,
        Service::Kms,
        Service::ResourceExplorer,
        Service::SecurityHub,
        Service::Sns,
        Service::StepFunctions,
        Service::Tagging,
    ];
    if !regional.contains(&service) {
        return Ok(());
    }
    if world.regions.is_disabled(account, region) {
        let code = match service {
            Service::CloudFormation | Service::Sns => Code::InvalidClientToken,
            _ => Code::UnrecognizedClient,
        };
        let message = "The security token included in the request is invalid.";
        return Err(Refusal::new(code, message));
    }
    if world.regions.is_denied(account, region) && *account != world.organization.management_account
    {
        let action = service.prefix().unwrap_or_default();
        let action = format!("{action}:{}", call.name());
        let why = " with an explicit deny in a service control policy";
        return Err(denied(world, call, &action, why));
    }
    Ok(())
}

/// Returns the error for a role that cannot be assumed. AWS does not reveal whether the role
/// exists.
pub(super) fn denied_role(world: &World, call: &Call, wanted: &Wanted<'_>) -> Refusal {
    denied(world, call, "sts:AssumeRole", &format!(" on resource: {}", wanted.role_arn))
}

fn denied(world: &World, call: &Call, action: &str, why: &str) -> Refusal {
    let code = match call.service {
        Service::Organizations
        | Service::Backup
        | Service::CloudTrail
        | Service::EventBridge
        | Service::Kms
        | Service::ResourceExplorer
        | Service::SecurityHub
        | Service::StepFunctions
        | Service::Tagging => Code::AccessDenied,
        Service::Sns => Code::AuthorizationError,
        _ => Code::Denied,
    };
    let caller = caller::arn(world, &call.caller);
    let message = format!("User: {caller} is not authorized to perform: {action}{why}");
    Refusal::new(code, message)
}
