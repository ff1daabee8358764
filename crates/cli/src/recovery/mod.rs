//! `org-backup points`, `backup`, `restore` and `recover`.
//!
//! Everything is looked at first, in sessions that can only read, and shown as a plan. What is
//! confirmed is carried out in other sessions, which can do that and nothing else.

mod backup;
mod carry;
#[cfg(test)]
mod hints;
mod look;
mod points;
mod reach;
mod recover;
mod restore;
mod see;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, IsTerminal as _, stdin};

use clap::Args;
use errors::advised;
use plan::id::{AccountId, RoleName, VaultName};
use report::Destination;
use report::recovery::{KeptPoint, RestorePlan, RestoreRequest};

pub(crate) use self::backup::{BackupArguments, backup};
pub(crate) use self::points::{PointsArguments, points};
use self::reach::Reach;
pub(crate) use self::recover::{RecoverArguments, recover};
pub(crate) use self::restore::{RestoreArguments, restore};
use crate::live::Live;
use crate::output::note;

/// The way into accounts
#[derive(Clone, Debug, Args)]
struct Ways {
    /// The profile of the AWS CLI for credentials and Region, which wins over the environment [default:
    /// the credentials of the environment, or else `AWS_PROFILE`]
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
    /// The state bucket, which the bootstrap stack created [default: the bucket that a stack in the
    /// Region exports, or else the one with the tag `org-backup:state`]
    #[arg(long, value_name = "NAME", env = "STATE_BUCKET")]
    state_bucket: Option<String>,
    /// The role that the command assumes in every account except your own [default: org-backup-recovery]
    #[arg(long, value_name = "NAME")]
    member_role: Option<RoleName>,
    /// The role that the command assumes in the account that receives copies [default:
    /// org-backup-central-recovery, or the same as --member-role]
    #[arg(long, value_name = "NAME")]
    central_role: Option<RoleName>,
}

impl Ways {
    fn live(&self) -> Live {
        Live::new(self.profile.clone(), self.state_bucket.clone())
    }

    /// The role of an account.
    fn member_role(&self) -> RoleName {
        self.member_role.clone().unwrap_or_else(|| usual("org-backup-recovery"))
    }

    /// The role of the account that copies go to.
    fn central_role(&self) -> RoleName {
        let role = self.central_role.as_ref().or(self.member_role.as_ref());
        role.cloned().unwrap_or_else(|| usual("org-backup-central-recovery"))
    }
}

/// A role of the templates, as it is called by default.
fn usual(name: &str) -> RoleName {
    name.parse().unwrap_or_else(|_| unreachable!("it names a role"))
}

/// The way in which something is restored
#[derive(Clone, Debug, Args)]
struct Manner {
    /// The vault that receives copies in the account to restore in
    #[arg(long, value_name = "NAME", default_value = "org-backup")]
    vault: VaultName,
    /// The role that AWS Backup restores with, in the account to restore in [default:
    /// org-backup-central-restore in the account that receives copies, org-backup-restore in others]
    #[arg(long, value_name = "NAME")]
    role: Option<RoleName>,
    /// The role that AWS Backup copies with, in the account that holds the recovery point [default:
    /// org-backup-copy for a copy, org-backup in the account of the resource]
    #[arg(long, value_name = "NAME")]
    copy_role: Option<RoleName>,
    /// The number of days after which intermediate copies are deleted, counted from the backup [default:
    /// as for the original]
    #[arg(long, value_name = "DAYS")]
    keep_days: Option<i64>,
    /// A word that distinguishes this run from earlier ones, so that new jobs are started where those ended
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    again: String,
    /// Do not ask for confirmation
    #[arg(long)]
    yes: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// The roles that AWS Backup restores with: in the accounts, and in the one that receives copies.
const RESTORES: &str = "org-backup-restore";
const RESTORES_IN_CENTRAL: &str = "org-backup-central-restore";

impl Manner {
    /// The role that AWS Backup copies `point` with.
    fn copy_role(&self, point: &KeptPoint) -> RoleName {
        let is_copy = point.owner().is_none_or(|it| it != point.vault.account);
        let name = if is_copy { "org-backup-copy" } else { "org-backup" };
        self.copy_role.clone().unwrap_or_else(|| usual(name))
    }

    /// The role that AWS Backup restores with, in the account that receives copies or in another one.
    fn role(&self, is_central: bool) -> RoleName {
        let name = if is_central { RESTORES_IN_CENTRAL } else { RESTORES };
        self.role.clone().unwrap_or_else(|| usual(name))
    }

    /// The roles that may be looked at.
    fn roles(&self) -> BTreeSet<RoleName> {
        let said = self.copy_role.iter().chain(&self.role).cloned();
        let usual = ["org-backup-copy", "org-backup", RESTORES, RESTORES_IN_CENTRAL].map(usual);
        said.chain(usual).collect()
    }

    /// Returns the request for `point` in an account and Region, with these settings otherwise.
    fn request(
        &self,
        reach: &Reach<'_>,
        point: &KeptPoint,
        goal: Destination,
        set: BTreeMap<String, String>,
    ) -> RestoreRequest {
        let role = self.role(reach.is_central(&goal.account));
        RestoreRequest {
            goal,
            partition: reach.partition.clone(),
            role,
            copy_role: self.copy_role(point),
            keep_days: self.keep_days,
            name: None,
            set,
            overwrite: None,
            again: self.again.clone(),
        }
    }
}

/// Reads `KEY=VALUE`.
fn pair(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("write it as KEY=VALUE")?;
    Ok((key.to_owned(), value.to_owned()))
}

/// Reads the ARN of a vault.
fn vault(text: &str) -> Result<Destination, String> {
    let nobody = "000000000000".parse::<AccountId>().map_err(|it| it.to_string())?;
    Destination::parse(text, &nobody)
        .ok_or_else(|| "this is not the ARN of a backup vault".to_owned())
}

/// Asks whether to do it, unless that was said already. Without a terminal nobody can answer.
fn is_confirmed(yes: bool, question: &str) -> bool {
    if yes {
        return true;
    }
    let stdin = stdin();
    if !stdin.is_terminal() {
        let hint = "look at the plan, then run this again with --yes";
        note("note", &advised("nothing was done", Some(hint)));
        return false;
    }
    note("confirm", &format!("{question} Type yes to do it"));
    let mut answer = String::new();
    let is_yes = stdin.lock().read_line(&mut answer).is_ok() && answer.trim() == "yes";
    if !is_yes {
        note("note", "nothing was done");
    }
    is_yes
}

/// Says what could not be looked at.
fn not_looked_at(unread: &BTreeSet<String>) {
    for it in unread {
        note("not looked at", it);
    }
}

/// Says that what was begun goes on by itself. A command that `repeats` what ended says how to join that.
fn told_of_interrupts(repeats: bool) {
    let otherwise = if repeats {
        "the same command follows the job while it is at work, and without --again also when it has ended"
    } else {
        "the same command continues where it stopped"
    };
    let told = format!("AWS Backup does the work: you can interrupt this command, and {otherwise}");
    note("note", &told);
}

/// Returns the question before plans are carried out.
fn question(plans: usize, plan: Option<&RestorePlan>) -> String {
    match plan {
        Some(plan) => format!("AWS Backup {} in {}.", plan.makes(), plan.goal),
        None => format!("AWS Backup restores {plans} resources."),
    }
}
