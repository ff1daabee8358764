//! SNS topics and the messages published to them.

use std::collections::BTreeMap;

use crate::ids::Ids;
use crate::refusal::{Code, Refusal};

/// The longest subject, in characters.
const SUBJECT: usize = 100;
/// The longest message, in bytes.
const MESSAGE: usize = 262_144;

/// A message that was published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its ID.
    pub id: String,
    /// The ARN of the topic.
    pub topic: String,
    /// Its subject, or `None` if it has none.
    pub subject: Option<String>,
    /// Its text.
    pub text: String,
}

/// The topics.
#[derive(Clone, Debug)]
pub struct Topics {
    /// The key that encrypts each topic, by the topic's ARN.
    keys: BTreeMap<String, Option<String>>,
    messages: Vec<Message>,
    ids: Ids,
}

impl Topics {
    pub(crate) fn new(seed: u64) -> Self {
        let ids = Ids::new(seed ^ 0x0073_6e73);
        Self { keys: BTreeMap::new(), messages: Vec::new(), ids }
    }

    /// Creates the topic with this ARN.
    pub fn create(&mut self, arn: &str) {
        self.keys.insert(arn.to_owned(), None);
    }

    /// Creates the topic with this ARN, encrypted with the key with the ARN `key_arn`.
    pub fn create_encrypted(&mut self, arn: &str, key_arn: &str) {
        self.keys.insert(arn.to_owned(), Some(key_arn.to_owned()));
    }

    /// Returns the ARN of the key that encrypts this topic, if there is one.
    pub(crate) fn key_of(&self, arn: &str) -> Option<&str> {
        self.keys.get(arn)?.as_deref()
    }

    /// Returns the messages published so far, oldest first.
    #[must_use]
    pub fn messages(&self) -> &[Message] {
        &self.messages
    }

    /// Forgets the published messages.
    pub fn clear(&mut self) {
        self.messages.clear();
    }

    /// Publishes a message and returns its ID.
    pub(crate) fn publish(
        &mut self,
        topic: &str,
        subject: Option<&str>,
        text: &str,
    ) -> Result<String, Refusal> {
        let invalid =
            |what: &str| Refusal::new(Code::InvalidParameter, format!("Invalid parameter: {what}"));
        if text.is_empty() {
            return Err(invalid("Empty message"));
        }
        if text.len() > MESSAGE {
            return Err(invalid("Message too long"));
        }
        let printable = |it: char| it.is_ascii_graphic() || it == ' ';
        let right = |it: &str| !it.is_empty() && it.len() <= SUBJECT && it.chars().all(printable);
        if !subject.is_none_or(right) {
            return Err(invalid("Subject"));
        }
        if !self.keys.contains_key(topic) {
            return Err(Refusal::new(Code::TopicNotFound, "Topic does not exist"));
        }
        let id = self.ids.uuid();
        self.messages.push(Message {
            id: id.clone(),
            topic: topic.to_owned(),
            subject: subject.map(str::to_owned),
            text: text.to_owned(),
        });
        Ok(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOPIC: &str = "arn:aws:sns:us-east-1:111122223333:repairs";

    fn publish(subject: Option<&str>, text: &str) -> Result<String, Code> {
        let mut topics = Topics::new(1);
        topics.create(TOPIC);
        topics.publish(TOPIC, subject, text).map_err(|it| it.code)
    }

    #[test]
    fn what_was_published_can_be_read() {
        let mut topics = Topics::new(1);
        topics.create(TOPIC);
        let id = topics.publish(TOPIC, Some("Repaired"), "A policy is attached again.").unwrap();
        let (topic, subject) = (TOPIC.to_owned(), Some("Repaired".to_owned()));
        let text = "A policy is attached again.".to_owned();
        assert_eq!(topics.messages(), [Message { id, topic, subject, text }]);
        let missing = topics.publish("arn:aws:sns:us-east-1:111122223333:x", None, "x");
        assert_eq!(missing.unwrap_err().code, Code::TopicNotFound);
    }

    #[test]
    fn a_subject_is_a_line_of_a_hundred_characters_of_ascii_at_most() {
        assert!(publish(Some(&"x".repeat(100)), "x").is_ok());
        for subject in ["x".repeat(101), "für alle".to_owned(), "a\nb".to_owned(), String::new()] {
            assert_eq!(publish(Some(&subject), "x"), Err(Code::InvalidParameter), "{subject:?}");
        }
    }

    #[test]
    fn a_message_has_so_many_bytes_at_most_and_at_least_one() {
        assert!(publish(None, &"x".repeat(262_144)).is_ok());
        assert_eq!(publish(None, &"ü".repeat(131_073)), Err(Code::InvalidParameter));
        assert_eq!(publish(None, ""), Err(Code::InvalidParameter));
    }
}
