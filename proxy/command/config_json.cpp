#include "proxy/command/config_json.hpp"

#include "proxy/config/print.hpp"
#include "proxy/config/yaml_tree.hpp"

#include <boost/json/array.hpp>
#include <charconv>
#include <cstdint>
#include <optional>
#include <utility>

namespace archway::proxy {

namespace json = boost::json;

namespace {

json::value error_json(const std::optional<Error>& error) {
  if (!error) return nullptr;
  return json::string(error->message);
}

json::array upstreams_json(const OnlineAnswers& online) {
  json::array all;
  for (const auto& upstream : online.upstreams) {
    all.push_back(json::object{
        {"name", upstream.name}, {"url", upstream.url}, {"error", error_json(upstream.error)}});
  }
  return all;
}

json::array members_json(const OnlineAnswers& online) {
  json::array all;
  for (const auto& member : online.members) {
    all.push_back(json::object{{"image", member.image},
                               {"platform", member.platform},
                               {"member", member.member},
                               {"error", error_json(member.error)}});
  }
  return all;
}

json::value scalar_json(const std::string& text) {
  if (text == "true" || text == "false") return text == "true";
  std::int64_t number = 0;
  const auto* const end = text.data() + text.size();
  const auto [behind, error] = std::from_chars(text.data(), end, number);
  if (error == std::errc() && behind == end) return number;
  return json::string(text);
}

json::value tree_json(const Yaml& node) {
  switch (node.kind) {
    case Yaml::Kind::null: return nullptr;
    case Yaml::Kind::scalar: return scalar_json(node.text);
    case Yaml::Kind::sequence: {
      json::array all;
      for (const auto& item : node.items) all.push_back(tree_json(item));
      return all;
    }
    case Yaml::Kind::mapping: break;
  }
  json::object members;
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    members[node.keys[i].text] = tree_json(node.items[i]);
  }
  return members;
}

}  // namespace

json::object check_json(const std::string& file, const ReadOutcome& outcome,
                        const OnlineAnswers* online) {
  json::array problems;
  for (const auto& problem : outcome.problems) {
    problems.push_back(json::object{{"file", problem.file},
                                    {"line", problem.line},
                                    {"column", problem.column},
                                    {"message", problem.message}});
  }
  json::array warnings;
  for (const auto& warning : outcome.warnings) warnings.push_back(json::string(warning));
  json::object document{{"file", file},
                        {"valid", outcome.settings.has_value()},
                        {"problems", std::move(problems)},
                        {"warnings", std::move(warnings)}};
  if (online != nullptr) {
    document["upstreams"] = upstreams_json(*online);
    document["members"] = members_json(*online);
  }
  return document;
}

json::value settings_json(const Settings& settings) {
  return tree_json(parse_yaml(print_settings(settings, false)).root);
}

}  // namespace archway::proxy
