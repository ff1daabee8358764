//! The evaluation of the parts of a template.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

use policy::{Member, Node, Span, Value};

use crate::parameters::{Given, Parameter, Taken};
use crate::{arguments, as_sent, as_written, find, function, is_function, section};

/// The deepest nesting of references between functions and conditions.
const MAX_DEPTH: usize = 64;

/// The reason why a string with a reference to Parameter Store or Secrets Manager is not known.
const RESOLVED_LATER: &str = "CloudFormation resolves the dynamic reference in it";

/// Returns `true` if a string contains a reference to Parameter Store or Secrets Manager, which only
/// CloudFormation can resolve.
#[must_use]
pub fn is_dynamic(text: &str) -> bool {
    text.contains("{{resolve:")
}

/// Returns the name of the place at which a condition branches.
fn condition_place(name: &str) -> String {
    format!("condition {name}")
}

/// A place whose value is not known before the deployment.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Unknown {
    /// The keys that lead to it, joined by `/`.
    pub path: String,
    /// The reason why it is not known.
    pub why: String,
}

/// The known facts about the deployment of a template.
pub trait Environment {
    /// Returns the value of `AWS::Region` and other pseudo parameters.
    fn pseudo_parameter(&self, name: &str) -> Option<String>;

    /// Returns the attribute of a resource by `Name.Attribute`, or its value for `Ref` by its name
    /// alone.
    fn attribute(&self, name: &str) -> Option<String>;

    /// Returns the value that another stack exports under this name.
    fn export(&self, name: &str) -> Option<String>;
}

/// A deployment about which nothing is known.
#[derive(Clone, Copy, Debug)]
pub struct NoEnvironment;

impl Environment for NoEnvironment {
    fn pseudo_parameter(&self, _: &str) -> Option<String> {
        None
    }

    fn attribute(&self, _: &str) -> Option<String> {
        None
    }

    fn export(&self, _: &str) -> Option<String> {
        None
    }
}

/// An evaluator for the parts of one template. It notes the parts that are not known, with the
/// reason.
///
/// Intrinsic functions are evaluated as far as their arguments are known. Everything else becomes
/// [`Value::Unknown`], and is never guessed.
#[expect(missing_debug_implementations, reason = "an environment need not have one")]
pub struct Evaluator<'a> {
    template: &'a Node,
    given: &'a Given,
    environment: &'a dyn Environment,
    unknown: RefCell<Vec<Unknown>>,
    taken: RefCell<BTreeSet<Taken>>,
    mistakes: RefCell<BTreeSet<String>>,
    conditions: RefCell<BTreeMap<String, Progress>>,
    /// The branches that replace the known ones, if all possible results of a template are
    /// examined.
    choices: Option<RefCell<Choices>>,
    depth: Cell<usize>,
}

/// One combination of branches through the conditions and mappings of a template.
///
/// A deployment may take any combination. To examine all possible results of a template, begin with
/// the default, and then use each combination that [`Choices::others`] returns.
#[derive(Clone, Debug, Default)]
pub struct Choices {
    /// The branches that differ from the default: the chosen branch for each place.
    made: BTreeMap<String, usize>,
    /// The number of branches and the taken branch, for each place that was reached.
    met: BTreeMap<String, (usize, usize)>,
}

impl Choices {
    /// Returns the combinations that differ from this one at a place that is not in `known`, one
    /// for each branch that was not taken. Adds those places to `known`.
    pub fn others(&self, known: &mut BTreeSet<String>) -> Vec<Self> {
        let mut others = Vec::new();
        for (place, (count, taken)) in &self.met {
            if self.made.contains_key(place) || !known.insert(place.clone()) {
                continue;
            }
            for way in (0..*count).filter(|it| it != taken) {
                let mut made = self.made.clone();
                made.insert(place.clone(), way);
                others.push(Self { made, met: BTreeMap::new() });
            }
        }
        others
    }

    /// Returns the branch for `place`, which has `count` branches, with `usual` as the default.
    fn take(&mut self, place: String, count: usize, usual: usize) -> usize {
        let way = self.made.get(&place).copied().unwrap_or(usual);
        self.met.insert(place, (count, way));
        way
    }
}

/// The notes made while parts of a template were evaluated.
#[derive(Debug, Default)]
pub struct Notes {
    /// The places that are not known.
    pub unknown: Vec<Unknown>,
    /// The parameters that have the values of the deployed stack.
    pub taken: BTreeSet<Taken>,
    /// The errors in the parameters and the template.
    pub mistakes: BTreeSet<String>,
}

/// The progress of evaluating a condition.
#[derive(Clone, Copy)]
enum Progress {
    Begun,
    /// True or false, or `None` if that is not known.
    Done(Option<bool>),
}

/// A part of a string.
enum Part {
    Known(String),
    /// The name of an unknown value.
    Unknown(String),
}

impl<'a> Evaluator<'a> {
    /// Returns an evaluator of `template` with these parameter values.
    #[must_use]
    pub fn new(template: &'a Node, given: &'a Given, environment: &'a dyn Environment) -> Self {
        Self {
            template,
            given,
            environment,
            unknown: RefCell::default(),
            taken: RefCell::default(),
            mistakes: RefCell::default(),
            conditions: RefCell::default(),
            choices: None,
            depth: Cell::new(0),
        }
    }

    /// Returns the evaluator with these choices of branches, which override known values.
    #[must_use]
    pub fn along(self, choices: Choices) -> Self {
        Self { choices: Some(RefCell::new(choices)), ..self }
    }

    /// Returns the branches that were taken so far.
    #[must_use]
    pub fn choices(&self) -> Choices {
        self.choices.as_ref().map(|it| it.borrow().clone()).unwrap_or_default()
    }

    /// Returns the notes made so far.
    #[must_use]
    pub fn into_notes(self) -> Notes {
        Notes {
            unknown: self.unknown.into_inner(),
            taken: self.taken.into_inner(),
            mistakes: self.mistakes.into_inner(),
        }
    }

    /// Returns the value of `node`, which is at `path`. Returns `None` if the value is
    /// `AWS::NoValue`.
    #[must_use]
    pub fn evaluate(&self, node: &Node, path: &str) -> Option<Node> {
        let value = self.deeper(node, path, Self::value);
        if value.as_ref().and_then(Node::scalar).is_some_and(is_dynamic) {
            self.note(path, RESOLVED_LATER);
            return Some(Node { span: node.span, value: Value::Unknown });
        }
        // A value that is not written in the template gets the place of its function.
        value.map(|it| if it.span == Span::default() { Node { span: node.span, ..it } } else { it })
    }

    /// Returns the value as [`Self::evaluate`] does, with two differences. Unknown parts of a
    /// string that is put together stay in it as `${…}`, and the argument of `Fn::ToJsonString`
    /// stays a value.
    #[must_use]
    pub fn draft(&self, node: &Node, path: &str) -> Option<Node> {
        let Some((name, argument)) = function(node) else {
            if node.scalar().is_some_and(is_dynamic) {
                self.note(path, RESOLVED_LATER);
                return Some(node.clone());
            }
            return self.evaluate(node, path);
        };
        match (name, arguments(argument)) {
            ("Fn::ToJsonString", [of]) => return self.deeper(of, path, Self::draft),
            ("Fn::If", [condition, yes, no]) if let Some(condition) = condition.scalar() => {
                if let Some(holds) = self.chosen(condition, path) {
                    return self.deeper(if holds { yes } else { no }, path, Self::draft);
                }
            }
            _ => {}
        }
        let Some(parts) = self.parts(name, argument, path) else {
            return self.evaluate(node, path);
        };
        let text = parts.into_iter().map(|it| match it {
            Part::Known(text) => text,
            Part::Unknown(name) => format!("${{{name}}}"),
        });
        Some(Node { span: node.span, value: Value::Text(text.collect()) })
    }

    /// Evaluates one level deeper, up to the limit.
    fn deeper(
        &self,
        node: &Node,
        path: &str,
        look: impl FnOnce(&Self, &Node, &str) -> Option<Node>,
    ) -> Option<Node> {
        if self.depth.get() >= MAX_DEPTH {
            return self.unknown(path, "its functions refer to each other in a circle");
        }
        self.depth.set(self.depth.get() + 1);
        let value = look(self, node, path);
        self.depth.set(self.depth.get() - 1);
        value
    }

    /// Returns the value of the condition. If branches are chosen, the value is always known.
    fn chosen(&self, name: &str, path: &str) -> Option<bool> {
        let Some(choices) = &self.choices else { return self.condition(name, path) };
        let usual = self.condition(name, path);
        let way =
            choices.borrow_mut().take(condition_place(name), 2, usize::from(usual == Some(false)));
        Some(way == 0)
    }

    /// Returns the value of the condition `name`, if it is known. `path` is the place that uses it.
    #[must_use]
    pub fn condition(&self, name: &str, path: &str) -> Option<bool> {
        let made = self
            .choices
            .as_ref()
            .and_then(|it| it.borrow().made.get(&condition_place(name)).copied());
        if let Some(way) = made {
            return Some(way == 0);
        }
        let Some(condition) = find(section(self.template, "Conditions"), name) else {
            self.mistaken(path, format!("there is no condition `{name}`"));
            return None;
        };
        let earlier = self.conditions.borrow().get(name).copied();
        if let Some(Progress::Done(holds)) = earlier {
            return holds;
        }
        if self.depth.get() >= MAX_DEPTH {
            self.note(path, "its conditions refer to each other too deeply");
            return None;
        }
        if earlier.is_some() {
            let why = "its conditions refer to each other in a circle";
            self.mistaken(path, why);
            return None;
        }
        self.conditions.borrow_mut().insert(name.to_owned(), Progress::Begun);
        self.depth.set(self.depth.get() + 1);
        let holds = self.holds(condition, &format!("Conditions/{name}"));
        self.depth.set(self.depth.get() - 1);
        self.conditions.borrow_mut().insert(name.to_owned(), Progress::Done(holds));
        holds
    }

    /// Notes an error in the template or in the given values.
    pub fn mistake(&self, text: String) {
        self.mistakes.borrow_mut().insert(text);
    }

    /// Notes an error at `path`, which makes the value there unknown.
    fn mistaken(&self, path: &str, why: impl Into<String>) -> Option<Node> {
        let why = why.into();
        self.spoiled(path, format!("{path}: {why}"), why)
    }

    /// Notes an error in `text`, which makes the value at `path` unknown, for the reason `why`.
    fn spoiled(&self, path: &str, text: String, why: String) -> Option<Node> {
        if self.choices.is_some() {
            // Nothing is deployed here, so something that is missing for a deployment counts as
            // unknown.
            self.note(path, why);
        }
        self.mistake(text);
        node(Value::Unknown)
    }

    /// Notes that the value at `path` is not known.
    pub fn note(&self, path: &str, why: impl Into<String>) {
        let unknown = Unknown { path: path.to_owned(), why: why.into() };
        let mut all = self.unknown.borrow_mut();
        if !all.contains(&unknown) {
            all.push(unknown);
        }
    }

    fn unknown(&self, path: &str, why: impl Into<String>) -> Option<Node> {
        self.note(path, why);
        node(Value::Unknown)
    }

    fn value(&self, it: &Node, path: &str) -> Option<Node> {
        match &it.value {
            Value::Object(members) => {
                if let Some((function, argument)) = function(it) {
                    return self.call(function, argument, path);
                }
                let member = |it: &Member| {
                    let path = format!("{path}/{}", it.key);
                    let value = if is_function(&it.key) {
                        // A loop such as `Fn::ForEach::Name` adds keys that are not known.
                        self.not_understood(&it.key, &path)
                    } else {
                        self.evaluate(&it.value, &path)
                    };
                    value.map(|value| Member { value, ..it.clone() })
                };
                node(Value::Object(members.iter().filter_map(member).collect()))
            }
            Value::Array(items) => {
                let items = items.iter().enumerate();
                let items = items.filter_map(|(at, it)| self.evaluate(it, &format!("{path}/{at}")));
                node(Value::Array(items.collect()))
            }
            Value::Unknown => self.unknown(path, "it is not known"),
            Value::Null if self.choices.is_none() => {
                self.mistaken(path, "CloudFormation does not accept null")
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) => Some(it.clone()),
        }
    }

    fn call(&self, function: &str, argument: &Node, path: &str) -> Option<Node> {
        if let Some(parts) = self.parts(function, argument, path) {
            let known = parts.into_iter().map(|it| match it {
                Part::Known(text) => Some(text),
                Part::Unknown(_) => None,
            });
            return node(known.collect::<Option<String>>().map_or(Value::Unknown, Value::Text));
        }
        match (function, arguments(argument)) {
            ("Ref", [name]) if let Some(name) = name.scalar() => self.reference(name, path),
            ("Fn::GetAtt", [name]) if let Some(name) = name.scalar() => self.attribute(name, path),
            ("Fn::GetAtt", [name, attribute])
                if let Some((name, it)) = name.scalar().zip(attribute.scalar()) =>
            {
                self.attribute(&format!("{name}.{it}"), path)
            }
            ("Fn::If", [condition, yes, no]) if let Some(condition) = condition.scalar() => {
                match self.chosen(condition, path) {
                    Some(true) => self.evaluate(yes, path),
                    Some(false) => self.evaluate(no, path),
                    None => node(Value::Unknown),
                }
            }
            ("Fn::Split", [separator, text]) if let Some(separator) = separator.scalar() => {
                let Ok(whole) = self.text(text, path) else { return node(Value::Unknown) };
                let parts = whole.split(separator).map(|it| text_node(it, text));
                node(Value::Array(parts.collect()))
            }
            ("Fn::Select", [index, list]) => self.select(index, list, path),
            ("Fn::FindInMap", [map, first, second]) => {
                self.find_in_map(map, [first, second], None, path)
            }
            ("Fn::FindInMap", [map, first, second, options]) => {
                self.find_in_map(map, [first, second], options.member("DefaultValue"), path)
            }
            ("Fn::ToJsonString", [of]) => {
                let written = self.evaluate(of, path).as_ref().and_then(as_written);
                node(written.map_or(Value::Unknown, |it| Value::Text(it.to_string())))
            }
            ("Fn::Transform", [macro_]) => {
                let name =
                    macro_.member("Name").and_then(Node::scalar).unwrap_or("of unknown name");
                self.unknown(path, format!("CloudFormation carries out the macro `{name}`"))
            }
            ("Fn::ImportValue", [name]) => {
                let exported =
                    self.text(name, path).ok().and_then(|it| self.environment.export(&it));
                match exported {
                    Some(it) => node(Value::Text(it)),
                    None => self.unknown(path, "it is imported from another stack"),
                }
            }
            _ => self.not_understood(function, path),
        }
    }

    /// Returns the value of a mapping. If branches are chosen and the key is not a literal, it can
    /// be any value that the key may lead to.
    fn find_in_map(
        &self,
        map: &Node,
        keys: [&Node; 2],
        default: Option<&Node>,
        path: &str,
    ) -> Option<Node> {
        let Ok(map) = self.text(map, path) else {
            return self.unknown(path, "the name of the mapping is not known");
        };
        let mut at = self.template.member("Mappings").and_then(|it| it.member(&map));
        let mut names = vec![map];
        for key in keys {
            let Some(name) = self.key_of_mapping(key, at, &names, path) else {
                return self.unknown(path, "a key of the mapping is not known");
            };
            at = at.and_then(|it| it.member(&name));
            names.push(name);
        }
        match (at, default) {
            (Some(found), _) => self.evaluate(found, path),
            (None, Some(default)) => self.evaluate(default, path),
            (None, None) => self.unknown(path, format!("the mapping has no `{}`", names.join("/"))),
        }
    }

    /// Returns the key that is looked up in `mapping`, below the keys `above`.
    fn key_of_mapping(
        &self,
        key: &Node,
        mapping: Option<&Node>,
        above: &[String],
        path: &str,
    ) -> Option<String> {
        let (Some(choices), None) = (&self.choices, key.scalar()) else {
            return self.text(key, path).ok();
        };
        let members = mapping.and_then(Node::members).unwrap_or_default();
        let usual = self.quietly(|| self.text(key, path).ok());
        let usual = usual.and_then(|usual| members.iter().position(|it| it.key == usual));
        let place = format!("mapping {} by {}", above.join("/"), key.to_json());
        let way = choices.borrow_mut().take(place, members.len(), usual.unwrap_or_default());
        members.get(way).map(|it| it.key.clone())
    }

    /// Evaluates something without noting unknown parts or errors.
    pub fn quietly<T>(&self, evaluate: impl FnOnce() -> T) -> T {
        let unknown = self.unknown.borrow().len();
        let mistakes = self.mistakes.borrow().clone();
        let value = evaluate();
        self.unknown.borrow_mut().truncate(unknown);
        *self.mistakes.borrow_mut() = mistakes;
        value
    }

    fn not_understood(&self, function: &str, path: &str) -> Option<Node> {
        self.unknown(path, format!("this use of `{function}` is not understood here"))
    }

    /// Returns the parts of the string, if the function puts a string together.
    fn parts(&self, function: &str, argument: &Node, path: &str) -> Option<Vec<Part>> {
        match (function, arguments(argument)) {
            ("Fn::Sub", [text]) => Some(self.substitute(text.scalar()?, None, path)),
            ("Fn::Sub", [text, own]) => Some(self.substitute(text.scalar()?, Some(own), path)),
            ("Fn::Join", [separator, list]) => Some(self.join(separator.scalar()?, list, path)),
            _ => None,
        }
    }

    fn substitute(&self, text: &str, own: Option<&Node>, path: &str) -> Vec<Part> {
        let mut pieces = text.split("${");
        let mut parts = vec![Part::Known(pieces.next().unwrap_or_default().to_owned())];
        for piece in pieces {
            let Some((name, rest)) = piece.split_once('}') else {
                self.note(path, "its `${` has no end");
                parts.push(Part::Unknown(piece.to_owned()));
                continue;
            };
            let found = own.and_then(|it| it.member(name));
            let value = match (found, name.strip_prefix('!')) {
                (Some(own), _) => self.evaluate(own, path),
                (None, Some(literal)) => node(Value::Text(format!("${{{literal}}}"))),
                (None, None) if name.contains('.') => self.attribute(name, path),
                (None, None) => self.reference(name, path),
            };
            parts.push(self.part(name, value.as_ref(), path));
            parts.push(Part::Known(rest.to_owned()));
        }
        parts
    }

    fn join(&self, separator: &str, list: &Node, path: &str) -> Vec<Part> {
        let list = match &list.value {
            // The items are evaluated one by one, because some may be known.
            Value::Array(_) => self.evaluate(list, path),
            Value::Object(_)
            | Value::Unknown
            | Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::Text(_) => Some(self.list(list, path)),
        };
        let Some(Value::Array(items)) = list.map(|it| it.value) else {
            return vec![Part::Unknown(path.to_owned())];
        };
        let mut parts = Vec::new();
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                parts.push(Part::Known(separator.to_owned()));
            }
            parts.push(self.part(path, Some(item), path));
        }
        parts
    }

    /// Returns the part for a value inside a string. `name` is the name of the value there.
    fn part(&self, name: &str, value: Option<&Node>, path: &str) -> Part {
        let unknown = || Part::Unknown(name.to_owned());
        match value {
            Some(it) if let Some(text) = it.scalar() => Part::Known(text.to_owned()),
            Some(Node { value: Value::Unknown, .. }) | None => unknown(),
            Some(_) => {
                self.note(path, format!("`{name}` is a list inside a string"));
                unknown()
            }
        }
    }

    fn select(&self, index: &Node, list: &Node, path: &str) -> Option<Node> {
        let Ok(index) = self.text(index, path) else { return node(Value::Unknown) };
        let list = self.list(list, path).value;
        let Value::Array(items) = list else { return node(Value::Unknown) };
        match index.parse().ok().and_then(|it: usize| items.get(it)) {
            Some(it) => Some(it.clone()),
            None => self.unknown(path, format!("`{index}` leads to nothing")),
        }
    }

    /// Returns a list, or an unknown value.
    fn list(&self, list: &Node, path: &str) -> Node {
        match self.evaluate(list, path) {
            Some(it) if matches!(it.value, Value::Array(_) | Value::Unknown) => it,
            _ => {
                self.note(path, "a list is needed here");
                Node { span: list.span, value: Value::Unknown }
            }
        }
    }

    /// Returns the text of a scalar, if it is known.
    fn text(&self, it: &Node, path: &str) -> Result<String, NotKnown> {
        let value = self.evaluate(it, path);
        if let Some(text) = value.as_ref().and_then(Node::scalar) {
            return Ok(text.to_owned());
        }
        if !value.is_some_and(|it| it.value == Value::Unknown) {
            self.note(path, "a string is needed here");
        }
        Err(NotKnown)
    }

    fn reference(&self, name: &str, path: &str) -> Option<Node> {
        if name == "AWS::NoValue" {
            return None;
        }
        if name.starts_with("AWS::") {
            return match self.environment.pseudo_parameter(name) {
                Some(it) => node(Value::Text(it)),
                None => self.unknown(path, format!("`{name}` is not known here")),
            };
        }
        if let Some(declared) = find(section(self.template, "Parameters"), name) {
            if self.is_for_another_value(name) {
                let why = format!(
                    "this branch is for another value of `{name}` than its default: \
                     --parameters {name}=…"
                );
                return self.unknown(path, why);
            }
            let value = self.given.value(name, declared);
            if let Ok(Parameter::Text(_) | Parameter::List(_)) = value {
                self.taken.borrow_mut().extend(self.given.taken(name, declared));
            }
            return match value {
                Ok(Parameter::Text(it)) => node(Value::Text(it)),
                Ok(Parameter::List(list)) => {
                    let items = list.iter().map(|it| text_node(it, declared));
                    node(Value::Array(items.collect()))
                }
                Ok(Parameter::Later(why)) => self.unknown(path, why),
                Err(mistake) => self.spoiled(path, mistake.clone(), mistake),
            };
        }
        match self.environment.attribute(name) {
            Some(it) => node(Value::Text(it)),
            None if find(section(self.template, "Resources"), name).is_some() => {
                self.unknown(path, format!("`{name}` is made by the deployment"))
            }
            None => self.mistaken(path, format!("there is no parameter or resource `{name}`")),
        }
    }

    /// Returns `true` if a condition that depends on this parameter takes another branch than by
    /// default, so that the parameter must have another value there.
    fn is_for_another_value(&self, parameter: &str) -> bool {
        let Some(choices) = &self.choices else { return false };
        if self.given.names().any(|it| it == parameter) {
            return false;
        }
        let choices = choices.borrow();
        let conditions = section(self.template, "Conditions");
        let mut others: Vec<&Node> = conditions
            .iter()
            .filter(|it| choices.made.contains_key(&condition_place(&it.key)))
            .map(|it| &it.value)
            .collect();
        let mut known = BTreeSet::new();
        while let Some(it) = others.pop() {
            match &it.value {
                Value::Array(items) => others.extend(items),
                Value::Object(members) => {
                    for Member { key, value, .. } in members {
                        match (key.as_str(), value.scalar()) {
                            ("Ref", Some(name)) if name == parameter => return true,
                            ("Condition", Some(name)) if known.insert(name) => {
                                others.extend(find(conditions, name));
                            }
                            _ => others.push(value),
                        }
                    }
                }
                Value::Unknown
                | Value::Null
                | Value::Bool(_)
                | Value::Number(_)
                | Value::Text(_) => {}
            }
        }
        false
    }

    fn attribute(&self, name: &str, path: &str) -> Option<Node> {
        match self.environment.attribute(name) {
            Some(it) => node(Value::Text(it)),
            None => self.unknown(path, format!("`{name}` is known once it is deployed")),
        }
    }

    /// Notes the failed assertions in the `Rules` of the template as errors.
    pub fn judge_rules(&self) {
        for Member { key, value: rule, .. } in section(self.template, "Rules") {
            let path = format!("Rules/{key}");
            let applies = rule.member("RuleCondition").map(|it| self.holds(it, &path));
            if applies == Some(Some(false)) {
                continue;
            }
            let assertions = rule.member("Assertions").map(arguments).unwrap_or_default();
            for assertion in assertions {
                let Some(assert) = assertion.member("Assert") else { continue };
                if self.holds(assert, &path) == Some(false) && applies != Some(None) {
                    let why = assertion.member("AssertDescription").and_then(Node::scalar);
                    let why = why.unwrap_or("an assertion does not hold");
                    self.mistake(format!("{path}: {why}"));
                }
            }
        }
    }

    /// Returns `true` if all values of `one` are among those of `others`, or `None` if that is not
    /// known.
    fn are_among(&self, one: &Node, others: &Node, path: &str) -> Option<bool> {
        let values = |it: &Node| -> Option<Vec<String>> {
            let evaluated = self.evaluate(it, path)?;
            let texts = arguments(&evaluated).iter().map(|it| it.scalar().map(ToOwned::to_owned));
            texts.collect()
        };
        let (one, others) = (values(one)?, values(others)?);
        Some(one.iter().all(|it| others.contains(it)))
    }

    fn holds(&self, condition: &Node, path: &str) -> Option<bool> {
        let Some([Member { key, value, .. }]) = condition.members() else {
            self.mistake(format!("{path}: this is not a condition"));
            return None;
        };
        let each = |it: &Node| self.holds(it, path);
        match (key.as_str(), arguments(value)) {
            ("Condition", [name]) => self.condition(name.scalar()?, path),
            ("Fn::Equals", [one, other]) => {
                let [one, other] = [one, other].map(|it| self.evaluate(it, path));
                Some(as_sent(&one?)? == as_sent(&other?)?)
            }
            ("Fn::Contains", [all, one]) => self.are_among(one, all, path),
            ("Fn::EachMemberIn" | "Fn::EachMemberEquals", [some, all]) => {
                self.are_among(some, all, path)
            }
            ("Fn::Not", [one]) => each(one).map(|it| !it),
            ("Fn::And", all) => all.iter().map(each).try_fold(true, |all, it| Some(all & it?)),
            ("Fn::Or", all) => all.iter().map(each).try_fold(false, |any, it| Some(any | it?)),
            (other, _) => {
                self.note(path, format!("this use of `{other}` is not understood here"));
                None
            }
        }
    }
}

/// The text is not known. The reason has been noted.
struct NotKnown;

/// Returns a value that has no place in the template.
#[expect(clippy::unnecessary_wraps, reason = "evaluating returns an option")]
fn node(value: Value) -> Option<Node> {
    Some(Node { span: Span::default(), value })
}

fn text_node(text: &str, at: &Node) -> Node {
    Node { span: at.span, value: Value::Text(text.to_owned()) }
}
