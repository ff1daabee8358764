//! The template of restore tests, as ministack takes it.

use crate::cloudformation::REPLAY;
use crate::failure::{DemoError, ensure};

/// The template without what ministack does not know, and with a rule that the demo can reach: nobody
/// but AWS puts events of AWS on a bus, so they come from elsewhere and get their source on the way.
pub(crate) fn without_plan(template: &str) -> Result<String, DemoError> {
    let source = format!("source: [{REPLAY}]");
    let target = "          Arn: !GetAtt RestoreValidationFunction.Arn\n";
    let transformer = r#"          InputTransformer:
            InputPathsMap: { detail: $.detail, type: $.detail-type }
            InputTemplate: '{ "source": "aws.backup", "detail-type": "<type>", "detail": <detail> }'
"#;
    // What has a condition that is not met need not be known.
    let plan = "    Type: AWS::Backup::RestoreTestingPlan\n";
    let output = "    Value: !GetAtt Plan.RestoreTestingPlanArn\n";
    let never = "    Condition: TestsEBS\n";
    let changes = [
        ("source: [aws.backup]", source),
        (target, format!("{target}{transformer}")),
        (plan, format!("{plan}{never}")),
        (output, format!("{output}{never}")),
    ];
    changes.into_iter().try_fold(template.to_owned(), |template, (from, to)| {
        ensure(template.matches(from).count() == 1, || {
            format!("restore-testing.yaml has `{}` once", from.trim())
        })?;
        Ok(template.replacen(from, &to, 1))
    })
}
