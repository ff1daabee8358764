//! What `ARCHITECTURE.md` says of crates and what they depend on is so.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a manifest that cannot be read breaks the rules"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// The folders of the crates in `crates` and `functions`, by their paths in the repository.
fn folders() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let below = |folder: &str| {
        let entries = fs::read_dir(root.join(folder)).unwrap().map(|it| it.unwrap().file_name());
        entries.map(|it| format!("{folder}/{}", it.to_str().unwrap())).collect::<Vec<_>>()
    };
    let all = ["crates", "crates/aws", "functions"].into_iter().flat_map(below);
    all.filter(|it| root.join(it).join("Cargo.toml").is_file()).collect()
}

fn manifest(folder: &str) -> toml::Table {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    fs::read_to_string(root.join(folder).join("Cargo.toml")).unwrap().parse().unwrap()
}

fn name(manifest: &toml::Table) -> String {
    manifest["package"]["name"].as_str().unwrap().to_owned()
}

/// The crates of this workspace, each with the dependencies it is built from.
fn manifests() -> BTreeMap<String, toml::Table> {
    let manifests = folders().into_iter().map(|it| manifest(&it));
    manifests.map(|it| (name(&it), it)).collect()
}

fn dependencies(manifest: &toml::Table, kind: &str) -> BTreeSet<String> {
    let table = manifest.get(kind).and_then(toml::Value::as_table);
    table.into_iter().flatten().map(|(name, _)| name.clone()).collect()
}

fn page() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../ARCHITECTURE.md")).unwrap()
}

/// What stands between backticks.
fn names(text: &str) -> BTreeSet<String> {
    text.split('`').skip(1).step_by(2).map(ToOwned::to_owned).collect()
}

/// The rows of the table whose first column has this title: each name of it, and what is beside it.
fn table(title: &str) -> BTreeMap<String, BTreeSet<String>> {
    let page = page();
    let rows = page.lines().skip_while(|it| !it.starts_with(&format!("| {title} |"))).skip(2);
    let rows = rows.take_while(|it| it.starts_with('|')).map(|row| {
        let cells: Vec<_> = row.split('|').map(names).collect();
        (cells[1].clone(), cells[2].clone())
    });
    rows.flat_map(|(all, beside)| all.into_iter().map(move |it| (it, beside.clone()))).collect()
}

#[test]
fn dependencies_are_those_of_the_architecture() {
    let manifests = manifests();
    let ours: BTreeSet<_> = manifests.keys().cloned().collect();
    let used = |it: &toml::Table| &dependencies(it, "dependencies") & &ours;
    let used: BTreeMap<_, _> =
        manifests.iter().map(|(name, it)| (name.clone(), used(it))).collect();
    assert_eq!(table("crate"), used);
}

#[test]
fn a_binary_links_the_sdks_that_it_calls_and_no_other() {
    let manifests = manifests();
    let mut linked = BTreeMap::new();
    for binary in folders().iter().filter(|it| it.starts_with("functions/") || *it == "crates/cli")
    {
        let binary = name(&manifest(binary));
        let mut sdks = BTreeSet::new();
        let (mut crates, mut next) = (BTreeSet::new(), vec![binary.clone()]);
        while let Some(it) = next.pop() {
            let Some(manifest) = manifests.get(&it).filter(|_| crates.insert(it.clone())) else {
                continue;
            };
            let used = dependencies(manifest, "dependencies");
            let sdk = |it: &String| Some(it.strip_prefix("aws-sdk-")?.to_owned());
            sdks.extend(used.iter().filter_map(sdk));
            next.extend(used);
        }
        linked.insert(binary, sdks);
    }
    assert_eq!(table("binary"), linked);
}

#[test]
fn no_crate_depends_on_an_sdk_or_a_crate_of_ours_that_it_does_not_use() {
    let manifests = manifests();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for folder in folders() {
        let text = sources(&root.join(&folder).join("src"));
        let used: BTreeSet<_> = text.split(|it: char| !it.is_alphanumeric() && it != '_').collect();
        let mut all = dependencies(&manifest(&folder), "dependencies");
        all.retain(|it| it.starts_with("aws-sdk-") || manifests.contains_key(it));
        all.retain(|it| !used.contains(it.replace('-', "_").as_str()));
        assert!(all.is_empty(), "{folder} does not use {all:?}");
    }
}

#[test]
fn make_test_runs_every_test_program() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let makefile = fs::read_to_string(root.join("Makefile")).unwrap();
    let lines = makefile.lines().filter(|it| it.contains("$(TESTS)"));
    let run = lines.flat_map(|it| it.split("--test ").skip(1));
    let run: BTreeSet<_> = run.filter_map(|it| it.split_whitespace().next()).collect();
    let mut programs = BTreeSet::new();
    for folder in folders().iter().map(String::as_str).chain(["tests"]) {
        let entries = fs::read_dir(root.join(folder).join("tests")).into_iter().flatten();
        for it in entries.map(|it| it.unwrap().path()) {
            if it.join("main.rs").is_file() || it.is_file() {
                programs.insert(it.file_stem().unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    assert_eq!(run, programs.iter().map(String::as_str).collect());
}

#[test]
fn no_test_is_left_out_by_a_manifest() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for folder in folders() {
        let manifest = manifest(&folder);
        let is_tested = manifest.get("lib").and_then(|it| it.get("test")?.as_bool()) != Some(false);
        let text = sources(&root.join(&folder).join("src"));
        assert!(
            is_tested || !text.contains("#[cfg(test)]"),
            "{folder} has tests that nothing runs"
        );
    }
}

/// The lines of other crates are filtered out of the logs of functions.
#[test]
fn the_logs_of_functions_have_the_lines_of_every_crate_of_ours_that_writes_some() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let logging = fs::read_to_string(root.join("crates/cfn/src/logging.rs")).unwrap();
    let list = logging.split("let ours = [").nth(1).unwrap().split("];").next().unwrap();
    let shown: BTreeSet<_> = list.split('"').skip(1).step_by(2).map(ToOwned::to_owned).collect();
    let writes = |folder: &String| {
        let text = sources(&root.join(folder).join("src"));
        ["info!(", "debug!("].iter().any(|it| text.contains(it))
    };
    let ours = folders().into_iter().filter(writes);
    let ours = ours.map(|it| name(&manifest(&it)).replace('-', "_")).collect();
    assert_eq!(shown, ours);
}

#[test]
fn the_code_map_has_every_folder_and_no_other() {
    let page = page();
    let map = page.split("## Code map").nth(1).unwrap().split("\n| crate |").next().unwrap();
    let told: BTreeSet<_> = names(map)
        .into_iter()
        .filter_map(|it| Some(it.strip_prefix("crates/")?.to_owned()))
        .collect();
    let folders = folders().into_iter();
    let folders = folders.filter_map(|it| Some(it.strip_prefix("crates/")?.to_owned())).collect();
    assert_eq!(told, folders);
}

/// The text of every source file below `folder`.
fn sources(folder: &Path) -> String {
    let entries = fs::read_dir(folder).unwrap().map(|it| it.unwrap().path());
    let texts = entries.map(|it| match it.is_dir() {
        true => sources(&it),
        false if it.extension().is_some_and(|it| it == "rs") => fs::read_to_string(it).unwrap(),
        false => String::new(),
    });
    texts.collect()
}

#[test]
fn every_word_of_the_glossary_has_its_type() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let page = fs::read_to_string(root.join("docs/glossary.md")).unwrap();
    let rows = page.lines().skip_while(|it| !it.starts_with("| word |")).skip(2);
    let rows: Vec<_> = rows.take_while(|it| it.starts_with('|')).collect();
    // A word of AWS or of everybody is better than another one of our own.
    assert_eq!(rows.len(), 10, "{rows:?}");
    let types = rows.iter().map(|it| names(it.rsplit('|').nth(1).unwrap()));
    let types: Vec<_> = types.collect();
    assert!(types.iter().all(|it| !it.is_empty()), "{rows:?}");
    for path in types.into_iter().flatten() {
        let (place, name) = path.rsplit_once("::").unwrap();
        let folder = root.join("crates").join(place.replacen("::", "/src/", 1).replace("::", "/"));
        let file = folder.with_extension("rs");
        let text = if folder.is_dir() { sources(&folder) } else { String::new() };
        let text = text + &fs::read_to_string(file).unwrap_or_default();
        let is_there = ["struct", "enum"].iter().any(|it| {
            text.contains(&format!("pub {it} {name} "))
                || text.contains(&format!("pub {it} {name}("))
        });
        assert!(is_there || text.contains(&format!("    {name}:")), "{path}");
    }
}

#[test]
fn only_the_crates_of_aws_talk_to_aws() {
    for folder in folders() {
        let manifest = manifest(&folder);
        let sdk = |kind| {
            let mut all = dependencies(&manifest, kind);
            all.retain(|it| it.starts_with("aws-sdk-") || it == "aws-config");
            // A person's credentials are in more places than a function's.
            all.retain(|it| (folder.as_str(), it.as_str()) != ("crates/cli", "aws-config"));
            all
        };
        let allowed = folder.starts_with("crates/aws/") || folder == "crates/demo";
        assert!(allowed || sdk("dependencies").is_empty(), "{folder} imports an AWS SDK");
        let allowed = allowed || folder == "crates/simulator";
        assert!(
            allowed || sdk("dev-dependencies").is_empty(),
            "{folder} is tested with an AWS SDK"
        );
    }
}

#[test]
fn deciding_does_no_input_or_output() {
    let manifests = manifests();
    for name in ["media", "plan", "policy", "report"] {
        let used = dependencies(&manifests[name], "dependencies");
        let unwanted = ["tokio", "tracing", "lambda_runtime", "futures-util", "hyper"];
        let found: Vec<_> = unwanted.iter().filter(|it| used.contains(**it)).collect();
        assert!(found.is_empty(), "{name} depends on {found:?}");
    }
}

/// The only places that print. What the simulator and the demo print comes from nowhere else.
const PRINTERS: [&str; 5] = [
    "crates/cfn/src/logging.rs",
    "crates/cli/src/output.rs",
    "crates/demo/src/screen.rs",
    "crates/simulator/src/bin/sample_function.rs",
    "crates/simulator/src/main.rs",
];

/// The same of the deploy program.
const SPEECH: &str = "scripts/deploy/speech.py";

/// Every file below a folder, by its path in the repository.
fn files(folder: &str) -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let entries = fs::read_dir(root.join(folder)).unwrap().map(|it| it.unwrap());
    let files = entries.flat_map(|it| {
        let path = format!("{folder}/{}", it.file_name().to_str().unwrap());
        if it.file_type().unwrap().is_dir() { files(&path) } else { vec![path] }
    });
    files.collect()
}

#[test]
fn nothing_is_printed_but_by_the_writers() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let rust = ["io::stdout", "io::stderr", "anstream::", "print!(", "println!(", "dbg!("];
    let python =
        ["print(", "sys.exit(", "sys.stdout", "sys.stderr", "os.write", "raise SystemExit"];
    let sources = [("crates", ".rs", &rust[..]), ("functions", ".rs", &rust)];
    let mut printers = BTreeSet::new();
    for (folder, end, words) in sources.into_iter().chain([("scripts/deploy", ".py", &python[..])])
    {
        for file in files(folder).into_iter().filter(|it| it.ends_with(end)) {
            if file.contains("/tests") || file.contains("/benches") {
                continue;
            }
            let text = fs::read_to_string(root.join(&file)).unwrap();
            let code = text.lines().filter(|it| !it.trim_start().starts_with("//"));
            // Nothing is written before the writers are there; other programs write their own.
            let code = code.filter(|it| !it.contains("Python 3.11") && !it.contains("subprocess."));
            if code.into_iter().any(|line| words.iter().any(|it| line.contains(it))) {
                printers.insert(file);
            }
        }
    }
    let allowed = PRINTERS.iter().chain([&SPEECH]).map(|it| (*it).to_owned()).collect();
    assert_eq!(printers, allowed);
}

#[test]
fn every_crate_shares_the_versions_and_lints_of_the_workspace() {
    for (name, manifest) in manifests() {
        assert_eq!(manifest["lints"]["workspace"].as_bool(), Some(true), "{name}");
        for kind in ["dependencies", "dev-dependencies", "build-dependencies"] {
            let table = manifest.get(kind).and_then(toml::Value::as_table);
            for (dependency, it) in table.into_iter().flatten() {
                let shared = it.get("workspace").and_then(toml::Value::as_bool);
                assert_eq!(shared, Some(true), "{name}: {dependency} has a version of its own");
            }
        }
    }
}

#[test]
fn a_hint_follows_its_error_in_one_place() {
    let files = crates().into_values().flatten();
    let joined = files.filter(|it| code(it).contains("; hint:")).collect::<Vec<_>>();
    assert_eq!(joined, ["crates/errors/src/lib.rs"]);
}

/// The only places that ask a value for a type that its own does not say, each with the reason in
/// a comment: an error that an interceptor of the SDK gets, a panic, the error with which the runtime
/// of Lambda ends, and the errors behind an error.
const ASKING_FOR_A_TYPE: [&str; 4] = [
    "crates/aws/core/src/attempts.rs",
    "crates/cfn/src/lib.rs",
    "crates/cfn/src/runtime.rs",
    "crates/errors/src/lib.rs",
];

#[test]
fn errors_keep_their_types_to_the_edge() {
    let asks = |it: &String| {
        let code = code(it);
        code.contains("downcast") || code.contains(".is::<")
    };
    let files = crates().into_values().flatten().filter(asks);
    assert_eq!(files.collect::<BTreeSet<_>>(), ASKING_FOR_A_TYPE.map(str::to_owned).into());
}

/// The arms of `match` for what an enum of the SDK may have in newer releases, by file. Such a value is
/// unknown and called so: it is never taken for the nearest one that is known.
const NEWER: [(&str, usize); 5] = [
    // Something went wrong with a call, and what, is told.
    ("crates/aws/core/src/error.rs", 1),
    // States, statuses and results become `Unknown`; one arm is about a finding of ours.
    ("crates/aws/members/src/evidence.rs", 6),
    // AWS KMS is asked for what a new type of key means. The service says when it is wrong.
    ("crates/aws/members/src/lib.rs", 1),
    ("crates/aws/members/src/recovery.rs", 1),
    // A resource with such a status is told.
    ("crates/aws/stacks/src/lib.rs", 1),
];

#[test]
fn a_value_that_is_newer_than_the_sdk_is_called_unknown() {
    let arms = |file: &String| {
        let code = code(file);
        let arms = code.lines().map(str::trim).filter(|it| {
            let rest = it.starts_with("Some(_)") && it.contains("=>");
            rest || it.contains("| _ =>") || it.contains("| _)") || *it == "| _"
        });
        arms.count()
    };
    let files = crates().into_values().flatten().filter(|it| it.starts_with("crates/aws/"));
    let found: BTreeMap<_, _> = files
        .map(|it| (arms(&it), it))
        .filter(|it| it.0 > 0)
        .map(|(count, it)| (it, count))
        .collect();
    let known = NEWER.map(|(file, count)| (file.to_owned(), count));
    assert_eq!(found, known.into());
}

/// The code of a file: no comments, and no tests at its end.
fn code(file: &str) -> String {
    let text = before_tests(file);
    text.lines().map(|it| it.split("//").next().unwrap()).collect::<Vec<_>>().join("\n")
}

/// The text of a file, without the tests at its end.
fn before_tests(file: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let text = fs::read_to_string(root.join(file)).unwrap();
    text.split("#[cfg(test)]\nmod tests {").next().unwrap().to_owned()
}

/// The words that begin a sentence without saying what its subject is.
const QUESTIONS: [&str; 6] = ["How", "What", "When", "Where", "Whether", "Who"];

/// The first word of a comment, or of the help of a target of make, if it has a capital letter.
fn first_word(line: &str) -> Option<&str> {
    let line = line.find(" ## ").map_or(line, |at| &line[at..]).trim_start();
    let marks = ["//!", "///", "//", "##", "#", "\"\"\""];
    let text = marks.iter().find_map(|it| line.strip_prefix(it))?;
    let word = text.trim_start().split(|it: char| !it.is_alphabetic()).next()?;
    word.starts_with(char::is_uppercase).then_some(word)
}

#[test]
fn few_comments_begin_with_a_question() {
    for place in ["Makefile", "crates", "functions", "scripts", "templates"] {
        let files = if place == "Makefile" { vec![place.to_owned()] } else { files(place) };
        let is_read = |file: &String| {
            let ends = ["py", "rs", "yaml"];
            let is = |end: &str| Path::new(file).extension().is_some_and(|it| it == end);
            *file == place || (ends.into_iter().any(is) && !file.contains("/tests"))
        };
        let (mut comments, mut questions) = (0, Vec::new());
        for file in files.into_iter().filter(is_read) {
            let text = before_tests(&file);
            for (word, line) in text.lines().filter_map(|it| Some((first_word(it)?, it))) {
                comments += 1;
                if QUESTIONS.contains(&word) {
                    questions.push(format!("{file}: {}", line.trim()));
                }
            }
        }
        let count = questions.len();
        assert!(count * 30 < comments, "{place}: {count} of {comments}: {questions:#?}");
    }
}

/// The source files of every crate, less tests, by the folder of the crate's source.
fn crates() -> BTreeMap<String, Vec<String>> {
    let is_source = |it: &String| {
        Path::new(it).extension().is_some_and(|it| it == "rs") && !it.contains("/tests")
    };
    let mut crates = BTreeMap::<_, Vec<_>>::new();
    for file in ["crates", "functions", "benches"].into_iter().flat_map(files) {
        if let Some((folder, _)) = file.split_once("/src/").filter(|_| is_source(&file)) {
            crates.entry(format!("{folder}/src")).or_default().push(file);
        }
    }
    crates
}

/// A path of modules, from the root of a crate.
type ModulePath = Vec<String>;

/// The module that a file holds.
fn module(folder: &str, file: &str) -> ModulePath {
    let inside = file.strip_prefix(&format!("{folder}/")).unwrap();
    let mut path: Vec<_> = inside.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
    path.pop_if(|it| ["lib", "main", "mod"].contains(&it.as_str()));
    path
}

/// The paths that begin with `crate` or `super` in the code of a module, from the root of the crate.
fn named(code: &str, module: &[String]) -> Vec<ModulePath> {
    let starts = code.match_indices("crate::").chain(code.match_indices("super::"));
    let starts = starts.map(|it| it.0).filter(|at| {
        // What another path begins with is inside that path.
        let before = code[..*at].chars().next_back();
        before.is_none_or(|it| !it.is_alphanumeric() && !matches!(it, '_' | ':'))
    });
    let mut all = Vec::new();
    for start in starts {
        let mut tokens = tokens(&code[start..]).peekable();
        read_paths(&mut tokens, &[], &mut all);
    }
    let absolute = |path: ModulePath| {
        let ups = path.iter().take_while(|it| *it == "super").count();
        let skipped = ups.max(usize::from(path.first().is_some_and(|it| it == "crate")));
        let above = if ups == 0 { &[] } else { module.get(..module.len().checked_sub(ups)?)? };
        Some(above.iter().cloned().chain(path.into_iter().skip(skipped)).collect())
    };
    all.into_iter().filter_map(absolute).collect()
}

/// The words and the signs of code; white space only separates them.
fn tokens(code: &str) -> impl Iterator<Item = &str> {
    let mut rest = code;
    std::iter::from_fn(move || {
        rest = rest.trim_start();
        let is_word = |it: char| it.is_alphanumeric() || it == '_';
        let end = match rest.find(|it| !is_word(it)) {
            Some(0) if rest.starts_with("::") => 2,
            Some(0) => rest.chars().next()?.len_utf8(),
            Some(end) => end,
            None => rest.len(),
        };
        let (token, after) = rest.split_at(end);
        rest = after;
        (!token.is_empty()).then_some(token)
    })
}

/// Adds the path that begins here behind `before`, or every path in the braces that begin here.
fn read_paths<'a>(
    tokens: &mut std::iter::Peekable<impl Iterator<Item = &'a str>>,
    before: &[String],
    all: &mut Vec<ModulePath>,
) {
    let is_word = |it: &&str| it.starts_with(|it: char| it.is_alphanumeric() || it == '_');
    if tokens.next_if_eq(&"{").is_some() {
        while tokens.peek().is_some_and(|it| *it != "}") {
            read_paths(tokens, before, all);
            // Whatever is behind a path, as in `path as Name`.
            while tokens.next_if(|it| !matches!(*it, "," | "}")).is_some() {}
            tokens.next_if_eq(&",");
        }
        tokens.next_if_eq(&"}");
        return;
    }
    let mut path = before.to_vec();
    if let Some(word) = tokens.next_if(is_word) {
        path.push(word.to_owned());
        if tokens.next_if_eq(&"::").is_some() {
            read_paths(tokens, &path, all);
            return;
        }
    }
    all.push(path);
}

#[test]
fn the_paths_in_code_are_read_from_the_root() {
    let module = ["recovery", "settings"].map(str::to_owned);
    let of = |code: &str| named(code, &module).iter().map(|it| it.join("::")).collect::<Vec<_>>();
    assert_eq!(of("use super::kind::{Naming, RestoredKind};").len(), 2);
    assert_eq!(of("use super::kind::{self, Naming as It};")[1], "recovery::kind::Naming");
    assert_eq!(of("use super::super::words::utc;"), ["words::utc"]);
    assert_eq!(of("use crate::{\n    a::{b, c::d},\n    e,\n};"), ["a::b", "a::c::d", "e"]);
    assert_eq!(of("let it: crate::a::B<super::way::Hop> = f();"), ["a::B", "recovery::way::Hop"]);
    assert_eq!(of("use plan::id::{Region, RoleName};"), [""; 0]);
}

/// The modules right below a module are its rooms, with everything inside of them. A room may take
/// from the one that it is in, and files inside of a room from each other.
#[test]
fn no_rooms_of_a_folder_take_from_each_other() {
    let mut found = Vec::new();
    for (folder, files) in crates() {
        let modules: BTreeSet<_> = files.iter().map(|it| module(&folder, it)).collect();
        let is_room = |path: &[String]| modules.iter().any(|it| it.starts_with(path));
        // The rooms of each module, and those that each takes from.
        let mut houses = BTreeMap::<ModulePath, BTreeMap<String, BTreeSet<String>>>::new();
        for file in &files {
            let from = module(&folder, file);
            for to in named(&code(file), &from) {
                let common = from.iter().zip(&to).take_while(|(one, other)| one == other).count();
                if let (Some(one), Some(other)) = (from.get(common), to.get(common))
                    && is_room(&to[..=common])
                {
                    let rooms = houses.entry(from[..common].to_vec()).or_default();
                    rooms.entry(one.clone()).or_default().insert(other.clone());
                }
            }
        }
        for (house, mut arrows) in houses {
            // Takes away who arrows from nobody that is left, until only circles are left.
            loop {
                let count = arrows.len();
                let left: BTreeSet<_> = arrows.keys().cloned().collect();
                arrows.retain(|_, it| it.iter().any(|it| left.contains(it)));
                if arrows.len() == count {
                    break;
                }
            }
            if !arrows.is_empty() {
                found.push(format!("{folder}/{}: {arrows:?}", house.join("/")));
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

/// The names that every resource has a type for.
const OF_EVERY_RESOURCE: [&str; 5] = ["Desired", "Observed", "Step", "Refusal", "Properties"];

/// The type that a line declares, also inside of a function or of a macro.
fn declared(line: &str) -> Option<&str> {
    // An associated type has the name of its trait's.
    let line = Some(line.trim_start()).filter(|it| *it == line || !it.starts_with("type "))?;
    let line = match line.strip_prefix("pub") {
        Some(rest) if rest.starts_with('(') => rest.split_once(") ")?.1,
        Some(rest) => rest.strip_prefix(' ')?,
        None => line,
    };
    let kinds = ["struct ", "enum ", "trait ", "type ", "union "];
    let name = kinds.iter().find_map(|it| line.strip_prefix(it))?;
    name.split(|it: char| !it.is_alphanumeric()).next()
}

#[test]
fn a_name_stands_for_three_types_at_the_most() {
    let mut types = BTreeMap::<String, Vec<String>>::new();
    for file in crates().into_values().flatten() {
        for name in code(&file).lines().filter_map(declared) {
            types.entry(name.to_owned()).or_default().push(file.clone());
        }
    }
    assert!(OF_EVERY_RESOURCE.iter().all(|it| types[*it].len() > 3), "{types:?}");
    types.retain(|name, places| places.len() > 3 && !OF_EVERY_RESOURCE.contains(&name.as_str()));
    assert!(types.is_empty(), "{types:#?}");
}

/// Words that name things by a theatre and not by what they are.
const THEATRE: [&str; 7] = ["Sight", "Wish", "Keeper", "Doorway", "Fate", "Stage", "Look"];

/// The words of a name in camel case, as `Life` and `Stage`.
fn words(name: &str) -> Vec<&str> {
    let starts = name.char_indices().filter(|it| it.1.is_uppercase()).map(|it| it.0);
    let ends = starts.clone().skip(1).chain([name.len()]);
    starts.zip(ends).map(|(start, end)| &name[start..end]).collect()
}

#[test]
fn no_type_is_named_by_the_theatre() {
    // The stage of a life is a word of everybody.
    let allowed = ["LifeStage"];
    let mut found = BTreeSet::new();
    for file in crates().into_values().flatten() {
        let code = code(&file);
        let renamed = code.split(" as ").skip(1);
        let renamed = renamed.filter_map(|it| it.split(|it: char| !it.is_alphanumeric()).next());
        for name in code.lines().filter_map(declared).chain(renamed) {
            if !allowed.contains(&name) && words(name).iter().any(|it| THEATRE.contains(it)) {
                found.insert(format!("{file}: {name}"));
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
    assert_eq!(words("LifeStage"), ["Life", "Stage"]);
}
