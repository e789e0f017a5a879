#include "proxy/command/commands.hpp"
#include "proxy/command/held_cache.hpp"
#include "proxy/command/json_text.hpp"

#include <CLI/App.hpp>
#include <memory>
#include <ostream>

namespace archway::proxy {
namespace {

constexpr const char* command_name = "status";

std::string duration(std::uint64_t seconds) {
  if (seconds < 120) return std::to_string(seconds) + " s";
  if (seconds < 2 * 3600) return std::to_string(seconds / 60) + " min";
  if (seconds < 48 * 3600) return std::to_string(seconds / 3600) + " h";
  return std::to_string(seconds / (24 * 3600)) + " days";
}

std::string limited(std::uint64_t bytes, std::uint64_t limit) {
  return human_size(bytes) + (limit > 0 ? " of " + human_size(limit) : ", without a limit");
}

std::string sum(const boost::json::object& counts) {
  std::uint64_t all = 0;
  std::string words;
  for (const auto& [found_by, count] : counts) {
    const auto number = number_in(counts, {found_by.data(), found_by.size()});
    all += number;
    if (number > 0) words += (words.empty() ? " (" : ", ") + std::string(found_by);
  }
  return std::to_string(all) + words + (words.empty() ? "" : ")");
}

/// What an operator should know of the URLs of an upstream; "" : nothing.
std::string troubles_of(const boost::json::object& upstream) {
  std::string text;
  for (const auto& each : list_in(upstream, "urls")) {
    if (!each.is_object()) continue;
    const auto& url = each.get_object();
    if (!flag_in(url, "answers")) text += ", does not answer";
    if (const auto held = number_in(url, "held_seconds"); held > 0) {
      text += ", asked to be left alone for " + duration(held);
    }
    const auto* limit = url.if_contains("rate_limit");
    if (limit == nullptr || !limit->is_object()) continue;
    text += ", " + std::to_string(number_in(limit->get_object(), "remaining")) + " of " +
            std::to_string(number_in(limit->get_object(), "limit")) + " requests left";
  }
  return text.empty() ? text : " (" + text.substr(2) + ")";
}

std::string upstreams_text(const boost::json::array& upstreams) {
  std::string text;
  for (const auto& each : upstreams) {
    if (!each.is_object()) continue;
    const auto& upstream = each.get_object();
    text += (text.empty() ? "" : ", ") + text_in(upstream, "name");
    if (flag_in(upstream, "default")) text += " (default)";
    text += troubles_of(upstream);
  }
  return text;
}

void print(const boost::json::object& status, bool served, std::ostream& out) {
  const auto& cache = object_in(status, "cache");
  if (served) {
    out << "gateway      archway " << text_in(status, "version") << ", up "
        << duration(number_in(status, "uptime_seconds"))
        << (flag_in(status, "draining") ? ", draining" : "") << "\n";
  } else {
    out << "gateway      none is running\n";
  }
  out << "cache        " << text_in(cache, "directory")
      << (flag_in(cache, "read_only") ? ", read-only" : "")
      << (flag_in(cache, "out_of_service") ? ", out of service: its disk cannot be read" : "")
      << "\n"
      << "size         " << limited(number_in(cache, "blob_bytes"), number_in(cache, "max_size"))
      << "\n"
      << "disk free    " << human_size(number_in(cache, "disk_free_bytes"));
  if (number_in(cache, "keep_free") > 0) {
    out << ", " << human_size(number_in(cache, "keep_free")) << " stay free";
  }
  out << "\nholds        " << counted(number_in(cache, "tags"), "tag") << ", "
      << counted(number_in(cache, "manifests"), "manifest") << ", "
      << counted(number_in(cache, "blobs"), "blob") << "\n"
      << "under way    " << counted(number_in(cache, "fills_in_progress"), "fill") << "\n"
      << "evicted      " << counted(number_in(cache, "evicted_blobs"), "blob") << ", "
      << human_size(number_in(cache, "evicted_bytes")) << "\n"
      << "damaged      " << sum(object_in(cache, "damaged")) << ", quarantined "
      << number_in(cache, "quarantined") << "\n";
  const auto upstreams = upstreams_text(list_in(status, "upstreams"));
  if (!upstreams.empty()) out << "upstreams    " << upstreams << "\n";
}

int show(const HeldOptions& options, const Surroundings& surroundings) {
  const auto held = HeldCache::find(options.gateway, surroundings.environment);
  if (!held) return report(surroundings, command_name, held.error());
  const auto status = (*held)->status();
  if (!status) return report(surroundings, command_name, status.error());
  if (options.output.json) {
    surroundings.out << pretty_json(*status);
  } else if (!options.output.quiet) {
    print(*status, (*held)->is_served(), surroundings.out);
  }
  return exits::ok;
}

}  // namespace

void add_status(CLI::App& app, Commands& commands) {
  auto* const command =
      app.add_subcommand("status", "How the gateway is, and how full its cache is");
  const auto options = std::make_shared<HeldOptions>();
  add_held_options(*command, *options);
  commands.push_back({.app = command, .run = [options](const Surroundings& surroundings) {
                        return show(*options, surroundings);
                      }});
}

}  // namespace archway::proxy
