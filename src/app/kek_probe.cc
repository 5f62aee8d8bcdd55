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
    tell_of_operators();
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

void KekProbe::tell_of_operators() {
  const auto drills = chamber_.status().drills;
  std::string lapsed;
  if (drills && drills->margin <= 0) {
    for (const std::string& name : drills->lapsed) {
      lapsed += (lapsed.empty() ? "" : ", ") + name;
    }
  }
  if (lapsed == last_told_of_operators_) {
    return;
  }
  last_told_of_operators_ = lapsed;
  if (!lapsed.empty()) {
    log::warn(
        "too few operators have shown lately that their credential opens their share; ask them for `operator drill`",
        {{"lapsed", lapsed}, {"fresh", std::uint64_t{drills->fresh}}, {"margin", std::to_string(drills->margin)}});
  }
}

}  // namespace cc::app
