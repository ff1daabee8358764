//! Policies that Organizations accepts, although AWS documents otherwise or AWS Backup refuses them
//! when it creates the plan.

use super::code::Code;
use super::finding::{Findings, Path};
use super::lint::each_value;
use super::node::{Member, Node};
use super::partition::Partition;
use super::rules::{assigned, each, is_variable};
use super::values;

/// The longest retention of a recovery point in AWS Backup.
const MOST_DAYS: u64 = 36_500;

/// The shortest retention of a recovery point in a logically air-gapped vault.
const AIR_GAPPED_DAYS: u64 = 7;

/// The longest window that AWS Backup accepts: a hundred years.
const MOST_MINUTES: u64 = 52_560_000;

/// The most tag selections of a plan, and the most values of one selection.
const TAG_SELECTIONS: usize = 10;
const TAG_VALUES: usize = 30;

/// The prefix of a tag name in a condition.
const RESOURCE_TAG: &str = "aws:ResourceTag/";

/// Reports everything in the document that contradicts the documentation of AWS.
pub(super) fn lint(document: &Node, findings: &mut Findings) {
    each(document, "plans", &Path::Top, |path, plan| {
        let node = &plan.value;
        each(node, "rules", path, |path, rule| {
            let rule = &rule.value;
            vault(rule, "target_backup_vault_name", path, findings);
            vault(rule, "target_logically_air_gapped_backup_vault_arn", path, findings);
            windows(rule, path, findings);
            retention(rule, path, findings);
            air_gapped(rule, path, findings);
            index(rule, path, findings);
            scan_actions(rule, path, findings);
            reserved_tags(rule, "recovery_point_tags", path, findings);
            each(rule, "copy_actions", path, |path, copy| {
                vault(&copy.value, "target_backup_vault_arn", path, findings);
                retention(&copy.value, path, findings);
                copy_partition(node, copy, path, findings);
            });
        });
        scan_settings(node, path, findings);
        selections(node, path, findings);
        reserved_tags(node, "backup_plan_tags", path, findings);
    });
}

/// Judges the name of a vault in the value of `key`, which is the name alone or in an ARN.
fn vault(holder: &Node, key: &'static str, path: &Path<'_>, findings: &mut Findings) {
    let (Some(vault), Some(node)) = (assigned(holder, key), holder.get(key)) else { return };
    let in_arn = values::arn(vault).and_then(|it| it.vault());
    let name = in_arn.unwrap_or(vault);
    if name.len() == 1 {
        let message = format!("`{name}` has one character; AWS Backup accepts names of 2 to 50");
        findings.warning(Code::VaultName, &path.key(key), node.span, message);
    }
}

fn windows(rule: &Node, path: &Path<'_>, findings: &mut Findings) {
    for key in ["start_backup_window_minutes", "complete_backup_window_minutes"] {
        let (Some(minutes), Some(node)) = (assigned(rule, key), rule.get(key)) else { continue };
        if values::number(minutes).is_some_and(|it| it > MOST_MINUTES) {
            let message = format!(
                "`{minutes}` minutes are more than the {MOST_MINUTES} that AWS Backup accepts"
            );
            findings.warning(Code::WindowTooLong, &path.key(key), node.span, message);
        }
    }
}

fn retention(node: &Node, path: &Path<'_>, findings: &mut Findings) {
    let Some(lifecycle) = node.get("lifecycle") else { return };
    let path = path.key("lifecycle");
    for key in ["move_to_cold_storage_after_days", "delete_after_days"] {
        let Some(days) = assigned(lifecycle, key) else { continue };
        if values::number(days).is_some_and(|it| it > MOST_DAYS) {
            let span = lifecycle.get(key).map_or(lifecycle.span, |it| it.span);
            let message =
                format!("`{days}` days are more than the {MOST_DAYS} that AWS Backup accepts");
            findings.warning(Code::Retention, &path.key(key), span, message);
        }
    }
}

fn air_gapped(rule: &Node, path: &Path<'_>, findings: &mut Findings) {
    if rule.get("target_logically_air_gapped_backup_vault_arn").is_none() {
        return;
    }
    let Some(lifecycle) = rule.get("lifecycle") else { return };
    let key = "delete_after_days";
    let Some(days) = assigned(lifecycle, key).and_then(values::number) else { return };
    if days < AIR_GAPPED_DAYS {
        let span = lifecycle.get(key).map_or(lifecycle.span, |it| it.span);
        let message = format!(
            "a logically air-gapped vault keeps backups for at least {AIR_GAPPED_DAYS} days, not \
             {days}, so this backup fails"
        );
        let path = path.key("lifecycle");
        findings.warning(Code::AirGappedRetention, &path.key(key), span, message);
    }
}

fn index(rule: &Node, path: &Path<'_>, findings: &mut Findings) {
    let Some(index) = rule.get("index_actions") else { return };
    if index.members().is_some() && index.get("resource_types").is_none() {
        let message = "`index_actions` has no `resource_types`, so nothing is indexed";
        findings.warning(Code::IncompleteIndex, &path.key("index_actions"), index.span, message);
    }
}

fn scan_actions(rule: &Node, path: &Path<'_>, findings: &mut Findings) {
    let path = path.key("scan_actions");
    each_scanner(rule, "scan_actions", &["scan_mode"], &path, findings);
}

fn scan_settings(plan: &Node, path: &Path<'_>, findings: &mut Findings) {
    let path = path.key("scan_settings");
    let required = ["resource_types", "scanner_role_arn"];
    each_scanner(plan, "scan_settings", &required, &path, findings);
}

/// Warns about a scanner under `key` that lacks one of `required`, and about a place without a
/// scanner.
fn each_scanner(
    node: &Node,
    key: &str,
    required: &[&str],
    path: &Path<'_>,
    findings: &mut Findings,
) {
    let Some(scan) = node.get(key) else { return };
    let Some(members) = scan.members() else { return };
    let mut scanners = members.iter().filter(|it| !it.key.starts_with("@@")).peekable();
    if scanners.peek().is_none() {
        let message = "this names no scanner, so nothing is scanned; AWS knows `GUARDDUTY`";
        findings.warning(Code::IncompleteScan, path, scan.span, message);
    }
    for Member { key, span, value } in scanners {
        if value.members().is_none() {
            continue;
        }
        let missing: Vec<_> =
            required.iter().copied().filter(|it| value.get(it).is_none()).collect();
        if !missing.is_empty() {
            let message = format!(
                "AWS documents `{}` as required here; unless another policy adds it, nothing is \
                 scanned",
                missing.join("` and `")
            );
            findings.warning(Code::IncompleteScan, &path.key(key), *span, message);
        }
    }
}

/// Reports tags that begin with `aws:`, which AWS reserves.
fn reserved_tags(node: &Node, key: &str, path: &Path<'_>, findings: &mut Findings) {
    each(node, key, path, |path, tag| {
        let name = assigned(&tag.value, "tag_key").unwrap_or(&tag.key);
        if name.to_lowercase().starts_with("aws:") {
            let message = format!(
                "`{name}` begins with `aws:`, which AWS keeps for itself, so the tag is refused"
            );
            findings.warning(Code::ReservedTag, path, tag.span, message);
        }
    });
}

fn selections(plan: &Node, path: &Path<'_>, findings: &mut Findings) {
    let Some(selections) = plan.get("selections") else { return };
    let path = path.key("selections");
    let count = |key| {
        let members = selections.get(key).and_then(Node::members).unwrap_or_default();
        members.iter().filter(|it| !it.key.starts_with("@@")).count()
    };
    let (tags, resources) = (count("tags"), count("resources"));
    if tags > 0 && resources > 0 {
        let message = "this plan selects by `tags` and by `resources`, and AWS documents one of the \
                       two; make a plan for each";
        findings.warning(Code::BothSelections, &path, selections.span, message);
    }
    if tags > TAG_SELECTIONS {
        let message = format!(
            "{tags} selections by tag are more than the {TAG_SELECTIONS} that AWS documents"
        );
        findings.warning(Code::TooMany, &path.key("tags"), selections.span, message);
    }
    each(selections, "tags", &path, |path, selection| {
        tag_values(&selection.value, path, findings);
        role(plan, &selection.value, path, findings);
        conditions(&selection.value, path, findings);
    });
    each(selections, "resources", &path, |path, selection| {
        let node = &selection.value;
        role(plan, node, path, findings);
        conditions(node, path, findings);
        let has_conditions =
            node.get("conditions").and_then(Node::members).is_some_and(|it| !it.is_empty());
        if has_conditions && node.get("resource_types").is_none() {
            let message = "this selection has `conditions` and no `resource_types`, which AWS Backup \
                           refuses when it makes the plan; add `resource_types`, `[\"*\"]` for all";
            findings.warning(Code::OnlyConditions, path, selection.span, message);
        }
    });
}

fn tag_values(selection: &Node, path: &Path<'_>, findings: &mut Findings) {
    let key = "tag_value";
    let Some(node) = selection.get(key) else { return };
    let mut count = 0;
    each_value(selection, key, path, |_, _, _| count += 1);
    if count > TAG_VALUES {
        let message =
            format!("{count} values of a tag are more than the {TAG_VALUES} that AWS documents");
        findings.warning(Code::TooMany, &path.key(key), node.span, message);
    }
}

fn conditions(selection: &Node, path: &Path<'_>, findings: &mut Findings) {
    let Some(conditions) = selection.get("conditions") else { return };
    let path = path.key("conditions");
    for operator in conditions.members().unwrap_or_default() {
        each(conditions, &operator.key, &path, |path, condition| {
            let Some(name) = assigned(&condition.value, "condition_key") else { return };
            if !name.starts_with(RESOURCE_TAG) {
                let prefix = name.get(..RESOURCE_TAG.len());
                let prefix = prefix.filter(|it| it.eq_ignore_ascii_case(RESOURCE_TAG));
                let tag = &name[prefix.map_or(0, str::len)..];
                let message = format!(
                    "`{name}` is not the tag of a resource, so the condition is about nothing; write \
                     `{RESOURCE_TAG}{tag}`"
                );
                let span =
                    condition.value.get("condition_key").map_or(condition.span, |it| it.span);
                findings.warning(Code::ConditionKey, &path.key("condition_key"), span, message);
            }
        });
    }
}

/// Checks the role that AWS Backup assumes, in the partition of the Region that the plan is in.
fn role(plan: &Node, selection: &Node, path: &Path<'_>, findings: &mut Findings) {
    let key = "iam_role_arn";
    let (Some(role), Some(node)) = (assigned(selection, key), selection.get(key)) else { return };
    let path = path.key(key);
    let Some(arn) = values::arn(role) else { return };
    if arn.resource.starts_with("role/aws-service-role/") {
        let message = format!(
            "`{role}` is the role of a service, which AWS Backup cannot use for backups; name a \
             role that trusts `backup.amazonaws.com`"
        );
        findings.warning(Code::ServiceLinkedRole, &path, node.span, message);
    }
    if let Some((region, partition)) = region_outside(plan, arn.partition) {
        let message = format!(
            "`{role}` is a role of the partition `{}`, and `{region}` belongs to `{partition}`",
            arn.partition
        );
        findings.warning(Code::PartitionMismatch, &path, node.span, message);
    }
}

/// Returns the first Region of a plan that is not in a partition, and the partition that it is in.
fn region_outside(plan: &Node, partition: &str) -> Option<(String, Partition)> {
    let mut found = None;
    each_value(plan, "regions", &Path::Top, |_, _, region| {
        let own = Partition::of_region(region);
        if let Some(own) = own.filter(|it| it.name() != partition) {
            found.get_or_insert_with(|| (region.to_owned(), own));
        }
    });
    found
}

/// Checks the partition of a vault that receives copies. A copy stays in the partition of its backup.
fn copy_partition(plan: &Node, copy: &Member, path: &Path<'_>, findings: &mut Findings) {
    let target = assigned(&copy.value, "target_backup_vault_arn").unwrap_or(&copy.key);
    if is_variable(target) {
        return;
    }
    let Some(arn) = values::arn(target) else { return };
    let partition = Partition::of_region(arn.region);
    let message = if let Some(partition) = partition.filter(|it| it.name() != arn.partition) {
        format!(
            "`{target}` is of the partition `{}`, and `{}` belongs to `{partition}`",
            arn.partition, arn.region
        )
    } else if let Some((region, partition)) = region_outside(plan, arn.partition) {
        format!(
            "`{target}` is of the partition `{}`, and nothing is copied there from `{region}`, \
             which belongs to `{partition}`",
            arn.partition
        )
    } else {
        return;
    };
    findings.warning(Code::PartitionMismatch, path, copy.span, message);
}
