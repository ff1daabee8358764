//! The command, run as people run it.

mod cases;
mod codes;
mod documentation;
mod files;
mod formats;
mod integrations;
mod policies;
mod templates;
mod terraform;
mod vectors;
mod words;
