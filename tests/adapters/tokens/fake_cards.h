// Readers and cards made of software: a YubiKey's OTP application, and everything that can be wrong with one.
#pragma once

#include <openssl/hmac.h>

#include <deque>
#include <map>
#include <memory>
#include <string>

#include "adapters/tokens/errors.h"
#include "adapters/tokens/smart_card.h"

namespace cc::tokens::test {

struct FakeKey {
  Bytes secret = Bytes(20, 0x0b);
  Bytes status{5, 4, 3, 1, 0x02, 0};  // version, sequence, touch level: slot 2 is set
  Bytes serial{0, 0, 0x30, 0x39};     // 12345
  std::uint16_t hmac_word = 0x9000;
  std::uint16_t select_word = 0x9000;
  bool in_parts = false;                       // answers 61xx first
  std::optional<std::size_t> removed_after{};  // commands; then it is gone
  std::optional<Error> cannot_open{};
  Bytes challenge{};  // the last one
};

class FakeCard final : public SmartCard {
 public:
  explicit FakeCard(FakeKey& key) : key_(key) {}
  Result<SecretBytes> transmit(ByteView command) override {
    if (key_.removed_after && taken_++ >= *key_.removed_after) {
      return fail(kNotThere, "the hardware key was pulled out");
    }
    if (command[1] == 0xC0) {
      return answer(waiting_, 0x9000);
    }
    if (command[1] == 0xA4) {
      return key_.select_word == 0x9000 ? send(key_.status) : answer({}, key_.select_word);
    }
    if (command[2] == 0x10) {
      return key_.serial.empty() ? answer({}, 0x6985) : send(key_.serial);
    }
    if (command[2] != 0x38 || command.size() != 69 || command[4] != 64) {
      return answer({}, 0x6A86);
    }
    return key_.hmac_word == 0x9000 ? send(hmac(command.subspan(5))) : answer({}, key_.hmac_word);
  }

 private:
  Bytes hmac(ByteView frame) {
    std::size_t size = frame.size();
    while (size > 0 && frame[size - 1] == frame.back()) {
      --size;
    }
    key_.challenge.assign(frame.begin(), frame.begin() + static_cast<std::ptrdiff_t>(size));
    Bytes out(20);
    ::HMAC(::EVP_sha1(), key_.secret.data(), static_cast<int>(key_.secret.size()), key_.challenge.data(), size,
           out.data(), nullptr);
    return out;
  }
  Result<SecretBytes> send(const Bytes& data) {
    if (key_.in_parts) {
      waiting_ = data;
      return answer({}, static_cast<std::uint16_t>(0x6100 + data.size()));
    }
    return answer(data, 0x9000);
  }
  static Result<SecretBytes> answer(Bytes data, std::uint16_t word) {
    append_u16_be(data, word);
    return SecretBytes::copy_of(data);
  }
  FakeKey& key_;
  std::size_t taken_ = 0;
  Bytes waiting_;
};

class FakeReaders final : public CardReaders {
 public:
  std::map<std::string, FakeKey*> readers;  // null: no card in it
  std::optional<Error> no_service;
  Result<std::vector<std::string>> names() override {
    if (no_service) {
      return fail(*no_service);
    }
    std::vector<std::string> out;
    for (const auto& [name, key] : readers) {
      out.push_back(name);
    }
    return out;
  }
  Result<std::unique_ptr<SmartCard>> open(const std::string& reader) override {
    FakeKey* key = readers.at(reader);
    if (key == nullptr) {
      return std::unique_ptr<SmartCard>();
    }
    if (key->cannot_open) {
      return fail(*key->cannot_open);
    }
    return std::unique_ptr<SmartCard>(std::make_unique<FakeCard>(*key));
  }
};

}  // namespace cc::tokens::test
