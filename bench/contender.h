// One signer under test with its load: every key signs each epoch once, and an epoch stands for a slot here, so that
// all keys of a slot sign the same message. Every connection walks through its own share of the keys.
#pragma once

#include <sys/resource.h>

#include <cinttypes>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "bench/load_client.h"
#include "bench/requests.h"

namespace cc::bench {

// Processor time of the process, or of this thread alone (RUSAGE_THREAD: the load generator).
inline double processor_seconds(int who = RUSAGE_SELF) {
  rusage usage{};
  ::getrusage(static_cast<__rusage_who_t>(who), &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

class Contender {
 public:
  Contender(std::string name, std::uint16_t port, const std::vector<BlsPublicKey>& keys, std::size_t connections)
      : name_(std::move(name)), port_(port), posts_(keys), one_(port, 1) {
    connect(connections);
  }

  // So many connections from here on; what was measured with others is forgotten.
  void connect(std::size_t connections) {
    places_.assign(connections, 0);
    many_ = std::make_unique<LoadClient>(port_, connections);
    refused_ += load_.refused;
    load_ = {};
    rates_.clear();
    bursts_.clear();
    processor_ = generator_ = 0;
  }

  void load(std::chrono::milliseconds duration) {
    begin_slot();
    const double processor = processor_seconds();
    const double generator = processor_seconds(RUSAGE_THREAD);
    const LoadResult result = many_->run(duration, [this](std::size_t line, std::string& out) { next(line, out); });
    load_.add(result);
    generator_ += processor_seconds(RUSAGE_THREAD) - generator;
    processor_ += processor_seconds() - processor;
    rates_.push_back(static_cast<double>(result.answers) / result.seconds);
  }
  void burst() {
    begin_slot();
    std::size_t sent = 0;
    const LoadResult result =
        many_->burst(posts_.size(), [&](std::size_t, std::string& out) { posts_.write(sent++, body(epoch_), out); });
    bursts_.push_back(result.seconds * 1000);
    refused_ += result.refused;
  }
  // One request at a time, each as soon as the one before is answered, or `pause` later.
  void idle(std::size_t requests, std::chrono::milliseconds pause = std::chrono::milliseconds(0)) {
    begin_slot();
    std::size_t sent = 0;
    const LoadResult result = one_.burst(requests, [&](std::size_t, std::string& out) {
      begin_slot();  // nothing kept from the request before
      posts_.write(sent++ % posts_.size(), body(epoch_), out);
      if (pause.count() != 0) {
        std::this_thread::sleep_for(pause);
      }
    });
    (pause.count() != 0 ? rested_ : alone_).add(result);
  }

  double rate() const { return median(rates_); }
  double burst_ms() const { return median(bursts_); }
  double idle_ms() const { return median(alone_.latencies_ms); }
  double rested_ms() const { return median(rested_.latencies_ms); }
  std::uint64_t refused() const { return refused_ + load_.refused + alone_.refused + rested_.refused; }
  void print() {
    std::printf(
        "%-24s %8.0f /s  p50 %7.2f  p99 %7.2f ms | burst of %zu: %7.1f ms | alone p50 %.3f  p99 %.3f ms | rested p50 "
        "%.3f ms\n",
        name_.c_str(), rate(), load_.percentile(0.5), load_.percentile(0.99), posts_.size(), burst_ms(),
        alone_.percentile(0.5), alone_.percentile(0.99), rested_ms());
    const double answers = static_cast<double>(std::max<std::uint64_t>(1, load_.answers));
    std::printf("%-24s processor time per answer: %.1f us, of which %.1f the load generator\n", "",
                processor_ * 1e6 / answers, generator_ * 1e6 / answers);
  }

 private:
  void begin_slot() {
    epoch_ = ++highest_;
    std::fill(places_.begin(), places_.end(), 0);
  }
  const std::string& body(std::uint64_t epoch) {
    if (body_epoch_ != epoch) {
      body_ = attestation(epoch, epoch);
      body_epoch_ = epoch;
    }
    return body_;
  }
  // The line's next key; after its last one the line goes on with the next epoch.
  void next(std::size_t line, std::string& out) {
    const std::size_t share = posts_.size() / places_.size();
    const std::size_t place = places_[line]++;
    const std::uint64_t epoch = epoch_ + place / share;
    highest_ = std::max(highest_, epoch);
    posts_.write(line * share + place % share, body(epoch), out);
  }

  const std::string name_;
  const std::uint16_t port_;
  const Posts posts_;
  std::vector<std::size_t> places_;
  std::uint64_t epoch_ = 0, highest_ = 0, body_epoch_ = 0;
  std::string body_;
  std::unique_ptr<LoadClient> many_;
  LoadClient one_;
  LoadResult load_, alone_, rested_;
  std::vector<double> rates_, bursts_;
  std::uint64_t refused_ = 0;
  double processor_ = 0, generator_ = 0;
};

}  // namespace cc::bench
