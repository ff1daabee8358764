//! Finds the backup policies inside a CloudFormation template.

use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

use plan::resource::ResourceKind;
use policy::partition::Partition;
use policy::{
    BACKUP_POLICY, Code, Finding, Member, Node, Severity, Span, Value, incomplete,
    inspect_fragment, is_policy_like, json, white_space,
};
use template::{
    Choices, Environment, Evaluator, Given, LANGUAGE_EXTENSIONS, Notes, Syntax, Unknown, expand,
    is_dynamic, is_function, is_template, section, transforms,
};

use crate::checked::{Checked, finding};
use crate::recognition::{is_custom, named};

/// The resource type of a policy of AWS Organizations in CloudFormation.
const NATIVE: &str = "AWS::Organizations::Policy";

/// The resource type of a stack set, whose template is deployed in other accounts.
const STACK_SET: &str = "AWS::CloudFormation::StackSet";

/// The property of a stack set that has its template.
const BODY: &str = "TemplateBody";

/// The key of the plans in a backup policy.
const PLANS: &str = "plans";

/// The most combinations of conditions and mappings that are evaluated for one resource.
const MOST_WAYS: usize = 200;

/// Checks the backup policies in a template, and reports the parts that could not be checked.
pub(crate) fn check(template: &Node, given: &Given, text: &str, now: SystemTime) -> Checked {
    check_within(template, given, text, now, false)
}

/// Does the same for a template that may be inside another one.
fn check_within(
    template: &Node,
    given: &Given,
    text: &str,
    now: SystemTime,
    is_inner: bool,
) -> Checked {
    let template = expand(template, given);
    let (anywhere, checked) = (Anywhere::of(text), Checked::default());
    let mut check = TemplateCheck { template: &template, given, anywhere, now, is_inner, checked };
    for name in transforms(&template).iter().filter(|it| *it != LANGUAGE_EXTENSIONS) {
        let span = template.member("Transform").map_or(template.span, |it| it.span);
        let why = format!("CloudFormation carries out `{name}`, which may add or change policies");
        check.checked.not_checked("Transform", span, &why);
    }
    check.resources(section(&template, "Resources"), "Resources");
    check.checked
}

/// The check of a template, and its findings so far.
struct TemplateCheck<'a> {
    template: &'a Node,
    given: &'a Given,
    anywhere: Anywhere,
    now: SystemTime,
    /// True if the template is that of a stack set.
    is_inner: bool,
    checked: Checked,
}

/// A resource that may be or hold a policy.
struct TemplateResource<'a> {
    /// Its type.
    kind: Option<&'a str>,
    properties: &'a Node,
    /// The path of its properties.
    path: String,
}

/// The result of one combination of choices in a template.
#[derive(Default)]
struct Way {
    /// The policies, each with the keys that lead to it.
    policies: Vec<(String, Node)>,
    /// The places whose unknown values are reported.
    told: Vec<String>,
    /// True if the resource is a backup policy and has none.
    is_without_content: bool,
    /// True if a function of somebody's makes the resource, perhaps of `plans` from elsewhere.
    is_custom: bool,
}

impl TemplateCheck<'_> {
    fn resources(&mut self, resources: &[Member], path: &str) {
        for Member { key, span, value: resource } in resources {
            let path = format!("{path}/{key}");
            if is_function(key) {
                self.checked.not_checked(
                    &path,
                    *span,
                    &format!("CloudFormation carries out `{key}`"),
                );
                // The body of a loop is in the template, even if the result of the loop is not
                // known.
                if let Value::Array(arguments) = &resource.value
                    && let Some(body) = arguments.last().and_then(Node::members)
                {
                    self.resources(body, &path);
                }
                continue;
            }
            let Some(properties) = resource.member("Properties") else { continue };
            let kind = resource.member("Type").and_then(Node::scalar);
            let path = format!("{path}/Properties");
            self.resource(&TemplateResource { kind, properties, path });
        }
    }

    /// Checks a resource with every combination of conditions and mappings.
    fn resource(&mut self, resource: &TemplateResource<'_>) {
        if let Some(url) = resource.properties.member("ContentUrl").filter(|_| resource.is_ours()) {
            let path = format!("{}/ContentUrl", resource.path);
            self.checked.not_checked(&path, url.span, "the policy is read at deployment");
        }
        let mut seen = BTreeSet::new();
        let mut places = BTreeSet::new();
        let (mut templates, mut inner_places) = (BTreeSet::new(), Vec::new());
        let mut next = vec![Choices::default()];
        let mut gone = 0;
        let mut met = BTreeSet::new();
        while let Some(choices) = next.pop() {
            gone += 1;
            if gone > MOST_WAYS {
                let why = format!("it has more than {MOST_WAYS} conditions and values of mappings");
                self.checked.not_checked(&resource.path, resource.properties.span, &why);
                break;
            }
            let evaluator =
                Evaluator::new(self.template, self.given, &self.anywhere).along(choices);
            let mut way = resource.way(&evaluator);
            let inner = self.inner(resource, &evaluator, &mut templates, &mut way);
            next.extend(evaluator.choices().others(&mut met));
            let Notes { unknown, .. } = evaluator.into_notes();
            let mut found = Vec::new();
            if way.is_without_content {
                let why = "it has no `Content`, and every policy needs one";
                found.push(finding(
                    Severity::Error,
                    Code::MissingKey,
                    &resource.path,
                    resource.properties.span,
                    why,
                ));
            }
            for (path, policy) in &way.policies {
                found.extend(self.policy(resource, policy, path));
                if places.insert(path.clone()) {
                    self.checked.add(policy.span, []);
                }
            }
            for place in inner.places {
                // Another way through the conditions has the same policies.
                if !inner_places.contains(&place) {
                    inner_places.push(place);
                    self.checked.add(place, []);
                }
            }
            found.extend(inner.findings);
            let is_told = |it: &&Unknown| way.told.iter().any(|told| is_within(&it.path, told));
            for Unknown { path, why } in unknown.iter().filter(is_told) {
                let mut open = Checked::default();
                open.not_checked(path, span_of(self.template, path), why);
                found.extend(open.findings);
            }
            for it in found {
                if seen.insert((it.code, it.span, it.path.clone(), it.message.clone())) {
                    self.checked.findings.push(it);
                }
            }
        }
    }

    /// Returns what is in the template of a stack set. `known` has the templates that were checked.
    fn inner(
        &self,
        resource: &TemplateResource<'_>,
        evaluator: &Evaluator<'_>,
        known: &mut BTreeSet<String>,
        way: &mut Way,
    ) -> Checked {
        let mut checked = Checked::default();
        let body = resource.properties.member(BODY).filter(|_| resource.is_stack_set());
        let Some(body) = body else { return checked };
        let path = format!("{}/{BODY}", resource.path);
        let Some(drafted) = evaluator.draft(body, &path) else { return checked };
        let (template, span) = match drafted.scalar() {
            Some(text) => match template::read(text, Syntax::Yaml) {
                (Some(template), _) => (template, Some(drafted.span)),
                (None, findings) if text.contains("plans") => {
                    let why = findings.into_iter().next().map(|it| it.message).unwrap_or_default();
                    checked.not_checked(&path, drafted.span, &format!("it is no template: {why}"));
                    return checked;
                }
                (None, _) => return checked,
            },
            None => (drafted, None),
        };
        let given = Given::from(resource.arguments(evaluator));
        let text = template.to_json();
        if !is_template(&template) || !known.insert(format!("{given:?} {text}")) {
            return checked;
        }
        if self.is_inner {
            let why = "it is a template inside a template inside a template";
            checked.not_checked(&path, span.unwrap_or(template.span), why);
            return checked;
        }
        let Checked { findings, places, policies } =
            check_within(&template, &given, &text, self.now, true);
        for it in section(&template, "Resources") {
            let kind = it.value.member("Type").and_then(Node::scalar);
            let properties = it.value.member("Properties");
            if kind.is_some_and(|it| it == NATIVE || is_backup_policy(it, properties)) {
                way.told.push(format!("{path}/Resources/{}/Properties", it.key));
            }
        }
        let mut findings = prefixed(findings, &path);
        // Places in a string are shown only as a whole.
        for it in &mut findings {
            it.span = span.unwrap_or(it.span);
        }
        let places = places.into_iter().map(|it| span.unwrap_or(it)).collect();
        Checked { findings, policies, places }
    }

    /// Returns the findings about one policy.
    fn policy(&self, resource: &TemplateResource<'_>, policy: &Node, path: &str) -> Vec<Finding> {
        let mut findings = match &policy.value {
            Value::Text(text) => in_open_text(text, policy.span, path, self.now),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::Array(_)
            | Value::Object(_)
            | Value::Unknown => {
                let document = without_loops(policy.clone());
                let mut findings = inspect_fragment(&document, self.now);
                if document == *policy {
                    findings.extend(incomplete(&[&document], self.now).into_iter().map(|it| it.1));
                }
                prefixed(findings, path)
            }
        };
        // A function leaves variables in the text that it does not know, and custom resources may
        // replace others.
        let is_literal = resource.content().is_some_and(Node::is_scalar);
        let is_replaced = !resource.is_native() || (policy.scalar().is_some() && !is_literal);
        findings.retain(|it| it.code != Code::Variable || !is_replaced);
        findings
    }
}

impl TemplateResource<'_> {
    fn is_ours(&self) -> bool {
        self.kind.is_some_and(|it| is_backup_policy(it, Some(self.properties)))
    }

    fn is_stack_set(&self) -> bool {
        self.kind == Some(STACK_SET)
    }

    /// Returns the values of the parameters that a stack set has, as far as they are known.
    fn arguments(&self, evaluator: &Evaluator<'_>) -> BTreeMap<String, String> {
        let all = self.properties.member("Parameters");
        let all = all.and_then(|it| evaluator.evaluate(it, &format!("{}/Parameters", self.path)));
        let Some(Node { value: Value::Array(all), .. }) = all else { return BTreeMap::new() };
        let text = |it: &Node, name| it.member(name)?.scalar().map(ToOwned::to_owned);
        let pair = |it: &Node| Some((text(it, "ParameterKey")?, text(it, "ParameterValue")?));
        all.iter().filter_map(pair).collect()
    }

    fn is_native(&self) -> bool {
        self.kind == Some(NATIVE)
    }

    fn content(&self) -> Option<&Node> {
        self.properties.member("Content")
    }

    /// Returns the policies of the resource, with the choices of `evaluator`.
    fn way(&self, evaluator: &Evaluator<'_>) -> Way {
        if self.is_ours() || self.is_native() {
            self.declared(evaluator)
        } else {
            self.others(evaluator)
        }
    }

    /// Returns the policy of a resource that is one.
    fn declared(&self, evaluator: &Evaluator<'_>) -> Way {
        let mut way = Way::default();
        let kind = self.properties.member("Type").filter(|_| self.is_native());
        let kind = kind.and_then(|it| evaluator.evaluate(it, &format!("{}/Type", self.path)));
        let is_backup = match kind.as_ref().map(|it| it.scalar()) {
            _ if self.is_ours() => Some(true),
            Some(Some(kind)) => Some(kind == BACKUP_POLICY),
            Some(None) | None => None,
        };
        if is_backup == Some(false) {
            return way;
        }
        let Some(content) = self.content() else {
            way.is_without_content = is_backup == Some(true) && self.has_no_content();
            return way;
        };
        let path = format!("{}/Content", self.path);
        let Some(mut policy) = evaluator.draft(content, &path) else { return way };
        if self.is_ours() {
            policy = self.with_variables(policy, evaluator, &mut way);
        }
        // If a parameter decides the type of the policy, its content may show the type.
        if is_backup.is_none() && !is_like(&policy) && policy.value != Value::Unknown {
            if mentions_plans(&policy) {
                way.told.push(format!("{}/Type", self.path));
            }
            return way;
        }
        way.told.push(path.clone());
        if policy.value != Value::Unknown {
            way.policies.push((path, policy));
        }
        way
    }

    /// Returns the policies anywhere in a resource of another type, which may make policies of
    /// them.
    fn others(&self, evaluator: &Evaluator<'_>) -> Way {
        let is_custom = self.kind.is_some_and(is_custom);
        let mut way = Way { is_custom, ..Way::default() };
        if self.is_stack_set() {
            let own = self.properties.members().unwrap_or_default().iter();
            for it in own.filter(|it| it.key != BODY) {
                way.search(&it.value, &format!("{}/{}", self.path, it.key), evaluator);
            }
            return way;
        }
        let members = self.properties.members().unwrap_or_default();
        let (plans, rest): (Vec<_>, Vec<_>) =
            members.iter().cloned().partition(|it| it.key == PLANS);
        if plans.is_empty() {
            way.search(self.properties, &self.path, evaluator);
        } else {
            // The properties hold a policy beside what only the custom resource needs.
            let document = |it| Node { span: self.properties.span, value: Value::Object(it) };
            way.search(&document(plans), &self.path, evaluator);
            way.search(&document(rest), &self.path, evaluator);
        }
        way
    }

    /// Returns `true` if the properties have no policy, and none can come from elsewhere.
    fn has_no_content(&self) -> bool {
        let members = self.properties.members().unwrap_or_default();
        members.iter().all(|it| it.key != "ContentUrl" && !is_function(&it.key))
    }

    /// Returns the policy with the values of `Variables` in it, as far as they are known.
    fn with_variables(&self, policy: Node, evaluator: &Evaluator<'_>, way: &mut Way) -> Node {
        let Some(variables) = self.properties.member("Variables") else { return policy };
        let path = format!("{}/Variables", self.path);
        let values = evaluator.evaluate(variables, &path);
        way.told.push(path);
        let members = values.as_ref().and_then(Node::members).unwrap_or_default();
        let values = members.iter().map(|it| (it.key.as_str(), &it.value)).collect();
        filled(policy, &values)
    }
}

/// Returns the document with the values of variables in it.
fn filled(node: Node, variables: &BTreeMap<&str, &Node>) -> Node {
    let text = |text: String| {
        variables.iter().fold(text, |text, (name, value)| match value.scalar() {
            Some(value) => text.replace(&format!("${{{name}}}"), value),
            None => text,
        })
    };
    let value = match node.value {
        Value::Text(it) => {
            let whole = it.strip_prefix("${").and_then(|it| it.strip_suffix('}'));
            match whole.and_then(|it| variables.get(it)) {
                Some(it) => it.value.clone(),
                None => Value::Text(text(it)),
            }
        }
        Value::Array(items) => {
            Value::Array(items.into_iter().map(|it| filled(it, variables)).collect())
        }
        Value::Object(members) => {
            let member =
                |it: Member| Member { key: text(it.key), value: filled(it.value, variables), ..it };
            Value::Object(members.into_iter().map(member).collect())
        }
        scalar @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::Unknown) => scalar,
    };
    Node { span: node.span, value }
}

/// Returns `true` if a value, or the JSON text in it, is meant to be a backup policy.
fn is_like(node: &Node) -> bool {
    match node.scalar() {
        Some(text) if text.contains("plans") => {
            json::read(text).0.is_some_and(|it| is_policy_like(&it))
        }
        Some(_) => false,
        None => is_policy_like(node),
    }
}

/// Returns `true` if the type of a resource, or the function that serves it, is that of our own
/// backup policies.
fn is_backup_policy(resource_type: &str, properties: Option<&Node>) -> bool {
    named(resource_type, properties) == Some(ResourceKind::BackupPolicy)
}

/// Returns `true` if a value is the call of a function or a reference.
fn is_call(node: &Node) -> bool {
    matches!(node.members(), Some([Member { key, .. }]) if key == "Ref" || is_function(key))
}

/// Returns `true` if `plans` is anywhere in a value.
fn mentions_plans(node: &Node) -> bool {
    match &node.value {
        Value::Object(members) => members
            .iter()
            .any(|it| it.key.eq_ignore_ascii_case("plans") || mentions_plans(&it.value)),
        Value::Array(items) => items.iter().any(mentions_plans),
        Value::Text(text) => text.contains("plans"),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Unknown => false,
    }
}

/// Returns `true` if a value is meant to be a backup policy and has a plan. One without may be
/// anything.
fn has_plans(node: &Node) -> bool {
    let is_empty = node.get("plans").and_then(Node::members).is_some_and(<[Member]>::is_empty);
    is_like(node) && !is_empty
}

impl Way {
    /// Collects every value that is meant to be a backup policy, and every use of a function that may
    /// come to one.
    fn search(&mut self, node: &Node, path: &str, evaluator: &Evaluator<'_>) {
        let found =
            if is_call(node) || has_plans(node) { evaluator.draft(node, path) } else { None };
        if let Some(found) = found {
            let is_plans = self.is_custom && path.ends_with(&format!("/{PLANS}"));
            let is_open = match found.scalar() {
                Some(text) => text.contains("${") && text.contains("plans"),
                None => found.value == Value::Unknown && (is_plans || mentions_plans(node)),
            };
            if has_plans(&found) || is_open {
                self.told.push(path.to_owned());
            }
            if has_plans(&found) || (is_open && found.value != Value::Unknown) {
                self.policies.push((path.to_owned(), found));
            }
            return;
        }
        match &node.value {
            Value::Object(members) => {
                for it in members {
                    self.search(&it.value, &format!("{path}/{}", it.key), evaluator);
                }
            }
            Value::Array(items) => {
                for (at, it) in items.iter().enumerate() {
                    self.search(it, &format!("{path}/{at}"), evaluator);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Unknown => {}
        }
    }
}

/// Returns the findings about a policy that is a string. All of them are at `span`.
pub(crate) fn in_text(text: &str, span: Span, path: &str, now: SystemTime) -> Vec<Finding> {
    let judge = |it: &Node| {
        let mut findings = policy::inspect(it, now);
        findings.extend(white_space(text, it));
        findings
    };
    in_text_as(text, span, path, judge)
}

/// Does the same for a string in which values that are not known stand as `${…}` or as a dynamic
/// reference.
pub(crate) fn in_open_text(text: &str, span: Span, path: &str, now: SystemTime) -> Vec<Finding> {
    let findings = in_text(text, span, path, now);
    let is_open = text.contains("${") || is_dynamic(text);
    if !is_open || findings.iter().all(|it| it.code != Code::Syntax) {
        return findings;
    }
    let mut open = Checked::default();
    let why = "the text is not JSON without its unknown parts";
    open.not_checked(path, span, why);
    open.findings
}

/// Does the same with another judgment of the document.
pub(crate) fn in_text_as(
    text: &str,
    span: Span,
    path: &str,
    judge: impl FnOnce(&Node) -> Vec<Finding>,
) -> Vec<Finding> {
    let (document, mut findings) = json::read(text);
    findings.extend(document.as_ref().map(judge).unwrap_or_default());
    for finding in &mut findings {
        // The findings have places in the string, which is shown only as a whole.
        finding.span = span;
    }
    findings.sort_by_key(|it| it.severity != Severity::Error);
    prefixed(findings, path)
}

/// Returns the findings with `path` before their own.
pub(crate) fn prefixed(mut findings: Vec<Finding>, path: &str) -> Vec<Finding> {
    for finding in &mut findings {
        let separator = if finding.path.is_empty() { "" } else { "/" };
        finding.path = format!("{path}{separator}{}", finding.path);
    }
    findings
}

/// Returns the document without loops such as `Fn::ForEach::Name`, whose keys are not known.
fn without_loops(node: Node) -> Node {
    let value = match node.value {
        Value::Object(members) => {
            let members = members.into_iter().filter(|it| !is_function(&it.key));
            let member = |it: Member| Member { value: without_loops(it.value), ..it };
            Value::Object(members.map(member).collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(without_loops).collect()),
        scalar @ (Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::Text(_)
        | Value::Unknown) => scalar,
    };
    Node { span: node.span, value }
}

/// Returns `true` if a path is `outer` or below it.
fn is_within(path: &str, outer: &str) -> bool {
    path.strip_prefix(outer).is_some_and(|it| it.is_empty() || it.starts_with('/'))
}

/// Returns the place of the deepest value on the way to a path.
fn span_of(node: &Node, path: &str) -> Span {
    let below = match &node.value {
        Value::Object(members) => members.iter().find_map(|it| {
            let rest = path.strip_prefix(it.key.as_str())?;
            Some((&it.value, rest)).filter(|_| rest.is_empty() || rest.starts_with('/'))
        }),
        Value::Array(items) => {
            let index = path.split('/').next().unwrap_or_default();
            let item = index.parse().ok().and_then(|it: usize| items.get(it));
            item.zip(path.strip_prefix(index))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Unknown => None,
    };
    match below {
        Some((below, rest)) if !rest.is_empty() => {
            span_of(below, rest.strip_prefix('/').unwrap_or(rest))
        }
        Some((below, _)) => below.span,
        None => node.span,
    }
}

/// A deployment in some account and Region. They are made up, because the findings about a policy
/// do not depend on them.
struct Anywhere {
    partition: Partition,
    region: &'static str,
}

impl Anywhere {
    /// Returns a deployment that suits a template: in the partition that the template names, and in
    /// a Region that it does not name.
    ///
    /// A template that names none fits every partition, so any will do. A partition that this
    /// release does not know is not looked for: an ARN of it in a policy is a finding.
    fn of(text: &str) -> Self {
        let names = |it: &Partition| {
            text.contains(&format!("arn:{}:", it.name()))
                || it.regions().any(|it| text.contains(it))
        };
        let others = Partition::ALL.into_iter().filter(|it| *it != Partition::Commercial);
        let partition = others.into_iter().find(names).unwrap_or(Partition::Commercial);
        let mut regions = partition.regions().filter(|it| !text.contains(it));
        let region = regions.next().unwrap_or_else(|| partition.organizations_region());
        Self { partition, region }
    }
}

impl Environment for Anywhere {
    fn pseudo_parameter(&self, name: &str) -> Option<String> {
        let value = match name {
            "AWS::AccountId" => "111122223333",
            "AWS::Partition" => self.partition.name(),
            "AWS::Region" => self.region,
            "AWS::StackName" => "stack",
            "AWS::URLSuffix" => self.partition.url_suffix(),
            _ => return None,
        };
        Some(value.to_owned())
    }

    fn attribute(&self, _: &str) -> Option<String> {
        None
    }

    fn export(&self, _: &str) -> Option<String> {
        None
    }
}
