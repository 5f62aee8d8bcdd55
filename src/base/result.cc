#include "base/result.h"

#include <array>
#include <cstddef>

namespace cc {
namespace {

constexpr std::array kFacts{
#define KIND(name, http, exit, title) ErrorFacts{#name, http, exit, title},
#include "base/error_kinds.inc"
#undef KIND
};

}  // namespace

const ErrorFacts& facts(ErrorKind kind) { return kFacts.at(static_cast<std::size_t>(kind)); }

ErrorKind kind_of(std::string_view code) {
  for (std::size_t i = 0; i < kFacts.size(); ++i) {
    if (kFacts.at(i).code == code) {
      return static_cast<ErrorKind>(i);
    }
  }
  return ErrorKind::internal;
}

}  // namespace cc
