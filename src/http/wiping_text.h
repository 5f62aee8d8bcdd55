// Text that may hold secrets and has to grow.
#pragma once

#include <string>
#include <string_view>

namespace cc::http {

// Appends. A std::string that grows frees its old block as it is; this wipes it first.
void append_wiping(std::string& to, std::string_view more);

}  // namespace cc::http
