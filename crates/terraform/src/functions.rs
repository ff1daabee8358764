//! Evaluates the functions of Terraform that policies use.

use std::collections::HashSet;
use std::rc::Rc;

use hcl_edit::expr::FuncCall;
use policy::{Member, Node, Span, Value, json};
use template::Syntax;

use crate::evaluate::{Evaluator, Scope, has_unknown, moved, size};

impl Evaluator<'_> {
    pub(crate) fn call(&self, it: &FuncCall, span: Span, path: &str, scope: &Scope) -> Node {
        let name = it.name.name.as_str();
        if !it.name.namespace.is_empty() {
            return self.unknown(path, span, format!("a provider has the function `{name}`"));
        }
        if matches!(name, "try" | "can") {
            return self.first_known(it, name, span, path, scope);
        }
        let mut arguments: Vec<_> =
            it.args.iter().map(|it| self.evaluate(it, path, scope)).collect();
        if it.args.expand_final()
            && let Some(Node { value: Value::Array(items), .. }) =
                arguments.pop_if(|it| matches!(it.value, Value::Array(_)))
        {
            arguments.extend(items);
        }
        let node = |value| Node { span, value };
        let is_encoding = matches!(name, "jsonencode" | "merge" | "concat" | "tolist" | "tomap");
        if arguments.iter().any(|it| it.value == Value::Unknown)
            || (!is_encoding && arguments.iter().any(has_unknown) && is_of_all(name))
        {
            return node(Value::Unknown);
        }
        match (name, arguments.as_slice()) {
            ("file", [file]) => match self.file(file, span, path) {
                Ok(text) => node(Value::Text(text)),
                Err(unknown) => unknown,
            },
            ("templatefile", [file, names]) => {
                let names = names.members().unwrap_or_default().iter();
                let names = names.map(|it| (it.key.clone(), Rc::new(it.value.clone()))).collect();
                match self.file(file, span, path) {
                    Ok(text) => self.template_file(&text, names, span, path, scope),
                    Err(unknown) => unknown,
                }
            }
            ("jsondecode", [text]) => self.decoded(text, Syntax::Json, span, path),
            ("yamldecode", [text]) => self.decoded(text, Syntax::Yaml, span, path),
            _ => match pure(name, &arguments) {
                // A value that is only passed on keeps its place.
                Some(Pure::Same(it)) => it,
                Some(Pure::Made(value)) => {
                    let made = node(value);
                    self.charge(size(&made));
                    made
                }
                None => {
                    let why = format!("this use of `{name}()` is not evaluated here");
                    self.unknown(path, span, why)
                }
            },
        }
    }

    /// Evaluates `try()` and `can()`.
    fn first_known(
        &self,
        it: &FuncCall,
        name: &str,
        span: Span,
        path: &str,
        scope: &Scope,
    ) -> Node {
        for it in &it.args {
            if let Some(known) = self.attempt(|| self.evaluate(it, path, scope)) {
                return if name == "can" { Node { span, value: Value::Bool(true) } } else { known };
            }
        }
        self.unknown(path, span, format!("nothing of this use of `{name}()` is known"))
    }

    /// Reads the text of a file.
    fn file(&self, file: &Node, span: Span, path: &str) -> Result<String, Node> {
        let Some(name) = file.scalar().filter(|it| !it.contains("${")) else {
            return Err(self.unknown(path, span, "the path of the file is not known"));
        };
        // Reading a file takes longer than any other step.
        if !self.charge(1_000) {
            return Err(self.unknown(path, span, "it reads too many files"));
        }
        let text = self.files.read(name);
        text.map_err(|why| self.unknown(path, span, format!("`{name}` is not read: {why}")))
    }

    fn decoded(&self, text: &Node, syntax: Syntax, span: Span, path: &str) -> Node {
        let Some(text) = text.scalar() else {
            // `jsonencode()` leaves a list or a map as it is, so there is nothing to decode.
            return text.clone();
        };
        let (document, findings) = template::read(text, syntax);
        match document {
            Some(document) if findings.is_empty() => moved(document, span),
            _ => self.unknown(path, span, "what is decoded cannot be read"),
        }
    }
}

/// Returns `true` if a function has to know all of its arguments.
fn is_of_all(name: &str) -> bool {
    !matches!(
        name,
        "lookup" | "element" | "keys" | "length" | "values" | "templatefile" | "coalesce"
    )
}

/// The result of a function.
enum Pure {
    /// One of its arguments, or a part of one.
    Same(Node),
    /// A new value.
    Made(Value),
}

/// Evaluates the functions that need only their arguments. Returns `None` if a call is not
/// understood.
#[expect(clippy::too_many_lines, reason = "it is a table")]
fn pure(name: &str, arguments: &[Node]) -> Option<Pure> {
    let text = |it: &Node| it.scalar().map(ToOwned::to_owned);
    let made = |it: String| Some(Pure::Made(Value::Text(it)));
    let same = |it: &Node| Some(Pure::Same(it.clone()));
    let list = |it: &Node| match &it.value {
        Value::Array(items) => Some(items.clone()),
        _ => None,
    };
    match (name, arguments) {
        ("jsonencode", [it]) if it.is_scalar() => made(it.to_json()),
        (
            "jsonencode" | "nonsensitive" | "sensitive" | "tobool" | "tolist" | "tomap"
            | "tonumber",
            [it],
        ) => same(it),
        ("tostring", [it]) => made(text(it)?),
        ("toset" | "distinct", [it]) => {
            let mut seen = HashSet::new();
            let mut items = list(it)?;
            items.retain(|it| seen.insert(it.to_json()));
            Some(Pure::Made(Value::Array(items)))
        }
        ("merge", all) => {
            let mut members: Vec<Member> = Vec::new();
            for it in all.iter().filter(|it| it.value != Value::Null) {
                for it in it.members()? {
                    members.retain(|known| known.key != it.key);
                    members.push(it.clone());
                }
            }
            Some(Pure::Made(Value::Object(members)))
        }
        ("concat", all) => {
            let all = all.iter().map(list).collect::<Option<Vec<_>>>()?;
            Some(Pure::Made(Value::Array(all.concat())))
        }
        ("flatten", [it]) => {
            let mut flat = Vec::new();
            flatten(&list(it)?, &mut flat);
            Some(Pure::Made(Value::Array(flat)))
        }
        ("compact", [it]) => {
            let mut items = list(it)?;
            items.retain(|it| it.value != Value::Null && it.scalar() != Some(""));
            Some(Pure::Made(Value::Array(items)))
        }
        ("join", [separator, lists @ ..]) => {
            let items = lists.iter().map(list).collect::<Option<Vec<_>>>()?.concat();
            let texts = items.iter().map(text).collect::<Option<Vec<_>>>()?;
            let separator = separator.scalar()?;
            let length = texts.iter().map(|it| it.len() + separator.len()).sum::<usize>();
            if length > json::MAX_BYTES { None } else { made(texts.join(separator)) }
        }
        ("split", [separator, it]) => {
            let node = |part: &str| Node { span: it.span, value: Value::Text(part.to_owned()) };
            let separator = separator.scalar().filter(|it| !it.is_empty())?;
            Some(Pure::Made(Value::Array(it.scalar()?.split(separator).map(node).collect())))
        }
        ("format", [format, values @ ..]) => made(formatted(format.scalar()?, values)?),
        ("lower", [it]) => made(it.scalar()?.to_lowercase()),
        ("upper", [it]) => made(it.scalar()?.to_uppercase()),
        ("trimspace", [it]) => made(it.scalar()?.trim().to_owned()),
        ("chomp", [it]) => made(it.scalar()?.trim_end_matches(['\n', '\r']).to_owned()),
        ("trimprefix", [it, part]) => {
            let it = it.scalar()?;
            made(it.strip_prefix(part.scalar()?).unwrap_or(it).to_owned())
        }
        ("trimsuffix", [it, part]) => {
            let it = it.scalar()?;
            made(it.strip_suffix(part.scalar()?).unwrap_or(it).to_owned())
        }
        ("replace", [it, from, to]) => {
            // A pattern in slashes is a regular expression.
            let from = from.scalar().filter(|it| !it.starts_with('/') && !it.is_empty())?;
            let (it, to) = (it.scalar()?, to.scalar()?);
            let length = it.len() + it.matches(from).count() * to.len();
            if length > json::MAX_BYTES { None } else { made(it.replace(from, to)) }
        }
        ("lookup", [map, key, rest @ ..]) => {
            let members = map.members()?;
            let found = members.iter().find(|it| Some(it.key.as_str()) == key.scalar());
            same(found.map(|it| &it.value).or_else(|| rest.first())?)
        }
        ("element", [it, index]) => {
            let items = list(it)?;
            let index: usize = index.scalar()?.parse().ok()?;
            same(items.get(index.checked_rem(items.len())?)?)
        }
        ("coalesce", all) => {
            let is_given = |it: &&Node| it.value != Value::Null && it.scalar() != Some("");
            same(all.iter().find(is_given)?)
        }
        ("contains", [it, wanted]) => {
            let wanted = text(wanted)?;
            let has = list(it)?.iter().any(|it| it.scalar() == Some(&wanted));
            Some(Pure::Made(Value::Bool(has)))
        }
        ("length", [it]) => {
            let length = match &it.value {
                Value::Array(items) => items.len(),
                Value::Object(members) => members.len(),
                _ => it.scalar()?.chars().count(),
            };
            Some(Pure::Made(Value::Number(length.to_string())))
        }
        ("keys", [it]) => {
            let key = |it: &Member| Node { span: it.span, value: Value::Text(it.key.clone()) };
            let mut keys: Vec<_> = it.members()?.iter().map(key).collect();
            keys.sort_by(|one, other| one.scalar().cmp(&other.scalar()));
            Some(Pure::Made(Value::Array(keys)))
        }
        ("values", [it]) => {
            let mut members: Vec<_> = it.members()?.iter().collect();
            members.sort_by(|one, other| one.key.cmp(&other.key));
            Some(Pure::Made(Value::Array(members.iter().map(|it| it.value.clone()).collect())))
        }
        _ => None,
    }
}

fn flatten(items: &[Node], flat: &mut Vec<Node>) {
    for it in items {
        match &it.value {
            Value::Array(items) => flatten(items, flat),
            _ => flat.push(it.clone()),
        }
    }
}

/// Formats the values as `format()` does. Returns `None` for verbs other than `%s`, `%d`, `%v` and
/// `%%`.
fn formatted(format: &str, values: &[Node]) -> Option<String> {
    let mut values = values.iter();
    let mut pieces = format.split('%');
    let mut text = pieces.next()?.to_owned();
    let mut is_escaped = false;
    for piece in pieces {
        if std::mem::take(&mut is_escaped) {
            text.push_str(piece);
            continue;
        }
        match piece.chars().next() {
            Some('s' | 'd' | 'v') => {
                text.push_str(values.next()?.scalar()?);
                text.push_str(piece.get(1..)?);
            }
            None => {
                text.push('%');
                is_escaped = true;
            }
            Some(_) => return None,
        }
    }
    Some(text)
}
