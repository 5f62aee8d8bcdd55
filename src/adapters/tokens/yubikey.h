// A YubiKey's answer to a challenge: HMAC-SHA-1 with the secret of slot 2, over a smart-card interface.
//
// Not thread-safe; blocks until the key answered, which may wait for a touch. Secrets that pass: the answer.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "adapters/tokens/smart_card.h"
#include "adapters/tokens/yubikey_apdu.h"

namespace cc::tokens {

struct YubikeyChoice {
  // Which of several keys; needed only when more than one is plugged in.
  std::optional<std::uint32_t> serial;
};
// Told what the person has to do now, in a sentence.
using TellPerson = std::function<void(const std::string&)>;

// Errors: kNotThere (no reader, no YubiKey, not this one, pulled out), kNotReady (no service, not touched, slot 2 empty
// or of another kind, a key too old), usage (several keys and no serial; their numbers are named).
Result<Secret<kHmacBytes>> answer_challenge(CardReaders& readers, ByteView challenge, const YubikeyChoice& choice,
                                            const TellPerson& tell);

}  // namespace cc::tokens
