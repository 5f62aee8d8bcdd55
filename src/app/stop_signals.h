// How a long-running command is told to stop.
#pragma once

#include <csignal>
#include <functional>

#include "base/log.h"

namespace cc::app {

// SIGTERM and its like, held back from every thread until somebody waits for them.
class StopSignals {
 public:
  StopSignals() {
    ::sigemptyset(&set_);
    for (const int number : {SIGTERM, SIGINT, SIGHUP}) {
      ::sigaddset(&set_, number);
    }
    ::pthread_sigmask(SIG_BLOCK, &set_, &before_);
  }
  ~StopSignals() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;
  // SIGHUP goes to `reload` and counts only when that has nothing to do. Afterwards a second signal ends the process at
  // once.
  void wait(const std::function<bool()>& reload = [] { return false; }) {
    int number = 0;
    while (::sigwait(&set_, &number) != 0 || (number == SIGHUP && reload())) {
    }
    log::info("stopping", {{"signal", static_cast<std::uint64_t>(number)}});
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

 private:
  sigset_t set_{};
  sigset_t before_{};
};

}  // namespace cc::app
