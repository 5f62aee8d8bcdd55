#include "adapters/tokens/yubikey_apdu.h"

#include <array>

#include "adapters/tokens/errors.h"

namespace cc::tokens {
namespace {

constexpr std::array<std::uint8_t, 7> kOtpApplication{0xA0, 0x00, 0x00, 0x05, 0x27, 0x20, 0x01};
constexpr std::uint8_t kSlotCommand = 0x01;
constexpr std::uint8_t kSerial = 0x10;
constexpr std::uint8_t kHmacSlot2 = 0x38;
constexpr std::size_t kFrameBytes = 64;

// Bits of the touch level, the low byte at place 4 of the status.
constexpr std::size_t kTouchLevelAt = 4;
constexpr unsigned kSlot2Set = 0x02;
constexpr unsigned kSlot2Touch = 0x08;

constexpr const char* kHowToSet =
    "program it (`ykman otp chalresp --generate 2`, with --touch if a touch shall be needed)";

std::string hex_word(std::uint16_t word) {
  const std::array<std::uint8_t, 2> bytes{static_cast<std::uint8_t>(word >> 8U), static_cast<std::uint8_t>(word)};
  return to_hex(bytes);
}

}  // namespace

Bytes select_otp_command() {
  Bytes out{0x00, 0xA4, 0x04, 0x00, static_cast<std::uint8_t>(kOtpApplication.size())};
  append(out, kOtpApplication);
  return out;
}

Bytes serial_command() { return {0x00, kSlotCommand, kSerial, 0x00, 0x00}; }

Bytes hmac_slot2_command(ByteView challenge) {
  Bytes out{0x00, kSlotCommand, kHmacSlot2, 0x00, static_cast<std::uint8_t>(kFrameBytes)};
  const std::uint8_t padding = !challenge.empty() && challenge.back() == 0 ? 1 : 0;
  append(out, challenge.first(std::min(challenge.size(), kFrameBytes - 1)));
  out.resize(5 + kFrameBytes, padding);
  return out;
}

Result<CardAnswer> read_answer(const SecretBytes& answer) {
  const ByteView bytes = expose_secret_bytes(answer);
  if (bytes.size() < 2) {
    return fail(kNotThere, kPulledOut);
  }
  const auto word = bytes.last(2);
  return CardAnswer{bytes.first(bytes.size() - 2), static_cast<std::uint16_t>(word[0] << 8U | word[1])};
}

Result<std::optional<YubikeyStatus>> read_status(const CardAnswer& answer) {
  if (!answer.good()) {
    return std::optional<YubikeyStatus>();
  }
  if (answer.data.size() < 3) {
    return fail(kNotReady, "the YubiKey does not say its version; it cannot be used");
  }
  YubikeyStatus out{answer.data[0], answer.data[1], answer.data[2]};
  if (out.major < 2 || (out.major == 2 && out.minor < 2)) {
    return fail(kNotReady, "this YubiKey is too old: HMAC-SHA1 challenge-response came with version 2.2");
  }
  if (answer.data.size() > kTouchLevelAt) {
    out.slot2_set = (answer.data[kTouchLevelAt] & kSlot2Set) != 0;
    out.slot2_touch = (answer.data[kTouchLevelAt] & kSlot2Touch) != 0;
  }
  return std::optional(out);
}

std::optional<std::uint32_t> read_serial(const CardAnswer& answer) {
  if (!answer.good() || answer.data.size() != 4) {
    return std::nullopt;
  }
  std::uint32_t out = 0;
  for (const std::uint8_t byte : answer.data) {
    out = out << 8U | byte;
  }
  return out;
}

Result<Secret<kHmacBytes>> read_hmac(const CardAnswer& answer, bool touch_needed) {
  if (answer.good() && answer.data.size() == kHmacBytes) {
    return Secret<kHmacBytes>::copy_of(answer.data.first<kHmacBytes>());
  }
  // 6985 conditions not satisfied, 6982 security status, 6F00 without a diagnosis: what keys say when nobody touched.
  const bool denied = answer.status == 0x6985 || answer.status == 0x6982 || answer.status == 0x6F00;
  if (touch_needed && (denied || answer.good())) {
    return fail(kNotReady, "the YubiKey was not touched in time; try again and touch it when it blinks");
  }
  if (answer.good() || denied || answer.status == 0x6A83) {
    return fail(kNotReady,
                std::string("slot 2 of the YubiKey is not set up for HMAC-SHA1 challenge-response; ") + kHowToSet);
  }
  return fail(kNotReady, "the YubiKey refuses the challenge (status " + hex_word(answer.status) +
                             "); it may be switched off for this interface: see `ykman config usb --list`");
}

}  // namespace cc::tokens
