// Boost.JSON's push parser drives reading::Handler: no document tree is built.
#include <boost/json/basic_parser_impl.hpp>
#include <exception>

#include "guard/interchange.h"
#include "guard/interchange_handler.h"

namespace cc::guard {
namespace {

namespace json = boost::json;
using Code = boost::system::error_code;

// Longest strings and keys are far shorter; deeper nesting than the format's own is only ever in members it does not
// know.
constexpr std::size_t kLongestString = 1024;
constexpr std::size_t kDeepest = 32;

struct Events {
  static constexpr std::size_t max_object_size = kLargestInterchange;
  static constexpr std::size_t max_array_size = kLargestInterchange;
  static constexpr std::size_t max_string_size = kLongestString;
  static constexpr std::size_t max_key_size = kLongestString;

  reading::Handler handler;
  std::string partial;  // a string or key that came in parts

  bool stop(bool go_on, Code& code) const {
    if (!go_on) {
      code = json::make_error_code(json::error::syntax);
    }
    return go_on;
  }
  bool part(json::string_view text) {
    partial.append(text.data(), text.size());
    return true;
  }
  std::string whole(json::string_view last) {
    part(last);
    return std::exchange(partial, std::string());
  }

  bool on_document_begin(Code&) { return true; }
  bool on_document_end(Code&) { return true; }
  bool on_object_begin(Code& code) { return stop(handler.open(reading::Shape::object), code); }
  bool on_object_end(std::size_t, Code& code) { return stop(handler.close(), code); }
  bool on_array_begin(Code& code) { return stop(handler.open(reading::Shape::array), code); }
  bool on_array_end(std::size_t, Code& code) { return stop(handler.close(), code); }
  bool on_key_part(json::string_view text, std::size_t, Code&) { return part(text); }
  bool on_key(json::string_view text, std::size_t, Code& code) { return stop(handler.key(whole(text)), code); }
  bool on_string_part(json::string_view text, std::size_t, Code&) { return part(text); }
  bool on_string(json::string_view text, std::size_t, Code& code) { return stop(handler.text(whole(text)), code); }
  bool on_number_part(json::string_view, Code&) { return true; }
  bool on_int64(std::int64_t, json::string_view, Code& code) { return stop(handler.other(false), code); }
  bool on_uint64(std::uint64_t, json::string_view, Code& code) { return stop(handler.other(false), code); }
  bool on_double(double, json::string_view, Code& code) { return stop(handler.other(false), code); }
  bool on_bool(bool, Code& code) { return stop(handler.other(false), code); }
  bool on_null(Code& code) { return stop(handler.other(true), code); }
  bool on_comment_part(json::string_view, Code&) { return true; }
  bool on_comment(json::string_view, Code&) { return true; }
};

tl::unexpected<Error> invalid(const std::string& what) {
  return fail(ErrorKind::interchange_invalid, "the interchange file " + what);
}

}  // namespace

Result<Interchange> parse_interchange(std::string_view text) {
  if (text.size() > kLargestInterchange) {
    return invalid("is larger than " + std::to_string(kLargestInterchange / 1024 / 1024) +
                   " MiB: let the other signer export fewer validators at a time");
  }
  try {
    json::parse_options options;
    options.max_depth = kDeepest;
    json::basic_parser<Events> parser(options);
    Code code;
    const std::size_t read = parser.write_some(false, text.data(), text.size(), code);
    if (parser.handler().handler.error()) {
      return fail(*parser.handler().handler.error());
    }
    if (code) {
      return invalid("is not valid JSON at byte " + std::to_string(read) + ": " + code.message());
    }
    if (text.find_first_not_of(" \t\r\n", read) != std::string_view::npos) {
      return invalid("goes on after its end, at byte " + std::to_string(read));
    }
    return parser.handler().handler.take();
  } catch (const std::exception& thrown) {
    return invalid(std::string("cannot be read: ") + thrown.what());
  }
}

}  // namespace cc::guard
