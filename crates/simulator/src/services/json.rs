//! Code that is shared by the services with a JSON protocol and a target header.

use hyper::StatusCode;
use serde_json::{Map, Value, json};

use crate::fault::Failure;
use crate::operation::Service;
use crate::refusal::{Code, Refusal};
use crate::reply::Reply;
use crate::request::Call;

/// The members of a request.
pub(super) struct Members<'a> {
    call: &'a Call,
    members: Map<String, Value>,
}

impl<'a> Members<'a> {
    pub(super) fn parse(call: &'a Call) -> Result<Self, Refusal> {
        let members = match call.body.as_ref() {
            b"" => Map::new(),
            body => serde_json::from_slice(body).map_err(|_| serialization())?,
        };
        Ok(Self { call, members })
    }

    pub(super) fn get(&self, member: &'static str) -> Option<&Value> {
        self.call.looked_at(member);
        self.members.get(member).filter(|it| !it.is_null())
    }

    pub(super) fn optional(&self, member: &'static str) -> Result<Option<&str>, Refusal> {
        self.get(member).map(|it| it.as_str().ok_or_else(serialization)).transpose()
    }

    pub(super) fn text(&self, member: &'static str) -> Result<&str, Refusal> {
        self.optional(member)?.ok_or_else(|| {
            let message = format!(
                "1 validation error detected: Value null at '{member}' failed to satisfy \
                 constraint: Member must not be null"
            );
            Refusal::new(Code::ValidationException, message)
        })
    }
}

fn serialization() -> Refusal {
    Refusal::new(Code::Serialization, "The request body does not have the right shape.")
}

pub(super) fn reply(service: Service, body: &Value) -> Reply {
    let version = if service == Service::StepFunctions { "1.0" } else { "1.1" };
    Reply::new(&format!("application/x-amz-json-{version}"), body.to_string())
}

pub(super) fn error(service: Service, failure: &Failure, message: &str) -> Reply {
    let body = json!({ "__type": failure.code, "message": message });
    let status = StatusCode::from_u16(failure.status).unwrap_or(StatusCode::BAD_REQUEST);
    reply(service, &body).status(status)
}
