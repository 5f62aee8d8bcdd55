#include "api/json_body.h"

#include <gtest/gtest.h>

#include "api/ceremony_input.h"

namespace cc::api {
namespace {

std::string refusal_of(std::string_view text) {
  const auto body = JsonBody::parse(text, {"name", "count", "list", "inner", "hold"});
  EXPECT_FALSE(body.has_value()) << text;
  if (body) {
    return "";
  }
  EXPECT_EQ(body.error().kind, ErrorKind::malformed_request);
  return body.error().message;
}

std::string_view text_of(const SecretBytes& secret) {
  const auto bytes = expose_secret_bytes(secret);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

TEST(JsonBody, NamesAnUnknownField) {
  EXPECT_NE(refusal_of(R"({"name":"a","colour":"blue"})").find("colour"), std::string::npos);
}

TEST(JsonBody, RefusesWhatIsNotOneJsonObject) {
  for (const std::string_view text :
       {"", "null", "[]", "\"x\"", "{", "{}{}", "{\"name\":}", "{'name':1}", "nonsense"}) {
    EXPECT_FALSE(refusal_of(text).empty());
  }
}

TEST(JsonBody, RefusesInvalidUtf8) { refusal_of("{\"name\":\"\xff\xfe\"}"); }

TEST(JsonBody, RefusesTenThousandLevels) {
  refusal_of(std::string(10'000, '['));
  refusal_of(R"({"inner":)" + std::string(10'000, '[') + std::string(10'000, ']') + "}");
}

TEST(JsonBody, ReadsEachTypeAndNamesTheFaultyField) {
  const auto body =
      JsonBody::parse(R"({"name":"alice","count":3,"list":["a","b"],"inner":{"persist":false},"hold":true})",
                      {"name", "count", "list", "inner", "hold"});
  ASSERT_TRUE(body.has_value());
  EXPECT_EQ((*body)->text("name").value(), "alice");
  EXPECT_EQ(text_of((*body)->secret("name").value()), "alice");
  EXPECT_EQ((*body)->number("count").value(), 3U);
  EXPECT_EQ((*body)->number_or("missing", 9).value(), 9U);
  EXPECT_EQ((*body)->texts("list").value(), (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE((*body)->flag_or("hold", false).value());
  EXPECT_FALSE((*body)->object("inner", {"persist"})->flag_or("persist", true).value());

  EXPECT_EQ((*body)->text("count").error().message, "count must be a text");
  EXPECT_EQ((*body)->text("absent").error().message, "absent is missing");
  EXPECT_NE((*body)->number("name").error().message.find("name"), std::string::npos);
  EXPECT_NE((*body)->texts("name").error().message.find("list of texts"), std::string::npos);
  EXPECT_NE((*body)->flag_or("name", true).error().message.find("true or false"), std::string::npos);
  EXPECT_NE((*body)->object("inner", {}).error().message.find("inner.persist"), std::string::npos);
}

TEST(JsonBody, NumbersAreWholeAndSmall) {
  for (const std::string number : {"-1", "4294967296", "1.5", "1e3", "\"2\"", "true", "null", "18446744073709551615"}) {
    const auto body = JsonBody::parse(R"({"count":)" + number + "}", {"count"});
    ASSERT_TRUE(body.has_value()) << number;
    EXPECT_FALSE((*body)->number("count").has_value()) << number;
  }
  EXPECT_EQ((*JsonBody::parse(R"({"count":4294967295})", {"count"}))->number("count").value(), 4294967295U);
}

TEST(JsonBody, NamesTheEntryOfAListThatIsWrong) {
  const auto body = JsonBody::parse(R"({"list":[{"a":"x"},{"b":1}],"texts":["x",2]})", {"list", "texts"});
  ASSERT_TRUE(body.has_value());
  EXPECT_NE((*body)->objects("list", {"a"}).error().message.find("list[1].b"), std::string::npos);
  EXPECT_NE((*body)->texts("texts").error().message.find("texts[1]"), std::string::npos);
}

TEST(JsonBody, AnEmptyBodyIsAnEmptyObjectOnlyWhereItMayBe) {
  EXPECT_TRUE(JsonBody::parse_optional(" \n", {}).has_value());
  EXPECT_FALSE(JsonBody::parse("", {}).has_value());
}

TEST(JsonBody, AKeystoreComesAsAnObjectOrAsItsText) {
  const auto body = JsonBody::parse(R"({"a":{"version":4},"b":"{\"version\":4}","c":4})", {"a", "b", "c"});
  ASSERT_TRUE(body.has_value());
  EXPECT_EQ((*body)->nested_json("a").value(), R"({"version":4})");
  EXPECT_EQ((*body)->nested_json("b").value(), R"({"version":4})");
  EXPECT_FALSE((*body)->nested_json("c").has_value());
}

TEST(CeremonyInput, ACredentialIsAPassphraseOrAKindWithASecret) {
  const auto read = [](std::string_view text) {
    const auto body = JsonBody::parse(text, {"passphrase", "kind", "secret"});
    return credential(body->root());
  };
  EXPECT_EQ(text_of(read(R"({"passphrase":"p"})")->secret), "p");
  EXPECT_EQ(text_of(read(R"({"kind":"passphrase","secret":"s"})")->secret), "s");
  EXPECT_EQ(read(R"({})").error().kind, ErrorKind::malformed_request);
  EXPECT_EQ(read(R"({"passphrase":"p","secret":"s"})").error().kind, ErrorKind::malformed_request);
  EXPECT_EQ(read(R"({"kind":"passphrase"})").error().kind, ErrorKind::malformed_request);
  EXPECT_EQ(read(R"({"kind":"retina","secret":"s"})").error().kind, ErrorKind::unsupported);
}

TEST(CeremonyInput, AOneTimeTokenComesInTheHeaderOrInTheBody) {
  http::Request request;
  const auto empty = JsonBody::parse("{}", {"setup_token"});
  const auto named = JsonBody::parse(R"({"setup_token":"cc-setup-body"})", {"setup_token"});
  EXPECT_EQ(one_time_token(request, empty->root(), "setup_token").error().kind, ErrorKind::unauthorized);
  EXPECT_EQ(text_of(one_time_token(request, named->root(), "setup_token").value()), "cc-setup-body");
  request.headers["authorization"] = "bearer cc-setup-header";
  EXPECT_EQ(text_of(one_time_token(request, empty->root(), "setup_token").value()), "cc-setup-header");
  request.headers["authorization"] = "Basic Zm9v";
  EXPECT_EQ(one_time_token(request, empty->root(), "setup_token").error().kind, ErrorKind::unauthorized);
}

}  // namespace
}  // namespace cc::api
