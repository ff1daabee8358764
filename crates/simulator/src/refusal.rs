//! The error that an operation answers instead of doing its work.

use std::fmt;

macro_rules! names {
    ($(#[$about:meta])* $type:ident { $($variant:ident = $name:literal,)* }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[expect(missing_docs, reason = "each name is documented by AWS")]
        pub enum $type { $($variant,)* }

        impl $type {
            /// Every variant.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// Returns the name on the wire.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

names! {
    /// An error code of AWS.
    Code {
        AccessDenied = "AccessDeniedException",
        AccountAlreadyRegistered = "AccountAlreadyRegisteredException",
        AccountNotFound = "AccountNotFoundException",
        AccountNotRegistered = "AccountNotRegisteredException",
        NotInUse = "AWSOrganizationsNotInUseException",
        ChildNotFound = "ChildNotFoundException",
        ConcurrentModification = "ConcurrentModificationException",
        ConstraintViolation = "ConstraintViolationException",
        CreateAccountStatusNotFound = "CreateAccountStatusNotFoundException",
        DestinationParentNotFound = "DestinationParentNotFoundException",
        DuplicateAccount = "DuplicateAccountException",
        DuplicateOrganizationalUnit = "DuplicateOrganizationalUnitException",
        DuplicatePolicy = "DuplicatePolicyException",
        DuplicatePolicyAttachment = "DuplicatePolicyAttachmentException",
        EffectivePolicyNotFound = "EffectivePolicyNotFoundException",
        InvalidInput = "InvalidInputException",
        InvalidRoleInput = "InvalidInput",
        MalformedPolicyDocument = "MalformedPolicyDocumentException",
        OrganizationalUnitNotEmpty = "OrganizationalUnitNotEmptyException",
        OrganizationalUnitNotFound = "OrganizationalUnitNotFoundException",
        ParentNotFound = "ParentNotFoundException",
        PolicyChangesInProgress = "PolicyChangesInProgressException",
        PolicyInUse = "PolicyInUseException",
        PolicyNotAttached = "PolicyNotAttachedException",
        PolicyNotFound = "PolicyNotFoundException",
        PolicyTypeAlreadyEnabled = "PolicyTypeAlreadyEnabledException",
        PolicyTypeNotEnabled = "PolicyTypeNotEnabledException",
        ResourcePolicyNotFound = "ResourcePolicyNotFoundException",
        RootNotFound = "RootNotFoundException",
        SourceParentNotFound = "SourceParentNotFoundException",
        TargetNotFound = "TargetNotFoundException",
        TooManyRequests = "TooManyRequestsException",
        Serialization = "SerializationException",
        UnknownOperation = "UnknownOperationException",
        InvalidRequest = "InvalidRequestException",
        LimitExceeded = "LimitExceededException",
        InvalidParameterValue = "InvalidParameterValueException",
        MissingParameterValue = "MissingParameterValueException",
        Denied = "AccessDenied",
        InvalidAction = "InvalidAction",
        InvalidOperation = "InvalidOperationException",
        NoSuchBucket = "NoSuchBucket",
        NoSuchKey = "NoSuchKey",
        NoSuchVersion = "NoSuchVersion",
        MethodNotAllowed = "MethodNotAllowed",
        Validation = "ValidationError",
        AuthorizationError = "AuthorizationError",
        ExecutionAlreadyExists = "ExecutionAlreadyExists",
        ExecutionDoesNotExist = "ExecutionDoesNotExist",
        InvalidAccess = "InvalidAccessException",
        InvalidArn = "InvalidArn",
        InvalidExecutionInput = "InvalidExecutionInput",
        InvalidName = "InvalidName",
        InvalidParameter = "InvalidParameter",
        InvalidToken = "InvalidToken",
        MasterCannotLeave = "MasterCannotLeaveOrganizationException",
        NotImplemented = "NotImplemented",
        PreconditionFailed = "PreconditionFailed",
        StateMachineDoesNotExist = "StateMachineDoesNotExist",
        TopicNotFound = "NotFound",
        TrailNotFound = "TrailNotFoundException",
        InvalidClientToken = "InvalidClientTokenId",
        InvalidKeyArn = "InvalidArnException",
        InvalidTagging = "InvalidParameterException",
        KeyNotFound = "NotFoundException",
        MalformedSessionPolicy = "MalformedPolicyDocument",
        NoSuchEntity = "NoSuchEntity",
        ResourceNotFound = "ResourceNotFoundException",
        Unauthorized = "UnauthorizedException",
        UnrecognizedClient = "UnrecognizedClientException",
        ValidationException = "ValidationException",
    }
}

names! {
    /// The reason of a `ConstraintViolationException`.
    Constraint {
        AccountNumber = "ACCOUNT_NUMBER_LIMIT_EXCEEDED",
        CannotRemoveAdministrator = "CANNOT_REMOVE_DELEGATED_ADMINISTRATOR_FROM_ORG",
        CannotRegisterManagement = "CANNOT_REGISTER_MASTER_AS_DELEGATED_ADMINISTRATOR",
        CannotRegisterSuspended = "CANNOT_REGISTER_SUSPENDED_ACCOUNT_AS_DELEGATED_ADMINISTRATOR",
        DelegatedAdministratorExists = "DELEGATED_ADMINISTRATOR_EXISTS_FOR_THIS_SERVICE",
        MaxAttachments = "MAX_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED",
        MaxDelegatedAdministrators = "MAX_DELEGATED_ADMINISTRATORS_FOR_SERVICE_LIMIT_EXCEEDED",
        MaxTags = "MAX_TAG_LIMIT_EXCEEDED",
        MinAttachments = "MIN_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED",
        NotAllFeatures = "ORGANIZATION_NOT_IN_ALL_FEATURES_MODE",
        PolicyContent = "POLICY_CONTENT_LIMIT_EXCEEDED",
        PolicyNumber = "POLICY_NUMBER_LIMIT_EXCEEDED",
        PolicyTypeEnabled = "POLICY_TYPE_ENABLED_FOR_THIS_SERVICE",
        ServiceAccessNotEnabled = "SERVICE_ACCESS_NOT_ENABLED",
        UnitDepth = "OU_DEPTH_LIMIT_EXCEEDED",
        UnitNumber = "OU_NUMBER_LIMIT_EXCEEDED",
    }
}

names! {
    /// The reason of an `InvalidInputException`, without the member that it may name.
    Invalid {
        DuplicateTagKey = "DUPLICATE_TAG_KEY",
        ImmutablePolicy = "IMMUTABLE_POLICY",
        InputRequired = "INPUT_REQUIRED",
        Enum = "INVALID_ENUM",
        NextToken = "INVALID_NEXT_TOKEN",
        Pattern = "INVALID_PATTERN",
        PatternTargetId = "INVALID_PATTERN_TARGET_ID",
        ResourcePolicy = "INVALID_RESOURCE_POLICY_JSON",
        SystemTags = "INVALID_SYSTEM_TAGS_PARAMETER",
        PolicyId = "INVALID_SYNTAX_POLICY_ID",
        MaxLength = "MAX_LENGTH_EXCEEDED",
        MaxValue = "MAX_VALUE_EXCEEDED",
        MinLength = "MIN_LENGTH_EXCEEDED",
        MinValue = "MIN_VALUE_EXCEEDED",
        NonDetachable = "NON_DETACHABLE_POLICY",
        TargetNotSupported = "TARGET_NOT_SUPPORTED",
        UnrecognizedPrincipal = "UNRECOGNIZED_SERVICE_PRINCIPAL",
    }
}

/// The result of a call: its answer, or a refusal.
pub(crate) type Answer<T> = Result<T, Refusal>;

/// An error answered to the caller. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The error code.
    pub code: Code,
    /// The reason, if the error has one.
    pub reason: Option<String>,
    /// The message for people.
    pub message: String,
}

impl Refusal {
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, reason: None, message: message.into() }
    }

    pub(crate) fn constraint(reason: Constraint, message: impl Into<String>) -> Self {
        let reason = Some(reason.as_str().to_owned());
        Self { code: Code::ConstraintViolation, reason, message: message.into() }
    }

    /// Creates an invalid input error. Its reason names the `member` as the service spells it, if
    /// given.
    pub(crate) fn invalid(reason: Invalid, member: Option<&str>) -> Self {
        let reason = match member {
            Some(member) => format!("{}:{}", reason.as_str(), constant_case(member)),
            None => reason.as_str().to_owned(),
        };
        let message = "You specified an invalid value.".to_owned();
        Self { code: Code::InvalidInput, reason: Some(reason), message }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code.as_str())?;
        self.reason.iter().try_for_each(|reason| write!(f, " ({reason})"))
    }
}

impl std::error::Error for Refusal {}

/// Returns `POLICY_TYPE` for `PolicyType`.
fn constant_case(member: &str) -> String {
    let mut text = String::new();
    for letter in member.chars() {
        if letter.is_ascii_uppercase() && !text.is_empty() {
            text.push('_');
        }
        text.push(letter.to_ascii_uppercase());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_of_an_invalid_input_names_the_member() {
        let refusal = Refusal::invalid(Invalid::InputRequired, Some("PolicyType"));
        assert_eq!(refusal.to_string(), "InvalidInputException (INPUT_REQUIRED:POLICY_TYPE)");
        let refusal = Refusal::invalid(Invalid::NextToken, None);
        assert_eq!(refusal.to_string(), "InvalidInputException (INVALID_NEXT_TOKEN)");
    }
}
