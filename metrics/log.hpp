#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace archway::metrics {

enum class Level : std::uint8_t { debug, info, warn, error };
enum class LogFormat : std::uint8_t { automatic, text, json };  ///< automatic: text on a terminal

/// A fact in a log line: text is escaped, numbers are written as numbers.
struct Field {
  std::string_view key;
  std::variant<std::string, std::int64_t, std::uint64_t, double, bool> value;
};

/// One event a line on standard error: the message is constant text, the facts are fields. Bytes
/// below 0x20, 0x7f to 0x9f and invalid UTF-8 are escaped, so that no field can forge a line.
///
/// Threads: any; never blocks a request: when the target cannot take a line it is dropped and
/// counted.
class Log {
 public:
  struct Options {
    Level level = Level::info;
    LogFormat format = LogFormat::automatic;
    int fd = 2;
  };
  static std::unique_ptr<Log> make(const Options& options);

  virtual ~Log() = default;

  virtual bool enabled(Level level) const = 0;
  virtual void write(Level level, std::string_view message, std::vector<Field> fields) = 0;
  /// Lines that could not be written.
  virtual std::uint64_t dropped() const = 0;

  void debug(std::string_view message, std::vector<Field> fields = {});
  void info(std::string_view message, std::vector<Field> fields = {});
  void warn(std::string_view message, std::vector<Field> fields = {});
  void error(std::string_view message, std::vector<Field> fields = {});

  /// The same event at most once a minute for each `key`; the line says how many were held back.
  /// For what happens a thousand times when it happens at all.
  virtual void write_seldom(std::string_view key, Level level, std::string_view message,
                            std::vector<Field> fields) = 0;
};

}  // namespace archway::metrics
