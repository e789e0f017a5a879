#include "resolver/user_agent.hpp"

#include <algorithm>
#include <cstddef>

namespace archway::resolver {
namespace {

/// Takes the next word off `rest`. A comment, alone or glued to a product (`UpstreamClient(…)`), is
/// part of its word with all the spaces in it, so that nothing inside can pass for a word.
std::string_view take_word(std::string_view& rest) {
  rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size()));
  std::size_t end = 0;
  int depth = 0;
  for (; end < rest.size(); ++end) {
    const char c = rest[end];
    if (depth == 0 && (c == ' ' || c == '\t')) break;
    if (c == '(') ++depth;
    if (depth == 0) continue;
    if (c == '\\') ++end;  // The escaped character closes nothing.
    if (c == ')') --depth;
  }
  const auto word = rest.substr(0, end);
  rest.remove_prefix(word.size());
  return word;
}

/// The one value of a key that may stand only once.
struct Once {
  std::string_view key;
  int count = 0;
  std::string_view value = {};

  void look_at(std::string_view word) {
    if (!word.starts_with(key)) return;
    ++count;
    value = word.substr(key.size());
  }
  bool is_certain() const {
    return count == 1 && !value.empty() && std::all_of(value.begin(), value.end(), [](char c) {
             return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
           });
  }
};

/// Buildah alone writes its name with a capital; metrics and rules should not need to know.
std::string client_name(std::string_view product) {
  return product == "Buildah" ? "buildah" : std::string(product);
}

}  // namespace

UserAgent parse_user_agent(std::string_view text) {
  UserAgent agent;
  Once os{.key = "os/"};
  Once architecture{.key = "arch/"};
  bool first = true;
  for (auto word = take_word(text); !word.empty(); word = take_word(text)) {
    if (first && !word.starts_with('(')) {
      const auto slash = std::min(word.find('/'), word.size());
      agent.client = client_name(word.substr(0, slash));
      if (slash < word.size()) agent.version = std::string(word.substr(slash + 1));
    }
    first = false;
    os.look_at(word);
    architecture.look_at(word);
  }
  if (os.is_certain() && architecture.is_certain()) {
    agent.platform =
        Platform{.os = std::string(os.value), .architecture = std::string(architecture.value)};
  }
  return agent;
}

std::optional<Platform> hinted_platform(const UserAgent& agent) {
  if (agent.client != "docker" && agent.client != "cri-o") return std::nullopt;
  if (!agent.platform) return std::nullopt;
  if (variant_is_missing(*agent.platform)) return agent.platform;
  return agent.platform->normalised();
}

bool variant_is_missing(const Platform& platform) {
  return platform.architecture == "arm" && platform.variant.empty();
}

}  // namespace archway::resolver
