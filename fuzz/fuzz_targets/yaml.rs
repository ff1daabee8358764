//! Any text can be read as YAML, what it comes to is bounded, and it is the same document as JSON.

#![no_main]

use libfuzzer_sys::fuzz_target;
use policy::json;
use template::{Syntax, read};

fuzz_target!(|text: &str| {
    let (document, findings) = read(text, Syntax::Yaml);
    for finding in &findings {
        let place = finding.span.start as usize..finding.span.end as usize;
        assert!(text.get(place).is_some(), "{finding:?}");
    }
    if let Some(document) = document {
        let written = document.to_json();
        // An escape is six bytes in place of one.
        assert!(written.len() <= 6 * json::MAX_BYTES, "{} bytes", written.len());
        if written.len() <= json::MAX_BYTES {
            let again = read(&written, Syntax::Yaml).0.map(|it| it.to_json());
            assert_eq!(again.as_ref(), Some(&written));
            assert_eq!(json::read(&written).0.map(|it| it.to_json()), Some(written));
        }
    }
});
