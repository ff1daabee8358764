//! Every hint of a restore names options that the command that prints it has.

use std::iter::successors;
use std::time::SystemTime;

use clap::CommandFactory as _;
use report::Destination;
use report::coverage::{Obstacle, PointStatus};
use report::recovery::{Hindrance, JobCommand, JobTrouble, RestoredKind, RestoringCommand};

use crate::Arguments;

const POINT: &str = "arn:aws:backup:eu-west-1:777788889999:recovery-point:1";

fn vault(account: &str, name: &str) -> Destination {
    Destination {
        account: account.parse().unwrap(),
        region: "eu-west-1".parse().unwrap(),
        name: name.parse().unwrap(),
    }
}

fn central() -> Destination {
    vault("777788889999", "central")
}

/// Returns the obstacle after this one, so that each has its turn.
fn obstacle_after(it: &Obstacle) -> Option<Obstacle> {
    let text = String::new;
    Some(match it {
        Obstacle::NoVault(_) => Obstacle::Lock { vault: text(), why: text() },
        Obstacle::Lock { .. } => Obstacle::KeyUnusable { vault: text(), state: text() },
        Obstacle::KeyUnusable { .. } => Obstacle::NoRole(text()),
        Obstacle::NoRole(_) => Obstacle::Untrusting(text()),
        Obstacle::Untrusting(_) => Obstacle::PlanRefused(text()),
        Obstacle::PlanRefused(_) => Obstacle::NotInOrganization(text()),
        Obstacle::NotInOrganization(_) => Obstacle::CrossAccountOff,
        Obstacle::CrossAccountOff => Obstacle::NotAdmitted(text()),
        Obstacle::NotAdmitted(_) => Obstacle::AwsKey(text()),
        Obstacle::AwsKey(_) => Obstacle::OneWay(text()),
        Obstacle::OneWay(_) => Obstacle::NotCopied,
        Obstacle::NotCopied => Obstacle::NotKnown(text()),
        Obstacle::NotKnown(_) => return None,
    })
}

/// Returns the hindrance after this one, so that each has its turn.
fn after(it: &Hindrance) -> Option<Hindrance> {
    let (kind, name) = (RestoredKind::Ec2, || "reports".to_owned());
    let first = || Obstacle::NoVault(String::new());
    let status = |status| Hindrance::Status { status, told: String::new() };
    Some(match it {
        Hindrance::UnknownType(_) => Hindrance::ByHand(kind),
        Hindrance::ByHand(_) => Hindrance::Whole,
        Hindrance::Whole => status(PointStatus::Changing),
        Hindrance::Status { status: PointStatus::Changing, .. } => status(PointStatus::Partial),
        Hindrance::Status { .. } => Hindrance::Over { at: SystemTime::UNIX_EPOCH },
        Hindrance::Over { .. } => Hindrance::Cold { point: POINT.to_owned(), at: central() },
        Hindrance::Cold { .. } => Hindrance::Continuous,
        Hindrance::Continuous => Hindrance::Copy(first()),
        Hindrance::Copy(it) => {
            obstacle_after(it).map_or_else(|| Hindrance::Role(first()), Hindrance::Copy)
        }
        Hindrance::Role(it) => {
            obstacle_after(it).map_or(Hindrance::OptedOut(kind), Hindrance::Role)
        }
        Hindrance::OptedOut(_) => Hindrance::SettingMissing { kind, key: "SubnetId", had: None },
        Hindrance::SettingMissing { .. } => Hindrance::NameTaken { kind, name: name() },
        Hindrance::NameTaken { .. } => Hindrance::NameUnfit { kind, name: name(), longest: 3 },
        Hindrance::NameUnfit { .. } => Hindrance::Nameless { kind, name: name() },
        Hindrance::Nameless { .. } => Hindrance::NotTyped { kind, name: name() },
        Hindrance::NotTyped { .. } => Hindrance::NothingTyped { kind, name: None },
        Hindrance::NothingTyped { name: None, .. } => {
            Hindrance::NothingTyped { kind, name: Some(name()) }
        }
        Hindrance::NothingTyped { .. } => Hindrance::NothingToOverwrite { kind, name: name() },
        Hindrance::NothingToOverwrite { .. } => {
            Hindrance::NamedTwice { first: name(), second: name() }
        }
        Hindrance::NamedTwice { .. } => Hindrance::PartNotNew { part: name(), key: "NewBucket" },
        Hindrance::PartNotNew { .. } => Hindrance::NotRead(String::new()),
        Hindrance::NotRead(_) => return None,
    })
}

/// Returns what is wrong with the options of a hint that `command` prints.
///
/// A command of the AWS CLI has options of that. A quoted command of this program has to be accepted as
/// it stands.
fn wrong(command: &str, hint: &str) -> Option<String> {
    if hint.starts_with("aws ") {
        return None;
    }
    let program = Arguments::command();
    let own = program.find_subcommand(command)?;
    let has = |name: &str| own.get_arguments().any(|it| it.get_long() == Some(name));
    for (index, part) in hint.split('`').enumerate() {
        let words: Vec<_> = part.split_whitespace().collect();
        let is_quoted = index % 2 == 1;
        if is_quoted && part.starts_with("org-backup ") && part.contains("--") {
            if let Err(why) = Arguments::command().try_get_matches_from(&words) {
                return Some(format!("{command}: {hint}: {why}"));
            }
            continue;
        }
        let bare = |it: &&str| it.trim_matches([',', '.', ':', ';']).to_owned();
        for (at, option) in words.iter().map(bare).enumerate() {
            let Some(name) = option.strip_prefix("--") else { continue };
            if !has(name) {
                return Some(format!("{command} has no {option}: {hint}"));
            }
            let value = words.get(at + 1).map(bare).filter(|it| it.contains('='));
            if let (true, Some(value)) = (name == "set", value)
                && !is_setting(command, &value)
            {
                return Some(format!("{command} does not take {option} {value}: {hint}"));
            }
        }
    }
    None
}

/// Returns `true` if `--set` of `command` takes this value for what it looks like.
fn is_setting(command: &str, value: &str) -> bool {
    let has_type = super::recover::setting(value).is_ok();
    match command {
        "recover" => has_type,
        _ => super::pair(value).is_ok() && !has_type,
    }
}

#[test]
fn every_hint_has_options_of_the_command_that_prints_it() {
    let goal = vault("444455556666", "org-backup");
    let recover = RestoringCommand::Recover { point: POINT, goal: &goal };
    let commands = [("restore", RestoringCommand::Restore), ("recover", recover)];
    let mut all = Vec::new();
    let first = Hindrance::UnknownType(String::new());
    for it in successors(Some(first), after) {
        all.extend(commands.map(|(name, by)| (name, it.hint(by))));
    }
    for it in JobTrouble::ALL {
        let jobs = commands.map(|(name, by)| (name, JobCommand::Restoring(by)));
        all.extend(jobs.map(|(name, by)| (name, it.hint(by))));
        all.push(("backup", it.hint(JobCommand::Backup)));
    }
    assert!(all.iter().any(|it| it.1.contains("--set EC2.SubnetId=…")));
    let wrong: Vec<_> = all.iter().filter_map(|it| wrong(it.0, &it.1)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_hint_of_another_command_is_found() {
    for (command, hint) in [
        ("recover", "name one with --set SubnetId=…"),
        ("recover", "name another with --name"),
        ("restore", "name one with --set EC2.SubnetId=…"),
        ("backup", "run again with --again 2"),
        ("recover", "restore it alone: `org-backup restore --nothing`"),
    ] {
        assert!(wrong(command, hint).is_some(), "{command}: {hint}");
    }
    assert_eq!(wrong("recover", "name one with --set EC2.SubnetId=…"), None);
}
