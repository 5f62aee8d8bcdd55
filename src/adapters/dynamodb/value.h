// Items of DynamoDB: attributes by name, and their JSON form on the wire.
//
// Only the types this program stores: text, number (a decimal that fits 64 bits), bytes, flag. Pure code. No secret
// passes: what is stored is sealed or public.
#pragma once

#include <boost/json/fwd.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/bytes.h"
#include "base/result.h"

namespace cc::dynamodb {

using Value = std::variant<std::string, std::uint64_t, Bytes, bool>;
using Item = std::map<std::string, Value>;

// Appends {"name":{"S":"…"},…}.
void append_json(std::string& to, const Item& item);

// Errors: malformed_request naming the attribute that is of another type.
Result<Item> item_from(const boost::json::value& json);

// Members of an item; empty when absent or of another type.
std::optional<std::string> text_of(const Item& item, const std::string& name);
std::optional<std::uint64_t> number_of(const Item& item, const std::string& name);
std::optional<Bytes> bytes_of(const Item& item, const std::string& name);
std::optional<bool> flag_of(const Item& item, const std::string& name);

// Twenty digits, so that text sorts as numbers do. Reading takes exactly that form.
std::string sortable(std::uint64_t number);
std::optional<std::uint64_t> from_sortable(std::string_view text);

}  // namespace cc::dynamodb
