// operator guide: the next step for this person in the state the signer is in. Reads, changes nothing.
#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "app/command_operator.h"
#include "base/printable.h"

namespace cc::app {
namespace {

namespace json = boost::json;

struct GuideOptions {
  SignerOptions signer;
  std::string operator_name;
};

// What the status says, as far as advice depends on it.
class Seen {
 public:
  explicit Seen(const json::value& status) : status_(status) {}
  std::string text(std::string_view pointer) const {
    const json::value* found = at(pointer);
    return found != nullptr && found->is_string() ? std::string(found->as_string()) : std::string();
  }
  std::uint64_t number(std::string_view pointer) const {
    const json::value* found = at(pointer);
    return found != nullptr && found->is_int64() ? static_cast<std::uint64_t>(found->as_int64()) : 0;
  }
  bool flag(std::string_view pointer) const {
    const json::value* found = at(pointer);
    return found != nullptr && found->is_bool() && found->as_bool();
  }
  bool lists(std::string_view pointer, std::string_view name) const {
    const json::value* found = at(pointer);
    return found != nullptr && found->is_array() &&
           std::ranges::any_of(found->as_array(),
                               [name](const json::value& one) { return one.is_string() && one.as_string() == name; });
  }
  // "NAME (CODE), .." of an object of codes, or of an array of names: what a signer says, made printable.
  std::string list_of(std::string_view pointer) const {
    const json::value* found = at(pointer);
    std::string out;
    const auto add = [&out](const std::string& one) { out += (out.empty() ? "" : ", ") + printable(one); };
    if (found != nullptr && found->is_object()) {
      for (const auto& member : found->as_object()) {
        add(std::string(member.key()) +
            (member.value().is_string() ? " (" + std::string(member.value().as_string()) + ")" : ""));
      }
    } else if (found != nullptr && found->is_array()) {
      for (const json::value& one : found->as_array()) {
        add(one.is_string() ? std::string(one.as_string()) : std::string());
      }
    }
    return out;
  }
  bool none_to_spare(std::string_view pointer) const {
    const json::value* found = at(pointer);
    return found != nullptr && found->is_int64() && found->as_int64() <= 0;
  }
  std::string count_of(std::string_view have, std::string_view need) const {
    return std::to_string(number(have)) + " of " + std::to_string(number(need));
  }

 private:
  const json::value* at(std::string_view pointer) const {
    boost::system::error_code absent;
    return status_.find_pointer(pointer, absent);
  }
  const json::value& status_;
};

struct Step {
  std::string next;  // a sentence
  std::string run;   // a command, or nothing
};

// The person's name, or a place for it.
std::string who(const GuideOptions& options) { return options.operator_name.empty() ? "NAME" : options.operator_name; }

Step while_sealed(const Seen& seen, const GuideOptions&) {
  if (seen.flag("/seal/sealed_by_command")) {
    return {std::string("It was sealed by command") + (seen.flag("/seal/held") ? ", to stay so over restarts" : "") +
                ". Whoever sealed it knows why; when that is over, let it open again.",
            "operator resume --auth-token env:TOKEN"};
  }
  const std::string detail = seen.text("/seal/trouble/detail");
  return {detail.empty()
              ? "The KEKs are being asked; it goes on by itself."
              : "It waits: " + printable(detail) +
                    ". It goes on by itself once enough KEKs answer; docs/reference/kms-outages.md says what "
                    "helps for each.",
          ""};
}

Step while_shares_are_missing(const Seen& seen, const GuideOptions& options) {
  return {"The KMS lock is open; shares received: " +
              seen.count_of("/seal/operators/shares_received", "/seal/operators/threshold") + ".",
          "operator unseal --operator " + who(options)};
}

Step while_registering(const Seen& seen, const GuideOptions& options) {
  return {"Operators registered: " + seen.count_of("/seal/operators/registered", "/seal/operators/members") +
              ". Each one uses the token they were given, once.",
          "operator register --operator " + who(options) + " --registration-token env:REGISTRATION_TOKEN"};
}

Step while_uninitialized(const Seen& seen, const GuideOptions& options) {
  if (seen.flag("/seal/sealed_by_command")) {
    return while_sealed(seen, options);
  }
  return {
      "There is no chamber yet. The setup token is in the signer's log. Add --unseal-threshold and --operators for a "
      "quorum of people.",
      "operator init --setup-token env:SETUP_TOKEN --kms-key-arns KEK,KEK,KEK --kms-threshold 2"};
}

Step while_rotating(const Seen& seen, const GuideOptions& options) {
  const bool asked = !options.operator_name.empty() && seen.lists("/seal/rotation/waiting_for", options.operator_name);
  if (seen.text("/seal/rotation/kind") == "operators" && (asked || options.operator_name.empty())) {
    return {"New operators have to register; signing goes on.",
            "operator register --operator " + who(options) + " --registration-token env:REGISTRATION_TOKEN"};
  }
  if (seen.number("/seal/rotation/approvals/required") > seen.number("/seal/rotation/approvals/received")) {
    const std::string rotation = seen.text("/seal/rotation/rotation");
    if (!is_rotation_digest(rotation)) {
      return {
          "A rotation asks for approval, but what the signer names is no digest of one. Approve nothing; ask the "
          "coordinator which signer this is.",
          ""};
    }
    return {"A rotation asks for approval by the operators in force: " +
                seen.count_of("/seal/rotation/approvals/received", "/seal/rotation/approvals/required") +
                ". Compare its id with the one you were told.",
            "operator approve --operator " + who(options) + " --rotation " + rotation};
  }
  return {"A rotation waits for others; nothing to do for you. Signing goes on.", ""};
}

Step while_open(const Seen& seen, const GuideOptions& options) {
  if (!seen.text("/seal/rotation/kind").empty()) {
    return while_rotating(seen, options);
  }
  if (const std::string sick = seen.list_of("/seal/kms/sick"); !sick.empty()) {
    return {"It signs, but after a restart these KEKs would not open their share: " + sick + ". " +
                (seen.none_to_spare("/seal/kms/margin") ? "No other one may fail. " : "") +
                "Restore them (docs/reference/kms-outages.md), or replace them while it signs.",
            "operator rotate kms --auth-token env:TOKEN --kms-key-arns KEK,KEK,KEK --kms-threshold " +
                std::to_string(seen.number("/seal/kms/threshold"))};
  }
  if (!options.operator_name.empty() && seen.lists("/seal/drills/lapsed", options.operator_name)) {
    return {"It signs. You have not shown lately that your credential still opens your share.",
            "operator drill --operator " + options.operator_name};
  }
  if (seen.number("/keys/loaded") == 0) {
    return {"It is open, but holds no key.", "keys import KEYSTORE_FOLDER --auth-token env:TOKEN"};
  }
  if (const std::string lapsed = seen.list_of("/seal/drills/lapsed");
      !lapsed.empty() && seen.none_to_spare("/seal/drills/margin")) {
    return {
        "It signs, but too few operators have shown lately that their credential opens their share. Those who have "
        "not: " +
            lapsed + ".",
        "operator drill --operator NAME"};
  }
  return {"It signs with " + std::to_string(seen.number("/keys/active")) + " keys. Nothing to do.", ""};
}

struct Row {
  std::string_view state;
  Step (*step)(const Seen&, const GuideOptions&);
};
constexpr Row kSteps[] = {{"uninitialized", &while_uninitialized},
                          {"awaiting_registration", &while_registering},
                          {"sealed", &while_sealed},
                          {"kms_unsealed", &while_shares_are_missing},
                          {"awaiting_rotation", &while_rotating},
                          {"unsealed", &while_open}};

Result<json::value> next_step(const GuideOptions& options, const SecretBytes& token, const SignerClient& client) {
  CC_ASSIGN(const json::value status, client.call("GET", "/api/v1/chamber/status", token));
  const Seen seen(status);
  const std::string state = seen.text("/seal/status");
  const auto* const row = std::ranges::find(kSteps, state, &Row::state);
  if (row == std::end(kSteps)) {
    return fail(ErrorKind::internal,
                client.url() + " names a state that this program does not know: " + printable(state));
  }
  const std::string audit = seen.text("/seal/audit/trouble");
  const Step step =
      audit.empty() ? row->step(seen, options)
                    : Step{"Ceremonies are refused, because what happens cannot be written down: " + printable(audit) +
                               " (docs/reference/audit.md).",
                           ""};
  json::object reply{{"state", state}, {"next", step.next}};
  if (!step.run.empty()) {
    reply["run"] = "containment-chamber " + step.run + " --signer-url " + client.url();
  }
  return reply;
}

Result<void> run_guide(const GuideOptions& options) {
  CC_ASSIGN(const SecretBytes token, token_of(options.signer.auth_token, "--auth-token"));
  return talk_to_signers(options.signer, [&](const SignerClient& client) { return next_step(options, token, client); });
}

}  // namespace

void add_operator_guide_command(CLI::App& group, Chosen& chosen) {
  const auto guide = std::make_shared<GuideOptions>();
  CLI::App* command = add_command(group, chosen, "guide", "Say what the next step is, for you, in the present state",
                                  guide, &run_guide);
  add_signer_options(*command, guide->signer);
  add_auth_option(*command, guide->signer);
  command->add_option("--operator", guide->operator_name, "Your operator name, if you are one");
}

}  // namespace cc::app
