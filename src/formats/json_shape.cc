#include "formats/json_shape.h"

#include <boost/json/basic_parser_impl.hpp>
#include <new>
#include <set>
#include <string>
#include <vector>

namespace cc::json {
namespace {

namespace bj = boost::json;

// The events of Boost.JSON's parser; all that counts here are the member names of every open object.
struct NameCollector {
  static constexpr std::size_t max_object_size = std::size_t(-1);
  static constexpr std::size_t max_array_size = std::size_t(-1);
  static constexpr std::size_t max_key_size = std::size_t(-1);
  static constexpr std::size_t max_string_size = std::size_t(-1);

  std::vector<std::set<std::string>> open_objects;
  std::string name;
  std::string repeated;

  bool on_document_begin(bj::error_code&) { return true; }
  bool on_document_end(bj::error_code&) { return true; }
  bool on_object_begin(bj::error_code&) {
    open_objects.emplace_back();
    return true;
  }
  bool on_object_end(std::size_t, bj::error_code&) {
    open_objects.pop_back();
    return true;
  }
  bool on_array_begin(bj::error_code&) { return true; }
  bool on_array_end(std::size_t, bj::error_code&) { return true; }
  bool on_key_part(bj::string_view part, std::size_t, bj::error_code&) {
    name.append(part.data(), part.size());
    return true;
  }
  bool on_key(bj::string_view part, std::size_t, bj::error_code& error) {
    name.append(part.data(), part.size());
    if (!open_objects.back().insert(name).second) {
      repeated = name;
      error = bj::error::exception;
      return false;
    }
    name.clear();
    return true;
  }
  bool on_string_part(bj::string_view, std::size_t, bj::error_code&) { return true; }
  bool on_string(bj::string_view, std::size_t, bj::error_code&) { return true; }
  bool on_number_part(bj::string_view, bj::error_code&) { return true; }
  bool on_int64(std::int64_t, bj::string_view, bj::error_code&) { return true; }
  bool on_uint64(std::uint64_t, bj::string_view, bj::error_code&) { return true; }
  bool on_double(double, bj::string_view, bj::error_code&) { return true; }
  bool on_bool(bool, bj::error_code&) { return true; }
  bool on_null(bj::error_code&) { return true; }
  bool on_comment_part(bj::string_view, bj::error_code&) { return true; }
  bool on_comment(bj::string_view, bj::error_code&) { return true; }
};

constexpr std::size_t kLongestQuote = 40;

}  // namespace

Result<void> check_shape(std::string_view text, const Limits& limits) {
  if (text.size() > limits.bytes) {
    return fail(ErrorKind::malformed_request,
                "the JSON text is larger than " + std::to_string(limits.bytes) + " bytes");
  }
  try {
    bj::parse_options options;
    options.max_depth = limits.depth;
    bj::basic_parser<NameCollector> parser(options);
    bj::error_code error;
    const std::size_t read = parser.write_some(false, text.data(), text.size(), error);
    if (const std::string& name = parser.handler().repeated; !name.empty() || error == bj::error::exception) {
      return fail(ErrorKind::malformed_request,
                  "the JSON object has the member \"" + name.substr(0, kLongestQuote) + "\" twice: remove one");
    }
    if (!error && read < text.size()) {
      error = bj::error::extra_data;
    }
    if (error) {
      return fail(ErrorKind::malformed_request,
                  "the JSON text is malformed near byte " + std::to_string(read) + ": " + error.message());
    }
  } catch (const std::bad_alloc&) {
    return fail(ErrorKind::malformed_request, "the JSON text needs too much memory");
  }
  return {};
}

}  // namespace cc::json
