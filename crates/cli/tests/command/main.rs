//! The command, run as people run it.

mod documentation;
mod policies;
mod vectors;
mod words;
