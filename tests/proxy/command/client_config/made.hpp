#pragma once

#include "proxy/command/client_config/client_files.hpp"
#include "tests/support/source_dir.hpp"

#include <doctest/doctest.h>
#include <fstream>
#include <iterator>
#include <string>

namespace archway::proxy {

/// What the end-to-end tests point clients at.
inline ClientWish wish_for(const char* platform = nullptr,
                           std::vector<std::string> upstreams = {}) {
  ClientWish wish{.gateway = *resolver::Url::parse("http://127.0.0.1:5000"),
                  .upstreams = std::move(upstreams),
                  .known = {"docker.io", "ghcr.io"}};
  if (platform != nullptr) wish.platform = *Platform::parse(platform);
  return wish;
}

inline ClientFiles files_of(Result<ClientFiles> made) {
  REQUIRE(made);
  return *std::move(made);
}

/// The text of the one file, behind the line that says its path.
inline std::string text_of(Result<ClientFiles> made) {
  const auto files = files_of(std::move(made)).files;
  REQUIRE(files.size() == 1);
  const auto line = first_line(files[0].path);
  REQUIRE(files[0].text.starts_with(line));
  return files[0].text.substr(line.size());
}

/// A file that the end-to-end tests give to real clients.
inline std::string client_file(const std::string& name) {
  std::ifstream file(std::string(source_dir) + "/tests/e2e/clients/" + name, std::ios::binary);
  REQUIRE(file.good());
  return {std::istreambuf_iterator<char>(file), {}};
}

/// A client whose path cannot say a Windows build refuses to.
inline void check_no_build_in_path(Result<ClientFiles> (*make)(const ClientWish&)) {
  auto wish = wish_for();
  wish.platform = Platform{.os = "windows", .architecture = "amd64", .os_version = "10.0.20348"};
  const auto made = make(wish);
  REQUIRE_FALSE(made);
  CHECK(made.error().code == Errc::platform_invalid);
  CHECK(made.error().message.find("windows(10.0.20348)/amd64") != std::string::npos);
}

}  // namespace archway::proxy
