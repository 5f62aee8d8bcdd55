// keys restore and keys export-backup: the way back from a mnemonic that was kept, encrypted or on paper.
#include <unistd.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "app/command_keys.h"
#include "app/command_operator.h"
#include "app/terminal.h"

namespace cc::app {
namespace {

namespace json = boost::json;

constexpr std::uint64_t kMostKeys = 100'000;
constexpr std::uint64_t kIndices = std::uint64_t{1} << 31U;
constexpr std::uint64_t kPerCall = 100;

struct RestoreOptions {
  SignerOptions signer;
  std::string first = "0", count;
  bool mnemonic_stdin = false, allow_empty_history = false;
};

std::size_t count_of(const json::array& data, std::string_view status) {
  return static_cast<std::size_t>(std::ranges::count_if(data, [&](const json::value& item) {
    const json::value* found = item.is_object() ? item.as_object().if_contains("status") : nullptr;
    return found != nullptr && found->is_string() && std::string_view(found->as_string()) == status;
  }));
}

std::string restore_body(const RestoreOptions& options, const SecretBytes& words, std::uint64_t first,
                         std::uint64_t count) {
  return SecretJson()
      .add_secret("mnemonic", words)
      .add_json("first", std::to_string(first))
      .add_json("count", std::to_string(count))
      .add_json("allow_empty_history", options.allow_empty_history ? "true" : "false")
      .finish();
}

// In several calls, so that each is answered in time; a repeated restore finds the first ones there.
Result<void> run_restore(const RestoreOptions& options) {
  CC_ASSIGN(const std::uint64_t first, parse_count(options.first, "--first", kIndices - 1));
  CC_ASSIGN(const std::uint64_t count, parse_count(options.count, "--count", kMostKeys));
  CC_ASSIGN(const SignerClient client, single_signer(options.signer));
  CC_ASSIGN(const SecretBytes token, token_of(options.signer.auth_token, "--auth-token"));
  CC_ASSIGN(const SecretBytes words, options.mnemonic_stdin ? read_secret_line(STDIN_FILENO, "the mnemonic on stdin")
                                                            : prompt_secret("Mnemonic"));
  json::array all;
  Result<void> outcome;
  std::uint64_t asked = 0;
  do {
    const std::uint64_t now = std::min(kPerCall, count - asked);
    const auto reply = client.call("POST", std::string(kKeysPath) + "/restore", token,
                                   restore_body(options, words, first + asked, now));
    outcome = reply ? take_data(*reply, all) : Result<void>(fail(reply.error()));
    asked += now;
  } while (outcome && asked < count);
  if (!outcome && all.empty()) {
    return outcome;
  }
  advise(std::to_string(count_of(all, "restored")) + " restored, " + std::to_string(count_of(all, "duplicate")) +
         " were here already");
  if (!options.allow_empty_history && count_of(all, "restored") != 0) {
    advise(
        "Nothing is known of what these keys signed before. Stop every other signer of theirs, and import their "
        "slashing history (`slashing import`) before they sign. With anti_slashing.require_history they do not sign "
        "until then; --allow-empty-history says that they never signed.");
  }
  const json::value document = json::object{{"data", std::move(all)}};
  print_reply(document, options.signer.output);
  return outcome ? check_results(document) : outcome;
}

struct ExportOptions {
  SignerOptions signer;
  std::string public_key;
};
Result<void> run_export(const ExportOptions& options) {
  CC_ASSIGN(SecretBytes token, token_of(options.signer.auth_token, "--auth-token"));
  CC_ASSIGN(
      const json::value reply,
      ask_one(options.signer, {.method = "GET",
                               .path = std::string(kKeysPath) + "/backup?pubkey=" + query_value(options.public_key),
                               .token = std::move(token)}));
  const json::value* backup = reply.is_object() ? reply.as_object().if_contains("backup") : nullptr;
  if (backup == nullptr || backup->is_null()) {
    return fail(ErrorKind::unknown_key,
                "this key has no backup: it was imported, restored, or generated without "
                "--backup-recipient");
  }
  return {};
}

}  // namespace

void add_keys_backup_commands(CLI::App& group, Chosen& chosen) {
  const auto restore = std::make_shared<RestoreOptions>();
  CLI::App* command = add_command(group, chosen, "restore", "Bring keys back from their mnemonic; may be repeated",
                                  restore, &run_restore);
  add_signer_options(*command, restore->signer);
  add_auth_option(*command, restore->signer);
  command->add_option("--first", restore->first, "Index of the first key (m/12381/3600/INDEX/0/0)")
      ->capture_default_str();
  command->add_option("--count", restore->count, "How many keys, from that index on")->required();
  command->add_flag("--mnemonic-stdin", restore->mnemonic_stdin, "Read the mnemonic as one line from stdin");
  command->add_flag("--allow-empty-history", restore->allow_empty_history, "These keys never signed anywhere");

  const auto backup = std::make_shared<ExportOptions>();
  command = add_command(group, chosen, "export-backup", "The encrypted mnemonic that a key was generated from", backup,
                        &run_export);
  add_signer_options(*command, backup->signer);
  add_auth_option(*command, backup->signer);
  command->add_option("pubkey", backup->public_key, "Public key (0x…)")->required();
}

}  // namespace cc::app
