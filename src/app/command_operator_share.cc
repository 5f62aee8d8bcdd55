// operator register | unseal | unseal-reset | drill: what an operator runs with a credential of their own. A passphrase
// is never an argument: it comes from the terminal without echo, or as one line on stdin; a hardware key answers for
// itself.
#include "app/command_operator.h"
#include "app/many_signers.h"
#include "app/operator_proof.h"

namespace cc::app {
namespace {

const std::string kChamber = "/api/v1/chamber";

struct RegisterOptions {
  SignerOptions signer;
  std::string operator_name, registration_token, credential_id = "default";
  ProofOptions proof;
};
Result<void> run_register(const RegisterOptions& options) {
  CC_TRY(single_signer(options.signer));
  CC_ASSIGN(SecretBytes token, token_of(options.registration_token, "--registration-token"));
  CC_ASSIGN(const Proof proof, new_proof(options.proof, options.operator_name,
                                         "New passphrase of " + options.operator_name + " (at least 16 characters)"));
  const auto body = [&] {
    SecretJson json;
    json.add("operator", options.operator_name).add("credential_id", options.credential_id);
    add_proof(json, proof);
    return json.finish();
  };
  CC_TRY(ask_one(options.signer,
                 {.method = "POST", .path = kChamber + "/register", .token = std::move(token), .body = body}));
  return {};
}

struct UnsealOptions {
  SignerOptions signer;
  std::string operator_name;
  ProofOptions proof;
  bool dry_run = false;
};

// What is said to each signer: the operator, their credential, and the rest of the body.
Dialogue with_credential(OperatorProof& proof, const UnsealOptions& options, const std::string& path) {
  return [&proof, &options, path](const SignerClient& signer) {
    return proof.at(signer, [&](const Proof& one) {
      SecretJson json;
      json.add("operator", options.operator_name);
      add_proof(json, one);
      if (options.dry_run) {
        json.add_json("dry_run", "true");
      }
      return signer.call("POST", kChamber + path, {}, json.finish());
    });
  };
}

Result<void> run_unseal(const UnsealOptions& options) {
  CC_TRY(check_signers(options.signer));
  CC_ASSIGN(auto proof,
            OperatorProof::prepare(options.proof, options.operator_name, "Passphrase of " + options.operator_name));
  return talk_to_signers(options.signer, with_credential(proof, options, "/unseal"));
}

Result<void> run_drill(const UnsealOptions& options) {
  CC_TRY(check_signers(options.signer));
  CC_ASSIGN(auto proof,
            OperatorProof::prepare(options.proof, options.operator_name, "Passphrase of " + options.operator_name));
  return talk_to_signers(options.signer, with_credential(proof, options, "/drill"));
}

Result<void> run_unseal_reset(const UnsealOptions& options) {
  if (options.operator_name.empty() == options.signer.auth_token.empty()) {
    return fail(ErrorKind::usage,
                "prove who you are in one way: --operator NAME with a credential, or --auth-token with the scope "
                "chamber_seal");
  }
  if (options.operator_name.empty()) {
    CC_ASSIGN(SecretBytes token, token_of(options.signer.auth_token, "--auth-token"));
    return ask_signers(options.signer,
                       {.method = "POST", .path = kChamber + "/unseal/reset", .token = std::move(token)});
  }
  CC_ASSIGN(auto proof,
            OperatorProof::prepare(options.proof, options.operator_name, "Passphrase of " + options.operator_name));
  return talk_to_signers(options.signer, with_credential(proof, options, "/unseal/reset"));
}

}  // namespace

void add_operator_share_commands(CLI::App& group, Chosen& chosen) {
  const std::string stdin_help = "Read the passphrase as one line from stdin";

  const auto registering = std::make_shared<RegisterOptions>();
  CLI::App* command = add_command(group, chosen, "register", "Turn a registration token into a credential of your own",
                                  registering, &run_register);
  add_signer_options(*command, registering->signer);
  command->add_option("--operator", registering->operator_name, "Your operator name")->required();
  command->add_option("--registration-token", registering->registration_token, "The token you were given, or env:NAME")
      ->required();
  command->add_option("--credential-id", registering->credential_id, "A name for this credential")
      ->capture_default_str();
  add_proof_options(*command, registering->proof, chosen, stdin_help);

  const auto unseal = std::make_shared<UnsealOptions>();
  command = add_command(group, chosen, "unseal", "Give your share towards unsealing", unseal, &run_unseal);
  add_signer_options(*command, unseal->signer);
  command->add_option("--operator", unseal->operator_name, "Your operator name")->required();
  add_proof_options(*command, unseal->proof, chosen, stdin_help);
  add_which_credential_option(*command, unseal->proof);
  command->add_flag("--dry-run", unseal->dry_run,
                    "Go as far as checking the master key, then wipe it; signing goes on");

  const auto drill = std::make_shared<UnsealOptions>();
  command = add_command(group, chosen, "drill", "Show that your credential still opens your share; nothing is unsealed",
                        drill, &run_drill);
  add_signer_options(*command, drill->signer);
  command->add_option("--operator", drill->operator_name, "Your operator name")->required();
  add_proof_options(*command, drill->proof, chosen, stdin_help);
  add_which_credential_option(*command, drill->proof);

  const auto reset = std::make_shared<UnsealOptions>();
  command = add_command(group, chosen, "unseal-reset", "Drop the shares collected so far", reset, &run_unseal_reset);
  add_signer_options(*command, reset->signer);
  add_auth_option(*command, reset->signer);
  command->add_option("--operator", reset->operator_name, "Your operator name, when you prove it by a credential");
  add_proof_options(*command, reset->proof, chosen, stdin_help);
  add_which_credential_option(*command, reset->proof);
}

}  // namespace cc::app
