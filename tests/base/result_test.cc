#include "base/result.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace cc {
namespace {

Result<int> halve(int value) {
  if (value % 2 != 0) {
    return fail(ErrorKind::malformed_request, "odd");
  }
  return value / 2;
}

Result<int> quarter(int value) {
  CC_ASSIGN(const int half, halve(value));
  return halve(half);
}

Result<void> check(int value) {
  CC_TRY(halve(value));
  return {};
}

TEST(Result, PassesTheFirstErrorUp) {
  EXPECT_EQ(*quarter(8), 2);
  EXPECT_EQ(quarter(6).error().message, "odd");
  EXPECT_EQ(quarter(5).error().kind, ErrorKind::malformed_request);
  EXPECT_TRUE(check(2));
  EXPECT_FALSE(check(3));
}

TEST(ErrorKinds, HaveUniqueCodesAndKnownStatuses) {
  std::set<std::string_view> codes;
  const auto last = static_cast<int>(ErrorKind::internal);
  for (int i = 0; i <= last; ++i) {
    const ErrorFacts& f = facts(static_cast<ErrorKind>(i));
    EXPECT_TRUE(codes.insert(f.code).second) << f.code;
    EXPECT_TRUE(f.http_status >= 400 && f.http_status < 600) << f.code;
    EXPECT_TRUE(f.exit_code >= 2 && f.exit_code <= 6) << f.code;
    EXPECT_FALSE(f.title.empty());
    EXPECT_EQ(kind_of(f.code), static_cast<ErrorKind>(i));
  }
  EXPECT_EQ(kind_of("no such word"), ErrorKind::internal);
}

}  // namespace
}  // namespace cc
