// Keeps web pages from making a browser talk to the signer: a page may send requests to any address its visitor's
// machine reaches, and a name the page's owner controls may suddenly mean 127.0.0.1 (DNS rebinding). Programs that are
// no browsers send no Origin, and address the signer by a name its operator gave them.
//
// Pure; safe from any thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/router.h"

namespace cc::http {

struct BrowserRules {
  // Nobody needs a token. The default for Host then lets in what no page's owner can point at us: IP addresses,
  // localhost, and names without a dot (a neighbour in a container network); and everything that came over TLS or a
  // unix socket, where the certificate or the file system settles who is meant.
  bool open = false;
  std::vector<std::string> hosts;    // names taken in Host, without port; "*" takes all; empty: the default above
  std::vector<std::string> origins;  // taken in Origin, as scheme://host[:port]; "*" takes all; the signer's own is
};

// Refuses with 403 `forbidden`: a Host that is not taken; an Origin that is neither listed nor the signer's own; a
// request that the browser itself marks as another site's (Sec-Fetch-Site).
std::shared_ptr<const Admission> browser_guard(BrowserRules rules);

// The name in a Host header: lower case, without port and final dot, IPv6 addresses with their brackets. Nothing for
// what is no host.
std::optional<std::string> host_name(std::string_view header);

}  // namespace cc::http
