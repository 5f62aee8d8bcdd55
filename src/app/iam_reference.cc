#include "app/iam_reference.h"

#include <span>
#include <string_view>
#include <vector>

#include "adapters/dynamodb/permissions.h"

namespace cc::app {
namespace {

struct Grant {
  std::string_view id, resource, what_for;
  std::span<const std::string_view> actions;
};

// DescribeKey lets init name a disabled key before it tries one; a running signer needs Decrypt alone.
constexpr std::array<std::string_view, 3> kKmsPermissions{"kms:Decrypt", "kms:DescribeKey", "kms:Encrypt"};

std::vector<Grant> grants() {
  return {
      {"SignerState", "arn:aws:dynamodb:REGION:ACCOUNT:table/STATE_TABLE", "`signer_state.table`",
       dynamodb::kStatePermissions},
      {"SealedKeys", "arn:aws:dynamodb:REGION:ACCOUNT:table/KEYS_TABLE", "`key_sources.dynamodb.table`",
       dynamodb::kKeysPermissions},
      {"SlashingProtection", "arn:aws:dynamodb:REGION:ACCOUNT:table/SLASHING_TABLE", "`anti_slashing.dynamodb.table`",
       dynamodb::kSlashingPermissions},
      {"KmsLock", "arn:aws:kms:REGION:ACCOUNT:key/KEY_ID", "each KMS key of the lock", kKmsPermissions},
  };
}

std::string listed(std::span<const std::string_view> actions, std::string_view mark) {
  std::string out;
  for (const std::string_view action : actions) {
    out.append(out.empty() ? "" : ", ").append(mark).append(action).append(mark);
  }
  return out;
}

}  // namespace

std::string iam_reference() {
  std::string out =
      "# IAM permissions\n\n"
      "Written by `containment-chamber config iam` from the calls that the program makes; tests record the calls and "
      "compare.\n\n"
      "| on | actions |\n|---|---|\n";
  for (const Grant& grant : grants()) {
    out.append("| ").append(grant.what_for).append(" | ").append(listed(grant.actions, "`")).append(" |\n");
  }
  out +=
      "\nNo table is ever scanned, made, changed or deleted by the signer; no index is used. Transactions "
      "(`TransactWriteItems`) have no permission of their own: those of their parts are asked for. A signer whose lock "
      "is "
      "made needs `kms:Decrypt` alone; `kms:Encrypt` and `kms:DescribeKey` are for init and rotation. Credentials from "
      "a "
      "web identity need `sts:AssumeRoleWithWebIdentity` in the role's trust policy.\n\n"
      "As a policy (the Terraform module under `infra/terraform` makes the same):\n\n```json\n{\n"
      "  \"Version\": \"2012-10-17\",\n  \"Statement\": [\n";
  const std::vector<Grant> all = grants();
  for (std::size_t i = 0; i < all.size(); ++i) {
    out.append("    {\n      \"Sid\": \"").append(all[i].id).append("\",\n      \"Effect\": \"Allow\",\n");
    out.append("      \"Action\": [").append(listed(all[i].actions, "\"")).append("],\n");
    out.append("      \"Resource\": \"").append(all[i].resource).append("\"\n    }");
    out += i + 1 < all.size() ? ",\n" : "\n";
  }
  return out + "  ]\n}\n```\n";
}

}  // namespace cc::app
