#include "resolver/model/platform.hpp"

#include "resolver/model/shown.hpp"
#include "resolver/model/text.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

namespace archway {
namespace {

constexpr std::size_t text_max = 255;
constexpr std::size_t shown_max = 100;

// Go's list (internal/syslist), because GOOS and GOARCH are what images are labelled with.
constexpr std::array<std::string_view, 21> known_systems = {
    "linux",   "windows", "darwin", "macos",   "freebsd", "netbsd", "openbsd",
    "android", "aix",     "ios",    "solaris", "illumos", "plan9",  "dragonfly",
    "hurd",    "js",      "nacl",   "wasi",    "wasip1",  "wasip2", "zos"};
constexpr std::array<std::string_view, 28> known_architectures = {
    "amd64",    "arm64",  "arm",    "386",     "ppc64le",  "s390x", "riscv64",
    "loong64",  "mips",   "mipsle", "mips64",  "mips64le", "ppc64", "ppc",
    "riscv",    "s390",   "sparc",  "sparc64", "wasm",     "armbe", "arm64be",
    "amd64p32", "x86_64", "x86-64", "aarch64", "armhf",    "armel", "i386"};

struct Alias {
  std::string_view word;
  std::string_view architecture;
  std::string_view variant;
};

/// What `uname -m` and dpkg say. People type these, but no image is labelled with them: they are
/// understood where a person or a machine states its platform, never in an index.
constexpr std::array<Alias, 5> aliases = {{{"armv6l", "arm", "v6"},
                                           {"armv7l", "arm", "v7"},
                                           {"i686", "386", ""},
                                           {"ppc64el", "ppc64le", ""},
                                           {"loongarch64", "loong64", ""}}};

bool made_of_words(std::string_view text, std::string_view also) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [also](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           also.find(c) != std::string_view::npos;
  });
}

bool is_component(std::string_view text) {
  return made_of_words(text, "_.-");
}

const Alias* find_alias(std::string_view word) {
  const auto found = std::find_if(aliases.begin(), aliases.end(),
                                  [word](const Alias& alias) { return alias.word == word; });
  return found == aliases.end() ? nullptr : &*found;
}

template <std::size_t N>
bool contains(const std::array<std::string_view, N>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

bool is_known_system(std::string_view word) {
  return contains(known_systems, lower(word));
}

bool is_known_architecture(std::string_view word) {
  const auto text = lower(word);
  return contains(known_architectures, text) || find_alias(text) != nullptr;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (std::size_t begin = 0; begin <= text.size();) {
    const auto end = std::min(text.find(separator, begin), text.size());
    parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

Error invalid(std::string_view text, std::string_view why, std::string_view example) {
  return {.code = Errc::platform_invalid,
          .origin = Origin::client,
          .message = shown(text, shown_max) + " is not a platform: " + std::string(why) +
                     "; write it like " + std::string(example)};
}

Error invalid_text(std::string_view text, std::string_view why) {
  return invalid(text, why, "linux/arm64 or linux/arm/v7");
}

Error invalid_token(std::string_view text, std::string_view why) {
  return invalid(text, why, "linux-arm64 or linux-arm-v7");
}

/// Reads `os[(version[+feature]*)]` into `platform`; false when it is something else.
bool read_system(std::string_view text, Platform& platform) {
  const auto open = text.find('(');
  const auto system = text.substr(0, open);
  if (!made_of_words(system, "_-")) return false;
  platform.os = std::string(system);
  if (open == std::string_view::npos) return true;
  if (!text.ends_with(')')) return false;
  const auto inside = text.substr(open + 1, text.size() - open - 2);
  if (inside.empty()) return false;
  const auto parts = split(inside, '+');
  if (!parts[0].empty() && !is_component(parts[0])) return false;
  platform.os_version = std::string(parts[0]);
  for (const auto feature : std::vector(parts.begin() + 1, parts.end())) {
    if (!is_component(feature)) return false;
    platform.os_features.emplace_back(feature);
  }
  return true;
}

Platform with_machine(Platform platform, std::string_view architecture, std::string_view variant) {
  platform.architecture = lower(architecture);
  platform.variant = std::string(variant);
  if (const auto* alias = find_alias(platform.architecture)) {
    platform.architecture = std::string(alias->architecture);
    platform.variant = std::string(alias->variant);
  }
  return platform.normalised();
}

void normalise_machine(Platform& platform) {
  auto& architecture = platform.architecture;
  auto& variant = platform.variant;
  if (architecture == "i386") {
    architecture = "386";
    variant.clear();
  } else if (architecture == "x86_64" || architecture == "x86-64" || architecture == "amd64") {
    architecture = "amd64";
    if (variant == "v1") variant.clear();
  } else if (architecture == "aarch64" || architecture == "arm64") {
    architecture = "arm64";
    if (variant == "8" || variant == "v8" || variant == "v8.0") variant.clear();
    if (variant == "9" || variant == "9.0" || variant == "v9.0") variant = "v9";
  } else if (architecture == "armhf") {
    architecture = "arm";
    variant = "v7";
  } else if (architecture == "armel") {
    architecture = "arm";
    variant = "v6";
  } else if (architecture == "arm") {
    if (variant.empty()) variant = "v7";
    if (variant.size() == 1 && variant >= "5" && variant <= "8") variant.insert(0, 1, 'v');
  }
}

}  // namespace

Result<Platform> Platform::parse(std::string_view text) {
  if (text.empty()) return invalid_text(text, "it is empty");
  if (text.size() > text_max) return invalid_text(text, "it is longer than 255 characters");
  auto parts = split(text, '/');
  // No system is called like an architecture: whoever starts with one has left the system out.
  const bool system_left_out = is_known_architecture(parts[0]);
  if (system_left_out && parts.size() > 2) {
    return invalid_text(text, "the part before the first slash is an architecture, not a system");
  }
  if (system_left_out) parts.insert(parts.begin(), "linux");
  if (parts.size() == 1) {
    return invalid_text(text, is_known_system(text) ? "it names a system but no architecture"
                                                    : "it names no architecture that is known");
  }
  if (parts.size() > 3) return invalid_text(text, "it has more than three parts");
  Platform platform;
  if (!read_system(parts[0], platform)) {
    return invalid_text(text, "the part before the first slash is not a system's name");
  }
  for (std::size_t i = 1; i < parts.size(); ++i) {
    if (is_component(parts[i])) continue;
    return invalid_text(text, "architecture and variant are letters, digits, '_', '.' and '-'");
  }
  return with_machine(std::move(platform), parts[1], parts.size() == 3 ? parts[2] : "");
}

Result<Platform> Platform::parse_token(std::string_view text) {
  if (text.empty()) return invalid_token(text, "it is empty");
  if (text.size() > text_max) return invalid_token(text, "it is longer than 255 characters");
  auto parts = split(text, '-');
  if (is_known_architecture(parts[0])) parts.insert(parts.begin(), "linux");
  if (parts.size() < 2) return invalid_token(text, "it names no architecture");
  if (parts.size() > 3) return invalid_token(text, "it has more than three parts");
  // Stricter than parse(): a typing error in a path would else be a machine that nothing is for.
  if (!is_known_system(parts[0])) return invalid_token(text, "its system is not known");
  if (!is_known_architecture(parts[1])) return invalid_token(text, "its architecture is not known");
  if (parts.size() == 3 && !is_component(parts[2])) {
    return invalid_token(text, "a variant is letters, digits, '_' and '.'");
  }
  Platform platform{.os = std::string(parts[0]), .architecture = {}};
  return with_machine(std::move(platform), parts[1], parts.size() == 3 ? parts[2] : "");
}

Platform Platform::normalised() const {
  Platform result{.os = lower(os),
                  .architecture = lower(architecture),
                  .variant = lower(variant),
                  .os_version = os_version,
                  .os_features = os_features};
  if (result.os == "macos") result.os = "darwin";
  normalise_machine(result);
  auto& features = result.os_features;
  std::sort(features.begin(), features.end());
  features.erase(std::unique(features.begin(), features.end()), features.end());
  return result;
}

std::string Platform::str() const {
  std::string text = os;
  if (!os_version.empty() || !os_features.empty()) {
    text += "(" + os_version;
    for (const auto& feature : os_features) text += "+" + feature;
    text += ")";
  }
  text += "/" + architecture;
  if (!variant.empty()) text += "/" + variant;
  return text;
}

}  // namespace archway
