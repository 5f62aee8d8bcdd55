#include "adapters/dynamodb/slashing_items.h"

#include "guard/history.h"

namespace cc::dynamodb {
namespace {

constexpr std::string_view kBlock = "block#";
constexpr std::string_view kVote = "vote#";
constexpr std::size_t kDigits = 20;
constexpr const char* kNoRoot = "-";

tl::unexpected<Error> malformed(const Item& item) {
  const Key key = key_of(item);
  return fail(ErrorKind::store_unavailable, "the item " + key.pk.substr(0, 120) + " / " + key.sk.substr(0, 120) +
                                                " of the slashing table is malformed: it was altered, or is not this "
                                                "program's. Restore the table from a backup");
}

std::string root_text(const std::optional<Root>& root) { return root ? to_hex(*root) : kNoRoot; }

// The text of a root; the outer one is empty when it is none.
std::optional<std::optional<Root>> root_from(std::string_view text) {
  if (text == kNoRoot) {
    return std::optional<Root>();
  }
  Root out{};
  const bool read = text.size() == 2 * out.size() && from_hex_exact(text, out) && to_hex(out) == text;
  return read ? std::optional<std::optional<Root>>(out) : std::nullopt;
}

template <std::size_t N>
std::optional<std::array<std::uint8_t, N>> exact(const Item& item, const std::string& name) {
  const auto bytes = bytes_of(item, name);
  return bytes && bytes->size() == N ? std::optional(to_array<N>(*bytes)) : std::nullopt;
}

QueryRange between(const BlsPublicKey& key, std::string_view kind, std::uint64_t from, std::uint64_t to) {
  QueryRange out;
  out.pk = history_partition(key);
  out.from = std::string(kind) + sortable(from);
  out.to = std::string(kind) + sortable(to) + "#~";
  return out;
}

}  // namespace

std::string row_partition(std::size_t shard) {
  const std::uint8_t byte[] = {static_cast<std::uint8_t>(shard)};
  return "validators#" + to_hex(byte);
}

Key row_key(const BlsPublicKey& key) { return {row_partition(key.back() % kRowShards), to_0x(key)}; }

void put_marks(Item& to, const std::string& prefix, const guard::Watermarks& marks) {
  if (marks.block_slot) {
    to[prefix + "_block"] = marks.block_slot->value;
  }
  if (marks.source_epoch) {
    to[prefix + "_source"] = marks.source_epoch->value;
  }
  if (marks.target_epoch) {
    to[prefix + "_target"] = marks.target_epoch->value;
  }
}

guard::Watermarks marks_of(const Item& item, const std::string& prefix) {
  guard::Watermarks out;
  if (const auto slot = number_of(item, prefix + "_block")) {
    out.block_slot = Slot{*slot};
  }
  if (const auto source = number_of(item, prefix + "_source")) {
    out.source_epoch = Epoch{*source};
  }
  if (const auto target = number_of(item, prefix + "_target")) {
    out.target_epoch = Epoch{*target};
  }
  return out;
}

Item row_item(const BlsPublicKey& key, const StoredRow& row) {
  const Key place = row_key(key);
  Item out{{"pk", place.pk},
           {"sk", place.sk},
           {"version", row.version},
           {"writer", row.writer},
           {"permit", std::string(row.row.permit == guard::Permit::permitted ? "permitted" : "retired")},
           {"generation", row.row.generation},
           {"history_known", row.row.history_known}};
  if (row.inverted) {
    out["inverted"] = true;
  }
  put_marks(out, "low", row.row.low);
  put_marks(out, "high", row.high);
  return out;
}

Result<StoredRow> row_from(const Item& item) {
  const auto version = number_of(item, "version");
  const auto permit = text_of(item, "permit");
  const auto generation = number_of(item, "generation");
  const auto known = flag_of(item, "history_known");
  const bool word = permit == "permitted" || permit == "retired";
  if (!version || *version == 0 || !word || !generation || !known) {
    return malformed(item);
  }
  // A mark of another type than number would read as none: as if nothing had been signed.
  for (const auto& [name, value] : item) {
    const bool mark = name.starts_with("low_") || name.starts_with("high_");
    if (mark && !std::holds_alternative<std::uint64_t>(value)) {
      return malformed(item);
    }
  }
  StoredRow out;
  out.row.permit = permit == "permitted" ? guard::Permit::permitted : guard::Permit::retired;
  out.row.generation = *generation;
  out.row.history_known = *known;
  out.row.low = marks_of(item, "low");
  out.high = marks_of(item, "high");
  out.inverted = flag_of(item, "inverted").value_or(false);
  out.version = *version;
  out.writer = text_of(item, "writer").value_or("");
  return out;
}

Result<BlsPublicKey> public_key_of(const Item& item) {
  BlsPublicKey out{};
  const Key key = key_of(item);
  if (!from_hex_exact(key.sk, out) || row_key(out) != key) {
    return malformed(item);
  }
  return out;
}

std::string history_partition(const BlsPublicKey& key) { return "history#" + to_0x(key); }

Key record_key(const BlsPublicKey& key, const guard::SignedBlock& block) {
  return {history_partition(key),
          std::string(kBlock) + sortable(block.slot.value) + "#" + root_text(block.signing_root)};
}
Key record_key(const BlsPublicKey& key, const guard::SignedAttestation& vote) {
  return {history_partition(key), std::string(kVote) + sortable(vote.target.value) + "#" + sortable(vote.source.value) +
                                      "#" + root_text(vote.signing_root)};
}

Result<guard::SignedBlock> block_from(const Item& item) {
  const std::string sort = key_of(item).sk;
  const std::string_view text(sort);
  constexpr std::size_t kRoot = kBlock.size() + kDigits + 1;
  if (!text.starts_with(kBlock) || text.size() < kRoot || text[kRoot - 1] != '#') {
    return malformed(item);
  }
  const auto slot = from_sortable(text.substr(kBlock.size(), kDigits));
  const auto root = root_from(text.substr(kRoot));
  return slot && root ? Result<guard::SignedBlock>(guard::SignedBlock{Slot{*slot}, *root}) : malformed(item);
}

Result<guard::SignedAttestation> vote_from(const Item& item) {
  const std::string sort = key_of(item).sk;
  const std::string_view text(sort);
  constexpr std::size_t kSource = kVote.size() + kDigits + 1;
  constexpr std::size_t kRoot = kSource + kDigits + 1;
  if (!text.starts_with(kVote) || text.size() < kRoot || text[kSource - 1] != '#' || text[kRoot - 1] != '#') {
    return malformed(item);
  }
  const auto target = from_sortable(text.substr(kVote.size(), kDigits));
  const auto source = from_sortable(text.substr(kSource, kDigits));
  const auto root = root_from(text.substr(kRoot));
  if (!target || !source || !root) {
    return malformed(item);
  }
  return guard::SignedAttestation{Epoch{*source}, Epoch{*target}, *root};
}

QueryRange blocks_between(const BlsPublicKey& key, std::uint64_t from, std::uint64_t to) {
  return between(key, kBlock, from, to);
}
QueryRange votes_between(const BlsPublicKey& key, std::uint64_t from, std::uint64_t to) {
  return between(key, kVote, from, to);
}

Result<StoreItem> store_from(const Item& item) {
  const auto id = exact<16>(item, "id");
  const auto kind = text_of(item, "kind");
  if (kind && kind != kSlashingKind) {
    return fail(ErrorKind::config_invalid, "this DynamoDB table holds \"" + kind->substr(0, 40) +
                                               "\", not slashing protection: each of the three "
                                               "needs a table of its own");
  }
  const bool has_root = item.contains("genesis_validators_root");
  const auto root = exact<32>(item, "genesis_validators_root");
  if (!id || !kind || has_root != root.has_value()) {
    return malformed(item);
  }
  for (const auto& [name, value] : item) {
    if (name.starts_with("floor_") && !std::holds_alternative<std::uint64_t>(value)) {
      return malformed(item);
    }
  }
  StoreItem out;
  out.id = *id;
  out.run = number_of(item, "run").value_or(0);
  out.genesis_validators_root = root;
  out.floor = marks_of(item, "floor");
  return out;
}

Item origin_item(const guard::Origin& origin, const std::string& nonce) {
  Item out{{"pk", std::string(kOriginsPartition)},
           {"sk", sortable(origin.at) + "#" + nonce},
           {"kind", std::string(guard::name(origin.kind))},
           {"source", origin.source},
           {"at", origin.at},
           {"validators", origin.validators},
           {"blocks", origin.blocks},
           {"attestations", origin.attestations}};
  if (origin.digest) {
    out["digest"] = Bytes(origin.digest->begin(), origin.digest->end());
  }
  return out;
}

guard::Origin origin_from(const Item& item) {
  return {guard::origin_kind(text_of(item, "kind").value_or("")),
          text_of(item, "source").value_or(""),
          exact<32>(item, "digest"),
          number_of(item, "at").value_or(0),
          number_of(item, "validators").value_or(0),
          number_of(item, "blocks").value_or(0),
          number_of(item, "attestations").value_or(0)};
}

}  // namespace cc::dynamodb
