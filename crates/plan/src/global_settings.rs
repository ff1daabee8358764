//! The settings of AWS Backup for the whole organization.

mod properties;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::id::{TagKey, TagValue};
use crate::owner::{Owner, our_tag};

pub use properties::{OnDelete, Properties};

/// A setting that only the management account can change.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub enum Setting {
    /// Recovery points may be copied to other accounts of the organization.
    CrossAccountBackup,
    /// AWS Backup keeps the permissions of its delegated administrators up to date.
    DelegatedAdministrator,
    /// Multi-party approval can protect logically air-gapped vaults.
    MultiPartyApproval,
}

impl Setting {
    /// All settings.
    pub const ALL: [Self; 3] =
        [Self::CrossAccountBackup, Self::DelegatedAdministrator, Self::MultiPartyApproval];

    /// Returns the name of the setting in a template.
    pub fn property(self) -> &'static str {
        match self {
            Self::CrossAccountBackup => "CrossAccountBackup",
            Self::DelegatedAdministrator => "DelegatedAdministrator",
            Self::MultiPartyApproval => "MultiPartyApproval",
        }
    }

    /// Returns the key of the setting in the API of AWS Backup.
    pub fn key(self) -> &'static str {
        match self {
            Self::CrossAccountBackup => "isCrossAccountBackupEnabled",
            Self::DelegatedAdministrator => "isDelegatedAdministratorEnabled",
            Self::MultiPartyApproval => "isMpaEnabled",
        }
    }
}

/// Settings, each with `true` if it is on.
pub type Values = BTreeMap<Setting, bool>;

/// The state that a template asks for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Desired {
    /// These settings have these values. Other settings are left alone.
    Present {
        /// The settings in the template.
        values: Values,
        /// True if the values found now have to be restored when the resource is deleted.
        restore: bool,
        /// The settings that an earlier version of the template set or wanted to set. They are
        /// restored if this version no longer names them. A setting with another value is left
        /// alone.
        retired: Values,
    },
    /// These settings have the values that were found when the resource was created.
    Restored(BTreeSet<Setting>),
}

/// The state of the organization.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Observed {
    /// The current values of all settings.
    pub values: Values,
    /// The values found when this resource was created, from the record or from one of its
    /// requests.
    pub found: Option<Values>,
    /// True if the tag of the root contains them.
    pub is_recorded: bool,
}

/// One change to make.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Step {
    /// Record the current values on the root before they are changed.
    Record(Values),
    /// Change these settings and no others.
    Update(Values),
    /// Remove the record from the root.
    Forget,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Record(values) => write!(f, "tag the root with {}", words(values)),
            Self::Update(values) => write!(f, "set {}", words(values)),
            Self::Forget => write!(f, "untag the root"),
        }
    }
}

/// Returns the steps from `observed` to `desired`.
pub fn plan(desired: &Desired, observed: &Observed) -> Vec<Step> {
    let change = |wanted: &Values| {
        let differs = |(setting, on): &(&Setting, &bool)| observed.values.get(setting) != Some(on);
        let change: Values = wanted.iter().filter(differs).map(|(it, on)| (*it, *on)).collect();
        (!change.is_empty()).then_some(Step::Update(change))
    };
    match (desired, &observed.found) {
        (Desired::Present { values, restore: true, .. }, None) => {
            let record = Step::Record(observed.values.clone());
            [record].into_iter().chain(change(values)).collect()
        }
        (Desired::Present { values, restore: true, retired }, Some(found)) => {
            let retired = retired.iter().filter(|it| observed.values.get(it.0) == Some(it.1));
            let back = retired.filter_map(|(it, _)| Some((*it, *found.get(it)?)));
            // The values in the template have priority.
            let wanted = back.chain(values.iter().map(|(it, on)| (*it, *on))).collect();
            change(&wanted).into_iter().collect()
        }
        (Desired::Present { values, .. }, _) => change(values).into_iter().collect(),
        (Desired::Restored(_), None) => vec![],
        (Desired::Restored(settings), Some(found)) => {
            let wanted = found.iter().filter(|(it, _)| settings.contains(it));
            let wanted = wanted.map(|(it, on)| (*it, *on)).collect();
            let forget = observed.is_recorded.then_some(Step::Forget);
            change(&wanted).into_iter().chain(forget).collect()
        }
    }
}

/// Returns the steps that hand over to the resource the values that one of its requests found
/// `before` it changed the settings. Another request overtook that request, and the values that the
/// other one found were made by this one.
pub fn hand_over(before: &Values, observed: &Observed) -> Vec<Step> {
    if observed.is_recorded && observed.found.as_ref() == Some(before) {
        return vec![];
    }
    vec![Step::Record(before.clone())]
}

/// Returns the tag on the root that contains the values that `owner` found.
pub fn tag(owner: &Owner) -> TagKey {
    our_tag(&format!("found-settings/{}", owner.short()))
}

/// Returns the value of the tag, as in `CrossAccountBackup=false MultiPartyApproval=true`.
pub fn tag_value(values: &Values) -> TagValue {
    TagValue::from_str(&words(values)).unwrap_or_else(|_| unreachable!("three words make a tag"))
}

/// Reads the text of [`tag_value`], and ignores everything that it never writes.
pub fn of_tag_value(value: &str) -> Values {
    let one = |word: &str| {
        let (name, on) = word.split_once('=')?;
        let setting = Setting::ALL.into_iter().find(|it| it.property() == name)?;
        Some((setting, on.parse().ok()?))
    };
    value.split(' ').filter_map(one).collect()
}

fn words(values: &Values) -> String {
    let words = values.iter().map(|(it, on)| format!("{}={on}", it.property()));
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    const OFF: &str =
        "CrossAccountBackup=false DelegatedAdministrator=false MultiPartyApproval=false";
    const ON: &str = "CrossAccountBackup=true DelegatedAdministrator=true MultiPartyApproval=true";

    fn present(values: &str, restore: bool) -> Desired {
        Desired::Present { values: of_tag_value(values), restore, retired: Values::new() }
    }

    fn observed(values: &str, found: Option<&str>) -> Observed {
        let is_recorded = found.is_some();
        Observed { values: of_tag_value(values), found: found.map(of_tag_value), is_recorded }
    }

    fn check(desired: &Desired, observed: &Observed, expect: Expect) {
        let steps = plan(desired, observed);
        expect.assert_eq(&steps.iter().map(|it| format!("{it}\n")).collect::<String>());
    }

    #[test]
    fn properties_say_what_is_set_and_whether_it_is_restored() {
        let read = |it: serde_json::Value| serde_json::from_value::<Properties>(it).unwrap();
        let one = read(serde_json::json!({ "CrossAccountBackup": "true" }));
        assert_eq!(one.present(None), present("CrossAccountBackup=true", false));
        assert_eq!(one.restored(), Desired::Restored([Setting::CrossAccountBackup].into()));
        let all = read(serde_json::json!({
            "CrossAccountBackup": "true", "DelegatedAdministrator": true,
            "MultiPartyApproval": "true", "OnDelete": "Restore",
        }));
        assert_eq!(all.present(None), present(ON, true));
        // Of a version that restored nothing, nothing is known.
        assert_eq!(all.present(Some(&one)), present(ON, true));
        let values = of_tag_value("CrossAccountBackup=true");
        let after = Desired::Present { values, restore: false, retired: of_tag_value(ON) };
        assert_eq!(one.present(Some(&all)), after);
    }

    #[test]
    fn every_setting_has_its_key_in_the_api() {
        let keys = Setting::ALL.map(Setting::key);
        let expected =
            ["isCrossAccountBackupEnabled", "isDelegatedAdministratorEnabled", "isMpaEnabled"];
        assert_eq!(keys, expected);
    }

    #[test]
    fn only_what_differs_is_set() {
        check(
            &present("CrossAccountBackup=true MultiPartyApproval=false", false),
            &observed(OFF, None),
            expect![[r"
            set CrossAccountBackup=true
        "]],
        );
        check(&present(ON, false), &observed(ON, None), expect![""]);
    }

    #[test]
    fn a_setting_that_is_not_in_the_template_is_left_alone() {
        check(&present("CrossAccountBackup=true", false), &observed(ON, None), expect![""]);
    }

    #[test]
    fn what_is_found_is_recorded_once_and_before_it_is_changed() {
        check(
            &present("CrossAccountBackup=true", true),
            &observed(OFF, None),
            expect![[r"
            tag the root with CrossAccountBackup=false DelegatedAdministrator=false MultiPartyApproval=false
            set CrossAccountBackup=true
        "]],
        );
        check(&present("CrossAccountBackup=true", true), &observed(ON, Some(OFF)), expect![""]);
    }

    #[test]
    fn only_the_settings_of_the_template_are_restored() {
        check(
            &Desired::Restored([Setting::CrossAccountBackup].into()),
            &observed(ON, Some(OFF)),
            expect![[r"
            set CrossAccountBackup=false
            untag the root
        "]],
        );
        check(
            &Desired::Restored(Setting::ALL.into()),
            &observed(OFF, Some(OFF)),
            expect![[r"
            untag the root
        "]],
        );
    }

    #[test]
    fn a_setting_that_the_template_no_longer_names_is_restored() {
        let no_longer = |retired: &str| Desired::Present {
            values: of_tag_value("CrossAccountBackup=true"),
            restore: true,
            retired: of_tag_value(retired),
        };
        check(
            &no_longer("CrossAccountBackup=true MultiPartyApproval=true"),
            &observed(ON, Some(OFF)),
            expect![[r"
            set MultiPartyApproval=false
        "]],
        );
        // Somebody else has changed it since, or nobody knows what it was before.
        let on = observed(ON, Some(OFF));
        check(&no_longer("MultiPartyApproval=false"), &on, expect![""]);
        let unknown = observed(ON, Some("CrossAccountBackup=false"));
        check(&no_longer("MultiPartyApproval=true"), &unknown, expect![""]);
    }

    #[test]
    fn what_a_request_noted_without_a_record_is_restored_and_not_untagged() {
        let noted = Observed { is_recorded: false, ..observed(ON, Some(OFF)) };
        let restored = Desired::Restored([Setting::CrossAccountBackup].into());
        check(
            &restored,
            &noted,
            expect![[r"
            set CrossAccountBackup=false
        "]],
        );
        check(&restored, &Observed { values: of_tag_value(OFF), ..noted }, expect![""]);
    }

    #[test]
    fn nothing_is_restored_without_a_record() {
        check(&Desired::Restored(Setting::ALL.into()), &observed(ON, None), expect![""]);
    }

    #[test]
    fn what_an_overtaken_request_found_is_left_to_the_resource() {
        let before = of_tag_value(OFF);
        for found in [None, Some(ON)] {
            assert_eq!(hand_over(&before, &observed(ON, found)), [Step::Record(before.clone())]);
        }
        assert_eq!(hand_over(&before, &observed(ON, Some(OFF))), []);
    }

    #[test]
    fn a_record_reads_back_and_fits_a_tag() {
        for values in [ON, OFF, ""] {
            assert_eq!(words(&of_tag_value(tag_value(&of_tag_value(values)).as_str())), values);
        }
        assert_eq!(of_tag_value("CrossAccountBackup=perhaps Volume=true x"), Values::new());
    }

    #[test]
    fn every_interrupted_run_can_be_resumed() {
        let after = |mut observed: Observed, step: &Step| {
            match step {
                Step::Record(values) => {
                    (observed.found, observed.is_recorded) = (Some(values.clone()), true);
                }
                Step::Update(values) => observed.values.extend(values.clone()),
                Step::Forget => (observed.found, observed.is_recorded) = (None, false),
            }
            observed
        };
        for desired in
            [present(ON, true), present(ON, false), Desired::Restored(Setting::ALL.into())]
        {
            for start in [observed(OFF, None), observed(ON, Some(OFF)), observed(ON, None)] {
                let steps = plan(&desired, &start);
                let whole = steps.iter().fold(start.clone(), after);
                for done in 0..=steps.len() {
                    let halfway = steps[..done].iter().fold(start.clone(), after);
                    let end = plan(&desired, &halfway).iter().fold(halfway, after);
                    assert_eq!(end, whole, "{desired:?} from {start:?} after {done}");
                    assert_eq!(plan(&desired, &end), vec![]);
                }
            }
        }
    }
}
