#include "http/wiping_text.h"

#include <algorithm>

#include "base/secret.h"

namespace cc::http {

void append_wiping(std::string& to, std::string_view more) {
  constexpr std::size_t kFirstCapacity = 4096;
  if (to.capacity() - to.size() < more.size()) {
    std::string grown;
    grown.reserve(std::max({to.capacity() * 2, to.size() + more.size(), kFirstCapacity}));
    grown.append(to);
    wipe(to);
    to = std::move(grown);
  }
  to.append(more);
}

}  // namespace cc::http
