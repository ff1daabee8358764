//! Evaluates the functions of Terraform that policies use.

use std::collections::HashSet;
use std::rc::Rc;

use globset::GlobBuilder;
use hcl_edit::expr::FuncCall;
use policy::{Member, Node, Span, Value, json};
use template::Syntax;

use crate::evaluate::{
    Evaluator, Scope, has_unknown, is_open, is_same, moved, number, size, truth,
};
use crate::types::as_scalar;

/// The most items of a list that a function makes.
const MOST_ITEMS: usize = 10_000;

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
        if arguments.iter().any(|it| it.value == Value::Unknown)
            || (!may_be_open(name) && arguments.iter().any(has_unknown))
        {
            return node(Value::Unknown);
        }
        if looks_at(name, &arguments).any(is_open) {
            let why = format!("`{name}()` uses an unknown value");
            return self.unknown(path, span, why);
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
            ("fileset", [folder, pattern]) => match self.fileset(folder, pattern, span, path) {
                Ok(files) => node(Value::Array(files)),
                Err(unknown) => unknown,
            },
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

    /// Evaluates `try()` and `can()`, which pass over what Terraform would stop at.
    fn first_known(
        &self,
        it: &FuncCall,
        name: &str,
        span: Span,
        path: &str,
        scope: &Scope,
    ) -> Node {
        for it in &it.args {
            let Some(found) = self.attempt(|| self.evaluate(it, path, scope)) else { continue };
            return match name {
                "can" if found.value != Value::Unknown => Node { span, value: Value::Bool(true) },
                _ => found,
            };
        }
        match name {
            "can" => Node { span, value: Value::Bool(false) },
            _ => self.unknown(
                path,
                span,
                format!(
                    "the result of this use of `{name}()` is \
                                                   unknown"
                ),
            ),
        }
    }

    /// Lists the files below a folder whose paths match a pattern.
    fn fileset(
        &self,
        folder: &Node,
        pattern: &Node,
        span: Span,
        path: &str,
    ) -> Result<Vec<Node>, Node> {
        let (Some(folder), Some(pattern)) = (folder.scalar(), pattern.scalar()) else {
            return Err(self.unknown(path, span, "the folder is not a string"));
        };
        let glob = GlobBuilder::new(pattern).literal_separator(true).build();
        let glob = glob.map_err(|_| self.unknown(path, span, "the pattern cannot be read"))?;
        if !self.charge(1_000) {
            return Err(self.unknown(path, span, "it reads too many files"));
        }
        let files = self.files.list(folder);
        let files = files
            .map_err(|why| self.unknown(path, span, format!("`{folder}` is not read: {why}")))?;
        let glob = glob.compile_matcher();
        let mut files: Vec<_> = files.into_iter().filter(|it| glob.is_match(it)).collect();
        files.sort();
        Ok(files.into_iter().map(|it| Node { span, value: Value::Text(it) }).collect())
    }

    /// Reads the text of a file.
    pub(crate) fn file(&self, file: &Node, span: Span, path: &str) -> Result<String, Node> {
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
            _ => self.unknown(path, span, "the decoded text cannot be read"),
        }
    }
}

/// Returns `true` if a function passes its arguments on, or a part of them. A part of them may be
/// unknown then.
fn may_be_open(name: &str) -> bool {
    matches!(
        name,
        "chunklist"
            | "coalesce"
            | "coalescelist"
            | "concat"
            | "element"
            | "flatten"
            | "jsonencode"
            | "keys"
            | "length"
            | "lookup"
            | "merge"
            | "nonsensitive"
            | "one"
            | "reverse"
            | "sensitive"
            | "setproduct"
            | "slice"
            | "templatefile"
            | "tolist"
            | "tomap"
            | "values"
            | "zipmap"
    )
}

/// Returns the arguments that decide the result of a function. They have to be known to the end.
fn looks_at<'a>(name: &str, arguments: &'a [Node]) -> impl Iterator<Item = &'a Node> {
    let (from, count) = match name {
        "alltrue" | "anytrue" | "contains" | "endswith" | "fileset" | "index" | "matchkeys"
        | "max" | "min" | "range" | "setintersection" | "setsubtract" | "sort" | "split"
        | "startswith" | "strcontains" | "substr" | "sum" | "toset" | "distinct" | "setunion"
        | "compact" => (0, usize::MAX),
        "lookup" | "element" => (1, 1),
        "slice" | "chunklist" => (1, 2),
        "zipmap" => (0, 1),
        // The number of characters is not known, the number of items is.
        "length" if arguments.first().is_some_and(Node::is_scalar) => (0, 1),
        _ => (0, 0),
    };
    arguments.iter().skip(from).take(count)
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
    let items = |it: Vec<Node>| Some(Pure::Made(Value::Array(it)));
    let list = |it: &Node| {
        if let Value::Array(items) = &it.value { Some(items.clone()) } else { None }
    };
    match (name, arguments) {
        ("jsonencode", [it]) if it.is_scalar() => made(it.to_json()),
        ("jsonencode" | "nonsensitive" | "sensitive" | "tolist" | "tomap", [it]) => same(it),
        ("tobool" | "tonumber" | "tostring", [it]) if it.is_scalar() => {
            Some(Pure::Made(as_scalar(name.strip_prefix("to")?, it.value.clone())))
        }
        ("toset" | "distinct", [it]) => items(distinct(list(it)?)),
        ("setunion", all) => {
            let all = all.iter().map(list).collect::<Option<Vec<_>>>()?;
            items(distinct(all.concat()))
        }
        ("setintersection", [first, rest @ ..]) => {
            let rest =
                rest.iter().map(|it| Some(keys_of(&list(it)?))).collect::<Option<Vec<_>>>()?;
            let mut kept = distinct(list(first)?);
            kept.retain(|it| rest.iter().all(|rest| rest.contains(&key_of(it))));
            items(kept)
        }
        ("setsubtract", [one, other]) => {
            let (mut kept, other) = (distinct(list(one)?), keys_of(&list(other)?));
            kept.retain(|it| !other.contains(&key_of(it)));
            items(kept)
        }
        ("setproduct", all) => {
            let mut product = vec![Vec::new()];
            let mut values = 1_usize;
            for it in all {
                let of = list(it)?;
                values = values.saturating_mul(size(it));
                if values > MOST_ITEMS {
                    return None;
                }
                let more = |one: &Vec<Node>| {
                    let one = one.clone();
                    of.iter().map(move |it| [one.as_slice(), std::slice::from_ref(it)].concat())
                };
                product = product.iter().flat_map(more).collect();
            }
            let span = all.first()?.span;
            let node = |it| Node { span, value: Value::Array(it) };
            items(product.into_iter().map(node).collect())
        }
        ("merge", all) => {
            // The last value of a key counts.
            let maps = all.iter().filter(|it| it.value != Value::Null).map(Node::members);
            let members = maps.collect::<Option<Vec<_>>>()?.concat();
            let mut seen = HashSet::new();
            let mut kept: Vec<_> =
                members.into_iter().rev().filter(|it| seen.insert(it.key.clone())).collect();
            kept.reverse();
            Some(Pure::Made(Value::Object(kept)))
        }
        ("concat", all) => {
            let all = all.iter().map(list).collect::<Option<Vec<_>>>()?;
            items(all.concat())
        }
        ("flatten", [it]) => {
            let mut flat = Vec::new();
            flatten(&list(it)?, &mut flat)?;
            items(flat)
        }
        ("compact", [it]) => {
            let mut kept = list(it)?;
            kept.retain(|it| it.value != Value::Null && it.scalar() != Some(""));
            items(kept)
        }
        ("reverse", [it]) => items(list(it)?.into_iter().rev().collect()),
        ("slice", [it, from, to]) => items(list(it)?.get(position(from)?..position(to)?)?.to_vec()),
        ("chunklist", [it, size]) => {
            let size = position(size).filter(|it| *it > 0)?;
            let node = |chunk: &[Node]| Node { span: it.span, value: Value::Array(chunk.to_vec()) };
            items(list(it)?.chunks(size).map(node).collect())
        }
        ("sort", [it]) => {
            let mut sorted = list(it)?;
            sorted.iter().all(Node::is_scalar).then_some(())?;
            sorted.sort_by(|one, other| one.scalar().cmp(&other.scalar()));
            items(sorted)
        }
        ("range", [to]) => range(to.span, 0, number(to)?, 1),
        ("range", [from, to]) => range(from.span, number(from)?, number(to)?, 1),
        ("range", [from, to, by]) => range(from.span, number(from)?, number(to)?, number(by)?),
        ("one", [it]) => match list(it)?.as_slice() {
            [] => Some(Pure::Made(Value::Null)),
            [it] => same(it),
            _ => None,
        },
        ("zipmap", [keys, values]) => {
            let (keys, values) = (list(keys)?, list(values)?);
            (keys.len() == values.len()).then_some(())?;
            let member = |(key, value): (&Node, Node)| {
                Some(Member { key: text(key)?, span: key.span, value })
            };
            let members = keys.iter().zip(values).map(member).collect::<Option<_>>()?;
            Some(Pure::Made(Value::Object(members)))
        }
        ("index", [it, wanted]) => {
            let at = list(it)?.iter().position(|it| is_same(it, wanted) == Some(true))?;
            Some(Pure::Made(Value::Number(at.to_string())))
        }
        ("matchkeys", [values, keys, wanted]) => {
            let (keys, wanted) = (list(keys)?, keys_of(&list(wanted)?));
            let pairs = list(values)?.into_iter().zip(keys);
            items(pairs.filter(|it| wanted.contains(&key_of(&it.1))).map(|it| it.0).collect())
        }
        ("alltrue" | "anytrue", [it]) => {
            let all = list(it)?.iter().map(truth).collect::<Option<Vec<_>>>()?;
            let is_all = name == "alltrue";
            let is_true = if is_all { all.iter().all(|it| *it) } else { all.contains(&true) };
            Some(Pure::Made(Value::Bool(is_true)))
        }
        ("max" | "min" | "sum", all) => {
            let all = match all {
                [it] if !it.is_scalar() => list(it)?,
                all => all.to_vec(),
            };
            let all = all.iter().map(number).collect::<Option<Vec<_>>>()?;
            let result = match name {
                "max" => all.into_iter().max()?,
                "min" => all.into_iter().min()?,
                _ => all.into_iter().try_fold(0, i64::checked_add)?,
            };
            Some(Pure::Made(Value::Number(result.to_string())))
        }
        ("join", [separator, lists @ ..]) => {
            let all = lists.iter().map(list).collect::<Option<Vec<_>>>()?.concat();
            let texts = all.iter().map(text).collect::<Option<Vec<_>>>()?;
            let separator = separator.scalar()?;
            let length = texts.iter().map(|it| it.len() + separator.len()).sum::<usize>();
            if length > json::MAX_BYTES { None } else { made(texts.join(separator)) }
        }
        ("split", [separator, it]) => {
            let node = |part: &str| Node { span: it.span, value: Value::Text(part.to_owned()) };
            let separator = separator.scalar().filter(|it| !it.is_empty())?;
            items(it.scalar()?.split(separator).map(node).collect())
        }
        ("format", [format, values @ ..]) => made(formatted(format.scalar()?, values)?),
        ("formatlist", [format, values @ ..]) => {
            let count = values.iter().filter_map(list).map(|it| it.len()).max()?;
            let length = |it: &Node| it.scalar().map_or(0, str::len);
            let length = length(format) + values.iter().map(length).sum::<usize>();
            (count.saturating_mul(length) <= json::MAX_BYTES).then_some(())?;
            let line = |index: usize| {
                let of = |it: &Node| {
                    let Value::Array(items) = &it.value else { return Some(it.clone()) };
                    items.get(index).cloned()
                };
                let values = values.iter().map(of).collect::<Option<Vec<_>>>()?;
                let value = Value::Text(formatted(format.scalar()?, &values)?);
                Some(Node { span: format.span, value })
            };
            items((0..count).map(line).collect::<Option<_>>()?)
        }
        ("startswith", [it, part]) => {
            Some(Pure::Made(Value::Bool(it.scalar()?.starts_with(part.scalar()?))))
        }
        ("endswith", [it, part]) => {
            Some(Pure::Made(Value::Bool(it.scalar()?.ends_with(part.scalar()?))))
        }
        ("strcontains", [it, part]) => {
            Some(Pure::Made(Value::Bool(it.scalar()?.contains(part.scalar()?))))
        }
        ("substr", [it, from, length]) => {
            let (it, from) = (it.scalar()?.chars(), position(from)?);
            let length = if number(length)? < 0 { usize::MAX } else { position(length)? };
            made(it.skip(from).take(length).collect())
        }
        ("title", [it]) => made(title(it.scalar()?)),
        ("indent", [spaces, it]) => {
            let (spaces, it) = (position(spaces).filter(|it| *it <= 100)?, it.scalar()?);
            let length = it.len() + it.matches('\n').count() * spaces;
            let line = format!("\n{}", " ".repeat(spaces));
            if length > json::MAX_BYTES { None } else { made(it.replace('\n', &line)) }
        }
        ("trim", [it, set]) => {
            let set: Vec<_> = set.scalar()?.chars().collect();
            made(it.scalar()?.trim_matches(set.as_slice()).to_owned())
        }
        ("basename", [it]) => made(it.scalar()?.rsplit('/').next()?.to_owned()),
        ("dirname", [it]) => {
            let it = it.scalar()?;
            made(it.rsplit_once('/').map_or(".", |it| it.0).to_owned())
        }
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
            // A key that is not known may be the one that is looked for.
            let is_open = members.iter().any(|it| it.key.contains("${"));
            let found = members.iter().find(|it| Some(it.key.as_str()) == key.scalar());
            let found = found.map(|it| &it.value);
            same(found.or_else(|| rest.first().filter(|_| !is_open))?)
        }
        ("element", [it, index]) => {
            let all = list(it)?;
            same(all.get(position(index)?.checked_rem(all.len())?)?)
        }
        ("coalesce", all) => {
            let is_given = |it: &&Node| it.value != Value::Null && it.scalar() != Some("");
            same(all.iter().find(is_given)?)
        }
        ("coalescelist", all) => {
            same(all.iter().find(|it| list(it).is_some_and(|it| !it.is_empty()))?)
        }
        ("contains", [it, wanted]) => {
            let has = list(it)?.iter().any(|it| is_same(it, wanted) == Some(true));
            Some(Pure::Made(Value::Bool(has)))
        }
        ("length", [it]) => {
            let length = match &it.value {
                Value::Array(items) => items.len(),
                Value::Object(members) => members.len(),
                Value::Unknown
                | Value::Null
                | Value::Bool(_)
                | Value::Number(_)
                | Value::Text(_) => it.scalar()?.chars().count(),
            };
            Some(Pure::Made(Value::Number(length.to_string())))
        }
        ("keys", [it]) => {
            let key = |it: &Member| Node { span: it.span, value: Value::Text(it.key.clone()) };
            let mut keys: Vec<_> = it.members()?.iter().map(key).collect();
            keys.sort_by(|one, other| one.scalar().cmp(&other.scalar()));
            items(keys)
        }
        ("values", [it]) => {
            let mut members: Vec<_> = it.members()?.iter().collect();
            members.sort_by(|one, other| one.key.cmp(&other.key));
            items(members.iter().map(|it| it.value.clone()).collect())
        }
        _ => None,
    }
}

/// Adds the items of lists within lists. Returns `None` if an item is not known, which may be a list.
fn flatten(items: &[Node], flat: &mut Vec<Node>) -> Option<()> {
    for it in items {
        match &it.value {
            Value::Array(items) => flatten(items, flat)?,
            Value::Unknown => return None,
            Value::Object(_) | Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) => {
                flat.push(it.clone());
            }
        }
    }
    Some(())
}

/// Returns each of these values once.
fn distinct(mut items: Vec<Node>) -> Vec<Node> {
    let mut seen = HashSet::new();
    items.retain(|it| seen.insert(key_of(it)));
    items
}

fn keys_of(items: &[Node]) -> HashSet<String> {
    items.iter().map(key_of).collect()
}

/// Returns a text that two values share only if they are the same.
fn key_of(node: &Node) -> String {
    node.scalar().map_or_else(|| node.to_json(), ToOwned::to_owned)
}

/// Returns a value as an index or a number of items.
fn position(node: &Node) -> Option<usize> {
    node.scalar()?.parse().ok()
}

/// Returns the numbers from `from` to before `to`.
fn range(span: Span, from: i64, to: i64, by: i64) -> Option<Pure> {
    let numbers = std::iter::successors(Some(from), |it| it.checked_add(by));
    let is_before = |it: &i64| if by > 0 { *it < to } else { *it > to };
    let node = |it: i64| Node { span, value: Value::Number(it.to_string()) };
    let numbers: Vec<_> = numbers.take_while(is_before).take(MOST_ITEMS + 1).map(node).collect();
    (by != 0 && numbers.len() <= MOST_ITEMS).then_some(Pure::Made(Value::Array(numbers)))
}

/// Returns a text in which each word begins with a capital letter.
fn title(text: &str) -> String {
    let mut is_first = true;
    let letter = |it: char| {
        let is_first = std::mem::replace(&mut is_first, !it.is_alphanumeric());
        if is_first { it.to_uppercase().collect() } else { it.to_string() }
    };
    text.chars().map(letter).collect()
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
