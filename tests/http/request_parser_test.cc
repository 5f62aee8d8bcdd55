#include "http/request_parser.h"

#include <gtest/gtest.h>

namespace cc::http {
namespace {

struct Parsed {
  RequestParser::Step step = RequestParser::Step::need_more;
  Request request;
  Error error;
  std::size_t left = 0;
};

// Gives the parser at most `piece` new bytes at a time, as a slow network would.
Parsed parse(const std::string& text, std::size_t piece = 100'000, std::size_t body_limit = 1000,
             std::size_t header_limit = 1024) {
  RequestParser parser(header_limit);
  std::size_t begin = 0;
  std::size_t end = 0;
  Parsed out;
  for (;;) {
    const auto progress = parser.feed(std::span(text.data() + begin, end - begin));
    begin += progress.consumed;
    out.step = progress.step;
    if (progress.step == RequestParser::Step::header_done) {
      parser.set_body_limit(body_limit);
    } else if (progress.step != RequestParser::Step::need_more || end == text.size()) {
      break;
    } else {
      end = std::min(text.size(), end + piece);
    }
  }
  out.error = parser.failure();
  out.request = parser.take();
  out.left = text.size() - begin;
  return out;
}

const std::string kPost =
    "POST /a%20b?x=1 HTTP/1.1\r\nHost: h\r\nX-Two: a\r\nx-two: b\r\nContent-Length: 5\r\n\r\nhello";
const std::string kChunked =
    "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
    "3;note=\"x\"\r\nhel\r\n2\r\nlo\r\n0\r\nAuthorization: Bearer from-a-trailer\r\n\r\n";

TEST(RequestParser, ReadsTheSameRequestInPiecesOfAnySize) {
  for (std::size_t piece = 1; piece <= kPost.size(); ++piece) {
    const Parsed parsed = parse(kPost + "GET", piece);
    ASSERT_EQ(parsed.step, RequestParser::Step::complete) << piece << parsed.error.message;
    EXPECT_EQ(parsed.request.method, "POST");
    EXPECT_EQ(parsed.request.path, "/a b");
    EXPECT_EQ(parsed.request.query.at("x"), "1");
    EXPECT_EQ(parsed.request.header("x-two"), "a, b");
    EXPECT_EQ(parsed.request.body, "hello");
    EXPECT_EQ(parsed.left, 3U) << "the next request is not touched";
  }
}

TEST(RequestParser, ReadsChunksAndDropsTrailers) {
  for (std::size_t piece = 1; piece <= kChunked.size(); ++piece) {
    const Parsed parsed = parse(kChunked + "GET", piece);
    ASSERT_EQ(parsed.step, RequestParser::Step::complete) << piece << parsed.error.message;
    EXPECT_EQ(parsed.request.body, "hello");
    EXPECT_EQ(parsed.request.header("authorization"), "") << "a trailer must not name the caller";
    EXPECT_EQ(parsed.left, 3U);
  }
}

TEST(RequestParser, EveryCutOfARequestWaitsForMore) {
  for (const std::string& text : {kPost, kChunked}) {
    for (std::size_t size = 0; size < text.size(); ++size) {
      EXPECT_EQ(parse(text.substr(0, size)).step, RequestParser::Step::need_more) << size;
    }
  }
}

TEST(RequestParser, RefusesWhatAProxyMightReadDifferently) {
  const std::string head = "POST /a HTTP/1.1\r\nHost: h\r\n";
  for (const std::string& rest : {
           std::string("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
           std::string("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"),
           std::string("Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello"),
           std::string("Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello"),
           std::string("Content-Length: 5, 6\r\n\r\nhello"),
           std::string("Content-Length: -1\r\n\r\n"),
           std::string("Content-Length: +5\r\n\r\nhello"),
           std::string("Content-Length: 0x5\r\n\r\nhello"),
           std::string("Content-Length: 99999999999999999999999\r\n\r\n"),
           std::string("Content-Length: \r\n\r\n"),
           std::string("Transfer-Encoding: gzip\r\n\r\n"),
           std::string("Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
           std::string("Transfer-Encoding: chunked, gzip\r\n\r\n"),
           std::string("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
           std::string("Transfer-Encoding: identity\r\n\r\n"),
           std::string("Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n"),
           std::string("Host: other\r\n\r\n"),
           std::string("Authorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n"),
           std::string("Expect: miracles\r\n\r\n"),
           std::string("Bad Name: x\r\n\r\n"),
           std::string("X: a\x01"
                       "b\r\n\r\n"),
           std::string("Transfer-Encoding: chunked\r\n\r\nzz\r\n"),
           std::string("Transfer-Encoding: chunked\r\n\r\n5\r\nhelloworld\r\n"),
           std::string("Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n"),
       }) {
    const Parsed parsed = parse(head + rest);
    EXPECT_EQ(parsed.step, RequestParser::Step::refused) << rest;
    EXPECT_EQ(parsed.error.kind, ErrorKind::malformed_request) << rest;
    EXPECT_FALSE(parsed.error.message.empty()) << rest;
  }
}

TEST(RequestParser, RefusesABrokenRequestLine) {
  for (const char* line : {"GET /a HTTP/2.0", "GET /a HTTP/1.2", "GET /a", "GET", "/a HTTP/1.1", "GET  /a HTTP/1.1",
                           "G\x01T /a HTTP/1.1", "GET /a%zz HTTP/1.1", "GET /a b HTTP/1.1", "PRI * HTTP/2.0"}) {
    EXPECT_EQ(parse(std::string(line) + "\r\nHost: h\r\n\r\n").step, RequestParser::Step::refused) << line;
  }
  EXPECT_EQ(parse("GET /a HTTP/1.1\r\n\r\n").step, RequestParser::Step::refused) << "no Host";
  EXPECT_EQ(parse("GET /a HTTP/1.0\r\n\r\n").step, RequestParser::Step::complete) << "HTTP/1.0 has none";
  EXPECT_EQ(parse("POST /a HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n").step,
            RequestParser::Step::refused);
}

TEST(RequestParser, TheHeadIsLimitedInAllHoweverItArrives) {
  std::string many = "GET /a HTTP/1.1\r\nHost: h\r\n";
  for (int i = 0; i < 100; ++i) {
    many += "X-" + std::to_string(i) + ": 0123456789\r\n";
  }
  const std::string one = "GET /a HTTP/1.1\r\nHost: h\r\nX: " + std::string(2000, 'x') + "\r\n\r\n";
  const std::string target = "GET /" + std::string(2000, 'x') + " HTTP/1.1\r\nHost: h\r\n\r\n";
  for (const std::string& text : {many + "\r\n", one, target, std::string(5000, 'A')}) {
    for (const std::size_t piece : {1UL, 7UL, 100UL, 1000UL, 100'000UL}) {
      const Parsed parsed = parse(text, piece);
      ASSERT_EQ(parsed.step, RequestParser::Step::refused) << piece << text.substr(0, 20);
      EXPECT_EQ(parsed.error.kind, ErrorKind::header_too_large) << piece << text.substr(0, 20);
    }
  }
}

TEST(RequestParser, TheBodyIsLimited) {
  EXPECT_EQ(parse("POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nabcdef\r\n0\r\n\r\n", 1, 5)
                .error.kind,
            ErrorKind::body_too_large);
  EXPECT_EQ(
      parse("POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n3\r\nabc\r\n0\r\n\r\n", 1, 5)
          .error.kind,
      ErrorKind::body_too_large);
  EXPECT_EQ(
      parse("POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n", 1, 5).step,
      RequestParser::Step::complete);
}

TEST(RequestParser, AnEndlessTrailerIsRefused) {
  const std::string head = "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n";
  EXPECT_EQ(parse(head + "X: " + std::string(5000, 'x'), 100).step, RequestParser::Step::refused);
  EXPECT_EQ(parse(head.substr(0, head.size() - 3) + "1;" + std::string(5000, 'x'), 100).step,
            RequestParser::Step::refused);
}

}  // namespace
}  // namespace cc::http
