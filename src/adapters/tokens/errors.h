// How the troubles of hardware keys are told, in the words that the program has for everything else.
#pragma once

#include "base/result.h"

namespace cc::tokens {

inline constexpr ErrorKind kNotThere = ErrorKind::not_found;    // nothing plugged in, pulled out, not the one named
inline constexpr ErrorKind kNotReady = ErrorKind::wrong_state;  // not touched, not set up, no service, blocked
inline constexpr ErrorKind kWrongKey = ErrorKind::wrong_passphrase;  // another key, a wrong PIN

// For a card that went away, or answers nothing: drivers report the one as the other.
inline constexpr const char* kPulledOut =
    "the hardware key was pulled out, or stopped to answer, before it was done; plug it in and try again";

}  // namespace cc::tokens
