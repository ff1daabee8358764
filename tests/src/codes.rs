//! What AWS may answer, by what it means.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up has failed")]

use simulator::OPERATIONS;

/// Codes that say that trying again helps, so that it is tried again.
pub const TRANSIENT: [&str; 3] = [
    "ConcurrentModificationException",
    "PolicyChangesInProgressException",
    "TooManyRequestsException",
];

/// What AWS is asked after a change is made, only to log what it says.
pub const REPORTS: [&str; 4] = [
    "DescribeEffectivePolicy",
    "DescribeStackResource",
    "ListAccountsWithInvalidEffectivePolicy",
    "ListEffectivePolicyValidationErrors",
];

/// Returns `true` if this function does the same for all answers to this operation, but for its log.
#[must_use]
pub fn is_left_out(function: &str, operation: &str) -> bool {
    // Where an account is that is watched.
    let is_watch = ["ListAccountsForParent", "ListOrganizationalUnitsForParent"];
    REPORTS.contains(&operation) || (function == "backup-policy" && is_watch.contains(&operation))
}

/// The codes that an operation may answer and that trying again does not help against, but for
/// those that say that all is as wanted.
///
/// # Panics
///
/// When there is no such operation.
#[must_use]
pub fn terminal(operation: &str) -> Vec<&'static str> {
    let already = match operation {
        "AttachPolicy" => &["DuplicatePolicyAttachmentException"][..],
        "DetachPolicy" => &["PolicyNotAttachedException", "TargetNotFoundException"],
        // A policy that is not there is deleted, and does not exist.
        "DeletePolicy" | "DescribePolicy" => &["PolicyNotFoundException"],
        "EnablePolicyType" => &["PolicyTypeAlreadyEnabledException"],
        "DisablePolicyType" => &["PolicyTypeNotEnabledException"],
        "RegisterDelegatedAdministrator" => &["AccountAlreadyRegisteredException"],
        "DeregisterDelegatedAdministrator" => &["AccountNotRegisteredException"],
        // What is not there is not there: that is an answer to what was asked.
        "DescribeAccount" => &["AccountNotFoundException"],
        "ListPoliciesForTarget" => &["TargetNotFoundException"],
        _ => &[],
    };
    let operation = OPERATIONS.iter().find(|it| it.name == operation).unwrap();
    let common = ["AWSOrganizationsNotInUseException", "SerializationException"];
    let codes = operation.errors().map(simulator::Code::as_str);
    let terminal = codes.filter(|it| !TRANSIENT.contains(it) && !already.contains(it));
    terminal.filter(|it| operation.write || !common.contains(it)).collect()
}
