//! The rules that find something in a document, each by a word that stays.

use std::fmt;

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $name:ident = $word:literal,)+) => {
        /// The rule that found something.
        ///
        /// Programs compare its word, so a word keeps its meaning.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Code {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Code {
            /// Every rule.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// The word for it, such as `unknown-key`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)+
                }
            }
        }
    };
}

codes! {
    /// The text is not JSON or YAML.
    Syntax = "syntax",
    /// Nothing that deep is a policy.
    TooDeep = "too-deep",
    /// Nothing that large is a policy.
    TooLarge = "too-large",
    /// A key stands twice in one object.
    DuplicateKey = "duplicate-key",
    /// AWS knows no such key here.
    UnknownKey = "unknown-key",
    /// AWS wants a key that is not there.
    MissingKey = "missing-key",
    /// A value stands without `@@assign`.
    NoOperator = "no-operator",
    /// An operator stands where none can be.
    MisplacedOperator = "misplaced-operator",
    /// AWS knows no such operator.
    UnknownOperator = "unknown-operator",
    /// AWS takes this operator elsewhere.
    OperatorNotAllowed = "operator-not-allowed",
    /// A list or an object stands for one value.
    NotAScalar = "not-a-scalar",
    /// One value stands for a list.
    NotAList = "not-a-list",
    /// AWS takes no empty list here.
    EmptyList = "empty-list",
    /// AWS takes no such name.
    InvalidName = "invalid-name",
    /// AWS takes no such value.
    InvalidValue = "invalid-value",
    /// AWS takes no such list of operators that are allowed further down.
    InvalidControl = "invalid-control",
    /// Continuous backup needs a retention of at most 35 days.
    ContinuousRetention = "continuous-retention",
    /// The archive tier needs a longer retention.
    ArchiveRetention = "archive-retention",
    /// The archive tier needs a schedule that runs less often.
    ArchiveSchedule = "archive-schedule",
    /// A backup stays in cold storage for less than 90 days, which AWS Backup refuses.
    ColdStorage = "cold-storage",
    /// A copy goes to the vault that the backup is already in.
    CopyToItself = "copy-to-itself",
    /// The key of a copy names another vault than the copy does.
    CopyKey = "copy-key",
    /// The name of a tag is not its `tag_key`.
    TagName = "tag-name",
    /// The policy has more characters than AWS takes.
    TooLong = "too-long",
    /// The policy has more characters than AWS takes, and fewer without white space.
    WhiteSpace = "white-space",
    /// There are more entries than AWS takes or documents.
    TooMany = "too-many",
    /// There are more policies at one level than AWS attaches.
    TooManyPolicies = "too-many-policies",
    /// A plan is valid only together with another policy.
    IncompletePlan = "incomplete-plan",
    /// Two names are one to AWS, which does not look at their case.
    NamesDifferByCase = "names-differ-by-case",
    /// AWS spells a key in another case.
    KeyCase = "key-case",
    /// A control on an object leaves the values below it open.
    ControlDoesNotReach = "control-does-not-reach",
    /// Two policies of one level assign the same value.
    Contested = "contested",
    /// A schedule runs twice within an hour, which AWS refuses at some times of day.
    ScheduleTooDense = "schedule-too-dense",
    /// A Region is not in the list of this release: it is newer, or AWS refuses it.
    UnknownRegion = "unknown-region",
    /// A resource type is not in the list of this release: it is newer, or AWS refuses it.
    UnknownResourceType = "unknown-resource-type",
    /// A schedule has a seventh field, which AWS takes and does not document.
    ScheduleFields = "schedule-fields",
    /// An operator stands beside `plans`, where AWS takes it and it changes nothing.
    OperatorWithoutEffect = "operator-without-effect",
    /// One copy goes to another account and Region, which AWS does not document for the type.
    CopyBothWays = "copy-both-ways",
    /// A placeholder such as `${variable}`, which AWS does not replace.
    Variable = "variable",
    /// What the policies of one level merge to is withheld by AWS.
    Withheld = "withheld",
    /// Something could not be read or evaluated, so it was not checked.
    NotChecked = "not-checked",
    /// A comment stands in JSON, where AWS takes none.
    Comments = "comments",
    /// The policy has more characters than AWS takes because of its escapes.
    Escapes = "escapes",
    /// A word without quotes that YAML 1.1 reads as something other than a string.
    YamlWord = "yaml-word",
    /// A rule has no schedule, which AWS documents as required.
    NoSchedule = "no-schedule",
    /// A selection has conditions and no resource types, which AWS Backup refuses.
    OnlyConditions = "only-conditions",
    /// One plan selects by `tags` and by `resources`, of which AWS documents one.
    BothSelections = "both-selections",
    /// The service-linked role of AWS Backup cannot be passed to it.
    ServiceLinkedRole = "service-linked-role",
    /// A scan has no mode, no resource types or no role, which AWS documents as required.
    IncompleteScan = "incomplete-scan",
    /// `index_actions` has no resource types.
    IncompleteIndex = "incomplete-index",
    /// AWS Backup keeps backups for 1 to 36,500 days.
    Retention = "retention",
    /// A logically air-gapped vault keeps backups for at least 7 days.
    AirGappedRetention = "air-gapped-retention",
    /// The key of a condition is not the tag of a resource.
    ConditionKey = "condition-key",
    /// An ARN is of another partition than the Region it is used in or names.
    PartitionMismatch = "partition-mismatch",
    /// Tags that begin with `aws:` are AWS's own.
    ReservedTag = "reserved-tag",
    /// AWS Backup takes no name of a vault with one character.
    VaultName = "vault-name",
    /// A window is longer than AWS Backup takes.
    WindowTooLong = "window-too-long",
}

impl Code {
    /// Whether Organizations takes what AWS Backup then refuses, when it makes the plan.
    #[must_use]
    pub const fn is_refused_later(self) -> bool {
        matches!(self, Self::ColdStorage | Self::CopyToItself)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}
