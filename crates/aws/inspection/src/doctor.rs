//! Reads everything that decides whether the organization is ready for backup policies.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use aws::api::{ask, cloudtrail};
use aws::operation::{
    DESCRIBE_POLICY, DESCRIBE_STACKS, DESCRIBE_TRAILS, GET_EVENT_SELECTORS, GET_TRAIL_STATUS,
    LIST_TAGS, LIST_TARGETS,
};
use aws::reading::{Readings, Tell};
use aws::{Caller, Error, Kind, Management, Session, client, is_disabled};
use aws_sdk_organizations::types::PolicyType as WireType;
use aws_types::SdkConfig;
use aws_types::region::Region;
use members::{Member, MemberAccess, describe_key};
use organization::organizations::{ListedPolicy, READ_ROOT};
use organization::{organizations, publication};
use plan::account_state::AccountState;
use plan::desired_state::PREFIX;
use plan::doctor::{
    KnownPolicy, ManagedOrganization, Observed, OurStack, Read, Root, Trail, Unread, copy_vaults,
    vaults,
};
use plan::id::{AccountId, PolicyType, RoleArn, RoleName, ServicePrincipal};
use plan::member_accounts::{BACKUP, KeyState, VaultKey};
use plan::owner::OWNER_TAG;
use policy::arn::Arn;
use report::Destination;
use stacks::service_access;
use state::State;
use tokio::time::Instant;

/// The number of accounts for which details are read.
const DETAILS: usize = 3;

/// The examination of an organization.
#[derive(Debug)]
pub struct Examination {
    management: Management,
    caller: Caller,
    state: Option<State>,
    /// The facts that were read so far. All others are empty.
    pub observed: Observed,
}

impl Examination {
    /// Reads everything that is quickly read: all but the state bucket, the policies and the keys of
    /// the vaults that they name. If something cannot be read, the reason is noted, and reading goes on.
    ///
    /// # Errors
    ///
    /// Returns an error if the identity of the caller cannot be read, for instance without
    /// credentials.
    pub async fn begin(session: &Session, deadline: Instant) -> Result<Self, Error> {
        let management = session.management(None, deadline).await?;
        let caller = management.caller().await?;
        let event_region = caller.partition.organizations_region();
        let config = management.config().to_builder().region(Region::new(event_region)).build();
        let observed = Observed {
            caller: caller.account.clone(),
            region: session.region(),
            event_region,
            organization: read(organization(&management).await),
            root: read(root(&management).await),
            trusted_access: read(trusted_access(&management).await),
            settings: read(settings::settings(&management).await),
            administrators: read(administrators(&management).await),
            trails: read(trails(&management, &config).await),
            event_stacks: read(stacks(&management, &config).await),
            stack_sets: read(service_access::stack_sets(&management).await),
            invalid: read(invalid(&management).await),
            policies: Ok(Vec::new()),
            state: None,
            keys: BTreeMap::new(),
            unseen_keys: BTreeSet::new(),
        };
        Ok(Self { management, caller, state: State::of(session, deadline), observed })
    }

    /// Reads the state bucket, if there is one.
    pub async fn read_state(&mut self) {
        self.observed.state = match &self.state {
            Some(state) => Some(kept(state).await),
            None => None,
        };
    }

    /// Reads the policies and the keys, and reports the progress of reading the policies. `role`, if
    /// it is named, reads the keys of vaults in other accounts.
    pub async fn read_policies(&mut self, role: Option<&RoleName>, tell: Tell<'_>) {
        let Self { management, caller, state, observed } = self;
        observed.policies = read(policies(management, tell).await);
        let known = observed.policies.as_deref().unwrap_or_default();
        let mut keys = keys(management, state.as_ref(), known).await;
        let (copies, unseen) = keys_of_copies(management, caller, known, role).await;
        keys.extend(copies);
        observed.keys = keys;
        observed.unseen_keys = unseen;
    }
}

fn read<T>(result: Result<T, Error>) -> Read<T> {
    result.map_err(|it| Unread {
        why: it.problem(),
        action: it.missing_permission(),
        hint: it.hint().map(Cow::into_owned),
    })
}

/// Describes the organization; returns `None` if the account is not in one.
async fn organization(management: &Management) -> Result<Option<ManagedOrganization>, Error> {
    let it = match organizations::organization(management).await {
        Err(error) if error.code() == Some("AWSOrganizationsNotInUseException") => return Ok(None),
        described => described?,
    };
    let (management_account, all_features) = (it.management_account, it.all_features);
    Ok(Some(ManagedOrganization { management_account, all_features }))
}

async fn root(management: &Management) -> Result<Root, Error> {
    let root = organizations::root(management, READ_ROOT).await?;
    let backup_policies = root.status(&PolicyType::backup());
    Ok(Root { id: root.id, backup_policies })
}

async fn trusted_access(management: &Management) -> Result<bool, Error> {
    let trusted = service_access::enabled(management).await?;
    Ok(trusted.iter().any(|it| ServicePrincipal::as_str(it) == BACKUP))
}

/// Lists the delegated administrators of AWS Backup and their states.
async fn administrators(
    management: &Management,
) -> Result<BTreeMap<AccountId, AccountState>, Error> {
    let action = "list the delegated administrators of AWS Backup";
    let all = organizations::administrators(management, BACKUP, action).await?;
    Ok(all.into_iter().collect())
}

/// Reads the trails that record in the Region of `config`.
async fn trails(management: &Management, config: &SdkConfig) -> Result<Vec<Trail>, Error> {
    let calls = &management.calls;
    let describe = ask(config, cloudtrail::trails());
    let described = calls.call(DESCRIBE_TRAILS, "describe the trails", describe).await?;
    let mut trails = Vec::new();
    for (name, arn) in described {
        let action = format!("read whether the trail `{name}` records");
        let status = ask(config, cloudtrail::is_logging(&arn));
        let is_logging = calls.call(GET_TRAIL_STATUS, action, status).await?;
        let action = format!("read what the trail `{name}` records");
        let selectors = ask(config, cloudtrail::selectors(&arn));
        let selectors = calls.call(GET_EVENT_SELECTORS, action, selectors).await?;
        trails.push(Trail { name, is_logging, selectors });
    }
    Ok(trails)
}

/// Lists the stacks in the Region of `config`.
async fn stacks(management: &Management, config: &SdkConfig) -> Result<Vec<OurStack>, Error> {
    let client = client!(aws_sdk_cloudformation, config);
    let action = "describe the stacks in the Region of events";
    let stacks = management.calls.pages(DESCRIBE_STACKS, action, async |token| {
        let page = client.describe_stacks().set_next_token(token).send().await?;
        Ok((page.stacks, page.next_token))
    });
    let stack = |it: aws_sdk_cloudformation::types::Stack| OurStack {
        name: it.stack_name.unwrap_or_default(),
        description: it.description.unwrap_or_default(),
        status: it.stack_status.map(|it| it.as_str().to_owned()).unwrap_or_default(),
    };
    Ok(stacks.await?.into_iter().map(stack).collect())
}

/// Reads the backup policies, and the documents of those that have an ownership tag.
async fn policies(management: &Management, tell: Tell<'_>) -> Result<Vec<KnownPolicy>, Error> {
    let mut policies = Vec::new();
    let listed = organizations::policies(management, &WireType::BackupPolicy).await?;
    let operations = &[LIST_TAGS, LIST_TARGETS, DESCRIBE_POLICY];
    let readings = Readings { what: "backup policies", all: listed.len(), operations, tell };
    for (done, ListedPolicy { id, name }) in listed.into_iter().enumerate() {
        readings.are(done);
        let owner = organizations::tags(management, id.as_str()).await?.remove(OWNER_TAG);
        // Reads of policies are slow, and the documents of other policies are not ours to correct.
        let mut text = None;
        if owner.is_some() {
            text = organizations::policy(management, &id).await?.and_then(|it| it.content);
        }
        policies.push(KnownPolicy {
            name,
            owner,
            text: text.unwrap_or_default(),
            targets: organizations::targets(management, &id).await?,
            id: id.to_string(),
        });
    }
    Ok(policies)
}

async fn invalid(management: &Management) -> Result<BTreeMap<String, Vec<String>>, Error> {
    let frozen = publication::frozen(management, DETAILS).await?;
    Ok(frozen.into_iter().map(|it| (it.account, it.errors)).collect())
}

/// Reads the states of the key that encrypts the state bucket, and of the keys of the vaults that
/// `policies` name in the management account.
async fn keys(
    management: &Management,
    state: Option<&State>,
    policies: &[KnownPolicy],
) -> BTreeMap<String, Read<KeyState>> {
    let mut keys = BTreeMap::new();
    if let Some(state) = state {
        let of_state = async {
            let Some(key) = state.key().await? else { return Ok(None) };
            // The key is in the Region of the bucket, which may differ from the Region of the
            // caller.
            let region = Arn::parse(&key).ok().map(|it| Region::new(it.region.to_owned()));
            let config = management.config().to_builder();
            let config = config.region(region.or_else(|| management.config().region().cloned()));
            describe_key(&management.calls, &config.build(), &key).await.map(Some)
        };
        keys.extend(state_of("of the state".to_owned(), of_state.await));
    }
    let access = MemberAccess::new(management);
    for (region, name) in vaults(policies) {
        let key = match access.management().key_of_vault(&region, &name).await {
            Err(error) if is_disabled(&error) => continue,
            key => key,
        };
        keys.extend(state_of(format!("of the vault `{name}` in {region}"), key));
    }
    keys
}

/// Reads the states of the keys of the vaults to which `policies` copy, in the accounts where
/// `role` can be assumed. Also returns descriptions of the other keys.
async fn keys_of_copies(
    management: &Management,
    caller: &Caller,
    policies: &[KnownPolicy],
    role: Option<&RoleName>,
) -> (BTreeMap<String, Read<KeyState>>, BTreeSet<String>) {
    let (mut keys, mut unseen) = (BTreeMap::new(), BTreeSet::new());
    let Ok(own) = caller.account.parse::<AccountId>() else { return (keys, unseen) };
    let partition = caller.partition.name();
    let access = MemberAccess::new(management);
    let read_before = vaults(policies);
    let vaults = copy_vaults(policies);
    let vaults = vaults.iter().filter_map(|it| Destination::parse(it, &own));
    for vault in vaults.collect::<BTreeSet<_>>() {
        if vault.account == own {
            if read_before.contains(&(vault.region.clone(), vault.name.clone())) {
                continue;
            }
            let of = format!("of the vault `{}` in {}", vault.name, vault.region);
            keys.extend(key_of(&access.management(), &vault, of).await);
            continue;
        }
        let of = format!("of the vault `{}` of {vault}", vault.name);
        let Some(role) = role else {
            unseen.insert(of);
            continue;
        };
        let looks = [vault.clone()].into();
        let looks = Destination::session_policy(&looks, partition, &vault.account);
        let role = RoleArn::of(partition, &vault.account, role);
        match access.enter(&role, looks).await {
            Ok(member) => keys.extend(key_of(&member, &vault, of).await),
            Err(error) => keys.extend(state_of(of, Err(error))),
        }
    }
    (keys, unseen)
}

/// Reads the state of the key of a vault that receives copies. A missing vault has no key, and the
/// report finds that it is missing.
async fn key_of(
    member: &Member<'_>,
    vault: &Destination,
    of: String,
) -> Option<(String, Read<KeyState>)> {
    state_of(of, member.key_of_vault(&vault.region, &vault.name).await)
}

/// Returns the state of a key, if it is a customer managed key.
fn state_of(of: String, key: Result<Option<VaultKey>, Error>) -> Option<(String, Read<KeyState>)> {
    let state = match read(key) {
        Ok(None | Some(VaultKey::Aws)) => return None,
        Ok(Some(VaultKey::Customers(state))) => {
            state.map_err(|why| Unread { why, action: None, hint: None })
        }
        Err(unread) => Err(unread),
    };
    Some((of, state))
}

/// Reads the contents of the state bucket.
async fn kept(state: &State) -> plan::doctor::StateBucket {
    let entries = async {
        let mut entries = BTreeMap::new();
        for key in state.list(PREFIX).await? {
            let why = match state.entry(&key).await {
                Ok(_) => None,
                // The entry was read, but this program does not understand it.
                Err(error) if error.code().is_none() && error.kind() == Kind::Rejected => {
                    Some(error.why())
                }
                Err(error) => return Err(error),
            };
            entries.insert(key, why);
        }
        Ok(entries)
    };
    let swept = async { Ok(state.last_sweep().await?.map(|it| it.time())) };
    let bucket = state.bucket().to_owned();
    plan::doctor::StateBucket { bucket, entries: read(entries.await), swept: read(swept.await) }
}
