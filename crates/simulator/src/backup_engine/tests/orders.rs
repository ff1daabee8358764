//! Backups on demand, and tokens.

use super::*;

#[test]
fn a_backup_that_is_asked_for_is_made_at_once_and_kept_as_asked() {
    let mut engine = idle();
    let id = engine.back_up(&backup_of(VOLUME)).unwrap();
    assert_eq!(engine.jobs()[id].progress, JobProgress::Created);
    wait(&mut engine);
    assert_eq!(jobs(&engine, VOLUME), [DONE]);
    let point = newest(&engine, KEEP);
    assert_eq!((point.resource.as_str(), point.lifecycle.delete_after_days), (VOLUME, Some(30)));
    assert_eq!(point.rule, (String::new(), String::new()));
}

#[test]
fn tags_of_the_resource_and_of_the_recovery_point_are_kept() {
    let mut engine = idle();
    let tags = BTreeMap::from([("why".to_owned(), "upgrade".to_owned())]);
    engine.back_up(&BackupOrder { tags: tags.clone(), ..backup_of(VOLUME) }).unwrap();
    wait(&mut engine);
    let point = newest(&engine, KEEP);
    assert_eq!((point.tags["tier"].as_str(), point.own_tags), ("gold", tags));
}

#[test]
fn it_is_refused_where_resource_vault_type_or_role_say_no() {
    let went = |change: &dyn Fn(&mut BackupEngine), order: BackupOrder| {
        let mut engine = idle();
        change(&mut engine);
        refused(engine.back_up(&order))
    };
    let order = || backup_of(VOLUME);
    assert_eq!(went(&|it| it.delete_resource(VOLUME), order()), Code::ResourceNotFound);
    assert_eq!(went(&|it| it.delete_vault(KEEP), order()), Code::ResourceNotFound);
    assert_eq!(went(&|it| it.unsupport(REGION, "EBS"), order()), Code::InvalidParameterValue);
    assert_eq!(went(&|it| it.opt_in(REGION, "EBS", false), order()), Code::InvalidRequest);
    assert_eq!(went(&|it| it.put_role(ROLE, false), order()), Code::InvalidParameterValue);
    assert_eq!(went(&|it| it.delete_role(ROLE), order()), Code::InvalidParameterValue);
    let other = BackupOrder { asker: asker(NEW), ..order() };
    assert_eq!(went(&|_| {}, other), Code::ResourceNotFound);
    let of_other = Asker { role: NEW_ROLE.to_owned(), ..asker(ACCOUNT) };
    let of_other = BackupOrder { asker: of_other, ..order() };
    assert_eq!(went(&|_| {}, of_other), Code::InvalidParameterValue);
}

#[test]
fn it_fails_where_the_lock_of_the_vault_does_not_allow_the_retention() {
    let mut engine = idle();
    engine.put_vault(KEEP, EngineVault { lock: Some((Some(60), None)), ..vault() });
    engine.back_up(&backup_of(VOLUME)).unwrap();
    wait(&mut engine);
    assert_eq!(jobs(&engine, VOLUME), [failed(Trouble::Retention)]);
}

#[test]
fn its_windows_are_those_that_are_asked_for() {
    let mut engine = idle();
    engine.quotas.jobs = 0;
    let window = Some(Duration::from_hours(1));
    engine.back_up(&BackupOrder { start_window: window, ..backup_of(VOLUME) }).unwrap();
    engine.advance(hour(2));
    assert_eq!(jobs(&engine, VOLUME), [(JobProgress::Expired, Some(Trouble::NotStarted))]);
}

#[test]
fn it_goes_to_an_air_gapped_vault_as_that_of_a_rule_does() {
    let mut engine = idle();
    engine.put_vault(GAP, EngineVault { air_gapped: true, ..vault() });
    let air_gapped = Some(GAP.to_owned());
    for arn in [VOLUME, BUCKET] {
        engine.back_up(&BackupOrder { air_gapped: air_gapped.clone(), ..backup_of(arn) }).unwrap();
    }
    wait(&mut engine);
    for arn in [VOLUME, BUCKET] {
        assert_eq!(points(&engine, arn), [(GAP.to_owned(), PointForm::Snapshot)], "{arn}");
    }
}

fn with_token(arn: &str) -> BackupOrder {
    let asker = Asker { token: Some("plan-1".to_owned()), ..asker(ACCOUNT) };
    BackupOrder { asker, ..backup_of(arn) }
}

#[test]
fn the_same_request_with_the_same_token_gets_the_same_job() {
    let mut engine = idle();
    let first = engine.back_up(&with_token(VOLUME)).unwrap();
    assert_eq!(engine.back_up(&with_token(VOLUME)).unwrap(), first);
    assert_eq!(engine.jobs().len(), 1);
    assert_ne!(engine.back_up(&backup_of(VOLUME)).unwrap(), first);
}

#[test]
fn another_request_with_the_same_token_is_refused() {
    let mut engine = idle();
    engine.back_up(&with_token(VOLUME)).unwrap();
    assert_eq!(refused(engine.back_up(&with_token(INSTANCE))), Code::InvalidParameterValue);
}

#[test]
fn a_token_is_forgotten_after_an_hour() {
    let mut engine = idle();
    let first = engine.back_up(&with_token(VOLUME)).unwrap();
    wait(&mut engine);
    assert_ne!(engine.back_up(&with_token(VOLUME)).unwrap(), first);
}
