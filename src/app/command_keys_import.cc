// keys import: EIP-2335 keystores with their passwords, or bare private keys on stdin. Sent in batches, one reply
// printed.
#include <unistd.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <filesystem>

#include "app/command_keys.h"
#include "app/terminal.h"

namespace cc::app {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr std::size_t kMaxKeystoreBytes = 64UL * 1024;
// A signer opens a keystore in about a second and answers within its reply timeout: small batches of them.
constexpr std::size_t kKeystoresPerCall = 8;
constexpr std::size_t kPrivateKeysPerCall = 100;

struct ImportOptions {
  SignerOptions signer;
  std::vector<std::string> paths;
  std::string password_file, passwords_dir;
  bool password_stdin = false, private_key_stdin = false, memory_only = false, allow_empty_history = false;
};

// One key to import: either a keystore with its password, or a private key.
struct Item {
  std::string file;  // of the keystore
  SecretBytes keystore, password, private_key;
};

struct KeystorePath {
  std::string path;
  bool named = false;  // by the caller, not found in a folder
};

// Folders stand for the .json files in them, in order of name.
Result<std::vector<KeystorePath>> keystore_paths(const std::vector<std::string>& paths) {
  std::vector<KeystorePath> out;
  for (const std::string& path : paths) {
    std::error_code error;
    if (!fs::is_directory(path, error)) {
      out.push_back({path, true});
      continue;
    }
    std::vector<std::string> inside;
    for (fs::directory_iterator entry(path, error), end; !error && entry != end; entry.increment(error)) {
      if (entry->path().extension() == ".json") {
        inside.push_back(entry->path().string());
      }
    }
    if (error || inside.empty()) {
      return fail(ErrorKind::usage, path + (error ? " cannot be read: " + error.message() : " holds no .json file"));
    }
    std::sort(inside.begin(), inside.end());
    for (std::string& file : inside) {
      out.push_back({std::move(file), false});
    }
  }
  return out;
}

// What the signer would say of all of a batch at once, said here of the one file.
bool looks_like_a_keystore(const SecretBytes& text) {
  const auto bytes = expose_secret_bytes(text);
  boost::system::error_code error;
  const json::value parsed = json::parse({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, error);
  return !error && parsed.is_object() && parsed.as_object().contains("crypto");
}

// Read before anything is asked. Tools that make keystores put other .json files beside them.
Result<std::vector<Item>> keystores(const std::vector<std::string>& paths) {
  CC_ASSIGN(const auto files, keystore_paths(paths));
  std::vector<Item> out;
  for (const KeystorePath& file : files) {
    Item item;
    item.file = file.path;
    CC_ASSIGN(item.keystore, read_secret_file(file.path, kMaxKeystoreBytes));
    if (looks_like_a_keystore(item.keystore)) {
      out.push_back(std::move(item));
    } else if (file.named) {
      return fail(ErrorKind::keystore_invalid, file.path + " is no EIP-2335 keystore; nothing was sent");
    } else {
      advise(file.path + " is no EIP-2335 keystore; left out.");
    }
  }
  return out.empty() ? Result<std::vector<Item>>(fail(ErrorKind::usage, "no keystore was found; nothing was sent"))
                     : Result<std::vector<Item>>(std::move(out));
}

// The first line of the file: editors like to end it with a line ending that is no part of the password.
Result<SecretBytes> password_in(const std::string& path) {
  CC_ASSIGN(const SecretBytes text, read_secret_file(path, kMaxSecretLine));
  const auto bytes = expose_secret_bytes(text);
  std::size_t size = bytes.size();
  if (size > 0 && bytes[size - 1] == '\n') {
    --size;
  }
  if (size > 0 && bytes[size - 1] == '\r') {
    --size;
  }
  return SecretBytes::copy_of(bytes.first(size));
}

Result<SecretBytes> common_password(const ImportOptions& options) {
  if (!options.password_file.empty()) {
    return password_in(options.password_file);
  }
  return options.password_stdin ? read_secret_line(STDIN_FILENO, "the password on stdin")
                                : prompt_secret("Password of the keystores", "--password-stdin");
}

Result<std::vector<Item>> keystore_items(const ImportOptions& options) {
  CC_ASSIGN(std::vector<Item> out, keystores(options.paths));
  SecretBytes common;
  if (options.passwords_dir.empty()) {
    CC_ASSIGN(common, common_password(options));
  }
  for (Item& item : out) {
    if (options.passwords_dir.empty()) {
      item.password = common.clone();
    } else {
      CC_ASSIGN(item.password,
                password_in((fs::path(options.passwords_dir) / fs::path(item.file).stem()).string() + ".txt"));
    }
  }
  return out;
}

Result<std::vector<Item>> private_key_items() {
  std::vector<Item> out;
  while (true) {
    auto line = read_secret_line(STDIN_FILENO, "the private key on stdin");
    if (!line && !out.empty()) {
      return out;
    }
    if (!line) {
      return fail(std::move(line).error());
    }
    if (!line->empty()) {
      Item item;
      item.private_key = *std::move(line);
      out.push_back(std::move(item));
    }
  }
}

std::string item_json(const Item& item) {
  SecretJson out;
  if (!item.private_key.empty()) {
    return out.add_secret("private_key", item.private_key).finish();
  }
  const auto bytes = expose_secret_bytes(item.keystore);
  return out.add_json("keystore", {reinterpret_cast<const char*>(bytes.data()), bytes.size()})
      .add_secret("password", item.password)
      .finish();
}

std::string batch_body(std::span<const Item> items, const ImportOptions& options) {
  std::string list = "[";
  list.reserve(items.size() * kMaxKeystoreBytes / 8);
  for (const Item& item : items) {
    std::string one = item_json(item);
    list += (list.size() == 1 ? "" : ",") + one;
    wipe(one);
  }
  list += "]";
  SecretJson body;
  body.add_json("keys", list).add_json("storage", options.memory_only ? R"({"persist":false})" : R"({"persist":true})");
  if (options.allow_empty_history) {
    body.add_json("allow_empty_history", "true");
  }
  std::string out = body.finish();
  wipe(list);
  return out;
}

// Which file a trouble is of; the results stand in the order of what was sent.
void name_files(std::span<const Item> items, std::span<json::value> results) {
  for (std::size_t i = 0; i < std::min(items.size(), results.size()); ++i) {
    json::object* const one = results[i].if_object();
    const json::value* const status = one == nullptr ? nullptr : one->if_contains("status");
    const json::value* const message = one == nullptr ? nullptr : one->if_contains("message");
    if (!items[i].file.empty() && status != nullptr && *status == "error" && message != nullptr &&
        message->is_string()) {
      (*one)["message"] = items[i].file + ": " + std::string(message->as_string());
    }
  }
}

Result<void> check_choice(const ImportOptions& options) {
  if (options.private_key_stdin == !options.paths.empty()) {
    return fail(ErrorKind::usage, "name keystore files or folders, or pass --private-key-stdin");
  }
  const int passwords = (options.password_file.empty() ? 0 : 1) + (options.passwords_dir.empty() ? 0 : 1) +
                        (options.password_stdin ? 1 : 0);
  if (passwords > 1 || (options.private_key_stdin && passwords != 0)) {
    return fail(ErrorKind::usage, "give the password in one way: --password-file, --passwords-dir or --password-stdin");
  }
  return {};
}

Result<void> run_import(const ImportOptions& options) {
  CC_TRY(check_choice(options));
  CC_ASSIGN(const SignerClient client, single_signer(options.signer));
  CC_ASSIGN(const SecretBytes token, token_of(options.signer.auth_token, "--auth-token"));
  CC_ASSIGN(const auto items, options.private_key_stdin ? private_key_items() : keystore_items(options));
  json::array all;
  const std::size_t per_call = options.private_key_stdin ? kPrivateKeysPerCall : kKeystoresPerCall;
  for (std::size_t start = 0; start < items.size(); start += per_call) {
    const auto batch = std::span(items).subspan(start, std::min(per_call, items.size() - start));
    const auto reply = client.call("POST", std::string(kKeysPath), token, batch_body(batch, options));
    const std::size_t before = all.size();
    const Result<void> taken = reply ? take_data(*reply, all) : Result<void>(fail(reply.error()));
    if (!taken) {
      if (!all.empty()) {
        print_reply(json::object{{"data", std::move(all)}}, options.signer.output);
        advise("The first " + std::to_string(start) +
               " keys were sent before this failed; importing them again is harmless.");
      }
      return taken;
    }
    name_files(batch, std::span(all).subspan(before));
    if (items.size() > per_call) {
      advise(std::to_string(start + batch.size()) + " of " + std::to_string(items.size()) + " keys sent");
    }
  }
  const json::value reply = json::object{{"data", std::move(all)}};
  print_reply(reply, options.signer.output);
  return check_results(reply);
}

}  // namespace

void add_keys_import_command(CLI::App& group, Chosen& chosen) {
  const auto options = std::make_shared<ImportOptions>();
  CLI::App* command =
      add_command(group, chosen, "import", "Import EIP-2335 keystores, or private keys on stdin", options, &run_import);
  add_signer_options(*command, options->signer);
  add_auth_option(*command, options->signer);
  command->add_option("keystores", options->paths, "Keystore files, or folders of them");
  command->add_option("--password-file", options->password_file, "File with the password of all keystores");
  command->add_option("--passwords-dir", options->passwords_dir, "Folder with NAME.txt for each NAME.json");
  command->add_flag("--password-stdin", options->password_stdin, "Read the password of all keystores from stdin");
  command->add_flag("--private-key-stdin", options->private_key_stdin,
                    "Read private keys (0x…) from stdin, one per line");
  command->add_flag("--memory-only", options->memory_only,
                    "Keep the keys in memory only: a restart or a seal drops them");
  command->add_flag("--allow-empty-history", options->allow_empty_history,
                    "These keys never signed before: let them sign under anti_slashing.require_history");
}

}  // namespace cc::app
