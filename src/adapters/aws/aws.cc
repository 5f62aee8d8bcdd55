#include "adapters/aws/aws.h"

namespace cc::aws {
namespace {

std::string ca_file(const Environment& environment) {
  const auto found = environment.find("AWS_CA_BUNDLE");
  return found == environment.end() ? std::string() : found->second;
}

}  // namespace

bool StoppablePauses::pause(Milliseconds time) {
  std::unique_lock lock(mutex_);
  return !changed_.wait_for(lock, time, [this] { return stopping_; });
}

void StoppablePauses::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
}

Result<std::unique_ptr<Aws>> Aws::make(AwsOptions options, const Clock& clock, Random& random) {
  CC_ASSIGN(Endpoints endpoints, Endpoints::make(options.endpoints, options.credentials.environment));
  return std::unique_ptr<Aws>(new Aws(std::move(options), std::move(endpoints), clock, random));
}

Aws::Aws(AwsOptions options, Endpoints endpoints, const Clock& clock, Random& random)
    : endpoints_(std::move(endpoints)),
      wire_(ca_file(options.credentials.environment)),
      client_({wire_, pauses_, clock, random, endpoints_}, options.patience),
      chain_(std::move(options.credentials), {wire_, pauses_, clock, random, endpoints_}, client_),
      kms_(client_, chain_),
      keks_(kms_) {}

void Aws::stop() {
  pauses_.stop();
  wire_.stop();
}

}  // namespace cc::aws
