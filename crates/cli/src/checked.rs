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
        self.findings.push(Finding {
            severity: Severity::Warning,
            code: Code::NotChecked,
            path: path.to_owned(),
            span,
            line: 0,
            column: 0,
            message: format!("this was not checked: {why}"),
        });
    }

    /// Adds everything of another result.
    pub(crate) fn extend(&mut self, other: Self) {
        let Self { findings, policies, places } = other;
        self.findings.extend(findings);
        self.policies += policies;
        self.places.extend(places);
    }
}
