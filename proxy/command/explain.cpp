#include "proxy/command/admin_client.hpp"
#include "proxy/command/commands.hpp"
#include "proxy/command/explain_query.hpp"
#include "proxy/command/explain_text.hpp"
#include "proxy/command/json_text.hpp"
#include "proxy/command/output.hpp"

#include <CLI/App.hpp>
#include <memory>

namespace archway::proxy {
namespace {

constexpr const char* command_name = "explain";

struct ExplainOptions {
  ExplainQuery query;
  GatewayOptions gateway;
  OutputOptions output;
};

int exit_code_of_status(std::uint64_t status) {
  if (status == 200) return exits::ok;
  return status == 404 ? exits::not_found : exits::failed;
}

int explain(const ExplainOptions& options, const Surroundings& surroundings) {
  const auto endpoint = admin_endpoint(options.gateway, surroundings.environment);
  if (!endpoint) return report(surroundings, command_name, endpoint.error());
  const auto answer = ask_admin(*endpoint, Method::get, explain_target(options.query));
  if (!answer) return report(surroundings, command_name, answer.error());
  const auto explanation = read_admin_json(*answer);
  if (!explanation) {
    const int code = report(surroundings, command_name, explanation.error());
    return answer->status == 400 ? exits::usage : code;
  }
  if (options.output.json) {
    surroundings.out << pretty_json(*explanation);
  } else if (options.output.quiet) {
    const auto digest = text_in(*explanation, "digest");
    if (!digest.empty()) surroundings.out << digest << "\n";
  } else {
    surroundings.out << explain_text(*explanation, surroundings.out_is_terminal);
  }
  return exit_code_of_status(number_in(*explanation, "status"));
}

}  // namespace

std::string explain_target(const ExplainQuery& query) {
  std::string target = "/api/v1/explain?image=" + query_value(query.image);
  const auto add = [&](const char* name, const std::string& value) {
    if (!value.empty()) target += std::string("&") + name + "=" + query_value(value);
  };
  add("platform", query.platform);
  add("header", query.header);
  add("path", query.path);
  add("user_agent", query.user_agent);
  add("from", query.from);
  add("host", query.host);
  add("server_name", query.server_name);
  add("port", query.port);
  add("certificate", query.certificate);
  for (const std::string& type : query.accept) add("accept", type);
  return target;
}

void add_explain(CLI::App& app, Commands& commands) {
  const auto options = std::make_shared<ExplainOptions>();
  ExplainQuery& query = options->query;
  CLI::App* command =
      app.add_subcommand(command_name, "Tell what a client would get from the gateway, and why");
  command->add_option("IMAGE", query.image, "The image, such as alpine:3")
      ->type_name("")
      ->required();
  command->add_option("--platform", query.platform, "A client that states this platform")
      ->type_name("OS/ARCH[/VARIANT]");
  command->add_option("--header", query.header, "A client that sends this platform in the header")
      ->type_name("PLATFORM");
  command->add_option("--path", query.path, "A client that asks below /platform/TOKEN/")
      ->type_name("TOKEN");
  command->add_option("--user-agent", query.user_agent, "A client that calls itself so")
      ->type_name("TEXT");
  command->add_option("--from", query.from, "A client at this address")->type_name("ADDRESS");
  command->add_option("--host", query.host, "A client that asks this host name")->type_name("NAME");
  command->add_option("--server-name", query.server_name, "The same in TLS (SNI)")
      ->type_name("NAME");
  command->add_option("--port", query.port, "A client that asks this listener")->type_name("PORT");
  command->add_option("--certificate", query.certificate, "A client whose certificate says so")
      ->type_name("NAME");
  command->add_option("--accept", query.accept, "A client that takes this type; may be repeated")
      ->type_name("TYPE")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  add_gateway_options(*command, options->gateway);
  add_output_options(*command, options->output);
  commands.push_back({command, [options](const Surroundings& surroundings) {
                        return explain(*options, surroundings);
                      }});
}

}  // namespace archway::proxy
