//! The media that org-backup speaks in, and the one writer of each.
//!
//! Names, documents, reasons and events come from elsewhere: from whoever may name a policy, open a
//! pull request or put an event on a bus. None of them may speak: move the cursor, turn letters
//! round, begin a line that looks like one of ours, be a command to a pipeline or a formula to a
//! spreadsheet. So a writer escapes everything that it is given, whoever it comes from, and nobody
//! has to remember what came from elsewhere. Escaping twice is the same as escaping once.
//!
//! | medium | writer | what becomes of a character that is not shown |
//! |---|---|---|
//! | terminal, standard error, a line of a message | [`line`] | `\n`, `\u{202e}` |
//! | a line of a table | [`laid_out`] | the same |
//! | mail | [`Mail`] | the same |
//! | CSV | [`csv`] | the same |
//! | HTML | [`html`] | the same |
//! | workflow command | [`workflow`] | the same |
//! | JSON, and with it logs, metrics and answers | [`json`] | `\n`, `\u202e`: the value stays what it is |
//!
//! It is a crate of its own because the command, the page, the functions and their notifications all
//! speak, and have nothing else in common.

pub mod csv;
pub mod html;
pub mod json;
mod mail;
mod plain;
pub mod workflow;

pub use mail::{Mail, field};
pub use plain::{is_shown, laid_out, line};
