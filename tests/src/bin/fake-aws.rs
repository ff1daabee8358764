//! Stands for the AWS CLI on the `PATH` of what is deployed with it.
//!
//! What there is, is a file in the folder that `FAKE_AWS` names, and every call a line of another.
//! After the call whose number is in `FAKE_AWS_KILLS`, the program that made it is killed; what it
//! was deploying or deleting is then still going on. A stack named in `FAKE_AWS_FAILS` cannot be
//! created. Whoever uses a profile has the credentials of the account 444455556666.

#![expect(
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a call that nobody should make fails the test that made it"
)]

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::os::unix::process::parent_id;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use serde::{Deserialize, Serialize};
use serde_json::json;

#[derive(Default, Deserialize, Serialize)]
struct World {
    /// The content of objects, by bucket and key.
    objects: BTreeMap<String, String>,
    /// Stacks by account, Region and name.
    stacks: BTreeMap<String, Stack>,
}

#[derive(Clone, Deserialize, PartialEq, Serialize)]
struct Stack {
    status: String,
    template: String,
    parameters: BTreeMap<String, String>,
}

/// A call, in words.
struct Call {
    words: Vec<String>,
    kills: bool,
    fails: Option<String>,
}

impl Call {
    fn option(&self, name: &str) -> Option<&str> {
        let place = self.words.iter().position(|it| it == name)?;
        Some(&self.words[place + 1])
    }

    fn account(&self) -> &'static str {
        if self.option("--profile").is_some() { "444455556666" } else { "111122223333" }
    }

    fn stack(&self) -> String {
        let [region, name] = ["--region", "--stack-name"].map(|it| self.option(it).unwrap());
        format!("{} {region} {name}", self.account())
    }
}

fn main() -> ExitCode {
    let environment: BTreeMap<_, _> = std::env::vars().collect();
    let folder = PathBuf::from(&environment["FAKE_AWS"]);
    let words: Vec<_> = std::env::args().skip(1).collect();
    let calls = folder.join("calls");
    let number = fs::read_to_string(&calls).unwrap_or_default().lines().count() + 1;
    let mut log = fs::File::options().append(true).create(true).open(calls).unwrap();
    writeln!(log, "{}", json!(words)).unwrap();

    let state = folder.join("world.json");
    let mut world: World =
        fs::read(&state).map(|it| serde_json::from_slice(&it).unwrap()).unwrap_or_default();
    let kills = environment.get("FAKE_AWS_KILLS").is_some_and(|it| *it == number.to_string());
    let call = Call { words, kills, fails: environment.get("FAKE_AWS_FAILS").cloned() };
    let result = answer(&call, &mut world);
    fs::write(state, serde_json::to_vec_pretty(&world).unwrap()).unwrap();
    if kills {
        // A shell always has it built in.
        let kill = format!("kill -9 {}", parent_id());
        Command::new("sh").args(["-c", &kill]).status().unwrap();
    }
    match result {
        Ok(text) => {
            print!("{text}");
            ExitCode::SUCCESS
        }
        Err(text) => {
            eprintln!("{text}");
            ExitCode::from(254)
        }
    }
}

fn answer(call: &Call, world: &mut World) -> Result<String, String> {
    let words: Vec<_> = call.words.iter().take(2).map(String::as_str).collect();
    match words[..] {
        ["sts", "get-caller-identity"] => Ok(call.account().to_owned()),
        ["organizations", "describe-organization"] => {
            Ok(json!(["o-a1b2c3d4e5", "111122223333"]).to_string())
        }
        ["s3api", "list-objects-v2"] => {
            let [bucket, prefix] = ["--bucket", "--prefix"].map(|it| call.option(it).unwrap());
            let beginning = format!("{bucket}/{prefix}");
            let of_bucket = world.objects.keys().filter(|it| it.starts_with(&beginning));
            let keys: Vec<_> = of_bucket.map(|it| &it[bucket.len() + 1..]).collect();
            Ok(if keys.is_empty() { "null".to_owned() } else { json!(keys).to_string() })
        }
        ["s3", "cp"] => {
            let [source, target] = &call.words[call.words.len() - 2..] else { unreachable!() };
            let content = fs::read_to_string(source).map_err(|it| it.to_string())?;
            let target = target.strip_prefix("s3://").unwrap().to_owned();
            match world.objects.insert(target, content) {
                None => Ok(String::new()),
                Some(_) => Err("it is there already".to_owned()),
            }
        }
        ["cloudformation", operation] => cloudformation(call, operation, world),
        _ => Err(format!("nobody should call {words:?}")),
    }
}

fn cloudformation(call: &Call, operation: &str, world: &mut World) -> Result<String, String> {
    let id = call.stack();
    let name = call.option("--stack-name").unwrap();
    let found = world.stacks.get_mut(&id);
    match operation {
        "wait" => {
            let status = found.map(|it| &mut it.status);
            match status {
                Some(it) if it == "DELETE_IN_PROGRESS" => drop(world.stacks.remove(&id)),
                Some(it) => *it = it.replace("IN_PROGRESS", "COMPLETE"),
                None => {}
            }
            Ok(String::new())
        }
        "delete-stack" => {
            let stack = found.ok_or("nobody should delete what is not there")?;
            "DELETE_IN_PROGRESS".clone_into(&mut stack.status);
            Ok(String::new())
        }
        "describe-stacks" => {
            let stack = found.ok_or(format!(
                "An error occurred (ValidationError) when calling the DescribeStacks operation: \
                 Stack with id {name} does not exist"
            ))?;
            let pair = |(key, value): (&String, &String)| json!({ "ParameterKey": key, "ParameterValue": as_kept(value) });
            let parameters: Vec<_> = stack.parameters.iter().map(pair).collect();
            // The bucket of the bootstrap stack.
            let bucket = json!({
                "OutputKey": "StateBucketName", "OutputValue": format!("state-of-{name}"),
            });
            let stack = json!({
                "StackStatus": stack.status, "Parameters": parameters, "Outputs": [bucket],
            });
            Ok(json!({ "Stacks": [stack] }).to_string())
        }
        "get-template" => Ok(as_kept(&found.unwrap().template)),
        "deploy" => deploy(call, name, &id, world),
        _ => Err(format!("nobody should call {operation}")),
    }
}

/// A text as CloudFormation tells it, whether it is a template or a parameter.
fn as_kept(text: &str) -> String {
    text.chars().map(|it| if it.is_ascii() { it } else { '?' }).collect()
}

fn deploy(call: &Call, name: &str, id: &str, world: &mut World) -> Result<String, String> {
    let template = fs::read_to_string(call.option("--template-file").unwrap()).unwrap();
    let place = call.words.iter().position(|it| it == "--parameter-overrides").unwrap();
    let pair = |it: &String| {
        let (key, value) = it.split_once('=').unwrap();
        (key.to_owned(), value.to_owned())
    };
    let parameters = call.words[place + 1..].iter().map(pair).collect();
    let before = world.stacks.get(id);
    let doing = if before.is_some() { "UPDATE" } else { "CREATE" };
    let state = before.map(|it| it.status.as_str());
    if state.is_some_and(|it| it.ends_with("IN_PROGRESS") || it == "ROLLBACK_COMPLETE") {
        return Err(format!("{id} is {}", state.unwrap_or_default()));
    }
    let fails = call.fails.as_deref() == Some(name);
    let end = if call.kills { "IN_PROGRESS" } else { "COMPLETE" };
    let status = if fails { "ROLLBACK_COMPLETE".to_owned() } else { format!("{doing}_{end}") };
    world.stacks.insert(id.to_owned(), Stack { status, template, parameters });
    if fails { Err("Failed to create/update the stack.".to_owned()) } else { Ok(String::new()) }
}
