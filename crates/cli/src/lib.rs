//! `org-backup`, the operator's command.
//!
//! Findings go to standard output, progress and notes to standard error. The exit code is 0 when
//! all is well, 1 when there are findings, 2 when the command could not do its work.

mod accounts;
mod check;
mod checked;
mod coverage;
mod doctor;
mod effective;
mod embedded;
mod formats;
mod hcl;
mod input;
mod live;
mod manual;
mod output;
mod plan;
mod policies;
mod recognition;
mod recovery;
mod report;
mod runs;

use std::borrow::Cow;
use std::ffi::OsString;
use std::io;
use std::num::NonZeroUsize;
use std::panic::set_hook;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::SystemTime;

use ::plan::id::{AccountId, TargetId};
use ::report::counted;
use aws_runtime::env_config::error::EnvConfigFileLoadError;
use clap::error::ErrorKind;
use clap::{Args, CommandFactory as _, Parser, Subcommand, ValueEnum};
use errors::{advised, chain};
use thiserror::Error;

/// Check AWS Backup policies before deploying them, report what protects every account, and restore it
#[derive(Debug, Parser)]
#[command(name = "org-backup", version, propagate_version = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Check(Check),
    Effective(Effective),
    Schema(Schema),
    Plan(plan::PlanArguments),
    Report(report::ReportArguments),
    Coverage(coverage::CoverageArguments),
    Explain(coverage::ExplainArguments),
    Doctor(doctor::Doctor),
    Completions(manual::Completions),
    Manual(manual::Manual),
    Points(recovery::PointsArguments),
    Backup(recovery::BackupArguments),
    Restore(recovery::RestoreArguments),
    Recover(recovery::RecoverArguments),
}

/// Check backup policies: find what AWS would refuse, and what it would accept but not do as meant
///
/// A FILE is a policy, a JSON array of policies attached at one level, or a CloudFormation template,
/// in JSON or YAML; a file of Terraform or what `terraform show -json` prints of a plan or a state;
/// or what `aws organizations describe-policy` and `describe-effective-policy` print. A directory
/// stands for every file below it that holds a backup policy, except files that an ignore file names,
/// `effective.json` and `*.effective.json`. `-` is standard input.
///
/// Exits with 1 if AWS would refuse something, and with 2 if a file cannot be read.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  org-backup check policies
  terraform show -json PLAN | org-backup check --strict --format github -")]
struct Check {
    /// Policies, levels, templates, directories, or `-` for standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The form in which findings are printed
    #[arg(long, value_enum, default_value_t = Format::Text, conflicts_with = "json")]
    format: Format,
    /// The same as `--format json`
    #[arg(long)]
    json: bool,
    /// Exit with 1 also for warnings, and if nothing was checked
    #[arg(long)]
    strict: bool,
    /// Values of the parameters of templates, or JSON files of them as the AWS CLI takes them
    #[arg(long, value_name = "NAME=VALUE", num_args = 1..)]
    parameters: Vec<String>,
    /// Name every file that is passed over, with the reason
    #[arg(long)]
    verbose: bool,
}

/// The format in which findings are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A line for each finding, and on a terminal an excerpt of the file
    Text,
    /// A JSON array
    Json,
    /// A workflow command for each finding, which GitHub shows as an annotation of the pull request
    Github,
    /// A code quality report for GitLab
    Gitlab,
    /// SARIF 2.1.0, which the code scanning of GitHub accepts
    Sarif,
    /// A `JUnit` report with a test for each file
    Junit,
}

impl Check {
    fn format(&self) -> Format {
        if self.json { Format::Json } else { self.format }
    }
}

/// Print the effective policy of an account: the policies attached from the root down, merged
///
/// Each LEVEL is a file with a JSON array of the policies attached there, in attachment order: the
/// root first, then every OU on the way, the account last. `-` is standard input. With `--live` the
/// levels of an account are read from AWS, with credentials of the management account or of a
/// delegated administrator of AWS Organizations that may read policies.
///
/// If one plan in the document is invalid, AWS withholds all of it and the account keeps its
/// previous document. The command then prints that one: `{}`, or the document of `--previous`.
///
/// Exits with 1 if AWS would find an error, and with 2 if a file cannot be read.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  org-backup effective root.json production.json --explain
  org-backup effective root.json production.json --next 3")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
struct Effective {
    /// The policies attached to the root, to each OU on the way, and to the account
    #[arg(required_unless_present = "live", value_name = "LEVEL")]
    levels: Vec<PathBuf>,
    /// Read the levels of this account from AWS
    #[arg(long, value_name = "ACCOUNT", conflicts_with = "levels")]
    live: Option<AccountId>,
    /// Write each level that was read into a file in this directory
    #[arg(long, value_name = "DIRECTORY", requires = "live", conflicts_with = "levels")]
    save: Option<PathBuf>,
    /// Print what the account would get and lose if it moved into this OU
    #[arg(
        long,
        value_name = "OU",
        requires = "live",
        conflicts_with_all = ["levels", "validate", "explain", "merged", "previous", "next"]
    )]
    move_to: Option<TargetId>,
    #[command(flatten)]
    credentials: live::Credentials,
    /// Print the errors that AWS would find after merging, and exit with 1 if there are any
    #[arg(long, conflicts_with = "explain")]
    validate: bool,
    /// Print each value with the policies that set it
    #[arg(long)]
    explain: bool,
    /// Print the merged document even if AWS withholds it
    #[arg(long, conflicts_with_all = ["validate", "explain"])]
    merged: bool,
    /// The current effective policy of the account, which it keeps if AWS withholds the new one
    #[arg(long, value_name = "FILE", conflicts_with_all = ["validate", "explain"])]
    previous: Option<PathBuf>,
    /// Print the next runs of each rule, the times at which each backup moves to cold storage and is
    /// deleted, and the number of backups that exist at once
    #[arg(long, value_name = "COUNT", conflicts_with_all = ["validate", "explain"])]
    next: Option<NonZeroUsize>,
    /// Print JSON, also with `--validate`, `--explain` and `--next`
    #[arg(long)]
    json: bool,
}

/// Print a JSON Schema of backup policies, with which editors complete and check keys
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  org-backup schema > backup-policy.schema.json
  org-backup schema | jq '.\"$defs\" | keys'")]
struct Schema {}

/// Prints the schema.
fn schema() -> Result<Exit, CommandError> {
    let mut output = output::Output::new();
    output.json(&policy::json_schema())?;
    output.flush()?;
    Ok(Exit::Fine)
}

/// The result of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Exit {
    Fine,
    Findings,
    /// Something that was named could not be read.
    Unfinished,
}

/// The reason why the command could not do its work.
#[derive(Debug, Error)]
enum CommandError {
    #[error("cannot read `{file}`")]
    Unreadable { file: String, source: io::Error },
    #[error("`{file}` is not a list of policies that can be merged")]
    NotPolicies { file: String, findings: Vec<String> },
    #[error("`{file}` is not a JSON document")]
    NotJson { file: String, source: serde_json::Error },
    #[error("`{file}` is not a CloudFormation template")]
    NotTemplate { file: String, findings: Vec<String> },
    #[error("the template cannot be deployed like this")]
    Parameters(Vec<String>),
    #[error("no state bucket is known, so there is nothing to compare the organization with")]
    NoStateBucket,
    #[error("the state bucket has no desired state of a stack `{0}`")]
    NoStack(String),
    #[error("there is no summary of a sweep by {0}")]
    NoSweep(String),
    #[error("{} above could not be completed, so the result is incomplete", counted(*.0, "check"))]
    Unfinished(usize),
    #[error("`{0}` is not in the organization")]
    NotInOrganization(String),
    #[error("no inventory of the account names the resource `{0}`")]
    NoResource(String),
    #[error("the ARN `{0}` names no account")]
    NoAccount(String),
    #[error("the ARN `{0}` names no Region")]
    NoRegionOf(String),
    #[error("there is no recovery point `{0}` in the vaults that were read")]
    NoPoint(String),
    #[error("the vaults with copies of the account are unknown")]
    NoCopies,
    #[error("no backup plan selects `{resource}`")]
    NotSelected { resource: String, told: Vec<String> },
    #[error("`{file}` does not say when resources were first seen")]
    NotInventory { file: String, source: serde_json::Error },
    #[error("no Region is named")]
    NoRegion { has_option: bool },
    #[error("cannot read the configuration of the AWS CLI")]
    Configuration(#[source] Box<EnvConfigFileLoadError>),
    #[error("there is no profile `{profile}` in the configuration of the AWS CLI")]
    NoProfile { profile: String, by: &'static str, known: Vec<String> },
    #[error("cannot use the profile `{profile}`")]
    Profile { profile: String, source: Box<aws::Error> },
    #[error(transparent)]
    Aws(#[from] aws::Error),
    #[error("cannot start the runtime")]
    Begin(#[source] io::Error),
    #[error("cannot write the output")]
    Output(#[source] io::Error),
    #[error("cannot write `{file}`")]
    Unwritable { file: String, source: io::Error },
}

/// Runs the command with the arguments of the process, and returns its exit code.
pub fn run() -> ExitCode {
    let arguments = match arguments() {
        Ok(it) => it,
        Err(it) => it.exit(),
    };
    set_hook(Box::new(|panic| output::note("panic", &panic.to_string())));
    let now = SystemTime::now();
    let outcome = match arguments.command {
        Command::Check(check) => check::run(&check, now),
        Command::Effective(effective) => effective::run(&effective, now),
        Command::Schema(Schema {}) => schema(),
        Command::Plan(plan) => live::wait(plan::run(&plan, now)),
        Command::Report(report) => live::wait(report::run(&report, now)),
        Command::Coverage(coverage) => live::wait(coverage::run(&coverage, now)),
        Command::Explain(explain) => live::wait(coverage::explain(&explain, now)),
        Command::Doctor(doctor) => live::wait(doctor::run(&doctor, now)),
        Command::Completions(completions) => completions.run(),
        Command::Manual(manual) => manual.run(),
        Command::Points(points) => live::wait(recovery::points(&points, now)),
        Command::Backup(backup) => live::wait(recovery::backup(&backup, now)),
        Command::Restore(restore) => live::wait(recovery::restore(&restore, now)),
        Command::Recover(recover) => live::wait(recovery::recover(&recover, now)),
    };
    match outcome {
        Ok(Exit::Fine) => ExitCode::SUCCESS,
        Ok(Exit::Findings) => ExitCode::from(1),
        Ok(Exit::Unfinished) => ExitCode::from(2),
        Err(failure) => {
            output::note("error", &advised(chain(&failure), failure.hint()));
            for it in failure.findings() {
                output::detail(it);
            }
            ExitCode::from(2)
        }
    }
}

/// Reads the arguments. Requests for help, and errors in the arguments, are errors that print
/// themselves when they exit.
///
/// An error comes from a second try with arguments from which control characters are escaped,
/// because names of files are among them.
fn arguments() -> Result<Arguments, clap::Error> {
    Arguments::try_parse().map_err(|_| {
        let said = |it: OsString| media::line(&it.to_string_lossy()).into_owned();
        let wrong = Arguments::try_parse_from(std::env::args_os().map(said)).err();
        let unshown = "an argument is valid only with characters that cannot be shown";
        wrong.unwrap_or_else(|| Arguments::command().error(ErrorKind::InvalidValue, unshown))
    })
}

impl CommandError {
    /// Returns the next step, unless the causes name it.
    fn hint(&self) -> Option<Cow<'static, str>> {
        let hint = match self {
            Self::NoProfile { by, known, .. } => return Some(profiles(by, known).into()),
            Self::NoStateBucket => {
                "name the bucket of the bootstrap stack with --state-bucket or STATE_BUCKET, or a \
                 template with --template"
            }
            Self::NoStack(_) => "correct --stack",
            Self::NoSweep(_) => {
                "deploy `templates/coverage.yaml`, which looks at backups once a day, or name a \
                 later day"
            }
            Self::NotInOrganization(_) => "correct --account or --ou",
            Self::NoResource(_) => "correct its ARN, or name its Region with --regions",
            Self::NoAccount(_) => "name it with --account",
            Self::NoRegionOf(_) => "name it with --region",
            Self::NoPoint(_) => {
                "see the recovery points in `org-backup points`, and name the account that holds \
                 it with --account, or its vault with --from"
            }
            Self::NoCopies => "name the vaults with --from, or run it in the management account",
            Self::NotSelected { .. } => {
                "see `org-backup explain`, or name --vault, --role and --keep-days"
            }
            Self::NotInventory { .. } => "name another file",
            Self::NoRegion { has_option: true } => {
                "name the Region of the stacks with --region, AWS_REGION or the profile"
            }
            Self::NoRegion { has_option: false } => {
                "name the Region of the stacks with AWS_REGION or the profile"
            }
            Self::Configuration(_) => "correct the file, or leave --profile out",
            Self::Unfinished(_) => "do what the hints above say, and run the command again",
            Self::Unreadable { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                "correct the name of the file"
            }
            Self::Unwritable { .. } => "name a folder that exists and that you may write to",
            Self::Unreadable { .. }
            | Self::NotPolicies { .. }
            | Self::NotJson { .. }
            | Self::NotTemplate { .. }
            | Self::Parameters(_)
            | Self::Profile { .. }
            | Self::Aws(_)
            | Self::Begin(_)
            | Self::Output(_) => return None,
        };
        Some(hint.into())
    }

    /// Returns the findings, each for a line of its own.
    fn findings(&self) -> &[String] {
        match self {
            Self::NotPolicies { findings, .. }
            | Self::NotTemplate { findings, .. }
            | Self::NotSelected { told: findings, .. }
            | Self::Parameters(findings) => findings,
            Self::Unreadable { .. }
            | Self::NotJson { .. }
            | Self::NoStateBucket
            | Self::NoStack(_)
            | Self::NoSweep(_)
            | Self::NotInOrganization(_)
            | Self::NoResource(_)
            | Self::NoAccount(_)
            | Self::NoRegionOf(_)
            | Self::NoPoint(_)
            | Self::NoCopies
            | Self::NotInventory { .. }
            | Self::Unfinished(_)
            | Self::NoRegion { .. }
            | Self::Configuration(_)
            | Self::NoProfile { .. }
            | Self::Profile { .. }
            | Self::Aws(_)
            | Self::Begin(_)
            | Self::Output(_)
            | Self::Unwritable { .. } => &[],
        }
    }
}

/// Returns the hint for a profile that does not exist, with the `known` ones. `by` named it.
fn profiles(by: &str, known: &[String]) -> String {
    if known.is_empty() {
        return format!(
            "there are no profiles yet: create one, as with `aws configure sso`, or leave {by} out if \
             the environment has credentials"
        );
    }
    let names: Vec<_> = known.iter().map(|it| format!("`{it}`")).collect();
    format!("name one of {}, or create it, as with `aws configure sso`", names.join(", "))
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser as _};

    use super::Arguments;

    /// Returns the words of a command as a shell reads them, up to a pipe or a redirection.
    fn words(command: &str) -> Vec<String> {
        let (mut words, mut word, mut quote) = (Vec::new(), String::new(), None);
        for it in command.chars() {
            match (quote, it) {
                (None, '\'' | '"') => quote = Some(it),
                (Some(open), _) if open == it => quote = None,
                (None, '|' | '>') => break,
                (None, ' ') if word.is_empty() => {}
                (None, ' ') => words.push(std::mem::take(&mut word)),
                _ => word.push(it),
            }
        }
        words.extend((!word.is_empty()).then_some(word));
        words
    }

    #[test]
    fn every_help_fits_80_columns_and_its_examples_are_commands() {
        let all = Arguments::command();
        for command in all.get_subcommands().filter(|it| !it.is_hide_set()) {
            let name = command.get_name();
            let help = command.clone().term_width(80).render_long_help().to_string();
            for line in help.lines() {
                let width = line.chars().count();
                assert!(width <= 80, "{name}: {width} columns: {line}");
            }
            let examples = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            // Nothing is wrapped that a shell would not take as it stands.
            for line in examples.lines() {
                assert!(line.chars().count() < 80 && help.contains(line), "{name}: {line}");
            }
            let joined = examples.replace("\\\n", "");
            let examples = joined.lines().filter_map(|it| it.find("org-backup ").zip(Some(it)));
            let examples: Vec<_> = examples.map(|(at, it)| words(&it[at..])).collect();
            assert!(examples.len() >= 2, "{name}: {joined}");
            for example in examples {
                assert_eq!(example.get(1).map(String::as_str), Some(name), "{example:?}");
                if let Err(error) = Arguments::try_parse_from(&example) {
                    panic!("{example:?}: {error}");
                }
            }
        }
    }
}
