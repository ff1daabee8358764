//! `docs/recovery.md` to the letter: its commands are run in their order, and print what it promises.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Command;

use regex::{Captures, Regex};
use tests::binaries::binary;
use tests::command::{Run, command_beside, ran};
use tests::role::STATE_BUCKET;

use crate::ministack::venv;
use crate::recovery::{NIGHT, REGION, World, archive};

/// A command of the page, and what it is promised to print.
struct Step {
    /// The heading that it is below.
    heading: String,
    command: String,
    /// Lines in which `…` stands for anything.
    promised: Vec<String>,
}

fn page() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    fs::read_to_string(root.join("docs/recovery.md")).unwrap()
}

/// Every command in the blocks of the page, in their order.
fn steps(page: &str) -> Vec<Step> {
    let mut steps = Vec::<Step>::new();
    let (mut heading, mut is_inside, mut goes_on) = (String::new(), false, false);
    for line in page.lines() {
        let text = line.trim();
        if text.starts_with("```") {
            is_inside = !is_inside;
            goes_on = false;
        } else if !is_inside {
            if let Some(it) = text.strip_prefix("## ") {
                it.clone_into(&mut heading);
            }
        } else if let Some(command) = text.strip_prefix("$ ") {
            let (heading, promised) = (heading.clone(), Vec::new());
            steps.push(Step { heading, command: command.to_owned(), promised });
            goes_on = text.ends_with('\\');
        } else {
            let step = steps.last_mut().unwrap_or_else(|| panic!("`{text}` is no command"));
            if goes_on {
                step.command.extend(["\n", text]);
                goes_on = text.ends_with('\\');
            } else {
                step.promised.push(text.to_owned());
            }
        }
    }
    assert!(!is_inside, "a block has no end");
    steps
}

/// What the page says of the names in its commands, by its table of them.
fn names(page: &str) -> BTreeSet<String> {
    let rows = page.lines().skip_while(|it| !it.starts_with("| In the commands |")).skip(2);
    let rows = rows.take_while(|it| it.starts_with('|'));
    let cells = rows.map(|it| it.split('|').nth(1).unwrap());
    let names = cells.flat_map(|it| it.split('`').skip(1).step_by(2));
    names.map(ToOwned::to_owned).collect()
}

/// The names that are learned from what a command prints.
fn learned() -> Regex {
    Regex::new(r"\b[A-Z]+(?:-[A-Z]+)*-(?:ARN|ID)\b").unwrap()
}

/// Replaces every name by its value, if it has one.
fn filled(text: &str, values: &BTreeMap<String, String>) -> String {
    // Longer names hold shorter ones.
    let mut names: Vec<_> = values.keys().map(|it| regex::escape(it)).collect();
    names.sort_by_key(|it| std::cmp::Reverse(it.len()));
    let all = Regex::new(&names.join("|")).unwrap();
    all.replace_all(text, |it: &Captures<'_>| values[&it[0]].clone()).into_owned()
}

/// Looks for a promised line, and learns the names in it that have no value yet.
fn is_kept(promise: &str, printed: &str, values: &mut BTreeMap<String, String>) -> bool {
    let promise = filled(promise, values);
    let new: Vec<_> = learned().find_iter(&promise).map(|it| it.as_str().to_owned()).collect();
    let pattern = regex::escape(&promise).replace('…', ".*");
    let pattern = learned().replace_all(&pattern.replace("\\-", "-"), r"(\S+)").into_owned();
    let pattern = Regex::new(&format!("^{pattern}$")).unwrap();
    let Some(found) = printed.lines().find_map(|it| pattern.captures(it.trim())) else {
        return false;
    };
    let found = found.iter().skip(1).map(|it| it.unwrap().as_str().to_owned());
    values.extend(new.into_iter().zip(found));
    true
}

/// A shell in an empty folder, with the command, the AWS CLI and two profiles.
struct Shell<'w> {
    world: &'w World,
    folder: tempfile::TempDir,
}

impl<'w> Shell<'w> {
    fn new(world: &'w World) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        symlink(binary("org-backup"), at("org-backup")).unwrap();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("by_hand/aws.py");
        let aws = format!(
            "#!/bin/sh\nexec '{}' '{}' \"$@\"\n",
            venv("python").display(),
            script.display()
        );
        fs::write(at("aws"), aws).unwrap();
        fs::set_permissions(at("aws"), fs::Permissions::from_mode(0o755)).unwrap();
        let profile = |name: &str, account: &str| {
            format!("[{name}]\naws_access_key_id = {account}\naws_secret_access_key = secret\n")
        };
        let profiles = profile("central", &world.central) + &profile("new", &world.new);
        fs::write(at("credentials"), profiles).unwrap();
        Self { world, folder }
    }

    async fn run(&self, text: &str) -> Run {
        let organization = &self.world.organization;
        let management = organization.organization(|it| it.management_account.clone());
        let own = command_beside(organization, &self.world.services, &management);
        let mut shell = Command::new("sh");
        for (name, value) in own.get_envs() {
            shell.env(name, value.unwrap_or_default());
        }
        let path = path();
        let here = self.folder.path();
        shell.env("PATH", format!("{}:{path}", here.display()));
        shell.env("STATE_BUCKET", STATE_BUCKET).env("AWS_DEFAULT_REGION", REGION);
        shell
            .env("AWS_REGION", REGION)
            .env("AWS_SHARED_CREDENTIALS_FILE", here.join("credentials"));
        shell.current_dir(here).args(["-c", text]).stdin(std::process::Stdio::null());
        ran(organization, shell).await
    }
}

#[tokio::test]
async fn every_command_of_the_page_does_what_the_page_promises() {
    let page = page();
    let world = World::start().await;
    for part in ["subnet-1", "sg-1", "private"] {
        world.organization.put_part(&world.new, REGION, part);
    }
    archive(&world, &[]);
    world.night(&[
        ("Aurora", "rds@cluster:shop"),
        ("DynamoDB", "dynamodb@table/carts"),
        ("EBS", "ec2@volume/vol-1"),
        ("EC2", "ec2@instance/i-1"),
        ("RDS", "rds@db:orders"),
    ]);
    // A copy of the table moves to cold storage.
    world.organization.let_go_by(NIGHT);
    world.tested("1", "RDS", &world.arn("rds@db:orders"), "SUCCESSFUL");
    let same = ["central", "eu-west-1", "new", "private", "sg-1", "subnet-1"];
    let given = same.map(|it| (it, it.to_owned())).into_iter().chain([
        ("111122223333", world.lost.clone()),
        ("444455556666", world.new.clone()),
        ("777788889999", world.central.clone()),
        ("2026-11-21T04:00:00Z", world.now()),
    ]);
    let mut values: BTreeMap<_, _> = given.map(|(name, it)| (name.to_owned(), it)).collect();
    let shell = Shell::new(&world);
    let mut is_lost = false;
    let steps = steps(&page);
    for Step { heading, command, promised } in &steps {
        if heading == "An account" && !is_lost {
            world.organization.lose_account(&world.lost);
            is_lost = true;
        }
        let command = filled(command, &values);
        assert_eq!(learned().find(&command).map(|it| it.as_str()), None, "{command}");
        let run = shell.run(&command).await;
        let said = format!("{command}\n{}\n{}", run.printed[0], run.printed[1]);
        // The page says that this is the code where something cannot be restored.
        let is_refused = promised.iter().any(|it| it.contains("cannot be restored"));
        assert_eq!(run.code, i32::from(is_refused), "{said}");
        for promise in promised {
            assert!(is_kept(promise, &run.printed[0], &mut values), "`{promise}` of {said}");
        }
    }
    assert!(is_lost && steps.len() > 10, "{} commands are few", steps.len());
    // All that the account had, and the volume that was restored by hand.
    let back = ["Aurora", "DynamoDB", "EBS", "EBS", "EC2", "RDS"];
    assert_eq!(world.came_back(), back);
    let used: BTreeSet<_> = values.into_keys().collect();
    assert_eq!(names(&page), used, "the table of names has those in the commands");
}

/// Returns the folders of programs.
#[expect(clippy::disallowed_methods, reason = "a shell needs its programs")]
fn path() -> String {
    std::env::var("PATH").unwrap()
}
