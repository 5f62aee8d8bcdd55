#include "adapters/sqlite/slashing_transaction.h"

#include <limits>

namespace cc::sqlite {
namespace {

using guard::SignedAttestation;
using guard::SignedBlock;
using guard::ValidatorRow;

// The rules refuse slots and epochs above 2^63-1 before they reach a store; clamping keeps even a broken caller strict.
std::int64_t stored(std::uint64_t value) {
  constexpr auto kLargest = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  return static_cast<std::int64_t>(value < kLargest ? value : kLargest);
}
template <class Unit>
std::optional<std::int64_t> stored(const std::optional<Unit>& unit) {
  return unit ? std::optional(stored(unit->value)) : std::nullopt;
}
template <class Unit>
std::optional<Unit> unit(const Statement& row, int column) {
  return row.is_null(column) ? std::nullopt : std::optional(Unit{static_cast<std::uint64_t>(row.integer(column))});
}
std::optional<Root> root(const Statement& row, int column) {
  return row.is_null(column) ? std::nullopt : std::optional(to_array<32>(row.blob(column)));
}
std::optional<ByteView> view(const std::optional<Root>& root) {
  return root ? std::optional(ByteView(*root)) : std::nullopt;
}

}  // namespace

Result<std::optional<ValidatorRow>> SqliteSlashingTransaction::validator(const BlsPublicKey& key, bool create) {
  for (int attempt = 0; attempt < 2; ++attempt) {
    CC_ASSIGN(Statement* const query,
              database_.statement(
                  "SELECT id, retired, generation, history_known, low_block_slot, low_source_epoch, low_target_epoch "
                  "FROM validators WHERE public_key = ?"));
    query->bind(ByteView(key));
    CC_ASSIGN(const bool found, database_.step(*query));
    if (found) {
      ValidatorRow row;
      row.id = query->integer(0);
      row.permit = query->integer(1) == 0 ? guard::Permit::permitted : guard::Permit::retired;
      row.generation = static_cast<std::uint64_t>(query->integer(2));
      row.history_known = query->integer(3) != 0;
      row.low = {unit<Slot>(*query, 4), unit<Epoch>(*query, 5), unit<Epoch>(*query, 6)};
      query->reset();
      return row;
    }
    query->reset();
    if (!create) {
      return std::nullopt;
    }
    CC_ASSIGN(Statement* const insert, database_.statement("INSERT INTO validators(public_key) VALUES(?)"));
    insert->bind(ByteView(key));
    CC_TRY(database_.run(*insert));
  }
  return fail(ErrorKind::store_unavailable, database_.path() + ": a validator that was just added cannot be read");
}

Result<void> SqliteSlashingTransaction::update_validator(const ValidatorRow& row) {
  CC_ASSIGN(
      Statement* const update,
      database_.statement("UPDATE validators SET retired = ?, generation = ?, history_known = ?, low_block_slot = ?, "
                          "low_source_epoch = ?, low_target_epoch = ? WHERE id = ?"));
  update->bind(std::int64_t{row.permit == guard::Permit::retired})
      .bind(stored(row.generation))
      .bind(std::int64_t{row.history_known})
      .bind(stored(row.low.block_slot))
      .bind(stored(row.low.source_epoch))
      .bind(stored(row.low.target_epoch))
      .bind(row.id);
  CC_ASSIGN(const std::int64_t changed, database_.run(*update));
  if (changed != 1) {
    return fail(ErrorKind::store_unavailable, database_.path() + ": a validator's row is gone");
  }
  return {};
}

Result<std::vector<SignedBlock>> SqliteSlashingTransaction::blocks(Statement& query) {
  std::vector<SignedBlock> out;
  for (;;) {
    CC_ASSIGN(const bool row, database_.step(query));
    if (!row) {
      break;
    }
    out.push_back({{static_cast<std::uint64_t>(query.integer(0))}, root(query, 1)});
  }
  query.reset();
  return out;
}

Result<std::vector<SignedAttestation>> SqliteSlashingTransaction::attestations(Statement& query) {
  std::vector<SignedAttestation> out;
  for (;;) {
    CC_ASSIGN(const bool row, database_.step(query));
    if (!row) {
      break;
    }
    out.push_back({{static_cast<std::uint64_t>(query.integer(0))},
                   {static_cast<std::uint64_t>(query.integer(1))},
                   root(query, 2)});
  }
  query.reset();
  return out;
}

Result<std::vector<SignedBlock>> SqliteSlashingTransaction::blocks_at(std::int64_t validator, Slot slot) {
  CC_ASSIGN(Statement* const query,
            database_.statement("SELECT slot, signing_root FROM blocks WHERE validator = ? AND slot = ?"));
  query->bind(validator).bind(stored(slot.value));
  return blocks(*query);
}

Result<std::vector<SignedAttestation>> SqliteSlashingTransaction::attestations_at(std::int64_t validator,
                                                                                  Epoch target) {
  CC_ASSIGN(
      Statement* const query,
      database_.statement("SELECT source, target, signing_root FROM attestations WHERE validator = ? AND target = ?"));
  query->bind(validator).bind(stored(target.value));
  return attestations(*query);
}

Result<std::optional<SignedAttestation>> SqliteSlashingTransaction::surrounding(std::int64_t validator, Epoch source,
                                                                                Epoch target) {
  CC_ASSIGN(Statement* const query, database_.statement("SELECT source, target, signing_root FROM attestations "
                                                        "WHERE validator = ? AND target > ? AND source < ? LIMIT 1"));
  query->bind(validator).bind(stored(target.value)).bind(stored(source.value));
  CC_ASSIGN(const auto found, attestations(*query));
  return found.empty() ? std::nullopt : std::optional(found.front());
}

Result<std::optional<SignedAttestation>> SqliteSlashingTransaction::surrounded(std::int64_t validator, Epoch source,
                                                                               Epoch target) {
  // A surrounded vote has source > s, hence target > s too: the range of the index is as short as the new vote is wide.
  CC_ASSIGN(Statement* const query,
            database_.statement("SELECT source, target, signing_root FROM attestations "
                                "WHERE validator = ?1 AND target > ?2 AND target < ?3 AND source > ?2 LIMIT 1"));
  query->bind(validator).bind(stored(source.value)).bind(stored(target.value));
  CC_ASSIGN(const auto found, attestations(*query));
  return found.empty() ? std::nullopt : std::optional(found.front());
}

Result<void> SqliteSlashingTransaction::add_block(std::int64_t validator, const SignedBlock& block) {
  CC_ASSIGN(Statement* const insert,
            database_.statement("INSERT INTO blocks(validator, slot, signing_root) VALUES(?, ?, ?)"));
  insert->bind(validator).bind(stored(block.slot.value)).bind(view(block.signing_root));
  CC_TRY(database_.run(*insert));
  return {};
}

Result<void> SqliteSlashingTransaction::add_attestation(std::int64_t validator, const SignedAttestation& attestation) {
  CC_ASSIGN(
      Statement* const insert,
      database_.statement("INSERT INTO attestations(validator, source, target, signing_root) VALUES(?, ?, ?, ?)"));
  insert->bind(validator)
      .bind(stored(attestation.source.value))
      .bind(stored(attestation.target.value))
      .bind(view(attestation.signing_root));
  CC_TRY(database_.run(*insert));
  return {};
}

Result<std::optional<Root>> SqliteSlashingTransaction::genesis_validators_root() {
  CC_ASSIGN(Statement* const query, database_.statement("SELECT genesis_validators_root FROM identity"));
  CC_TRY(database_.step(*query));
  const std::optional<Root> out = root(*query, 0);
  query->reset();
  return out;
}

Result<void> SqliteSlashingTransaction::set_genesis_validators_root(const Root& root) {
  CC_ASSIGN(Statement* const update, database_.statement("UPDATE identity SET genesis_validators_root = ?"));
  update->bind(ByteView(root));
  CC_TRY(database_.run(*update));
  return {};
}

Result<std::vector<BlsPublicKey>> SqliteSlashingTransaction::validators() {
  CC_ASSIGN(Statement* const query, database_.statement("SELECT public_key FROM validators ORDER BY public_key"));
  std::vector<BlsPublicKey> out;
  for (;;) {
    CC_ASSIGN(const bool row, database_.step(*query));
    if (!row) {
      break;
    }
    out.push_back(to_array<48>(query->blob(0)));
  }
  query->reset();
  return out;
}

Result<std::vector<SignedBlock>> SqliteSlashingTransaction::all_blocks(std::int64_t validator) {
  CC_ASSIGN(Statement* const query,
            database_.statement("SELECT slot, signing_root FROM blocks WHERE validator = ? ORDER BY slot"));
  query->bind(validator);
  return blocks(*query);
}

Result<std::vector<SignedAttestation>> SqliteSlashingTransaction::all_attestations(std::int64_t validator) {
  CC_ASSIGN(Statement* const query,
            database_.statement(
                "SELECT source, target, signing_root FROM attestations WHERE validator = ? ORDER BY target, source"));
  query->bind(validator);
  return attestations(*query);
}

}  // namespace cc::sqlite
