// The event handler under parse_interchange: takes a JSON parser's events in order and fills an Interchange.
// Part of this room only. The first thing wrong stops it; error() then says where and what.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "guard/interchange.h"

namespace cc::guard::reading {

enum class Place { top, metadata, data, entry, blocks, block, votes, vote, ignored };
enum class Shape { text, object, array, other };

class Handler {
 public:
  bool open(Shape shape);  // an object or an array begins
  bool close();            // it ends
  bool key(std::string_view name);
  bool text(std::string_view value);
  bool other(bool null);  // a number, a boolean or null

  const std::optional<Error>& error() const { return error_; }
  Interchange take() { return std::move(out_); }

 private:
  struct Frame {
    Place place = Place::ignored;
    std::uint32_t seen = 0;  // members met, by position in the table of members
    std::size_t index = 0;   // items met, of an array
    std::size_t member = 0;  // the member whose value comes next; past the table for an unknown one
  };
  bool value(Shape shape, Place& inner);
  bool assign(std::string_view value);
  bool number(std::string_view digits, std::uint64_t& to);
  bool complete(const Frame& frame);
  bool wrong(const std::string& what);
  std::string where() const;

  Interchange out_;
  std::vector<Frame> frames_;
  std::optional<Error> error_;
};

}  // namespace cc::guard::reading
