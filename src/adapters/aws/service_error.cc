#include "adapters/aws/service_error.h"

#include <algorithm>
#include <array>

#include "adapters/aws/json_answer.h"

namespace cc::aws {
namespace {

constexpr std::size_t kMessageLimit = 400;

struct CodeFacts {
  std::string_view code;
  Remedy remedy;
  ErrorKind kind;
  std::string_view advice;
};

constexpr std::string_view kDenied =
    "allow {action} on this key for the signer's role, in the key policy and in the role's own policy (both, when the "
    "key is of another account)";
constexpr std::string_view kCredentials =
    "AWS does not accept the signer's credentials: check that they exist, are active and are of the right account";
constexpr std::string_view kExpired = "the signer's session ran out: check what renews it";
constexpr std::string_view kClock = "AWS refuses the signature: check this machine's clock and the secret access key";
constexpr std::string_view kThrottled = "the quota of requests is used up; wait a moment, or have it raised";
constexpr std::string_view kAwsFault = "AWS has a fault; wait a moment";
constexpr std::string_view kDisabled = "enable the key again (kms:EnableKey)";
constexpr std::string_view kNotFound = "check region, account and key id of the ARN";
constexpr std::string_view kOtherKey = "this share was wrapped by another key";
constexpr std::string_view kCiphertext =
    "this share was wrapped by another key or for another chamber, lock or place, or was altered";
constexpr std::string_view kUsage = "use a symmetric key with usage ENCRYPT_DECRYPT";

constexpr std::array kCodes{
    CodeFacts{"ThrottlingException", Remedy::wait, ErrorKind::kms_throttled, kThrottled},
    CodeFacts{"Throttling", Remedy::wait, ErrorKind::kms_throttled, kThrottled},
    CodeFacts{"TooManyRequestsException", Remedy::wait, ErrorKind::kms_throttled, kThrottled},
    CodeFacts{"RequestLimitExceeded", Remedy::wait, ErrorKind::kms_throttled, kThrottled},
    CodeFacts{"LimitExceededException", Remedy::wait, ErrorKind::kms_throttled, kThrottled},
    CodeFacts{"ProvisionedThroughputExceededException", Remedy::wait, ErrorKind::kms_throttled, kThrottled},
    CodeFacts{"TransactionInProgressException", Remedy::wait, ErrorKind::kms_unreachable, kAwsFault},
    CodeFacts{"InternalServerError", Remedy::wait, ErrorKind::kms_unreachable, kAwsFault},
    CodeFacts{"KMSInternalException", Remedy::wait, ErrorKind::kms_unreachable, kAwsFault},
    CodeFacts{"DependencyTimeoutException", Remedy::wait, ErrorKind::kms_unreachable, kAwsFault},
    CodeFacts{"KeyUnavailableException", Remedy::wait, ErrorKind::kms_unreachable, kAwsFault},
    CodeFacts{"InternalFailure", Remedy::wait, ErrorKind::kms_unreachable, kAwsFault},
    CodeFacts{"ServiceUnavailable", Remedy::wait, ErrorKind::kms_unreachable, kAwsFault},
    CodeFacts{"IDPCommunicationError", Remedy::wait, ErrorKind::kms_unreachable, kAwsFault},
    CodeFacts{"InvalidSignatureException", Remedy::clock, ErrorKind::kms_credentials, kClock},
    CodeFacts{"SignatureDoesNotMatch", Remedy::clock, ErrorKind::kms_credentials, kClock},
    CodeFacts{"RequestExpired", Remedy::clock, ErrorKind::kms_credentials, kClock},
    CodeFacts{"RequestTimeTooSkewed", Remedy::clock, ErrorKind::kms_credentials, kClock},
    CodeFacts{"ExpiredTokenException", Remedy::credentials, ErrorKind::kms_credentials, kExpired},
    CodeFacts{"ExpiredToken", Remedy::credentials, ErrorKind::kms_credentials, kExpired},
    CodeFacts{"UnrecognizedClientException", Remedy::credentials, ErrorKind::kms_credentials, kCredentials},
    CodeFacts{"InvalidClientTokenId", Remedy::credentials, ErrorKind::kms_credentials, kCredentials},
    CodeFacts{"IncompleteSignature", Remedy::none, ErrorKind::kms_credentials, kCredentials},
    CodeFacts{"IncompleteSignatureException", Remedy::none, ErrorKind::kms_credentials, kCredentials},
    CodeFacts{"MissingAuthenticationTokenException", Remedy::none, ErrorKind::kms_credentials, kCredentials},
    CodeFacts{"InvalidIdentityToken", Remedy::none, ErrorKind::kms_credentials,
              "AWS does not accept the web identity token: check the role's trust policy and the token's issuer"},
    CodeFacts{"IDPRejectedClaim", Remedy::none, ErrorKind::kms_credentials,
              "the identity provider rejects the web identity token: check its issuer and audience"},
    CodeFacts{"AccessDeniedException", Remedy::none, ErrorKind::kms_denied, kDenied},
    CodeFacts{"AccessDenied", Remedy::none, ErrorKind::kms_denied, kDenied},
    CodeFacts{"DisabledException", Remedy::none, ErrorKind::kms_disabled, kDisabled},
    CodeFacts{"NotFoundException", Remedy::none, ErrorKind::kms_missing, kNotFound},
    CodeFacts{"IncorrectKeyException", Remedy::none, ErrorKind::kms_mismatch, kOtherKey},
    CodeFacts{"InvalidCiphertextException", Remedy::none, ErrorKind::kms_mismatch, kCiphertext},
    CodeFacts{"InvalidKeyUsageException", Remedy::none, ErrorKind::kms_denied, kUsage},
    CodeFacts{"UnsupportedOperationException", Remedy::none, ErrorKind::kms_denied, kUsage},
};

constexpr CodeFacts kPendingDeletion{
    "KMSInvalidStateException", Remedy::none, ErrorKind::kms_pending_deletion,
    "cancel the deletion now (kms:CancelKeyDeletion, then kms:EnableKey): once it is gone, so is its share"};
constexpr CodeFacts kBadState{"KMSInvalidStateException", Remedy::none, ErrorKind::kms_disabled,
                              "bring the key into the state Enabled"};
constexpr CodeFacts kOtherRegion{"InvalidSignatureException", Remedy::none, ErrorKind::kms_credentials,
                                 "the endpoint serves another region than the key's: check the region in the ARN and "
                                 "the endpoint override, where {region} stands for the key's"};
constexpr CodeFacts kUnknown{"", Remedy::none, ErrorKind::kms_denied, "AWS refuses the request"};
constexpr CodeFacts kServerFault{"", Remedy::wait, ErrorKind::kms_unreachable, kAwsFault};
constexpr CodeFacts kStranger{"", Remedy::none, ErrorKind::kms_unreachable,
                              "this is no answer of AWS's: check the endpoint and what stands in between"};

const CodeFacts& facts_of(const ServiceError& error) {
  if (error.code == "KMSInvalidStateException") {
    return error.message.find("pending deletion") == std::string::npos ? kBadState : kPendingDeletion;
  }
  if (error.message.find("scoped to a valid region") != std::string::npos) {
    return kOtherRegion;
  }
  const auto* const found = std::ranges::find_if(kCodes, [&](const CodeFacts& one) { return one.code == error.code; });
  if (found != kCodes.end()) {
    return *found;
  }
  if (error.status >= 500 || error.status == 429) {
    return kServerFault;
  }
  return error.code.empty() ? kStranger : kUnknown;
}

// Printable, bounded: what a stranger wrote goes to logs and terminals.
std::string cleaned(std::string_view text) {
  std::string out(text.substr(0, kMessageLimit));
  std::ranges::replace_if(out, [](char c) { return c < ' ' || c > '~'; }, '?');
  return out;
}

// "com.amazonaws.kms#NotFoundException:http://…" → NotFoundException
std::string bare_code(std::string_view code) {
  code = code.substr(0, code.find(':'));
  const std::size_t hash = code.rfind('#');
  return cleaned(hash == std::string_view::npos ? code : code.substr(hash + 1));
}

std::string with_action(std::string_view advice, const std::string& action) {
  constexpr std::string_view kPlace = "{action}";
  std::string out(advice);
  if (const std::size_t at = out.find(kPlace); at != std::string::npos) {
    out.replace(at, kPlace.size(), action);
  }
  return out;
}

}  // namespace

ServiceError read_error(const HttpAnswer& answer) {
  ServiceError out;
  out.status = answer.status;
  out.request_id = cleaned(answer.header("x-amzn-requestid"));
  out.code = bare_code(answer.header("x-amzn-errortype"));
  if (const auto body = JsonAnswer::parse(answer.body)) {
    out.code = bare_code(body->text("__type").value_or(out.code));
    out.message = cleaned(body->text("message").value_or(body->text("Message").value_or("")));
  } else if (const std::string code = xml_text(answer.body, "Code"); !code.empty()) {
    out.code = bare_code(code);
    out.message = cleaned(xml_text(answer.body, "Message"));
    out.request_id = out.request_id.empty() ? cleaned(xml_text(answer.body, "RequestId")) : out.request_id;
  }
  return out;
}

Remedy remedy_of(const ServiceError& error) { return facts_of(error).remedy; }

Error explain(const ServiceError& error, const std::string& action) {
  const CodeFacts& known = facts_of(error);
  std::string out = with_action(known.advice, action) + " [" + action + ": ";
  out += error.code.empty() ? "HTTP " + std::to_string(error.status) : error.code;
  out += error.message.empty() ? "" : ", " + error.message;
  out += error.request_id.empty() ? "" : ", request " + error.request_id;
  return {known.kind, out + "]"};
}

std::string xml_text(std::string_view body, std::string_view tag) {
  const std::string open = "<" + std::string(tag) + ">";
  const std::string close = "</" + std::string(tag) + ">";
  const std::size_t from = body.find(open);
  const std::size_t to = from == std::string_view::npos ? from : body.find(close, from);
  if (to == std::string_view::npos) {
    return {};
  }
  std::string_view raw = body.substr(from + open.size(), to - from - open.size());
  constexpr std::array<std::pair<std::string_view, char>, 5> kEntities{
      {{"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}, {"&amp;", '&'}}};
  std::string out;
  out.reserve(raw.size());
  while (!raw.empty()) {
    const auto* const entity =
        std::ranges::find_if(kEntities, [raw](const auto& one) { return raw.starts_with(one.first); });
    out += entity == kEntities.end() ? raw.front() : entity->second;
    raw.remove_prefix(entity == kEntities.end() ? 1 : entity->first.size());
  }
  return out;
}

}  // namespace cc::aws
