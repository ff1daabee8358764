//! The time at which each resource was first seen with its current tags, in a file of the operator.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use report::coverage::{Resource, Tags};
use serde::{Deserialize, Serialize};

use crate::CommandError;

/// The content of the file: resources by ARN.
#[derive(Debug, Default)]
pub(super) struct FirstSeen {
    /// The path of the file, if the operator named one.
    file: Option<PathBuf>,
    entries: BTreeMap<String, Entry>,
}

/// The content of the file about one resource.
#[derive(Debug, Deserialize, Serialize)]
struct Entry {
    /// The tags of the resource.
    tags: Tags,
    /// The time at which the resource was first seen with these tags, in seconds since the epoch.
    since: u64,
}

impl FirstSeen {
    /// Reads the file. If the file does not exist, no resource is known.
    pub(super) fn read(file: Option<&Path>) -> Result<Self, CommandError> {
        let Some(path) = file else { return Ok(Self::default()) };
        let name = || path.display().to_string();
        let entries = match fs::read(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => BTreeMap::new(),
            Err(source) => return Err(CommandError::Unreadable { file: name(), source }),
            Ok(text) => serde_json::from_slice(&text)
                .map_err(|source| CommandError::NotInventory { file: name(), source })?,
        };
        Ok(Self { file: Some(path.to_owned()), entries })
    }

    /// Returns the known resources with their tags and the time.
    pub(super) fn seen(&self) -> BTreeMap<String, (Tags, SystemTime)> {
        let at = |since| SystemTime::UNIX_EPOCH + Duration::from_secs(since);
        let entries = self.entries.iter();
        entries.map(|(arn, it)| (arn.clone(), (it.tags.clone(), at(it.since)))).collect()
    }

    /// Records that a resource exists now. If its tags are not known, its entry stays as it is.
    pub(super) fn note(&mut self, resource: &Resource, now: SystemTime) {
        let (Some(_), Some(tags)) = (&self.file, &resource.tags) else { return };
        if self.entries.get(&resource.arn).is_none_or(|it| it.tags != *tags) {
            let since = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
            let entry = Entry { tags: tags.clone(), since };
            self.entries.insert(resource.arn.clone(), entry);
        }
    }

    /// Writes the file. It is first written under another name and then renamed, so that it is
    /// complete even if the program is interrupted.
    pub(super) fn write(&self) -> Result<(), CommandError> {
        let Some(file) = &self.file else { return Ok(()) };
        let unwritable =
            |source| CommandError::Unwritable { file: file.display().to_string(), source };
        let text = serde_json::to_vec(&self.entries).map_err(|it| unwritable(it.into()))?;
        let mut beside = file.clone().into_os_string();
        beside.push(".new");
        fs::write(&beside, text).and_then(|()| fs::rename(&beside, file)).map_err(unwritable)
    }
}
