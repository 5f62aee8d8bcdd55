// What DynamoDB says when it refuses, in our words.
#include <algorithm>
#include <array>

#include "adapters/dynamodb/table.h"

namespace cc::dynamodb {
namespace {

struct Advice {
  std::string_view code, advice;
};

constexpr std::array kAdvice{
    Advice{"ResourceNotFoundException",
           "does not exist: check table name, region and account; the Terraform module under infra/terraform makes it"},
    Advice{"AccessDeniedException",
           "may not be used by the signer's role: allow {permissions} on it (docs/reference/aws-iam.md)"},
    Advice{"ProvisionedThroughputExceededException",
           "has no capacity left; this was tried again for a while: use on-demand capacity, or raise the provisioned"},
    Advice{"ThrottlingException", "is throttled by AWS; this was tried again for a while: ask again later"},
    Advice{"RequestLimitExceeded",
           "is throttled by AWS (the account's quota); this was tried again for a while: ask again later"},
    Advice{"ItemCollectionSizeLimitExceededException",
           "holds more than 10 GB under one key: remove its local secondary indexes, this program needs none"},
    Advice{"TransactionInProgressException", "is still busy with the same transaction: ask again later"},
    Advice{"ExpiredTokenException", "cannot be used: the signer's session ran out; check what renews it"},
    Advice{"ExpiredToken", "cannot be used: the signer's session ran out; check what renews it"},
    Advice{"UnrecognizedClientException",
           "cannot be used: AWS does not accept the signer's credentials; check that they exist, are active and are of "
           "the right account"},
    Advice{"InvalidSignatureException",
           "cannot be used: AWS refuses the signature; check this machine's clock and the secret access key"},
    Advice{"ValidationException", "refuses the request"},
    Advice{"SerializationException", "refuses the request"},
};

}  // namespace

Error Table::explain(const aws::ServiceError& error, Operation operation) const {
  const OperationFacts facts = facts_of(operation);
  const auto* const found =
      std::ranges::find_if(kAdvice, [&](const Advice& advice) { return advice.code == error.code; });
  std::string advice(found != kAdvice.end() ? found->advice
                     : error.code.empty()   ? "gave no answer of DynamoDB's: check the endpoint and what stands between"
                     : error.status >= 500  ? "has a fault at AWS's; this was tried again for a while: ask again later"
                                            : "refuses the request");
  if (error.code == "ValidationException" && error.message.find("size") != std::string::npos) {
    advice = "refuses an item that is larger than 400 KB";
  }
  constexpr std::string_view kPlace = "{permissions}";
  if (const std::size_t at = advice.find(kPlace); at != std::string::npos) {
    advice.replace(at, kPlace.size(),
                   facts.permissions.empty() ? "dynamodb:PutItem, dynamodb:UpdateItem, dynamodb:DeleteItem"
                                             : std::string(facts.permissions));
  }
  std::string out = place_ + " " + advice + " [" + std::string(facts.name) + ": ";
  out += error.code.empty() ? "HTTP " + std::to_string(error.status) : error.code;
  out += error.message.empty() ? "" : ", " + error.message;
  out += error.request_id.empty() ? "" : ", request " + error.request_id;
  return {ErrorKind::store_unavailable, out + "]"};
}

Result<TableName> TableName::parse(const std::string& text) {
  TableName out;
  out.name = text;
  if (text.starts_with("arn:")) {
    std::vector<std::string> parts;
    std::size_t from = 0;
    for (std::size_t colon = text.find(':'); parts.size() < 5 && colon != std::string::npos;
         colon = text.find(':', from)) {
      parts.push_back(text.substr(from, colon - from));
      from = colon + 1;
    }
    const std::string rest = text.substr(from);
    if (parts.size() != 5 || !parts[1].starts_with("aws") || parts[2] != "dynamodb" || parts[3].empty() ||
        parts[4].size() != 12 || !rest.starts_with("table/")) {
      return fail(ErrorKind::config_invalid, "the DynamoDB table " + text +
                                                 " is no table name and no ARN: use NAME or "
                                                 "arn:aws:dynamodb:REGION:ACCOUNT:table/NAME");
    }
    out = {rest.substr(6), parts[3], parts[4]};
  }
  const bool shaped = out.name.size() >= 3 && out.name.size() <= 255 && std::ranges::all_of(out.name, [](char c) {
                        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                               c == '_' || c == '.';
                      });
  if (!shaped) {
    return fail(ErrorKind::config_invalid,
                "the DynamoDB table \"" + out.name + "\" cannot be: 3 to 255 letters, digits, '-', '_' and '.'");
  }
  return out;
}

}  // namespace cc::dynamodb
