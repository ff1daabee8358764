//! Findings in the formats of other programs.

use std::collections::BTreeSet;

use media::html::text;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use policy::Severity;
use policy::document::sha256;
use serde_json::{Value, json};

/// The characters that need an escape in the path of a URI.
const PATH: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A finding in the form that all formats share.
#[derive(Clone, Debug)]
pub(crate) struct Found<'a> {
    /// The thing that the finding is about.
    pub(crate) about: About<'a>,
    /// The place in the thing; empty for the whole thing.
    pub(crate) path: &'a str,
    pub(crate) severity: Severity,
    /// The code for programs.
    pub(crate) code: &'a str,
    /// The problem in words.
    pub(crate) message: &'a str,
    /// The whole finding on one line.
    pub(crate) whole: String,
}

/// The thing that a finding is about.
#[derive(Clone, Copy, Debug)]
pub(crate) enum About<'a> {
    /// A file with its name, and the line and column from 1. Both are 0 if the finding has no
    /// place.
    File { name: &'a str, line: u32, column: u32 },
    /// A resource with its ARN.
    Resource(&'a str),
}

impl<'a> About<'a> {
    fn name(self) -> &'a str {
        match self {
            Self::File { name, .. } | Self::Resource(name) => name,
        }
    }

    fn line(self) -> u32 {
        match self {
            Self::File { line, .. } => line,
            Self::Resource(_) => 0,
        }
    }
}

/// Returns an issue of a code quality report of GitLab. Such an issue has no column, and it
/// requires a path even if it is not about a file.
pub(crate) fn gitlab(found: &Found<'_>) -> Value {
    let Found { about, path, severity, code, message, whole } = found;
    let name = about.name();
    // The fingerprint of a finding stays the same if its lines move.
    let fingerprint = sha256(format!("{name}\n{code}\n{path}\n{message}").as_bytes());
    let severity = match severity {
        Severity::Error => "major",
        Severity::Warning => "minor",
    };
    json!({
        "description": whole, "check_name": code, "fingerprint": fingerprint, "severity": severity,
        "location": { "path": name, "lines": { "begin": about.line().max(1) } },
    })
}

/// Returns a result of SARIF. A result about a resource has only a logical location.
pub(crate) fn sarif_result(found: &Found<'_>) -> Value {
    let Found { about, path, severity, code, whole, .. } = found;
    let location = match *about {
        About::File { name, line, column } => {
            let uri = utf8_percent_encode(name, PATH).to_string();
            let mut place = json!({ "artifactLocation": { "uri": uri } });
            if line > 0
                && let Some(place) = place.as_object_mut()
            {
                let region = json!({ "startLine": line, "startColumn": column });
                place.insert("region".to_owned(), region);
            }
            json!({
                "physicalLocation": place, "logicalLocations": [{ "fullyQualifiedName": path }],
            })
        }
        About::Resource(arn) => {
            json!({ "logicalLocations": [{ "fullyQualifiedName": arn, "kind": "resource" }] })
        }
    };
    json!({
        "ruleId": code, "level": severity.to_string(), "message": { "text": whole },
        "locations": [location],
    })
}

/// Returns a document of SARIF 2.1.0 with these results, and a rule for each code of `codes`.
pub(crate) fn sarif(codes: &BTreeSet<&str>, results: Vec<Value>) -> Value {
    let rules: Vec<_> = codes.iter().map(|it| json!({ "id": it })).collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "org-backup", "version": env!("CARGO_PKG_VERSION"), "rules": rules,
            } },
            "results": results,
        }],
    })
}

/// Returns the beginning of a test report of `JUnit`. Its suites are [`suite`].
pub(crate) fn junit_begin(command: &str) -> [String; 2] {
    let head = r#"<?xml version="1.0" encoding="UTF-8"?>"#.to_owned();
    [head, format!(r#"<testsuites name="org-backup {command}">"#)]
}

/// The end of a test report of `JUnit`.
pub(crate) const JUNIT_END: &str = "</testsuites>";

/// Returns a suite of `JUnit`. Each test has a name and, if it failed, its finding.
pub(crate) fn suite(name: &str, tests: &[(String, Option<Found<'_>>)]) -> Vec<String> {
    let (suite, count) = (text(name), tests.len());
    let failures = tests.iter().filter(|it| it.1.is_some()).count();
    let mut lines = vec![format!(
        r#"  <testsuite name="{suite}" tests="{count}" failures="{failures}" errors="0" skipped="0">"#
    )];
    for (name, found) in tests {
        let name = text(name);
        let Some(Found { severity, message, whole, .. }) = found else {
            lines.push(format!(r#"    <testcase classname="{suite}" name="{name}"/>"#));
            continue;
        };
        let (message, whole) = (text(message), text(whole));
        lines.push(format!(r#"    <testcase classname="{suite}" name="{name}">"#));
        lines.push(format!(
            r#"      <failure type="{severity}" message="{message}">{whole}</failure>"#
        ));
        lines.push("    </testcase>".to_owned());
    }
    lines.push("  </testsuite>".to_owned());
    lines
}
