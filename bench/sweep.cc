// How the signer behaves over its range, one row per point, for the table and the plot of docs/performance.md
// (tools/bench_plot.py). Every row begins with the word `row`:
//
//   row closed KEYS CONNECTIONS RATE P50 P99            one slot's message, as many requests as the connections take
//   row mix NAME CONNECTIONS RATE P50 P99               10,000 keys, messages of different kinds
//   row open RATE P50 P99 P999                          requests at fixed times, latency from the time they were due
//   row many ENTRIES RATE                               the many-keys endpoint, one body after the other
// Usage: bench_sweep [milliseconds per point] [most keys]
#include <cstdlib>

#include "base/log.h"
#include "bench/bench_signer.h"
#include "bench/captured_mix.h"
#include "bench/contender.h"

namespace cc::bench {
namespace {

std::uint64_t refused = 0;

// What all keys of a slot sign.
std::string vote_of(std::uint64_t slot) { return attestation(slot, slot); }

void closed_loops(const RingKeys& all, std::chrono::milliseconds duration) {
  for (std::size_t count = 1'000; count <= all.size(); count *= 10) {
    const BenchFolder folder(std::filesystem::temp_directory_path());
    const RingKeys keys(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(count));
    const BenchSigner signer(folder.path(), keys);
    for (const std::size_t connections : {1, 4, 16, 64, 256, 512}) {
      LoadClient client(signer.server->port(), connections);
      // Every key signs the slots one after the other, so that the store holds all of them at the end.
      static std::uint64_t epoch = 0;
      const Posts posts(signer.public_keys);
      std::size_t sent = 0;
      std::string body = vote_of(++epoch);
      LoadResult result = client.run(duration, [&](std::size_t, std::string& out) {
        if (sent == count) {
          sent = 0;
          body = vote_of(++epoch);
        }
        posts.write(sent++, body, out);
      });
      refused += result.refused;
      std::printf("row closed %zu %zu %.0f %.2f %.2f\n", count, connections,
                  static_cast<double>(result.answers) / result.seconds, result.percentile(0.5),
                  result.percentile(0.99));
      std::fflush(stdout);
    }
  }
}

void mixes(const BenchSigner& signer, std::chrono::milliseconds duration) {
  const std::size_t keys = signer.public_keys.size();
  const Posts posts(signer.public_keys);
  std::uint64_t slot = 1'000'000;
  for (const std::string name : {"same", "captured", "distinct"}) {
    LoadClient client(signer.server->port(), 64);
    std::size_t sent = 0;
    ++slot;
    LoadResult result = client.run(duration, [&](std::size_t, std::string& out) {
      if (sent == keys) {
        sent = 0;
        ++slot;
      }
      const std::string body = name == "same"       ? attestation(slot, slot)
                               : name == "captured" ? captured_request(slot, sent % 10'000)
                                                    : attestation(slot, slot * 100'000 + sent);
      posts.write(sent++, body, out);
    });
    refused += result.refused;
    std::printf("row mix %s 64 %.0f %.2f %.2f\n", name.c_str(), static_cast<double>(result.answers) / result.seconds,
                result.percentile(0.5), result.percentile(0.99));
  }
}

void open_loops(const BenchSigner& signer, std::chrono::milliseconds duration) {
  const std::size_t keys = signer.public_keys.size();
  const Posts posts(signer.public_keys);
  LoadClient client(signer.server->port(), 512);
  std::uint64_t slot = 2'000'000;
  for (const double rate : {250.0, 1'000.0, 2'000.0, 4'000.0, 6'000.0, 8'000.0}) {
    std::size_t sent = 0;
    std::string body = vote_of(++slot);
    LoadResult result = client.open_loop(rate, duration, [&](std::size_t, std::string& out) {
      if (sent == keys) {
        sent = 0;
        body = vote_of(++slot);
      }
      posts.write(sent++, body, out);
    });
    refused += result.refused;
    std::printf("row open %.0f %.2f %.2f %.2f\n", rate, result.percentile(0.5), result.percentile(0.99),
                result.percentile(0.999));
  }
}

void many_keys(const BenchSigner& signer, std::chrono::milliseconds duration) {
  const std::string head = head_of("/api/v1/chamber/sign");
  LoadClient client(signer.server->port(), 2);
  std::uint64_t slot = 3'000'000;
  for (const std::size_t entries : {16, 64, 512, 3125}) {
    std::string keys;
    for (std::size_t i = 0; i < entries; ++i) {
      keys += (i == 0 ? "\"" : ",\"") + to_0x(signer.public_keys[i]) + '"';
    }
    const LoadResult result = client.run(duration, [&](std::size_t, std::string& out) {
      ++slot;
      const std::string body = R"({"request":)" + attestation(slot, slot) + R"(,"pubkeys":[)" + keys + "]}";
      out = head + std::to_string(body.size()) + "\r\n\r\n" + body;
    });
    refused += result.refused;
    std::printf("row many %zu %.0f\n", entries, static_cast<double>(result.answers * entries) / result.seconds);
  }
}

int run(int argc, char** argv) {
  log::configure(log::Level::error, log::Format::text);
  const auto number = [&](int index, std::size_t otherwise) {
    return argc > index ? std::max<std::size_t>(1, std::strtoul(argv[index], nullptr, 10)) : otherwise;
  };
  const std::chrono::milliseconds duration(number(1, 700));
  const RingKeys keys = make_ring_keys(std::max<std::size_t>(number(2, 100'000), 10'000));
  closed_loops(keys, duration);
  const BenchFolder folder(std::filesystem::temp_directory_path());
  const BenchSigner signer(folder.path(), RingKeys(keys.begin(), keys.begin() + 10'000));
  mixes(signer, duration);
  open_loops(signer, 2 * duration);
  many_keys(signer, duration);
  if (refused != 0) {
    std::printf("refused %" PRIu64 "\n", refused);
  }
  return refused == 0 ? 0 : 1;
}

}  // namespace
}  // namespace cc::bench

int main(int argc, char** argv) { return cc::bench::run(argc, argv); }
