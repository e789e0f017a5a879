#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace archway::proxy {

/// Where something begins in a text, both from 1; columns are bytes.
struct Position {
  int line = 1;
  int column = 1;
};

/// A YAML document as it is written: every scalar is its text (`010` and `no` mean nothing here), a
/// mapping keeps each of its pairs, duplicates too, in the order of the file.
struct Yaml {
  enum class Kind { null, scalar, sequence, mapping };

  Kind kind = Kind::null;
  Position at = {};
  std::string text = {};         ///< of a scalar
  std::vector<Yaml> keys = {};   ///< of a mapping, one for each of `items`
  std::vector<Yaml> items = {};  ///< of a sequence or mapping
};

/// A document or what is wrong with it.
struct ParsedYaml {
  Yaml root = {};            ///< null for an empty document
  Position failed_at = {};   ///< where `failure` is
  std::string failure = {};  ///< "" when there is none
};

/// Reads one document, strictly: UTF-8 (a byte order mark and CRLF are fine), no control
/// characters, no aliases, no tags, no merge keys, no second document, every quote closed, depth at
/// most yaml_depth_max.
ParsedYaml parse_yaml(std::string_view text);

inline constexpr std::size_t yaml_depth_max = 32;

}  // namespace archway::proxy
