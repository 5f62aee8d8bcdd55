// operator status | init | init-reset | seal | resume: what a coordinator or an on-call person runs.
#include <boost/json/object.hpp>

#include "app/command.h"
#include "app/command_operator.h"
#include "app/many_signers.h"
#include "base/bytes.h"
#include "crypto/hash.h"

namespace cc::app {
namespace {

const std::string kChamber = "/api/v1/chamber";

struct StatusOptions {
  SignerOptions signer;
};
// What a person who reads the status is most likely to want next.
void advise_after_status(const std::string& signer, const boost::json::value& reply) {
  const auto flag = [&reply](std::string_view name) {
    boost::system::error_code absent;
    const boost::json::value* found = reply.find_pointer("/seal/" + std::string(name), absent);
    return found != nullptr && found->is_bool() && found->as_bool();
  };
  if (flag("sealed_by_command")) {
    advise(signer + " was sealed by command" +
           (flag("held") ? " with hold: it stays sealed over restarts until `operator resume`."
                         : ": `operator resume` or a restart lets it open again."));
  }
  boost::system::error_code absent;
  const boost::json::value* const margin = reply.find_pointer("/seal/drills/margin", absent);
  const boost::json::value* const lapsed = reply.find_pointer("/seal/drills/lapsed", absent);
  if (margin != nullptr && margin->is_int64() && margin->as_int64() <= 0 && lapsed != nullptr && lapsed->is_array() &&
      !lapsed->as_array().empty()) {
    advise(signer +
           ": too few operators have shown lately that their credential opens their share; those whose drill "
           "lapsed are due for `operator drill`.");
  }
}
Result<void> run_status(const StatusOptions& options) {
  CC_ASSIGN(SecretBytes token, token_of(options.signer.auth_token, "--auth-token"));
  return ask_signers(options.signer, {.method = "GET", .path = kChamber + "/status", .token = std::move(token)},
                     &advise_after_status);
}

struct InitOptions {
  SignerOptions signer;
  std::string setup_token, keks, kms_threshold, unseal_threshold, operators;
};
Result<std::string> init_body(const InitOptions& options) {
  constexpr std::uint64_t kMostMembers = 255;
  CC_ASSIGN(const auto keks, split_list(options.keks, "--kms-key-arns"));
  CC_ASSIGN(const std::uint64_t kms_threshold, parse_count(options.kms_threshold, "--kms-threshold", kMostMembers));
  SecretJson body;
  body.add_json("kms_key_arns", json_list(keks)).add_json("kms_threshold", std::to_string(kms_threshold));
  if (options.unseal_threshold.empty() != options.operators.empty()) {
    return fail(ErrorKind::usage,
                "--unseal-threshold and --operators belong together: give both, or neither for KMS-only");
  }
  if (!options.operators.empty()) {
    CC_ASSIGN(const auto operators, split_list(options.operators, "--operators"));
    CC_ASSIGN(const std::uint64_t threshold, parse_count(options.unseal_threshold, "--unseal-threshold", kMostMembers));
    body.add_json("unseal_threshold", std::to_string(threshold)).add_json("operators", json_list(operators));
  }
  return body.finish();
}
Result<void> run_init(const InitOptions& options) {
  CC_ASSIGN(const std::string body, init_body(options));
  CC_ASSIGN(SecretBytes token, token_of(options.setup_token, "--setup-token"));
  CC_ASSIGN(const auto reply,
            ask_one(options.signer,
                    {.method = "POST", .path = kChamber + "/init", .token = std::move(token), .body = [&body] {
                       return body;
                     }}));
  if (reply.is_object() && reply.as_object().contains("operator_tokens")) {
    advise(
        "Give each operator their own token over a secure channel; each works once, with `operator register`. If one "
        "leaks before it is used, run `operator init-reset` and start over.");
  }
  return {};
}

struct InitResetOptions {
  SignerOptions signer;
  std::string setup_token;
};
Result<void> run_init_reset(const InitResetOptions& options) {
  CC_ASSIGN(SecretBytes token, token_of(options.setup_token, "--setup-token"));
  CC_TRY(ask_one(options.signer, {.method = "POST", .path = kChamber + "/init/reset", .token = std::move(token)}));
  advise("The signer's log holds a new setup token.");
  return {};
}

struct SealOptions {
  SignerOptions signer;
  std::string reason;
  bool hold = false, all = false;
};
Result<void> run_seal(const SealOptions& options) {
  CC_ASSIGN(SecretBytes token, token_of(options.signer.auth_token, "--auth-token"));
  const auto body = [&options] {
    SecretJson json;
    if (!options.reason.empty()) {
      json.add("reason", options.reason);
    }
    if (options.hold) {
      json.add_json("hold", "true");
    }
    if (options.all) {
      json.add_json("all", "true");
    }
    return json.finish();
  };
  return ask_at_once(options.signer,
                     {.method = "POST", .path = kChamber + "/seal", .token = std::move(token), .body = body});
}

struct ResumeOptions {
  SignerOptions signer;
};
Result<void> run_resume(const ResumeOptions& options) {
  CC_ASSIGN(SecretBytes token, token_of(options.signer.auth_token, "--auth-token"));
  CC_TRY(ask_signers(options.signer, {.method = "POST", .path = kChamber + "/resume", .token = std::move(token)}));
  advise("Resumed: the signer opens by itself (kms_only), or once enough operators ran `operator unseal`.");
  return {};
}

}  // namespace

bool is_rotation_digest(std::string_view text) {
  crypto::Digest digest{};
  return from_hex_exact(text, digest).has_value();
}

std::string query_value(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                       c == '_' || c == '.' || c == '~';
    if (plain) {
      out.push_back(c);
    } else {
      out += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return out;
}

void add_operator_commands(CLI::App& root, Chosen& chosen) {
  CLI::App* group = root.add_subcommand("operator", "Ceremonies: first boot, registering, unsealing, sealing");
  group->require_subcommand(1);

  const auto status = std::make_shared<StatusOptions>();
  CLI::App* command = add_command(*group, chosen, "status", "State of the chamber", status, &run_status);
  add_signer_options(*command, status->signer);
  add_auth_option(*command, status->signer);

  const auto init = std::make_shared<InitOptions>();
  command = add_command(*group, chosen, "init", "Create the master key: KMS-only, or with a quorum of operators", init,
                        &run_init);
  add_signer_options(*command, init->signer);
  command->add_option("--setup-token", init->setup_token, "The token from the first-boot log, or env:NAME")->required();
  command->add_option("--kms-key-arns", init->keks, "KEK names, comma-separated: local://NAME, …")->required();
  command->add_option("--kms-threshold", init->kms_threshold, "How many of the KEKs must be there to open")->required();
  command->add_option("--unseal-threshold", init->unseal_threshold, "How many operators must agree to unseal");
  command->add_option("--operators", init->operators, "Operator names, comma-separated");

  const auto reset = std::make_shared<InitResetOptions>();
  command = add_command(*group, chosen, "init-reset", "Cancel an init whose operators are still registering", reset,
                        &run_init_reset);
  add_signer_options(*command, reset->signer);
  command->add_option("--setup-token", reset->setup_token, "The token from the log, or env:NAME")->required();

  add_operator_share_commands(*group, chosen);

  const auto seal = std::make_shared<SealOptions>();
  command =
      add_command(*group, chosen, "seal", "Stop all signing at once and wipe every key from memory", seal, &run_seal);
  add_signer_options(*command, seal->signer);
  add_auth_option(*command, seal->signer);
  command->add_option("--reason", seal->reason, "Why; goes to the signer's log");
  command->add_flag("--hold", seal->hold, "Stay sealed over restarts, until `operator resume`");
  command->add_flag("--all", seal->all, "Every replica that shares the seal record, not this signer only");

  const auto resume = std::make_shared<ResumeOptions>();
  command =
      add_command(*group, chosen, "resume", "Let a sealed signer open again without a restart", resume, &run_resume);
  add_signer_options(*command, resume->signer);
  add_auth_option(*command, resume->signer);

  add_operator_credentials_commands(*group, chosen);
  add_operator_rotate_commands(*group, chosen);
  add_operator_guide_command(*group, chosen);
}

}  // namespace cc::app
