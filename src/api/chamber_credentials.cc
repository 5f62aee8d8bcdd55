// /api/v1/chamber/unseal/credentials: POST adds, DELETE removes, GET lists, with the bodies that the operations guide
// prints, and the kinds of hardware credentials beside them. An existing credential is the proof; there is no way
// around it. Credential ids are no secret.
#include <boost/json.hpp>

#include "api/answer.h"
#include "api/ceremony_input.h"
#include "api/families.h"

namespace cc::api {
namespace json = boost::json;
namespace {

constexpr const char* kPath = "/api/v1/chamber/unseal/credentials";

// `existing_credential_id`, `existing_passphrase` and so on; what a hardware key answered stands where a passphrase
// would.
Result<seal::NamedCredential> named(const JsonObject& body, const std::string& which) {
  seal::NamedCredential out;
  CC_ASSIGN(out.id, body.text(which + "_credential_id"));
  CC_ASSIGN(const auto kind, body.optional_text(which + "_kind"));
  CC_ASSIGN(out.secret, credential_of(body, kind.value_or(seal::kPassphraseKind), which + "_passphrase"));
  return out;
}

Result<http::Response> add(Context& context, http::Request& request) {
  CC_ASSIGN(const JsonBody body,
            JsonBody::parse(request.body, {"operator", "existing_passphrase", "existing_credential_id", "existing_kind",
                                           "new_passphrase", "new_credential_id", "new_kind", "new_device"}));
  CC_ASSIGN(const std::string name, body->text("operator"));
  CC_ASSIGN(const auto existing, named(body.root(), "existing"));
  CC_ASSIGN(auto added, named(body.root(), "new"));
  CC_TRY(add_device(added.secret, body.root(), "new_device"));
  CC_TRY(context.chamber.add_credential(name, existing, added, request.peer));
  return http::json(200, json::serialize(json::object{{"operator", name}, {"credential_id", added.id}}));
}

Result<http::Response> remove(Context& context, http::Request& request) {
  CC_ASSIGN(const JsonBody body,
            JsonBody::parse(request.body, {"operator", "existing_passphrase", "existing_credential_id", "existing_kind",
                                           "remove_credential_id"}));
  CC_ASSIGN(const std::string name, body->text("operator"));
  CC_ASSIGN(const auto existing, named(body.root(), "existing"));
  CC_ASSIGN(const std::string removed, body->text("remove_credential_id"));
  CC_TRY(context.chamber.remove_credential(name, existing, removed, request.peer));
  return http::json(200, json::serialize(json::object{{"operator", name}, {"removed_credential_id", removed}}));
}

Result<http::Response> list(Context& context, http::Request& request) {
  const auto name = request.query.find("operator");
  if (name == request.query.end() || name->second.empty()) {
    return fail(ErrorKind::malformed_request, "name the operator: ?operator=NAME");
  }
  CC_ASSIGN(const std::vector<std::string> ids, context.chamber.credential_ids(name->second));
  return http::json(200, json::serialize(json::object{{"operator", name->second},
                                                      {"credential_ids", json::array(ids.begin(), ids.end())}}));
}

}  // namespace

void add_chamber_credentials_routes(http::Router& router, Context& context) {
  router.add("GET", kPath, queued(context.ceremonies, open_to_all(), for_anyone([&context](http::Request& request) {
                                    return list(context, request);
                                  })));
  router.add("POST", kPath,
             queued(context.ceremonies, takes_secrets(context),
                    for_anyone([&context](http::Request& request) { return add(context, request); })));
  router.add("DELETE", kPath,
             queued(context.ceremonies, takes_secrets(context),
                    for_anyone([&context](http::Request& request) { return remove(context, request); })));
}

}  // namespace cc::api
