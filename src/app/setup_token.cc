#include "app/setup_token.h"

#include <unistd.h>

#include "adapters/files/new_files.h"
#include "base/bytes.h"
#include "base/log.h"
#include "crypto/hash.h"

namespace cc::app {

Result<void> SetupTokenNotice::settle() {
  const std::lock_guard lock(mutex_);
  auto token = chamber_.setup_token();
  if (!token) {
    if (!given_digest_.empty() && !file_.empty()) {
      ::unlink(file_.c_str());
    }
    given_digest_.clear();
    return {};
  }
  const std::string digest = to_hex(crypto::sha256(bytes_of(*token)));
  Result<void> given;
  if (digest != given_digest_ && file_.empty()) {
    log::always("Setup token generated (save securely, one-time use)", {{"setup_token", *token}});
  } else if (digest != given_digest_) {
    given = files::write_private_line(file_, SecretBytes::copy_of(std::string_view(*token)));
    if (given) {
      log::always("Setup token generated and written (one-time use)", {{"path", file_}});
    }
  }
  wipe(*token);
  if (given) {
    given_digest_ = digest;
  }
  return given;
}

}  // namespace cc::app
