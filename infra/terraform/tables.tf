# Three tables, one per store (docs/spec/dynamodb.md): partition key pk and sort key sk, both text; no index.
#
# Point-in-time recovery is for the signer state and the keys. The slashing table has it too, but a restored one is older
# than what was signed: the signers refuse it until somebody runs `containment-chamber slashing adopt`.

locals {
  tables = var.create_tables ? toset(["state", "keys", "slashing"]) : toset([])
}

resource "aws_dynamodb_table" "store" {
  for_each = local.tables

  name                        = "${var.name}-${each.key}"
  billing_mode                = "PAY_PER_REQUEST"
  hash_key                    = "pk"
  range_key                   = "sk"
  deletion_protection_enabled = var.deletion_protection
  tags                        = var.tags

  attribute {
    name = "pk"
    type = "S"
  }

  attribute {
    name = "sk"
    type = "S"
  }

  point_in_time_recovery {
    enabled = true
  }

  server_side_encryption {
    enabled = true
  }

  lifecycle {
    prevent_destroy = true
  }
}
