//! Moments that somebody names.

use std::time::SystemTime;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Reads a moment: `2026-11-21T04:00:00Z`, `2026-11-21 04:00 UTC` as this command prints it, or
/// `2026-11-21`, which is the end of that day.
pub fn moment(text: &str) -> Option<SystemTime> {
    let text = text.trim();
    let whole = match text.strip_suffix(" UTC").and_then(|it| it.split_once(' ')) {
        Some((day, minute)) => format!("{day}T{minute}:00Z"),
        None if text.len() == 10 => format!("{text}T23:59:59Z"),
        None => text.to_owned(),
    };
    OffsetDateTime::parse(&whole, &Rfc3339).ok().map(SystemTime::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::utc;

    #[test]
    fn a_moment_is_read_as_it_is_printed_and_as_standards_have_it() {
        let read = |text| moment(text).map(utc);
        let four = Some("2026-11-21 04:00 UTC".to_owned());
        assert_eq!(read("2026-11-21 04:00 UTC"), four);
        assert_eq!(read("2026-11-21T04:00:00Z"), four);
        assert_eq!(read("2026-11-21T05:00:00+01:00"), four);
        assert_eq!(read("2026-11-21").as_deref(), Some("2026-11-21 23:59 UTC"));
        for text in ["", "yesterday", "2026-11-31", "2026-11-21 04:00", "04:00 UTC"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
