// rooms: formats
// Walks any input as CBOR of the stored formats and writes what it reads: accepted input re-encodes to itself.
#include <cstdlib>
#include <vector>

#include "formats/cbor.h"

namespace {

using cc::cbor::Reader;
using cc::cbor::Writer;

// Copies one item; false when it is not one of ours. The open counts stand on a heap stack, not on the call stack.
bool copy_items(Reader& in, cc::ByteView input, Writer& out) {
  std::vector<std::uint64_t> waiting{1};
  while (!waiting.empty()) {
    if (waiting.back() == 0) {
      waiting.pop_back();
      continue;
    }
    --waiting.back();
    if (in.offset() == input.size()) {
      return false;
    }
    switch (input[in.offset()] >> 5) {
      case 0: {
        const auto value = in.uint();
        if (!value) {
          return false;
        }
        out.uint(*value);
        break;
      }
      case 2: {
        const auto value = in.bytes();
        if (!value) {
          return false;
        }
        out.bytes(*value);
        break;
      }
      case 3: {
        const auto value = in.text();
        if (!value) {
          return false;
        }
        out.text(*value);
        break;
      }
      case 4: {
        const auto items = in.array();
        if (!items || *items > input.size()) {
          return false;
        }
        out.array(*items);
        waiting.push_back(*items);
        break;
      }
      case 5: {
        const auto pairs = in.map();
        if (!pairs || *pairs > input.size()) {
          return false;
        }
        out.map(*pairs);
        waiting.push_back(2 * *pairs);
        break;
      }
      default: {
        const auto null = in.null_next();
        if (null && *null) {
          out.null();
          break;
        }
        const auto flag = in.boolean();
        if (!flag) {
          return false;
        }
        out.boolean(*flag);
      }
    }
  }
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const cc::ByteView input(data, size);
  Reader in(input);
  Writer out;
  if (copy_items(in, input, out) && in.end() && out.view() != cc::Bytes(data, data + size)) {
    std::abort();
  }
  return 0;
}
