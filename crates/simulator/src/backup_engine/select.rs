//! Assigns resources to a plan.

use super::Surroundings;
use super::facts::opt_in_always_decides;
use super::plan::Selection;
use super::records::BackedUp;

/// Returns `true` if a selection assigns the resource to its plan.
pub(super) fn assigns(
    selection: &Selection,
    resource: &BackedUp,
    around: &dyn Surroundings,
) -> bool {
    let matches = |arns: &[String]| arns.iter().any(|it| is_like(&resource.arn, it));
    let tag = |key: &str| resource.tags.get(key).map(String::as_str);
    let value = |it: &str| it.replace("$account", &resource.account);
    if selection.resources.is_empty() && selection.list_of_tags.is_empty() {
        return false;
    }
    if matches(&selection.not_resources) {
        return false;
    }
    // Conditions are joined by AND. As in IAM, a negated condition holds if the tag is missing.
    for (operator, key, wanted) in &selection.conditions {
        let found = key.strip_prefix("aws:ResourceTag/").and_then(tag);
        let wanted = value(wanted);
        let holds = match operator.as_str() {
            "string_equals" => found == Some(&wanted),
            "string_not_equals" => found != Some(&wanted),
            "string_like" => found.is_some_and(|it| is_like(it, &wanted)),
            "string_not_like" => !found.is_some_and(|it| is_like(it, &wanted)),
            _ => false,
        };
        if !holds {
            return false;
        }
    }
    // Resources and tags are joined by OR.
    let by_type = selection.resources.iter().filter(|it| is_like(&resource.arn, it));
    let by_type: Vec<_> = by_type.collect();
    let by_tag = selection.list_of_tags.iter();
    let by_tag = by_tag.filter(|it| tag(&it.0) == Some(&value(&it.1))).count() > 0;
    if by_type.iter().any(|it| is_resource_type(it))
        && !opt_in_always_decides(&resource.kind, &resource.arn)
    {
        return true;
    }
    (by_tag || !by_type.is_empty()) && around.is_opted_in(&resource.kind, &resource.region)
}

/// Returns `true` if the entry names a resource type or a resource, and not only `*` or a service.
fn is_resource_type(entry: &str) -> bool {
    let parts: Vec<_> = entry.splitn(6, ':').collect();
    matches!(parts.as_slice(), [_, _, service, _, _, rest] if *rest != "*" || *service == "s3")
}

/// Returns `true` if the value matches the pattern. Each `*` stands for zero or more characters
/// other than white space.
fn is_like(value: &str, pattern: &str) -> bool {
    let mut rest = pattern.chars();
    let Some(next) = rest.next() else { return value.is_empty() };
    if next != '*' {
        return value.strip_prefix(next).is_some_and(|it| is_like(it, rest.as_str()));
    }
    let mut behind = value.chars();
    let read = behind.next().filter(|it| !it.is_whitespace());
    is_like(value, rest.as_str()) || read.is_some() && is_like(behind.as_str(), pattern)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_in_the_middle_is_read_like_one_at_the_end() {
        assert!(is_like("arn:aws:rds:eu-west-1:1:db:x", "arn:aws:rds:*:*:db:*"));
        assert!(is_like("production", "*rod*") && is_like("", "*") && is_like("aa", "a*a"));
        assert!(!is_like("a", "a*a") && !is_like("prod eu", "prod*") && !is_like("Prod", "prod"));
    }

    #[test]
    fn a_service_is_no_resource_type() {
        assert!(is_resource_type("arn:aws:ec2:*:*:volume/*") && is_resource_type("arn:aws:s3:::*"));
        assert!(!is_resource_type("*") && !is_resource_type("arn:aws:ec2:*"));
        assert!(!is_resource_type("arn:aws:ec2:*:*:*"));
    }
}
