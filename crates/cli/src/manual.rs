//! The completions of a shell and the pages of `man`, generated from the arguments of the command.

use std::path::PathBuf;

use clap::{Args, CommandFactory as _, ValueEnum};

use crate::output::Output;
use crate::{Arguments, CommandError, Exit};

/// The name of the command.
const NAME: &str = "org-backup";

/// Print the completions of this command for a shell
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  org-backup completions bash \\
    > ~/.local/share/bash-completion/completions/org-backup
  org-backup completions zsh > ~/.zfunc/_org-backup")]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

/// A shell that completes arguments.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum Shell {
    Bash,
    Zsh,
    Fish,
    #[value(name = "powershell")]
    Power,
}

impl Shell {
    fn generator(self) -> clap_complete::Shell {
        match self {
            Self::Bash => clap_complete::Shell::Bash,
            Self::Zsh => clap_complete::Shell::Zsh,
            Self::Fish => clap_complete::Shell::Fish,
            Self::Power => clap_complete::Shell::PowerShell,
        }
    }
}

impl Completions {
    /// Prints the completions.
    pub(crate) fn run(&self) -> Result<Exit, CommandError> {
        let (mut arguments, mut script) = (Arguments::command(), Vec::new());
        clap_complete::generate(self.shell.generator(), &mut arguments, NAME, &mut script);
        let mut output = Output::new();
        output.own(&String::from_utf8_lossy(&script))?;
        output.flush()?;
        Ok(Exit::Fine)
    }
}

/// Write the pages for `man` into a folder
#[derive(Debug, Args)]
#[command(hide = true)]
pub(crate) struct Manual {
    /// The folder, which has to exist
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
}

impl Manual {
    /// Writes the pages, one for each command.
    pub(crate) fn run(&self) -> Result<Exit, CommandError> {
        let unwritable =
            |source| CommandError::Unwritable { file: self.folder.display().to_string(), source };
        clap_mangen::generate_to(Arguments::command(), &self.folder).map_err(unwritable)?;
        Ok(Exit::Fine)
    }
}
