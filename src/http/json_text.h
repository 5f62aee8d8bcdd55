// One JSON string literal (RFC 8259) from any bytes: enough for problem details, which are flat.
#pragma once

#include <string>
#include <string_view>

namespace cc::http {

// Quoted and escaped. What is not UTF-8 becomes U+FFFD, so that the document always parses.
std::string json_string(std::string_view text);

}  // namespace cc::http
