#include "adapters/aws/client.h"

#include <curl/curl.h>

#include <algorithm>
#include <optional>

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
  Milliseconds end;
  unsigned attempt = 0;
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

bool Client::wait_before_retry(Round& round) const {
  if (++round.attempt >= patience_.attempts) {
    return false;
  }
  const auto doubled = patience_.first_pause * (1U << std::min(round.attempt - 1, 10U));
  const auto bound = std::min<std::int64_t>(doubled.count(), patience_.longest_pause.count());
  const auto draw = outside_.random.array<4>();
  const std::uint64_t part = std::uint64_t{draw[0]} << 24 | std::uint64_t{draw[1]} << 16 | std::uint64_t{draw[2]} << 8 |
                             std::uint64_t{draw[3]};
  const Milliseconds pause(static_cast<std::int64_t>(part * static_cast<std::uint64_t>(bound) >> 32));
  if (outside_.clock.monotonic() + pause >= round.end) {
    return false;
  }
  return outside_.pauses.pause(pause) && outside_.clock.monotonic() < round.end;
}

Result<HttpAnswer> Client::call(const ServiceCall& call, CredentialSource* source) {
  Round round{outside_.clock.monotonic() + patience_.budget};
  std::optional<Error> said;  // why the last attempt with its full time had no answer
  while (true) {
    SharedCredentials credentials;
    if (source != nullptr) {
      CC_ASSIGN(credentials, source->current());
    }
    CC_ASSIGN(const HttpCall http, prepare(call, credentials.get(), round.end - outside_.clock.monotonic()));
    Result<HttpAnswer> answer = outside_.wire.send(http);
    if (!answer) {
      if (answer.error().kind != ErrorKind::kms_unreachable) {
        return answer;
      }
      // "Timed out after 57 ms" at the end of the budget would hide the reason before it, say a bad certificate.
      if (!said || http.timeout >= patience_.attempt) {
        said = answer.error();
      }
      if (!wait_before_retry(round)) {
        return fail(*said);
      }
      continue;
    }
    if (answer->status == 200) {
      return answer;
    }
    const ServiceError error = read_error(*answer);
    bool again = false;
    switch (remedy_of(error)) {
      case Remedy::wait:
        again = wait_before_retry(round);
        break;
      case Remedy::clock:
        again = correct_clock(*answer, round);
        break;
      case Remedy::credentials:
        again = source != nullptr && !round.credentials_renewed;
        round.credentials_renewed = true;
        if (source != nullptr) {
          source->reject(credentials);
        }
        break;
      case Remedy::none:
        break;
    }
    if (!again) {
      return fail(explain(error, call.action));
    }
  }
}

}  // namespace cc::aws
