#include "adapters/sqlite/slashing_schema.h"

#include <array>

namespace cc::sqlite {
namespace {

// Version 2: notes on where history came from; records go only below the watermarks.
constexpr std::array<const char*, 1> kUpgrades{R"sql(
CREATE TABLE origins (
  id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL CHECK (kind IN ('import', 'keymanager', 'empty_history')),
  source TEXT NOT NULL,
  digest BLOB NOT NULL CHECK (length(digest) IN (0, 32)),
  at INTEGER NOT NULL CHECK (at >= 0),
  validators INTEGER NOT NULL CHECK (validators >= 0),
  blocks INTEGER NOT NULL CHECK (blocks >= 0),
  attestations INTEGER NOT NULL CHECK (attestations >= 0)
) STRICT;
CREATE TRIGGER origins_stay BEFORE UPDATE ON origins BEGIN SELECT RAISE(ABORT, 'origins stay'); END;
CREATE TRIGGER origins_last BEFORE DELETE ON origins BEGIN SELECT RAISE(ABORT, 'origins stay'); END;

CREATE TRIGGER blocks_last BEFORE DELETE ON blocks
WHEN ifnull((SELECT OLD.slot >= low_block_slot FROM validators WHERE id = OLD.validator), 1)
BEGIN SELECT RAISE(ABORT, 'only blocks below the watermark are forgotten'); END;

CREATE TRIGGER attestations_last BEFORE DELETE ON attestations
WHEN ifnull((SELECT OLD.target_epoch >= low_target_epoch OR OLD.source_epoch > low_source_epoch
             FROM validators WHERE id = OLD.validator), 1)
BEGIN SELECT RAISE(ABORT, 'only votes below the watermarks are forgotten'); END;
)sql"};

}  // namespace

// The rules are code (guard/rules.cc); the triggers repeat the ones whose breach would be silent: what only rises never
// falls, and history is never changed.
const Schema kSlashingSchema{.application_id = 0x4343534c,  // "CCSL"
                             .version = 2,
                             .sql = R"sql(
CREATE TABLE identity (
  only_row INTEGER NOT NULL PRIMARY KEY CHECK (only_row = 1),
  id BLOB NOT NULL CHECK (length(id) = 16),
  run INTEGER NOT NULL CHECK (run >= 0),
  commits INTEGER NOT NULL CHECK (commits >= 0),
  chamber BLOB CHECK (length(chamber) = 16),
  highest_epoch INTEGER NOT NULL CHECK (highest_epoch >= 0),
  core_digest BLOB NOT NULL CHECK (length(core_digest) = 32),
  genesis_validators_root BLOB CHECK (length(genesis_validators_root) = 32),
  floor_block_slot INTEGER,
  floor_source_epoch INTEGER,
  floor_target_epoch INTEGER
) STRICT;

CREATE TABLE validators (
  id INTEGER PRIMARY KEY,
  public_key BLOB NOT NULL UNIQUE CHECK (length(public_key) = 48),
  permit TEXT NOT NULL CHECK (permit IN ('permitted', 'retired')),
  generation INTEGER NOT NULL CHECK (generation >= 0),
  history_known INTEGER NOT NULL CHECK (history_known IN (0, 1)),
  low_block_slot INTEGER,
  low_source_epoch INTEGER,
  low_target_epoch INTEGER
) STRICT;

CREATE TABLE blocks (
  validator INTEGER NOT NULL REFERENCES validators (id),
  slot INTEGER NOT NULL,
  signing_root BLOB NOT NULL CHECK (length(signing_root) IN (0, 32)),
  PRIMARY KEY (validator, slot, signing_root)
) STRICT, WITHOUT ROWID;

CREATE TABLE attestations (
  validator INTEGER NOT NULL REFERENCES validators (id),
  target_epoch INTEGER NOT NULL,
  source_epoch INTEGER NOT NULL,
  signing_root BLOB NOT NULL CHECK (length(signing_root) IN (0, 32)),
  PRIMARY KEY (validator, target_epoch, source_epoch, signing_root)
) STRICT, WITHOUT ROWID;
CREATE INDEX inverted_attestations ON attestations (validator) WHERE source_epoch > target_epoch;

CREATE TRIGGER identity_rises BEFORE UPDATE ON identity
WHEN NEW.id <> OLD.id OR NEW.run < OLD.run OR NEW.commits < OLD.commits
  OR (NEW.chamber IS OLD.chamber AND NEW.highest_epoch < OLD.highest_epoch)
  OR (OLD.genesis_validators_root IS NOT NULL AND NEW.genesis_validators_root IS NOT OLD.genesis_validators_root)
  OR (OLD.floor_block_slot IS NOT NULL AND ifnull(NEW.floor_block_slot < OLD.floor_block_slot, 1))
  OR (OLD.floor_source_epoch IS NOT NULL AND ifnull(NEW.floor_source_epoch < OLD.floor_source_epoch, 1))
  OR (OLD.floor_target_epoch IS NOT NULL AND ifnull(NEW.floor_target_epoch < OLD.floor_target_epoch, 1))
BEGIN SELECT RAISE(ABORT, 'the identity of the store only rises'); END;

CREATE TRIGGER validators_rise BEFORE UPDATE ON validators
WHEN NEW.id <> OLD.id OR NEW.public_key <> OLD.public_key OR NEW.generation < OLD.generation
  OR NEW.history_known < OLD.history_known
  OR (OLD.low_block_slot IS NOT NULL AND ifnull(NEW.low_block_slot < OLD.low_block_slot, 1))
  OR (OLD.low_source_epoch IS NOT NULL AND ifnull(NEW.low_source_epoch < OLD.low_source_epoch, 1))
  OR (OLD.low_target_epoch IS NOT NULL AND ifnull(NEW.low_target_epoch < OLD.low_target_epoch, 1))
BEGIN SELECT RAISE(ABORT, 'watermarks only rise'); END;

CREATE TRIGGER validators_stay BEFORE DELETE ON validators BEGIN SELECT RAISE(ABORT, 'validators stay'); END;
CREATE TRIGGER blocks_stay BEFORE UPDATE ON blocks BEGIN SELECT RAISE(ABORT, 'history stays'); END;
CREATE TRIGGER attestations_stay BEFORE UPDATE ON attestations BEGIN SELECT RAISE(ABORT, 'history stays'); END;

CREATE VIEW readable_blocks AS
SELECT '0x' || lower(hex(public_key)) AS public_key, slot + 9223372036854775807 + 1 AS slot,
  iif(length(signing_root) = 0, NULL, '0x' || lower(hex(signing_root))) AS signing_root
FROM blocks JOIN validators ON validators.id = blocks.validator;

CREATE VIEW readable_attestations AS
SELECT '0x' || lower(hex(public_key)) AS public_key, source_epoch + 9223372036854775807 + 1 AS source_epoch,
  target_epoch + 9223372036854775807 + 1 AS target_epoch,
  iif(length(signing_root) = 0, NULL, '0x' || lower(hex(signing_root))) AS signing_root
FROM attestations JOIN validators ON validators.id = attestations.validator;
)sql",
                             .upgrades = kUpgrades.data()};

}  // namespace cc::sqlite
