//! Errors of AWS, described for the reader who has to act.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use errors::{Reader, Tries, advised, behind, chain};
use plan::desired_state::Unreadable;
use plan::presence::Absent;
use policy::partition::UnknownPartition;
use report::history::Illegible;
use serde::Deserialize;
use thiserror::Error as ThisError;
use tracing::warn;

use crate::advice::Advice;
use crate::attempts::{Refusal, Seen};
use crate::codes::CommonCode;
use crate::garbled::Garbled;
use crate::http::UnusableBundle;
use crate::operation::{Need, Operation};

/// A failed action of AWS.
///
/// Its message says which action failed. Its source says why.
#[derive(Debug, ThisError)]
#[error("cannot {action}")]
pub struct Error {
    action: String,
    kind: Kind,
    source: Cause,
}

/// The kinds of an [`Error`], by who has to act.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// AWS says that the request is wrong. The author of the template has to change it.
    Rejected,
    /// AWS says that the role lacks a permission, or that the account is the wrong one.
    Denied,
    /// The organization is no longer as it was observed. Observing it again may help at once.
    Outdated,
    /// Throttling, a concurrent change, the network or the deadline. Running again helps.
    Transient,
}

/// The reason for a failure, and the reader of its hint.
///
/// It includes the underlying causes in its own message, so that the hint stands at the end.
#[derive(Debug)]
struct Cause {
    why: Why,
    reader: Reader,
    /// The advice that replaces the usual one.
    advice: Option<Advice>,
}

impl StdError for Cause {}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&advised(chain(&self.why), self.hint()))
    }
}

/// The reason for a failure.
#[derive(Debug, ThisError)]
enum Why {
    #[error("{0}")]
    Answered(Box<ErrorAnswer>),
    #[error("{garbled}{tries}")]
    Garbled { garbled: Garbled, tries: Tries },
    #[error("AWS could not be reached{tries}")]
    Unreachable { tries: Tries, source: Box<dyn StdError + Send + Sync> },
    // As text, because the reason is somewhere among the causes of the SDK's error, which cannot be
    // taken apart, and its own causes begin with words about the call.
    #[error("there are no credentials{}", .0.as_ref().map(|it| format!(": {it}")).unwrap_or_default())]
    NoCredentials(Option<String>),
    #[error("{}; {}", limit(*need, *reader), seen.so_far())]
    OutOfTime { need: Need, reader: Reader, seen: Box<Seen> },
    #[error(transparent)]
    Bundle(UnusableBundle),
    #[error("AWS answered without {0}")]
    Incomplete(&'static str),
    #[error("{}", .0.why)]
    Unusable(Useless),
    #[error(transparent)]
    Unreadable(Unreadable),
    #[error(transparent)]
    Illegible(Illegible),
    #[error("another request has written it meanwhile, and that request counts")]
    Superseded,
    #[error(transparent)]
    Absent(Absent),
    #[error(transparent)]
    Elsewhere(UnknownPartition),
    #[error("{0}")]
    Unknown(String),
}

/// The reason for which a result is unusable, and the next step.
#[derive(Clone, Copy, Debug)]
pub struct Useless {
    /// The reason.
    pub why: &'static str,
    /// The next step.
    pub advice: Advice,
}

impl Cause {
    /// Returns the advice for this reason. For an error that AWS answered, it depends on its code.
    fn advice(&self) -> Option<Advice> {
        self.advice.or_else(|| match &self.why {
            Why::Answered(answer) => answer.advice(),
            Why::Garbled { garbled, .. } => Some(garbled.advice()),
            Why::Unreachable { .. } => Some(Advice::Network),
            Why::NoCredentials(_) => Some(Advice::NoCredentials),
            Why::Bundle(_) => Some(Advice::Same(UnusableBundle::HINT)),
            Why::OutOfTime { need: Need::Needed | Need::First, .. } => Some(Advice::Resume),
            Why::OutOfTime { need: Need::Helpful | Need::Optional, .. } | Why::Unknown(_) => None,
            Why::Incomplete(_) => Some(Advice::Same("this is not how the API is documented")),
            Why::Unusable(why) => Some(why.advice),
            Why::Unreadable(why) => Some(Advice::Same(why.hint())),
            Why::Illegible(_) => Some(Advice::Same(Illegible::HINT)),
            Why::Superseded => Some(Advice::Superseded),
            Why::Absent(why) => Some(Advice::Same(why.hint())),
            Why::Elsewhere(_) => Some(Advice::Same(UnknownPartition::HINT)),
        })
    }

    /// Returns the hint for the reader.
    fn hint(&self) -> Option<Cow<'static, str>> {
        self.advice()?.of(self.reader, self.missing_permission().as_deref())
    }

    fn missing_permission(&self) -> Option<String> {
        let Why::Answered(answer) = &self.why else { return None };
        answer.missing_permission()
    }
}

/// An error that AWS answered.
#[derive(Debug)]
struct ErrorAnswer {
    /// The operation that was called, if it matters.
    operation: Option<Operation>,
    /// The HTTP status.
    status: u16,
    tries: Tries,
    code: String,
    reason: Option<String>,
    message: String,
}

/// Says which limit ended the call.
fn limit(need: Need, reader: Reader) -> &'static str {
    match (need, reader) {
        (Need::Needed | Need::First, Reader::Operator) => "the time for the command is over",
        (Need::Needed | Need::First, Reader::Author | Reader::Log) => {
            "the function's deadline came first"
        }
        (Need::Helpful | Need::Optional, _) => {
            "the remaining time is kept for the calls that are needed"
        }
    }
}

impl ErrorAnswer {
    /// Returns the action that was missing, if AWS denied the caller a call.
    fn missing_permission(&self) -> Option<String> {
        let Self { operation, code, status, message, .. } = self;
        if kind(code, *status) != Kind::Denied || code == "AWSOrganizationsNotInUseException" {
            return None;
        }
        // It may differ from the action of the call, because AWS makes further calls on behalf of
        // the caller.
        let named = message.split_once(" not authorized to perform: ").map(|(_, rest)| rest);
        let named = named.and_then(|it| it.split_whitespace().next()).filter(|it| it.contains(':'));
        named.map(ToOwned::to_owned).or_else(|| operation.map(|it| it.permission()))
    }
}

impl fmt::Display for ErrorAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.code)?;
        if let Some(reason) = &self.reason {
            write!(f, " {reason}")?;
        }
        write!(f, " (HTTP {}{})", self.status, self.tries)?;
        if self.message.is_empty() { Ok(()) } else { write!(f, ": {}", self.message) }
    }
}

impl Error {
    /// Returns the error of a call that did not do `action`, after the attempts that were `seen`.
    pub(crate) fn of_call<E>(action: String, error: SdkError<E, HttpResponse>, seen: Seen) -> Self
    where
        E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
    {
        let tries = Tries(seen.sent);
        let garbled = |garbled| (Kind::Transient, Why::Garbled { garbled, tries });
        let (kind, why) = match &error {
            SdkError::ServiceError(context) => match Refusal::of(context.err()) {
                Some(Refusal { code, message }) => {
                    let status = context.raw().status().as_u16();
                    let reason = Wire::read(context.raw()).and_then(|it| it.reason);
                    let kind = kind(&code, status);
                    let answer =
                        ErrorAnswer { operation: None, status, tries, code, reason, message };
                    (kind, Why::Answered(Box::new(answer)))
                }
                None => garbled(Garbled::unknown(context.raw())),
            },
            SdkError::ResponseError(context) => garbled(Garbled::unknown(context.raw())),
            // Nothing was sent, or no answer came.
            SdkError::ConstructionFailure(_)
            | SdkError::DispatchFailure(_)
            | SdkError::TimeoutError(_)
            | _ => {
                // Credentials may come through the same connector, so the bundle is looked for first.
                if let Some(it) = behind::<UnusableBundle>(&error) {
                    (Kind::Rejected, Why::Bundle(it.clone()))
                } else if let Some(it) = behind::<Garbled>(&error) {
                    garbled(*it)
                } else if let Some(it) = behind::<CredentialsError>(&error) {
                    (Kind::Rejected, Why::NoCredentials(without(it)))
                } else {
                    (Kind::Transient, Why::Unreachable { tries, source: Box::new(error) })
                }
            }
        };
        Self::new(action, kind, why)
    }

    fn new(action: String, kind: Kind, why: Why) -> Self {
        Self { action, kind, source: Cause { why, reader: Reader::Author, advice: None } }
    }

    /// Returns the same error, whose hint is for `reader`.
    #[must_use]
    pub fn read_by(mut self, reader: Reader) -> Self {
        self.source.reader = reader;
        self
    }

    /// Returns the error of a call that ran out of time, for the `need` that it served, after the
    /// attempts that were `seen`.
    pub(crate) fn out_of_time(action: String, need: Need, reader: Reader, seen: Seen) -> Self {
        let seen = Box::new(seen);
        Self::new(action, Kind::Transient, Why::OutOfTime { need, reader, seen })
    }

    /// Returns the error of a call whose answer lacks `what`.
    pub fn incomplete(action: &str, what: &'static str) -> Self {
        Self::new(action.to_owned(), Kind::Transient, Why::Incomplete(what))
    }

    /// Returns the error of a caller in a partition that this release does not know.
    pub(crate) fn elsewhere(action: &str, why: UnknownPartition) -> Self {
        Self::new(action.to_owned(), Kind::Rejected, Why::Elsewhere(why))
    }

    /// Returns the error of a thing that exists but is not usable.
    pub fn unusable(action: String, why: Useless) -> Self {
        Self::new(action, Kind::Rejected, Why::Unusable(why))
    }

    /// Returns the error of desired state that cannot be used.
    pub fn unreadable(action: String, why: Unreadable) -> Self {
        Self::new(action, Kind::Rejected, Why::Unreadable(why))
    }

    /// Returns the error of what a sweep wrote and this program cannot read.
    pub fn illegible(action: String, why: Illegible) -> Self {
        Self::new(action, Kind::Rejected, Why::Illegible(why))
    }

    /// Returns the error of an object that another writer changed after it was read.
    pub fn superseded(action: String) -> Self {
        Self::new(action, Kind::Outdated, Why::Superseded)
    }

    /// Returns the error of a resource that CloudFormation does not have in the form that is
    /// recorded.
    pub fn absent(action: String, why: Absent) -> Self {
        Self::new(action, Kind::Rejected, Why::Absent(why))
    }

    /// Returns the same error for another caller that needs the same missing information.
    #[must_use]
    pub fn again(&self, action: String) -> Self {
        let (reader, advice) = (self.source.reader, self.source.advice());
        let source = Cause { why: Why::Unknown(self.problem()), reader, advice };
        Self { action, kind: self.kind, source }
    }

    /// Describes the failed action and the reason, without the hint.
    pub fn problem(&self) -> String {
        format!("{self}: {}", self.why())
    }

    /// Describes the reason, without the hint.
    pub fn why(&self) -> String {
        chain(&self.source.why)
    }

    /// Returns the next step in the words of the reader of this error, if there is one.
    pub fn hint(&self) -> Option<Cow<'static, str>> {
        self.source.hint()
    }

    /// Returns the next step after a failure in a member account for which `usual` is advised,
    /// unless the cause is unusable content.
    pub(crate) fn hint_in_member(&self, usual: Advice) -> Cow<'static, str> {
        let is_too_long =
            matches!(self.source.why, Why::Garbled { garbled, .. } if garbled.is_too_long());
        let own = self.hint().filter(|_| is_too_long || self.is_about_contents());
        let usual = || usual.of(self.source.reader, self.missing_permission().as_deref());
        own.or_else(usual).unwrap_or_default()
    }

    /// Returns `true` if CloudFormation does not have the resource in the form that is recorded.
    pub fn is_absent(&self) -> bool {
        matches!(self.source.why, Why::Absent(_))
    }

    /// Adds the name of the operation that was called.
    pub(crate) fn of(mut self, operation: Operation) -> Self {
        if let Why::Answered(answer) = &mut self.source.why {
            answer.operation = Some(operation);
        }
        self
    }

    /// Returns the action that was missing, if AWS denied the caller a call.
    pub fn missing_permission(&self) -> Option<String> {
        self.source.missing_permission()
    }

    /// Returns `true` if AWS Backup says that a vault does not exist.
    ///
    /// AWS has been seen to report this with the words of a denial, even to callers with all
    /// permissions. A denial by IAM names the caller and the action.
    pub fn is_missing_vault(&self) -> bool {
        let Why::Answered(answer) = &self.source.why else { return false };
        let ErrorAnswer { code, message, .. } = answer.as_ref();
        match code.as_str() {
            "ResourceNotFoundException" => true,
            "AccessDeniedException" => {
                message.starts_with("Insufficient privileges to perform this action")
            }
            _ => false,
        }
    }

    /// Returns `true` if IAM says that a service-linked role already exists.
    pub fn is_made_service_role(&self) -> bool {
        let Why::Answered(answer) = &self.source.why else { return false };
        answer.code == "InvalidInput" && answer.message.contains("has been taken in this account")
    }

    /// Returns `true` if something was read and is unusable.
    pub fn is_about_contents(&self) -> bool {
        matches!(self.source.why, Why::Unusable(_) | Why::Unreadable(_) | Why::Illegible(_))
    }

    /// Returns the kind, which says who has to act.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Returns the error code of AWS, if AWS answered.
    pub fn code(&self) -> Option<&str> {
        match &self.source.why {
            Why::Answered(answer) => Some(&answer.code),
            Why::Garbled { .. }
            | Why::Unreachable { .. }
            | Why::NoCredentials(_)
            | Why::Bundle(_)
            | Why::OutOfTime { .. }
            | Why::Incomplete(_)
            | Why::Unusable(_)
            | Why::Unreadable(_)
            | Why::Illegible(_)
            | Why::Superseded
            | Why::Absent(_)
            | Why::Elsewhere(_)
            | Why::Unknown(_) => None,
        }
    }

    /// Replaces the usual advice, if AWS denied the call.
    #[must_use]
    pub fn advised(mut self, advice: Advice) -> Self {
        if matches!(self.source.why, Why::Answered(_)) && self.kind == Kind::Denied {
            self.source.advice = Some(advice);
        }
        self
    }

    /// Replaces the usual advice, if S3 says that something is missing.
    #[must_use]
    pub fn advised_where_missing(mut self, advice: Advice) -> Self {
        if self.code().is_some_and(|it| MISSING.contains(&it)) {
            self.source.advice = Some(advice);
        }
        self
    }

    /// Adds known facts about the cause to the action, as in `cannot … (only … can)`.
    #[must_use]
    pub fn explained(mut self, explanation: &str) -> Self {
        self.action = format!("{} ({explanation})", self.action);
        self
    }
}

/// Returns the reason why there are no credentials, if a provider gave one.
fn without(error: &CredentialsError) -> Option<String> {
    // The SDK lists every provider in its own words.
    let is_list = matches!(error, CredentialsError::CredentialsNotLoaded(_));
    (!is_list).then(|| chain(error))
}

/// Treats the error whose code means "already as wanted" as success, and no other error.
///
/// # Errors
///
/// Returns every other error unchanged.
pub fn already<T>(result: Result<T, Error>, code: &str) -> Result<(), Error> {
    match result {
        Err(error) if error.code() == Some(code) => Ok(()),
        other => other.map(drop),
    }
}

/// Logs that something was left out because of `error`. This is not a failure of the action.
pub fn log_left_out(what: &str, error: &Error) {
    warn!(left_out = what, %error, why = %error.source, "done without it");
}

/// Treats a denied read as success if the resource to remove was `never_created`, and no other
/// error.
///
/// A creation reads before it writes. If its reads are denied, it has created nothing.
///
/// # Errors
///
/// Returns every other error unchanged.
pub fn removable<T>(looked: Result<T, Error>, never_created: bool) -> Result<Option<T>, Error> {
    match looked {
        Err(error) if never_created && error.kind == Kind::Denied => Ok(None),
        looked => looked.map(Some),
    }
}

/// Returns the kind of an error code. The codes for credentials are `Rejected` here, since somebody
/// has to sign in again or to correct them: a function that AWS gives its credentials, and that is
/// called again by itself, takes them for transient (`restored`).
fn kind(code: &str, status: u16) -> Kind {
    match code {
        "AWSOrganizationsNotInUseException" => return Kind::Denied,
        "DuplicatePolicyException"
        | "PolicyInUseException"
        | "PolicyNotFoundException"
        | "PolicyTypeNotEnabledException"
        | "TargetNotFoundException" => return Kind::Outdated,
        _ => {}
    }
    match CommonCode::of(code, status) {
        Some(CommonCode::Denied) => Kind::Denied,
        Some(CommonCode::Transient) => Kind::Transient,
        None if BUSY.contains(&code) || code == CONFLICT => Kind::Transient,
        None => Kind::Rejected,
    }
}

impl ErrorAnswer {
    /// Returns the advice by the error code and the prefix of the reason. AWS appends text to some
    /// reasons.
    fn advice(&self) -> Option<Advice> {
        const REASONS: [(&str, &str); 14] = [
            (
                "CANNOT_REGISTER_MASTER_AS_DELEGATED_ADMINISTRATOR",
                "the management account cannot be a delegated administrator; name a member account",
            ),
            (
                "CANNOT_REGISTER_SUSPENDED_ACCOUNT_AS_DELEGATED_ADMINISTRATOR",
                "the account is suspended; name an active one",
            ),
            (
                "DELEGATED_ADMINISTRATOR_EXISTS_FOR_THIS_SERVICE",
                "this service has one delegated administrator only; deregister the other one first",
            ),
            ("INVALID_ENUM", "AWS does not know this name; correct it in the template"),
            (
                "MAX_DELEGATED_ADMINISTRATORS_FOR_SERVICE_LIMIT_EXCEEDED",
                "this service has as many delegated administrators as AWS allows; deregister one first",
            ),
            (
                "MAX_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED",
                "the target has as many policies as AWS allows; attach this one to its children",
            ),
            ("MAX_TAG_LIMIT_EXCEEDED", "AWS allows 50 tags"),
            (
                "ORGANIZATION_NOT_IN_ALL_FEATURES_MODE",
                "the organization has consolidated billing only; enable all features first",
            ),
            (
                "POLICY_CONTENT_LIMIT_EXCEEDED",
                "split the policy into several, which merge by plan name",
            ),
            (
                "POLICY_NUMBER_LIMIT_EXCEEDED",
                "the organization has as many policies of this type as AWS allows; delete unused ones",
            ),
            (
                "POLICY_TYPE_ENABLED_FOR_THIS_SERVICE",
                "a policy type of this service is enabled; disable that first, or leave both on",
            ),
            ("SERVICE_ACCESS_NOT_ENABLED", "enable trusted access for the service first"),
            (
                "UNRECOGNIZED_SERVICE_PRINCIPAL",
                "AWS does not know this service; correct its name in the template",
            ),
            ("TAG_POLICY_VIOLATION", "a tag policy of the organization does not allow these tags"),
        ];
        let (code, reason) = (self.code.as_str(), self.reason.as_deref().unwrap_or_default());
        if let Some((_, hint)) = REASONS.iter().find(|(it, _)| reason.starts_with(it)) {
            return Some(Advice::Same(hint));
        }
        // AWS Backup answers this to every account except the management account.
        let is_of_organization =
            self.operation.is_none_or(|it| it.name.ends_with("GlobalSettings"));
        match code {
            "AWSOrganizationsNotInUseException" => Some(Advice::NoOrganization),
            "MalformedPolicyDocumentException" => Some(Advice::Same(
                "AWS does not name the mistake; compare with the backup policy syntax",
            )),
            "InvalidRequestException" if is_of_organization => Some(Advice::ManagementAccount),
            "ExpiredToken" | "ExpiredTokenException" | "RequestExpired" => Some(Advice::Expired),
            "InvalidClientTokenId"
            | "InvalidSignatureException"
            | "SignatureDoesNotMatch"
            | "UnrecognizedClientException" => Some(Advice::InvalidCredentials),
            code if kind(code, self.status) == Kind::Denied => Some(Advice::Permission),
            code if BUSY.contains(&code) => Some(Advice::Busy),
            code if kind(code, self.status) == Kind::Transient => Some(Advice::Again),
            _ => None,
        }
    }
}

/// Error codes that AWS Organizations answers while another change is in progress.
///
/// The SDK does not retry them by itself.
pub(crate) const BUSY: [&str; 3] = [
    "ConcurrentModificationException",
    "FinalizingOrganizationException",
    "PolicyChangesInProgressException",
];

/// The error code of S3 for a conditional write while another write of the same object is in
/// progress.
///
/// It does not say which of the writes counts. S3 asks for the write to be sent again, and the SDK
/// does not do that by itself.
pub(crate) const CONFLICT: &str = "ConditionalRequestConflict";

/// The error codes of S3 for things that do not exist.
const MISSING: [&str; 3] = ["NoSuchBucket", "NoSuchKey", "NoSuchVersion"];

/// The part of a JSON error answer that the SDK's types do not pass on as text.
#[derive(Debug, Deserialize)]
struct Wire {
    #[serde(rename = "Reason")]
    reason: Option<String>,
}

impl Wire {
    /// Reads the body of `response`, if it is a JSON object.
    fn read(response: &HttpResponse) -> Option<Self> {
        serde_json::from_slice(response.body().bytes()?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::LIST_OBJECTS;

    fn error(code: &str, reason: Option<&str>) -> Error {
        let (code, reason) = (code.to_owned(), reason.map(ToOwned::to_owned));
        let (status, tries) = (400, Tries(1));
        let kind = kind(&code, status);
        let message = "No.".to_owned();
        let answer = ErrorAnswer { operation: None, status, tries, code, reason, message };
        Error::new("x".to_owned(), kind, Why::Answered(Box::new(answer)))
    }

    fn why(error: &Error) -> String {
        error.source.to_string()
    }

    #[test]
    fn a_reason_is_explained_also_with_something_appended() {
        assert_eq!(
            why(&error("ConstraintViolationException", Some("SERVICE_ACCESS_NOT_ENABLED:X"))),
            "ConstraintViolationException SERVICE_ACCESS_NOT_ENABLED:X (HTTP 400): No.; \
             hint: enable trusted access for the service first"
        );
    }

    #[test]
    fn an_unknown_code_is_passed_on_without_advice() {
        assert_eq!(why(&error("TeapotException", None)), "TeapotException (HTTP 400): No.");
        assert_eq!(error("TeapotException", None).kind(), Kind::Rejected);
    }

    #[test]
    fn credentials_and_limits_are_for_somebody_to_correct() {
        for code in ["ExpiredToken", "InvalidClientTokenId", "LimitExceededException"] {
            assert_eq!(error(code, None).kind(), Kind::Rejected, "{code}");
        }
        assert_eq!(error("AWSOrganizationsNotInUseException", None).kind(), Kind::Denied);
        assert_eq!(error("AccessDeniedForDependencyException", None).kind(), Kind::Denied);
        assert_eq!(error("PolicyNotFoundException", None).kind(), Kind::Outdated);
    }

    #[test]
    fn what_helps_stands_behind_every_cause_and_can_be_left_out() {
        let malformed = plan::desired_state::Entry::read("[").unwrap_err();
        let error = Error::unreadable("use s3://kept/a".to_owned(), malformed);
        let problem = "cannot use s3://kept/a: it is not a record of desired state: EOF while \
                       parsing a list at line 1 column 1";
        assert_eq!(error.problem(), problem);
        let hint = "; hint: restore an older version of the object";
        assert_eq!(chain(&error), format!("{problem}{hint}"));
        let again = error.again("ask for it".to_owned());
        assert_eq!(chain(&again), format!("cannot ask for it: {problem}{hint}"));
    }

    fn denied(message: &str) -> Error {
        let (code, message) = ("AccessDeniedException".to_owned(), message.to_owned());
        let (operation, status, tries) = (Some(LIST_OBJECTS), 403, Tries(1));
        let answer = ErrorAnswer { operation, status, tries, code, reason: None, message };
        Error::new("x".to_owned(), Kind::Denied, Why::Answered(Box::new(answer)))
    }

    #[test]
    fn a_vault_is_missing_where_a_denial_names_nobody() {
        assert!(error("ResourceNotFoundException", None).is_missing_vault());
        assert!(denied("Insufficient privileges to perform this action.").is_missing_vault());
        let by_iam = "User: a is not authorized to perform: backup:DescribeBackupVault on: b";
        assert!(!denied(by_iam).is_missing_vault());
        assert!(!error("TeapotException", None).is_missing_vault());
    }

    #[test]
    fn a_missing_permission_is_the_one_that_aws_names_or_that_of_the_call() {
        let named = denied("User: a is not authorized to perform: iam:GetRole on resource: b");
        assert_eq!(named.missing_permission().as_deref(), Some("iam:GetRole"));
        assert_eq!(denied("No.").missing_permission().as_deref(), Some("s3:ListBucket"));
        assert_eq!(error("TeapotException", None).missing_permission(), None);
        assert_eq!(error("AWSOrganizationsNotInUseException", None).missing_permission(), None);
    }
}
