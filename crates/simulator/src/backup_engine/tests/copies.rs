//! Copies that are asked for, to the central account and back from it.

use super::*;

/// Returns an engine with a recovery point of a resource in the central vault.
fn copied(arn: &str) -> BackupEngine {
    let mut engine = idle();
    engine.back_up(&backup_of(arn)).unwrap();
    wait(&mut engine);
    let point = newest(&engine, KEEP).id;
    engine.copy(&order(ACCOUNT, point, COPIES)).unwrap();
    wait(&mut engine);
    engine
}

fn order(account: &str, point: usize, destination: &str) -> CopyOrder {
    let destination = destination.to_owned();
    CopyOrder { asker: asker(account), point, destination, lifecycle: PointLifecycle::default() }
}

/// Copies the copy of a resource back into another account and returns the trouble.
fn fetched(arn: &str, change: &dyn Fn(&mut BackupEngine)) -> Option<Trouble> {
    let mut engine = copied(arn);
    engine.lose_account(ACCOUNT);
    change(&mut engine);
    let point = newest(&engine, COPIES).id;
    let id = engine.copy(&order(CENTRAL, point, NEW_KEEP)).unwrap();
    wait(&mut engine);
    engine.copy_jobs()[id].trouble
}

#[test]
fn a_copy_is_fetched_back_into_another_account_with_the_time_of_its_source() {
    let mut engine = copied(VOLUME);
    engine.lose_account(ACCOUNT);
    assert_eq!(engine.resources().count(), 0);
    let source = newest(&engine, COPIES);
    let id = engine.copy(&order(CENTRAL, source.id, NEW_KEEP)).unwrap();
    assert_eq!(engine.copy_jobs()[id].progress, JobProgress::Created);
    wait(&mut engine);
    let copy = newest(&engine, NEW_KEEP);
    assert_eq!((copy.created, copy.delete_at), (source.created, source.delete_at));
    assert_eq!((copy.metadata, copy.tags), (source.metadata, source.tags));
    assert_eq!(copy.source_vault.as_deref(), Some(COPIES));
}

#[test]
fn the_retention_of_a_copy_counts_from_the_time_of_its_source() {
    let mut engine = copied(VOLUME);
    engine.advance(hour(10 * 24));
    let source = newest(&engine, COPIES).id;
    let lifecycle = PointLifecycle::deleted_after(Some(7));
    let week = CopyOrder { lifecycle, ..order(CENTRAL, source, NEW_KEEP) };
    engine.copy(&week).unwrap();
    wait(&mut engine);
    assert_eq!(points(&engine, VOLUME).len(), 2, "a copy that is too old is deleted at once");
}

#[test]
fn it_fails_where_organization_switch_vault_lock_or_region_say_no() {
    let closed = EngineVault { admits_organization: false, ..vault() };
    let locked = EngineVault { lock: Some((Some(60), None)), ..vault() };
    let default = EngineVault { key: EngineKey::Default, ..vault() };
    let disabled = EngineVault { key: EngineKey::Disabled, ..vault() };
    let went = |it: EngineVault| fetched(VOLUME, &|engine| engine.put_vault(NEW_KEEP, it.clone()));
    assert_eq!(fetched(VOLUME, &|_| {}), None);
    assert_eq!(went(closed), Some(Trouble::VaultDenied));
    assert_eq!(went(locked), Some(Trouble::Retention));
    assert_eq!(went(default.clone()), Some(Trouble::DefaultKey));
    assert_eq!(went(disabled), Some(Trouble::Key));
    let went = |change: &dyn Fn(&mut BackupEngine)| fetched(VOLUME, change);
    assert_eq!(went(&|it| it.delete_vault(NEW_KEEP)), Some(Trouble::NoVault));
    assert_eq!(went(&|it| it.cross_account = false), Some(Trouble::CrossAccountDisabled));
    assert_eq!(went(&|it| it.disable_region(NEW, REGION)), Some(Trouble::RegionDisabled));
    assert_eq!(went(&|it| it.quotas.points = 0), Some(Trouble::Quota));
    // What is managed fully may have the key of AWS Backup.
    assert_eq!(fetched(BUCKET, &|it| it.put_vault(NEW_KEEP, default.clone())), None);
}

#[test]
fn an_account_outside_the_organization_gets_and_gives_nothing() {
    let mut engine = copied(VOLUME);
    let outside = "arn:aws:backup:eu-west-1:900000000001:backup-vault:keep";
    engine.put_vault(outside, vault());
    let point = newest(&engine, COPIES).id;
    let id = engine.copy(&order(CENTRAL, point, outside)).unwrap();
    wait(&mut engine);
    assert_eq!(engine.copy_jobs()[id].trouble, Some(Trouble::OtherOrganization));
}

#[test]
fn the_role_of_the_account_that_has_the_copy_has_to_be_allowed_to_copy_from_its_vault() {
    let denied = |it: &mut BackupEngine| it.deny(CENTRAL_ROLE, "backup:CopyFromBackupVault");
    assert_eq!(fetched(VOLUME, &denied), Some(Trouble::SourceDenied));
}

#[test]
fn the_role_of_a_copy_has_to_be_allowed_what_its_type_needs() {
    for (arn, kind, actions) in [
        (VOLUME, "EBS", &["ec2:CopySnapshot", "ec2:ModifySnapshotAttribute", "kms:ReEncryptFrom"]),
        (INSTANCE, "EC2", &["ec2:CopyImage", "ec2:ModifyImageAttribute", "kms:CreateGrant"]),
        (
            BUCKET,
            "S3",
            &["backup:CopyIntoBackupVault", "backup:DescribeBackupVault", "kms:DescribeKey"],
        ),
    ] {
        for action in actions {
            let denied = |it: &mut BackupEngine| it.deny(CENTRAL_ROLE, action);
            assert_eq!(fetched(arn, &denied), Some(Trouble::RoleDenied), "{kind} {action}");
        }
        let other = |it: &mut BackupEngine| it.deny(CENTRAL_ROLE, "rds:CopyDBSnapshot");
        assert_eq!(fetched(arn, &other), None, "{kind}");
    }
}

#[test]
fn snapshots_of_a_multi_az_cluster_are_made_and_not_copied() {
    let cluster = "arn:aws:rds:eu-west-1:200000000001:cluster:spread";
    let night = json!({ "enable_continuous_backup": "true", "copy_actions": {
        (COPIES): { "target_backup_vault_arn": COPIES },
    } });
    let mut engine = engine(json!({ "night": rule(night) }));
    engine.put_resource(resource(cluster, "RDS"));
    engine.opt_in(REGION, "RDS", true);
    engine.advance(hour(8));
    let point = engine.points().find(|it| it.resource == cluster).unwrap().clone();
    assert_eq!(point.form, PointForm::Snapshot);
    assert!(point.arn("aws").contains(":cluster-snapshot:awsbackup:"), "{}", point.arn("aws"));
    let went = |engine: &BackupEngine| {
        let jobs = engine.copy_jobs().iter().filter(|it| it.resource == cluster);
        jobs.map(|it| it.trouble).collect::<Vec<_>>()
    };
    assert_eq!(went(&engine), [Some(Trouble::NotCopied)]);
    engine.copy(&order(ACCOUNT, point.id, NEW_KEEP)).unwrap();
    wait(&mut engine);
    assert_eq!(went(&engine), [Some(Trouble::NotCopied); 2]);
}

#[test]
fn what_is_not_managed_fully_needs_the_key_that_it_is_encrypted_with() {
    let key = format!("{COPIES}/key");
    let kept = |it: &mut BackupEngine| it.keep_key_from(&key, NEW);
    assert_eq!(fetched(VOLUME, &kept), Some(Trouble::KeyNotShared));
    assert_eq!(fetched(BUCKET, &kept), None);
    let gone = EngineVault { key: EngineKey::Disabled, ..vault() };
    let gone = |it: &mut BackupEngine| it.put_vault(COPIES, gone.clone());
    assert_eq!(fetched(VOLUME, &gone), Some(Trouble::Key));
}

#[test]
fn what_is_encrypted_with_a_key_of_aws_does_not_leave_its_account() {
    let key = "arn:aws:kms:eu-west-1:200000000001:key/ebs";
    let mut engine = idle();
    engine.encrypt(VOLUME, key);
    engine.put_key(key, EngineKey::Default);
    engine.back_up(&backup_of(VOLUME)).unwrap();
    wait(&mut engine);
    let point = newest(&engine, KEEP).id;
    let id = engine.copy(&order(ACCOUNT, point, COPIES)).unwrap();
    assert_eq!(engine.copy_jobs()[id].trouble, None);
    wait(&mut engine);
    assert_eq!(engine.copy_jobs()[id].trouble, Some(Trouble::AwsKey));
}

#[test]
fn a_copy_is_encrypted_with_the_key_of_its_vault_and_plain_clusters_stay_plain() {
    let cluster = "arn:aws:rds:eu-west-1:200000000001:cluster:orders";
    let mut engine = copied(VOLUME);
    assert_eq!(newest(&engine, COPIES).key, Some(format!("{COPIES}/key")));
    engine.put_resource(resource(cluster, "Aurora"));
    engine.opt_in(REGION, "Aurora", true);
    engine.back_up(&backup_of(cluster)).unwrap();
    wait(&mut engine);
    let point = newest(&engine, KEEP).id;
    engine.copy(&order(ACCOUNT, point, COPIES)).unwrap();
    wait(&mut engine);
    assert_eq!(newest(&engine, COPIES).key, None);
}

#[test]
fn it_is_refused_where_the_recovery_point_cannot_be_copied() {
    let went = |change: &dyn Fn(&mut BackupEngine, usize)| {
        let mut engine = copied(VOLUME);
        let point = newest(&engine, COPIES).id;
        change(&mut engine, point);
        refused(engine.copy(&order(CENTRAL, point, NEW_KEEP)))
    };
    assert_eq!(went(&|it, point| it.flaw(point, Some(Flaw::Partial))), Code::InvalidRequest);
    assert_eq!(went(&|it, point| it.flaw(point, Some(Flaw::Deleting))), Code::InvalidRequest);
    assert_eq!(went(&|it, _| it.delete_vault(COPIES)), Code::ResourceNotFound);
    assert_eq!(went(&|it, _| it.put_role(CENTRAL_ROLE, false)), Code::InvalidParameterValue);
    let mut engine = copied(VOLUME);
    let point = newest(&engine, COPIES).id;
    for destination in [COPIES, "arn:aws:s3:::reports", "keep"] {
        let answer = engine.copy(&order(CENTRAL, point, destination));
        assert_eq!(refused(answer), Code::InvalidParameterValue, "{destination}");
    }
}

#[test]
fn a_recovery_point_that_expired_is_neither_copied_nor_restored() {
    let mut engine = idle();
    engine.back_up(&backup_of(INSTANCE)).unwrap();
    wait(&mut engine);
    engine.delete_role(ROLE);
    engine.advance(hour(31 * 24));
    engine.put_role(ROLE, true);
    let point = newest(&engine, KEEP);
    assert_eq!(point.status(), "EXPIRED");
    assert_eq!(refused(engine.copy(&order(ACCOUNT, point.id, COPIES))), Code::InvalidRequest);
}

#[test]
fn continuous_backups_are_not_copied_on_demand() {
    let mut engine =
        engine(json!({ "night": rule(json!({ "enable_continuous_backup": "true" })) }));
    engine.advance(hour(6));
    let point = engine.points().find(|it| it.form == PointForm::Continuous).unwrap().id;
    assert_eq!(refused(engine.copy(&order(ACCOUNT, point, COPIES))), Code::InvalidRequest);
}

#[test]
fn there_are_as_many_copies_at_a_time_as_the_quota_says() {
    let mut engine = copied(VOLUME);
    engine.quotas.copies = 1;
    let point = newest(&engine, COPIES).id;
    engine.copy(&order(CENTRAL, point, NEW_KEEP)).unwrap();
    assert_eq!(refused(engine.copy(&order(CENTRAL, point, NEW_KEEP))), Code::LimitExceeded);
    wait(&mut engine);
    engine.copy(&order(CENTRAL, point, NEW_KEEP)).unwrap();
}

#[test]
fn fewer_copies_at_a_time_take_a_resource_to_another_account() {
    let mut engine = copied(VOLUME);
    engine.quotas.copies_across = 0;
    let point = newest(&engine, COPIES).id;
    assert_eq!(refused(engine.copy(&order(CENTRAL, point, NEW_KEEP))), Code::LimitExceeded);
    engine.quotas.copies_across = 1;
    engine.copy(&order(CENTRAL, point, NEW_KEEP)).unwrap();
    assert_eq!(refused(engine.copy(&order(CENTRAL, point, NEW_KEEP))), Code::LimitExceeded);
}

#[test]
fn a_copy_goes_wrong_when_asked() {
    let failing = |it: &mut BackupEngine| {
        let (from, until) = (it.now(), it.now() + Duration::from_hours(2));
        it.inject_into(Jobs::Copies, Injected { resource: VOLUME.to_owned(), from, until });
    };
    assert_eq!(fetched(VOLUME, &failing), Some(Trouble::Injected));
}
