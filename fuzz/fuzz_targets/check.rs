//! Any text can be checked, and what was read can be written and read again.

#![no_main]

use std::time::{Duration, SystemTime};

use libfuzzer_sys::fuzz_target;
use policy::{check, json, parse};

fuzz_target!(|text: &str| {
    // The first byte moves the clock, since schedules are judged by it.
    let days = text.bytes().next().unwrap_or_default();
    let now =
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_000_000 + u64::from(days) * 86_400);
    for finding in check(text, now) {
        let place = finding.span.start as usize..finding.span.end as usize;
        assert!(text.get(place).is_some(), "{finding:?}");
    }
    let _ = parse(text);
    if let (Some(document), findings) = json::read(text) {
        let written = document.to_json();
        let (again, same) = json::read(&written);
        assert_eq!(again.map(|it| it.to_json()), Some(written));
        assert_eq!(same.len(), findings.len());
    }
});
