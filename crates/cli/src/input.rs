//! Finds and reads the files that are named on the command line.

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use errors::advised;
use ignore::{DirEntry, WalkBuilder};
use policy::{BACKUP_POLICY, Code, Finding, Node, Severity, Span, json, locate};
use template::{Documents, Syntax, without_comments};

use crate::CommandError;

/// A text and the name it is reported under.
pub(crate) struct Input {
    /// The path as given, or `-`.
    pub(crate) name: String,
    /// Its content.
    pub(crate) text: String,
    /// True if it was named on the command line, and not found in a directory.
    pub(crate) is_named: bool,
    /// The directory that was named, or that of the file: nothing above it is read.
    pub(crate) root: PathBuf,
}

/// A file in a directory that is not checked.
pub(crate) struct Passed {
    /// Its path.
    pub(crate) name: String,
    /// The reason why it is not checked.
    pub(crate) why: String,
}

/// The files that are named on the command line, and those in directories among them.
#[derive(Default)]
pub(crate) struct Inputs {
    /// The files that may have policies in them.
    pub(crate) all: Vec<Input>,
    /// The files in directories that have no policies in them.
    pub(crate) passed: Vec<Passed>,
    /// The errors of files that are named and cannot be read.
    pub(crate) unreadable: Vec<CommandError>,
}

/// The extensions of files that are read as a policy or template in a directory.
const EXTENSIONS: &[&str] = &["json", "jsonc", "yaml", "yml", "template", "tfstate"];

/// The extensions of files in the language of Terraform, which are read as well.
pub(crate) const TERRAFORM: &[&str] = &["tf", "tofu"];

/// The ends of the names of files that have values of variables for Terraform.
pub(crate) const VALUES: &[&str] = &[".tfvars", ".tfvars.json"];

/// The words of which every text of a backup policy has at least one.
const WORDS: &[&str] = &[
    "plans",
    BACKUP_POLICY,
    "BackupPolicy",
    "AWS::Organizations::Policy",
    "aws_organizations_policy",
    "awscc_organizations_policy",
];

/// Reads every file named in `paths`, and those in directories among them.
pub(crate) fn read_all(paths: &[PathBuf]) -> Inputs {
    let mut inputs = Inputs::default();
    for path in paths {
        if path.is_dir() {
            inputs.walk(path);
        } else {
            match read(path) {
                Ok(it) => inputs.all.push(it),
                Err(it) => inputs.unreadable.push(it),
            }
        }
    }
    inputs
}

impl Inputs {
    /// Reads the files below a directory. It may be any repository: most of its files are not
    /// policies, and none of them ends the run.
    fn walk(&mut self, directory: &Path) {
        if let Err(source) = fs::read_dir(directory) {
            let file = directory.display().to_string();
            self.unreadable.push(CommandError::Unreadable { file, source });
            return;
        }
        let mut walk = WalkBuilder::new(directory);
        // The choice of files depends only on the directory, and not on the machine.
        walk.require_git(false).git_global(false).sort_by_file_name(Ord::cmp);
        // A directory that is named is read even if the ignore files above it leave out all of it,
        // as they do with what a build wrote.
        if !self.visit_all(&walk, directory) {
            self.visit_all(walk.parents(false), directory);
        }
    }

    /// Visits the files of a walk. Returns `false` if there were none.
    fn visit_all(&mut self, walk: &WalkBuilder, directory: &Path) -> bool {
        let mut has_files = false;
        for entry in walk.build() {
            match entry {
                Ok(entry) if entry.file_type().is_some_and(|it| it.is_dir()) => {}
                Ok(entry) => {
                    has_files = true;
                    self.visit(&entry, directory);
                }
                Err(error) => {
                    let name = directory.display().to_string();
                    self.passed.push(Passed { name, why: error.to_string() });
                }
            }
        }
        has_files
    }

    fn visit(&mut self, entry: &DirEntry, directory: &Path) {
        let path = entry.path();
        let name = path.display().to_string();
        match candidate(path) {
            Ok(text) => {
                let root = directory.to_path_buf();
                self.all.push(Input { name, text, is_named: false, root });
            }
            Err(why) => self.passed.push(Passed { name, why }),
        }
    }
}

/// Returns the text of a file that may have a policy in it, or the reason why it has none.
fn candidate(path: &Path) -> Result<String, String> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    if name == "effective.json" || name.ends_with(".effective.json") {
        return Err("its name says that it is an effective policy".to_owned());
    }
    if VALUES.iter().any(|it| name.ends_with(it)) {
        return Err("its values are read with the files of Terraform beside it".to_owned());
    }
    let extension = extension(path);
    let mut extensions = EXTENSIONS.iter().chain(TERRAFORM);
    if !extensions.any(|it| **it == extension) {
        let all = [EXTENSIONS, TERRAFORM].concat();
        return Err(format!("its name does not end in .{}", all.join(", .")));
    }
    // This follows a link, so a link to a file is that file. Anything else, such as a FIFO, may not
    // end.
    let metadata = fs::metadata(path).map_err(|it| format!("it cannot be read: {it}"))?;
    if !metadata.is_file() {
        return Err("it is not a file".to_owned());
    }
    if metadata.len() > json::MAX_BYTES as u64 {
        return Err(format!("it has more than {} bytes", json::MAX_BYTES));
    }
    let bytes = fs::read(path).map_err(|it| format!("it cannot be read: {it}"))?;
    let text = decoded(bytes).map_err(|it| it.to_string())?;
    let is_terraform = TERRAFORM.contains(&extension.as_str());
    // A module that it calls may make a policy of what stands in it.
    let may_hold = has_word(&text) || (is_terraform && text.contains("module"));
    if may_hold { Ok(text) } else { Err(NO_POLICY.to_owned()) }
}

/// Returns `true` if a text has a word of a backup policy.
pub(crate) fn has_word(text: &str) -> bool {
    WORDS.iter().any(|it| text.contains(it))
}

/// The reason why a file without a policy is passed over.
pub(crate) const NO_POLICY: &str = "it has no backup policy";

/// Reads one file, or standard input for `-`.
pub(crate) fn read(path: &Path) -> Result<Input, CommandError> {
    let name = path.display().to_string();
    let bytes = if name == "-" {
        limited(io::stdin().lock())
    } else {
        fs::File::open(path).and_then(limited)
    };
    match bytes.and_then(decoded) {
        Ok(text) => {
            let root = path.parent().unwrap_or(Path::new("")).to_path_buf();
            Ok(Input { name, text, is_named: true, root })
        }
        Err(source) => Err(CommandError::Unreadable { file: name, source }),
    }
}

/// Reads only as many bytes as show that a text is too long.
fn limited(file: impl io::Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    // A character has twice the bytes in UTF-16.
    file.take(2 * json::MAX_BYTES as u64 + 4).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The first bytes of an archive, such as a plan that Terraform wrote.
const ZIP: &[u8] = b"PK\x03\x04";

/// Decodes a text in UTF-8, or in UTF-16 if it begins with a byte order mark. The mark is left out.
pub(crate) fn decoded(bytes: Vec<u8>) -> io::Result<String> {
    if bytes.starts_with(ZIP) {
        let hint = "it is an archive; if Terraform wrote it as a plan, check what `terraform show \
                    -json` prints of it, as in `terraform show -json PLAN | org-backup check -`";
        return Err(io::Error::new(io::ErrorKind::InvalidData, hint));
    }
    let text = match bytes.as_slice() {
        [0xff, 0xfe, rest @ ..] => utf_16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf_16(rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => utf_8(rest.to_vec()),
        _ => utf_8(bytes),
    };
    text.ok_or_else(|| {
        let hint = "convert it, as `iconv --from-code WINDOWS-1252 --to-code UTF-8` does";
        let why = advised("it is not UTF-8 text", Some(hint));
        io::Error::new(io::ErrorKind::InvalidData, why)
    })
}

fn utf_16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Option<String> {
    let (units, rest) = bytes.as_chunks();
    let units = units.iter().copied().map(unit);
    let text = char::decode_utf16(units).collect::<Result<_, _>>().ok();
    text.filter(|_| rest.is_empty())
}

fn utf_8(mut bytes: Vec<u8>) -> Option<String> {
    // This removes the character that the limit cut in half.
    if bytes.len() > json::MAX_BYTES
        && let Err(error) = std::str::from_utf8(&bytes)
        && error.error_len().is_none()
    {
        bytes.truncate(error.valid_up_to());
    }
    String::from_utf8(bytes).ok()
}

/// Returns the extension of a file in lower case.
pub(crate) fn extension(path: &Path) -> String {
    path.extension().unwrap_or_default().to_string_lossy().to_lowercase()
}

/// Returns `true` if the text is JSON, by the name of its file or else by its first characters.
pub(crate) fn is_json(input: &Input) -> bool {
    match extension(Path::new(&input.name)).as_str() {
        "json" | "jsonc" => true,
        "yaml" | "yml" => false,
        _ => ["{", "[", "//", "/*"].iter().any(|it| input.text.trim_start().starts_with(it)),
    }
}

/// Reads the text as JSON, with comments or without, or as YAML.
pub(crate) fn parse_all(input: &Input) -> Documents {
    if !is_json(input) {
        return template::read_all(&input.text, Syntax::Yaml);
    }
    let documents = template::read_all(&input.text, Syntax::Json);
    if !documents.all.is_empty() {
        return documents;
    }
    let Some(plain) = without_comments(&input.text) else { return documents };
    let mut documents = template::read_all(&plain, Syntax::Json);
    documents.findings.push(comments(&input.text, &plain));
    locate(&input.text, &mut documents.findings);
    documents
}

/// Returns the finding for a text in JSON that has comments. `plain` is the text without them.
fn comments(text: &str, plain: &str) -> Finding {
    let same = text.bytes().zip(plain.bytes()).take_while(|(one, other)| one == other).count();
    let start = u32::try_from(same).unwrap_or(u32::MAX);
    Finding {
        severity: Severity::Warning,
        code: Code::Comments,
        path: String::new(),
        span: Span { start, end: start },
        line: 0,
        column: 0,
        message:
            "JSON has no comments and no comma after a last value; AWS refuses them, so remove \
             them before you deploy this"
                .to_owned(),
    }
}

/// Reads the one document of a text.
///
/// The findings have their places; `None` means that the text is neither JSON nor YAML.
pub(crate) fn parse(input: &Input) -> (Option<Node>, Vec<Finding>) {
    if !is_json(input) {
        return template::read(&input.text, Syntax::Yaml);
    }
    let Documents { all, mut findings, .. } = parse_all(input);
    findings.retain(|it| it.severity == Severity::Error);
    (all.into_iter().next(), findings)
}
