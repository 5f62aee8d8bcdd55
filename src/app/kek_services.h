// All kinds of KEKs behind one port: each name goes to the service of its scheme.
//
// unwrap_until() asks every KEK at once, on threads of its own, and tells outcomes as they come: the fastest m of n
// decide when a lock opens. Shares that come later are dropped (and wiped); their threads end by themselves, at the
// latest after the call timeout, and are joined by the next call or the destructor. Thread-safe.
#pragma once

#include <list>
#include <memory>
#include <thread>

#include "adapters/aws/aws.h"
#include "adapters/localkek/local_kek.h"
#include "app/config.h"

namespace cc::app {

// The parallel part, over any service.
class ParallelKeks final {
 public:
  explicit ParallelKeks(seal::KekService& inner) : inner_(inner) {}
  ~ParallelKeks();
  ParallelKeks(const ParallelKeks&) = delete;
  ParallelKeks& operator=(const ParallelKeks&) = delete;
  void unwrap_until(const std::vector<seal::WrappedShare>& shares, const seal::KekService::TakeShare& take);

 private:
  struct Round;
  struct Worker {
    std::shared_ptr<Round> round;
    std::thread thread;
  };
  void join_ended(bool all);

  seal::KekService& inner_;
  std::mutex mutex_;
  std::list<Worker> workers_;
};

class KekServices final : public seal::KekService {
 public:
  // Asks nobody yet. Errors: config_invalid.
  static Result<std::unique_ptr<KekServices>> make(const Config& config, const Environment& environment,
                                                   const Clock& clock, Random& random);
  ~KekServices() override { stop(); }
  KekServices(const KekServices&) = delete;
  KekServices& operator=(const KekServices&) = delete;
  Result<std::string> canonical_name(const std::string& name) const override;
  Result<void> prepare(const std::string& name) override;
  Result<Bytes> wrap(const std::string& name, const seal::KekContext& context, const SecretBytes& share) override;
  Result<SecretBytes> unwrap(const std::string& name, const seal::KekContext& context, ByteView wrapped) override;
  void unwrap_until(const std::vector<seal::WrappedShare>& shares, const TakeShare& take) override;
  // Calls under way end soon, new ones fail with kms_unreachable.
  void stop() { aws_->stop(); }

 private:
  KekServices(std::string local_dir, std::unique_ptr<aws::Aws> aws, Random& random);
  seal::KekService& service_of(const std::string& name);

  localkek::LocalKekService local_;
  std::unique_ptr<aws::Aws> aws_;
  ParallelKeks parallel_;  // first to die: its threads use the services
};

}  // namespace cc::app
