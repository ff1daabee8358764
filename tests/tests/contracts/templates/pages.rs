//! What pages say of templates.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use report::coverage::{Copied, Kind};
use tests::template::Template;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The cells of each row of the first table of a page whose first column has this heading.
pub(super) fn table(page: &str, heading: &str) -> Vec<Vec<String>> {
    let text = fs::read_to_string(root().join(page)).unwrap();
    let lines = text.lines().skip_while(|it| !it.starts_with(&format!("| {heading} |")));
    let rows = lines.take_while(|it| it.starts_with('|'));
    let cells =
        |line: &str| line.trim_matches('|').split(" | ").map(|it| it.trim().to_owned()).collect();
    rows.map(cells).collect()
}

/// What stands in code in a cell.
pub(super) fn code(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

#[test]
fn what_stacks_cost_is_counted_in_the_templates() {
    let types = [
        ("keys", "AWS::KMS::Key"),
        ("functions", "AWS::Lambda::Function"),
        ("alarms", "AWS::CloudWatch::Alarm"),
        ("dashboards", "AWS::CloudWatch::Dashboard"),
        ("queues", "AWS::SQS::Queue"),
        ("state machines", "AWS::StepFunctions::StateMachine"),
        ("buckets", "AWS::S3::Bucket"),
    ];
    let rows = table("docs/costs.md", "template");
    assert_eq!(rows[0][1..], types.map(|(name, _)| name.to_owned()));
    let mut told = BTreeMap::new();
    for row in &rows[2..] {
        for name in code(&row[0]) {
            told.insert(name.to_owned(), row[1..].to_vec());
        }
    }
    for template in Template::all() {
        let count = |kind: &str| {
            let all = template.resources(kind).into_iter();
            all.filter(|(_, it)| it["Type"] == kind).count().to_string()
        };
        let counted: Vec<_> = types.iter().map(|(_, kind)| count(kind)).collect();
        assert_eq!(told.remove(&template.name), Some(counted), "{}", template.name);
    }
    assert_eq!(told, BTreeMap::new());
}

/// The value of sums of products, in which numbers may have commas and units.
fn value(text: &str) -> f64 {
    if let Some((before, rest)) = text.rsplit_once('(') {
        let (inside, after) = rest.split_once(')').unwrap();
        return value(&format!("{before}{}{after}", value(inside)));
    }
    let number = |it: &str| {
        let digits: String = it.chars().filter(|it| it.is_ascii_digit() || *it == '.').collect();
        digits.parse::<f64>().unwrap_or_else(|_| panic!("`{it}` in `{text}` is no number"))
    };
    text.split('+').map(|it| it.split('×').map(number).product::<f64>()).sum()
}

#[test]
fn the_arithmetic_of_the_costs_is_right() {
    let page = fs::read_to_string(root().join("docs/costs.md")).unwrap();
    for (equals, _) in page.match_indices(" = ") {
        let (left, right) = (&page[..equals], &page[equals + 3..]);
        let is_part = |it: char| it.is_ascii_digit() || ",. ×+()sGB".contains(it);
        let start = left.char_indices().rev().take_while(|it| is_part(it.1)).last().unwrap().0;
        let end = right.find(|it: char| !it.is_ascii_digit() && !",.".contains(it)).unwrap();
        let cents = |it: &str| (value(it) * 100.0).round() / 100.0;
        assert!(
            cents(&left[start..]).total_cmp(&cents(&right[..end])).is_eq(),
            "{}",
            &left[start..]
        );
    }
    // The prices of a GB-month in warm storage and of a GB to another Region.
    assert!(
        page.contains(": 0.05 USD for a GB-month of EFS") && page.contains("0.02 USD for a GB to")
    );
    for row in &table("docs/costs.md", "backups")[2..] {
        let is_transfer = row[0].contains("transfer") || row[0].starts_with("and in each month");
        if let (Some((_, stored)), Some((price, _))) =
            (row[1].split_once(" = "), row[2].split_once(" USD"))
        {
            let per_gb = if is_transfer { 0.02 } else { 0.05 };
            assert_eq!(format!("{:.2}", value(stored) * per_gb), price.replace(',', ""), "{row:?}");
        }
    }
}

#[test]
fn the_readme_names_every_template_and_every_property() {
    let rows = table("README.md", "Template");
    let told: Vec<_> = rows.iter().flat_map(|it| code(&it[0])).collect();
    for template in Template::all() {
        assert!(told.contains(&template.name.as_str()), "{}", template.name);
    }
    let rows = table("README.md", "Type");
    for template in Template::all() {
        for (name, resource) in template.resources("Custom::") {
            let kind = resource["Type"].as_str().unwrap();
            let row = rows.iter().find(|it| code(&it[0]).contains(&kind)).unwrap();
            for property in resource["Properties"].as_object().unwrap().keys() {
                let own = cfn::OF_THE_DEPLOYMENT.contains(&property.as_str());
                assert!(own || code(&row[1]).contains(&property.as_str()), "{name}: {property}");
            }
        }
    }
}

#[test]
fn every_type_of_resource_is_on_its_page_as_the_command_knows_it() {
    let list = fs::read_to_string(root().join("crates/policy/data/types.tsv")).unwrap();
    let mut lines = list.lines().map(|it| it.split('\t').collect::<Vec<_>>());
    let as_of = lines.next().unwrap()[1].to_owned();
    let known: BTreeMap<_, _> = lines.map(|it| (it[0].to_owned(), it[1].to_owned())).collect();
    let rows = table("docs/resource-types.md", "type");
    let place = |name: &str| rows[0].iter().position(|it| it == name).unwrap();
    let (types, at_once) = (place("`resource_types`"), place("both at once"));
    let mut told = BTreeMap::new();
    for row in &rows[2..] {
        for name in code(&row[types]) {
            told.insert(name.to_owned(), row[at_once].clone());
        }
    }
    assert_eq!(told, known);
    let page = fs::read_to_string(root().join("docs/resource-types.md")).unwrap();
    assert!(page.contains(&format!("as of {as_of}")), "{as_of}");
}

#[test]
fn what_coverage_expects_of_a_type_is_what_its_page_says() {
    // Found in no source. A copy or a key that AWS Backup refuses is reported as a job that failed.
    let is_open = |cell: &str| cell == "not found" || cell == "unknown";
    let rows = table("docs/resource-types.md", "type");
    let cell =
        |row: &[String], name: &str| row[rows[0].iter().position(|it| it == name).unwrap()].clone();
    let mut compared = 0;
    for row in &rows[2..] {
        // Of Redshift, policies take a form of ARN that no cluster has.
        let types = cell(row, "`resource_types`");
        for name in code(&types).into_iter().filter(|it| !it.starts_with("redshift:*:*:cluster/")) {
            let (service, resource) = name.split_once(":*:*:").unwrap_or(("s3", "bucket"));
            let region = if service == "s3" { "::" } else { "eu-west-1:111122223333:" };
            let arn = format!("arn:aws:{service}:{region}{}", resource.replace('*', "a"));
            let Some(kind) = Kind::of(&arn, None) else { panic!("{arn}") };
            let (managed, copied) = (cell(row, "fully managed"), cell(row, "to another account"));
            let at_once = cell(row, "both at once");
            if !is_open(&managed) {
                // Some backups of DynamoDB and CloudFormation are, and the vault's key is what counts.
                assert_eq!(kind.is_managed, managed != "no", "{arn}: {managed}");
            }
            if !is_open(&at_once) {
                let expected = match (copied.as_str(), at_once.as_str()) {
                    ("no", _) => Copied::Never,
                    (_, "either") => Copied::OneWay,
                    _ => Copied::Anywhere,
                };
                assert_eq!(kind.copied, expected, "{arn}: {copied}, {at_once}");
            }
            let point_in_time = cell(row, "point in time");
            let is_continuous = point_in_time.starts_with("yes") || point_in_time == "Aurora only";
            assert_eq!(kind.is_continuous, is_continuous, "{arn}: {point_in_time}");
            compared += 1;
        }
    }
    assert!(compared > 15, "{compared}");
}

#[test]
fn every_function_is_in_the_security_model() {
    let rows = table("docs/security.md", "function");
    let told: Vec<_> = rows.iter().flat_map(|it| code(&it[0])).collect();
    let mut functions: Vec<_> = fs::read_dir(root().join("functions")).unwrap().collect();
    functions.retain(|it| it.as_ref().unwrap().path().join("Cargo.toml").is_file());
    for function in functions {
        let name = function.unwrap().file_name().into_string().unwrap();
        assert!(told.contains(&name.as_str()), "{name}");
    }
}

#[test]
fn every_link_to_a_file_leads_there() {
    fn pages(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap().map(|it| it.unwrap()) {
            let path = entry.path();
            if path.is_dir() {
                pages(&path, found);
            } else if path.extension().is_some_and(|it| it == "md") {
                found.push(path);
            }
        }
    }
    let mut found = vec![root().join("README.md"), root().join("CONTRIBUTING.md")];
    pages(&root().join("docs"), &mut found);
    let mut links = 0;
    for page in found {
        let text = fs::read_to_string(&page).unwrap();
        for link in text.split("](").skip(1).filter_map(|it| it.split(')').next()) {
            let file = link.split('#').next().unwrap();
            if !file.is_empty() && !file.contains("://") {
                links += 1;
                let path = page.parent().unwrap().join(file);
                assert!(path.exists(), "{}: {link}", page.display());
            }
        }
    }
    assert!(links > 20, "{links}");
}

#[test]
fn every_assumption_says_what_speaks_for_it_and_every_fact_its_source() {
    for row in table("docs/unverified.md", "Assumption").iter().skip(2) {
        assert_eq!(row.len(), 3, "{row:?}");
        assert!(row[2] == "open" || row[2].starts_with("partly: "), "{row:?}");
    }
    let facts = table("docs/verified.md", "Fact");
    assert!(facts.len() > 20);
    for row in facts.iter().skip(2) {
        assert!(row.len() == 2 && !row[1].is_empty(), "{row:?}");
    }
}

#[test]
fn the_first_screen_says_that_nothing_was_run_against_aws() {
    let text = fs::read_to_string(root().join("README.md")).unwrap();
    let first = text.lines().take(10).collect::<Vec<_>>().join("\n");
    for words in ["has not been run against AWS", "docs/unverified.md", "docs/verified.md"] {
        assert!(first.contains(words), "{words}");
    }
}
