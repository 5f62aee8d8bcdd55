#include "app/terminal.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "seal/credential.h"

namespace cc::app {
namespace {

// What a terminal keeps of one line; the kernel drops the rest without a word.
constexpr std::size_t kTerminalLine = 4095;

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) {
      ::close(fd_);
    }
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

// While it lives, the terminal does not echo, and signals that would end the process wait for release().
class QuietTerminal {
 public:
  explicit QuietTerminal(int tty) : tty_(tty) {
    ::sigemptyset(&held_);
    for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP}) {
      ::sigaddset(&held_, number);
    }
    ::pthread_sigmask(SIG_BLOCK, &held_, &before_);
    ready_ = ::tcgetattr(tty_, &settings_) == 0;
    termios quiet = settings_;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO | ECHOE | ECHOK | ECHONL);
    ready_ = ready_ && ::tcsetattr(tty_, TCSAFLUSH, &quiet) == 0;
  }
  ~QuietTerminal() {
    if (ready_) {
      ::tcsetattr(tty_, TCSAFLUSH, &settings_);
    }
    // A signal that came meanwhile takes effect here, with the terminal as it was.
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  QuietTerminal(const QuietTerminal&) = delete;
  QuietTerminal& operator=(const QuietTerminal&) = delete;
  bool ready() const { return ready_; }
  const sigset_t& held() const { return held_; }

 private:
  int tty_;
  bool ready_ = false;
  termios settings_{};
  sigset_t held_{};
  sigset_t before_{};
};

// True when there is something to read, false when a signal waits.
bool wait_for_input(int tty, const sigset_t& signals) {
  const Descriptor waiting(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
  std::array<pollfd, 2> both{{{tty, POLLIN, 0}, {waiting.get(), POLLIN, 0}}};
  while (::poll(both.data(), both.size(), -1) < 0 && errno == EINTR) {
  }
  return (both[1].revents & POLLIN) == 0;
}

void say(int tty, const std::string& text) {
  // A terminal that takes no prompt still gives an answer; nothing depends on the write.
  [[maybe_unused]] const auto written = ::write(tty, text.data(), text.size());
}

SecretBytes first_bytes(const SecretBytes& buffer, std::size_t size) {
  return SecretBytes::copy_of(expose_secret_bytes(buffer).first(size));
}

}  // namespace

Result<SecretBytes> read_secret_line(int descriptor, const std::string& what) {
  SecretBytes buffer(kMaxSecretLine + 2);
  const auto bytes = expose_secret_bytes(buffer);
  std::size_t size = 0;
  while (true) {
    if (size == bytes.size()) {
      return fail(ErrorKind::usage, what + " is longer than 64 KiB");
    }
    const ssize_t got = ::read(descriptor, bytes.data() + size, 1);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      return fail(ErrorKind::usage, what + " cannot be read: " + std::strerror(errno));
    }
    if (got == 0 || bytes[size] == '\n') {
      if (got == 0 && size == 0) {
        return fail(ErrorKind::usage, what + " is missing: the input is empty");
      }
      break;
    }
    ++size;
  }
  if (size > 0 && bytes[size - 1] == '\r') {
    --size;
  }
  if (size > kMaxSecretLine) {
    return fail(ErrorKind::usage, what + " is longer than 64 KiB");
  }
  return first_bytes(buffer, size);
}

Result<SecretBytes> prompt_secret(const std::string& question, const std::string& stdin_flag) {
  const Descriptor tty(::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY));
  if (tty.get() < 0) {
    return fail(ErrorKind::usage, "there is no terminal to ask on; pass " + stdin_flag + " and send one line");
  }
  Result<SecretBytes> answer = fail(ErrorKind::usage, "interrupted");
  {
    const QuietTerminal quiet(tty.get());
    if (!quiet.ready()) {
      return fail(ErrorKind::usage, "the terminal's echo cannot be switched off; pass " + stdin_flag);
    }
    say(tty.get(), question + ": ");
    if (wait_for_input(tty.get(), quiet.held())) {
      answer = read_secret_line(tty.get(), question);
    }
    say(tty.get(), "\n");
  }
  if (answer && answer->size() >= kTerminalLine) {
    return fail(ErrorKind::usage,
                "a terminal takes no longer line and may have cut this one; pass " + stdin_flag + " and send one line");
  }
  return answer;
}

Result<SecretBytes> prompt_new_secret(const std::string& question) {
  CC_ASSIGN(SecretBytes first, prompt_secret(question));
  // Said before it is typed a second time; the signer counts again, and more strictly.
  const auto starts_character = [](std::uint8_t byte) { return (byte & 0xC0U) != 0x80U; };
  const auto characters = std::ranges::count_if(expose_secret_bytes(first), starts_character);
  if (static_cast<std::size_t>(characters) < seal::kMinPassphraseCodePoints) {
    return fail(ErrorKind::passphrase_too_short, "at least " + std::to_string(seal::kMinPassphraseCodePoints) +
                                                     " characters are needed; nothing was sent");
  }
  CC_ASSIGN(const SecretBytes second, prompt_secret("The same again"));
  if (!(first == second)) {
    return fail(ErrorKind::usage, "the two entries differ; nothing was sent");
  }
  return first;
}

Result<SecretBytes> read_secret_file(const std::string& path, std::size_t limit) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) {
    return fail(ErrorKind::usage, path + " cannot be opened: " + std::strerror(errno));
  }
  SecretBytes buffer(limit + 1);
  const auto bytes = expose_secret_bytes(buffer);
  std::size_t size = 0;
  while (size < bytes.size()) {
    const ssize_t got = ::read(file.get(), bytes.data() + size, bytes.size() - size);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      return fail(ErrorKind::usage, path + " cannot be read: " + std::strerror(errno));
    }
    if (got == 0) {
      return first_bytes(buffer, size);
    }
    size += static_cast<std::size_t>(got);
  }
  return fail(ErrorKind::usage, path + " is larger than " + std::to_string(limit) + " bytes");
}

}  // namespace cc::app
