// operator credentials add | remove | list. An existing credential is the proof, so every change asks for it first.
#include "app/command_operator.h"
#include "app/many_signers.h"
#include "app/operator_proof.h"

namespace cc::app {
namespace {

const std::string kCredentials = "/api/v1/chamber/unseal/credentials";

struct CredentialOptions {
  SignerOptions signer;
  std::string operator_name, existing_id, new_id, removed_id;
  ProofOptions existing, added;
};

Result<OperatorProof> prove_existing(const CredentialOptions& options) {
  ProofOptions existing = options.existing;
  existing.credential_id = options.existing_id;
  existing.passphrase_stdin = options.existing.passphrase_stdin || options.added.passphrase_stdin;
  return OperatorProof::prepare(existing, options.operator_name,
                                "Passphrase of " + options.operator_name + ", credential " + options.existing_id,
                                "the existing passphrase on stdin");
}

// Both are asked for before anything is sent: the first line of stdin is the existing one, the second the new one.
Result<void> run_add(const CredentialOptions& options) {
  CC_TRY(check_signers(options.signer));
  CC_ASSIGN(OperatorProof existing, prove_existing(options));
  CC_ASSIGN(const Proof added,
            new_proof(options.added, options.operator_name,
                      "New passphrase for credential " + options.new_id + " (at least 16 characters)",
                      options.existing.by_device() ? "the new passphrase on stdin"
                                                   : "the new passphrase, second line on stdin,"));
  return talk_to_signers(options.signer, [&](const SignerClient& signer) {
    return existing.at(signer, [&](const Proof& proof) {
      SecretJson json;
      json.add("operator", options.operator_name).add("existing_credential_id", options.existing_id);
      add_proof_of(json, "existing", proof);
      json.add("new_credential_id", options.new_id);
      add_proof_of(json, "new", added);
      return signer.call("POST", kCredentials, {}, json.finish());
    });
  });
}

Result<void> run_remove(const CredentialOptions& options) {
  CC_TRY(check_signers(options.signer));
  CC_ASSIGN(OperatorProof existing, prove_existing(options));
  return talk_to_signers(options.signer, [&](const SignerClient& signer) {
    return existing.at(signer, [&](const Proof& proof) {
      SecretJson json;
      json.add("operator", options.operator_name).add("existing_credential_id", options.existing_id);
      add_proof_of(json, "existing", proof);
      json.add("remove_credential_id", options.removed_id);
      return signer.call("DELETE", kCredentials, {}, json.finish());
    });
  });
}

Result<void> run_list(const CredentialOptions& options) {
  return ask_signers(
      options.signer,
      {.method = "GET", .path = kCredentials + "?operator=" + query_value(options.operator_name), .token = {}});
}

CLI::App* command_for(CLI::App& group, Chosen& chosen, const std::string& name, const std::string& help,
                      const std::shared_ptr<CredentialOptions>& options,
                      Result<void> (*body)(const CredentialOptions&)) {
  CLI::App* command = add_command(group, chosen, name, help, options, body);
  add_signer_options(*command, options->signer);
  command->add_option("--operator", options->operator_name, "Name of the operator")->required();
  return command;
}

}  // namespace

void add_operator_credentials_commands(CLI::App& group, Chosen& chosen) {
  CLI::App* credentials = group.add_subcommand("credentials", "Credentials of an operator");
  credentials->require_subcommand(1);
  const std::string existing_help = "The credential that you prove yourself with";

  const auto added = std::make_shared<CredentialOptions>();
  CLI::App* command = command_for(*credentials, chosen, "add", "Add a credential to your share", added, &run_add);
  command->add_option("--existing-credential-id", added->existing_id, existing_help)->required();
  command->add_option("--new-credential-id", added->new_id, "A name for the new credential")->required();
  add_proof_options(*command, added->added, chosen,
                    "Read passphrases from stdin, one line each: the existing one, then the new one");
  add_existing_options(*command, added->existing, chosen);

  const auto removed = std::make_shared<CredentialOptions>();
  command =
      command_for(*credentials, chosen, "remove", "Remove a credential, but never the last", removed, &run_remove);
  command->add_option("--existing-credential-id", removed->existing_id, existing_help)->required();
  command->add_option("--remove-credential-id", removed->removed_id, "The credential to remove")->required();
  add_proof_options(*command, removed->existing, chosen, "Read the passphrase as one line from stdin");

  command_for(*credentials, chosen, "list", "Names of an operator's credentials", std::make_shared<CredentialOptions>(),
              &run_list);
}

}  // namespace cc::app
