// The Authorization header (RFC 9110 section 11.6.2): Bearer (RFC 6750) and Basic (RFC 7617).
#pragma once

#include <string_view>

#include "base/result.h"
#include "base/secret.h"

namespace cc::access {

// The token: of Basic the password, whatever the user name. An empty header is an empty token. Errors: unauthorized for
// another scheme, broken base64, a Basic value without a colon, an empty token behind a scheme. Temporaries are wiped.
Result<SecretBytes> token_of(std::string_view authorization);

}  // namespace cc::access
