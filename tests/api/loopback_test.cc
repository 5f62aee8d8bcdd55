// The same endpoints behind the real server, on loopback.
#include <gtest/gtest.h>

#include <thread>

#include "api/test_signer.h"
#include "http/client.h"
#include "http/server.h"

namespace cc::api {
namespace {

using test::TestSigner;
namespace json = boost::json;

class Loopback : public testing::Test {
 protected:
  http::ClientResponse send(const std::string& method, const std::string& path, std::string body = {},
                            std::string_view token = {}) {
    http::ClientRequest request;
    request.method = method;
    request.url = "http://127.0.0.1:" + std::to_string(server->port()) + path;
    request.headers.emplace_back("Accept", "application/json");
    if (!token.empty()) {
      request.headers.emplace_back("Authorization", "Bearer " + std::string(token));
    }
    request.body = std::move(body);
    auto response = http::send(request);
    EXPECT_TRUE(response.has_value()) << response.error().message;
    return response ? *std::move(response) : http::ClientResponse{};
  }
  TestSigner signer;
  std::unique_ptr<http::Server> server = http::Server::start({}, signer.router).value();
};

TEST_F(Loopback, FromFirstBootToASignatureAndBack) {
  EXPECT_EQ(send("GET", "/upcheck").body, "OK");
  EXPECT_EQ(json::parse(send("GET", "/api/v1/chamber/status", {}, test::kOpsToken).body),
            json::parse(R"({"seal":{"status":"uninitialized"},"keys":null})"));
  const auto init = send("POST", "/api/v1/chamber/init", R"({"kms_key_arns":["local://one"],"kms_threshold":1})",
                         signer.setup_token());
  EXPECT_EQ(init.status, 200) << init.body;
  const auto made = send("POST", "/api/v1/chamber/keys/generate", R"({"count":1})", test::kKeysToken);
  ASSERT_EQ(made.status, 200) << made.body;
  const json::value body = json::parse(made.body);
  const std::string key(body.at("data").as_array().at(0).at("pubkey").as_string());
  const std::string path = "/api/v1/eth2/sign/" + key;
  EXPECT_EQ(send("POST", path, test::attestation(1, 2), test::kSigningToken).status, 200);
  EXPECT_EQ(send("POST", path, test::attestation(1, 2, 99), test::kSigningToken).status, 412);
  EXPECT_EQ(json::parse(send("GET", "/api/v1/eth2/publicKeys", {}, test::kSigningToken).body),
            json::value(json::array{key}));
  EXPECT_EQ(send("GET", "/healthcheck").status, 200);
  EXPECT_EQ(json::parse(send("POST", "/api/v1/chamber/seal", {}, test::kOpsToken).body),
            json::parse(R"({"status":"sealed"})"));
  EXPECT_EQ(send("POST", path, test::attestation(2, 3), test::kSigningToken).status, 503);
  EXPECT_EQ(send("GET", "/healthcheck").status, 503);
}

TEST_F(Loopback, RefusesWhatIsTooLargeOrUnknown) {
  EXPECT_EQ(send("POST", "/api/v1/chamber/unseal", std::string(257UL * 1024, 'x')).status, 413);
  EXPECT_EQ(send("POST", "/api/v1/chamber/drill", std::string(255UL * 1024, 'x')).status, 400);
  EXPECT_EQ(send("GET", "/nowhere").status, 404);
  EXPECT_EQ(send("DELETE", "/api/v1/chamber/init").status, 405);
}

TEST_F(Loopback, ManyConnectionsRacingForOneDutyGetOneSignature) {
  ASSERT_EQ(signer.init_kms_only().status, 200);
  const std::string path = "/api/v1/eth2/sign/" + to_0x(signer.import_key(1));
  for (std::uint64_t round = 1; round <= 5; ++round) {
    std::atomic<int> ok{0}, refused{0};
    std::vector<std::thread> threads;
    for (std::uint64_t head = 1; head <= 8; ++head) {
      threads.emplace_back([&, head] {
        const int status = send("POST", path, test::attestation(round, round + 1, head), test::kSigningToken).status;
        ok += status == 200 ? 1 : 0;
        refused += status == 412 ? 1 : 0;
      });
    }
    for (std::thread& thread : threads) {
      thread.join();
    }
    EXPECT_EQ(ok, 1);
    EXPECT_EQ(refused, 7);
  }
}

}  // namespace
}  // namespace cc::api
