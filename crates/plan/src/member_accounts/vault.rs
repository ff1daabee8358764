//! Checks that a vault can store backups, and that they can be read again.

use policy::pattern::is_like;
use serde_json::Value;

use super::Problem;
use super::statement::{Holds, Statement, statements};
use crate::id::{AccountId, VaultName, name_in};

/// The actions that AWS Backup needs in the vault with the role of a plan, in lower case.
const NEEDED: [&str; 3] =
    ["backup:copyintobackupvault", "backup:describebackupvault", "backup:startbackupjob"];

/// The action of an account that copies to the vault of another account.
const COPY: &str = "backup:CopyIntoBackupVault";

/// The action that deletes a recovery point.
pub(super) const DELETE: &str = "backup:DeleteRecoveryPoint";

/// The actions that may be denied to everybody without affecting backups. Templates and AWS itself
/// deny them.
const SPARED: [&str; 14] = [
    "backup:associatebackupvaultmpaapprovalteam",
    "backup:deletebackupvault",
    "backup:deletebackupvaultaccesspolicy",
    "backup:deletebackupvaultlockconfiguration",
    "backup:deletebackupvaultnotifications",
    "backup:deleterecoverypoint",
    "backup:disassociatebackupvaultmpaapprovalteam",
    "backup:disassociaterecoverypoint",
    "backup:disassociaterecoverypointfromparent",
    "backup:putbackupvaultaccesspolicy",
    "backup:putbackupvaultlockconfiguration",
    "backup:putbackupvaultnotifications",
    "backup:startrestorejob",
    "backup:updaterecoverypointlifecycle",
];

/// The state of a vault.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Vault {
    /// The vault does not exist.
    Missing,
    /// The vault exists.
    Here {
        /// The key that encrypts it.
        key: VaultKey,
        /// The access policy, if it has one, or the reason why it was not read.
        access: Result<Option<String>, String>,
    },
}

/// The key that encrypts a vault.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum VaultKey {
    /// An AWS managed key.
    Aws,
    /// A customer managed key in this state, or the reason why its state was not read.
    Customers(Result<KeyState, String>),
}

/// The state of a key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum KeyState {
    /// It encrypts and decrypts.
    Usable,
    /// It does not encrypt and decrypt, for this reason.
    Unusable(&'static str),
    /// This release does not know the name of the state.
    Other(String),
}

impl KeyState {
    /// The state of a key that no longer exists.
    pub const GONE: Self = Self::Unusable("is gone");

    /// Returns the state with this name in AWS KMS.
    pub fn named(name: &str) -> Self {
        match name {
            // While the primary Region changes, the key works in all Regions.
            "Enabled" | "Updating" => Self::Usable,
            "Creating" => Self::Unusable("is still being made"),
            "Disabled" => Self::Unusable("is disabled"),
            "PendingDeletion" | "PendingReplicaDeletion" => Self::Unusable("is to be deleted"),
            "PendingImport" => Self::Unusable("has no key material"),
            "Unavailable" => Self::Unusable("cannot be used because its key store is disconnected"),
            other => Self::Other(other.to_owned()),
        }
    }
}

/// Compares a vault with the requirements of plans that store backups there with the roles of these
/// ARNs. The owner of the key is not judged: that depends on the purpose of the backups, which the
/// caller knows.
pub fn check_vault<'a>(
    name: &VaultName,
    vault: &Vault,
    roles: impl IntoIterator<Item = &'a str>,
) -> Vec<Problem> {
    let Vault::Here { key, access } = vault else { return vec![Problem::NoVault(name.clone())] };
    check_vault_key(name, key).into_iter().chain(check_access(name, access, roles)).collect()
}

/// Returns the problem with the key of a vault, if there is one.
pub fn check_vault_key(name: &VaultName, key: &VaultKey) -> Option<Problem> {
    match key {
        VaultKey::Aws => None,
        VaultKey::Customers(state) => check_key(&format!("of the vault `{name}`"), state),
    }
}

/// Returns the problem that the access policy of a vault causes for the roles of these ARNs, if
/// there is one.
pub fn check_access<'a>(
    name: &VaultName,
    access: &Result<Option<String>, String>,
    roles: impl IntoIterator<Item = &'a str>,
) -> Option<Problem> {
    match access {
        Ok(None) => None,
        Ok(Some(policy)) => denial(name, policy, roles),
        Err(why) => {
            Some(Problem::Unread(format!("the access policy of the vault `{name}`: {why}")))
        }
    }
}

/// The effect of a vault's access policy on principals of its account that delete recovery points.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Deletion {
    /// It denies deletion to every principal.
    Denied,
    /// It denies deletion to some principals, or under conditions.
    DeniedToSome,
    /// It does not deny deletion.
    Free,
}

impl Deletion {
    /// Returns the effect of this access policy. `None` is the policy of a vault that has none.
    pub fn of(policy: Option<&str>) -> Self {
        let policy = policy.map(|it| serde_json::from_str::<Value>(it).unwrap_or_default());
        let denials = policy.iter().flat_map(statements).filter(Statement::denies);
        let applies = |it: &Statement<'_>| {
            // A list of the actions that it does not apply to may leave deletion out or in.
            let everybody = it.names_everybody().and(it.condition().is_none().into());
            match (it.covers(DELETE), everybody) {
                (Holds::No, _) => Self::Free,
                (Holds::Yes, Holds::Yes) => Self::Denied,
                (Holds::Yes | Holds::Unknown, _) => Self::DeniedToSome,
            }
        };
        denials.fold(Self::Free, |all, it| match (all, applies(&it)) {
            (Self::Denied, _) | (_, Self::Denied) => Self::Denied,
            (Self::DeniedToSome, _) | (_, Self::DeniedToSome) => Self::DeniedToSome,
            (Self::Free, Self::Free) => Self::Free,
        })
    }
}

/// An account that copies backups into the vault of another one.
#[derive(Clone, Copy, Debug)]
pub struct CopySource<'a> {
    /// The ID of its organization.
    pub organization: &'a str,
    /// The IDs from the root down to the OU that contains it, separated by slashes.
    pub path: &'a str,
    /// The partition.
    pub partition: &'a str,
    /// The account.
    pub account: &'a AccountId,
}

/// Returns `true` if the access policy of a vault lets an account copy backups into it. Returns
/// `None` if that depends on conditions that are not judged.
///
/// AWS Backup refuses copies from other accounts unless the vault has a policy that allows them.
pub fn admits_copies(policy: Option<&str>, source: CopySource<'_>) -> Option<bool> {
    let CopySource { organization, path, partition, account } = source;
    let policy = policy.map(|it| serde_json::from_str::<Value>(it).unwrap_or_default());
    let root = format!("arn:{partition}:iam::{account}:root");
    let path = format!("{organization}/{path}/");
    let known = [
        ("aws:principalorgid", organization),
        ("aws:principalorgpaths", path.as_str()),
        ("aws:principalaccount", account.as_str()),
    ];
    let mut admits = Holds::No;
    for statement in policy.iter().flat_map(statements) {
        // A statement about one role of the account applies to the roles of some plans only.
        let names = match statement.names_role(&root) {
            Holds::No if statement.mentions(account.as_str()) => Holds::Unknown,
            names @ (Holds::Yes | Holds::No | Holds::Unknown) => names,
        };
        let applies = statement.covers(COPY).and(names).and(statement.is_met(&known));
        match (applies, statement.denies()) {
            (Holds::Yes, true) => return Some(false),
            (Holds::Unknown, true) => return None,
            (Holds::Yes, false) => admits = Holds::Yes,
            (Holds::Unknown, false) if admits == Holds::No => admits = Holds::Unknown,
            (Holds::No, true | false) | (Holds::Unknown, false) => {}
        }
    }
    match admits {
        Holds::Yes => Some(true),
        Holds::No => Some(false),
        Holds::Unknown => None,
    }
}

/// Returns the problem with the key `of` something, if there is one. `state` is the state of the
/// key, or the reason why it was not read.
pub fn check_key(of: &str, state: &Result<KeyState, String>) -> Option<Problem> {
    match state {
        Ok(KeyState::Usable) => None,
        Ok(KeyState::Unusable(how)) => Some(Problem::Key { of: of.to_owned(), how }),
        Ok(KeyState::Other(state)) => {
            Some(Problem::Unjudged(format!("the key {of}, which is in the state `{state}`")))
        }
        Err(why) => Some(Problem::Unread(format!("the key {of}: {why}"))),
    }
}

/// Returns the problem if the access policy of a vault denies, or may deny, something to one of
/// these roles.
fn denial<'a>(
    name: &VaultName,
    policy: &str,
    roles: impl IntoIterator<Item = &'a str>,
) -> Option<Problem> {
    let policy = serde_json::from_str::<Value>(policy).unwrap_or_default();
    let mut unjudged = None;
    for role in roles {
        let known = [("aws:principalarn", role)];
        for denial in statements(&policy).filter(Statement::denies) {
            let applies = denial.names_role(role).and(denial.is_met(&known));
            let actions = denial.actions();
            let actions = actions.as_deref().unwrap_or(&[]);
            let is_spared = |it: &String| SPARED.contains(&it.as_str());
            if applies == Holds::No || (!actions.is_empty() && actions.iter().all(is_spared)) {
                continue;
            }
            let needed = NEEDED.iter().find(|it| actions.iter().any(|action| is_like(action, it)));
            if applies == Holds::Yes && needed.is_some() {
                let role = name_in(role).to_owned();
                return Some(Problem::Denying { vault: name.clone(), role });
            }
            unjudged = Some(Problem::Unjudged(format!(
                "what the access policy of the vault `{name}` denies to the role `{}`",
                name_in(role)
            )));
        }
    }
    unjudged
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ROLE: &str = "arn:aws:iam::111122223333:role/path/maker";

    fn said(key: VaultKey, access: Result<Option<String>, String>) -> Vec<String> {
        let vault = Vault::Here { key, access };
        let problems = check_vault(&"keep".parse().unwrap(), &vault, [ROLE]);
        let sign = |it: &Problem| if it.is_certain() { "!" } else { "?" };
        problems.iter().map(|it| format!("{} {it}", sign(it))).collect()
    }

    fn with_key(state: &str) -> Vec<String> {
        said(VaultKey::Customers(Ok(KeyState::named(state))), Ok(None))
    }

    /// Returns the lines about a vault whose access policy has these statements.
    fn with(statements: &Value) -> Vec<String> {
        said(VaultKey::Aws, Ok(Some(json!({ "Statement": statements }).to_string())))
    }

    fn deny(action: &Value, principal: &Value, condition: &Value) -> Value {
        let mut deny = json!({ "Effect": "Deny", "Action": action, "Principal": principal });
        if !condition.is_null() {
            deny["Condition"] = condition.clone();
        }
        deny
    }

    #[test]
    fn a_key_encrypts_or_does_not_or_is_in_a_state_that_is_not_known() {
        for usable in ["Enabled", "Updating"] {
            assert_eq!(with_key(usable), [""; 0]);
        }
        for (state, how) in [
            ("Creating", "is still being made"),
            ("Disabled", "is disabled"),
            ("PendingDeletion", "is to be deleted"),
            ("PendingReplicaDeletion", "is to be deleted"),
            ("PendingImport", "has no key material"),
            ("Unavailable", "cannot be used because its key store is disconnected"),
        ] {
            assert_eq!(with_key(state), [format!("! the key of the vault `keep` {how}")]);
        }
        let tea = "? not looked at: the key of the vault `keep`, which is in the state `Tea`";
        assert_eq!(with_key("Tea"), [tea]);
        let unread = said(VaultKey::Customers(Err("denied".to_owned())), Err("denied".to_owned()));
        assert_eq!(
            unread,
            [
                "? not looked at: the key of the vault `keep`: denied",
                "? not looked at: the access policy of the vault `keep`: denied"
            ]
        );
        let gone = said(VaultKey::Customers(Ok(KeyState::GONE)), Ok(None));
        assert_eq!(gone, ["! the key of the vault `keep` is gone"]);
    }

    const DENYING: &str =
        "! the access policy of the vault `keep` denies backups to the role `maker`";
    const UNJUDGED: &str = "? not looked at: what the access policy of the vault `keep` denies to \
                            the role `maker`";

    #[test]
    fn a_vault_may_deny_backups_to_the_role_that_makes_them() {
        let start = json!("backup:StartBackupJob");
        let none = json!(null);
        let account = json!({ "AWS": "arn:aws:iam::111122223333:root" });
        for principal in
            [json!("*"), json!({ "AWS": "*" }), json!({ "AWS": ["1", ROLE] }), account.clone()]
        {
            assert_eq!(with(&deny(&start, &principal, &none)), [DENYING], "{principal}");
        }
        for action in [json!("*"), json!(["backup:DeleteBackupVault", "backup:*"])] {
            assert_eq!(with(&deny(&action, &account, &none)), [DENYING], "{action}");
        }
        for principal in
            [json!({ "AWS": "arn:aws:iam::444455556666:root" }), json!({ "Service": "x" })]
        {
            assert_eq!(with(&deny(&start, &principal, &none)), [""; 0], "{principal}");
        }
    }

    #[test]
    fn what_the_templates_and_aws_deny_keeps_nobody_from_making_backups() {
        let all = json!("*");
        let spared = json!({
            "ArnNotLike": { "aws:PrincipalArn": "arn:aws:iam::111122223333:role/stacksets-exec-*" },
        });
        let deleting = json!(["backup:DeleteRecoveryPoint", "backup:PutBackupVaultAccessPolicy"]);
        let copies = json!({
            "Effect": "Allow", "Action": "backup:CopyIntoBackupVault", "Principal": "*",
            "Condition": { "StringEquals": { "aws:PrincipalOrgID": "o-1" } },
        });
        assert_eq!(with(&json!([copies, deny(&deleting, &all, &spared)])), [""; 0]);
        // The same shape about what is needed.
        let start = json!("backup:StartBackupJob");
        assert_eq!(with(&deny(&start, &all, &spared)), [DENYING]);
        let makers = json!({ "ArnNotLike": { "aws:PrincipalArn": "arn:aws:iam::*:role/path/*" } });
        assert_eq!(with(&deny(&start, &all, &makers)), [""; 0]);
    }

    #[test]
    fn what_is_denied_otherwise_is_not_judged() {
        let (all, none) = (json!("*"), json!(null));
        let users = json!({ "StringNotLike": { "aws:userId": "AROA*" } });
        let start = json!("backup:StartBackupJob");
        assert_eq!(with(&deny(&start, &all, &users)), [UNJUDGED]);
        assert_eq!(with(&deny(&json!("backup:StartTeaJob"), &all, &none)), [UNJUDGED]);
        let except = json!({ "Effect": "Deny", "NotAction": "backup:ListTags", "Principal": "*" });
        assert_eq!(with(&except), [UNJUDGED]);
        let others = json!({ "Effect": "Deny", "Action": start, "NotPrincipal": { "AWS": ROLE } });
        assert_eq!(with(&others), [UNJUDGED]);
    }

    #[test]
    fn a_denial_is_about_a_role_by_its_arn_or_its_account() {
        let start = json!("backup:StartBackupJob");
        let to = |name: &str| with(&deny(&start, &json!({ "AWS": name }), &json!(null)));
        assert_eq!(to("111122223333"), [DENYING]);
        assert_eq!(to("444455556666"), [""; 0]);
        assert_eq!(to("arn:aws:iam::111122223333:role/other"), [""; 0]);
    }

    #[test]
    fn a_denial_under_a_condition_about_the_role_is_judged_by_its_arn() {
        const OTHER: &str = "arn:aws:iam::111122223333:role/path/other";
        let under = |operator: &str, arn: &str| {
            let condition = json!({ operator: { "aws:PrincipalArn": arn } });
            with(&deny(&json!("backup:StartBackupJob"), &json!("*"), &condition))
        };
        for operator in ["StringEquals", "StringLike", "ArnEquals", "ArnLike"] {
            assert_eq!(under(operator, ROLE), [DENYING], "{operator}");
            assert_eq!(under(operator, OTHER), [""; 0], "{operator}");
        }
        for operator in ["StringNotEquals", "StringNotLike", "ArnNotEquals", "ArnNotLike"] {
            assert_eq!(under(operator, ROLE), [""; 0], "{operator}");
            assert_eq!(under(operator, OTHER), [DENYING], "{operator}");
        }
        // Only a request has the value of a policy variable.
        assert_eq!(under("ArnEquals", "arn:aws:iam::${aws:PrincipalAccount}:role/*"), [UNJUDGED]);
    }

    #[test]
    fn a_vault_takes_copies_of_an_organization_where_its_policy_says_so() {
        let account = "111122223333".parse().unwrap();
        let source = CopySource {
            organization: "o-a1b2c3d4e5",
            path: "r-ab12/ou-ab12-11111111",
            partition: "aws",
            account: &account,
        };
        let admits = |statements: Value| {
            let policy = json!({ "Statement": statements }).to_string();
            admits_copies(Some(&policy), source)
        };
        let allow = |principal: Value, condition: Value| {
            json!({
                "Effect": "Allow", "Action": "backup:CopyIntoBackupVault", "Resource": "*",
                "Principal": principal, "Condition": condition,
            })
        };
        let of = |id: &str| json!({ "StringEquals": { "aws:PrincipalOrgID": id } });
        let ours = allow(json!("*"), of("o-a1b2c3d4e5"));
        assert_eq!(admits(json!([ours])), Some(true));
        assert_eq!(admits(json!([allow(json!("*"), of("o-zzzzzzzzzz"))])), Some(false));
        let root = json!({ "AWS": "arn:aws:iam::111122223333:root" });
        assert_eq!(admits(json!([allow(root, json!({}))])), Some(true));
        let other = json!({ "AWS": "arn:aws:iam::444455556666:root" });
        assert_eq!(admits(json!([allow(other, json!({}))])), Some(false));
        let role = json!({ "AWS": "arn:aws:iam::111122223333:role/maker" });
        assert_eq!(admits(json!([allow(role, json!({}))])), None, "the role of some plans");
        let below = |path: &str| {
            let path = format!("o-a1b2c3d4e5/r-ab12/{path}");
            json!({ "ForAnyValue:StringLike": { "aws:PrincipalOrgPaths": [path] } })
        };
        let admits_below = |path| admits(json!([allow(json!("*"), below(path))]));
        assert_eq!(admits_below("ou-ab12-11111111/*"), Some(true));
        assert_eq!(admits_below("ou-ab12-22222222/*"), Some(false));
        let arn = json!({ "ArnLike": { "aws:SourceArn": "arn:aws:backup:*" } });
        assert_eq!(admits(json!([allow(json!("*"), arn)])), None, "what only a request tells");
        let arn = json!({ "ArnLike": { "aws:SourceArn": "arn:aws:backup:*" } });
        let both = json!([ours, allow(json!("*"), arn)]);
        assert_eq!(admits(both), Some(true), "one statement is enough");
        let deny = json!({ "Effect": "Deny", "Action": "backup:*", "Principal": "*" });
        assert_eq!(admits(json!([ours, deny])), Some(false));
        let delete = json!({ "Effect": "Deny", "Action": "backup:Delete*", "Principal": "*" });
        assert_eq!(admits(json!([ours, delete])), Some(true));
        assert_eq!(admits_copies(None, source), Some(false));
    }

    #[test]
    fn deletion_is_denied_only_by_a_statement_about_everybody() {
        let policy = |statement: Value| json!({ "Statement": statement }).to_string();
        let deny = |principal: Value, action: &str| json!({ "Effect": "Deny", "Principal": principal, "Action": action, "Resource": "*" });
        let mut except = deny(json!("*"), "backup:Delete*");
        except["Condition"] = json!({ "ArnNotLike": { "aws:PrincipalArn": ROLE } });
        let mut allow = deny(json!("*"), "backup:*");
        allow["Effect"] = json!("Allow");
        for (statement, effect) in [
            (deny(json!("*"), "backup:DeleteRecoveryPoint"), Deletion::Denied),
            (deny(json!({ "AWS": "*" }), "backup:*"), Deletion::Denied),
            (json!([except.clone(), deny(json!("*"), "*")]), Deletion::Denied),
            (except, Deletion::DeniedToSome),
            (deny(json!({ "AWS": ROLE }), "backup:*"), Deletion::DeniedToSome),
            (deny(json!("*"), "backup:PutBackupVaultAccessPolicy"), Deletion::Free),
            (allow, Deletion::Free),
        ] {
            assert_eq!(Deletion::of(Some(&policy(statement.clone()))), effect, "{statement}");
        }
        assert_eq!(Deletion::of(None), Deletion::Free);
    }
}
