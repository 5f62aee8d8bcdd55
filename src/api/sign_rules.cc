#include "api/sign_rules.h"

#include <cstdint>
#include <memory>
#include <utility>
#include <variant>

#include "api/answer.h"
#include "base/bytes.h"
#include "base/log.h"

namespace cc::api {
namespace {

guard::Check check_of(const ethereum::SignRequest& request) {
  guard::Check check;
  check.signing_root = request.signing_root;
  check.genesis_validators_root = request.genesis_validators_root;
  if (const auto* block = std::get_if<ethereum::BlockDuty>(&request.duty)) {
    check.duty = guard::BlockCheck{block->slot};
  } else if (const auto* vote = std::get_if<ethereum::AttestationDuty>(&request.duty)) {
    check.duty = guard::AttestationCheck{vote->source, vote->target};
  }
  return check;
}

Result<void> same_network(const Context& context, const std::optional<Root>& theirs) {
  const std::optional<Root>& ours = context.network.genesis_validators_root;
  if (ours && theirs && *ours != *theirs) {
    return fail(ErrorKind::network_mismatch, "the request is for genesis validators root " + to_0x(*theirs) +
                                                 ", this signer serves " + context.network.name + " (" + to_0x(*ours) +
                                                 ")");
  }
  return {};
}

}  // namespace

Result<access::Caller> admit_signing(const Context& context, const http::Request& head) {
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

Result<void> keys_complete(const Context& context) {
  if (context.key_files != nullptr && context.key_files->loading()) {
    return fail(ErrorKind::keys_loading, "keys are still loading from files; try again");
  }
  return {};
}

Result<SignBody> SignBody::read(std::string_view json, const ethereum::Network& network) {
  Result<ethereum::SignRequest> parsed = ethereum::parse_sign_request(json, network);
  if (parsed) {
    const guard::Check check = check_of(*parsed);
    return SignBody({std::move(parsed->type), parsed->genesis_validators_root}, check, std::nullopt);
  }
  if (parsed.error().kind != ErrorKind::signing_root_mismatch) {
    return fail(std::move(parsed).error());
  }
  return SignBody(outline_of(json), {}, std::move(parsed).error());
}

Result<std::shared_ptr<const SignBody>> LastSignBody::read(std::string_view json, const ethereum::Network& network) {
  constexpr std::size_t kLargestKept = 4096;
  {
    const std::lock_guard lock(mutex_);
    if (body_ && json == json_) {
      return body_;
    }
  }
  CC_ASSIGN(SignBody body, SignBody::read(json, network));
  auto made = std::make_shared<const SignBody>(std::move(body));
  if (json.size() <= kLargestKept) {
    const std::lock_guard lock(mutex_);
    json_ = json;
    body_ = made;
  }
  return made;
}

Result<signing::SignJob> SignBody::job_for(const Context& context, const access::Caller& caller,
                                           const BlsPublicKey& key) const {
  signing::SignJob job;
  job.key = context.ring.find(key);
  if (!job.key) {
    CC_TRY(keys_complete(context));
    return fail(ErrorKind::unknown_key, "no key " + to_0x(key) + " is loaded");
  }
  CC_TRY(context.policies.allow_signing(caller, key, outline_.type));
  CC_TRY(same_network(context, outline_.genesis_validators_root));
  if (mismatch_) {
    return fail(*mismatch_);
  }
  job.check = check_;
  job.check.key = job.key->public_key;
  return job;
}

std::optional<Canary> canary_of(const Context& context, const BlsPublicKey& key, const access::Caller& caller,
                                const http::Request& request) {
  if (!context.options.canary_keys.contains(key)) {
    return std::nullopt;
  }
  return Canary{to_0x(key), caller.policy, request.peer, request.id};
}

void raise_alarm(const Context& context, const Canary& canary, std::string_view operation, int status) {
  context.metrics.canary(status == 200);
  log::error("a canary key was asked to sign: its users or its tokens are in wrong hands",
             {{"pubkey", canary.key},
              {"operation", operation},
              {"status", static_cast<std::uint64_t>(status)},
              {"policy", canary.policy},
              {"peer", canary.peer},
              {"request_id", canary.request_id}});
}

void count_refusal(const Context& context, const Error& error) {
  if (error.kind == ErrorKind::malformed_request) {
    context.metrics.malformed_request();
  } else if (error.kind == ErrorKind::unknown_key) {
    context.metrics.unknown_key();
  }
}

}  // namespace cc::api
