//! What AWS's pages say of resource types: the tables of features, of encryption and of opt-ins.

/// Whether backups of this type are managed fully, and so encrypted with the key of their vault.
pub(super) fn is_fully_managed(kind: &str) -> bool {
    matches!(
        kind,
        "Aurora DSQL"
            | "CloudFormation"
            | "DynamoDB"
            | "EFS"
            | "EKS"
            | "S3"
            | "SAP HANA on Amazon EC2"
            | "Timestream"
            | "VirtualMachine"
    )
}

/// Whether there are continuous backups of this type.
pub(super) fn has_continuous_backups(kind: &str) -> bool {
    matches!(kind, "Aurora" | "RDS" | "S3" | "SAP HANA on Amazon EC2")
}

/// Whether the opt-in decides also where a selection names the type.
pub(super) fn opt_in_always_decides(kind: &str, arn: &str) -> bool {
    // Database clusters share one form of ARN, and file systems of FSx another.
    matches!(kind, "Aurora" | "DocumentDB" | "Neptune")
        || arn.contains(":file-system/fs-") && kind == "FSx"
}

/// Whether one copy action cannot cross both an account and a Region.
pub(super) fn crosses_one_border(kind: &str) -> bool {
    matches!(kind, "Aurora" | "DocumentDB" | "Neptune" | "RDS")
}

/// Whether backups of this type are copied at all.
pub(super) fn is_copied(kind: &str) -> bool {
    kind != "Redshift"
}

/// Whether a logically air-gapped vault takes this type.
pub(super) fn goes_to_air_gapped(kind: &str) -> bool {
    !matches!(kind, "Redshift" | "Redshift Serverless")
}
