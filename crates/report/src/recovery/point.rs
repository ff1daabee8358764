//! A recovery point, by what matters for restoring it.

use std::time::SystemTime;

use plan::id::{AccountId, name_in};
use policy::arn::Arn;
use time::OffsetDateTime;

use super::hindrance::Hindrance;
use super::kind::RestoredKind;
use crate::Destination;
use crate::coverage::{Copied, Kind, PointStatus};

/// A recovery point.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KeptPoint {
    /// Its ARN.
    pub arn: String,
    /// The ARN of the resource that it is a backup of.
    pub resource: String,
    /// The name that AWS Backup has for the type of the resource.
    pub resource_type: Option<String>,
    /// The vault that it is in.
    pub vault: Destination,
    /// The ARN of the vault that it was copied from, where AWS tells.
    pub copied_from: Option<String>,
    /// The time at which the backup began. A copy has the time of its original.
    pub created: SystemTime,
    /// The status.
    pub status: PointStatus,
    /// The message of AWS about its status.
    pub told: String,
    /// The time at which its lifecycle deletes it; `None` if never.
    pub delete_at: Option<SystemTime>,
    /// The time at which its lifecycle moves it to cold storage; `None` if never.
    pub cold_at: Option<SystemTime>,
    /// The ARN of the key that encrypts it, where AWS tells.
    pub key: Option<String>,
    /// Its size in bytes, where AWS tells.
    pub bytes: Option<u64>,
    /// True if it is a continuous backup.
    pub is_continuous: bool,
    /// The ARN of the recovery point that it is a part of, if it is one.
    pub parent: Option<String>,
    /// True if it is a composite backup, which has parts.
    pub is_parent: bool,
}

impl KeptPoint {
    /// The account whose resource it is a backup of, as far as anything tells: the ARN of a bucket names
    /// none.
    pub fn owner(&self) -> Option<AccountId> {
        let account = |arn: &str| Arn::account_in(arn).parse().ok();
        account(&self.resource).or_else(|| account(self.copied_from.as_deref()?))
    }

    /// The type of the resource, by how it is restored.
    pub fn kind(&self) -> Option<RestoredKind> {
        RestoredKind::of(&self.resource, self.resource_type.as_deref())
    }

    /// The same, by what AWS documents of its backups.
    pub(super) fn facts(&self) -> Option<&'static Kind> {
        Kind::of(&self.resource, self.resource_type.as_deref())
    }

    /// The places to which AWS Backup copies it. Without the advanced features of AWS Backup, DynamoDB
    /// itself has the backup of a table, and it is not copied (`advanced-ddb-backup.html`).
    pub(super) fn copied(&self) -> Copied {
        let is_of_dynamodb = Arn::parse(&self.arn).is_ok_and(|it| it.service == "dynamodb");
        self.facts().filter(|_| !is_of_dynamodb).map_or(Copied::Never, |it| it.copied)
    }

    /// The Region of the resource; that of the vault where its ARN names none, since a bucket is restored
    /// where its backup is.
    pub(super) fn region(&self) -> &str {
        let region = Arn::parse(&self.resource).map_or("", |it| it.region);
        if region.is_empty() { self.vault.region.as_str() } else { region }
    }

    /// Returns `true` if it is in cold storage.
    pub fn is_cold(&self, now: SystemTime) -> bool {
        self.cold_at.is_some_and(|it| it <= now)
    }

    /// What keeps it from being copied while it is in cold storage.
    pub(super) fn coldness(&self) -> Hindrance {
        Hindrance::Cold { point: self.arn.clone(), at: self.vault.clone() }
    }

    /// The name of the resource. The ARN of a stack ends with an ID.
    pub fn name(&self) -> &str {
        let stack = || Arn::parse(&self.resource).ok()?.resource.strip_prefix("stack/");
        stack().and_then(|it| it.split('/').next()).unwrap_or_else(|| name_in(&self.resource))
    }

    /// Returns `true` if it is the backup of a stack with everything in it. AWS restores the parts of
    /// such a backup and not the whole (`restore-application-stacks.html`).
    pub(super) fn is_stack_whole(&self) -> bool {
        self.is_parent && self.kind() == Some(RestoredKind::CloudFormation)
    }

    /// Returns `true` if it is a part of a backup that is restored as a whole, which is one of EKS: the
    /// parts of a stack are restored one by one.
    pub(super) fn is_restored_with_whole(&self) -> bool {
        self.parent.as_ref().is_some_and(|it| it.contains(":composite:eks/"))
    }

    /// The name of the resource when it is restored beside its source: always the same for the same
    /// recovery point.
    pub(super) fn restored_name(&self, longest: usize) -> String {
        let it = OffsetDateTime::from(self.created);
        let (year, month, day) = (it.year(), u8::from(it.month()), it.day());
        let end =
            format!("-restored-{year:04}{month:02}{day:02}{:02}{:02}", it.hour(), it.minute());
        let room = longest.saturating_sub(end.len());
        let source: String = self.name().chars().take(room).collect();
        format!("{}{end}", source.trim_end_matches('-'))
    }

    /// The reason why it can be neither restored nor copied, if it cannot.
    pub fn unusable(&self, now: SystemTime) -> Option<Hindrance> {
        if let Some(at) = self.delete_at.filter(|it| *it <= now) {
            return Some(Hindrance::Over { at });
        }
        match self.status {
            PointStatus::Usable | PointStatus::Stopped => None,
            status @ (PointStatus::Changing
            | PointStatus::Partial
            | PointStatus::Expired
            | PointStatus::Unknown) => Some(Hindrance::Status { status, told: self.told.clone() }),
        }
    }

    /// The places where it can be restored, in words.
    pub fn restorable(&self, now: SystemTime) -> String {
        if let Some(it) = self.unusable(now) {
            return format!("nowhere: {it}");
        }
        let Some(kind) = self.kind() else {
            return "as its type is not known here, by the console of AWS Backup".to_owned();
        };
        if let Some(why) = kind.by_hand() {
            return format!("by hand: {why}");
        }
        if self.is_stack_whole() {
            return format!("nowhere: {}", Hindrance::Whole);
        }
        let Destination { account, region, .. } = &self.vault;
        let here = format!("in {account} in {region}");
        match self.copied() {
            _ if self.is_continuous => {
                format!(
                    "{here}; elsewhere by a copy that is there, since it cannot be copied itself"
                )
            }
            _ if self.is_cold(now) => {
                format!("{here}, which takes hours more from cold storage; it cannot be copied")
            }
            Copied::Never => here,
            Copied::OneWay => {
                format!("{here}; in another account or Region after a copy, in both after two")
            }
            Copied::Anywhere => format!("{here}; in other accounts and Regions after a copy"),
        }
    }
}
