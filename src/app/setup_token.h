// Hands the setup token to whoever runs the machine: in the log, or in a file of mode 0600.
#pragma once

#include <mutex>
#include <string>

#include "seal/chamber.h"

namespace cc::app {

// Thread-safe.
class SetupTokenNotice {
 public:
  // `file` empty: the log.
  SetupTokenNotice(const seal::Chamber& chamber, std::string file) : chamber_(chamber), file_(std::move(file)) {}
  // Gives a token that was not given yet; takes the file away once the token is void. Returns after the flush.
  Result<void> settle();

 private:
  const seal::Chamber& chamber_;
  const std::string file_;
  std::mutex mutex_;
  std::string given_digest_;  // of the token last given, so that it is not kept itself
};

}  // namespace cc::app
