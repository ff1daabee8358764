//! Roles and the sessions of those who assumed them.

use std::collections::{BTreeMap, BTreeSet};

use crate::ids::Ids;
use crate::refusal::{Code, Refusal};

/// The longest session of a role that is assumed by a role, as Lambda functions do.
const MAX_SECONDS: u32 = 3_600;

/// Who assumed which role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The account of the role.
    pub account: String,
    /// The name of the role.
    pub role: String,
    /// The name of the session.
    pub name: String,
}

impl Session {
    /// The ARN of the session.
    pub(crate) fn arn(&self, partition: &str) -> String {
        let Self { account, role, name } = self;
        format!("arn:{partition}:sts::{account}:assumed-role/{role}/{name}")
    }
}

/// The roles and sessions.
#[derive(Clone, Debug)]
pub struct Sts {
    ids: Ids,
    /// By access key.
    sessions: BTreeMap<String, Session>,
    denied: BTreeSet<String>,
    only: Option<BTreeSet<String>>,
}

/// What `AssumeRole` hands out.
pub(crate) struct Assumed {
    pub(crate) access_key: String,
    pub(crate) role_id: String,
    pub(crate) session: Session,
}

impl Sts {
    pub(crate) fn new(seed: u64) -> Self {
        // Not the numbers of the organization, whose identifiers come from the same seed.
        let ids = Ids::new(seed ^ 0x0073_7473);
        Self { ids, sessions: BTreeMap::new(), denied: BTreeSet::new(), only: None }
    }

    /// Lets only these roles exist; without it every role of every account does.
    pub fn set_roles(&mut self, arns: &[&str]) {
        self.only = Some(arns.iter().map(|it| (*it).to_owned()).collect());
    }

    /// Refuses whoever wants this role.
    pub fn deny(&mut self, role_arn: &str) {
        self.denied.insert(role_arn.to_owned());
    }

    /// The session of an access key that `AssumeRole` gave out.
    pub(crate) fn session(&self, access_key: &str) -> Option<&Session> {
        self.sessions.get(access_key)
    }

    /// Opens a session, if the role's account is `known`.
    pub(crate) fn assume_role(
        &mut self,
        role_arn: &str,
        name: &str,
        seconds: Option<u32>,
        known: impl Fn(&str) -> bool,
    ) -> Result<Assumed, Refusal> {
        let invalid = |message: &str| Refusal::new(Code::Validation, message);
        let is_allowed = |it: char| it.is_ascii_alphanumeric() || "_+=,.@-".contains(it);
        if !(2..=64).contains(&name.len()) || !name.chars().all(is_allowed) {
            return Err(invalid("The value of roleSessionName failed to satisfy its constraint"));
        }
        if seconds.is_some_and(|it| it < 900) {
            return Err(invalid("The requested DurationSeconds is less than 900"));
        }
        if seconds.is_some_and(|it| it > MAX_SECONDS) {
            return Err(invalid(
                "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed \
                 by role chaining",
            ));
        }
        let Some((account, role)) = parse(role_arn) else {
            return Err(invalid(&format!("{role_arn} is invalid")));
        };
        let exists = self.only.as_ref().is_none_or(|it| it.contains(role_arn));
        if !known(account) || !exists || self.denied.contains(role_arn) {
            let message =
                format!("User is not authorized to perform: sts:AssumeRole on: {role_arn}");
            return Err(Refusal::new(Code::Denied, message));
        }
        let (account, role, name) = (account.to_owned(), role.to_owned(), name.to_owned());
        let session = Session { account, role, name };
        let access_key = self.ids.upper("ASIA", 16);
        self.sessions.insert(access_key.clone(), session.clone());
        Ok(Assumed { access_key, role_id: self.ids.upper("AROA", 17), session })
    }
}

/// The account and the name of a role, its path left out.
fn parse(arn: &str) -> Option<(&str, &str)> {
    let mut parts = arn.splitn(6, ':');
    let start = [parts.next()?, parts.next()?, parts.next()?, parts.next()?];
    let (account, resource) = (parts.next()?, parts.next()?);
    let role = resource.strip_prefix("role/")?.rsplit('/').next()?;
    let right = matches!(start, ["arn", _, "iam", ""]);
    let digits = account.len() == 12 && account.bytes().all(|it| it.is_ascii_digit());
    (right && digits && !role.is_empty()).then_some((account, role))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROLE: &str = "arn:aws:iam::444455556666:role/backup/Reader";

    fn assume(sts: &mut Sts, arn: &str, seconds: Option<u32>) -> Result<Assumed, Refusal> {
        sts.assume_role(arn, "nightly", seconds, |account| account == "444455556666")
    }

    #[test]
    fn the_key_of_a_session_leads_back_to_the_role() {
        let mut sts = Sts::new(1);
        let assumed = assume(&mut sts, ROLE, None).unwrap();
        let session = sts.session(&assumed.access_key).unwrap();
        assert_eq!(session.arn("aws"), "arn:aws:sts::444455556666:assumed-role/Reader/nightly");
    }

    #[test]
    fn a_chained_role_gets_an_hour_at_most() {
        let mut sts = Sts::new(1);
        assert!(assume(&mut sts, ROLE, Some(3_600)).is_ok());
        let refusal = assume(&mut sts, ROLE, Some(3_601)).err().unwrap();
        assert_eq!(refusal.code, Code::Validation);
    }

    #[test]
    fn roles_that_are_denied_or_missing_or_of_strangers_are_refused_alike() {
        let mut denied = Sts::new(1);
        denied.deny(ROLE);
        let mut missing = Sts::new(1);
        missing.set_roles(&["arn:aws:iam::444455556666:role/Other"]);
        let stranger = "arn:aws:iam::999999999999:role/Reader";
        for (mut sts, arn) in [(denied, ROLE), (missing, ROLE), (Sts::new(1), stranger)] {
            assert_eq!(assume(&mut sts, arn, None).err().unwrap().code, Code::Denied);
        }
    }

    #[test]
    fn what_is_no_role_is_invalid() {
        for arn in ["role", "arn:aws:iam::1:role/x", "arn:aws:iam::444455556666:user/x"] {
            let refusal = assume(&mut Sts::new(1), arn, None).err().unwrap();
            assert_eq!(refusal.code, Code::Validation, "{arn}");
        }
    }
}
