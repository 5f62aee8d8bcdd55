// Whether this signer can sign right now, for /healthcheck and for the gauges of a scrape. Never blocks.
#pragma once

#include <optional>

#include "api/context.h"
#include "http/router.h"

namespace cc::api {

struct Health {
  bool open = false;          // admission is open: no chamber yet, or an unsealed one
  bool stores_ready = false;  // nothing forbids signatures
  std::uint64_t keys = 0;     // in the ring
  bool key_files = true;      // every key file is read and gave its key
  std::optional<Error> trouble;
  bool good() const { return open && stores_ready && keys > 0 && key_files; }
};
Health health_of(const Context& context);

// Sets the gauges whose truth lies elsewhere: state, keys, queue, health.
void refresh_gauges(const Context& context);

// GET /upcheck: 200 OK whatever Accept says, in every state, also under overload.
void add_upcheck_route(http::Router& router);

}  // namespace cc::api
