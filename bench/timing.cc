// Whether the time of a signature tells one key from another: dudect's test (Reparaz, Balasch, Verbauwhede 2017). Two
// classes of keys, one fixed and sparse, the other random, in random order; Welch's t between their times, over several
// croppings of the slow tail. |t| above 4.5 is evidence of a leak. The last subject leaks on purpose and must be found.
// Usage: timing [samples per subject, default 20000]. Exit code 1 when a subject is judged wrongly.
#include <blst.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "crypto/distinct_messages.h"
#include "crypto/same_message.h"

namespace cc::bench {
namespace {

constexpr double kThreshold = 4.5;
constexpr std::size_t kKeysAtOnce = 4;

struct Key {
  explicit Key(crypto::BlsSecretKey s) : secret(std::move(s)), recoded(secret) {}
  crypto::BlsSecretKey secret;
  crypto::RecodedKey recoded;
};

crypto::BlsSecretKey random_key(Random& random) {
  Secret<32> scalar = random.secret<32>();
  expose_secret_bytes(scalar)[0] &= 0x3F;
  return crypto::BlsSecretKey::from_checked(std::move(scalar));
}

crypto::BlsSecretKey sparse_key() {
  Secret<32> scalar;
  expose_secret_bytes(scalar)[2] = 1;
  expose_secret_bytes(scalar)[31] = 5;
  return crypto::BlsSecretKey::from_checked(std::move(scalar));
}

struct Class {
  double count = 0, mean = 0, squares = 0;
  void add(double value) {
    ++count;
    const double before = value - mean;
    mean += before / count;
    squares += before * (value - mean);
  }
  double variance() const { return count > 1 ? squares / (count - 1) : 0; }
};

double welch(const Class& a, const Class& b) {
  const double spread = std::sqrt(a.variance() / a.count + b.variance() / b.count);
  return spread > 0 ? (a.mean - b.mean) / spread : 0;
}

struct Sample {
  bool fixed;
  double nanoseconds;
};

// The greatest |t| over croppings at growing percentiles of all times.
double evidence(const std::vector<Sample>& samples) {
  std::vector<double> times;
  for (const Sample& sample : samples) {
    times.push_back(sample.nanoseconds);
  }
  std::sort(times.begin(), times.end());
  double worst = 0;
  for (const double part : {0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 1.0}) {
    const double limit = times[static_cast<std::size_t>(part * static_cast<double>(times.size() - 1))];
    Class fixed;
    Class random;
    for (const Sample& sample : samples) {
      if (sample.nanoseconds <= limit) {
        (sample.fixed ? fixed : random).add(sample.nanoseconds);
      }
    }
    if (fixed.count > 100 && random.count > 100) {
      worst = std::max(worst, std::abs(welch(fixed, random)));
    }
  }
  return worst;
}

// `sign` is timed with the keys of one class or the other, chosen by a random bit.
double measure(std::size_t count, const std::function<void(std::span<const crypto::SameMessageKey>)>& sign) {
  SystemRandom random;
  std::vector<Key> fixed;
  std::vector<Key> pool;
  for (std::size_t i = 0; i < kKeysAtOnce; ++i) {
    fixed.emplace_back(sparse_key());
  }
  for (std::size_t i = 0; i < 64 * kKeysAtOnce; ++i) {
    pool.emplace_back(random_key(random));
  }
  std::vector<crypto::SameMessageKey> keys(kKeysAtOnce);
  std::vector<Sample> samples;
  samples.reserve(count);
  for (std::size_t i = 0; i < count + 64; ++i) {
    const auto draw = random.array<2>();
    const bool is_fixed = (draw[0] & 1) != 0;
    for (std::size_t k = 0; k < kKeysAtOnce; ++k) {
      const Key& key = is_fixed ? fixed[k] : pool[(draw[1] % 64) * kKeysAtOnce + k];
      keys[k] = {&key.secret, &key.recoded};
    }
    const auto start = std::chrono::steady_clock::now();
    sign(keys);
    const std::chrono::duration<double, std::nano> time = std::chrono::steady_clock::now() - start;
    if (i >= 64) {  // the first ones warm the caches
      samples.push_back({is_fixed, time.count()});
    }
  }
  return evidence(samples);
}

// Left to right, one addition per set bit: what the other subjects must not do.
void double_and_add(const crypto::HashedMessage& message, const crypto::BlsSecretKey& key) {
  blst_p2 base;
  std::memcpy(&base, message.point().data(), sizeof(base));
  blst_p2 sum{};
  for (const std::uint8_t byte : expose_secret_bytes(key.bytes())) {
    for (int bit = 7; bit >= 0; --bit) {
      blst_p2_double(&sum, &sum);
      if (((byte >> bit) & 1) != 0) {
        blst_p2_add_or_double(&sum, &sum, &base);
      }
    }
  }
  volatile limb_t sink = sum.x.fp[0].l[0];
  (void)sink;
}

// Each key over a message of its own.
class DistinctSubject {
 public:
  explicit DistinctSubject(Random& random) : random_(random), scratch_(std::make_shared<crypto::DistinctScratch>()) {
    for (std::size_t i = 0; i < kKeysAtOnce; ++i) {
      messages_.emplace_back(random.array<32>());
    }
  }
  void operator()(std::span<const crypto::SameMessageKey> keys) const {
    std::vector<crypto::MessageAndKey> entries;
    for (std::size_t i = 0; i < keys.size(); ++i) {
      entries.push_back({&messages_[i], keys[i].secret, keys[i].recoded});
    }
    std::vector<BlsSignature> signatures(keys.size());
    if (!crypto::sign_distinct(entries, signatures, *scratch_, random_)) {
      std::abort();
    }
  }

 private:
  Random& random_;
  std::shared_ptr<crypto::DistinctScratch> scratch_;
  std::vector<crypto::HashedMessage> messages_;
};

int run(int argc, char** argv) {
  const std::size_t samples = argc > 1 ? std::max<std::size_t>(1000, std::strtoul(argv[1], nullptr, 10)) : 20'000;
  SystemRandom random;
  const crypto::HashedMessage message(random.array<32>());
  bool right = true;
  const auto judge = [&](const std::string& name, double t, bool leaks) {
    const bool found = t > kThreshold;
    right = right && found == leaks;
    std::printf("%-34s |t| = %7.2f  %s%s\n", name.c_str(), t, found ? "leaks" : "no evidence of a leak",
                leaks ? " (planted)" : "");
  };
  std::printf("%zu samples each, threshold %.1f\n", samples, kThreshold);
  BlsSignature last{};
  judge("blst, one by one",
        measure(samples,
                [&](std::span<const crypto::SameMessageKey> keys) {
                  for (const crypto::SameMessageKey& key : keys) {
                    last = message.sign(*key.secret);
                  }
                }),
        false);
  for (const crypto::SigningKernel kernel : {crypto::SigningKernel::portable, crypto::SigningKernel::ifma}) {
    for (const crypto::WindowLayout layout : {crypto::WindowLayout::w4, crypto::WindowLayout::w8}) {
      if (!crypto::available(kernel)) {
        continue;
      }
      const crypto::SameMessageTable table(message, layout, kernel);
      crypto::SameMessageScratch scratch(kernel);
      std::vector<BlsSignature> signatures(kKeysAtOnce);
      judge("table, " + std::string(crypto::name(kernel)) + (layout == crypto::WindowLayout::w4 ? ", w4" : ", w8"),
            measure(samples,
                    [&](std::span<const crypto::SameMessageKey> keys) {
                      if (!table.sign(keys, signatures, scratch, random)) {
                        std::abort();
                      }
                    }),
            false);
    }
  }
  judge("distinct messages", measure(samples, DistinctSubject(random)), false);
  judge("double and add",
        measure(samples / 10,
                [&](std::span<const crypto::SameMessageKey> keys) { double_and_add(message, *keys[0].secret); }),
        true);
  return right ? 0 : 1;
}

}  // namespace
}  // namespace cc::bench

int main(int argc, char** argv) { return cc::bench::run(argc, argv); }
