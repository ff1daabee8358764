//! All keys of a backup policy at every level. A new key of AWS needs one line here.

use super::values::{self, Judge};

/// The content that is allowed at a place.
pub(super) enum Shape {
    /// An object with these keys and no other.
    Fields(&'static [Field]),
    /// An object with keys chosen by its author, all with the same content.
    Named(Judge, &'static Shape),
    /// One value, set by `@@assign`.
    One(Judge),
    /// A schedule, set by `@@assign` and judged with the clock.
    Schedule,
    /// A list of values, changed by all three operators. The flag says whether it may be empty.
    Many(Judge, Empty),
}

/// The rule for empty lists in a policy. AWS refuses them, but for Regions only after merging.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Empty {
    Allowed,
    Refused,
}

/// One key.
pub(super) struct Field {
    pub(super) name: &'static str,
    /// True if AWS refuses a policy that has the object but not this key.
    pub(super) required: bool,
    /// The meaning of the key, for its author.
    pub(super) about: &'static str,
    pub(super) shape: Shape,
}

use Empty::{Allowed, Refused};
use Shape::{Fields, Many, Named, One, Schedule};

const fn may(name: &'static str, shape: Shape, about: &'static str) -> Field {
    Field { name, required: false, about, shape }
}

const fn must(name: &'static str, shape: Shape, about: &'static str) -> Field {
    Field { name, required: true, about, shape }
}

/// The whole document.
pub(super) static POLICY: Shape = Fields(&[must(
    "plans",
    Named(values::name, &PLAN),
    "The backup plans, by name. AWS Backup makes each of them in every account below the target.",
)]);

static PLAN: Shape = Fields(&[
    may(
        "regions",
        Many(values::region, Allowed),
        "The Regions in which the plan makes backups, such as `eu-west-1`.",
    ),
    may("rules", Named(values::name, &RULE), "The rules, by name: when, where to, for how long."),
    may(
        "selections",
        Fields(&[
            may(
                "tags",
                Named(values::name, &TAG_SELECTION),
                "Selections by a tag. A resource is selected if any of them selects it.",
            ),
            may(
                "resources",
                Named(values::name, &RESOURCE_SELECTION),
                "Selections by ARN and conditions. AWS documents either these or `tags` in a plan.",
            ),
        ]),
        "The resources that the plan backs up.",
    ),
    may("advanced_backup_settings", ADVANCED, "Settings for single resource types."),
    may(
        "backup_plan_tags",
        Named(values::tag_key, &TAG),
        "The tags of the plans that AWS Backup makes. The name of each entry is its `tag_key`.",
    ),
    may(
        "scan_settings",
        Fields(&[may(
            "GUARDDUTY",
            Fields(&[
                may(
                    "resource_types",
                    Many(values::scan_type, Refused),
                    "The resource types whose backups are scanned.",
                ),
                may(
                    "scanner_role_arn",
                    One(values::role),
                    "The ARN of the role that Amazon GuardDuty scans with. `$account` stands for \
                     the account.",
                ),
            ]),
            "The scans by Amazon GuardDuty.",
        )]),
        "Scans of backups for malware. A rule switches them on with `scan_actions`.",
    ),
]);

const ADVANCED: Shape = Fields(&[
    may(
        "ec2",
        Fields(&[may(
            "windows_vss",
            One(values::enabled),
            "`enabled` makes backups of Windows instances consistent by VSS.",
        )]),
        "Settings for Amazon EC2.",
    ),
    may(
        "s3",
        Fields(&[
            may("backup_acls", One(values::enabled), "`disabled` leaves out ACLs of objects."),
            may(
                "backup_object_tags",
                One(values::enabled),
                "`disabled` leaves out tags of objects.",
            ),
        ]),
        "Settings for Amazon S3.",
    ),
]);

static RULE: Shape = Fields(&[
    may(
        "schedule_expression",
        Schedule,
        "The times of the backups as `cron(…)`, in UTC. One hour is the shortest interval.",
    ),
    may(
        "target_backup_vault_name",
        One(values::vault_name),
        "The name of the vault in each account. AWS Backup does not create it.",
    ),
    may(
        "target_logically_air_gapped_backup_vault_arn",
        One(values::air_gapped_vault),
        "The ARN of a logically air-gapped vault that stores the backups of types that support it.",
    ),
    may(
        "start_backup_window_minutes",
        One(values::minutes),
        "The minutes in which a job has to start before AWS Backup cancels it: 60 or more.",
    ),
    may(
        "complete_backup_window_minutes",
        One(values::minutes),
        "The minutes in which a job has to end before AWS Backup cancels it.",
    ),
    may(
        "enable_continuous_backup",
        One(values::flag),
        "`true` makes continuous backups, for restores to any second, of types that support them. \
         They are kept for at most 35 days.",
    ),
    may("lifecycle", LIFECYCLE, "The time for which backups are kept."),
    may(
        "copy_actions",
        Named(values::copy_vault, &COPY),
        "The copies of each backup, by the ARN of the vault that they go to.",
    ),
    may(
        "recovery_point_tags",
        Named(values::tag_key, &TAG),
        "The tags of the backups. The name of each entry is its `tag_key`.",
    ),
    may(
        "index_actions",
        Fields(&[may(
            "resource_types",
            Many(values::index_type, Refused),
            "The resource types whose backups are indexed.",
        )]),
        "Indexes of backups, in which files can be searched.",
    ),
    may(
        "scan_actions",
        Fields(&[may(
            "GUARDDUTY",
            Fields(&[may(
                "scan_mode",
                One(values::scan_mode),
                "`FULL_SCAN`, or `INCREMENTAL_SCAN` for what changed since the last scan.",
            )]),
            "Scans by Amazon GuardDuty.",
        )]),
        "Scans of each backup for malware. `scan_settings` of the plan has the role and the types.",
    ),
]);

static COPY: Shape = Fields(&[
    must(
        "target_backup_vault_arn",
        One(values::copy_vault),
        "The ARN of the vault that the copy goes to. `$account` stands for the account.",
    ),
    may("lifecycle", LIFECYCLE, "The time for which the copy is kept."),
]);

const LIFECYCLE: Shape = Fields(&[
    may(
        "move_to_cold_storage_after_days",
        One(values::days),
        "The days after which a backup moves to cold storage. It then stays there for at least 90.",
    ),
    may(
        "delete_after_days",
        One(values::days),
        "The days after which a backup is deleted. Without this it is kept for ever.",
    ),
    may(
        "opt_in_to_archive_for_supported_resources",
        One(values::flag),
        "`true` moves EBS snapshots to the archive tier.",
    ),
]);

static TAG: Shape = Fields(&[
    must("tag_key", One(values::tag_key), "The key of the tag."),
    must("tag_value", One(values::tag_value), "The value of the tag."),
]);

const ROLE: Field = may(
    "iam_role_arn",
    One(values::role),
    "The ARN of the role that makes the backups. `$account` stands for the account.",
);

static TAG_SELECTION: Shape = Fields(&[
    ROLE,
    must("tag_key", One(values::tag_key), "The key of the tag. AWS Backup compares its case."),
    must("tag_value", Many(values::tag_value, Refused), "The values, one of which the tag has."),
    may("conditions", CONDITIONS, "Conditions that a resource has to meet as well."),
]);

static RESOURCE_SELECTION: Shape = Fields(&[
    ROLE,
    may(
        "resource_types",
        Many(values::resource_type, Refused),
        "The ARNs of the resources, such as `arn:aws:s3:::*`, or `*` for all types.",
    ),
    may(
        "not_resource_types",
        Many(values::resource_type, Refused),
        "The ARNs of the resources that are left out.",
    ),
    may("conditions", CONDITIONS, "Conditions that a resource has to meet, all of them."),
]);

const CONDITIONS: Shape = Fields(&[
    may("string_equals", Named(values::name, &CONDITION), "A tag has exactly this value."),
    may("string_not_equals", Named(values::name, &CONDITION), "A tag has another value."),
    may("string_like", Named(values::name, &CONDITION), "A tag fits a pattern with `*`."),
    may("string_not_like", Named(values::name, &CONDITION), "A tag does not fit a pattern."),
]);

static CONDITION: Shape = Fields(&[
    must("condition_key", One(values::condition_key), "The tag, such as `aws:ResourceTag/stage`."),
    must("condition_value", One(values::condition_value), "The value, or the pattern."),
]);

/// Returns `true` if a plan may have this key, ignoring case.
pub(super) fn is_key_of_a_plan(key: &str) -> bool {
    key.starts_with("@@") || PLAN.child(key).is_some()
}

impl Shape {
    /// Returns the shape under `key`, and the key in the spelling of AWS unless the author chose
    /// it.
    pub(super) fn child(&self, key: &str) -> Option<(Option<&'static str>, &'static Shape)>
    where
        Self: 'static,
    {
        match self {
            Fields(fields) => {
                let fields: &'static [Field] = fields;
                let field = fields.iter().find(|it| it.name.eq_ignore_ascii_case(key))?;
                Some((Some(field.name), &field.shape))
            }
            Named(_, shape) => Some((None, shape)),
            One(_) | Schedule | Many(..) => None,
        }
    }

    /// Returns the names that are allowed at a place, for a message.
    pub(super) fn names(&self) -> Vec<&'static str> {
        match self {
            Fields(fields) => fields.iter().map(|it| it.name).collect(),
            Named(..) | One(_) | Schedule | Many(..) => Vec::new(),
        }
    }
}
