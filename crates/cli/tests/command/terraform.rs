//! What `check` makes of files of Terraform, and of what other tools write and ask for.

use std::fs;

use expect_test::expect;

use crate::words::{GOOD, check, folder, org_backup};

/// A policy in the language of Terraform, with this schedule and vault.
fn encoded(schedule: &str, vault: &str) -> String {
    format!(
        r#"jsonencode({{
    plans = {{
      tier = {{
        regions = {{ "@@assign" = ["eu-north-1"] }}
        rules = {{
          nightly = {{
            schedule_expression      = {{ "@@assign" = "{schedule}" }}
            target_backup_vault_name = {{ "@@assign" = {vault} }}
          }}
        }}
        selections = {{
          tags = {{
            chosen = {{
              iam_role_arn = {{ "@@assign" = "arn:aws:iam::$account:role/backup" }}
              tag_key      = {{ "@@assign" = "tier" }}
              tag_value    = {{ "@@assign" = ["gold"] }}
            }}
          }}
        }}
      }}
    }}
  }})"#
    )
}

fn resource(content: &str) -> String {
    format!(
        "resource \"aws_organizations_policy\" \"tier\" {{\n  name    = \"tier\"\n  type    = \
         \"BACKUP_POLICY\"\n  content = {content}\n}}\n"
    )
}

#[test]
fn a_mistake_is_told_by_the_address_of_its_resource_and_where_it_stands() {
    let text = resource(&encoded("cron(0 5 * * *)", "\"keep\""));
    check(
        "hcl",
        &[("main.tf", &text)],
        &["check", "main.tf"],
        1,
        &expect![[r"
            main.tf: aws_organizations_policy.tier/content/plans/tier/rules/nightly/schedule_expression/@@assign: `cron(0 5 * * *)` sets both day of month and day of week; one of them must be `?` (line 10, column 55)
        "]],
    );
    let good = resource(&encoded("cron(0 5 ? * * *)", "\"keep\""));
    check("hcl_good", &[("main.tf", &good)], &["check", "--strict", "main.tf"], 0, &expect![""]);
}

#[test]
fn what_is_not_known_is_a_finding_that_fails_when_strict() {
    let text = resource(&encoded("cron(0 5 ? * * *)", "var.vault"));
    let variable = "variable \"vault\" {\n  type = string\n}\n";
    let files = [("main.tf", text.as_str()), ("variables.tf", variable)];
    let line = expect![[r"
        main.tf: aws_organizations_policy.tier/content/plans/tier/rules/nightly/target_backup_vault_name/@@assign: warning: this was not checked: the variable `vault` has no default (line 11, column 55)
    "]];
    check(
        "hcl_open",
        &files,
        &["check", "."],
        0,
        &expect![[r"
        ./main.tf: aws_organizations_policy.tier/content/plans/tier/rules/nightly/target_backup_vault_name/@@assign: warning: this was not checked: the variable `vault` has no default (line 11, column 55)
    "]],
    );
    check("hcl_strict", &files, &["check", "--strict", "main.tf"], 1, &line);
    let default = "variable \"vault\" {\n  default = \"two words\"\n}\n";
    let files = [("main.tf", text.as_str()), ("variables.tf", default)];
    let run = {
        let folder = folder("hcl_default");
        for (name, text) in files {
            fs::write(folder.join(name), text).unwrap();
        }
        org_backup(&folder, &["check", "main.tf"], "")
    };
    assert_eq!(run.code, 1);
    assert!(run.stdout.contains("`two words` is not the name of a vault"), "{}", run.stdout);
}

#[test]
fn the_values_of_variables_are_those_of_the_files_beside() {
    let text = resource(&encoded("cron(0 5 ? * * *)", "var.vault"));
    let variable = "variable \"vault\" {}\n";
    let files = [("main.tf", text.as_str()), ("variables.tf", variable)];
    let run = |test: &str, values: &[(&str, &[u8])], named: &str| {
        let folder = folder(test);
        for (name, text) in files {
            fs::write(folder.join(name), text).unwrap();
        }
        for (name, bytes) in values {
            fs::write(folder.join(name), bytes).unwrap();
        }
        org_backup(&folder, &["check", "--strict", "--verbose", named], "")
    };
    let good = run("tfvars", &[("terraform.tfvars", b"vault = \"keep\"\n")], ".");
    assert_eq!((good.code, good.stdout.as_str()), (0, ""), "{}", good.stderr);
    let passed = "`./terraform.tfvars`: its values are read with the files of Terraform beside it";
    assert!(good.stderr.contains(passed), "{}", good.stderr);
    // One of them is named for a run of Terraform, so each is tried.
    let named: [(&str, &[u8]); 2] =
        [("dev.tfvars", b"vault = \"two words\"\n"), ("prod.tfvars.json", br#"{"vault": "keep"}"#)];
    let found = run("tfvars_named", &named, "main.tf");
    let line = "`two words` is not the name of a vault: 1 to 50 letters, digits, `-` and `_`; with \
                `dev.tfvars` (line 11, column 55)\n";
    assert!(found.code == 1 && found.stdout.ends_with(line), "{}", found.stdout);
    assert_eq!(found.stdout.lines().count(), 1, "{}", found.stdout);
    assert!(found.stderr.contains("checked: 1 policy in 1 file;"), "{}", found.stderr);
    // What cannot be read may be anything.
    for bytes in [b"vault = [".as_slice(), b"\xff\xfe\x00"] {
        let found = run("tfvars_broken", &[("terraform.tfvars", bytes)], "main.tf");
        let why = "`terraform.tfvars`, which may set the variable `vault`, cannot be read";
        assert!(found.code == 1 && found.stdout.contains(why), "{}", found.stdout);
    }
    let found = run("tfvars_alone", &[("dev.tfvars", b"vault = \"keep\"\n")], "dev.tfvars");
    assert!(found.code == 1 && found.stdout.contains("check its directory"), "{}", found.stdout);
}

#[test]
fn a_policy_for_each_file_of_a_folder_is_checked() {
    let folder = folder("hcl_fileset");
    let bad = GOOD.replace("cron(0 5 ? * * *)", "cron(0 5 * * *)");
    fs::create_dir_all(folder.join("policies/below")).unwrap();
    fs::write(folder.join("policies/one.json.txt"), &bad).unwrap();
    fs::write(folder.join("policies/below/two.json.txt"), &bad).unwrap();
    let each = "  for_each = fileset(\"${path.module}/policies\", \"*.txt\")\n  content = \
                file(\"${path.module}/policies/${each.value}\")";
    let text = resource("\"\"").replace("  content = \"\"", each);
    fs::write(folder.join("main.tf"), text).unwrap();
    for named in [".", "main.tf"] {
        let run = org_backup(&folder, &["check", "--strict", named], "");
        assert_eq!((run.code, run.stdout.lines().count()), (1, 1), "{}", run.stdout);
        let address = "aws_organizations_policy.tier[\"one.json.txt\"]/content/plans/tier/rules/";
        assert!(run.stdout.contains(address), "{}", run.stdout);
    }
}

#[test]
fn a_text_that_is_put_together_is_checked_as_far_as_it_is_known() {
    let bad = GOOD.replace("cron(0 5 ? * * *)", "cron(0 5 * * *)");
    let heredoc = resource(&format!("<<-POLICY\n{bad}\n  POLICY"));
    check(
        "hcl_heredoc",
        &[("main.tf", &heredoc)],
        &["check", "main.tf"],
        1,
        &expect![[r"
            main.tf: aws_organizations_policy.tier/content/plans/tier/rules/nightly/schedule_expression/@@assign: `cron(0 5 * * *)` sets both day of month and day of week; one of them must be `?` (line 4, column 13)
        "]],
    );
    let open = heredoc.replace("\"keep\"", "${jsonencode(data.aws_ssm_parameter.x.value)}");
    check(
        "hcl_heredoc_open",
        &[("main.tf", &open)],
        &["check", "--strict", "main.tf"],
        1,
        &expect![[r"
            main.tf: aws_organizations_policy.tier/content: warning: this was not checked: the text is not JSON without its unknown parts (line 4, column 13)
            main.tf: aws_organizations_policy.tier/content: warning: this was not checked: Terraform reads `data.aws_ssm_parameter.x.value` (line 8, column 110)
        "]],
    );
}

#[test]
fn files_that_are_named_are_read_below_the_directory_and_never_through_links() {
    let folder = folder("hcl_files");
    let bad = GOOD.replace("cron(0 5 ? * * *)", "cron(0 5 * * *)");
    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write("outside.json", &bad);
    write("in/policies/tier.json.tftpl", &bad.replace("\"keep\"", "\"${vault}\""));
    write("in/large.json", &" ".repeat((4 << 20) + 1));
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("../outside.json", folder.join("in/link.json")).unwrap();
        std::os::unix::fs::symlink("..", folder.join("in/up")).unwrap();
    }
    let run = |content: &str, named: &str| {
        write("in/stack/main.tf", &resource(content));
        org_backup(&folder, &["check", "--strict", named], "").stdout
    };
    let template =
        "templatefile(\"${path.module}/../policies/tier.json.tftpl\", { vault = \"a b\" })";
    let found = run(template, "in");
    assert!(found.contains("`cron(0 5 * * *)` sets both"), "{found}");
    assert!(found.contains("`a b` is not the name of a vault"), "{found}");
    for (file, named, why) in [
        ("../../outside.json", "in", "it is not below `in`; name a directory above both"),
        ("../policies/tier.json.tftpl", "in/stack/main.tf", "it is not below `in/stack`"),
        ("../../../../../../../etc/passwd", "in", "it is not below `in`"),
        ("/etc/passwd", "in", "its path is absolute"),
        ("../link.json", "in", "it is a link, or its path has one"),
        ("../up/outside.json", "in", "it is a link, or its path has one"),
        ("../large.json", "in", "it has more than 4194304 bytes"),
        ("../policies", "in", "it is not a file"),
        ("none.json", "in", "No such file"),
    ] {
        let found = run(&format!("file(\"{file}\")"), named);
        assert!(
            found.contains("warning: this was not checked: `") && found.contains(why),
            "{found}"
        );
    }
    // From above, it is read.
    assert!(run("file(\"../../outside.json\")", ".").contains("sets both"));
}

#[test]
fn a_repository_of_terraform_gives_no_false_error() {
    let folder = folder("hcl_repository");
    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write(
        "main.tf",
        "module \"scp\" {\n  source = \"./policy\"\n  content = jsonencode({ Version = \"2012-10-17\" })\n}\n",
    );
    write(
        "policy/main.tf",
        "resource \"aws_organizations_policy\" \"this\" {\n  type = \"SERVICE_CONTROL_POLICY\"\n  content = var.content\n}\n",
    );
    write("policy/variables.tf", "variable \"content\" {}\n");
    write(
        "tags.tf",
        "resource \"aws_organizations_policy\" \"t\" {\n  type = \"TAG_POLICY\"\n  content = \"{}\"\n}\n",
    );
    write("backup.tf", &resource(&encoded("cron(0 5 ? * * *)", "local.vault")));
    write("locals.tf", "locals {\n  vault = \"keep\"\n}\n");
    let run = org_backup(&folder, &["check", "--strict", "."], "");
    assert_eq!((run.code, run.stdout.as_str()), (0, ""), "{}", run.stderr);
    assert!(run.stderr.contains("checked: 1 policy in 1 file;"), "{}", run.stderr);
    // A broken file is reported, with a way to check it.
    write("broken.tf", "resource \"aws_organizations_policy\" \"x\" {\n");
    let run = org_backup(&folder, &["check", "--strict", "."], "");
    assert_eq!(run.code, 1);
    assert!(
        run.stdout
            .contains("./broken.tf: (document): warning: this was not checked: it is not HCL"),
        "{}",
        run.stdout
    );
    assert!(
        run.stdout.contains("terraform show -json PLAN | org-backup check -"),
        "{}",
        run.stdout
    );
}

#[test]
fn configurations_in_json_are_read_as_cdk_for_terraform_writes_them() {
    let bad = GOOD.replace("cron(0 5 ? * * *)", "cron(0 5 * * *)");
    let configuration = |content: &str| {
        let body = serde_json::json!({ "type": "BACKUP_POLICY", "content": content });
        serde_json::json!({ "resource": { "aws_organizations_policy": { "tier": body } } })
            .to_string()
    };
    let folder = folder("cdktf");
    let run = |content: &str| {
        fs::write(folder.join("cdk.tf.json"), configuration(content)).unwrap();
        org_backup(&folder, &["check", "--strict", "."], "")
    };
    let found = run(&bad);
    let expected = "./cdk.tf.json: aws_organizations_policy.tier/content/plans/tier/rules/nightly/";
    assert!(found.code == 1 && found.stdout.starts_with(expected), "{}", found.stdout);
    let found = run("${file(\"plans.json\")}");
    assert_eq!(found.code, 1);
    assert!(found.stdout.contains("Terraform replaces what is in `${…}`"), "{}", found.stdout);
}

#[test]
fn a_folder_that_cdk_wrote_is_checked_by_its_templates() {
    let folder = folder("cdk_out");
    let bad = GOOD.replace("cron(0 5 ? * * *)", "cron(0 5 * * *)");
    let content: serde_json::Value = serde_json::from_str(&bad).unwrap();
    let properties = serde_json::json!({
        "Name": "tier", "Type": "BACKUP_POLICY", "Content": content,
    });
    let template = serde_json::json!({ "Resources": { "Tier": {
        "Type": "AWS::Organizations::Policy", "Properties": properties,
    } } });
    let tree = serde_json::json!({ "version": "tree-0.1", "tree": { "id": "App", "children": {
        "Tier": { "attributes": { "aws:cdk:cloudformation:props": { "content": content } } },
    } } });
    let out = folder.join("cdk.out");
    fs::create_dir_all(out.join("asset.5f2c")).unwrap();
    fs::write(folder.join(".gitignore"), "cdk.out\n").unwrap();
    fs::write(out.join("Backups.template.json"), template.to_string()).unwrap();
    fs::write(out.join("Backups.assets.json"), r#"{"version":"36.0.0","files":{}}"#).unwrap();
    fs::write(out.join("manifest.json"), r#"{"version":"36.0.0","artifacts":{}}"#).unwrap();
    fs::write(out.join("tree.json"), tree.to_string()).unwrap();
    fs::write(out.join("cdk.out"), r#"{"version":"36.0.0"}"#).unwrap();
    fs::write(out.join("asset.5f2c/index.js"), "exports.plans = {};").unwrap();
    let run = org_backup(&folder, &["check", "cdk.out"], "");
    assert_eq!((run.code, run.stdout.lines().count()), (1, 1), "{}", run.stdout);
    let expected =
        "cdk.out/Backups.template.json: Resources/Tier/Properties/Content/plans/tier/rules";
    assert!(run.stdout.starts_with(expected), "{}", run.stdout);
}

#[test]
fn the_folder_of_a_landing_zone_is_checked_with_its_placeholders() {
    let folder = folder("landing_zone");
    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    let filled = |region: &str, vault: &str| {
        GOOD.replace("eu-north-1", region).replace("\"keep\"", &format!("\"{vault}\""))
    };
    write("backup-policies/curly.json", &filled("{{ HomeRegion }}", "{{ Prefix }}-keep"));
    write(
        "backup-policies/lookup.json",
        &filled("${ACCEL_LOOKUP::Region}", "${ACCELERATOR_PREFIX}-keep"),
    );
    write(
        "service-control-policies/deny.json",
        r#"{"Version":"2012-10-17","Statement":[{"Sid":"${X}"}]}"#,
    );
    write(
        "organization-config.yaml",
        "enable: true\nbackupPolicies:\n  - name: daily\n    policy: backup-policies/curly.json\n    deploymentTargets: {organizationalUnits: [Root]}\n",
    );
    let run = org_backup(&folder, &["check", "."], "");
    assert_eq!(run.code, 0, "{}", run.stdout);
    assert!(run.stderr.contains("checked: 2 policies in 2 files"), "{}", run.stderr);
    for it in run.stdout.lines() {
        assert!(it.contains("warning:") && (it.contains("{{") || it.contains("${")), "{it}");
    }
    assert_eq!(run.stdout.lines().count(), 4, "{}", run.stdout);
    write(
        "backup-policies/wrong.json",
        &filled("{{ HomeRegion }}", "keep").replace("cron(0 5 ? * * *)", "cron(0 5 * * *)"),
    );
    let run = org_backup(&folder, &["check", "."], "");
    assert!(
        run.code == 1 && run.stdout.contains("./backup-policies/wrong.json: plans/tier/rules"),
        "{}",
        run.stdout
    );
}

#[test]
fn what_is_recognised_and_not_read_says_how_to_get_there() {
    let folder = folder("recognised");
    let write = |name: &str, bytes: &[u8]| fs::write(folder.join(name), bytes).unwrap();
    write("tfplan", b"PK\x03\x04\x14\x00\xff\xfe");
    write("app.ts", b"import * as cdk from 'aws-cdk-lib';");
    write("app.py", b"print({'plans': {}})");
    write("terragrunt.hcl", b"inputs = {}");
    let run = org_backup(&folder, &["check", "tfplan"], "");
    assert_eq!(run.code, 2);
    assert!(
        run.stderr.contains("terraform show -json PLAN | org-backup check -"),
        "{}",
        run.stderr
    );
    for (name, words) in [
        ("app.ts", "run `cdk synth` and check the directory `cdk.out`"),
        ("app.py", "this command does not run programs; check the output of the program"),
        ("terragrunt.hcl", "terragrunt show -json PLAN | org-backup check -"),
    ] {
        let run = org_backup(&folder, &["check", "--strict", name], "");
        assert_eq!(run.code, 1, "{name}: {}", run.stderr);
        assert!(run.stdout.contains(words), "{name}: {}", run.stdout);
    }
}

#[test]
fn a_module_below_what_was_named_is_evaluated_with_its_arguments() {
    let folder = folder("hcl_modules");
    let maker =
        resource("templatefile(\"${path.module}/policy.tftpl\", { schedule = var.schedule })")
            + "variable \"schedule\" {\n  default = \"cron(0 5 ? * * *)\"\n}\n";
    let document = GOOD.replace("cron(0 5 ? * * *)", "${schedule}");
    for (name, text) in [("modules/tier/main.tf", &maker), ("modules/tier/policy.tftpl", &document)]
    {
        let place = folder.join(name);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::write(place, text).unwrap();
    }
    let call = |source: &str, schedule: &str| {
        format!("module \"tiers\" {{\n  source = \"{source}\"\n  schedule = \"{schedule}\"\n}}\n")
    };
    let run = |text: &str, named: &str| {
        fs::create_dir_all(folder.join("prod")).unwrap();
        fs::write(folder.join("prod/main.tf"), text).unwrap();
        org_backup(&folder, &["check", "--strict", named], "")
    };
    let bad = call("../modules/tier", "cron(0 5 * * *)");
    let found = run(&bad, ".");
    let told = "prod/main.tf: module.tiers.aws_organizations_policy.tier/content/plans/tier/rules/nightly/\
                schedule_expression/@@assign: `cron(0 5 * * *)` sets both";
    assert!(found.code == 1 && found.stdout.contains(told), "{}", found.stdout);
    assert!(found.stdout.ends_with("(line 2, column 12)\n"), "{}", found.stdout);
    assert_eq!(found.stdout.lines().count(), 1, "{}", found.stdout);
    let good = run(&call("../modules/tier", "cron(0 6 ? * * *)"), ".");
    assert_eq!((good.code, good.stdout.as_str()), (0, ""), "{}", good.stderr);
    assert!(good.stderr.contains("checked: 2 policies in 2 files"), "{}", good.stderr);
    // Nothing outside of what was named is read, and nothing behind a link.
    let outside = run(&bad, "prod/main.tf");
    let why = "the module `../modules/tier` is not evaluated: it is not below `prod`; name a \
               directory above both";
    assert!(outside.code == 1 && outside.stdout.contains(why), "{}", outside.stdout);
    std::os::unix::fs::symlink("../modules", folder.join("prod/link")).unwrap();
    let linked = call("./link/tier", "cron(0 5 * * *)");
    let linked = run(&linked, "prod/main.tf");
    let why = "the module `./link/tier` is not evaluated: it is a link, or its path has one";
    assert!(linked.stdout.contains(why), "{}", linked.stdout);
    // In a directory, a call that comes to no policy is passed over.
    let other = run(&call("./none", "daily"), "prod");
    assert_eq!(other.stdout, "", "{}", other.stderr);
}
