// The name of one signer among those that share a signer state: 32 hexadecimal digits in the data directory
// (`signer-id`), drawn once and flushed before they are used. A copy of the directory must not keep it.
#pragma once

#include <optional>
#include <string>

#include "base/random.h"
#include "base/result.h"

namespace cc::app {

struct SignerId {
  std::string text;
  bool fresh = false;  // drawn by this call
};
// Errors: store_unavailable when the file cannot be read or written, or holds something else.
Result<SignerId> signer_id(const std::string& data_dir, Random& random);
// The id drawn before; none is drawn. Errors: as above.
Result<std::optional<std::string>> known_signer_id(const std::string& data_dir);

}  // namespace cc::app
