//! The result of checking input.

use policy::{Code, Finding, Severity, Span};

/// The result of checking input.
#[derive(Default)]
pub(crate) struct Checked {
    /// The problems that were found.
    pub(crate) findings: Vec<Finding>,
    /// The number of policies that were checked.
    pub(crate) policies: usize,
    /// The places of these policies in the input.
    pub(crate) places: Vec<Span>,
}

impl Checked {
    /// Adds the findings of one policy, which is at `place`.
    pub(crate) fn add(&mut self, place: Span, findings: impl IntoIterator<Item = Finding>) {
        self.policies += 1;
        self.places.push(place);
        self.findings.extend(findings);
    }

    /// Adds a finding that something could not be checked.
    pub(crate) fn not_checked(&mut self, path: &str, span: Span, why: &str) {
        let why = format!("this was not checked: {why}");
        let (severity, code) = (Severity::Warning, Code::NotChecked);
        self.findings.push(finding(severity, code, path, span, &why));
    }

    /// Adds everything of another result.
    pub(crate) fn extend(&mut self, other: Self) {
        let Self { findings, policies, places } = other;
        self.findings.extend(findings);
        self.policies += policies;
        self.places.extend(places);
    }
}

/// Returns a finding about a place whose line is not counted yet.
pub(crate) fn finding(
    severity: Severity,
    code: Code,
    path: &str,
    span: Span,
    message: &str,
) -> Finding {
    let (path, message) = (path.to_owned(), message.to_owned());
    Finding { severity, code, path, span, line: 0, column: 0, message }
}
