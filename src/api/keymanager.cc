// /eth/v1/keystores: the Ethereum keymanager API for local keystores (list, import, delete), off by default.
//
// An import applies the slashing history that came with the keys before any of them is stored or may sign; a delete
// withdraws the permits first and reads the history afterwards, so that it holds every signature ever released.
// docs/reference/keymanager.md is the reader's page. Errors are {"code": HTTP status, "message"}.
#include <boost/json.hpp>
#include <utility>

#include "api/answer.h"
#include "api/families.h"
#include "api/json_body.h"
#include "api/keymanager_history.h"
#include "api/sign_input.h"
#include "base/bytes.h"

namespace cc::api {
namespace json = boost::json;
namespace {

constexpr const char* kPath = "/eth/v1/keystores";
constexpr std::size_t kBodyLimit = 10UL * 1024 * 1024;

http::Response shaped(const Error& error) {
  // A history of another network is a fault of the body here, as with Web3Signer.
  const int status = error.kind == ErrorKind::network_mismatch ? 400 : facts(error.kind).http_status;
  http::Response response =
      http::json(status, json::serialize(json::object{{"code", status}, {"message", error.message}}));
  add_error_headers(response, error);
  return response;
}

// Without a chamber there are keys of files and of memory; with one, nothing is shown or changed until it is open.
Result<void> usable(const Context& context) {
  if (context.chamber_exists() && !context.chamber.may_sign()) {
    return fail(ErrorKind::signer_sealed, "signer is sealed");
  }
  return {};
}
Result<void> changeable(const Context& context) {
  CC_TRY(usable(context));
  return context.stores_ready();
}

Result<http::Response> list_keystores(Context& context, http::Request&) {
  CC_TRY(usable(context));
  json::array data;
  for (const BlsPublicKey& key : context.ring.public_keys()) {
    if (const auto loaded = context.ring.find(key)) {
      data.push_back(json::object{{"validating_pubkey", to_0x(key)},
                                  {"derivation_path", ""},
                                  {"readonly", loaded->source == keys::KeySource::filesystem}});
    }
  }
  return http::json(200, json::serialize(json::object{{"data", std::move(data)}}));
}

Result<std::vector<keys::ImportItem>> items_of(const JsonObject& body, std::size_t most, bool persist) {
  CC_ASSIGN(std::vector<std::string> keystores, body.nested_jsons("keystores", most));
  CC_ASSIGN(std::vector<SecretBytes> passwords, body.secrets("passwords", most));
  if (keystores.size() != passwords.size()) {
    return fail(ErrorKind::malformed_request,
                "there are " + std::to_string(keystores.size()) + " keystores and " + std::to_string(passwords.size()) +
                    " passwords: each keystore needs its own password, in the same order");
  }
  std::vector<keys::ImportItem> out(keystores.size());
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i].key = keys::KeystoreItem{std::move(keystores[i]), std::move(passwords[i])};
    out[i].persist = persist;
  }
  return out;
}

json::object import_status(const keys::KeyResult& result) {
  const bool known = result.outcome == keys::KeyOutcome::imported || result.outcome == keys::KeyOutcome::duplicate;
  return {{"status", known ? keys::name(result.outcome) : "error"}, {"message", result.message}};
}

Result<http::Response> import_keystores(Context& context, http::Request& request) {
  // A misspelt slashing_protection must not pass for none, so unknown members are errors.
  CC_ASSIGN(const JsonBody body, JsonBody::parse(request.body, {"keystores", "passwords", "slashing_protection"}));
  CC_TRY(changeable(context));
  const bool exists = context.chamber_exists();
  CC_ASSIGN(const auto items, items_of(body.root(), context.options.keymanager.max_items, exists));
  std::optional<ArrivingHistory> history;
  if (body->has("slashing_protection") && !body->is_null("slashing_protection")) {
    CC_ASSIGN(const std::string text, body->nested_json("slashing_protection"));
    CC_ASSIGN(history, ArrivingHistory::read(context, text));
  }
  CC_ASSIGN(const auto results, context.keys.import(items, exists, [&](const std::vector<BlsPublicKey>& keys) {
    return history ? history->apply(keys) : Result<void>();
  }));
  json::array data;
  for (const keys::KeyResult& result : results) {
    data.push_back(import_status(result));
  }
  return http::json(200, json::serialize(json::object{{"data", std::move(data)}}));
}

Result<std::vector<BlsPublicKey>> public_keys_of(const JsonObject& body, std::size_t most) {
  CC_ASSIGN(const std::vector<std::string> texts, body.texts("pubkeys"));
  if (texts.size() > most) {
    return fail(ErrorKind::malformed_request, "pubkeys has " + std::to_string(texts.size()) +
                                                  " items; one request takes at most " + std::to_string(most) +
                                                  ": send several");
  }
  std::vector<BlsPublicKey> out;
  for (const std::string& text : texts) {
    const auto key = public_key_of(text);
    if (!key) {
      return fail(ErrorKind::malformed_request, "pubkeys[" + std::to_string(out.size()) + "]: " + key.error().message);
    }
    out.push_back(*key);
  }
  return out;
}

Result<http::Response> delete_keys(Context& context, http::Request& request) {
  CC_ASSIGN(const JsonBody body, JsonBody::parse(request.body, {"pubkeys"}));
  CC_ASSIGN(const auto wanted, public_keys_of(body.root(), context.options.keymanager.max_items));
  CC_TRY(changeable(context));
  CC_ASSIGN(const auto results, context.keys.remove(wanted, context.chamber_exists()));
  // Of a key that could not be stopped nothing is handed out: it may go on signing here.
  std::vector<BlsPublicKey> stopped;
  for (const keys::KeyResult& result : results) {
    if (result.outcome != keys::KeyOutcome::error) {
      stopped.push_back(*result.public_key);
    }
  }
  CC_ASSIGN(const LeavingHistory history, LeavingHistory::take(context, stopped));
  json::array data;
  for (const keys::KeyResult& result : results) {
    const bool gone = result.outcome == keys::KeyOutcome::not_found;
    const std::string_view status =
        gone ? (history.known.contains(*result.public_key) ? "not_active" : "not_found") : keys::name(result.outcome);
    data.push_back(json::object{{"status", status}, {"message", result.message}});
  }
  return http::json(
      200, json::serialize(json::object{{"data", std::move(data)}, {"slashing_protection", history.interchange}}));
}

Work in_shape(Context& context, Result<http::Response> (*endpoint)(Context&, http::Request&)) {
  return [&context, endpoint](http::Request& request) -> Result<http::Response> {
    Result<http::Response> response = endpoint(context, request);
    return response ? std::move(response) : shaped(response.error());
  };
}

http::Handler guarded(Check check, http::Handler inner) {
  return [check = std::move(check), inner = std::move(inner)](http::Request request, const http::Responder& respond) {
    if (const Result<void> allowed = check(request); !allowed) {
      respond(shaped(allowed.error()));
      return;
    }
    inner(std::move(request), respond);
  };
}

std::shared_ptr<const http::Admission> admission_of(Check check) {
  return std::make_shared<const http::Admission>(
      [check = std::move(check)](const http::Request& head) -> std::optional<http::Response> {
        const Result<void> allowed = check(head);
        return allowed ? std::nullopt : std::optional(shaped(allowed.error()));
      });
}

}  // namespace

void add_keymanager_routes(http::Router& router, Context& context) {
  if (!context.options.keymanager_enabled) {
    return;
  }
  const auto add = [&](const char* method, const Check& check, http::Handler handler) {
    router.add(method, kPath, guarded(check, std::move(handler)),
               {.body_limit = kBodyLimit,
                .admission = admission_of(check),
                .reply_timeout = context.options.keymanager.timeout});
  };
  add("GET", needs(context, access::Scope::list_keys), direct(open_to_all(), in_shape(context, list_keystores)));
  add("POST", both(needs(context, access::Scope::import_keystores), takes_secrets(context)),
      queued(context.key_work, open_to_all(), in_shape(context, import_keystores)));
  add("DELETE", needs(context, access::Scope::delete_keys),
      queued(context.key_work, open_to_all(), in_shape(context, delete_keys)));
}

}  // namespace cc::api
