#include "adapters/tokens/yubikey.h"

#include <algorithm>

#include "adapters/tokens/errors.h"

namespace cc::tokens {
namespace {

struct Found {
  std::unique_ptr<SmartCard> card;
  YubikeyStatus status;
  std::optional<std::uint32_t> serial;
};

// A command whose answer may come in parts: 61xx says how much is left (ISO 7816-4, T=0).
Result<SecretBytes> ask(SmartCard& card, ByteView command) {
  constexpr int kMostParts = 4;
  CC_ASSIGN(SecretBytes answer, card.transmit(command));
  for (int part = 0; part < kMostParts; ++part) {
    CC_ASSIGN(const CardAnswer read, read_answer(answer));
    if (read.status >> 8U != 0x61 || !read.data.empty()) {
      break;
    }
    const Bytes rest{0x00, 0xC0, 0x00, 0x00, static_cast<std::uint8_t>(read.status)};
    CC_ASSIGN(answer, card.transmit(rest));
  }
  return answer;
}

Result<std::optional<Found>> look_at(std::unique_ptr<SmartCard> card) {
  CC_ASSIGN(const SecretBytes chosen, ask(*card, select_otp_command()));
  CC_ASSIGN(const CardAnswer answer, read_answer(chosen));
  CC_ASSIGN(const std::optional<YubikeyStatus> status, read_status(answer));
  if (!status) {
    return std::optional<Found>();
  }
  CC_ASSIGN(const SecretBytes number, ask(*card, serial_command()));
  CC_ASSIGN(const CardAnswer numbered, read_answer(number));
  return std::optional(Found{std::move(card), *status, read_serial(numbered)});
}

// Every YubiKey that can be opened. When none can, the first thing that went wrong.
Result<std::vector<Found>> find_all(CardReaders& readers) {
  CC_ASSIGN(const std::vector<std::string> names, readers.names());
  if (names.empty()) {
    return fail(
        kNotThere,
        "no smart-card reader and no YubiKey is plugged in; plug the YubiKey in (its CCID interface must be on: "
        "`ykman config usb --list`)");
  }
  std::vector<Found> out;
  std::optional<Error> trouble;
  for (const std::string& name : names) {
    auto card = readers.open(name);
    if (card && !*card) {
      continue;
    }
    auto found = card ? look_at(*std::move(card)) : fail(card.error());
    if (!found) {
      trouble = trouble ? trouble : found.error();
    } else if (*found) {
      out.push_back(**std::move(found));
    }
  }
  return out.empty() && trouble ? Result<std::vector<Found>>(fail(*trouble)) : std::move(out);
}

std::string numbers_of(const std::vector<Found>& found) {
  std::string out;
  for (const Found& one : found) {
    out += (out.empty() ? "" : ", ") +
           (one.serial ? std::to_string(*one.serial) : std::string("one that hides its number"));
  }
  return out;
}

Result<Found> choose(std::vector<Found> found, const YubikeyChoice& choice) {
  if (found.empty()) {
    return fail(
        kNotThere,
        "no YubiKey is plugged in (other cards and readers are there); plug it in, or switch its OTP application on");
  }
  if (choice.serial) {
    const auto one = std::ranges::find(found, choice.serial, &Found::serial);
    if (one == found.end()) {
      return fail(kNotThere, "the YubiKey with the number " + std::to_string(*choice.serial) +
                                 " is not plugged in; here: " + numbers_of(found));
    }
    return std::move(*one);
  }
  if (found.size() > 1) {
    return fail(ErrorKind::usage, "several YubiKeys are plugged in: " + numbers_of(found) +
                                      "; leave one, or name it with --yubikey-serial");
  }
  return std::move(found.front());
}

}  // namespace

Result<Secret<kHmacBytes>> answer_challenge(CardReaders& readers, ByteView challenge, const YubikeyChoice& choice,
                                            const TellPerson& tell) {
  CC_ASSIGN(std::vector<Found> all, find_all(readers));
  CC_ASSIGN(const Found key, choose(std::move(all), choice));
  if (!key.status.slot2_set) {
    return fail(
        kNotReady,
        "slot 2 of the YubiKey is empty; program it first: ykman otp chalresp --generate 2 (add --touch if a touch "
        "shall be needed)");
  }
  if (key.status.slot2_touch) {
    tell("Touch your YubiKey now: it blinks.");
  }
  CC_ASSIGN(const SecretBytes answered, ask(*key.card, hmac_slot2_command(challenge)));
  CC_ASSIGN(const CardAnswer answer, read_answer(answered));
  return read_hmac(answer, key.status.slot2_touch);
}

}  // namespace cc::tokens
