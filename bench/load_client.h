// A load generator: many keep-alive connections to one port on this machine, one thread, epoll, one request under way
// on each connection, sent in one write. It shares the cores with the server, so it does as little as it can: requests
// are put together from parts that were made before, an answer is looked at and not copied.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace cc::bench {

using SteadyClock = std::chrono::steady_clock;

inline double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values.empty() ? 0 : values[values.size() / 2];
}

struct LoadResult {
  std::uint64_t answers = 0;
  std::uint64_t refused = 0;  // any status but 200
  double seconds = 0;
  std::vector<double> latencies_ms;
  double percentile(double part) {
    if (latencies_ms.empty()) {
      return 0;
    }
    std::sort(latencies_ms.begin(), latencies_ms.end());
    const auto index = static_cast<std::size_t>(part * static_cast<double>(latencies_ms.size() - 1));
    return latencies_ms[index];
  }
  void add(const LoadResult& other) {
    answers += other.answers;
    refused += other.refused;
    seconds += other.seconds;
    latencies_ms.insert(latencies_ms.end(), other.latencies_ms.begin(), other.latencies_ms.end());
  }
};

[[noreturn]] inline void give_up(const char* why) {
  std::fprintf(stderr, "load generator: %s\n", why);
  std::abort();
}

inline bool is_whole(std::string_view answer) {
  const std::size_t head = answer.find("\r\n\r\n");
  if (head == std::string_view::npos) {
    return false;
  }
  const std::size_t field = answer.find("Content-Length: ");
  if (field == std::string_view::npos || field > head) {
    give_up("an answer without a length");
  }
  return answer.size() >= head + 4 + std::strtoul(answer.data() + field + 16, nullptr, 10);
}

class LoadClient {
 public:
  // Writes the whole text of the next request of a connection into the empty string.
  using Next = std::function<void(std::size_t connection, std::string& out)>;

  LoadClient(std::uint16_t port, std::size_t connections) : lines_(connections), poll_(::epoll_create1(EPOLL_CLOEXEC)) {
    for (std::size_t i = 0; i < connections; ++i) {
      Line& line = lines_[i];
      line.socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      const int on = 1;
      ::setsockopt(line.socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      sockaddr_in address{};
      address.sin_family = AF_INET;
      address.sin_port = htons(port);
      address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      if (::connect(line.socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        give_up("cannot connect");
      }
      epoll_event event{};
      event.events = EPOLLIN;
      event.data.u64 = i;
      if (::epoll_ctl(poll_, EPOLL_CTL_ADD, line.socket, &event) != 0) {
        give_up("epoll");
      }
    }
  }
  ~LoadClient() {
    for (const Line& line : lines_) {
      ::close(line.socket);
    }
    ::close(poll_);
  }
  LoadClient(const LoadClient&) = delete;
  LoadClient& operator=(const LoadClient&) = delete;

  std::size_t connections() const { return lines_.size(); }

  LoadResult run(std::chrono::milliseconds duration, const Next& next) {
    const auto end = SteadyClock::now() + duration;
    return run_while([end] { return SteadyClock::now() < end; }, next);
  }
  // So many requests as fast as the connections take them; returns with the last answer.
  LoadResult burst(std::size_t requests, const Next& next) {
    std::size_t sent = 0;
    return run_while([&] { return sent++ < requests; }, next);
  }
  // So many requests per second at fixed times, whether answers come or not: a request that finds no free connection
  // waits, and its latency counts from the time it was due.
  LoadResult open_loop(double per_second, std::chrono::milliseconds duration, const Next& next) {
    LoadResult out;
    const auto start = SteadyClock::now();
    const auto total = static_cast<std::uint64_t>(per_second * static_cast<double>(duration.count()) / 1000);
    const auto due = [&](std::uint64_t number) {
      return start +
             std::chrono::nanoseconds(static_cast<std::int64_t>(1e9 * static_cast<double>(number) / per_second));
    };
    std::vector<std::size_t> free;
    for (std::size_t i = lines_.size(); i > 0; --i) {
      free.push_back(i - 1);
    }
    for (std::uint64_t sent = 0; out.answers < total;) {
      while (sent < total && !free.empty() && due(sent) <= SteadyClock::now()) {
        send_next(free.back(), next);
        lines_[free.back()].sent = due(sent++);
        free.pop_back();
      }
      const bool waits_for_time = sent < total && !free.empty();
      for (const std::size_t answered : wait(waits_for_time ? 1 : 10'000, out, waits_for_time)) {
        free.push_back(answered);
      }
    }
    out.seconds = std::chrono::duration<double>(SteadyClock::now() - start).count();
    return out;
  }

 private:
  struct Line {
    int socket = -1;
    std::string received;  // of an answer that came in parts
    SteadyClock::time_point sent;
  };

  template <class More>
  LoadResult run_while(const More& more, const Next& next) {
    LoadResult out;
    const auto start = SteadyClock::now();
    std::size_t busy = 0;
    for (; busy < lines_.size() && more(); ++busy) {
      send_next(busy, next);
    }
    while (busy != 0) {
      for (const std::size_t answered : wait(10'000, out, false)) {
        if (more()) {
          send_next(answered, next);
        } else {
          --busy;
        }
      }
    }
    out.seconds = std::chrono::duration<double>(SteadyClock::now() - start).count();
    return out;
  }

  // The connections whose answers are whole.
  const std::vector<std::size_t>& wait(int milliseconds, LoadResult& out, bool may_be_none) {
    std::array<epoll_event, 128> events;
    const int count = ::epoll_wait(poll_, events.data(), static_cast<int>(events.size()), milliseconds);
    if (count < 0 || (count == 0 && !may_be_none)) {
      give_up("no answer within ten seconds");
    }
    answered_.clear();
    for (int i = 0; i < count; ++i) {
      const std::size_t index = events[static_cast<std::size_t>(i)].data.u64;
      if (take_answer(lines_[index], out)) {
        answered_.push_back(index);
      }
    }
    return answered_;
  }

  void send_next(std::size_t index, const Next& next) {
    Line& line = lines_[index];
    request_.clear();
    next(index, request_);
    line.received.clear();
    line.sent = SteadyClock::now();
    for (std::size_t done = 0; done < request_.size();) {
      const ssize_t count = ::send(line.socket, request_.data() + done, request_.size() - done, MSG_NOSIGNAL);
      if (count <= 0) {
        give_up("cannot send");
      }
      done += static_cast<std::size_t>(count);
    }
  }

  // True when the answer is whole.
  bool take_answer(Line& line, LoadResult& out) {
    const ssize_t count = ::recv(line.socket, buffer_.data(), buffer_.size(), 0);
    if (count <= 0) {
      give_up("the signer closed a connection");
    }
    std::string_view text(buffer_.data(), static_cast<std::size_t>(count));
    if (!line.received.empty() || !is_whole(text)) {
      line.received.append(text);
      text = line.received;
      if (!is_whole(text)) {
        return false;
      }
    }
    ++out.answers;
    out.refused += text.substr(9, 3) == "200" ? 0 : 1;
    out.latencies_ms.push_back(std::chrono::duration<double, std::milli>(SteadyClock::now() - line.sent).count());
    return true;
  }

  std::vector<Line> lines_;
  int poll_;
  std::string request_;
  std::vector<std::size_t> answered_;
  std::array<char, 64 * 1024> buffer_;
};

}  // namespace cc::bench
