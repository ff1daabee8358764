locals {
  names = ["a", "b"]
  all   = { for k, v in { x = 1 } : upper(k) => v if v != 2 }
}
variable "vault" {
  default = "keep"
}
resource "aws_organizations_policy" "p" {
  count   = 2
  type    = "BACKUP_POLICY"
  content = jsonencode({ plans = merge({ (local.names[0]) = { v = "${var.vault}-x" } }, local.all) })
}
resource "aws_organizations_policy" "q" {
  for_each = toset(local.names)
  type     = "BACKUP_POLICY"
  content  = <<-EOT
    {"plans": {%{ for it in local.names ~}
      "${it}": {}%{ if it == "a" },%{ endif }
    %{ endfor ~}
    }}
  EOT
}
module "m" {
  source = "./x"
  policy = templatefile("${path.module}/p.json", { a = each.key })
}
