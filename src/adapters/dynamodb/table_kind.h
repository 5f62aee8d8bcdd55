// What a table is for. Each of the three stores marks its table with one item, so that a wrong table in the
// configuration is named before anything is written into it.
#pragma once

#include "adapters/dynamodb/table.h"

namespace cc::dynamodb {

inline const Key kStoreKey{"store", "identity"};

// Describes the table and marks it, unless it bears the mark already. Errors: config_invalid when it is marked as
// something else; store_unavailable, also when there is no table.
Result<void> claim(Table& table, const std::string& kind);

}  // namespace cc::dynamodb
