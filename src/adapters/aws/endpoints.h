// Where a service of AWS answers: by region and partition, or where an override says.
//
// Overrides, first that is set: configuration (aws.endpoints.SERVICE), AWS_ENDPOINT_URL_SERVICE, AWS_ENDPOINT_URL.
// An override is https, or plain http to this machine (127.0.0.0/8, ::1, localhost); `{region}` in it stands for the
// region of the call. Thread-safe: only read after it was made.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/result.h"

namespace cc::aws {

using Environment = std::map<std::string, std::string>;

struct Endpoint {
  std::string url;   // https://kms.eu-west-1.amazonaws.com/
  std::string host;  // as the header Host carries it
};

class Endpoints {
 public:
  // configured: service → override; an empty one is none. Errors: config_invalid naming the setting and what it may be.
  static Result<Endpoints> make(const std::map<std::string, std::string>& configured, const Environment& environment);
  // service: "kms", "sts", "dynamodb". Errors: kek_name_invalid for a region that is no host name part.
  Result<Endpoint> of(std::string_view service, std::string_view region) const;

 private:
  std::map<std::string, std::string> overrides_;  // service → address
};

// Whether plain http may go there.
bool is_loopback_host(std::string_view host);
// An address as its parts. Errors: config_invalid for anything but http(s)://host[:port][/path].
struct Address {
  std::string scheme, host, port, path;  // host without brackets; port empty when not given
};
Result<Address> parse_address(const std::string& text);

}  // namespace cc::aws
