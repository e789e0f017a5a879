#include "proxy/command/admin_client.hpp"
#include "proxy/command/commands.hpp"
#include "proxy/command/doctor_checks.hpp"
#include "proxy/command/doctor_probes.hpp"
#include "proxy/command/json_text.hpp"
#include "proxy/command/online.hpp"
#include "proxy/command/output.hpp"

#include <CLI/App.hpp>
#include <algorithm>
#include <ctime>
#include <memory>

namespace archway::proxy {
namespace {

constexpr const char* command_name = "doctor";
using Grade = Finding::Grade;

struct DoctorOptions {
  std::string url;
  std::string image = "docker.io/library/alpine:latest";
  GatewayOptions gateway;
  OutputOptions output;
};

/// One visit to a gateway.
class Visit {
 public:
  Visit(const Settings& settings, std::string endpoint, Progress& progress)
      : settings_(settings), endpoint_(std::move(endpoint)), progress_(progress) {}

  /// What was found. Errors: Errc::upstream_unreachable, Errc::upstream_failed when there is no
  /// gateway to speak with.
  Result<Findings> make(const resolver::Url& url, const std::string& image);

 private:
  Result<void> look_at_process();
  void look_at_door(const resolver::Url& url);
  void look_at_upstreams();
  void look_at_clients(const std::string& image);
  void add_failure(const std::string& subject, const Error& error);

  const Settings& settings_;
  std::string endpoint_;
  Progress& progress_;
  Findings findings_ = {};
};

void Visit::add_failure(const std::string& subject, const Error& error) {
  findings_.push_back({.grade = Grade::failed, .subject = subject, .text = error.message});
}

Result<void> Visit::look_at_process() {
  const auto answer = ask_admin(endpoint_, Method::get, "/api/v1/status");
  if (!answer) return answer.error();
  const auto status = read_admin_json(*answer);
  if (!status) return status.error();
  findings_.push_back(check_process(*status, endpoint_));
  findings_.push_back(check_cache(*status));
  findings_.push_back(check_clock(answer->date, std::time(nullptr)));
  return {};
}

/// Where clients come in is asked as one of them would.
void Visit::look_at_door(const resolver::Url& url) {
  Settings door;
  door.upstreams = {{.name = url.origin(), .url = url}};
  const auto answers = ask_online(door);
  if (!answers) return add_failure("clients' port", answers.error());
  const auto& error = answers->upstreams.front().error;
  if (!error) {
    findings_.push_back({.subject = "clients' port", .text = url.origin() + " answers"});
    return;
  }
  add_failure("clients' port", *error);
  findings_.back().advice =
      url.scheme == "https"
          ? "clients must reach this port and trust its certificate; is that its URL?"
          : "clients must reach this port; is that its URL?";
}

void Visit::look_at_upstreams() {
  const auto answer = ask_admin(endpoint_, Method::get, "/api/v1/upstreams?check=1");
  if (!answer) return add_failure("upstreams", answer.error());
  const auto list = read_admin_list(*answer);
  if (!list) return add_failure("upstreams", list.error());
  const auto found = check_upstreams(*list);
  findings_.insert(findings_.end(), found.begin(), found.end());
}

void Visit::look_at_clients(const std::string& image) {
  for (const Probe& probe : probes_for(settings_, image)) {
    progress_.show("asking for " + image + " as " + probe.client);
    const auto answer = ask_admin(endpoint_, Method::get, explain_target(probe.query));
    if (!answer) return add_failure("clients", answer.error());
    const auto explanation = read_admin_json(*answer);
    if (!explanation) {
      add_failure(probe.client, explanation.error());
      continue;
    }
    findings_.push_back(check_answer(probe.client, *explanation, probe.stated));
    const auto status = number_in(*explanation, "status");
    // An image that nobody has, or that cannot be fetched, is so for every client.
    if (status != 200 && status != 403) {
      findings_.back().subject = "image " + image;
      return;
    }
  }
}

Result<Findings> Visit::make(const resolver::Url& url, const std::string& image) {
  const auto process = look_at_process();
  if (!process) return process.error();
  progress_.show("asking " + url.origin());
  look_at_door(url);
  progress_.show("asking the upstreams");
  look_at_upstreams();
  look_at_clients(image);
  return findings_;
}

/// The gateway's first listener, asked on this machine where it listens on every address.
Result<resolver::Url> url_of(const DoctorOptions& options, const Settings& settings) {
  if (!options.url.empty()) {
    auto url = resolver::Url::parse(options.url);
    if (url) return url;
    return Error{.code = Errc::request_invalid, .message = url.error().message};
  }
  const auto& listener = settings.listen.front();
  auto endpoint = listener.endpoint;
  if (endpoint.address == "0.0.0.0") endpoint.address = "127.0.0.1";
  if (endpoint.address == "::") endpoint.address = "::1";
  return resolver::Url::parse((listener.tls ? "https://" : "http://") + endpoint.str());
}

std::size_t count(const Findings& findings, Grade grade) {
  const auto has = [&](const Finding& finding) { return finding.grade == grade; };
  return static_cast<std::size_t>(std::count_if(findings.begin(), findings.end(), has));
}

const char* word(Grade grade) {
  if (grade == Grade::ok) return "ok";
  return grade == Grade::warning ? "warning" : "FAILED";
}

void print_json(const Findings& findings, const Surroundings& surroundings) {
  boost::json::array list;
  for (const Finding& finding : findings) {
    list.push_back(boost::json::object{{"grade", word(finding.grade)},
                                       {"subject", finding.subject},
                                       {"text", finding.text},
                                       {"advice", finding.advice}});
  }
  boost::json::object document;
  document["findings"] = std::move(list);
  document["warnings"] = count(findings, Grade::warning);
  document["failed"] = count(findings, Grade::failed);
  surroundings.out << pretty_json(document);
}

void print_lines(const Findings& findings, const DoctorOptions& options,
                 const Surroundings& surroundings) {
  constexpr std::size_t width = 9;
  for (const Finding& finding : findings) {
    if (options.output.quiet && finding.grade == Grade::ok) continue;
    const std::string grade = word(finding.grade);
    Colour colour = Colour::green;
    if (finding.grade == Grade::warning) colour = Colour::yellow;
    if (finding.grade == Grade::failed) colour = Colour::red;
    surroundings.out << coloured(grade, colour, surroundings, options.output)
                     << std::string(width - grade.size(), ' ') << finding.subject << ": "
                     << finding.text << "\n";
    if (!finding.advice.empty()) {
      surroundings.out << std::string(width, ' ') << "-> " << finding.advice << "\n";
    }
  }
  if (options.output.quiet) return;
  surroundings.out << findings.size() << " looked at, "
                   << counted(count(findings, Grade::warning), "warning") << ", "
                   << count(findings, Grade::failed) << " failed\n";
}

Result<Findings> visit(const DoctorOptions& options, const Surroundings& surroundings) {
  const auto settings = gateway_settings(options.gateway, surroundings.environment);
  if (!settings) return settings.error();
  auto endpoint = admin_endpoint(options.gateway, surroundings.environment);
  if (!endpoint) return endpoint.error();
  const auto url = url_of(options, *settings);
  if (!url) return url.error();
  Progress progress(surroundings, options.output);
  return Visit(*settings, *std::move(endpoint), progress).make(*url, options.image);
}

int doctor(const DoctorOptions& options, const Surroundings& surroundings) {
  const auto findings = visit(options, surroundings);
  if (!findings) {
    const int code = report(surroundings, command_name, findings.error());
    return findings.error().code == Errc::request_invalid ? exits::usage : code;
  }
  if (options.output.json) {
    print_json(*findings, surroundings);
  } else {
    print_lines(*findings, options, surroundings);
  }
  return count(*findings, Grade::failed) == 0 ? exits::ok : exits::failed;
}

}  // namespace

void add_doctor(CLI::App& app, Commands& commands) {
  const auto options = std::make_shared<DoctorOptions>();
  CLI::App* command =
      app.add_subcommand(command_name, "Look at a gateway and at what each kind of client gets");
  command
      ->add_option("URL", options->url, "Where clients reach it (else as its configuration says)")
      ->type_name("");
  command->add_option("--image", options->image, "The image that is asked for")
      ->type_name("IMAGE")
      ->capture_default_str();
  add_gateway_options(*command, options->gateway);
  add_output_options(*command, options->output);
  commands.push_back({command, [options](const Surroundings& surroundings) {
                        return doctor(*options, surroundings);
                      }});
}

}  // namespace archway::proxy
