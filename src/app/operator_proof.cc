#include "app/operator_proof.h"

#include <unistd.h>

#include <CLI/Option.hpp>
#include <boost/json/serialize.hpp>

#include "adapters/tokens/fido2.h"
#include "adapters/tokens/yubikey.h"
#include "api/device_json.h"
#include "app/terminal.h"
#include "base/random.h"

namespace cc::app {
namespace {

namespace json = boost::json;

// What credentials are made for on a security key. Never looked up; a credential answers to this name only.
constexpr const char* kRelyingParty = "containment-chamber";

Result<tokens::YubikeyChoice> choice_of(const ProofOptions& options) {
  tokens::YubikeyChoice out;
  if (!options.yubikey_serial.empty()) {
    CC_ASSIGN(const std::uint64_t serial, parse_count(options.yubikey_serial, "--yubikey-serial", UINT32_MAX));
    out.serial = static_cast<std::uint32_t>(serial);
  }
  return out;
}

Result<SecretBytes> ask_yubikey(const ProofOptions& options, const seal::YubikeyChallenge& device) {
  CC_ASSIGN(const tokens::YubikeyChoice choice, choice_of(options));
  const auto readers = options.hardware->card_readers();
  CC_ASSIGN(const auto answer, tokens::answer_challenge(*readers, device.challenge, choice, &advise));
  return api::answer_to_hex(SecretBytes::copy_of(expose_secret_bytes(answer)));
}

// The PIN is read once, whatever the number of signers and keys.
tokens::Fido2Person person_of(const ProofOptions& options, SecretBytes& pin) {
  const auto ask = [&options, &pin]() -> Result<SecretBytes> {
    if (pin.empty()) {
      CC_ASSIGN(pin, options.passphrase_stdin ? read_secret_line(STDIN_FILENO, "the PIN of the security key on stdin")
                                              : prompt_secret("PIN of the security key"));
    }
    return pin.clone();
  };
  return {ask, &advise};
}

std::string_view wanted_kind(const ProofOptions& options) {
  return options.yubikey ? seal::kYubikeyKind : seal::kFido2Kind;
}

std::string name_of_kind(std::string_view kind) { return kind == seal::kYubikeyKind ? "YubiKey" : "security key"; }

Error wrong_key(std::string_view kind, const std::string& operator_name) {
  return {ErrorKind::wrong_passphrase,
          "wrong key: what this " + name_of_kind(kind) + " answers opens no credential of " + operator_name +
              "; it is another key, or it was set up anew (the signer says: wrong passphrase)"};
}

// The signer's challenges for this operator, of the kind that is wanted and of the credential that was named.
Result<std::vector<seal::NamedChallenge>> challenges_at(const SignerClient& signer, const ProofOptions& options,
                                                        const std::string& operator_name) {
  const std::string body = SecretJson().add("operator", operator_name).finish();
  CC_ASSIGN(const json::value reply, signer.call("POST", "/api/v1/chamber/unseal/challenge", {}, body));
  CC_ASSIGN(std::vector<seal::NamedChallenge> all, api::challenges_from_json(json::serialize(reply)));
  const std::string_view kind = wanted_kind(options);
  std::erase_if(all, [&](const seal::NamedChallenge& one) {
    return seal::device_kind(one.device) != kind ||
           (!options.credential_id.empty() && one.credential_id != options.credential_id);
  });
  if (all.empty()) {
    return fail(ErrorKind::unknown_credential,
                operator_name + " has no " + name_of_kind(kind) + " credential " + options.credential_id +
                    (options.credential_id.empty() ? "" : " ") + "at " + signer.url() +
                    "; see `operator credentials list`, and add one with `operator credentials add`");
  }
  return all;
}

struct FlagNames {
  std::string prefix;
  std::string yubikey_help, fido2_help;
};
void add_device_flags(CLI::App& command, ProofOptions& options, const FlagNames& names) {
  const std::string yubikey_flag = "--" + names.prefix + "yubikey";
  const std::string fido2_flag = "--" + names.prefix + "fido2";
  CLI::Option* yubikey = command.add_flag(yubikey_flag, options.yubikey, names.yubikey_help);
  command.add_option(yubikey_flag + "-serial", options.yubikey_serial, "Which of several YubiKeys, by its number")
      ->needs(yubikey);
  CLI::Option* fido2 = command.add_flag(fido2_flag, options.fido2, names.fido2_help)->excludes(yubikey);
  command.add_option(fido2_flag + "-device", options.fido2_device, "Which of several security keys, by its path")
      ->needs(fido2);
}

}  // namespace

void add_proof_options(CLI::App& command, ProofOptions& options, const Chosen& chosen, const std::string& stdin_help) {
  options.hardware = chosen.hardware;
  command.add_flag("--passphrase-stdin", options.passphrase_stdin, stdin_help);
  add_device_flags(command, options,
                   {"", "With a YubiKey: HMAC-SHA1 challenge-response of its slot 2",
                    "With a FIDO2 security key that knows hmac-secret; its PIN is asked for where it has one"});
}

void add_existing_options(CLI::App& command, ProofOptions& options, const Chosen& chosen) {
  options.hardware = chosen.hardware;
  add_device_flags(command, options,
                   {"existing-", "The existing credential is one of a YubiKey",
                    "The existing credential is one of a FIDO2 security key"});
}

void add_which_credential_option(CLI::App& command, ProofOptions& options) {
  command.add_option("--credential-id", options.credential_id,
                     "Which of your hardware credentials; without it each one is tried");
}

void add_proof(SecretJson& json, const Proof& proof) {
  if (proof.kind == seal::kPassphraseKind) {
    json.add_secret("passphrase", proof.text);
    return;
  }
  json.add("kind", proof.kind).add_secret("secret", proof.text);
  if (proof.device) {
    json.add_json("device", json::serialize(api::device_to_json(*proof.device)));
  }
}

void add_proof_of(SecretJson& json, const std::string& which, const Proof& proof) {
  json.add_secret(which + "_passphrase", proof.text);
  if (proof.kind != seal::kPassphraseKind) {
    json.add(which + "_kind", proof.kind);
  }
  if (proof.device) {
    json.add_json(which + "_device", json::serialize(api::device_to_json(*proof.device)));
  }
}

Result<OperatorProof> OperatorProof::prepare(const ProofOptions& options, std::string operator_name,
                                             const std::string& question, const std::string& stdin_line) {
  CC_TRY(choice_of(options));
  OperatorProof out(options, std::move(operator_name));
  if (!options.by_device()) {
    CC_ASSIGN(out.passphrase_,
              options.passphrase_stdin ? read_secret_line(STDIN_FILENO, stdin_line) : prompt_secret(question));
  }
  return out;
}

const SecretBytes* OperatorProof::known_answer(const seal::DeviceChallenge& device) const {
  const auto found = answered_.find(seal::encode_device(device));
  return found == answered_.end() ? nullptr : &found->second;
}

const SecretBytes& OperatorProof::keep_answer(const seal::DeviceChallenge& device, SecretBytes answer) {
  return answered_.emplace(seal::encode_device(device), std::move(answer)).first->second;
}

Result<json::value> OperatorProof::by_yubikey(const std::vector<seal::NamedChallenge>& challenges, const Send& send) {
  for (const seal::NamedChallenge& one : challenges) {
    const SecretBytes* answer = known_answer(one.device);
    if (answer == nullptr) {
      CC_ASSIGN(SecretBytes fresh, ask_yubikey(options_, std::get<seal::YubikeyChallenge>(one.device)));
      answer = &keep_answer(one.device, std::move(fresh));
    }
    auto reply = send(Proof{seal::kYubikeyKind, answer->clone(), std::nullopt});
    if (reply || reply.error().kind != ErrorKind::wrong_passphrase) {
      return reply;
    }
  }
  return fail(wrong_key(seal::kYubikeyKind, operator_name_));
}

Result<json::value> OperatorProof::by_fido2(const std::vector<seal::NamedChallenge>& challenges, const Send& send) {
  const SecretBytes* answer = nullptr;
  std::vector<tokens::Fido2Request> requests;
  for (const seal::NamedChallenge& one : challenges) {
    const SecretBytes* known = known_answer(one.device);
    answer = answer == nullptr ? known : answer;
    const auto& device = std::get<seal::Fido2Challenge>(one.device);
    requests.push_back({device.rp_id, device.credential, device.salt, device.verification});
  }
  if (answer == nullptr) {
    SystemRandom random;
    const auto devices = options_.hardware->fido2_devices();
    CC_ASSIGN(const auto given,
              tokens::answer_fido2(*devices, options_.fido2_device, requests, random, person_of(options_, pin_)));
    answer = &keep_answer(challenges[given.request].device,
                          api::answer_to_hex(SecretBytes::copy_of(expose_secret_bytes(given.secret))));
  }
  auto reply = send(Proof{seal::kFido2Kind, answer->clone(), std::nullopt});
  if (!reply && reply.error().kind == ErrorKind::wrong_passphrase) {
    return fail(wrong_key(seal::kFido2Kind, operator_name_));
  }
  return reply;
}

Result<json::value> OperatorProof::at(const SignerClient& signer, const Send& send) {
  if (!options_.by_device()) {
    return send(Proof{seal::kPassphraseKind, passphrase_.clone(), std::nullopt});
  }
  CC_ASSIGN(const auto challenges, challenges_at(signer, options_, operator_name_));
  return options_.yubikey ? by_yubikey(challenges, send) : by_fido2(challenges, send);
}

Result<Proof> new_proof(const ProofOptions& options, const std::string& operator_name, const std::string& question,
                        const std::string& stdin_line) {
  SystemRandom random;
  if (options.yubikey) {
    const seal::YubikeyChallenge device{random.array<seal::kChallengeBytes>()};
    CC_ASSIGN(SecretBytes answer, ask_yubikey(options, device));
    return Proof{seal::kYubikeyKind, std::move(answer), device};
  }
  if (options.fido2) {
    SecretBytes pin;
    const auto devices = options.hardware->fido2_devices();
    CC_ASSIGN(auto made, tokens::enrol_fido2(*devices, options.fido2_device, kRelyingParty, operator_name, random,
                                             person_of(options, pin)));
    seal::Fido2Challenge device{std::move(made.request.rp_id), std::move(made.request.credential), made.request.salt,
                                made.request.verification};
    return Proof{seal::kFido2Kind, api::answer_to_hex(SecretBytes::copy_of(expose_secret_bytes(made.secret))),
                 std::move(device)};
  }
  CC_ASSIGN(SecretBytes passphrase,
            options.passphrase_stdin ? read_secret_line(STDIN_FILENO, stdin_line) : prompt_new_secret(question));
  return Proof{seal::kPassphraseKind, std::move(passphrase), std::nullopt};
}

}  // namespace cc::app
