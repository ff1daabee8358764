//! Evaluates expressions.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use hcl_edit::Decorated;
use hcl_edit::expr::{
    BinaryOp, BinaryOperator, Conditional, Expression, ForExpr, Object, ObjectKey, Traversal,
    TraversalOperator, UnaryOp, UnaryOperator,
};
use hcl_edit::structure::Body;
use policy::{Member, Node, Span, Value};

use crate::declared::{Declared, Variable, attribute, span};
use crate::ways::Way;
use crate::{Files, Unknown};

/// The most steps for one policy, with one step for each value. A policy at the limit of AWS has
/// some thousand values.
const MOST_STEPS: usize = 200_000;

/// The reason why an expression is not evaluated to its end.
const TOO_MANY_STEPS: &str = "it takes too many steps to evaluate";

/// The greatest depth to which locals may refer to each other.
const MOST_REFERENCES: usize = 32;

/// The most operators behind a `*`, each of which may be a `*` itself.
const MOST_OPERATORS: usize = 50;

/// Evaluates expressions for one file of a module, and notes what is not known.
pub(crate) struct Evaluator<'a> {
    pub(crate) declared: &'a Declared<'a>,
    /// Reads the files that are named.
    pub(crate) files: &'a (dyn Files + Sync),
    /// The file whose own places are reported.
    home: usize,
    /// The notes, and whether each is about a mistake, at which Terraform would stop.
    unknown: RefCell<Vec<(Unknown, bool)>>,
    steps: Cell<usize>,
    references: Cell<usize>,
    /// The results of the conditions that are not known. Without them, what depends on such a
    /// condition is not known either.
    way: Option<Way>,
}

/// The names that loops, templates and instances define, with their values.
pub(crate) type Names = Vec<(String, Rc<Node>)>;

/// An expression that is declared elsewhere in the module.
#[derive(Clone)]
struct Referent<'e> {
    /// The file that it is in.
    file: usize,
    expression: &'e Expression,
    /// The type that the value gets.
    kind: Option<&'e Expression>,
    /// The names that are defined around the expression.
    names: Names,
}

impl<'e> Referent<'e> {
    fn of(file: usize, expression: &'e Expression) -> Self {
        Self { file, expression, kind: None, names: Vec::new() }
    }
}

/// The place of an expression, and the names that it can use.
#[derive(Clone)]
pub(crate) struct Scope {
    /// The file that it is in.
    file: usize,
    /// The place that is reported instead of the expression's own place, if that is in another
    /// text.
    at: Option<Span>,
    /// The names that are defined around the expression.
    names: Names,
}

impl Scope {
    /// Returns the scope at the top of a file in which these names are known.
    pub(crate) fn of(file: usize, names: Names) -> Self {
        Self { file, at: None, names }
    }

    /// Returns the scope of another text, in which only these names are known. Everything in it is
    /// reported at `at`.
    pub(crate) fn of_template(&self, at: Span, names: Names) -> Self {
        Self { file: self.file, at: Some(at), names }
    }

    /// Returns the same scope with more names.
    pub(crate) fn with(&self, names: impl IntoIterator<Item = (String, Rc<Node>)>) -> Self {
        let mut scope = self.clone();
        scope.names.extend(names);
        scope
    }

    fn name(&self, name: &str) -> Option<&Node> {
        self.names.iter().rev().find(|it| it.0 == name).map(|it| &*it.1)
    }

    /// Returns the place that is reported for something in this scope.
    pub(crate) fn span(&self, of: &impl hcl_edit::Span) -> Span {
        self.at.unwrap_or_else(|| span(of))
    }
}

impl<'a> Evaluator<'a> {
    pub(crate) fn new(
        declared: &'a Declared<'a>,
        files: &'a (dyn Files + Sync),
        home: usize,
    ) -> Self {
        Self {
            declared,
            files,
            home,
            unknown: RefCell::default(),
            steps: Cell::default(),
            references: Cell::default(),
            way: None,
        }
    }

    /// Returns an evaluator that goes this way through conditions.
    pub(crate) fn along(self, way: Way) -> Self {
        Self { way: Some(way), ..self }
    }

    /// Returns the other ways.
    pub(crate) fn other_ways(&mut self) -> Vec<Way> {
        self.way.take().map(Way::others).unwrap_or_default()
    }

    /// Returns the places that were not known, each of them once for each reason.
    pub(crate) fn into_unknown(self) -> Vec<Unknown> {
        let mut seen = HashSet::new();
        let all = self.unknown.into_inner().into_iter().map(|it| it.0);
        all.filter(|it| seen.insert((it.path.clone(), it.why.clone()))).collect()
    }

    /// Notes why a place is not known, and returns a node that stands for its value.
    pub(crate) fn unknown(&self, path: &str, span: Span, why: impl Into<String>) -> Node {
        self.note(path, span, why.into(), false)
    }

    /// Does the same for a mistake, at which Terraform would stop unless `try()` is around it.
    fn mistake(&self, path: &str, span: Span, why: impl Into<String>) -> Node {
        self.note(path, span, why.into(), true)
    }

    fn note(&self, path: &str, span: Span, why: String, is_mistake: bool) -> Node {
        let unknown = Unknown { path: path.to_owned(), span, why };
        self.unknown.borrow_mut().push((unknown, is_mistake));
        Node { span, value: Value::Unknown }
    }

    /// Evaluates something. Returns `None` and drops the new notes if Terraform would stop at a
    /// mistake in it.
    pub(crate) fn attempt(&self, evaluate: impl FnOnce() -> Node) -> Option<Node> {
        let before = self.unknown.borrow().len();
        let node = evaluate();
        let mut unknown = self.unknown.borrow_mut();
        if unknown.get(before..).is_some_and(has_mistake) {
            unknown.truncate(before);
            return None;
        }
        Some(node)
    }

    /// Adds to the number of steps. Returns `true` if the limit is not exceeded.
    pub(crate) fn charge(&self, steps: usize) -> bool {
        let sum = self.steps.get().saturating_add(steps);
        self.steps.set(sum);
        sum <= MOST_STEPS
    }

    pub(crate) fn evaluate(&self, expression: &Expression, path: &str, scope: &Scope) -> Node {
        let span = scope.span(expression);
        if !self.charge(1) {
            return self.unknown(path, span, TOO_MANY_STEPS);
        }
        let node = |value| Node { span, value };
        match expression {
            Expression::Null(_) => node(Value::Null),
            Expression::Bool(it) => node(Value::Bool(*it.value())),
            Expression::Number(it) => node(Value::Number(it.value().to_string())),
            Expression::String(it) => {
                self.charge(it.value().len() / 1_000);
                node(Value::Text(it.value().clone()))
            }
            Expression::Array(items) => {
                let items = items.iter().enumerate();
                let item = |(index, it): (usize, _)| self.evaluate(it, &below(path, index), scope);
                node(Value::Array(items.map(item).collect()))
            }
            Expression::Object(it) => node(self.object(it, path, scope)),
            Expression::StringTemplate(it) => self.string(it, span, path, scope),
            Expression::HeredocTemplate(it) => self.template(&it.template, span, path, scope),
            Expression::Parenthesis(it) => self.evaluate(it.inner(), path, scope),
            Expression::Variable(it) => self.variable(it.as_str(), span, path, scope),
            Expression::Conditional(it) => self.conditional(it, span, path, scope),
            Expression::FuncCall(it) => self.call(it, span, path, scope),
            Expression::Traversal(it) => self.traversal(it, span, path, scope),
            Expression::UnaryOp(it) => self.unary(it, span, path, scope),
            Expression::BinaryOp(it) => self.binary(it, span, path, scope),
            Expression::ForExpr(it) => self.loop_over(it, span, path, scope),
        }
    }

    fn object(&self, object: &Object, path: &str, scope: &Scope) -> Value {
        let mut members = Vec::new();
        for (key, value) in object {
            let (span, key) = match key {
                ObjectKey::Ident(it) => (scope.span(it), it.as_str().to_owned()),
                ObjectKey::Expression(it) => {
                    let key = self.evaluate(it, path, scope);
                    let text = key.scalar().map(ToOwned::to_owned);
                    (scope.span(it), text.unwrap_or_else(|| open(it)))
                }
            };
            let path = below(path, &key);
            let value = self.evaluate(value.expr(), &path, scope);
            members.push(Member { key, span, value });
        }
        Value::Object(members)
    }

    fn variable(&self, name: &str, span: Span, path: &str, scope: &Scope) -> Node {
        match scope.name(name) {
            Some(found) => self.inside_name(found, &[], span, path, scope),
            None => self.mistake(path, span, format!("there is no `{name}` here")),
        }
    }

    /// Returns the value at the end of `operators`, in a value that a loop, a template or an
    /// instance defines.
    fn inside_name(
        &self,
        found: &Node,
        operators: &[Decorated<TraversalOperator>],
        span: Span,
        path: &str,
        scope: &Scope,
    ) -> Node {
        if !self.charge(size(found)) {
            return self.unknown(path, span, TOO_MANY_STEPS);
        }
        let base = if scope.at.is_some() { moved(found.clone(), span) } else { found.clone() };
        let node = self.follow(base, operators, span, path, scope);
        if is_open(&node) {
            // The reason was noted where the name was defined, for another place.
            self.unknown(path, span, "its parts are unknown");
        }
        node
    }

    fn traversal(&self, it: &Traversal, span: Span, path: &str, scope: &Scope) -> Node {
        let operators = it.operators.as_slice();
        let Expression::Variable(root) = &it.expr else {
            return self.part(span, path, || {
                let base = self.evaluate(&it.expr, path, scope);
                self.follow(base, operators, span, path, scope)
            });
        };
        let root = root.as_str();
        if let Some(found) = scope.name(root) {
            return self.inside_name(found, operators, span, path, scope);
        }
        let Some((TraversalOperator::GetAttr(name), rest)) =
            operators.split_first().map(|(first, rest)| (first.value(), rest))
        else {
            return self.mistake(path, span, format!("there is no `{root}` here"));
        };
        let name = name.as_str();
        let why = match root {
            "local" => match self.declared.locals.get(name) {
                Some((file, it)) => {
                    return self.refer(&Referent::of(*file, it), rest, span, path, scope);
                }
                None => format!("no file here has a local `{name}`"),
            },
            "var" => match self.declared.variables.get(name) {
                Some(it) => return self.given(name, it, rest, span, path, scope),
                None => format!("no file here has a variable `{name}`"),
            },
            "path" if name == "module" => {
                let folder = self.declared.folder;
                let folder = if folder.is_empty() { "." } else { folder };
                return Node { span, value: Value::Text(folder.to_owned()) };
            }
            "each" | "count" => match scope.name(&format!("{root}.{name}")) {
                Some(found) => return self.inside_name(found, rest, span, path, scope),
                None => format!("`{root}.{name}` is not known"),
            },
            "path" | "terraform" | "self" => {
                format!("`{root}.{name}` is known when Terraform runs")
            }
            "module" => format!("the module `{name}` makes it"),
            "data" => {
                if self.references.get() < MOST_REFERENCES {
                    self.references.set(self.references.get() + 1);
                    let found = self.data(name, rest, span, path, scope);
                    self.references.set(self.references.get() - 1);
                    if let Some(found) = found {
                        return found;
                    }
                }
                format!("Terraform reads `{}`", written(it))
            }
            kind => match self.declared.resources.get(&(kind, name)) {
                Some((file, body)) => match self.made(*file, body, rest, path, scope) {
                    Some((source, rest)) => return self.refer(&source, rest, span, path, scope),
                    None => format!("`{}` is known once it is made", written(it)),
                },
                None => format!("no file here has a resource `{kind}.{name}`"),
            },
        };
        self.unknown(path, span, why)
    }

    /// Returns the value at the end of `operators`, in the value of a variable.
    fn given(
        &self,
        name: &str,
        variable: &Variable<'_>,
        operators: &[Decorated<TraversalOperator>],
        span: Span,
        path: &str,
        scope: &Scope,
    ) -> Node {
        let Variable { file, default, kind } = *variable;
        let values = &self.declared.values;
        match (values.known.get(name), &values.unread, default) {
            (Some(given), ..) => {
                let own = Scope { file, at: Some(span), names: Vec::new() };
                let given = moved(given.clone(), span);
                if !self.charge(size(&given)) {
                    return self.unknown(path, span, TOO_MANY_STEPS);
                }
                let given = match kind {
                    Some(kind) => self.typed(given, kind, &own),
                    None => given,
                };
                let was_open = is_open(&given);
                let node = self.follow(given, operators, span, path, scope);
                if was_open && is_open(&node) {
                    self.unknown(path, span, format!("the value of `{name}` is unknown"));
                }
                node
            }
            (None, Some(file), _) => {
                let why = format!("`{file}`, which may set the variable `{name}`, cannot be read");
                self.unknown(path, span, why)
            }
            (None, None, Some(default)) => {
                let source = Referent { kind, ..Referent::of(file, default) };
                self.refer(&source, operators, span, path, scope)
            }
            (None, None, None) => {
                self.unknown(path, span, format!("the variable `{name}` has no default"))
            }
        }
    }

    /// Returns the expression of an attribute that is written down in a resource, and the operators
    /// behind it. Returns `None` if AWS decides the value.
    fn made<'e, 'o>(
        &self,
        file: usize,
        body: &'e Body,
        operators: &'o [Decorated<TraversalOperator>],
        path: &str,
        scope: &Scope,
    ) -> Option<(Referent<'e>, &'o [Decorated<TraversalOperator>])> {
        let (first, rest) = operators.split_first()?;
        let (names, first, rest) = match first.value() {
            TraversalOperator::Index(it) => {
                let key = self.evaluate(it, path, scope);
                let (first, rest) = rest.split_first()?;
                (self.instance(file, body, key, path)?, first, rest)
            }
            TraversalOperator::LegacyIndex(it) => {
                let key = Value::Number(it.value().to_string());
                let (first, rest) = rest.split_first()?;
                let key = Node { span: Span::default(), value: key };
                (self.instance(file, body, key, path)?, first, rest)
            }
            TraversalOperator::AttrSplat(_)
            | TraversalOperator::FullSplat(_)
            | TraversalOperator::GetAttr(_) => (Vec::new(), first, rest),
        };
        let TraversalOperator::GetAttr(key) = first.value() else { return None };
        let it = attribute(body, key.as_str())?;
        Some((Referent { names, ..Referent::of(file, it) }, rest))
    }

    /// Returns the names that are defined in the resource that a block makes for a key or a number.
    fn instance(&self, file: usize, body: &Body, key: Node, path: &str) -> Option<Names> {
        key.scalar().filter(|it| !it.contains("${"))?;
        let Some(all) = attribute(body, "for_each") else {
            return Some(vec![("count.index".to_owned(), Rc::new(key))]);
        };
        if self.references.get() >= MOST_REFERENCES {
            return None;
        }
        self.references.set(self.references.get() + 1);
        // The unknown parts of the others do not matter here.
        let before = self.unknown.borrow().len();
        let all = self.evaluate(all, path, &Scope::of(file, Vec::new()));
        self.unknown.borrow_mut().truncate(before);
        self.references.set(self.references.get() - 1);
        let is_list = matches!(all.value, Value::Array(_));
        let value = if is_list { key.clone() } else { inside(all, key.scalar()?)? };
        let names = [("each.key", key), ("each.value", value)];
        Some(names.map(|(name, it)| (name.to_owned(), Rc::new(it))).into())
    }

    /// Returns the scope of something in a file that is used at `span`.
    pub(crate) fn elsewhere(&self, file: usize, span: Span, scope: &Scope) -> Scope {
        let at = scope.at.or((file != self.home).then_some(span));
        Scope { file, at, names: Vec::new() }
    }

    /// Returns the value at the end of `operators`, in a value that is declared elsewhere in the
    /// module.
    fn refer(
        &self,
        source: &Referent<'_>,
        operators: &[Decorated<TraversalOperator>],
        span: Span,
        path: &str,
        scope: &Scope,
    ) -> Node {
        if self.references.get() >= MOST_REFERENCES {
            return self.unknown(path, span, "it refers to itself, or through too many others");
        }
        self.references.set(self.references.get() + 1);
        let Referent { file, expression, kind, ref names } = *source;
        let own = Scope { names: names.clone(), ..self.elsewhere(file, span, scope) };
        let whole = || {
            let node = self.evaluate(expression, path, &own);
            match kind {
                Some(kind) => self.typed(node, kind, &own),
                None => node,
            }
        };
        let node = if operators.is_empty() {
            whole()
        } else {
            self.part(span, path, || self.follow(whole(), operators, span, path, scope))
        };
        self.references.set(self.references.get() - 1);
        node
    }

    /// Returns a part of a value. Notes about the rest of the value are dropped.
    fn part(&self, span: Span, path: &str, evaluate: impl FnOnce() -> Node) -> Node {
        let before = self.unknown.borrow().len();
        let node = evaluate();
        let notes = self.unknown.borrow_mut().split_off(before);
        let told = notes.iter().rev().find(|it| it.1).or(notes.first());
        if let Some((it, is_mistake)) = told.filter(|_| is_open(&node)) {
            self.note(path, span, it.why.clone(), *is_mistake);
        }
        node
    }

    /// Follows `operators` from a value to a value inside it.
    fn follow(
        &self,
        base: Node,
        operators: &[Decorated<TraversalOperator>],
        span: Span,
        path: &str,
        scope: &Scope,
    ) -> Node {
        let mut node = base;
        let mut rest = operators;
        while let Some((operator, after)) = rest.split_first() {
            rest = after;
            let key = match operator.value() {
                TraversalOperator::GetAttr(it) => it.as_str().to_owned(),
                TraversalOperator::LegacyIndex(it) => it.value().to_string(),
                TraversalOperator::Index(it) => match self.evaluate(it, path, scope).scalar() {
                    Some(it) => it.to_owned(),
                    None => return Node { span, value: Value::Unknown },
                },
                TraversalOperator::AttrSplat(_) => {
                    let is_name = |it: &&Decorated<TraversalOperator>| {
                        matches!(it.value(), TraversalOperator::GetAttr(_))
                    };
                    let names = after.iter().take_while(is_name).count();
                    let (names, after) = after.split_at(names);
                    node = self.splat(node, names, span, path, scope);
                    rest = after;
                    continue;
                }
                TraversalOperator::FullSplat(_) => {
                    return self.splat(node, after, span, path, scope);
                }
            };
            if node.value == Value::Unknown {
                return Node { span, value: Value::Unknown };
            }
            if key.contains("${") {
                return self.unknown(path, span, "a key or an index in it is unknown");
            }
            node = match inside(node, &key) {
                Some(it) => it,
                None => return self.mistake(path, span, format!("there is no `{key}` in it")),
            };
        }
        node
    }

    /// Follows `operators` from each item of a list. A value that is no list is a list of one.
    fn splat(
        &self,
        node: Node,
        operators: &[Decorated<TraversalOperator>],
        span: Span,
        path: &str,
        scope: &Scope,
    ) -> Node {
        if operators.len() > MOST_OPERATORS {
            return self.unknown(path, span, "it has too many parts");
        }
        let items = match node.value {
            Value::Unknown => return Node { span, value: Value::Unknown },
            Value::Null => Vec::new(),
            Value::Array(items) => items,
            value @ (Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Object(_)) => {
                vec![Node { span: node.span, value }]
            }
        };
        let of = |it| self.follow(it, operators, span, path, scope);
        Node { span, value: Value::Array(items.into_iter().map(of).collect()) }
    }

    /// Returns the result of a condition: what it is, or that on this way if it is not known. Notes
    /// the reason and returns `None` if it has none.
    pub(crate) fn decide(&self, condition: &Expression, path: &str, scope: &Scope) -> Option<bool> {
        let before = self.unknown.borrow().len();
        let node = self.evaluate(condition, path, scope);
        let is_mistaken = self.unknown.borrow().get(before..).is_some_and(has_mistake);
        match (truth(&node), &self.way) {
            (Some(result), _) => Some(result),
            (None, Some(way)) if node.value == Value::Unknown && !is_mistaken => {
                // Each result is tried, so the condition does not have to be known.
                self.unknown.borrow_mut().truncate(before);
                Some(way.choose(condition.to_string().trim().to_owned()))
            }
            (None, _) => {
                if node.value != Value::Unknown {
                    self.mistake(path, scope.span(condition), "it is not a condition");
                }
                None
            }
        }
    }

    fn conditional(&self, it: &Conditional, span: Span, path: &str, scope: &Scope) -> Node {
        let Some(chosen) = self.decide(&it.cond_expr, path, scope) else {
            return Node { span, value: Value::Unknown };
        };
        self.evaluate(if chosen { &it.true_expr } else { &it.false_expr }, path, scope)
    }

    fn unary(&self, it: &UnaryOp, span: Span, path: &str, scope: &Scope) -> Node {
        let of = self.evaluate(&it.expr, path, scope);
        let value = match *it.operator.value() {
            UnaryOperator::Not => truth(&of).map(|it| Value::Bool(!it)),
            UnaryOperator::Neg => {
                number(&of).and_then(i64::checked_neg).map(|it| Value::Number(it.to_string()))
            }
        };
        self.or_not_understood(value, &[&of], span, path)
    }

    fn binary(&self, it: &BinaryOp, span: Span, path: &str, scope: &Scope) -> Node {
        let operator = *it.operator.value();
        let one = self.evaluate(&it.lhs_expr, path, scope);
        let (and, or) = (operator == BinaryOperator::And, operator == BinaryOperator::Or);
        let decides = (and || or).then_some(or);
        if decides.is_some() && decides == truth(&one) {
            return Node { span, value: one.value };
        }
        let other = self.evaluate(&it.rhs_expr, path, scope);
        let numbers = number(&one).zip(number(&other));
        let truths = truth(&one).zip(truth(&other));
        let same = is_same(&one, &other);
        let sum = |of: fn(i64, i64) -> Option<i64>| {
            let sum = numbers.and_then(|(one, other)| of(one, other));
            sum.map(|it| Value::Number(it.to_string()))
        };
        let compared =
            |of: fn(&i64, &i64) -> bool| numbers.map(|(one, other)| Value::Bool(of(&one, &other)));
        let value = match operator {
            BinaryOperator::Eq => same.map(Value::Bool),
            BinaryOperator::NotEq => same.map(|it| Value::Bool(!it)),
            BinaryOperator::And => truths.map(|(one, other)| Value::Bool(one && other)),
            BinaryOperator::Or => truths.map(|(one, other)| Value::Bool(one || other)),
            BinaryOperator::Plus => sum(i64::checked_add),
            BinaryOperator::Minus => sum(i64::checked_sub),
            BinaryOperator::Mul => sum(i64::checked_mul),
            BinaryOperator::Less => compared(i64::lt),
            BinaryOperator::LessEq => compared(i64::le),
            BinaryOperator::Greater => compared(i64::gt),
            BinaryOperator::GreaterEq => compared(i64::ge),
            // A fraction is not evaluated.
            BinaryOperator::Div if sum(i64::checked_rem) == Some(Value::Number("0".to_owned())) => {
                sum(i64::checked_div)
            }
            BinaryOperator::Div => None,
            BinaryOperator::Mod => sum(i64::checked_rem),
        };
        self.or_not_understood(value, &[&one, &other], span, path)
    }

    /// Returns the value, or notes that it is not evaluated here, unless one of `of` is noted
    /// already.
    fn or_not_understood(
        &self,
        value: Option<Value>,
        of: &[&Node],
        span: Span,
        path: &str,
    ) -> Node {
        match value {
            Some(value) => Node { span, value },
            None if of.iter().any(|it| it.value == Value::Unknown) => {
                Node { span, value: Value::Unknown }
            }
            None => self.unknown(path, span, "this expression is not evaluated here"),
        }
    }

    fn loop_over(&self, it: &ForExpr, span: Span, path: &str, scope: &Scope) -> Node {
        let collection = self.evaluate(&it.intro.collection_expr, path, scope);
        let Some(rounds) = rounds(&collection) else {
            return self.or_not_understood(None, &[&collection], span, path);
        };
        let (mut items, mut members) = (Vec::new(), Vec::<Member>::new());
        let mut groups = HashMap::new();
        for (key, value) in rounds {
            let name =
                it.intro.key_var.as_ref().map(|name| (name.as_str().to_owned(), Rc::new(key)));
            let value = (it.intro.value_var.as_str().to_owned(), Rc::new(value));
            let scope = scope.with(name.into_iter().chain([value]));
            if let Some(condition) = &it.cond {
                match self.decide(&condition.expr, path, &scope) {
                    Some(true) => {}
                    Some(false) => continue,
                    None => return Node { span, value: Value::Unknown },
                }
            }
            let Some(key) = &it.key_expr else {
                let path = below(path, items.len());
                items.push(self.evaluate(&it.value_expr, &path, &scope));
                continue;
            };
            let key_node = self.evaluate(key, path, &scope);
            let span = scope.span(key);
            let key = key_node.scalar().map_or_else(|| open(key), ToOwned::to_owned);
            if !it.grouping {
                let value = self.evaluate(&it.value_expr, &below(path, &key), &scope);
                members.push(Member { key, span, value });
                continue;
            }
            // The values with the same key become a list.
            let group = *groups.entry(key.clone()).or_insert(members.len());
            if group == members.len() {
                let value = Node { span, value: Value::Array(Vec::new()) };
                members.push(Member { key: key.clone(), span, value });
            }
            if let Some(Value::Array(items)) = members.get_mut(group).map(|it| &mut it.value.value)
            {
                let path = below(&below(path, &key), items.len());
                items.push(self.evaluate(&it.value_expr, &path, &scope));
            }
        }
        let value =
            if it.key_expr.is_some() { Value::Object(members) } else { Value::Array(items) };
        Node { span, value }
    }
}

/// Returns `true` if a note is about a mistake.
fn has_mistake(notes: &[(Unknown, bool)]) -> bool {
    notes.iter().any(|it| it.1)
}

/// Returns the rounds of a loop: each key or index with its value. Returns `None` if the collection
/// is neither a list nor a map.
pub(crate) fn rounds(collection: &Node) -> Option<Vec<(Node, Node)>> {
    let node = |value| Node { span: collection.span, value };
    match &collection.value {
        Value::Array(items) => {
            let index = |index: usize| node(Value::Number(index.to_string()));
            let items = items.iter().enumerate();
            Some(items.map(|(at, it)| (index(at), it.clone())).collect())
        }
        Value::Object(members) => {
            let key = |it: &Member| node(Value::Text(it.key.clone()));
            // Terraform goes through a map in the order of its keys.
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by(|one, other| one.key.cmp(&other.key));
            Some(members.into_iter().map(|it| (key(it), it.value.clone())).collect())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Unknown => None,
    }
}

/// Returns the text that stands in a string for an expression whose value is not known.
pub(crate) fn open(expression: &Expression) -> String {
    format!("${{{}}}", source(expression))
}

/// Returns an expression as it is written if it is short and plain, and `…` if not.
fn source(expression: &Expression) -> String {
    let text = expression.to_string();
    let is_plain = |it: char| it.is_alphanumeric() || "._-[]\"*".contains(it);
    let text = text.trim();
    if text.len() <= 80 && text.chars().all(is_plain) { text.to_owned() } else { "…".to_owned() }
}

/// Returns a reference as it is written, without its indexes.
fn written(it: &Traversal) -> String {
    let names = it.operators.iter().filter_map(|it| {
        if let TraversalOperator::GetAttr(name) = it.value() { Some(name.as_str()) } else { None }
    });
    let root = if let Expression::Variable(root) = &it.expr { root.as_str() } else { "…" };
    std::iter::once(root).chain(names).collect::<Vec<_>>().join(".")
}

/// Returns the path of something below `path`, or `path` itself if the result would be too long to
/// read.
fn below(path: &str, key: impl ToString) -> String {
    let key = key.to_string();
    if path.len() + key.len() > 1_000 { path.to_owned() } else { format!("{path}/{key}") }
}

/// Returns the value at a key or an index.
fn inside(node: Node, key: &str) -> Option<Node> {
    match node.value {
        Value::Object(members) => members.into_iter().find(|it| it.key == key).map(|it| it.value),
        Value::Array(items) => items.into_iter().nth(key.parse().ok()?),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Unknown => None,
    }
}

/// Returns the same value with all of its parts at one place.
pub(crate) fn moved(node: Node, span: Span) -> Node {
    let value = match node.value {
        Value::Array(items) => Value::Array(items.into_iter().map(|it| moved(it, span)).collect()),
        Value::Object(members) => {
            let member = |it: Member| Member { key: it.key, span, value: moved(it.value, span) };
            Value::Object(members.into_iter().map(member).collect())
        }
        scalar @ (Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::Text(_)
        | Value::Unknown) => scalar,
    };
    Node { span, value }
}

/// Returns the number of values in a value. A long text counts as several.
pub(crate) fn size(node: &Node) -> usize {
    match &node.value {
        Value::Array(items) => 1 + items.iter().map(size).sum::<usize>(),
        Value::Object(members) => 1 + members.iter().map(|it| size(&it.value)).sum::<usize>(),
        Value::Text(text) => 1 + text.len() / 1_000,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Unknown => 1,
    }
}

/// Returns `true` if a part of the value is not known.
pub(crate) fn has_unknown(node: &Node) -> bool {
    match &node.value {
        Value::Unknown => true,
        Value::Array(items) => items.iter().any(has_unknown),
        Value::Object(members) => members.iter().any(|it| has_unknown(&it.value)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) => false,
    }
}

/// Returns `true` if a part of the value, or of a string in it, is not known.
pub(crate) fn is_open(node: &Node) -> bool {
    match &node.value {
        Value::Unknown => true,
        Value::Text(text) => text.contains("${"),
        Value::Array(items) => items.iter().any(is_open),
        Value::Object(members) => {
            members.iter().any(|it| it.key.contains("${") || is_open(&it.value))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Returns `true` if two values are the same; returns `None` if that is not known.
pub(crate) fn is_same(one: &Node, other: &Node) -> Option<bool> {
    if is_open(one) || is_open(other) {
        return None;
    }
    Some(match (&one.value, &other.value) {
        (Value::Null, _) | (_, Value::Null) => one.value == other.value,
        (Value::Array(one), Value::Array(other)) => {
            let mut pairs = one.iter().zip(other);
            one.len() == other.len() && pairs.all(|(one, other)| is_same(one, other) == Some(true))
        }
        (Value::Object(one), Value::Object(all)) => {
            let is_in = |it: &Member| {
                let same = all.iter().find(|other| other.key == it.key);
                same.is_some_and(|other| is_same(&it.value, &other.value) == Some(true))
            };
            one.len() == all.len() && one.iter().all(is_in)
        }
        // A value of a variable may have another type than the value that it is compared with.
        _ => one.scalar().is_some() && one.scalar() == other.scalar(),
    })
}

pub(crate) fn truth(node: &Node) -> Option<bool> {
    match node.scalar()? {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

pub(crate) fn number(node: &Node) -> Option<i64> {
    node.scalar()?.parse().ok()
}
