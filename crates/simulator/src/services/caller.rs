//! The caller of a request, as policies name it.

use crate::iam::{Keys, Principal};
use crate::request::{Call, Caller};
use crate::world::World;

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
