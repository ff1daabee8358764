//! What the tests share.

pub mod template;
