//! The required format of each kind of value, and the message for a value that does not have it.

use std::fmt;
use std::time::SystemTime;

use super::cron;
use super::nearest::nearest;
use crate::arn::Arn;
use crate::partition::Partition;
use crate::resource_types::ResourceType;

/// A function that judges one value. The error is a sentence without a full stop.
pub(super) type Judge = fn(&str) -> Result<(), String>;

pub(super) fn region(value: &str) -> Result<(), String> {
    if is_region(value) {
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
        Some(arn @ Arn { region: "$region", account: "$account", .. }) if is_vault(arn) => Ok(()),
        _ => Err(format!(
            "`{value}` is not accepted here; write \
             `arn:aws:backup:$region:$account:backup-vault:NAME` with `$region` and `$account` as \
             they stand"
        )),
    }
}

pub(super) fn copy_vault(value: &str) -> Result<(), String> {
    let Some(vault @ Arn { service: "backup", region, account, .. }) = arn(value) else {
        return Err(format!(
            "`{value}` is not the ARN of a vault; write \
             `arn:aws:backup:REGION:ACCOUNT:backup-vault:NAME` with `$account` for the account \
             itself"
        ));
    };
    if !is_region(region) {
        return Err(format!(
            "`{value}` names no Region; the place of a copy must be a Region code"
        ));
    }
    if account != "$account" && !(account.len() == 12 && is_digits(account)) {
        return Err(format!(
            "`{value}` names no account; write `$account` for the account itself, or 12 digits"
        ));
    }
    if !is_vault(vault) {
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
            "`{value}` names the account `{account}`; AWS accepts only `$account`, because the \
             role is looked up in each account"
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
    // AWS was observed to accept 16 digits and to refuse 17.
    if value.len() <= 16 && number(value).is_some_and(|it| it >= 60) {
        return Ok(());
    }
    Err(format!("`{value}` is not a number of minutes; AWS wants up to 16 digits, 60 or more"))
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
    let is_whole = arn(value).is_some_and(|it| match (it.service, it.region, it.account) {
        ("s3", "", "") => it.resource == "*",
        // This includes types that are newer than this program.
        (_, "*", "*") => {
            let kind = it.resource.strip_suffix("/*").or_else(|| it.resource.strip_suffix(":*"));
            let allowed = |it: u8| it.is_ascii_alphanumeric() || it == b'-';
            kind.is_some_and(|it| !it.is_empty() && it.bytes().all(allowed))
        }
        _ => false,
    });
    if value == "*" || is_whole {
        return Ok(());
    }
    if let Some(meant) = type_of_service(value) {
        return Err(format!("`{value}` is not a resource type; did you mean `{meant}`?"));
    }
    Err(format!(
        "`{value}` is not a resource type; AWS accepts `*` or a whole type such as \
         `arn:aws:ec2:*:*:volume/*`, never a single resource"
    ))
}

/// Returns the type that is probably meant by a service name as AWS Backup shows it, such as `S3`.
fn type_of_service(value: &str) -> Option<String> {
    let service = match value.to_lowercase().as_str() {
        "ebs" => return Some("arn:aws:ec2:*:*:volume/*".to_owned()),
        "efs" => "elasticfilesystem".to_owned(),
        service => service.to_owned(),
    };
    let mut types = ResourceType::all().map(|it| it.arn("aws"));
    types.find(|it| arn(it).is_some_and(|it| it.service == service))
}

/// Judges the name of a plan, rule, selection or condition.
pub(super) fn name(value: &str) -> Result<(), String> {
    let allowed = |it: u8| it.is_ascii_alphanumeric() || b"_.-".contains(&it);
    if (1..=50).contains(&value.len()) && value.bytes().all(allowed) {
        return Ok(());
    }
    Err(format!("`{value}` cannot be a name: 1 to 50 letters, digits, `-`, `_` and `.`"))
}

/// Returns the suggestion for a well-formed Region that this release does not know.
pub(super) fn unknown_region(value: &str) -> Option<Unknown> {
    let known: Vec<_> = Partition::all_regions().collect();
    let is_unknown = is_region(value) && !known.contains(&value);
    is_unknown.then(|| Unknown {
        as_of: Partition::regions_as_of(),
        nearest: nearest(value, &known).map(str::to_owned),
    })
}

/// Returns the suggestion for a well-formed resource type that this release does not know.
pub(super) fn unknown_resource_type(value: &str) -> Option<Unknown> {
    let Arn { partition, .. } = arn(value)?;
    if resource_type(value).is_err() || ResourceType::all().any(|it| it.is_meant_by(value)) {
        return None;
    }
    let all: Vec<_> = ResourceType::all().map(|it| it.arn(partition)).collect();
    let all: Vec<_> = all.iter().map(String::as_str).collect();
    Some(Unknown { as_of: ResourceType::as_of(), nearest: nearest(value, &all).map(str::to_owned) })
}

/// A well-formed name that is not in a list of AWS's names: it is newer than the list, or wrong.
pub(super) struct Unknown {
    /// The day of the list.
    pub(super) as_of: &'static str,
    /// The name that was probably meant.
    pub(super) nearest: Option<String>,
}

impl fmt::Display for Unknown {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "is not in the list of {} that this release has, and AWS refuses a value that does not \
             exist",
            self.as_of
        )?;
        match &self.nearest {
            Some(nearest) => write!(formatter, "; did you mean `{nearest}`?"),
            None => Ok(()),
        }
    }
}

/// Returns the number that `value` spells. Numbers that are too large become the largest one.
pub(super) fn number(value: &str) -> Option<u64> {
    is_digits(value).then(|| value.parse().unwrap_or(u64::MAX))
}

/// Returns the parts of an ARN if its partition is known.
pub(super) fn arn(value: &str) -> Option<Arn<'_>> {
    Arn::parse(value).ok().filter(|it| it.known_partition().is_ok())
}

/// Returns `true` if `value` has the format of a Region, including Regions newer than this program.
fn is_region(value: &str) -> bool {
    let allowed = |it: u8| it.is_ascii_lowercase() || it.is_ascii_digit();
    let is_part = |it: &str| !it.is_empty() && it.bytes().all(allowed);
    value.split('-').count() >= 3
        && value.split('-').all(is_part)
        && value.ends_with(|it: char| it.is_ascii_digit())
}

fn is_vault(arn: Arn<'_>) -> bool {
    arn.vault().is_some_and(is_vault_name)
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
    Err(format!("the value has {length} characters; AWS accepts {low} to {high}"))
}
