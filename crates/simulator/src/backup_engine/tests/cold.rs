//! Cold storage.

use super::*;

const TABLE: &str = "arn:aws:dynamodb:eu-west-1:200000000001:table/carts";

/// Returns an engine in which a resource is backed up once, with this lifecycle.
fn backed_up(arn: &str, kind: &str, lifecycle: PointLifecycle) -> BackupEngine {
    let mut engine = idle();
    engine.put_resource(resource(arn, kind));
    engine.opt_in(REGION, kind, true);
    engine.back_up(&BackupOrder { lifecycle, ..backup_of(arn) }).unwrap();
    wait(&mut engine);
    engine
}

fn week(archives: bool) -> PointLifecycle {
    PointLifecycle { delete_after_days: Some(97), cold_after_days: Some(7), archives }
}

fn copying(point: usize) -> CopyOrder {
    let (asker, destination) = (asker(ACCOUNT), COPIES.to_owned());
    CopyOrder { asker, point, destination, lifecycle: PointLifecycle::default() }
}

#[test]
fn only_some_types_move_to_cold_storage_and_volumes_only_to_the_archive() {
    for (arn, kind, archives, moves) in [
        (TABLE, "DynamoDB", false, true),
        (VOLUME, "EBS", true, true),
        (VOLUME, "EBS", false, false),
        (INSTANCE, "EC2", true, false),
        (BUCKET, "S3", true, false),
    ] {
        let mut engine = backed_up(arn, kind, week(archives));
        let point = newest(&engine, KEEP);
        let at = moves.then(|| point.created + Duration::from_hours(7 * 24));
        assert_eq!(point.cold_at, at, "{kind}");
        assert!(!point.is_cold(engine.now()));
        engine.advance(hour(8 * 24));
        assert_eq!(newest(&engine, KEEP).is_cold(engine.now()), moves, "{kind}");
        engine.advance(hour(98 * 24));
        assert_eq!(engine.points().count(), 0, "{kind} is deleted on its day");
    }
}

#[test]
fn nothing_is_copied_from_cold_storage() {
    let mut engine = backed_up(TABLE, "DynamoDB", week(false));
    let point = newest(&engine, KEEP).id;
    engine.copy(&copying(point)).unwrap();
    wait(&mut engine);
    let copy = newest(&engine, COPIES);
    assert_eq!(copy.cold_at, newest(&engine, KEEP).cold_at, "a copy has the times of its source");
    engine.advance(hour(8 * 24));
    assert_eq!(refused(engine.copy(&copying(point))), Code::InvalidRequest);
}

#[test]
fn a_restore_from_cold_storage_takes_four_hours_more_where_it_is() {
    let mut engine = backed_up(TABLE, "DynamoDB", week(false));
    let point = newest(&engine, KEEP);
    let metadata = [("targetTableName".to_owned(), "carts-2".to_owned())].into();
    let order = RestoreOrder {
        asker: asker(ACCOUNT),
        point: point.id,
        metadata,
        kind: None,
        copies_tags: false,
    };
    engine.advance(hour(8 * 24));
    let id = engine.restore(&order).unwrap();
    engine.advance(hour(8 * 24 + 4));
    assert_eq!(engine.restore_jobs()[id].progress, JobProgress::Running);
    wait(&mut engine);
    assert_eq!(engine.restore_jobs()[id].progress, JobProgress::Completed);
}

#[test]
fn a_plan_with_too_short_a_time_in_cold_storage_is_rejected() {
    let short = json!({ "lifecycle": {
        "move_to_cold_storage_after_days": "7", "delete_after_days": "96",
    } });
    let copy = json!({ "copy_actions": { (COPIES): {
        "target_backup_vault_arn": COPIES, "lifecycle": short["lifecycle"],
    } } });
    for more in [short, copy] {
        let mut engine = engine(json!({ "night": rule(more) }));
        engine.advance(hour(6));
        let troubles: Vec<_> = engine.skipped().iter().map(|it| it.trouble).collect();
        assert_eq!(troubles, [Trouble::PlanRejected; 3]);
    }
}
