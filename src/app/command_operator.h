// The operator group, one file per kind of person: who holds a share, who changes credentials, and the rest.
#pragma once

#include <string>
#include <string_view>

#include "app/command.h"

namespace cc::app {

// register | unseal | unseal-reset.
void add_operator_share_commands(CLI::App& group, Chosen& chosen);
// credentials add | remove | list.
void add_operator_credentials_commands(CLI::App& group, Chosen& chosen);
// rotate kms | unseal | unseal-cancel | mode, and approve.
void add_operator_rotate_commands(CLI::App& group, Chosen& chosen);
// guide.
void add_operator_guide_command(CLI::App& group, Chosen& chosen);
// Percent-encoding of a query value (RFC 3986, everything but unreserved characters).
std::string query_value(std::string_view text);
// Whether a text can be the digest of a rotation; what a signer calls one goes into commands that people copy.
bool is_rotation_digest(std::string_view text);

}  // namespace cc::app
