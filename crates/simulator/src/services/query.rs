//! Code that is shared by the services that take forms and answer XML.

use hyper::StatusCode;

use crate::fault::Failure;
use crate::operation::Service;
use crate::refusal::{Code, Refusal};
use crate::reply::Reply;
use crate::request::Call;

/// The end of every answer.
const METADATA: &str = "<ResponseMetadata><RequestId>00000000-0000-4000-8000-000000000000</RequestId></ResponseMetadata>";

/// Formats the answer of an operation with these members.
pub(super) fn reply(service: Service, operation: &str, members: &str) -> Reply {
    let result = format!("<{operation}Result>{members}</{operation}Result>");
    let space = namespace(service);
    let body =
        format!(r#"<{operation}Response xmlns="{space}">{result}{METADATA}</{operation}Response>"#);
    Reply::new("text/xml", body)
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
    match service {
        Service::CloudFormation => "http://cloudformation.amazonaws.com/doc/2010-05-15/",
        Service::Sns => "http://sns.amazonaws.com/doc/2010-03-31/",
        Service::Iam => "https://iam.amazonaws.com/doc/2010-05-08/",
        _ => "https://sts.amazonaws.com/doc/2011-06-15/",
    }
}

pub(super) fn element(name: &str, text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    format!("<{name}>{text}</{name}>")
}

/// Returns a required parameter, which the error calls `name`.
pub(super) fn required<'a>(
    call: &'a Call,
    parameter: &'static str,
    name: &str,
) -> Result<&'a str, Refusal> {
    call.parameter(parameter).ok_or_else(|| missing(name))
}

pub(super) fn missing(name: &str) -> Refusal {
    let message = format!("Value null at '{name}' failed to satisfy constraint");
    Refusal::new(Code::Validation, message)
}
