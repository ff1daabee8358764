//! The checks, with the meaning of each result and its correction.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use policy::arn::Arn;
use policy::partition::Partition;
use policy::{BACKUP_POLICY, Inherited, MAX_CHARACTERS};

use super::{Check, KnownPolicy, Observed, OurStack, Read, StateBucket, Unread, Verdict};
use crate::account_state::AccountState;
use crate::backup_policy::MAX_POLICIES_PER_TARGET;
use crate::global_settings::Setting;
use crate::id::Region;
use crate::member_accounts::check_key;
use crate::plans::Plan;
use crate::policy_types::Status;

/// The most backup policies that AWS allows in an organization.
const MAX_POLICIES: usize = 1_000;

/// The most delegated administrators of AWS Backup.
const MAX_ADMINISTRATORS: usize = 5;

/// The longest time between complete sweeps. The schedule starts one per day, and a second day is
/// allowed.
const LONGEST_SWEEP: Duration = Duration::from_hours(49);

/// The beginning of the description in the template of the forwarder.
pub(super) const FORWARDER: &str = "org-backup: forwards the events of AWS Organizations";

/// The most names that a message lists.
const NAMED: usize = 5;

/// The result of one check: the severity, the meaning and the correction.
type Judged = (Verdict, String, Option<String>);

fn ok(message: impl Into<String>) -> Judged {
    (Verdict::Ok, message.into(), None)
}

fn warning(message: impl Into<String>, fix: impl Into<String>) -> Judged {
    (Verdict::Warning, message.into(), Some(fix.into()))
}

fn problem(message: impl Into<String>, fix: impl Into<String>) -> Judged {
    (Verdict::Problem, message.into(), Some(fix.into()))
}

/// Returns the result of judging the data, or the reason why it could not be read.
fn check<T>(name: &'static str, read: &Read<T>, judge: impl FnOnce(&T) -> Judged) -> Check {
    let (verdict, message, fix) = match read {
        Ok(it) => judge(it),
        Err(unread) => {
            let allow = |it| format!("your credentials need the permission {it}");
            let allow = unread.action.as_ref().map(allow);
            let fix = allow.or_else(|| unread.hint.clone());
            (Verdict::Unknown, unread.why.clone(), fix)
        }
    };
    Check { name, verdict, message, fix }
}

/// The checks of what is quickly read.
pub(super) fn quick(observed: &Observed) -> Vec<Check> {
    vec![
        management_account(observed),
        all_features(observed),
        policy_type(observed),
        trusted_access(observed),
        cross_account_backup(observed),
        delegated_administrators(observed),
        stack_sets(observed),
        trails(observed),
        events(observed),
        effective_policies(observed),
    ]
}

/// The checks of the policies, and of what depends on them.
pub(super) fn slow(observed: &Observed) -> Vec<Check> {
    vec![
        check("quotas", &observed.policies, |it| quotas(it)),
        check("ownership", &observed.policies, |it| ownership(it)),
        check("Regions of copies", &observed.policies, |it| regions_of_copies(it)),
        keys(observed),
    ]
}

fn management_account(observed: &Observed) -> Check {
    check("management account", &observed.organization, |it| {
        let Some(it) = it else {
            return problem(
                format!("account {} is not in an organization", observed.caller),
                "use credentials of a management account, or: aws organizations \
                 create-organization --feature-set ALL",
            );
        };
        let (caller, management) = (&observed.caller, it.management_account.as_str());
        if caller == management {
            return ok(format!("you are in the management account {management}"));
        }
        problem(
            format!("you are in account {caller}, and the management account is {management}"),
            format!(
                "use credentials of {management}, or name a role there in `ManagementRoleArn` of \
                 the templates"
            ),
        )
    })
}

fn all_features(observed: &Observed) -> Check {
    check("all features", &observed.organization, |it| {
        if it.as_ref().is_some_and(|it| it.all_features) {
            return ok("the organization has all features");
        }
        problem(
            "no organization with all features is enabled here, and policies need all features",
            "aws organizations enable-all-features, and accept it in every account",
        )
    })
}

fn policy_type(observed: &Observed) -> Check {
    check("policy type", &observed.root, |root| match root.backup_policies {
        Status::Enabled => ok("backup policies are enabled"),
        Status::PendingEnable => warning(
            "backup policies are being enabled",
            "run the command \
                                                                               again later",
        ),
        Status::Unknown => warning(
            "AWS has a status for backup policies that this release does not know",
            "look at the root: aws organizations list-roots",
        ),
        Status::PendingDisable | Status::Disabled => problem(
            "backup policies are not enabled, so none has any effect",
            format!(
                "deploy templates/bootstrap.yaml, or: aws organizations enable-policy-type \
                 --root-id {} --policy-type {BACKUP_POLICY}",
                root.id
            ),
        ),
    })
}

fn trusted_access(observed: &Observed) -> Check {
    check("trusted access", &observed.trusted_access, |is_on| match is_on {
        true => ok("AWS Backup has trusted access"),
        false => problem(
            "AWS Backup does not have trusted access to the organization, so it does not carry \
             policies out",
            "deploy templates/bootstrap.yaml, or: aws organizations enable-aws-service-access \
             --service-principal backup.amazonaws.com",
        ),
    })
}

fn cross_account_backup(observed: &Observed) -> Check {
    check("cross-account backup", &observed.settings, |values| {
        match values.get(&Setting::CrossAccountBackup) {
            Some(true) => ok("backups may be copied to other accounts"),
            _ => problem(
                "cross-account backup is off, so every copy to another account fails",
                "deploy templates/bootstrap.yaml, or: aws backup update-global-settings \
                 --global-settings isCrossAccountBackupEnabled=true",
            ),
        }
    })
}

fn delegated_administrators(observed: &Observed) -> Check {
    check("delegated administrators", &observed.administrators, |all| {
        let mut not_told = None;
        for (account, state) in all {
            let state = match state {
                AccountState::Active => continue,
                AccountState::NotTold => {
                    not_told.get_or_insert(account);
                    continue;
                }
                AccountState::Other(state) => state,
            };
            return problem(
                format!("{account} administers AWS Backup and is {state}"),
                format!(
                    "aws organizations deregister-delegated-administrator --account-id {account} \
                     --service-principal backup.amazonaws.com"
                ),
            );
        }
        // Nothing is taken away from an account because AWS does not tell its state.
        if let Some(account) = not_told {
            return warning(
                format!("{account} administers AWS Backup, and AWS did not tell its state"),
                format!(
                    "look at the account: aws organizations describe-account --account-id {account}"
                ),
            );
        }
        let names = names(all.keys());
        let syncs = observed.settings.as_ref().ok();
        let syncs = syncs.and_then(|it| it.get(&Setting::DelegatedAdministrator));
        match all.len() {
            0 => ok("the management account alone administers AWS Backup"),
            MAX_ADMINISTRATORS.. => warning(
                format!(
                    "AWS accepts {MAX_ADMINISTRATORS} delegated administrators, and all are \
                     registered: {names}"
                ),
                "deregister one before you register another",
            ),
            _ if syncs == Some(&false) => warning(
                format!(
                    "{names} may administer AWS Backup, which does not keep their permissions up \
                     to date"
                ),
                "deploy templates/bootstrap.yaml with DelegatedAdministratorSync=true",
            ),
            _ => ok(format!("{names} may administer AWS Backup")),
        }
    })
}

fn stack_sets(observed: &Observed) -> Check {
    check("StackSets", &observed.stack_sets, |is_on| match is_on {
        true => ok("StackSets may deploy to the accounts of the organization"),
        false => problem(
            "StackSets has no organizations access, so no vault and no role is rolled out",
            "deploy templates/bootstrap.yaml with StackSetsAccess=true, or: aws cloudformation \
             activate-organizations-access",
        ),
    })
}

fn trails(observed: &Observed) -> Check {
    check("CloudTrail", &observed.trails, |trails| {
        if let Some(trail) = trails.iter().find(|it| it.tells_of_changes()) {
            return ok(format!("the trail `{}` records changes to the organization", trail.name));
        }
        let message = match trails.first() {
            None => "no trail records in the Region of the events of AWS Organizations".to_owned(),
            Some(it) if !it.is_logging => format!("the trail `{}` is switched off", it.name),
            Some(it) => format!("the trail `{}` does not record changes", it.name),
        };
        problem(
            format!("{message}, so drift is put back only once a day"),
            "aws cloudtrail create-trail with --is-multi-region-trail, or start-logging, or \
             put-event-selectors with management events",
        )
    })
}

fn events(observed: &Observed) -> Check {
    let region = &observed.region;
    let events = observed.event_region;
    if region == events {
        let (verdict, message, fix) =
            ok(format!("the events of AWS Organizations are in {region}, and so are you"));
        return Check { name: "Region of events", verdict, message, fix };
    }
    check("Region of events", &observed.event_stacks, |stacks| {
        let forwarder = |it: &&OurStack| it.description.starts_with(FORWARDER);
        match stacks.iter().find(forwarder) {
            Some(it) if is_whole(&it.status) => {
                ok(format!("the stack `{}` forwards events from {events} to {region}", it.name))
            }
            Some(it) => problem(
                format!("the stack `{}` in {events} forwards events and is {}", it.name, it.status),
                format!("deploy templates/event-forwarder.yaml in {events} again"),
            ),
            None => problem(
                format!(
                    "the events of AWS Organizations are in {events} and do not reach {region}"
                ),
                format!(
                    "deploy templates/event-forwarder.yaml in {events} with HomeRegion={region}"
                ),
            ),
        }
    })
}

/// Returns `true` if a stack with this status has its resources. A stack keeps them during an update, and has
/// none once its creation was rolled back.
fn is_whole(status: &str) -> bool {
    match status {
        "CREATE_COMPLETE" | "IMPORT_COMPLETE" | "IMPORT_ROLLBACK_COMPLETE" => true,
        it => it.starts_with("UPDATE_") && !it.ends_with("_FAILED"),
    }
}

fn quotas(policies: &[KnownPolicy]) -> Judged {
    let mut near = Vec::new();
    if policies.len() * 10 >= MAX_POLICIES * 9 {
        near.push(format!("{} of {MAX_POLICIES} backup policies", policies.len()));
    }
    let mut attached = BTreeMap::<_, usize>::new();
    for target in policies.iter().flat_map(|it| &it.targets) {
        *attached.entry(target).or_default() += 1;
    }
    for (target, count) in attached.iter().filter(|it| *it.1 + 1 >= MAX_POLICIES_PER_TARGET) {
        near.push(format!("{count} of {MAX_POLICIES_PER_TARGET} policies at {target}"));
    }
    for KnownPolicy { name, text, .. } in policies {
        let characters = text.chars().count();
        if characters * 10 >= MAX_CHARACTERS * 9 {
            near.push(format!("{characters} of {MAX_CHARACTERS} characters in `{name}`"));
        }
    }
    if near.is_empty() {
        return ok(format!("{} backup policies, and no quota is near", policies.len()));
    }
    warning(
        format!("near a quota of AWS: {}", names(near.iter())),
        "merge policies, attach them to children, or split the long ones, which merge by plan name",
    )
}

fn ownership(policies: &[KnownPolicy]) -> Judged {
    let others: Vec<_> = policies.iter().filter(|it| it.owner.is_none()).collect();
    if others.is_empty() {
        return ok("every backup policy belongs to a stack of org-backup");
    }
    let names = names(others.iter().map(|it| format!("`{}` ({})", it.name, it.id)));
    warning(
        format!("no stack of org-backup manages {names}"),
        "set `Adopt: true` on a Custom::BackupPolicy of that name, or leave them to their owners",
    )
}

/// Returns the plans of a single policy.
pub(super) fn plans(policy: &KnownPolicy) -> Vec<Plan> {
    let Ok(parsed) = policy::parse(&policy.text) else { return vec![] };
    Plan::all(&Inherited::root().descend("", &[("", &parsed)]).effective().to_json())
}

/// Checks the Regions of copies to other accounts. Such a copy needs a shared key, and a key can
/// only be shared with an account that has enabled the Region of the key.
fn regions_of_copies(policies: &[KnownPolicy]) -> Judged {
    let mut needed = BTreeMap::<String, BTreeSet<Region>>::new();
    for Plan { mut regions, rules, .. } in policies.iter().flat_map(plans) {
        regions.retain(|it| Partition::has_to_be_enabled(it.as_str()));
        let copies = rules.iter().flat_map(|it| &it.copies);
        let accounts = copies.filter_map(|it| Some(Arn::parse(it).ok()?.account));
        for account in accounts.filter(|it| *it != "$account" && !regions.is_empty()) {
            needed.entry(account.to_owned()).or_default().extend(regions.clone());
        }
    }
    if needed.is_empty() {
        return ok("every account has the Regions that backups are copied from");
    }
    let which = if needed.len() == 1 { "which" } else { "each of which" };
    let copies = needed.iter().map(|(account, regions)| {
        format!("backups in {} are copied to {account}", names(regions.iter()))
    });
    warning(
        format!(
            "{}, {which} can read them only if it has enabled these Regions as well",
            names(copies)
        ),
        format!(
            "with credentials of {}: aws account enable-region --region-name REGION",
            names(needed.keys())
        ),
    )
}

fn effective_policies(observed: &Observed) -> Check {
    check("effective policies", &observed.invalid, |invalid| {
        if invalid.is_empty() {
            return ok("AWS reports no invalid effective policy");
        }
        let told = invalid.iter().map(|(account, errors)| match errors.first() {
            Some(error) => format!("{account} ({error})"),
            None => account.clone(),
        });
        problem(
            format!(
                "AWS withholds the merged policy from {} accounts: {}",
                invalid.len(),
                names(told)
            ),
            "complete or correct the plan that is named; `org-backup effective --validate` shows \
             what would be valid",
        )
    })
}

/// Checks the keys. If a key does not work, nobody can read the data that it encrypts.
fn keys(observed: &Observed) -> Check {
    let unread = observed.keys.iter().find_map(|(of, it)| Some((of, it.as_ref().err()?)));
    let found = observed.keys.iter().filter_map(|(of, it)| {
        let state = Ok(it.as_ref().ok()?.clone());
        check_key(of, &state)
    });
    let found: Vec<_> = found.collect();
    let name = "keys";
    let working = match observed.keys.len() {
        0 => "no key to check".to_owned(),
        1 => "1 key encrypts and decrypts".to_owned(),
        count => format!("{count} keys encrypt and decrypt"),
    };
    let (verdict, message, fix) = if let Some(first) = found.iter().find(|it| it.is_certain()) {
        problem(names(found.iter()), first.hint())
    } else if let Some(first) = found.first() {
        (Verdict::Unknown, names(found.iter()), Some(first.hint().to_owned()))
    } else if let Some((of, unread)) = unread {
        let unread: Read<()> =
            Err(Unread { why: format!("the key {of}: {}", unread.why), ..unread.clone() });
        return check(name, &unread, |()| ok(""));
    } else if observed.unseen_keys.is_empty() {
        ok(working)
    } else {
        ok(format!(
            "{working}; not looked at: the key {}, for which `--member-role` names a role of its \
             account",
            names(observed.unseen_keys.iter())
        ))
    };
    Check { name, verdict, message, fix }
}

/// The checks of the state bucket.
pub(super) fn state(observed: &Observed, now: SystemTime) -> Vec<Check> {
    const STATE: &str = "desired state";
    const SWEEP: &str = "last sweep";
    let Some(StateBucket { bucket, entries, swept }) = &observed.state else {
        let fix = "deploy `templates/bootstrap.yaml`, or name its bucket with --state-bucket";
        let fix = Some(fix.to_owned());
        let message = "no state bucket is named".to_owned();
        return [STATE, SWEEP]
            .map(|name| {
                let (message, fix) = (message.clone(), fix.clone());
                Check { name, verdict: Verdict::Unknown, message, fix }
            })
            .into();
    };
    let kept = check(STATE, entries, |entries| {
        let useless = entries.iter().find_map(|(key, why)| Some((key, why.as_ref()?)));
        match useless {
            Some((key, why)) => problem(
                format!("s3://{bucket}/{key} cannot be used: {why}"),
                "deploy its stack again, or restore an older version of the object",
            ),
            None if entries.is_empty() => warning(
                format!("{bucket} has no desired state, so drift is not put back"),
                "deploy templates/bootstrap.yaml and templates/backup-policies.yaml",
            ),
            None => ok(format!("{} resources have a desired state", entries.len())),
        }
    });
    let swept = check(SWEEP, swept, |swept| {
        let fix = "see the log and the dead letters of the stack of templates/reattach.yaml";
        let Some(swept) = swept else {
            return warning(
                "no sweep has ended yet",
                "deploy templates/reattach.yaml, which sweeps once a day",
            );
        };
        let age = now.duration_since(*swept).unwrap_or_default();
        let hours = age.as_secs() / 3600;
        if age > LONGEST_SWEEP {
            return problem(format!("the last sweep ended {hours} hours ago"), fix);
        }
        ok(format!("the last sweep ended {hours} hours ago"))
    });
    vec![kept, swept]
}

/// Returns the first names, and the number of the others.
fn names<T: ToString>(all: impl ExactSizeIterator<Item = T>) -> String {
    let more = all.len().saturating_sub(NAMED);
    let shown = all.take(NAMED).map(|it| it.to_string()).collect::<Vec<_>>().join(", ");
    if more == 0 { shown } else { format!("{shown} and {more} more") }
}
