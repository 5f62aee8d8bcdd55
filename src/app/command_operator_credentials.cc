// operator credentials add | remove | list. An existing credential is the proof, so every change asks for it first.
#include <unistd.h>

#include "app/command_operator.h"
#include "app/terminal.h"

namespace cc::app {
namespace {

const std::string kCredentials = "/api/v1/chamber/unseal/credentials";

struct CredentialOptions {
  SignerOptions signer;
  std::string operator_name, existing_id, new_id, removed_id;
  bool passphrase_stdin = false;
};

Result<SecretBytes> existing_passphrase(const CredentialOptions& options) {
  return options.passphrase_stdin
             ? read_secret_line(STDIN_FILENO, "the existing passphrase on stdin")
             : prompt_secret("Passphrase of " + options.operator_name + ", credential " + options.existing_id);
}

Result<SecretBytes> new_passphrase(const CredentialOptions& options) {
  return options.passphrase_stdin
             ? read_secret_line(STDIN_FILENO, "the new passphrase, second line on stdin,")
             : prompt_new_secret("New passphrase for credential " + options.new_id + " (at least 16 characters)");
}

Result<void> run_add(const CredentialOptions& options) {
  CC_TRY(single_signer(options.signer));
  CC_ASSIGN(const SecretBytes existing, existing_passphrase(options));
  CC_ASSIGN(const SecretBytes added, new_passphrase(options));
  const auto body = [&] {
    return SecretJson()
        .add("operator", options.operator_name)
        .add("existing_credential_id", options.existing_id)
        .add_secret("existing_passphrase", existing)
        .add("new_credential_id", options.new_id)
        .add_secret("new_passphrase", added)
        .finish();
  };
  CC_TRY(ask_one(options.signer, {.method = "POST", .path = kCredentials, .token = {}, .body = body}));
  return {};
}

Result<void> run_remove(const CredentialOptions& options) {
  CC_TRY(single_signer(options.signer));
  CC_ASSIGN(const SecretBytes existing, existing_passphrase(options));
  const auto body = [&] {
    return SecretJson()
        .add("operator", options.operator_name)
        .add("existing_credential_id", options.existing_id)
        .add_secret("existing_passphrase", existing)
        .add("remove_credential_id", options.removed_id)
        .finish();
  };
  CC_TRY(ask_one(options.signer, {.method = "DELETE", .path = kCredentials, .token = {}, .body = body}));
  return {};
}

Result<void> run_list(const CredentialOptions& options) {
  CC_TRY(ask_one(
      options.signer,
      {.method = "GET", .path = kCredentials + "?operator=" + query_value(options.operator_name), .token = {}}));
  return {};
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
  command->add_flag("--passphrase-stdin", added->passphrase_stdin,
                    "Read two lines from stdin: the existing passphrase, then the new one");

  const auto removed = std::make_shared<CredentialOptions>();
  command =
      command_for(*credentials, chosen, "remove", "Remove a credential, but never the last", removed, &run_remove);
  command->add_option("--existing-credential-id", removed->existing_id, existing_help)->required();
  command->add_option("--remove-credential-id", removed->removed_id, "The credential to remove")->required();
  command->add_flag("--passphrase-stdin", removed->passphrase_stdin, "Read the passphrase as one line from stdin");

  command_for(*credentials, chosen, "list", "Names of an operator's credentials", std::make_shared<CredentialOptions>(),
              &run_list);
}

}  // namespace cc::app
