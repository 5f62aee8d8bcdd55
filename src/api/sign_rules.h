// What the one-key and the many-keys endpoint share: who may ask at all, and what becomes of one sign body for one key,
// in the order of DESIGN section 5.
//
// Threads: any. No secrets but the key that a job holds.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "api/context.h"
#include "api/sign_input.h"
#include "ethereum/sign_request.h"
#include "http/message.h"
#include "signing/pipeline.h"

namespace cc::api {

// What can be said of a sign request before its body is read; the caller when nothing forbids it. Errors: overloaded,
// unauthorized, forbidden, signer_sealed, what the pipeline refuses with.
Result<access::Caller> admit_signing(const Context& context, const http::Request& head);

// While files are opened for the first time, a key that is not there yet is no unknown key, and a list would be short.
// Errors: keys_loading.
Result<void> keys_complete(const Context& context);

// The body of a sign request, read once for however many keys.
class SignBody {
 public:
  // Errors: malformed_request.
  static Result<SignBody> read(std::string_view json, const ethereum::Network& network);

  const std::string& type() const { return outline_.type; }  // upper case
  // The job without its reply. Errors: unknown_key, keys_loading, forbidden, network_mismatch, signing_root_mismatch.
  Result<signing::SignJob> job_for(const Context& context, const access::Caller& caller, const BlsPublicKey& key) const;

 private:
  SignBody(SignOutline outline, guard::Check check, std::optional<Error> mismatch)
      : outline_(std::move(outline)), check_(check), mismatch_(std::move(mismatch)) {}

  SignOutline outline_;
  guard::Check check_;             // without the key
  std::optional<Error> mismatch_;  // the request names another signing root
};

// The last body that was read. All validators of a slot with the same view send the same bytes, so most are read once.
// Threads: any.
class LastSignBody {
 public:
  // As SignBody::read(), of which it is a memory: the same bytes are always read alike.
  Result<std::shared_ptr<const SignBody>> read(std::string_view json, const ethereum::Network& network);

 private:
  std::mutex mutex_;
  std::string json_;
  std::shared_ptr<const SignBody> body_;
};

// Who used a canary key, kept until it is known how the request ended.
struct Canary {
  std::string key, policy, peer, request_id;
};
// Nothing for any other key.
std::optional<Canary> canary_of(const Context& context, const BlsPublicKey& key, const access::Caller& caller,
                                const http::Request& request);
// The caller gets the answer that any key would get: who set the snare should know first.
void raise_alarm(const Context& context, const Canary& canary, std::string_view operation, int status);

// Counts a refusal of one entry or request.
void count_refusal(const Context& context, const Error& error);

}  // namespace cc::api
