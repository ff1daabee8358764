//! A Lambda Runtime API on loopback that runs real function binaries.

mod child;
mod function;
mod runtime;

pub use self::function::{Function, FunctionBuilder, Outcome};
