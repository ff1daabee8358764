//! The language of backup policies of AWS Organizations.
//!
//! This crate reads a policy, finds its errors, merges the policies that are attached from the root
//! down to an account, and returns the effective policy of the account. It knows nothing about AWS,
//! an organization or a resource of ours. Everything is a function of its arguments. The clock is
//! one of them, because AWS judges schedules by their next two runs.
//!
//! * [`check`] finds errors that AWS refuses, and statements that it accepts but handles
//!   differently than intended.
//! * [`parse`] returns a [`Policy`] that can be merged.
//! * [`Inherited`] goes down from the root level by level and shares everything that a level does
//!   not change. [`merge`] does it for one chain.
//! * [`Effective::validate`] and [`published`] model the checks that AWS makes after merging.
//! * [`EffectivePlan`] is what AWS Backup does by an effective policy, and [`cron`] handles schedules.
//! * [`document`] handles the text of a policy that is to be sent, with its variables.
//! * [`arn`], [`partition`] and [`pattern`] handle the ARNs and Regions that a policy names.
//!
//! # Check
//!
//! ```
//! # use std::time::{Duration, SystemTime};
//! use policy::{Code, Severity, check};
//!
//! let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_081_577);
//! let company = r#"{"plans": {"daily": {
//!     "regions": {"@@assign": ["eu-west-1"]},
//!     "rules": {"nightly": {
//!         "schedule_expression": {"@@assign": "cron(0 5 ? * * *)"},
//!         "target_backup_vault_name": {"@@assign": "keep"}
//!     }},
//!     "selections": {"tags": {"gold": {
//!         "iam_role_arn": {"@@assign": "arn:aws:iam::$account:role/backup"},
//!         "tag_key": {"@@assign": "tier"},
//!         "tag_value": {"@@assign": ["gold"]}
//!     }}}
//! }}}"#;
//! assert_eq!(check(company, now), []);
//!
//! // A typo is found with its place.
//! let typo = company.replace("eu-west-1", "eu-west-11");
//! let finding = &check(&typo, now)[0];
//! assert!(finding.to_string().starts_with("plans/daily/regions/@@assign/0: `eu-west-11` is not"));
//! assert_eq!((finding.line, finding.column), (2, 30));
//! assert_eq!((finding.code, finding.severity), (Code::UnknownRegion, Severity::Warning));
//! ```
//!
//! # Merge, and see what made each value so
//!
//! ```
//! use policy::{Inherited, Operator, parse};
//! use serde_json::json;
//!
//! let company = parse(r#"{"plans": {"daily": {"regions": {"@@assign": ["eu-west-1"]}}}}"#).unwrap();
//! let team = parse(r#"{"plans": {"daily": {"regions": {"@@append": ["eu-north-1"]}}}}"#).unwrap();
//! // Every account below the root shares what comes of the root.
//! let root = Inherited::root().descend("r-ab12", &[("company", &company)]);
//! let account = root.descend("111122223333", &[("team", &team)]).effective();
//! let document = account.to_json();
//! assert_eq!(document["plans"]["daily"]["regions"], json!(["eu-west-1", "eu-north-1"]));
//!
//! let leaves = account.leaves();
//! let by: Vec<_> = leaves[0]
//!     .origins
//!     .iter()
//!     .map(|it| (it.source.policy.as_str(), it.source.target.as_str(), it.operator))
//!     .collect();
//! assert_eq!(leaves[0].path, "plans/daily/regions");
//! assert_eq!(
//!     by,
//!     [("company", "r-ab12", Operator::Assign), ("team", "111122223333", Operator::Append)]
//! );
//! ```
//!
//! # Validate what was merged
//!
//! ```
//! # use std::time::{Duration, SystemTime};
//! use policy::{Effective, Inherited, parse, published};
//!
//! let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_081_577);
//! let half = parse(r#"{"plans": {"half": {"regions": {"@@assign": ["eu-west-1"]}}}}"#).unwrap();
//! let merged = Inherited::root().descend("r-ab12", &[("half", &half)]).effective();
//! let errors: Vec<_> =
//!     merged.validate(now).into_iter().map(|it| format!("{}: {}", it.path, it.message)).collect();
//! assert_eq!(errors, ["plans/half: 'rules' is missing", "plans/half: 'selections' is missing"]);
//!
//! // So AWS withholds all of it, and the account keeps what it had.
//! let before = Effective::default();
//! assert_eq!(published(&before, &merged, now), &before);
//! ```
//!
//! # See when a schedule runs next
//!
//! ```
//! # use std::time::{Duration, SystemTime};
//! use policy::cron::Schedule;
//!
//! // Thursday, 19 November 2026, 09:46 in UTC.
//! let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_081_577);
//! let schedule = Schedule::parse("cron(0 5 ? * SUN#1 *)").unwrap();
//! let mut runs = std::iter::successors(schedule.next(now), |it| schedule.next(*it));
//! // Sunday, 6 December 2026, 05:00 in UTC.
//! let first = SystemTime::UNIX_EPOCH + Duration::from_secs(1_796_533_200);
//! assert_eq!(runs.next(), Some(first));
//! assert_eq!(runs.next(), Some(first + Duration::from_hours(4 * 7 * 24)));
//! assert!(Schedule::parse("cron(0 5 * * *)").unwrap_err().contains("must be `?`"));
//! ```

/// The type of backup policies, as AWS Organizations spells it.
pub const BACKUP_POLICY: &str = "BACKUP_POLICY";

mod admit;
pub mod arn;
mod code;
mod complete;
pub mod cron;
pub mod document;
mod documented;
mod effective_plan;
mod finding;
pub mod json;
mod json_schema;
mod lint;
mod merge;
mod nearest;
mod node;
mod operator;
pub mod partition;
pub mod pattern;
mod plan_errors;
mod policy;
mod resource_types;
mod rules;
mod schema;
#[cfg(test)]
mod tests;
mod validate;
mod values;

use std::time::SystemTime;

pub use code::Code;
pub use complete::incomplete;
pub use effective_plan::{
    DEFAULT_SCHEDULE, EffectiveCondition, EffectiveCopy, EffectiveLifecycle, EffectivePlan,
    EffectiveRule, EffectiveSelection,
};
pub use finding::{Finding, Severity, locate};
pub use json_schema::json_schema;
pub use lint::{Contested, contested, white_space};
pub use merge::{Doubt, Effective, Inherited, Leaf, Level, Origin, merge};
pub use node::{Member, Node, Span, Value};
pub use operator::Operator;
pub use plan_errors::{EffectiveError, ErrorCode, Source};
pub use policy::{Policy, Setting};
pub use validate::published;

/// The most characters that AWS Organizations accepts in a backup policy, including white space.
pub const MAX_CHARACTERS: usize = 10_000;

/// Reads a policy for merging.
///
/// Any document of the operator grammar is accepted. [`check`] tells whether AWS accepts it as a
/// backup policy.
///
/// # Errors
///
/// Returns an error if the text is not JSON, repeats a key, or does not consist of operators.
pub fn parse(text: &str) -> Result<Policy, Vec<Finding>> {
    let (document, findings) = json::read(text);
    match document {
        Some(document) if findings.is_empty() => Policy::new(&document).map_err(|mut findings| {
            locate(text, &mut findings);
            findings
        }),
        _ => Err(findings),
    }
}

/// Returns all findings about a policy, in the order of its text.
#[must_use]
pub fn check(text: &str, now: SystemTime) -> Vec<Finding> {
    let (document, mut findings) = json::read(text);
    if let Some(document) = document {
        findings.extend(inspect(&document, now));
        findings.extend(white_space(text, &document));
        locate(text, &mut findings);
    }
    findings
}

/// Returns all findings about a policy that was read elsewhere, for example from a template.
///
/// The findings have no line and column. If there is a text, [`locate`] adds them.
#[must_use]
pub fn inspect(document: &Node, now: SystemTime) -> Vec<Finding> {
    let mut findings = inspect_fragment(document, now);
    findings.extend(incomplete(&[document], now).into_iter().map(|it| it.1));
    findings
}

/// Returns the same findings, without those about missing parts, which other policies of the level
/// may add. [`incomplete`] reports missing parts for all policies of a level together.
#[must_use]
pub fn inspect_fragment(document: &Node, now: SystemTime) -> Vec<Finding> {
    let mut findings = finding::Findings::default();
    admit::admit(document, now, &mut findings);
    lint::lint(document, &mut findings);
    documented::lint(document, &mut findings);
    lint::length(document, &mut findings);
    findings.into_vec()
}

/// Returns `true` if a document is meant to be a backup policy, even if it has errors.
///
/// Other files may also have a key `plans`. Therefore one of the plans must have a key of a plan or
/// of this language.
#[must_use]
pub fn is_policy_like(document: &Node) -> bool {
    let Some(plans) = document.get("plans").and_then(Node::members) else { return false };
    let has_key_of_a_plan = |it: &Member| {
        let keys = it.value.members().unwrap_or_default();
        it.key.starts_with("@@") || keys.iter().any(|it| schema::is_key_of_a_plan(&it.key))
    };
    plans.is_empty() || plans.iter().any(has_key_of_a_plan)
}
