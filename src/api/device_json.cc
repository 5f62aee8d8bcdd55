#include "api/device_json.h"

#include <boost/json/array.hpp>

namespace cc::api {
namespace json = boost::json;
namespace {

constexpr std::size_t kMostChallenges = 64;

int nibble(std::uint8_t c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

Result<void> hex_field(const JsonObject& object, std::string_view field, std::span<std::uint8_t> out) {
  CC_ASSIGN(const std::string text, object.text(field));
  return from_hex_exact(text, out);
}

Result<seal::DeviceChallenge> yubikey(const JsonObject& body, std::string_view field) {
  seal::YubikeyChallenge out;
  CC_ASSIGN(const JsonObject object, body.object(field, {"challenge"}));
  CC_TRY(hex_field(object, "challenge", out.challenge));
  return out;
}

Result<seal::DeviceChallenge> fido2(const JsonObject& body, std::string_view field) {
  seal::Fido2Challenge out;
  CC_ASSIGN(const JsonObject object, body.object(field, {"rp_id", "credential", "salt", "verification"}));
  CC_ASSIGN(out.rp_id, object.text("rp_id"));
  CC_ASSIGN(const std::string credential, object.text("credential"));
  CC_ASSIGN(out.credential, from_hex(credential));
  CC_TRY(hex_field(object, "salt", out.salt));
  CC_ASSIGN(out.verification, object.flag_or("verification", false));
  return out;
}

}  // namespace

json::object device_to_json(const seal::DeviceChallenge& device) {
  if (const auto* one = std::get_if<seal::YubikeyChallenge>(&device)) {
    return {{"challenge", to_hex(one->challenge)}};
  }
  const auto& one = std::get<seal::Fido2Challenge>(device);
  return {{"rp_id", one.rp_id},
          {"credential", to_hex(one.credential)},
          {"salt", to_hex(one.salt)},
          {"verification", one.verification}};
}

Result<seal::DeviceChallenge> device_from_json(const JsonObject& body, std::string_view field, std::string_view kind) {
  if (!seal::is_device_kind(kind)) {
    return fail(ErrorKind::unsupported, "a credential is of kind passphrase, yubikey or fido2");
  }
  CC_ASSIGN(seal::DeviceChallenge device, kind == seal::kYubikeyKind ? yubikey(body, field) : fido2(body, field));
  CC_TRY(seal::check_device(device));
  return device;
}

json::object challenges_to_json(const std::vector<seal::NamedChallenge>& challenges) {
  json::array out;
  for (const seal::NamedChallenge& one : challenges) {
    out.push_back(json::object{{"credential_id", one.credential_id},
                               {"kind", seal::device_kind(one.device)},
                               {"device", device_to_json(one.device)}});
  }
  return {{"challenges", std::move(out)}};
}

Result<std::vector<seal::NamedChallenge>> challenges_from_json(std::string_view text) {
  CC_ASSIGN(const JsonBody body, JsonBody::parse(text, {"challenges"}));
  CC_ASSIGN(const auto items, body->objects("challenges", {"credential_id", "kind", "device"}));
  if (items.size() > kMostChallenges) {
    return fail(ErrorKind::malformed_request, "more challenges than an operator has credentials");
  }
  std::vector<seal::NamedChallenge> out;
  for (const JsonObject& item : items) {
    seal::NamedChallenge one;
    CC_ASSIGN(one.credential_id, item.text("credential_id"));
    CC_ASSIGN(const std::string kind, item.text("kind"));
    CC_ASSIGN(one.device, device_from_json(item, "device", kind));
    out.push_back(std::move(one));
  }
  return out;
}

Result<SecretBytes> answer_from_hex(const SecretBytes& hex) {
  const auto text = expose_secret_bytes(hex);
  SecretBytes out(text.size() / 2);
  const auto bytes = expose_secret_bytes(out);
  bool good = text.size() % 2 == 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const int high = nibble(text[2 * i]);
    const int low = nibble(text[2 * i + 1]);
    good = good && high >= 0 && low >= 0;
    bytes[i] = static_cast<std::uint8_t>(static_cast<unsigned>(high) << 4U | static_cast<unsigned>(low));
  }
  return good ? Result<SecretBytes>(std::move(out))
              : fail(ErrorKind::malformed_request, "the answer of a hardware key is lower-case hexadecimal");
}

SecretBytes answer_to_hex(const SecretBytes& answer) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  const auto bytes = expose_secret_bytes(answer);
  SecretBytes out(bytes.size() * 2);
  const auto text = expose_secret_bytes(out);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    text[2 * i] = static_cast<std::uint8_t>(kDigits[bytes[i] >> 4U]);
    text[2 * i + 1] = static_cast<std::uint8_t>(kDigits[bytes[i] & 15U]);
  }
  return out;
}

}  // namespace cc::api
