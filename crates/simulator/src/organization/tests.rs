//! The rules of the organization, one fact each.

use super::*;
use crate::refusal::Code;

const CONTENT: &str = r#"{"plans":{}}"#;
const BACKUP: &str = "backup.amazonaws.com";

fn organization() -> Organization {
    Organization::sample(&Settings::default())
}

/// An organization that takes backup policies.
fn enabled() -> Organization {
    let mut organization = organization();
    let root = organization.root.clone();
    organization.enable_policy_type(&root, BACKUP_POLICY).unwrap();
    organization
}

fn policy(organization: &mut Organization, name: &str) -> String {
    organization.create_policy(BACKUP_POLICY, name, "", CONTENT, &[]).unwrap()
}

fn members(organization: &Organization) -> Vec<String> {
    let active = organization.accounts().filter(|it| it.state == AccountState::Active);
    active.filter(|it| it.created).map(|it| it.id.clone()).collect()
}

fn tag(key: &str, value: &str) -> (String, String) {
    (key.to_owned(), value.to_owned())
}

fn refused<T: std::fmt::Debug>(answer: Answer<T>) -> String {
    answer.unwrap_err().to_string()
}

#[test]
fn a_policy_can_be_made_before_its_type_is_enabled_but_not_attached() {
    let mut organization = organization();
    let (root, id) = (organization.root.clone(), policy(&mut organization, "daily"));
    let refusal = refused(organization.attach_policy(&id, &root));
    assert_eq!(refusal, "PolicyTypeNotEnabledException");
}

#[test]
fn a_policy_type_is_pending_until_it_was_read_often_enough() {
    let settings = Settings { pending: Pending::Reads(2), ..Settings::default() };
    let mut organization = Organization::sample(&settings);
    let (root, id) = (organization.root.clone(), policy(&mut organization, "daily"));
    organization.enable_policy_type(&root, BACKUP_POLICY).unwrap();
    for _ in 0..2 {
        assert_eq!(organization.policy_types(), [(BACKUP_POLICY, TypeStatus::PendingEnable)]);
        let refusal = refused(organization.attach_policy(&id, &root));
        assert_eq!(refusal, "PolicyTypeNotEnabledException");
        let refusal = refused(organization.enable_policy_type(&root, BACKUP_POLICY));
        assert_eq!(refusal, "PolicyChangesInProgressException");
        organization.roots_were_read();
    }
    assert!(organization.is_enabled(BACKUP_POLICY));
    organization.attach_policy(&id, &root).unwrap();
}

#[test]
fn a_policy_type_is_pending_until_its_time_has_come() {
    let pending = Pending::For(Duration::from_secs(5));
    let mut organization = Organization::sample(&Settings { pending, ..Settings::default() });
    let root = organization.root.clone();
    organization.set_time(Duration::from_secs(10));
    organization.enable_policy_type(&root, BACKUP_POLICY).unwrap();
    organization.set_time(Duration::from_secs(14));
    assert!(!organization.is_enabled(BACKUP_POLICY));
    organization.set_time(Duration::from_secs(15));
    assert!(organization.is_enabled(BACKUP_POLICY));
}

#[test]
fn disabling_a_policy_type_detaches_its_policies_for_good() {
    let mut organization = enabled();
    let (root, id) = (organization.root.clone(), policy(&mut organization, "daily"));
    organization.attach_policy(&id, &root).unwrap();
    organization.disable_policy_type(&root, BACKUP_POLICY).unwrap();
    organization.enable_policy_type(&root, BACKUP_POLICY).unwrap();
    assert!(organization.targets_of(&id).is_empty());
    assert!(organization.policy(&id).is_ok());
    let again = refused(organization.enable_policy_type(&root, BACKUP_POLICY));
    assert_eq!(again, "PolicyTypeAlreadyEnabledException");
}

#[test]
fn a_name_belongs_to_one_policy() {
    let mut organization = organization();
    policy(&mut organization, "daily");
    let other = policy(&mut organization, "weekly");
    let refusal =
        refused(organization.create_policy("TAG_POLICY", "daily", "", r#"{"tags":{}}"#, &[]));
    assert_eq!(refusal, "DuplicatePolicyException");
    let refusal = refused(organization.update_policy(&other, Some("daily"), None, None));
    assert_eq!(refusal, "DuplicatePolicyException");
    organization.update_policy(&other, Some("weekly"), None, None).unwrap();
}

#[test]
fn an_update_changes_what_is_given_and_counts_only_changes() {
    let mut organization = organization();
    let id = policy(&mut organization, "daily");
    let before = organization.revision();
    organization.update_policy(&id, None, None, Some(CONTENT)).unwrap();
    assert_eq!(organization.revision(), before);
    organization.update_policy(&id, None, Some("every day"), None).unwrap();
    assert!(organization.revision() > before);
    let policy = organization.policy(&id).unwrap();
    assert_eq!((policy.name.as_str(), policy.description.as_str()), ("daily", "every day"));
}

#[test]
fn an_attached_policy_is_not_deleted() {
    let mut organization = enabled();
    let (root, id) = (organization.root.clone(), policy(&mut organization, "daily"));
    organization.attach_policy(&id, &root).unwrap();
    assert_eq!(refused(organization.delete_policy(&id)), "PolicyInUseException");
    organization.detach_policy(&id, &root).unwrap();
    organization.delete_policy(&id).unwrap();
    assert_eq!(refused(organization.delete_policy(&id)), "PolicyNotFoundException");
}

#[test]
fn a_policy_is_attached_once_and_detached_once() {
    let mut organization = enabled();
    let (root, id) = (organization.root.clone(), policy(&mut organization, "daily"));
    organization.attach_policy(&id, &root).unwrap();
    let refusal = refused(organization.attach_policy(&id, &root));
    assert_eq!(refusal, "DuplicatePolicyAttachmentException");
    organization.detach_policy(&id, &root).unwrap();
    assert_eq!(refused(organization.detach_policy(&id, &root)), "PolicyNotAttachedException");
    let refusal = refused(organization.attach_policy(&id, "ou-nope-12345678"));
    assert_eq!(refusal, "TargetNotFoundException");
}

#[test]
fn ten_backup_policies_fit_on_a_target() {
    let mut organization = enabled();
    let root = organization.root.clone();
    let ids: Vec<_> =
        (0..11).map(|it| policy(&mut organization, &format!("policy {it}"))).collect();
    for id in &ids[..10] {
        organization.attach_policy(id, &root).unwrap();
    }
    assert_eq!(organization.attached(&root), &ids[..10]);
    let refusal = refused(organization.attach_policy(&ids[10], &root));
    let reason = "MAX_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED";
    assert_eq!(refusal, format!("ConstraintViolationException ({reason})"));
}

#[test]
fn a_type_has_so_many_policies_and_no_more() {
    let mut organization = organization();
    assert_eq!(organization.quotas.policies_per_type, 1_000);
    organization.quotas.policies_per_type = 1;
    policy(&mut organization, "daily");
    let refusal = refused(organization.create_policy(BACKUP_POLICY, "weekly", "", CONTENT, &[]));
    assert_eq!(refusal, "ConstraintViolationException (POLICY_NUMBER_LIMIT_EXCEEDED)");
}

#[test]
fn a_policy_of_aws_is_neither_changed_nor_deleted_and_the_last_one_stays() {
    let mut organization = organization();
    let root = organization.root.clone();
    organization.enable_policy_type(&root, "SERVICE_CONTROL_POLICY").unwrap();
    let id = "p-FullAWSAccess";
    assert_eq!(organization.attached(&root), [id]);
    let immutable = "InvalidInputException (IMMUTABLE_POLICY)";
    assert_eq!(refused(organization.update_policy(id, Some("x"), None, None)), immutable);
    assert_eq!(refused(organization.delete_policy(id)), immutable);
    let reason = "MIN_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED";
    let refusal = refused(organization.detach_policy(id, &root));
    assert_eq!(refusal, format!("ConstraintViolationException ({reason})"));
}

#[test]
fn one_bad_tag_fails_the_whole_policy() {
    let mut organization = organization();
    let cases = [
        (vec![tag("a;b", "1")], "INVALID_PATTERN:TAG_KEY"),
        (vec![tag("a", "1;2")], "INVALID_PATTERN:TAG_VALUE"),
        (vec![tag("", "1")], "MIN_LENGTH_EXCEEDED:TAG_KEY"),
        (vec![tag(&"a".repeat(129), "1")], "MAX_LENGTH_EXCEEDED:TAG_KEY"),
        (vec![tag("a", &"1".repeat(257))], "MAX_LENGTH_EXCEEDED:TAG_VALUE"),
        (vec![tag("a", "1"), tag("a", "2")], "DUPLICATE_TAG_KEY"),
        (vec![tag("aws:a", "1")], "INVALID_SYSTEM_TAGS_PARAMETER"),
    ];
    for (tags, reason) in cases {
        let refusal =
            refused(organization.create_policy(BACKUP_POLICY, "daily", "", CONTENT, &tags));
        assert_eq!(refusal, format!("InvalidInputException ({reason})"));
    }
    let tags: Vec<_> = (0..51).map(|it| tag(&format!("key {it}"), "é + 1")).collect();
    let refusal = refused(organization.create_policy(BACKUP_POLICY, "daily", "", CONTENT, &tags));
    assert_eq!(refusal, "ConstraintViolationException (MAX_TAG_LIMIT_EXCEEDED)");
    assert_eq!(organization.policies(BACKUP_POLICY).count(), 0);
    organization.create_policy(BACKUP_POLICY, "daily", "", CONTENT, &tags[..50]).unwrap();
}

#[test]
fn tags_are_added_replaced_and_removed() {
    let mut organization = organization();
    let root = organization.root.clone();
    organization.tag(&root, &[tag("a", "1"), tag("b", "1")]).unwrap();
    organization.tag(&root, &[tag("a", "2")]).unwrap();
    organization.untag(&root, &["b".to_owned(), "c".to_owned()]).unwrap();
    assert_eq!(organization.tags(&root), BTreeMap::from([tag("a", "2")]));
    assert_eq!(refused(organization.tag("p-0123456789", &[])), "TargetNotFoundException");
}

#[test]
fn a_service_needs_access_before_it_has_an_administrator() {
    let mut organization = organization();
    let account = members(&organization)[0].clone();
    let refusal = refused(organization.register_delegated_administrator(&account, BACKUP));
    assert_eq!(refusal, "ConstraintViolationException (SERVICE_ACCESS_NOT_ENABLED)");
    organization.enable_service_access(BACKUP).unwrap();
    let revision = organization.revision();
    organization.enable_service_access(BACKUP).unwrap();
    assert_eq!(organization.revision(), revision);
    organization.register_delegated_administrator(&account, BACKUP).unwrap();
    let refusal = refused(organization.register_delegated_administrator(&account, BACKUP));
    assert_eq!(refusal, "AccountAlreadyRegisteredException");
    organization.deregister_delegated_administrator(&account, BACKUP).unwrap();
    let refusal = refused(organization.deregister_delegated_administrator(&account, BACKUP));
    assert_eq!(refusal, "AccountNotRegisteredException");
}

#[test]
fn backup_has_five_administrators_and_others_have_one() {
    let mut organization = organization();
    let accounts = members(&organization);
    let config = "config.amazonaws.com";
    for (service, room, reason) in [
        (BACKUP, 5, "MAX_DELEGATED_ADMINISTRATORS_FOR_SERVICE_LIMIT_EXCEEDED"),
        (STACK_SETS[0], 5, "MAX_DELEGATED_ADMINISTRATORS_FOR_SERVICE_LIMIT_EXCEEDED"),
        (config, 1, "DELEGATED_ADMINISTRATOR_EXISTS_FOR_THIS_SERVICE"),
    ] {
        organization.enable_service_access(service).unwrap();
        for account in &accounts[..room] {
            organization.register_delegated_administrator(account, service).unwrap();
        }
        let refusal =
            refused(organization.register_delegated_administrator(&accounts[room], service));
        assert_eq!(refusal, format!("ConstraintViolationException ({reason})"));
    }
}

#[test]
fn neither_the_management_account_nor_a_suspended_one_administers() {
    let mut organization = organization();
    organization.enable_service_access(BACKUP).unwrap();
    let management = organization.management_account.clone();
    let mut refusal =
        |account: &str| refused(organization.register_delegated_administrator(account, BACKUP));
    let expected = "CANNOT_REGISTER_MASTER_AS_DELEGATED_ADMINISTRATOR";
    assert_eq!(refusal(&management), format!("ConstraintViolationException ({expected})"));
    assert_eq!(refusal("999999999999"), "AccountNotFoundException");
    let suspended = organization.accounts().find(|it| it.state == AccountState::Suspended);
    let suspended = suspended.unwrap().id.clone();
    let expected = "CANNOT_REGISTER_SUSPENDED_ACCOUNT_AS_DELEGATED_ADMINISTRATOR";
    let refusal = refused(organization.register_delegated_administrator(&suspended, BACKUP));
    assert_eq!(refusal, format!("ConstraintViolationException ({expected})"));
}

#[test]
fn a_service_that_has_policies_keeps_its_access_while_their_type_is_enabled() {
    let mut organization = organization();
    let (root, service) = (organization.root.clone(), "securityhub.amazonaws.com");
    let refusal = refused(organization.enable_policy_type(&root, "SECURITYHUB_POLICY"));
    assert_eq!(refusal, "ConstraintViolationException (SERVICE_ACCESS_NOT_ENABLED)");
    organization.enable_service_access(service).unwrap();
    organization.enable_policy_type(&root, "SECURITYHUB_POLICY").unwrap();
    let refusal = refused(organization.disable_service_access(service));
    assert_eq!(refusal, "ConstraintViolationException (POLICY_TYPE_ENABLED_FOR_THIS_SERVICE)");
    organization.disable_policy_type(&root, "SECURITYHUB_POLICY").unwrap();
    organization.disable_service_access(service).unwrap();
}

#[test]
fn a_misspelt_service_is_not_recognized() {
    let refusal = refused(organization().enable_service_access("bakcup.amazonaws.com"));
    assert_eq!(refusal, "InvalidInputException (UNRECOGNIZED_SERVICE_PRINCIPAL)");
}

#[test]
fn a_member_reads_as_an_administrator_and_writes_when_the_resource_policy_says_so() {
    let mut organization = organization();
    organization.enable_service_access(BACKUP).unwrap();
    let account = members(&organization)[0].clone();
    let may = |it: &Organization, operation: &str, access| {
        it.authorize(&account, operation, access).is_ok()
    };
    assert!(may(&organization, "DescribeOrganization", Access::Any));
    assert!(!may(&organization, "ListPolicies", Access::Read));
    organization.register_delegated_administrator(&account, BACKUP).unwrap();
    assert!(may(&organization, "ListPolicies", Access::Read));
    assert!(!may(&organization, "AttachPolicy", Access::Write));
    let statement = |effect: &str, action: &str| {
        format!(
            r#"{{"Effect":"{effect}","Principal":{{"AWS":"arn:aws:iam::{account}:root"}},"Action":"{action}","Resource":"*"}}"#
        )
    };
    let allow = statement("Allow", "organizations:Attach*");
    let content = format!(r#"{{"Statement":[{allow}]}}"#);
    organization.put_resource_policy(&content, &[]).unwrap();
    assert!(may(&organization, "AttachPolicy", Access::Write));
    assert!(!may(&organization, "DetachPolicy", Access::Write));
    assert!(!may(&organization, "EnableAWSServiceAccess", Access::Management));
    let deny = statement("Deny", "organizations:AttachPolicy");
    let content = format!(r#"{{"Statement":[{allow},{deny}]}}"#);
    organization.put_resource_policy(&content, &[]).unwrap();
    assert!(!may(&organization, "AttachPolicy", Access::Write));
}

#[test]
fn strangers_have_no_organization() {
    let refusal = organization().authorize("999999999999", "ListRoots", Access::Any).unwrap_err();
    assert_eq!(refusal.code, Code::NotInUse);
}

#[test]
fn coverage_tells_what_a_change_takes_away() {
    let mut organization = enabled();
    let root = organization.root.clone();
    let production = organization.unit_named("Production").unwrap().id.clone();
    let (wide, narrow) = (policy(&mut organization, "wide"), policy(&mut organization, "narrow"));
    organization.attach_policy(&wide, &root).unwrap();
    organization.attach_policy(&narrow, &production).unwrap();
    let inside: Vec<_> = organization.accounts_in(&production).map(|it| it.id.clone()).collect();
    let before = organization.coverage();
    organization.detach_policy(&wide, &root).unwrap();
    let after = organization.coverage();
    assert_eq!(before.lost(&after).len(), organization.accounts().count());
    let unprotected = before.unprotected(&after);
    assert_eq!(unprotected.len(), organization.accounts().count() - inside.len());
    assert!(inside.iter().all(|it| !unprotected.contains(it)));
}
