// One way to say that something failed: Result<T>. No exception crosses a room.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace cc {

enum class ErrorKind {
#define KIND(name, http, exit, title) name,
#include "base/error_kinds.inc"
#undef KIND
};

// What is fixed about a kind; the table is base/error_kinds.inc.
struct ErrorFacts {
  std::string_view code;   // stable word for machines
  int http_status;         // status of our own endpoints
  int exit_code;           // exit code of the command line
  std::string_view title;  // for people
};
const ErrorFacts& facts(ErrorKind kind);
// The kind of a code word; internal when the word is not one of ours.
ErrorKind kind_of(std::string_view code);

// A failure: its kind, and what the operator should know and do next. Never holds a secret.
struct Error {
  ErrorKind kind = ErrorKind::internal;
  std::string message;
};

template <class T>
using Result = tl::expected<T, Error>;

inline tl::unexpected<Error> fail(ErrorKind kind, std::string message) {
  return tl::unexpected<Error>(Error{kind, std::move(message)});
}
inline tl::unexpected<Error> fail(Error error) { return tl::unexpected<Error>(std::move(error)); }

}  // namespace cc

#define CC_JOIN_INNER(a, b) a##b
#define CC_JOIN(a, b) CC_JOIN_INNER(a, b)

// NOLINTBEGIN(bugprone-macro-parentheses): `name` and `target` are declarations, which take no parentheses.

// CC_TRY(expression): returns the error of a Result to the caller.
#define CC_TRY(expression) CC_TRY_INNER(CC_JOIN(cc_try_, __COUNTER__), expression)
#define CC_TRY_INNER(name, expression)            \
  do {                                            \
    if (auto name = (expression); !name) {        \
      return ::cc::fail(std::move(name).error()); \
    }                                             \
  } while (false)

// CC_ASSIGN(auto value, expression): takes the value, or returns the error to the caller.
#define CC_ASSIGN(target, expression) CC_ASSIGN_INNER(CC_JOIN(cc_assign_, __COUNTER__), target, expression)
#define CC_ASSIGN_INNER(name, target, expression) \
  auto name = (expression);                       \
  if (!name) {                                    \
    return ::cc::fail(std::move(name).error());   \
  }                                               \
  target = *std::move(name)

// NOLINTEND(bugprone-macro-parentheses)
