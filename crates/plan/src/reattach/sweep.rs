//! When everything was last looked after.

use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use crate::serialized;

/// That everything was looked after, as it is kept in the state bucket.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Sweep {
    /// In seconds since 1970.
    time: u64,
}

impl Sweep {
    /// Where it is kept.
    pub const KEY: &str = "health/last-sweep.json";

    /// One that came to its end at `time`.
    pub fn at(time: SystemTime) -> Self {
        let since = time.duration_since(SystemTime::UNIX_EPOCH);
        Self { time: since.map_or(0, |it| it.as_secs()) }
    }

    /// Reads what was kept; `None` when it is nothing of that kind.
    pub fn read(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// The text as it is kept.
    pub fn text(self) -> String {
        serialized::text(&self)
    }

    /// When it came to its end.
    pub fn time(self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(self.time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_read_back_to_the_second() {
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_234_567_890);
        let sweep = Sweep::at(time + Duration::from_millis(300));
        assert_eq!(Sweep::read(&sweep.text()), Some(sweep));
        assert_eq!(sweep.time(), time);
        assert_eq!(Sweep::read("yesterday"), None);
    }
}
