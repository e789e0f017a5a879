#include "proxy/command/admin_client.hpp"
#include "proxy/command/client_config/client_files.hpp"
#include "proxy/command/client_config/detect.hpp"
#include "proxy/command/client_config/install.hpp"
#include "proxy/command/commands.hpp"
#include "proxy/command/config_file.hpp"
#include "proxy/command/json_text.hpp"
#include "proxy/command/output.hpp"
#include "proxy/config/nearest.hpp"
#include "proxy/config/section.hpp"

#include <CLI/App.hpp>
#include <algorithm>
#include <array>
#include <memory>
#include <unistd.h>

namespace archway::proxy {
namespace {

constexpr const char* command_name = "client-config";

struct ClientConfigOptions {
  std::string client;
  std::string url;
  std::string platform;
  bool detect = false;
  std::vector<std::string> upstreams;
  bool install = false;
  bool dry_run = false;
  std::string root = "/";
  std::string config;
  OutputOptions output;
};

Error misuse(std::string message) {
  return {.code = Errc::request_invalid, .message = std::move(message)};
}

std::vector<std::string_view> client_names() {
  std::vector<std::string_view> names;
  for (const Client& client : clients()) names.push_back(client.name);
  return names;
}

Result<const Client*> find_client(const std::string& name) {
  for (const Client& client : clients()) {
    if (client.name == name) return &client;
  }
  const auto names = client_names();
  const auto meant = nearest(name, names);
  return misuse(
      "found " + quoted_for_message(name) +
      (meant ? "; did you mean " + std::string(*meant) + "?" : "; allowed: " + either(names)));
}

std::string host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0 || name[0] == '\0') return "localhost";
  return name.data();
}

/// Where clients reach the gateway: its first listener, by this machine's name where that one
/// listens on every address.
Result<resolver::Url> url_of_first_listener(const Settings& settings) {
  const auto& listener = settings.listen.front();
  auto endpoint = listener.endpoint;
  if (endpoint.address == "0.0.0.0" || endpoint.address == "::") endpoint.address = host_name();
  return resolver::Url::parse((listener.tls ? "https://" : "http://") + endpoint.str());
}

Result<resolver::Url> gateway_url(const std::string& text, const Settings& settings) {
  if (text.empty()) return url_of_first_listener(settings);
  const auto url = resolver::Url::parse(text);
  if (!url) return misuse("--url: " + url.error().message);
  if (url->target != "/") {
    return misuse("--url: found " + quoted_for_message(text) +
                  "; allowed: the gateway without a path, such as " + url->origin());
  }
  return *url;
}

/// What a registry's name consists of: it is written into other programs' files.
bool is_registry_name(std::string_view name) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == ':';
  };
  return !name.empty() && std::all_of(name.begin(), name.end(), fits);
}

Result<void> add_upstreams(const ClientConfigOptions& options, const Settings& settings,
                           ClientWish& wish, std::vector<std::string>& remarks) {
  for (const auto& upstream : settings.upstreams) wish.known.push_back(upstream.name);
  for (const std::string& name : options.upstreams) {
    if (!is_registry_name(name)) {
      return misuse("--upstream: found " + quoted_for_message(name) +
                    "; allowed: a registry's name, such as docker.io or registry.lan:5000");
    }
    const bool known = std::find(wish.known.begin(), wish.known.end(), name) != wish.known.end();
    if (!known) {
      remarks.push_back(name +
                        " is no upstream of the configuration read here; a gateway answers "
                        "only for its own upstreams.");
    }
    wish.upstreams.push_back(name);
  }
  return {};
}

Result<void> add_platform(const ClientConfigOptions& options, const Client& client,
                          ClientWish& wish, std::vector<std::string>& remarks) {
  if (!options.platform.empty() && options.detect) {
    return misuse("found --platform and --detect; allowed: one of them");
  }
  if (!options.platform.empty()) {
    auto platform = Platform::parse(options.platform);
    if (!platform) return misuse("--platform: " + platform.error().message);
    wish.platform = *std::move(platform);
  }
  if (!options.detect) return {};
  // The kernel that runs knows nothing about a system in some other folder.
  const bool here = std::filesystem::path(options.root).lexically_normal() == "/";
  const auto detected =
      detect_platform(client, options.root, here ? kernel_machine() : std::string());
  if (!detected) return detected.error();
  wish.platform = detected->platform;
  remarks.push_back(detected->why + ".");
  return {};
}

Result<ClientFiles> make_files(const ClientConfigOptions& options, const Client& client,
                               const Environment& environment) {
  const auto settings = gateway_settings({.config = options.config}, environment);
  if (!settings) return settings.error();
  auto url = gateway_url(options.url, *settings);
  if (!url) return url.error();
  ClientWish wish{.gateway = *std::move(url), .header = settings->platforms.header};
  std::vector<std::string> remarks;
  const auto upstreams = add_upstreams(options, *settings, wish, remarks);
  if (!upstreams) return upstreams.error();
  const auto platform = add_platform(options, client, wish, remarks);
  if (!platform) return platform.error();
  auto files = client.files(wish);
  if (files) files->notes.insert(files->notes.begin(), remarks.begin(), remarks.end());
  return files;
}

void print_notes(const ClientFiles& files, const ClientConfigOptions& options,
                 const Surroundings& surroundings) {
  if (options.output.quiet) return;
  for (const std::string& note : files.notes) surroundings.err << "note: " << note << "\n";
}

void print_next(const ClientFiles& files, const ClientConfigOptions& options,
                const Surroundings& surroundings) {
  if (options.output.quiet || files.next.empty()) return;
  surroundings.err << "next: " << files.next << "\n";
}

std::string json_of(const ClientFiles& files, const std::string& client) {
  boost::json::array list;
  for (const ClientFile& file : files.files) {
    list.push_back(boost::json::object{{"path", file.path}, {"text", file.text}});
  }
  boost::json::object document;
  document["client"] = client;
  document["files"] = std::move(list);
  document["notes"] = boost::json::array(files.notes.begin(), files.notes.end());
  document["next"] = files.next;
  return pretty_json(document);
}

int print_files(const ClientFiles& files, const ClientConfigOptions& options,
                const Surroundings& surroundings) {
  if (options.output.json) {
    surroundings.out << json_of(files, options.client);
    return exits::ok;
  }
  const char* between = "";
  for (const ClientFile& file : files.files) {
    surroundings.out << between << file.text;
    between = "\n";
  }
  print_notes(files, options, surroundings);
  print_next(files, options, surroundings);
  return exits::ok;
}

/// One line about what became, or would become, of a file.
std::string told(const Installing& file, bool dry_run) {
  const std::string would = dry_run ? "would have " : "";
  if (!file.changes) return file.target.string() + " is so already";
  if (!file.exists) return would + "written " + file.target.string();
  return would + "changed " + file.target.string() + "; what was there is in " +
         file.backup.string();
}

int install_files(const ClientFiles& files, const ClientConfigOptions& options,
                  const Surroundings& surroundings) {
  const auto plans = plan_install(files, options.root);
  if (!plans) return report(surroundings, command_name, plans.error());
  bool changed = false;
  for (const Installing& plan : *plans) {
    if (options.dry_run) {
      if (plan.changes) surroundings.out << plan.text;
    } else {
      const auto done = install(plan);
      if (!done) return report(surroundings, command_name, done.error());
    }
    changed = changed || plan.changes;
    if (!options.output.quiet) surroundings.err << told(plan, options.dry_run) << "\n";
  }
  print_notes(files, options, surroundings);
  if (changed) print_next(files, options, surroundings);
  return exits::ok;
}

int client_config(const ClientConfigOptions& options, const Surroundings& surroundings) {
  const auto client = find_client(options.client);
  auto files = client ? make_files(options, **client, surroundings.environment)
                      : Result<ClientFiles>(client.error());
  if (!files) {
    const int code = report(surroundings, command_name, files.error());
    return files.error().code == Errc::request_invalid ? exits::usage : code;
  }
  if (options.install || options.dry_run) return install_files(*files, options, surroundings);
  return print_files(*files, options, surroundings);
}

}  // namespace

void add_client_config(CLI::App& app, Commands& commands) {
  const auto options = std::make_shared<ClientConfigOptions>();
  CLI::App* command =
      app.add_subcommand(command_name, "Print or install what a client needs to pull through here");
  command->add_option("CLIENT", options->client, either(client_names()))->type_name("")->required();
  command
      ->add_option("--url", options->url,
                   "The gateway (else its first listener, by this machine's name)")
      ->type_name("URL");
  command->add_option("--platform", options->platform, "State this platform")
      ->type_name("OS/ARCH[/VARIANT]");
  command->add_flag("--detect", options->detect, "State the platform of this machine's programs");
  command->add_option("--upstream", options->upstreams, "For this registry alone; may be repeated")
      ->type_name("NAME")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  command->add_flag("--install", options->install,
                    "Write the file; what was there is kept beside it");
  command->add_flag("--dry-run", options->dry_run, "Show what --install would do");
  command->add_option("--root", options->root, "Install, and detect, below this folder")
      ->type_name("FOLDER");
  add_config_file(*command, options->config);
  add_output_options(*command, options->output);
  commands.push_back({command, [options](const Surroundings& surroundings) {
                        return client_config(*options, surroundings);
                      }});
}

}  // namespace archway::proxy
