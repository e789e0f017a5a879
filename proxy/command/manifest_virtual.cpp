#include "proxy/command/manifest_virtual.hpp"

#include "proxy/command/admin_client.hpp"
#include "proxy/command/json_text.hpp"
#include "proxy/command/manifest_draft_store.hpp"
#include "proxy/command/manifest_fetch.hpp"
#include "proxy/command/manifest_json.hpp"
#include "resolver/model/virtual_image.hpp"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <utility>

namespace archway::proxy {

namespace net = boost::asio;

namespace {

constexpr const char* command_name = "manifest create";

Error refused(std::string message) {
  return {.code = Errc::request_invalid, .message = std::move(message)};
}

net::awaitable<Result<Platform>> platform_of(Registry* registry, resolver::ImageReference image) {
  const auto fetched = co_await fetch_manifest(registry, image.image.repository, image.reference);
  if (!fetched) co_return fetched.error();
  const auto name = image.str();
  if (!fetched->manifest.interpretable || !fetched->manifest.config) {
    co_return refused(name +
                      " is no single image, so it does not say for which platform it is "
                      "meant; write PLATFORM=" +
                      name);
  }
  auto platform =
      co_await fetch_platform(registry, image.image.repository, *fetched->manifest.config);
  if (!platform) co_return platform.error();
  if (platform->os.empty()) {
    co_return refused("the config of " + name + " names no platform; write PLATFORM=" + name);
  }
  co_return platform->normalised();
}

/// The platform that a member's config states. Without a tag of its own the member is looked at
/// under the one of the virtual image.
Result<Platform> look_up(const WantedMember& member, const resolver::ImageReference& target,
                         const CreateOptions& options, Session& session) {
  auto image = member.image;
  if (member.any_tag) image.reference = target.reference;
  if (!options.gateway.empty()) {
    auto there = through_gateway(image, options.gateway);
    if (!there) return there.error();
    image = *std::move(there);
  }
  const auto registry = session.registry(image.image.upstream);
  if (!registry) return registry.error();
  return session.run(platform_of(*registry, image));
}

Result<std::vector<WantedMember>> wanted_members(const CreateOptions& options) {
  if (options.sources.size() > virtual_members_max) {
    return refused("a virtual image has at most " + std::to_string(virtual_members_max) +
                   " members, not " + std::to_string(options.sources.size()));
  }
  std::vector<WantedMember> members;
  for (const auto& source : options.sources) {
    auto member = parse_member(source);
    if (!member) return member.error();
    members.push_back(*std::move(member));
  }
  return members;
}

Result<void> check_platforms(const std::vector<WantedMember>& members) {
  std::vector<std::string> seen;
  for (const auto& member : members) {
    const auto platform = member.platform->str();
    if (std::find(seen.begin(), seen.end(), platform) != seen.end()) {
      return refused("two members are for " + platform + "; a virtual image has one for each");
    }
    seen.push_back(platform);
  }
  return {};
}

std::vector<VirtualAnswer::Missing> read_missing(const boost::json::object& object) {
  std::vector<VirtualAnswer::Missing> missing;
  for (const auto& each : list_in(object, "missing")) {
    if (!each.is_object()) continue;
    const auto& member = each.get_object();
    missing.push_back({.platform = text_in(member, "platform"),
                       .image = text_in(member, "image"),
                       .why = text_in(member, "why")});
  }
  return missing;
}

std::string described(const VirtualAnswer::Missing& member) {
  return member.image + " (" + member.platform + ") is missing: " + member.why;
}

bool is_missing(const VirtualAnswer& answer, const std::string& platform) {
  return std::any_of(answer.missing.begin(), answer.missing.end(),
                     [&](const auto& member) { return member.platform == platform; });
}

void print(const VirtualAnswer& answer, const std::vector<WantedMember>& members,
           const std::string& name, const Surroundings& surroundings) {
  surroundings.out << "Created virtual image " << name << "\n";
  Table table({"PLATFORM", "IMAGE", "STATE"});
  for (const auto& member : members) {
    const auto platform = member.platform->str();
    table.row({platform, member.name(), is_missing(answer, platform) ? "missing" : "there"});
  }
  surroundings.out << table.str(surroundings.out_is_terminal);
}

}  // namespace

std::string WantedMember::name() const {
  return any_tag ? image.image.str() : image.str();
}

Result<WantedMember> parse_member(std::string_view text) {
  std::optional<Platform> platform;
  const auto equals = text.find('=');  // No image's name has one.
  if (equals != std::string_view::npos) {
    auto parsed = Platform::parse(text.substr(0, equals));
    if (!parsed) return parsed.error();
    platform = *std::move(parsed);
    text.remove_prefix(equals + 1);
  }
  auto image = resolver::parse_image(text);
  if (!image) return image.error();
  return WantedMember{
      .platform = std::move(platform), .image = *std::move(image), .any_tag = !names_version(text)};
}

std::string virtual_image_target(const std::string& name, const std::vector<WantedMember>& members,
                                 bool strict) {
  auto target = "/api/v1/images/" + name;
  char separator = '?';
  for (const auto& member : members) {
    const auto platform = member.platform ? member.platform->str() : std::string();
    target += separator + std::string("member=") + query_value(platform + "=" + member.name());
    separator = '&';
  }
  return strict ? target + "&strict=1" : target;
}

Result<VirtualAnswer> read_virtual_answer(const AdminAnswer& answer) {
  const auto object = read_admin_json(answer);
  if (!object) {
    auto error = refused(object.error().message);
    const auto document = parse_json(answer.body);
    if (!document || !document->is_object()) return error;
    for (const auto& each : read_missing(document->get_object())) {
      error.message += "\n  " + described(each);
    }
    return error;
  }
  return VirtualAnswer{.digest = text_in(*object, "index"), .missing = read_missing(*object)};
}

int create_virtual(const CreateOptions& options, const Surroundings& surroundings,
                   Session& session) {
  const auto fail = [&](const Error& error) {
    return report(surroundings, command_name, error, options.registry.debug);
  };
  const auto target = parse_target(options.target);
  auto members = wanted_members(options);
  if (!target || !members) {
    fail(target ? members.error() : target.error());
    return exits::usage;
  }
  const auto endpoint =
      admin_endpoint({.admin = options.admin, .config = {}}, surroundings.environment);
  if (!endpoint) return fail(endpoint.error());
  for (auto& member : *members) {
    if (member.platform) continue;
    auto platform = look_up(member, *target, options, session);
    if (!platform) return fail(platform.error());
    member.platform = *std::move(platform);
  }
  const auto distinct = check_platforms(*members);
  if (!distinct) return fail(distinct.error());
  const auto name = names_version(options.target) ? target->str() : target->image.str();
  const auto answer =
      ask_admin(*endpoint, Method::put, virtual_image_target(name, *members, options.strict));
  if (!answer) return fail(answer.error());
  const auto taken = read_virtual_answer(*answer);
  if (!taken) return fail(taken.error());
  for (const auto& member : taken->missing) {
    surroundings.err << "warning: " << described(member) << "\n";
  }
  if (options.output.json) {
    surroundings.out << pretty_json(boost::json::parse(answer->body));
  } else {
    if (!options.output.quiet) print(*taken, *members, name, surroundings);
    if (!taken->digest.empty()) surroundings.out << taken->digest << "\n";
  }
  return taken->missing.empty() ? exits::ok : exits::partly;
}

}  // namespace archway::proxy
