//! The settings of the function.

use std::collections::BTreeSet;

use report::history::Channel;
use serde_json::Value;

/// The settings of the function.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The topic for notices to people, if there is one.
    pub topic: Option<String>,
    /// The topic for notices to chat rooms, if there is one.
    pub chat_topic: Option<String>,
    /// The event bus for notices to other programs, if there is one.
    pub event_bus: Option<String>,
    /// True if AWS Security Hub gets findings.
    pub has_hub: bool,
    /// The function that writes a line of metrics.
    pub tell: fn(&Value),
}

impl Setup {
    /// Reads `TOPIC_ARN`, `CHAT_TOPIC_ARN`, `EVENT_BUS` and `SECURITY_HUB`.
    #[expect(clippy::disallowed_methods, reason = "called once, before the first event")]
    pub fn from_environment() -> Self {
        let read = |name: &str| std::env::var(name).ok().filter(|it| !it.is_empty());
        Self {
            topic: read("TOPIC_ARN"),
            chat_topic: read("CHAT_TOPIC_ARN"),
            event_bus: read("EVENT_BUS"),
            has_hub: read("SECURITY_HUB").is_some_and(|it| it == "true"),
            tell: cfn::tell,
        }
    }

    /// Returns the channels that get notices.
    pub(crate) fn channels(&self) -> BTreeSet<Channel> {
        let all = [
            (Channel::Mail, self.topic.is_some()),
            (Channel::Chat, self.chat_topic.is_some()),
            (Channel::Event, self.event_bus.is_some()),
            (Channel::Findings, self.has_hub),
        ];
        all.into_iter().filter(|it| it.1).map(|it| it.0).collect()
    }
}
