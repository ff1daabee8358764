//! What CloudFormation asks for.

use std::time::SystemTime;

use aws_lambda_events::event::cloudformation::CloudFormationCustomResourceRequest as Event;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;
use tokio::time::Instant;

use crate::NOT_CREATED;
use crate::deliver::Undelivered;
use crate::response_url::ResponseUrl;

/// What CloudFormation asks for, less the protocol.
#[derive(Debug)]
pub struct Request<P> {
    /// What is to become of the resource.
    pub change: Change<P>,
    /// The ID given in an earlier reply, or one that CloudFormation made up for a creation that was
    /// never answered; `None` when nothing was created.
    pub physical_id: Option<String>,
    /// The ARN of the stack.
    pub stack_id: String,
    /// The name of the resource in its template.
    pub logical_id: String,
    /// The time of day when the request came, for decisions that depend on it.
    pub received: SystemTime,
    /// When the handler is cut off. New work should not start shortly before.
    pub deadline: Instant,
}

impl<P> Request<P> {
    /// Whether this removes what, as far as is known, was never made.
    pub fn never_created(&self) -> bool {
        matches!(self.change, Change::Remove { .. }) && self.physical_id.is_none()
    }
}

/// What is to become of a resource.
#[derive(Debug)]
pub enum Change<P> {
    /// Create and Update alike: the resource must have these properties.
    Apply {
        /// The properties in the template.
        properties: P,
        /// On Update, those of the template before, where they still parse.
        previous: Option<P>,
    },
    /// The resource must not exist.
    Remove {
        /// The properties it had; `None` when they never fitted, so that it was never created.
        properties: Option<P>,
    },
}

/// Where the answer goes and what it must repeat, read before anything else can fail.
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
    /// Reads the envelope of `event`, which may otherwise be anything.
    pub(crate) fn read(event: &Value) -> Result<Self, Undelivered> {
        let text = |name| event.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        Ok(Self {
            response_url: ResponseUrl::read(event.get("ResponseURL"))?,
            request_type: text("RequestType"),
            stack_id: text("StackId"),
            request_id: text("RequestId"),
            logical_resource_id: text("LogicalResourceId"),
            physical_resource_id: Some(text("PhysicalResourceId")).filter(|it| !it.is_empty()),
        })
    }
}

/// Why a request cannot be understood.
#[derive(Debug, Error)]
pub(crate) enum Misread {
    #[error("the event is not a custom-resource request")]
    Event(#[source] serde_json::Error),
    #[error("`RequestType` is not one of Create, Update and Delete")]
    Type,
    #[error(transparent)]
    Property(serde_path_to_error::Error<serde_json::Error>),
    #[error("property `{path}`")]
    PropertyAt { path: String, source: serde_json::Error },
}

/// Reads the request in `event`.
pub(crate) fn read<P: DeserializeOwned>(
    event: Value,
    received: SystemTime,
    deadline: Instant,
) -> Result<Request<P>, Misread> {
    let (change, physical_id, stack_id, logical_id) =
        match serde_json::from_value(event).map_err(Misread::Event)? {
            Event::Create(it) => {
                let properties = properties(it.resource_properties)?;
                let change = Change::Apply { properties, previous: None };
                (change, None, it.stack_id, it.logical_resource_id)
            }
            Event::Update(it) => {
                let previous = properties(it.old_resource_properties).ok();
                let properties = properties(it.resource_properties)?;
                let change = Change::Apply { properties, previous };
                (change, Some(it.physical_resource_id), it.stack_id, it.logical_resource_id)
            }
            Event::Delete(it) => {
                let change = Change::Remove { properties: properties(it.resource_properties).ok() };
                (change, Some(it.physical_resource_id), it.stack_id, it.logical_resource_id)
            }
            _ => return Err(Misread::Type),
        };
    let physical_id = physical_id.filter(|it| !it.is_empty() && it != NOT_CREATED);
    Ok(Request { change, physical_id, stack_id, logical_id, received, deadline })
}

/// Reads the properties of a resource as CloudFormation sends them: every scalar is a string.
///
/// # Errors
///
/// When they do not fit, with the one that does not.
pub fn read_properties<P: DeserializeOwned>(value: Value) -> Result<P, crate::Failure> {
    Ok(properties(value)?)
}

/// Reads the properties of the resource, less those that belong to CloudFormation itself.
fn properties<P: DeserializeOwned>(mut properties: Value) -> Result<P, Misread> {
    if let Some(properties) = properties.as_object_mut() {
        properties.remove("ServiceToken");
        properties.remove("ServiceTimeout");
    }
    serde_path_to_error::deserialize(properties).map_err(|it| match it.path().to_string() {
        path if path == "." => Misread::Property(it),
        path => Misread::PropertyAt { path, source: it.into_inner() },
    })
}
