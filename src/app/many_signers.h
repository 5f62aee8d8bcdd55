// One command at several signers, one after the other: progress while it goes, a structure for each, what is left to
// do.
//
// A signer that fails does not keep the others from their turn. Stdout carries `{"signers":[{"signer_url","reply"} or
// {"signer_url","error":{"code","detail"}}, …]}` (with --output text a paragraph for each), stderr a line for each as
// it is done and at the end what to run again for those that were not. No secret passes but what the conversation
// sends.
#pragma once

#include <boost/json/value.hpp>
#include <functional>

#include "app/command.h"

namespace cc::app {

// Every address is good, and named once: asked before a person types a passphrase. Errors: as SignerClient::make,
// usage.
Result<void> check_signers(const SignerOptions& options);

// `after` is told each good reply, once all are printed. Errors: usage before anybody was asked (an address that is
// none, or named twice); else, when all had their turn, the kind of the first failure.
Result<void> talk_to_many(const SignerOptions& options, const Dialogue& talk, const AfterReply& after);

// As ask_signers, but all are asked at the same time, and only the telling is in turn: one that hangs delays nobody.
Result<void> ask_at_once(const SignerOptions& options, const SignerCall& call);

// A few words on a reply: its state, or how far it came.
std::string short_of(const boost::json::value& reply);

}  // namespace cc::app
