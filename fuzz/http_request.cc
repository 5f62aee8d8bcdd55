// rooms: http
// Reads any bytes as pipelined HTTP requests, once in large pieces and once in pieces of the size that the first byte
// names: both readings must find the same requests, since a request must not mean something else on a slow network.
#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "http/request_parser.h"
#include "http/router.h"

namespace {

using cc::http::Request;
using cc::http::RequestParser;

constexpr std::size_t kHeaderLimit = 512;
constexpr std::size_t kBodyLimit = 256;

// As the connection does it: a buffer of kHeaderLimit bytes, the consumed part dropped.
std::vector<Request> read_all(std::string_view input, std::size_t piece) {
  std::vector<Request> out;
  RequestParser parser(kHeaderLimit);
  std::string window;
  for (;;) {
    const RequestParser::Progress progress = parser.feed(std::span(window));
    if (progress.consumed > window.size()) {
      std::abort();
    }
    window.erase(0, progress.consumed);
    switch (progress.step) {
      case RequestParser::Step::header_done:
        if (parser.content_length().value_or(0) > kBodyLimit) {
          return out;
        }
        parser.set_body_limit(kBodyLimit);
        break;
      case RequestParser::Step::complete:
        out.push_back(parser.take());
        parser.begin();
        break;
      case RequestParser::Step::refused:
        if (parser.failure().message.empty()) {
          std::abort();
        }
        return out;
      case RequestParser::Step::need_more: {
        const std::size_t size = std::min({piece, input.size(), kHeaderLimit - window.size()});
        if (size == 0) {
          return out;
        }
        window += input.substr(0, size);
        input.remove_prefix(size);
        break;
      }
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto at_once = read_all(input, kHeaderLimit);
  const auto in_pieces = read_all(input, 1 + data[0] % 64U);
  if (at_once.size() != in_pieces.size()) {
    std::abort();
  }
  cc::http::Router router;
  router.add("POST", "/api/v1/eth2/sign/{pubkey}", nullptr);
  for (std::size_t i = 0; i < at_once.size(); ++i) {
    const Request& a = at_once[i];
    const Request& b = in_pieces[i];
    if (a.method != b.method || a.path != b.path || a.query != b.query || a.headers != b.headers || a.body != b.body ||
        a.body.size() > kBodyLimit) {
      std::abort();
    }
    static_cast<void>(router.match(a.method, a.path));
  }
  return 0;
}
