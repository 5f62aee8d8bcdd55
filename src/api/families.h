// One function per endpoint family; add_routes() calls them all.
#pragma once

#include "api/context.h"
#include "http/router.h"

namespace cc::api {

void add_web3signer_routes(http::Router& router, Context& context);
void add_many_keys_routes(http::Router& router, Context& context);
void add_health_routes(http::Router& router, Context& context);
void add_chamber_status_routes(http::Router& router, Context& context);
void add_chamber_init_routes(http::Router& router, Context& context);
void add_chamber_unseal_routes(http::Router& router, Context& context);
void add_chamber_seal_routes(http::Router& router, Context& context);
void add_chamber_credentials_routes(http::Router& router, Context& context);
void add_keymanager_routes(http::Router& router, Context& context);
void add_chamber_rotate_routes(http::Router& router, Context& context);
void add_chamber_quorum_routes(http::Router& router, Context& context);
void add_chamber_keys_routes(http::Router& router, Context& context);
void add_reload_routes(http::Router& router, Context& context);
void add_audit_routes(http::Router& router, Context& context);

}  // namespace cc::api
