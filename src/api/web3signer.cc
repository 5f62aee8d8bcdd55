// Web3Signer's contract: POST /api/v1/eth2/sign/{identifier} and GET /api/v1/eth2/publicKeys.
//
// A sign request is answered in the order of DESIGN section 5: overload, token, scope, signing not available,
// malformed, unknown key, limits and foreign network, signing root, guard, store. Unlike Web3Signer every refusal says
// why.
#include <boost/json.hpp>
#include <chrono>
#include <memory>
#include <utility>

#include "api/answer.h"
#include "api/families.h"
#include "api/sign_rules.h"
#include "api/witness.h"
#include "base/bytes.h"
#include "http/turn.h"

namespace cc::api {
namespace json = boost::json;
namespace {

constexpr const char* kJson = "application/json; charset=utf-8";
constexpr const char* kText = "text/plain; charset=utf-8";

http::Response sign_response(int status, std::string body, bool as_json, const Error* error) {
  http::Response response;
  response.status = status;
  response.content_type = as_json ? kJson : kText;
  response.body = std::move(body);
  if (error != nullptr) {
    add_error_headers(response, *error);
  }
  return response;
}

std::string sign_refusal(const Error& error, bool as_json) {
  return as_json ? json::serialize(json::object{{"message", error.message}, {"code", facts(error.kind).code}})
                 : error.message;
}

// One sign request from its arrival to its answer.
class SignExchange {
 public:
  SignExchange(Context& context, LastSignBody& last, http::Request request, http::Responder respond)
      : context_(context),
        last_(last),
        request_(std::move(request)),
        respond_(std::move(respond)),
        json_(wants_json(request_.header("accept"))) {}

  // Everything up to the queue; the rest happens on the pipeline's threads.
  static void start(const std::shared_ptr<SignExchange>& self) {
    Result<signing::SignJob> job = self->prepare();
    self->asker_.peer = std::move(self->request_.peer);
    self->asker_.request_id = std::move(self->request_.id);
    self->request_ = http::Request();  // a burst keeps thousands waiting: not with their bodies
    if (!job) {
      self->refuse(job.error());
      return;
    }
    job->reply = [self](Result<BlsSignature> signature) { self->finish(std::move(signature)); };
    signing::Pipeline& pipeline = self->context_.pipeline;
    pipeline.put(*std::move(job));
    http::after_this_turn(&pipeline, [&pipeline] { pipeline.wake(); });
  }

 private:
  Result<signing::SignJob> prepare() {
    CC_ASSIGN(const access::Caller caller, admit_signing(context_, request_));
    asker_.policy = caller.policy;
    asker_.authenticated = caller.authenticated;
    CC_ASSIGN(const BlsPublicKey identifier, public_key_of(request_.captures["identifier"]));
    asker_.key = identifier;
    canary_ = canary_of(context_, identifier, caller, request_);
    CC_ASSIGN(const auto body, last_.read(request_.body, context_.network));
    operation_ = body->type();
    return body->job_for(context_, caller, identifier);
  }

  void finish(Result<BlsSignature> signature) {
    if (!signature) {
      refuse(signature.error());
      return;
    }
    const std::string hex = to_0x(*signature);
    answer(200, json_ ? R"({"signature":")" + hex + "\"}" : hex, nullptr);
  }

  void refuse(const Error& error) {
    count_refusal(context_, error);
    witness_refused_signature(context_, asker_, operation_, error);
    answer(facts(error.kind).http_status, sign_refusal(error, json_), &error);
  }

  void answer(int status, std::string body, const Error* error) {
    context_.metrics.signing_request(operation_, status, std::chrono::steady_clock::now() - start_);
    if (canary_) {
      raise_alarm(context_, *canary_, operation_, status);
    }
    respond_(sign_response(status, std::move(body), json_, error));
  }

  Context& context_;
  LastSignBody& last_;
  http::Request request_;
  const http::Responder respond_;
  const bool json_;
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::string operation_;  // empty until it is known
  Asker asker_;
  std::optional<Canary> canary_;  // the request is for a canary key
};

// A refusal on the head, shaped and counted as every other.
std::shared_ptr<const http::Admission> sign_admission(const Context& context) {
  return std::make_shared<const http::Admission>(
      [&context](const http::Request& head) -> std::optional<http::Response> {
        const auto start = std::chrono::steady_clock::now();
        const Result<access::Caller> caller = admit_signing(context, head);
        if (caller) {
          return std::nullopt;
        }
        const Error& error = caller.error();
        const int status = facts(error.kind).http_status;
        witness_refused_signature(context, asker_of(context, head), {}, error);
        context.metrics.signing_request({}, status, std::chrono::steady_clock::now() - start);
        const bool as_json = wants_json(head.header("accept"));
        return sign_response(status, sign_refusal(error, as_json), as_json, &error);
      });
}

// A JSON array of every loaded key; built by hand, because ten thousand keys are asked for often.
Result<http::Response> public_keys(const Context& context) {
  CC_TRY(keys_complete(context));
  const std::vector<BlsPublicKey> keys = context.ring.public_keys();
  http::Response response;
  response.content_type = kJson;
  response.body.reserve(2 + keys.size() * 101);
  response.body += '[';
  for (const BlsPublicKey& key : keys) {
    response.body += response.body.size() == 1 ? "\"" : ",\"";
    response.body += to_0x(key);
    response.body += '"';
  }
  response.body += ']';
  return response;
}

}  // namespace

void add_web3signer_routes(http::Router& router, Context& context) {
  router.add(
      "POST", "/api/v1/eth2/sign/{identifier}",
      [&context, last = std::make_shared<LastSignBody>()](http::Request request, http::Responder respond) {
        SignExchange::start(std::make_shared<SignExchange>(context, *last, std::move(request), std::move(respond)));
      },
      {.admission = sign_admission(context)});
  router.add(
      "GET", "/api/v1/eth2/publicKeys",
      direct(needs(context, access::Scope::public_keys), [&context](http::Request&) { return public_keys(context); }));
}

}  // namespace cc::api
