// One call to a service of AWS: endpoint, signature, retries, and errors in our words.
//
// Retries: faults of the network and of AWS and throttling, after a pause drawn evenly between zero and a bound that
// doubles (full jitter), within a budget of time for the whole call; a clock that is off is corrected once by AWS's
// Date header, refused credentials are fetched anew once. Whatever we call is safe to repeat.
//
// Thread-safe. Secrets: bodies and credentials, as wire.h says.
#pragma once

#include <atomic>
#include <optional>

#include "adapters/aws/credentials.h"
#include "adapters/aws/endpoints.h"
#include "adapters/aws/wire.h"
#include "base/random.h"

namespace cc::aws {

// Waiting as a port: tests do not wait, and a signer that stops waits no longer.
class Pauses {
 public:
  virtual ~Pauses() = default;
  // Returns false when there is nothing to wait for any more: the signer stops.
  virtual bool pause(Milliseconds time) = 0;
};

struct Patience {
  Milliseconds budget{15'000};  // for one call with its retries
  Milliseconds attempt{6000};   // for one attempt
  Milliseconds connect{3000};
  Milliseconds first_pause{200};  // bound of the first pause
  Milliseconds longest_pause{4000};
  unsigned attempts = 6;
};

// What every call needs. All outlive the client.
struct Outside {
  Wire& wire;
  Pauses& pauses;
  const Clock& clock;
  Random& random;
  const Endpoints& endpoints;
};

struct ServiceCall {
  std::string service;  // "kms"
  std::string region;
  std::string action;  // "kms:Decrypt", for messages and IAM
  std::string content_type;
  std::string target;  // X-Amz-Target; empty: none
  std::string body;    // wiped by the caller
  std::size_t answer_limit = kAnswerLimit;
};

// How one call ended, retries included.
struct Exchange {
  std::optional<Error> trouble;  // no answer of AWS's to go by: why
  HttpAnswer answer;             // without trouble: status 200, or the refusal that nothing helped against
  // Some attempt got no answer, or a fault of AWS's: what was asked may have been done, whatever came after.
  bool uncertain = false;
};

// The pauses between attempts, within a budget of time.
class Retries {
 public:
  Retries(const Outside& outside, const Patience& patience)
      : outside_(outside), patience_(patience), end_(outside.clock.monotonic() + patience.budget) {}
  Milliseconds left() const { return end_ - outside_.clock.monotonic(); }
  // Waits; false when attempts or time are used up, or the signer stops.
  bool wait();

 private:
  const Outside& outside_;
  const Patience& patience_;
  Milliseconds end_;
  unsigned attempt_ = 0;
};

class Client {
 public:
  Client(Outside outside, Patience patience) : outside_(outside), patience_(patience) {}
  // Signed with `source`; unsigned without one. Errors: those of service_error.h, of the source, and kms_unreachable.
  Result<HttpAnswer> call(const ServiceCall& call, CredentialSource* source);
  // The same for callers that read refusals themselves, and must know whether a write may have happened.
  Exchange exchange(const ServiceCall& call, CredentialSource* source);
  const Outside& outside() const { return outside_; }
  const Patience& patience() const { return patience_; }

 private:
  struct Round;  // what one call has tried already
  Result<HttpCall> prepare(const ServiceCall& call, const Credentials* credentials, Milliseconds left) const;
  bool correct_clock(const HttpAnswer& answer, Round& round);
  bool mend(const HttpAnswer& answer, CredentialSource* source, const SharedCredentials& used, Round& round);

  Outside outside_;
  Patience patience_;
  std::atomic<std::int64_t> clock_offset_seconds_ = 0;
};

}  // namespace cc::aws
