// dev-kms: a server on loopback that speaks AWS KMS (JSON 1.1, POST /), for development and tests.
//
// With allow_faults also, unsigned: POST /dev-kms/faults {"kind","key","operation","count"}, DELETE /dev-kms/faults,
// GET /dev-kms/calls. Nothing here is fit for real keys: who reads the data directory has them all.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"

namespace cc::devkms {

struct Options {
  std::string data_dir;  // made when missing, 0700
  std::uint16_t port = 0;
  std::vector<std::string> keys;  // ARNs
  bool allow_faults = false;
};

class Server {
 public:
  // Serves from its own thread. Errors: kek_name_invalid, store_unavailable, config_invalid, unreachable (the port).
  static Result<std::unique_ptr<Server>> start(const Options& options, const Clock& clock, Random& random);
  virtual ~Server() = default;
  virtual std::uint16_t port() const = 0;
  virtual std::string credentials_file() const = 0;
};

}  // namespace cc::devkms
