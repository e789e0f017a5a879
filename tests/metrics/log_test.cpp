#include "metrics/log.hpp"

#include <array>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <memory>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

namespace archway::metrics {
namespace {

/// A log into a pipe, and what came out of it.
class LogInPipe {
 public:
  explicit LogInPipe(Level level, LogFormat format = LogFormat::automatic) {
    REQUIRE(::pipe2(ends_.data(), O_CLOEXEC) == 0);
    ::fcntl(ends_[0], F_SETFL, O_NONBLOCK);
    log = Log::make({.level = level, .format = format, .fd = ends_[1]});
  }
  ~LogInPipe() {
    ::close(ends_[0]);
    ::close(ends_[1]);
  }
  LogInPipe(const LogInPipe&) = delete;
  LogInPipe& operator=(const LogInPipe&) = delete;

  std::vector<std::string> lines() {
    std::string all;
    std::array<char, 65536> buffer{};
    for (ssize_t n = 0; (n = ::read(ends_[0], buffer.data(), buffer.size())) > 0;) {
      all.append(buffer.data(), static_cast<std::size_t>(n));
    }
    std::vector<std::string> lines;
    for (std::size_t end = 0; (end = all.find('\n')) != std::string::npos; all.erase(0, end + 1)) {
      lines.push_back(all.substr(0, end));
    }
    CHECK(all.empty());
    return lines;
  }

  std::unique_ptr<Log> log;

 private:
  std::array<int, 2> ends_{};
};

TEST_CASE("levels below the chosen one are not written") {
  LogInPipe target(Level::warn);
  target.log->debug("d");
  target.log->info("i");
  target.log->warn("w");
  target.log->error("e");
  const auto lines = target.lines();
  REQUIRE(lines.size() == 2);
  CHECK(lines[0].find(R"("level":"warn","message":"w")") != std::string::npos);
  CHECK(lines[1].find(R"("level":"error","message":"e")") != std::string::npos);
  CHECK(target.log->enabled(Level::warn));
  CHECK_FALSE(target.log->enabled(Level::info));
}

TEST_CASE("what is no terminal gets JSON, unless text was asked for; neither gets colours") {
  LogInPipe automatic(Level::info);
  automatic.log->info("start", {{"port", std::int64_t{5000}}});
  const auto json = automatic.lines();
  REQUIRE(json.size() == 1);
  CHECK(json[0].starts_with("{\"time\":\""));
  CHECK(json[0].ends_with(R"(Z","level":"info","message":"start","port":5000})"));

  LogInPipe text(Level::info, LogFormat::text);
  text.log->info("start", {{"port", std::int64_t{5000}}});
  const auto plain = text.lines();
  REQUIRE(plain.size() == 1);
  CHECK(plain[0].ends_with("Z info  start port=5000"));
}

TEST_CASE("spdlog's own format characters in a message mean nothing") {
  LogInPipe target(Level::info, LogFormat::text);
  target.log->info("100 %v {} {0}", {{"k", "{}"}});
  const auto lines = target.lines();
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].ends_with("100 %v {} {0} k={}"));
}

TEST_CASE("a repeated event is written once a minute") {
  LogInPipe target(Level::info);
  for (int i = 0; i < 3; ++i) target.log->write_seldom("disk", Level::warn, "disk is full", {});
  target.log->write_seldom("other", Level::warn, "other", {});
  CHECK(target.lines().size() == 2);
}

TEST_CASE("an event below the level does not use up its minute") {
  LogInPipe target(Level::error);
  target.log->write_seldom("disk", Level::warn, "disk is nearly full", {});
  target.log->write_seldom("disk", Level::error, "disk is full", {});
  CHECK(target.lines().size() == 1);
}

TEST_CASE("lines of several threads never mix") {
  LogInPipe target(Level::info, LogFormat::text);
  constexpr int threads_count = 4;
  constexpr int lines_each = 50;
  std::vector<std::thread> threads;
  for (int t = 0; t < threads_count; ++t) {
    threads.emplace_back([&target, t] {
      const std::string value(100, static_cast<char>('a' + t));
      for (int i = 0; i < lines_each; ++i) target.log->info("m", {{"k", value}});
    });
  }
  for (std::thread& thread : threads) thread.join();
  const auto lines = target.lines();
  CHECK(lines.size() + target.log->dropped() == threads_count * lines_each);
  for (const std::string& line : lines) {
    CHECK(line.size() == std::string("2026-05-04T03:02:01.007Z info  m k=").size() + 100);
  }
}

}  // namespace
}  // namespace archway::metrics
