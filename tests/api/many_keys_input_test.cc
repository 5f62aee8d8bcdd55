// The frame of a body with many sign requests.
#include "api/many_keys_input.h"

#include <gtest/gtest.h>

#include <string>

namespace cc::api {
namespace {

using Texts = std::vector<std::string_view>;

std::string why(std::string_view body, ManyKeysForm form = ManyKeysForm::json, std::size_t most = 100) {
  const auto read = read_many_keys(body, form, most);
  if (read) {
    return "accepted";
  }
  EXPECT_EQ(read.error().kind, ErrorKind::malformed_request);
  return read.error().message;
}

TEST(ManyKeysInput, OneItemNamesItsKeysAndKeepsTheRequestAsItIs) {
  const auto read = read_many_keys(
      " { \"pubkeys\" : [ \"a\" , \"b\" ] ,\r\n\t\"request\" : {\"x\": [1, \"}]\\\"\"] } } ", ManyKeysForm::json, 2);
  ASSERT_TRUE(read) << read.error().message;
  ASSERT_EQ(read->items.size(), 1U);
  EXPECT_EQ(read->entries, 2U);
  EXPECT_EQ(read->items[0].keys, (Texts{"a", "b"}));
  EXPECT_EQ(read->items[0].request, "{\"x\": [1, \"}]\\\"\"] }");
}

TEST(ManyKeysInput, AListOfItemsAndLinesSayTheSame) {
  const std::string one = R"({"pubkey":"a","request":{"n":1}})";
  const std::string two = R"({"request":{"n":2},"pubkeys":["b","c"]})";
  const std::string in_list = "[" + one + " , " + two + "]";
  const std::string in_lines = "\n" + one + "\r\n \n" + two;
  const auto list = read_many_keys(in_list, ManyKeysForm::json, 10);
  const auto lines = read_many_keys(in_lines, ManyKeysForm::lines, 10);
  ASSERT_TRUE(list && lines);
  for (const auto* read : {&*list, &*lines}) {
    ASSERT_EQ(read->items.size(), 2U);
    EXPECT_EQ(read->entries, 3U);
    EXPECT_EQ(read->items[0].keys, (Texts{"a"}));
    EXPECT_EQ(read->items[0].request, R"({"n":1})");
    EXPECT_EQ(read->items[1].keys, (Texts{"b", "c"}));
    EXPECT_EQ(read->items[1].request, R"({"n":2})");
  }
}

TEST(ManyKeysInput, WhatIsNoItemIsRefusedWithItsPlace) {
  EXPECT_EQ(why(""), R"(expected an item, {"pubkeys":[…],"request":{…}} at byte 0)");
  EXPECT_EQ(why("[]"), R"(expected an item, {"pubkeys":[…],"request":{…}} at byte 1)");
  EXPECT_EQ(why("null"), R"(expected an item, {"pubkeys":[…],"request":{…}} at byte 0)");
  EXPECT_EQ(why(R"({"pubkeys":["a"],"request":{}} x)"), "expected nothing more behind the items at byte 31");
  EXPECT_EQ(why(R"([{"pubkeys":["a"],"request":{}},])"),
            R"(expected an item, {"pubkeys":[…],"request":{…}} at byte 32)");
  EXPECT_EQ(why(R"({"pubkeys":["a"],"request":[]})"), "expected an object under \"request\" at byte 27");
  EXPECT_EQ(why(R"({"pubkeys":["a"],"request":{)"), "expected the end of \"request\" at byte 28");
  EXPECT_EQ(why(R"({"pubkeys":["a"],"request":{"b)"), "expected the end of \"request\" at byte 30");
  EXPECT_EQ(why(R"({"pubkeys":["a)"), "expected the end of a text at byte 14");
  EXPECT_EQ(why(R"({"pubkeys":["a\)"), "expected the end of a text at byte 15");
  EXPECT_EQ(why(R"({"pubkeys":"a","request":{}})"), "expected a list under \"pubkeys\" at byte 11");
  EXPECT_EQ(why(R"({"pubkeys":[7],"request":{}})"), "expected a public key as a text at byte 12");
  EXPECT_EQ(why(R"({"pubkey":null,"request":{}})"), "expected a public key as a text at byte 10");
}

TEST(ManyKeysInput, EveryFieldIsKnownPresentAndThereOnce) {
  const std::string needs = R"(an item needs "request", and "pubkeys" with at least one key or "pubkey")";
  EXPECT_EQ(why(R"({"pubkeys":["a"]})"), needs);
  EXPECT_EQ(why(R"({"request":{}})"), needs);
  EXPECT_NE(why(R"({"pubkeys":[],"request":{}})"), "accepted");
  EXPECT_NE(why(R"({})"), "accepted");
  EXPECT_EQ(why(R"({"pubkeys":["a"],"request":{},"request":{}})"), R"(an item has "request" twice)");
  EXPECT_EQ(why(R"({"pubkeys":["a"],"pubkey":"b","request":{}})"),
            R"(an item has more than one of "pubkeys" and "pubkey")");
  EXPECT_EQ(why(R"({"keys":["a"],"request":{}})"),
            R"(unknown field "keys": an item has "pubkeys" or "pubkey", and "request")");
}

TEST(ManyKeysInput, LinesAreNamedByTheirNumber) {
  const std::string item = R"({"pubkey":"a","request":{}})";
  EXPECT_EQ(why(item + "\n\n" + item + item, ManyKeysForm::lines),
            "line 3: expected nothing more behind the item at byte 27");
  EXPECT_EQ(why(" \n\r\n", ManyKeysForm::lines), "there is no line with an item");
  EXPECT_EQ(why("[" + item + "]", ManyKeysForm::lines),
            R"(line 1: expected an item, {"pubkeys":[…],"request":{…}} at byte 0)");
  EXPECT_NE(why("{\"pubkey\":\"a\",\n\"request\":{}}", ManyKeysForm::lines), "accepted");
}

TEST(ManyKeysInput, EntriesOfAllItemsAreCountedTogether) {
  const std::string three = R"([{"pubkeys":["a","b"],"request":{}},{"pubkey":"a","request":{}}])";
  EXPECT_EQ(why(three, ManyKeysForm::json, 3), "accepted");
  EXPECT_EQ(why(three, ManyKeysForm::json, 2), "more than 2 signatures in one body; send several");
}

// Brackets of the wrong kind may end the cut-out early; what is left over is then no item.
TEST(ManyKeysInput, DepthIsCountedAndNotFollowed) {
  const std::string deep(200'000, '{');
  EXPECT_NE(why(R"({"pubkey":"a","request":)" + deep), "accepted");
  const auto crooked = read_many_keys(R"({"pubkey":"a","request":{"x":[}]})", ManyKeysForm::json, 9);
  ASSERT_TRUE(crooked);
  EXPECT_EQ(crooked->items[0].request, R"({"x":[}])");
}

}  // namespace
}  // namespace cc::api
