// GET /api/v1/chamber/unseal/credentials?operator=NAME: credential ids are no secret (operations guide).
#include <boost/json.hpp>

#include "api/answer.h"
#include "api/families.h"

namespace cc::api {
namespace json = boost::json;
namespace {

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
  router.add(
      "GET", "/api/v1/chamber/unseal/credentials",
      queued(context.ceremonies, open_to_all(), [&context](http::Request& request) { return list(context, request); }));
}

}  // namespace cc::api
