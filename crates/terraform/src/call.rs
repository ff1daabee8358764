//! Finds the policies of modules in other folders, with the arguments of the blocks that call them.

use std::cell::Cell;
use std::collections::BTreeMap;

use hcl_edit::expr::Expression;
use hcl_edit::structure::Body;
use policy::{Node, json};

use crate::declared::{Values, attribute, attributes, span};
use crate::evaluate::{Scope, moved};
use crate::module::{Instance, Module, Search};
use crate::{FoundPolicies, FoundPolicy, Unknown};

/// The greatest depth to which modules may call each other.
const MOST_DEPTH: usize = 8;

/// The most calls that are evaluated for the files of one folder, where each instance counts.
const MOST_CALLS: usize = 200;

/// The attributes of a call that are no arguments.
pub(crate) const NO_ARGUMENTS: [&str; 6] =
    ["source", "version", "providers", "depends_on", "count", "for_each"];

/// The place of a module among the modules that call each other.
pub(crate) struct Place<'a> {
    /// Its folder, relative to that of the first module. It is empty for that one.
    pub(crate) folder: String,
    /// The module that calls it.
    caller: Option<&'a Place<'a>>,
    /// The number of calls that may still be evaluated.
    left: &'a Cell<usize>,
}

/// Calls `work` with the place of a module that nothing calls.
pub(crate) fn at_the_top<T>(work: impl FnOnce(&Place<'_>) -> T) -> T {
    let left = Cell::new(MOST_CALLS);
    work(&Place { folder: String::new(), caller: None, left: &left })
}

impl Place<'_> {
    fn callers(&self) -> impl Iterator<Item = &Place<'_>> {
        std::iter::successors(Some(self), |it| it.caller)
    }

    /// Returns the place of the module that `source` names.
    fn called<'a>(&'a self, source: &str) -> Result<Place<'a>, String> {
        let folder = joined(&self.folder, source);
        if self.callers().any(|it| it.folder == folder) {
            return Err("it calls itself".to_owned());
        }
        if self.callers().count() > MOST_DEPTH {
            return Err(format!("modules call each other to a depth of more than {MOST_DEPTH}"));
        }
        Ok(Place { folder, caller: Some(self), left: self.left })
    }

    /// Counts one call.
    fn charge(&self) -> Result<(), String> {
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

impl Search<'_> {
    /// Adds the policies that the module of a call makes of its arguments, if it is in a folder.
    /// They are reported at the call. Policies that do not depend on the arguments are left out,
    /// and so are those that are `passed` to it.
    pub(crate) fn descend(
        &self,
        address: &str,
        body: &Body,
        passed: &[FoundPolicy],
        found: &mut FoundPolicies,
    ) {
        let Some(Expression::String(source)) = attribute(body, "source") else { return };
        let (source, at) = (source.value(), attribute(body, "source").map(span));
        if !source.starts_with("./") && !source.starts_with("../") {
            return;
        }
        let at = at.unwrap_or_default();
        let not_evaluated = |why| {
            let why = format!("the module `{source}` is not evaluated: {why}");
            Unknown { path: format!("{address}/source"), span: at, why }
        };
        let called = self.place.called(source);
        let read = called.and_then(|place| {
            place.charge()?;
            let folder = if place.folder.is_empty() { "." } else { &place.folder };
            Ok((self.files.module(folder)?, place))
        });
        let (sources, place) = match read {
            Ok(read) => read,
            Err(why) => return found.unknown.push(not_evaluated(why)),
        };
        let module = Module::read(&sources);
        let alone = together(module.policies_with(Values::default(), self.files, &place));
        let passed: Vec<_> = passed.iter().map(|it| document(&it.content)).collect();
        for Instance { index, names } in self.instances(body) {
            if let Err(why) = place.charge() {
                return found.unknown.push(not_evaluated(why));
            }
            let scope = Scope::of(self.home, names);
            let arguments = attributes(body).filter(|it| !NO_ARGUMENTS.contains(&it.0));
            let known: BTreeMap<_, _> = arguments
                .map(|(name, it)| (name.to_owned(), self.evaluator().evaluate(it, name, &scope)))
                .collect();
            let values = Values { known, ..Values::default() };
            let FoundPolicies { policies, unknown } =
                together(module.policies_with(values, self.files, &place));
            let address = format!("{address}{index}");
            for it in policies {
                if alone.policies.contains(&it) || passed.contains(&document(&it.content)) {
                    continue;
                }
                let (path, content) = (format!("{address}.{}", it.path), moved(it.content, at));
                found.policies.push(FoundPolicy { path, content, ..it });
            }
            for Unknown { path, why, .. } in unknown {
                let is_alike = |it: &Unknown| (&it.path, &it.why) == (&path, &why);
                if !alone.unknown.iter().any(is_alike) {
                    let path = format!("{address}.{path}");
                    found.unknown.push(Unknown { path, span: at, why });
                }
            }
        }
    }
}

/// Returns everything that was found in the files of a module. A file that cannot be read is
/// reported where it stands.
fn together<E>(all: Vec<Result<FoundPolicies, E>>) -> FoundPolicies {
    let mut found = FoundPolicies::default();
    for it in all.into_iter().flatten() {
        found.policies.extend(it.policies);
        found.unknown.extend(it.unknown);
    }
    found
}

/// Returns the document of a policy, whether it is a string or not.
fn document(content: &Node) -> String {
    let text = content.scalar().and_then(|it| json::read(it).0);
    text.as_ref().unwrap_or(content).to_json()
}
