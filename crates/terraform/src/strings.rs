//! Evaluates strings and templates that have expressions or directives in them.

use std::rc::Rc;

use hcl_edit::expr::Expression;
use hcl_edit::parser::parse_template;
use hcl_edit::template::{Directive, Element, StringTemplate, Strip, Template};
use policy::{Node, Span, Value, json};

use crate::evaluate::{Evaluator, Names, Scope, has_unknown, open, rounds};
use crate::shallow::{self, TextKind};

/// A text that is assembled from parts.
#[derive(Default)]
struct Text {
    text: String,
    /// True if the white space that comes next is left out.
    strips: bool,
}

impl Text {
    fn literal(&mut self, literal: &str) {
        let strips = std::mem::take(&mut self.strips);
        self.text.push_str(if strips { without_line(literal) } else { literal });
    }

    fn begin(&mut self, strip: Strip) {
        self.strips = false;
        if strip.strip_start() {
            let kept = self.text.trim_end_matches([' ', '\t']);
            let kept = kept.strip_suffix('\n').unwrap_or(kept);
            let length = kept.strip_suffix('\r').unwrap_or(kept).len();
            self.text.truncate(length);
        }
    }

    fn end(&mut self, strip: Strip) {
        self.strips = strip.strip_end();
    }
}

/// Returns a text without the white space at its beginning, up to the end of the line.
fn without_line(text: &str) -> &str {
    let rest = text.trim_start_matches([' ', '\t', '\r']);
    rest.strip_prefix('\n').unwrap_or(rest)
}

impl Evaluator<'_> {
    /// Evaluates a string in quotes. If it is one expression and nothing else, the result is the
    /// value of that expression, of any type.
    pub(crate) fn string(
        &self,
        it: &StringTemplate,
        span: Span,
        path: &str,
        scope: &Scope,
    ) -> Node {
        if let Some(Element::Interpolation(it)) = it.as_single_element() {
            return self.evaluate(&it.expr, path, scope);
        }
        self.elements(it.iter(), span, path, scope)
    }

    pub(crate) fn template(&self, it: &Template, span: Span, path: &str, scope: &Scope) -> Node {
        self.elements(it.iter(), span, path, scope)
    }

    /// Evaluates the content of a file that `templatefile()` names, with these names.
    pub(crate) fn template_file(
        &self,
        text: &str,
        names: Names,
        span: Span,
        path: &str,
        scope: &Scope,
    ) -> Node {
        if !shallow::is_shallow(text, TextKind::Template) {
            return self.unknown(path, span, "the expressions of the template are nested too deep");
        }
        match parse_template(text) {
            Ok(it) => self.template(&it, span, path, &scope.of_template(span, names)),
            Err(error) => {
                let line = error.location().line();
                self.unknown(path, span, format!("line {line} of the template cannot be read"))
            }
        }
    }

    fn elements<'a>(
        &self,
        elements: impl Iterator<Item = &'a Element>,
        span: Span,
        path: &str,
        scope: &Scope,
    ) -> Node {
        let mut text = Text::default();
        for it in elements {
            if !self.element(it, &mut text, path, scope) {
                return Node { span, value: Value::Unknown };
            }
        }
        Node { span, value: Value::Text(text.text) }
    }

    /// Adds an element to a text. Notes the reason and returns `false` if that is not possible.
    fn element(&self, element: &Element, text: &mut Text, path: &str, scope: &Scope) -> bool {
        if !self.charge(1 + text.text.len() / 10_000) || text.text.len() > json::MAX_BYTES {
            self.unknown(path, scope.span(element), "the text is too long");
            return false;
        }
        match element {
            Element::Literal(it) => text.literal(it.value()),
            Element::Interpolation(it) => {
                text.begin(it.strip);
                let value = self.evaluate(&it.expr, path, scope);
                text.text.push_str(&as_text(&value, &it.expr));
                text.end(it.strip);
            }
            Element::Directive(it) => match &**it {
                Directive::If(it) => {
                    let Some(result) = self.decide(&it.if_expr.cond_expr, path, scope) else {
                        return false;
                    };
                    text.begin(it.if_expr.strip);
                    let chosen = if result {
                        Some((it.if_expr.strip, &it.if_expr.template))
                    } else {
                        it.else_expr.as_ref().map(|it| (it.strip, &it.template))
                    };
                    if let Some((strip, template)) = chosen {
                        text.end(strip);
                        if !template.iter().all(|it| self.element(it, text, path, scope)) {
                            return false;
                        }
                    }
                    // The directive that ends the chosen branch strips the white space before it.
                    let ends_with_else = result && it.else_expr.is_some();
                    let before = match (&it.else_expr, ends_with_else) {
                        (Some(it), true) => it.strip,
                        _ => it.endif_expr.strip,
                    };
                    text.begin(before);
                    text.end(it.endif_expr.strip);
                }
                Directive::For(it) => {
                    let head = &it.for_expr;
                    let collection = self.evaluate(&head.collection_expr, path, scope);
                    let Some(rounds) = rounds(&collection) else {
                        if collection.value != Value::Unknown {
                            self.unknown(path, scope.span(element), "it is not a list");
                        }
                        return false;
                    };
                    text.begin(head.strip);
                    for (key, value) in rounds {
                        let name = |name: &str| name.to_owned();
                        let key = head.key_var.as_ref().map(|it| (name(it.as_str()), Rc::new(key)));
                        let value = (name(head.value_var.as_str()), Rc::new(value));
                        let scope = scope.with(key.into_iter().chain([value]));
                        text.end(head.strip);
                        if !head.template.iter().all(|it| self.element(it, text, path, &scope)) {
                            return false;
                        }
                        text.begin(it.endfor_expr.strip);
                    }
                    text.end(it.endfor_expr.strip);
                }
            },
        }
        true
    }
}

/// Returns a value as text. An expression whose value is not known stays in it as `${…}`.
fn as_text(value: &Node, expression: &Expression) -> String {
    match value.scalar() {
        Some(text) => text.to_owned(),
        None if has_unknown(value) => open(expression),
        // `jsonencode()` left a list or a map as it is; no other list or map can be part of a
        // string.
        None => value.to_json(),
    }
}
