// POST /api/v1/chamber/sign: every entry is answered as a request of its own would be.
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <set>
#include <thread>

#include "api/test_signer.h"

namespace cc::api {
namespace {

using test::attestation;
using test::code_of;
using test::kNarrowToken;
using test::kOpsToken;
using test::kSigningToken;
using test::parsed;
using test::ring_key;
using test::TestSigner;
namespace json = boost::json;

constexpr const char* kPath = "/api/v1/chamber/sign";

std::string item(const std::vector<std::string>& keys, const std::string& request) {
  std::string out = R"({"pubkeys":[)";
  for (const std::string& key : keys) {
    out += (out.back() == '[' ? "\"" : ",\"") + key + '"';
  }
  return out + R"(],"request":)" + request + "}";
}
std::string list(const std::vector<std::string>& items) {
  std::string out = "[";
  for (const std::string& one : items) {
    out += (out.size() == 1 ? "" : ",") + one;
  }
  return out + "]";
}

class ManyKeys : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(signer.init_kms_only().status, 200);
    for (std::uint32_t number = 1; number <= 4; ++number) {
      keys.push_back(to_0x(signer.import_key(number)));
    }
  }
  http::Response post(std::string body, std::string_view token = kSigningToken, const std::string& type = "") {
    return signer.call("POST", kPath, std::move(body), token, [&](http::Request& request) {
      if (!type.empty()) {
        request.headers["content-type"] = type;
      }
    });
  }
  json::array data(std::string body, std::string_view token = kSigningToken) {
    const http::Response reply = post(std::move(body), token);
    EXPECT_EQ(reply.status, 200) << reply.body;
    return reply.status == 200 ? parsed(reply).at("data").as_array() : json::array();
  }
  // "200" or the code of each entry.
  static std::vector<std::string> verdicts(const json::array& entries) {
    std::vector<std::string> out;
    for (const json::value& entry : entries) {
      const auto& fields = entry.as_object();
      const bool is_signed = fields.at("status") == 200;
      EXPECT_EQ(is_signed, fields.contains("signature"));
      EXPECT_EQ(is_signed, !fields.contains("code") && !fields.contains("message"));
      out.emplace_back(is_signed ? std::string("200") : std::string(fields.at("code").as_string()));
    }
    return out;
  }
  std::string alone(const std::string& key, const std::string& body) {
    const http::Response reply = signer.call("POST", "/api/v1/eth2/sign/" + key, body, kSigningToken);
    return reply.status == 200 ? reply.body : "";
  }
  using Words = std::vector<std::string>;
  TestSigner signer;
  std::vector<std::string> keys;
};

TEST_F(ManyKeys, OneRequestForManyKeysIsSignedAsOneByOne) {
  const std::string message = attestation(10, 11);
  const json::array entries = data(item(keys, message));
  ASSERT_EQ(entries.size(), keys.size());
  for (std::size_t i = 0; i < keys.size(); ++i) {
    EXPECT_EQ(entries[i].at("pubkey"), json::value(keys[i]));
    EXPECT_EQ(entries[i].at("status"), 200);
    EXPECT_EQ(entries[i].at("signature"), json::value(alone(keys[i], message)));
  }
}

TEST_F(ManyKeys, DifferentRequestsComeBackInTheirOrder) {
  const std::vector<std::string> requests{attestation(10, 11), test::randao(5), attestation(20, 21, 7)};
  const std::string body = list({item({keys[2], keys[0]}, requests[0]), item({keys[1]}, requests[1]),
                                 R"({"request":)" + requests[2] + R"(,"pubkey":")" + keys[3] + "\"}"});
  const json::array entries = data(body);
  EXPECT_EQ(verdicts(entries), (Words{"200", "200", "200", "200"}));
  EXPECT_EQ(entries[0].at("signature"), json::value(alone(keys[2], requests[0])));
  EXPECT_EQ(entries[1].at("signature"), json::value(alone(keys[0], requests[0])));
  EXPECT_EQ(entries[2].at("signature"), json::value(alone(keys[1], requests[1])));
  EXPECT_EQ(entries[3].at("signature"), json::value(alone(keys[3], requests[2])));
}

TEST_F(ManyKeys, LinesAreAnsweredInLines) {
  const std::string body = item({keys[0]}, attestation(10, 11)) + "\n" + item({keys[1]}, "{}") + "\n";
  for (const char* type : {"application/x-ndjson", "Application/X-NDJSON; charset=utf-8"}) {
    const http::Response reply = post(body, kSigningToken, type);
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(reply.content_type, "application/x-ndjson");
    const std::size_t first = reply.body.find('\n');
    ASSERT_NE(first, std::string::npos);
    EXPECT_EQ(reply.body.find('\n', first + 1), reply.body.size() - 1);
    EXPECT_EQ(json::parse(reply.body.substr(0, first)).at("signature"),
              json::value(alone(keys[0], attestation(10, 11))));
    EXPECT_EQ(json::parse(reply.body.substr(first + 1)).at("code"), "malformed_request");
  }
}

TEST_F(ManyKeys, OfASlashablePairInOneBodyTheFirstIsSigned) {
  const json::array entries = data(list({item({keys[0]}, attestation(10, 11)), item({keys[0]}, attestation(10, 11, 99)),
                                         item({keys[0], keys[1]}, attestation(9, 12)),
                                         item({keys[0]}, attestation(10, 11)), item({keys[0]}, attestation(11, 12))}));
  EXPECT_EQ(verdicts(entries), (Words{"200", "slashable", "slashable", "200", "200", "200"}));
  EXPECT_EQ(entries[1].at("status"), 412);
  EXPECT_FALSE(entries[1].at("message").as_string().empty());
  EXPECT_EQ(entries[0].at("signature"), entries[4].at("signature")) << "the identical message again";
  EXPECT_EQ(alone(keys[0], attestation(10, 11, 99)), "") << "and it stays so for everybody";
}

TEST_F(ManyKeys, AKeyNamedTwiceIsAnsweredTwice) {
  const json::array entries = data(item({keys[0], keys[1], keys[0], keys[0]}, attestation(10, 11)));
  EXPECT_EQ(verdicts(entries), (Words{"200", "200", "200", "200"}));
  EXPECT_EQ(entries[0], entries[2]);
  EXPECT_EQ(entries[0], entries[3]);
}

TEST_F(ManyKeys, TwoBodiesWithASlashablePairAtOnceSignOneOfEach) {
  for (std::uint64_t round = 0; round < 10; ++round) {
    std::future<json::array> other =
        std::async(std::launch::async, [&] { return data(item(keys, attestation(100 + round, 101 + round, 1))); });
    const json::array mine = data(item(keys, attestation(100 + round, 101 + round, 2)));
    const json::array theirs = other.get();
    for (std::size_t i = 0; i < keys.size(); ++i) {
      EXPECT_NE(mine[i].at("status") == 200, theirs[i].at("status") == 200) << round;
    }
  }
}

TEST_F(ManyKeys, EveryEntryHasTheVerdictOfARequestOfItsOwn) {
  const std::string stranger = to_0x(ring_key(7)->public_key);
  const std::string wrong_root = R"(,"signingRoot":")" + to_0x(test::root_of(5)) + "\"";
  const std::vector<std::pair<std::string, std::string>> all{
      {keys[0], attestation(10, 11)},
      {stranger, attestation(10, 11)},
      {"0x12", attestation(10, 11)},
      {"\\u0030x", attestation(10, 11)},
      {keys[1], "{}"},
      {keys[1], R"({"type":"NO_SUCH"})"},
      {keys[1], "{\"type\":[}]"},
      {keys[1], attestation(10, 11, 1, wrong_root)},
      {keys[1], attestation(10, 11, 1, "", to_0x(test::root_of(5)))},
      {keys[0], attestation(10, 11, 99)},
      {keys[1], test::randao(3)},
  };
  Words items;
  for (const auto& [key, request] : all) {
    items.push_back(item({key}, request));
  }
  const json::array entries = data(list(items));
  EXPECT_EQ(verdicts(entries), (Words{"200", "unknown_key", "malformed_request", "malformed_request",
                                      "malformed_request", "malformed_request", "malformed_request",
                                      "signing_root_mismatch", "network_mismatch", "slashable", "200"}));
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto& [key, request] = all[i];
    if (key.find('\\') != std::string::npos) {
      continue;  // no path could hold it
    }
    const http::Response one = signer.call("POST", "/api/v1/eth2/sign/" + key, request, kSigningToken,
                                           [](http::Request& head) { head.headers["accept"] = "application/json"; });
    EXPECT_EQ(entries[i].at("status"), one.status) << i;
    if (one.status == 200) {
      EXPECT_EQ(entries[i].at("signature"), parsed(one).at("signature")) << i;
    } else {
      EXPECT_EQ(entries[i].at("code"), parsed(one).at("code")) << i;
      EXPECT_EQ(entries[i].at("message"), parsed(one).at("message")) << i;
    }
  }
  EXPECT_TRUE(entries[2].at("pubkey").is_null());
  EXPECT_TRUE(entries[3].at("pubkey").is_null());
}

TEST_F(ManyKeys, LimitsOfThePolicyHoldForEveryEntry) {
  const json::array entries =
      data(list({item({keys[1], keys[0]}, attestation(10, 11)), item({keys[0]}, test::randao(3))}), kNarrowToken);
  EXPECT_EQ(verdicts(entries), (Words{"forbidden", "200", "forbidden"}));
  EXPECT_EQ(entries[0].at("status"), 403);
}

TEST_F(ManyKeys, WithoutLeaveNothingIsRead) {
  EXPECT_EQ(post("nonsense", "").status, 401);
  EXPECT_EQ(post("nonsense", kOpsToken).status, 403);
  EXPECT_EQ(code_of(post("nonsense")), "malformed_request");
  const auto judged = [&](std::string_view token) {
    http::Request head;
    head.headers["authorization"] = "Bearer " + std::string(token);
    return (*signer.router->match("POST", kPath).options.admission)(head);
  };
  EXPECT_FALSE(judged(kSigningToken));
  EXPECT_EQ(judged("no-such-token-00000001")->status, 401);
  EXPECT_EQ(judged(kOpsToken)->content_type, "application/problem+json");
  ASSERT_EQ(signer.call("POST", "/api/v1/chamber/seal", {}, kOpsToken).status, 200);
  EXPECT_EQ(code_of(*judged(kSigningToken)), "signer_sealed");
  EXPECT_EQ(code_of(post("nonsense")), "signer_sealed");
  EXPECT_EQ(post(item(keys, attestation(10, 11))).status, 503);
}

TEST_F(ManyKeys, AStoreInDoubtReleasesNothingOfTheBody) {
  signer.slashing.push_fault(test::StoreFault::doubt_lost);
  const http::Response reply = post(item(keys, attestation(10, 11)));
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(verdicts(parsed(reply).at("data").as_array()),
            (Words{"store_in_doubt", "store_in_doubt", "store_in_doubt", "store_in_doubt"}));
  EXPECT_EQ(reply.body.find("signature\":"), std::string::npos);
}

TEST_F(ManyKeys, TenThousandEntriesAreTakenAndOneMoreIsNot) {
  std::vector<std::string> many(10'000, "0x12");
  many.back() = keys[0];
  const json::array entries = data(item(many, attestation(10, 11)));
  ASSERT_EQ(entries.size(), 10'000U);
  EXPECT_EQ(entries.back().at("status"), 200);
  many.push_back(keys[1]);
  const http::Response reply = post(item(many, attestation(11, 12)));
  EXPECT_EQ(reply.status, 400);
  EXPECT_EQ(code_of(reply), "malformed_request");
  EXPECT_NE(reply.body.find("10000"), std::string::npos);
  EXPECT_NE(alone(keys[0], attestation(11, 12, 5)), "") << "nothing of the refused body was signed";
}

TEST_F(ManyKeys, LargeBodiesAreReadOnTheirOwnQueue) {
  CeremonyQueue reading({.per_source = 1, .total = 1});
  signer.context.many_keys = &reading;
  std::promise<void> held;
  std::promise<void> begun;
  ASSERT_TRUE(reading.run("here", [&] {
    begun.set_value();
    held.get_future().wait();
  }));
  begun.get_future().wait();
  EXPECT_EQ(post(item(keys, attestation(10, 11))).status, 200) << "a small one is read at once";
  const std::string large = item(keys, attestation(11, 12)) + std::string(70'000, ' ');
  std::future<http::Response> waits = std::async(std::launch::async, [&] { return post(large); });
  while (reading.waiting() == 0) {
    std::this_thread::yield();
  }
  const http::Response refused = post(large);
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(code_of(refused), "overloaded");
  held.set_value();
  EXPECT_EQ(verdicts(parsed(waits.get()).at("data").as_array()), (Words{"200", "200", "200", "200"}));
  signer.context.many_keys = nullptr;
}

TEST_F(ManyKeys, EntriesAreCountedAsRequestsAre) {
  data(list({item({keys[0], keys[1]}, attestation(10, 11)), item({keys[0]}, attestation(10, 11, 99)),
             item({to_0x(ring_key(7)->public_key)}, attestation(10, 11)), item({keys[0]}, "{}")}));
  const std::string text = signer.metrics.render();
  for (const char* wanted : {"containment_signing_requests_total{operation=\"ATTESTATION\",status=\"200\"} 2",
                             "containment_signing_requests_total{operation=\"ATTESTATION\",status=\"412\"} 1"}) {
    EXPECT_NE(text.find(wanted), std::string::npos) << wanted;
  }
}

TEST(ManyKeysCanaries, ACanaryInABodyRaisesItsAlarm) {
  ApiOptions options;
  options.canary_keys = {ring_key(1)->public_key};
  TestSigner signer(options);
  ASSERT_EQ(signer.init_kms_only().status, 200);
  signer.import_key(1);
  signer.import_key(2);
  const std::string body = item({to_0x(ring_key(2)->public_key), to_0x(ring_key(1)->public_key)}, attestation(10, 11));
  EXPECT_EQ(signer.call("POST", kPath, body, kSigningToken).status, 200);
  EXPECT_NE(signer.metrics.render().find("containment_canary_signing_total{result=\"signed\"} 1"), std::string::npos);
}

TEST(ManyKeysLimits, WhatDoesNotFitTheQueueIsOverloadedByItself) {
  signing::PipelineOptions options;
  options.queue_limit = 2;
  TestSigner signer({}, options);
  ASSERT_EQ(signer.init_kms_only().status, 200);
  const std::string key = to_0x(signer.import_key(1));
  const http::Response reply =
      signer.call("POST", kPath, item(std::vector<std::string>(5, key), attestation(10, 11)), kSigningToken);
  ASSERT_EQ(reply.status, 200);
  std::multiset<std::int64_t> statuses;
  const json::value document = parsed(reply);
  for (const json::value& entry : document.at("data").as_array()) {
    statuses.insert(entry.at("status").as_int64());
  }
  EXPECT_EQ(statuses, (std::multiset<std::int64_t>{200, 200, 503, 503, 503}));
}

}  // namespace
}  // namespace cc::api
