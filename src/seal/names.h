// Names that people give: operators and credentials. One rule for both: 1 to 64 of A-Z a-z 0-9 . _ -
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace cc::seal {

inline constexpr std::size_t kMaxNameBytes = 64;

bool is_plain_name(std::string_view text);
// Errors: operator_name_invalid for a bad or repeated name; names compare byte by byte.
Result<void> check_operator_names(const std::vector<std::string>& names);
// Errors: credential_id_invalid.
Result<void> check_credential_id(std::string_view id);

}  // namespace cc::seal
