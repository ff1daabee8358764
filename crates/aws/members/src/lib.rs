//! AWS Backup in the accounts of the organization, and in each of their Regions.
//!
//! Work runs in many accounts at once, and a failure in one account must not delay the others.
//! Therefore the calls in an account have their own time limits, seconds instead of minutes, and
//! share no budget of retries. They share connections, because the clients of the accounts differ
//! only in their credentials.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aws::api::iam::DescribedRole;
use aws::api::{ask, iam, kms};
use aws::operation::{
    ASSUME_ROLE, CREATE_SERVICE_ROLE, DESCRIBE_KEY, DESCRIBE_REGION_SETTINGS, DESCRIBE_VAULT,
    GET_ACCESS_POLICY, GET_ROLE, GET_ROLE_POLICY, GET_SUPPORTED_TYPES, LIST_ATTACHED_ROLE_POLICIES,
    LIST_ROLE_POLICIES, UPDATE_REGION_SETTINGS,
};
use aws::{Calls, Error, Management, Tally, client};
use aws_sdk_backup::config::retry::{RetryConfig, RetryPartition, TokenBucket};
use aws_sdk_backup::config::timeout::TimeoutConfig;
use aws_sdk_backup::config::{IdentityCache, Region as WireRegion};
use aws_sdk_backup::operation::describe_backup_vault::DescribeBackupVaultOutput;
use aws_sdk_backup::types::EncryptionKeyType;
use aws_sdk_sts::config::{Credentials, SharedCredentialsProvider};
use aws_smithy_types::DateTime;
use aws_types::SdkConfig;
use plan::id::{Region, ResourceType, RoleArn, RoleName, VaultName};
use plan::member_accounts::{
    BACKUP, Change, KeyState, Preferences, Role, RolePolicies, SERVICE_ROLE, Settings, Vault,
    VaultKey,
};
use report::Lock;

pub mod evidence;
mod listings;
pub mod look;
pub mod member_runs;
mod recovery;

/// The duration of a session in an account: the minimum that STS allows, and more than is needed.
const SESSION_SECONDS: i32 = 900;

/// Access to member accounts.
#[derive(Debug)]
pub struct MemberAccess<'a> {
    management: &'a Management,
    patience: Patience,
    sts: aws_sdk_sts::Client,
}

/// The retry settings and timeouts of calls in accounts.
#[derive(Clone, Debug)]
struct Patience {
    retries: RetryConfig,
    timeouts: TimeoutConfig,
    partition: RetryPartition,
}

impl Patience {
    /// Returns limits of seconds. A call that has not succeeded by then may succeed in the next
    /// run.
    fn short() -> Self {
        Self {
            retries: RetryConfig::standard()
                .with_max_attempts(5)
                .with_initial_backoff(Duration::from_millis(200))
                .with_max_backoff(Duration::from_secs(2)),
            timeouts: TimeoutConfig::builder()
                .operation_attempt_timeout(Duration::from_secs(6))
                .operation_timeout(Duration::from_secs(15))
                .build(),
            // With a shared budget, one failing account would use up the retries of the others.
            partition: RetryPartition::custom("member accounts")
                .token_bucket(TokenBucket::unlimited())
                .build(),
        }
    }

    fn config(&self, of: &SdkConfig, credentials: Option<SharedCredentialsProvider>) -> SdkConfig {
        let mut config = of.to_builder();
        config
            .set_retry_config(Some(self.retries.clone()))
            .set_timeout_config(Some(self.timeouts.clone()))
            // A shared cache would grow with every account.
            .set_identity_cache(Some(IdentityCache::no_cache()));
        if credentials.is_some() {
            config.set_credentials_provider(credentials);
        }
        config.build()
    }
}

impl<'a> MemberAccess<'a> {
    /// Creates access to the accounts of the organization that `management` manages.
    pub fn new(management: &'a Management) -> Self {
        let patience = Patience::short();
        let config = patience.config(management.own(), None);
        let partition = patience.partition.clone();
        let sts = client!(aws_sdk_sts, &config, partition);
        Self { management, patience, sts }
    }

    /// Works in the management account itself, without assuming a role there.
    pub fn management(&self) -> Member<'a> {
        self.member(self.patience.config(self.management.config(), None))
    }

    /// Assumes the role of an account, limited to the permissions of `session_policy`.
    ///
    /// # Errors
    ///
    /// Returns an error if the role cannot be assumed.
    pub async fn enter(&self, role: &RoleArn, session_policy: String) -> Result<Member<'a>, Error> {
        let action = format!("assume the role {role}");
        let assume = self.sts.assume_role().role_arn(role.as_str());
        let assume = assume.role_session_name("org-backup").duration_seconds(SESSION_SECONDS);
        let assume = assume.policy(session_policy).send();
        let assumed = self.management.calls.call(ASSUME_ROLE, &action, assume).await?;
        let it = assumed.credentials.ok_or_else(|| Error::incomplete(&action, "credentials"))?;
        let token = Some(it.session_token);
        let credentials =
            Credentials::new(it.access_key_id, it.secret_access_key, token, None, "AssumeRole");
        let credentials = SharedCredentialsProvider::new(credentials);
        Ok(self.member(self.patience.config(self.management.own(), Some(credentials))))
    }

    fn member(&self, config: SdkConfig) -> Member<'a> {
        let partition = self.patience.partition.clone();
        Member { calls: &self.management.calls, config, partition }
    }
}

/// An account whose role was assumed, or the management account itself.
#[derive(Debug)]
pub struct Member<'a> {
    calls: &'a Calls,
    config: SdkConfig,
    partition: RetryPartition,
}

impl Member<'_> {
    /// Returns the configuration that acts in the account in this Region.
    pub fn config_in(&self, region: &Region) -> SdkConfig {
        self.config.to_builder().region(WireRegion::new(region.to_string())).build()
    }

    /// Returns the number of calls so far.
    pub fn tally(&self) -> Tally {
        self.calls.tally()
    }

    pub(crate) fn backup(&self, region: &Region) -> aws_sdk_backup::Client {
        client!(aws_sdk_backup, &self.config_in(region), self.partition.clone())
    }

    /// Reads the resource types that a Region supports.
    ///
    /// # Errors
    ///
    /// Returns an error if the read fails.
    pub async fn supported(&self, region: &Region) -> Result<BTreeSet<ResourceType>, Error> {
        let action = format!("read which resource types {region} supports");
        let get = self.backup(region).get_supported_resource_types().send();
        let types = self.calls.call(GET_SUPPORTED_TYPES, &action, get).await?.resource_types;
        Ok(types.unwrap_or_default().into_iter().filter_map(|it| it.parse().ok()).collect())
    }

    /// Reads the settings of a Region.
    ///
    /// # Errors
    ///
    /// Returns an error if the read fails.
    pub async fn settings(&self, region: &Region) -> Result<Settings, Error> {
        let describe = self.backup(region).describe_region_settings().send();
        let action = "read the settings of AWS Backup";
        let it = self.calls.call(DESCRIBE_REGION_SETTINGS, action, describe).await?;
        Ok(Settings {
            opt_in: preferences(it.resource_type_opt_in_preference),
            management: preferences(it.resource_type_management_preference),
        })
    }

    /// Changes settings of a Region. The other settings stay as they are.
    ///
    /// # Errors
    ///
    /// Returns an error if the change is refused. Nothing has changed then, unless only the reply
    /// was lost.
    pub async fn set(&self, region: &Region, change: &Change) -> Result<(), Error> {
        let named = |preferences: &Preferences| {
            let named = preferences.iter().map(|(it, on)| (it.to_string(), *on));
            // AWS refuses an empty map.
            Some(named.collect()).filter(|it: &std::collections::HashMap<_, _>| !it.is_empty())
        };
        let update = self.backup(region).update_region_settings();
        let update = update
            .set_resource_type_opt_in_preference(named(&change.opt_in))
            .set_resource_type_management_preference(named(&change.management));
        self.calls.call(UPDATE_REGION_SETTINGS, change, update.send()).await.map(drop)
    }

    /// Reads a vault: its encryption key, its access policy, and its lock.
    ///
    /// # Errors
    ///
    /// Returns an error if it is unknown whether the vault exists, or whose key it has.
    pub async fn vault(
        &self,
        region: &Region,
        name: &VaultName,
    ) -> Result<(Vault, Option<Lock>), Error> {
        let Some(described) = self.describe_vault(region, name).await? else {
            return Ok((Vault::Missing, None));
        };
        let it = &described;
        let date = it.lock_date.as_ref();
        let locked = lock(it.locked, date, it.min_retention_days, it.max_retention_days);
        let (key, access) = tokio::join!(
            self.vault_key(region, &described),
            self.access_policy(region, name.as_str())
        );
        let access = access.map_err(|it| it.problem());
        Ok((Vault::Here { key: key?, access }, locked))
    }

    /// Reads the key of a vault; returns `None` if there is no vault of this name.
    ///
    /// # Errors
    ///
    /// Returns an error if the vault or its key cannot be read.
    pub async fn key_of_vault(
        &self,
        region: &Region,
        name: &VaultName,
    ) -> Result<Option<VaultKey>, Error> {
        match self.describe_vault(region, name).await? {
            Some(described) => self.vault_key(region, &described).await.map(Some),
            None => Ok(None),
        }
    }

    async fn describe_vault(
        &self,
        region: &Region,
        name: &VaultName,
    ) -> Result<Option<DescribeBackupVaultOutput>, Error> {
        let action = format!("look at the vault `{name}`");
        let describe = self.backup(region).describe_backup_vault().backup_vault_name(name.as_str());
        match self.calls.call(DESCRIBE_VAULT, &action, describe.send()).await {
            Err(error) if error.is_missing_vault() => Ok(None),
            described => described.map(Some),
        }
    }

    async fn vault_key(
        &self,
        region: &Region,
        vault: &DescribeBackupVaultOutput,
    ) -> Result<VaultKey, Error> {
        let key = vault.encryption_key_arn.as_deref();
        self.key_of(region, vault.encryption_key_type.as_ref(), key).await
    }

    /// Returns the kind of the key of a vault that AWS describes so. The state of an AWS key is
    /// AWS's responsibility.
    pub(crate) async fn key_of(
        &self,
        region: &Region,
        kind: Option<&EncryptionKeyType>,
        key: Option<&str>,
    ) -> Result<VaultKey, Error> {
        let is_customers = match kind {
            Some(EncryptionKeyType::CustomerManagedKmsKey) => true,
            Some(EncryptionKeyType::AwsOwnedKmsKey) => return Ok(VaultKey::Aws),
            // A type that is missing or newer than this program: AWS KMS knows who manages the key.
            Some(_) | None => false,
        };
        let Some(key) = key else {
            let action = "look at the key of the vault";
            let error = Error::incomplete(action, "its key");
            return if is_customers {
                Ok(VaultKey::Customers(Err(error.problem())))
            } else {
                Err(error)
            };
        };
        match describe_key(self.calls, &self.config_in(region), key).await {
            Err(error) if is_customers => Ok(VaultKey::Customers(Err(error.problem()))),
            described => described,
        }
    }

    /// Reads the access policy of a vault, if it has one.
    ///
    /// # Errors
    ///
    /// Returns an error if the policy cannot be read.
    pub async fn access_policy(
        &self,
        region: &Region,
        name: &str,
    ) -> Result<Option<String>, Error> {
        let action = format!("read the access policy of the vault `{name}`");
        let get = self.backup(region).get_backup_vault_access_policy();
        let get = get.backup_vault_name(name).send();
        match self.calls.call(GET_ACCESS_POLICY, &action, get).await {
            Err(error) if error.code() == Some("ResourceNotFoundException") => Ok(None),
            got => Ok(got?.policy),
        }
    }

    /// Reads a role that AWS Backup is to use; returns `None` if the role does not exist.
    ///
    /// # Errors
    ///
    /// Returns an error if it is unknown whether the role exists, or whom it trusts.
    pub async fn backup_role(&self, name: &RoleName) -> Result<Option<Role>, Error> {
        let action = format!("look at the role `{name}`");
        let Some(role) = self.role(name.as_str(), &action).await? else { return Ok(None) };
        let trust = role.trust;
        let trust = trust.ok_or_else(|| Error::incomplete(&action, "its trust policy"))?;
        Ok(Some(Role {
            arn: role.arn,
            trust: decoded(&trust),
            is_bounded: role.is_bounded,
            policies: self.role_policies(name).await.map_err(|it| it.problem()),
        }))
    }

    /// Reads the permissions of a role: the ARNs of its managed policies, and its inline policies.
    async fn role_policies(&self, name: &RoleName) -> Result<RolePolicies, Error> {
        let action = format!("list the policies of the role `{name}`");
        let attached = self.calls.pages(LIST_ATTACHED_ROLE_POLICIES, &action, async |token| {
            ask(&self.config, iam::attached_policies(name.as_str(), token)).await
        });
        let own = self.calls.pages(LIST_ROLE_POLICIES, &action, async |token| {
            ask(&self.config, iam::own_policies(name.as_str(), token)).await
        });
        let (attached, names) = tokio::try_join!(attached, own)?;
        let mut own = BTreeMap::new();
        for policy in names {
            let get = ask(&self.config, iam::own_policy(name.as_str(), &policy));
            let action = format!("read the policy `{policy}` of the role `{name}`");
            let got = self.calls.call(GET_ROLE_POLICY, &action, get).await?;
            own.insert(policy, decoded(&got));
        }
        Ok(RolePolicies { attached: attached.into_iter().collect(), own })
    }

    /// Returns `true` if the account has the service-linked role of AWS Backup.
    ///
    /// # Errors
    ///
    /// Returns an error if the read fails.
    pub async fn has_service_role(&self) -> Result<bool, Error> {
        let action = format!("look at the role `{SERVICE_ROLE}`");
        Ok(self.role(SERVICE_ROLE, &action).await?.is_some())
    }

    /// Creates the service-linked role of AWS Backup. A role that another caller created in the
    /// meantime also counts.
    ///
    /// # Errors
    ///
    /// Returns an error if IAM refuses. The role does not exist then, unless only the reply was
    /// lost.
    pub async fn make_service_role(&self) -> Result<(), Error> {
        let action = format!("make the role `{SERVICE_ROLE}`");
        let create = ask(&self.config, iam::make_service_role(BACKUP));
        match self.calls.call(CREATE_SERVICE_ROLE, &action, create).await {
            Err(error) if error.is_made_service_role() => Ok(()),
            made => made,
        }
    }

    pub(crate) async fn role(
        &self,
        name: &str,
        action: &str,
    ) -> Result<Option<DescribedRole>, Error> {
        let get = ask(&self.config, iam::role(name));
        match self.calls.call(GET_ROLE, action, get).await {
            Err(error) if error.code() == Some("NoSuchEntity") => Ok(None),
            got => got.map(Some),
        }
    }
}

/// Reads who manages a key, and its state, in the Region of `config`.
///
/// # Errors
///
/// Returns an error if the key cannot be read. The state of a deleted key is known.
pub async fn describe_key(calls: &Calls, config: &SdkConfig, key: &str) -> Result<VaultKey, Error> {
    let action = format!("look at the key {key}");
    let described = match calls.call(DESCRIBE_KEY, &action, ask(config, kms::key(key))).await {
        // AWS never deletes its own keys.
        Err(error) if error.code() == Some("NotFoundException") => {
            return Ok(VaultKey::Customers(Ok(KeyState::GONE)));
        }
        described => described?,
    };
    let state = described.state.ok_or_else(|| Error::incomplete(&action, "its state"));
    let state = state.map(|it| KeyState::named(&it)).map_err(|it| it.problem());
    Ok(if described.is_customers { VaultKey::Customers(state) } else { VaultKey::Aws })
}

/// Returns the lock of a vault that is `locked`, which becomes final on a date if it has one, with
/// its minimum and maximum retention in days.
pub(crate) fn lock(
    locked: Option<bool>,
    date: Option<&DateTime>,
    min_days: Option<i64>,
    max_days: Option<i64>,
) -> Option<Lock> {
    // A lock with such a date is a compliance lock.
    let is_compliance = date.is_some();
    locked.unwrap_or_default().then_some(Lock { is_compliance, min_days, max_days })
}

/// Decodes a policy from IAM, which percent-encodes it as in an address.
pub(crate) fn decoded(policy: &str) -> String {
    percent_encoding::percent_decode_str(policy).decode_utf8_lossy().into_owned()
}

fn preferences(wire: Option<std::collections::HashMap<String, bool>>) -> Preferences {
    let wire = wire.unwrap_or_default().into_iter();
    let known: BTreeMap<_, _> = wire.filter_map(|(it, on)| Some((it.parse().ok()?, on))).collect();
    known
}
