#include "adapters/tokens/fido2_devices.h"

#include <fido.h>

#include "adapters/tokens/errors.h"

namespace cc::tokens {
namespace {

constexpr std::size_t kMostDevices = 16;

class DeviceList {
 public:
  DeviceList() : list_(::fido_dev_info_new(kMostDevices)) {}
  ~DeviceList() { ::fido_dev_info_free(&list_, kMostDevices); }
  DeviceList(const DeviceList&) = delete;
  DeviceList& operator=(const DeviceList&) = delete;
  fido_dev_info_t* get() const { return list_; }

 private:
  fido_dev_info_t* list_;
};

std::string text_or(const char* text, const char* otherwise) {
  return text == nullptr || *text == '\0' ? std::string(otherwise) : std::string(text);
}

class UsbDevices final : public Fido2Devices {
 public:
  UsbDevices() { ::fido_init(FIDO_DISABLE_U2F_FALLBACK); }

  Result<std::vector<Found>> list() override {
    const DeviceList devices;
    std::size_t count = 0;
    if (devices.get() == nullptr) {
      return fail(ErrorKind::internal, "there is no memory for the list of security keys");
    }
    if (const int code = ::fido_dev_info_manifest(devices.get(), kMostDevices, &count); code != FIDO_OK) {
      return fail(fido2_error(code, "security keys cannot be listed"));
    }
    std::vector<Found> out;
    for (std::size_t i = 0; i < count; ++i) {
      const fido_dev_info_t* one = ::fido_dev_info_ptr(devices.get(), i);
      out.push_back({text_or(::fido_dev_info_path(one), ""),
                     text_or(::fido_dev_info_manufacturer_string(one), "unknown maker") + " " +
                         text_or(::fido_dev_info_product_string(one), "security key")});
    }
    return out;
  }

  Result<Fido2Device> open(const std::string& path) override {
    fido_dev_t* device = ::fido_dev_new();
    if (device == nullptr) {
      return fail(ErrorKind::internal, "there is no memory for a security key");
    }
    if (const int code = ::fido_dev_open(device, path.c_str()); code != FIDO_OK) {
      ::fido_dev_free(&device);
      return fail(
          kNotThere,
          "the security key " + path + " cannot be opened (" + ::fido_strerr(code) +
              "); it was pulled out, or this user may not use it: Debian's package libfido2-1 brings the rules");
    }
    return Fido2Device(device);
  }
};

}  // namespace

void CloseFido2Device::operator()(fido_dev* device) const {
  ::fido_dev_close(device);
  ::fido_dev_free(&device);
}

std::unique_ptr<Fido2Devices> usb_fido2_devices() { return std::make_unique<UsbDevices>(); }

Error fido2_error(int code, const std::string& doing) {
  switch (code) {
    case FIDO_ERR_PIN_INVALID:
    case FIDO_ERR_PIN_AUTH_INVALID:
      return {kWrongKey, "the PIN of the security key is wrong"};
    case FIDO_ERR_PIN_AUTH_BLOCKED:
      return {kNotReady,
              "too many wrong PINs: the security key answers no more until it is pulled out and plugged in again"};
    case FIDO_ERR_PIN_BLOCKED:
    case FIDO_ERR_UV_BLOCKED:
      return {
          kNotReady,
          "the PIN of the security key is blocked for good; use another credential and remove this one (resetting the "
          "key loses what it held)"};
    case FIDO_ERR_PIN_NOT_SET:
      return {kNotReady,
              "the security key has no PIN, but the credential was made with one: the key was reset, or it is another"};
    case FIDO_ERR_PIN_REQUIRED:
      return {kNotReady,
              "the security key wants its PIN, but the credential was made without one; add a new credential with it"};
    case FIDO_ERR_ACTION_TIMEOUT:
    case FIDO_ERR_USER_ACTION_TIMEOUT:
    case FIDO_ERR_UP_REQUIRED:
    case FIDO_ERR_KEEPALIVE_CANCEL:
    case FIDO_ERR_TIMEOUT:
      return {kNotReady, "the security key was not touched in time; try again and touch it when it blinks"};
    case FIDO_ERR_OPERATION_DENIED:
      return {kNotReady, "the security key was told to refuse, or refused by itself; try again"};
    case FIDO_ERR_NO_CREDENTIALS:
    case FIDO_ERR_INVALID_CREDENTIAL:
      return {kWrongKey, "wrong key: this security key does not hold the credential"};
    case FIDO_ERR_UNSUPPORTED_EXTENSION:
    case FIDO_ERR_UNSUPPORTED_OPTION:
      return {kNotReady, "the security key cannot do what is needed (FIDO2 with hmac-secret)"};
    case FIDO_ERR_TX:
    case FIDO_ERR_RX:
      return {kNotThere,
              "the security key was pulled out, or stopped to answer, before it was done; plug it in and try again"};
    default:
      return {kNotReady, doing + ": " + ::fido_strerr(code)};
  }
}

}  // namespace cc::tokens
