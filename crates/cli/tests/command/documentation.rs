//! What people write their pipelines against is written down.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use policy::Code;

#[test]
fn every_code_of_a_finding_is_documented() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/check-and-effective.md");
    let page = fs::read_to_string(page).unwrap();
    let table = page.lines().skip_while(|it| !it.starts_with("| code | what")).skip(2);
    let cells = table.take_while(|it| it.starts_with('|')).filter_map(|it| it.split('|').nth(1));
    let documented: BTreeSet<_> =
        cells.flat_map(|it| it.split(',')).map(|it| it.trim().trim_matches('`')).collect();
    let known: BTreeSet<_> = Code::ALL.iter().map(|it| it.as_str()).collect();
    assert_eq!(known, documented);
}
