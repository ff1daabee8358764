//! The accounts of the organization, and AWS Backup in each of them and each of their Regions.
//!
//! Many accounts are worked in at once, and what goes wrong in one must not hold up the others. So
//! the calls in an account have a patience of their own, seconds instead of minutes, and no budget
//! of retries is shared. Connections are: the clients of an account differ in their credentials
//! only.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aws_sdk_backup::config::retry::{RetryConfig, RetryPartition, TokenBucket};
use aws_sdk_backup::config::timeout::TimeoutConfig;
use aws_sdk_backup::config::{IdentityCache, Region as WireRegion};
use aws_sdk_backup::types::EncryptionKeyType;
use aws_sdk_iam::types::Role;
use aws_sdk_kms::types::KeyManagerType;
use aws_sdk_organizations::types::Account as WireAccount;
use aws_sdk_sts::config::{Credentials, SharedCredentialsProvider};
use aws_types::SdkConfig;
use plan::id::{AccountId, Region, ResourceType, RoleArn, RoleName, TargetId, VaultName};
use plan::member_accounts::{
    Account, BACKUP, Change, ENABLE_REGION, Failure, Listed, Preferences, SERVICE_ROLE, Settings,
    Vault,
};
use report::Lock;

use crate::calls::Calls;
use crate::error::{Error, Kind};
use crate::operation::{
    ASSUME_ROLE, CREATE_SERVICE_ROLE, DESCRIBE_KEY, DESCRIBE_REGION_SETTINGS, DESCRIBE_VAULT,
    GET_ROLE, GET_SUPPORTED_TYPES, LIST_ACCOUNTS, LIST_ACCOUNTS_FOR_PARENT, LIST_UNITS,
    UPDATE_REGION_SETTINGS,
};
use crate::retries::client;
use crate::session::Management;

/// How long a session in an account lasts: the least that STS gives, and more than is needed.
const SESSION_SECONDS: i32 = 900;

/// The organization, by what is needed to work in its accounts.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The management account.
    pub management: AccountId,
    /// The partition, as in `aws-cn`.
    pub partition: String,
}

/// Reads which organization this is.
///
/// # Errors
///
/// When the read fails.
pub async fn identify(management: &Management) -> Result<Identity, Error> {
    let organization = management.organization().await?;
    let partition = organization.partition()?;
    Ok(Identity { management: organization.management_account, partition })
}

/// Reads one page of the accounts of the organization, and where the next one begins.
///
/// # Errors
///
/// When the read fails.
pub async fn accounts(
    management: &Management,
    token: Option<String>,
) -> Result<(Vec<Listed>, Option<String>), Error> {
    const ACTION: &str = "list the accounts of the organization";
    let list = management.organizations().list_accounts().set_next_token(token).send();
    let page = match management.calls.call(LIST_ACCOUNTS, ACTION, list).await {
        Err(denied) if denied.kind() == Kind::Denied => {
            return Err(management.explain(denied).await);
        }
        page => page?,
    };
    let accounts = page.accounts.unwrap_or_default().into_iter().map(listed);
    let accounts: Option<_> = accounts.collect();
    Ok((accounts.ok_or_else(|| Error::incomplete(ACTION, "an account's ID"))?, page.next_token))
}

fn listed(it: WireAccount) -> Option<Listed> {
    // `Status` is what accounts had before they had a `State`, and is going away.
    let state = it.state.as_ref().map(|it| it.as_str().to_owned());
    let state = state.or_else(|| it.status.as_ref().map(|it| it.as_str().to_owned()));
    Some(Listed {
        account: Account {
            id: it.id?.parse().ok()?,
            name: it.name.unwrap_or_default(),
            is_central: false,
        },
        state: state.unwrap_or_else(|| "UNKNOWN".to_owned()),
        paths: it.paths.unwrap_or_default(),
    })
}

/// The accounts anywhere below `place`, for an AWS that does not say where accounts are.
///
/// # Errors
///
/// When a read fails. A place that is not there has no accounts.
pub async fn accounts_below(
    management: &Management,
    place: &TargetId,
) -> Result<BTreeSet<AccountId>, Error> {
    let client = management.organizations();
    let mut below = BTreeSet::new();
    let mut parents = vec![place.to_string()];
    while let Some(parent) = parents.pop() {
        let action = format!("list the accounts in {parent}");
        let list = client.list_accounts_for_parent().parent_id(&parent);
        let accounts = management.calls.pages(LIST_ACCOUNTS_FOR_PARENT, &action, async |token| {
            let page = list.clone().set_next_token(token).send().await?;
            Ok((page.accounts, page.next_token))
        });
        let accounts = match accounts.await {
            Err(error) if error.code() == Some("ParentNotFoundException") => continue,
            accounts => accounts?,
        };
        below.extend(accounts.into_iter().filter_map(|it| it.id?.parse().ok()));
        let action = format!("list the OUs in {parent}");
        let list = client.list_organizational_units_for_parent().parent_id(&parent);
        let units = management.calls.pages(LIST_UNITS, &action, async |token| {
            let page = list.clone().set_next_token(token).send().await?;
            Ok((page.organizational_units, page.next_token))
        });
        parents.extend(units.await?.into_iter().filter_map(|it| it.id));
    }
    Ok(below)
}

/// What enters member accounts.
#[derive(Debug)]
pub struct MemberAccess<'a> {
    management: &'a Management,
    patience: Patience,
    sts: aws_sdk_sts::Client,
}

/// The settings of calls in accounts.
#[derive(Clone, Debug)]
struct Patience {
    retries: RetryConfig,
    timeouts: TimeoutConfig,
    partition: RetryPartition,
}

impl Patience {
    /// Seconds: what has not worked by then may work in the next run.
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
            // Otherwise one account that fails would use up what the others may retry.
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
            // A shared cache would grow by every account.
            .set_identity_cache(Some(IdentityCache::no_cache()));
        if credentials.is_some() {
            config.set_credentials_provider(credentials);
        }
        config.build()
    }
}

impl<'a> MemberAccess<'a> {
    /// A way into the accounts of the organization that `management` manages.
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

    /// Enters an account by its role, for what `session_policy` allows.
    ///
    /// # Errors
    ///
    /// When the role cannot be assumed.
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

/// An account that was entered.
#[derive(Debug)]
pub struct Member<'a> {
    calls: &'a Calls,
    config: SdkConfig,
    partition: RetryPartition,
}

impl Member<'_> {
    fn config_in(&self, region: &Region) -> SdkConfig {
        self.config.to_builder().region(WireRegion::new(region.to_string())).build()
    }

    fn backup(&self, region: &Region) -> aws_sdk_backup::Client {
        client!(aws_sdk_backup, &self.config_in(region), self.partition.clone())
    }

    /// Reads the resource types that a Region supports.
    ///
    /// # Errors
    ///
    /// When the read fails.
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
    /// When the read fails.
    pub async fn settings(&self, region: &Region) -> Result<Settings, Error> {
        let describe = self.backup(region).describe_region_settings().send();
        let action = "read the settings of AWS Backup";
        let it = self.calls.call(DESCRIBE_REGION_SETTINGS, action, describe).await?;
        Ok(Settings {
            opt_in: preferences(it.resource_type_opt_in_preference),
            management: preferences(it.resource_type_management_preference),
        })
    }

    /// Changes settings of a Region; others stay as they are.
    ///
    /// # Errors
    ///
    /// When the change is refused. Nothing has changed then, unless only the reply was lost.
    pub async fn set(&self, region: &Region, change: &Change) -> Result<(), Error> {
        let named = |preferences: &Preferences| {
            let named = preferences.iter().map(|(it, on)| (it.to_string(), *on));
            // An empty map is refused.
            Some(named.collect()).filter(|it: &std::collections::HashMap<_, _>| !it.is_empty())
        };
        let update = self.backup(region).update_region_settings();
        let update = update
            .set_resource_type_opt_in_preference(named(&change.opt_in))
            .set_resource_type_management_preference(named(&change.management));
        self.calls.call(UPDATE_REGION_SETTINGS, change, update.send()).await.map(drop)
    }

    /// Looks for a vault and for whose key encrypts it.
    ///
    /// # Errors
    ///
    /// When a read fails.
    pub async fn vault(&self, region: &Region, name: &VaultName) -> Result<Vault, Error> {
        self.locked_vault(region, name).await.map(|(vault, _)| vault)
    }

    /// Looks for a vault, for whose key encrypts it, and for its lock.
    ///
    /// # Errors
    ///
    /// When a read fails.
    pub async fn locked_vault(
        &self,
        region: &Region,
        name: &VaultName,
    ) -> Result<(Vault, Option<Lock>), Error> {
        let action = format!("look at the vault `{name}`");
        let describe = self.backup(region).describe_backup_vault().backup_vault_name(name.as_str());
        let it = match self.calls.call(DESCRIBE_VAULT, &action, describe.send()).await {
            Err(error) if error.is_missing_vault() => return Ok((Vault::Missing, None)),
            described => described?,
        };
        let lock = it.locked.unwrap_or_default().then(|| Lock {
            // Having a date on which it is final is what makes a lock a compliance lock.
            is_compliance: it.lock_date.is_some(),
            min_days: it.min_retention_days,
            max_days: it.max_retention_days,
        });
        let vault = match (it.encryption_key_type, it.encryption_key_arn) {
            (Some(EncryptionKeyType::CustomerManagedKmsKey), _) => Vault::CustomerKey,
            (Some(_), _) => Vault::AwsKey,
            (None, Some(key)) => self.key(region, &key).await?,
            (None, None) => return Err(Error::incomplete(&action, "its key")),
        };
        Ok((vault, lock))
    }

    /// Asks whose key this is.
    async fn key(&self, region: &Region, key: &str) -> Result<Vault, Error> {
        let (config, partition) = (self.config_in(region), self.partition.clone());
        let client = client!(aws_sdk_kms, &config, partition);
        let describe = client.describe_key().key_id(key).send();
        let action = format!("look at the key {key}");
        let described = self.calls.call(DESCRIBE_KEY, &action, describe).await?;
        let manager = described.key_metadata.and_then(|it| it.key_manager);
        let is_customers = manager == Some(KeyManagerType::Customer);
        Ok(if is_customers { Vault::CustomerKey } else { Vault::AwsKey })
    }

    /// Reads the trust policy of a role; `None` when there is no such role.
    ///
    /// # Errors
    ///
    /// When the read fails.
    pub async fn trust_policy(&self, name: &RoleName) -> Result<Option<String>, Error> {
        let action = format!("look at the role `{name}`");
        let Some(role) = self.role(name.as_str(), &action).await? else { return Ok(None) };
        let policy = role.assume_role_policy_document;
        let policy = policy.ok_or_else(|| Error::incomplete(&action, "its trust policy"))?;
        let policy = percent_encoding::percent_decode_str(&policy).decode_utf8_lossy();
        Ok(Some(policy.into_owned()))
    }

    /// Whether AWS Backup has a role of its own in the account.
    ///
    /// # Errors
    ///
    /// When the read fails.
    pub async fn has_service_role(&self) -> Result<bool, Error> {
        let action = format!("look at the role `{SERVICE_ROLE}`");
        Ok(self.role(SERVICE_ROLE, &action).await?.is_some())
    }

    /// Makes the role that AWS Backup has of its own. One that somebody else has made meanwhile is
    /// as good.
    ///
    /// # Errors
    ///
    /// When IAM refuses. There is no role then, unless only the reply was lost.
    pub async fn make_service_role(&self) -> Result<(), Error> {
        let action = format!("make the role `{SERVICE_ROLE}`");
        let create = self.iam().create_service_linked_role().aws_service_name(BACKUP).send();
        match self.calls.call(CREATE_SERVICE_ROLE, &action, create).await {
            Err(error) if error.is_made_service_role() => Ok(()),
            made => made.map(drop),
        }
    }

    async fn role(&self, name: &str, action: &str) -> Result<Option<Role>, Error> {
        let get = self.iam().get_role().role_name(name).send();
        match self.calls.call(GET_ROLE, action, get).await {
            Err(error) if error.code() == Some("NoSuchEntity") => Ok(None),
            got => Ok(got?.role),
        }
    }

    fn iam(&self) -> aws_sdk_iam::Client {
        client!(aws_sdk_iam, &self.config, self.partition.clone())
    }
}

fn preferences(wire: Option<std::collections::HashMap<String, bool>>) -> Preferences {
    let wire = wire.unwrap_or_default().into_iter();
    let known: BTreeMap<_, _> = wire.filter_map(|(it, on)| Some((it.parse().ok()?, on))).collect();
    known
}

/// What is not as wanted in an account because of `error`.
pub fn failure(region: Option<&Region>, error: &Error) -> Failure {
    // What helps in the management account does not help here.
    let hint = hint(region, error).to_owned();
    Failure { region: region.cloned(), problem: error.problem(), hint }
}

fn hint(region: Option<&Region>, error: &Error) -> &'static str {
    match (region, error.kind()) {
        _ if is_disabled(error) => ENABLE_REGION,
        (None, Kind::Denied) => {
            "roll out the role to this account, let it trust the function's own role, and let it \
             allow what this run calls"
        }
        (Some(_), Kind::Denied) => {
            "see whether a service control policy denies the Region, and leave it out of `Regions` \
             or let the role allow the call"
        }
        (_, Kind::Transient) => "deploy again",
        (_, Kind::Rejected | Kind::Outdated) => "see what AWS says, and correct the template",
    }
}

/// Whether AWS does not know the account in the Region of the call, as in one that the account has
/// not enabled.
pub fn is_disabled(error: &Error) -> bool {
    error.code().is_some_and(|it| DISABLED.contains(&it))
}

/// What AWS says to credentials in a Region that their account has not enabled.
const DISABLED: [&str; 5] = [
    "AuthFailure",
    "InvalidClientTokenId",
    "OptInRequired",
    "RegionDisabledException",
    "UnrecognizedClientException",
];
