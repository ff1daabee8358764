//! Finds the backup policies in files of Terraform and `OpenTofu`, and evaluates them as far as
//! that is possible without running either.
//!
//! The files of one folder are a module, and are read together. A module that it calls in another
//! folder is evaluated with the arguments of the call. Locals, variables, functions and
//! loops are evaluated as far as their arguments are known. A value that is not known stays
//! [`Value::Unknown`](policy::Value::Unknown) with a reason, and is never guessed.
//!
//! There is no I/O here: [`Files`] reads the files that functions name.

mod call;
mod data;
mod declared;
mod evaluate;
mod functions;
mod module;
mod parse;
mod shallow;
mod strings;
#[cfg(test)]
mod tests;
mod types;
mod values;
mod ways;

use std::thread;

use policy::{Node, Span};

use crate::module::Module;

/// The resource types of policies of AWS Organizations, in the providers `aws` and `awscc`.
pub const RESOURCES: &[&str] = &["aws_organizations_policy", "awscc_organizations_policy"];

/// The stack size, in bytes, of the thread that reads. The parser calls itself for each level of an
/// expression, of which there are at most [`shallow::MAX_DEPTH`].
const STACK: usize = 64 << 20;

/// A file of a module.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// Its file name.
    pub name: String,
    /// Its content.
    pub text: String,
}

/// Reads the files that a module names.
pub trait Files {
    /// Reads the file at this path, which is relative to the folder of the module.
    ///
    /// # Errors
    ///
    /// Returns the reason if the file is not read.
    fn read(&self, path: &str) -> Result<String, String>;

    /// Lists the files at any depth below the folder at this path. The paths that it returns are
    /// relative to that folder, and use `/`.
    ///
    /// # Errors
    ///
    /// Returns the reason if the folder is not read.
    fn list(&self, path: &str) -> Result<Vec<String>, String>;

    /// Reads the files of the module in the folder at this path.
    ///
    /// # Errors
    ///
    /// Returns the reason if the folder is not read.
    fn module(&self, path: &str) -> Result<Vec<SourceFile>, String>;
}

/// The backup policies of one file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FoundPolicies {
    /// The policies.
    pub policies: Vec<FoundPolicy>,
    /// The places in them whose values are not known.
    pub unknown: Vec<Unknown>,
}

/// A backup policy in a file.
#[derive(Clone, Debug, PartialEq)]
pub struct FoundPolicy {
    /// The address of its resource or module, and the attribute, joined by `/`.
    pub path: String,
    /// The document, or a string that holds it.
    pub content: Node,
    /// True if a part of the document is not known.
    pub is_open: bool,
    /// The file with values of variables that the document was evaluated with, if you have to name
    /// that file when you run Terraform.
    pub values: Option<String>,
}

/// A place whose value is not known without running Terraform.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Unknown {
    /// The address and the keys that lead to it, joined by `/`.
    pub path: String,
    /// Its place in the file.
    pub span: Span,
    /// The reason why the value is not known.
    pub why: String,
}

/// The reason why a file is not read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Unreadable {
    /// The place at which reading stopped.
    pub span: Span,
    /// The reason.
    pub why: String,
}

/// Finds the backup policies in each file of a module.
///
/// `values` are the files with values of variables in the folder of the module. Those that
/// Terraform reads by itself, such as `terraform.tfvars`, are used in its order. Of the others you
/// name one when you run Terraform, so the module is evaluated once with each of them.
pub fn policies(
    sources: &[SourceFile],
    values: &[SourceFile],
    files: &(dyn Files + Sync),
) -> Vec<Result<FoundPolicies, Unreadable>> {
    let gave_up = Unreadable { span: Span::default(), why: "the parser gave up".to_owned() };
    on_a_large_stack(|| Module::read(sources).policies(values, files))
        .unwrap_or_else(|| sources.iter().map(|_| Err(gave_up.clone())).collect())
}

/// Runs `work` on a stack that is large enough. Returns `None` if it panics or no thread can be
/// started.
fn on_a_large_stack<T: Send>(work: impl FnOnce() -> T + Send) -> Option<T> {
    thread::scope(|scope| {
        let thread = thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work);
        thread.ok()?.join().ok()
    })
}
