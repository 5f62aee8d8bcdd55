// The documents of the signer state (seal record, checkpoint) in a DynamoDB table that all replicas share.
//
// One item per document; a write is conditional on the revision before it, so of two replicas that write, one is told
// record_conflict. A write whose answer was lost is recognised by its content when it is tried again. A document is at
// most kLargestDocument bytes (DynamoDB takes 400 KB an item). Thread-safe. No secret passes: documents are sealed.
#pragma once

#include <memory>

#include "adapters/dynamodb/table.h"
#include "seal/ports.h"

namespace cc::dynamodb {

inline constexpr std::size_t kLargestDocument = 350UL * 1024;
inline constexpr const char* kStateKind = "signer-state";

class DynamoStateStore final : public seal::StateStore {
 public:
  // Errors: config_invalid for a table of another kind; store_unavailable, also when there is no table.
  static Result<std::unique_ptr<DynamoStateStore>> open(std::shared_ptr<Table> table);
  // One document, and nothing else is asked of the table: it is neither marked nor checked. Errors: store_unavailable.
  static Result<std::optional<seal::Document>> look_up(Table& table, const std::string& name);
  Result<std::optional<seal::Document>> read(const std::string& name) override;
  Result<std::uint64_t> write(const std::string& name, std::uint64_t expected, ByteView content) override;

 private:
  explicit DynamoStateStore(std::shared_ptr<Table> table) : table_(std::move(table)) {}
  std::shared_ptr<Table> table_;
};

}  // namespace cc::dynamodb
