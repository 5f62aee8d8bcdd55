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
#include "api/sign_input.h"
#include "api/witness.h"
#include "base/bytes.h"
#include "base/log.h"
#include "ethereum/sign_request.h"

namespace cc::api {
namespace json = boost::json;
namespace {

constexpr const char* kJson = "application/json; charset=utf-8";
constexpr const char* kText = "text/plain; charset=utf-8";

// While files are opened for the first time, a key that is not there yet is no unknown key, and a list would be short.
Result<void> keys_complete(const Context& context) {
  if (context.key_files != nullptr && context.key_files->loading()) {
    return fail(ErrorKind::keys_loading, "keys are still loading from files; try again");
  }
  return {};
}

// What can be said of a sign request before its body is read, in the order of DESIGN section 5; the caller when nothing
// forbids it.
Result<access::Caller> admit(const Context& context, const http::Request& head) {
  const signing::PipelineCounters counters = context.pipeline.counters();
  if (counters.queued >= counters.limit) {
    return fail(ErrorKind::overloaded, "too many signatures wait; try again");
  }
  CC_ASSIGN(access::Caller caller, caller_of(context, head, access::Scope::sign));
  if (!context.pipeline.gate_open()) {
    return fail(ErrorKind::signer_sealed, "signer is sealed");
  }
  if (std::optional<Error> refused = context.pipeline.refusal()) {
    return fail(*std::move(refused));
  }
  return caller;
}

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
  SignExchange(Context& context, http::Request request, http::Responder respond)
      : context_(context),
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
    self->context_.pipeline.submit(*std::move(job));
  }

 private:
  Result<signing::SignJob> prepare() {
    CC_ASSIGN(const access::Caller caller, admit(context_, request_));
    asker_.policy = caller.policy;
    asker_.authenticated = caller.authenticated;
    CC_ASSIGN(const BlsPublicKey identifier, public_key_of(request_.captures["identifier"]));
    asker_.key = identifier;
    if (context_.options.canary_keys.contains(identifier)) {
      canary_.emplace(Canary{to_0x(identifier), caller.policy, request_.peer, request_.id});
    }
    Result<ethereum::SignRequest> parsed = ethereum::parse_sign_request(request_.body, context_.network);
    if (!parsed && parsed.error().kind != ErrorKind::signing_root_mismatch) {
      return fail(std::move(parsed).error());
    }
    std::shared_ptr<const keys::RingKey> key = context_.ring.find(identifier);
    if (!key) {
      CC_TRY(keys_complete(context_));
      return fail(ErrorKind::unknown_key, "no key " + to_0x(identifier) + " is loaded");
    }
    const SignOutline outline =
        parsed ? SignOutline{parsed->type, parsed->genesis_validators_root} : outline_of(request_.body);
    operation_ = outline.type;
    CC_TRY(context_.policies.allow_signing(caller, identifier, operation_));
    CC_TRY(same_network(outline));
    if (!parsed) {
      return fail(std::move(parsed).error());
    }
    return job_of(std::move(key), *parsed);
  }

  Result<void> same_network(const SignOutline& outline) const {
    const std::optional<Root>& ours = context_.network.genesis_validators_root;
    if (ours && outline.genesis_validators_root && *ours != *outline.genesis_validators_root) {
      return fail(ErrorKind::network_mismatch, "the request is for genesis validators root " +
                                                   to_0x(*outline.genesis_validators_root) + ", this signer serves " +
                                                   context_.network.name + " (" + to_0x(*ours) + ")");
    }
    return {};
  }

  static signing::SignJob job_of(std::shared_ptr<const keys::RingKey> key, const ethereum::SignRequest& request) {
    signing::SignJob job;
    job.check.key = key->public_key;
    job.check.signing_root = request.signing_root;
    job.check.genesis_validators_root = request.genesis_validators_root;
    if (const auto* block = std::get_if<ethereum::BlockDuty>(&request.duty)) {
      job.check.duty = guard::BlockCheck{block->slot};
    } else if (const auto* vote = std::get_if<ethereum::AttestationDuty>(&request.duty)) {
      job.check.duty = guard::AttestationCheck{vote->source, vote->target};
    }
    job.key = std::move(key);
    return job;
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
    if (error.kind == ErrorKind::malformed_request) {
      context_.metrics.malformed_request();
    } else if (error.kind == ErrorKind::unknown_key) {
      context_.metrics.unknown_key();
    }
    witness_refused_signature(context_, asker_, operation_, error);
    answer(facts(error.kind).http_status, sign_refusal(error, json_), &error);
  }

  void answer(int status, std::string body, const Error* error) {
    context_.metrics.signing_request(operation_, status, std::chrono::steady_clock::now() - start_);
    if (canary_) {
      raise_alarm(status);
    }
    respond_(sign_response(status, std::move(body), json_, error));
  }

  // The caller gets the answer that any key would get: who set the snare should know first.
  void raise_alarm(int status) const {
    context_.metrics.canary(status == 200);
    log::error("a canary key was asked to sign: its users or its tokens are in wrong hands",
               {{"pubkey", canary_->key},
                {"operation", operation_},
                {"status", static_cast<std::uint64_t>(status)},
                {"policy", canary_->policy},
                {"peer", canary_->peer},
                {"request_id", canary_->request_id}});
  }

  Context& context_;
  http::Request request_;
  const http::Responder respond_;
  const bool json_;
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::string operation_;  // empty until it is known
  Asker asker_;
  struct Canary {
    std::string key, policy, peer, request_id;
  };
  std::optional<Canary> canary_;  // the request is for a canary key
};

// A refusal on the head, shaped and counted as every other.
std::shared_ptr<const http::Admission> sign_admission(const Context& context) {
  return std::make_shared<const http::Admission>(
      [&context](const http::Request& head) -> std::optional<http::Response> {
        const auto start = std::chrono::steady_clock::now();
        const Result<access::Caller> caller = admit(context, head);
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
  router.add("POST", "/api/v1/eth2/sign/{identifier}",
             [&context](http::Request request, http::Responder respond) {
               SignExchange::start(std::make_shared<SignExchange>(context, std::move(request), std::move(respond)));
             },
             {.admission = sign_admission(context)});
  router.add(
      "GET", "/api/v1/eth2/publicKeys",
      direct(needs(context, access::Scope::public_keys), [&context](http::Request&) { return public_keys(context); }));
}

}  // namespace cc::api
