#include "adapters/aws/client.h"

#include <curl/curl.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "adapters/aws/service_error.h"
#include "adapters/aws/signature.h"

namespace cc::aws {
namespace {

// AWS tolerates about five minutes; a smaller difference is not why it refused a signature.
constexpr std::int64_t kTolerableSkewSeconds = 60;

std::string text_of(const SecretBytes& secret) {
  const auto raw = expose_secret_bytes(secret);
  return {reinterpret_cast<const char*>(raw.data()), raw.size()};
}

}  // namespace

struct Client::Round {
  Retries retries;
  bool clock_corrected = false;
  bool credentials_renewed = false;
};

Result<HttpCall> Client::prepare(const ServiceCall& call, const Credentials* credentials, Milliseconds left) const {
  CC_ASSIGN(const Endpoint endpoint, outside_.endpoints.of(call.service, call.region));
  HttpCall out;
  out.url = endpoint.url;
  out.body = call.body;
  out.timeout = std::max(Milliseconds(1), std::min(left, patience_.attempt));
  out.connect_timeout = patience_.connect;
  out.answer_limit = call.answer_limit;
  out.headers["content-type"] = call.content_type;
  if (!call.target.empty()) {
    out.headers["x-amz-target"] = call.target;
  }
  if (credentials == nullptr) {
    return out;
  }
  out.headers["host"] = endpoint.host;
  const auto now = static_cast<std::int64_t>(outside_.clock.unix_seconds()) + clock_offset_seconds_;
  const SignatureScope scope{amz_date(static_cast<std::uint64_t>(std::max<std::int64_t>(now, 0))), call.region,
                             call.service};
  out.headers["x-amz-date"] = scope.date_time;
  if (!credentials->session_token.empty()) {
    out.headers["x-amz-security-token"] = text_of(credentials->session_token);
  }
  SignedRequest request;
  request.headers = out.headers;
  request.payload_hash = hex_sha256(out.body);
  out.headers["authorization"] = authorization(request, scope, credentials->access_key_id, credentials->secret_key);
  for (auto& [name, value] : request.headers) {
    wipe(value);
  }
  return out;
}

bool Client::correct_clock(const HttpAnswer& answer, Round& round) {
  const std::time_t theirs = curl_getdate(answer.header("date").c_str(), nullptr);
  if (round.clock_corrected || theirs == -1) {
    return false;
  }
  round.clock_corrected = true;
  const std::int64_t offset =
      static_cast<std::int64_t>(theirs) - static_cast<std::int64_t>(outside_.clock.unix_seconds());
  if (std::abs(offset - clock_offset_seconds_) < kTolerableSkewSeconds) {
    return false;
  }
  clock_offset_seconds_ = offset;
  return true;
}

bool Retries::wait() {
  if (++attempt_ >= patience_.attempts) {
    return false;
  }
  const auto doubled = patience_.first_pause * (1U << std::min(attempt_ - 1, 10U));
  const auto bound = std::min<std::int64_t>(doubled.count(), patience_.longest_pause.count());
  const auto draw = outside_.random.array<4>();
  const std::uint64_t part = std::uint64_t{draw[0]} << 24 | std::uint64_t{draw[1]} << 16 | std::uint64_t{draw[2]} << 8 |
                             std::uint64_t{draw[3]};
  const Milliseconds pause(static_cast<std::int64_t>(part * static_cast<std::uint64_t>(bound) >> 32));
  if (pause >= left()) {
    return false;
  }
  return outside_.pauses.pause(pause) && left() > Milliseconds(0);
}

// Whether a refused call is worth another attempt, after what helps was done.
bool Client::mend(const HttpAnswer& answer, CredentialSource* source, const SharedCredentials& used, Round& round) {
  switch (remedy_of(read_error(answer))) {
    case Remedy::wait:
      return round.retries.wait();
    case Remedy::clock:
      return correct_clock(answer, round);
    case Remedy::credentials:
      if (source == nullptr) {
        return false;
      }
      source->reject(used);
      return !std::exchange(round.credentials_renewed, true);
    case Remedy::none:
      break;
  }
  return false;
}

Exchange Client::exchange(const ServiceCall& call, CredentialSource* source) {
  Round round{Retries(outside_, patience_)};
  Exchange out;
  std::optional<Error> said;  // why the last attempt with its full time had no answer
  while (true) {
    SharedCredentials credentials;
    if (source != nullptr) {
      Result<SharedCredentials> held = source->current();
      if (!held) {
        out.trouble = std::move(held).error();
        return out;
      }
      credentials = *std::move(held);
    }
    const Result<HttpCall> http = prepare(call, credentials.get(), round.retries.left());
    if (!http) {
      out.trouble = http.error();
      return out;
    }
    Result<HttpAnswer> answer = outside_.wire.send(*http);
    if (!answer) {
      out.uncertain = true;
      if (answer.error().kind != ErrorKind::kms_unreachable) {
        out.trouble = std::move(answer).error();
        return out;
      }
      // "Timed out after 57 ms" at the end of the budget would hide the reason before it, say a bad certificate.
      if (!said || http->timeout >= patience_.attempt) {
        said = answer.error();
      }
      if (!round.retries.wait()) {
        out.trouble = *said;
        return out;
      }
      continue;
    }
    out.uncertain = out.uncertain || answer->status >= 500;
    if (answer->status == 200 || !mend(*answer, source, credentials, round)) {
      out.answer = *std::move(answer);
      return out;
    }
  }
}

Result<HttpAnswer> Client::call(const ServiceCall& call, CredentialSource* source) {
  Exchange done = exchange(call, source);
  if (done.trouble) {
    return fail(*std::move(done.trouble));
  }
  if (done.answer.status != 200) {
    return fail(explain(read_error(done.answer), call.action));
  }
  return std::move(done.answer);
}

}  // namespace cc::aws
