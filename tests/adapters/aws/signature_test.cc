#include "adapters/aws/signature.h"

#include <gtest/gtest.h>

#include "support/vector_table.h"

namespace cc::aws {
namespace {

std::string with_blanks(std::string text) {
  for (std::size_t at = text.find("%20"); at != std::string::npos; at = text.find("%20")) {
    text.replace(at, 3, " ");
  }
  return text;
}

struct Case {
  SignedRequest request;
  SignatureScope scope{"20150830T123600Z", "us-east-1", "service"};
  SecretBytes secret = SecretBytes::copy_of(std::string_view("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"));
};

Case case_of(const test::VectorRow& row) {
  Case out;
  out.request.method = row[1];
  out.request.path = row[2];
  out.request.query = row[3];
  out.request.headers = {{"host", "example.amazonaws.com"}, {"x-amz-date", "20150830T123600Z"}};
  for (std::string left = row[4]; !left.empty();) {
    const std::string pair = left.substr(0, left.find('|'));
    left = left.substr(std::min(left.size(), pair.size() + 1));
    out.request.headers[pair.substr(0, pair.find(':'))] = with_blanks(pair.substr(pair.find(':') + 1));
  }
  out.request.payload_hash = hex_sha256(row[5]);
  return out;
}

TEST(Signature, AgreesWithThePublishedVectors) {
  for (const auto& row : test::read_vectors("aws/sigv4.txt", 7)) {
    const Case one = case_of(row);
    EXPECT_EQ(signature(one.request, one.scope, one.secret), row[6]) << row[0];
  }
}

TEST(Signature, WritesTheWholeAuthorizationHeader) {
  const Case one = case_of(test::read_vectors("aws/sigv4.txt", 7).front());
  EXPECT_EQ(authorization(one.request, one.scope, "AKIDEXAMPLE", one.secret),
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
            "SignedHeaders=host;x-amz-date, "
            "Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
}

TEST(Signature, BuildsTheCanonicalRequestOfTheDocumentation) {
  const Case one = case_of(test::read_vectors("aws/sigv4.txt", 7).front());
  EXPECT_EQ(canonical_request(one.request),
            "GET\n/\n\nhost:example.amazonaws.com\nx-amz-date:20150830T123600Z\n\nhost;x-amz-date\n"
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(Signature, ChangesWithEveryPartOfTheRequest) {
  const Case base = case_of(test::read_vectors("aws/sigv4.txt", 7).front());
  const std::string before = signature(base.request, base.scope, base.secret);
  Case changed = case_of(test::read_vectors("aws/sigv4.txt", 7).front());
  changed.request.headers["x-amz-target"] = "TrentService.Decrypt";
  EXPECT_NE(signature(changed.request, base.scope, base.secret), before);
  changed = case_of(test::read_vectors("aws/sigv4.txt", 7).front());
  changed.request.payload_hash = hex_sha256("x");
  EXPECT_NE(signature(changed.request, base.scope, base.secret), before);
  changed.scope.region = "eu-west-1";
  EXPECT_NE(signature(base.request, changed.scope, base.secret), before);
}

TEST(Signature, WritesTheDateInUtc) {
  EXPECT_EQ(amz_date(1'440'938'160), "20150830T123600Z");
  EXPECT_EQ(amz_date(0), "19700101T000000Z");
}

}  // namespace
}  // namespace cc::aws
