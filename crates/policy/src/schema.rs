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
    pub(super) shape: Shape,
}

use Empty::{Allowed, Refused};
use Shape::{Fields, Many, Named, One, Schedule};

const fn may(name: &'static str, shape: Shape) -> Field {
    Field { name, required: false, shape }
}

const fn must(name: &'static str, shape: Shape) -> Field {
    Field { name, required: true, shape }
}

/// The whole document.
pub(super) static POLICY: Shape = Fields(&[must("plans", Named(values::name, &PLAN))]);

static PLAN: Shape = Fields(&[
    may("regions", Many(values::region, Allowed)),
    may("rules", Named(values::name, &RULE)),
    may(
        "selections",
        Fields(&[
            may("tags", Named(values::name, &TAG_SELECTION)),
            may("resources", Named(values::name, &RESOURCE_SELECTION)),
        ]),
    ),
    may(
        "advanced_backup_settings",
        Fields(&[
            may("ec2", Fields(&[may("windows_vss", One(values::enabled))])),
            may(
                "s3",
                Fields(&[
                    may("backup_acls", One(values::enabled)),
                    may("backup_object_tags", One(values::enabled)),
                ]),
            ),
        ]),
    ),
    may("backup_plan_tags", Named(values::tag_key, &TAG)),
    may(
        "scan_settings",
        Fields(&[may(
            "GUARDDUTY",
            Fields(&[
                may("resource_types", Many(values::scan_type, Refused)),
                may("scanner_role_arn", One(values::role)),
            ]),
        )]),
    ),
]);

static RULE: Shape = Fields(&[
    may("schedule_expression", Schedule),
    may("target_backup_vault_name", One(values::vault_name)),
    may("target_logically_air_gapped_backup_vault_arn", One(values::air_gapped_vault)),
    may("start_backup_window_minutes", One(values::minutes)),
    may("complete_backup_window_minutes", One(values::minutes)),
    may("enable_continuous_backup", One(values::flag)),
    may("lifecycle", LIFECYCLE),
    may("copy_actions", Named(values::copy_vault, &COPY)),
    may("recovery_point_tags", Named(values::tag_key, &TAG)),
    may("index_actions", Fields(&[may("resource_types", Many(values::index_type, Refused))])),
    may(
        "scan_actions",
        Fields(&[may("GUARDDUTY", Fields(&[may("scan_mode", One(values::scan_mode))]))]),
    ),
]);

static COPY: Shape = Fields(&[
    must("target_backup_vault_arn", One(values::copy_vault)),
    may("lifecycle", LIFECYCLE),
]);

const LIFECYCLE: Shape = Fields(&[
    may("move_to_cold_storage_after_days", One(values::days)),
    may("delete_after_days", One(values::days)),
    may("opt_in_to_archive_for_supported_resources", One(values::flag)),
]);

static TAG: Shape =
    Fields(&[must("tag_key", One(values::tag_key)), must("tag_value", One(values::tag_value))]);

static TAG_SELECTION: Shape = Fields(&[
    may("iam_role_arn", One(values::role)),
    must("tag_key", One(values::tag_key)),
    must("tag_value", Many(values::tag_value, Refused)),
    may("conditions", CONDITIONS),
]);

static RESOURCE_SELECTION: Shape = Fields(&[
    may("iam_role_arn", One(values::role)),
    may("resource_types", Many(values::resource_type, Refused)),
    may("not_resource_types", Many(values::resource_type, Refused)),
    may("conditions", CONDITIONS),
]);

const CONDITIONS: Shape = Fields(&[
    may("string_equals", Named(values::name, &CONDITION)),
    may("string_not_equals", Named(values::name, &CONDITION)),
    may("string_like", Named(values::name, &CONDITION)),
    may("string_not_like", Named(values::name, &CONDITION)),
]);

static CONDITION: Shape = Fields(&[
    must("condition_key", One(values::condition_key)),
    must("condition_value", One(values::condition_value)),
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
