//! The sessions of callers that assumed roles.

use std::collections::BTreeMap;
use std::sync::Arc;

use policy::arn::Arn;
use policy::partition::Partition;

use crate::iam::{Policy, Role};
use crate::ids::Ids;
use crate::refusal::{Code, Refusal};

/// The longest session of a role that is assumed by a role, as Lambda functions do.
const CHAINED_SECONDS: u32 = 3_600;
/// The longest session policy.
const POLICY_CHARACTERS: usize = 2_048;

/// A session of a caller that assumed a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The account of the role.
    pub account: String,
    /// The name of the role.
    pub role: String,
    /// The name of the session.
    pub name: String,
    /// The ARN of the role.
    pub role_arn: String,
    /// The session policy, which limits the session in addition to the role.
    pub(crate) policy: Option<Arc<Policy>>,
}

impl Session {
    /// Returns the ARN of the session.
    pub(crate) fn arn(&self, partition: Partition) -> String {
        let Self { account, role, name, .. } = self;
        format!("arn:{partition}:sts::{account}:assumed-role/{role}/{name}")
    }
}

/// The sessions.
#[derive(Clone, Debug)]
pub(crate) struct Sts {
    ids: Ids,
    /// By access key.
    sessions: BTreeMap<String, Arc<Session>>,
}

/// A request for a session.
pub(crate) struct Wanted<'a> {
    pub(crate) role_arn: &'a str,
    pub(crate) name: &'a str,
    pub(crate) seconds: Option<u32>,
    pub(crate) policy: Option<&'a str>,
    /// True if the caller is itself a session of a role.
    pub(crate) chained: bool,
}

/// The result of `AssumeRole`.
pub(crate) struct Assumed {
    pub(crate) access_key: String,
    pub(crate) role_id: String,
    pub(crate) session: Arc<Session>,
}

impl<'a> Wanted<'a> {
    /// Returns the account and the name of the role, if the request is valid.
    pub(crate) fn check(&self) -> Result<(&'a str, &'a str), Refusal> {
        let is_allowed = |it: char| it.is_ascii_alphanumeric() || "_+=,.@-".contains(it);
        if !(2..=64).contains(&self.name.len()) || !self.name.chars().all(is_allowed) {
            return Err(invalid("The value of roleSessionName failed to satisfy its constraint"));
        }
        if self.seconds.is_some_and(|it| it < 900) {
            return Err(invalid("The requested DurationSeconds is less than 900"));
        }
        if self.policy.is_some_and(|it| it.chars().count() > POLICY_CHARACTERS) {
            return Err(invalid("The value of policy must have length less than or equal to 2048"));
        }
        parse(self.role_arn).ok_or_else(|| invalid(&format!("{} is invalid", self.role_arn)))
    }

    /// Returns an error for a session that is longer than a session of `role` may be.
    pub(crate) fn check_length(&self, role: &Role) -> Result<(), Refusal> {
        if self.chained && self.seconds.is_some_and(|it| it > CHAINED_SECONDS) {
            return Err(invalid(
                "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed \
                 by role chaining",
            ));
        }
        if self.seconds.is_some_and(|it| it > role.longest_session()) {
            return Err(invalid(
                "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
            ));
        }
        Ok(())
    }
}

impl Sts {
    pub(crate) fn new(seed: u64) -> Self {
        // These numbers differ from those of the organization, whose identifiers come from the same
        // seed.
        let ids = Ids::new(seed ^ 0x0073_7473);
        Self { ids, sessions: BTreeMap::new() }
    }

    /// Returns the session of an access key that was issued.
    pub(crate) fn session(&self, access_key: &str) -> Option<&Arc<Session>> {
        self.sessions.get(access_key)
    }

    /// Makes `access_key` the key of a session.
    pub(crate) fn bind(&mut self, access_key: &str, session: Session) {
        self.sessions.insert(access_key.to_owned(), Arc::new(session));
    }

    /// Opens a session.
    pub(crate) fn open(&mut self, session: Session) -> Assumed {
        let session = Arc::new(session);
        let access_key = self.ids.upper("ASIA", 16);
        self.sessions.insert(access_key.clone(), Arc::clone(&session));
        Assumed { access_key, role_id: role_id(&session.role_arn), session }
    }
}

/// Returns the unique ID of a role. The same ARN gives the same ID.
pub(crate) fn role_id(arn: &str) -> String {
    let start = 0xcbf2_9ce4_8422_2325_u64;
    let hash =
        arn.bytes().fold(start, |it, byte| (it ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
    Ids::new(hash).upper("AROA", 17)
}

fn invalid(message: &str) -> Refusal {
    Refusal::new(Code::Validation, message)
}

/// Returns the account and the name of a role, without its path.
pub(crate) fn parse(arn: &str) -> Option<(&str, &str)> {
    let Arn { service, region, account, resource, .. } = Arn::parse(arn).ok()?;
    let role = resource.strip_prefix("role/")?.rsplit('/').next()?;
    let right = (service, region) == ("iam", "");
    let digits = account.len() == 12 && account.bytes().all(|it| it.is_ascii_digit());
    (right && digits && !role.is_empty()).then_some((account, role))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROLE: &str = "arn:aws:iam::444455556666:role/backup/Reader";

    fn wanted(role_arn: &str, seconds: Option<u32>) -> Wanted<'_> {
        Wanted { role_arn, name: "nightly", seconds, policy: None, chained: false }
    }

    #[test]
    fn the_key_of_a_session_leads_back_to_the_role() {
        let mut sts = Sts::new(1);
        let (account, role) = wanted(ROLE, None).check().unwrap();
        let assumed = sts.open(Session {
            account: account.to_owned(),
            role: role.to_owned(),
            name: "nightly".to_owned(),
            role_arn: ROLE.to_owned(),
            policy: None,
        });
        let session = sts.session(&assumed.access_key).unwrap();
        assert_eq!(
            session.arn(Partition::Commercial),
            "arn:aws:sts::444455556666:assumed-role/Reader/nightly"
        );
    }

    #[test]
    fn a_chained_session_lasts_an_hour_at_most_and_others_as_long_as_the_role_says() {
        let role = Role::trusting_account("Reader", "111122223333").max_session(7_200);
        let check = |chained, seconds| {
            let wanted = Wanted { chained, ..wanted(ROLE, Some(seconds)) };
            wanted.check_length(&role).is_ok()
        };
        assert!(check(true, 3_600) && !check(true, 3_601));
        assert!(check(false, 7_200) && !check(false, 7_201));
    }

    #[test]
    fn what_is_no_role_is_invalid() {
        for arn in ["role", "arn:aws:iam::1:role/x", "arn:aws:iam::444455556666:user/x"] {
            let refusal = wanted(arn, None).check().unwrap_err();
            assert_eq!(refusal.code, Code::Validation, "{arn}");
        }
    }

    #[test]
    fn a_session_policy_has_so_many_characters_at_most() {
        let text = "x".repeat(2_049);
        let check = |policy| Wanted { policy: Some(policy), ..wanted(ROLE, None) }.check().is_ok();
        assert!(check(text.get(1..).unwrap()) && !check(&text));
    }
}
