//! The report as one page that needs nothing else: no network, no server, no framework.
//!
//! The page has its data as JSON, with every effective policy and every kind of cell once. Its
//! script makes rows from the data when they are needed. The content security policy names the
//! hashes of the style and the script, so that the data cannot run anything else.

mod data;
mod evidence;

use media::html;
use sha2::{Digest, Sha256};

use super::{NO_REGION, Report, counted, utc};

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("page.js");

/// Returns the whole page.
pub fn page(report: &Report) -> String {
    let security = format!(
        "default-src 'none'; style-src '{}'; script-src '{}'; img-src data:; base-uri 'none'; \
         form-action 'none'",
        source(STYLE),
        source(SCRIPT)
    );
    let data = html::data(&data::data(report));
    let mut page = String::with_capacity(PAGE.len() + STYLE.len() + SCRIPT.len() + data.len());
    // Inserted text is never searched for placeholders, so no name can act as one.
    let mut parts = PAGE.split("{{");
    page.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let (name, rest) = part.split_once("}}").unwrap_or((part, ""));
        match name {
            "security" => page.push_str(&security),
            "organization" => page.push_str(&html::text(&report.organization.id)),
            "sum" => page.push_str(&html::text(&sum(report))),
            "style" => page.push_str(STYLE),
            "script" => page.push_str(SCRIPT),
            "data" => page.push_str(&data),
            other => unreachable!("the page has no place for {other}"),
        }
        page.push_str(rest);
    }
    page
}

/// Returns a summary in one sentence, for readers who see no more of the page.
fn sum(report: &Report) -> String {
    let (taken, accounts) = (utc(report.taken), counted(report.rows.len(), "account"));
    if report.regions.is_empty() {
        return format!("{taken}: {accounts}; {NO_REGION}.");
    }
    let regions = counted(report.regions.len(), "Region");
    format!("{taken}: {accounts} × {regions}: {}.", report.tally_words())
}

/// Returns the source expression of a text in a content security policy: its hash, in base 64.
fn source(text: &str) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let hash = Sha256::digest(text);
    let mut source = "sha256-".to_owned();
    for three in hash.chunks(3) {
        let byte = |index: usize| u32::from(three.get(index).copied().unwrap_or_default());
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for (place, shift) in [18, 12, 6, 0].into_iter().enumerate() {
            let digit = DIGITS.get((bits >> shift & 63) as usize).copied().unwrap_or(b'=');
            source.push(if place <= three.len() { char::from(digit) } else { '=' });
        }
    }
    source
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_the_hash_in_base_64() {
        // As browsers print it when they refuse an empty script, and one of three bytes.
        assert_eq!(source(""), "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
        assert_eq!(source("abc"), "sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=");
    }
}
