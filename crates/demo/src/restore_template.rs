//! The template of restore tests, adapted to ministack.

use crate::cloudformation::REPLAY;
use crate::failure::{DemoError, ensure};

/// Returns the template without the parts that ministack does not know, and with a rule that the
/// demo can reach. Only AWS can put events of AWS on a bus, so the demo's events come from another
/// source and get the source of AWS on the way.
pub(crate) fn without_plan(template: &str) -> Result<String, DemoError> {
    let source = format!("source: [{REPLAY}]");
    let target = "          Arn: !GetAtt Queue.Arn\n";
    let transformer = r#"          InputTransformer:
            InputPathsMap: { detail: $.detail, type: $.detail-type }
            InputTemplate: '{ "source": "aws.backup", "detail-type": "<type>", "detail": <detail> }'
"#;
    // A resource whose condition is false need not be known.
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
