// Every operation of DynamoDB that this program calls: nothing else is ever asked. The table feeds the calls, and the
// page of IAM permissions (docs/reference/aws-iam.md).
#pragma once

#include <string_view>

namespace cc::dynamodb {

enum class Operation {
  describe_table,
  get_item,
  batch_get_item,
  query,
  put_item,
  update_item,
  delete_item,
  transact_write_items,
};

struct OperationFacts {
  std::string_view name;         // as in X-Amz-Target
  std::string_view permissions;  // what IAM asks for, separated by commas; a transaction needs those of its parts
  bool writes = false;
};
constexpr OperationFacts facts_of(Operation operation) {
  switch (operation) {
    case Operation::describe_table:
      return {"DescribeTable", "dynamodb:DescribeTable"};
    case Operation::get_item:
      return {"GetItem", "dynamodb:GetItem"};
    case Operation::batch_get_item:
      return {"BatchGetItem", "dynamodb:BatchGetItem"};
    case Operation::query:
      return {"Query", "dynamodb:Query"};
    case Operation::put_item:
      return {"PutItem", "dynamodb:PutItem", true};
    case Operation::update_item:
      return {"UpdateItem", "dynamodb:UpdateItem", true};
    case Operation::delete_item:
      return {"DeleteItem", "dynamodb:DeleteItem", true};
    case Operation::transact_write_items:
      return {"TransactWriteItems", "", true};
  }
  return {};
}

}  // namespace cc::dynamodb
