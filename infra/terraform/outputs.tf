output "table_arns" {
  description = "For signer_state.table, key_sources.dynamodb.table and anti_slashing.dynamodb.table."
  value       = { for name, table in aws_dynamodb_table.store : name => table.arn }
}

output "kms_key_arn" {
  description = "The key made here, for operator init --kms-key-arns."
  value       = one(aws_kms_key.share[*].arn)
}

output "signer_policy_arn" {
  description = "Attached to signer_role_names; attach it to further roles yourself."
  value       = one(aws_iam_policy.signer[*].arn)
}
