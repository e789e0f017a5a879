#include "proxy/config/password_file.hpp"
#include "proxy/config/sections.hpp"
#include "proxy/config/small_file.hpp"
#include "proxy/wipe.hpp"

#include <algorithm>
#include <utility>

namespace archway::proxy {

using Credentials = Settings::Credentials;

namespace {

constexpr std::size_t credentials_max = 64;
constexpr std::size_t docker_config_bytes_max = 1024 * 1024;
constexpr std::string_view forms =
    "username with one of password, password_file and password_env; or docker_config; or helper";
constexpr std::string_view sources = "one of password, password_file and password_env";

std::optional<std::string> read_username(const Value& value) {
  const auto name = value.text("the name to log in with");
  if (!name) return std::nullopt;
  // Source: RFC 7617, section 2.
  if (name->find(':') == std::string::npos && !has_control(*name)) return name;
  value.problem("a user name has no colon and no control characters");
  return std::nullopt;
}

void warn_of_readers(const Value& value, const std::string& what) {
  value.reading().warn(value.at(), value.path() + ": everybody on this machine can read " + what +
                                       "; chmod 600 keeps it to you");
}

/// The file itself is read again when the password is needed.
std::optional<std::filesystem::path> read_password_path(const Value& value) {
  auto path = value.file_path();
  if (!path) return std::nullopt;
  auto file = read_password_file(*path);
  if (!file) {
    value.problem(file.error().message);
    return std::nullopt;
  }
  wipe(file->password);
  if (file->others_read) warn_of_readers(value, path->string());
  return path;
}

/// What looks otherwise may be the secret itself, put here by mistake: it is not repeated.
bool is_variable_name(std::string_view text) {
  const auto fits = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  };
  const bool begins = !text.empty() && (text[0] < '0' || text[0] > '9');
  return begins && text.size() <= 64 && std::all_of(text.begin(), text.end(), fits);
}

std::optional<std::string> password_from_environment(const Value& value) {
  const auto name = value.text("the name of an environment variable");
  if (!name) return std::nullopt;
  const auto password = value.reading().environment.variable(*name);
  if (password && !password->empty()) return password;
  value.problem("the environment variable " +
                (is_variable_name(*name) ? quoted_for_message(*name) : "named there") +
                (password ? " is empty" : " is not set"));
  return std::nullopt;
}

bool read_plain(const Value& value, Credentials& credentials) {
  if (value.reading().others_read) warn_of_readers(value, "this file and the password in it");
  auto password = value.text("a text that is not empty");
  if (password) credentials.password = *std::move(password);
  return password.has_value();
}

bool read_password(const Section& section, Credentials& credentials) {
  const auto plain = section.find("password");
  const auto file = section.find("password_file");
  const auto variable = section.find("password_env");
  const int given = (plain ? 1 : 0) + (file ? 1 : 0) + (variable ? 1 : 0);
  if (given != 1) {
    const std::string_view found = given == 0 ? "found no password" : "found several passwords";
    section.value().problem(std::string(found) + "; allowed: " + std::string(sources));
    return false;
  }
  if (plain) return read_plain(*plain, credentials);
  if (file) {
    auto path = read_password_path(*file);
    if (path) credentials.password_file = *std::move(path);
    return path.has_value();
  }
  auto password = password_from_environment(*variable);
  if (password) credentials.password = *std::move(password);
  return password.has_value();
}

bool read_login(const Section& section, Credentials& credentials) {
  const auto name_value = section.find("username");
  if (!name_value) section.value().problem("the key username is missing");
  std::optional<std::string> username;
  if (name_value) username = read_username(*name_value);
  const bool password = read_password(section, credentials);
  if (!username || !password) return false;
  credentials.username = *std::move(username);
  if (!has_control(credentials.password)) return true;
  section.value().problem("the password has line ends or other control characters in it");
  return false;
}

bool read_docker_config(const Value& value, Credentials& credentials) {
  auto path = value.file_path();
  if (!path) return false;
  auto file = read_small_file(*path, docker_config_bytes_max);
  if (!file) {
    value.problem(file.error().message);
    return false;
  }
  wipe(file->text);
  if (file->others_read) warn_of_readers(value, path->string());
  credentials.docker_config = *std::move(path);
  return true;
}

bool read_helper(const Value& value, Credentials& credentials) {
  constexpr std::string_view allowed =
      "what stands behind docker-credential- in the name of a program, such as ecr-login";
  auto name = value.text(allowed);
  if (!name) return false;
  const bool fits = std::all_of(name->begin(), name->end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  });
  if (fits) credentials.helper = *std::move(name);
  if (!fits) value.refuse(allowed);
  return fits;
}

std::optional<Credentials> read_one(const Value& value) {
  if (value.node().kind != Yaml::Kind::mapping) {
    // What stands here instead may be the secret itself: it is not repeated.
    value.problem("allowed: a mapping of " + std::string(forms));
    return std::nullopt;
  }
  const Section section(value, "upstreams[].credentials");
  const auto config = section.find("docker_config");
  const auto helper = section.find("helper");
  bool login = !config && !helper;
  for (const auto* const key : {"username", "password", "password_file", "password_env"}) {
    login = login || section.find(key).has_value();
  }
  if ((config ? 1 : 0) + (helper ? 1 : 0) + (login ? 1 : 0) != 1) {
    value.problem("found several ways to log in; allowed: " + std::string(forms) +
                  "; several of them as a list");
    return std::nullopt;
  }
  Credentials credentials;
  bool good = false;
  if (login) good = read_login(section, credentials);
  if (config) good = read_docker_config(*config, credentials);
  if (helper) good = read_helper(*helper, credentials);
  return good ? std::optional(std::move(credentials)) : std::nullopt;
}

}  // namespace

std::vector<Credentials> read_credentials(const Value& value) {
  std::vector<Credentials> all;
  const auto add = [&](const Value& entry) {
    if (auto one = read_one(entry)) all.push_back(*std::move(one));
  };
  if (value.node().kind != Yaml::Kind::sequence) {
    add(value);
    return all;
  }
  for (const Value& entry : value.list("a list of credentials", credentials_max)) add(entry);
  if (value.node().items.empty()) {
    value.problem("found an empty list; allowed: at least one entry, or leave the key out");
  }
  return all;
}

}  // namespace archway::proxy
