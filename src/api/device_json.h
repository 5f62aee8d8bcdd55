// Hardware credentials in JSON: what a hardware key is asked, and what it answered. The signer and its command line
// both read and write this form (docs/reference/api.md).
//
//   yubikey  {"challenge": HEX}
//   fido2    {"rp_id": TEXT, "credential": HEX, "salt": HEX, "verification": BOOLEAN}
#pragma once

#include <boost/json/object.hpp>
#include <string_view>
#include <vector>

#include "api/json_body.h"
#include "base/secret.h"
#include "seal/chamber.h"
#include "seal/device.h"

namespace cc::api {

boost::json::object device_to_json(const seal::DeviceChallenge& device);
// The object under `field`. Errors: malformed_request; unsupported for a kind that asks no hardware.
Result<seal::DeviceChallenge> device_from_json(const JsonObject& body, std::string_view field, std::string_view kind);

// {"challenges":[{"credential_id","kind","device"}, …]}
boost::json::object challenges_to_json(const std::vector<seal::NamedChallenge>& challenges);
// What a signer answered, for the command line. Errors: malformed_request when it is not of that form.
Result<std::vector<seal::NamedChallenge>> challenges_from_json(std::string_view text);

// An answer travels as lower-case hexadecimal, as a passphrase would. Errors: malformed_request, never with the text.
Result<SecretBytes> answer_from_hex(const SecretBytes& hex);
SecretBytes answer_to_hex(const SecretBytes& answer);

}  // namespace cc::api
