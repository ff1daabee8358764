//! Checks whether the role and the session of a caller allow a call.

use super::needs;
use crate::iam::{Keys, Need, Principal, Verdict};
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
    let caller = arn(world, &call.caller);
    let message = format!("User: {caller} is not authorized to perform: {action}{why}");
    Refusal::new(code, message)
}

/// Returns the ARN of the caller.
pub(super) fn arn(world: &World, caller: &Caller) -> String {
    let partition = world.organization.partition();
    if let Some(session) = &caller.session {
        return session.arn(partition);
    }
    let user = caller.user.as_deref().unwrap_or("simulated");
    format!("arn:{partition}:iam::{}:user/{user}", caller.account)
}

/// Returns the caller in the form in which trust policies name it.
pub(super) fn principal(world: &World, caller: &Caller) -> Principal {
    let role = caller.session.as_ref().map(|it| it.role_arn.clone());
    let arns = [arn(world, caller)].into_iter().chain(role).collect();
    Principal { account: caller.account.clone(), arns }
}

/// Returns the condition keys that every request has.
pub(super) fn keys(world: &World, call: &Call) -> Keys {
    let caller = &call.caller;
    let role = caller.session.as_ref().map(|it| it.role_arn.clone());
    let principal = role.unwrap_or_else(|| arn(world, caller));
    let mut keys = Keys::new();
    let mut add = |key: &str, value: &str| keys.insert(key.to_owned(), vec![value.to_owned()]);
    add("aws:principalarn", &principal);
    add("aws:principalaccount", &caller.account);
    add("aws:requestedregion", &caller.region);
    add("aws:securetransport", "true");
    if world.organization.account(&caller.account).is_ok() {
        add("aws:principalorgid", &world.organization.id);
    }
    keys
}
