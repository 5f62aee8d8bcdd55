// Names of requests: the caller's own when it is fit for a log, else ours.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace cc::http {

// 1 to 64 letters, digits, '.', '_' and '-': nothing that could end a line or a field.
bool is_request_id(std::string_view text);

// The method when it is one we know, else "other". Lasts for ever.
std::string_view known_method(std::string_view method);

// Unique among the processes of a day, in the order of arrival. One thread. No secret: the random part only tells
// processes apart.
class RequestIds {
 public:
  RequestIds();
  std::string next();

 private:
  std::string prefix_;
  std::uint64_t count_ = 0;
};

}  // namespace cc::http
