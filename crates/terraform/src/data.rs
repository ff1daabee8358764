//! Evaluates the data sources whose results follow from the files of a module.

use std::rc::Rc;

use hcl_edit::Decorated;
use hcl_edit::expr::TraversalOperator;
use policy::{Node, Span, Value};

use crate::declared::attribute;
use crate::evaluate::{Evaluator, Scope};

impl Evaluator<'_> {
    /// Returns an attribute of a data source of type `kind`, or `None` if only Terraform reads it.
    /// `operators` begin with the name of the data source and that of the attribute.
    pub(crate) fn data(
        &self,
        kind: &str,
        operators: &[Decorated<TraversalOperator>],
        span: Span,
        path: &str,
        scope: &Scope,
    ) -> Option<Node> {
        let [name, key] = operators else { return None };
        let (TraversalOperator::GetAttr(name), TraversalOperator::GetAttr(key)) =
            (name.value(), key.value())
        else {
            return None;
        };
        let (file, body) = self.declared.data.get(&(kind, name.as_str()))?;
        let own = self.elsewhere(*file, span, scope);
        match (kind, key.as_str()) {
            ("template_file", "rendered") => {
                let template = self.evaluate(attribute(body, "template")?, path, &own);
                let Some(text) = template.scalar() else {
                    return Some(Node { span, value: Value::Unknown });
                };
                let vars = attribute(body, "vars").map(|it| self.evaluate(it, path, &own));
                let vars = vars.as_ref().and_then(Node::members).unwrap_or_default().iter();
                let names = vars.map(|it| (it.key.clone(), Rc::new(it.value.clone()))).collect();
                Some(self.template_file(text, names, span, path, scope))
            }
            ("local_file", "content") => {
                let file = self.evaluate(attribute(body, "filename")?, path, &own);
                let text = self.file(&file, span, path);
                Some(
                    text.map_or_else(|unknown| unknown, |it| Node { span, value: Value::Text(it) }),
                )
            }
            _ => None,
        }
    }
}
