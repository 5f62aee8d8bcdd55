# One key of the lock. It wraps one share of a threshold lock; alone it opens nothing while the threshold is above one.

resource "aws_kms_key" "share" {
  count = var.create_kms_key ? 1 : 0

  description             = "containment chamber ${var.name}: one share of the KMS lock"
  key_usage               = "ENCRYPT_DECRYPT"
  deletion_window_in_days = 30
  enable_key_rotation     = true
  multi_region            = false
  tags                    = var.tags

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_kms_alias" "share" {
  count = var.create_kms_key ? 1 : 0

  name          = "alias/${replace(var.name, ".", "-")}-share"
  target_key_id = aws_kms_key.share[0].key_id
}
