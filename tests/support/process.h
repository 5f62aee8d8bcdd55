// Starts the real binary from a test: with its own folder and environment, its output caught, never left running.
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace cc::test {

// A folder that disappears with the test.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "cc-test-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }
  std::string string() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

inline std::string read_text(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

struct Finished {
  int exit_code = -1;  // 128 + n when a signal ended it
  std::string out, err;
};

// A child process. Its stdout and stderr go to files; stdin is given whole.
class Process {
 public:
  using Variables = std::map<std::string, std::string>;

  Process(const std::vector<std::string>& arguments, const Variables& environment, const std::filesystem::path& out,
          const std::filesystem::path& err, const std::string& input = {}) {
    int pipe_ends[2];
    if (::pipe2(pipe_ends, O_CLOEXEC) != 0) {
      return;
    }
    std::vector<std::string> variables;
    variables.reserve(environment.size());
    for (const auto& [name, value] : environment) {
      variables.push_back(name);
      variables.back().append("=").append(value);
    }
    pid_ = ::fork();
    if (pid_ == 0) {
      run_child(arguments, variables, pipe_ends[0], out, err);
    }
    ::close(pipe_ends[0]);
    [[maybe_unused]] const auto written = ::write(pipe_ends[1], input.data(), input.size());
    ::close(pipe_ends[1]);
  }
  ~Process() {
    if (running()) {
      signal(SIGKILL);
      wait(std::chrono::seconds(10));
    }
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  void signal(int number) const { ::kill(pid_, number); }
  bool running() {
    poll_exit();
    return pid_ > 0 && !exit_code_;
  }
  // Exit code, or nothing when it still runs then.
  std::optional<int> wait(std::chrono::milliseconds patience) {
    const auto end = std::chrono::steady_clock::now() + patience;
    while (running() && std::chrono::steady_clock::now() < end) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return exit_code_;
  }

 private:
  void poll_exit() {
    int status = 0;
    if (!exit_code_ && pid_ > 0 && ::waitpid(pid_, &status, WNOHANG) == pid_) {
      exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
  }
  [[noreturn]] static void run_child(const std::vector<std::string>& arguments,
                                     const std::vector<std::string>& variables, int input,
                                     const std::filesystem::path& out, const std::filesystem::path& err) {
    const auto open_for = [](const std::filesystem::path& path, int descriptor) {
      const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
      ::dup2(file, descriptor);
    };
    ::dup2(input, STDIN_FILENO);
    open_for(out, STDOUT_FILENO);
    open_for(err, STDERR_FILENO);
    // No controlling terminal: a prompt must fail, not hang.
    ::setsid();
    std::vector<char*> argv;
    std::vector<char*> envp;
    argv.reserve(arguments.size() + 1);
    envp.reserve(variables.size() + 1);
    for (const std::string& word : arguments) {
      argv.push_back(const_cast<char*>(word.c_str()));
    }
    for (const std::string& variable : variables) {
      envp.push_back(const_cast<char*>(variable.c_str()));
    }
    argv.push_back(nullptr);
    envp.push_back(nullptr);
    ::execve(argv.front(), argv.data(), envp.data());
    ::_exit(127);
  }

  pid_t pid_ = -1;
  std::optional<int> exit_code_;
};

// Runs a program to its end. A run past `patience` is killed and has exit code -1.
inline Finished run_program(const std::vector<std::string>& arguments, const Process::Variables& environment,
                            const std::string& input = {}, std::chrono::seconds patience = std::chrono::seconds(120)) {
  const TemporaryFolder folder;
  Process process(arguments, environment, folder / "out", folder / "err", input);
  const auto code = process.wait(patience);
  return {code.value_or(-1), read_text(folder / "out"), read_text(folder / "err")};
}

}  // namespace cc::test
