//! Reads the declarations in the files of a folder.

use std::collections::BTreeMap;

use hcl_edit::expr::Expression;
use hcl_edit::structure::{Body, Structure};
use policy::{Node, Span};

use crate::Unreadable;

/// The declarations in the files of a folder, each with the index of its file.
#[derive(Default)]
pub(crate) struct Declared<'a> {
    pub(crate) locals: BTreeMap<&'a str, (usize, &'a Expression)>,
    pub(crate) variables: BTreeMap<&'a str, Variable<'a>>,
    /// Resources by their types and names.
    pub(crate) resources: BTreeMap<(&'a str, &'a str), (usize, &'a Body)>,
    /// Data sources by their types and names.
    pub(crate) data: BTreeMap<(&'a str, &'a str), (usize, &'a Body)>,
    /// The values of variables.
    pub(crate) values: Values,
    /// The folder, as Terraform names it to a module. It is empty for the first module.
    pub(crate) folder: &'a str,
}

/// The declaration of a variable.
pub(crate) struct Variable<'a> {
    pub(crate) file: usize,
    pub(crate) default: Option<&'a Expression>,
    /// Its type, as it is written.
    pub(crate) kind: Option<&'a Expression>,
}

/// The values of variables for one run of Terraform.
#[derive(Clone, Debug, Default)]
pub(crate) struct Values {
    /// The values, by the names of their variables.
    pub(crate) known: BTreeMap<String, Node>,
    /// The file that was not read and may have set the variables that are not in `known`.
    pub(crate) unread: Option<String>,
    /// The file that has to be named for this run, if there is one.
    pub(crate) name: Option<String>,
}

impl<'a> Declared<'a> {
    /// Collects the declarations of these files. A file that cannot be read declares nothing.
    pub(crate) fn of(
        files: &'a [Result<Body, Unreadable>],
        values: Values,
        folder: &'a str,
    ) -> Self {
        let mut declared = Self { values, folder, ..Self::default() };
        for (index, body) in files.iter().enumerate() {
            let Ok(body) = body else { continue };
            for (kind, labels, body) in blocks(body) {
                match (kind, labels.as_slice()) {
                    ("locals", []) => {
                        declared.locals.extend(attributes(body).map(|it| (it.0, (index, it.1))));
                    }
                    ("variable", [name]) => {
                        let variable = Variable {
                            file: index,
                            default: attribute(body, "default"),
                            kind: attribute(body, "type"),
                        };
                        declared.variables.insert(name, variable);
                    }
                    ("resource", [kind, name]) => {
                        declared.resources.insert((kind, name), (index, body));
                    }
                    ("data", [kind, name]) => {
                        declared.data.insert((kind, name), (index, body));
                    }
                    _ => {}
                }
            }
        }
        declared
    }
}

/// Returns the blocks of a body: their types, their labels and their own bodies.
pub(crate) fn blocks(body: &Body) -> impl Iterator<Item = (&str, Vec<&str>, &Body)> {
    body.iter().filter_map(|it| match it {
        Structure::Block(it) => {
            let labels = it.labels.iter().map(hcl_edit::structure::BlockLabel::as_str).collect();
            Some((it.ident.as_str(), labels, &it.body))
        }
        Structure::Attribute(_) => None,
    })
}

/// Returns the attributes of a body.
pub(crate) fn attributes(body: &Body) -> impl Iterator<Item = (&str, &Expression)> {
    body.iter().filter_map(|it| match it {
        Structure::Attribute(it) => Some((it.key.as_str(), &it.value)),
        Structure::Block(_) => None,
    })
}

/// Returns the value of an attribute of a body.
pub(crate) fn attribute<'a>(body: &'a Body, name: &str) -> Option<&'a Expression> {
    attributes(body).find(|it| it.0 == name).map(|it| it.1)
}

/// Returns the place of something in its own file.
pub(crate) fn span(of: &impl hcl_edit::Span) -> Span {
    let at = |it: usize| u32::try_from(it).unwrap_or_default();
    of.span().map(|it| Span { start: at(it.start), end: at(it.end) }).unwrap_or_default()
}
