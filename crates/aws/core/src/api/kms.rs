//! AWS KMS: the keys of an account in a Region.

use serde_json::{Value, json};

use super::answers::{member, within};
use super::{Question, Request, Service};
use crate::operation::DESCRIBE_KEY;

/// A key, as AWS KMS describes it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DescribedKey {
    /// True if the key belongs to a customer and not to AWS.
    pub is_customers: bool,
    /// The name of its state.
    pub state: Option<String>,
}

/// Requests a key by its ID or ARN.
pub fn key(id: &str) -> Request<DescribedKey> {
    let (target, body) = ("TrentService", json!({ "KeyId": id }));
    Request {
        service: Service::KMS,
        operation: DESCRIBE_KEY.name,
        question: Question::Json { protocol: "1.1", target, body },
        read: |answer| {
            let answer: Value = serde_json::from_str(answer)?;
            let it = within(&answer, "KeyMetadata")?;
            let is_customers = member(it, "KeyManager").is_some_and(|it| it == "CUSTOMER");
            Ok(DescribedKey { is_customers, state: member(it, "KeyState") })
        },
    }
}
