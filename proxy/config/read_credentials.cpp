#include "proxy/config/sections.hpp"
#include "proxy/config/small_file.hpp"

#include <algorithm>

namespace archway::proxy {
namespace {

constexpr std::size_t secret_bytes_max = 64 * 1024;  ///< some registries take whole JSON keys
constexpr std::string_view sources = "one of password, password_file and password_env";

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) == 0x7f;
  });
}

std::optional<std::string> read_username(const Value& value) {
  const auto name = value.text("the name to log in with");
  if (!name) return std::nullopt;
  // Source: RFC 7617, section 2.
  if (name->find(':') == std::string::npos && !has_control(*name)) return name;
  value.problem("a user name has no colon and no control characters");
  return std::nullopt;
}

std::optional<std::string> password_from_file(const Value& value) {
  const auto path = value.file_path();
  if (!path) return std::nullopt;
  auto file = read_small_file(*path, secret_bytes_max);
  if (!file) {
    value.problem(file.error().message);
    return std::nullopt;
  }
  if (file->others_read) {
    value.reading().warn(value.at(), value.path() + ": everybody on this machine can read " +
                                         path->string() + "; chmod 600 keeps it to you");
  }
  std::string password = std::move(file->text);
  if (password.ends_with('\n')) password.pop_back();
  if (password.ends_with('\r')) password.pop_back();
  if (!password.empty()) return password;
  value.problem("the file " + path->string() + " is empty");
  return std::nullopt;
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

std::optional<std::string> read_password(const Section& section) {
  const auto plain = section.find("password");
  const auto file = section.find("password_file");
  const auto variable = section.find("password_env");
  const int given = (plain ? 1 : 0) + (file ? 1 : 0) + (variable ? 1 : 0);
  if (given != 1) {
    const std::string_view found = given == 0 ? "found no password" : "found several passwords";
    section.value().problem(std::string(found) + "; allowed: " + std::string(sources));
    return std::nullopt;
  }
  if (file) return password_from_file(*file);
  if (variable) return password_from_environment(*variable);
  if (plain->reading().others_read) {
    plain->reading().warn(plain->at(), plain->path() +
                                           ": everybody on this machine can read this file and the "
                                           "password in it; chmod 600 keeps it to you");
  }
  return plain->text("a text that is not empty");
}

}  // namespace

std::optional<Settings::Credentials> read_credentials(const Value& value) {
  if (value.node().kind != Yaml::Kind::mapping) {
    // What stands here instead may be the secret itself: it is not repeated.
    value.problem("allowed: a mapping of username and " + std::string(sources));
    return std::nullopt;
  }
  const Section section(value, "upstreams[].credentials");
  const auto name_value = section.find("username");
  if (!name_value) value.problem("the key username is missing");
  std::optional<std::string> username;
  if (name_value) username = read_username(*name_value);
  auto password = read_password(section);
  if (!username || !password) return std::nullopt;
  if (has_control(*password)) {
    value.problem("the password has line ends or other control characters in it");
    return std::nullopt;
  }
  return Settings::Credentials{.username = *username, .password = *std::move(password)};
}

}  // namespace archway::proxy
