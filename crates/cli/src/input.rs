//! Finds and reads what is named on the command line.

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use policy::{Finding, Node, json};
use template::Syntax;

use crate::CommandError;

/// A text and the name it is reported under.
pub(crate) struct Input {
    /// The path as given, or `-`.
    pub(crate) name: String,
    /// What is in it.
    pub(crate) text: String,
    /// Whether it was named itself, and not found in a directory.
    pub(crate) is_named: bool,
}

/// What is read as a policy or template in a directory.
const EXTENSIONS: &[&str] = &["json", "yaml", "yml", "template"];

/// Reads every file named in `paths`, and those in directories among them.
pub(crate) fn read_all(paths: &[PathBuf]) -> Result<Vec<Input>, CommandError> {
    let mut inputs = Vec::new();
    for path in paths {
        if path.is_dir() {
            for file in files(path)? {
                inputs.push(Input { is_named: false, ..read(&file)? });
            }
        } else {
            inputs.push(read(path)?);
        }
    }
    Ok(inputs)
}

/// Reads one file, or standard input for `-`.
pub(crate) fn read(path: &Path) -> Result<Input, CommandError> {
    let name = path.display().to_string();
    let bytes = if name == "-" { standard_input() } else { limited(path) };
    let text = bytes.and_then(|bytes| {
        let text = String::from_utf8(bytes);
        text.map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8 text"))
    });
    match text {
        Ok(text) => {
            // A byte order mark is no part of the document.
            let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
            Ok(Input { name, text, is_named: true })
        }
        Err(source) => Err(CommandError::Unreadable { file: name, source }),
    }
}

/// Reads no more than is needed to see that a text is too long.
fn limited(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(json::MAX_BYTES as u64 + 4).read_to_end(&mut bytes)?;
    Ok(whole_characters(bytes))
}

fn standard_input() -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    io::stdin().lock().take(json::MAX_BYTES as u64 + 4).read_to_end(&mut bytes)?;
    Ok(whole_characters(bytes))
}

/// Takes away the character that was cut in half at the limit.
fn whole_characters(mut bytes: Vec<u8>) -> Vec<u8> {
    if bytes.len() > json::MAX_BYTES
        && let Err(error) = std::str::from_utf8(&bytes)
        && error.error_len().is_none()
    {
        bytes.truncate(error.valid_up_to());
    }
    bytes
}

/// The policies and templates below `directory`, sorted.
fn files(directory: &Path) -> Result<Vec<PathBuf>, CommandError> {
    let unreadable =
        |source| CommandError::Unreadable { file: directory.display().to_string(), source };
    let entries = fs::read_dir(directory).map_err(unreadable)?;
    let mut entries = entries.collect::<Result<Vec<_>, _>>().map_err(unreadable)?;
    entries.sort_by_key(fs::DirEntry::file_name);
    let mut found = Vec::new();
    for entry in entries {
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_string_lossy();
        if name.starts_with('.') {
            continue;
        }
        // Not following links keeps a link to a parent from going round for ever.
        if entry.file_type().map_err(unreadable)?.is_dir() {
            found.extend(files(&path)?);
        } else if is_wanted(&path) && name != "effective.json" && !name.ends_with(".effective.json")
        {
            found.push(path);
        }
    }
    Ok(found)
}

fn is_wanted(path: &Path) -> bool {
    let extension = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
    EXTENSIONS.contains(&extension.as_str())
}

/// Whether the text is JSON, by the name of its file or else by how it begins.
pub(crate) fn is_json(input: &Input) -> bool {
    let extension = Path::new(&input.name).extension().unwrap_or_default().to_string_lossy();
    match extension.to_lowercase().as_str() {
        "json" => true,
        "yaml" | "yml" => false,
        _ => input.text.trim_start().starts_with(['{', '[']),
    }
}

/// Reads the text as JSON or YAML, whichever it is.
///
/// The findings have their places; `None` means that the text is neither.
pub(crate) fn parse(input: &Input) -> (Option<Node>, Vec<Finding>) {
    let syntax = if is_json(input) { Syntax::Json } else { Syntax::Yaml };
    template::read(&input.text, syntax)
}
