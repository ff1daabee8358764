//! The output media of org-backup, with exactly one writer for each.
//!
//! Names, documents, reasons and events come from elsewhere: from anyone who can name a policy,
//! open a pull request or put an event on a bus. Such text must only be displayed. It must not move
//! the cursor, reverse the direction of letters, begin a line that looks like one of ours, become a
//! command in a pipeline or become a formula in a spreadsheet. A writer therefore escapes all text
//! that it is given, regardless of its source, and callers do not have to track the source.
//! Escaping twice gives the same result as escaping once.
//!
//! | medium | writer | escaped form of an unshown character |
//! |---|---|---|
//! | terminal, standard error, a line of a message | [`line`] | `\n`, `\u{202e}` |
//! | a line of a table | [`laid_out`] | the same |
//! | mail | [`Mail`] | the same |
//! | chat rooms | [`markdown`] | the same |
//! | CSV | [`csv`] | the same |
//! | HTML | [`html`] | the same |
//! | workflow command | [`workflow`] | the same |
//! | JSON, also in logs, metrics and answers | [`json`] | `\n`, `\u202e`: the value is unchanged |
//!
//! This is a separate crate because the command, the page, the functions and their notifications
//! all produce output, and have nothing else in common.

pub mod csv;
pub mod html;
pub mod json;
mod mail;
mod markdown;
mod plain;
pub mod workflow;

pub use mail::{Mail, field};
pub use markdown::markdown;
pub use plain::{is_shown, laid_out, line};
