#include "adapters/aws/endpoints.h"

#include <gtest/gtest.h>

namespace cc::aws {
namespace {

std::string url(const Endpoints& endpoints, std::string_view region) { return endpoints.of("kms", region)->url; }

TEST(EndpointsTest, FollowRegionAndPartition) {
  const auto endpoints = Endpoints::make({}, {}).value();
  EXPECT_EQ(url(endpoints, "eu-west-1"), "https://kms.eu-west-1.amazonaws.com/");
  EXPECT_EQ(url(endpoints, "us-gov-west-1"), "https://kms.us-gov-west-1.amazonaws.com/");
  EXPECT_EQ(url(endpoints, "cn-north-1"), "https://kms.cn-north-1.amazonaws.com.cn/");
  EXPECT_FALSE(endpoints.of("kms", "evil.example/"));
  EXPECT_FALSE(endpoints.of("kms", ""));
}

TEST(EndpointsTest, TheMostParticularOverrideWins) {
  const Environment environment{{"AWS_ENDPOINT_URL", "https://all.example"},
                                {"AWS_ENDPOINT_URL_KMS", "https://kms.example:8443"}};
  EXPECT_EQ(url(Endpoints::make({}, environment).value(), "eu-west-1"), "https://kms.example:8443/");
  EXPECT_EQ(Endpoints::make({}, environment)->of("kms", "eu-west-1")->host, "kms.example:8443");
  EXPECT_EQ(Endpoints::make({}, environment)->of("sts", "eu-west-1")->url, "https://all.example/");
  EXPECT_EQ(url(Endpoints::make({{"kms", "http://127.0.0.1:4599"}}, environment).value(), "x"),
            "http://127.0.0.1:4599/");
  EXPECT_EQ(url(Endpoints::make({{"kms", "https://vpce.{region}.example"}}, {}).value(), "eu-west-1"),
            "https://vpce.eu-west-1.example/");
}

TEST(EndpointsTest, PlainHttpStaysOnThisMachine) {
  for (const char* good : {"http://127.0.0.1:1", "http://127.8.0.1", "http://[::1]:4599", "http://localhost:4599/"}) {
    EXPECT_TRUE(Endpoints::make({{"kms", good}}, {})) << good;
  }
  for (const char* bad :
       {"http://kms.example", "http://127.0.0.1.example", "http://10.0.0.1", "ftp://127.0.0.1", "kms",
        "https://user:pass@kms.example", "https://kms.example/path", "http://127.0.0.1@evil.example"}) {
    const auto made = Endpoints::make({{"kms", bad}}, {});
    ASSERT_FALSE(made) << bad;
    EXPECT_EQ(made.error().kind, ErrorKind::config_invalid);
    EXPECT_NE(made.error().message.find("aws.endpoints.kms"), std::string::npos) << made.error().message;
  }
}

}  // namespace
}  // namespace cc::aws
