// operator rotate kms | unseal (quorum) | unseal-cancel | mode | master, and operator approve: replacing locks while
// the signer signs. Stdout carries what the operations guide prints; which KEKs may go, and what has to be approved, is
// on stderr.
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <functional>
#include <map>

#include "app/command_operator.h"
#include "app/operator_proof.h"
#include "base/printable.h"

namespace cc::app {
namespace {

namespace json = boost::json;

const std::string kRotate = "/api/v1/chamber/rotate";
constexpr std::uint64_t kMostMembers = 255;

struct RotateOptions {
  SignerOptions signer;
  std::string keks, kms_threshold, unseal_threshold, operators, mode;
};

// Talks to one signer or several, takes what is advice out of each reply, prints the rest, then hands each on for
// advice.
using Advice = std::function<void(const json::object& reply)>;
Result<void> talk_quietly(const SignerOptions& options, const Dialogue& dialogue, const Advice& advice) {
  std::map<std::string, json::value> withheld;  // by address
  const auto ask = [&](const SignerClient& client) -> Result<json::value> {
    CC_ASSIGN(json::value reply, dialogue(client));
    if (!reply.is_object()) {
      return fail(ErrorKind::internal, "the answer is not one of this signer");
    }
    json::object& object = reply.as_object();
    if (const json::value* keks = object.if_contains("safe_to_disable")) {
      withheld[client.url()] = *keks;
      object.erase("safe_to_disable");
    }
    return reply;
  };
  const auto advise_on = [&](const std::string& url, const json::value& reply) {
    json::object whole = reply.as_object();
    if (const auto found = withheld.find(url); found != withheld.end()) {
      whole["safe_to_disable"] = found->second;
    }
    if (options.urls.size() != 1) {
      advise("For " + url + ":");
    }
    advice(whole);
  };
  return talk_to_signers(options, ask, advise_on);
}

Result<void> ask_quietly(const SignerOptions& options, const SignerCall& call, const Advice& advice) {
  return talk_quietly(
      options,
      [&call](const SignerClient& client) { return client.call(call.method, call.path, call.token, call.body()); },
      advice);
}

void advise_on_approval(const json::object& reply) {
  if (const json::value* rotation = reply.if_contains("rotation")) {
    if (!rotation->is_string() || !is_rotation_digest(rotation->as_string())) {
      advise("The rotation that the signer names is no digest of one. Approve nothing; is this the signer you mean?");
      return;
    }
    advise(
        "The operators in force have to approve this rotation. Tell them out of band what it is and its digest; each "
        "runs"
        "\n  containment-chamber operator approve --operator NAME --rotation " +
        std::string(rotation->as_string()));
  }
}

void advise_on_keks(const json::object& reply) {
  const json::value* found = reply.if_contains("safe_to_disable");
  if (found == nullptr || !found->is_array()) {
    return;
  }
  if (found->as_array().empty()) {
    advise(
        "No old KEK was found safe to disable: every old one is a member of the new lock too, or the record could not "
        "be read back.");
    return;
  }
  advise(
      "The new KEKs are in force, proven and stored. No lock in force needs these any more; they are safe to disable, "
      "once you also want no backup of the old seal record to open (one that is lost already needs no disabling):");
  for (const json::value& kek : found->as_array()) {
    advise("  " + (kek.is_string() ? printable(kek.as_string()) : "(no name of a KEK; is this the signer you mean?)"));
  }
}

Result<void> run_kms(const RotateOptions& options) {
  CC_ASSIGN(const auto keks, split_list(options.keks, "--kms-key-arns"));
  CC_ASSIGN(const std::uint64_t threshold, parse_count(options.kms_threshold, "--kms-threshold", kMostMembers));
  CC_ASSIGN(SecretBytes token, token_of(options.signer.auth_token, "--auth-token"));
  const auto body = [&] {
    return SecretJson()
        .add_json("kms_key_arns", json_list(keks))
        .add_json("kms_threshold", std::to_string(threshold))
        .finish();
  };
  return ask_quietly(options.signer,
                     {.method = "POST", .path = kRotate + "/kms", .token = std::move(token), .body = body},
                     [](const json::object& reply) {
                       advise_on_approval(reply);
                       advise_on_keks(reply);
                     });
}

Result<void> send_operators(const RotateOptions& options, const std::string& path) {
  CC_ASSIGN(const auto operators, split_list(options.operators, "--operators"));
  CC_ASSIGN(const std::uint64_t threshold, parse_count(options.unseal_threshold, "--unseal-threshold", kMostMembers));
  CC_ASSIGN(SecretBytes token, token_of(options.signer.auth_token, "--auth-token"));
  const auto body = [&] {
    SecretJson json;
    if (!options.mode.empty()) {
      json.add("mode", options.mode);
    }
    return json.add_json("unseal_threshold", std::to_string(threshold))
        .add_json("operators", json_list(operators))
        .finish();
  };
  return ask_quietly(
      options.signer, {.method = "POST", .path = kRotate + path, .token = std::move(token), .body = body},
      [](const json::object& reply) {
        advise(
            "Give each new operator their own token over a secure channel; each works once, with `operator register`. "
            "The set in force stays until the last one has registered. If a token leaks, run `operator rotate "
            "unseal-cancel`.");
        advise_on_approval(reply);
      });
}

Result<void> run_unseal(const RotateOptions& options) { return send_operators(options, "/unseal"); }

Result<void> run_mode(const RotateOptions& options) {
  if (options.mode == "unseal") {
    if (options.operators.empty() || options.unseal_threshold.empty()) {
      return fail(ErrorKind::usage, "--mode unseal needs --unseal-threshold and --operators");
    }
    return send_operators(options, "/mode");
  }
  if (!options.operators.empty() || !options.unseal_threshold.empty()) {
    return fail(ErrorKind::usage, "--mode kms_only has no operators: leave out --unseal-threshold and --operators");
  }
  CC_ASSIGN(SecretBytes token, token_of(options.signer.auth_token, "--auth-token"));
  const auto body = [] { return SecretJson().add("mode", "kms_only").finish(); };
  return ask_quietly(options.signer,
                     {.method = "POST", .path = kRotate + "/mode", .token = std::move(token), .body = body},
                     [](const json::object& reply) {
                       advise("From then on whoever controls enough KEKs opens this chamber alone.");
                       advise_on_approval(reply);
                     });
}

Result<void> run_master(const RotateOptions& options) {
  CC_ASSIGN(SecretBytes token, token_of(options.signer.auth_token, "--auth-token"));
  return ask_quietly(options.signer, {.method = "POST", .path = kRotate + "/master", .token = std::move(token)},
                     [](const json::object& reply) {
                       advise_on_approval(reply);
                       if (!reply.contains("rotation")) {
                         advise(
                             "The new master key is in force. The key records are moved to it in the background; "
                             "`operator status` shows how many are left. When its \"rotation\" is gone, the old key is "
                             "dropped: back up the stores then, and older copies of the seal record open nothing of "
                             "them.");
                       }
                     });
}

Result<void> run_cancel(const RotateOptions& options) {
  CC_ASSIGN(SecretBytes token, token_of(options.signer.auth_token, "--auth-token"));
  CC_TRY(
      ask_signers(options.signer, {.method = "POST", .path = kRotate + "/unseal/cancel", .token = std::move(token)}));
  advise("Nothing of the cancelled rotation is left; its registration tokens are void.");
  return {};
}

struct ApproveOptions {
  SignerOptions signer;
  std::string operator_name, rotation;
  ProofOptions proof;
};
Result<void> run_approve(const ApproveOptions& options) {
  CC_TRY(single_signer(options.signer));
  CC_ASSIGN(auto proof, OperatorProof::prepare(options.proof, options.operator_name,
                                               "Passphrase of " + options.operator_name + ", to approve"));
  const auto approve = [&](const SignerClient& signer) {
    return proof.at(signer, [&](const Proof& one) {
      SecretJson json;
      json.add("operator", options.operator_name).add("rotation", options.rotation);
      add_proof(json, one);
      return signer.call("POST", kRotate + "/approve", {}, json.finish());
    });
  };
  return talk_quietly(options.signer, approve, &advise_on_keks);
}

}  // namespace

void add_operator_rotate_commands(CLI::App& group, Chosen& chosen) {
  CLI::App* rotate = group.add_subcommand("rotate", "Replace KEKs, operators or the mode while the signer signs");
  rotate->require_subcommand(1);
  const auto command_for = [&](const std::string& name, const std::string& help,
                               Result<void> (*body)(const RotateOptions&)) {
    const auto options = std::make_shared<RotateOptions>();
    CLI::App* command = add_command(*rotate, chosen, name, help, options, body);
    add_signer_options(*command, options->signer);
    add_auth_option(*command, options->signer);
    return std::pair(command, options);
  };
  const std::string threshold_help = "How many operators must agree to unseal";
  const std::string operators_help = "Operator names, comma-separated";

  const auto [kms, kms_options] = command_for("kms", "Replace the KEKs or their threshold", &run_kms);
  kms->add_option("--kms-key-arns", kms_options->keks, "All KEKs of the new lock, comma-separated")->required();
  kms->add_option("--kms-threshold", kms_options->kms_threshold, "How many of them must be there to open")->required();

  const auto [unseal, unseal_options] =
      command_for("unseal", "Replace the operators or their threshold; `rotate quorum` is the same", &run_unseal);
  unseal->alias("quorum");
  unseal->add_option("--unseal-threshold", unseal_options->unseal_threshold, threshold_help)->required();
  unseal->add_option("--operators", unseal_options->operators, operators_help)->required();

  command_for("master", "Replace the master key itself; makes older copies of the seal record worthless", &run_master);

  command_for("unseal-cancel", "Give up a rotation under way; the locks in force stay", &run_cancel);

  const auto [mode, mode_options] = command_for("mode", "Switch between kms_only and unseal", &run_mode);
  mode->add_option("--mode", mode_options->mode, "unseal or kms_only")
      ->required()
      ->check(CLI::IsMember({"unseal", "kms_only"}));
  mode->add_option("--unseal-threshold", mode_options->unseal_threshold, threshold_help);
  mode->add_option("--operators", mode_options->operators, operators_help);

  const auto approve = std::make_shared<ApproveOptions>();
  CLI::App* command =
      add_command(group, chosen, "approve", "Agree to a rotation, as an operator in force", approve, &run_approve);
  add_signer_options(*command, approve->signer);
  command->add_option("--operator", approve->operator_name, "Your operator name")->required();
  command->add_option("--rotation", approve->rotation, "The digest that the coordinator told you")->required();
  add_proof_options(*command, approve->proof, chosen, "Read the passphrase as one line from stdin");
  add_which_credential_option(*command, approve->proof);
}

}  // namespace cc::app
