// A FIDO2 authenticator made of software, behind libfido2's transport hook: getInfo, clientPIN (protocol 1),
// makeCredential and getAssertion with hmac-secret, by the CTAP 2.0 text and by no code of the product. For tests
// alone.
//
// Its state is a text file of `name=value` lines, so that it lasts over several runs of a program and tests can change
// it:
//   seed=HEX       what every credential of this key is derived from; another seed is another key
//   pin=TEXT       absent: no PIN is set
//   tries=NUMBER   wrong PINs left
//   extensions=    hmac-secret, or nothing
//   behaviour=     works, denied, not-touched, pulled-out (when it is asked for a touch)
//   touches=NUMBER how often it was touched
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "adapters/tokens/fido2_devices.h"

namespace cc::test {

void write_authenticator(const std::string& path, const std::string& seed_hex, const std::string& more = {});
// Every file *.key of the folder is a key that is plugged in; its path is the file's.
std::unique_ptr<tokens::Fido2Devices> software_authenticators(const std::string& folder);

}  // namespace cc::test
