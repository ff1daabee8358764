//! Reads what only the operator's command reads. Nothing is changed.

pub mod doctor;
pub mod levels;
