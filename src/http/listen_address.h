// What a server may listen on: an IP address, or "unix:" and the path of a socket. Text only, nothing is opened.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace cc::http {

constexpr std::string_view kUnixPrefix = "unix:";

// Errors: config_invalid for an address that is neither.
Result<void> check_listen_address(const std::string& address);
// Whether only processes of this machine can connect: loopback or a unix socket.
bool within_this_machine(const std::string& address);

}  // namespace cc::http
