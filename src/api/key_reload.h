// Reading the key files anew, as the endpoints see it. Implemented by the composition root over keys/file_keys.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"

namespace cc::api {

enum class ReloadState { idle, running, completed, completed_with_errors, failed };

struct ReloadStatus {
  ReloadState state = ReloadState::idle;
  std::optional<std::uint64_t> ended_at;  // of the last one, Unix seconds
  std::string last_error;                 // empty when the last one had none
};

// Thread-safe; nothing here blocks.
class KeyReload {
 public:
  virtual ~KeyReload() = default;
  // Begins one in the background. Errors: reload_running, signer_sealed.
  virtual Result<void> begin() = 0;
  virtual ReloadStatus status() const = 0;
  // Whether the files are being opened for the first time since the signer opened.
  virtual bool loading() const = 0;
};

}  // namespace cc::api
