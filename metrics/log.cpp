#include "metrics/log.hpp"

#include "metrics/line_writer.hpp"
#include "metrics/log_line.hpp"
#include "metrics/seldom.hpp"

#include <chrono>
#include <cstdlib>
#include <spdlog/details/null_mutex.h>
#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <utility>

namespace archway::metrics {
namespace {

spdlog::level::level_enum of(Level level) noexcept {
  switch (level) {
    case Level::debug: return spdlog::level::debug;
    case Level::info: return spdlog::level::info;
    case Level::warn: return spdlog::level::warn;
    case Level::error: return spdlog::level::err;
  }
  return spdlog::level::err;
}

/// spdlog's way out to the LineWriter, which has the lock: hence the null mutex.
class LineSink final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 public:
  explicit LineSink(int fd) : writer_(fd) {}
  const LineWriter& writer() const noexcept { return writer_; }

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    line.append(message.payload.data(), message.payload.data() + message.payload.size());
    line.push_back('\n');
    writer_.write({line.data(), line.size()});
  }
  void flush_() override {}

  LineWriter writer_;
};

class SpdLog final : public Log {
 public:
  explicit SpdLog(const Options& options)
      : sink_(std::make_shared<LineSink>(options.fd)), logger_("archway", sink_) {
    const bool terminal = sink_->writer().is_terminal();
    json_ =
        options.format == LogFormat::json || (options.format == LogFormat::automatic && !terminal);
    // Source: no-color.org: any value that is not empty.
    const char* no_colour = std::getenv("NO_COLOR");  // NOLINT(concurrency-mt-unsafe): at start
    colour_ = terminal && (no_colour == nullptr || *no_colour == '\0');
    logger_.set_level(of(options.level));
    // An exception in the middle of logging has nowhere to go; spdlog would print it by itself.
    logger_.set_error_handler([](const std::string&) {});
  }

  bool enabled(Level level) const override { return logger_.should_log(of(level)); }

  void write(Level level, std::string_view message, std::vector<Field> fields) override {
    if (!enabled(level)) return;
    const LogEvent event{std::chrono::system_clock::now(), level, message, fields};
    const std::string line = json_ ? json_line(event) : text_line(event, colour_);
    logger_.log(of(level), spdlog::string_view_t(line.data(), line.size()));
  }

  std::uint64_t dropped() const override { return sink_->writer().dropped(); }

  void write_seldom(std::string_view key, Level level, std::string_view message,
                    std::vector<Field> fields) override {
    if (!enabled(level)) return;
    const auto held_back = seldom_.admit(key, std::chrono::steady_clock::now());
    if (!held_back) return;
    if (*held_back != 0) fields.push_back({"held_back", *held_back});
    write(level, message, std::move(fields));
  }

 private:
  std::shared_ptr<LineSink> sink_;
  spdlog::logger logger_;
  Seldom seldom_;
  bool json_ = false;
  bool colour_ = false;
};

}  // namespace

std::unique_ptr<Log> Log::make(const Options& options) {
  return std::make_unique<SpdLog>(options);
}

void Log::debug(std::string_view message, std::vector<Field> fields) {
  write(Level::debug, message, std::move(fields));
}
void Log::info(std::string_view message, std::vector<Field> fields) {
  write(Level::info, message, std::move(fields));
}
void Log::warn(std::string_view message, std::vector<Field> fields) {
  write(Level::warn, message, std::move(fields));
}
void Log::error(std::string_view message, std::vector<Field> fields) {
  write(Level::error, message, std::move(fields));
}

}  // namespace archway::metrics
