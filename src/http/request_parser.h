// Reads HTTP/1.1 requests (RFC 9112) piece by piece, over Boost.Beast's parser and stricter than it. Header and body go
// straight into a Request; growing the body wipes what it outgrew.
//
// Refused beyond Beast: a transfer coding other than chunked, a second Content-Length (even an equal one), a missing or
// second Host, a second Authorization, Content-Type or Expect, an Expect other than 100-continue, a head over the limit
// in all. Trailers are read and dropped.
//
// One thread. The parser serves one connection: begin() starts each request.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "http/message.h"

namespace cc::http {

class RequestParser {
 public:
  explicit RequestParser(std::size_t header_limit);
  ~RequestParser();
  RequestParser(const RequestParser&) = delete;
  RequestParser& operator=(const RequestParser&) = delete;

  enum class Step {
    need_more,    // give the rest again, with more bytes behind it
    header_done,  // target, method and headers are known; set_body_limit() may be called now
    complete,
    refused,  // failure() says why; the connection cannot go on
  };
  struct Progress {
    Step step;
    std::size_t consumed;  // bytes to drop from the front of the input
  };

  void begin();
  // Stops after the head (once) and at the end of the request. Never throws.
  Progress feed(std::span<const char> input);

  // Any byte of this request has been seen.
  bool started() const;
  bool has_body() const;
  // After header_done and before feeding on: a larger body is refused with 413.
  void set_body_limit(std::size_t bytes);
  // The declared length, when there is one.
  std::optional<std::uint64_t> content_length() const;
  bool keep_alive() const;
  bool expects_continue() const;

  // The request so far. take() hands it over.
  Request& request();
  Request take();

  // Why the request was refused: malformed_request, header_too_large or body_too_large.
  const Error& failure() const;

 private:
  class Reader;
  std::unique_ptr<Reader> reader_;
};

}  // namespace cc::http
