#include "proxy/command/doctor_checks.hpp"

#include "proxy/command/json_text.hpp"
#include "proxy/command/output.hpp"
#include "proxy/config/units.hpp"

#include <cstdlib>
#include <ctime>

namespace archway::proxy {
namespace {

namespace json = boost::json;
using Grade = Finding::Grade;

/// No archway is older than this: a clock before it was never set.
constexpr std::int64_t begun = 1'767'225'600;  // 2026-01-01
constexpr std::int64_t drift_max = 60;         // seconds

std::string duration_text(std::uint64_t seconds) {
  if (seconds >= 2 * 86400) return std::to_string(seconds / 86400) + " days";
  if (seconds >= 2 * 3600) return std::to_string(seconds / 3600) + " hours";
  if (seconds >= 2 * 60) return std::to_string(seconds / 60) + " minutes";
  return std::to_string(seconds) + " s";
}

/// The platform that the index gives a digest; "" when it gives none.
std::string platform_of(const json::object& explanation, const std::string& digest) {
  for (const json::value& value : list_in(explanation, "entries")) {
    if (!value.is_object()) continue;
    if (text_in(value.as_object(), "digest") == digest) {
      return text_in(value.as_object(), "platform");
    }
  }
  return {};
}

Finding check_upstream(const json::object& upstream) {
  Finding finding{.subject = "upstream " + text_in(upstream, "name"), .text = {}};
  const auto why = text_in(upstream, "why");
  const bool credentials = flag_in(upstream, "has_credentials");
  if (!flag_in(upstream, "reachable")) {
    finding.grade = Grade::failed;
    finding.text = why.empty() ? "does not answer" : why;
    finding.advice = "look at the name, the network and the certificate between the gateway and " +
                     text_in(upstream, "url") + "; what is cached is served meanwhile";
  } else if (!why.empty() && credentials) {
    finding.grade = Grade::failed;
    finding.text = why;
    finding.advice = "check its credentials in the configuration";
  } else if (!why.empty()) {
    finding.grade = Grade::warning;
    finding.text = why;
  } else {
    finding.text = credentials ? "answers and takes the credentials" : "answers";
  }
  return finding;
}

Finding refused(Finding finding, const json::object& explanation, std::uint64_t status) {
  const auto message = text_in(explanation, "message");
  finding.text = "gets " + std::to_string(status) + ": " + message;
  if (status == 403) {
    finding.grade = Grade::warning;
    finding.advice = "that is what the configuration says (platforms.missing, wrong or allow)";
  } else if (status == 404) {
    finding.grade = Grade::failed;
    finding.advice = "name an image that there is with --image";
  } else {
    finding.grade = Grade::failed;
  }
  return finding;
}

}  // namespace

Finding check_process(const json::object& status, const std::string& endpoint) {
  Finding finding{.subject = "gateway",
                  .text = "archway " + text_in(status, "version") + " answers on " + endpoint +
                          ", up " + duration_text(number_in(status, "uptime_seconds"))};
  if (flag_in(status, "draining")) {
    finding.grade = Grade::warning;
    finding.text += ", and is about to end";
  }
  return finding;
}

Finding check_cache(const json::object& status) {
  const auto& cache = object_in(status, "cache");
  // What it is to this gateway: on a small disk less than the default says.
  const auto keep_free = number_in(cache, "keep_free");
  Finding finding{.subject = "cache", .text = text_in(cache, "directory") + " holds "};
  finding.text += human_size(number_in(cache, "blob_bytes")) + " in " +
                  std::to_string(number_in(cache, "blobs")) + " blobs";
  const auto damaged = number_in(cache, "quarantined");
  const auto* free = cache.if_contains("disk_free_bytes");
  if (free == nullptr || free->is_null()) {
    finding.grade = Grade::failed;
    finding.text += "; how much is free cannot be read";
    finding.advice = "look at the directory: is it there, is its disk?";
    return finding;
  }
  const auto bytes = number_in(cache, "disk_free_bytes");
  finding.text += ", " + human_size(bytes) + " are free";
  if (bytes == 0) {
    finding.grade = Grade::failed;
    finding.advice = "make room: without it everything is fetched anew each time";
  } else if (bytes < keep_free) {
    finding.grade = Grade::warning;
    finding.advice = size_text(keep_free) + " are to stay free (cache.keep_free)";
  } else if (flag_in(cache, "out_of_service")) {
    finding.grade = Grade::failed;
    finding.text += "; blob after blob cannot be read, so nothing is served from it";
    finding.advice = "look at the disk and its cable; the cache is back by itself when it answers";
  } else if (damaged > 0) {
    finding.grade = Grade::warning;
    finding.text += "; " + std::to_string(damaged) + " were found damaged and set aside";
    finding.advice = "look at the disk: bytes do not rot by themselves";
  }
  return finding;
}

Findings check_upstreams(const json::array& upstreams) {
  Findings findings;
  for (const json::value& upstream : upstreams) {
    if (upstream.is_object()) findings.push_back(check_upstream(upstream.as_object()));
  }
  return findings;
}

std::optional<std::int64_t> unix_time(const std::string& date) {
  std::tm broken{};
  const char* end = ::strptime(date.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &broken);
  if (end == nullptr || *end != '\0') return std::nullopt;
  return static_cast<std::int64_t>(::timegm(&broken));
}

Finding check_clock(const std::string& date, std::int64_t now) {
  const auto there = unix_time(date);
  Finding finding{.subject = "clock", .text = "the gateway says " + date};
  const char* const set = "let its machine keep time, for example by systemd-timesyncd or chrony";
  if (!there) {
    finding.grade = Grade::warning;
    finding.text = "the gateway does not say what time it is";
  } else if (*there < begun) {
    finding.grade = Grade::failed;
    finding.text += ", before any archway was made: every certificate is invalid then";
    finding.advice = set;
  } else if (std::llabs(*there - now) > drift_max) {
    const auto drift = static_cast<std::uint64_t>(std::llabs(*there - now));
    finding.grade = Grade::warning;
    finding.text +=
        ", " + duration_text(drift) + (*there < now ? " behind" : " ahead of") + " this machine";
    finding.advice = set;
  }
  return finding;
}

Finding check_answer(const std::string& client, const json::object& explanation, bool stated) {
  Finding finding{.subject = client, .text = {}};
  const auto status = number_in(explanation, "status");
  if (status != 200) return refused(std::move(finding), explanation, status);
  const auto digest = text_in(explanation, "digest");
  const auto platform = platform_of(explanation, digest);
  const auto verdict = text_in(explanation, "verdict");
  const auto reason = text_in(explanation, "reason");
  const bool index = !list_in(explanation, "entries").empty();
  std::string what = "the image";
  if (!platform.empty()) what = platform;
  if (verdict == "filter") what = "an index of what it runs";
  if (verdict == "pass" && index) what = "the whole index";
  finding.text = "gets " + what + ", " + digest.substr(0, digest.find(':') + 13) +
                 (reason.empty() ? "" : " (" + reason + ")");
  if (const auto warning = text_in(explanation, "warning"); !warning.empty()) {
    finding.grade = Grade::warning;
    finding.text += "; " + warning;
  } else if (verdict == "pass" && index && stated) {
    finding.grade = Grade::warning;
    finding.advice =
        "it chooses from that by itself; `archway explain` with the same image and "
        "platform says why";
  }
  return finding;
}

}  // namespace archway::proxy
