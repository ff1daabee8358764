//! Reads of the backups of an account: its resources, vaults, recovery points, jobs and plans.
//!
//! Each read is of one Region. A list is read to its end, in the largest pages that AWS allows.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::hash::Hash;
use std::sync::Arc;
use std::time::SystemTime;

use aws::api::{BoxError, Request, ask};
use aws::operation::{
    GET_DEFAULT_VIEW, GET_RESOURCES, GET_SELECTION, LIST_PLANS, LIST_RESOURCES, LIST_SELECTIONS,
    LIST_VAULTS,
};
use aws::{Error, Management};
use aws_sdk_backup::types::{
    BackupJob, BackupJobState, BackupSelection, BackupVaultListMember, ConditionParameter, CopyJob,
    CopyJobState, RecoveryPointByBackupVault, RecoveryPointCreator, RecoveryPointStatus,
    RestoreJobStatus, RestoreJobsListMember, RestoreValidationStatus, VaultType,
};
use aws_smithy_types::DateTime;
use plan::global_settings::Setting;
use plan::id::{AccountId, Region, RoleName, VaultName};
use plan::member_accounts::{KeyState, VaultKey, check_trust};
use policy::arn::Arn;
use report::coverage::{
    About, ByResource, Condition, Creator, HeldVault, Job, JobState, Key, LocalPlan, Operator,
    PointStatus, RecoveryPoint, RestoreTest, Selection, Tags, TestResult, TrustedRole, Vault,
};
use serde_json::{Value, json};
use tracing::warn;

use crate::listings::PAGE;
use crate::{Member, decoded, lock};

/// The prefix of the IDs of plans that AWS Backup makes from a backup policy of the organization.
const OF_POLICIES: &str = "orgs/";

/// A page of the resources that the tagging API or Resource Explorer lists, and the token of the
/// next page.
type Tagged = (Option<Vec<(String, Option<Tags>)>>, Option<String>);

/// Declares the method that lists backup jobs, or the one that lists copy jobs: these differ in the names
/// of operation, list, vault and state only.
macro_rules! jobs {
    ($(#[$doc:meta])* $jobs:ident: $job:ident, $list:ident, $find:ident, $vault:ident, $state:ident) => {
        $(#[$doc])*
        pub async fn $jobs(
            &self,
            region: &Region,
            account: &AccountId,
            since: SystemTime,
        ) -> Result<ByResource<Job>, Error> {
            let what = stringify!($jobs).replace('_', " ");
            let action = format!("list the {what} of {account} in {region}");
            let request = self.backup(region).$list().by_account_id(account.as_str());
            let request = request.by_created_after(since.into());
            let mut all = ByResource::default();
            let mut shared = Shared::default();
            let mut read = |it: $job| {
                let state = $state(it.state.as_ref());
                let is_new = state == JobState::Unknown;
                let job = Job {
                    vault: shared.text(it.$vault?),
                    created: time(it.creation_date)?,
                    ended: time(it.completion_date),
                    state,
                    message: shared.text(told(it.status_message, is_new, it.state.as_ref())),
                    by: it.created_by.and_then(|it| shared.creator(it)),
                };
                about(it.resource_arn, it.resource_type, job)
            };
            let keep = |it| {
                if let Some(it) = read(it) {
                    all.add(it);
                }
                None::<()>
            };
            self.$find(request, &action, keep).await?;
            Ok(all)
        }
    };
}

/// Returns `true` if the organization allows copies of backups between accounts.
///
/// # Errors
///
/// Returns an error if the settings of AWS Backup for the organization cannot be read.
pub async fn is_cross_account(management: &Management) -> Result<bool, Error> {
    let settings = settings::settings(management).await?;
    Ok(settings.get(&Setting::CrossAccountBackup).copied().unwrap_or_default())
}

impl Member<'_> {
    /// Lists the vaults of a Region with their locks, and reads the keys of the vaults in `named`.
    ///
    /// # Errors
    ///
    /// Returns an error if the vaults cannot be listed. A key that cannot be read is not an error:
    /// it is [`Key::NotKnown`] in the result.
    pub async fn held_vaults(
        &self,
        region: &Region,
        named: &BTreeSet<VaultName>,
    ) -> Result<Vec<HeldVault>, Error> {
        let client = self.backup(region);
        let action = format!("list the vaults in {region}");
        let listed = self.calls.pages(LIST_VAULTS, &action, async |token| {
            let list = client.list_backup_vaults().max_results(PAGE).set_next_token(token);
            let page = list.send().await?;
            Ok((page.backup_vault_list, page.next_token))
        });
        let mut vaults = Vec::new();
        for it in listed.await? {
            let name = it.backup_vault_name.as_deref();
            let key = if named.iter().any(|it| name == Some(it.as_str())) {
                let key = it.encryption_key_arn.as_deref();
                key_seen(self.key_of(region, it.encryption_key_type.as_ref(), key).await)
            } else {
                Key::NotKnown
            };
            vaults.extend(held(it, key));
        }
        Ok(vaults)
    }

    /// Hands `each` the recovery points of a vault one by one. If `of` is the ARN of a resource,
    /// only its recovery points are read.
    ///
    /// # Errors
    ///
    /// Returns an error if a page cannot be read. The recovery points of the pages before it have
    /// been handed over.
    pub async fn each_point(
        &self,
        region: &Region,
        vault: &str,
        of: Option<&str>,
        mut each: impl FnMut(About<RecoveryPoint>),
    ) -> Result<(), Error> {
        let mut shared = Shared::default();
        let hand = |it| point(it, &mut shared).into_iter().for_each(&mut each);
        self.each_point_in(region, vault, of, hand).await
    }

    jobs! {
        /// Lists the backup jobs of an account since a point in time. Only the management account and a
        /// delegated administrator may list those of other accounts.
        ///
        /// # Errors
        ///
        /// Returns an error if the jobs cannot be listed.
        backup_jobs: BackupJob, list_backup_jobs, find_backup_job, backup_vault_arn, backup_state
    }

    jobs! {
        /// Lists the copy jobs of an account since a point in time, as
        /// [`backup_jobs`](Self::backup_jobs) does.
        ///
        /// # Errors
        ///
        /// Returns an error if the jobs cannot be listed.
        copy_jobs: CopyJob, list_copy_jobs, find_copy_job, destination_backup_vault_arn, copy_state
    }

    /// Lists the restore tests of an account since a point in time, as
    /// [`backup_jobs`](Self::backup_jobs) does. Restores that a person started are left out.
    ///
    /// # Errors
    ///
    /// Returns an error if the restore jobs cannot be listed.
    pub async fn restore_tests(
        &self,
        region: &Region,
        account: &AccountId,
        since: SystemTime,
    ) -> Result<ByResource<RestoreTest>, Error> {
        let action = format!("list the restore jobs of {account} in {region}");
        let request = self.backup(region).list_restore_jobs().by_account_id(account.as_str());
        let request = request.by_created_after(since.into());
        let mut all = ByResource::default();
        let keep = |it| {
            if let Some(it) = test(it) {
                all.add(it);
            }
            None::<()>
        };
        self.find_restore_job(request, &action, keep).await?;
        Ok(all)
    }

    /// Lists the plans that were made in the account itself, with their selections. The opt-ins
    /// that decide for these plans are left empty: the caller adds them.
    ///
    /// # Errors
    ///
    /// Returns an error if a plan or a selection cannot be read.
    pub async fn local_plans(&self, region: &Region) -> Result<Vec<LocalPlan>, Error> {
        let client = self.backup(region);
        let action = format!("list the backup plans in {region}");
        let plans = self.calls.pages(LIST_PLANS, &action, async |token| {
            let list = client.list_backup_plans().max_results(PAGE).set_next_token(token);
            let page = list.send().await?;
            Ok((page.backup_plans_list, page.next_token))
        });
        let mut local = Vec::new();
        for plan in plans.await? {
            let Some(id) = plan.backup_plan_id.filter(|it| !it.starts_with(OF_POLICIES)) else {
                continue;
            };
            let name = plan.backup_plan_name.unwrap_or_else(|| id.clone());
            let action = format!("list the selections of the backup plan `{name}`");
            let listed = self.calls.pages(LIST_SELECTIONS, &action, async |token| {
                let list = client.list_backup_selections().backup_plan_id(&id);
                let page = list.max_results(PAGE).set_next_token(token).send().await?;
                Ok((page.backup_selections_list, page.next_token))
            });
            let mut selections = Vec::new();
            for selection in listed.await?.into_iter().filter_map(|it| it.selection_id) {
                let get = client.get_backup_selection().backup_plan_id(&id);
                let action = format!("read a selection of the backup plan `{name}`");
                let get = get.selection_id(selection).send();
                let got = self.calls.call(GET_SELECTION, &action, get).await?;
                selections.extend(got.backup_selection.map(selected));
            }
            local.push(LocalPlan { name, selections, opt_ins: BTreeMap::new() });
        }
        Ok(local)
    }

    /// Lists every resource of a Region that has tags or once had tags, by ARN.
    ///
    /// # Errors
    ///
    /// Returns an error if the resources cannot be listed.
    pub async fn tagged(&self, region: &Region) -> Result<BTreeMap<String, Tags>, Error> {
        let config = self.config_in(region);
        let action = format!("list the resources with tags in {region}");
        let pages = self.calls.pages(GET_RESOURCES, &action, async |token| {
            let body = json!({ "ResourcesPerPage": 100, "PaginationToken": token });
            ask(&config, Request::tagging(body, tagged)).await
        });
        let all = pages.await?.into_iter();
        Ok(all.map(|(arn, tags)| (arn, tags.unwrap_or_default())).collect())
    }

    /// Returns `true` if Resource Explorer has a default view in this Region. Its other calls are
    /// made in a Region that has one.
    ///
    /// # Errors
    ///
    /// Returns an error if the default view cannot be read.
    pub async fn has_index(&self, region: &Region) -> Result<bool, Error> {
        let config = self.config_in(region);
        let read = |answer: &str| -> Result<bool, BoxError> {
            let answer: Value = serde_json::from_str(answer)?;
            Ok(answer.get("ViewArn").and_then(Value::as_str).is_some_and(|it| !it.is_empty()))
        };
        let get = Request::explorer(GET_DEFAULT_VIEW, json!({}), read);
        let action = format!("look for the default view of Resource Explorer in {region}");
        match self.calls.call(GET_DEFAULT_VIEW, &action, ask(&config, get)).await {
            Err(error) if error.code() == Some("ResourceNotFoundException") => Ok(false),
            got => got,
        }
    }

    /// Lists the resources of an account in a Region by ARN, as the default view of Resource
    /// Explorer in the Region `view` has them. The tags are `None` if the view does not include
    /// them.
    ///
    /// # Errors
    ///
    /// Returns an error if the resources cannot be listed.
    pub async fn indexed(
        &self,
        view: &Region,
        account: &AccountId,
        region: &Region,
    ) -> Result<BTreeMap<String, Option<Tags>>, Error> {
        let config = self.config_in(view);
        let action = format!("list the resources of {account} in {region} by Resource Explorer");
        let filter = format!("accountid:{account} region:{region}");
        let pages = self.calls.pages(LIST_RESOURCES, &action, async |token| {
            let mut body = json!({ "Filters": { "FilterString": filter }, "MaxResults": PAGE });
            if let (Some(token), Some(body)) = (token, body.as_object_mut()) {
                body.insert("NextToken".to_owned(), token.into());
            }
            ask(&config, Request::explorer(LIST_RESOURCES, body, indexed)).await
        });
        Ok(pages.await?.into_iter().collect())
    }

    /// Reads a role: its ARN, and `true` if it trusts AWS Backup, or `None` if that was not judged.
    /// Returns `None` for the whole if the role does not exist.
    ///
    /// # Errors
    ///
    /// Returns an error if the role cannot be read.
    pub async fn trust(&self, name: &RoleName) -> Result<Option<TrustedRole>, Error> {
        let action = format!("look at the role `{name}`");
        let Some(role) = self.role(name.as_str(), &action).await? else { return Ok(None) };
        let trust = role.trust.as_deref().map(decoded);
        let trust = trust.ok_or_else(|| Error::incomplete(&action, "its trust policy"))?;
        let role = plan::member_accounts::Role {
            arn: role.arn,
            trust,
            is_bounded: false,
            policies: Err("not asked for".to_owned()),
        };
        let trusts = match check_trust(name, &role) {
            None => Some(true),
            Some(problem) if problem.is_certain() => Some(false),
            Some(_) => None,
        };
        Ok(Some((role.arn, trusts)))
    }
}

fn key_seen(key: Result<VaultKey, Error>) -> Key {
    match key {
        Ok(VaultKey::Aws) => Key::Aws,
        Ok(VaultKey::Customers(Ok(KeyState::Usable))) => Key::Customer,
        Ok(VaultKey::Customers(Ok(KeyState::Unusable(how)))) => Key::Unusable(how.to_owned()),
        Ok(VaultKey::Customers(Ok(KeyState::Other(_)) | Err(_))) | Err(_) => Key::NotKnown,
    }
}

fn held(it: BackupVaultListMember, key: Key) -> Option<HeldVault> {
    let date = it.lock_date.as_ref();
    let lock = lock(it.locked, date, it.min_retention_days, it.max_retention_days);
    let is_air_gapped = it.vault_type == Some(VaultType::LogicallyAirGappedBackupVault);
    Some(HeldVault {
        arn: it.backup_vault_arn?,
        name: it.backup_vault_name?,
        vault: Vault { key, lock, admits: None, is_air_gapped },
        is_empty: it.number_of_recovery_points == 0,
    })
}

fn about<T>(resource: Option<String>, kind: Option<String>, it: T) -> Option<About<T>> {
    let kind = kind.and_then(|it| it.parse().ok());
    Some(About { resource: resource?, kind, it })
}

/// Returns the message of AWS. If there is none, and the word of AWS for the status or the result
/// `is_new`, the message says the word, which is lost otherwise.
pub(crate) fn told(
    message: Option<String>,
    is_new: bool,
    word: Option<&impl AsRef<str>>,
) -> String {
    let said = || Some(format!("AWS calls it {}", word.filter(|_| is_new)?.as_ref()));
    message.filter(|it| !it.is_empty()).or_else(said).unwrap_or_default()
}

pub(crate) fn point_status(status: Option<&RecoveryPointStatus>) -> PointStatus {
    match status {
        Some(RecoveryPointStatus::Available | RecoveryPointStatus::Completed) => {
            PointStatus::Usable
        }
        Some(RecoveryPointStatus::Partial) => PointStatus::Partial,
        Some(RecoveryPointStatus::Stopped) => PointStatus::Stopped,
        Some(RecoveryPointStatus::Expired) => PointStatus::Expired,
        Some(RecoveryPointStatus::Creating | RecoveryPointStatus::Deleting) => {
            PointStatus::Changing
        }
        // The `_` is a status that this release of the SDK does not know.
        Some(_) | None => PointStatus::Unknown,
    }
}

/// Returns whether the recovery point with this ARN is a continuous backup: no answer of AWS says so but
/// the name.
pub(crate) fn is_continuous(arn: &str) -> bool {
    Arn::parse(arn).is_ok_and(|it| it.resource.starts_with("recovery-point:continuous"))
}

fn point(it: RecoveryPointByBackupVault, shared: &mut Shared) -> Option<About<RecoveryPoint>> {
    let created = time(it.creation_date)?;
    let status = point_status(it.status.as_ref());
    if status == PointStatus::Unknown {
        shared.log_new(it.status.as_ref().map(RecoveryPointStatus::as_str));
    }
    about(
        it.resource_arn,
        it.resource_type,
        RecoveryPoint {
            vault: shared.text(it.backup_vault_arn?),
            created,
            completed: time(it.completion_date).unwrap_or(created),
            status,
            is_continuous: it.recovery_point_arn.as_deref().is_some_and(is_continuous),
            delete_at: it.calculated_lifecycle.and_then(|it| time(it.delete_at)),
            by: it.created_by.and_then(|it| shared.creator(it)),
        },
    )
}

/// The texts that many recovery points and jobs have in common. Each is held once, because an
/// account with 100,000 resources has millions of recovery points and jobs.
#[derive(Debug, Default)]
struct Shared {
    texts: HashSet<Arc<str>>,
    creators: HashSet<Arc<Creator>>,
    /// The statuses of recovery points that this program does not know.
    new_words: HashSet<String>,
}

impl Shared {
    fn text(&mut self, text: String) -> Arc<str> {
        held_once(&mut self.texts, text.into())
    }

    /// Logs a status that this program does not know, once: a recovery point has no message for it.
    fn log_new(&mut self, status: Option<&str>) {
        if self.new_words.insert(status.unwrap_or_default().to_owned()) {
            warn!(status, "AWS Backup has recovery points with a status that is not known here");
        }
    }

    fn creator(&mut self, it: RecoveryPointCreator) -> Option<Arc<Creator>> {
        let creator = Creator { plan: it.backup_plan_name?, rule: it.backup_rule_name? };
        Some(held_once(&mut self.creators, creator.into()))
    }
}

fn held_once<T: Eq + Hash + ?Sized>(all: &mut HashSet<Arc<T>>, it: Arc<T>) -> Arc<T> {
    if let Some(had) = all.get(&it) {
        return Arc::clone(had);
    }
    all.insert(Arc::clone(&it));
    it
}

fn test(it: RestoreJobsListMember) -> Option<About<RestoreTest>> {
    it.created_by.and_then(|it| it.restore_testing_plan_arn)?;
    let result = match it.status {
        Some(RestoreJobStatus::Completed) => match it.validation_status {
            Some(RestoreValidationStatus::Successful) => Some(TestResult::Successful),
            None => Some(TestResult::NotValidated),
            Some(RestoreValidationStatus::Validating) => None,
            Some(RestoreValidationStatus::Failed | RestoreValidationStatus::TimedOut) => {
                Some(TestResult::Failed)
            }
            // The `_` is a result that this release of the SDK does not know.
            Some(_) => Some(TestResult::Unknown),
        },
        Some(RestoreJobStatus::Pending | RestoreJobStatus::Running) => None,
        Some(RestoreJobStatus::Failed | RestoreJobStatus::Aborted) => Some(TestResult::Failed),
        // The `_` is a status that this release of the SDK does not know.
        Some(_) | None => Some(TestResult::Unknown),
    };
    let judged = it.validation_status.as_ref().map(RestoreValidationStatus::as_str);
    let judged = judged.filter(|_| it.status == Some(RestoreJobStatus::Completed));
    let word = judged.or(it.status.as_ref().map(RestoreJobStatus::as_str));
    let message = it.validation_status_message.or(it.status_message);
    let message = told(message, result == Some(TestResult::Unknown), word.as_ref());
    let at = time(it.creation_date)?;
    about(it.source_resource_arn, it.resource_type, RestoreTest { at, result, message })
}

pub(crate) fn backup_state(state: Option<&BackupJobState>) -> JobState {
    match state {
        Some(
            BackupJobState::Created
            | BackupJobState::Pending
            | BackupJobState::Running
            | BackupJobState::Aborting,
        ) => JobState::Open,
        Some(BackupJobState::Completed) => JobState::Completed,
        Some(BackupJobState::Expired) => JobState::Expired,
        Some(BackupJobState::Aborted) => JobState::Aborted,
        Some(BackupJobState::Partial) => JobState::Partial,
        Some(BackupJobState::Failed) => JobState::Failed,
        // The `_` is a state that this release of the SDK does not know.
        Some(_) | None => JobState::Unknown,
    }
}

pub(crate) fn copy_state(state: Option<&CopyJobState>) -> JobState {
    match state {
        Some(CopyJobState::Created | CopyJobState::Running) => JobState::Open,
        Some(CopyJobState::Completed) => JobState::Completed,
        Some(CopyJobState::Partial) => JobState::Partial,
        Some(CopyJobState::Failed) => JobState::Failed,
        // The `_` is a state that this release of the SDK does not know.
        Some(_) | None => JobState::Unknown,
    }
}

fn selected(it: BackupSelection) -> Selection {
    let conditions = it.conditions.into_iter().flat_map(|it| {
        let all = [
            (Operator::Equals, it.string_equals),
            (Operator::NotEquals, it.string_not_equals),
            (Operator::Like, it.string_like),
            (Operator::NotLike, it.string_not_like),
        ];
        all.into_iter().flat_map(|(operator, all)| {
            let condition = move |it: ConditionParameter| Condition {
                operator,
                key: it.condition_key.unwrap_or_default(),
                value: it.condition_value.unwrap_or_default(),
            };
            all.into_iter().flatten().map(condition)
        })
    });
    let tags = it.list_of_tags.into_iter().flatten();
    Selection {
        name: it.selection_name,
        role: it.iam_role_arn,
        tags: tags.map(|it| (it.condition_key, it.condition_value)).collect(),
        resources: it.resources.unwrap_or_default(),
        except: it.not_resources.unwrap_or_default(),
        conditions: conditions.collect(),
        origins: vec![],
    }
}

fn tagged(answer: &str) -> Result<Tagged, BoxError> {
    let answer: Value = serde_json::from_str(answer)?;
    let all = answer.get("ResourceTagMappingList").and_then(Value::as_array);
    let all = all.into_iter().flatten().filter_map(|it| {
        let arn = it.get("ResourceARN")?.as_str()?.to_owned();
        Some((arn, Some(pairs(it.get("Tags")?))))
    });
    Ok((Some(all.collect()), token(&answer, "PaginationToken")))
}

fn indexed(answer: &str) -> Result<Tagged, BoxError> {
    let answer: Value = serde_json::from_str(answer)?;
    let all = answer.get("Resources").and_then(Value::as_array);
    let all = all.into_iter().flatten().filter_map(|it| {
        let arn = it.get("Arn")?.as_str()?.to_owned();
        let properties = it.get("Properties").and_then(Value::as_array).into_iter().flatten();
        let mut tags = properties.filter(|it| it.get("Name").is_some_and(|it| it == "tags"));
        Some((arn, tags.next().and_then(|it| it.get("Data")).map(pairs)))
    });
    Ok((Some(all.collect()), token(&answer, "NextToken")))
}

fn pairs(tags: &Value) -> Tags {
    let tags = tags.as_array().into_iter().flatten();
    let pair = |it: &Value| {
        let text = |key| it.get(key).and_then(Value::as_str).map(ToOwned::to_owned);
        Some((text("Key")?, text("Value").unwrap_or_default()))
    };
    tags.filter_map(pair).collect()
}

/// Returns the token of the next page. The last page of the tagging API has an empty token.
fn token(answer: &Value, name: &str) -> Option<String> {
    let token = answer.get(name).and_then(Value::as_str)?;
    (!token.is_empty()).then(|| token.to_owned())
}

pub(crate) fn time(at: Option<DateTime>) -> Option<SystemTime> {
    SystemTime::try_from(at?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_that_is_new_is_unknown_and_not_the_nearest_that_is_known() {
        assert_eq!(backup_state(Some(&"SIMMERING".into())), JobState::Unknown);
        assert_eq!(copy_state(Some(&"SIMMERING".into())), JobState::Unknown);
        assert_eq!((backup_state(None), copy_state(None)), (JobState::Unknown, JobState::Unknown));
        assert_eq!(point_status(Some(&"SIMMERING".into())), PointStatus::Unknown);
        assert_eq!(point_status(None), PointStatus::Unknown);
    }

    #[test]
    fn a_word_that_is_new_is_told_unless_aws_has_a_message() {
        let word = Some(&"SIMMERING");
        assert_eq!(told(None, true, word), "AWS calls it SIMMERING");
        assert_eq!(told(Some(String::new()), true, word), "AWS calls it SIMMERING");
        assert_eq!(told(Some("too hot".to_owned()), true, word), "too hot");
        assert_eq!(told(None, false, word), "");
        assert_eq!(told(None, true, None::<&&str>), "");
    }

    #[test]
    fn a_restore_test_with_a_word_that_is_new_has_neither_passed_nor_failed() {
        let by = aws_sdk_backup::types::RestoreJobCreator::builder();
        let job = RestoreJobsListMember::builder()
            .created_by(by.restore_testing_plan_arn("plan").build())
            .source_resource_arn("arn:aws:s3:::reports")
            .creation_date(DateTime::from_secs(0));
        let result = |it: RestoreJobsListMember| test(it).unwrap().it.result;
        let message = |it: RestoreJobsListMember| test(it).unwrap().it.message;
        let stewed = job.clone().status("STEWED".into()).build();
        assert_eq!(message(stewed.clone()), "AWS calls it STEWED");
        assert_eq!(result(stewed), Some(TestResult::Unknown));
        assert_eq!(result(job.clone().build()), Some(TestResult::Unknown));
        let completed = job.status(RestoreJobStatus::Completed);
        let judged = completed.clone().validation_status("TASTY".into()).build();
        assert_eq!(message(judged.clone()), "AWS calls it TASTY");
        assert_eq!(result(judged), Some(TestResult::Unknown));
        assert_eq!(result(completed.build()), Some(TestResult::NotValidated));
    }
}
