// The body of the many-keys endpoint: which sign requests it holds, and for which keys. docs/reference/many-keys.md is
// the page for client authors.
//
// An item is {"pubkeys": [texts], "request": {sign body}}, or with one "pubkey": text. A body is one item or an array
// of items; as lines (NDJSON) one item per line, blank lines skipped. Here only the frame is read, strictly; a request
// stays the text it is, cut out by its braces, for the parser of sign requests to accept or refuse, and a key the text
// between its quotes. Pure, never recursive. No secrets.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace cc::api {

enum class ManyKeysForm { json, lines };

// Views into the body.
struct ManyKeysItem {
  std::vector<std::string_view> keys;  // at least one
  std::string_view request;            // begins with '{'
};

struct ManyKeysBody {
  std::vector<ManyKeysItem> items;
  std::size_t entries = 0;  // keys of all items
};

// Errors: malformed_request, with the offset or the line: no entry, more than `most_entries`, an unknown or repeated
// field, anything that is no item.
Result<ManyKeysBody> read_many_keys(std::string_view body, ManyKeysForm form, std::size_t most_entries);

}  // namespace cc::api
