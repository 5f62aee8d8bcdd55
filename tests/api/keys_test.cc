// /api/v1/chamber/keys: one result per key, and nothing at all while the chamber is closed.
#include <gtest/gtest.h>

#include <set>
#include <tuple>

#include "api/test_signer.h"

namespace cc::api {
namespace {

using test::code_of;
using test::kKeysToken;
using test::kOpsToken;
using test::kSigningToken;
using test::parsed;
using test::ring_key;
using test::scalar;
using test::TestSigner;
namespace json = boost::json;

constexpr const char* kKeys = "/api/v1/chamber/keys";

std::string entry(std::uint32_t number) { return R"({"private_key":")" + to_0x(scalar(number)) + "\"}"; }
std::string pubkeys(std::initializer_list<std::uint32_t> numbers, const std::string& rest = {}) {
  std::string out;
  for (const std::uint32_t number : numbers) {
    out += (out.empty() ? "\"" : ",\"") + to_0x(ring_key(number)->public_key) + "\"";
  }
  return R"({"pubkeys":[)" + out + "]" + rest + "}";
}
std::string status_at(const http::Response& reply, std::size_t index) {
  return std::string(parsed(reply).at("data").as_array().at(index).at("status").as_string());
}

TEST(ChamberKeys, GeneratedKeysSignWhenTheReplyLeaves) {
  TestSigner signer;
  ASSERT_EQ(signer.init_kms_only().status, 200);
  const http::Response reply = signer.call("POST", "/api/v1/chamber/keys/generate", R"({"count":3})", kKeysToken);
  ASSERT_EQ(reply.status, 200) << reply.body;
  const json::array data = parsed(reply).at("data").as_array();
  ASSERT_EQ(data.size(), 3U);
  for (const json::value& one : data) {
    EXPECT_EQ(one.at("status"), "generated");
    EXPECT_TRUE(one.at("message").is_string());
    BlsPublicKey key{};
    ASSERT_TRUE(from_hex_exact(std::string_view(one.at("pubkey").as_string()), key));
    EXPECT_EQ(signer.sign(key, test::attestation(1, 2)).status, 200);
  }
}

TEST(ChamberKeys, GenerateRefusesWhatIsNoCount) {
  TestSigner signer;
  ASSERT_EQ(signer.init_kms_only().status, 200);
  for (const char* body : {R"({"count":0})", R"({"count":10001})", R"({"count":"3"})", R"({"count":-1})", R"({})",
                           R"({"count":1,"withdrawal":"0x"})"}) {
    const http::Response reply = signer.call("POST", "/api/v1/chamber/keys/generate", body, kKeysToken);
    EXPECT_EQ(reply.status, 400) << body << reply.body;
  }
  EXPECT_EQ(signer.ring.size(), 0U);
}

TEST(ChamberKeys, OneBadKeyDoesNotSpoilTheOthers) {
  TestSigner signer;
  ASSERT_EQ(signer.init_kms_only().status, 200);
  const std::string zero = R"({"private_key":"0x)" + std::string(64, '0') + "\"}";
  const http::Response reply =
      signer.call("POST", kKeys,
                  R"({"keys":[)" + entry(1) + R"(,{"private_key":"0x12"},)" + zero + "," + entry(2) + "," + entry(1) +
                      R"(,{"keystore":{"version":4},"password":"x"}],"storage":{"persist":true}})",
                  kKeysToken);
  ASSERT_EQ(reply.status, 200) << reply.body;
  const std::vector<std::string> wanted{"imported", "error", "error", "imported", "duplicate", "error"};
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    EXPECT_EQ(status_at(reply, i), wanted[i]) << i << reply.body;
    if (wanted[i] == "error") {
      EXPECT_FALSE(parsed(reply).at("data").as_array().at(i).at("message").as_string().empty());
    }
  }
  EXPECT_EQ(parsed(reply).at("data").as_array().at(3).at("pubkey"), json::value(to_0x(ring_key(2)->public_key)));
  EXPECT_EQ(signer.ring.size(), 2U);
}

TEST(ChamberKeys, MalformedImportsAreRefusedWhole) {
  TestSigner signer;
  ASSERT_EQ(signer.init_kms_only().status, 200);
  for (const std::string body :
       {R"({"keys":[{}]})", R"({"keys":[{"private_key":1}]})", R"({"keys":{}})", R"({})",
        R"({"keys":[{"private_key":"0x12","password":"x"}]})", R"({"keys":[{"keystore":{}}]})",
        R"({"keys":[],"storage":{"persist":"yes"}})", R"({"keys":[],"storage":{"where":"disk"}})",
        R"({"keys":[{"private_key":"0x12","colour":"blue"}]})"}) {
    EXPECT_EQ(signer.call("POST", kKeys, body, kKeysToken).status, 400) << body;
  }
}

TEST(ChamberKeys, AreListedInPages) {
  TestSigner signer;
  ASSERT_EQ(signer.init_kms_only().status, 200);
  std::set<std::string> wanted;
  for (std::uint32_t i = 1; i <= 5; ++i) {
    wanted.insert(to_0x(signer.import_key(i)));
  }
  std::set<std::string> seen;
  std::string cursor;
  for (int page = 0; page < 3; ++page) {
    const http::Response reply = signer.call(
        "GET", std::string(kKeys) + "?limit=2" + (cursor.empty() ? "" : "&cursor=" + cursor), {}, kKeysToken);
    ASSERT_EQ(reply.status, 200) << reply.body;
    const json::value page_body = parsed(reply);
    for (const json::value& one : page_body.at("data").as_array()) {
      EXPECT_EQ(one.at("status"), "active");
      seen.insert(std::string(one.at("pubkey").as_string()));
    }
    const json::value& next = page_body.at("next_cursor");
    EXPECT_EQ(next.is_null(), page == 2);
    cursor = next.is_null() ? "" : std::string(next.as_string());
  }
  EXPECT_EQ(seen, wanted);
  for (const char* bad : {"?limit=0", "?limit=x", "?limit=1001", "?limit=-1", "?cursor=0x12"}) {
    EXPECT_EQ(signer.call("GET", std::string(kKeys) + bad, {}, kKeysToken).status, 400) << bad;
  }
}

TEST(ChamberKeys, AnInactiveKeyDoesNotSignUntilItIsActiveAgain) {
  TestSigner signer;
  ASSERT_EQ(signer.init_kms_only().status, 200);
  const BlsPublicKey key = signer.import_key(1);
  const http::Response off = signer.call("PATCH", kKeys, pubkeys({1, 9}, R"(,"status":"inactive")"), kKeysToken);
  ASSERT_EQ(off.status, 200) << off.body;
  EXPECT_EQ(status_at(off, 0), "inactive");
  EXPECT_EQ(status_at(off, 1), "not_found");
  EXPECT_EQ(signer.sign(key, test::attestation(1, 2)).status, 404);
  const http::Response on = signer.call("PATCH", kKeys, pubkeys({1}, R"(,"status":"active")"), kKeysToken);
  EXPECT_EQ(status_at(on, 0), "active");
  EXPECT_EQ(signer.sign(key, test::attestation(1, 2)).status, 200);
  EXPECT_EQ(signer.call("PATCH", kKeys, pubkeys({1}, R"(,"status":"asleep")"), kKeysToken).status, 400);
  EXPECT_EQ(signer.call("PATCH", kKeys, R"({"pubkeys":["0x12"],"status":"active"})", kKeysToken).status, 400);
}

TEST(ChamberKeys, ADeletedKeyIsGone) {
  TestSigner signer;
  ASSERT_EQ(signer.init_kms_only().status, 200);
  const BlsPublicKey key = signer.import_key(1);
  const http::Response reply = signer.call("DELETE", kKeys, pubkeys({1, 9}), kKeysToken);
  ASSERT_EQ(reply.status, 200) << reply.body;
  EXPECT_EQ(status_at(reply, 0), "deleted");
  EXPECT_EQ(status_at(reply, 1), "not_found");
  EXPECT_EQ(signer.sign(key, test::attestation(1, 2)).status, 404);
  EXPECT_TRUE(parsed(signer.call("GET", kKeys, {}, kKeysToken)).at("data").as_array().empty());
}

TEST(ChamberKeys, NeedAnOpenChamber) {
  TestSigner signer;
  const auto all = [&](int status, const std::string& code) {
    const std::vector<std::tuple<std::string, std::string, std::string>> calls{
        {"GET", kKeys, ""},
        {"POST", std::string(kKeys) + "/generate", R"({"count":1})"},
        {"POST", kKeys, R"({"keys":[)" + entry(1) + "]}"},
        {"PATCH", kKeys, pubkeys({1}, R"(,"status":"active")")}};
    for (const auto& [method, path, body] : calls) {
      const http::Response reply = signer.call(method, path, body, kKeysToken);
      EXPECT_EQ(reply.status, status) << method << path << reply.body;
      EXPECT_EQ(code_of(reply), code) << method << path;
    }
  };
  all(409, "not_initialized");
  ASSERT_EQ(signer.init_kms_only().status, 200);
  ASSERT_EQ(signer.call("POST", "/api/v1/chamber/seal", {}, kOpsToken).status, 200);
  all(503, "signer_sealed");
  EXPECT_EQ(signer.call("DELETE", kKeys, pubkeys({1}), kKeysToken).status, 503);
}

TEST(ChamberKeys, EachEndpointHasItsScope) {
  TestSigner signer;
  for (const char* method : {"GET", "POST", "PATCH", "DELETE"}) {
    EXPECT_EQ(signer.call(method, kKeys, "{}").status, 401) << method;
    EXPECT_EQ(signer.call(method, kKeys, "{}", kSigningToken).status, 403) << method;
  }
  EXPECT_EQ(signer.call("POST", "/api/v1/chamber/keys/generate", "{}", kOpsToken).status, 403);
}

TEST(ChamberKeys, MemoryKeysSignWithoutAChamber) {
  TestSigner signer;
  const http::Response reply =
      signer.call("POST", kKeys, R"({"keys":[)" + entry(1) + R"(],"storage":{"persist":false}})", kKeysToken);
  ASSERT_EQ(reply.status, 200) << reply.body;
  EXPECT_EQ(status_at(reply, 0), "imported");
  EXPECT_EQ(signer.sign(ring_key(1)->public_key, test::attestation(1, 2)).status, 200);
  EXPECT_EQ(signer.sign(ring_key(1)->public_key, test::attestation(1, 2, 99)).status, 412);
}

TEST(ChamberKeys, MemoryKeysWaitForResumeAfterASealBeforeTheFirstChamber) {
  TestSigner signer;
  ASSERT_EQ(signer.call("POST", "/api/v1/chamber/seal", {}, kOpsToken).status, 200);
  const std::string body = R"({"keys":[)" + entry(1) + R"(],"storage":{"persist":false}})";
  EXPECT_EQ(signer.call("POST", kKeys, body, kKeysToken).status, 503);
  ASSERT_EQ(signer.call("POST", "/api/v1/chamber/resume", {}, kOpsToken).status, 200);
  EXPECT_EQ(signer.call("POST", kKeys, body, kKeysToken).status, 200);
}

TEST(ChamberKeys, SwitchedOffEndpointsAreNotThere) {
  TestSigner signer({.generate_enabled = false, .import_enabled = false, .lifecycle_enabled = false});
  EXPECT_EQ(signer.call("POST", "/api/v1/chamber/keys/generate", "{}", kKeysToken).status, 404);
  for (const char* method : {"POST", "PATCH", "DELETE"}) {
    EXPECT_EQ(signer.call(method, kKeys, "{}", kKeysToken).status, 405) << method;
  }
}

}  // namespace
}  // namespace cc::api
