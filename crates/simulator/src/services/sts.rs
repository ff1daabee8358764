//! STS: identifies callers, and gives them sessions of roles.

use super::query::{element, missing, reply, required};
use super::{caller, permissions};
use crate::iam::{Need, Unreadable, Verdict};
use crate::organization::AccountState;
use crate::refusal::{Code, Refusal};
use crate::reply::Reply;
use crate::request::Call;
use crate::sts::{Session, Wanted};
use crate::world::World;

pub(super) fn perform(world: &mut World, operation: &str, call: &Call) -> Result<Reply, Refusal> {
    let members = match operation {
        "AssumeRole" => assume_role(world, call)?,
        _ => caller_identity(world, call),
    };
    Ok(reply(call.service, operation, &members))
}

fn assume_role(world: &mut World, call: &Call) -> Result<String, Refusal> {
    let seconds = match call.parameter("DurationSeconds").map(str::parse) {
        Some(Err(_)) => return Err(missing("durationSeconds")),
        Some(Ok(seconds)) => Some(seconds),
        None => None,
    };
    let wanted = Wanted {
        role_arn: required(call, "RoleArn", "roleArn")?,
        name: required(call, "RoleSessionName", "roleSessionName")?,
        seconds,
        policy: call.parameter("Policy"),
        chained: call.caller.session.is_some(),
    };
    let (account, name) = wanted.check()?;
    let role = world.iam.role(account, name).filter(|_| is_in_use(world, account));
    let role = role.filter(|it| {
        let arn = it.arn(world.organization.partition(), account);
        arn == wanted.role_arn && trusts(world, call, it, &wanted, account)
    });
    let Some(role) = role else { return Err(permissions::denied_role(world, call, &wanted)) };
    wanted.check_length(role)?;
    let policy = wanted.policy.map(|it| world.iam.session_policy(it)).transpose();
    let session = Session {
        account: account.to_owned(),
        role: name.to_owned(),
        name: wanted.name.to_owned(),
        role_arn: wanted.role_arn.to_owned(),
        policy: policy.map_err(unreadable)?,
    };
    let assumed = world.sts.open(session);
    let credentials = [
        element("AccessKeyId", &assumed.access_key),
        element("SecretAccessKey", "simulated"),
        element("SessionToken", &format!("session-{}", assumed.access_key)),
        element("Expiration", "2099-01-01T00:00:00Z"),
    ];
    let user = [
        element("AssumedRoleId", &format!("{}:{}", assumed.role_id, wanted.name)),
        element("Arn", &assumed.session.arn(world.organization.partition())),
    ];
    let (credentials, user) = (credentials.concat(), user.concat());
    Ok(format!("<Credentials>{credentials}</Credentials><AssumedRoleUser>{user}</AssumedRoleUser>"))
}

/// Returns `true` if the account is an active member of the organization.
fn is_in_use(world: &World, account: &str) -> bool {
    world.organization.account(account).is_ok_and(|it| it.state == AccountState::Active)
}

/// Returns `true` if the role trusts the caller.
fn trusts(
    world: &World,
    call: &Call,
    role: &crate::iam::Role,
    wanted: &Wanted<'_>,
    account: &str,
) -> bool {
    let mut keys = caller::keys(world, call);
    keys.insert("sts:rolesessionname".to_owned(), vec![wanted.name.to_owned()]);
    if let Some(id) = call.parameter("ExternalId") {
        keys.insert("sts:externalid".to_owned(), vec![id.to_owned()]);
    }
    let (action, resource) = ("sts:AssumeRole".to_owned(), wanted.role_arn.to_owned());
    let need = Need { action, resource, keys };
    let principal = caller::principal(world, &call.caller);
    role.trust().trusts(&principal, &need, account) == Verdict::Allowed
}

/// Returns the error for a session policy that cannot be read. If only the simulator cannot read
/// it, the test fails, because the operation does not have this error.
fn unreadable(why: Unreadable) -> Refusal {
    match why {
        Unreadable::Malformed(why) => Refusal::new(Code::MalformedSessionPolicy, why),
        Unreadable::Unknown(what) => {
            let reason = Some(format!("the simulator does not know {what}"));
            Refusal {
                reason,
                ..Refusal::new(Code::UnknownOperation, "The policy is not understood.")
            }
        }
    }
}

fn caller_identity(world: &World, call: &Call) -> String {
    let arn = caller::arn(world, &call.caller);
    let account = &call.caller.account;
    [element("Arn", &arn), element("UserId", "AIDASIMULATED"), element("Account", account)].concat()
}
