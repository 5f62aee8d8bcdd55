// What the signer's role must be allowed on each table: exactly what the stores ask for. A test records their calls and
// compares; the Terraform module and docs/reference/aws-iam.md say the same.
#pragma once

#include <array>
#include <string_view>

namespace cc::dynamodb {

inline constexpr std::array<std::string_view, 3> kStatePermissions{
    "dynamodb:DescribeTable",
    "dynamodb:GetItem",
    "dynamodb:PutItem",
};
inline constexpr std::array<std::string_view, 6> kKeysPermissions{
    "dynamodb:DeleteItem", "dynamodb:DescribeTable", "dynamodb:GetItem",
    "dynamodb:PutItem",    "dynamodb:Query",         "dynamodb:UpdateItem",
};
inline constexpr std::array<std::string_view, 7> kSlashingPermissions{
    "dynamodb:BatchGetItem", "dynamodb:DeleteItem", "dynamodb:DescribeTable", "dynamodb:GetItem",
    "dynamodb:PutItem",      "dynamodb:Query",      "dynamodb:UpdateItem",
};

}  // namespace cc::dynamodb
