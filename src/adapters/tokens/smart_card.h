// Smart cards as a port: readers by name, a card in one of them, one command at a time. pcsc.h is the real one.
// Not thread-safe. Secrets that pass: what a card answers may be one.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"

namespace cc::tokens {

inline constexpr std::size_t kMaxCardAnswer = 258;  // of a short command: 256 bytes and the status word

class SmartCard {
 public:
  virtual ~SmartCard() = default;
  // The answer with its status word, at most kMaxCardAnswer bytes. Errors: kNotThere (pulled out meanwhile).
  virtual Result<SecretBytes> transmit(ByteView command) = 0;
};

class CardReaders {
 public:
  virtual ~CardReaders() = default;
  // Errors: kNotReady when the system's smart-card service does not run. No reader is an empty list.
  virtual Result<std::vector<std::string>> names() = 0;
  // Null when no card is in the reader. Errors: kNotReady (another program holds the card).
  virtual Result<std::unique_ptr<SmartCard>> open(const std::string& reader) = 0;
};

}  // namespace cc::tokens
