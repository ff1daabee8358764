//! Any text can be read as a file of Terraform or of values, and what is found stands in it.

#![no_main]

use libfuzzer_sys::fuzz_target;
use terraform::{Files, SourceFile, policies};

/// Every file holds the text itself.
struct Itself<'a>(&'a str);

impl Files for Itself<'_> {
    fn read(&self, _: &str) -> Result<String, String> {
        Ok(self.0.to_owned())
    }

    fn list(&self, _: &str) -> Result<Vec<String>, String> {
        Ok(self.0.lines().take(100).map(ToOwned::to_owned).collect())
    }

    fn module(&self, path: &str) -> Result<Vec<SourceFile>, String> {
        // Deeper, every text would be evaluated hundreds of times.
        if path != "a" {
            return Err("it is not there".to_owned());
        }
        Ok(vec![SourceFile { name: "a.tf".to_owned(), text: self.0.to_owned() }])
    }
}

fuzz_target!(|text: &str| {
    let file = |name: &str| SourceFile { name: name.to_owned(), text: text.to_owned() };
    let values = ["terraform.tfvars", "other.tfvars", "json.auto.tfvars.json"].map(file);
    for found in policies(&[file("a.tf")], &values, &Itself(text)) {
        let Ok(found) = found else { continue };
        for it in &found.unknown {
            let place = it.span.start as usize..it.span.end as usize;
            assert!(text.get(place).is_some(), "{it:?}");
        }
        for it in &found.policies {
            let place = it.content.span.start as usize..it.content.span.end as usize;
            assert!(text.get(place).is_some(), "{it:?}");
            let _ = it.content.to_json();
        }
    }
});
