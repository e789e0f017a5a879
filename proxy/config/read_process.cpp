#include "proxy/config/sections.hpp"

namespace archway::proxy {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t threads_max = 256;
constexpr std::uint64_t connections_max = 1'000'000;

constexpr std::pair<std::string_view, metrics::Level> levels[] = {
    {"debug", metrics::Level::debug},
    {"info", metrics::Level::info},
    {"warn", metrics::Level::warn},
    {"error", metrics::Level::error},
};
constexpr std::pair<std::string_view, metrics::LogFormat> formats[] = {
    {"auto", metrics::LogFormat::automatic},
    {"text", metrics::LogFormat::text},
    {"json", metrics::LogFormat::json},
};

void read_log(const Section& log, Settings& settings) {
  if (const auto value = log.find("level")) {
    if (const auto level = value->one_of<metrics::Level>(levels)) settings.log_level = *level;
  }
  if (const auto value = log.find("format")) {
    if (const auto format = value->one_of<metrics::LogFormat>(formats)) {
      settings.log_format = *format;
    }
  }
}

}  // namespace

void read_process(const Section& file, Settings& settings) {
  if (const auto value = file.find("drain")) {
    if (const auto time = value->seconds(0s, 1h)) settings.drain = *time;
  }
  if (const auto value = file.find("threads")) {
    if (const auto count = value->number(0, threads_max)) {
      settings.threads = static_cast<unsigned>(*count);
    }
  }
  if (const auto value = file.find("connections_max")) {
    if (const auto count = value->number(1, connections_max)) {
      settings.connections_max = static_cast<std::uint32_t>(*count);
    }
  }
  if (const auto value = file.find("offline")) settings.offline = value->flag().value_or(false);
  if (const auto value = file.find("log")) read_log(Section(*value, "log"), settings);
}

}  // namespace archway::proxy
