#include "adapters/sqlite/slashing_transaction.h"

#include <string_view>

#include "adapters/sqlite/slashing_schema.h"
#include "guard/history.h"
#include "guard/rules.h"

namespace cc::sqlite {
namespace {

constexpr std::string_view kPermitted = "permitted";
constexpr std::string_view kRetired = "retired";

std::string_view word(guard::Permit permit) { return permit == guard::Permit::permitted ? kPermitted : kRetired; }

// An absent root is an empty blob, so that it is part of the primary key like any other.
ByteView stored_root(const std::optional<Root>& root) { return root ? ByteView(*root) : ByteView(); }
std::optional<Root> root_at(const Statement& row, int column) {
  const ByteView bytes = row.blob(column);
  return bytes.empty() ? std::nullopt : std::optional<Root>(to_array<32>(bytes));
}

guard::SignedAttestation attestation_at(const Statement& row) {
  return {Epoch{number_from(row.integer(0))}, Epoch{number_from(row.integer(1))}, root_at(row, 2)};
}

}  // namespace

Result<std::optional<guard::ValidatorRow>> SqliteSlashingTransaction::validator(const BlsPublicKey& key, bool create) {
  if (create) {
    CC_ASSIGN(Statement* const insert,
              database_.statement("INSERT INTO validators (public_key, permit, generation, history_known)"
                                  " VALUES (?, ?, 0, 0) ON CONFLICT (public_key) DO NOTHING"));
    insert->bind(ByteView(key)).bind(kPermitted);
    CC_TRY(database_.run(*insert));
  }
  CC_ASSIGN(Statement* const query,
            database_.statement("SELECT id, permit, generation, history_known, low_block_slot, low_source_epoch,"
                                " low_target_epoch FROM validators WHERE public_key = ?"));
  query->bind(ByteView(key));
  CC_ASSIGN(const bool found, database_.step(*query));
  if (!found) {
    return std::nullopt;
  }
  guard::ValidatorRow row;
  row.id = query->integer(0);
  row.permit = query->text(1) == kPermitted ? guard::Permit::permitted : guard::Permit::retired;
  row.generation = static_cast<std::uint64_t>(query->integer(2));
  row.history_known = query->integer(3) != 0;
  row.low = {number_at<Slot>(*query, 4), number_at<Epoch>(*query, 5), number_at<Epoch>(*query, 6)};
  query->reset();
  return row;
}

Result<void> SqliteSlashingTransaction::update_validator(const guard::ValidatorRow& row) {
  CC_ASSIGN(Statement* const update,
            database_.statement("UPDATE validators SET permit = ?2, generation = ?3, history_known = ?4,"
                                " low_block_slot = ?5, low_source_epoch = ?6, low_target_epoch = ?7 WHERE id = ?1"));
  update->bind(row.id).bind(word(row.permit)).bind(static_cast<std::int64_t>(row.generation));
  update->bind(static_cast<std::int64_t>(row.history_known));
  update->bind(stored_number(row.low.block_slot)).bind(stored_number(row.low.source_epoch));
  update->bind(stored_number(row.low.target_epoch));
  CC_ASSIGN(const std::int64_t changed, database_.run(*update));
  return changed == 1 ? Result<void>() : fail(ErrorKind::internal, "the slashing store has no such validator row");
}

Result<std::vector<guard::SignedBlock>> SqliteSlashingTransaction::blocks(Statement& query) {
  std::vector<guard::SignedBlock> out;
  while (true) {
    CC_ASSIGN(const bool row, database_.step(query));
    if (!row) {
      break;
    }
    out.push_back({Slot{number_from(query.integer(0))}, root_at(query, 1)});
  }
  query.reset();
  return out;
}

Result<std::vector<guard::SignedAttestation>> SqliteSlashingTransaction::attestations(Statement& query) {
  std::vector<guard::SignedAttestation> out;
  while (true) {
    CC_ASSIGN(const bool row, database_.step(query));
    if (!row) {
      break;
    }
    out.push_back(attestation_at(query));
  }
  query.reset();
  return out;
}

Result<std::vector<guard::SignedBlock>> SqliteSlashingTransaction::blocks_at(std::int64_t validator, Slot slot) {
  CC_ASSIGN(Statement* const query,
            database_.statement("SELECT slot, signing_root FROM blocks WHERE validator = ? AND slot = ?"));
  query->bind(validator).bind(stored_number(slot.value));
  return blocks(*query);
}

Result<std::vector<guard::SignedAttestation>> SqliteSlashingTransaction::attestations_at(std::int64_t validator,
                                                                                         Epoch target) {
  CC_ASSIGN(Statement* const query, database_.statement("SELECT source_epoch, target_epoch, signing_root"
                                                        " FROM attestations WHERE validator = ? AND target_epoch = ?"));
  query->bind(validator).bind(stored_number(target.value));
  return attestations(*query);
}

// One statement, because starting one costs more than what it finds. At the target; beyond it, of which there are none
// while a validator goes forward; inside: a proper vote has its target there too, which bounds the search by the new
// vote's own length; and imported votes whose source lies above their target, which are few and have their own index.
Result<guard::VotesNear> SqliteSlashingTransaction::votes_near(std::int64_t validator, Epoch source, Epoch target) {
  CC_ASSIGN(Statement* const query,
            database_.statement(
                "SELECT source_epoch, target_epoch, signing_root, 0 FROM attestations"
                " WHERE validator = ?1 AND target_epoch = ?3"
                " UNION ALL SELECT * FROM (SELECT source_epoch, target_epoch, signing_root, 1 FROM attestations"
                " WHERE validator = ?1 AND target_epoch > ?3 AND source_epoch < ?2 ORDER BY target_epoch LIMIT 1)"
                " UNION ALL SELECT * FROM (SELECT source_epoch, target_epoch, signing_root, 2 FROM attestations"
                " WHERE validator = ?1 AND target_epoch > ?2 AND target_epoch < ?3 AND source_epoch > ?2"
                " ORDER BY target_epoch LIMIT 1)"
                " UNION ALL SELECT * FROM (SELECT source_epoch, target_epoch, signing_root, 2"
                " FROM attestations INDEXED BY inverted_attestations"
                " WHERE validator = ?1 AND source_epoch > target_epoch AND target_epoch < ?3 AND source_epoch > ?2"
                " LIMIT 1)"));
  query->bind(validator).bind(stored_number(source.value)).bind(stored_number(target.value));
  guard::VotesNear out;
  while (true) {
    CC_ASSIGN(const bool row, database_.step(*query));
    if (!row) {
      break;
    }
    const std::int64_t where = query->integer(3);
    if (where == 0) {
      out.at_target.push_back(attestation_at(*query));
    } else {
      (where == 1 ? out.surrounding : out.surrounded) = attestation_at(*query);
    }
  }
  query->reset();
  return out;
}

Result<void> SqliteSlashingTransaction::add_block(std::int64_t validator, const guard::SignedBlock& block) {
  CC_ASSIGN(Statement* const insert, database_.statement("INSERT INTO blocks (validator, slot, signing_root)"
                                                         " VALUES (?, ?, ?) ON CONFLICT DO NOTHING"));
  insert->bind(validator).bind(stored_number(block.slot.value)).bind(stored_root(block.signing_root));
  CC_TRY(database_.run(*insert));
  return {};
}

Result<void> SqliteSlashingTransaction::add_attestation(std::int64_t validator,
                                                        const guard::SignedAttestation& attestation) {
  CC_ASSIGN(Statement* const insert,
            database_.statement("INSERT INTO attestations (validator, target_epoch, source_epoch, signing_root)"
                                " VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"));
  insert->bind(validator).bind(stored_number(attestation.target.value)).bind(stored_number(attestation.source.value));
  insert->bind(stored_root(attestation.signing_root));
  CC_TRY(database_.run(*insert));
  return {};
}

Result<std::uint64_t> SqliteSlashingTransaction::forget_below(std::int64_t validator, const guard::Watermarks& low) {
  std::int64_t gone = 0;
  if (low.block_slot) {
    CC_ASSIGN(Statement* const blocks, database_.statement("DELETE FROM blocks WHERE validator = ? AND slot < ?"));
    blocks->bind(validator).bind(stored_number(low.block_slot));
    CC_ASSIGN(const std::int64_t rows, database_.run(*blocks));
    gone += rows;
  }
  if (low.target_epoch && low.source_epoch) {
    CC_ASSIGN(Statement* const votes,
              database_.statement("DELETE FROM attestations WHERE validator = ? AND target_epoch < ?"
                                  " AND source_epoch <= ?"));
    votes->bind(validator).bind(stored_number(low.target_epoch)).bind(stored_number(low.source_epoch));
    CC_ASSIGN(const std::int64_t rows, database_.run(*votes));
    gone += rows;
  }
  return static_cast<std::uint64_t>(gone);
}

Result<void> SqliteSlashingTransaction::add_origin(const guard::Origin& origin) {
  CC_ASSIGN(Statement* const insert,
            database_.statement("INSERT INTO origins (kind, source, digest, at, validators, blocks, attestations)"
                                " VALUES (?, ?, ?, ?, ?, ?, ?)"));
  insert->bind(guard::name(origin.kind)).bind(std::string_view(origin.source)).bind(stored_root(origin.digest));
  insert->bind(static_cast<std::int64_t>(origin.at)).bind(static_cast<std::int64_t>(origin.validators));
  insert->bind(static_cast<std::int64_t>(origin.blocks)).bind(static_cast<std::int64_t>(origin.attestations));
  CC_TRY(database_.run(*insert));
  return {};
}

Result<std::vector<guard::Origin>> SqliteSlashingTransaction::origins(std::size_t limit) {
  CC_ASSIGN(Statement* const query,
            database_.statement("SELECT kind, source, digest, at, validators, blocks, attestations FROM origins"
                                " ORDER BY id DESC LIMIT ?"));
  query->bind(static_cast<std::int64_t>(limit));
  std::vector<guard::Origin> out;
  while (true) {
    CC_ASSIGN(const bool row, database_.step(*query));
    if (!row) {
      break;
    }
    const auto number = [&](int column) { return static_cast<std::uint64_t>(query->integer(column)); };
    out.push_back({guard::origin_kind(query->text(0)), query->text(1), root_at(*query, 2), number(3), number(4),
                   number(5), number(6)});
  }
  query->reset();
  return out;
}

Result<const SqliteSlashingTransaction::Common*> SqliteSlashingTransaction::common() {
  if (!common_) {
    CC_ASSIGN(Statement* const query,
              database_.statement("SELECT genesis_validators_root, floor_block_slot, floor_source_epoch,"
                                  " floor_target_epoch FROM identity"));
    CC_ASSIGN(const bool row, database_.step(*query));
    if (!row) {
      return fail(ErrorKind::store_unavailable, "the slashing store has lost its identity row: restore a backup");
    }
    common_ = Common{root_at(*query, 0),
                     {number_at<Slot>(*query, 1), number_at<Epoch>(*query, 2), number_at<Epoch>(*query, 3)}};
    query->reset();
  }
  return &*common_;
}

Result<std::optional<Root>> SqliteSlashingTransaction::genesis_validators_root() {
  CC_ASSIGN(const Common* const known, common());
  return known->genesis_validators_root;
}

Result<void> SqliteSlashingTransaction::set_genesis_validators_root(const Root& root) {
  CC_ASSIGN(Statement* const update, database_.statement("UPDATE identity SET genesis_validators_root = ?"));
  update->bind(ByteView(root));
  CC_TRY(database_.run(*update));
  common_.reset();
  return {};
}

Result<guard::Watermarks> SqliteSlashingTransaction::floor() {
  CC_ASSIGN(const Common* const known, common());
  return known->floor;
}

Result<void> SqliteSlashingTransaction::raise_floor(const guard::Watermarks& floor) {
  CC_ASSIGN(const guard::Watermarks now, this->floor());
  const guard::Watermarks raised = guard::higher(now, floor);
  CC_ASSIGN(Statement* const update,
            database_.statement("UPDATE identity SET floor_block_slot = ?, floor_source_epoch = ?,"
                                " floor_target_epoch = ?"));
  update->bind(stored_number(raised.block_slot)).bind(stored_number(raised.source_epoch));
  update->bind(stored_number(raised.target_epoch));
  CC_TRY(database_.run(*update));
  common_.reset();
  return {};
}

Result<std::vector<BlsPublicKey>> SqliteSlashingTransaction::validators() {
  CC_ASSIGN(Statement* const query, database_.statement("SELECT public_key FROM validators ORDER BY public_key"));
  std::vector<BlsPublicKey> out;
  while (true) {
    CC_ASSIGN(const bool row, database_.step(*query));
    if (!row) {
      break;
    }
    out.push_back(to_array<48>(query->blob(0)));
  }
  query->reset();
  return out;
}

Result<std::vector<guard::SignedBlock>> SqliteSlashingTransaction::all_blocks(std::int64_t validator) {
  CC_ASSIGN(Statement* const query,
            database_.statement("SELECT slot, signing_root FROM blocks WHERE validator = ? ORDER BY slot"));
  query->bind(validator);
  return blocks(*query);
}

Result<std::vector<guard::SignedAttestation>> SqliteSlashingTransaction::all_attestations(std::int64_t validator) {
  CC_ASSIGN(Statement* const query,
            database_.statement("SELECT source_epoch, target_epoch, signing_root FROM attestations"
                                " WHERE validator = ? ORDER BY target_epoch, source_epoch"));
  query->bind(validator);
  return attestations(*query);
}

}  // namespace cc::sqlite
