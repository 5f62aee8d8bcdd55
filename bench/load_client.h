// A load generator: many keep-alive connections to one port on this machine, one thread, one request under way on each.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

namespace cc::bench {

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
};

class LoadClient {
 public:
  // `next` gives the whole text of the next request of a connection.
  using Next = std::function<std::string(std::size_t connection)>;

  LoadClient(std::uint16_t port, std::size_t connections) : lines_(connections) {
    for (Line& line : lines_) {
      line.socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      const int on = 1;
      ::setsockopt(line.socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      sockaddr_in address{};
      address.sin_family = AF_INET;
      address.sin_port = htons(port);
      address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      if (::connect(line.socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        std::abort();
      }
    }
  }
  ~LoadClient() {
    for (const Line& line : lines_) {
      ::close(line.socket);
    }
  }
  LoadClient(const LoadClient&) = delete;
  LoadClient& operator=(const LoadClient&) = delete;

  LoadResult run(std::chrono::milliseconds duration, const Next& next) {
    const auto end = Clock::now() + duration;
    return run_while([end] { return Clock::now() < end; }, next);
  }
  // So many requests as fast as the connections take them; returns with the last answer.
  LoadResult burst(std::size_t requests, const Next& next) {
    std::size_t sent = 0;
    return run_while([&] { return sent++ < requests; }, next);
  }

 private:
  template <class More>
  LoadResult run_while(const More& more, const Next& next) {
    LoadResult out;
    const auto start = Clock::now();
    std::size_t busy = 0;
    for (; busy < lines_.size() && more(); ++busy) {
      send_next(busy, next);
    }
    std::vector<pollfd> polls(lines_.size());
    while (busy != 0) {
      for (std::size_t i = 0; i < lines_.size(); ++i) {
        polls[i] = {lines_[i].busy ? lines_[i].socket : -1, POLLIN, 0};
      }
      if (::poll(polls.data(), polls.size(), 10'000) <= 0) {
        std::abort();
      }
      for (std::size_t i = 0; i < lines_.size(); ++i) {
        if ((polls[i].revents & (POLLIN | POLLHUP | POLLERR)) != 0 && take_answer(lines_[i], out)) {
          if (more()) {
            send_next(i, next);
          } else {
            --busy;
          }
        }
      }
    }
    out.seconds = std::chrono::duration<double>(Clock::now() - start).count();
    return out;
  }

  using Clock = std::chrono::steady_clock;
  struct Line {
    int socket = -1;
    bool busy = false;
    std::string received;
    Clock::time_point sent;
  };

  void send_next(std::size_t index, const Next& next) {
    Line& line = lines_[index];
    const std::string request = next(index);
    line.received.clear();
    line.busy = true;
    line.sent = Clock::now();
    for (std::size_t done = 0; done < request.size();) {
      const ssize_t count = ::send(line.socket, request.data() + done, request.size() - done, MSG_NOSIGNAL);
      if (count <= 0) {
        std::abort();
      }
      done += static_cast<std::size_t>(count);
    }
  }

  // True when the answer is whole.
  static bool take_answer(Line& line, LoadResult& out) {
    char buffer[4096];
    const ssize_t count = ::recv(line.socket, buffer, sizeof buffer, 0);
    if (count <= 0) {
      std::abort();
    }
    line.received.append(buffer, static_cast<std::size_t>(count));
    const std::size_t head = line.received.find("\r\n\r\n");
    if (head == std::string::npos) {
      return false;
    }
    const std::size_t field = line.received.find("Content-Length: ");
    if (field == std::string::npos || field > head) {
      std::abort();
    }
    const std::size_t length = std::strtoul(line.received.c_str() + field + 16, nullptr, 10);
    if (line.received.size() < head + 4 + length) {
      return false;
    }
    ++out.answers;
    out.refused += line.received.compare(9, 3, "200") == 0 ? 0 : 1;
    out.latencies_ms.push_back(std::chrono::duration<double, std::milli>(Clock::now() - line.sent).count());
    line.busy = false;
    return true;
  }

  std::vector<Line> lines_;
};

}  // namespace cc::bench
