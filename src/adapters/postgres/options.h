// How to reach the PostgreSQL database, checked before anything connects.
//
// TLS is on: without a word on it the server's certificate and name are verified (sslmode verify-full). `require` and
// `verify-ca` must be asked for. `disable` must be asked for, and only for a Unix socket or a loopback address. `allow`
// and `prefer`, which fall back to plain text silently, are refused.
//
// Secrets: the password (in `url` or `password`). It is moved into locked memory here; libpq keeps copies of its own on
// the ordinary heap for as long as a connection lives. No error text of this file shows any part of a URL.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/secret.h"

namespace cc::postgres {

// As the operator writes it. Empty: not given. What `url` says counts unless the single value is given too.
struct Settings {
  SecretBytes url;
  std::string host, port, database, user;
  SecretBytes password;
  std::string password_file;  // its first line
  std::string sslmode, sslrootcert, sslcert, sslkey;
  std::string schema = "containment_chamber";
  std::uint64_t pool_size = 4;
  std::uint64_t connect_timeout_seconds = 5;
  std::uint64_t timeout_seconds = 10;  // of a whole transaction, waiting for locks included
};

// Checked and complete.
struct Options {
  std::vector<std::pair<std::string, std::string>> keywords;  // of libpq, without the password
  SecretBytes password;
  std::string place;  // "PostgreSQL database D on HOST:PORT, schema S": for messages, no secret
  std::string schema;
  std::size_t pool_size = 4;
  Milliseconds connect_timeout{5000};
  Milliseconds timeout{10000};
  bool unauthenticated_server = false;  // sslmode require: encrypted, but to whom is not checked
};

// Errors: config_invalid.
Result<Options> check(Settings settings);

}  // namespace cc::postgres
