// The request target (RFC 9112 section 3.2), split and percent-decoded.
#pragma once

#include <string_view>

#include "base/result.h"
#include "http/message.h"

namespace cc::http {

struct Target {
  std::string path;  // begins with '/', or is "*"
  TextMap query;
};

// Takes the origin form, the absolute form (its authority is dropped) and "*". In the query '+' means a space, as forms
// have it. Errors: malformed_request for a broken percent escape, an escaped NUL or slash (routes could be read in two
// ways), a fragment, a query name given twice, and the authority form.
Result<Target> parse_target(std::string_view target);

}  // namespace cc::http
