# What the signers may do, and nothing else: the same as docs/reference/aws-iam.md, which is written from the program's
# own calls. tests/app compares this file with it.

locals {
  kms_keys = concat(var.kms_key_arns, aws_kms_key.share[*].arn)
}

data "aws_iam_policy_document" "signer" {
  dynamic "statement" {
    for_each = var.create_tables ? [1] : []
    content {
      sid       = "SignerState"
      actions   = ["dynamodb:DescribeTable", "dynamodb:GetItem", "dynamodb:PutItem"]
      resources = [aws_dynamodb_table.store["state"].arn]
    }
  }

  dynamic "statement" {
    for_each = var.create_tables ? [1] : []
    content {
      sid       = "SealedKeys"
      actions   = ["dynamodb:DeleteItem", "dynamodb:DescribeTable", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem"]
      resources = [aws_dynamodb_table.store["keys"].arn]
    }
  }

  dynamic "statement" {
    for_each = var.create_tables ? [1] : []
    content {
      sid       = "SlashingProtection"
      actions   = ["dynamodb:BatchGetItem", "dynamodb:DeleteItem", "dynamodb:DescribeTable", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem"]
      resources = [aws_dynamodb_table.store["slashing"].arn]
    }
  }

  dynamic "statement" {
    for_each = length(local.kms_keys) > 0 ? [1] : []
    content {
      sid       = "KmsLock"
      actions   = var.allow_ceremonies ? ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt"] : ["kms:Decrypt"]
      resources = local.kms_keys
    }
  }
}

resource "aws_iam_policy" "signer" {
  count = var.create_tables ? 1 : 0

  name        = "${var.name}-signer"
  description = "containment chamber ${var.name}: least privilege of a signer"
  policy      = data.aws_iam_policy_document.signer.json
  tags        = var.tags
}

resource "aws_iam_role_policy_attachment" "signer" {
  for_each = var.create_tables ? toset(var.signer_role_names) : toset([])

  role       = each.value
  policy_arn = aws_iam_policy.signer[0].arn
}
