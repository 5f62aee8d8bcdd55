#include "seal/names.h"

#include <gtest/gtest.h>

#include "seal/backoff.h"
#include "seal/kek_name.h"
#include "support/memory_ports.h"

namespace cc::seal {
namespace {

TEST(Names, OneRuleForOperatorsAndCredentials) {
  for (const char* good : {"a", "alice", "Alice.B_c-9", "0"}) {
    EXPECT_TRUE(is_plain_name(good)) << good;
    EXPECT_TRUE(check_credential_id(good)) << good;
  }
  for (const std::string& bad : {std::string(), std::string(65, 'a'), std::string("a b"), std::string("a,b"),
                                 std::string("ali\nce"), std::string("\xc3\xa9"), std::string("a\0b", 3)}) {
    EXPECT_FALSE(is_plain_name(bad));
    EXPECT_EQ(check_credential_id(bad).error().kind, ErrorKind::credential_id_invalid);
    EXPECT_EQ(check_operator_names({bad}).error().kind, ErrorKind::operator_name_invalid);
  }
  EXPECT_TRUE(check_operator_names({"alice", "Alice"}));
  EXPECT_FALSE(check_operator_names({"alice", "bob", "alice"}));
}

TEST(KekName, MalformedArnsAreAnsweredAsTheGuideSays) {
  for (const char* bad : {"arn:aws:kms:us-east-1:111111111111:alias/name", "arn:aws:kms:us-east-1:111111111111:key/",
                          "arn:aws:kms::111111111111:key/x", "arn:aws:kms:us-east-1:11111111111:key/x",
                          "arn:aws:s3:us-east-1:111111111111:key/x", "arn:aws:kms:us-east-1:111111111111:key/x:y",
                          "arn:gcp:kms:us-east-1:111111111111:key/x", "nonsense"}) {
    const auto parsed = parse_kek_name(bad);
    ASSERT_FALSE(parsed) << bad;
    EXPECT_EQ(parsed.error().kind, ErrorKind::kek_name_invalid);
    EXPECT_TRUE(
        parsed.error().message.starts_with("invalid KMS ARN: expected arn:aws:kms:<region>:<account-id>:key/<key-id>"))
        << parsed.error().message;
  }
}

TEST(KekName, KnowsItsSchemes) {
  EXPECT_EQ(parse_kek_name("local://a-1")->scheme, KekScheme::local);
  EXPECT_EQ(parse_kek_name("local://a-1")->local_name, "a-1");
  EXPECT_EQ(parse_kek_name("arn:aws:kms:us-east-1:111111111111:key/1234abcd-12ab")->scheme, KekScheme::aws);
  EXPECT_EQ(parse_kek_name("arn:aws:kms:us-east-1:111111111111:key/new-aaa...")->scheme, KekScheme::aws)
      << "as the operations guide writes them";
  EXPECT_EQ(parse_kek_name("arn:aws-us-gov:kms:us-gov-west-1:111111111111:key/x")->scheme, KekScheme::aws);
  EXPECT_EQ(parse_kek_name("gcp-kms://projects/p/locations/l/keyRings/r/cryptoKeys/k")->scheme, KekScheme::gcp);
  EXPECT_EQ(parse_kek_name("pkcs11:token=t;object=o")->scheme, KekScheme::pkcs11);
  for (const std::string& bad :
       {std::string("local://"), std::string("local://A"), std::string("local://a/b"), std::string("local://.."),
        std::string("local://") + std::string(65, 'a'), std::string("gcp-kms://projects/p/locations/l/keyRings/r"),
        std::string("pkcs11:"), std::string("pkcs11:token"), std::string(), std::string("local://a b"),
        std::string(1025, 'a'), std::string("local://a\n")}) {
    EXPECT_FALSE(parse_kek_name(bad)) << bad;
  }
}

TEST(KekName, TwoNamesOfOneKeyHaveOneCanonicalName) {
  const auto canonical = [](const char* name) { return parse_kek_name(name)->canonical; };
  EXPECT_EQ(canonical("arn:aws:kms:us-east-1:111111111111:key/mrk-1"),
            canonical("arn:aws:kms:eu-west-1:111111111111:key/mrk-1"));
  EXPECT_NE(canonical("arn:aws:kms:us-east-1:111111111111:key/1"),
            canonical("arn:aws:kms:eu-west-1:111111111111:key/1"));
  EXPECT_NE(canonical("arn:aws:kms:us-east-1:111111111111:key/mrk-1"),
            canonical("arn:aws:kms:us-east-1:222222222222:key/mrk-1"));
  EXPECT_EQ(canonical("pkcs11:token=t;object=o"), canonical("pkcs11:object=o;token=t?module-path=/x"));
}

TEST(Backoff, IsBoundedAndForgetsTheOldestFirst) {
  test::FakeClock clock;
  Backoff backoff(clock, 1);
  backoff.failed("alice", "first");
  EXPECT_FALSE(backoff.check("alice", "first"));
  for (std::size_t i = 0; i < 2 * Backoff::kMaxPairs; ++i) {
    clock.now += Milliseconds(1);
    backoff.failed("alice", std::to_string(i));
  }
  EXPECT_EQ(backoff.size(), Backoff::kMaxPairs);
  EXPECT_TRUE(backoff.check("alice", "first")) << "forgotten";
  EXPECT_FALSE(backoff.check("alice", std::to_string(2 * Backoff::kMaxPairs - 1)));
}

TEST(Backoff, DoublesUpToFiveMinutesAndEndsWithASuccess) {
  test::FakeClock clock;
  Backoff backoff(clock, 2);
  backoff.failed("alice", "s");
  EXPECT_TRUE(backoff.check("alice", "s"));
  Milliseconds wait{1000};
  for (int i = 0; i < 40; ++i) {
    backoff.failed("alice", "s");
    clock.now += wait - Milliseconds(1);
    EXPECT_FALSE(backoff.check("alice", "s")) << i;
    clock.now += Milliseconds(1);
    EXPECT_TRUE(backoff.check("alice", "s")) << i;
    wait = std::min(2 * wait, Milliseconds(300'000));
  }
  backoff.failed("alice", "s");
  backoff.succeeded("alice", "s");
  EXPECT_TRUE(backoff.check("alice", "s"));
  EXPECT_EQ(backoff.size(), 0U);
}

}  // namespace
}  // namespace cc::seal
