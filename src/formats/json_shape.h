// A first look at JSON text that decides about keys or signatures: Boost.JSON keeps the last of two equal member names
// in silence, another reader may keep the first. Such text is refused before anything is read from it.
#pragma once

#include <string_view>

#include "base/result.h"

namespace cc::json {

struct Limits {
  std::size_t bytes = std::size_t{1} << 20;
  std::size_t depth = 16;
};

// Well-formed JSON within the limits, UTF-8 throughout, no member name twice in one object. Errors: malformed_request
// saying where, never quoting a value.
Result<void> check_shape(std::string_view text, const Limits& limits = {});

}  // namespace cc::json
