//! STS and CloudFormation: forms and XML.

use hyper::StatusCode;

use crate::fault::Failure;
use crate::operation::Service;
use crate::refusal::{Code, Refusal};
use crate::reply::Reply;
use crate::request::Call;
use crate::world::World;

pub(super) fn perform(world: &mut World, operation: &str, call: &Call) -> Result<Reply, Refusal> {
    let result = match operation {
        "AssumeRole" => assume_role(world, call)?,
        "GetCallerIdentity" => caller_identity(world, call),
        "DescribeOrganizationsAccess" => {
            let status = if world.stack_sets { "ENABLED" } else { "DISABLED" };
            element("Status", status)
        }
        _ => {
            let on = operation == "ActivateOrganizationsAccess";
            world.stack_sets = on;
            world.organization.set_stack_sets(on);
            String::new()
        }
    };
    let result = format!("<{operation}Result>{result}</{operation}Result>");
    let id = "<ResponseMetadata><RequestId>00000000-0000-4000-8000-000000000000</RequestId></ResponseMetadata>";
    let space = namespace(call.service);
    let body =
        format!(r#"<{operation}Response xmlns="{space}">{result}{id}</{operation}Response>"#);
    Ok(Reply::new("text/xml", body))
}

fn assume_role(world: &mut World, call: &Call) -> Result<String, Refusal> {
    let missing = |name: &str| {
        let message = format!("Value null at '{name}' failed to satisfy constraint");
        Refusal::new(Code::Validation, message)
    };
    let role = call.parameter("RoleArn").ok_or_else(|| missing("roleArn"))?;
    let name = call.parameter("RoleSessionName").ok_or_else(|| missing("roleSessionName"))?;
    let seconds = match call.parameter("DurationSeconds").map(str::parse) {
        Some(Err(_)) => return Err(missing("durationSeconds")),
        Some(Ok(seconds)) => Some(seconds),
        None => None,
    };
    let organization = &world.organization;
    let known = |account: &str| organization.account(account).is_ok();
    let assumed = world.sts.assume_role(role, name, seconds, known)?;
    let credentials = [
        element("AccessKeyId", &assumed.access_key),
        element("SecretAccessKey", "simulated"),
        element("SessionToken", &format!("session-{}", assumed.access_key)),
        element("Expiration", "2099-01-01T00:00:00Z"),
    ];
    let user = [
        element("AssumedRoleId", &format!("{}:{name}", assumed.role_id)),
        element("Arn", &assumed.session.arn(organization.partition())),
    ];
    let (credentials, user) = (credentials.concat(), user.concat());
    Ok(format!("<Credentials>{credentials}</Credentials><AssumedRoleUser>{user}</AssumedRoleUser>"))
}

fn caller_identity(world: &World, call: &Call) -> String {
    let (account, partition) = (&call.caller.account, world.organization.partition());
    let arn = match &call.caller.session {
        Some(session) => session.arn(partition),
        None => format!("arn:{partition}:iam::{account}:user/simulated"),
    };
    [element("Arn", &arn), element("UserId", "AIDASIMULATED"), element("Account", account)].concat()
}

pub(super) fn error(service: Service, failure: &Failure, message: &str) -> Reply {
    let side = if failure.status < 500 { "Sender" } else { "Receiver" };
    let parts =
        [element("Type", side), element("Code", &failure.code), element("Message", message)];
    let (parts, space) = (parts.concat(), namespace(service));
    let body = format!(r#"<ErrorResponse xmlns="{space}"><Error>{parts}</Error></ErrorResponse>"#);
    let status = StatusCode::from_u16(failure.status).unwrap_or(StatusCode::BAD_REQUEST);
    Reply::new("text/xml", body).status(status)
}

fn namespace(service: Service) -> &'static str {
    if service == Service::CloudFormation {
        "http://cloudformation.amazonaws.com/doc/2010-05-15/"
    } else {
        "https://sts.amazonaws.com/doc/2011-06-15/"
    }
}

pub(super) fn element(name: &str, text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    format!("<{name}>{text}</{name}>")
}
