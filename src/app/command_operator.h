// The operator group in two files: what needs a share (register, unseal, unseal-reset), and the rest.
#pragma once

#include <string>
#include <string_view>

#include "app/command.h"

namespace cc::app {

// register | unseal | unseal-reset.
void add_operator_share_commands(CLI::App& group, Chosen& chosen);
// Percent-encoding of a query value (RFC 3986, everything but unreserved characters).
std::string query_value(std::string_view text);

}  // namespace cc::app
