variable "name" {
  description = "Prefix of everything this module makes, one per network: \"containment-mainnet\"."
  type        = string

  validation {
    condition     = can(regex("^[a-zA-Z0-9_.-]{3,200}$", var.name))
    error_message = "3 to 200 letters, digits, '-', '_' and '.'."
  }
}

variable "signer_role_names" {
  description = "Names of the IAM roles of the signers (instance profile, IRSA or EKS Pod Identity). Each gets the policy attached."
  type        = list(string)
  default     = []
}

variable "kms_key_arns" {
  description = "KMS keys that exist already, of any region and account, for the lock; besides the one of this region, if it is made. The keys of other accounts also need these actions in their key policies."
  type        = list(string)
  default     = []
}

variable "create_kms_key" {
  description = "Whether to make one KMS key in this region. Call the module once per region, with create_tables = false in all but one, for a lock over several."
  type        = bool
  default     = true
}

variable "create_tables" {
  description = "Whether to make the three tables here."
  type        = bool
  default     = true
}

variable "allow_ceremonies" {
  description = "Whether the signers may run init and rotation (kms:Encrypt, kms:DescribeKey). Running signers need kms:Decrypt alone."
  type        = bool
  default     = true
}

variable "deletion_protection" {
  description = "Keeps the tables from being deleted. Turn it off only to take everything down."
  type        = bool
  default     = true
}

variable "tags" {
  description = "Tags of everything."
  type        = map(string)
  default     = {}
}
