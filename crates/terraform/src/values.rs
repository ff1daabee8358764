//! Reads the files with values of variables.

use std::path::Path;

use policy::{Node, json};

use crate::declared::{Declared, Values, attributes};
use crate::evaluate::{Evaluator, Scope};
use crate::parse::parse;
use crate::{Files, SourceFile};

/// Returns the values for each choice that the person who runs Terraform has: without a file, and
/// with each file that has to be named.
pub(crate) fn choices(sources: &[SourceFile], files: &(dyn Files + Sync)) -> Vec<Values> {
    let mut automatic: Vec<_> = sources.iter().filter(|it| order(&it.name).is_some()).collect();
    automatic.sort_by_key(|it| (order(&it.name), &it.name));
    let mut base = Values::default();
    for it in automatic {
        base.read(it, files);
    }
    let named = sources.iter().filter(|it| order(&it.name).is_none()).map(|it| {
        let mut values = base.clone();
        values.read(it, files);
        values.name = Some(it.name.clone());
        values
    });
    std::iter::once(base.clone()).chain(named).collect()
}

/// Returns the position of a file among those that Terraform reads by itself, or `None` if Terraform
/// reads it only if it is named. Later values take the place of earlier ones.
fn order(name: &str) -> Option<u8> {
    match name {
        "terraform.tfvars" => Some(0),
        "terraform.tfvars.json" => Some(1),
        _ if name.ends_with(".auto.tfvars") || name.ends_with(".auto.tfvars.json") => Some(2),
        _ => None,
    }
}

impl Values {
    /// Reads a file, whose values take the place of those that are known.
    fn read(&mut self, source: &SourceFile, files: &(dyn Files + Sync)) {
        if let Some(values) = values(source, files) {
            self.known.extend(values);
        } else {
            self.known.clear();
            self.unread = Some(source.name.clone());
        }
    }
}

/// Returns the values in a file, or `None` if it cannot be read.
fn values(source: &SourceFile, files: &(dyn Files + Sync)) -> Option<Vec<(String, Node)>> {
    if Path::new(&source.name).extension().is_some_and(|it| it == "json") {
        let (document, findings) = json::read(&source.text);
        let document = document.filter(|_| findings.is_empty())?;
        let members = document.members()?.iter();
        return Some(members.map(|it| (it.key.clone(), it.value.clone())).collect());
    }
    let body = parse(&source.text).ok()?;
    let nothing = Declared::default();
    let values = attributes(&body).map(|(name, expression)| {
        let evaluator = Evaluator::new(&nothing, files, 0);
        (name.to_owned(), evaluator.evaluate(expression, name, &Scope::of(0, Vec::new())))
    });
    Some(values.collect())
}
