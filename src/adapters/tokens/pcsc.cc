#include "adapters/tokens/pcsc.h"

#include <winscard.h>

#include <array>

#include "adapters/tokens/errors.h"

namespace cc::tokens {
namespace {

tl::unexpected<Error> service_error(LONG code) {
  if (code == SCARD_E_NO_SERVICE || code == SCARD_E_SERVICE_STOPPED) {
    return fail(kNotReady,
                "the smart-card service does not run; install pcscd and start it (systemctl start pcscd.socket)");
  }
  if (code == SCARD_W_SECURITY_VIOLATION || code == SCARD_E_NO_ACCESS) {
    return fail(kNotReady,
                "the smart-card service does not let this user in; ask the machine's administrator (polkit, pcscd)");
  }
  return fail(kNotReady, std::string("the smart-card service answers: ") + ::pcsc_stringify_error(code));
}

tl::unexpected<Error> card_error(LONG code) {
  switch (code) {
    case SCARD_E_SHARING_VIOLATION:
      return fail(kNotReady, "another program holds the hardware key (gpg's scdaemon does so); end it and try again");
    case SCARD_W_REMOVED_CARD:
    case SCARD_W_RESET_CARD:
    case SCARD_W_UNPOWERED_CARD:
    case SCARD_W_UNRESPONSIVE_CARD:
    case SCARD_E_NO_SMARTCARD:
    case SCARD_E_READER_UNAVAILABLE:
    case SCARD_E_UNKNOWN_READER:
    case SCARD_E_INVALID_HANDLE:
    case SCARD_E_NOT_TRANSACTED:
    case SCARD_E_COMM_DATA_LOST:
    case SCARD_F_COMM_ERROR:
      return fail(kNotThere, kPulledOut);
    default:
      return service_error(code);
  }
}

class PcscCard final : public SmartCard {
 public:
  PcscCard(SCARDHANDLE card, DWORD protocol) : card_(card), protocol_(protocol) {}
  ~PcscCard() override {
    if (in_transaction_) {
      ::SCardEndTransaction(card_, SCARD_LEAVE_CARD);
    }
    ::SCardDisconnect(card_, SCARD_RESET_CARD);
  }
  PcscCard(const PcscCard&) = delete;
  PcscCard& operator=(const PcscCard&) = delete;

  // No other program may come between the choice of the applet and the challenge.
  Result<void> begin() {
    const LONG code = ::SCardBeginTransaction(card_);
    in_transaction_ = code == SCARD_S_SUCCESS;
    return in_transaction_ ? Result<void>() : card_error(code);
  }
  Result<SecretBytes> transmit(ByteView command) override {
    SecretBytes buffer(kMaxCardAnswer);
    const auto bytes = expose_secret_bytes(buffer);
    DWORD size = bytes.size();
    const SCARD_IO_REQUEST how{protocol_, sizeof(SCARD_IO_REQUEST)};
    const LONG code = ::SCardTransmit(card_, &how, command.data(), command.size(), nullptr, bytes.data(), &size);
    if (code != SCARD_S_SUCCESS) {
      return card_error(code);
    }
    return SecretBytes::copy_of(bytes.first(std::min<std::size_t>(size, bytes.size())));
  }

 private:
  SCARDHANDLE card_;
  DWORD protocol_;
  bool in_transaction_ = false;
};

class PcscReaders final : public CardReaders {
 public:
  PcscReaders() = default;
  ~PcscReaders() override {
    if (connected_) {
      ::SCardReleaseContext(context_);
    }
  }
  PcscReaders(const PcscReaders&) = delete;
  PcscReaders& operator=(const PcscReaders&) = delete;

  Result<std::vector<std::string>> names() override {
    CC_TRY(connect());
    DWORD size = 0;
    LONG code = ::SCardListReaders(context_, nullptr, nullptr, &size);
    std::string list(size, '\0');
    if (code == SCARD_S_SUCCESS) {
      code = ::SCardListReaders(context_, nullptr, list.data(), &size);
    }
    if (code == SCARD_E_NO_READERS_AVAILABLE) {
      return std::vector<std::string>();
    }
    if (code != SCARD_S_SUCCESS) {
      return service_error(code);
    }
    // Names end with a zero byte each, and the list with one more.
    std::vector<std::string> out;
    for (std::size_t at = 0; at < list.size() && list[at] != '\0'; at += out.back().size() + 1) {
      out.emplace_back(list.c_str() + at);
    }
    return out;
  }

  Result<std::unique_ptr<SmartCard>> open(const std::string& reader) override {
    CC_TRY(connect());
    SCARDHANDLE card = 0;
    DWORD protocol = 0;
    const LONG code = ::SCardConnect(context_, reader.c_str(), SCARD_SHARE_SHARED,
                                     SCARD_PROTOCOL_T0 | SCARD_PROTOCOL_T1, &card, &protocol);
    if (code == SCARD_E_NO_SMARTCARD || code == SCARD_W_REMOVED_CARD) {
      return std::unique_ptr<SmartCard>();
    }
    if (code != SCARD_S_SUCCESS) {
      return card_error(code);
    }
    auto out = std::make_unique<PcscCard>(card, protocol);
    CC_TRY(out->begin());
    return std::unique_ptr<SmartCard>(std::move(out));
  }

 private:
  Result<void> connect() {
    if (connected_) {
      return {};
    }
    const LONG code = ::SCardEstablishContext(SCARD_SCOPE_SYSTEM, nullptr, nullptr, &context_);
    connected_ = code == SCARD_S_SUCCESS;
    return connected_ ? Result<void>() : service_error(code);
  }

  SCARDCONTEXT context_ = 0;
  bool connected_ = false;
};

}  // namespace

std::unique_ptr<CardReaders> pcsc_readers() { return std::make_unique<PcscReaders>(); }

}  // namespace cc::tokens
