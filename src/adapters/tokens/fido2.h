// A FIDO2 security key as a secret: the hmac-secret extension (CTAP 2.0 section 9.1, CTAP 2.1 section 12.5) gives, for
// a credential made on this key and a salt, always the same 32 bytes, and no other key gives them.
//
// Blocks until the key answered, which waits for a touch. Not thread-safe. Secrets that pass: PINs and answers.
// libfido2 takes the PIN from locked memory, and keeps copies of both on the ordinary heap while it works.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "adapters/tokens/fido2_devices.h"
#include "base/bytes.h"
#include "base/random.h"
#include "base/secret.h"

namespace cc::tokens {

inline constexpr std::size_t kHmacSecretBytes = 32;

struct Fido2Request {
  std::string rp_id;
  Bytes credential;
  std::array<std::uint8_t, 32> salt{};
  bool verification = false;  // made with the PIN: it is asked for again
};
struct Fido2Answer {
  std::size_t request = 0;  // which one of those given
  Secret<kHmacSecretBytes> secret;
};

// Who stands before the key.
struct Fido2Person {
  std::function<Result<SecretBytes>()> ask_pin;
  std::function<void(const std::string&)> tell;  // a sentence: what to do now
};

// Makes a credential, with the PIN when the key has one, and asks it once: two touches. `device` names one of several
// keys by its path; empty: the only one. Errors: kNotThere (none plugged in, pulled out), kNotReady (not touched,
// refused, no hmac-secret, PIN blocked), kWrongKey (a wrong PIN), usage (several keys).
struct Fido2Enrolled {
  Fido2Request request;
  Secret<kHmacSecretBytes> secret;
};
Result<Fido2Enrolled> enrol_fido2(Fido2Devices& devices, const std::string& device, const std::string& rp_id,
                                  const std::string& user, Random& random, const Fido2Person& person);

// Finds the key that holds one of these credentials, without a touch, and asks it. Errors: as above; kWrongKey when no
// key here holds any of them.
Result<Fido2Answer> answer_fido2(Fido2Devices& devices, const std::string& device,
                                 const std::vector<Fido2Request>& requests, Random& random, const Fido2Person& person);

}  // namespace cc::tokens
