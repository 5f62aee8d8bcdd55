// TLS over a socket, as a server.
#pragma once

#include <memory>
#include <string>

#include "http/stream.h"
#include "http/tls_handshakes.h"
#include "http/tls_identity.h"

namespace cc::http {

// `handshakes` outlives the stream. `peer` names the caller in the log. A caller that speaks plain HTTP is told so in
// plain HTTP. Null when out of memory.
std::unique_ptr<Stream> tls_stream(Socket socket, const TlsIdentity& identity, TlsHandshakes& handshakes,
                                   std::string peer);

}  // namespace cc::http
