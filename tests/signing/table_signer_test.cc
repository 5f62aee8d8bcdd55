#include "signing/table_signer.h"

#include <gtest/gtest.h>

#include <numeric>
#include <thread>

#include "support/ring_keys.h"

namespace cc::signing {
namespace {

using test::ring_key;
using test::root_of;

std::vector<std::shared_ptr<const keys::RingKey>> ring_keys(std::uint32_t first, std::size_t count) {
  std::vector<std::shared_ptr<const keys::RingKey>> out;
  for (std::uint32_t i = 0; i < count; ++i) {
    out.push_back(ring_key(first + i));
  }
  return out;
}

std::vector<BlsSignature> signed_by(GroupSigner& signer, const Root& root,
                                    const std::vector<std::shared_ptr<const keys::RingKey>>& keys) {
  std::vector<const keys::RingKey*> pointers;
  for (const auto& key : keys) {
    pointers.push_back(key.get());
  }
  std::vector<BlsSignature> out(keys.size());
  signer.sign(root, pointers, out);
  return out;
}

std::vector<BlsSignature> signed_each(GroupSigner& signer, const std::vector<Root>& roots,
                                      const std::vector<std::shared_ptr<const keys::RingKey>>& keys) {
  std::vector<BlsSignature> out(roots.size());
  std::vector<SingleRequest> requests;
  requests.reserve(roots.size());
  for (std::size_t i = 0; i < roots.size(); ++i) {
    requests.push_back({&roots[i], keys[i % keys.size()].get(), &out[i]});
  }
  signer.sign_each(requests);
  return out;
}

void expect_plain_each(const std::vector<BlsSignature>& made, const std::vector<Root>& roots,
                       const std::vector<std::shared_ptr<const keys::RingKey>>& keys) {
  ASSERT_EQ(made.size(), roots.size());
  for (std::size_t i = 0; i < roots.size(); ++i) {
    ASSERT_EQ(made[i], keys[i % keys.size()]->secret.sign(roots[i])) << i;
  }
}

std::vector<Root> roots_from(std::uint64_t first, std::size_t count) {
  std::vector<Root> out;
  out.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    out.push_back(root_of(first + i));
  }
  return out;
}

void expect_plain(const std::vector<BlsSignature>& made, const Root& root,
                  const std::vector<std::shared_ptr<const keys::RingKey>>& keys) {
  const crypto::HashedMessage message(root);
  for (std::size_t i = 0; i < keys.size(); ++i) {
    ASSERT_EQ(made[i], message.sign(keys[i]->secret)) << i;
  }
}

TEST(TableSigner, GroupsOfEverySizeSignLikeThePlainPath) {
  TableSigner signer;
  for (const std::size_t size : {1U, 2U, 3U, 4U, 5U, 15U, 16U, 64U, 65U, 200U}) {
    const auto keys = ring_keys(10, size);
    expect_plain(signed_by(signer, root_of(size), keys), root_of(size), keys);
  }
  EXPECT_EQ(signer.counters().fallbacks, 0U);
  EXPECT_EQ(signer.counters().one_by_one, 6U);  // the groups of one, two and three
  EXPECT_EQ(signer.counters().from_tables, 369U);
}

TEST(TableSigner, OneKeyAloneNeverUsesATable) {
  TableSigner signer;
  const auto many = ring_keys(10, 20);
  const auto one = ring_keys(40, 1);
  signed_by(signer, root_of(1), many);
  expect_plain(signed_by(signer, root_of(1), one), root_of(1), one);
  EXPECT_EQ(signer.counters().one_by_one, 1U);
}

TEST(TableSigner, TwoKeysUseATableThatIsThere) {
  TableSigner signer;
  const auto two = ring_keys(40, 2);
  signed_by(signer, root_of(1), ring_keys(10, 4));
  expect_plain(signed_by(signer, root_of(1), two), root_of(1), two);
  EXPECT_EQ(signer.counters().from_tables, 6U);
}

TEST(TableSigner, ATableGrowsWithTheDemandAndStaysRight) {
  TableSigner signer;
  const auto keys = ring_keys(10, 8);
  for (int i = 0; i < 20; ++i) {  // 160 signatures: through all layouts
    expect_plain(signed_by(signer, root_of(3), keys), root_of(3), keys);
  }
  EXPECT_EQ(signer.counters().from_tables, 160U);
}

TEST(TableSigner, OldMessagesAreForgottenAndComeBackRight) {
  TableSignerOptions options;
  options.messages = 1;
  TableSigner signer(options);
  const auto keys = ring_keys(10, 6);
  for (int round = 0; round < 2; ++round) {
    for (std::uint64_t message = 0; message < 3; ++message) {
      expect_plain(signed_by(signer, root_of(message), keys), root_of(message), keys);
    }
  }
}

TEST(TableSigner, TheKeyThatTheMethodLeavesOutIsSignedByThePlainPath) {
  TableSigner signer;
  const auto keys = ring_keys(1, 9);  // 2 is among them
  expect_plain(signed_by(signer, root_of(1), keys), root_of(1), keys);
  EXPECT_EQ(signer.counters().one_by_one, 1U);
  EXPECT_EQ(signer.counters().from_tables, 8U);
  EXPECT_EQ(signer.counters().fallbacks, 0U);
}

TEST(TableSigner, AWrongComputationIsSignedAgainAndCounted) {
  metrics::Registry metrics("test");
  TableSignerOptions options;
  options.metrics = &metrics;
  options.declassified = [](void* bytes, std::size_t size) {
    if (size == 96) {  // the blinded product of each inversion
      static_cast<std::uint8_t*>(bytes)[7] ^= 4;
    }
  };
  TableSigner signer(options);
  const auto keys = ring_keys(10, 40);
  expect_plain(signed_by(signer, root_of(1), keys), root_of(1), keys);
  EXPECT_EQ(signer.counters().fallbacks, 1U);
  EXPECT_EQ(signer.counters().from_tables, 0U);
  EXPECT_NE(metrics.render().find("containment_same_message_fallbacks_total 1"), std::string::npos);
  EXPECT_NE(metrics.render().find("containment_signatures_total{way=\"single\"} 40"), std::string::npos);
}

TEST(TableSigner, DistinctRequestsOfEveryNumberSignLikeThePlainPath) {
  TableSigner signer;
  const auto keys = ring_keys(1, 50);  // 2 is among them: no key is left out here
  for (const std::size_t size : {1U, 2U, 3U, 4U, 5U, 16U, 17U, 50U}) {
    expect_plain_each(signed_each(signer, roots_from(100 * size, size), keys), roots_from(100 * size, size), keys);
  }
  EXPECT_EQ(signer.counters().one_by_one, 6U);  // the batches of one, two and three
  EXPECT_EQ(signer.counters().distinct, 92U);
  EXPECT_EQ(signer.counters().from_tables, 0U);
  EXPECT_EQ(signer.counters().fallbacks, 0U);
}

TEST(TableSigner, DistinctRequestsMayRepeatRootsAndKeys) {
  TableSigner signer;
  const auto keys = ring_keys(5, 3);
  std::vector<Root> roots = roots_from(1, 4);
  for (int i = 0; i < 3; ++i) {
    roots.insert(roots.end(), roots.begin(), roots.end());
  }
  expect_plain_each(signed_each(signer, roots, keys), roots, keys);
}

TEST(TableSigner, RequestsThatComeAlonePushNoTableOut) {
  TableSignerOptions options;
  options.messages = 1;
  TableSigner signer(options);
  const auto keys = ring_keys(10, 4);
  signed_by(signer, root_of(1), keys);
  signed_each(signer, roots_from(1, 100), keys);  // the table's own root is among them
  expect_plain(signed_by(signer, root_of(1), ring_keys(40, 2)), root_of(1), ring_keys(40, 2));
  EXPECT_EQ(signer.counters().from_tables, 6U);
}

TEST(TableSigner, AWrongComputationOfDistinctRequestsIsSignedAgainAndCounted) {
  metrics::Registry metrics("test");
  TableSignerOptions options;
  options.metrics = &metrics;
  options.declassified = [](void* bytes, std::size_t size) {
    if (size == 96) {  // the blinded product of each inversion
      static_cast<std::uint8_t*>(bytes)[7] ^= 4;
    }
  };
  TableSigner signer(options);
  const auto keys = ring_keys(10, 40);
  expect_plain_each(signed_each(signer, roots_from(1, 40), keys), roots_from(1, 40), keys);
  EXPECT_EQ(signer.counters().fallbacks, 1U);
  EXPECT_EQ(signer.counters().distinct, 0U);
  EXPECT_NE(metrics.render().find("containment_same_message_fallbacks_total 1"), std::string::npos);
  EXPECT_NE(metrics.render().find("containment_signatures_total{way=\"single\"} 40"), std::string::npos);
}

TEST(TableSigner, SeveralWorkersMaySignDistinctRequests) {
  TableSigner signer;
  std::vector<std::thread> workers;
  for (std::uint32_t w = 0; w < 4; ++w) {
    workers.emplace_back([&signer, w] {
      const auto keys = ring_keys(10 + 50 * w, 20);
      for (std::uint64_t round = 0; round < 3; ++round) {
        const std::vector<Root> roots = roots_from(std::uint64_t{10} * w + round, 20);
        expect_plain_each(signed_each(signer, roots, keys), roots, keys);
      }
    });
  }
  for (std::thread& worker : workers) {
    worker.join();
  }
  EXPECT_EQ(signer.counters().distinct, 240U);
}

TEST(TableSigner, SeveralWorkersMayShareAMessage) {
  TableSigner signer;
  std::vector<std::thread> workers;
  for (std::uint32_t w = 0; w < 4; ++w) {
    workers.emplace_back([&signer, w] {
      const auto keys = ring_keys(10 + 50 * w, 30);
      for (std::uint64_t message = 0; message < 3; ++message) {
        expect_plain(signed_by(signer, root_of(message), keys), root_of(message), keys);
      }
    });
  }
  for (std::thread& worker : workers) {
    worker.join();
  }
  EXPECT_EQ(signer.counters().from_tables, 360U);
}

}  // namespace
}  // namespace cc::signing
