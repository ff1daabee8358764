//! Reads the files of a folder, and finds the policies in them.

use std::collections::BTreeMap;
use std::rc::Rc;

use hcl_edit::expr::Expression;
use hcl_edit::structure::Body;
use policy::{BACKUP_POLICY, Node, Value, is_policy_like, json};

use crate::call::{CallPlace, NO_ARGUMENTS, at_the_top};
use crate::declared::{Declared, Values, attribute, attributes, blocks, span};
use crate::evaluate::{Evaluator, Names, Scope, moved};
use crate::parse::parse;
use crate::values;
use crate::ways::{MOST_WAYS, Way};
use crate::{Files, FoundPolicies, FoundPolicy, RESOURCES, SourceFile, Unknown, Unreadable};

/// The most instances of `count` for which a resource is evaluated.
const MOST_INSTANCES: usize = 20;

/// The parsed files of a folder.
pub(crate) struct Module {
    files: Vec<Result<Body, Unreadable>>,
}

/// One of the resources or modules that a block makes.
struct Instance {
    /// The end of its address, such as `[0]`.
    index: String,
    names: Names,
}

impl Module {
    /// Parses each file.
    pub(crate) fn read(sources: &[SourceFile]) -> Self {
        Self { files: sources.iter().map(|it| parse(&it.text)).collect() }
    }

    /// Returns the policies of each file, with each choice of values for variables.
    pub(crate) fn policies(
        &self,
        values: &[SourceFile],
        files: &(dyn Files + Sync),
    ) -> Vec<Result<FoundPolicies, Unreadable>> {
        at_the_top(|place| self.policies_at(place, values, files))
    }

    fn policies_at(
        &self,
        place: &CallPlace<'_>,
        values: &[SourceFile],
        files: &(dyn Files + Sync),
    ) -> Vec<Result<FoundPolicies, Unreadable>> {
        let mut choices = values::choices(values, files).into_iter();
        let mut all = self.policies_with(choices.next().unwrap_or_default(), files, place);
        for (index, values) in choices.enumerate() {
            let others = self.policies_with(values, files, place);
            for (found, other) in all.iter_mut().zip(others) {
                let (Ok(found), Ok(other)) = (found, other) else { continue };
                // Without such a file, Terraform would ask for what is not known.
                if index == 0 && !found.unknown.is_empty() {
                    *found = FoundPolicies::default();
                }
                found.add(other);
            }
        }
        all
    }

    /// Returns the policies of each file, with these values of variables.
    fn policies_with(
        &self,
        values: Values,
        files: &(dyn Files + Sync),
        place: &CallPlace<'_>,
    ) -> Vec<Result<FoundPolicies, Unreadable>> {
        let name = values.name.clone();
        let declared = Declared::of(&self.files, values, &place.folder);
        let all = self.files.iter().enumerate().map(|(home, body)| {
            let body = body.as_ref().map_err(Clone::clone)?;
            let mut found = FoundPolicies::default();
            let look = Search { declared: &declared, files, home, place };
            for (kind, labels, body) in blocks(body) {
                match (kind, labels.as_slice()) {
                    ("resource", [kind, name]) if RESOURCES.contains(kind) => {
                        look.resource(&format!("{kind}.{name}"), body, &mut found);
                    }
                    ("module", [name]) => look.call(&format!("module.{name}"), body, &mut found),
                    _ => {}
                }
            }
            for it in &mut found.policies {
                it.values.clone_from(&name);
            }
            Ok(found)
        });
        all.collect()
    }
}

impl FoundPolicies {
    /// Adds what was found with other values of variables or on another way through conditions.
    fn add(&mut self, other: Self) {
        let Self { policies, unknown } = other;
        for it in policies {
            let is_same =
                |known: &FoundPolicy| known.path == it.path && known.content == it.content;
            if !self.policies.iter().any(is_same) {
                self.policies.push(it);
            }
        }
        for it in unknown {
            if !self.unknown.contains(&it) {
                self.unknown.push(it);
            }
        }
    }
}

/// Looks for policies in one file.
struct Search<'a> {
    declared: &'a Declared<'a>,
    files: &'a (dyn Files + Sync),
    /// The index of the file.
    home: usize,
    place: &'a CallPlace<'a>,
}

impl Search<'_> {
    fn evaluator(&self) -> Evaluator<'_> {
        Evaluator::new(self.declared, self.files, self.home)
    }

    /// Adds the policies that a resource makes, if they are or may be backup policies.
    fn resource(&self, address: &str, body: &Body, found: &mut FoundPolicies) {
        for Instance { index, names } in self.instances(body) {
            let address = format!("{address}{index}");
            let scope = Scope::of(self.home, names);
            let kind = attribute(body, "type")
                .map(|it| self.evaluator().evaluate(it, &format!("{address}/type"), &scope));
            let is_backup = match kind.as_ref().map(|it| (&it.value, it.scalar())) {
                // The provider's default is a service control policy.
                None => Some(false),
                Some((_, Some(kind))) if !kind.contains("${") => Some(kind == BACKUP_POLICY),
                Some(_) => None,
            };
            let content = attribute(body, "content");
            let (Some(content), Some(true) | None) = (content, is_backup) else { continue };
            let path = format!("{address}/content");
            let mut all = FoundPolicies::default();
            self.each_way(content, &path, &scope, |node, unknown| {
                // If a variable decides the type of the policy, its content may show the type.
                let may_be = node.value == Value::Unknown || is_like(&node) || !unknown.is_empty();
                if is_backup.is_none() && !may_be {
                    return;
                }
                let is_open = !unknown.is_empty();
                let mut policies = Vec::new();
                if node.value != Value::Unknown {
                    let path = path.clone();
                    policies.push(FoundPolicy { path, content: node, is_open, values: None });
                }
                all.add(FoundPolicies { policies, unknown });
            });
            found.policies.extend(all.policies);
            found.unknown.extend(all.unknown);
        }
    }

    /// Evaluates an expression on each way through conditions that are not known, and gives the
    /// values to `take`, with what is not known of them.
    fn each_way(
        &self,
        expression: &Expression,
        path: &str,
        scope: &Scope,
        mut take: impl FnMut(Node, Vec<Unknown>),
    ) {
        let mut next = vec![Way::default()];
        let mut gone = 0;
        while let Some(way) = next.pop() {
            gone += 1;
            let mut evaluator = self.evaluator().along(way);
            if gone > MOST_WAYS {
                let why = format!("it has more than {MOST_WAYS} ways through its conditions");
                let node = evaluator.unknown(path, span(expression), why);
                return take(node, evaluator.into_unknown());
            }
            let node = evaluator.evaluate(expression, path, scope);
            next.extend(evaluator.other_ways());
            take(node, evaluator.into_unknown());
        }
    }

    /// Adds the policies that are passed to a module, and those that it makes of its arguments.
    fn call(&self, address: &str, body: &Body, found: &mut FoundPolicies) {
        let scope = Scope::of(self.home, Vec::new());
        let before = found.policies.len();
        for (name, expression) in attributes(body) {
            if NO_ARGUMENTS.contains(&name) {
                continue;
            }
            let path = format!("{address}/{name}");
            let mut all = FoundPolicies::default();
            self.each_way(expression, &path, &scope, |node, unknown| {
                let mut policies = Vec::new();
                collect(&node, &path, &mut policies);
                for (path, content) in policies {
                    let within = |it: &&Unknown| {
                        let inside = it.path.strip_prefix(&path);
                        inside.is_some_and(|it| it.is_empty() || it.starts_with('/'))
                    };
                    let unknown: Vec<_> = unknown.iter().filter(within).cloned().collect();
                    let is_open = !unknown.is_empty();
                    let policies = vec![FoundPolicy { path, content, is_open, values: None }];
                    all.add(FoundPolicies { policies, unknown });
                }
            });
            found.policies.extend(all.policies);
            found.unknown.extend(all.unknown);
        }
        let passed = found.policies.get(before..).unwrap_or_default().to_vec();
        self.descend(address, body, &passed, found);
    }

    /// Returns the instances of a block: one, or one for each value of `for_each` or `count`.
    fn instances(&self, body: &Body) -> Vec<Instance> {
        let scope = Scope::of(self.home, Vec::new());
        let of = |name: &str| {
            let expression = attribute(body, name)?;
            let value = self.evaluator().evaluate(expression, name, &scope);
            Some((value, span(expression)))
        };
        let text = |text: &str, span| Node { span, value: Value::Text(text.to_owned()) };
        let each = |key: &str, value: Node, span| Instance {
            index: format!("[\"{key}\"]"),
            names: vec![
                ("each.key".to_owned(), Rc::new(text(key, span))),
                ("each.value".to_owned(), Rc::new(value)),
            ],
        };
        if let Some((value, span)) = of("for_each") {
            let instances: Vec<_> = match &value.value {
                Value::Object(all) => {
                    all.iter().map(|it| each(&it.key, it.value.clone(), span)).collect()
                }
                Value::Array(all) => {
                    all.iter().filter_map(|it| Some(each(it.scalar()?, it.clone(), span))).collect()
                }
                Value::Unknown
                | Value::Null
                | Value::Bool(_)
                | Value::Number(_)
                | Value::Text(_) => Vec::new(),
            };
            if !instances.is_empty() {
                return instances;
            }
        }
        if let Some((value, span)) = of("count") {
            let count = value.scalar().and_then(|it| it.parse().ok()).unwrap_or(1);
            // A resource that a default switches off may be switched on, so it counts as one.
            let indexes = 0..usize::clamp(count, 1, MOST_INSTANCES);
            let instance = |index: usize| Instance {
                index: format!("[{index}]"),
                names: vec![(
                    "count.index".to_owned(),
                    Rc::new(Node { span, value: Value::Number(index.to_string()) }),
                )],
            };
            return indexes.map(instance).collect();
        }
        vec![Instance { index: String::new(), names: Vec::new() }]
    }
}

impl Search<'_> {
    /// Adds the policies that the module of a call makes of its arguments, if it is in a folder.
    /// They are reported at the call. Policies that do not depend on the arguments are left out,
    /// and so are those that are `passed` to it.
    fn descend(
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

/// Returns `true` if a value, or the JSON text in it, is meant to be a backup policy with a plan.
fn is_like(node: &Node) -> bool {
    let has_plans = |it: &Node| {
        let is_empty = it.get("plans").and_then(Node::members).is_some_and(<[_]>::is_empty);
        is_policy_like(it) && !is_empty
    };
    match node.scalar() {
        Some(text) if text.contains("plans") => {
            text.contains("${") || json::read(text).0.is_some_and(|it| has_plans(&it))
        }
        Some(_) => false,
        None => has_plans(node),
    }
}

/// Collects the policies at any depth of a value.
fn collect(node: &Node, path: &str, found: &mut Vec<(String, Node)>) {
    if is_like(node) {
        found.push((path.to_owned(), node.clone()));
        return;
    }
    match &node.value {
        Value::Object(members) => {
            for it in members {
                collect(&it.value, &format!("{path}/{}", it.key), found);
            }
        }
        Value::Array(items) => {
            for (index, it) in items.iter().enumerate() {
                collect(it, &format!("{path}/{index}"), found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Unknown => {}
    }
}
