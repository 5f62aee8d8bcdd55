#include "api/answer.h"

#include <memory>
#include <new>
#include <utility>

#include "api/witness.h"
#include "base/log.h"
#include "seal/backoff.h"

namespace cc::api {
namespace {

http::Response run(const Work& work, http::Request& request) {
  try {
    Result<http::Response> response = work(request);
    return response ? *std::move(response) : refusal(response.error());
  } catch (const std::bad_alloc&) {
    return refusal({ErrorKind::internal, "not enough memory for this request"});
  } catch (const std::exception& error) {
    log::error("an endpoint broke off", {{"request_id", request.id}, {"reason", error.what()}});
    return refusal({ErrorKind::internal, "the request could not be finished; the log says more"});
  }
}

// On a queue's thread: whoever keeps a record of the request is asked first.
http::Response attended(const Work& work, http::Request& request) {
  if (request.companion) {
    if (const Result<void> begun = request.companion->begins(request); !begun) {
      return refusal(begun.error());
    }
  }
  return run(work, request);
}

}  // namespace

http::Handler direct(Check check, Work work) {
  return [check = std::move(check), work = std::move(work)](http::Request request, const http::Responder& respond) {
    if (const Result<void> allowed = check(request); !allowed) {
      respond(refusal(allowed.error()));
      return;
    }
    respond(run(work, request));
  };
}

http::Handler queued(CeremonyQueue& queue, Check check, Work work) {
  return [&queue, check = std::move(check), work = std::make_shared<const Work>(std::move(work))](
             http::Request request, const http::Responder& respond) {
    if (const Result<void> allowed = check(request); !allowed) {
      respond(refusal(allowed.error()));
      return;
    }
    const std::string source = seal::network_of(request.peer);
    const auto held = std::make_shared<http::Request>(std::move(request));
    if (!queue.run(source, [held, respond, work] { respond(attended(*work, *held)); })) {
      respond(
          refusal({ErrorKind::too_many_attempts, "too many requests of this kind wait; try again in a few seconds"}));
    }
  };
}

Work for_anyone(Work work) {
  return [work = std::move(work)](http::Request& request) -> Result<http::Response> {
    Result<http::Response> response = work(request);
    if (response ||
        (response.error().kind != ErrorKind::store_unavailable && response.error().kind != ErrorKind::store_in_doubt)) {
      return response;
    }
    log::error("a request without a token met trouble of a store", {{"request_id", request.id},
                                                                    {"code", facts(response.error().kind).code},
                                                                    {"reason", response.error().message}});
    return fail(response.error().kind,
                "a store of the signer is in trouble; its log says which, under request " + request.id);
  };
}

Result<access::Caller> caller_of(const Context& context, const http::Request& request, access::Scope scope) {
  auto caller = context.policies.allow(scope, request.header("authorization"), request.loopback);
  if (!caller) {
    context.metrics.auth_rejected(facts(caller.error().kind).code);
    const auto holder = request.companion ? holder_of(context, request) : std::optional<std::string>();
    if (holder) {
      request.companion->caller(*holder, true);
    }
  } else if (request.companion) {
    request.companion->caller(caller->policy, caller->authenticated);
  }
  return caller;
}

Check needs(const Context& context, access::Scope scope) {
  return [&context, scope](const http::Request& request) -> Result<void> {
    CC_TRY(caller_of(context, request, scope));
    return {};
  };
}

Check takes_secrets(const Context& context) {
  return [&context](const http::Request& request) -> Result<void> {
    if (request.encrypted || request.loopback || context.options.allow_plaintext_ceremonies) {
      return {};
    }
    return fail(ErrorKind::plaintext_refused,
                "this request carries a secret and came over plain HTTP from another machine; use TLS, a tunnel to "
                "loopback, or set server.allow_plaintext_ceremonies");
  };
}

Check both(Check first, Check second) {
  return [first = std::move(first), second = std::move(second)](const http::Request& request) -> Result<void> {
    CC_TRY(first(request));
    return second(request);
  };
}

Check open_to_all() {
  return [](const http::Request&) -> Result<void> { return {}; };
}

std::shared_ptr<const http::Admission> admits(Check check) {
  return std::make_shared<const http::Admission>(
      [check = std::move(check)](const http::Request& head) -> std::optional<http::Response> {
        const Result<void> allowed = check(head);
        return allowed ? std::nullopt : std::optional(refusal(allowed.error()));
      });
}

void add_error_headers(http::Response& response, const Error& error) {
  switch (error.kind) {
    case ErrorKind::unauthorized:
      response.headers.emplace_back("WWW-Authenticate", std::string(access::kWwwAuthenticate));
      break;
    case ErrorKind::overloaded:
      response.headers.emplace_back("Retry-After", "1");
      break;
    case ErrorKind::too_many_attempts:
      response.headers.emplace_back("Retry-After", "5");
      break;
    default:
      break;
  }
}

http::Response refusal(const Error& error) {
  http::Response response = http::problem(error);
  add_error_headers(response, error);
  return response;
}

std::optional<std::string_view> bearer(const http::Request& request) {
  constexpr std::string_view kScheme = "bearer ";
  const std::string_view value = request.header("authorization");
  if (value.size() <= kScheme.size()) {
    return std::nullopt;
  }
  for (std::size_t i = 0; i < kScheme.size(); ++i) {
    const char c = value[i];
    if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c) != kScheme[i]) {
      return std::nullopt;
    }
  }
  return value.substr(kScheme.size());
}

}  // namespace cc::api
