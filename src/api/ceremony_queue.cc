#include "api/ceremony_queue.h"

#include <condition_variable>
#include <deque>
#include <list>
#include <mutex>
#include <thread>
#include <utility>

namespace cc::api {

class CeremonyQueue::Worker {
 public:
  explicit Worker(Options options) : options_(options), thread_([this] { serve(); }) {}

  ~Worker() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_all();
    thread_.join();
  }

  bool run(const std::string& source, std::function<void()> work) {
    {
      const std::lock_guard lock(mutex_);
      if (stopping_ || waiting_ >= options_.total) {
        return false;
      }
      auto line = sources_.begin();
      while (line != sources_.end() && line->source != source) {
        ++line;
      }
      if (line == sources_.end()) {
        line = sources_.insert(sources_.end(), Line{source, {}});
      }
      if (line->works.size() >= options_.per_source) {
        return false;
      }
      line->works.push_back(std::move(work));
      ++waiting_;
    }
    wake_.notify_one();
    return true;
  }

  std::size_t waiting() const {
    const std::lock_guard lock(mutex_);
    return waiting_;
  }

 private:
  struct Line {
    std::string source;
    std::deque<std::function<void()>> works;
  };

  // One piece of work from the source whose turn it is; that source then stands last.
  std::function<void()> next() {
    Line& line = sources_.front();
    std::function<void()> work = std::move(line.works.front());
    line.works.pop_front();
    --waiting_;
    if (line.works.empty()) {
      sources_.pop_front();
    } else {
      sources_.splice(sources_.end(), sources_, sources_.begin());
    }
    return work;
  }

  void serve() {
    std::unique_lock lock(mutex_);
    for (;;) {
      wake_.wait(lock, [this] { return stopping_ || !sources_.empty(); });
      if (stopping_) {
        return;
      }
      std::function<void()> work = next();
      lock.unlock();
      work();
      work = nullptr;  // its secrets and its responder go now
      lock.lock();
    }
  }

  const Options options_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::list<Line> sources_;  // those with work waiting, in turn
  std::size_t waiting_ = 0;
  bool stopping_ = false;
  std::thread thread_;  // last: it uses the others
};

CeremonyQueue::CeremonyQueue(Options options) : worker_(std::make_unique<Worker>(options)) {}
CeremonyQueue::~CeremonyQueue() = default;
bool CeremonyQueue::run(const std::string& source, std::function<void()> work) {
  return worker_->run(source, std::move(work));
}
std::size_t CeremonyQueue::waiting() const { return worker_->waiting(); }

}  // namespace cc::api
