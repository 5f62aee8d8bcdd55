// A response as bytes on the wire (RFC 9112), in one piece.
#pragma once

#include <ctime>
#include <string>

#include "http/message.h"

namespace cc::http {

struct ReplyFrame {
  std::string_view request_id;
  bool keep_alive = false;
  bool head_only = false;  // the answer to HEAD: the length of the body, without it
};

// The value of the Date header, made once a second. One thread.
class DateText {
 public:
  std::string_view now();

 private:
  std::time_t second_ = 0;
  std::string text_;
};

// Replaces `out`, which grows before the first byte is written so that no copy of the body stays behind. Every answer
// carries X-Content-Type-Options: nosniff and Cache-Control: no-store, the latter unless the handler set its own;
// control characters in header values become spaces.
void write_reply(const Response& response, const ReplyFrame& frame, std::string_view date, std::string& out);

}  // namespace cc::http
