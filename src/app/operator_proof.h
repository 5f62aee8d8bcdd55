// How an operator at the command line proves a credential, or makes a new one: a passphrase from the terminal or from
// stdin, or the answer of a hardware key.
//
// Secrets that pass: passphrases, answers of hardware keys, PINs; none is ever an argument.
#pragma once

#include <CLI/App.hpp>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "app/command.h"
#include "app/hardware_keys.h"
#include "seal/chamber.h"

namespace cc::app {

struct ProofOptions {
  bool passphrase_stdin = false;
  bool yubikey = false;
  std::string yubikey_serial;
  bool fido2 = false;
  std::string fido2_device;
  std::string credential_id;  // which of the hardware credentials; empty: all of that kind are tried
  const HardwareKeys* hardware = nullptr;

  bool by_device() const { return yubikey || fido2; }
};
// --passphrase-stdin with this help, --yubikey, --fido2, and which key of several.
void add_proof_options(CLI::App& command, ProofOptions& options, const Chosen& chosen, const std::string& stdin_help);
// --existing-yubikey and so on, where the plain flags speak of a new credential.
void add_existing_options(CLI::App& command, ProofOptions& options, const Chosen& chosen);
// And --credential-id, for commands that use a credential without naming it.
void add_which_credential_option(CLI::App& command, ProofOptions& options);

// A credential as the signer takes it.
struct Proof {
  std::string kind;
  SecretBytes text;                             // the passphrase, or the answer in hexadecimal
  std::optional<seal::DeviceChallenge> device;  // of a new hardware credential
};
// `passphrase`, or `kind` and `secret` (and `device`).
void add_proof(SecretJson& json, const Proof& proof);
// The same as credentials are added and removed: `existing_passphrase` and `existing_kind`; `new_…`, `new_device`.
void add_proof_of(SecretJson& json, const std::string& which, const Proof& proof);

class OperatorProof {
 public:
  // Asks for the passphrase at once, so that it is asked for once whatever the number of signers; a hardware key is
  // asked when its challenge is known. `question` stands before the prompt, `stdin_line` names what is read.
  static Result<OperatorProof> prepare(const ProofOptions& options, std::string operator_name,
                                       const std::string& question,
                                       const std::string& stdin_line = "the passphrase on stdin");

  using Send = std::function<Result<boost::json::value>(const Proof&)>;
  // Sends what may open a credential at this signer. A security key says itself which credential is its own; of several
  // YubiKey credentials one after the other is tried, until one opens. Errors: those of `send`; unknown_credential
  // (none of that kind), those of adapters/tokens, usage.
  Result<boost::json::value> at(const SignerClient& signer, const Send& send);

 private:
  OperatorProof(const ProofOptions& options, std::string operator_name)
      : options_(options), operator_name_(std::move(operator_name)) {}
  Result<boost::json::value> by_yubikey(const std::vector<seal::NamedChallenge>& challenges, const Send& send);
  Result<boost::json::value> by_fido2(const std::vector<seal::NamedChallenge>& challenges, const Send& send);
  // What the key answered before, in this call of the program.
  const SecretBytes* known_answer(const seal::DeviceChallenge& device) const;
  const SecretBytes& keep_answer(const seal::DeviceChallenge& device, SecretBytes answer);

  ProofOptions options_;
  std::string operator_name_;
  SecretBytes passphrase_;
  SecretBytes pin_;
  std::map<Bytes, SecretBytes> answered_;  // in hexadecimal, by challenge: nobody touches a key twice for two replicas
};

// A new credential: a passphrase typed twice, or a hardware key with a challenge of its own.
Result<Proof> new_proof(const ProofOptions& options, const std::string& operator_name, const std::string& question,
                        const std::string& stdin_line = "the passphrase on stdin");

}  // namespace cc::app
