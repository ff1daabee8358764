//! Measures the cost of the functions and compares it with their limits.

#![expect(
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a result that cannot be measured needs a look"
)]

pub mod measure;
pub mod package;
pub mod plot;
pub mod run;
pub mod share;
pub mod subject;
pub mod table;
