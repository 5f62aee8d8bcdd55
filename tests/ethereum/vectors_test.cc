// Requests captured from a real validator client, and roots computed by an independent SSZ library.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "ethereum/requests.h"

namespace cc::ethereum::test {
namespace {

namespace json = boost::json;

std::vector<std::string> captured_files() {
  std::vector<std::string> out;
  for (const auto& entry : std::filesystem::directory_iterator(vector_folder())) {
    const std::string name = entry.path().filename().string();
    if (name.find("__") != std::string::npos) {
      out.push_back(name);
    }
  }
  std::sort(out.begin(), out.end());
  return out;
}

Root flipped(Root root) {
  root[31] ^= 1;
  return root;
}

class Captured : public testing::TestWithParam<std::string> {
 protected:
  json::value file = read_json(GetParam());
  Network network = named(text_of(file.at("preset")).c_str());
  json::object body = file.at("body").as_object();
};

TEST_P(Captured, SigningRootIsTheOneTheClientComputed) {
  const auto parsed = parse_sign_request(json::serialize(body), network);
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_EQ(to_0x(parsed->signing_root), text_of(body.at("signingRoot")));
  EXPECT_EQ(parsed->type, text_of(body.at("type")));
  EXPECT_EQ(parsed->genesis_validators_root.has_value(), body.contains("fork_info"));
}

TEST_P(Captured, AnAbsentRootIsComputedAndAWrongOneRefused) {
  const Root expected = fixed<32>(body.at("signingRoot"));
  body.erase("signingRoot");
  const auto absent = parse_sign_request(json::serialize(body), network);
  ASSERT_TRUE(absent) << absent.error().message;
  EXPECT_EQ(absent->signing_root, expected);
  for (const char* spelling : {"signingRoot", "signing_root"}) {
    json::object wrong = body;
    wrong[spelling] = to_0x(flipped(expected));
    const auto refused = parse_sign_request(json::serialize(wrong), network);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, ErrorKind::signing_root_mismatch);
    json::object right = body;
    right[spelling] = to_0x(expected);
    EXPECT_TRUE(parse_sign_request(json::serialize(right), network));
  }
}

std::string test_name(const testing::TestParamInfo<std::string>& info) {
  return info.param.substr(0, info.param.find('.'));
}
INSTANTIATE_TEST_SUITE_P(Lodestar, Captured, testing::ValuesIn(captured_files()), test_name);

TEST(CapturedRequests, AreAllThere) { EXPECT_EQ(captured_files().size(), 33U); }

TEST(SyntheticVectors, GiveObjectRootDomainAndSigningRoot) {
  const json::value file = read_json("synthetic-vectors-minimal.json");
  const Network network = network_of(file.at("config"));
  const json::array& vectors = file.at("vectors").as_array();
  ASSERT_EQ(vectors.size(), 89U);
  for (const json::value& vector : vectors) {
    SCOPED_TRACE(text_of(vector.at("name")));
    for (const bool keep_root : {true, false}) {
      json::object body = vector.at("body").as_object();
      if (!keep_root) {
        body.erase("signingRoot");
      }
      const auto parsed = parse_sign_request(json::serialize(body), network);
      ASSERT_TRUE(parsed) << parsed.error().message;
      EXPECT_EQ(to_0x(parsed->object_root), text_of(vector.at("object_root")));
      EXPECT_EQ(to_0x(parsed->domain), text_of(vector.at("domain")));
      EXPECT_EQ(to_0x(parsed->signing_root), text_of(vector.at("signing_root")));
    }
    json::object body = vector.at("body").as_object();
    body["signingRoot"] = to_0x(flipped(fixed<32>(vector.at("signing_root"))));
    const auto refused = parse_sign_request(json::serialize(body), network);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, ErrorKind::signing_root_mismatch);
  }
}

// A network without a schedule, so that only the request decides, and fork_info of no fork it knows.
void check_object_roots(const char* preset) {
  const json::value file = read_json(std::string("more-vectors-") + preset + ".json");
  Network network = named("minimal");
  network.preset = *preset_named(preset);
  ASSERT_EQ(file.at("vectors").as_array().size(), 52U);
  for (const json::value& vector : file.at("vectors").as_array()) {
    SCOPED_TRACE(text_of(vector.at("name")));
    json::object body = vector.at("body").as_object();
    body["fork_info"] = json::parse(
        R"({"fork":{"previous_version":"0xaa000000","current_version":"0xbb000000","epoch":"0"},"genesis_validators_root":")" +
        root_text('0') + "\"}");
    const auto parsed = parse_sign_request(json::serialize(body), network);
    ASSERT_TRUE(parsed) << parsed.error().message;
    EXPECT_EQ(to_0x(parsed->object_root), text_of(vector.at("object_root")));
  }
}

TEST(MoreVectors, LongListsAndBitlistsOfTheMainnetPreset) { check_object_roots("mainnet"); }
TEST(MoreVectors, LongListsAndBitlistsOfTheMinimalPreset) { check_object_roots("minimal"); }

}  // namespace
}  // namespace cc::ethereum::test
