//! Documents as they are stored: JSON with the number of a format, and the program that wrote it.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The format that this program writes. A reader of one format refuses higher ones.
pub(super) const FORMAT: u32 = 1;

/// The reason why a stored document is of no use.
#[derive(Debug, Error)]
pub enum Illegible {
    /// A newer program wrote it.
    #[error("written by a newer program ({0}): use that or a newer one")]
    Newer(String),
    /// It is not a document, or only a part of one.
    #[error("it is not a complete document of a sweep")]
    Broken(#[source] serde_json::Error),
}

impl Illegible {
    /// The next step.
    pub const HINT: &str = "use the program that wrote it, or wait for the next sweep";
}

/// The keys that every document has.
#[derive(Deserialize)]
struct Head {
    format: u32,
    #[serde(default)]
    program: String,
}

#[derive(Serialize)]
struct Written<'a, T> {
    format: u32,
    #[serde(flatten)]
    it: &'a T,
}

/// Returns the text that is stored.
pub(super) fn text(it: &impl Serialize) -> String {
    media::json::compact(&Written { format: FORMAT, it })
}

/// Reads a stored text.
pub(super) fn read<T: DeserializeOwned>(text: &str) -> Result<T, Illegible> {
    let Head { format, program } = serde_json::from_str(text).map_err(Illegible::Broken)?;
    if format > FORMAT {
        return Err(Illegible::Newer(program));
    }
    serde_json::from_str(text).map_err(Illegible::Broken)
}

/// Times as whole seconds since the epoch.
pub(super) mod moment {
    use std::time::{Duration, SystemTime};

    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    /// The last second of the year 9999, after which times have no name.
    const LAST: u64 = 253_402_300_799;

    pub(in crate::history) fn seconds(at: SystemTime) -> u64 {
        at.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |it| it.as_secs()).min(LAST)
    }

    fn at<E: Error>(seconds: u64) -> Result<SystemTime, E> {
        if seconds > LAST {
            return Err(E::custom("a time is after the year 9999"));
        }
        Ok(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
    }

    pub(in crate::history) fn serialize<S: Serializer>(
        it: &SystemTime,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.serialize_u64(seconds(*it))
    }

    pub(in crate::history) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<SystemTime, D::Error> {
        at(u64::deserialize(from)?)
    }

    /// The same for times that may be absent.
    pub(in crate::history) mod optional {
        use std::time::SystemTime;

        use serde::{Deserialize, Deserializer, Serializer};

        #[expect(clippy::ref_option, reason = "serde passes a field by reference")]
        pub(in crate::history) fn serialize<S: Serializer>(
            it: &Option<SystemTime>,
            to: S,
        ) -> Result<S::Ok, S::Error> {
            match it {
                Some(it) => to.serialize_some(&super::seconds(*it)),
                None => to.serialize_none(),
            }
        }

        pub(in crate::history) fn deserialize<'de, D: Deserializer<'de>>(
            from: D,
        ) -> Result<Option<SystemTime>, D::Error> {
            Option::<u64>::deserialize(from)?.map(super::at).transpose()
        }
    }
}

/// Maps whose keys are no strings, as lists of pairs.
pub(super) mod pairs {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(in crate::history) fn serialize<K: Serialize, V: Serialize, S: Serializer>(
        it: &BTreeMap<K, V>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.collect_seq(it)
    }

    pub(in crate::history) fn deserialize<'de, K, V, D>(from: D) -> Result<BTreeMap<K, V>, D::Error>
    where
        K: Deserialize<'de> + Ord,
        V: Deserialize<'de>,
        D: Deserializer<'de>,
    {
        Ok(Vec::<(K, V)>::deserialize(from)?.into_iter().collect())
    }
}
