// The tables of the slashing store, and how a database comes to have them (docs/spec/postgres.md).
//
// Each step of the migration is one transaction of the server, so a process that dies in the middle leaves the version
// before it; one signer migrates at a time. A database newer than this program is refused by name.
#pragma once

#include <array>
#include <span>

#include "adapters/postgres/connection.h"

namespace cc::postgres {

// What leads from version n - 1 to version n, in order from n = 1.
std::span<const char* const> slashing_migrations();

enum class OpenMode { existing_only, open_or_create };

// Brings the schema to the last version. `fresh_id` becomes the id of a store that is made.
// Errors: not_found with existing_only and no store there; store_unavailable, also for a newer schema.
Result<void> migrate(Connection& connection, const Options& options, OpenMode mode, std::span<const char* const> steps,
                     const std::array<std::uint8_t, 16>& fresh_id, Deadline deadline);

}  // namespace cc::postgres
