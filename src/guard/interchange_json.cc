// The JSON form of the interchange format.
#include <boost/json.hpp>
#include <charconv>
#include <exception>
#include <limits>

#include "guard/interchange.h"

namespace cc::guard {
namespace {

namespace json = boost::json;

constexpr std::size_t kLargestFile = 256UL * 1024 * 1024;

tl::unexpected<Error> invalid(const std::string& where, const std::string& what) {
  return fail(ErrorKind::interchange_invalid, where + ": " + what);
}

Result<const json::value*> member(const json::object& object, const char* name, const std::string& where) {
  const json::value* found = object.if_contains(name);
  if (found == nullptr) {
    return invalid(where, std::string("`") + name + "` is missing");
  }
  return found;
}

Result<std::string_view> text(const json::object& object, const char* name, const std::string& where) {
  CC_ASSIGN(const json::value* const value, member(object, name, where));
  if (!value->is_string()) {
    return invalid(where, std::string("`") + name + "` must be a string");
  }
  const json::string& string = value->get_string();
  return std::string_view(string.data(), string.size());
}

// Integers are strings in this format. Canonical decimal, at most 2^63-1.
Result<std::uint64_t> integer(const json::object& object, const char* name, const std::string& where) {
  CC_ASSIGN(const std::string_view digits, text(object, name, where));
  std::uint64_t out = 0;
  const auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), out);
  if (problem != std::errc() || end != digits.data() + digits.size() || digits.empty() ||
      out > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
    return invalid(where, std::string("`") + name + "` is not an unsigned integer below 2^63");
  }
  return out;
}

template <std::size_t N>
Result<std::array<std::uint8_t, N>> hex(const json::object& object, const char* name, const std::string& where) {
  CC_ASSIGN(const std::string_view digits, text(object, name, where));
  std::array<std::uint8_t, N> out{};
  if (const auto read = from_hex_exact(digits, out); !read) {
    return invalid(where, std::string("`") + name + "`: " + read.error().message);
  }
  return out;
}

Result<std::optional<Root>> signing_root(const json::object& object, const std::string& where) {
  const json::value* value = object.if_contains("signing_root");
  if (value == nullptr || value->is_null()) {
    return std::nullopt;
  }
  CC_ASSIGN(const Root root, hex<32>(object, "signing_root", where));
  return root;
}

// Calls `each` for every object of the array `name`; an absent array is empty.
template <class Each>
Result<void> every(const json::object& object, const char* name, const std::string& where, bool required,
                   const Each& each) {
  const json::value* value = object.if_contains(name);
  if (value == nullptr && !required) {
    return {};
  }
  if (value == nullptr || !value->is_array()) {
    return invalid(where, std::string("`") + name + "` must be an array");
  }
  std::size_t index = 0;
  for (const json::value& item : value->get_array()) {
    const std::string at = where + "." + name + "[" + std::to_string(index++) + "]";
    if (!item.is_object()) {
      return invalid(at, "must be an object");
    }
    CC_TRY(each(item.get_object(), at));
  }
  return {};
}

Result<InterchangeEntry> entry(const json::object& object, const std::string& where) {
  InterchangeEntry out;
  CC_ASSIGN(out.key, hex<48>(object, "pubkey", where));
  CC_TRY(every(object, "signed_blocks", where, false,
               [&](const json::object& block, const std::string& at) -> Result<void> {
                 CC_ASSIGN(const std::uint64_t slot, integer(block, "slot", at));
                 CC_ASSIGN(const auto root, signing_root(block, at));
                 out.blocks.push_back({{slot}, root});
                 return {};
               }));
  CC_TRY(every(object, "signed_attestations", where, false,
               [&](const json::object& vote, const std::string& at) -> Result<void> {
                 CC_ASSIGN(const std::uint64_t source, integer(vote, "source_epoch", at));
                 CC_ASSIGN(const std::uint64_t target, integer(vote, "target_epoch", at));
                 CC_ASSIGN(const auto root, signing_root(vote, at));
                 out.attestations.push_back({{source}, {target}, root});
                 return {};
               }));
  return out;
}

Result<Interchange> read(const json::value& document) {
  if (!document.is_object()) {
    return invalid("interchange", "must be a JSON object");
  }
  const json::object& top = document.get_object();
  CC_ASSIGN(const json::value* const metadata, member(top, "metadata", "interchange"));
  if (!metadata->is_object()) {
    return invalid("metadata", "must be an object");
  }
  CC_ASSIGN(const std::string_view version, text(metadata->get_object(), "interchange_format_version", "metadata"));
  if (version != "5") {
    return invalid("metadata", "interchange_format_version must be \"5\"");
  }
  Interchange out;
  CC_ASSIGN(out.genesis_validators_root, hex<32>(metadata->get_object(), "genesis_validators_root", "metadata"));
  CC_TRY(
      every(top, "data", "interchange", true, [&](const json::object& object, const std::string& at) -> Result<void> {
        CC_ASSIGN(InterchangeEntry one, entry(object, at));
        out.data.push_back(std::move(one));
        return {};
      }));
  return out;
}

}  // namespace

Result<Interchange> parse_interchange(std::string_view text) {
  if (text.size() > kLargestFile) {
    return invalid("interchange", "the file is larger than 256 MiB: split it by validator");
  }
  try {
    json::parse_options options;
    options.max_depth = 8;
    boost::system::error_code problem;
    const json::value document =
        json::parse(json::string_view(text.data(), text.size()), problem, json::storage_ptr(), options);
    if (problem) {
      return invalid("interchange", "not valid JSON: " + problem.message());
    }
    return read(document);
  } catch (const std::exception& exception) {
    return invalid("interchange", std::string("cannot be read: ") + exception.what());
  }
}

std::string write_interchange(const Interchange& interchange) {
  json::array data;
  for (const InterchangeEntry& entry : interchange.data) {
    json::array blocks;
    for (const SignedBlock& block : entry.blocks) {
      json::object one{{"slot", std::to_string(block.slot.value)}};
      if (block.signing_root) {
        one["signing_root"] = to_0x(*block.signing_root);
      }
      blocks.push_back(std::move(one));
    }
    json::array votes;
    for (const SignedAttestation& vote : entry.attestations) {
      json::object one{{"source_epoch", std::to_string(vote.source.value)},
                       {"target_epoch", std::to_string(vote.target.value)}};
      if (vote.signing_root) {
        one["signing_root"] = to_0x(*vote.signing_root);
      }
      votes.push_back(std::move(one));
    }
    data.push_back(json::object{
        {"pubkey", to_0x(entry.key)}, {"signed_blocks", std::move(blocks)}, {"signed_attestations", std::move(votes)}});
  }
  const json::object top{
      {"metadata", json::object{{"interchange_format_version", "5"},
                                {"genesis_validators_root", to_0x(interchange.genesis_validators_root)}}},
      {"data", std::move(data)}};
  return json::serialize(top);
}

}  // namespace cc::guard
