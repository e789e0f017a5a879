#include "proxy/command/held_cache.hpp"

#include "proxy/admin/holdings.hpp"
#include "proxy/admin/import_layout.hpp"
#include "proxy/cache_options.hpp"
#include "proxy/command/interruption.hpp"
#include "proxy/command/json_text.hpp"
#include "proxy/command/manifest_json.hpp"
#include "proxy/command/pull_progress.hpp"
#include "proxy/config/settings.hpp"

#include <CLI/App.hpp>
#include <chrono>
#include <filesystem>
#include <ostream>
#include <system_error>
#include <thread>
#include <utility>

namespace archway::proxy {
namespace {

constexpr std::chrono::milliseconds work_look{100};
constexpr std::chrono::seconds plain_pause{10};

using Document = Result<boost::json::object>;

/// What a gateway's refusal means, in its own words.
Error refusal_of(const AdminAnswer& answer) {
  Error error{.code = Errc::upstream_failed, .origin = Origin::upstream, .message = {}};
  if (answer.status == 404) error.code = Errc::manifest_unknown;
  if (answer.status == 400 || answer.status == 409) error.code = Errc::request_invalid;
  const auto document = parse_json(answer.body);
  if (document && document->is_object()) error.message = text_in(document->get_object(), "error");
  if (error.message.empty()) {
    error.message = "the gateway answers " + std::to_string(answer.status);
  }
  return error;
}

class ServedCache final : public HeldCache {
 public:
  explicit ServedCache(std::string admin) : admin_(std::move(admin)) {}

  Result<boost::json::array> list(const std::string& pattern, bool pinned) override {
    auto target = "/api/v1/holdings?pattern=" + query_value(pattern);
    if (pinned) target += "&pinned=1";
    const auto answer = ask_admin(admin_, Method::get, target);
    if (!answer) return answer.error();
    if (answer->status != 200) return refusal_of(*answer);
    return read_admin_list(*answer);
  }
  Document remove(const std::string& image, bool dry_run) override {
    return ask(Method::del,
               "/api/v1/holdings/" + query_value(image) + (dry_run ? "?dry_run=1" : ""));
  }
  Document pin(const std::string& image) override {
    return ask(Method::put, "/api/v1/pins/" + query_value(image));
  }
  Document unpin(const std::string& image) override {
    return ask(Method::del, "/api/v1/pins/" + query_value(image));
  }
  Document verify(const Progress& progress) override {
    return work_through("/api/v1/verify", progress);
  }
  Document collect() override { return work_through("/api/v1/gc", {}); }
  Document import(const std::string& directory, const std::string& as,
                  const Progress& progress) override {
    auto target = "/api/v1/import?directory=" + query_value(directory);
    if (!as.empty()) target += "&as=" + query_value(as);
    return work_through(target, progress);
  }
  Document status() override {
    auto status = ask(Method::get, "/api/v1/status");
    if (!status) return status;
    const auto answer = ask_admin(admin_, Method::get, "/api/v1/upstreams");
    if (!answer) return answer.error();
    auto upstreams = read_admin_list(*answer);
    if (!upstreams) return upstreams.error();
    (*status)["upstreams"] = *std::move(upstreams);
    return status;
  }
  bool is_served() const override { return true; }

 private:
  Document ask(Method method, const std::string& target) const {
    auto answer = ask_admin(admin_, method, target);
    if (!answer) return answer.error();
    if (answer->status != 200 && answer->status != 202) return refusal_of(*answer);
    answer->status = 200;
    return read_admin_json(*answer);
  }

  /// Begins a chore and looks at it until it has ended. Ctrl-C asks it to, and what came of it is
  /// told all the same.
  Document work_through(const std::string& target, const Progress& progress) const {
    const Interruption interruption;
    bool stopping = false;
    auto state = ask(Method::put, target);
    if (!state) return state;
    const auto number = number_in(*state, "number");
    while (flag_in(*state, "running")) {
      if (progress) progress(number_in(*state, "done"), number_in(*state, "total"));
      if (interruption.came() && !stopping) {
        stopping = true;
        state = ask(Method::del, "/api/v1/work");
        if (!state) return state;
      }
      std::this_thread::sleep_for(work_look);
      state = ask(Method::get, "/api/v1/work");
      if (!state) return state;
      if (number_in(*state, "number") != number) {
        return Error{.code = Errc::upstream_failed,
                     .message =
                         "the gateway began another piece of work meanwhile; what came of "
                         "this one is not known"};
      }
    }
    const auto error = text_in(*state, "error");
    if (!error.empty()) return Error{.code = Errc::request_invalid, .message = error};
    return object_in(*state, "result");
  }

  std::string admin_;
};

class OwnCache final : public HeldCache {
 public:
  OwnCache(std::unique_ptr<cache::Cache> cache, resolver::UpstreamNames names,
           cache::Pins::IsPinned is_pinned)
      : cache_(std::move(cache)),
        names_(std::move(names)),
        holdings_(cache_.get(), &names_, std::move(is_pinned)) {}

  Result<boost::json::array> list(const std::string& pattern, bool pinned) override {
    return holdings_.list(pattern, pinned);
  }
  Document remove(const std::string& image, bool dry_run) override {
    return holdings_.remove(image, dry_run);
  }
  Document pin(const std::string& image) override { return holdings_.pin(image); }
  Document unpin(const std::string& image) override { return holdings_.unpin(image); }
  Document verify(const Progress& progress) override {
    const Interruption interruption;
    return holdings_.verify(going_on(progress, &interruption));
  }
  Document collect() override { return holdings_.collect(); }
  Document import(const std::string& directory, const std::string& as,
                  const Progress& progress) override {
    const ImportJob job{.cache = cache_.get(), .names = &names_, .directory = directory, .as = as};
    const Interruption interruption;
    return import_layout(job, going_on(progress, &interruption));
  }
  Document status() override { return boost::json::object{{"cache", holdings_.stats()}}; }
  bool is_served() const override { return false; }

 private:
  static Chore::Progress going_on(const Progress& progress, const Interruption* interruption) {
    return [progress, interruption](std::uint64_t done, std::uint64_t total) {
      if (progress) progress(done, total);
      return !interruption->came();
    };
  }

  std::unique_ptr<cache::Cache> cache_;
  resolver::UpstreamNames names_;
  Holdings holdings_;
};

Result<std::unique_ptr<HeldCache>> open_own(const Settings& settings, const Error& silent) {
  const auto& directory = settings.cache.directory;
  std::error_code error;
  if (!std::filesystem::exists(directory, error)) {
    return Error{.code = Errc::upstream_unreachable,
                 .message = silent.message + "; and there is no cache at " + directory.string()};
  }
  const auto options = cache_options(settings);
  auto opened = cache::Cache::open(options, nullptr);
  if (!opened) {
    auto locked = opened.error();
    if (locked.retryable) locked.message += "; but " + silent.message;
    return locked;
  }
  return std::unique_ptr<HeldCache>(
      std::make_unique<OwnCache>(*std::move(opened), upstream_names(settings), options.is_pinned));
}

}  // namespace

Result<std::unique_ptr<HeldCache>> HeldCache::find(const GatewayOptions& options,
                                                   const Environment& environment) {
  const auto settings = gateway_settings(options, environment);
  if (!settings && options.admin.empty()) return settings.error();
  const auto admin = admin_endpoint(options, environment);
  Error silent = admin ? Error{.code = Errc::upstream_unreachable} : admin.error();
  if (admin) {
    const auto answer = ask_admin(*admin, Method::get, "/healthz");
    if (answer) return std::unique_ptr<HeldCache>(std::make_unique<ServedCache>(*admin));
    silent = answer.error();
    const bool nobody = silent.code == Errc::upstream_unreachable;
    if (!nobody || !options.admin.empty()) return silent;
  }
  return open_own(*settings, silent);
}

void add_held_options(CLI::App& command, HeldOptions& options) {
  add_gateway_options(command, options.gateway);
  add_output_options(command, options.output);
}

HeldCache::Progress show_progress(const std::string& command, const Surroundings& surroundings,
                                  Progress* line, const OutputOptions& options) {
  using Clock = std::chrono::steady_clock;
  const bool seen = surroundings.err_is_terminal;
  auto said = std::make_shared<Clock::time_point>(Clock::now());
  return [=, &surroundings](std::uint64_t done, std::uint64_t total) {
    const auto text =
        progress_bar(done, total) + "  " + human_size(done) + " of " + human_size(total);
    if (seen) {
      line->show(text);
    } else if (!options.quiet && Clock::now() - *said >= plain_pause) {
      *said = Clock::now();
      surroundings.err << "archway " << command << ": " << text << "\n" << std::flush;
    }
  };
}

}  // namespace archway::proxy
