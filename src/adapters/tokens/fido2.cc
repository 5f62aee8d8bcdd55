#include "adapters/tokens/fido2.h"

#include <fido.h>
#include <fido/es256.h>

#include <algorithm>
#include <string_view>

#include "adapters/tokens/errors.h"

namespace cc::tokens {
namespace {

struct FreeAssertion {
  void operator()(fido_assert_t* one) const { ::fido_assert_free(&one); }
};
struct FreeCredential {
  void operator()(fido_cred_t* one) const { ::fido_cred_free(&one); }
};
struct FreeInfo {
  void operator()(fido_cbor_info_t* one) const { ::fido_cbor_info_free(&one); }
};
using Assertion = std::unique_ptr<fido_assert_t, FreeAssertion>;
using Credential = std::unique_ptr<fido_cred_t, FreeCredential>;
using Info = std::unique_ptr<fido_cbor_info_t, FreeInfo>;

// Codes of a chain of calls: the first that failed stays.
class Steps {
 public:
  Steps& then(int code) {
    code_ = code_ == FIDO_OK ? code : code_;
    return *this;
  }
  int code() const { return code_; }

 private:
  int code_ = FIDO_OK;
};

// As libfido2 wants it: ended by a zero byte.
class Pin {
 public:
  Pin() = default;
  explicit Pin(const SecretBytes& text) : ended_(text.size() + 1) {
    std::ranges::copy(expose_secret_bytes(text), expose_secret_bytes(ended_).begin());
  }
  const char* text() const {
    return ended_.empty() ? nullptr : reinterpret_cast<const char*>(expose_secret_bytes(ended_).data());
  }

 private:
  SecretBytes ended_;
};

Result<Pin> pin_of(const Fido2Person& person) {
  CC_ASSIGN(const SecretBytes text, person.ask_pin());
  const auto bytes = expose_secret_bytes(text);
  // CTAP: 4 to 63 bytes.
  if (bytes.size() < 4 || bytes.size() > 63 || std::ranges::find(bytes, 0) != bytes.end()) {
    return fail(ErrorKind::usage, "the PIN of a security key has 4 to 63 bytes");
  }
  return Pin(text);
}

// A wrong PIN says how often it may still be tried.
Error with_tries(fido_dev_t* device, int code, Error error) {
  int left = 0;
  const bool pin = code == FIDO_ERR_PIN_INVALID || code == FIDO_ERR_PIN_AUTH_INVALID;
  if (pin && ::fido_dev_get_retry_count(device, &left) == FIDO_OK) {
    error.message += "; tries left before it is blocked: " + std::to_string(left);
  }
  return error;
}

Result<bool> has_hmac_secret(fido_dev_t* device) {
  const Info info(::fido_cbor_info_new());
  if (info == nullptr) {
    return fail(ErrorKind::internal, "there is no memory for a security key");
  }
  if (const int code = ::fido_dev_get_cbor_info(device, info.get()); code != FIDO_OK) {
    return fail(fido2_error(code, "the security key does not say what it can do"));
  }
  char** const names = ::fido_cbor_info_extensions_ptr(info.get());
  const std::size_t count = ::fido_cbor_info_extensions_len(info.get());
  for (std::size_t i = 0; i < count; ++i) {
    if (std::string_view(names[i]) == "hmac-secret") {
      return true;
    }
  }
  return false;
}

struct Plugged {
  Fido2Devices::Found found;
  Fido2Device device;
};

Result<std::vector<Plugged>> plugged_in(Fido2Devices& devices, const std::string& wanted) {
  CC_ASSIGN(const auto found, devices.list());
  if (found.empty()) {
    return fail(
        kNotThere,
        "no security key is plugged in, or this user may not see it (Debian's package libfido2-1 brings the rules)");
  }
  std::vector<Plugged> out;
  std::optional<Error> trouble;
  std::string names;
  for (const auto& one : found) {
    names += (names.empty() ? "" : ", ") + one.name + " at " + one.path;
    if (!wanted.empty() && one.path != wanted) {
      continue;
    }
    auto device = devices.open(one.path);
    if (!device) {
      trouble = trouble ? trouble : device.error();
    } else if (::fido_dev_is_fido2(device->get())) {
      out.push_back({one, *std::move(device)});
    }
  }
  if (!out.empty()) {
    return out;
  }
  if (trouble) {
    return fail(*trouble);
  }
  return fail(kNotThere, wanted.empty() ? "what is plugged in speaks U2F only; a FIDO2 key is needed: " + names
                                        : "no security key is at " + wanted + "; here: " + names);
}

Result<Assertion> assertion_for(const Fido2Request& request, Random& random, bool silent) {
  Assertion out(::fido_assert_new());
  if (out == nullptr) {
    return fail(ErrorKind::internal, "there is no memory for a security key");
  }
  const auto hash = random.array<32>();  // what is signed is of no use here, and of none to others
  Steps steps;
  steps.then(::fido_assert_set_clientdata_hash(out.get(), hash.data(), hash.size()))
      .then(::fido_assert_set_rp(out.get(), request.rp_id.c_str()))
      .then(::fido_assert_allow_cred(out.get(), request.credential.data(), request.credential.size()));
  if (silent) {
    steps.then(::fido_assert_set_up(out.get(), FIDO_OPT_FALSE));
  } else {
    steps.then(::fido_assert_set_extensions(out.get(), FIDO_EXT_HMAC_SECRET))
        .then(::fido_assert_set_hmac_salt(out.get(), request.salt.data(), request.salt.size()));
  }
  return steps.code() == FIDO_OK ? Result<Assertion>(std::move(out))
                                 : fail(fido2_error(steps.code(), "the question to the security key is not possible"));
}

// Whether this key holds the credential; keys that do not say so without a touch are taken to.
Result<bool> may_hold(fido_dev_t* device, const Fido2Request& request, Random& random) {
  CC_ASSIGN(const Assertion assertion, assertion_for(request, random, true));
  const int code = ::fido_dev_get_assert(device, assertion.get(), nullptr);
  if (code == FIDO_ERR_TX || code == FIDO_ERR_RX) {
    return fail(fido2_error(code, ""));
  }
  return code != FIDO_ERR_NO_CREDENTIALS && code != FIDO_ERR_INVALID_CREDENTIAL;
}

Result<Secret<kHmacSecretBytes>> ask(fido_dev_t* device, const Fido2Request& request, const Pin& pin, Random& random,
                                     const Fido2Person& person) {
  CC_ASSIGN(const Assertion assertion, assertion_for(request, random, false));
  person.tell("Touch your security key now: it blinks.");
  if (const int code = ::fido_dev_get_assert(device, assertion.get(), pin.text()); code != FIDO_OK) {
    return fail(with_tries(device, code, fido2_error(code, "the security key does not answer")));
  }
  const std::uint8_t* secret = ::fido_assert_hmac_secret_ptr(assertion.get(), 0);
  if (secret == nullptr || ::fido_assert_hmac_secret_len(assertion.get(), 0) != kHmacSecretBytes) {
    return fail(kNotReady, "the security key gives no hmac-secret for this credential");
  }
  return Secret<kHmacSecretBytes>::copy_of(std::span<const std::uint8_t, kHmacSecretBytes>(secret, kHmacSecretBytes));
}

Result<Credential> new_credential(const std::string& rp_id, const std::string& user, Random& random) {
  Credential out(::fido_cred_new());
  if (out == nullptr) {
    return fail(ErrorKind::internal, "there is no memory for a security key");
  }
  const auto hash = random.array<32>();
  const auto user_id = random.array<32>();
  Steps steps;
  steps.then(::fido_cred_set_type(out.get(), COSE_ES256))
      .then(::fido_cred_set_clientdata_hash(out.get(), hash.data(), hash.size()))
      .then(::fido_cred_set_rp(out.get(), rp_id.c_str(), "Containment Chamber"))
      .then(::fido_cred_set_user(out.get(), user_id.data(), user_id.size(), user.c_str(), nullptr, nullptr))
      .then(::fido_cred_set_extensions(out.get(), FIDO_EXT_HMAC_SECRET));
  return steps.code() == FIDO_OK ? Result<Credential>(std::move(out))
                                 : fail(fido2_error(steps.code(), "the question to the security key is not possible"));
}

}  // namespace

Result<Fido2Enrolled> enrol_fido2(Fido2Devices& devices, const std::string& device, const std::string& rp_id,
                                  const std::string& user, Random& random, const Fido2Person& person) {
  CC_ASSIGN(const std::vector<Plugged> all, plugged_in(devices, device));
  if (all.size() > 1) {
    std::string names;
    for (const Plugged& one : all) {
      names += (names.empty() ? "" : ", ") + one.found.name + " at " + one.found.path;
    }
    return fail(ErrorKind::usage,
                "several security keys are plugged in: " + names + "; leave one, or name it with --fido2-device");
  }
  fido_dev_t* const key = all.front().device.get();
  CC_ASSIGN(const bool able, has_hmac_secret(key));
  if (!able) {
    return fail(kNotReady, "this security key does not know hmac-secret; another one is needed");
  }
  Fido2Enrolled out;
  out.request = {rp_id, {}, random.array<32>(), ::fido_dev_has_pin(key)};
  Pin pin;
  if (out.request.verification) {
    CC_ASSIGN(pin, pin_of(person));
  }
  CC_ASSIGN(const Credential credential, new_credential(rp_id, user, random));
  person.tell("Touch your security key now, to make a credential; it wants a second touch afterwards.");
  if (const int code = ::fido_dev_make_cred(key, credential.get(), pin.text()); code != FIDO_OK) {
    return fail(with_tries(key, code, fido2_error(code, "the security key makes no credential")));
  }
  const std::uint8_t* id = ::fido_cred_id_ptr(credential.get());
  if (id == nullptr) {
    return fail(kNotReady, "the security key gave no credential");
  }
  out.request.credential.assign(id, id + ::fido_cred_id_len(credential.get()));
  CC_ASSIGN(out.secret, ask(key, out.request, pin, random, person));
  return out;
}

Result<Fido2Answer> answer_fido2(Fido2Devices& devices, const std::string& device,
                                 const std::vector<Fido2Request>& requests, Random& random, const Fido2Person& person) {
  CC_ASSIGN(const std::vector<Plugged> all, plugged_in(devices, device));
  for (const Plugged& one : all) {
    for (std::size_t i = 0; i < requests.size(); ++i) {
      CC_ASSIGN(const bool here, may_hold(one.device.get(), requests[i], random));
      if (!here) {
        continue;
      }
      Pin pin;
      if (requests[i].verification) {
        CC_ASSIGN(pin, pin_of(person));
      }
      CC_ASSIGN(Secret<kHmacSecretBytes> secret, ask(one.device.get(), requests[i], pin, random, person));
      return Fido2Answer{i, std::move(secret)};
    }
  }
  return fail(kWrongKey,
              "wrong key: no security key here holds one of these credentials; it is another key, or it was reset");
}

}  // namespace cc::tokens
