//! The blocks of code in `README.md`: each has a mark, and those that need no AWS are run as they
//! stand. The changelog has the version of the workspace.
//!
//! These tests are a program of their own, because one of them runs `make demo`, which asks cargo for
//! its programs: nothing else runs beside it.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot set up has failed, and a page that cannot be read is wrong"
)]

use std::collections::BTreeMap;
use std::fs;
use std::process::{Command, Output, Stdio};

use regex::Regex;
use tests::binaries::binary;
use tests::deploy::repository;

/// The line that the shell prints behind the output of each command, with the exit code.
const END: &str = "end-of-the-command";

/// The prerequisites of a block.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Mark {
    /// The block needs no AWS.
    Offline,
    /// The block uses the simulator.
    Simulated,
    /// The block needs credentials.
    Aws,
}

impl Mark {
    /// Each mark with the word behind the language of a block and the beginning of its caption.
    const ALL: [(Self, &'static str, &'static str); 3] = [
        (Self::Offline, "offline", "*Offline: "),
        (Self::Simulated, "simulated", "*Simulated: "),
        (Self::Aws, "aws", "*AWS: "),
    ];

    /// Returns the mark of a block. The page has to give it twice: to the reader and in the code.
    fn of(info: &str, caption: &str) -> Option<Self> {
        let word = info.split_once(' ')?.1;
        let (mark, _, beginning) = Self::ALL.into_iter().find(|it| it.1 == word)?;
        let is_caption = caption.starts_with(beginning) && caption.ends_with(".*");
        is_caption.then_some(mark)
    }
}

/// A block of code.
#[derive(Debug)]
struct Block {
    /// The number of its first line in the page.
    line: usize,
    /// Its mark, or `None` if the page does not give it twice.
    mark: Option<Mark>,
    /// The language and the mark behind the fence.
    info: String,
    /// Its text.
    text: String,
}

/// A command of a block.
#[derive(Debug, PartialEq)]
struct Step {
    command: String,
    /// The exit code that the page promises.
    code: i32,
    /// The output that the page promises, or nothing.
    promised: String,
}

impl Block {
    /// Returns the commands of the block, or `None` if it does not begin with one.
    fn steps(&self) -> Option<Vec<Step>> {
        let mut steps: Vec<Step> = Vec::new();
        let mut goes_on = false;
        for line in self.text.lines() {
            if let Some(command) = line.strip_prefix("$ ") {
                let code = command.split_once("# exits with ");
                let code = code.map_or(0, |it| it.1.parse().unwrap());
                steps.push(Step { command: command.to_owned(), code, promised: String::new() });
                goes_on = command.ends_with('\\');
            } else if goes_on {
                let command = &mut steps.last_mut()?.command;
                command.push('\n');
                command.push_str(line);
                goes_on = line.ends_with('\\');
            } else {
                let promised = &mut steps.last_mut()?.promised;
                promised.push_str(line);
                promised.push('\n');
            }
        }
        (!steps.is_empty()).then_some(steps)
    }
}

/// Returns the blocks of a page.
fn blocks(page: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut caption = "";
    let mut lines = page.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        if let Some(info) = line.trim_start().strip_prefix("```") {
            let text = lines.by_ref().map(|it| it.1).take_while(|it| it.trim_start() != "```");
            let text = text.map(|it| format!("{it}\n")).collect();
            let mark = Mark::of(info, caption);
            blocks.push(Block { line: number + 2, mark, info: info.to_owned(), text });
            caption = "";
        } else if !line.trim().is_empty() {
            caption = line;
        }
    }
    blocks
}

fn readme() -> Vec<Block> {
    blocks(&fs::read_to_string(repository("README.md")).unwrap())
}

/// Returns the blocks with this mark, each with its commands.
fn marked(mark: Mark) -> Vec<(usize, Vec<Step>)> {
    let blocks = readme().into_iter().filter(|it| it.mark == Some(mark));
    let blocks: Vec<_> = blocks
        .map(|it| (it.line, it.steps().unwrap_or_else(|| panic!("no command: {}", it.text))))
        .collect();
    assert!(!blocks.is_empty(), "{mark:?}");
    blocks
}

/// Returns `true` if a program printed the promised output, or if the page promises none.
///
/// A line `…` stands for any number of lines, and `…` in a line for any characters.
fn keeps(promised: &str, printed: &str) -> bool {
    let line = |line: &str| {
        let parts: Vec<_> = line.trim_end().split('…').map(regex::escape).collect();
        if line.trim() == "…" { "(?:.*\n)*".to_owned() } else { parts.join(".*") + "\n" }
    };
    let pattern: String = promised.lines().map(line).collect();
    let printed: String = printed.lines().map(|it| format!("{}\n", it.trim_end())).collect();
    promised.is_empty() || Regex::new(&format!(r"\A{pattern}\z")).unwrap().is_match(&printed)
}

/// The beginnings of the variables that a shell does not inherit: those of AWS, and those of cargo
/// and make, which run the tests.
const NOT_INHERITED: [&str; 6] =
    ["AWS_", "CARGO_MANIFEST_", "CARGO_PKG_", "LD_LIBRARY_PATH", "MAKE", "MFLAGS"];

/// Returns a shell in the repository, with the programs on its `PATH` and without credentials.
fn shell(script: &str) -> Command {
    let programs = binary("org-backup");
    let programs = programs.parent().unwrap().display();
    let mut shell = Command::new("bash");
    shell.args(["-c", script]).current_dir(repository(".")).stdin(Stdio::null());
    for (name, value) in std::env::vars() {
        if name == "PATH" {
            shell.env("PATH", format!("{programs}:{value}"));
        }
        if name == "CARGO" || NOT_INHERITED.iter().any(|it| name.starts_with(it)) {
            shell.env_remove(&name);
        }
    }
    shell
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        .env("AWS_EC2_METADATA_DISABLED", "true");
    shell
}

fn output(mut command: Command) -> Output {
    command.output().unwrap()
}

/// Runs commands one after the other in one shell. Returns the exit code and the output of each.
fn run(commands: &[&str]) -> Vec<(i32, String)> {
    let with_end = |it: &&str| format!("{it}\nprintf '\\n{END} %s\\n' $?\n");
    let script: String = commands.iter().map(with_end).collect();
    let output = output(shell(&format!("exec 2>&1\n{script}")));
    let printed = String::from_utf8(output.stdout).unwrap();
    let mut results = Vec::new();
    let mut text = String::new();
    for line in printed.lines() {
        if let Some(code) = line.strip_prefix(END) {
            // The end has a line of its own, whether the output ended with one or not.
            let text = std::mem::take(&mut text);
            results.push((code.trim().parse().unwrap(), text.trim_end().to_owned() + "\n"));
        } else {
            text.push_str(line);
            text.push('\n');
        }
    }
    results
}

/// Runs blocks and compares them with the page. Blocks with the same commands are run once.
fn hold(blocks: &[(usize, Vec<Step>)]) {
    let mut known = BTreeMap::new();
    for (line, steps) in blocks {
        let commands: Vec<_> = steps.iter().map(|it| it.command.as_str()).collect();
        let results = &*known.entry(commands.clone()).or_insert_with(|| run(&commands));
        assert_eq!(results.len(), steps.len(), "README.md:{line}: not every command ended");
        for (step, (code, printed)) in steps.iter().zip(results) {
            let Step { command, promised, .. } = step;
            assert_eq!(*code, step.code, "README.md:{line}: {command}\n{printed}");
            assert!(
                keeps(promised, printed),
                "README.md:{line}: {command}\npromised:\n{promised}\nprinted:\n{printed}"
            );
        }
    }
}

#[test]
fn every_block_of_code_is_marked() {
    let blocks = readme();
    for Block { line, mark, info, text } in &blocks {
        assert!(mark.is_some(), "README.md:{line}: ```{info}\n{text}");
    }
    for (mark, word, _) in Mark::ALL {
        assert!(blocks.iter().any(|it| it.mark == Some(mark)), "no block is {word}");
    }
}

#[test]
fn a_block_without_a_mark_or_with_another_above_it_is_found() {
    let mark = |page: &str| blocks(page).first().unwrap().mark;
    assert_eq!(mark("*Offline: it is.*\n\n```console offline\n$ true\n```\n"), Some(Mark::Offline));
    for page in [
        "```console\n$ true\n```\n",
        "*Offline: it is.*\n\n```console\n$ true\n```\n",
        "```console offline\n$ true\n```\n",
        "*AWS: it is.*\n\n```console offline\n$ true\n```\n",
        "*Offline: it is.*\n\nAnother paragraph.\n\n```console offline\n$ true\n```\n",
    ] {
        assert_eq!(mark(page), None, "{page}");
    }
}

#[test]
fn a_promise_is_kept_line_by_line() {
    for (promised, printed, is_kept) in [
        ("", "anything\n", true),
        ("one\n", "one\n", true),
        ("one\n", "one\ntwo\n", false),
        ("…\ntwo\n", "one\ntwo\n", true),
        ("one\n…\n", "one\n", true),
        ("one\n…\nthree\n", "one\ntwo\n", false),
        ("in … ms.\n", "in 12 ms.\n", true),
        ("in … ms.\n", "in 12 ms!\n", false),
        ("in …\n", "in 12\nms\n", false),
    ] {
        assert_eq!(keeps(promised, printed), is_kept, "{promised} {printed}");
    }
    let failing = run(&["echo one; (exit 3)", "printf two"]);
    assert_eq!(failing, [(3, "one\n".to_owned()), (0, "two\n".to_owned())]);
    let text = "$ one \\\n    more\nprinted\n$ two   # exits with 1\n".to_owned();
    let block = Block { line: 1, mark: None, info: String::new(), text };
    let step = |command: &str, code, promised: &str| {
        let (command, promised) = (command.to_owned(), promised.to_owned());
        Step { command, code, promised }
    };
    let steps = [step("one \\\n    more", 0, "printed\n"), step("two   # exits with 1", 1, "")];
    assert_eq!(block.steps().unwrap(), steps);
}

#[test]
fn what_needs_no_aws_does_what_the_page_promises() {
    hold(&marked(Mark::Offline));
}

#[test]
fn what_is_simulated_does_what_the_page_promises() {
    hold(&marked(Mark::Simulated));
}

/// Nobody ran these blocks, so they promise nothing. Their options are known all the same.
#[test]
fn the_command_knows_the_options_that_need_aws() {
    for (line, steps) in marked(Mark::Aws) {
        for Step { command, promised, .. } in steps {
            assert_eq!(promised, "", "README.md:{line}: {command}");
            if !command.starts_with("org-backup ") {
                continue;
            }
            let mut shell = shell(&command);
            shell.env("AWS_REGION", "eu-west-1");
            let said = output(shell).stderr;
            let said = String::from_utf8(said).unwrap();
            assert!(
                said.contains("there are no credentials"),
                "README.md:{line}: {command}\n{said}"
            );
        }
    }
}

#[test]
fn the_picture_of_the_terminal_is_what_the_commands_show() {
    let programs = binary("simulator");
    let mut draw = Command::new("python3");
    draw.arg(repository("scripts/terminal.py")).arg(programs.parent().unwrap()).arg("--check");
    let drawn = output(draw);
    assert!(drawn.status.success(), "{}", String::from_utf8_lossy(&drawn.stderr));
}

#[test]
fn the_changelog_begins_with_the_version_of_the_workspace() {
    let text = fs::read_to_string(repository("CHANGELOG.md")).unwrap();
    let versions: Vec<_> = text.lines().filter_map(|it| it.strip_prefix("## [")).collect();
    let current = format!("{}] - ", env!("CARGO_PKG_VERSION"));
    assert_eq!(versions.first(), Some(&"Unreleased]"));
    assert!(versions.get(1).is_some_and(|it| it.starts_with(&current)), "{versions:?}");
}
