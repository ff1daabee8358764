//! AWS's own descriptions of its services, as they come with botocore.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use flate2::read::GzDecoder;
use regex::Regex;
use serde_json::Value;

/// The description of one service.
pub(crate) struct Model(Value);

/// Pairs of a shape and a value that AWS itself sends although its pattern says otherwise.
const REAL_EXCEPTIONS: [(&str, &str); 2] =
    [("ResourceType", "SAP HANA on Amazon EC2"), ("ResourceType", "Storage Gateway")];

impl Model {
    /// The newest description of `service`, which is read once.
    pub(crate) fn load(service: &'static str) -> &'static Self {
        static LOADED: Mutex<BTreeMap<&str, &'static Model>> = Mutex::new(BTreeMap::new());
        let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
        loaded.entry(service).or_insert_with(|| Box::leak(Box::new(Self::read(service))))
    }

    fn read(service: &str) -> Self {
        let folder = data_folder().join(service);
        let mut versions: Vec<_> = fs::read_dir(&folder)
            .unwrap_or_else(|error| panic!("cannot read {}: {error}", folder.display()))
            .map(|it| it.unwrap().path())
            .collect();
        versions.sort();
        let path = versions.last().expect("a version").join("service-2.json.gz");
        let file = File::open(&path).unwrap();
        Self(serde_json::from_reader(GzDecoder::new(file)).unwrap())
    }

    pub(crate) fn metadata(&self, name: &str) -> &str {
        self.0["metadata"][name].as_str().unwrap_or_default()
    }

    /// What the documentation says of an operation, markup included.
    pub(crate) fn documentation(&self, operation: &str) -> &str {
        self.0["operations"][operation]["documentation"].as_str().unwrap_or_default()
    }

    pub(crate) fn has(&self, operation: &str) -> bool {
        self.0["operations"].get(operation).is_some()
    }

    pub(crate) fn http(&self, operation: &str) -> (&str, &str) {
        let http = &self.0["operations"][operation]["http"];
        (http["method"].as_str().unwrap(), http["requestUri"].as_str().unwrap())
    }

    /// The shape of what the operation takes or gives.
    pub(crate) fn shape_of(&self, operation: &str, side: &str) -> Option<&str> {
        self.0["operations"][operation][side]["shape"].as_str()
    }

    pub(crate) fn wrapper(&self, operation: &str) -> &str {
        self.0["operations"][operation]["output"]["resultWrapper"].as_str().unwrap_or_default()
    }

    /// The errors of an operation, as they are called on the wire.
    pub(crate) fn errors(&self, operation: &str) -> BTreeSet<String> {
        let errors = self.0["operations"][operation]["errors"].as_array();
        let names = errors.into_iter().flatten().filter_map(|it| it["shape"].as_str());
        names.map(|it| self.error_code(it)).collect()
    }

    fn error_code(&self, shape: &str) -> String {
        let code = &self.definition(shape)["error"]["code"];
        code.as_str().unwrap_or(shape).to_owned()
    }

    pub(crate) fn kind(&self, shape: &str) -> &str {
        self.definition(shape)["type"].as_str().unwrap()
    }

    /// All that is said of a shape.
    pub(crate) fn definition(&self, shape: &str) -> &Value {
        &self.0["shapes"][shape]
    }

    /// The name and the shape of the member of `shape` that is called `tag` in XML.
    pub(crate) fn member_of(&self, shape: &str, tag: &str) -> Option<(&str, &str)> {
        let members = self.definition(shape)["members"].as_object()?;
        let called = |name: &str, it: &Value| it["locationName"].as_str().unwrap_or(name) == tag;
        let (name, member) = members.iter().find(|(name, it)| called(name, it))?;
        Some((name, member["shape"].as_str()?))
    }

    /// Whether the items of a list stand in XML without anything around them.
    pub(crate) fn is_flattened(&self, shape: &str) -> bool {
        self.definition(shape)["flattened"] == Value::Bool(true)
    }

    /// The shape of the items of a list.
    pub(crate) fn item(&self, shape: &str) -> &str {
        self.definition(shape)["member"]["shape"].as_str().unwrap()
    }

    pub(crate) fn members(&self, shape: &str) -> BTreeSet<&str> {
        let members = self.definition(shape)["members"].as_object();
        members.into_iter().flatten().map(|it| it.0.as_str()).collect()
    }

    /// The parameter of the query string that carries each member that one does.
    pub(crate) fn parameters(&self, shape: &str) -> BTreeSet<&str> {
        let members = self.definition(shape)["members"].as_object().into_iter().flatten();
        let in_query = members.filter(|it| it.1["location"] == "querystring");
        in_query.filter_map(|(_, it)| it["locationName"].as_str()).collect()
    }

    /// Where a member is in a request, and what it is called there.
    pub(crate) fn place(&self, shape: &str, member: &str) -> (&str, &str) {
        let it = &self.definition(shape)["members"][member];
        (it["location"].as_str().unwrap_or("body"), it["locationName"].as_str().unwrap_or_default())
    }

    /// The header that carries each member, in lower case.
    pub(crate) fn headers(&self, shape: &str) -> BTreeSet<String> {
        let members = self.definition(shape)["members"].as_object().into_iter().flatten();
        let headers = members.filter_map(|(_, it)| it["locationName"].as_str());
        headers.map(str::to_ascii_lowercase).collect()
    }

    pub(crate) fn required(&self, shape: &str) -> Vec<&str> {
        let required = self.definition(shape)["required"].as_array();
        required.into_iter().flatten().filter_map(Value::as_str).collect()
    }

    pub(crate) fn values(&self, shape: &str) -> BTreeSet<&str> {
        let values = self.definition(shape)["enum"].as_array();
        values.into_iter().flatten().filter_map(Value::as_str).collect()
    }

    /// Everything that is wrong with `value` as a `shape`; `at` says where it is.
    pub(crate) fn findings(&self, shape: &str, value: &Value, at: &str) -> Vec<String> {
        let it = self.definition(shape);
        match it["type"].as_str().unwrap() {
            // Any JSON.
            "structure" if it["document"] == Value::Bool(true) => vec![],
            "structure" => self.structure(shape, value, at),
            "list" => {
                let Some(list) = value.as_array() else { return vec![wrong(at, "a list", value)] };
                let member = it["member"]["shape"].as_str().unwrap();
                let item = |(index, it)| self.findings(member, it, &format!("{at}[{index}]"));
                list.iter().enumerate().flat_map(item).collect()
            }
            "map" => {
                let Some(map) = value.as_object() else { return vec![wrong(at, "a map", value)] };
                let shape = |side: &str| it[side]["shape"].as_str().unwrap();
                let key = |key: &str| self.findings(shape("key"), &Value::from(key), at);
                let item =
                    |name: &str, it| self.findings(shape("value"), it, &format!("{at}.{name}"));
                map.iter().flat_map(|(name, it)| [key(name), item(name, it)].concat()).collect()
            }
            "string" => text(shape, it, value, at),
            "blob" if value.is_string() => vec![],
            "boolean" if value.is_boolean() => vec![],
            "integer" | "long" if value.is_i64() => vec![],
            "timestamp" if value.is_number() || value.is_string() => vec![],
            kind => vec![wrong(at, kind, value)],
        }
    }

    fn structure(&self, shape: &str, value: &Value, at: &str) -> Vec<String> {
        let Some(members) = value.as_object() else { return vec![wrong(at, shape, value)] };
        let mut findings = Vec::new();
        for (name, value) in members {
            let at = format!("{at}.{name}");
            match self.definition(shape)["members"][name.as_str()]["shape"].as_str() {
                Some(shape) => findings.extend(self.findings(shape, value, &at)),
                None => findings.push(format!("{at}: no member of {shape}")),
            }
        }
        let missing = self.required(shape).into_iter().filter(|it| !members.contains_key(*it));
        findings.extend(missing.map(|it| format!("{at}: {it} is missing")));
        findings
    }
}

fn wrong(at: &str, expected: &str, value: &Value) -> String {
    format!("{at}: {expected} expected, not {value}")
}

fn text(shape: &str, it: &Value, value: &Value, at: &str) -> Vec<String> {
    let Some(text) = value.as_str() else { return vec![wrong(at, "a string", value)] };
    if REAL_EXCEPTIONS.contains(&(shape, text)) {
        return vec![];
    }
    let mut findings = Vec::new();
    if let Some(values) = it["enum"].as_array()
        && !values.contains(value)
    {
        findings.push(format!("{at}: {text} is no {shape}"));
    }
    let length = text.chars().count() as u64;
    let (min, max) = (it["min"].as_u64().unwrap_or(0), it["max"].as_u64().unwrap_or(u64::MAX));
    if !(min..=max).contains(&length) {
        findings.push(format!("{at}: {length} characters, {min} to {max} allowed"));
    }
    if let Some(pattern) = it["pattern"].as_str()
        && !whole(pattern).is_match(text)
    {
        findings.push(format!("{at}: {text} does not match {pattern}"));
    }
    findings
}

/// A pattern of AWS, which has to match all of a text, in the syntax of `regex`.
fn whole(pattern: &str) -> Regex {
    let codes = Regex::new(r"\\u([0-9A-F]{5,6}|[0-9A-F]{4})").unwrap();
    let pattern = codes.replace_all(pattern, r"\u{$1}");
    Regex::new(&format!("^(?:{pattern})$")).unwrap_or_else(|error| panic!("{pattern}: {error}"))
}

/// Where botocore keeps its descriptions.
#[expect(clippy::disallowed_methods, reason = "a test has no `main` that passes it on")]
fn data_folder() -> PathBuf {
    if let Some(folder) = std::env::var_os("BOTOCORE_DATA") {
        return PathBuf::from(folder);
    }
    let above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let libraries = above.filter_map(|it| fs::read_dir(it.join(".venv/lib")).ok());
    let libraries = libraries.flatten().flatten();
    let folders = libraries.map(|it| it.path().join("site-packages/botocore/data"));
    folders.into_iter().find(|it| it.is_dir()).expect(
        "AWS's service models are missing: run `make venv`, or set BOTOCORE_DATA to the folder \
         `data` of a botocore",
    )
}

#[test]
fn a_wrong_value_of_every_kind_is_found() {
    let model = Model::load("organizations");
    let findings = |shape: &str, value: Value| model.findings(shape, &value, "it");
    let policy = |value: Value| findings("PolicySummary", value);
    assert_eq!(policy(serde_json::json!({ "AwsManaged": true })), Vec::<String>::new());
    let wrong = [
        serde_json::json!({ "Nonsense": 1 }),
        serde_json::json!({ "Id": "x-12345678" }),
        serde_json::json!({ "Id": 1 }),
        serde_json::json!({ "Type": "BACKUP" }),
        serde_json::json!({ "AwsManaged": "true" }),
        serde_json::json!({ "Name": "" }),
    ];
    for value in wrong {
        assert_eq!(policy(value.clone()).len(), 1, "{value}");
    }
    assert_eq!(findings("Tag", serde_json::json!({ "Key": "a" })), ["it: Value is missing"]);
}
