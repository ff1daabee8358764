//! Finds the backup policies in files in the language of Terraform and `OpenTofu`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::time::SystemTime;

use policy::{Code, Span, inspect, json, locate};
use terraform::{Files, FoundPolicies, FoundPolicy, SourceFile, Unknown, Unreadable, policies};

use crate::checked::Checked;
use crate::input::{self, Input, NO_POLICY, TERRAFORM};
use crate::policies::{in_open_text, prefixed};

/// The advice on how to check a file that cannot be read here.
const SHOW: &str = "check the plan, as in `terraform show -json PLAN | org-backup check -`";

/// The most bytes that are read of one folder.
const MOST_BYTES: usize = 32 << 20;

/// The policies in the files of each folder that was read so far.
#[derive(Default)]
pub(crate) struct Folders(BTreeMap<PathBuf, BTreeMap<String, Result<FoundPolicies, Unreadable>>>);

/// Returns `true` if a file is in this language.
pub(crate) fn is_terraform(input: &Input) -> bool {
    TERRAFORM.contains(&input::extension(Path::new(&input.name)).as_str())
}

impl Folders {
    /// Returns all findings about the policies in a file, or the reason why the file is passed
    /// over.
    pub(crate) fn check(&mut self, input: &Input, now: SystemTime) -> Result<Checked, String> {
        let mut checked = Checked::default();
        match self.found(input) {
            Err(Unreadable { span, why }) => {
                checked.not_checked("", span, &format!("{why}; {SHOW}"));
            }
            Ok(FoundPolicies { policies, unknown }) => {
                if policies.is_empty() && unknown.is_empty() {
                    return Err(NO_POLICY.to_owned());
                }
                for FoundPolicy { path, content, is_open } in policies {
                    let mut findings = match content.scalar() {
                        Some(text) => in_open_text(text, content.span, &path, now),
                        None => prefixed(inspect(&content, now), &path),
                    };
                    // A value that is not known stands in a string as `${…}`, and is reported
                    // separately.
                    findings.retain(|it| it.code != Code::Variable || !is_open);
                    checked.add(content.span, findings);
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
    fn found(&mut self, input: &Input) -> Result<FoundPolicies, Unreadable> {
        let path = Path::new(&input.name);
        let folder = path.parent().unwrap_or(Path::new("")).to_path_buf();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let files = Below { root: normal(&input.root), folder: normal(&folder) };
        let own = SourceFile { name: name.clone(), text: input.text.clone() };
        let known = self.0.entry(folder.clone()).or_insert_with(|| {
            let mut sources = siblings(&folder, &name);
            sources.push(own.clone());
            let found = policies(&sources, &files);
            sources.into_iter().map(|it| it.name).zip(found).collect()
        });
        if let Some(found) = known.get(&name) {
            return found.clone();
        }
        policies(&[own], &files).into_iter().next().unwrap_or_else(|| Ok(FoundPolicies::default()))
    }
}

/// Returns the other files of a folder in this language. A file that cannot be read is left out,
/// and its declarations are not known.
fn siblings(folder: &Path, name: &str) -> Vec<SourceFile> {
    let here = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let Ok(entries) = fs::read_dir(here) else { return Vec::new() };
    let mut paths: Vec<_> = entries
        .filter_map(|it| it.ok().filter(|it| it.file_type().is_ok_and(|it| it.is_file())))
        .map(|it| it.path())
        .filter(|it| TERRAFORM.contains(&input::extension(it).as_str()))
        .filter(|it| it.file_name().is_some_and(|it| it != name))
        .collect();
    paths.sort();
    let mut left = MOST_BYTES;
    let mut sources = Vec::new();
    for path in paths {
        let Ok(text) = read(&path) else { continue };
        let Some(rest) = left.checked_sub(text.len()) else { break };
        left = rest;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        sources.push(SourceFile { name, text });
    }
    sources
}

/// The files below what was named on the command line.
struct Below {
    root: PathBuf,
    /// The folder of the module, to which paths are relative.
    folder: PathBuf,
}

impl Files for Below {
    fn read(&self, path: &str) -> Result<String, String> {
        if Path::new(path).is_absolute() {
            return Err("it is named from the top of the file system".to_owned());
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
                return Err("it is or is behind a link".to_owned());
            }
        }
        read(&place)
    }
}

/// Reads the text of a file.
fn read(path: &Path) -> Result<String, String> {
    let metadata = fs::symlink_metadata(path).map_err(|it| it.to_string())?;
    if !metadata.is_file() {
        return Err("it is no file".to_owned());
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
        "hcl" => "check the plan, as in `terragrunt show -json PLAN | org-backup check -`",
        "ts" | "js" | "py" | "java" | "cs" | "go" if holds("aws-cdk") || holds("aws_cdk") => {
            "run `cdk synth` and check the directory `cdk.out`"
        }
        "ts" | "js" | "py" | "java" | "cs" | "go" => "a program is not run; check what it writes",
        _ => return None,
    };
    let mut checked = Checked::default();
    checked.not_checked("", Span::default(), why);
    locate(&input.text, &mut checked.findings);
    Some(checked)
}
