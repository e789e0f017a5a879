// The values that more than one section has: patterns, platforms, host names, files.

#include "proxy/config/sections.hpp"
#include "proxy/config/small_file.hpp"

#include <algorithm>

namespace archway::proxy {
namespace {

constexpr std::size_t pattern_bytes_max = 512;
constexpr std::size_t pem_bytes_max = 16 * 1024 * 1024;

/// What keeps a pattern from ever matching; "" when nothing does.
std::string pattern_fault(const std::string& pattern, bool with_tag) {
  if (pattern.size() > pattern_bytes_max) return "a pattern has at most 512 bytes";
  const bool visible =
      std::all_of(pattern.begin(), pattern.end(), [](char c) { return c > 0x20 && c < 0x7f; });
  if (!visible) return "image names have no blanks and no characters outside ASCII";
  bool escaped = false;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (escaped || pattern[i] == '\\') {
      escaped = !escaped;
    } else if (pattern[i] == '[') {
      // `[]a]` and `[!]a]`: a bracket in first place stands for itself.
      std::size_t from = i + 1;
      if (pattern.substr(from).starts_with('!')) ++from;
      i = pattern.find(']', from + 1);
      if (i == std::string::npos) return "the [ is never closed by a ]";
    }
  }
  if (escaped) return "the \\ at its end escapes nothing";
  if (pattern.find('/') == std::string::npos && pattern.find('*') == std::string::npos) {
    return "it names no upstream; write docker.io/library/alpine, for example";
  }
  const auto last = pattern.substr(pattern.rfind('/') + 1);
  if (!with_tag && pattern.find('/') != std::string::npos && last.find(':') != std::string::npos) {
    return "this rule is about images, whatever their tag; leave the tag away";
  }
  return "";
}

}  // namespace

std::optional<std::string> read_pattern(const Value& value, bool with_tag) {
  const auto written = value.text(with_tag ? "a pattern such as docker.io/library/*:latest"
                                           : "a pattern such as ghcr.io/signed/*");
  if (!written) return std::nullopt;
  const std::string fault = pattern_fault(*written, with_tag);
  if (fault.empty()) return written;
  value.problem("found " + quoted_for_message(*written) + "; " + fault);
  return std::nullopt;
}

std::optional<Platform> read_platform(const Value& value) {
  auto platform = value.parsed(&Platform::parse, "a platform such as linux/arm64");
  // The form for paths is strict about words that nobody knows.
  if (platform && !Platform::parse_token(platform->os + "-" + platform->architecture)) {
    value.reading().warn(value.at(), value.path() + ": " + platform->str() +
                                         " is not a known platform; is it misspelt?");
  }
  if (platform) value.reading().platforms.push_back({value.at(), value.path(), *platform});
  return platform;
}

std::optional<std::string> read_host(const Value& value) {
  constexpr std::string_view form = "a host name without a port, such as arm64.mirror.lan";
  auto host = value.text(form);
  if (!host) return std::nullopt;
  bool valid = host->size() <= 253;
  for (char& c : *host) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    valid = valid &&
            ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_');
  }
  if (valid) return host;
  value.refuse(form);
  return std::nullopt;
}

void check_file(const Value& value, const std::filesystem::path& path, bool secret) {
  const auto file = read_small_file(path, pem_bytes_max);
  if (!file) {
    value.problem(file.error().message);
  } else if (secret && file->others_read) {
    value.reading().warn(value.at(), value.path() + ": everybody on this machine can read " +
                                         path.string() + "; chmod 600 keeps it to you");
  }
}

}  // namespace archway::proxy
