//! The rules that find errors in a document, each identified by a permanent word.

use std::fmt;

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $name:ident = $word:literal,)+) => {
        /// The rule that produced a finding.
        ///
        /// Programs compare its word, so the meaning of a word never changes.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Code {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Code {
            /// Every rule.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// Returns the word of the rule, such as `unknown-key`.
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
    /// The document is nested deeper than any policy.
    TooDeep = "too-deep",
    /// The document is larger than any policy.
    TooLarge = "too-large",
    /// A key occurs twice in one object.
    DuplicateKey = "duplicate-key",
    /// AWS does not know this key here.
    UnknownKey = "unknown-key",
    /// A key that AWS requires is missing.
    MissingKey = "missing-key",
    /// A value has no `@@assign`.
    NoOperator = "no-operator",
    /// An operator is in a place where none is allowed.
    MisplacedOperator = "misplaced-operator",
    /// AWS does not know this operator.
    UnknownOperator = "unknown-operator",
    /// AWS accepts this operator only elsewhere.
    OperatorNotAllowed = "operator-not-allowed",
    /// A list or an object is used in place of a single value.
    NotAScalar = "not-a-scalar",
    /// A single value is used in place of a list.
    NotAList = "not-a-list",
    /// AWS does not accept an empty list here.
    EmptyList = "empty-list",
    /// AWS does not accept this name.
    InvalidName = "invalid-name",
    /// AWS does not accept this value.
    InvalidValue = "invalid-value",
    /// AWS does not accept this list of operators that are allowed further down.
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
    /// The policy has more characters than AWS accepts.
    TooLong = "too-long",
    /// The policy has more characters than AWS accepts, but not without its white space.
    WhiteSpace = "white-space",
    /// There are more entries than AWS accepts or documents.
    TooMany = "too-many",
    /// More policies are attached at one level than AWS allows.
    TooManyPolicies = "too-many-policies",
    /// A plan is valid only together with another policy.
    IncompletePlan = "incomplete-plan",
    /// Two names differ only by case, which AWS ignores.
    NamesDifferByCase = "names-differ-by-case",
    /// AWS spells a key in another case.
    KeyCase = "key-case",
    /// A control on an object does not lock the values below it.
    ControlDoesNotReach = "control-does-not-reach",
    /// Two policies of one level assign different values to the same setting.
    Contested = "contested",
    /// A schedule runs twice within an hour, which AWS refuses at some times of day.
    ScheduleTooDense = "schedule-too-dense",
    /// A Region is not in the list of this release: it is newer, or AWS refuses it.
    UnknownRegion = "unknown-region",
    /// A resource type is not in the list of this release: it is newer, or AWS refuses it.
    UnknownResourceType = "unknown-resource-type",
    /// A schedule has a seventh field, which AWS accepts but does not document.
    ScheduleFields = "schedule-fields",
    /// An operator is next to `plans`, where AWS accepts it but it has no effect.
    OperatorWithoutEffect = "operator-without-effect",
    /// One copy goes to another account and Region at once, which AWS does not document for the
    /// type.
    CopyBothWays = "copy-both-ways",
    /// A placeholder such as `${variable}`, which AWS does not replace.
    Variable = "variable",
    /// AWS withholds the result of merging the policies of one level.
    Withheld = "withheld",
    /// Something could not be read or evaluated, so it was not checked.
    NotChecked = "not-checked",
    /// JSON contains a comment, which AWS does not accept.
    Comments = "comments",
    /// The policy has more characters than AWS accepts because of its escapes.
    Escapes = "escapes",
    /// A word without quotes that YAML 1.1 reads as something other than a string.
    YamlWord = "yaml-word",
    /// A rule has no schedule, which AWS documents as required.
    NoSchedule = "no-schedule",
    /// A selection has conditions and no resource types, which AWS Backup refuses.
    OnlyConditions = "only-conditions",
    /// One plan selects by `tags` and by `resources`. AWS documents only one of the two in a plan.
    BothSelections = "both-selections",
    /// A selection names a service-linked role, which cannot be passed to AWS Backup.
    ServiceLinkedRole = "service-linked-role",
    /// A scan has no mode, no resource types or no role, which AWS documents as required.
    IncompleteScan = "incomplete-scan",
    /// `index_actions` has no resource types.
    IncompleteIndex = "incomplete-index",
    /// AWS Backup keeps backups for 1 to 36,500 days.
    Retention = "retention",
    /// A logically air-gapped vault keeps backups for at least 7 days.
    AirGappedRetention = "air-gapped-retention",
    /// The key of a condition is not a tag of a resource.
    ConditionKey = "condition-key",
    /// An ARN is in another partition than the Region that it is used in or names.
    PartitionMismatch = "partition-mismatch",
    /// Tags that begin with `aws:` are AWS's own.
    ReservedTag = "reserved-tag",
    /// AWS Backup does not accept a vault name with one character.
    VaultName = "vault-name",
    /// A window is longer than AWS Backup accepts.
    WindowTooLong = "window-too-long",
}

impl Code {
    /// Returns `true` if Organizations accepts the document and AWS Backup refuses it later, when
    /// it creates the plan.
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
