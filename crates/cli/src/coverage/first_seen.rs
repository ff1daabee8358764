//! The time at which each resource was first seen with its current tags, in a file of the operator.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use report::coverage::{FirstSeen, Resource, Tags};

use crate::CommandError;

/// The file and its content.
#[derive(Debug, Default)]
pub(super) struct Inventory {
    /// The path of the file, if the operator named one.
    file: Option<PathBuf>,
    seen: FirstSeen,
}

impl Inventory {
    /// Reads the file. If the file does not exist, no resource is known.
    pub(super) fn read(file: Option<&Path>) -> Result<Self, CommandError> {
        let Some(path) = file else { return Ok(Self::default()) };
        let name = || path.display().to_string();
        let seen = match fs::read(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => FirstSeen::default(),
            Err(source) => return Err(CommandError::Unreadable { file: name(), source }),
            Ok(text) => FirstSeen::read(&text)
                .map_err(|source| CommandError::NotInventory { file: name(), source })?,
        };
        Ok(Self { file: Some(path.to_owned()), seen })
    }

    /// Returns the known resources with their tags and the time.
    pub(super) fn seen(&self) -> BTreeMap<String, (Tags, SystemTime)> {
        self.seen.seen()
    }

    /// Records that a resource exists now, if there is a file.
    pub(super) fn note(&mut self, resource: &Resource, now: SystemTime) {
        if self.file.is_some() {
            self.seen.note(resource, now);
        }
    }

    /// Writes the file. It is first written under another name and then renamed, so that it is
    /// complete even if the program is interrupted.
    pub(super) fn write(&self) -> Result<(), CommandError> {
        let Some(file) = &self.file else { return Ok(()) };
        let unwritable =
            |source| CommandError::Unwritable { file: file.display().to_string(), source };
        let mut beside = file.clone().into_os_string();
        beside.push(".new");
        fs::write(&beside, self.seen.text())
            .and_then(|()| fs::rename(&beside, file))
            .map_err(unwritable)
    }
}
