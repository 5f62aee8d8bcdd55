// POST and GET /reload, Web3Signer's contract: 202 and the work in the background, 409 while one is running.
#include <boost/json.hpp>

#include "api/answer.h"
#include "api/families.h"
#include "base/iso_time.h"

namespace cc::api {
namespace json = boost::json;
namespace {

const char* word(ReloadState state) {
  switch (state) {
    case ReloadState::idle:
      return "idle";
    case ReloadState::running:
      return "running";
    case ReloadState::completed:
      return "completed";
    case ReloadState::completed_with_errors:
      return "completed_with_errors";
    case ReloadState::failed:
      return "failed";
  }
  return "?";
}

http::Response answer(int status, const char* outcome, std::string_view message) {
  return http::json(status, json::serialize(json::object{{"status", outcome}, {"message", message}}));
}

http::Response begin(const Context& context) {
  const Result<void> begun = context.key_files == nullptr ? Result<void>() : context.key_files->begin();
  if (begun) {
    return answer(202, "accepted", "the key files are read again; GET /reload tells how it went");
  }
  http::Response response = answer(facts(begun.error().kind).http_status, "error", begun.error().message);
  add_error_headers(response, begun.error());
  return response;
}

http::Response tell(const Context& context) {
  const ReloadStatus status = context.key_files == nullptr ? ReloadStatus() : context.key_files->status();
  json::object out{{"status", word(status.state)}};
  if (status.ended_at) {
    out["lastOperationTime"] = iso_time(*status.ended_at);
  }
  if (!status.last_error.empty()) {
    out["lastError"] = status.last_error;
  }
  return http::json(200, json::serialize(out));
}

}  // namespace

void add_reload_routes(http::Router& router, Context& context) {
  router.add("POST", "/reload",
             direct(needs(context, access::Scope::reload),
                    [&context](http::Request&) -> Result<http::Response> { return begin(context); }));
  router.add("GET", "/reload",
             direct(needs(context, access::Scope::reload),
                    [&context](http::Request&) -> Result<http::Response> { return tell(context); }));
}

}  // namespace cc::api
