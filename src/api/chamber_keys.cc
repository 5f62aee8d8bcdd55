// /api/v1/chamber/keys: list, import, generate, restore, encrypted backups, activate and deactivate, remove.
#include <boost/json.hpp>
#include <charconv>
#include <utility>

#include "api/answer.h"
#include "api/families.h"
#include "api/json_body.h"
#include "api/sign_input.h"
#include "base/bytes.h"
#include "formats/age_file.h"
#include "guard/history.h"

namespace cc::api {
namespace json = boost::json;
namespace {

constexpr std::size_t kDefaultPage = 100;
constexpr std::size_t kImportBodyLimit = 10UL * 1024 * 1024;

// Sealed keys can be worked on only while the chamber is open.
Result<void> chamber_open(const Context& context) {
  if (context.chamber.may_sign()) {
    return {};
  }
  if (!context.chamber_exists()) {
    return fail(ErrorKind::not_initialized, "there is no chamber yet; run operator init first");
  }
  return fail(ErrorKind::signer_sealed, "signer is sealed");
}

json::array list_of(const std::vector<keys::KeyResult>& all) {
  json::array data;
  data.reserve(all.size());
  for (const keys::KeyResult& one : all) {
    json::value pubkey = one.public_key ? json::value(to_0x(*one.public_key)) : json::value(nullptr);
    data.push_back(
        json::object{{"pubkey", std::move(pubkey)}, {"status", keys::name(one.outcome)}, {"message", one.message}});
  }
  return data;
}

http::Response results(const std::vector<keys::KeyResult>& all) {
  return http::json(200, json::serialize(json::object{{"data", list_of(all)}}));
}

Result<void> at_most(std::size_t most, std::size_t given, std::string_view field) {
  if (given <= most) {
    return {};
  }
  return fail(ErrorKind::malformed_request, std::string(field) + ": one request takes at most " + std::to_string(most) +
                                                " keys, not " + std::to_string(given) +
                                                "; send several (chamber.keys.*.max_items_per_request)");
}

Result<std::vector<BlsPublicKey>> public_keys_of(const JsonObject& body, std::size_t most) {
  CC_ASSIGN(const std::vector<std::string> texts, body.texts("pubkeys"));
  CC_TRY(at_most(most, texts.size(), "pubkeys"));
  std::vector<BlsPublicKey> out;
  out.reserve(texts.size());
  for (const std::string& text : texts) {
    const auto key = public_key_of(text);
    if (!key) {
      return fail(ErrorKind::malformed_request, "pubkeys[" + std::to_string(out.size()) + "]: " + key.error().message);
    }
    out.push_back(*key);
  }
  return out;
}

Result<std::size_t> limit_of(const http::Request& request) {
  const auto given = request.query.find("limit");
  if (given == request.query.end()) {
    return kDefaultPage;
  }
  const std::string& text = given->second;
  std::size_t limit = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), limit);
  if (error != std::errc() || end != text.data() + text.size() || limit == 0 || limit > keys::kLargestPage) {
    return fail(ErrorKind::malformed_request, "limit must be 1 to " + std::to_string(keys::kLargestPage));
  }
  return limit;
}

Result<http::Response> list(Context& context, http::Request& request) {
  CC_TRY(chamber_open(context));
  CC_ASSIGN(const std::size_t limit, limit_of(request));
  std::optional<BlsPublicKey> cursor;
  if (const auto given = request.query.find("cursor"); given != request.query.end()) {
    CC_ASSIGN(cursor, public_key_of(given->second));
  }
  CC_ASSIGN(const keys::KeyPage page, context.keys.list(limit, cursor));
  json::array data;
  for (const keys::KeyInfo& key : page.keys) {
    data.push_back(json::object{{"pubkey", to_0x(key.public_key)},
                                {"status", keys::name(key.status)},
                                {"created_at", key.created_at},
                                {"updated_at", key.updated_at},
                                {"label", key.label}});
  }
  json::value next = page.next_cursor ? json::value(to_0x(*page.next_cursor)) : json::value(nullptr);
  return http::json(200, json::serialize(json::object{{"data", std::move(data)}, {"next_cursor", std::move(next)}}));
}

Result<http::Response> generate(Context& context, http::Request& request) {
  CC_ASSIGN(const JsonBody body, JsonBody::parse(request.body, {"count", "backup_recipients"}));
  CC_ASSIGN(const std::uint32_t count, body->number("count"));
  CC_TRY(at_most(context.options.generate.max_items, count, "count"));
  std::vector<age::Recipient> recipients;
  if (body->has("backup_recipients")) {
    CC_ASSIGN(const std::vector<std::string> texts, body->texts("backup_recipients"));
    for (const std::string& text : texts) {
      CC_ASSIGN(const age::Recipient one, age::parse_recipient(text));
      recipients.push_back(one);
    }
    if (recipients.empty()) {
      return fail(ErrorKind::malformed_request, "backup_recipients: name at least one, or leave it out");
    }
  }
  CC_TRY(chamber_open(context));
  CC_ASSIGN(const keys::Generated made, context.keys.generate(count, recipients));
  json::object reply{{"data", list_of(made.keys)}};
  if (made.backup) {
    reply["backup"] = age::armor(*made.backup);
  }
  return http::json(200, json::serialize(reply));
}

Result<http::Response> backup(Context& context, http::Request& request) {
  const auto given = request.query.find("pubkey");
  if (given == request.query.end()) {
    return fail(ErrorKind::malformed_request, "name a key: ?pubkey=0x…");
  }
  CC_ASSIGN(const BlsPublicKey key, public_key_of(given->second));
  CC_TRY(chamber_open(context));
  CC_ASSIGN(const std::optional<Bytes> file, context.keys.backup_of(key));
  const json::value text = file ? json::value(age::armor(*file)) : json::value(nullptr);
  return http::json(200, json::serialize(json::object{{"pubkey", to_0x(key)}, {"backup", text}}));
}

// One entry of an import: {"keystore","password"} or {"private_key"}, and a label. Its shape is checked here; a bad key
// in a good shape is an error of that entry alone.
Result<std::variant<keys::ImportItem, Error>> import_item(const JsonObject& entry, bool persist) {
  keys::ImportItem item;
  item.persist = persist;
  CC_ASSIGN(const std::optional<std::string> label, entry.optional_text("label"));
  item.label = label.value_or("");
  if (entry.has("private_key") == (entry.has("keystore") || entry.has("password"))) {
    return fail(ErrorKind::malformed_request, "each key needs either private_key, or keystore and password");
  }
  if (entry.has("keystore") || entry.has("password")) {
    keys::KeystoreItem keystore;
    CC_ASSIGN(keystore.json, entry.nested_json("keystore"));
    CC_ASSIGN(keystore.password, entry.secret("password"));
    item.key = std::move(keystore);
    return item;
  }
  CC_ASSIGN(const SecretBytes text, entry.secret("private_key"));
  Secret<32> scalar;
  const auto characters = expose_secret_bytes(text);
  const std::string_view hex(reinterpret_cast<const char*>(characters.data()), characters.size());
  if (!from_hex_exact(hex, expose_secret_bytes(scalar))) {
    return Error{ErrorKind::key_invalid, "a private key is 64 hexadecimal digits, with or without 0x"};
  }
  item.key = std::move(scalar);
  return item;
}

// The caller says that these keys never signed before.
keys::BeforeImport declaration(Context& context, bool empty_history) {
  if (!empty_history || context.slashing == nullptr) {
    return nullptr;
  }
  return [&context](const std::vector<BlsPublicKey>& keys) {
    const std::uint64_t now = context.clock == nullptr ? 0 : context.clock->unix_seconds();
    return context.slashing->transact([&](guard::SlashingTransaction& tx) {
      return guard::allow_empty_history(tx, keys, "import with allow_empty_history", now);
    });
  };
}

Result<http::Response> import_keys(Context& context, http::Request& request) {
  CC_ASSIGN(const JsonBody body, JsonBody::parse(request.body, {"keys", "storage", "allow_empty_history"}));
  CC_ASSIGN(const std::vector<JsonObject> entries,
            body->objects("keys", {"keystore", "password", "private_key", "label"}));
  CC_TRY(at_most(context.options.import.max_items, entries.size(), "keys"));
  CC_ASSIGN(const bool empty_history, body->flag_or("allow_empty_history", false));
  bool persist = true;
  if (body->has("storage")) {
    CC_ASSIGN(const JsonObject storage, body->object("storage", {"persist"}));
    CC_ASSIGN(persist, storage.flag_or("persist", true));
  }
  if (persist || context.chamber_exists()) {
    CC_TRY(chamber_open(context));
  }
  std::vector<keys::KeyResult> all(entries.size());
  std::vector<keys::ImportItem> items;
  std::vector<std::size_t> places;  // of each item in `all`
  for (std::size_t i = 0; i < entries.size(); ++i) {
    CC_ASSIGN(auto item, import_item(entries[i], persist));
    if (const Error* error = std::get_if<Error>(&item)) {
      all[i].message = error->message;
      continue;
    }
    items.push_back(std::get<keys::ImportItem>(std::move(item)));
    places.push_back(i);
  }
  CC_ASSIGN(std::vector<keys::KeyResult> imported,
            context.keys.import(items, context.chamber_exists(), declaration(context, empty_history)));
  for (std::size_t i = 0; i < imported.size() && i < places.size(); ++i) {
    all[places[i]] = std::move(imported[i]);
  }
  return results(all);
}

Result<http::Response> restore(Context& context, http::Request& request) {
  CC_ASSIGN(const JsonBody body, JsonBody::parse(request.body, {"mnemonic", "first", "count", "allow_empty_history"}));
  CC_ASSIGN(const SecretBytes words, body->secret("mnemonic"));
  CC_ASSIGN(const std::uint32_t first, body->number_or("first", 0));
  CC_ASSIGN(const std::uint32_t count, body->number("count"));
  CC_TRY(at_most(context.options.import.max_items, count, "count"));
  CC_ASSIGN(const bool empty_history, body->flag_or("allow_empty_history", false));
  CC_TRY(chamber_open(context));
  return context.keys.restore(words, {first, count}, declaration(context, empty_history)).map(results);
}

Result<http::Response> set_status(Context& context, http::Request& request) {
  CC_ASSIGN(const JsonBody body, JsonBody::parse(request.body, {"pubkeys", "status"}));
  CC_ASSIGN(const std::vector<BlsPublicKey> wanted, public_keys_of(body.root(), context.options.lifecycle.max_items));
  CC_ASSIGN(const std::string status, body->text("status"));
  if (status != "active" && status != "inactive") {
    return fail(ErrorKind::malformed_request, "status must be active or inactive");
  }
  CC_TRY(chamber_open(context));
  return context.keys.set_status(wanted, status == "active" ? keys::KeyStatus::active : keys::KeyStatus::inactive)
      .map(results);
}

Result<http::Response> remove(Context& context, http::Request& request) {
  CC_ASSIGN(const JsonBody body, JsonBody::parse(request.body, {"pubkeys"}));
  CC_ASSIGN(const std::vector<BlsPublicKey> wanted, public_keys_of(body.root(), context.options.lifecycle.max_items));
  if (context.chamber_exists()) {
    CC_TRY(chamber_open(context));
  }
  return context.keys.remove(wanted, context.chamber_exists()).map(results);
}

}  // namespace

void add_chamber_keys_routes(http::Router& router, Context& context) {
  const auto add = [&](const char* method, const char* path, CeremonyQueue& queue, Check check, auto endpoint,
                       std::optional<Milliseconds> timeout = std::nullopt) {
    auto admission = admits(check);
    router.add(method, path,
               queued(queue, std::move(check),
                      [&context, endpoint](http::Request& request) { return endpoint(context, request); }),
               {.body_limit = kImportBodyLimit, .admission = std::move(admission), .reply_timeout = timeout});
  };
  const char* const keys = "/api/v1/chamber/keys";
  add("GET", keys, context.ceremonies, needs(context, access::Scope::chamber_keys_list), list);
  add("GET", "/api/v1/chamber/keys/backup", context.ceremonies, needs(context, access::Scope::chamber_keys_list),
      backup);
  if (context.options.generate_enabled) {
    add("POST", "/api/v1/chamber/keys/generate", context.key_work, needs(context, access::Scope::chamber_keys_generate),
        generate, context.options.generate.timeout);
  }
  if (context.options.import_enabled) {
    // Private keys and keystore passwords pass: the same rule as for passphrases.
    add("POST", keys, context.key_work,
        both(needs(context, access::Scope::chamber_keys_import), takes_secrets(context)), import_keys,
        context.options.import.timeout);
    add("POST", "/api/v1/chamber/keys/restore", context.key_work,
        both(needs(context, access::Scope::chamber_keys_import), takes_secrets(context)), restore,
        context.options.import.timeout);
  }
  if (context.options.lifecycle_enabled) {
    add("PATCH", keys, context.key_work, needs(context, access::Scope::chamber_keys_patch), set_status,
        context.options.lifecycle.timeout);
    add("DELETE", keys, context.key_work, needs(context, access::Scope::chamber_keys_delete), remove,
        context.options.lifecycle.timeout);
  }
}

}  // namespace cc::api
