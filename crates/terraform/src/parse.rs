//! Parses files.

use hcl_edit::parser::parse_body;
use hcl_edit::structure::Body;
use policy::{Span, json};

use crate::Unreadable;
use crate::shallow::{self, TextKind};

/// The most bytes of a file that is read.
const MOST_BYTES: usize = json::MAX_BYTES;

/// Parses a file.
pub(crate) fn parse(text: &str) -> Result<Body, Unreadable> {
    let unreadable = |why: &str| Unreadable { span: Span::default(), why: why.to_owned() };
    if text.len() > MOST_BYTES {
        return Err(unreadable(&format!("it has more than {MOST_BYTES} bytes")));
    }
    if !shallow::is_shallow(text, TextKind::Body) {
        return Err(unreadable("its expressions are nested too deep"));
    }
    parse_body(text).map_err(|error| {
        let start = u32::try_from(error.location().offset()).unwrap_or_default();
        let span = Span { start, end: start };
        Unreadable { span, why: format!("it is not HCL: {}", error.message()) }
    })
}
