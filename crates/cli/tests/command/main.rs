//! The command, run as people run it.

mod codes;
mod documentation;
mod policies;
mod vectors;
mod words;
