// What the ceremony endpoints read from a request: one-time tokens, and how an operator proves who they are.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "api/context.h"
#include "api/json_body.h"
#include "base/secret.h"
#include "http/message.h"
#include "seal/chamber.h"

namespace cc::api {

// The token of `Authorization: Bearer TOKEN`, or of this field of the body. Errors: unauthorized when neither is there.
Result<SecretBytes> one_time_token(const http::Request& request, const JsonObject& body, std::string_view field);

// `passphrase`, or `kind` and `secret`. Errors: malformed_request for neither, both or half of it; unsupported.
Result<seal::CredentialSecret> credential(const JsonObject& body);
// A secret of this kind under `field`: a passphrase, or what a hardware key answered, in hexadecimal.
Result<seal::CredentialSecret> credential_of(const JsonObject& body, const std::string& kind, std::string_view field);
// For a new credential: what its hardware key was asked, an object under `field`. Errors: malformed_request when it is
// missing, or there with a passphrase.
Result<void> add_device(seal::CredentialSecret& to, const JsonObject& body, std::string_view field);

// A new setup token may have to be logged, the KMS step may have something to do.
void tell_change(const Context& context);

// {"status","operator_tokens"}, and `more` behind it: further members as JSON text, each with its comma before it.
http::Response tokens_reply(seal::VisibleState state,
                            const std::vector<std::pair<std::string, SecretBytes>>& operator_tokens,
                            const std::string& more);
// The two short replies that several ceremonies share.
http::Response state_reply(seal::VisibleState state);  // {"status"}
http::Response opened_reply(seal::VisibleState state,
                            std::uint64_t validators_loaded);  // {"status","validators_loaded"}

}  // namespace cc::api
