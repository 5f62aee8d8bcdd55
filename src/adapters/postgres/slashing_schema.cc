#include "adapters/postgres/slashing_schema.h"

namespace cc::postgres {
namespace {

// The rules are code (guard/rules.cc); the triggers repeat the ones whose breach would be silent: what only rises never
// falls, and history is never changed.
constexpr const char* kVersion1 = R"sql(
CREATE TABLE identity (
  only_row boolean NOT NULL PRIMARY KEY CHECK (only_row),
  id bytea NOT NULL CHECK (octet_length(id) = 16),
  run bigint NOT NULL CHECK (run >= 0),
  commits bigint NOT NULL CHECK (commits >= 0),
  genesis_validators_root bytea CHECK (octet_length(genesis_validators_root) = 32),
  floor_block_slot bigint,
  floor_source_epoch bigint,
  floor_target_epoch bigint
) WITH (fillfactor = 50);

CREATE TABLE chambers (
  chamber bytea NOT NULL PRIMARY KEY CHECK (octet_length(chamber) = 16),
  highest_epoch bigint NOT NULL CHECK (highest_epoch >= 0),
  core_digest bytea NOT NULL CHECK (octet_length(core_digest) = 32)
);

CREATE TABLE validators (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  public_key bytea NOT NULL UNIQUE CHECK (octet_length(public_key) = 48),
  permit text NOT NULL CHECK (permit IN ('permitted', 'retired')),
  generation bigint NOT NULL CHECK (generation >= 0),
  history_known boolean NOT NULL,
  low_block_slot bigint,
  low_source_epoch bigint,
  low_target_epoch bigint
) WITH (fillfactor = 80);

CREATE TABLE blocks (
  validator bigint NOT NULL REFERENCES validators (id),
  slot bigint NOT NULL,
  signing_root bytea NOT NULL CHECK (octet_length(signing_root) IN (0, 32)),
  PRIMARY KEY (validator, slot, signing_root)
);

CREATE TABLE attestations (
  validator bigint NOT NULL REFERENCES validators (id),
  target_epoch bigint NOT NULL,
  source_epoch bigint NOT NULL,
  signing_root bytea NOT NULL CHECK (octet_length(signing_root) IN (0, 32)),
  PRIMARY KEY (validator, target_epoch, source_epoch, signing_root)
);
CREATE INDEX inverted_attestations ON attestations (validator) WHERE source_epoch > target_epoch;

CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'check_violation'; END $$;

CREATE TRIGGER identity_rises BEFORE UPDATE ON identity FOR EACH ROW
WHEN (NEW.id <> OLD.id OR NEW.run < OLD.run OR NEW.commits < OLD.commits
  OR (OLD.genesis_validators_root IS NOT NULL
      AND NEW.genesis_validators_root IS DISTINCT FROM OLD.genesis_validators_root)
  OR (OLD.floor_block_slot IS NOT NULL AND coalesce(NEW.floor_block_slot < OLD.floor_block_slot, true))
  OR (OLD.floor_source_epoch IS NOT NULL AND coalesce(NEW.floor_source_epoch < OLD.floor_source_epoch, true))
  OR (OLD.floor_target_epoch IS NOT NULL AND coalesce(NEW.floor_target_epoch < OLD.floor_target_epoch, true)))
EXECUTE FUNCTION refuse('the identity of the store only rises');

CREATE TRIGGER chambers_rise BEFORE UPDATE ON chambers FOR EACH ROW
WHEN (NEW.chamber <> OLD.chamber OR NEW.highest_epoch < OLD.highest_epoch)
EXECUTE FUNCTION refuse('the epoch of a chamber only rises');

CREATE TRIGGER validators_rise BEFORE UPDATE ON validators FOR EACH ROW
WHEN (NEW.id <> OLD.id OR NEW.public_key <> OLD.public_key OR NEW.generation < OLD.generation
  OR (OLD.history_known AND NOT NEW.history_known)
  OR (OLD.low_block_slot IS NOT NULL AND coalesce(NEW.low_block_slot < OLD.low_block_slot, true))
  OR (OLD.low_source_epoch IS NOT NULL AND coalesce(NEW.low_source_epoch < OLD.low_source_epoch, true))
  OR (OLD.low_target_epoch IS NOT NULL AND coalesce(NEW.low_target_epoch < OLD.low_target_epoch, true)))
EXECUTE FUNCTION refuse('watermarks only rise');

CREATE TRIGGER identity_stays BEFORE DELETE ON identity FOR EACH ROW EXECUTE FUNCTION refuse('the identity stays');
CREATE TRIGGER validators_stay BEFORE DELETE ON validators FOR EACH ROW EXECUTE FUNCTION refuse('validators stay');
CREATE TRIGGER blocks_stay BEFORE UPDATE ON blocks FOR EACH ROW EXECUTE FUNCTION refuse('history stays');
CREATE TRIGGER attestations_stay BEFORE UPDATE ON attestations FOR EACH ROW EXECUTE FUNCTION refuse('history stays');
CREATE TRIGGER identity_is_kept BEFORE TRUNCATE ON identity EXECUTE FUNCTION refuse('the identity stays');
CREATE TRIGGER validators_are_kept BEFORE TRUNCATE ON validators EXECUTE FUNCTION refuse('validators stay');
CREATE TRIGGER blocks_are_kept BEFORE TRUNCATE ON blocks EXECUTE FUNCTION refuse('history stays');
CREATE TRIGGER attestations_are_kept BEFORE TRUNCATE ON attestations EXECUTE FUNCTION refuse('history stays');

CREATE VIEW readable_blocks AS
SELECT '0x' || encode(public_key, 'hex') AS public_key, slot::numeric + 9223372036854775808 AS slot,
  CASE WHEN signing_root <> '' THEN '0x' || encode(signing_root, 'hex') END AS signing_root
FROM blocks JOIN validators ON validators.id = blocks.validator;

CREATE VIEW readable_attestations AS
SELECT '0x' || encode(public_key, 'hex') AS public_key, source_epoch::numeric + 9223372036854775808 AS source_epoch,
  target_epoch::numeric + 9223372036854775808 AS target_epoch,
  CASE WHEN signing_root <> '' THEN '0x' || encode(signing_root, 'hex') END AS signing_root
FROM attestations JOIN validators ON validators.id = attestations.validator;
)sql";

// Notes on where history came from; records go only below the watermarks.
constexpr const char* kVersion2 = R"sql(
CREATE TABLE origins (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  kind text NOT NULL CHECK (kind IN ('import', 'keymanager', 'empty_history')),
  source text NOT NULL,
  digest bytea NOT NULL CHECK (octet_length(digest) IN (0, 32)),
  at bigint NOT NULL CHECK (at >= 0),
  validators bigint NOT NULL CHECK (validators >= 0),
  blocks bigint NOT NULL CHECK (blocks >= 0),
  attestations bigint NOT NULL CHECK (attestations >= 0)
);
CREATE TRIGGER origins_stay BEFORE UPDATE OR DELETE ON origins FOR EACH ROW EXECUTE FUNCTION refuse('origins stay');
CREATE TRIGGER origins_are_kept BEFORE TRUNCATE ON origins EXECUTE FUNCTION refuse('origins stay');

CREATE FUNCTION forget_block() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN
  IF EXISTS (SELECT FROM validators WHERE id = OLD.validator AND OLD.slot < low_block_slot) THEN RETURN OLD; END IF;
  RAISE EXCEPTION 'only blocks below the watermark are forgotten' USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER blocks_last BEFORE DELETE ON blocks FOR EACH ROW EXECUTE FUNCTION forget_block();

CREATE FUNCTION forget_attestation() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN
  IF EXISTS (SELECT FROM validators WHERE id = OLD.validator AND OLD.target_epoch < low_target_epoch
             AND OLD.source_epoch <= low_source_epoch) THEN RETURN OLD; END IF;
  RAISE EXCEPTION 'only votes below the watermarks are forgotten' USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER attestations_last BEFORE DELETE ON attestations FOR EACH ROW EXECUTE FUNCTION forget_attestation();
)sql";

constexpr const char* kMigrations[] = {kVersion1, kVersion2};

// Runs `work` in a transaction that no other signer migrates beside.
template <class Work>
Result<void> alone(Connection& connection, const std::string& schema, Deadline deadline, const Work& work) {
  const Query begin[] = {{{"", "BEGIN ISOLATION LEVEL READ COMMITTED"}, {}},
                         {{"", "SELECT pg_advisory_xact_lock(1128485452, hashtext($1))"}, {schema}}};
  Result<void> done;
  if (const auto begun = connection.run(begin, deadline); !begun) {
    done = fail(begun.error());
  } else {
    done = work();
  }
  if (!done) {
    connection.rollback();
    return done;
  }
  return connection.commit(deadline);
}

// Nothing when there is no store in the schema.
Result<std::optional<std::int64_t>> version_of(Connection& connection, const std::string& schema, Deadline deadline) {
  // Asked of the catalogue's tables: to_regclass() may answer from a cache that is older than the lock just taken.
  CC_ASSIGN(const Rows found, connection.run({{"",
                                               "SELECT EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = "
                                               "c.relnamespace WHERE n.nspname = $1 AND c.relname = 'schema_version')"},
                                              {schema}},
                                             deadline));
  if (!found.boolean(0, 0)) {
    return std::nullopt;
  }
  CC_ASSIGN(const Rows version,
            connection.run({{"", "SELECT coalesce(max(version), 0)::bigint FROM schema_version"}, {}}, deadline));
  return version.integer(0, 0);
}

// An empty schema of that name may be there already, made by an administrator for a user without further rights.
Result<void> make_schema(Connection& connection, const std::string& schema, Deadline deadline) {
  CC_ASSIGN(const Rows there,
            connection.run({{"", "SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)"}, {schema}}, deadline));
  if (!there.boolean(0, 0)) {
    CC_TRY(connection.script("CREATE SCHEMA " + connection.quoted(schema), deadline));
  }
  // The search path named it before it was there; what comes now is made inside.
  return connection.script(
      "SET LOCAL search_path = " + connection.quoted(schema) +
          ", pg_catalog; CREATE TABLE schema_version (version bigint NOT NULL PRIMARY KEY, since timestamptz NOT NULL "
          "DEFAULT now())",
      deadline);
}

Result<void> step(Connection& connection, const std::string& schema, const char* sql, std::int64_t version,
                  Deadline deadline) {
  CC_TRY(connection.script("SET LOCAL search_path = " + connection.quoted(schema) + ", pg_catalog", deadline));
  CC_TRY(connection.script(sql, deadline));
  CC_TRY(connection.run({{"", "INSERT INTO schema_version (version) VALUES ($1)"}, {text_of(version)}}, deadline));
  return {};
}

}  // namespace

std::span<const char* const> slashing_migrations() { return kMigrations; }

Result<void> migrate(Connection& connection, const Options& options, OpenMode mode, std::span<const char* const> steps,
                     const std::array<std::uint8_t, 16>& fresh_id, Deadline deadline) {
  const auto newest = static_cast<std::int64_t>(steps.size());
  CC_ASSIGN(std::optional<std::int64_t> version, version_of(connection, options.schema, deadline));
  if (!version && mode == OpenMode::existing_only) {
    return fail(ErrorKind::not_found, options.place + " holds no slashing store");
  }
  while (!version || *version < newest) {
    CC_TRY(alone(connection, options.schema, deadline, [&]() -> Result<void> {
      CC_ASSIGN(version, version_of(connection, options.schema, deadline));
      if (!version) {
        CC_TRY(make_schema(connection, options.schema, deadline));
        version = 0;
      }
      if (*version >= newest) {
        return {};
      }
      CC_TRY(step(connection, options.schema, steps[static_cast<std::size_t>(*version)], *version + 1, deadline));
      if (*version == 0) {
        CC_TRY(connection.run({{"", "INSERT INTO identity (only_row, id, run, commits) VALUES (true, $1, 0, 0)"},
                               {text_of(ByteView(fresh_id))}},
                              deadline));
      }
      ++*version;
      return {};
    }));
  }
  if (*version > newest) {
    return fail(ErrorKind::store_unavailable, options.place + " has schema version " + std::to_string(*version) +
                                                  ", and this program knows version " + std::to_string(newest) +
                                                  ": run the newer program");
  }
  return {};
}

}  // namespace cc::postgres
