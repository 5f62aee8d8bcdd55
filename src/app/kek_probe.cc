#include "app/kek_probe.h"

#include <chrono>

#include "base/log.h"

namespace cc::app {
namespace {

constexpr std::chrono::seconds kFirst{10};
constexpr std::chrono::minutes kPeriod{5};

}  // namespace

void KekProbe::start() {
  thread_ = std::thread([this] { run(); });
}

void KekProbe::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  if (thread_.joinable()) {
    thread_.join();
  }
}

void KekProbe::run() {
  std::chrono::seconds pause = kFirst;
  while (true) {
    {
      std::unique_lock lock(mutex_);
      if (changed_.wait_for(lock, pause, [this] { return stopping_; })) {
        return;
      }
    }
    chamber_.probe_keks();
    tell();
    pause = kPeriod;
  }
}

void KekProbe::tell() {
  const auto found = chamber_.status().keks;
  std::string sick;
  if (found) {
    for (const auto& [kek, error] : found->sick) {
      sick += (sick.empty() ? "" : ", ") + kek + " " + std::string(facts(error.kind).code);
    }
  }
  if (sick == last_told_) {
    return;
  }
  last_told_ = sick;
  if (sick.empty()) {
    log::info("every KEK opens its share again");
  } else {
    log::warn("KEKs do not open their share; repair them or run `operator rotate kms` while enough of them do",
              {{"keks", sick}, {"healthy", std::uint64_t{found->healthy}}, {"margin", std::to_string(found->margin)}});
  }
}

}  // namespace cc::app
