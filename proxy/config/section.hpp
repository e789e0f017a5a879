#pragma once

#include "proxy/config/environment.hpp"
#include "proxy/config/problem.hpp"
#include "proxy/config/yaml_tree.hpp"
#include "resolver/model/platform.hpp"
#include "resolver/model/result.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace archway::proxy {

/// One reading of one file: where what is found wrong is collected, so that all of it can be told
/// at once.
struct Reading {
  static constexpr std::size_t problems_max = 200;

  /// A platform and where it was said, for what is checked when everything is read.
  struct SaidPlatform {
    Position at;
    std::string path;
    Platform platform;
  };

  std::string file;                 ///< as messages name it
  std::filesystem::path directory;  ///< of the file: relative paths begin here
  const Environment& environment;
  bool others_read = false;  ///< everybody on the machine can read the file
  std::vector<ConfigProblem> problems = {};
  std::size_t left_out = 0;  ///< further problems, past problems_max
  std::vector<std::string> warnings = {};
  std::vector<SaidPlatform> platforms = {};

  void problem(Position at, std::string message);
  void warn(Position at, const std::string& message);
};

/// A text for a message: quoted, escaped, cut to a readable length.
std::string quoted_for_message(std::string_view text);

/// `a, b or c`.
std::string either(const std::vector<std::string_view>& words);

/// A value of the file and its name in messages. Each getter gives the value, or reports what was
/// found and what is allowed, and gives none.
class Value {
 public:
  Value(Reading* reading, const Yaml* node, std::string path, Position at)
      : reading_(reading), node_(node), path_(std::move(path)), at_(at) {}

  Position at() const noexcept { return at_; }
  const std::string& path() const noexcept { return path_; }
  Reading& reading() const noexcept { return *reading_; }
  const Yaml& node() const noexcept { return *node_; }

  /// Any text but an empty one.
  std::optional<std::string> text(std::string_view allowed) const;
  std::optional<bool> flag() const;
  std::optional<std::uint64_t> number(std::uint64_t min, std::uint64_t max) const;
  /// Bytes.
  std::optional<std::uint64_t> size(std::uint64_t min, std::uint64_t max) const;
  std::optional<std::chrono::milliseconds> time(std::chrono::milliseconds min,
                                                std::chrono::milliseconds max) const;
  /// As time(), without fractions of a second.
  std::optional<std::chrono::seconds> seconds(std::chrono::seconds min,
                                              std::chrono::seconds max) const;
  /// Relative ones begin in the folder of the file.
  std::optional<std::filesystem::path> file_path() const;

  /// One of a few words.
  template <class T>
  std::optional<T> one_of(std::span<const std::pair<std::string_view, T>> choices) const {
    std::vector<std::string_view> words;
    for (const auto& choice : choices) words.push_back(choice.first);
    const auto index = word_of(words);
    if (!index) return std::nullopt;
    return choices[*index].second;
  }

  /// What a parser of the resolver reads; its message is the one that is reported.
  template <class T>
  std::optional<T> parsed(Result<T> (*parse)(std::string_view), std::string_view allowed) const {
    const auto written = text(allowed);
    if (!written) return std::nullopt;
    auto result = parse(*written);
    if (result) return *std::move(result);
    problem(result.error().message);
    return std::nullopt;
  }

  /// The entries of a list; none when it is something else or longer than `max`.
  std::vector<Value> list(std::string_view allowed, std::size_t max) const;
  /// The pairs of a mapping whose keys are free, duplicates too.
  std::vector<std::pair<Value, Value>> pairs(std::string_view allowed, std::size_t max) const;

  /// Reports `PATH: message`.
  void problem(std::string_view message) const;
  /// Reports `PATH: found …; allowed: …`.
  void refuse(std::string_view allowed) const;

 private:
  bool fits(Yaml::Kind kind, std::string_view allowed, std::size_t max) const;
  std::optional<std::size_t> word_of(const std::vector<std::string_view>& words) const;

  Reading* reading_;
  const Yaml* node_;
  std::string path_;
  Position at_;
};

/// A mapping whose keys are in the table (keys.hpp): unknown and repeated ones are reported when it
/// is opened.
class Section {
 public:
  /// `table_path`: its name in the table. A missing value (`cache:` and nothing more) is empty.
  Section(const Value& value, std::string_view table_path);

  /// The value of a key of this section, none when it was left out.
  std::optional<Value> find(std::string_view name) const;
  /// As find(), and reports a missing one.
  std::optional<Value> need(std::string_view name) const;
  /// Where the section begins.
  const Value& value() const noexcept { return value_; }

 private:
  void check_key(const Yaml& key, std::size_t index);
  std::string unknown(const std::string& name) const;

  Value value_;
  std::string table_path_;
  std::vector<std::pair<std::string, Value>> values_;
};

}  // namespace archway::proxy
