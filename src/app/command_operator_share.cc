// operator register | unseal | unseal-reset | drill: what an operator runs with their own passphrase. The passphrase is
// never an argument: it comes from the terminal without echo, or as one line on stdin.
#include <unistd.h>

#include "app/command_operator.h"
#include "app/terminal.h"

namespace cc::app {
namespace {

const std::string kChamber = "/api/v1/chamber";

Result<SecretBytes> passphrase_from(bool from_stdin, bool is_new, const std::string& operator_name) {
  if (from_stdin) {
    return read_secret_line(STDIN_FILENO, "the passphrase on stdin");
  }
  return is_new ? prompt_new_secret("New passphrase of " + operator_name + " (at least 16 characters)")
                : prompt_secret("Passphrase of " + operator_name);
}

struct RegisterOptions {
  SignerOptions signer;
  std::string operator_name, registration_token, credential_id = "default";
  bool passphrase_stdin = false;
};
Result<void> run_register(const RegisterOptions& options) {
  CC_TRY(single_signer(options.signer));
  CC_ASSIGN(SecretBytes token, token_of(options.registration_token, "--registration-token"));
  CC_ASSIGN(const SecretBytes passphrase, passphrase_from(options.passphrase_stdin, true, options.operator_name));
  const auto body = [&] {
    return SecretJson()
        .add("operator", options.operator_name)
        .add("credential_id", options.credential_id)
        .add_secret("passphrase", passphrase)
        .finish();
  };
  CC_TRY(ask_one(options.signer,
                 {.method = "POST", .path = kChamber + "/register", .token = std::move(token), .body = body}));
  return {};
}

struct UnsealOptions {
  SignerOptions signer;
  std::string operator_name;
  bool passphrase_stdin = false, dry_run = false;
};
Result<void> run_unseal(const UnsealOptions& options) {
  for (const std::string& url : options.signer.urls) {
    CC_TRY(signer_at(options.signer, url));
  }
  CC_ASSIGN(const SecretBytes passphrase, passphrase_from(options.passphrase_stdin, false, options.operator_name));
  const auto body = [&] {
    SecretJson json;
    json.add("operator", options.operator_name).add_secret("passphrase", passphrase);
    if (options.dry_run) {
      json.add_json("dry_run", "true");
    }
    return json.finish();
  };
  return ask_signers(options.signer, {.method = "POST", .path = kChamber + "/unseal", .token = {}, .body = body});
}

Result<void> run_drill(const UnsealOptions& options) {
  CC_TRY(single_signer(options.signer));
  CC_ASSIGN(const SecretBytes passphrase, passphrase_from(options.passphrase_stdin, false, options.operator_name));
  const auto body = [&] {
    return SecretJson().add("operator", options.operator_name).add_secret("passphrase", passphrase).finish();
  };
  CC_TRY(ask_one(options.signer, {.method = "POST", .path = kChamber + "/drill", .token = {}, .body = body}));
  return {};
}

struct UnsealResetOptions {
  SignerOptions signer;
  std::string operator_name;
  bool passphrase_stdin = false;
};
Result<void> run_unseal_reset(const UnsealResetOptions& options) {
  if (options.operator_name.empty() == options.signer.auth_token.empty()) {
    return fail(ErrorKind::usage,
                "prove who you are in one way: --operator NAME with the passphrase, or --auth-token with the scope "
                "chamber_seal");
  }
  const std::string path = kChamber + "/unseal/reset";
  if (options.operator_name.empty()) {
    CC_ASSIGN(SecretBytes token, token_of(options.signer.auth_token, "--auth-token"));
    return ask_signers(options.signer, {.method = "POST", .path = path, .token = std::move(token)});
  }
  CC_ASSIGN(const SecretBytes passphrase, passphrase_from(options.passphrase_stdin, false, options.operator_name));
  const auto body = [&] {
    return SecretJson().add("operator", options.operator_name).add_secret("passphrase", passphrase).finish();
  };
  return ask_signers(options.signer, {.method = "POST", .path = path, .token = {}, .body = body});
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
  command->add_flag("--passphrase-stdin", registering->passphrase_stdin, stdin_help);

  const auto unseal = std::make_shared<UnsealOptions>();
  command = add_command(group, chosen, "unseal", "Give your share towards unsealing", unseal, &run_unseal);
  add_signer_options(*command, unseal->signer);
  command->add_option("--operator", unseal->operator_name, "Your operator name")->required();
  command->add_flag("--passphrase-stdin", unseal->passphrase_stdin, stdin_help);
  command->add_flag("--dry-run", unseal->dry_run,
                    "Go as far as checking the master key, then wipe it; signing goes on");

  const auto drill = std::make_shared<UnsealOptions>();
  command = add_command(group, chosen, "drill", "Show that your credential still opens your share; nothing is unsealed",
                        drill, &run_drill);
  add_signer_options(*command, drill->signer);
  command->add_option("--operator", drill->operator_name, "Your operator name")->required();
  command->add_flag("--passphrase-stdin", drill->passphrase_stdin, stdin_help);

  const auto reset = std::make_shared<UnsealResetOptions>();
  command = add_command(group, chosen, "unseal-reset", "Drop the shares collected so far", reset, &run_unseal_reset);
  add_signer_options(*command, reset->signer);
  add_auth_option(*command, reset->signer);
  command->add_option("--operator", reset->operator_name, "Your operator name, when you prove it by passphrase");
  command->add_flag("--passphrase-stdin", reset->passphrase_stdin, stdin_help);
}

}  // namespace cc::app
