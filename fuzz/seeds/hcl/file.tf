resource "aws_organizations_policy" "p" {
  type    = "BACKUP_POLICY"
  content = try(file("p.json"), jsonencode({ plans = data.x.y[0].z }))
}
