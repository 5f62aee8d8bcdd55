// The witness of the audit log: stands around every route and writes down who asked for a change, that it is about to
// be made (before, durable), and how it ended (durable before the answer leaves). Of routes that only read, refused
// callers are written down. A route that this file does not know is a change without a word of its own, so that none
// can be added unseen.
//
// Rules: operators are named when they are known to the chamber or have proven themselves; other texts of a body are
// written only when the caller was let in or the change was made, so that a passphrase typed into the wrong field is
// not kept. Sealing is never held up: it is written down afterwards, and happens even when nothing can be written.
#pragma once

#include <string>

#include "api/context.h"
#include "http/router.h"

namespace cc::api {

// Does nothing without a journal. Call after all other routes were added.
void add_witness(http::Router& router, Context& context);

// Who asked for a signature.
struct Asker {
  std::string policy, peer, request_id;
  bool authenticated = false;
  std::optional<BlsPublicKey> key;
};
// The policy that the caller's token is of, whatever it allows; nothing for a token of none.
std::optional<std::string> holder_of(const Context& context, const http::Request& head);
Asker asker_of(const Context& context, const http::Request& head);
// Writes a refused signature down, when it is one of those that matter: slashing protection, tokens, limits, another
// network. Never blocks.
void witness_refused_signature(const Context& context, const Asker& asker, const std::string& operation,
                               const Error& error);

}  // namespace cc::api
