//! Any text can be read as YAML or as JSON with comments, what it comes to is bounded, and it is the
//! same document as JSON.

#![no_main]

use libfuzzer_sys::fuzz_target;
use policy::json;
use template::{Syntax, read, read_all, without_comments};

fuzz_target!(|text: &str| {
    let (document, findings) = read(text, Syntax::Yaml);
    for finding in &findings {
        let place = finding.span.start as usize..finding.span.end as usize;
        assert!(text.get(place).is_some(), "{finding:?}");
    }
    let all = read_all(text, Syntax::Yaml);
    for finding in all.findings.iter().chain(&all.words) {
        let place = finding.span.start as usize..finding.span.end as usize;
        assert!(text.get(place).is_some(), "{finding:?}");
    }
    if let Some(plain) = without_comments(text) {
        // Places stay as they are.
        assert_eq!(plain.len(), text.len());
        let _ = read_all(&plain, Syntax::Json);
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
