//! The requests of CloudFormation.

use std::time::SystemTime;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use thiserror::Error;
use tokio::time::Instant;

use crate::NOT_CREATED;
use crate::event::Event;
use crate::response_url::ResponseUrl;
use crate::undelivered::Undelivered;

/// A request of CloudFormation, without the details of the protocol.
#[derive(Debug)]
pub struct Request<P> {
    /// The requested change of the resource.
    pub change: Change<P>,
    /// The ID given in an earlier reply, or the one that CloudFormation generated for a Create that
    /// was never answered. `None` if nothing was created.
    pub physical_id: Option<String>,
    /// The ARN of the stack.
    pub stack_id: String,
    /// The name of the resource in its template.
    pub logical_id: String,
    /// The ID of the request. It is unique within the stack and stays the same if the request is
    /// delivered again.
    pub request_id: String,
    /// The time of day at which the request was received, for decisions that depend on it.
    pub received: SystemTime,
    /// The time at which the handler is cut off. Do not start new work shortly before.
    pub deadline: Instant,
}

impl<P> Request<P> {
    /// Returns `true` if this request removes a resource that, as far as is known, was never
    /// created.
    pub fn never_created(&self) -> bool {
        matches!(self.change, Change::Remove { .. }) && self.physical_id.is_none()
    }
}

/// The requested change of a resource.
#[derive(Debug)]
pub enum Change<P> {
    /// Create and Update alike: the resource must have these properties.
    Apply {
        /// The properties in the template.
        properties: P,
        /// On Update, the properties of the previous template, if they still parse.
        previous: Option<P>,
    },
    /// The resource must not exist.
    Remove {
        /// The properties it had, or `None` if they are invalid, in which case it was never
        /// created.
        properties: Option<P>,
    },
}

/// The address for the answer and the values to repeat, read before anything else can fail.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Envelope {
    pub(crate) response_url: ResponseUrl,
    pub(crate) request_type: String,
    pub(crate) stack_id: String,
    pub(crate) request_id: String,
    pub(crate) logical_resource_id: String,
    pub(crate) physical_resource_id: Option<String>,
}

impl Envelope {
    /// Reads the envelope of `event`. The rest of the event may be anything.
    pub(crate) fn read(event: &Event) -> Result<Self, Undelivered> {
        let members = event.members();
        let read = |name| serde_json::from_str::<Value>(members.get(name)?.get()).ok();
        let text = |name| match read(name) {
            Some(Value::String(text)) => text,
            _ => String::new(),
        };
        Ok(Self {
            response_url: ResponseUrl::read(read("ResponseURL").as_ref())?,
            request_type: text("RequestType"),
            stack_id: text("StackId"),
            request_id: text("RequestId"),
            logical_resource_id: text("LogicalResourceId"),
            physical_resource_id: Some(text("PhysicalResourceId")).filter(|it| !it.is_empty()),
        })
    }
}

/// The reason why a request cannot be understood.
#[derive(Debug, Error)]
pub(crate) enum Misread {
    #[error("the event is not a custom-resource request")]
    Event(#[source] serde_json::Error),
    #[error("the event has no `PhysicalResourceId`")]
    NoId,
    #[error(transparent)]
    Property(serde_path_to_error::Error<serde_json::Error>),
    #[error("property `{path}`")]
    PropertyAt { path: String, source: serde_json::Error },
}

/// A request whose properties are not parsed yet.
///
/// The type in `aws_lambda_events` is an enum tagged by `RequestType`, for which serde parses the
/// whole event first. One unreadable property would then prevent a resource from being deleted.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Outline<'a> {
    request_type: RequestType,
    stack_id: String,
    logical_resource_id: String,
    request_id: String,
    physical_resource_id: Option<String>,
    #[serde(borrow)]
    resource_properties: &'a RawValue,
    #[serde(borrow)]
    old_resource_properties: Option<&'a RawValue>,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
enum RequestType {
    Create,
    Update,
    Delete,
}

/// Reads the request in `event`.
pub(crate) fn read<P: DeserializeOwned>(
    event: &Event,
    received: SystemTime,
    deadline: Instant,
) -> Result<Request<P>, Misread> {
    let Outline {
        request_type,
        stack_id,
        logical_resource_id: logical_id,
        request_id,
        physical_resource_id: id,
        resource_properties,
        old_resource_properties,
    } = serde_json::from_str(event.text()).map_err(Misread::Event)?;
    let (change, physical_id) = match request_type {
        RequestType::Create => {
            let properties = raw_properties(resource_properties)?;
            (Change::Apply { properties, previous: None }, None)
        }
        RequestType::Update => {
            let previous = old_resource_properties.and_then(|it| raw_properties(it).ok());
            let properties = raw_properties(resource_properties)?;
            (Change::Apply { properties, previous }, Some(id.ok_or(Misread::NoId)?))
        }
        RequestType::Delete => {
            let properties = raw_properties(resource_properties).ok();
            (Change::Remove { properties }, Some(id.ok_or(Misread::NoId)?))
        }
    };
    let physical_id = physical_id.filter(|it| !it.is_empty() && it != NOT_CREATED);
    Ok(Request { change, physical_id, stack_id, logical_id, request_id, received, deadline })
}

/// Reads the properties of the resource from their JSON text.
fn raw_properties<P: DeserializeOwned>(raw: &RawValue) -> Result<P, Misread> {
    let mut text = serde_json::Deserializer::from_str(raw.get());
    properties(serde_path_to_error::deserialize(&mut text).map_err(misread)?)
}

/// The properties that do not describe the resource: those of CloudFormation itself, and the one
/// that a template changes to make CloudFormation send an Update for every resource.
pub const OF_THE_DEPLOYMENT: [&str; 3] = ["ServiceTimeout", "ServiceToken", "StateFormat"];

/// Reads the properties of the resource, without those of the deployment.
fn properties<P: DeserializeOwned>(mut properties: Value) -> Result<P, Misread> {
    if let Some(properties) = properties.as_object_mut() {
        for name in OF_THE_DEPLOYMENT {
            properties.remove(name);
        }
    }
    serde_path_to_error::deserialize(properties).map_err(misread)
}

fn misread(error: serde_path_to_error::Error<serde_json::Error>) -> Misread {
    match error.path().to_string() {
        path if path == "." => Misread::Property(error),
        path => Misread::PropertyAt { path, source: error.into_inner() },
    }
}
