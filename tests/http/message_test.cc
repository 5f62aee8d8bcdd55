#include "http/message.h"

#include <gtest/gtest.h>

#include "http/json_text.h"
#include "http/reply_text.h"
#include "http/router.h"
#include "http/target.h"
#include "http/wiping_text.h"

namespace cc::http {
namespace {

TEST(Problem, HasTheFieldsOfRfc9457AndOurCode) {
  const Response response = problem({ErrorKind::wrong_passphrase, "Try \"again\"\n"});
  EXPECT_EQ(response.status, 403);
  EXPECT_EQ(response.content_type, "application/problem+json");
  EXPECT_EQ(response.body,
            R"({"type":"urn:containment-chamber:error:wrong_passphrase","title":"wrong passphrase","status":403,)"
            R"("detail":"Try \"again\"\u000a","code":"wrong_passphrase"})");
}

TEST(JsonText, EscapesWhatJsonRequires) {
  EXPECT_EQ(json_string("a\"b\\c/d"), R"("a\"b\\c/d")");
  EXPECT_EQ(json_string(std::string_view("\0\x01\x1f\x7f", 4)), R"("\u0000\u0001\u001f\u007f")");
  EXPECT_EQ(json_string("Zürich €😀"), "\"Zürich €😀\"");
}

TEST(JsonText, ReplacesWhatIsNotUtf8) {
  const std::string replaced = "\"\xEF\xBF\xBD\"";
  EXPECT_EQ(json_string("\x80"), replaced);
  EXPECT_EQ(json_string("\xff"), replaced);
  EXPECT_EQ(json_string("\xc3"), replaced) << "cut short";
  EXPECT_EQ(json_string("\xc0\xaf"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\"") << "overlong slash";
  EXPECT_EQ(json_string("\xed\xa0\x80"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"") << "surrogate";
  EXPECT_EQ(json_string("\xf4\x90\x80\x80"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"") << "past U+10FFFF";
}

TEST(Target, IsSplitAndDecoded) {
  const auto target = parse_target("/api/v1/k%65ys/%C3%A9?limit=10&cursor=a%2Fb+c&flag");
  ASSERT_TRUE(target.has_value());
  EXPECT_EQ(target->path, "/api/v1/keys/é");
  EXPECT_EQ(target->query, (TextMap{{"limit", "10"}, {"cursor", "a/b c"}, {"flag", ""}}));
}

TEST(Target, TakesTheAbsoluteFormAndTheStar) {
  EXPECT_EQ(parse_target("http://host:9000/upcheck?x=1")->path, "/upcheck");
  EXPECT_EQ(parse_target("http://host")->path, "/");
  EXPECT_EQ(parse_target("*")->path, "*");
  EXPECT_EQ(parse_target("/redirect?to=http://elsewhere/x")->path, "/redirect");
}

TEST(Target, RefusesWhatCanBeReadInTwoWays) {
  for (const char* target : {"/a%", "/a%2", "/a%zz", "/a%00b", "/a%2Fb", "/a%2fb", "/a#b", "host:443", "a", "",
                             "/?a=1&a=2", "/?a=%", "/?%=1"}) {
    const auto parsed = parse_target(target);
    ASSERT_FALSE(parsed.has_value()) << target;
    EXPECT_EQ(parsed.error().kind, ErrorKind::malformed_request) << target;
  }
}

Handler named(std::string name) {
  return [name = std::move(name)](const Request&, const Responder& respond) { respond(text(200, name)); };
}

std::string answer_of(const Router::Match& match) {
  std::string out;
  (*match.handler)(Request(), [&out](const Response& response) { out = response.body; });
  return out;
}

TEST(Router, PrefersTheLiteralPartOverTheCapture) {
  Router router;
  router.add("GET", "/keys/{id}", named("capture"));
  router.add("GET", "/keys/all", named("literal"));
  EXPECT_EQ(answer_of(router.match("GET", "/keys/all")), "literal");
  const Router::Match match = router.match("GET", "/keys/0xabc");
  EXPECT_EQ(answer_of(match), "capture");
  EXPECT_EQ(match.captures, (TextMap{{"id", "0xabc"}}));
}

TEST(Router, TellsUnknownPathsFromUnknownMethods) {
  Router router;
  router.add("GET", "/keys", named("get"), {.body_limit = 5, .always = true});
  router.add("POST", "/keys", named("post"));
  EXPECT_TRUE(router.match("GET", "/keys").options.always);
  EXPECT_EQ(router.match("GET", "/keys").options.body_limit, 5U);
  EXPECT_EQ(answer_of(router.match("HEAD", "/keys")), "get");
  const Router::Match wrong = router.match("DELETE", "/keys");
  EXPECT_EQ(wrong.handler, nullptr);
  EXPECT_TRUE(wrong.path_known);
  EXPECT_EQ(wrong.allow, (std::vector<std::string>{"GET", "HEAD", "POST"}));
  for (const char* path : {"/", "", "*", "/key", "/keys/", "/keys/x", "//keys", "/Keys"}) {
    EXPECT_EQ(router.match("GET", path).handler, nullptr) << path;
    EXPECT_FALSE(router.match("GET", path).path_known) << path;
  }
}

TEST(Router, ACaptureIsNeverEmpty) {
  Router router;
  router.add("GET", "/keys/{id}", named("capture"));
  EXPECT_EQ(router.match("GET", "/keys/").handler, nullptr);
}

TEST(ReplyText, CannotBeSplitByAHeaderValue) {
  Response response = text(200, "x");
  response.headers.emplace_back("Retry-After", "1\r\nSet-Cookie: stolen");
  std::string out;
  write_reply(response, {}, "Sun, 06 Nov 1994 08:49:37 GMT", out);
  EXPECT_EQ(out.find("\r\nSet-Cookie"), std::string::npos);
  EXPECT_NE(out.find("Retry-After: 1  Set-Cookie: stolen\r\n"), std::string::npos);
}

TEST(ReplyText, SaysOnceHowItMayBeCached) {
  Response response = text(200, "x");
  std::string out;
  write_reply(response, {}, "", out);
  EXPECT_NE(out.find("Cache-Control: no-store\r\n"), std::string::npos);
  response.headers.emplace_back("cache-control", "max-age=60");
  write_reply(response, {}, "", out);
  EXPECT_EQ(out.find("no-store"), std::string::npos);
}

TEST(ReplyText, ANoContentAnswerHasNeitherLengthNorBody) {
  Response response = text(204, "ignored");
  std::string out;
  write_reply(response, {}, "", out);
  EXPECT_EQ(out.find("Content-Length"), std::string::npos);
  EXPECT_TRUE(out.ends_with("\r\n\r\n"));
}

TEST(WipingText, GrowsLikeAString) {
  std::string text;
  std::string expected;
  for (int i = 0; i < 3000; ++i) {
    const std::string piece(static_cast<std::size_t>(i % 17), static_cast<char>('a' + i % 26));
    append_wiping(text, piece);
    expected += piece;
  }
  EXPECT_EQ(text, expected);
}

TEST(RequestBody, IsGoneAfterAssignment) {
  Request request;
  request.body = std::string(100, 'p');
  request.headers["authorization"] = "Bearer secret-of-many-characters";
  Request other;
  other.body = "new";
  request = std::move(other);
  EXPECT_EQ(request.body, "new");
  EXPECT_EQ(request.header("authorization"), "");
}

}  // namespace
}  // namespace cc::http
