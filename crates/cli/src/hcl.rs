//! Finds the backup policies in files in the language of Terraform and `OpenTofu`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::SystemTime;

use ignore::WalkBuilder;
use policy::{Code, Span, inspect, json, locate};
use terraform::{Files, FoundPolicies, FoundPolicy, SourceFile, Unknown, Unreadable, policies};

use crate::checked::Checked;
use crate::input::{self, Input, NO_POLICY, TERRAFORM, VALUES};
use crate::policies::{in_open_text, prefixed};

/// The advice on how to check a file that cannot be read here.
const SHOW: &str = "check the plan, as in `terraform show -json PLAN | org-backup check -`";

/// The most bytes that are read of one folder.
const MOST_BYTES: usize = 32 << 20;

/// The policies in the files of each folder that was read so far. A folder is read once, and other
/// threads that need it wait for it.
#[derive(Default)]
pub(crate) struct Folders(Mutex<BTreeMap<PathBuf, Arc<OnceLock<Folder>>>>);

/// The policies in the files of one folder, by the names of the files.
type Folder = BTreeMap<String, Result<FoundPolicies, Unreadable>>;

/// Returns `true` if a file is in this language.
pub(crate) fn is_terraform(input: &Input) -> bool {
    TERRAFORM.contains(&input::extension(Path::new(&input.name)).as_str())
}

impl Folders {
    /// Returns all findings about the policies in a file, or the reason why the file is passed
    /// over.
    pub(crate) fn check(&self, input: &Input, now: SystemTime) -> Result<Checked, String> {
        let mut checked = Checked::default();
        match self.found(input) {
            Err(Unreadable { span, why }) => {
                checked.not_checked("", span, &format!("{why}; {SHOW}"));
            }
            Ok(FoundPolicies { policies, unknown }) => {
                // Most modules that are called make no policy.
                let is_told = input.is_named || input::has_word(&input.text);
                if policies.is_empty() && (unknown.is_empty() || !is_told) {
                    return Err(NO_POLICY.to_owned());
                }
                let (mut seen, mut places) = (BTreeSet::new(), BTreeSet::new());
                for FoundPolicy { path, content, is_open, values } in policies {
                    let mut findings = match content.scalar() {
                        Some(text) => in_open_text(text, content.span, &path, now),
                        None => prefixed(inspect(&content, now), &path),
                    };
                    // A value that is not known stands in a string as `${…}`, and is reported
                    // separately.
                    findings.retain(|it| it.code != Code::Variable || !is_open);
                    // A mistake that does not depend on the values of variables is reported once.
                    findings.retain(|it| {
                        seen.insert((it.code, it.span, it.path.clone(), it.message.clone()))
                    });
                    for it in &mut findings {
                        it.message.extend(values.iter().map(|it| format!("; with `{it}`")));
                    }
                    // A policy counts once, for all values of its variables.
                    if places.insert(path) {
                        checked.add(content.span, findings);
                    } else {
                        checked.findings.extend(findings);
                    }
                }
                for Unknown { path, span, why } in unknown {
                    checked.not_checked(&path, span, &why);
                }
            }
        }
        locate(&input.text, &mut checked.findings);
        Ok(checked)
    }

    /// Returns the policies of a file. They are evaluated together with the other files of its
    /// folder.
    fn found(&self, input: &Input) -> Result<FoundPolicies, Unreadable> {
        let path = Path::new(&input.name);
        let folder = path.parent().unwrap_or(Path::new("")).to_path_buf();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let files = Below { root: normal(&input.root), folder: normal(&folder) };
        let own = SourceFile { name: name.clone(), text: input.text.clone() };
        let known = {
            let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(all.entry(folder.clone()).or_default())
        };
        let known = known.get_or_init(|| {
            let (mut sources, values) = siblings(&folder, Some(&name));
            sources.push(own.clone());
            let found = policies(&sources, &values, &files);
            sources.into_iter().map(|it| it.name).zip(found).collect()
        });
        if let Some(found) = known.get(&name) {
            return found.clone();
        }
        let found = policies(&[own], &[], &files).into_iter().next();
        found.unwrap_or_else(|| Ok(FoundPolicies::default()))
    }
}

/// Returns the files of a folder in this language other than `own`, and those with values of variables.
/// A file that cannot be read is left out, and its declarations are not known.
fn siblings(folder: &Path, own: Option<&str>) -> (Vec<SourceFile>, Vec<SourceFile>) {
    let here = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let Ok(entries) = fs::read_dir(here) else { return (Vec::new(), Vec::new()) };
    let mut paths: Vec<_> = entries
        .filter_map(|it| it.ok().filter(|it| it.file_type().is_ok_and(|it| it.is_file())))
        .map(|it| it.path())
        .filter(|it| is_source(it) || has_values(it))
        .filter(|it| it.file_name().is_some_and(|it| own.is_none_or(|own| it != own)))
        .collect();
    paths.sort();
    let mut left = MOST_BYTES;
    let (mut sources, mut values) = (Vec::new(), Vec::new());
    for path in paths {
        let is_source = is_source(&path);
        let text = match read(&path) {
            Ok(text) => text,
            Err(_) if is_source => continue,
            // Such a file is no HCL, so its values are not known.
            Err(_) => "{".to_owned(),
        };
        let Some(rest) = left.checked_sub(text.len()) else { break };
        left = rest;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let file = SourceFile { name, text };
        let files = if is_source { &mut sources } else { &mut values };
        files.push(file);
    }
    (sources, values)
}

fn is_source(path: &Path) -> bool {
    TERRAFORM.contains(&input::extension(path).as_str())
}

/// Returns `true` if a file has values of variables.
fn has_values(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    !name.starts_with('.') && VALUES.iter().any(|it| name.ends_with(it))
}

/// The files below what was named on the command line.
struct Below {
    root: PathBuf,
    /// The folder of the module, to which paths are relative.
    folder: PathBuf,
}

/// The most files below a folder that are listed.
const MOST_FILES: usize = 10_000;

impl Files for Below {
    fn read(&self, path: &str) -> Result<String, String> {
        read(&self.place(path)?)
    }

    fn list(&self, path: &str) -> Result<Vec<String>, String> {
        let top = self.place(path)?;
        let mut files = Vec::new();
        let walk = WalkBuilder::new(&top).standard_filters(false).build().skip(1);
        for entry in walk.filter_map(Result::ok) {
            if files.len() >= MOST_FILES {
                return Err(format!("it has more than {MOST_FILES} files"));
            }
            if entry.file_type().is_some_and(|it| it.is_file())
                && let Ok(inside) = entry.path().strip_prefix(&top)
            {
                let parts = inside.components().map(|it| it.as_os_str().to_string_lossy());
                files.push(parts.collect::<Vec<_>>().join("/"));
            }
        }
        Ok(files)
    }

    fn module(&self, path: &str) -> Result<Vec<SourceFile>, String> {
        Ok(siblings(&self.place(path)?, None).0)
    }
}

impl Below {
    /// Returns the place of a file or folder that a module names.
    fn place(&self, path: &str) -> Result<PathBuf, String> {
        if Path::new(path).is_absolute() {
            return Err("its path is absolute".to_owned());
        }
        let path = normal(&self.folder.join(path));
        let root = self.root.display();
        let root = if self.root.as_os_str().is_empty() { ".".to_owned() } else { root.to_string() };
        let outside = || format!("it is not below `{root}`; name a directory above both");
        let inside = path.strip_prefix(&self.root).map_err(|_| outside())?;
        let mut place = self.root.clone();
        for it in inside.components() {
            let Component::Normal(name) = it else { return Err(outside()) };
            place.push(name);
            let metadata = fs::symlink_metadata(&place).map_err(|it| it.to_string())?;
            if metadata.is_symlink() {
                return Err("it is a link, or its path has one".to_owned());
            }
        }
        Ok(if place.as_os_str().is_empty() { PathBuf::from(".") } else { place })
    }
}

/// Reads the text of a file.
fn read(path: &Path) -> Result<String, String> {
    let metadata = fs::symlink_metadata(path).map_err(|it| it.to_string())?;
    if !metadata.is_file() {
        return Err("it is not a file".to_owned());
    }
    if metadata.len() > json::MAX_BYTES as u64 {
        return Err(format!("it has more than {} bytes", json::MAX_BYTES));
    }
    let bytes = fs::read(path).map_err(|it| it.to_string())?;
    input::decoded(bytes).map_err(|it| it.to_string())
}

/// Returns a path without `.`, and without `..` after another component.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for it in path.components() {
        match it {
            Component::CurDir => {}
            Component::ParentDir
                if matches!(normal.components().next_back(), Some(Component::Normal(_))) =>
            {
                normal.pop();
            }
            Component::Prefix(_)
            | Component::RootDir
            | Component::ParentDir
            | Component::Normal(_) => normal.push(it),
        }
    }
    normal
}

/// Returns the advice on how to check a text in a language that is not read here, if it is in one.
pub(crate) fn unread_language(input: &Input) -> Option<Checked> {
    let holds = |word: &str| input.text.contains(word);
    let why = match input::extension(Path::new(&input.name)).as_str() {
        _ if has_values(Path::new(&input.name)) => {
            "it has values of variables; check its directory, so that its files are read with them"
        }
        "hcl" => "check the plan, as in `terragrunt show -json PLAN | org-backup check -`",
        "ts" | "js" | "py" | "java" | "cs" | "go" if holds("aws-cdk") || holds("aws_cdk") => {
            "run `cdk synth` and check the directory `cdk.out`"
        }
        "ts" | "js" | "py" | "java" | "cs" | "go" => {
            "this command does not run programs; check the output of the program"
        }
        _ => return None,
    };
    let mut checked = Checked::default();
    checked.not_checked("", Span::default(), why);
    locate(&input.text, &mut checked.findings);
    Some(checked)
}
