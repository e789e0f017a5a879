#pragma once

#include "proxy/command/command_line.hpp"
#include "resolver/model/error.hpp"

#include <cstddef>
#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace CLI {  // NOLINT(readability-identifier-naming): its own name
class App;
}

namespace archway::proxy {

/// The options that every command with something to print has: `--json`, `-q/--quiet`,
/// `--no-color`.
struct OutputOptions {
  bool json = false;
  bool quiet = false;
  bool no_color = false;
};
void add_output_options(CLI::App& command, OutputOptions& options);

/// Columns with a title, cells left-aligned (columns of numbers right), two blanks between; without
/// a terminal the cells of a row are separated by one tab and there are no titles.
class Table {
 public:
  explicit Table(std::vector<std::string> titles) : titles_(std::move(titles)) {}
  void row(std::vector<std::string> cells);
  std::string str(bool terminal) const;

 private:
  std::vector<std::string> titles_;
  std::vector<std::vector<std::string>> rows_;
};

/// `12.3 MiB`, `512 B`.
std::string human_size(std::uint64_t bytes);

/// `1 problem`, `2 problems`.
std::string counted(std::size_t count, const std::string& noun);

/// Words that deserve attention, in the colours that a terminal has for it.
enum class Colour : std::uint8_t { green, yellow, red };

/// The text in this colour where standard output is a terminal, unless `--no-color` or the
/// environment's NO_COLOR (not empty) says otherwise; else as it is.
///
/// Source: no-color.org.
std::string coloured(const std::string& text, Colour colour, const Surroundings& surroundings,
                     const OutputOptions& options);

/// What an error means to the shell: not_found for what does not exist, unreachable for silence,
/// configuration for settings, else failed.
int exit_code_of(const Error& error);

/// Writes `archway COMMAND: message` to the error stream (and, with --debug, the context) and gives
/// back exit_code_of().
int report(const Surroundings& surroundings, std::string_view command, const Error& error,
           bool debug = false);

/// One line on the error stream that is written over as work goes on; nothing without a terminal or
/// with --quiet.
class Progress {
 public:
  Progress(const Surroundings& surroundings, const OutputOptions& options);
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress();  ///< Clears the line.
  void show(const std::string& text);

 private:
  std::ostream* stream_ = nullptr;
  std::size_t width_ = 0;
};

}  // namespace archway::proxy
