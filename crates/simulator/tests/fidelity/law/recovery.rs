//! The law of the way back: a resource that `report::coverage` calls fresh with a copy is restored in
//! another account by the plan that `report::recovery` makes, and if the plan is refused, nothing else
//! restores it there either.

use std::collections::BTreeMap;
use std::time::Duration;

use plan::id::{ResourceType, RoleName};
use policy::arn::Arn;
use proptest::prelude::*;
use report::coverage::{CopyState, Obstacle, PointStatus, State};
use report::recovery::{Hindrance, KeptPoint, Proofs, RestorePlan, RestoreRequest, WaySeen, plan};
use report::{Destination, Found};
use serde_json::json;
use simulator::{
    Asker, BackedUp, BackupEngine, BackupOrder, CopyOrder, EngineKey, EnginePoint, EngineVault,
    PointLifecycle, RestoreOrder,
};

use super::spec::{ACCOUNTS, CENTRAL, KINDS, REGIONS, Spec};
use super::world::{NEW, World, found, role, vault};
use super::{Tally, Verdict, hold, met};

/// The vault that copies come back to, and the role of every account.
const FETCHED: &str = "fetched";
const ROLE: &str = "backup";

/// The time that a job of any size takes at most.
const WORK: Duration = Duration::from_hours(12);

/// A change of an account that keeps it from getting anything back.
type Oddity = fn(&mut BackupEngine, &str, &str);

/// Each oddity, and whether it concerns a copy or a restore.
const ODDITIES: [(&str, Oddity); 7] = [
    ("no vault", |it, region, _| it.delete_vault(&vault(NEW, region, FETCHED))),
    ("closed vault", |it, region, _| {
        let closed = EngineVault { admits_organization: false, ..good() };
        it.put_vault(&vault(NEW, region, FETCHED), closed);
    }),
    ("locked vault", |it, region, _| {
        let locked = EngineVault { lock: Some((Some(3_000), None)), ..good() };
        it.put_vault(&vault(NEW, region, FETCHED), locked);
    }),
    ("disabled key", |it, region, _| {
        let disabled = EngineVault { key: EngineKey::Disabled, ..good() };
        it.put_vault(&vault(NEW, region, FETCHED), disabled);
    }),
    ("no role for copies", |it, _, _| it.delete_role(&role(CENTRAL, ROLE))),
    ("role that does not trust", |it, _, _| it.put_role(&role(NEW, ROLE), false)),
    ("opted out", |it, region, kind| it.opt_in(region, kind, false)),
];

fn good() -> EngineVault {
    EngineVault {
        key: EngineKey::Customer,
        lock: None,
        admits_organization: true,
        air_gapped: false,
    }
}

#[test]
fn what_is_fresh_with_a_copy_comes_back_in_another_account() {
    // All types but the one that has no copies.
    let kinds = KINDS.iter().map(|it| it.0).filter(|it| *it != "Redshift");
    let all = kinds.chain(ODDITIES.iter().map(|it| it.0)).chain(["two copies"]);
    hold(comes_back, &all.collect::<Vec<_>>());
}

fn comes_back(spec: Spec, tally: &mut Tally) -> Verdict {
    let mut world = World::new(spec);
    let mut then = world.now();
    for (hours, happening) in world.spec.happenings.clone() {
        then += Duration::from_hours(hours);
        world.engine.advance(then);
        world.happen(&happening);
    }
    then += Duration::from_hours(26);
    world.engine.advance(then);
    for index in 0..world.spec.resources.len() {
        let said = world.judge(index, |said, _| said.clone());
        let fresh = said.owed.iter().filter(|it| matches!(it.state, State::Fresh));
        let copies = fresh.flat_map(|it| &it.copies);
        let copies = copies.filter(|it| matches!(it.state, CopyState::Fresh));
        for copy in copies.filter(|it| it.vault.contains(CENTRAL)) {
            let kind = world.spec.resources[index].kind;
            let supported = REGIONS.iter().enumerate();
            let supported = supported.filter(|it| it.0 == 0 || !world.spec.unsupported[kind]);
            for (_, region) in supported {
                restorable(&world, index, &copy.vault, region, tally)?;
            }
        }
    }
    Ok(())
}

/// Restores the newest copy of a resource in a vault in a Region of another account, with and without
/// oddities.
fn restorable(world: &World, index: usize, at: &str, region: &str, tally: &mut Tally) -> Verdict {
    let thing = &world.spec.resources[index];
    let kind = KINDS[thing.kind].0;
    let arn = world.arn(index);
    let here = world.engine.points().filter(|it| it.resource == arn && it.vault == at);
    let Some(point) = here.max_by_key(|it| it.created).cloned() else { return Ok(()) };
    // The key of a vault is never changed, nor does a recovery point come back that ends meanwhile.
    let is_kept = |it: &EngineVault| it.key == EngineKey::Customer;
    let soon = world.now() + 4 * WORK;
    let is_moved = point.is_cold(soon) && !point.is_cold(world.now());
    let ends = point.delete_at.is_some_and(|it| it <= soon) || is_moved;
    if !world.engine.vault(at).is_some_and(is_kept) || ends {
        return Ok(());
    }
    let mut engine = world.engine.clone();
    engine.lose_account(ACCOUNTS[thing.account]);
    prepare(&mut engine, region, kind);
    let about = format!("{kind} {arn} from {at} in {region}");
    let good = planned(&engine, &point, region);
    if point.is_cold(engine.now()) {
        prop_assert!(good.is_err(), "{}: nothing is copied from cold storage", about);
        return Ok(());
    }
    let good = good.map_err(|it| TestCaseError::fail(format!("{about}: {it:?}")))?;
    let made = carried(&mut engine.clone(), &good);
    prop_assert!(made.is_ok(), "{about}: {made:?} of {:?}", good.settings);
    met(tally, kind);
    if good.hops.len() > 1 {
        met(tally, "two copies");
    }
    for (name, oddity) in ODDITIES {
        let mut odd = engine.clone();
        oddity(&mut odd, region, kind);
        let said = planned(&odd, &point, region);
        let made = carried(&mut odd, &good);
        prop_assert_eq!(said.is_ok(), made.is_ok(), "{}, {}: {:?} {:?}", about, name, said, made);
        if said.is_err() {
            met(tally, name);
        }
    }
    Ok(())
}

/// Prepares the account that gets something back.
fn prepare(engine: &mut BackupEngine, region: &str, kind: &str) {
    engine.cross_account = true;
    engine.opt_in(region, kind, true);
    engine.put_vault(&vault(NEW, region, FETCHED), good());
    engine.put_vault(&vault(CENTRAL, region, "copies"), good());
    for account in [CENTRAL, NEW] {
        engine.put_role(&role(account, ROLE), true);
    }
    engine.put_part(NEW, region, "given");
}

/// Plans the restore of a recovery point in the other account, with a network of that where the plan asks
/// for one.
fn planned(
    engine: &BackupEngine,
    point: &EnginePoint,
    region: &str,
) -> Result<RestorePlan, Vec<Hindrance>> {
    planned_in(engine, point, NEW, region)
}

/// Plans the same in any account.
fn planned_in(
    engine: &BackupEngine,
    point: &EnginePoint,
    account: &str,
    region: &str,
) -> Result<RestorePlan, Vec<Hindrance>> {
    let goal = destination(&vault(account, region, FETCHED));
    let name: RoleName = ROLE.parse().unwrap();
    let mut request = RestoreRequest {
        goal: goal.clone(),
        partition: "aws".to_owned(),
        role: name.clone(),
        copy_role: name,
        keep_days: None,
        name: None,
        set: BTreeMap::new(),
        overwrite: None,
        again: String::new(),
    };
    let vaults = [point.vault.clone(), goal.arn("aws"), vault(CENTRAL, region, "copies")];
    let roles = [role(CENTRAL, ROLE), role(account, ROLE)];
    let trust = |it: &String| engine.role(it).map_or(Found::Absent, Found::Here);
    let kind: ResourceType = point.kind.parse().unwrap();
    let seen = WaySeen {
        metadata: point.metadata.clone(),
        vaults: vaults.iter().map(|it| (it.clone(), found(engine.vault(it)))).collect(),
        roles: roles.iter().map(|it| (it.clone(), trust(it))).collect(),
        opt_ins: Some([(kind, engine.has_opted_in(&point.kind, region))].into()),
        proofs: Proofs::default(),
    };
    let kept = kept(point);
    plan(&kept, &request, &seen, engine.now()).or_else(|_| {
        for it in plan(&kept, &request, &seen, engine.now()).unwrap_err() {
            if let Hindrance::SettingMissing { key, .. } = it {
                request.set.insert(key.to_owned(), given(key, region));
            }
        }
        plan(&kept, &request, &seen, engine.now())
    })
}

/// Returns a value for a setting that somebody has to name.
fn given(key: &str, region: &str) -> String {
    match key {
        "RestoreTo" => "EC2Instance".to_owned(),
        "clusterVpcConfig" => {
            json!({ "subnetIds": ["given"], "securityGroupIds": ["given"] }).to_string()
        }
        "SubnetIds" | "SecurityGroupIds" => "[\"given\"]".to_owned(),
        "availabilityZone" => format!("{region}a"),
        "OntapConfiguration" => {
            json!({ "junctionPath": "/data", "storageVirtualMachineId": "given" }).to_string()
        }
        _ => "given".to_owned(),
    }
}

fn kept(point: &EnginePoint) -> KeptPoint {
    KeptPoint {
        arn: point.arn("aws"),
        resource: point.resource.clone(),
        resource_type: Some(point.kind.clone()),
        vault: destination(&point.vault),
        copied_from: point.source_vault.clone(),
        created: point.created,
        status: PointStatus::Usable,
        told: String::new(),
        delete_at: point.delete_at,
        cold_at: point.cold_at,
        key: point.key.clone(),
        bytes: Some(point.bytes),
        is_continuous: false,
        parent: None,
        is_parent: false,
    }
}

fn destination(arn: &str) -> Destination {
    let Arn { account, region, resource, .. } = Arn::parse(arn).unwrap();
    let name = resource.strip_prefix("backup-vault:").unwrap();
    Destination {
        account: account.parse().unwrap(),
        region: region.parse().unwrap(),
        name: name.parse().unwrap(),
    }
}

/// Carries a plan out and returns the ARN of the result, or the reason why there is none.
fn carried(engine: &mut BackupEngine, plan: &RestorePlan) -> Result<String, String> {
    let asker = |at: &Destination, role: &str, token: String| Asker {
        account: at.account.to_string(),
        region: at.region.to_string(),
        role: role.to_owned(),
        token: Some(token),
    };
    let all: Vec<_> = engine.points().cloned().collect();
    let mut point = all.iter().find(|it| it.arn("aws") == plan.point.arn).unwrap().id;
    for hop in &plan.hops {
        let order = CopyOrder {
            asker: asker(&hop.from, hop.role.as_str(), plan.copy_token(hop)),
            point,
            destination: hop.to.arn("aws"),
            lifecycle: PointLifecycle::deleted_after(
                plan.keep_days.and_then(|it| u32::try_from(it).ok()),
            ),
        };
        let id = engine.copy(&order).map_err(|it| it.message)?;
        wait(engine);
        let job = &engine.copy_jobs()[id];
        point = job.point.ok_or_else(|| format!("copy: {:?}", job.trouble))?;
    }
    let order = RestoreOrder {
        asker: asker(&plan.goal, plan.role.as_str(), plan.restore_token()),
        point,
        metadata: plan.settings.clone(),
        kind: Some(plan.kind.name().to_owned()),
        copies_tags: plan.copies_tags,
    };
    let id = engine.restore(&order).map_err(|it| it.message)?;
    wait(engine);
    let job = &engine.restore_jobs()[id];
    job.made.clone().ok_or_else(|| format!("restore: {:?}", job.trouble))
}

fn wait(engine: &mut BackupEngine) {
    let then = engine.now() + WORK;
    engine.advance(then);
}

/// Every type that this program restores into something new, with an ARN of one in the first Region.
const EACH: [(&str, &str); 20] = [
    ("Aurora DSQL", "dsql@cluster/abcdef"),
    ("CloudFormation", "cloudformation@stack/web/7a0c"),
    ("EKS", "eks@cluster/prod"),
    ("RDS", "rds@cluster:spread"),
    ("Storage Gateway", "storagegateway@gateway/sgw-1/volume/vol-2"),
    ("Timestream", "timestream@database/metrics/table/cpu"),
    ("VirtualMachine", "backup-gateway@vm/vm-1"),
    ("Aurora", "rds@cluster:orders"),
    ("DocumentDB", "rds@cluster:papers"),
    ("DynamoDB", "dynamodb@table/carts"),
    ("EBS", "ec2@volume/vol-1"),
    ("EC2", "ec2@instance/i-1"),
    ("EFS", "elasticfilesystem@file-system/fs-1"),
    ("FSx", "fsx@file-system/fs-2"),
    ("FSx", "fsx@volume/fs-3/fsvol-1"),
    ("Neptune", "rds@cluster:graph"),
    ("RDS", "rds@db:ledger"),
    ("Redshift", "redshift@cluster:facts"),
    ("S3", "s3:::reports"),
    ("EC2", "ec2@instance/i-2"),
];

#[test]
fn every_type_comes_back_from_its_own_vault_and_from_the_central_copy_if_it_has_one() {
    for (index, (kind, resource)) in EACH.into_iter().enumerate() {
        let (lost, region) = (ACCOUNTS[0], REGIONS[0]);
        let arn = format!("arn:aws:{}", resource.replace('@', &format!(":{region}:{lost}:")));
        let now = std::time::SystemTime::UNIX_EPOCH + Duration::from_hours(490_000);
        let mut engine = BackupEngine::new("aws", &[lost, CENTRAL, NEW], now);
        prepare(&mut engine, region, kind);
        engine.put_part(lost, region, "metrics");
        engine.put_role(&role(lost, ROLE), true);
        engine.put_vault(&vault(lost, region, FETCHED), good());
        engine.put_resource(BackedUp {
            arn: arn.clone(),
            kind: kind.to_owned(),
            account: lost.to_owned(),
            region: region.to_owned(),
            tags: BTreeMap::from([("tier".to_owned(), "gold".to_owned())]),
            gigabytes: 5,
        });
        if index == EACH.len() - 1 {
            let profile = [("IamInstanceProfileName".to_owned(), "web".to_owned())];
            engine.configure(&arn, profile.into());
        }
        let asker = || Asker {
            account: lost.to_owned(),
            region: region.to_owned(),
            role: role(lost, ROLE),
            token: None,
        };
        let order = BackupOrder {
            asker: asker(),
            resource: arn.clone(),
            vault: FETCHED.to_owned(),
            air_gapped: None,
            start_window: None,
            completion_window: None,
            lifecycle: PointLifecycle::deleted_after(Some(60)),
            tags: BTreeMap::new(),
        };
        engine.back_up(&order).unwrap();
        wait(&mut engine);
        let own = engine.points().next().unwrap().clone();
        let central = vault(CENTRAL, region, "copies");
        let copy = CopyOrder {
            asker: asker(),
            point: own.id,
            destination: central.clone(),
            lifecycle: PointLifecycle::default(),
        };
        let is_copied = engine.copy(&copy).is_ok();
        wait(&mut engine);
        let copied = engine.points().find(|it| it.vault == central).cloned();
        // From its own vault, where it was: the account is there, and the resource is not.
        engine.delete_resource(&arn);
        let here = planned_in(&engine, &own, lost, region).unwrap();
        assert!(here.hops.is_empty());
        let made = carried(&mut engine.clone(), &here);
        assert!(made.is_ok(), "{kind} from its own vault: {made:?} of {:?}", here.settings);
        // One that AWS does not copy is not promised elsewhere, and has nothing there.
        let Some(copied) = copied else {
            let there = planned(&engine, &own, region).unwrap_err();
            let says = |it: &Hindrance| matches!(it, Hindrance::Copy(Obstacle::NotCopied));
            let is_never = ["cluster:facts", "/fsvol-1", ":cluster:spread"];
            let is_never = is_never.iter().any(|it| arn.ends_with(it));
            assert!(is_never && there.iter().any(says), "{kind}: {there:?}");
            continue;
        };
        assert!(is_copied, "{kind}");
        engine.lose_account(lost);
        let there = planned(&engine, &copied, region).unwrap_or_else(|it| panic!("{kind}: {it:?}"));
        let made = carried(&mut engine, &there);
        assert!(made.is_ok(), "{kind} from the copy: {made:?} of {:?}", there.settings);
        assert!(made.unwrap().contains(NEW) || kind == "S3");
    }
}
