use std::collections::BTreeMap;
use std::path::Path;

use policy::{Node, Value};
use proptest::prelude::*;

use crate::{Files, FoundPolicies, SourceFile, policies};

/// The files beside a module.
#[derive(Default)]
struct Beside(BTreeMap<&'static str, &'static str>);

impl Files for Beside {
    fn read(&self, path: &str) -> Result<String, String> {
        let path = path.trim_start_matches("./");
        self.0.get(path).map(|it| (*it).to_owned()).ok_or_else(|| "it is not there".to_owned())
    }

    fn list(&self, path: &str) -> Result<Vec<String>, String> {
        let names = self.0.keys().map(|it| (*it).to_owned());
        if path == "." { Ok(names.collect()) } else { Err("it is not there".to_owned()) }
    }

    fn module(&self, path: &str) -> Result<Vec<SourceFile>, String> {
        let inside = |it: (&&str, &&str)| {
            let name = it.0.strip_prefix(path)?.strip_prefix('/')?;
            let is_source =
                Path::new(name).extension().is_some_and(|it| it == "tf") && !name.contains('/');
            is_source.then(|| SourceFile { name: name.to_owned(), text: (*it.1).to_owned() })
        };
        let files: Vec<_> = self.0.iter().filter_map(inside).collect();
        if files.is_empty() { Err("it is not there".to_owned()) } else { Ok(files) }
    }
}

fn found(texts: &[&str]) -> FoundPolicies {
    found_with(texts, &[])
}

/// What is found in the first of these texts, with files of values beside them.
fn found_with(texts: &[&str], values: &[(&str, &str)]) -> FoundPolicies {
    let files = [
        ("policy.json", r#"{"plans": {"file": {}}}"#),
        (
            "policy.tftpl",
            "{\"plans\": {%{ for it in names ~}\n  \"${it}\": {},\n%{ endfor ~}\n\"last\": {}}}",
        ),
        ("policy.yaml", "plans: {yaml: {regions: [1]}}"),
    ];
    let sources: Vec<_> = texts
        .iter()
        .enumerate()
        .map(|(index, it)| SourceFile { name: format!("{index}.tf"), text: (*it).to_owned() })
        .collect();
    let file = |it: &(&str, &str)| SourceFile { name: it.0.to_owned(), text: it.1.to_owned() };
    let values: Vec<_> = values.iter().map(file).collect();
    policies(&sources, &values, &Beside(files.into())).remove(0).unwrap()
}

/// The address and the document of each policy of a text, and what of it is not known.
#[track_caller]
fn check(text: &str, expected: &[(&str, &str)], unknown: &[(&str, &str)]) {
    check_all(&[text], expected, unknown);
}

#[track_caller]
fn check_all(texts: &[&str], expected: &[(&str, &str)], unknown: &[(&str, &str)]) {
    check_found(&found(texts), expected, unknown);
}

#[track_caller]
fn check_found(found: &FoundPolicies, expected: &[(&str, &str)], unknown: &[(&str, &str)]) {
    let as_text =
        |it: &Node| if let Value::Text(it) = &it.value { it.clone() } else { it.to_json() };
    let policies: Vec<_> =
        found.policies.iter().map(|it| (it.path.as_str(), as_text(&it.content))).collect();
    let policies: Vec<_> = policies.iter().map(|it| (it.0, it.1.as_str())).collect();
    assert_eq!(policies, expected);
    let told: Vec<_> = found.unknown.iter().map(|it| (it.path.as_str(), it.why.as_str())).collect();
    assert_eq!(told, unknown);
}

/// A policy of the resource `p` with this content.
fn resource(content: &str) -> String {
    format!(
        "resource \"aws_organizations_policy\" \"p\" {{\n  type = \"BACKUP_POLICY\"\n  content = \
         {content}\n}}\n"
    )
}

const P: &str = "aws_organizations_policy.p/content";

#[test]
fn what_is_written_down_is_read_in_every_form() {
    for (content, expected) in [
        (
            "jsonencode({ plans = { a = { \"@@x\" : [1, true, null, \"é\"] } } })",
            r#"{"plans":{"a":{"@@x":[1,true,null,"é"]}}}"#,
        ),
        ("\"{\\\"plans\\\": {}}\"", r#"{"plans": {}}"#),
        ("<<EOT\n{\"plans\": {}}\nEOT", "{\"plans\": {}}\n"),
        ("<<-EOT\n    {\n      \"plans\": {}}\n  EOT", "{\n  \"plans\": {}}\n"),
        ("file(\"policy.json\")", r#"{"plans": {"file": {}}}"#),
        ("file(\"${path.module}/policy.json\")", r#"{"plans": {"file": {}}}"#),
        ("jsonencode(jsondecode(file(\"policy.json\")))", r#"{"plans":{"file":{}}}"#),
        ("jsonencode(yamldecode(file(\"policy.yaml\")))", r#"{"plans":{"yaml":{"regions":[1]}}}"#),
        (
            "templatefile(\"policy.tftpl\", { names = [\"a\", \"b\"] })",
            "{\"plans\": {  \"a\": {},\n  \"b\": {},\n\"last\": {}}}",
        ),
        ("\"${jsonencode({ plans = {} })}\"", r#"{"plans":{}}"#),
        (
            "jsonencode({ plans = { for it in [\"a\", \"b\"] : it => { n = upper(it) } if it != \"a\" } })",
            r#"{"plans":{"b":{"n":"B"}}}"#,
        ),
        ("jsonencode({ plans = true ? { a = 1 + 2 * 3 } : {} })", r#"{"plans":{"a":7}}"#),
        (
            "jsonencode({ plans = merge({ a = 1 }, { b = 2 }, [{ a = 3 }]...) })",
            r#"{"plans":{"b":2,"a":3}}"#,
        ),
        (
            "jsonencode({ plans = { a = format(\"%s-%d%%\", \"x\", 5), b = join(\",\", concat([\"1\"], [2])) } })",
            r#"{"plans":{"a":"x-5%","b":"1,2"}}"#,
        ),
        (
            "jsonencode({ plans = { a = try({}.x, \"otherwise\"), b = lookup({ k = 1 }, \"l\", 2) } })",
            r#"{"plans":{"a":"otherwise","b":2}}"#,
        ),
    ] {
        check(&resource(content), &[(P, expected)], &[]);
    }
}

#[test]
fn the_functions_that_modules_use_are_evaluated() {
    for (expression, expected) in [
        ("[{ a = 1 }, { a = 2 }][*].a", "[1,2]"),
        ("[{ a = { b = 1 } }, { a = { b = 2 } }].*.a.b", "[1,2]"),
        ("[{ a = [3] }, { a = [4] }][*].a[0]", "[3,4]"),
        ("[{ a = 3 }, { a = 4 }].*.a[1]", "4"),
        ("null[*]", "[]"),
        ("\"x\"[*]", "[\"x\"]"),
        (
            "{ for it in [\"ab\", \"ac\", \"b\"] : substr(it, 0, 1) => it... }",
            r#"{"a":["ab","ac"],"b":["b"]}"#,
        ),
        ("[for it in { b = 1, a = 2 } : it]", "[2,1]"),
        ("toset([\"b\", \"b\", \"a\"])", r#"["b","a"]"#),
        ("setunion([1, 2], [2, 3])", "[1,2,3]"),
        ("setintersection([1, 2], [2, 3])", "[2]"),
        ("setsubtract([1, 2], [2, 3])", "[1]"),
        ("setproduct([\"a\", \"b\"], [1, 2])", r#"[["a",1],["a",2],["b",1],["b",2]]"#),
        ("zipmap([\"a\", \"b\"], [1, 2])", r#"{"a":1,"b":2}"#),
        ("flatten([[1, [2]], 3])", "[1,2,3]"),
        ("reverse([1, 2])", "[2,1]"),
        ("slice([1, 2, 3], 1, 3)", "[2,3]"),
        ("chunklist([1, 2, 3], 2)", "[[1,2],[3]]"),
        ("sort([\"b\", \"a\"])", r#"["a","b"]"#),
        ("range(3)", "[0,1,2]"),
        ("range(5, 1, -2)", "[5,3]"),
        ("one([])", "null"),
        ("one([7])", "7"),
        ("index([\"a\", \"b\"], \"b\")", "1"),
        ("matchkeys([1, 2], [\"a\", \"b\"], [\"b\"])", "[2]"),
        ("[alltrue([true, true]), anytrue([false, false])]", "[true,false]"),
        ("[max(1, 3), min([2, 1]...), sum([2, 3])]", "[3,1,5]"),
        ("formatlist(\"%s-%s\", [\"a\", \"b\"], \"x\")", r#"["a-x","b-x"]"#),
        (
            "[startswith(\"ab\", \"a\"), endswith(\"ab\", \"a\"), strcontains(\"ab\", \"b\")]",
            "[true,false,true]",
        ),
        (
            "[title(\"one two\"), trim(\"--a-\", \"-\"), indent(2, \"a\\nb\")]",
            r#"["One Two","a","a\n  b"]"#,
        ),
        (
            "[basename(\"a/b.json\"), dirname(\"a/b.json\"), dirname(\"b\")]",
            r#"["b.json","a","."]"#,
        ),
        (
            "[tonumber(\"5\"), tostring(5), tobool(\"true\"), tostring(null)]",
            r#"[5,"5",true,null]"#,
        ),
        ("coalescelist([], [1])", "[1]"),
        ("fileset(path.module, \"*.json\")", r#"["policy.json"]"#),
        (
            "[for it in fileset(\".\", \"{policy,x}.y*\") : yamldecode(file(it))]",
            r#"[{"plans":{"yaml":{"regions":[1]}}}]"#,
        ),
        (
            "[null == null, [] == [], { a = 1 } == { a = 1 }, { a = 1 } != {}, null != []]",
            "[true,true,true,true,true]",
        ),
        ("[6 / 2, 7 % 4]", "[3,3]"),
        ("[false && {}.x, true || {}.x]", "[false,true]"),
        ("[can({}.x), can({ x = 1 }.x)]", "[false,true]"),
    ] {
        let text = resource(&format!("jsonencode({{ plans = {expression} }})"));
        check(&text, &[(P, &format!("{{\"plans\":{expected}}}"))], &[]);
    }
}

#[test]
fn what_is_not_known_is_not_guessed() {
    let open = "variable \"open\" {}\n";
    let why = "the variable `open` has no default";
    for (expression, other) in [
        ("try(var.open, 1)", None),
        ("can(var.open)", None),
        ("contains([\"a\"], \"${var.open}-\")", Some("`contains()` uses an unknown value")),
        ("length(\"${var.open}-\")", Some("`length()` uses an unknown value")),
        ("\"${var.open}-\" == \"a-\"", Some("this expression is not evaluated here")),
        (
            "lookup({ \"${var.open}-\" = 1 }, \"a\", 2)",
            Some("this use of `lookup()` is not evaluated here"),
        ),
        ("{ a = 1 }[\"${var.open}-\"]", None),
        ("{ a = 1 }[\"$${x}\"]", Some("a key or an index in it is unknown")),
        ("length(flatten([var.open]))", Some("this use of `flatten()` is not evaluated here")),
        ("7 / 2", Some("this expression is not evaluated here")),
        ("range(100000)", Some("this use of `range()` is not evaluated here")),
    ] {
        let text = resource(&format!("jsonencode({{ plans = {expression} }})"));
        let found = found(&[&text, open]);
        let json = found.policies[0].content.to_json();
        assert_eq!(json, r#"{"plans":""}"#, "{expression}");
        let told: Vec<_> = found.unknown.iter().map(|it| it.why.as_str()).collect();
        match other {
            None => assert_eq!(told, [why], "{expression}"),
            Some(other) => assert!(told.contains(&other), "{expression}: {told:?}"),
        }
    }
}

#[test]
fn each_branch_of_a_condition_that_is_not_known_is_read() {
    let open = "variable \"open\" {}\nvariable \"more\" {}\n";
    let text = resource(
        "jsonencode({ plans = merge({ (var.open ? \"a\" : \"b\") = var.open ? 1 : 2 }, var.more == null ? {} : { c = 3 }) })",
    ) + open;
    let plans = |plans: &str| format!("{{\"plans\":{{{plans}}}}}");
    // The same condition has the same result everywhere.
    let all = [r#""a":1,"c":3"#, r#""a":1"#, r#""b":2,"c":3"#, r#""b":2"#].map(plans);
    let found = found(&[&text]);
    let mut read: Vec<_> = found.policies.iter().map(|it| it.content.to_json()).collect();
    read.sort();
    assert_eq!((read, found.unknown), (all.to_vec(), vec![]));
    for (content, expected) in [
        ("\"%{ if var.open }a%{ else }b%{ endif }\"", ["a", "b"]),
        ("jsonencode([for it in [1] : it if var.open])", ["[1]", "[]"]),
    ] {
        check(&(resource(content) + open), &[(P, expected[0]), (P, expected[1])], &[]);
    }
    check(&resource("{}.x ? \"a\" : \"b\""), &[], &[(P, "there is no `x` in it")]);
    check(&resource("try({}.x ? \"a\" : \"b\", \"c\")"), &[(P, "c")], &[]);
    check(&resource("1 ? \"a\" : \"b\""), &[], &[(P, "it is not a condition")]);
    // The unknown part of a branch is reported.
    let text = resource("jsonencode({ plans = var.more ? { a = var.open } : { b = 1 } })") + open;
    let why = "the variable `open` has no default";
    check(
        &text,
        &[(P, &plans(r#""a":"""#)), (P, &plans(r#""b":1"#))],
        &[(&format!("{P}/plans/a"), why)],
    );
    let many: String =
        (0..40).map(|it| format!("(var.open == {it} ? \"a\" : \"b\") = {it}\n")).collect();
    let text = resource(&format!("jsonencode({{ plans = {{\n{many}}} }})")) + open;
    let told = self::found(&[&text]).unknown.pop().unwrap();
    assert_eq!(told.why, "it has more than 32 ways through its conditions");
    // A condition decides about a resource as a whole only when it is known.
    let counted = resource("jsonencode({ plans = {} })")
        .replace("  type", "  count = var.open ? 1 : 0\n  type");
    check(&(counted + open), &[("aws_organizations_policy.p[0]/content", "{\"plans\":{}}")], &[]);
}

#[test]
fn the_values_of_variables_are_those_of_their_files() {
    let text = resource("jsonencode({ plans = { (var.name) = var.days } })")
        + "variable \"name\" {}\nvariable \"days\" {\n  type = number\n  default = 1\n}\n";
    let with = |values: &[(&str, &str)], expected: &[(&str, &str)], unknown: &[(&str, &str)]| {
        check_found(&found_with(&[&text], values), expected, unknown);
    };
    let why = "the variable `name` has no default";
    let plans = format!("{P}/plans");
    with(&[], &[(P, r#"{"plans":{"${…}":1}}"#)], &[(&plans, why)]);
    // Terraform reads these by itself, in this order.
    with(
        &[
            ("b.auto.tfvars", "name = \"b\"\n"),
            ("a.auto.tfvars.json", r#"{"name": "a", "other": 1}"#),
            ("terraform.tfvars", "name = \"t\"\ndays = \"2\"\n"),
        ],
        &[(P, r#"{"plans":{"b":2}}"#)],
        &[],
    );
    // One of these is named, so each is tried.
    let named = [("dev.tfvars", "name = \"d\"\n"), ("prod.tfvars", "name = \"p\"\ndays = 3\n")];
    with(&named, &[(P, r#"{"plans":{"d":1}}"#), (P, r#"{"plans":{"p":3}}"#)], &[]);
    let found = found_with(&[&text], &named);
    let told: Vec<_> = found.policies.iter().map(|it| it.values.as_deref()).collect();
    assert_eq!(told, [Some("dev.tfvars"), Some("prod.tfvars")]);
    // If nothing has to be named, the defaults count as well.
    with(
        &[("terraform.tfvars", "name = \"t\"\n"), ("prod.tfvars", "days = 3\n")],
        &[(P, r#"{"plans":{"t":1}}"#), (P, r#"{"plans":{"t":3}}"#)],
        &[],
    );
    let why = "`terraform.tfvars`, which may set the variable `name`, cannot be read";
    let days = "`terraform.tfvars`, which may set the variable `days`, cannot be read";
    with(
        &[("terraform.tfvars", "name = {\n")],
        &[(P, r#"{"plans":{"${…}":""}}"#)],
        &[(&plans, why), (&format!("{plans}/${{…}}"), days)],
    );
    with(
        &[("terraform.tfvars", "name = \"t\"\ndays = upper(null_resource.x)\n")],
        &[(P, r#"{"plans":{"t":""}}"#)],
        &[(&format!("{plans}/t"), "the value of `days` is unknown")],
    );
}

#[test]
fn types_give_attributes_their_defaults() {
    let text = resource("jsonencode({ plans = { for it in var.plans : it.name => it } })")
        + "variable \"plans\" {\n  type = list(object({\n    name = string\n    days = \
           optional(number, 35)\n    tags = optional(map(string), {})\n    none = \
           optional(string)\n  }))\n  default = [{ name = 1, other = 2, tags = { a = 3 } }, { \
           name = \"b\", days = \"7\" }]\n}\n";
    let expected = r#"{"plans":{"1":{"name":"1","days":35,"tags":{"a":"3"},"none":null},"b":{"name":"b","days":7,"tags":{},"none":null}}}"#;
    check(&text, &[(P, expected)], &[]);
}

#[test]
fn data_sources_that_only_read_files_are_evaluated() {
    let text = resource("\"${data.template_file.p.rendered}\"")
        + "data \"template_file\" \"p\" {\n  template = file(\"policy.tftpl\")\n  vars = { names = \"\" }\n}\n";
    let why = "it is not a list";
    check(&text, &[], &[(P, why)]);
    let text = text.replace("file(\"policy.tftpl\")", "\"{\\\"plans\\\": {\\\"$${a}\\\": {}}}\"");
    let text = text.replace("names = \"\"", "a = \"x\"");
    check(&text, &[(P, r#"{"plans": {"x": {}}}"#)], &[]);
    let text = resource("data.local_file.p.content")
        + "data \"local_file\" \"p\" {\n  filename = \"${path.module}/policy.json\"\n}\n";
    check(&text, &[(P, r#"{"plans": {"file": {}}}"#)], &[]);
    let text = text.replace("filename", "other");
    check(&text, &[], &[(P, "Terraform reads `data.local_file.p.content`")]);
    let endless = resource("data.template_file.p.rendered")
        + "data \"template_file\" \"p\" {\n  template = data.template_file.p.rendered\n}\n";
    check(&endless, &[], &[(P, "Terraform reads `data.template_file.p.rendered`")]);
}

#[test]
fn resources_of_a_block_are_followed_by_their_keys() {
    let text = resource(
        "jsonencode({ plans = { a = aws_backup_vault.v[\"one\"].name, b = aws_backup_vault.n[1].name } })",
    ) + "resource \"aws_backup_vault\" \"v\" {\n  for_each = { one = \"x\", two = var.open }\n  \
         name = \"${each.key}-${each.value}\"\n}\nresource \"aws_backup_vault\" \"n\" {\n  count \
         = 2\n  name = \"n${count.index}\"\n}\nvariable \"open\" {}\n";
    check(&text, &[(P, r#"{"plans":{"a":"one-x","b":"n1"}}"#)], &[]);
}

#[test]
fn locals_defaults_and_resources_of_the_same_folder_are_followed() {
    let own = resource(
        "jsonencode({ plans = { (local.name) = { v = \"${var.vault}-x\", w = aws_backup_vault.v.name } } })",
    );
    let others = "locals {\n  name = lower(\"ABC\")\n}\nvariable \"vault\" {\n  default = \"keep\"\n}\n\
                  resource \"aws_backup_vault\" \"v\" {\n  name = local.name\n}\n";
    check_all(&[&own, others], &[(P, r#"{"plans":{"abc":{"v":"keep-x","w":"abc"}}}"#)], &[]);
    // A problem of another file is reported where the file is used.
    let found = found(&[&own, others]);
    let document = &found.policies[0].content;
    let key = &document.member("plans").unwrap().members().unwrap()[0];
    let vault = key.value.member("w").unwrap();
    let place = |it: policy::Span| own.get(it.start as usize..it.end as usize).unwrap();
    assert_eq!(place(vault.span), "aws_backup_vault.v.name");
}

#[test]
fn what_is_not_known_is_told_with_its_place_and_the_rest_is_read() {
    let text = resource(
        "jsonencode({ plans = { a = { v = var.open, w = \"${data.aws_region.now.name}-x\", z = 1 } } })",
    );
    check_all(
        &[&text, "variable \"open\" {}\n"],
        &[(P, r#"{"plans":{"a":{"v":"","w":"${data.aws_region.now.name}-x","z":1}}}"#)],
        &[
            (&format!("{P}/plans/a/v"), "the variable `open` has no default"),
            (&format!("{P}/plans/a/w"), "Terraform reads `data.aws_region.now.name`"),
        ],
    );
    for (content, why) in [
        ("file(\"other.json\")", "`other.json` is not read: it is not there"),
        ("local.none", "no file here has a local `none`"),
        ("module.policy.json", "the module `policy` makes it"),
        ("uuid()", "this use of `uuid()` is not evaluated here"),
        ("aws_x.y.z", "no file here has a resource `aws_x.y`"),
        ("[for it in var.open : it][0]", "the variable `open` has no default"),
    ] {
        check_all(&[&resource(content), "variable \"open\" {}\n"], &[], &[(P, why)]);
    }
    let endless = resource("local.a") + "locals {\n  a = local.b\n  b = local.a\n}\n";
    check(&endless, &[], &[(P, "it refers to itself, or through too many others")]);
}

#[test]
fn only_what_is_used_of_a_value_has_to_be_known() {
    let text = resource("jsonencode({ plans = { a = local.all.known } })")
        + "locals {\n  all = { known = 1, open = var.open }\n}\nvariable \"open\" {}\n";
    check(&text, &[(P, r#"{"plans":{"a":1}}"#)], &[]);
    let text = text.replace("local.all.known", "local.all.open");
    let why = "the variable `open` has no default";
    check(&text, &[(P, r#"{"plans":{"a":""}}"#)], &[(&format!("{P}/plans/a"), why)]);
}

#[test]
fn each_resource_of_a_block_is_looked_at() {
    let text = |count: &str| {
        format!(
            "resource \"aws_organizations_policy\" \"p\" {{\n  {count}\n  type = \"BACKUP_POLICY\"\n  \
             content = jsonencode({{ plans = each.value }})\n}}\n"
        )
    };
    let path = |key: &str| format!("aws_organizations_policy.p[\"{key}\"]/content");
    check(
        &text("for_each = { a = { x = 1 }, b = { y = 2 } }"),
        &[(&path("a"), r#"{"plans":{"x":1}}"#), (&path("b"), r#"{"plans":{"y":2}}"#)],
        &[],
    );
    let counted = text("count = false ? 2 : 0").replace("each.value", "{ n = count.index }");
    let path = "aws_organizations_policy.p[0]/content";
    check(&counted, &[(path, r#"{"plans":{"n":0}}"#)], &[]);
}

#[test]
fn the_type_decides_and_where_it_is_open_the_content_does() {
    let of = |kind: &str| {
        resource("jsonencode({ plans = { a = { rules = {} } } })")
            .replace("\"BACKUP_POLICY\"", kind)
    };
    let document = r#"{"plans":{"a":{"rules":{}}}}"#;
    check(&of("\"SERVICE_CONTROL_POLICY\""), &[], &[]);
    check(&of("local.kind"), &[(P, document)], &[]);
    check(&(of("local.kind") + "locals {\n  kind = \"TAG_POLICY\"\n}\n"), &[], &[]);
    let untyped = of("\"x\"").replace("type = \"x\"", "");
    check(&untyped, &[], &[]);
    let other = of("var.kind").replace("rules", "Version");
    check(&other, &[], &[]);
}

#[test]
fn policies_that_a_module_is_called_with_are_found() {
    let text = "module \"backup\" {\n  source = \"example/x\"\n  policies = { a = jsonencode({ plans = { n = { rules = { r = var.o } } } }) }\n  other = var.o\n}\nvariable \"o\" {}\n";
    let path = "module.backup/policies/a";
    check(
        text,
        &[(path, r#"{"plans":{"n":{"rules":{"r":""}}}}"#)],
        &[(&format!("{path}/plans/n/rules/r"), "the variable `o` has no default")],
    );
}

#[test]
fn directives_and_stripping_are_carried_out() {
    for (content, expected) in [
        ("\"a%{ if true }b%{ else }c%{ endif }d\"", "abd"),
        ("\"a%{ if false }b%{ else }c%{ endif }d\"", "acd"),
        ("\"a%{ if false }b%{ endif }d\"", "ad"),
        ("\"%{ for k, v in { b = 1, a = 2 } }${k}=${v};%{ endfor }\"", "a=2;b=1;"),
        ("\"a ${~ \"x\" ~} b\"", "axb"),
        ("<<EOT\na\n%{ if true ~}\nb\n%{ endif ~}\nc\nEOT", "a\nb\nc\n"),
        ("\"$${x} %%{y}\"", "${x} %{y}"),
    ] {
        check(&resource(content), &[(P, expected)], &[]);
    }
}

#[test]
fn what_cannot_be_read_says_where() {
    let sources = |text: &str| [SourceFile { name: "a.tf".to_owned(), text: text.to_owned() }];
    let read = |text: &str| policies(&sources(text), &[], &Beside::default()).remove(0);
    let broken = read("resource \"a\" \"b\" {\n  x = [\n}\n").unwrap_err();
    assert!(broken.why.starts_with("it is not HCL: "), "{broken:?}");
    assert!(broken.span.start > 20, "{broken:?}");
    let deep = read(&format!("x = {}", "[".repeat(100_000))).unwrap_err();
    assert_eq!(deep.why, "its expressions are nested too deep");
    assert_eq!(read("").unwrap(), FoundPolicies::default());
}

#[test]
fn growth_has_an_end() {
    let ten = |it: u8| vec![format!("local.l{}", it - 1); 10].join(", ");
    let more: String = (1..12).map(|it| format!("  l{it} = [{}]\n", ten(it))).collect();
    let locals = format!("locals {{\n  l0 = [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n{more}");
    let text = resource("jsonencode({ plans = local.l11 })") + &locals + "}\n";
    let found = found(&[&text]);
    assert!(found.unknown.iter().any(|it| it.why.contains("too many steps")));
    let text = resource(&format!("jsonencode({{ plans = \"x\"{} }})", "[*]".repeat(100_000)));
    check(&text, &[(P, r#"{"plans":""}"#)], &[(&format!("{P}/plans"), "it has too many parts")]);
    let text = resource("jsonencode({ plans = setproduct(range(200), range(200)) })");
    let why = "this use of `setproduct()` is not evaluated here";
    check(&text, &[(P, r#"{"plans":""}"#)], &[(&format!("{P}/plans"), why)]);
}

/// Any expression that can be parsed.
fn expression() -> impl Strategy<Value = String> {
    let names = [
        "alltrue",
        "basename",
        "can",
        "chunklist",
        "coalesce",
        "compact",
        "concat",
        "contains",
        "dirname",
        "distinct",
        "element",
        "file",
        "fileset",
        "flatten",
        "format",
        "formatlist",
        "indent",
        "index",
        "join",
        "jsondecode",
        "jsonencode",
        "keys",
        "length",
        "lookup",
        "matchkeys",
        "max",
        "merge",
        "one",
        "range",
        "replace",
        "reverse",
        "setintersection",
        "setproduct",
        "setsubtract",
        "setunion",
        "slice",
        "sort",
        "split",
        "substr",
        "sum",
        "templatefile",
        "title",
        "tobool",
        "tonumber",
        "toset",
        "tostring",
        "trim",
        "trimprefix",
        "try",
        "values",
        "yamldecode",
        "zipmap",
    ];
    let leaf = proptest::sample::select(vec![
        "null",
        "true",
        "0",
        "1",
        "-1",
        "2",
        "9223372036854775807",
        "1.5",
        "\"\"",
        "\"a\"",
        "\"é%s\"",
        "\"1\"",
        "var.open",
        "var.list",
        "local.map",
        "path.module",
        "[]",
        "{}",
        "each.key",
        "\"${var.open}-\"",
        "aws_x.y[0].name",
        "data.local_file.f.content",
    ]);
    let leaf = leaf.prop_map(ToOwned::to_owned);
    leaf.prop_recursive(5, 40, 3, move |inner| {
        let call = (proptest::sample::select(names.to_vec()), proptest::collection::vec(inner.clone(), 0..4));
        let two = (inner.clone(), inner.clone());
        let three = (inner.clone(), inner.clone(), inner.clone());
        let operator = proptest::sample::select(vec!["==", "!=", "&&", "||", "+", "-", "*", "/", "%", "<"]);
        prop_oneof![
            6 => call.prop_map(|(name, all)| format!("{name}({})", all.join(", "))),
            1 => two.clone().prop_map(|(one, other)| format!("[{one}, {other}]")),
            1 => two.clone().prop_map(|(key, value)| format!("{{ ({key}) = {value} }}")),
            1 => two.prop_map(|(of, key)| format!("({of})[{key}]")),
            1 => inner.clone().prop_map(|it| format!("({it})[*].a")),
            1 => (inner.clone(), operator, inner).prop_map(|(one, it, other)| format!("({one} {it} {other})")),
            1 => three.clone().prop_map(|(if_, then, or)| format!("({if_} ? {then} : {or})")),
            1 => three.clone().prop_map(|(of, key, value)| format!("{{ for k, v in {of} : {key} => {value}... }}")),
            1 => three.prop_map(|(of, value, if_)| format!("[for v in {of} : {value} if {if_}]")),
        ]
    })
}

proptest! {
    /// No expression is too much for the functions, and no place is outside of the text.
    #[test]
    fn any_expression_is_evaluated(it in expression()) {
        let text = resource(&format!("jsonencode({{ plans = {it} }})"))
            + "variable \"open\" {}\nvariable \"list\" {\n  type = list(object({ a = optional(number, 1) }))\n  default = [{}, { a = \"2\" }]\n}\nlocals {\n  map = { a = 1, b = var.open }\n}\nresource \"aws_x\" \"y\" {\n  count = 1\n  name = count.index\n}\n";
        let found = found(&[&text]);
        prop_assert!(!found.policies.is_empty());
        for it in found.unknown {
            prop_assert!(text.get(it.span.start as usize..it.span.end as usize).is_some());
        }
    }

    /// The parser never goes deeper than its stack allows, and no place is outside of the text.
    #[test]
    fn any_text_is_read_or_refused(
        parts in proptest::collection::vec(
            proptest::sample::select(&[
                "resource \"aws_organizations_policy\" \"p\" {\n", "type = \"BACKUP_POLICY\"\n", "content = ",
                "jsonencode(", "{", "}", "[", "]", "(", ")", "\"", "${", "%{", "if ", "for ", "x in ", ":", "=>",
                "plans", "=", "a", "1", "\n", "<<EOT\n", "EOT\n", "~", "?", "!", "-", "+", "&&", ",", ".", "*",
                "...", "local.a", "[*]", ".*", "var.a", "variable \"a\" {\n", "type =", "object({", "optional(", "locals {\n", "#", "/*", "*/", "\\", "é", "endif", "endfor", "file(\"x\")",
            ][..]),
            0..60,
        ),
    ) {
        let text = parts.concat();
        let sources = [SourceFile { name: "a.tf".to_owned(), text: text.clone() }];
        let values = ["terraform.tfvars", "a.tfvars.json"].map(|name| SourceFile { name: name.to_owned(), text: text.clone() });
        if let Ok(found) = policies(&sources, &values, &Beside::default()).remove(0) {
            for it in found.unknown {
                prop_assert!(text.get(it.span.start as usize..it.span.end as usize).is_some());
            }
        }
    }
}

/// What is found in a module that is called with `source` and these arguments, with `files` around it.
fn called(arguments: &str, files: &[(&'static str, &'static str)]) -> FoundPolicies {
    let text = format!("module \"m\" {{\n{arguments}\n}}\n");
    let source = SourceFile { name: "main.tf".to_owned(), text };
    let beside = Beside(files.iter().copied().collect());
    policies(&[source], &[], &beside).remove(0).unwrap()
}

/// A module that makes a policy of the variable `name`, and another of nothing.
const MAKER: &str = "variable \"name\" { type = string }\nresource \"aws_organizations_policy\" \"p\" {\n  type = \"BACKUP_POLICY\"\n  content = jsonencode({ plans = { (var.name) = {} } })\n}\nresource \"aws_organizations_policy\" \"own\" {\n  type = \"BACKUP_POLICY\"\n  content = jsonencode({ plans = { own = {} } })\n}\n";

#[test]
fn a_module_in_another_folder_gets_its_arguments() {
    let content = "module.m.aws_organizations_policy.p/content";
    let called_with =
        |it: &str| called(&format!("source = \"./maker\"\n{it}"), &[("maker/m.tf", MAKER)]);
    // What does not depend on arguments is reported where it stands.
    check_found(&called_with("name = \"a\""), &[(content, r#"{"plans":{"a":{}}}"#)], &[]);
    let each = called_with("for_each = toset([\"a\", \"b\"])\nname = each.key");
    let of = |key: &str| format!("module.m[\"{key}\"].aws_organizations_policy.p/content");
    let expected = [(&*of("a"), r#"{"plans":{"a":{}}}"#), (&of("b"), r#"{"plans":{"b":{}}}"#)];
    check_found(&each, &expected, &[]);
    // Without its argument, the module says itself that it is not known.
    check_found(&called_with(""), &[], &[]);
    let open = called_with("name = aws_backup_vault.v.name");
    let plan = format!("{content}/plans");
    let unknown: Vec<_> =
        open.unknown.iter().map(|it| (it.path.as_str(), it.why.as_str())).collect();
    assert_eq!(unknown, [(plan.as_str(), "the value of `name` is unknown")]);
    assert!(open.policies.iter().all(|it| it.is_open));
}

#[test]
fn what_is_found_in_a_called_module_is_reported_at_the_call() {
    let text = "source = \"./maker\"\nname = \"a\"";
    let found = called(text, &[("maker/m.tf", MAKER)]);
    let span = found.policies[0].content.span;
    let file = format!("module \"m\" {{\n{text}\n}}\n");
    assert_eq!(&file[span.start as usize..span.end as usize], "\"./maker\"");
}

#[test]
fn a_policy_that_is_passed_on_is_reported_once() {
    let through = "variable \"policy\" {}\nresource \"aws_organizations_policy\" \"p\" {\n  type = \"BACKUP_POLICY\"\n  content = jsonencode(var.policy)\n}\n";
    let arguments = "source = \"./through\"\npolicy = { plans = { a = { rules = {} } } }";
    let found = called(arguments, &[("through/m.tf", through)]);
    check_found(&found, &[("module.m/policy", r#"{"plans":{"a":{"rules":{}}}}"#)], &[]);
}

#[test]
fn modules_are_followed_from_folder_to_folder_and_not_in_circles() {
    let outer = "variable \"name\" {}\nmodule \"inner\" {\n  source = \"../inner\"\n  name = \"${var.name}-2\"\n}\n";
    let files = [("modules/outer/m.tf", outer), ("modules/inner/m.tf", MAKER)];
    let arguments = "source = \"./modules/outer\"\nname = \"a\"";
    let path = "module.m.module.inner.aws_organizations_policy.p/content";
    check_found(&called(arguments, &files), &[(path, r#"{"plans":{"a-2":{}}}"#)], &[]);
    let circle =
        "variable \"name\" {}\nmodule \"again\" {\n  source = \"../b\"\n  name = var.name\n}\n";
    let back = circle.replace("../b", "../a").leak();
    let found = called("source = \"./a\"\nname = \"x\"", &[("a/m.tf", circle), ("b/m.tf", back)]);
    check_found(&found, &[], &[]);
    // It is named where it stands.
    let own = SourceFile { name: "m.tf".to_owned(), text: circle.replace("../b", "./b") };
    let beside = Beside([("b/m.tf", "module \"m\" {\n  source = \"./\"\n}\n")].into());
    let found = policies(&[own], &[], &beside).remove(0).unwrap();
    check_found(&found, &[], &[]);
}

#[test]
fn a_module_that_is_not_there_is_told() {
    let why = "the module `./none` is not evaluated: it is not there";
    check_found(&called("source = \"./none\"", &[]), &[], &[("module.m/source", why)]);
    check_found(&called("source = \"example/none\"", &[]), &[], &[]);
    let why = "the module `./` is not evaluated: it calls itself";
    check_found(&called("source = \"./\"", &[]), &[], &[("module.m/source", why)]);
}

#[test]
fn modules_that_call_each_other_endlessly_end() {
    // Each folder calls the one below it twice.
    let twice = "module \"a\" {\n  source = \"./d\"\n}\nmodule \"b\" {\n  source = \"./d\"\n}\n";
    let files: Vec<(&str, &str)> =
        (1..20).map(|it| (&*format!("{}m.tf", "d/".repeat(it)).leak(), twice)).collect();
    let found = called("source = \"./d\"", &files);
    assert!(found.policies.is_empty());
}
