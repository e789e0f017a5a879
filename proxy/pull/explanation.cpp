#include "proxy/pull/explanation.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <utility>

namespace archway::proxy {
namespace {

namespace json = boost::json;
using Policy = resolver::VerdictPolicy;

std::string_view word(Policy::Answer answer) {
  switch (answer) {
    case Policy::Answer::resolve: return "resolve";
    case Policy::Answer::filter: return "filter";
    case Policy::Answer::pass: return "pass";
  }
  return "";
}

std::string_view word(Policy::Missing missing) {
  return missing == Policy::Missing::refuse ? "refuse" : "pass";
}

std::string_view word(Policy::Wrong wrong) {
  switch (wrong) {
    case Policy::Wrong::warn: return "warn";
    case Policy::Wrong::refuse: return "refuse";
    case Policy::Wrong::pass: return "pass";
  }
  return "";
}

json::array platforms_json(const std::vector<Platform>& platforms) {
  json::array array;
  for (const auto& platform : platforms) array.emplace_back(platform.str());
  return array;
}

json::object client_json(const resolver::ClientPlatform& client) {
  json::object object;
  object["platform"] = client.platform ? client.platform->str() : "";
  object["source"] = name(client.source);
  object["resolves"] = client.resolves;
  object["variant_unknown"] = client.variant_unknown;
  object["emulates"] = platforms_json(client.emulates);
  object["conflict"] = client.conflict;
  return object;
}

json::object policy_json(const Policy& policy) {
  json::object object;
  object["answer"] = word(policy.answer);
  object["missing"] = word(policy.missing);
  object["wrong"] = word(policy.wrong);
  object["allow"] = platforms_json(policy.allow);
  return object;
}

json::value virtual_json(const std::optional<VirtualImage>& image) {
  if (!image) return nullptr;
  json::object object;
  object["name"] = image->str();
  auto& members = object["members"].emplace_array();
  for (const auto& member : image->members) {
    json::object one;
    one["platform"] = member.platform.str();
    one["image"] = member.image.str();
    one["reference"] = member.reference ? str(*member.reference) : "";
    members.push_back(std::move(one));
  }
  return object;
}

json::array entries_json(const std::vector<resolver::EntryNote>& entries) {
  json::array array;
  for (const auto& entry : entries) {
    json::object one;
    one["platform"] = entry.platform;
    one["digest"] = entry.digest.str();
    one["size"] = entry.size;
    one["note"] = entry.note;
    array.push_back(std::move(one));
  }
  return array;
}

json::array parts_json(const std::vector<Explanation::Part>& parts) {
  json::array array;
  for (const auto& part : parts) {
    json::object one;
    one["kind"] = part.kind;
    one["digest"] = part.digest;
    one["size"] = part.size;
    one["cached"] = part.cached;
    array.push_back(std::move(one));
  }
  return array;
}

void add_answer(json::object& object, const Explanation& explanation) {
  object["status"] = explanation.status;
  object["digest"] = explanation.digest;
  object["media_type"] = explanation.media_type;
  object["size"] = explanation.size;
  object["index"] = explanation.index;
  object["warning"] = explanation.warning;
  object["error_code"] = explanation.error_code;
  object["message"] = explanation.message;
  object["cached"] = explanation.cached;
  object["parts"] = parts_json(explanation.parts);
}

}  // namespace

std::string explanation_json(const Explanation& explanation) {
  json::object object;
  object["asked"] = explanation.asked;
  object["image"] = explanation.image;
  object["rewritten"] = explanation.rewritten;
  object["virtual_image"] = virtual_json(explanation.virtual_image);
  object["client"] = client_json(explanation.client);
  object["ladder"] = json::array(explanation.ladder.begin(), explanation.ladder.end());
  object["policy"] = policy_json(explanation.policy);
  object["policy_rule"] = explanation.policy_rule;
  object["tag_digest"] = explanation.tag_digest;
  object["tag_outcome"] = explanation.tag_outcome;
  object["entries"] = entries_json(explanation.entries);
  object["verdict"] = explanation.verdict;
  object["reason"] = explanation.reason;
  add_answer(object, explanation);
  return json::serialize(object);
}

}  // namespace archway::proxy
