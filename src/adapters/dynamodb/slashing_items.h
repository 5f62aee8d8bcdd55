// The items of the slashing table and what they mean (docs/spec/dynamodb.md). Pure code; no secret passes.
// Errors of reading: store_unavailable naming the item.
#pragma once

#include <array>
#include <optional>
#include <string>

#include "adapters/dynamodb/table_kind.h"
#include "guard/slashing_store.h"

namespace cc::dynamodb {

inline constexpr std::size_t kRowShards = 64;        // partitions of the validators' rows
inline constexpr std::size_t kCommitCounters = 256;  // so that transactions side by side rarely meet in one

// What one validator's row holds beside what the guard sees. The high marks cover every record of the validator: a
// message above them needs no look at the records.
struct StoredRow {
  guard::ValidatorRow row;    // its id is the transaction's own matter
  guard::Watermarks high;     // highest slot, source and target of all records
  bool inverted = false;      // some imported vote has its source above its target
  std::uint64_t version = 0;  // grows by one with every write; 0: no row is there
  std::string writer;         // names the transaction that wrote it
};

std::string row_partition(std::size_t shard);
Key row_key(const BlsPublicKey& key);
Item row_item(const BlsPublicKey& key, const StoredRow& row);
Result<StoredRow> row_from(const Item& item);
Result<BlsPublicKey> public_key_of(const Item& item);

std::string history_partition(const BlsPublicKey& key);
Key record_key(const BlsPublicKey& key, const guard::SignedBlock& block);
Key record_key(const BlsPublicKey& key, const guard::SignedAttestation& vote);
Result<guard::SignedBlock> block_from(const Item& item);
Result<guard::SignedAttestation> vote_from(const Item& item);
// Bounds of sort keys: blocks with from ≤ slot ≤ to; votes with from ≤ target ≤ to.
QueryRange blocks_between(const BlsPublicKey& key, std::uint64_t from, std::uint64_t to);
QueryRange votes_between(const BlsPublicKey& key, std::uint64_t from, std::uint64_t to);

// The one item that says whose table it is.
struct StoreItem {
  std::array<std::uint8_t, 16> id{};
  std::uint64_t run = 0;
  std::optional<Root> genesis_validators_root;
  guard::Watermarks floor;
};

inline constexpr std::string_view kSlashingKind = "anti-slashing";
Result<StoreItem> store_from(const Item& item);

inline constexpr const char* kCommitsPartition = "commits";
inline constexpr const char* kChambersPartition = "chambers";
inline constexpr const char* kOriginsPartition = "origins";
Item origin_item(const guard::Origin& origin, const std::string& nonce);
guard::Origin origin_from(const Item& item);

// Names of the attributes of watermarks, with a prefix: "low_block", …
void put_marks(Item& to, const std::string& prefix, const guard::Watermarks& marks);
guard::Watermarks marks_of(const Item& item, const std::string& prefix);

}  // namespace cc::dynamodb
