// FIDO2 security keys as a port: which ones there are, and one of them opened. The real ones are found as USB devices
// by libfido2; tests put an authenticator made of software behind libfido2's own transport hook, so that everything
// above this line is the same code.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"

struct fido_dev;

namespace cc::tokens {

// Closes and frees what libfido2 opened.
struct CloseFido2Device {
  void operator()(fido_dev* device) const;
};
using Fido2Device = std::unique_ptr<fido_dev, CloseFido2Device>;

class Fido2Devices {
 public:
  struct Found {
    std::string path;
    std::string name;  // for people
  };
  virtual ~Fido2Devices() = default;
  virtual Result<std::vector<Found>> list() = 0;
  // Errors: kNotThere (gone meanwhile, or this user may not open it).
  virtual Result<Fido2Device> open(const std::string& path) = 0;
};

std::unique_ptr<Fido2Devices> usb_fido2_devices();

// What a code of libfido2 means to the person, and what to do. `doing` is what could not be done.
Error fido2_error(int code, const std::string& doing);

}  // namespace cc::tokens
