#pragma once

#include "proxy/config/keys.hpp"

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace archway::proxy {

/// A text as a YAML scalar: as it is where every reader takes it so, else in double quotes.
std::string yaml_scalar(std::string_view text);

/// `[a, b]` of texts.
std::string yaml_list(const std::vector<std::string>& texts);

/// true or false.
std::string yaml_truth(bool value);

/// Writes a configuration key by key, in the table's order. With comments each key's help stands
/// above it once, and keys that were not written follow as examples, commented out (`#key: value`).
class YamlWriter {
 public:
  explicit YamlWriter(bool comments) : comments_(comments) {}

  void open_section(std::string_view name);
  void open_list(std::string_view name);
  /// One entry of the open list; closed by close().
  void open_item();
  void close();
  /// `rendered`: a number, yaml_scalar(), yaml_list()…
  void value(std::string_view name, const std::string& rendered);

  /// All of it; nothing may be open.
  std::string finish();

 private:
  struct Frame {
    std::string table_path;
    int indent = 0;
    bool item_begins = false;  ///< the next line is the first of an entry
    std::set<std::string, std::less<>> written = {};
  };

  void line(const std::string& text);
  const Key* begin_key(std::string_view name);
  /// `start`: what stands in front of the line.
  void help(const Key& key, const std::string& start);
  void examples(const Frame& frame);
  void example(const Key& key, int indent, int depth);

  const bool comments_;
  std::string out_;
  std::vector<Frame> frames_ = {Frame{}};
  std::set<std::string_view> explained_;
};

}  // namespace archway::proxy
