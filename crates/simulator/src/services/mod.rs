//! The services on the wire. Each one parses its requests, uses the state, and formats its replies.

mod addressing;
mod backup;
mod caller;
mod cloudformation;
mod cloudtrail;
mod event_bus;
mod explorer;
mod iam;
mod json;
mod kms;
mod needs;
mod objects;
mod organizations;
mod pages;
mod permissions;
mod query;
mod security_hub;
mod sns;
mod step_functions;
mod sts;
mod tagging;

use crate::fault::Failure;
use crate::operation::{Operation, Service};
use crate::refusal::{Code, Refusal};
use crate::reply::Reply;
use crate::request::Call;
use crate::world::World;

/// Performs the operation of a call.
pub(crate) fn perform(
    world: &mut World,
    operation: &Operation,
    call: &Call,
) -> Result<Reply, Refusal> {
    authorize(world, operation, call)?;
    match operation.service {
        Service::Organizations => organizations::perform(world, operation.name, call),
        Service::Backup => backup::perform(world, operation.name, call),
        Service::CloudFormation => cloudformation::perform(world, operation.name, call),
        Service::CloudTrail => cloudtrail::perform(world, operation.name, call),
        Service::EventBridge => event_bus::perform(world, call),
        Service::Iam => iam::perform(world, operation.name, call),
        Service::Kms => kms::perform(world, call),
        Service::ResourceExplorer => explorer::perform(world, operation.name, call),
        Service::SecurityHub => security_hub::perform(world, call),
        Service::Sns => sns::perform(world, operation.name, call),
        Service::StepFunctions => step_functions::perform(world, operation.name, call),
        Service::Sts => sts::perform(world, operation.name, call),
        Service::Tagging => tagging::perform(world, call),
        Service::S3 => objects::perform(world, operation.name, call),
        Service::Response => Ok(Reply::empty()),
    }
}

/// Returns an error for callers without permission, in the format of each service.
fn authorize(world: &World, operation: &Operation, call: &Call) -> Result<(), Refusal> {
    permissions::check(world, operation, call)?;
    let allowed =
        world.organization.authorize(&call.caller.account, operation.name, operation.access);
    match operation.service {
        Service::Organizations => {
            allowed?;
            if operation.all_features { world.organization.expect_all_features() } else { Ok(()) }
        }
        Service::Backup => allowed.or_else(|refusal| backup::refuse(operation.name, refusal)),
        // Stacks exist without an organization.
        Service::CloudFormation
            if ["DescribeStackResource", "DescribeStacks", "GetTemplate", "ListExports"]
                .contains(&operation.name) =>
        {
            Ok(())
        }
        Service::CloudFormation => allowed.map_err(|_| cloudformation::refuse()),
        Service::CloudTrail
        | Service::EventBridge
        | Service::Iam
        | Service::Kms
        | Service::ResourceExplorer
        | Service::S3
        | Service::SecurityHub
        | Service::Sns
        | Service::StepFunctions
        | Service::Sts
        | Service::Tagging
        | Service::Response => Ok(()),
    }
}

/// Formats the error that the state returned.
pub(crate) fn refused(call: &Call, refusal: &Refusal) -> Reply {
    let status = match refusal.code {
        Code::AuthorizationError | Code::Denied | Code::InvalidClientToken => 403,
        Code::AccessDenied | Code::UnrecognizedClient if is_rest(call.service) => 403,
        Code::ResourceNotFound if call.service == Service::ResourceExplorer => 404,
        Code::InvalidAccess | Code::Unauthorized => 401,
        Code::NoSuchBucket
        | Code::NoSuchEntity
        | Code::NoSuchKey
        | Code::NoSuchVersion
        | Code::TopicNotFound => 404,
        Code::MethodNotAllowed => 405,
        Code::PreconditionFailed => 412,
        Code::NotImplemented => 501,
        _ => 400,
    };
    let (code, reason) = (refusal.code.as_str().to_owned(), refusal.reason.clone());
    failed(call, &Failure { code, reason, status, retry_after: None }, &refusal.message)
}

/// Returns `true` if a service uses REST and JSON.
fn is_rest(service: Service) -> bool {
    matches!(service, Service::Backup | Service::ResourceExplorer | Service::SecurityHub)
}

/// Formats an error in the format of the call's service.
pub(crate) fn failed(call: &Call, failure: &Failure, message: &str) -> Reply {
    let reply = match call.service {
        Service::Organizations => organizations::error(failure, message),
        Service::Backup => backup::error(failure, message),
        Service::CloudFormation | Service::Iam | Service::Sns | Service::Sts => {
            query::error(call.service, failure, message)
        }
        Service::ResourceExplorer | Service::SecurityHub => explorer::error(failure, message),
        Service::CloudTrail
        | Service::EventBridge
        | Service::Kms
        | Service::StepFunctions
        | Service::Tagging => json::error(call.service, failure, message),
        Service::S3 | Service::Response => objects::error(call, failure, message),
    };
    match failure.retry_after {
        // The standard HTTP header, and the one that the AWS SDKs read.
        Some(seconds) => reply
            .header("retry-after", seconds.to_string())
            .header("x-amz-retry-after", (u64::from(seconds) * 1_000).to_string()),
        None => reply,
    }
}

/// Returns the error for an unknown operation.
pub(crate) fn unknown(call: &Call) -> Refusal {
    let code = match call.service {
        Service::Organizations
        | Service::Backup
        | Service::CloudTrail
        | Service::EventBridge
        | Service::Kms
        | Service::ResourceExplorer
        | Service::SecurityHub
        | Service::StepFunctions
        | Service::Tagging => Code::UnknownOperation,
        Service::CloudFormation | Service::Iam | Service::Sns | Service::Sts => Code::InvalidAction,
        Service::S3 | Service::Response => Code::MethodNotAllowed,
    };
    let message = format!("the simulator does not know the operation `{}`", call.name());
    Refusal::new(code, message)
}
