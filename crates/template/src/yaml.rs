//! Reads YAML into the same documents as JSON, including places and repeated keys.
//!
//! The short forms of CloudFormation's intrinsic functions are converted to the long ones:
//! `!Ref Vault` becomes `{"Ref": "Vault"}`, and `!GetAtt Vault.Arn` becomes
//! `{"Fn::GetAtt": ["Vault", "Arn"]}`.

use std::collections::{HashMap, HashSet};

use policy::{Code, Finding, Member, Node, Severity, Span, Value, json, locate};
use saphyr_parser::{Event, Parser, ScalarStyle, Tag};

use crate::Documents;

/// The most bytes of a document after its aliases are expanded: the same as for a text.
const MAX_SIZE: usize = json::MAX_BYTES;

/// The bytes counted for a value in addition to its text.
const EACH: usize = 8;

/// The most findings of one kind that are collected.
const MOST_FINDINGS: usize = 100;

/// Reads all documents of a YAML text.
///
/// If the text cannot be read to its end, the documents before that place are returned.
pub(crate) fn read(text: &str) -> Documents {
    if text.len() > json::MAX_BYTES {
        // Both syntaxes have the same limit and message.
        return json::read(text).into();
    }
    let mut builder = Builder::new(text);
    let mut result = Ok(());
    for event in Parser::new_from_str(text) {
        result = match event {
            Ok((event, span)) => builder.event(event, builder.span(span)),
            Err(error) => {
                let at = builder.offset(error.marker().index());
                Err((Span { start: at, end: at }, error.info().to_owned()))
            }
        };
        if result.is_err() {
            break;
        }
    }
    let Builder { documents: all, mut findings, mut words, .. } = builder;
    if let Err((span, message)) = result {
        findings.push(finding(Code::Syntax, String::new(), span, message));
    } else if all.is_empty() {
        let message = "the document is empty".to_owned();
        findings.push(finding(Code::Syntax, String::new(), Span::default(), message));
    }
    locate(text, &mut findings);
    locate(text, &mut words);
    Documents { all, findings, words }
}

/// The state of the parser: the containers that are still open, the innermost last.
struct Builder {
    open: Vec<Open>,
    anchors: HashMap<usize, (Node, usize)>,
    documents: Vec<Node>,
    findings: Vec<Finding>,
    words: Vec<Finding>,
    /// The number of bytes counted for the values so far.
    size: usize,
    /// The byte at which each character starts, if the text is not ASCII.
    offsets: Option<Vec<u32>>,
}

/// A list or object that has started.
struct Open {
    start: u32,
    anchor: usize,
    function: Option<String>,
    /// The number of bytes counted before it.
    before: usize,
    content: Content,
}

enum Content {
    Sequence(Vec<Node>),
    Mapping {
        members: Vec<Member>,
        /// Members from merge keys. They apply if the mapping does not have the key itself.
        merged: Vec<Member>,
        keys: HashSet<String>,
        key: Option<Key>,
    },
}

impl Content {
    /// Returns the key or index of the value that is being read.
    fn here(&self) -> String {
        match self {
            Self::Sequence(items) => items.len().to_string(),
            Self::Mapping { key, .. } => key.clone().unwrap_or_default().text,
        }
    }
}

/// A key whose value is read next.
#[derive(Clone, Default)]
struct Key {
    text: String,
    span: Span,
    /// True if its value contains members for the surrounding mapping.
    is_merge: bool,
}

type Stop = (Span, String);

impl Builder {
    fn new(text: &str) -> Self {
        let offset = |(index, _): (usize, char)| u32::try_from(index).unwrap_or(u32::MAX);
        let offsets = (!text.is_ascii()).then(|| text.char_indices().map(offset).collect());
        Self {
            open: Vec::new(),
            anchors: HashMap::new(),
            documents: Vec::new(),
            findings: Vec::new(),
            words: Vec::new(),
            size: 0,
            offsets,
        }
    }

    fn offset(&self, index: usize) -> u32 {
        match &self.offsets {
            None => u32::try_from(index).unwrap_or(u32::MAX),
            Some(offsets) => offsets.get(index).or(offsets.last()).copied().unwrap_or_default(),
        }
    }

    fn span(&self, span: saphyr_parser::Span) -> Span {
        Span { start: self.offset(span.start.index()), end: self.offset(span.end.index()) }
    }

    fn event(&mut self, event: Event<'_>, span: Span) -> Result<(), Stop> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let tag = tag.as_deref();
                if self.awaits_key() {
                    let is_merge = text == "<<" && style == ScalarStyle::Plain;
                    return self.key(Key { text: text.into_owned(), span, is_merge });
                }
                if self.open.is_empty() && span.start == span.end {
                    // There is no document after a final `---`.
                    return Ok(());
                }
                if style == ScalarStyle::Plain && tag.is_none() && is_read_otherwise(&text) {
                    self.word(&text, span);
                }
                let value = Node { span, value: scalar(&text, style, tag) };
                let node = with_function(function(tag), value);
                let size = EACH + text.len();
                self.grow(size, span)?;
                self.close(node, anchor, size)
            }
            Event::SequenceStart(anchor, tag) => {
                self.begin(Content::Sequence(Vec::new()), anchor, tag.as_deref(), span)
            }
            Event::MappingStart(anchor, tag) => {
                let (members, merged, keys) = (Vec::new(), Vec::new(), HashSet::new());
                let content = Content::Mapping { members, merged, keys, key: None };
                self.begin(content, anchor, tag.as_deref(), span)
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(open) = self.open.pop() else { return Ok(()) };
                let value = match open.content {
                    Content::Sequence(items) => Value::Array(items),
                    Content::Mapping { mut members, merged, mut keys, .. } => {
                        members.extend(merged.into_iter().filter(|it| keys.insert(it.key.clone())));
                        Value::Object(members)
                    }
                };
                let end = span.end.max(open.start);
                let node = Node { span: Span { start: open.start, end }, value };
                let size = self.size - open.before;
                self.close(with_function(open.function, node), open.anchor, size)
            }
            Event::Alias(anchor) => {
                let Some(size) = self.anchors.get(&anchor).map(|it| it.1) else {
                    return Err((span, "this alias has no anchor".to_owned()));
                };
                // The limit is checked before the alias is expanded.
                self.grow(size, span)?;
                let node = self.anchors.get(&anchor).map(|it| it.0.clone());
                node.map_or(Ok(()), |it| self.close(it, 0, size))
            }
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => Ok(()),
        }
    }

    fn begin(
        &mut self,
        content: Content,
        anchor: usize,
        tag: Option<&Tag>,
        span: Span,
    ) -> Result<(), Stop> {
        if self.open.len() >= json::MAX_DEPTH {
            return Err((span, format!("nested more than {} levels deep", json::MAX_DEPTH)));
        }
        if self.awaits_key() {
            return Err((span, "a key must be a string, not a list or an object".to_owned()));
        }
        let before = self.size;
        self.grow(EACH, span)?;
        let (start, function) = (span.start, function(tag));
        self.open.push(Open { start, anchor, function, before, content });
        Ok(())
    }

    /// Counts expanded bytes, and stops at the limit.
    fn grow(&mut self, size: usize, span: Span) -> Result<(), Stop> {
        self.size += size;
        if self.size > MAX_SIZE {
            return Err((span, "too large once its aliases are written out".to_owned()));
        }
        Ok(())
    }

    fn awaits_key(&self) -> bool {
        matches!(self.open.last(), Some(Open { content: Content::Mapping { key: None, .. }, .. }))
    }

    fn key(&mut self, new: Key) -> Result<(), Stop> {
        let Key { text, span, .. } = &new;
        self.grow(EACH + text.len(), *span)?;
        let path = self.path();
        if let Some(Open { content: Content::Mapping { keys, key, .. }, .. }) = self.open.last_mut()
        {
            if !keys.insert(text.clone()) && self.findings.len() < MOST_FINDINGS {
                let path = if path.is_empty() { text.clone() } else { format!("{path}/{text}") };
                let message =
                    format!("the key `{text}` is given twice here; AWS refuses the whole document");
                self.findings.push(finding(Code::DuplicateKey, path, *span, message));
            }
            *key = Some(new);
        }
        Ok(())
    }

    /// Records a word that YAML 1.1 and 1.2 read differently.
    fn word(&mut self, text: &str, span: Span) {
        if self.words.len() >= MOST_FINDINGS {
            return;
        }
        let mut path = self.path();
        if let Some(open) = self.open.last() {
            let separator = if path.is_empty() { "" } else { "/" };
            path = format!("{path}{separator}{}", open.content.here());
        }
        let meaning = match scalar(text, ScalarStyle::Plain, None) {
            Value::Null => "is null, of which AWS makes the text `null`",
            Value::Bool(_)
            | Value::Number(_)
            | Value::Text(_)
            | Value::Array(_)
            | Value::Object(_)
            | Value::Unknown => {
                "is a string here and something else to other readers, such as CloudFormation, \
                 which reads YAML 1.1"
            }
        };
        let message = format!("`{text}` without quotes {meaning}; write `\"{text}\"`");
        let severity = Severity::Warning;
        self.words.push(Finding { severity, ..finding(Code::YamlWord, path, span, message) });
    }

    /// Returns the keys that lead to the innermost open container.
    fn path(&self) -> String {
        let outer = self.open.iter().rev().skip(1).rev();
        outer.map(|it| it.content.here()).collect::<Vec<_>>().join("/")
    }

    /// Adds a finished value to its container.
    fn close(&mut self, node: Node, anchor: usize, size: usize) -> Result<(), Stop> {
        if anchor > 0 {
            // A value with an anchor is stored twice.
            self.grow(size, node.span)?;
            self.anchors.insert(anchor, (node.clone(), size));
        }
        match self.open.last_mut().map(|it| &mut it.content) {
            None => self.documents.push(node),
            Some(Content::Sequence(items)) => items.push(node),
            Some(Content::Mapping { members, merged, key, .. }) => match key.take() {
                None => return Err((node.span, "a key must be a string".to_owned())),
                Some(Key { is_merge: true, .. }) => merged.extend(members_to_merge(node)?),
                Some(Key { text: key, span, .. }) => {
                    members.push(Member { key, span, value: node });
                }
            },
        }
        Ok(())
    }
}

/// Returns the members in the value of a merge key: those of one mapping, or of each in a list.
fn members_to_merge(node: Node) -> Result<Vec<Member>, Stop> {
    let refused = |span| (span, "`<<` takes a mapping or a list of mappings".to_owned());
    match node.value {
        Value::Object(members) => Ok(members),
        Value::Array(items) => {
            let mut all = Vec::new();
            for item in items {
                let Value::Object(members) = item.value else { return Err(refused(item.span)) };
                all.extend(members);
            }
            Ok(all)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Unknown => {
            Err(refused(node.span))
        }
    }
}

/// Returns `true` if other readers give a word without quotes another text than this one: a boolean,
/// number or date of YAML 1.1, a number that has a shorter form, and null.
fn is_read_otherwise(text: &str) -> bool {
    let word = text.to_ascii_lowercase();
    if matches!(word.as_str(), "yes" | "no" | "on" | "off" | "null" | "~") {
        return true;
    }
    let unsigned = word.strip_prefix(['-', '+']).unwrap_or(&word);
    if unsigned == ".inf" || word == ".nan" {
        return true;
    }
    // A date may have a time after it.
    let date = word.split(['t', ' ']).next().unwrap_or_default();
    if word.len() > date.len() && is_read_otherwise(date) && date.len() == 10 {
        return true;
    }
    let is_decimal = unsigned.starts_with(|it: char| it.is_ascii_digit())
        && unsigned.bytes().all(|it| it.is_ascii_digit() || b"_.e+-".contains(&it));
    if is_decimal && unsigned.replace('_', "").parse::<f64>().is_ok() {
        let is_shortest = |it: f64| it.to_string() == unsigned;
        return word.starts_with('+') || !unsigned.parse().is_ok_and(is_shortest);
    }
    let is = |text: &str, allowed: &dyn Fn(u8) -> bool| {
        !text.is_empty() && text.bytes().all(|it| it == b'_' || allowed(it))
    };
    let is_octal = |it: u8| (b'0'..=b'7').contains(&it);
    let prefixed = |prefix, allowed: &dyn Fn(u8) -> bool| {
        unsigned.strip_prefix(prefix).is_some_and(|rest| is(rest, allowed))
    };
    let numbers = |separator| unsigned.split(separator).map(|it| is(it, &|it| it.is_ascii_digit()));
    prefixed("0", &is_octal)
        || prefixed("0x", &|it| it.is_ascii_hexdigit())
        || prefixed("0b", &|it| it == b'0' || it == b'1')
        || (unsigned.contains(':') && !unsigned.starts_with('0') && numbers(':').all(|it| it))
        || (word.len() == 10 && word.split('-').count() == 3 && numbers('-').all(|it| it))
}

/// Returns the long name of the function that a tag such as `!Ref` stands for.
fn function(tag: Option<&Tag>) -> Option<String> {
    let tag = tag.filter(|it| it.handle == "!" && !it.suffix.is_empty())?;
    Some(match tag.suffix.as_str() {
        it @ ("Ref" | "Condition") => it.to_owned(),
        it => format!("Fn::{it}"),
    })
}

fn with_function(function: Option<String>, node: Node) -> Node {
    let Some(key) = function else { return node };
    let span = node.span;
    let node = match node.scalar().and_then(|it| it.split_once('.')) {
        Some((resource, attribute)) if key == "Fn::GetAtt" => {
            let names = [resource, attribute].map(|it| Value::Text(it.to_owned()));
            let names = names.map(|value| Node { span, value });
            Node { span, value: Value::Array(names.into()) }
        }
        _ => node,
    };
    Node { span, value: Value::Object(vec![Member { key, span, value: node }]) }
}

fn scalar(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Value {
    let is_text = tag.is_some_and(|it| it.is_yaml_core_schema() && it.suffix == "str");
    if style != ScalarStyle::Plain || is_text || function(tag).is_some() {
        return Value::Text(text.to_owned());
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ => match json::read(text) {
            (Some(Node { value: number @ Value::Number(_), .. }), _) => number,
            _ => Value::Text(text.to_owned()),
        },
    }
}

fn finding(code: Code, path: String, span: Span, message: String) -> Finding {
    Finding { severity: Severity::Error, code, path, span, line: 0, column: 0, message }
}

#[cfg(test)]
mod tests {
    use policy::json;
    use proptest::collection::{btree_map, vec};
    use proptest::prelude::*;
    use proptest::sample::select;

    use policy::{Finding, Node};

    /// The first document, and what is wrong with the text.
    fn read(text: &str) -> (Option<Node>, Vec<Finding>) {
        let documents = super::read(text);
        (documents.all.into_iter().next(), documents.findings)
    }

    /// Text that is nearly YAML.
    fn scribble() -> impl Strategy<Value = String> {
        let pieces = vec![
            "a", ": ", "- ", "\n", "  ", "{", "}", "[", "]", ",", "!Ref ", "!!str ", "!Sub ",
            "&x ", "*x", "|\n", ">-\n", "\"", "'", "? ", "---\n", "...\n", "# ", "%", "é", "\t",
            "60", "~",
        ];
        vec(select(pieces), 0..40).prop_map(|it| it.concat())
    }

    /// Lists of a long text, each of which has the one before a few times.
    fn nested() -> impl Strategy<Value = String> {
        (1..2_000_usize, vec(1..9_usize, 0..8)).prop_map(|(length, levels)| {
            let levels = levels.into_iter().enumerate().map(|(before, times)| {
                let aliases = format!("*l{before}, ").repeat(times);
                format!("l{0}: &l{0} [{aliases}]\n", before + 1)
            });
            let first = format!("l0: &l0 {}\n", "x".repeat(length));
            [first].into_iter().chain(levels).collect::<String>()
        })
    }

    fn document() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            any::<bool>().prop_map(serde_json::Value::from),
            any::<i32>().prop_map(serde_json::Value::from),
            Just(serde_json::Value::Null),
            "[a-zA-Z0-9 @:/*?{}#-]{0,8}".prop_map(serde_json::Value::from),
        ];
        leaf.prop_recursive(5, 40, 5, |inner| {
            prop_oneof![
                vec(inner.clone(), 0..5).prop_map(serde_json::Value::from),
                btree_map("[a-zA-Z0-9 @:]{0,6}", inner, 0..5)
                    .prop_map(|it| serde_json::Value::Object(it.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in prop_oneof![scribble(), any::<String>()]) {
            let (_, findings) = read(&text);
            for finding in findings {
                prop_assert!(finding.line > 0);
            }
        }

        #[test]
        fn whatever_is_read_is_bounded_and_is_the_same_json(text in prop_oneof![scribble(), nested()]) {
            if let (Some(document), _) = read(&text) {
                let written = document.to_json();
                // An escape is six bytes in place of one.
                prop_assert!(written.len() <= 6 * super::MAX_SIZE, "{} bytes", written.len());
                let (again, _) = read(&written);
                prop_assert_eq!(again.map(|it| it.to_json()), Some(written));
            }
        }

        #[test]
        fn json_is_yaml(document in document()) {
            let text = format!("{document:#}");
            let (as_json, _) = json::read(&text);
            let (as_yaml, findings) = read(&text);
            prop_assert_eq!(findings, []);
            prop_assert_eq!(as_json.map(|it| it.to_json()), as_yaml.map(|it| it.to_json()));
        }
    }

    #[test]
    fn every_document_of_a_text_is_read() {
        let texts = |text: &str| {
            let read = super::read(text);
            assert_eq!(read.findings, [], "{text}");
            read.all.iter().map(Node::to_json).collect::<Vec<_>>()
        };
        assert_eq!(texts("a: 1\n---\nb: 2\n---\n"), [r#"{"a":1}"#, r#"{"b":2}"#]);
        assert_eq!(texts("---\n- x\n...\n---\n~\n"), [r#"["x"]"#, "null"]);
        let broken = super::read("a: 1\n---\nb: [\n");
        assert_eq!((broken.all.len(), broken.findings.len()), (1, 1));
        assert_eq!(super::read("# nothing\n---\n").findings[0].message, "the document is empty");
    }

    #[test]
    fn merge_keys_bring_what_is_not_there() {
        let merged = |text: &str| {
            let (document, findings) = read(text);
            assert_eq!(findings, [], "{text}");
            document.unwrap().member("z").unwrap().to_json()
        };
        let base = "x: &x {a: 1, b: 2}\ny: &y {b: 3, c: 4}\n";
        assert_eq!(merged(&format!("{base}z: {{b: 0, <<: *x}}")), r#"{"b":0,"a":1}"#);
        assert_eq!(merged(&format!("{base}z: {{<<: [*x, *y]}}")), r#"{"a":1,"b":2,"c":4}"#);
        assert_eq!(merged("z: {'<<': 1}"), r#"{"<<":1}"#);
        let (document, findings) = read("z: {<<: 1}");
        assert_eq!(document, None);
        assert_eq!(findings[0].message, "`<<` takes a mapping or a list of mappings");
    }

    #[test]
    fn words_that_yaml_1_1_reads_otherwise_are_noted() {
        let text = "[yes, 'yes', On, !!str off, 010, 018, 0x1f, 1:30, 2026-11-21, node, 10, n, 1_000, \
                    +5, 1.5, 1.50, 1e3, .inf, -.inf, 2026-11-21T05:00:00Z, 1.2.3, 7, 0, 0.5, 10-4, -3, ~, Null]";
        let words = super::read(text).words;
        let places: Vec<usize> = words.iter().map(|it| it.path.parse().unwrap()).collect();
        assert_eq!(places, [0, 2, 4, 5, 6, 7, 8, 12, 13, 15, 16, 17, 18, 19, 26, 27]);
        assert_eq!((words[1].line, words[1].column), (1, 14));
        let words = super::read("a: {b: [x, no]}").words;
        assert_eq!(words[0].path, "a/b/1");
    }

    #[test]
    fn scalars_are_what_yaml_says_they_are() {
        let text = "[60, 1.50, 060, true, yes, null, ~, '', '60', !!str 60, 2026-11-21, 0x10]";
        let (document, findings) = read(text);
        assert_eq!(findings, []);
        assert_eq!(
            document.unwrap().to_json(),
            r#"[60,1.50,"060",true,"yes",null,null,"","60","60","2026-11-21","0x10"]"#
        );
    }

    #[test]
    fn short_forms_of_functions_become_long_ones() {
        let text =
            "- !Ref Vault\n- !Sub 'a-${b}'\n- !Join ['', [a, !GetAtt r.Arn]]\n- !If\n  - c\n";
        let (document, _) = read(text);
        assert_eq!(
            document.unwrap().to_json(),
            r#"[{"Ref":"Vault"},{"Fn::Sub":"a-${b}"},{"Fn::Join":["",["a",{"Fn::GetAtt":["r","Arn"]}]]},{"Fn::If":["c"]}]"#
        );
    }

    #[test]
    fn aliases_of_long_texts_are_bounded_by_their_bytes_and_not_by_their_number() {
        // 200 kB that would be 2 GB.
        let long = "x".repeat(100_000);
        let text = format!("a: &x {long}\nb: [{}]\n", "*x, ".repeat(20_000));
        let (document, findings) = read(&text);
        assert!(document.is_none());
        assert!(findings[0].message.contains("too large once its aliases"), "{findings:?}");
        // The same in levels, each of which is twice the one before.
        let levels = (1..40).map(|it| format!("l{it}: &l{it} [*l{0}, *l{0}]\n", it - 1));
        let (document, findings) = read(&format!("l0: &l0 x\n{}", levels.collect::<String>()));
        assert!(document.is_none());
        assert!(findings[0].message.contains("too large once its aliases"), "{findings:?}");
    }

    #[test]
    fn aliases_are_written_out() {
        let (document, _) = read("a: &x {b: [1]}\nc: *x\n");
        assert_eq!(document.unwrap().to_json(), r#"{"a":{"b":[1]},"c":{"b":[1]}}"#);
        assert!(read("a: *nothing").0.is_none());
    }
}
