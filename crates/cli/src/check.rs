//! `org-backup check`.

use std::fmt;
use std::iter;
use std::num::NonZero;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::SystemTime;

use errors::{advised, chain};
use policy::{
    Code, Finding, Node, Policy, Severity, Span, Value, contested, incomplete, inspect,
    inspect_fragment, is_policy_like, locate, white_space,
};
use serde_json::json;
use template::{Documents, Given, is_template};

use crate::checked::{Checked, finding};
use crate::formats::{About, Found};
use crate::hcl::{Folders, is_terraform, unread_language};
use crate::input::{self, Input, Inputs, NO_POLICY, Passed};
use crate::output::{self, Output, note};
use crate::plan::parameters;
use crate::{Check, CommandError, Exit, Format, embedded, formats, policies};

/// Checks everything that was named, and prints the findings.
pub(crate) fn run(arguments: &Check, now: SystemTime) -> Result<Exit, CommandError> {
    let given = Given::from(parameters::read(&arguments.parameters)?);
    let Inputs { all: inputs, mut passed, unreadable } = input::read_all(&arguments.files);
    let mut sum = Sum::default();
    let mut found = Vec::new();
    let folders = Folders::default();
    let results = each_in_parallel(&inputs, |input| {
        if is_terraform(input) { folders.check(input, now) } else { check(input, &given, now) }
    });
    for (input, checked) in inputs.into_iter().zip(results) {
        match checked {
            Ok(Checked { findings, policies, .. }) => {
                sum.policies += policies;
                sum.files += usize::from(policies > 0);
                found.push((input, findings));
            }
            Err(why) => {
                if input.is_named {
                    note("note", &format!("`{}` is not checked: {why}", input.name));
                }
                passed.push(Passed { name: input.name, why });
            }
        }
    }
    sum.passed = passed.len();
    // A report for a machine would pass without a file that it should be about.
    let unread = unreadable.iter().filter(|_| arguments.format() != Format::Text);
    found.extend(unread.filter_map(not_read));
    print(arguments.format(), &found)?;
    if arguments.verbose {
        passed.sort_by(|one, other| one.name.cmp(&other.name));
        for Passed { name, why } in &passed {
            note("passed over", &format!("`{name}`: {why}"));
        }
    }
    for it in &unreadable {
        note("error", &advised(chain(it), it.hint()));
    }
    if sum.policies == 0 {
        note("warning", "nothing was checked: the named files contain no backup policy");
    }
    note("checked", &sum.to_string());
    let counts = |it: &Finding| arguments.strict || it.severity == Severity::Error;
    let has_failed = found.iter().flat_map(|it| &it.1).any(counts);
    Ok(if !unreadable.is_empty() {
        Exit::Unfinished
    } else if has_failed || (arguments.strict && sum.policies == 0) {
        Exit::Findings
    } else {
        Exit::Fine
    })
}

/// Returns the finding about a file that cannot be read.
fn not_read(error: &CommandError) -> Option<(Input, Vec<Finding>)> {
    let CommandError::Unreadable { file, source } = error else { return None };
    let (name, text, root) = (file.clone(), String::new(), PathBuf::new());
    let why = format!("it cannot be read: {source}");
    let (severity, code) = (Severity::Error, Code::NotChecked);
    let mut findings = vec![finding(severity, code, "", Span::default(), &why)];
    locate(&text, &mut findings);
    Some((Input { name, text, is_named: true, root }, findings))
}

/// The stack size, in bytes, of a thread that checks: that of the main thread.
const STACK: usize = 8 << 20;

/// Returns what `check` makes of each input, in the same order. It works on every processor at once.
fn each_in_parallel<T: Send>(inputs: &[Input], check: impl Fn(&Input) -> T + Sync) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::with_capacity(inputs.len()));
    let work = || {
        let take = || {
            let index = next.fetch_add(1, Ordering::Relaxed);
            inputs.get(index).map(|it| (index, it))
        };
        let own: Vec<_> = iter::from_fn(take).map(|(index, it)| (index, check(it))).collect();
        done.lock().unwrap_or_else(PoisonError::into_inner).extend(own);
    };
    let processors = thread::available_parallelism().map_or(1, NonZero::get);
    thread::scope(|scope| {
        for _ in 1..processors.min(inputs.len()) {
            // If no thread can be started, those that there are do all of the work.
            let _ = thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work);
        }
        work();
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|it| it.0);
    done.into_iter().map(|it| it.1).collect()
}

/// Prints the findings of each text.
fn print(format: Format, found: &[(Input, Vec<Finding>)]) -> Result<(), CommandError> {
    let mut output = Output::new();
    match format {
        Format::Text => {
            for (input, findings) in found {
                for it in findings {
                    output.finding(&input.name, &input.text, it)?;
                }
            }
        }
        Format::Github => {
            for (input, findings) in found {
                findings.iter().try_for_each(|it| output.annotation(&input.name, it))?;
            }
        }
        Format::Json => {
            let each = |(input, all): &(Input, Vec<Finding>)| {
                all.iter().map(|it| json(&input.name, it)).collect::<Vec<_>>()
            };
            output.json(&found.iter().flat_map(each).collect())?;
        }
        Format::Gitlab => {
            output.json(&each(found).map(|it| formats::gitlab(&it)).collect())?;
        }
        Format::Sarif => {
            let codes = each(found).map(|it| it.code).collect();
            let results = each(found).map(|it| formats::sarif_result(&it)).collect();
            output.json(&formats::sarif(&codes, results))?;
        }
        Format::Junit => {
            formats::junit_begin("check").iter().try_for_each(|it| output.line(it))?;
            for (input, findings) in found {
                let suite = formats::suite(&input.name, &tests(&input.name, findings));
                suite.iter().try_for_each(|it| output.line(it))?;
            }
            output.line(formats::JUNIT_END)?;
        }
    }
    output.flush()
}

/// Returns each finding in the form for other programs.
fn each(found: &[(Input, Vec<Finding>)]) -> impl Iterator<Item = Found<'_>> {
    let all = found.iter().flat_map(|(input, all)| all.iter().map(|it| (&input.name, it)));
    all.map(|(name, it)| told(name, it, it.to_string()))
}

/// Returns the tests of a file. Each finding is a failed test, and a file without findings is a
/// passed one.
fn tests<'a>(name: &'a str, findings: &'a [Finding]) -> Vec<(String, Option<Found<'a>>)> {
    if findings.is_empty() {
        return vec![("policies".to_owned(), None)];
    }
    let failed = findings.iter().map(|it| {
        (format!("{} {}", it.code, it.path), Some(told(name, it, output::line(name, it))))
    });
    failed.collect()
}

fn told<'a>(name: &'a str, finding: &'a Finding, whole: String) -> Found<'a> {
    let Finding { severity, code, path, line, column, message, .. } = finding;
    Found {
        about: About::File { name, line: *line, column: *column },
        path,
        severity: *severity,
        code: code.as_str(),
        message,
        whole,
    }
}

/// The number of things that were checked.
#[derive(Default)]
struct Sum {
    policies: usize,
    files: usize,
    passed: usize,
}

impl fmt::Display for Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { policies, files, passed } = *self;
        let policy = if policies == 1 { "policy" } else { "policies" };
        let file = |it| if it == 1 { "file" } else { "files" };
        write!(f, "{policies} {policy} in {files} {}", file(files))?;
        write!(f, "; passed over {passed} {}", file(passed))
    }
}

fn json(file: &str, finding: &Finding) -> serde_json::Value {
    let Finding { severity, code, path, line, column, message, .. } = finding;
    json!({
        "file": file, "path": path, "line": line, "column": column,
        "severity": severity.to_string(), "code": code.as_str(), "message": message,
    })
}

/// Returns all findings of one text, in their order, or the reason why the text is passed over.
fn check(input: &Input, given: &Given, now: SystemTime) -> Result<Checked, String> {
    if let Some(checked) = unread_language(input) {
        return Ok(checked);
    }
    let Documents { all, findings, words } = input::parse_all(input);
    if !input.is_named && all.is_empty() && !is_meant_as_policy(&input.text) {
        let why = findings.into_iter().next().map(|it| it.message);
        return Err(why.unwrap_or_else(|| NO_POLICY.to_owned()));
    }
    let mut checked = Checked::default();
    let mut passed = None;
    for document in &all {
        match one(input, document, given, now) {
            Ok(it) => checked.extend(it),
            Err(why) => passed = Some(why),
        }
    }
    if let Some(why) = passed.filter(|_| checked.policies == 0 && checked.findings.is_empty()) {
        return Err(why);
    }
    checked.findings.extend(findings);
    // A word matters only in a value that AWS gets.
    let is_sent = |it: &Finding| {
        let is_within = |place: &Span| place.start <= it.span.start && it.span.end <= place.end;
        it.path.contains("/@@") && checked.places.iter().any(is_within)
    };
    let words: Vec<_> = words.into_iter().filter(is_sent).collect();
    checked.findings.extend(words);
    locate(&input.text, &mut checked.findings);
    Ok(checked)
}

/// Returns `true` if a text that cannot be read was meant to be a policy.
fn is_meant_as_policy(text: &str) -> bool {
    text.contains("plans") && text.contains("@@")
}

/// Returns all findings of one document, or the reason why it is passed over.
fn one(input: &Input, document: &Node, given: &Given, now: SystemTime) -> Result<Checked, String> {
    let mut checked = Checked::default();
    if is_template(document) {
        let found = policies::check(document, given, &input.text, now);
        if found.policies == 0 && (found.findings.is_empty() || !input.is_named) {
            return Err("it is a template without backup policies".to_owned());
        }
        return Ok(found);
    }
    if let Some(policies) = embedded::policies(document) {
        if policies.is_empty() {
            return Err(NO_POLICY.to_owned());
        }
        for it in policies {
            it.check(&mut checked, now);
        }
        return Ok(checked);
    }
    if !input.is_named && !looks_like_policies(document) {
        return Err(NO_POLICY.to_owned());
    }
    if let Value::Array(policies) = &document.value {
        checked.findings = level(policies, now);
        checked.policies = policies.len();
        checked.places = vec![document.span];
        return Ok(checked);
    }
    checked.add(document.span, inspect(document, now));
    if input::is_json(input) {
        // AWS gets the text as it is, so its length counts too.
        checked.findings.extend(white_space(&input.text, document));
    }
    Ok(checked)
}

/// Returns `true` if a file in a directory is meant to be checked.
fn looks_like_policies(document: &Node) -> bool {
    match &document.value {
        Value::Array(items) => !items.is_empty() && items.iter().all(is_policy_like),
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::Text(_)
        | Value::Object(_)
        | Value::Unknown => is_policy_like(document),
    }
}

/// The most backup policies that AWS attaches to one root, OU or account.
pub(crate) const MAX_POLICIES: usize = 10;

/// Checks the policies of one level, each by itself and all together.
fn level(policies: &[Node], now: SystemTime) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(first) = policies.get(MAX_POLICIES) {
        findings.push(Finding {
            severity: Severity::Error,
            code: Code::TooManyPolicies,
            path: MAX_POLICIES.to_string(),
            span: first.span,
            line: 0,
            column: 0,
            message: format!(
                "AWS attaches at most {MAX_POLICIES} backup policies to a root, OU or account, \
                 not {}",
                policies.len()
            ),
        });
    }
    let policies = policies.get(..MAX_POLICIES).unwrap_or(policies);
    let of = |index: usize, finding: Finding| {
        let separator = if finding.path.is_empty() { "" } else { "/" };
        Finding { path: format!("{index}{separator}{}", finding.path), ..finding }
    };
    for (index, policy) in policies.iter().enumerate() {
        findings.extend(inspect_fragment(policy, now).into_iter().map(|it| of(index, it)));
    }
    let together: Vec<_> = policies.iter().collect();
    findings.extend(incomplete(&together, now).into_iter().map(|(index, it)| of(index, it)));
    let merged = policies.iter().map(Policy::new).collect::<Result<Vec<_>, _>>();
    let names: Vec<_> = (0..policies.len()).map(|it| it.to_string()).collect();
    let merged = merged.unwrap_or_default();
    let peers: Vec<_> = names.iter().map(String::as_str).zip(&merged).collect();
    for it in contested(&peers) {
        let winner = it.policies.first().cloned().unwrap_or_default();
        let index = it.policies.last().and_then(|it| it.parse::<usize>().ok());
        let message = format!(
            "policies {} of this level each assign `{}`; the one attached first, {winner}, wins, \
             until somebody detaches it and attaches it again",
            it.policies.join(" and "),
            it.path,
        );
        findings.push(Finding {
            severity: Severity::Warning,
            code: Code::Contested,
            path: format!("{}/{}", it.policies.last().cloned().unwrap_or_default(), it.path),
            span: index.and_then(|it| policies.get(it)).map(|it| it.span).unwrap_or_default(),
            line: 0,
            column: 0,
            message,
        });
    }
    findings
}
