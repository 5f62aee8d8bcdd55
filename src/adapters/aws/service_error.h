// What AWS says when it refuses: its code, sorted by what helps, and told in our words.
#pragma once

#include <string>

#include "adapters/aws/wire.h"

namespace cc::aws {

struct ServiceError {
  int status = 0;
  std::string code;        // "AccessDeniedException"; empty when the answer is not AWS's
  std::string message;     // AWS's words, cut and cleaned: fit for a log
  std::string request_id;  // what AWS's support asks for
};

// Reads JSON (`__type`, `message`) and XML (`Code`, `Message`) error bodies and the x-amzn-* headers.
ServiceError read_error(const HttpAnswer& answer);

enum class Remedy {
  wait,         // throttled, or a fault of AWS: again after a pause
  clock,        // our clock is off: again with AWS's time
  credentials,  // not accepted or run out: again with fresh ones
  none,
};
Remedy remedy_of(const ServiceError& error);

// In our words, with what to do. action: "kms:Decrypt". Kinds: kms_throttled, kms_credentials, kms_denied,
// kms_disabled, kms_pending_deletion, kms_missing, kms_mismatch, kms_unreachable.
Error explain(const ServiceError& error, const std::string& action);

// The text of the first <tag> element, entities decoded; empty when there is none.
std::string xml_text(std::string_view body, std::string_view tag);

}  // namespace cc::aws
