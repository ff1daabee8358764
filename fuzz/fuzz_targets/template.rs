//! Any template can be evaluated, by every way through its conditions and mappings.

#![no_main]

use std::collections::BTreeSet;

use libfuzzer_sys::fuzz_target;
use template::{
    Choices, Evaluator, Given, NoEnvironment, Syntax, expand, is_template, read, section,
    transforms,
};

fuzz_target!(|text: &str| {
    let (Some(document), _) = read(text, Syntax::Yaml) else { return };
    if !is_template(&document) {
        return;
    }
    let given = Given::default();
    let document = expand(&document, &given);
    let _ = transforms(&document);
    let mut met = BTreeSet::new();
    let mut next = vec![Choices::default()];
    for _ in 0..20 {
        let Some(choices) = next.pop() else { break };
        let evaluator = Evaluator::new(&document, &given, &NoEnvironment).along(choices);
        for it in section(&document, "Resources") {
            let path = format!("Resources/{}", it.key);
            let _ = evaluator.draft(&it.value, &path);
            let _ = evaluator.evaluate(&it.value, &path);
        }
        evaluator.judge_rules();
        next.extend(evaluator.choices().others(&mut met));
        assert!(evaluator.into_notes().unknown.iter().all(|it| !it.why.is_empty()));
    }
});
