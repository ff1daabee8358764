//! What came of checking something.

use policy::{Code, Finding, Severity, Span};

/// What came of checking something.
#[derive(Default)]
pub(crate) struct Checked {
    /// What is wrong with it.
    pub(crate) findings: Vec<Finding>,
    /// How many policies were looked at.
    pub(crate) policies: usize,
    /// Where they stand.
    pub(crate) places: Vec<Span>,
}

impl Checked {
    /// Adds one policy, which stands at `place`.
    pub(crate) fn add(&mut self, place: Span, findings: impl IntoIterator<Item = Finding>) {
        self.policies += 1;
        self.places.push(place);
        self.findings.extend(findings);
    }

    /// Adds that something could not be checked.
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

    /// Adds all of another.
    pub(crate) fn extend(&mut self, other: Self) {
        let Self { findings, policies, places } = other;
        self.findings.extend(findings);
        self.policies += policies;
        self.places.extend(places);
    }
}
