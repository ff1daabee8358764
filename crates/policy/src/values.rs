//! What each kind of value must look like, and the sentence for one that does not.

use std::time::SystemTime;

use super::cron;
use crate::arn::Arn;
use crate::partition::Partition;

/// Judges one value; the error is a sentence without a full stop.
pub(super) type Judge = fn(&str) -> Result<(), String>;

/// The resource types of a selection: the service, and what it calls them. They are taken in every
/// Region and account only.
const RESOURCE_TYPES: &[(&str, &str)] = &[
    ("backup-gateway", "vm/*"),
    ("cloudformation", "stack/*"),
    ("dsql", "cluster/*"),
    ("dynamodb", "table/*"),
    ("ec2", "instance/*"),
    ("ec2", "volume/*"),
    ("eks", "cluster/*"),
    ("elasticfilesystem", "file-system/*"),
    ("fsx", "file-system/*"),
    ("fsx", "volume/*"),
    ("rds", "cluster:*"),
    ("rds", "db:*"),
    ("redshift-serverless", "namespace/*"),
    ("redshift", "cluster:*"),
    ("redshift", "cluster/*"),
    ("ssm-sap", "HANA/*"),
    ("storagegateway", "gateway/*"),
    ("timestream", "database/*"),
];

pub(super) fn region(value: &str) -> Result<(), String> {
    if Partition::ALL.iter().any(|it| it.regions().contains(&value)) {
        return Ok(());
    }
    let why = if value == "*" { "; AWS wants every Region by its code" } else { "" };
    Err(format!("`{value}` is not a Region{why}"))
}

pub(super) fn schedule(value: &str, now: SystemTime) -> Result<(), String> {
    cron::admit(value, now).map(|_| ())
}

pub(super) fn vault_name(value: &str) -> Result<(), String> {
    if is_vault_name(value) {
        return Ok(());
    }
    Err(format!("`{value}` is not the name of a vault: 1 to 50 letters, digits, `-` and `_`"))
}

pub(super) fn air_gapped_vault(value: &str) -> Result<(), String> {
    match arn(value) {
        Some(Arn {
            service: "backup", region: "$region", account: "$account", resource, ..
        }) if is_vault(resource) => Ok(()),
        _ => Err(format!(
            "`{value}` is not taken here; write \
             `arn:aws:backup:$region:$account:backup-vault:NAME` with `$region` and `$account` \
             as they stand"
        )),
    }
}

pub(super) fn copy_vault(value: &str) -> Result<(), String> {
    let Some(Arn { service: "backup", region, account, resource, .. }) = arn(value) else {
        return Err(format!(
            "`{value}` is not the ARN of a vault; write \
             `arn:aws:backup:REGION:ACCOUNT:backup-vault:NAME` with `$account` for the account \
             itself"
        ));
    };
    let known = region.bytes().all(|it| matches!(it, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    if region.is_empty() || !known {
        return Err(format!(
            "`{value}` names no Region; the place of a copy must be a Region code"
        ));
    }
    if account != "$account" && !(account.len() == 12 && is_digits(account)) {
        return Err(format!(
            "`{value}` names no account; write `$account` for the account itself, or 12 digits"
        ));
    }
    if !is_vault(resource) {
        return Err(format!("`{value}` does not end in `backup-vault:NAME`"));
    }
    Ok(())
}

pub(super) fn role(value: &str) -> Result<(), String> {
    let Some(Arn { service: "iam", region: "", account, resource, .. }) = arn(value) else {
        return Err(format!(
            "`{value}` is not the ARN of a role; write `arn:aws:iam::$account:role/NAME`"
        ));
    };
    if account != "$account" {
        return Err(format!(
            "`{value}` names the account `{account}`; AWS takes only `$account`, because the role \
             is looked up in each account"
        ));
    }
    let path = resource.strip_prefix("role/").unwrap_or_default();
    let allowed = |it: u8| it.is_ascii_alphanumeric() || b"_+=,.@/-".contains(&it);
    if path.is_empty() || !path.bytes().all(allowed) {
        return Err(format!("`{value}` does not end in `role/NAME`"));
    }
    Ok(())
}

pub(super) fn minutes(value: &str) -> Result<(), String> {
    if number(value).is_some_and(|it| it >= 60) {
        return Ok(());
    }
    Err(format!("`{value}` is not a number of minutes; AWS wants digits, 60 or more"))
}

pub(super) fn days(value: &str) -> Result<(), String> {
    if number(value).is_some_and(|it| it >= 1) {
        return Ok(());
    }
    Err(format!("`{value}` is not a number of days; AWS wants digits, 1 or more"))
}

pub(super) fn flag(value: &str) -> Result<(), String> {
    one_of(value, &["true", "false"])
}

pub(super) fn enabled(value: &str) -> Result<(), String> {
    one_of(value, &["enabled", "disabled"])
}

pub(super) fn index_type(value: &str) -> Result<(), String> {
    one_of(value, &["EBS", "S3"])
}

pub(super) fn scan_type(value: &str) -> Result<(), String> {
    one_of(value, &["EBS", "EC2", "S3", "ALL"])
}

pub(super) fn scan_mode(value: &str) -> Result<(), String> {
    one_of(value, &["INCREMENTAL_SCAN", "FULL_SCAN"])
}

pub(super) fn tag_key(value: &str) -> Result<(), String> {
    length(value, 1, 128)
}

pub(super) fn tag_value(value: &str) -> Result<(), String> {
    length(value, 0, 256)
}

pub(super) fn condition_key(value: &str) -> Result<(), String> {
    length(value, 1, 256)
}

pub(super) fn condition_value(value: &str) -> Result<(), String> {
    length(value, 0, 256)
}

pub(super) fn resource_type(value: &str) -> Result<(), String> {
    let known = arn(value).is_some_and(|it| match (it.service, it.region, it.account) {
        ("s3", "", "") => it.resource == "*",
        (service, "*", "*") => RESOURCE_TYPES.contains(&(service, it.resource)),
        _ => false,
    });
    if value == "*" || known {
        return Ok(());
    }
    Err(format!(
        "`{value}` is not a resource type; AWS takes `*` or a whole type such as \
         `arn:aws:ec2:*:*:volume/*`, never a single resource"
    ))
}

/// The name of a plan, rule, selection or condition.
pub(super) fn name(value: &str) -> Result<(), String> {
    let allowed = |it: u8| it.is_ascii_alphanumeric() || b"_.-".contains(&it);
    if (1..=50).contains(&value.len()) && value.bytes().all(allowed) {
        return Ok(());
    }
    Err(format!("`{value}` cannot be a name: 1 to 50 letters, digits, `-`, `_` and `.`"))
}

/// The key of a tag; that it must be its own `tag_key` is said elsewhere.
pub(super) fn tag_name(value: &str) -> Result<(), String> {
    length(value, 1, 128)
}

/// The number that `value` spells, without regard to how large it is.
pub(super) fn number(value: &str) -> Option<u64> {
    is_digits(value).then(|| value.parse().unwrap_or(u64::MAX))
}

/// The parts of an ARN of a partition that there is.
pub(super) fn arn(value: &str) -> Option<Arn<'_>> {
    Arn::parse(value).ok().filter(|it| it.known_partition().is_ok())
}

fn is_vault(value: &str) -> bool {
    value.strip_prefix("backup-vault:").is_some_and(is_vault_name)
}

fn is_vault_name(value: &str) -> bool {
    let allowed = |it: u8| it.is_ascii_alphanumeric() || b"_-".contains(&it);
    (1..=50).contains(&value.len()) && value.bytes().all(allowed)
}

fn is_digits(value: &str) -> bool {
    !value.is_empty() && value.bytes().all(|it| it.is_ascii_digit())
}

fn one_of(value: &str, allowed: &[&str]) -> Result<(), String> {
    if allowed.contains(&value) {
        return Ok(());
    }
    Err(format!("`{value}` is not one of `{}`", allowed.join("`, `")))
}

fn length(value: &str, low: usize, high: usize) -> Result<(), String> {
    let length = value.chars().count();
    if (low..=high).contains(&length) {
        return Ok(());
    }
    Err(format!("the value has {length} characters; AWS takes {low} to {high}"))
}
