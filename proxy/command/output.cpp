#include "proxy/command/output.hpp"

#include <CLI/App.hpp>
#include <algorithm>
#include <array>
#include <cstdio>

namespace archway::proxy {
namespace {

/// How many places a text takes on a terminal: UTF-8's continuation bytes take none.
std::size_t width(std::string_view text) {
  const auto begins = [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; };
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), begins));
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// `17`, `12.3 MiB`: digits with at most one point, and a unit of letters behind a blank.
bool is_number(std::string_view cell) {
  std::size_t at = 0;
  std::size_t points = 0;
  while (at < cell.size() && (is_digit(cell[at]) || cell[at] == '.')) {
    points += cell[at] == '.' ? 1 : 0;
    ++at;
  }
  if (at == 0 || !is_digit(cell.front()) || points > 1) return false;
  if (at == cell.size()) return true;
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  const auto unit = cell.substr(at + 1);
  return cell[at] == ' ' && !unit.empty() && unit.size() <= 3 &&
         std::all_of(unit.begin(), unit.end(), letter);
}

std::string padded(const std::string& cell, std::size_t wanted, bool right) {
  const std::string blanks(wanted - std::min(wanted, width(cell)), ' ');
  return right ? blanks + cell : cell + blanks;
}

/// One line, without blanks at its end.
std::string line(std::string text) {
  while (text.ends_with(' ')) text.pop_back();
  return text + "\n";
}

}  // namespace

void add_output_options(CLI::App& command, OutputOptions& options) {
  command.add_flag("--json", options.json, "Print JSON");
  command.add_flag("-q,--quiet", options.quiet, "Print only what was asked for, without remarks");
  command.add_flag("--no-color", options.no_color, "No colours (also the environment's NO_COLOR)");
}

void Table::row(std::vector<std::string> cells) {
  cells.resize(titles_.size());
  rows_.push_back(std::move(cells));
}

std::string Table::str(bool terminal) const {
  std::string text;
  if (!terminal) {
    for (const auto& cells : rows_) {
      for (std::size_t i = 0; i < cells.size(); ++i) text += (i == 0 ? "" : "\t") + cells[i];
      text += '\n';
    }
    return text;
  }
  std::vector<std::size_t> widths;
  std::vector<bool> right;
  for (std::size_t i = 0; i < titles_.size(); ++i) {
    widths.push_back(width(titles_[i]));
    right.push_back(!rows_.empty());
    for (const auto& cells : rows_) {
      widths[i] = std::max(widths[i], width(cells[i]));
      if (!cells[i].empty() && !is_number(cells[i])) right[i] = false;
    }
  }
  const auto append = [&](const std::vector<std::string>& cells) {
    std::string row;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      row += (i == 0 ? "" : "  ") + padded(cells[i], widths[i], right[i]);
    }
    text += line(row);
  };
  append(titles_);
  for (const auto& cells : rows_) append(cells);
  return text;
}

std::string human_size(std::uint64_t bytes) {
  constexpr std::array units = {"KiB", "MiB", "GiB", "TiB"};
  if (bytes < 1024) return std::to_string(bytes) + " B";
  double size = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  // 1023.95 would be printed as 1024.0.
  while (size >= 1023.95 && unit + 1 < units.size()) {
    size /= 1024;
    ++unit;
  }
  std::array<char, 32> text{};
  const int length = std::snprintf(text.data(), text.size(), "%.1f %s", size, units[unit]);
  return {text.data(), static_cast<std::size_t>(length)};
}

std::string counted(std::size_t count, const std::string& noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

std::string coloured(const std::string& text, Colour colour, const Surroundings& surroundings,
                     const OutputOptions& options) {
  const auto no_color = surroundings.environment.variable("NO_COLOR");
  if (!surroundings.out_is_terminal || options.no_color || (no_color && !no_color->empty())) {
    return text;
  }
  const char* code = "31";
  if (colour == Colour::green) code = "32";
  if (colour == Colour::yellow) code = "33";
  return "\x1b[" + std::string(code) + "m" + text + "\x1b[0m";
}

int exit_code_of(const Error& error) {
  switch (error.code) {
    case Errc::blob_unknown:
    case Errc::manifest_unknown:
    case Errc::name_unknown: return exits::not_found;
    case Errc::upstream_unreachable: return exits::unreachable;
    case Errc::configuration_invalid: return exits::configuration;
    default: return exits::failed;
  }
}

int report(const Surroundings& surroundings, std::string_view command, const Error& error,
           bool debug) {
  surroundings.err << "archway " << command << ": " << error.message << "\n";
  if (debug && !error.context.empty()) surroundings.err << "  (" << error.context << ")\n";
  return exit_code_of(error);
}

Progress::Progress(const Surroundings& surroundings, const OutputOptions& options) {
  if (surroundings.err_is_terminal && !options.quiet) stream_ = &surroundings.err;
}

Progress::~Progress() {
  if (stream_ == nullptr || width_ == 0) return;
  *stream_ << '\r' << std::string(width_, ' ') << '\r' << std::flush;
}

void Progress::show(const std::string& text) {
  if (stream_ == nullptr) return;
  const std::size_t wanted = width(text);
  *stream_ << '\r' << text << std::string(width_ - std::min(width_, wanted), ' ') << std::flush;
  width_ = std::max(width_, wanted);
}

}  // namespace archway::proxy
