#include "proxy/upstream/docker_config.hpp"

#include "proxy/base64.hpp"
#include "proxy/child_process.hpp"
#include "proxy/config/small_file.hpp"
#include "proxy/upstream/login.hpp"
#include "proxy/wipe.hpp"

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/stream_parser.hpp>
#include <filesystem>
#include <string_view>
#include <unistd.h>
#include <utility>
#include <vector>

namespace archway::proxy {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using Credentials = Settings::Credentials;

constexpr std::size_t config_bytes_max = 1024 * 1024;
constexpr std::size_t helper_bytes_max = 64 * 1024;
constexpr std::size_t helper_words_max = 200;
constexpr std::string_view hub_key = "https://index.docker.io/v1/";
constexpr std::string_view nothing_found = "credentials not found in native keychain";

std::string text_in(const json::object& object, std::string_view name) {
  const auto* value = object.if_contains(json::string_view(name.data(), name.size()));
  if (value == nullptr || !value->is_string()) return {};
  return {value->get_string().data(), value->get_string().size()};
}

const json::object& object_in(const json::object& object, std::string_view name) {
  static const json::object empty;
  const auto* value = object.if_contains(json::string_view(name.data(), name.size()));
  return value != nullptr && value->is_object() ? value->get_object() : empty;
}

Error invalid(std::string message) {
  return {.code = Errc::configuration_invalid,
          .origin = Origin::configuration,
          .message = std::move(message)};
}

/// `line 3, column 7` of an offset.
std::string position(std::string_view text, std::size_t at) {
  const auto before = text.substr(0, at);
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const auto begin = before.rfind('\n');
  const auto column = at - (begin == std::string_view::npos ? 0 : begin + 1) + 1;
  return "line " + std::to_string(line) + ", column " + std::to_string(column);
}

Result<json::object> parse_config(const std::string& text, const fs::path& file) {
  json::stream_parser parser;
  json::error_code error;
  auto at = parser.write(text.data(), text.size(), error);
  if (!error) parser.finish(error);
  if (error) {
    at = std::min(at, text.size());
    return invalid(file.string() + ": " + position(text, at) + ": " + error.message());
  }
  const auto value = parser.release();
  if (!value.is_object()) return invalid(file.string() + ": it holds no JSON object");
  return value.get_object();
}

/// None for an entry without a secret: docker leaves those where a helper keeps it.
Result<std::optional<Credentials>> read_entry(const json::object& entry, const std::string& where) {
  auto token = text_in(entry, "identitytoken");
  if (!token.empty()) {
    return std::optional(Credentials{std::string(identity_token_user), std::move(token)});
  }
  Credentials credentials{text_in(entry, "username"), text_in(entry, "password")};
  const auto coded = text_in(entry, "auth");
  if (!coded.empty()) {
    const auto plain = from_base64(coded);
    const auto colon = plain ? plain->find(':') : std::string::npos;
    if (colon == std::string::npos) {
      return invalid(where + ": its auth is not the base64 of USERNAME:PASSWORD");
    }
    credentials = {plain->substr(0, colon), plain->substr(colon + 1)};
    while (credentials.password.ends_with('\0')) credentials.password.pop_back();
  }
  if (credentials.username.empty() && credentials.password.empty()) {
    if (text_in(entry, "registrytoken").empty()) return std::optional<Credentials>();
    return invalid(where +
                   ": archway cannot use a registrytoken; allowed: auth, username with "
                   "password, identitytoken");
  }
  return std::optional(std::move(credentials));
}

/// The keys that mean a registry, the usual one first.
std::vector<std::string> keys_of(const std::string& host) {
  if (host != "docker.io") return {host};
  return {std::string(hub_key), "docker.io", "index.docker.io", "registry-1.docker.io"};
}

/// The host of a key as old docker versions wrote it: `https://registry.lan/v1/`. What has another
/// path is for a part of that host only, and not for all of it: "".
std::string_view host_in(std::string_view key) {
  for (const std::string_view scheme : {"https://", "http://"}) {
    if (key.starts_with(scheme)) key.remove_prefix(scheme.size());
  }
  const auto slash = key.find('/');
  if (slash == std::string_view::npos) return key;
  const auto path = key.substr(slash);
  const bool whole =
      path == "/" || path == "/v1" || path == "/v1/" || path == "/v2" || path == "/v2/";
  return whole ? key.substr(0, slash) : std::string_view();
}

Result<std::optional<Credentials>> from_auths(const json::object& config, const std::string& host,
                                              const fs::path& file) {
  const auto& auths = object_in(config, "auths");
  const auto keys = keys_of(host);
  const auto read = [&](const json::key_value_pair& entry) {
    const std::string key(entry.key());
    const auto where = file.string() + ": auths: " + key;
    if (entry.value().is_object()) return read_entry(entry.value().get_object(), where);
    return Result<std::optional<Credentials>>(invalid(where + ": it is no JSON object"));
  };
  for (const auto& key : keys) {
    const auto* const found = auths.find(key);
    if (found != auths.end()) return read(*found);
  }
  for (const auto& entry : auths) {
    const auto named = host_in(entry.key());
    if (std::find(keys.begin(), keys.end(), named) != keys.end()) return read(entry);
  }
  return std::optional<Credentials>();
}

/// The helper that is named for this registry; "" for none.
std::string helper_for(const json::object& config, const std::string& host) {
  const auto& helpers = object_in(config, "credHelpers");
  for (const auto& key : keys_of(host)) {
    if (helpers.contains(key)) return text_in(helpers, key);
  }
  return text_in(config, "credsStore");
}

bool is_helper_name(std::string_view name) {
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  });
}

/// Where PATH has it; "" when nowhere. An empty part would be the folder we happen to be in.
fs::path find_program(const std::string& name, const Environment& environment) {
  const auto path = environment.variable("PATH").value_or("/usr/local/bin:/usr/bin:/bin");
  for (std::size_t begin = 0; begin <= path.size();) {
    const auto end = std::min(path.find(':', begin), path.size());
    const fs::path candidate = fs::path(path.substr(begin, end - begin)) / name;
    begin = end + 1;
    if (candidate.is_absolute() && ::access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  return {};
}

std::string printable(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  text.resize(std::min(text.size(), helper_words_max));
  for (auto& c : text) {
    if (c < ' ' || c > '~') c = '?';
  }
  return text;
}

}  // namespace

Result<std::optional<Credentials>> credentials_of_helper(const std::string& helper,
                                                         const std::string& host,
                                                         const HelperRun& run) {
  const auto name = "docker-credential-" + helper;
  if (helper.empty() || !is_helper_name(helper)) {
    return invalid("a credential helper's name has letters, digits, - _ and . alone");
  }
  const auto program = find_program(name, run.environment);
  if (program.empty()) {
    return invalid(name + ", which knows the credentials of " + host +
                   ", is not in any folder of PATH");
  }
  auto ran =
      run_child(program, {"get"}, keys_of(host).front(), run.time, helper_bytes_max, run.errors);
  if (!ran) return ran.error();
  const auto said = printable(ran->output);
  if (ran->status != 0) {
    if (said == nothing_found) return std::optional<Credentials>();
    return invalid(name + " was asked for the credentials of " + host + " and failed: \"" + said +
                   "\"");
  }
  json::error_code error;
  json::stream_parser parser;
  parser.write(ran->output.data(), ran->output.size(), error);
  if (!error) parser.finish(error);
  const auto value = error ? json::value() : parser.release();
  wipe(ran->output);
  // What it said is not repeated: it may be the secret.
  if (!value.is_object()) return invalid(name + " gave an answer for " + host + " that is no JSON");
  Credentials credentials{text_in(value.get_object(), "Username"),
                          text_in(value.get_object(), "Secret")};
  if (credentials.username.empty() && credentials.password.empty()) {
    return std::optional<Credentials>();
  }
  return std::optional(std::move(credentials));
}

Result<std::optional<Credentials>> credentials_in(const fs::path& file, const std::string& host,
                                                  const HelperRun& run) {
  auto text = read_small_file(file, config_bytes_max);
  if (!text) return text.error();
  const auto config = parse_config(text->text, file);
  wipe(text->text);
  if (!config) return config.error();
  const auto helper = helper_for(*config, host);
  if (helper.empty()) return from_auths(*config, host, file);
  auto found = credentials_of_helper(helper, host, run);
  if (found) return found;
  Error error = found.error();
  error.message = file.string() + ": " + error.message;
  return error;
}

}  // namespace archway::proxy
