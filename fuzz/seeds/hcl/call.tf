variable "days" {
  default = 35
}
module "again" {
  source   = "./a"
  for_each = toset(["a", "b"])
  days     = each.key
}
resource "aws_organizations_policy" "p" {
  type    = "BACKUP_POLICY"
  content = jsonencode({ plans = { p = { rules = { r = var.days } } } })
}
