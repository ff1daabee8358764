plans = [{ name = "a" }]
variable "plans" {
  type    = list(object({ name = string, days = optional(number, 35) }))
  default = []
}
resource "aws_backup_vault" "v" {
  for_each = toset(var.plans[*].name)
  name     = "${each.key}-v"
}
resource "aws_organizations_policy" "p" {
  type    = "BACKUP_POLICY"
  content = jsonencode({ plans = { for it in var.plans : it.name => try(it.days, can(it.x))... } })
}
resource "aws_organizations_policy" "q" {
  for_each = fileset(path.module, "*.json")
  type     = "BACKUP_POLICY"
  content  = aws_backup_vault.v["a"].name == "a-v" ? file(each.value) : ""
}
