//! The places of modules in other folders, among the modules that call each other.

use std::cell::Cell;

/// The greatest depth to which modules may call each other.
const MOST_DEPTH: usize = 8;

/// The most calls that are evaluated for the files of one folder, where each instance counts.
const MOST_CALLS: usize = 200;

/// The attributes of a call that are no arguments.
pub(crate) const NO_ARGUMENTS: [&str; 6] =
    ["source", "version", "providers", "depends_on", "count", "for_each"];

/// The place of a module among the modules that call each other.
pub(crate) struct CallPlace<'a> {
    /// Its folder, relative to that of the first module. It is empty for that one.
    pub(crate) folder: String,
    /// The module that calls it.
    caller: Option<&'a CallPlace<'a>>,
    /// The number of calls that may still be evaluated.
    left: &'a Cell<usize>,
}

/// Calls `work` with the place of a module that nothing calls.
pub(crate) fn at_the_top<T>(work: impl FnOnce(&CallPlace<'_>) -> T) -> T {
    let left = Cell::new(MOST_CALLS);
    work(&CallPlace { folder: String::new(), caller: None, left: &left })
}

impl CallPlace<'_> {
    fn callers(&self) -> impl Iterator<Item = &CallPlace<'_>> {
        std::iter::successors(Some(self), |it| it.caller)
    }

    /// Returns the place of the module that `source` names.
    pub(crate) fn called<'a>(&'a self, source: &str) -> Result<CallPlace<'a>, String> {
        let folder = joined(&self.folder, source);
        if self.callers().any(|it| it.folder == folder) {
            return Err("it calls itself".to_owned());
        }
        if self.callers().count() > MOST_DEPTH {
            return Err(format!("modules call each other to a depth of more than {MOST_DEPTH}"));
        }
        Ok(CallPlace { folder, caller: Some(self), left: self.left })
    }

    /// Counts one call.
    pub(crate) fn charge(&self) -> Result<(), String> {
        let left = self.left.get().checked_sub(1);
        self.left.set(left.ok_or_else(|| format!("there are more than {MOST_CALLS} calls"))?);
        Ok(())
    }
}

/// Returns the path of `source` in `folder`, without `.`, and without `..` after another name.
fn joined(folder: &str, source: &str) -> String {
    let mut names = Vec::new();
    for name in folder.split('/').chain(source.split('/')) {
        match name {
            "" | "." => {}
            ".." if names.last().is_some_and(|it| *it != "..") => drop(names.pop()),
            name => names.push(name),
        }
    }
    names.join("/")
}
