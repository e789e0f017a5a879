#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace archway::proxy {

/// A key that a configuration may have. One table serves everybody: unknown keys are found by it,
/// and `archway config defaults` takes its comments and examples from it.
struct Key {
  enum class Form {
    value,    ///< a scalar, a list of them, or a mapping whose keys are free
    section,  ///< a mapping whose keys are in this table
    list,     ///< a list of such mappings
  };
  std::string_view path;  ///< `cache.max_size`, `upstreams[].url`
  Form form = Form::value;
  std::string_view help;          ///< one line
  std::string_view example = {};  ///< shown, commented out, where there is no default
};

/// In the order of a printed configuration.
std::span<const Key> config_keys();

/// nullptr for a path that is not in the table.
const Key* find_key(std::string_view path);

/// The keys directly in a section (`cache`, `upstreams[]`, "" for the whole file).
std::vector<const Key*> keys_in(std::string_view section);

/// The last word of a path.
std::string_view leaf(const Key& key);

/// `section.name`, or just the name in the file itself.
std::string joined(std::string_view section, std::string_view name);

}  // namespace archway::proxy
