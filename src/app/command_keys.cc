// keys list | generate | activate | deactivate | delete; import has a file of its own.
#include "app/command_keys.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "app/command_operator.h"
#include "formats/age_recipient.h"

namespace cc::app {
namespace {

namespace json = boost::json;

struct ListOptions {
  SignerOptions signer;
};
// Follows the pages to the end and prints one document.
Result<void> run_list(const ListOptions& options) {
  CC_ASSIGN(const SignerClient client, single_signer(options.signer));
  CC_ASSIGN(const SecretBytes token, token_of(options.signer.auth_token, "--auth-token"));
  json::array all;
  std::string cursor;
  while (true) {
    const std::string path =
        std::string(kKeysPath) + "?limit=1000" + (cursor.empty() ? "" : "&cursor=" + query_value(cursor));
    CC_ASSIGN(const json::value page, client.call("GET", path, token));
    const std::size_t before = all.size();
    CC_TRY(take_data(page, all));
    const json::value* next = page.as_object().if_contains("next_cursor");
    if (next == nullptr || !next->is_string() || all.size() == before) {
      break;
    }
    cursor = std::string(next->as_string());
  }
  print_reply(json::object{{"data", std::move(all)}}, options.signer.output);
  return {};
}

struct GenerateOptions {
  SignerOptions signer;
  std::string count = "1";
  std::vector<std::string> backup_recipients;
};

// One call, as every call has a mnemonic of its own, and a backup is of one.
Result<void> generate_with_backup(const GenerateOptions& options, std::uint64_t count) {
  for (const std::string& text : options.backup_recipients) {
    if (const auto recipient = age::parse_recipient(text); !recipient) {
      return fail(ErrorKind::usage, "--backup-recipient: " + recipient.error().message);
    }
  }
  CC_ASSIGN(SecretBytes token, token_of(options.signer.auth_token, "--auth-token"));
  const auto body = [&] {
    return SecretJson()
        .add_json("count", std::to_string(count))
        .add_json("backup_recipients", json_list(options.backup_recipients))
        .finish();
  };
  CC_ASSIGN(const json::value reply, ask_one(options.signer, {.method = "POST",
                                                              .path = std::string(kKeysPath) + "/generate",
                                                              .token = std::move(token),
                                                              .body = body}));
  advise(
      "The backup is the mnemonic of these keys, encrypted: store it apart from the signer, and try once that `age "
      "--decrypt` opens it. `keys restore --count " +
      std::to_string(count) + "` brings the keys back from the mnemonic. `keys export-backup` prints it again.");
  return check_results(reply);
}
// Many keys are asked for in several calls, so that each is answered within the signer's reply timeout.
Result<void> run_generate(const GenerateOptions& options) {
  constexpr std::uint64_t kMost = 100'000;
  constexpr std::uint64_t kPerCall = 100;
  CC_ASSIGN(const std::uint64_t count, parse_count(options.count, "--count", kMost));
  if (!options.backup_recipients.empty()) {
    return generate_with_backup(options, count);
  }
  CC_ASSIGN(const SignerClient client, single_signer(options.signer));
  CC_ASSIGN(const SecretBytes token, token_of(options.signer.auth_token, "--auth-token"));
  json::array all;
  Result<void> outcome;
  std::uint64_t asked = 0;
  do {
    const std::uint64_t now = std::min(kPerCall, count - asked);
    const auto reply = client.call("POST", std::string(kKeysPath) + "/generate", token,
                                   SecretJson().add_json("count", std::to_string(now)).finish());
    outcome = reply ? take_data(*reply, all) : Result<void>(fail(reply.error()));
    asked += now;
    if (count > kPerCall) {
      advise(std::to_string(asked) + " of " + std::to_string(count) + " keys asked for");
    }
  } while (outcome && asked < count);
  if (!outcome && all.empty()) {
    return outcome;
  }
  const json::value document = json::object{{"data", std::move(all)}};
  print_reply(document, options.signer.output);
  advise(
      "these keys are in the signer's stores and nowhere else: back the stores up (docs/ceremonies/backup-signer.md), "
      "or make keys that a mnemonic brings back, with --backup-recipient (docs/ceremonies/key-backup.md)");
  return outcome ? check_results(document) : outcome;
}

struct ChangeOptions {
  SignerOptions signer;
  std::vector<std::string> public_keys;
};
Result<void> change(const ChangeOptions& options, const std::string& method, const std::string& status) {
  CC_ASSIGN(SecretBytes token, token_of(options.signer.auth_token, "--auth-token"));
  const auto body = [&] {
    SecretJson json;
    json.add_json("pubkeys", json_list(options.public_keys));
    if (!status.empty()) {
      json.add("status", status);
    }
    return json.finish();
  };
  CC_ASSIGN(const auto reply,
            ask_one(options.signer,
                    {.method = method, .path = std::string(kKeysPath), .token = std::move(token), .body = body}));
  return check_results(reply);
}
Result<void> run_activate(const ChangeOptions& options) { return change(options, "PATCH", "active"); }
Result<void> run_deactivate(const ChangeOptions& options) { return change(options, "PATCH", "inactive"); }
Result<void> run_delete(const ChangeOptions& options) { return change(options, "DELETE", ""); }

void add_change(CLI::App& group, Chosen& chosen, const std::string& name, const std::string& help,
                Result<void> (*body)(const ChangeOptions&)) {
  const auto options = std::make_shared<ChangeOptions>();
  CLI::App* command = add_command(group, chosen, name, help, options, body);
  add_signer_options(*command, options->signer);
  add_auth_option(*command, options->signer);
  command->add_option("pubkeys", options->public_keys, "Public keys (0x…)")->required();
}

}  // namespace

Result<void> take_data(const json::value& reply, json::array& all) {
  const json::object* object = reply.if_object();
  const json::value* data = object == nullptr ? nullptr : object->if_contains("data");
  if (data == nullptr || !data->is_array()) {
    return fail(ErrorKind::internal, "the signer's reply has no data");
  }
  all.insert(all.end(), data->as_array().begin(), data->as_array().end());
  return {};
}

Result<void> check_results(const json::value& reply) {
  json::array data;
  CC_TRY(take_data(reply, data));
  std::size_t failed = 0;
  for (const json::value& item : data) {
    const json::value* status = item.is_object() ? item.as_object().if_contains("status") : nullptr;
    const bool bad = status == nullptr || !status->is_string() || status->as_string() == "error" ||
                     status->as_string() == "not_found";
    failed += bad ? 1 : 0;
  }
  if (failed != 0) {
    return fail(ErrorKind::key_invalid,
                std::to_string(failed) + " of " + std::to_string(data.size()) + " keys failed; the reply says why");
  }
  return {};
}

void add_keys_commands(CLI::App& root, Chosen& chosen) {
  CLI::App* group = root.add_subcommand("keys", "Validator keys of a running signer");
  group->require_subcommand(1);

  const auto list = std::make_shared<ListOptions>();
  CLI::App* command = add_command(*group, chosen, "list", "All sealed keys with their status", list, &run_list);
  add_signer_options(*command, list->signer);
  add_auth_option(*command, list->signer);

  const auto generate = std::make_shared<GenerateOptions>();
  command = add_command(*group, chosen, "generate", "Generate keys inside the signer", generate, &run_generate);
  add_signer_options(*command, generate->signer);
  add_auth_option(*command, generate->signer);
  command->add_option("--count", generate->count, "How many")->capture_default_str();
  command->add_option("--backup-recipient", generate->backup_recipients,
                      "Encrypt the mnemonic of these keys to this age recipient (age1…); may be given many times");

  add_keys_import_command(*group, chosen);
  add_keys_deposit_commands(*group, chosen);
  add_keys_backup_commands(*group, chosen);
  add_change(*group, chosen, "activate", "Let inactive keys sign here again", &run_activate);
  add_change(*group, chosen, "deactivate", "Stop keys from signing here; they stay stored", &run_deactivate);
  add_change(*group, chosen, "delete", "Remove keys from this signer; their slashing history stays", &run_delete);
}

}  // namespace cc::app
