// The commands that a YubiKey's OTP application takes over a smart-card interface, and how its answers are read.
// Pure; the answers come from outside and are read as such. As Yubico documents them: INS 01 with the slot command in
// P1.
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"

namespace cc::tokens {

inline constexpr std::size_t kHmacBytes = 20;

Bytes select_otp_command();
Bytes serial_command();
// HMAC-SHA-1 by slot 2. The frame has 64 bytes always: the challenge and a padding byte that differs from its last one,
// which keys take off again (Yubico's own programs pad so). `challenge` has 1 to 63 bytes.
Bytes hmac_slot2_command(ByteView challenge);

// An answer cut into data and status word. Errors: kNotThere for less than a status word.
struct CardAnswer {
  ByteView data;
  std::uint16_t status = 0;
  bool good() const { return status == 0x9000; }
};
Result<CardAnswer> read_answer(const SecretBytes& answer);

// What the key says of itself when its OTP application is chosen.
struct YubikeyStatus {
  std::uint8_t major = 0, minor = 0, patch = 0;
  // Unknown to keys that answer fewer bytes; they are tried then.
  bool slot2_set = true;
  bool slot2_touch = false;
};
// Nothing when the card has no such application: it is no YubiKey. Errors: kNotReady (a YubiKey whose OTP
// application is too old, or answers nonsense).
Result<std::optional<YubikeyStatus>> read_status(const CardAnswer& answer);
// Nothing when the key hides its number.
std::optional<std::uint32_t> read_serial(const CardAnswer& answer);
// Errors: kNotReady naming what to do.
Result<Secret<kHmacBytes>> read_hmac(const CardAnswer& answer, bool touch_needed);

}  // namespace cc::tokens
