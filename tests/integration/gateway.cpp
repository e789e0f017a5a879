#include "tests/integration/gateway.hpp"

#include <chrono>
#include <cstdlib>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <sstream>
#include <thread>
#include <unistd.h>
#include <utility>

namespace archway::test {

namespace fs = std::filesystem;

ScratchDirectory::ScratchDirectory() {
  std::string name = (fs::temp_directory_path() / "archway-test-XXXXXX").string();
  if (!::mkdtemp(name.data())) throw std::runtime_error("no scratch directory");
  path_ = name;
}

ScratchDirectory::~ScratchDirectory() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

Gateway::Gateway(const ScriptedUpstream& upstream)
    : Gateway(upstream, std::make_shared<ScratchDirectory>()) {}

Gateway::Gateway(const ScriptedUpstream& upstream, std::shared_ptr<ScratchDirectory> cache)
    : cache_(std::move(cache)) {
  settings.listen = {{.endpoint = {.address = "127.0.0.1", .port = 0}}};
  settings.admin = proxy::Settings::Endpoint{.address = "127.0.0.1", .port = 0};
  settings.threads = 2;
  settings.drain = std::chrono::seconds(5);
  settings.timeouts.retry_pause = std::chrono::milliseconds(1);
  settings.timeouts.retry_for = std::chrono::milliseconds(0);
  settings.cache.directory = cache_->path() / "cache";
  settings.upstreams = {
      {.name = "docker.io", .url = *resolver::Url::parse(upstream.url()), .is_default = true}};
}

void Gateway::start() {
  const auto file = logs_.path() / "log";
  log_fd_ = ::open(file.c_str(), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
  log_ = metrics::Log::make(
      {.level = metrics::Level::debug, .format = metrics::LogFormat::json, .fd = log_fd_});
  auto server = proxy::Server::start(settings, log_.get());
  REQUIRE_MESSAGE(server.has_value(), (server ? "" : server.error().message));
  server_ = *std::move(server);
}

void Gateway::stop() {
  if (!server_) return;
  server_->drain();
  server_.reset();
}

std::uint16_t Gateway::port(std::size_t listener) const {
  return server_->endpoints().at(listener).port;
}

Answer Gateway::get(std::string_view target, const Headers& headers) const {
  return fetch(port(), target, headers);
}

Answer Gateway::head(std::string_view target, const Headers& headers) const {
  return fetch(port(), target, headers, "HEAD");
}

double Gateway::metric(const std::string& series) const {
  const auto admin = server_->endpoints().back().port;
  std::istringstream lines(fetch(admin, "/metrics").body);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(series + " ")) return std::strtod(line.c_str() + series.size(), nullptr);
  }
  return 0;
}

bool Gateway::wait_metric(const std::string& series, double value) const {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (metric(series) != value) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return true;
}

std::string Gateway::log_text() const {
  std::ifstream file(logs_.path() / "log");
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

bool Gateway::wait_log(const std::string& text) const {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (log_text().find(text) == std::string::npos) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return true;
}

std::size_t Gateway::blobs_on_disk() const {
  std::size_t count = 0;
  for (const auto& entry : fs::recursive_directory_iterator(settings.cache.directory / "blobs")) {
    count += entry.is_regular_file() ? 1 : 0;
  }
  return count;
}

}  // namespace archway::test
