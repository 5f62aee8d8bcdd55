// rooms: adapters/aws
// Answers of AWS and its credential endpoints: JSON, XML, and the shared profile files.
#include "adapters/aws/credential_endpoints.h"
#include "adapters/aws/json_answer.h"
#include "adapters/aws/profile_file.h"
#include "adapters/aws/service_error.h"
#include "adapters/aws/sts.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  cc::aws::HttpAnswer answer;
  answer.status = size == 0 ? 400 : 400 + data[0];
  answer.body = text;
  answer.headers["x-amzn-errortype"] = text;
  const cc::aws::ServiceError error = cc::aws::read_error(answer);
  const cc::Error told = cc::aws::explain(error, "kms:Decrypt");
  for (const char c : told.message) {
    if (c < ' ' || c > '~') {
      __builtin_trap();
    }
  }
  (void)cc::aws::read_endpoint_credentials(text, "fuzz");
  (void)cc::aws::read_sts_credentials(text, "fuzz");
  (void)cc::aws::parse_expiration(text);
  (void)cc::aws::parse_address(text);
  for (const auto kind : {cc::aws::ProfileFileKind::credentials, cc::aws::ProfileFileKind::config}) {
    (void)cc::aws::ProfileFile::parse(text, kind);
  }
  return 0;
}
