// A copy of a database file as one whole file: everything committed, nothing else, no log beside it. The source stays
// as it is and may be in use. Blocks for as long as the disk needs. No secret passes.
#pragma once

#include <string>

#include "base/result.h"

namespace cc::sqlite {

// `into` must not exist; it is made with mode 0600. Errors: not_found without a source, store_unavailable naming the
// path.
Result<void> copy_database(const std::string& path, const std::string& into);

}  // namespace cc::sqlite
