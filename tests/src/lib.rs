//! What the tests share.

pub mod binaries;
pub mod organization;
pub mod role;
pub mod stack;
pub mod template;
