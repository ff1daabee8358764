//! Recognizes the custom resources of org-backup in a template.

use plan::resource::ResourceKind;
use policy::Node;

/// The type of a custom resource that has no type name of its own, as CDK writes it.
const CUSTOM_RESOURCE: &str = "AWS::CloudFormation::CustomResource";

/// Returns `true` if a function of somebody's makes resources of this type.
pub(crate) fn is_custom(resource_type: &str) -> bool {
    resource_type.starts_with("Custom::") || resource_type == CUSTOM_RESOURCE
}

/// Returns the kind that the type of a resource names, or the name of the function that serves it.
/// Templates of CDK give custom resources other types.
pub(crate) fn named(resource_type: &str, properties: Option<&Node>) -> Option<ResourceKind> {
    let own = ResourceKind::of_type(resource_type);
    if own.is_some() || !is_custom(resource_type) {
        return own;
    }
    let token = properties?.member("ServiceToken")?.to_json();
    ResourceKind::ALL.into_iter().find(|it| is_served(&token, *it))
}

/// Returns `true` if the function of a `ServiceToken` has a name of org-backup, such as
/// `backup-policy` or `BackupPolicyFunction`.
fn is_served(token: &str, kind: ResourceKind) -> bool {
    token.contains("org-backup") && token.contains(kind.function())
        || token.contains(kind.function_resource())
}
