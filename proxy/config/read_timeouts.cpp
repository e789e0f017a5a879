#include "proxy/config/sections.hpp"

namespace archway::proxy {
namespace {

using namespace std::chrono_literals;

/// Below a tenth of a second ordinary networks fail; above a day it is no bound.
constexpr std::chrono::milliseconds shortest = 100ms;
constexpr std::chrono::milliseconds longest = 24h;

/// More than that many links cannot do.
constexpr std::uint64_t minimum_rate_max = 1024 * 1024;

struct Row {
  std::string_view key;
  std::chrono::milliseconds Settings::Timeouts::*member;
};
constexpr Row rows[] = {
    {"resolve", &Settings::Timeouts::resolve},
    {"connect", &Settings::Timeouts::connect},
    {"tls", &Settings::Timeouts::tls},
    {"first_byte", &Settings::Timeouts::first_byte},
    {"stall", &Settings::Timeouts::stall},
    {"retry_pause", &Settings::Timeouts::retry_pause},
    {"retry_for", &Settings::Timeouts::retry_for},
    {"request", &Settings::Timeouts::request},
    {"idle", &Settings::Timeouts::idle},
    {"client_stall", &Settings::Timeouts::client_stall},
};

}  // namespace

void read_timeouts(const Section& file, Settings& settings) {
  const auto value = file.find("timeouts");
  if (!value) return;
  const Section timeouts(*value, "timeouts");
  for (const Row& row : rows) {
    const auto written = timeouts.find(row.key);
    if (!written) continue;
    if (const auto time = written->time(shortest, longest)) settings.timeouts.*row.member = *time;
  }
  if (const auto rate = timeouts.find("minimum_rate")) {
    if (const auto bytes = rate->size(0, minimum_rate_max)) settings.timeouts.minimum_rate = *bytes;
  }
}

}  // namespace archway::proxy
